//! What a signal measured, with its evidence, and what a rule reads in it.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Number;

/// A measurement keeps what it was made of, so that a later judge can count
/// and a replay can ask again; `p99` and `error_ratio` are readings of it.
/// Nine tenths of a record are these, so its JSON form is a short one:
/// `{"ratio":[num,den]}`, `{"buckets":[bounds,counts]}`,
/// `{"gauge":[min,mean,max,n]}`, and of a gauge that did not move
/// `{"level":[value,n]}`.
#[derive(Clone, PartialEq, Debug)]
pub enum Measurement {
    /// `num` of `den` events, both counts over the same time.
    Ratio {
        /// Events that count against us.
        num: Number,
        /// All events.
        den: Number,
    },
    /// A histogram over some time. `counts[i]` events at or below `bounds[i]`,
    /// cumulative; the last bound is +Inf. Bounds in the signal's unit.
    Buckets {
        /// Upper bounds, rising, the last +Inf.
        bounds: Arc<[Number]>,
        /// Cumulative counts, one a bound.
        counts: Vec<Number>,
    },
    /// A value that goes up and down, over `n` looks at it.
    Gauge {
        /// The least.
        min: Number,
        /// The mean of the looks.
        mean: Number,
        /// The most.
        max: Number,
        /// How many looks.
        n: u32,
    },
}

impl Measurement {
    /// One look at a gauge.
    pub fn gauge(value: f64) -> Measurement {
        Measurement::Gauge { min: value.into(), mean: value.into(), max: value.into(), n: 1 }
    }
}

/// The stored form.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Form<Bounds, Counts> {
    Ratio(Number, Number),
    Buckets(Bounds, Counts),
    Gauge(Number, Number, Number, u32),
    Level(Number, u32),
}

impl Serialize for Measurement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let same = |a: &Number, b: &Number| a.0.to_bits() == b.0.to_bits();
        match self {
            Measurement::Ratio { num, den } => Form::Ratio(*num, *den),
            Measurement::Buckets { bounds, counts } => Form::Buckets(&**bounds, &**counts),
            Measurement::Gauge { min, mean, max, n } if same(min, mean) && same(mean, max) => {
                Form::Level(*mean, *n)
            }
            Measurement::Gauge { min, mean, max, n } => Form::Gauge(*min, *mean, *max, *n),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Measurement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Form::<Arc<[Number]>, Vec<Number>>::deserialize(deserializer)? {
            Form::Ratio(num, den) => Measurement::Ratio { num, den },
            Form::Buckets(bounds, counts) => Measurement::Buckets { bounds, counts },
            Form::Gauge(min, mean, max, n) => Measurement::Gauge { min, mean, max, n },
            Form::Level(value, n) => Measurement::Gauge { min: value, mean: value, max: value, n },
        })
    }
}

/// Why a rule has nothing to go by. Seven different readings, none of them calm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// No such series has ever been seen.
    Absent,
    /// There was one; it has gone quiet.
    Stale,
    /// Too few events to say anything.
    NoTraffic,
    /// It is there and tells nothing: buckets that cannot show the threshold, or
    /// values that are no numbers.
    Unobservable,
    /// Several processes answer in turn at one address: what their counters
    /// grow by is nobody's.
    SawTooth,
    /// The threshold is a share of what an earlier release measured, and there
    /// is no such measurement.
    NoBaseline,
    /// The source that measures it was asked, and gave no whole answer.
    Unanswered,
}

impl Why {
    /// `absent`, `stale`, `no traffic`, `unobservable`, `saw-tooth`,
    /// `no baseline` or `unanswered`.
    pub fn as_str(self) -> &'static str {
        match self {
            Why::Absent => "absent",
            Why::Stale => "stale",
            Why::NoTraffic => "no traffic",
            Why::Unobservable => "unobservable",
            Why::SawTooth => "saw-tooth",
            Why::NoBaseline => "no baseline",
            Why::Unanswered => "unanswered",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Three answers, not two. The number is what the rule compares with its bound.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Reading {
    /// Nothing to go by.
    NoData(Why),
    /// On the good side of the bound.
    Calm(f64),
    /// On the bad side of it.
    Breach(f64),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(measured: &Measurement, form: &str) {
        assert_eq!(serde_json::to_string(measured).unwrap(), form);
        assert_eq!(&serde_json::from_str::<Measurement>(form).unwrap(), measured);
    }

    #[test]
    fn has_a_short_form_that_reads_back_as_it_was() {
        let number = |value: f64| Number(value);
        check(&Measurement::Ratio { num: number(3.0), den: number(0.5) }, r#"{"ratio":[3,0.5]}"#);
        let bounds = [0.1, f64::INFINITY].map(Number).into();
        let counts = vec![number(7.0), number(9.0)];
        check(&Measurement::Buckets { bounds, counts }, r#"{"buckets":[[0.1,"+Inf"],[7,9]]}"#);
        check(&Measurement::gauge(0.25), r#"{"level":[0.25,1]}"#);
        check(&Measurement::gauge(f64::NAN), r#"{"level":["NaN",1]}"#);
        let [min, mean, max] = [1.0, 1.5, 2.0].map(Number);
        check(&Measurement::Gauge { min, mean, max, n: 2 }, r#"{"gauge":[1,1.5,2,2]}"#);
        let zeros = Measurement::Gauge { min: number(-0.0), mean: number(0.0), max: mean, n: 2 };
        check(&zeros, r#"{"gauge":[-0.0,0,1.5,2]}"#);
    }
}
