//! Bodies in words of the receiver's own: a template over what a webhook says
//! anyway. It is tried with a letter of each kind when the configuration is
//! read; one that fails with a real letter all the same gives way to the usual
//! body, which says so: a letter is never lost to its form.

use std::io;

use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};
use serde_json::{Map, Value, json};

use super::BODY_BYTES_MAX;
use crate::model::Template;
use crate::notify::letter::Body;

/// Steps of a template: a loop over everything ten times, and no loop for ever.
const FUEL: u64 = 1_000_000;

/// A letter of each kind, made by a test.
const SAMPLES: &str = include_str!("samples.json");

/// What a letter without it has all the same, so that `{% if data.alerts %}` can
/// be asked of each and a misspelt name is an error.
const LISTS: [&str; 8] = [
    "alerts",
    "alerts_in_short",
    "also_firing",
    "notices",
    "smoke",
    "reasons",
    "figures",
    "truncated",
];
const OTHERS: [&str; 6] = ["digest", "window", "verdict", "summary", "reason", "waited"];

/// The same of an alert.
const OF_ALERTS: [&str; 5] =
    ["closed_because", "acknowledged", "reminder", "unacknowledged_for_ms", "in_place_of"];

/// A webhook's JSON in the words of a template.
pub fn body(template: &Template, json: String) -> Body {
    match rendered(template, &json) {
        Ok(text) => Body::Text { text, content_type: template.content_type.clone() },
        Err(why) => {
            let mut usual: Value = serde_json::from_str(&json).unwrap_or_default();
            usual["data"]["template_error"] = why.into();
            Body::Webhook { json: usual.to_string() }
        }
    }
}

/// What is wrong with a template, with its line where that is known.
pub fn objection(template: &Template) -> Option<String> {
    let samples: Vec<Value> = serde_json::from_str(SAMPLES).expect("a test has made it");
    samples.iter().find_map(|sample| {
        let why = rendered(template, &sample.to_string()).err()?;
        let is_general = why.contains("syntax error");
        let kind = sample["type"].as_str().unwrap_or_default();
        Some(if is_general { why } else { format!("{why} (with a {kind})") })
    })
}

fn rendered(template: &Template, json: &str) -> Result<String, String> {
    let is_json = template.content_type.contains("json");
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    let escape = move |_: &str| if is_json { AutoEscape::Json } else { AutoEscape::None };
    environment.set_auto_escape_callback(escape);
    let parsed = environment.template_from_str(&template.text).map_err(|why| told(&why))?;
    let mut out = Limited(Vec::new());
    let data = minijinja::Value::from(minijinja::value::Serde(filled(json)));
    let done = parsed.render_captured_to(data, &mut out);
    if out.0.len() > BODY_BYTES_MAX {
        return Err(format!("comes to more than {} KiB", BODY_BYTES_MAX >> 10));
    }
    done.map_err(|why| told(&why))?;
    let text = String::from_utf8_lossy(&out.0).into_owned();
    if is_json && let Err(why) = serde_json::from_str::<Value>(&text) {
        let (line, column) = (why.line(), why.column());
        let start: String = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().into();
        let start: String = start.chars().take(60).collect();
        return Err(format!("comes to no JSON: {why}: `{start}` (column {column})"));
    }
    Ok(text)
}

/// In one sentence, with the line.
fn told(error: &Error) -> String {
    let what = match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    };
    match error.line() {
        Some(line) => format!("line {line}: {what}"),
        None => what,
    }
}

/// With all that any letter has.
fn filled(json: &str) -> Value {
    let mut all: Value = serde_json::from_str(json).unwrap_or_default();
    if let Some(data) = all["data"].as_object_mut() {
        LISTS.iter().for_each(|name| fill(data, name, json!([])));
        OTHERS.iter().for_each(|name| fill(data, name, Value::Null));
        let alerts = data.get_mut("alerts").and_then(Value::as_array_mut);
        for alert in alerts.into_iter().flatten().filter_map(Value::as_object_mut) {
            OF_ALERTS.iter().for_each(|name| fill(alert, name, Value::Null));
        }
    }
    all
}

fn fill(object: &mut Map<String, Value>, name: &str, value: Value) {
    object.entry(name).or_insert(value);
}

/// Takes no more than a body may have, and then one byte.
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, some: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(some);
        match self.0.len() > BODY_BYTES_MAX {
            true => Err(io::Error::other("too large")),
            false => Ok(some.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Medium, Secret};
    use crate::notify::fixture::{Story, overview};

    fn template(text: &str, content_type: &str) -> Template {
        Template { text: text.to_owned(), content_type: content_type.to_owned() }
    }

    fn letter(text: &str, content_type: &str, tell: impl Fn(&mut Story)) -> Body {
        let template = Some(template(text, content_type));
        let url = Secret::Env("URL".to_owned());
        let mut story = Story::by(Medium::Webhook { url, secret: None, template });
        tell(&mut story);
        story.letter("chat").body
    }

    #[test]
    fn is_tried_with_a_letter_of_each_kind_as_they_are() {
        let mut kinds: Vec<Value> = Vec::new();
        let mut add = |tell: &dyn Fn(&mut Story)| {
            let mut story = Story::new();
            tell(&mut story);
            let Body::Webhook { json } = story.letter("chat").body else { panic!() };
            kinds.push(serde_json::from_str(&json).unwrap());
        };
        add(&|story| {
            story.fire("HighErrorRate", &[("path", "/api/\"chat\"")], 0.07).lose_disk();
        });
        add(&|story| {
            story.fire("SlowAnswers", &[], 10.0);
            story.deliver("chat");
            story.fire("HighErrorRate", &[], 0.07).calm("HighErrorRate", &[], 0.0);
        });
        add(&|story| _ = story.lose_disk());
        add(&|story| _ = story.fail_smoke());
        add(&|story| _ = story.digest(overview()));
        add(&|story| _ = story.close_window());
        let made = serde_json::to_string_pretty(&kinds).unwrap() + "\n";
        expect_test::expect_file!["samples.json"].assert_eq(&made);
    }

    #[test]
    fn says_it_in_the_receivers_words_and_escapes_what_comes_from_outside() {
        let text = r#"{"msg": {{ data.text }}, "paths": [{% for a in data.alerts -%}
            {{ a.labels.path }}{% if not loop.last %},{% endif %}{% endfor %}]}"#;
        let fire = |story: &mut Story| {
            story.fire("HighErrorRate", &[("path", "\"}</x>")], 0.5);
        };
        let Body::Text { text, content_type } = letter(text, "application/json", fire) else {
            panic!("not in the template's words")
        };
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["paths"][0], "\"}</x>");
        assert!(value["msg"].as_str().unwrap().starts_with("FIRING critical"), "{text}");
        assert_eq!(content_type, "application/json");
        let plain = letter("{{ data.text }}", "text/plain", fire);
        let Body::Text { text, .. } = plain else { panic!() };
        assert!(text.starts_with("FIRING critical: chat-agent v1.2.3"), "{text}");
    }

    #[test]
    fn tells_what_is_wrong_with_it_and_in_which_line() {
        let cases = [
            ("{\n{{ data.txt }}}", "application/json", "line 2: undefined value"),
            ("{% for a in %}", "text/plain", "line 1: syntax error"),
            ("{{ data.text", "text/plain", "line 1: syntax error"),
            (r#"{"a": "{{ data.text }}"}"#, "application/json", "comes to no JSON"),
            ("{{ data.text | nope }}", "text/plain", "line 1: unknown filter"),
            ("{{ data.alerts[0].rule }}", "text/plain", "(with a release.notice)"),
            (
                "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
                "text/plain",
                "fuel",
            ),
        ];
        for (text, content_type, wanted) in cases {
            let why = objection(&template(text, content_type)).unwrap_or_default();
            assert!(why.contains(wanted), "{text}: {why}");
        }
        let good = "{% if data.alerts %}{{ data.alerts[0].rule }}{% endif %}";
        assert_eq!(objection(&template(good, "text/plain")), None);
    }

    #[test]
    fn gives_way_to_the_usual_body_rather_than_lose_a_letter() {
        let text = "{{ data.alerts[0].labels.path }}";
        let body = letter(text, "text/plain", |story| {
            story.fire("HighErrorRate", &[], 0.5);
        });
        let Body::Webhook { json } = body else { panic!("{body:?}") };
        let value: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["data"]["alerts"][0]["rule"], "HighErrorRate");
        assert!(value["data"]["template_error"].as_str().unwrap().contains("undefined"), "{json}");
    }
}
