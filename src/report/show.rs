//! Numbers and times in words. Values are shown as everywhere (`metrics::show`);
//! what a report alone needs stands here.

use crate::metrics::Unit;
pub use crate::metrics::show;
use crate::model::{Number, Span, Timestamp};

/// A number with its unit, or `–` for one that is not known.
pub fn show_known(unit: Unit, value: Option<Number>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| show(unit, value.0))
}

/// A share as a percentage; short of the whole is never shown as all of it.
pub fn share(ratio: f64) -> String {
    show(Unit::Ratio, ratio)
}

/// A length of time in its two largest units: `3h 12m`, `45s`, `0s`.
pub fn length(span: Span) -> String {
    let millis = span.millis().unsigned_abs();
    let sign = if span.millis() < 0 { "-" } else { "" };
    if millis > 0 && millis < 1_000 {
        return format!("{sign}{millis}ms");
    }
    let secs = (millis + 500) / 1_000;
    let parts = [(secs / 86_400, "d"), (secs / 3_600 % 24, "h"), (secs / 60 % 60, "m")];
    let mut words: Vec<String> = Vec::new();
    for (count, unit) in parts.into_iter().chain([(secs % 60, "s")]) {
        if words.len() < 2 && (count > 0 || !words.is_empty()) {
            words.push(format!("{count}{unit}"));
        }
    }
    words.retain(|word| !word.starts_with('0'));
    if words.is_empty() { "0s".to_owned() } else { format!("{sign}{}", words.join(" ")) }
}

/// `24 Nov 13:05`: an instant inside a report whose zone is told once.
pub fn instant(at: Timestamp) -> String {
    strftime(at, "%-d %b %H:%M")
}

/// `24 Nov 13:05:20`: for alerts, where seconds tell.
pub fn instant_exact(at: Timestamp) -> String {
    strftime(at, "%-d %b %H:%M:%S")
}

/// Any other form; instants out of the calendar are given in milliseconds.
pub fn strftime(at: Timestamp, form: &str) -> String {
    jiff::Timestamp::from_millisecond(at.millis())
        .map(|at| at.strftime(form).to_string())
        .unwrap_or_else(|_| format!("{}ms", at.millis()))
}

/// A count with thin groups of three: `1 204 331`.
pub fn count(value: f64) -> String {
    show(Unit::Count, value)
}

/// `1 step`, `3 steps`.
pub fn plural(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DAY, HOUR, MINUTE, SECOND};

    #[test]
    fn never_rounds_a_share_up_to_all() {
        assert_eq!((share(1.0), share(0.999_999)), ("100%".to_owned(), "99.9999%".to_owned()));
        assert_eq!((share(0.0), share(0.9987)), ("0%".to_owned(), "99.87%".to_owned()));
    }

    #[test]
    fn writes_lengths_in_their_two_largest_units() {
        let said = |span| length(span);
        assert_eq!(said(Span::ZERO), "0s");
        assert_eq!(said(Span::from_millis(320)), "320ms");
        assert_eq!(said(12 * MINUTE + 30 * SECOND), "12m 30s");
        assert_eq!(said(3 * HOUR + 20 * SECOND), "3h");
        assert_eq!(said(7 * DAY), "7d");
        assert_eq!(said(DAY + 2 * HOUR), "1d 2h");
    }
}
