//! Values in their unit, as people read them: `4.2%`, `12.3s`, `1.2 GiB`.
//! The same words in letters, reports and the terminal.

use super::Unit;
use crate::model::Span;

/// Between groups of three digits: thin and not to be broken at, so that
/// `20 118` stays one number in a mail as in a terminal.
const GROUP: char = '\u{202f}';

/// Seconds from which on a length is given as `2m 30s` instead of `150s`.
const SECONDS_MAX: f64 = 120.0;

/// A value in its unit, with about three significant digits:
///
/// | unit | shown |
/// |---|---|
/// | ratio | `4.2%`, `0.03%`, `100%` |
/// | seconds | `250ms`, `12.3s`, `2m 30s` |
/// | per second | `12.5/s` |
/// | bytes | `512 B`, `1.2 GiB` |
/// | count | `7`, `20 118` (thin no-break spaces), `1.25` |
/// | dollars an hour | `$4.20/h` |
///
/// What is no number is told as such: `no number`, `infinite`, `-infinite`.
pub fn show(unit: Unit, value: f64) -> String {
    if value.is_nan() {
        return "no number".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "infinite" } else { "-infinite" }.to_owned();
    }
    let (minus, size) = if value < 0.0 { ("-", -value) } else { ("", value.abs()) };
    let shown = match unit {
        Unit::Ratio => format!("{}%", percentage(size * 100.0)),
        Unit::Seconds => seconds(size),
        Unit::PerSecond => format!("{}/s", decimal(size)),
        Unit::Bytes => bytes(size),
        Unit::Count => decimal(size),
        Unit::DollarsPerHour if size > 0.0 && size < 0.01 => format!("${}/h", decimal(size)),
        Unit::DollarsPerHour => format!("${}/h", grouped(&format!("{size:.2}"))),
    };
    format!("{minus}{shown}")
}

/// Short of 100 is never shown as 100: one failure in 50 000 is told. Near it
/// what is missing is what counts, so it gets more digits.
fn percentage(size: f64) -> String {
    if !(90.0..100.0).contains(&size) {
        return decimal(size);
    }
    let mut places = 2;
    while places < 6 && 100.0 - size < 2.0 * 0.1_f64.powi(places) {
        places += 1;
    }
    let steps = 10_f64.powi(places);
    let floor = (size * steps).floor() / steps;
    let text = format!("{floor:.width$}", width = places as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// About three significant digits, never in powers of ten, no idle zeros.
fn decimal(size: f64) -> String {
    let places = match size {
        0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        size if size >= 0.01 => 3,
        size if size >= 0.0001 => 5,
        _ => return "<0.0001".to_owned(),
    };
    let text = format!("{size:.places$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    grouped(text)
}

fn seconds(size: f64) -> String {
    if size == 0.0 {
        "0s".to_owned()
    } else if size < 0.9995 {
        format!("{}ms", decimal(size * 1000.0))
    } else if size < SECONDS_MAX {
        format!("{}s", decimal(size))
    } else if size < 1e12 {
        Span::from_secs(size.round() as i64).to_string()
    } else {
        format!("{}s", decimal(size))
    }
}

fn bytes(size: f64) -> String {
    const STEPS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if size < 1023.5 {
        return format!("{} B", decimal(size));
    }
    let mut scaled = size / 1024.0;
    let mut step = 0;
    while scaled >= 1023.5 && step + 1 < STEPS.len() {
        scaled /= 1024.0;
        step += 1;
    }
    format!("{} {}", decimal(scaled), STEPS[step])
}

/// `20118.5` → `20 118.5`. Four digits stand as they are.
fn grouped(text: &str) -> String {
    let (whole, rest) = match text.find('.') {
        Some(point) => text.split_at(point),
        None => (text, ""),
    };
    if whole.len() <= 4 {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + whole.len());
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            out.push(GROUP);
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unit: Unit, cases: &[(f64, &str)]) {
        for (value, wanted) in cases {
            let shown = show(unit, *value).replace(GROUP, "_");
            assert_eq!(shown, *wanted, "{value} as {unit:?}");
        }
    }

    #[test]
    fn shows_a_ratio_as_a_percentage() {
        check(
            Unit::Ratio,
            &[
                (0.0, "0%"),
                (0.042, "4.2%"),
                (0.0003, "0.03%"),
                (0.000_015, "0.0015%"),
                (1e-9, "<0.0001%"),
                (0.9998, "99.98%"),
                (0.99996, "99.996%"),
                (1.0, "100%"),
                (0.995, "99.5%"),
            ],
        );
    }

    #[test]
    fn shows_a_length_of_time_in_the_unit_that_fits() {
        check(
            Unit::Seconds,
            &[
                (0.0, "0s"),
                (0.25, "250ms"),
                (0.0004, "0.4ms"),
                (0.9999, "1s"),
                (12.34, "12.3s"),
                (150.0, "2m 30s"),
                (-3.0, "-3s"),
            ],
        );
    }

    #[test]
    fn shows_bytes_in_powers_of_1024() {
        let gib = (1_u64 << 30) as f64;
        check(
            Unit::Bytes,
            &[
                (512.0, "512 B"),
                (1.2 * gib, "1.2 GiB"),
                (1023.9, "1 KiB"),
                (2e30, "1_734_723_475_977 EiB"),
            ],
        );
    }

    #[test]
    fn groups_the_digits_of_counts_and_says_what_is_no_number() {
        check(
            Unit::Count,
            &[
                (7.0, "7"),
                (1204.0, "1204"),
                (20_118.0, "20_118"),
                (1_234_567.0, "1_234_567"),
                (1.25, "1.25"),
                (-20_118.0, "-20_118"),
                (f64::NAN, "no number"),
                (f64::INFINITY, "infinite"),
                (f64::NEG_INFINITY, "-infinite"),
                (-0.0, "0"),
            ],
        );
        check(Unit::PerSecond, &[(12.5, "12.5/s"), (0.02, "0.02/s")]);
        check(
            Unit::DollarsPerHour,
            &[(4.2, "$4.20/h"), (12_000.0, "$12_000.00/h"), (0.004, "$0.004/h")],
        );
    }
}
