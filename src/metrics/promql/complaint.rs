//! What is wrong with a query, and which of it is no mistake but left out.

use std::fmt;

/// What is wrong with a query.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    /// Where, in characters from 1.
    pub column: usize,
    /// What, and what would do.
    pub what: String,
    /// Set when Prometheus would take it and we do not.
    pub refused: Option<Refused>,
}

/// What is refused by name, though Prometheus has it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Refused {
    /// It is behind one of Prometheus's experimental flags.
    Experimental(String),
    /// It stands in Prometheus without a flag since 3.14 only.
    Newer(String),
    /// It reads native histograms, which a page of text cannot bear.
    NativeHistograms(String),
    /// A selector without a metric's name, where only named metrics are kept.
    Nameless,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.what)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Experimental(what) => write!(f, "experimental: {what}"),
            Refused::Newer(what) => write!(f, "newer than Prometheus 3.13: {what}"),
            Refused::NativeHistograms(what) => write!(f, "native histograms: {what}"),
            Refused::Nameless => f.write_str("a selector without a metric's name"),
        }
    }
}

impl Refused {
    /// Why a function or a word of this name is refused; `None` for all others.
    pub(super) fn word(name: &str) -> Option<Refused> {
        match name {
            "anchored"
            | "smoothed"
            | "fill"
            | "fill_left"
            | "fill_right"
            | "info"
            | "limitk"
            | "limit_ratio"
            | "mad_over_time"
            | "ts_of_first_over_time"
            | "ts_of_last_over_time"
            | "ts_of_min_over_time"
            | "ts_of_max_over_time"
            | "double_exponential_smoothing"
            | "holt_winters"
            | "histogram_quantiles"
            | "sort_by_label"
            | "sort_by_label_desc"
            | "start"
            | "end"
            | "step"
            | "range"
            | "min_of"
            | "max_of"
            | "start_timestamp" => Some(Refused::Experimental(name.to_owned())),
            "histogram_avg" | "histogram_count" | "histogram_sum" | "histogram_stddev"
            | "histogram_stdvar" => Some(Refused::NativeHistograms(name.to_owned())),
            _ => None,
        }
    }

    /// In the words of an error.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Refused::Experimental(_) => "Prometheus has it behind an experimental flag only",
            Refused::Newer(_) => "Prometheus has it without a flag since 3.14 only",
            Refused::NativeHistograms(_) => "it reads native histograms, and only classic ones are",
            Refused::Nameless => "only named metrics are kept",
        }
    }
}
