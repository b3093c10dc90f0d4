//! CloudEvents 1.0 over HTTP, in structured mode:
//! <https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md>. The
//! data is that of a webhook.

use serde_json::{Value, json};

use super::webhook;
use crate::notify::digest::Digest;
use crate::notify::letter::hex_of;
use crate::notify::words::{NAME_CHARS_MAX, cut};

/// A digest as an event. Its id is the same for the same news of the same
/// watch, whichever try brings it, or whichever channel.
pub fn compose(digest: &Digest) -> String {
    let envelope = webhook::json_of(digest);
    let value: Value = serde_json::from_str(&envelope).expect("what was just written");
    let watch = digest.release.watch().to_string();
    let id = format!("bw-{}", &hex_of(["event", &watch, &envelope])[..32]);
    let part = |text: &str| -> String {
        let kept = cut(text, NAME_CHARS_MAX);
        let safe = |char: char| {
            if char.is_ascii_alphanumeric() || "-._".contains(char) { char } else { '-' }
        };
        kept.chars().map(safe).collect()
    };
    let release = digest.release;
    let source =
        format!("/bakewatch/{}/{}", part(release.service.as_str()), part(release.version.as_str()));
    json!({
        "specversion": "1.0", "id": id, "source": source,
        "type": format!("bakewatch.{}", value["type"].as_str().unwrap_or_default()),
        "subject": cut(release.service.as_str(), NAME_CHARS_MAX), "time": value["timestamp"],
        "datacontenttype": "application/json", "data": value["data"],
    })
    .to_string()
}
