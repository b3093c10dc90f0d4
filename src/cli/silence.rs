//! `silence`: of which alerts nobody is to be told for a while.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::exit::Exit;
use super::order::{author, give, joined};
use super::{out, place};
use crate::daemon::clock;
use crate::daemon::store::Reader;
use crate::model::{Name, Silence, Timestamp};
use crate::record::{Record, SilenceRecord};

/// Options of `silence`.
#[derive(Args)]
pub struct Silencing {
    #[command(subcommand)]
    what: What,
    /// Where facts are kept
    #[arg(long, value_name = "DIR", global = true)]
    state_dir: Option<PathBuf>,
}

#[derive(Subcommand)]
enum What {
    /// Nobody is told that an alert fires that fits all matchers; whoever was
    /// told before is told of the end all the same
    Add(Add),
    /// Lists silences
    List(List),
    /// Ends silences before their time: what still fires is told at once
    Expire(Expire),
}

/// Options of `silence add`.
#[derive(Args)]
struct Add {
    /// Which alerts, by their labels and alertname, severity, service, release:
    /// name=value, name!=value, name=~pattern or name!~pattern
    #[arg(required_unless_present = "deploy", value_name = "MATCHER")]
    matchers: Vec<String>,
    /// For the deployment of the release that is watched: 15m at most, never of
    /// what is critical, and not under the next release; left out are matchers (all
    /// alerts) and how long (15m)
    #[arg(long)]
    deploy: bool,
    /// For how long, for example 30m; a week at most
    #[arg(long = "for", value_name = "LENGTH", required_unless_present_any = ["until", "deploy"])]
    length: Option<String>,
    /// Until when, for example 2026-11-25T06:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "length")]
    until: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Who wants it [default: the user's name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Of this service alone, where several are watched
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
}

/// Options of `silence list`.
#[derive(Args)]
struct List {
    /// Also those that are over
    #[arg(long)]
    all: bool,
}

/// Options of `silence expire`.
#[derive(Args)]
struct Expire {
    /// Which, as `list` names them
    #[arg(required = true, value_name = "ID")]
    ids: Vec<String>,
    /// Who wants it [default: the user's name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Runs it.
///
/// # Errors
/// No state directory is known, or the output cannot be written.
pub async fn run(given: &Silencing) -> Result<Exit, String> {
    let dir = place::reading(given.state_dir.as_deref())?;
    match &given.what {
        What::List(list) => {
            out::print(&listed(&known(&dir)?, list.all, clock::wall()))?;
            Ok(Exit::Good)
        }
        What::Add(add) => {
            let mut order = json!({ "matchers": add.matchers, "comment": add.comment,
                "by": author(add.by.as_deref())? });
            if add.deploy {
                order["deploy"] = json!(true); // a daemon of before knows no such key
            }
            for (key, value) in
                [("for", &add.length), ("until", &add.until), ("service", &add.service)]
            {
                if let Some(value) = value {
                    order[key] = value.as_str().into();
                }
            }
            let answer = give(&dir, "silence", &order).await?;
            answer.map_or_else(Ok, |data| out::print(&added(&data)).map(|()| Exit::Good))
        }
        What::Expire(expire) => {
            let by = author(expire.by.as_deref())?;
            for id in &expire.ids {
                let order = json!({ "id": id, "by": by });
                match give(&dir, "unsilence", &order).await? {
                    Ok(data) => out::print(&format!(
                        "silence {id} is over for {}\n",
                        joined(&data["watches"])
                    ))?,
                    Err(exit) => return Ok(exit),
                }
            }
            Ok(Exit::Good)
        }
    }
}

fn added(data: &Value) -> String {
    let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
    let until = text("until").parse::<Timestamp>().map(|at| at.for_people());
    let (id, until) = (text("id"), until.unwrap_or_else(|_| text("until")));
    let burning = match joined(&data["incidents"]) {
        none if none.is_empty() => String::new(),
        some => format!("; fires already, and its end is told if that was: {some}"),
    };
    format!("silence {id} holds until {until} for {}{burning}\n", joined(&data["watches"]))
}

/// What a silence does not hold back, however its matchers fit.
pub(super) fn scope(silence: &Silence) -> &'static str {
    if silence.deploy { ", of this deployment and not critical" } else { "" }
}

/// A silence, and the services that it is for.
type Known = BTreeMap<Name, (SilenceRecord, Vec<Name>)>;

/// Those of all open watches. One over several services is one.
fn known(dir: &Path) -> Result<Known, String> {
    let reader = Reader::open(dir)?;
    let mut known = Known::new();
    for id in reader.watches(true)? {
        let record = Record::replay(reader.facts(&id)?)?;
        // What goes on under a newer release is that one's: it may have ended there.
        let is_its_own =
            |silence: &&SilenceRecord| record.succession.by.is_none() || !silence.holds(record.at);
        for silence in record.silences.iter().filter(is_its_own) {
            let id = silence.silence.id.clone();
            let one = known.entry(id).or_insert_with(|| (silence.clone(), Vec::new()));
            one.1.push(record.release.service.clone());
        }
    }
    Ok(known)
}

fn listed(known: &Known, all: bool, now: Timestamp) -> String {
    let mut shown: Vec<_> = known.values().filter(|(one, _)| all || one.holds(now)).collect();
    shown.sort_by_key(|(one, _)| (one.silence.from, one.silence.id.clone()));
    let mut text = String::new();
    for (one, services) in shown {
        let silence = &one.silence;
        let mut services: Vec<&str> = services.iter().map(Name::as_str).collect();
        services.dedup();
        let until = one.until().for_people();
        let end = match &one.ended {
            Some((_, by)) => format!("ended {until} by {by}"),
            None if one.holds(now) => format!("until {until}"),
            None => format!("was over {until}"),
        };
        let comment = if silence.comment.is_empty() { "" } else { ": " };
        text += &format!(
            "{}  {}{}  {end}, by {}{comment}{} ({})\n",
            silence.id,
            silence.matchers,
            scope(silence),
            silence.by,
            silence.comment,
            services.join(", ")
        );
    }
    if text.is_empty() {
        text.push_str(if all { "no silence\n" } else { "no silence holds\n" });
    }
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::model::{HOUR, Matchers};

    #[test]
    fn lists_what_holds_and_with_all_what_is_over() {
        let at = Timestamp::from_millis(1_767_225_600_000);
        let mut known = Known::new();
        for (hours, by, comment) in [(1, "anna", "the rack moves"), (2, "bert", "")] {
            let matchers = Matchers::parse(&["severity=warning", "team!~a|b"]).unwrap();
            let (by, comment) = (by.to_owned(), comment.to_owned());
            let silence = Silence::new(matchers, at, at + hours * HOUR, by, comment);
            let record = SilenceRecord { silence, ended: None };
            known.insert(record.silence.id.clone(), (record, vec!["chat".into(), "chat".into()]));
        }
        let text = listed(&known, false, at + HOUR) + "--all\n" + &listed(&known, true, at + HOUR);
        expect![[r#"
            d18a21e3  severity="warning", team!~"a|b"  until 2026-01-01 02:00:00 UTC, by bert (chat)
            --all
            d18a21e3  severity="warning", team!~"a|b"  until 2026-01-01 02:00:00 UTC, by bert (chat)
            e753ca41  severity="warning", team!~"a|b"  was over 2026-01-01 01:00:00 UTC, by anna: the rack moves (chat)
        "#]].assert_eq(&text);
        assert_eq!(listed(&Known::new(), false, at), "no silence holds\n");
    }

    #[test]
    fn says_until_when_it_holds_and_what_fires_already() {
        let data = json!({ "id": "0badcafe", "until": "2026-01-01T00:45:00Z",
            "watches": ["chat@v1"], "incidents": ["chat/ServiceDown"] });
        expect![[r#"
            silence 0badcafe holds until 2026-01-01 00:45:00 UTC for chat@v1; fires already, and its end is told if that was: chat/ServiceDown
        "#]].assert_eq(&added(&data));
    }
}
