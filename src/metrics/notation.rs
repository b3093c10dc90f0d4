//! The notation of series in Prometheus's tests: `up{job="a"}` and
//! `0+10x5 _ stale 7x3`.

use promql_parser::label::MatchOp;
use promql_parser::parser::Expr;

use super::{promql, stale_marker};
use crate::model::Labels;

/// The label that bears a metric's name.
const NAME: &str = "__name__";

/// Two months of samples every minute fit; more is a slip of the hand.
const VALUES_MAX: usize = 100_000;

/// A metric's labels, its name among them as `__name__`.
///
/// # Errors
/// What does not describe one series.
pub fn metric(text: &str) -> Result<Labels, String> {
    if matches!(text.trim(), "" | "{}") {
        return Ok(Labels::default());
    }
    let wrong = || format!("{text:?} is no series; write for example up{{job=\"web\"}}");
    let Ok(Expr::VectorSelector(selector)) = promql::tree(text) else {
        return Err(wrong());
    };
    let is_exact = selector.matchers.or_matchers.is_empty()
        && selector.matchers.matchers.iter().all(|one| matches!(one.op, MatchOp::Equal));
    if !is_exact || selector.offset.is_some() || selector.at.is_some() {
        return Err(wrong());
    }
    let name = selector.name.map(|name| (NAME.to_owned(), name));
    let labels = selector.matchers.matchers.into_iter().map(|one| (one.name, one.value));
    Ok(Labels::from_pairs(name.into_iter().chain(labels)))
}

/// A series' name, and its labels without it.
///
/// # Errors
/// As `metric`, and a series without a name.
pub fn series(text: &str) -> Result<(String, Labels), String> {
    let all = metric(text)?;
    let Some(name) = all.get(NAME) else {
        return Err(format!("{text:?} has no name; write for example up{{job=\"web\"}}"));
    };
    let name = name.to_owned();
    let labels = Labels::from_pairs(all.iter().filter(|(label, _)| *label != NAME));
    Ok((name, labels))
}

/// Values one interval apart; `None`: no sample.
///
/// # Errors
/// A word that is no value.
pub fn values(text: &str) -> Result<Vec<Option<f64>>, String> {
    if text.contains("{{") {
        return Err("native histograms are not supported".to_owned());
    }
    let mut all = Vec::new();
    for word in text.split_whitespace() {
        let run = run(word).ok_or_else(|| {
            format!("{word:?} is no value; write for example 1, 0+10x5, 7x3, _ or stale")
        })?;
        if all.len().saturating_add(run.times) > VALUES_MAX {
            return Err(format!("more than {VALUES_MAX} values"));
        }
        let mut value = run.first;
        for _ in 0..run.times {
            all.push(value);
            value = value.map(|value| value + run.step);
        }
    }
    Ok(all)
}

/// Values that a word stands for.
struct Run {
    first: Option<f64>,
    step: f64,
    times: usize,
}

/// `1`, `_`, `stale`, `1+2x3`, `1x3`, `_x3`.
fn run(word: &str) -> Option<Run> {
    if let Some(first) = single(word) {
        return Some(Run { first, step: 0.0, times: 1 });
    }
    let (what, times) = word.rsplit_once('x')?;
    let times: usize = times.parse().ok()?;
    if let Some(first) = single(what) {
        // So many more after the first; of gaps so many in all.
        let times = if first.is_none() { times } else { times.checked_add(1)? };
        return Some(Run { first, step: 0.0, times });
    }
    // The sign between the two numbers: not the first character, not an exponent's.
    let signs = what.char_indices().skip(1).filter(|(_, c)| *c == '+' || *c == '-');
    let mut splits = signs.filter_map(|(at, _)| {
        let first = what[..at].parse::<f64>().ok()?;
        let step = &what[at..];
        let step = step.strip_prefix("+-").map(|rest| format!("-{rest}")).unwrap_or(step.into());
        Some((first, step.parse::<f64>().ok()?))
    });
    let (first, step) = splits.next()?;
    Some(Run { first: Some(first), step, times: times.checked_add(1)? })
}

fn single(word: &str) -> Option<Option<f64>> {
    match word {
        "_" => Some(None),
        "stale" => Some(Some(stale_marker())),
        word => word.parse().ok().map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::is_stale;

    fn shown(text: &str) -> String {
        let show = |value: &Option<f64>| match value {
            None => "_".to_owned(),
            Some(value) if is_stale(*value) => "stale".to_owned(),
            Some(value) => value.to_string(),
        };
        match values(text) {
            Ok(all) => all.iter().map(show).collect::<Vec<_>>().join(" "),
            Err(what) => what,
        }
    }

    #[test]
    fn reads_values_runs_gaps_and_ends() {
        for (text, expected) in [
            ("1 -2.5 1e3", "1 -2.5 1000"),
            ("0+10x3", "0 10 20 30"),
            ("10-2x2 1+-1x1", "10 8 6 1 0"),
            ("-1e1+5e0x2", "-10 -5 0"),
            ("7x2", "7 7 7"),
            ("_ _x2 stale", "_ _ _ stale"),
            ("NaN Inf -Inf", "NaN inf -inf"),
            ("", ""),
            ("1 two", "\"two\" is no value; write for example 1, 0+10x5, 7x3, _ or stale"),
            ("1x9999999999", "more than 100000 values"),
            ("{{schema:1}}", "native histograms are not supported"),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn reads_a_series_and_refuses_what_describes_several() {
        let read = |text| series(text).map(|(name, labels)| format!("{name}{labels}"));
        assert_eq!(read("up").as_deref(), Ok("up{}"));
        assert_eq!(read("a:b{job=\"x\", z='1'}").as_deref(), Ok("a:b{job=\"x\", z=\"1\"}"));
        assert_eq!(read("{__name__=\"up\"}").as_deref(), Ok("up{}"));
        assert_eq!(metric("{}"), Ok(Labels::default()));
        for wrong in ["up{job=~\"x\"}", "sum(up)", "up offset 5m", "{job=\"x\"}", "", "up{"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
