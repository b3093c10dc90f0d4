//! Where signals are measured by somebody else: a server that answers queries
//! as Prometheus does, and how it is asked.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{HeaderValue, Labels, Name, Span, Timestamp, Transport};

/// A server that is asked instead of our own scraping.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DataSource {
    /// As the configuration calls it.
    pub name: Name,
    /// What `/api/v1/query` follows.
    pub url: String,
    /// Of each question: credentials, a tenant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, HeaderValue)>,
    /// How it is reached; `None`: as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Arc<Transport>>,
    /// Sent with each question besides: `dedup`, `partial_response`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<(String, String)>,
    /// Half an answer counts too, and it is told.
    #[serde(default, skip_serializing_if = "is_false")]
    pub takes_partial: bool,
    /// Matchers that every selector gets besides: `{job="chat"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// So far in the past it is asked for what is: its samples come late.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay: Span,
    /// For all answers of a look.
    pub timeout: Span,
    /// How long before a release its past is a baseline; zero: never.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub history: Span,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_zero(span: &Span) -> bool {
    *span == Span::ZERO
}

/// One query of many that a source is asked at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Inquiry {
    /// PromQL.
    pub text: Arc<str>,
    /// The instant that it is asked of; the last one, of several.
    pub at: Timestamp,
    /// From when on, and in which steps; `None`: of the one instant.
    pub since: Option<(Timestamp, Span)>,
}

/// What a query came to: label sets with their points, in the order in which
/// they came. At one instant each has one.
pub type Rows = Vec<(Labels, Vec<(Timestamp, f64)>)>;

/// What came, and what was said beside it.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Told {
    /// The result.
    pub rows: Rows,
    /// What the source would have us know, in its words.
    pub notes: Vec<String>,
}
