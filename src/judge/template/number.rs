//! Numbers as Go writes them, and as Prometheus writes them for people.

/// `%g` as Go has it: the shortest digits that read back the same, or so many;
/// with an exponent where there would be more digits before the point.
pub(super) fn general(value: f64, precision: Option<usize>) -> String {
    if !value.is_finite() {
        return special(value);
    }
    let (mut digits, exponent) = match precision {
        None => taken_apart(&format!("{:e}", value.abs())),
        Some(precision) => taken_apart(&format!("{:.*e}", precision.max(1) - 1, value.abs())),
    };
    while digits.len() > 1 && digits.ends_with('0') {
        digits.pop();
    }
    let sign = if value.is_sign_negative() { "-" } else { "" };
    // To Go the shortest form is one of six digits here, however long it is.
    let most = match precision {
        None => 6,
        Some(precision) => precision.max(1) as i32,
    };
    if exponent < -4 || exponent >= most {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let side = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{side}{:02}", exponent.abs());
    }
    format!("{sign}{}", laid_out(&digits, exponent))
}

/// `%.Nf`.
pub(super) fn fixed(value: f64, precision: usize) -> String {
    if value.is_finite() { format!("{value:.precision$}") } else { special(value) }
}

/// `%.Ne`.
pub(super) fn scientific(value: f64, precision: usize) -> String {
    if !value.is_finite() {
        return special(value);
    }
    let (digits, exponent) = taken_apart(&format!("{:.precision$e}", value.abs()));
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let side = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{side}{:02}", exponent.abs())
}

fn special(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN",
        value if value > 0.0 => "+Inf",
        _ => "-Inf",
    }
    .to_owned()
}

/// `1.25e3` → `125` and 3.
fn taken_apart(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    (mantissa.replace('.', ""), exponent.parse().unwrap_or(0))
}

/// Digits with the point where it belongs.
fn laid_out(digits: &str, exponent: i32) -> String {
    if exponent < 0 {
        return format!("0.{}{digits}", "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0)));
    }
    let before = usize::try_from(exponent).unwrap_or(0) + 1;
    if digits.len() <= before {
        return format!("{digits}{}", "0".repeat(before - digits.len()));
    }
    format!("{}.{}", &digits[..before], &digits[before..])
}

/// Four digits: what `humanize` shows.
fn short(value: f64) -> String {
    general(value, Some(4))
}

const LARGE: [&str; 8] = ["k", "M", "G", "T", "P", "E", "Z", "Y"];
const SMALL: [&str; 8] = ["m", "u", "n", "p", "f", "a", "z", "y"];
const BINARY: [&str; 8] = ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"];

/// The value in a unit that leaves fewer digits, and that unit's prefix.
fn scaled(
    mut value: f64,
    prefixes: [&'static str; 8],
    step: impl Fn(f64) -> Option<f64>,
) -> (f64, &'static str) {
    let mut used = "";
    for prefix in prefixes {
        let Some(next) = step(value) else { break };
        (value, used) = (next, prefix);
    }
    (value, used)
}

fn down(by: f64) -> impl Fn(f64) -> Option<f64> {
    move |value| (value.abs() >= by).then_some(value / by)
}

fn up(value: f64) -> Option<f64> {
    (value.abs() < 1.0).then_some(value * 1000.0)
}

/// `1.235M`, `12m`.
pub(super) fn humanize(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return short(value);
    }
    let (value, prefix) = if value.abs() >= 1.0 {
        scaled(value, LARGE, down(1000.0))
    } else {
        scaled(value, SMALL, up)
    };
    format!("{}{prefix}", short(value))
}

/// `1.5Mi`.
pub(super) fn humanize1024(value: f64) -> String {
    if value.abs() <= 1.0 || !value.is_finite() {
        return short(value);
    }
    let (value, prefix) = scaled(value, BINARY, down(1024.0));
    format!("{}{prefix}", short(value))
}

/// `1d 2h 3m 4s`, `250ms`.
pub(super) fn duration(value: f64) -> String {
    if !value.is_finite() {
        return short(value);
    }
    if value == 0.0 {
        return format!("{}s", short(value));
    }
    if value.abs() < 1.0 {
        let (value, prefix) = scaled(value, SMALL, up);
        return format!("{}{prefix}s", short(value));
    }
    let sign = if value < 0.0 { "-" } else { "" };
    let all = value.abs() as i64;
    let (seconds, minutes) = (all % 60, all / 60 % 60);
    let (hours, days) = (all / 3600 % 24, all / 86_400);
    if days != 0 {
        format!("{sign}{days}d {hours}h {minutes}m {seconds}s")
    } else if hours != 0 {
        format!("{sign}{hours}h {minutes}m {seconds}s")
    } else if minutes != 0 {
        format!("{sign}{minutes}m {seconds}s")
    } else {
        format!("{sign}{}s", short(value.abs()))
    }
}

/// `12.5%`.
pub(super) fn percentage(value: f64) -> String {
    format!("{}%", short(value * 100.0))
}

/// `2026-11-25 01:23:46.5 +0000 UTC`.
pub(super) fn timestamp(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Ok(short(value));
    }
    let millis = (value * 1000.0).round();
    let at = jiff::Timestamp::from_millisecond(millis as i64)
        .map_err(|_| format!("{} is beyond all times", general(value, None)))?;
    let fraction = match at.subsec_millisecond().rem_euclid(1000) {
        0 => String::new(),
        millis => format!(".{millis:03}").trim_end_matches('0').to_owned(),
    };
    Ok(format!("{}{fraction} +0000 UTC", at.strftime("%Y-%m-%d %H:%M:%S")))
}
