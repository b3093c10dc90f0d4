//! A crontab line, as crontab(5) means it: five fields, Sunday as 0 or 7, and
//! two restricted day fields that each suffice. Which times of a calendar fit
//! is found by the `cron` crate, whose own form has seconds, counts the days of
//! the week from 1, and wants both day fields to fit; it is given that form
//! alone. When a time of the calendar comes about is `schedule`'s business.

use std::collections::BTreeSet;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// One of the five.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// Words for its numbers, the first for `least`.
    words: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", least: 0, most: 59, words: &[] },
    Field { name: "hour", least: 0, most: 23, words: &[] },
    Field { name: "day of the month", least: 1, most: 31, words: &[] },
    Field { name: "month", least: 1, most: 12, words: &MONTHS },
    Field { name: "day of the week", least: 0, most: 7, words: &DAYS },
];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Lines with a name of their own.
const NAMED: [(&str, &str); 7] = [
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * 0"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// A line that has been read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cron {
    /// One, or one for each of two day fields.
    parts: Vec<cron::Schedule>,
}

impl Cron {
    /// Reads a line. An error says which field is wrong, and what would be right.
    pub fn parse(line: &str) -> Result<Cron, String> {
        let line = line.trim();
        if line.starts_with('@') {
            let named = NAMED.iter().find(|(name, _)| *name == line.to_ascii_lowercase());
            let (_, line) = named.ok_or_else(|| {
                let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
                format!("{line} is none of {}", names.join(", "))
            })?;
            return Cron::parse(line);
        }
        let texts: Vec<&str> = line.split_whitespace().collect();
        if texts.len() != FIELDS.len() {
            let seconds = if texts.len() == 6 { ", and knows no seconds" } else { "" };
            return Err(format!(
                "{line:?} has {} fields; a crontab line has five{seconds}: minute, hour, day of \
                 the month, month, day of the week, for example \"0 9 * * 1-5\"",
                texts.len()
            ));
        }
        let mut sets = Vec::new();
        for (field, text) in FIELDS.iter().zip(&texts) {
            sets.push(field.read(text).map_err(|what| format!("{}: {what}", field.name))?);
        }
        let days = FIELDS[4].least..FIELDS[4].most;
        let week: BTreeSet<u32> = sets[4].iter().map(|day| day % FIELDS[4].most).collect();
        let (any_date, any_day) = (FIELDS[2].all(), days.collect());
        let part = |date: &BTreeSet<u32>, day: &BTreeSet<u32>| {
            let day: BTreeSet<u32> = day.iter().map(|day| day + 1).collect(); // 1 is Sunday
            let fields = [&sets[0], &sets[1], date, &sets[3], &day].map(listed);
            let text = format!("0 {}", fields.join(" "));
            cron::Schedule::from_str(&text).map_err(|error| format!("{line:?}: {error}"))
        };
        // A field that begins with a star restricts beside the other; of two
        // without one, either suffices.
        let parts = match [texts[2], texts[4]].iter().any(|text| text.starts_with('*')) {
            true => vec![part(&sets[2], &week)?],
            false => vec![part(&sets[2], &any_day)?, part(&any_date, &week)?],
        };
        Ok(Cron { parts })
    }

    /// The times of the calendar that fit and are later than this, in order.
    /// `Utc` stands for no zone here: it is a calendar without jumps.
    pub fn after(&self, wall: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> + '_ {
        let mut parts: Vec<_> =
            self.parts.iter().map(|part| part.after(&wall).peekable()).collect();
        std::iter::from_fn(move || {
            let next = parts.iter_mut().filter_map(|part| part.peek().copied()).min()?;
            for part in &mut parts {
                part.next_if_eq(&next);
            }
            Some(next)
        })
    }
}

fn listed(set: &BTreeSet<u32>) -> String {
    set.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

impl Field {
    fn all(&self) -> BTreeSet<u32> {
        (self.least..=self.most).collect()
    }

    /// `*`, `*/5`, `1-5`, `10-20/2`, `mon`, and several with commas between.
    fn read(&self, text: &str) -> Result<BTreeSet<u32>, String> {
        let mut set = BTreeSet::new();
        for item in text.split(',') {
            let (range, step) = match item.split_once('/') {
                Some((range, step)) => (range, Some(step)),
                None => (item, None),
            };
            let (first, last) = match (range, range.split_once('-')) {
                ("*", _) => (self.least, self.most),
                (_, Some((first, last))) => (self.number(first)?, self.number(last)?),
                (_, None) if step.is_some() => {
                    let most = self.most;
                    return Err(format!("{item:?} steps from one number; write {range}-{most}/n"));
                }
                (_, None) => (self.number(range)?, self.number(range)?),
            };
            if last < first {
                return Err(format!("{item:?} runs backwards; write two ranges"));
            }
            let step = match step.map(str::parse::<usize>) {
                None => 1,
                Some(Ok(step)) if (1..=self.most as usize).contains(&step) => step,
                Some(_) => {
                    return Err(format!("{item:?} has no step from 1 to {}", self.most));
                }
            };
            // The last day of the week is the first one again, and not a step of its own.
            let last = if range == "*" && self.most == 7 { 6 } else { last };
            set.extend((first..=last).step_by(step));
        }
        Ok(set)
    }

    fn number(&self, text: &str) -> Result<u32, String> {
        let word = self.words.iter().position(|word| text.eq_ignore_ascii_case(word));
        let named = word.and_then(|at| u32::try_from(at).ok()).map(|at| at + self.least);
        let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = named.or_else(|| text.parse().ok().filter(|_| is_plain));
        number.filter(|number| (self.least..=self.most).contains(number)).ok_or_else(|| {
            let words = match (self.words.first(), self.words.last()) {
                (Some(first), Some(last)) => format!(", nor {first} to {last}"),
                _ => String::new(),
            };
            format!("{text:?} is not a number from {} to {}{words}", self.least, self.most)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The next times after Thursday, 1 January 2026, midnight.
    fn check(line: &str, wanted: &[&str]) {
        let start = DateTime::from_timestamp(1_767_225_600, 0).unwrap();
        let cron = Cron::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let times = cron.after(start).take(wanted.len());
        let times: Vec<String> = times.map(|at| at.format("%a %m-%d %H:%M").to_string()).collect();
        assert_eq!(times, wanted, "{line}");
    }

    #[test]
    fn reads_a_line_as_crontab_means_it() {
        check("*/20 9 * * *", &["Thu 01-01 09:00", "Thu 01-01 09:20", "Thu 01-01 09:40"]);
        check("0 9 * * 1", &["Mon 01-05 09:00", "Mon 01-12 09:00"]);
        check("0 9 * * MON", &["Mon 01-05 09:00"]);
        check("0 9 * * 0", &["Sun 01-04 09:00"]);
        check("0 9 * * 7", &["Sun 01-04 09:00"]);
        check("0 9 * * 5-7", &["Fri 01-02 09:00", "Sat 01-03 09:00", "Sun 01-04 09:00"]);
        check("0 9 * * */2", &["Thu 01-01 09:00", "Sat 01-03 09:00", "Sun 01-04 09:00"]);
        check("0 0 29 feb *", &["Tue 02-29 00:00"]);
        check("30 8,17 1-10/4 jan *", &["Thu 01-01 08:30", "Thu 01-01 17:30", "Mon 01-05 08:30"]);
        check("@weekly", &["Sun 01-04 00:00"]);
        check("@Hourly", &["Thu 01-01 01:00"]);
    }

    #[test]
    fn takes_either_of_two_day_fields_unless_one_begins_with_a_star() {
        check("0 0 13 * fri", &["Fri 01-02 00:00", "Fri 01-09 00:00", "Tue 01-13 00:00"]);
        check("0 0 */2 * fri", &["Fri 01-09 00:00", "Fri 01-23 00:00"]);
        // A Friday the 13th fits twice and comes once.
        let cron = Cron::parse("0 0 13 2 fri").unwrap();
        let february = DateTime::from_timestamp(1_770_854_400, 0).unwrap(); // the 12th
        let two: Vec<_> = cron.after(february).take(2).map(|at| at.timestamp()).collect();
        assert_eq!(two[1] - two[0], 7 * 86_400);
    }

    #[test]
    fn says_which_field_is_wrong() {
        let error = |line: &str| Cron::parse(line).unwrap_err();
        for (line, part) in [
            ("0 9 * *", "has 4 fields; a crontab line has five:"),
            ("0 0 9 * * 1", "and knows no seconds"),
            ("60 * * * *", "minute: \"60\" is not a number from 0 to 59"),
            ("0 9 * * 8", "day of the week: \"8\" is not a number from 0 to 7, nor sun to sat"),
            ("0 9 0 * *", "day of the month: \"0\" is not a number from 1 to 31"),
            ("0 9 L * *", "day of the month: \"L\" is not a number"),
            ("5/10 * * * *", "\"5/10\" steps from one number; write 5-59/n"),
            ("*/0 * * * *", "\"*/0\" has no step from 1 to 59"),
            ("0 17-9 * * *", "\"17-9\" runs backwards"),
            ("0 +9 * * *", "hour: \"+9\" is not"),
            ("0 ,9 * * *", "hour: \"\" is not"),
            ("@reboot", "@reboot is none of @hourly"),
        ] {
            assert!(error(line).contains(part), "{line}: {}", error(line));
        }
    }
}
