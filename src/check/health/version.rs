//! Which version an answer says is running, and whether that is the release's.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::Expected;
use crate::check::excerpt::excerpt_to;
use crate::model::Exchange;

/// Longer than any version; a commit's hash has 40 characters.
const VERSION_CHARS_MAX: usize = 80;

/// What is left out on either side when two versions are compared, unless the
/// configuration says otherwise: a tag is `v1.2.3`, the program says `1.2.3`.
pub const STRIP: &str = "v";

/// Where the version is to be read, and what does not count in it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VersionWanted {
    /// Where.
    pub source: VersionSource,
    /// Left out at the start of both versions before they are compared.
    pub strip: String,
}

/// Where a replica says which version it runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionSource {
    /// In the JSON of its health endpoint.
    Body(JsonPath),
    /// In a header of its health endpoint's answer, in lower case.
    Header(String),
    /// In a label of one of its metrics: `target_info{service_version}`.
    Metric {
        /// The metric.
        name: String,
        /// The label.
        label: String,
    },
}

/// The version that an answer tells; `None`: none, or it is read elsewhere.
pub(super) fn told(
    expected: &Expected,
    exchange: &Exchange,
    json: Option<&Value>,
) -> Option<String> {
    let found = match expected.version.as_ref().map(|wanted| &wanted.source) {
        Some(VersionSource::Body(path)) => text(path.query(json?).first()?),
        Some(VersionSource::Header(name)) => exchange.header(name).map(str::to_owned),
        Some(VersionSource::Metric { .. }) => None,
        // health+json means the API's by `version` where there is a `releaseId`.
        None => ["releaseId", "version"].iter().find_map(|member| text(json?.get(member)?)),
    };
    found.and_then(|version| tidy(&version))
}

/// A version as it is kept: one short line; `None` where nothing is left.
pub fn tidy(version: &str) -> Option<String> {
    let short = excerpt_to(version.trim(), VERSION_CHARS_MAX);
    (!short.is_empty()).then_some(short)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a replica that says `told` runs `release`. A watch over a release
/// that came back bears `#2` behind its version; no replica says that.
pub fn is_same(release: &str, told: &str, strip: &str) -> bool {
    let bare = |version: &str| version.strip_prefix(strip).unwrap_or(version).to_owned();
    bare(released(release)) == bare(told.trim())
}

fn released(version: &str) -> &str {
    match version.rsplit_once('#') {
        Some((version, round)) if round.parse::<u32>().is_ok() => version,
        _ => version,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_versions_without_a_tags_v() {
        let same = |release, told| is_same(release, told, STRIP);
        assert!(same("v1.2.3", "1.2.3") && same("1.2.3", "v1.2.3") && same("v1.2.3", " v1.2.3"));
        assert!(same("v1.2.3#2", "1.2.3"), "a release that came back");
        assert!(!same("v1.2.3", "1.2.4") && !same("v1.2.3", "1.2") && !same("v1", ""));
        assert!(is_same("chat-1.2", "1.2", "chat-") && !is_same("v1.2", "1.2", ""));
    }

    #[test]
    fn reads_the_version_where_it_was_told_to() {
        let json: Value = serde_json::from_str(
            r#"{"version": "1", "releaseId": "1.2.3", "build": {"number": 7}, "up": true}"#,
        )
        .unwrap();
        let exchange = Exchange {
            headers: vec![("x-version".to_owned(), " 1.2.4 ".to_owned())],
            ..Exchange::default()
        };
        let from = |source: Option<VersionSource>| {
            let version = source.map(|source| VersionWanted { source, strip: STRIP.to_owned() });
            told(&Expected { version, ..Expected::default() }, &exchange, Some(&json))
        };
        let body = |path| Some(VersionSource::Body(JsonPath::parse(path).unwrap()));
        assert_eq!(from(None).as_deref(), Some("1.2.3"));
        assert_eq!(from(body("$.build.number")).as_deref(), Some("7"));
        assert_eq!(from(body("$.up")), None);
        assert_eq!(from(body("$.none")), None);
        let header = |name: &str| Some(VersionSource::Header(name.to_owned()));
        assert_eq!(from(header("x-version")).as_deref(), Some("1.2.4"));
        assert_eq!(from(header("x-none")), None);
    }
}
