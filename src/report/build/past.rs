//! What a source of metrics holds of the time before a release, for the rules
//! of a first watch that ask for a baseline.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::baseline::level_of;
use super::course::Sum;
use crate::judge::Rule;
use crate::metrics::{Measured, Meter, Series, Signal};
use crate::model::{DataSource, Measurement, Rows, Timestamp};
use crate::record::Level;

/// What a rule goes by, of answers over a stretch of time: the text of each
/// query, and what came.
pub fn level_of_past(
    rule: &Rule,
    signal: &Signal,
    sources: &[DataSource],
    answers: &[(Arc<str>, Rows)],
) -> Level {
    let sums = match Meter::compile_for(signal, sources) {
        Ok(meter) => sums(meter, answers),
        Err(_) => Vec::new(), // it was compiled when the plan was made
    };
    level_of(rule, signal.unit, &sums)
}

/// A reading at each instant of the answers, as a look of then would have been.
fn sums(mut meter: Meter, answers: &[(Arc<str>, Rows)]) -> Vec<Sum> {
    let mut by_instant: BTreeMap<Timestamp, Vec<Rows>> = BTreeMap::new();
    for (place, (_, rows)) in answers.iter().enumerate() {
        for (labels, points) in rows {
            for point in points {
                let all = by_instant.entry(point.0).or_default();
                all.resize(answers.len(), Rows::new());
                all[place].push((labels.clone(), vec![*point]));
            }
        }
    }
    let nothing = Series::new();
    let mut sums = Vec::new();
    for (at, all) in &by_instant {
        for ((text, _), rows) in answers.iter().zip(all) {
            meter.answered(text, (*at, *at), Ok(rows));
        }
        let measured = match meter.read(&nothing, *at) {
            Measured::One(measured) => Some(measured),
            Measured::Each(all) => {
                let worst = all.iter().map(|(_, value)| *value).reduce(f64::max);
                worst.map(Measurement::gauge)
            }
            Measured::Split { .. } | Measured::None(_) => None,
        };
        if let Some(measured) = measured {
            let mut sum = Sum::default();
            sum.add(&measured);
            sums.push(sum);
        }
    }
    sums
}
