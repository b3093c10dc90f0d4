//! What each channel was told, with its receipts.

use axum::extract::State;
use serde_json::{Value, json};

use super::Api;
use super::answer::{Beside, Problem, Told, success};
use super::form::Form;
use crate::model::Timestamp;
use crate::record::Record;
use crate::watch::Fleet;

/// The last letters of a watch that are shown where nobody says how many.
const LIMIT: usize = 100;

/// And the most that may be asked for: they are copied between two turns.
const LIMIT_MAX: usize = 1000;

/// The letters of each watch that is meant, in the order in which they left;
/// `service`, `channel` and `limit` say which.
pub(super) async fn deliveries(State(api): State<Api>, form: Form) -> Told {
    let limit = match form.get("limit").map(str::parse::<usize>) {
        None => LIMIT,
        Some(Ok(limit @ 1..=LIMIT_MAX)) => limit,
        Some(_) => {
            let what = format!("limit: write a whole number from 1 to {LIMIT_MAX}");
            return Err(Problem::BadData(what));
        }
    };
    let [service, channel] = ["service", "channel"].map(|key| form.get(key).map(str::to_owned));
    let look = move |fleet: &Fleet, _: Timestamp| {
        let meant = fleet.meant(service.as_deref())?;
        let records = meant.into_iter().filter_map(|id| fleet.record(id));
        let letters = records.map(|record| letters(record, channel.as_deref(), limit));
        Ok(json!({ "letters": letters.collect::<Vec<_>>().concat() }))
    };
    let letters: Result<Value, String> = api.desk.ask(look).await.map_err(Problem::Unavailable)?;
    success(letters.map_err(Problem::Execution)?, Beside::default())
}

fn letters(record: &Record, channel: Option<&str>, limit: usize) -> Vec<Value> {
    let is_meant = |to: &str| channel.is_none_or(|channel| channel == to);
    let all = record.letters.iter().rev().filter(|letter| is_meant(letter.channel.as_str()));
    let shown = all.take(limit).map(|letter| {
        let mut one = json!(record.letter_summary(letter));
        one["watch"] = record.release.watch().to_string().into();
        one
    });
    let mut shown: Vec<Value> = shown.collect();
    shown.reverse();
    shown
}
