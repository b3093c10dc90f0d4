//! What a letter tells, before any medium puts it into words: news folded
//! so that each incident stands in it once, as it is in the end.
//!
//! Reads news up to the letter's end, the release and closed windows, and is
//! given what it needs of the plan; none of these changes any more, so the same stretch of a record
//! gives the same digest at any later time.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::StepResult;
use crate::model::{Channel, Name, Release, Severity, Span, Timestamp};
use crate::record::{
    AlertNews, Block, Ending, Item, News, Overview, Posted, Record, Summary, Waited,
};

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
    /// What had been measured when the latest of the news came.
    pub blocks: &'a [Arc<Block>],
    /// What the letter waited for.
    pub waited: Option<Waited>,
    /// Where messages about incidents stand, for a channel that brings them up to
    /// date: as it was before this letter.
    pub messages: Option<&'a BTreeMap<String, Posted>>,
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
        /// Why it is written; `None`: for the notices alone, or since the watch ends.
        reason: Option<Reason>,
    },
    /// The release is out.
    Released,
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

/// Why a letter about alerts is written, in the words of Alertmanager.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// Nothing fired before, as far as it had been told.
    First,
    /// More fires than it had been told.
    Added,
    /// Some of it is over.
    SomeResolved,
    /// All of it is.
    AllResolved,
    /// It only fires still.
    Repeated,
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
    /// Why it is told again, or here.
    pub why: Insistence<'a>,
}

/// Why something is told again, or to somebody who is not told of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Insistence<'a> {
    /// The how many-th reminder it is, from 1.
    pub reminder: Option<u32>,
    /// Nobody has acknowledged it for so long.
    pub unacknowledged_for: Option<Span>,
    /// This channel could not be told.
    pub in_place_of: Option<&'a Name>,
}

/// The news of one letter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// After this fact …
    pub after: u64,
    /// … up to and with this one.
    pub up_to: u64,
    /// What the letter waited for.
    pub waited: Option<Waited>,
}

/// What `channel` takes of a stretch of news; `None` when that is nothing.
/// `url`: the service's address, as the letter has it.
pub fn digest<'a>(
    record: &'a Record,
    channel: &Channel,
    url: &'a str,
    Stretch { after, up_to, waited }: Stretch,
) -> Option<Digest<'a>> {
    let told: Vec<&News> = record
        .news
        .iter()
        .filter(|news| news.seq <= up_to && news.item.concerns(channel))
        .collect();
    let (before, fresh) = told.split_at(told.partition_point(|news| news.seq <= after));
    let last = fresh.last()?;
    let at = last.at;
    let content = match &fresh.first()?.item {
        Item::Summary(window) => Content::Summary(&record.windows.get(window)?.summary),
        Item::Released => Content::Released,
        Item::SmokeFailed(steps) => Content::Smoke(steps),
        Item::Overview { overview, .. } => Content::Overview(overview),
        Item::Fired(_)
        | Item::Resolved(_)
        | Item::Closed(_)
        | Item::Flapping(_)
        | Item::Standing { .. }
        | Item::Reminder { .. }
        | Item::Escalated { .. }
        | Item::FellBack { .. }
        | Item::Acknowledged(_)
        | Item::Notice { .. } => folded(&acked(record, up_to), before, fresh),
    };
    let (release, ending) = (&record.release, record.ended.as_ref());
    let blocks = record.blocks.get(..last.blocks).unwrap_or_default();
    let messages = record.channels.get(&channel.name).map(|known| &known.messages);
    Some(Digest { release, url, at, ending, blocks, waited, messages, content })
}

/// Incidents that somebody had acknowledged by then, as they were told of that.
fn acked(record: &Record, up_to: u64) -> BTreeMap<&str, &AlertNews> {
    let mut acked = BTreeMap::new();
    for news in record.news.iter().take_while(|news| news.seq <= up_to) {
        match &news.item {
            Item::Acknowledged(alert) => acked.insert(alert.incident.as_str(), alert),
            // The next time that it fires is nobody's yet.
            Item::Fired(alert) | Item::Resolved(alert) | Item::Closed(alert) => {
                acked.remove(alert.incident.as_str())
            }
            _ => None,
        };
    }
    acked
}

fn folded<'a>(
    acked: &BTreeMap<&str, &'a AlertNews>,
    before: &[&'a News],
    fresh: &[&'a News],
) -> Content<'a> {
    let mut others: BTreeMap<&str, &AlertNews> = BTreeMap::new();
    for (alert, state) in before.iter().filter_map(|news| turn(&news.item)) {
        match state {
            State::Firing => others.insert(&alert.incident, alert),
            State::Closed | State::Resolved => others.remove(alert.incident.as_str()),
        };
    }
    let tellings = tellings(&others, fresh);
    let was_firing = !others.is_empty();
    others.retain(|incident, _| !tellings.contains_key(incident));
    for (incident, alert) in &mut others {
        *alert = acked.get(incident).copied().unwrap_or(alert);
    }
    let mut tellings: Vec<Telling> = tellings.into_values().collect();
    tellings.sort_by_key(|telling| (telling.state, rank(telling.alert)));
    let mut others: Vec<&AlertNews> = others.into_values().collect();
    others.sort_by_key(|alert| rank(alert));
    let reason = reason(&tellings, was_firing, !others.is_empty());
    Content::News { tellings, notices: counted(fresh), others, reason }
}

/// Each incident of some news once. `firing`: what had been told to fire before.
fn tellings<'a>(
    firing: &BTreeMap<&str, &'a AlertNews>,
    fresh: &[&'a News],
) -> BTreeMap<&'a str, Telling<'a>> {
    let mut tellings: BTreeMap<&str, Telling> = BTreeMap::new();
    for news in fresh {
        let Some((alert, state)) = turn(&news.item) else { continue };
        // A reminder goes to those who know, if not from this watch.
        let is_again =
            matches!(news.item, Item::Reminder { .. } | Item::Acknowledged(_) | Item::Flapping(_));
        let is_known =
            state != State::Firing || is_again || firing.contains_key(alert.incident.as_str());
        let is_new = !tellings.contains_key(alert.incident.as_str());
        let why = Insistence::default();
        let telling = tellings.entry(&alert.incident);
        let telling = telling.or_insert(Telling { alert, state, is_known, flips: 0, why });
        match &news.item {
            // It has come by itself. (An end that came before was another fire's.)
            Item::Standing { .. } if !is_new && telling.state == State::Firing => continue,
            Item::Reminder { number, .. } => telling.why.reminder = Some(*number),
            Item::Escalated { after, .. } => telling.why.unacknowledged_for = Some(*after),
            Item::FellBack { from, .. } => telling.why.in_place_of = Some(from),
            _ => {}
        }
        (telling.alert, telling.state) = (alert, state);
        let is_turn = matches!(
            news.item,
            Item::Fired(_)
                | Item::Standing { .. }
                | Item::Resolved(_)
                | Item::Closed(_)
                | Item::Flapping(_)
        );
        if is_turn || is_new {
            telling.flips += 1;
        }
    }
    tellings
}

fn reason(tellings: &[Telling], was_firing: bool, others_fire: bool) -> Option<Reason> {
    let is = |state| move |telling: &Telling| telling.state == state;
    // One that was over and fires again is as good as new.
    let is_news = |telling: &Telling| {
        telling.state == State::Firing && (!telling.is_known || telling.flips > 1)
    };
    let fires = others_fire || tellings.iter().any(is(State::Firing));
    if tellings.iter().any(is_news) {
        return Some(if was_firing { Reason::Added } else { Reason::First });
    }
    match (tellings.iter().any(is(State::Resolved)), fires) {
        (true, true) => Some(Reason::SomeResolved),
        (true, false) => Some(Reason::AllResolved),
        (false, _) if tellings.iter().any(is(State::Firing)) => Some(Reason::Repeated),
        (false, _) => None,
    }
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
        Item::Fired(alert)
        | Item::Standing { alert, .. }
        | Item::Reminder { alert, .. }
        | Item::Escalated { alert, .. }
        | Item::FellBack { alert, .. }
        | Item::Acknowledged(alert) => Some((alert, State::Firing)),
        // Those who hold its state go on as if it burned, until its end is told.
        Item::Flapping(alert) => Some((alert, State::Firing)),
        Item::Resolved(alert) => Some((alert, State::Resolved)),
        Item::Closed(alert) => Some((alert, State::Closed)),
        Item::Released
        | Item::SmokeFailed(_)
        | Item::Summary(_)
        | Item::Overview { .. }
        | Item::Notice { .. } => None,
    }
}

/// The worst first, then the oldest.
fn rank(alert: &AlertNews) -> (std::cmp::Reverse<Severity>, Timestamp) {
    (std::cmp::Reverse(alert.severity), alert.fired_at)
}

impl Reason {
    /// `first notification`, `new alerts added`, …
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::First => "first notification",
            Reason::Added => "new alerts added",
            Reason::SomeResolved => "some alerts resolved",
            Reason::AllResolved => "all alerts resolved",
            Reason::Repeated => "repeat interval elapsed",
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::fixture::Story;

    #[test]
    fn what_burns_when_a_channel_comes_to_it_is_not_over_for_an_end_before() {
        let mut story = Story::new();
        story.burst("HighErrorRate", &[]).end("HighErrorRate", &[]);
        story.burst("HighErrorRate", &[]);
        let turned: Vec<News> =
            story.record.news.iter().filter(|news| turn(&news.item).is_some()).cloned().collect();
        let [fired, ended, again] = &turned[..] else { panic!("{turned:?}") };
        let Item::Fired(alert) = &again.item else { panic!("{again:?}") };
        let item = Item::Standing { to: "chat".into(), alert: alert.clone() };
        let standing = News { item, ..again.clone() };
        let told = |fresh: &[&News]| {
            let tellings = tellings(&BTreeMap::new(), fresh);
            let one = tellings.values().next().expect("it is told");
            (one.state, one.flips)
        };
        assert_eq!(told(&[fired, ended, &standing]), (State::Firing, 3));
        assert_eq!(told(&[fired, &standing]), (State::Firing, 1), "it has come by itself");
    }
}
