//! What a letter tells, before any medium puts it into words: news folded
//! so that each incident stands in it once, as it is in the end.
//!
//! Reads news up to the letter's end, the release and closed windows, and is
//! given what it needs of the plan; none of these changes any more, so the same stretch of a record
//! gives the same digest at any later time.

use std::collections::BTreeMap;

use crate::check::StepResult;
use crate::model::{Channel, Release, Severity, Timestamp};
use crate::record::{AlertNews, Ending, Item, News, Overview, Record, Summary};

/// What one letter tells.
#[derive(Clone, Debug)]
pub struct Digest<'a> {
    /// The release that is watched.
    pub release: &'a Release,
    /// Its address.
    pub url: &'a str,
    /// When the latest of the news became true.
    pub at: Timestamp,
    /// How the watch ended, for alerts that were closed by it.
    pub ending: Option<&'a Ending>,
    /// The news.
    pub content: Content<'a>,
}

/// The kinds of letters.
#[derive(Clone, Debug)]
pub enum Content<'a> {
    /// Turns of alerts, and what bakewatch has to say of itself.
    News {
        /// Each incident once: firing before closed before resolved, the
        /// worst first.
        tellings: Vec<Telling<'a>>,
        /// Notices in the order they came first, each text once.
        notices: Vec<Notice<'a>>,
        /// Alerts told before that are firing still, the worst first.
        others: Vec<&'a AlertNews>,
    },
    /// The smoke suite failed: its failed steps.
    Smoke(&'a [StepResult]),
    /// A window closed.
    Summary(&'a Summary),
    /// The calendar says so.
    Overview(&'a Overview),
}

/// Something about bakewatch itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Notice<'a> {
    /// How bad.
    pub severity: Severity,
    /// In words.
    pub text: &'a str,
    /// How often it came. At least 1.
    pub times: u32,
}

/// How an incident stands at a letter's end.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum State {
    /// It burns.
    Firing,
    /// The watch ended while it burned.
    Closed,
    /// It is over.
    Resolved,
}

/// One incident, as a letter tells it.
#[derive(Clone, Debug)]
pub struct Telling<'a> {
    /// Its latest turn.
    pub alert: &'a AlertNews,
    /// How it stands.
    pub state: State,
    /// Whether an earlier letter told that it fires.
    pub is_known: bool,
    /// How often it changed since the last letter that told of it. At least 1.
    pub flips: u32,
}

/// What `channel` takes of the news after `after` up to `up_to`; `None` when
/// that is nothing. `url`: the service's address, as the letter has it.
pub fn digest<'a>(
    record: &'a Record,
    channel: &Channel,
    url: &'a str,
    after: u64,
    up_to: u64,
) -> Option<Digest<'a>> {
    let told: Vec<&News> = record
        .news
        .iter()
        .filter(|news| news.seq <= up_to && news.item.concerns(channel))
        .collect();
    let (before, fresh) = told.split_at(told.partition_point(|news| news.seq <= after));
    let at = fresh.last()?.at;
    let content = match &fresh.first()?.item {
        Item::Summary(window) => Content::Summary(&record.windows.get(window)?.summary),
        Item::SmokeFailed(steps) => Content::Smoke(steps),
        Item::Overview { overview, .. } => Content::Overview(overview),
        Item::Fired(_)
        | Item::Resolved(_)
        | Item::Closed(_)
        | Item::Flapping(_)
        | Item::Standing { .. }
        | Item::Notice { .. } => folded(before, fresh),
    };
    let (release, ending) = (&record.release, record.ended.as_ref());
    Some(Digest { release, url, at, ending, content })
}

fn folded<'a>(before: &[&'a News], fresh: &[&'a News]) -> Content<'a> {
    let mut tellings: BTreeMap<&str, Telling> = BTreeMap::new();
    for news in fresh {
        let Some((alert, state)) = turn(&news.item) else { continue };
        let is_repeated = matches!(news.item, Item::Standing { .. });
        if is_repeated && tellings.contains_key(alert.incident.as_str()) {
            continue; // it has come to this channel by itself
        }
        let telling = tellings.entry(&alert.incident).or_insert(Telling {
            alert,
            state,
            is_known: state != State::Firing || matches!(news.item, Item::Flapping(_)),
            flips: 0,
        });
        (telling.alert, telling.state) = (alert, state);
        telling.flips += 1;
    }
    let mut others: BTreeMap<&str, &AlertNews> = BTreeMap::new();
    for (alert, state) in before.iter().filter_map(|news| turn(&news.item)) {
        match state {
            State::Firing => others.insert(&alert.incident, alert),
            State::Closed | State::Resolved => others.remove(alert.incident.as_str()),
        };
    }
    others.retain(|incident, _| !tellings.contains_key(incident));
    let mut tellings: Vec<Telling> = tellings.into_values().collect();
    tellings.sort_by_key(|telling| (telling.state, rank(telling.alert)));
    let mut others: Vec<&AlertNews> = others.into_values().collect();
    others.sort_by_key(|alert| rank(alert));
    Content::News { tellings, notices: counted(fresh), others }
}

/// A disk that stays full says so again and again; a letter says it once.
fn counted<'a>(fresh: &[&'a News]) -> Vec<Notice<'a>> {
    let mut notices: Vec<Notice> = Vec::new();
    for news in fresh {
        let Item::Notice { severity, text, .. } = &news.item else { continue };
        let severity = *severity;
        match notices.iter_mut().find(|known| (known.severity, known.text) == (severity, text)) {
            Some(known) => known.times += 1,
            None => notices.push(Notice { severity, text, times: 1 }),
        }
    }
    notices
}

/// The alert of an item, and how it leaves it.
pub fn turn(item: &Item) -> Option<(&AlertNews, State)> {
    match item {
        Item::Fired(alert) | Item::Standing { alert, .. } => Some((alert, State::Firing)),
        // Those who hold its state go on as if it burned, until its end is told.
        Item::Flapping(alert) => Some((alert, State::Firing)),
        Item::Resolved(alert) => Some((alert, State::Resolved)),
        Item::Closed(alert) => Some((alert, State::Closed)),
        Item::SmokeFailed(_) | Item::Summary(_) | Item::Overview { .. } | Item::Notice { .. } => {
            None
        }
    }
}

/// The worst first, then the oldest.
fn rank(alert: &AlertNews) -> (std::cmp::Reverse<Severity>, Timestamp) {
    (std::cmp::Reverse(alert.severity), alert.fired_at)
}

impl State {
    /// `firing`, `closed` or `resolved`.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Firing => "firing",
            State::Closed => "closed",
            State::Resolved => "resolved",
        }
    }
}
