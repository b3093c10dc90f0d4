//! The heartbeat: calls that say that all is well with bakewatch itself. Who
//! takes them tells somebody when they stop.
//!
//! Like the pulse it has no timer of its own: the turns send it, so a loop that
//! hangs falls silent. A call runs aside, and nothing waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::carry::Carrier;
use super::http;
use super::secrets;
use crate::config::Checked;
use crate::model::{Heartbeat, MINUTE, Secret, Span, Timestamp};
use crate::record::Record;
use crate::watch::Fleet;

/// For a whole call. Whoever watches has a grace of minutes.
const TIMEOUT: Span = Span::from_secs(10);

/// While it is unwell it is looked at again at least this often, so that it is
/// known soon that it is well again.
const LOOK: Duration = Duration::from_secs(10);

/// A watch of which nobody could be told anything for so long cannot say so.
const UNTOLD_MAX: Span = Span::from_millis(10 * MINUTE.millis());

/// All addresses that are called.
#[derive(Default)]
pub struct Heartbeats {
    ones: Vec<One>,
    /// Why no call leaves.
    trouble: Option<String>,
    is_over: bool,
}

/// One address.
struct One {
    of: Heartbeat,
    /// When it is called next, or looked whether it may be.
    due_at: Instant,
    /// The call that is out; given up when the address is.
    out: JoinSet<Result<(), String>>,
    /// How the last call failed.
    failing: Option<String>,
}

/// Those of several files, each address once, and as often as the one that wants
/// it most often.
pub fn of(all: &[Checked]) -> Vec<Heartbeat> {
    let mut known: Vec<(Heartbeat, Option<&String>)> = Vec::new();
    for checked in all {
        let Some(one) = &checked.heartbeat else { continue };
        let written = match &one.url {
            Secret::Config(key) => checked.secrets.get(key),
            Secret::Env(_) | Secret::File(_) => None,
        };
        let is_it = |(other, said): &&mut (Heartbeat, Option<&String>)| {
            other.url == one.url || (written.is_some() && *said == written)
        };
        match known.iter_mut().find(is_it) {
            Some((other, _)) => other.every = other.every.min(one.every),
            None => known.push((one.clone(), written)),
        }
    }
    known.into_iter().map(|(one, _)| one).collect()
}

/// What is wrong with bakewatch itself, if anything is: what nobody can be told
/// of by bakewatch.
pub fn trouble(fleet: &Fleet, now: Timestamp, is_stored: bool) -> Option<String> {
    if !is_stored {
        return Some("the disk does not take what is written".to_owned());
    }
    let over = fleet.done();
    fleet.ids().find_map(|id| {
        let record = fleet.record(id)?;
        let why = of_watch(record, now, over.contains(id))?;
        Some(format!("{id}: {why}"))
    })
}

fn of_watch(record: &Record, now: Timestamp, is_over: bool) -> Option<String> {
    if record.poisoned.is_some() && record.succession.by.is_none() {
        return Some("bakewatch itself failed at it, and it is not watched".to_owned());
    }
    if is_over {
        return None; // nothing is to be told any more
    }
    let names = record.plan.channels.iter().map(|channel| &channel.name);
    let known = || names.clone().map(|name| (name, record.channels.get(name)));
    if let Some((name, _)) = known().find(|(_, one)| one.is_some_and(|one| one.broken)) {
        return Some(format!("channel {name} is broken"));
    }
    let since = known().map(|(_, one)| one?.failing_since).collect::<Option<Vec<_>>>()?;
    let latest = since.into_iter().max()?;
    let is_cut_off = now.since(latest) >= UNTOLD_MAX;
    is_cut_off.then(|| format!("no channel takes anything since {}", latest.for_people()))
}

impl Heartbeats {
    /// Calls at these addresses, the first at once.
    pub fn new(all: Vec<Heartbeat>) -> Heartbeats {
        Heartbeats { ones: all.into_iter().map(One::new).collect(), ..Heartbeats::default() }
    }

    /// Calls at these from now on; those that stay keep their time.
    pub fn follow(&mut self, all: Vec<Heartbeat>) {
        if self.is_over {
            return;
        }
        let mut before = std::mem::take(&mut self.ones);
        let mut taken_up = |next: Heartbeat| match before.iter().position(|one| one.of == next) {
            Some(at) => before.swap_remove(at),
            None => One::new(next),
        };
        self.ones = all.into_iter().map(&mut taken_up).collect();
    }

    /// It ends in order: nobody is called any more.
    pub fn stop(&mut self) {
        self.is_over = true;
        self.ones.clear();
    }

    /// A turn is over. `trouble` is asked for when a call is due.
    pub fn turned(
        &mut self,
        now: Instant,
        carrier: &Arc<Carrier>,
        trouble: impl FnOnce() -> Option<String>,
    ) {
        self.ones.iter_mut().for_each(One::hear);
        if self.due().is_none_or(|at| now < at) {
            return;
        }
        self.judge(trouble());
        for one in self.ones.iter_mut().filter(|one| one.due_at <= now) {
            let every = one.of.every.to_std();
            if self.trouble.is_some() {
                one.due_at = now + every.min(LOOK);
                continue;
            }
            one.due_at = now + every;
            if one.out.is_empty() {
                one.out.spawn(call(carrier.clone(), one.of.url.clone()));
            }
        }
    }

    /// When the next turn is due for its sake.
    pub fn due(&self) -> Option<Instant> {
        self.ones.iter().map(|one| one.due_at).min()
    }

    fn judge(&mut self, trouble: Option<String>) {
        match &trouble {
            _ if trouble == self.trouble => {}
            Some(why) => tracing::warn!("the heartbeat is held back: {why}"),
            None => tracing::info!("all is well again: the heartbeat goes on"),
        }
        self.trouble = trouble;
    }
}

impl One {
    fn new(of: Heartbeat) -> One {
        One { of, due_at: Instant::now(), out: JoinSet::new(), failing: None }
    }

    /// How the call that was out has ended, if it has.
    fn hear(&mut self) {
        let Some(ended) = self.out.try_join_next() else { return };
        let panicked = |_| Err("a task of bakewatch panicked".to_owned());
        let failing = ended.unwrap_or_else(panicked).err();
        let name = secrets::name_of(&self.of.url);
        match &failing {
            _ if failing == self.failing => {}
            Some(why) => tracing::warn!("the heartbeat at {name} is not taken: {why}"),
            None => tracing::info!("the heartbeat at {name} is taken again"),
        }
        self.failing = failing;
    }
}

/// One call; what went wrong is told without the address, which is a secret.
async fn call(carrier: Arc<Carrier>, url: Secret) -> Result<(), String> {
    let exchange = async {
        let address = carrier.secrets.resolve(&url).await?;
        let address = reqwest::Url::parse(&address);
        let address = address.map_err(|error| format!("the URL is none: {error}"))?;
        let answer = carrier.http.letters().get(address).send().await;
        let status = answer.map_err(|error| http::failure(&error, TIMEOUT).to_string())?.status();
        match status.as_u16() {
            200..=299 => Ok(()),
            300..=399 => Err(format!("{status} (redirects are not followed)")),
            _ => Err(status.to_string()),
        }
    };
    let late = |_| Err(format!("no answer within {TIMEOUT}"));
    tokio::time::timeout(TIMEOUT.to_std(), exchange).await.unwrap_or_else(late)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Given, Source};
    use crate::daemon::http::Http;
    use crate::daemon::secrets::Secrets;
    use crate::model::Release;
    use crate::record::ChannelRecord;

    const RELEASED: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    fn checked(service: &str, rest: &str) -> Checked {
        let text = format!("service = \"{service}\"\nurl = \"http://127.0.0.1:1\"\n{rest}");
        let source = Source { file: "a.toml".to_owned(), text };
        config::read(Some(&source), &Given::default()).expect("it is right")
    }

    fn called(all: &[(&str, &str)]) -> Vec<String> {
        let all: Vec<Checked> = all.iter().map(|(name, rest)| checked(name, rest)).collect();
        let shown = |one: Heartbeat| format!("{} {}", secrets::name_of(&one.url), one.every);
        of(&all).into_iter().map(shown).collect()
    }

    #[test]
    fn calls_each_address_of_several_files_once_as_often_as_any_wants() {
        let minutes = "[heartbeat]\nurl = \"http://127.0.0.1:2/x\"\nevery = \"5m\"";
        let usual = "[heartbeat]\nurl = \"http://127.0.0.1:2/x\"";
        let other = "[heartbeat]\nurl = { env = \"OTHER\" }\nevery = \"30s\"";
        assert_eq!(called(&[("a", ""), ("b", "")]), [""; 0]);
        assert_eq!(
            called(&[("a", minutes), ("b", ""), ("c", usual), ("d", other), ("e", other)]),
            ["heartbeat.url of a 1m", "environment variable OTHER 30s"]
        );
    }

    fn failing(minutes: i64) -> Option<ChannelRecord> {
        let since = Some(RELEASED - minutes * MINUTE);
        Some(ChannelRecord { failing_since: since, failures: 3, ..ChannelRecord::default() })
    }

    /// Of a watch with two channels, of which this is known.
    fn told(one: Option<ChannelRecord>, two: Option<ChannelRecord>) -> Option<String> {
        let channel = |name: &str| {
            let url = "url = \"http://127.0.0.1:2\"";
            format!("[[channel]]\nname = \"{name}\"\ntype = \"webhook\"\n{url}\n")
        };
        let plan = checked("chat", &(channel("one") + &channel("two"))).plan;
        let release = Release { service: "chat".into(), version: "v1".into(), at: RELEASED };
        let mut fleet = Fleet::new();
        let id = fleet.open(release, plan, RELEASED).expect("it is new");
        let mut record = fleet.record(&id).expect("it is there").clone();
        let known = [("one", one), ("two", two)].into_iter();
        record.channels.extend(known.filter_map(|(name, one)| Some((name.into(), one?))));
        of_watch(&record, RELEASED, false)
    }

    #[test]
    fn is_held_back_when_a_channel_is_broken_or_nobody_can_be_told() {
        let broken = ChannelRecord { broken: true, ..ChannelRecord::default() };
        assert_eq!(told(Some(broken), None).as_deref(), Some("channel one is broken"));
        assert_eq!(told(None, None), None);
        assert_eq!(told(failing(60), None), None, "the other has not failed");
        assert_eq!(told(failing(60), failing(9)), None, "not for long enough");
        let untold = told(failing(60), failing(10)).expect("nobody can be told");
        assert!(untold.starts_with("no channel takes anything since"), "{untold}");
    }

    #[test]
    fn is_held_back_when_the_disk_or_a_watch_fails_and_not_for_one_that_is_over() {
        let fleet = Fleet::new();
        assert!(trouble(&fleet, RELEASED, false).is_some());
        assert_eq!(trouble(&fleet, RELEASED, true), None);
        let release = Release { service: "chat".into(), version: "v1".into(), at: RELEASED };
        let mut fleet = Fleet::new();
        let id = fleet.open(release, checked("chat", "").plan, RELEASED).expect("it is new");
        let mut record = fleet.record(&id).expect("it is there").clone();
        assert_eq!(of_watch(&record, RELEASED, false), None, "nobody is to be told");
        record.poisoned = Some("a mistake".to_owned());
        assert!(of_watch(&record, RELEASED, false).is_some());
        assert!(of_watch(&record, RELEASED, true).is_some(), "nobody watches it");
    }

    #[tokio::test]
    async fn says_how_a_call_failed_without_its_address() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let moved = axum::response::Redirect::temporary("/T0K3N/there");
        let router = axum::Router::new().route("/T0K3N", axum::routing::get(|| async { moved }));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let fails = async |url: String| {
            let secrets = Secrets::new([("url".to_owned(), url)].into());
            let (http, report_dir) = (Http::new().unwrap(), "unused".into());
            let carrier = Carrier { http, secrets, deferred: Arc::default(), report_dir };
            call(Arc::new(carrier), Secret::Config("url".into())).await.unwrap_err()
        };
        let redirected = fails(format!("{base}/T0K3N")).await;
        assert!(redirected.ends_with("(redirects are not followed)"), "{redirected}");
        assert_eq!(fails(format!("{base}/T0K3N/none")).await, "404 Not Found");
        server.abort();
        drop(server.await);
        for url in [format!("{base}/T0K3N"), "T0K3N".to_owned()] {
            let why = fails(url).await;
            assert!(!why.contains("T0K3N"), "{why}");
        }
    }
}
