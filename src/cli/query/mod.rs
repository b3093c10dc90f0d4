//! `query`: asks a running watch in PromQL, at an instant or over a range.

mod show;

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::exit::Exit;
use super::{out, place};
use crate::daemon::api::client;
use crate::daemon::api::form;
use crate::daemon::clock;
use crate::daemon::lock::{self, Holder};
use crate::metrics::promql::{Complaint, Query};
use crate::model::{SECOND, Span, Timestamp};

/// A range without a step is shown in so many, a terminal's width or so.
const STEPS: i64 = 60;

/// Options of `query`.
#[derive(Args)]
pub struct Ask {
    /// What is asked, in PromQL: a signal's name, or any expression over the
    /// series that are kept
    expression: String,
    /// Where facts are kept
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Of this service alone, where several are watched
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// When: a time, seconds since 1970, or a length such as 10m, which is so
    /// long ago; now without
    #[arg(long, value_name = "TIME", conflicts_with_all = ["start", "end", "step"])]
    time: Option<String>,
    /// From when, in the same forms: a range is asked
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// Until when; now without
    #[arg(long, value_name = "TIME", requires = "start")]
    end: Option<String>,
    /// How far apart; a sixtieth of the range without
    #[arg(long, value_name = "LENGTH", requires = "start")]
    step: Option<String>,
    /// In which form: table, or sparkline for a range on a terminal, without
    #[arg(long, value_name = "FORM")]
    output: Option<Form>,
}

/// How a result is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Form {
    /// Aligned columns
    Table,
    /// One line a series, drawn
    Sparkline,
    /// For spreadsheets
    Csv,
    /// The API's answer as it is
    Json,
}

/// Runs it.
///
/// # Errors
/// No state directory is known, or the output cannot be written.
pub async fn run(given: &Ask) -> Result<Exit, String> {
    // Wrong is wrong, whoever is there to answer.
    if let Err(complaint) = Query::compile_any(&given.expression) {
        out::complain(pointed(&given.expression, &complaint));
        return Ok(Exit::Usage);
    }
    let (path, form) = question(given, clock::wall())?;
    let is_range = path.ends_with("query_range");
    let as_range = if io::stdout().is_terminal() { Form::Sparkline } else { Form::Table };
    let shown = given.output.unwrap_or(if is_range { as_range } else { Form::Table });
    if shown == Form::Sparkline && !is_range {
        return Err("--output sparkline: an instant is no line; give --start".to_owned());
    }
    let dir = place::reading(given.state_dir.as_deref())?;
    if lock::holder(&dir)? == Holder::None {
        let dir = dir.display();
        out::complain(format_args!("{dir}: no watch is running with this state directory"));
        return Ok(Exit::Unreachable);
    }
    let answered = match client::ask(&dir, path, &form).await {
        Ok(answered) => answered,
        Err(why) => {
            out::complain(format_args!("the watch cannot be asked: {why}"));
            return Ok(Exit::Unreachable);
        }
    };
    let body: Value = serde_json::from_str(&answered.body).map_err(|error| {
        format!("the watch answered {} and what is no JSON: {error}", answered.status)
    })?;
    for (kind, list) in [("warning", "warnings"), ("note", "infos")] {
        let all = body[list].as_array().into_iter().flatten().filter_map(Value::as_str);
        all.for_each(|what| out::complain(format_args!("{kind}: {what}")));
    }
    if body["status"] != "success" {
        out::complain(body["error"].as_str().unwrap_or("it did not say why"));
        let is_away = answered.status == 503;
        return Ok(if is_away { Exit::Unreachable } else { Exit::Usage });
    }
    let text = match shown {
        Form::Json => answered.body + "\n",
        Form::Table => show::table(&body["data"]),
        Form::Csv => show::csv(&body["data"]),
        Form::Sparkline => show::sparklines(&body["data"]),
    };
    if text.is_empty() {
        out::complain("nothing: no series of that kind has a value there");
    }
    out::print(&text)?;
    Ok(Exit::Good)
}

/// The part of the API, and what it is asked.
type Question = (&'static str, Vec<(&'static str, String)>);

fn question(given: &Ask, now: Timestamp) -> Result<Question, String> {
    let seconds = |at: Timestamp| at.seconds_f64().to_string();
    let time = |name: &str, text: &Option<String>| {
        let text = text.as_deref();
        let read = text.map(|text| instant(text, now).map_err(|what| format!("{name}: {what}")));
        read.transpose()
    };
    let mut form = vec![("query", given.expression.clone())];
    form.extend(given.service.iter().map(|service| ("service", service.clone())));
    let Some(start) = time("--start", &given.start)? else {
        form.extend(time("--time", &given.time)?.map(|at| ("time", seconds(at))));
        return Ok(("/api/v1/query", form));
    };
    let end = time("--end", &given.end)?.unwrap_or(now);
    if end < start {
        return Err(format!("--end: {end} is before --start, {start}"));
    }
    let step = match &given.step {
        Some(text) => form::span(text).map_err(|what| format!("--step: {what}"))?,
        None => usual_step(end.since(start)),
    };
    form.push(("start", seconds(start)));
    form.push(("end", seconds(end)));
    form.push(("step", step.seconds_f64().to_string()));
    Ok(("/api/v1/query_range", form))
}

fn usual_step(range: Span) -> Span {
    Span::from_secs(range.millis() / 1000 / STEPS).max(SECOND)
}

/// A time in either form, or so long ago.
fn instant(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let (Err(_), Ok(ago)) = (text.parse::<f64>(), text.parse::<Span>()) {
        return Ok(now - ago);
    }
    form::time(text)
}

/// A complaint under the place that it is about.
fn pointed(text: &str, complaint: &Complaint) -> String {
    let before: String = text.chars().take(complaint.column.saturating_sub(1)).collect();
    let at = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text[at..].lines().next().unwrap_or_default();
    let indent = " ".repeat(before[at..].chars().count());
    format!(
        "the query is wrong at column {}: {}\n  {line}\n  {indent}^",
        complaint.column, complaint.what
    )
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn points_at_what_is_wrong() {
        let text = "sum(nope(up))";
        let complaint = Query::compile_any(text).expect_err("no function");
        expect![[r#"
            the query is wrong at column 5: unknown function `nope`; did you mean `topk`?
              sum(nope(up))
                  ^
        "#]]
        .assert_eq(&(pointed(text, &complaint) + "\n"));
    }

    #[test]
    fn reads_a_length_as_so_long_ago_and_a_number_as_seconds() {
        let now = Timestamp::from_millis(10_000_000);
        let at = |text| instant(text, now).map(Timestamp::millis);
        assert_eq!((at("10m"), at("5000")), (Ok(9_400_000), Ok(5_000_000)));
        assert_eq!(at("1970-01-01T00:00:01Z"), Ok(1_000));
        assert!(at("noon").is_err());
        assert_eq!(usual_step(Span::from_secs(3600)), Span::from_secs(60));
        assert_eq!(usual_step(Span::from_secs(7)), SECOND);
    }
}
