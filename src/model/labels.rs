//! Label sets: what tells one series, or one alert, from another.

use std::fmt;
use std::sync::Arc;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A label's name and its value.
type Pair = (Arc<str>, Arc<str>);

/// Label names and values, sorted by name, each name once, no empty value
/// (an empty value is the same as no label, as in Prometheus).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(Option<Arc<[Pair]>>); // `None`: none, and no memory for it

impl Labels {
    /// From pairs in any order. Empty values are left out; of a repeated name
    /// the first wins.
    pub fn from_pairs<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Labels
    where
        N: Into<Arc<str>>,
        V: Into<Arc<str>>,
    {
        let mut all: Vec<(Arc<str>, Arc<str>)> =
            pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        all.retain(|(_, value)| !value.is_empty());
        all.sort_by(|a, b| a.0.cmp(&b.0)); // stable: the first of a name stays first
        all.dedup_by(|later, first| later.0 == first.0);
        Labels((!all.is_empty()).then(|| all.into()))
    }

    /// The value of a label, `None` when it is not there.
    pub fn get(&self, name: &str) -> Option<&str> {
        let pairs = self.shared();
        let at = pairs.binary_search_by(|(known, _)| (**known).cmp(name)).ok()?;
        Some(&pairs[at].1)
    }

    /// Names and values in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.shared().iter().map(|(name, value)| (&**name, &**value))
    }

    /// The same as shared texts, for building another set without copying.
    pub fn shared(&self) -> &[(Arc<str>, Arc<str>)] {
        self.0.as_deref().unwrap_or_default()
    }

    /// This set with one more label (or another value for one it has).
    pub fn with(&self, name: &str, value: &str) -> Labels {
        let added = (Arc::<str>::from(name), Arc::<str>::from(value));
        Labels::from_pairs(std::iter::once(added).chain(self.shared().iter().cloned()))
    }

    /// What bears these labels, as queries write it: `ServiceDown`,
    /// `up{job="api"}`.
    pub fn of(&self, name: &str) -> String {
        if self.is_empty() { name.to_owned() } else { format!("{name}{self}") }
    }

    /// How many labels.
    pub fn len(&self) -> usize {
        self.shared().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

/// `{job="api", path="/u/{id}"}`, with `\`, `"` and line feeds escaped.
impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, (name, value)) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Labels;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from label name to value")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Labels, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry::<String, String>()? {
                    pairs.push(pair);
                }
                Ok(Labels::from_pairs(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_drops_the_empty_and_keeps_the_first_of_a_name() {
        let labels = Labels::from_pairs([("b", "2"), ("a", "1"), ("c", ""), ("a", "9")]);
        assert_eq!(labels.to_string(), r#"{a="1", b="2"}"#);
        assert_eq!((labels.get("a"), labels.get("c")), (Some("1"), None));
        assert_eq!(labels.with("a", "7").get("a"), Some("7"));
    }
}
