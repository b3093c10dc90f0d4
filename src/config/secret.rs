//! Secrets in the configuration: a literal, `{ env = "…" }` or
//! `{ file = "…" }`. The plan holds references alone; literals go beside it.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;

use super::walk::Value;
use crate::check::template;
use crate::model::{HeaderValue, Name, Secret};

/// Where literal secrets and all references are gathered.
#[derive(Default)]
pub(super) struct Vault {
    /// Literals under the name that their `Secret::Config` bears.
    pub literals: RefCell<BTreeMap<String, String>>,
    /// What has to be looked up, with the key that asks for it.
    pub references: RefCell<Vec<(String, Secret)>>,
    service: OnceCell<Name>,
}

impl Vault {
    /// Whose secrets these are. Several services are watched by one process, and
    /// all may have a channel of the same name: each has its own receiver.
    pub fn belongs_to(&self, service: &Name) {
        self.service.get_or_init(|| service.clone());
    }

    fn place(&self, key: &str) -> String {
        let service = self.service.get().expect("the service's name is read before its secrets");
        format!("{key} of {service}")
    }

    /// A secret in any of its three forms. `check` says what is wrong with a
    /// literal; it must not repeat it.
    pub fn secret(
        &self,
        value: &Value,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Option<Secret> {
        if value.is_table() {
            return self.reference(value);
        }
        let Some(literal) = value.as_text() else {
            value.error(format!("expected a text, {FORMS}"));
            return None;
        };
        if let Err(what) = check(literal) {
            value.error(what);
            return None;
        }
        let key = self.place(&value.key);
        self.literals.borrow_mut().insert(key.clone(), literal.to_owned());
        Some(Secret::Config(key))
    }

    fn reference(&self, value: &Value) -> Option<Secret> {
        let entries = value.entries()?;
        let [(kind, place)] = &entries[..] else {
            value.error(format!("expected one way to find it: {FORMS}"));
            return None;
        };
        let secret = match *kind {
            "env" => Secret::Env(variable(place)?),
            "file" => Secret::File(place.text()?.to_owned()),
            _ => {
                place.error(format!("unknown way to find a secret; write {FORMS}"));
                return None;
            }
        };
        self.references.borrow_mut().push((value.key.clone(), secret.clone()));
        Some(secret)
    }

    /// Headers of a request: values in the open, or secrets.
    pub fn headers(&self, value: &Value) -> Vec<(String, HeaderValue)> {
        self.headers_where(value, |_| false)
    }

    /// The same of a smoke step. One that waits for a captured value holds no
    /// secret yet, and has to be seen to be filled.
    pub fn step_headers(&self, value: &Value) -> Vec<(String, HeaderValue)> {
        self.headers_where(value, |text| !template::holes(text).is_empty())
    }

    fn headers_where(
        &self,
        value: &Value,
        is_open: impl Fn(&str) -> bool,
    ) -> Vec<(String, HeaderValue)> {
        let entries = value.entries().unwrap_or_default();
        let header = |(name, value): (&str, Value)| {
            if !is_token(name) {
                value.error("no header has such a name; write letters, digits and `-`");
                return None;
            }
            if let Some(text) = value.as_text()
                && (!is_telling(name) || is_open(text))
            {
                header_value(text).map_err(|what| value.error(what)).ok()?;
                return Some((name.to_owned(), HeaderValue::Plain(text.to_owned())));
            }
            Some((name.to_owned(), HeaderValue::Secret(self.secret(&value, header_value)?)))
        };
        entries.into_iter().filter_map(header).collect()
    }

    /// Headers that are secret whatever they are called.
    pub fn secret_headers(&self, value: &Value) -> Vec<(String, HeaderValue)> {
        let entries = value.entries().unwrap_or_default();
        let header = |(name, value): (&str, Value)| {
            if !is_token(name) {
                value.error("no header has such a name; write letters, digits and `-`");
                return None;
            }
            Some((name.to_owned(), HeaderValue::Secret(self.secret(&value, header_value)?)))
        };
        entries.into_iter().filter_map(header).collect()
    }
}

const FORMS: &str = "{ env = \"NAME\" } or { file = \"/path\" }";

fn variable(place: &Value) -> Option<String> {
    let name = place.text()?;
    if name.contains(['=', '$', '{', ' ', '\0']) {
        place.error("is no name of a variable; write it bare, for example \"SMTP_PASSWORD\"");
        return None;
    }
    Some(name.to_owned())
}

/// What a variable of a program's environment is called.
pub(super) fn is_variable(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && name.chars().all(fits) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// A header, or a capture, whose value nobody should read in a plan or a report.
pub(super) fn is_telling(name: &str) -> bool {
    const TELLING: [&str; 7] =
        ["authorization", "cookie", "token", "secret", "password", "key", "credential"];
    let name = name.to_ascii_lowercase();
    TELLING.iter().any(|word| name.contains(word))
}

/// RFC 9110, 5.6.2: what a header's name is made of.
pub(super) fn is_token(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(fits)
}

fn header_value(text: &str) -> Result<(), String> {
    let fits = |c: char| c == '\t' || (' '..='~').contains(&c);
    if text.chars().all(fits) {
        Ok(())
    } else {
        Err("a header's value is one line of ASCII".to_owned())
    }
}
