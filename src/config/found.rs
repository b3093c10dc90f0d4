//! What a source of targets answered, in the form of Prometheus's `file_sd`
//! and `http_sd`: groups of addresses with labels. Labels that begin with `__`
//! say how a target is asked, and go no further.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::address;
use crate::model::{Found, Labels, Name, Paths, Target};

/// The form of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A list of groups in JSON.
    Json,
    /// The same in YAML.
    Yaml,
}

impl Form {
    /// By the end of a file's name; `None`: neither.
    pub fn of(path: &str) -> Option<Form> {
        let end = path.rsplit_once('.')?.1;
        match end {
            "json" => Some(Form::Json),
            "yml" | "yaml" => Some(Form::Yaml),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    #[serde(default)]
    targets: Option<Vec<String>>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

/// The targets that a text names. What cannot be one is left out, and told.
///
/// # Errors
/// The text is not of this form.
pub fn found(text: &str, form: Form, paths: &Paths) -> Result<Found, String> {
    let groups: Vec<Group> = match form {
        Form::Json => serde_json::from_str(text).map_err(|error| error.to_string())?,
        // An empty document names nobody, as an empty list does.
        Form::Yaml => serde_saphyr::from_str::<Option<Vec<Group>>>(text)
            .map_err(|error| first_line(&error.to_string()))?
            .unwrap_or_default(),
    };
    let entries = groups.iter().flat_map(|group| {
        let labels = group.labels.as_ref();
        group.targets.iter().flatten().map(move |address| (address.as_str(), labels))
    });
    Ok(gather(entries, paths))
}

/// The targets at these addresses, `10.0.0.11:8000`.
pub fn at<'a>(addresses: impl IntoIterator<Item = &'a str>, paths: &Paths) -> Found {
    gather(addresses.into_iter().map(|address| (address, None)), paths)
}

type Given<'a> = Option<&'a BTreeMap<String, String>>;

fn gather<'a>(entries: impl Iterator<Item = (&'a str, Given<'a>)>, paths: &Paths) -> Found {
    let (mut targets, mut wrong) = (Vec::new(), Vec::new());
    for (address, labels) in entries {
        match target(address, labels, paths) {
            Ok(target) if targets.contains(&target) => {}
            Ok(target) => targets.push(target),
            Err(what) => wrong.push(what),
        }
    }
    tell_apart(&mut targets);
    targets.sort_by(|a, b| a.name.cmp(&b.name)); // whatever order a source has today
    let left_out = wrong.first().map(|first| match wrong.len() {
        1 => first.clone(),
        many => format!("{many} entries are no targets, the first: {first}"),
    });
    Found { targets, holds_for: None, left_out }
}

fn target(address: &str, given: Given, paths: &Paths) -> Result<Target, String> {
    let said = |name: &str| given.and_then(|labels| labels.get(name)).map(String::as_str);
    let address = said("__address__").unwrap_or(address).trim();
    let url = match (address.contains("://"), address.contains('/')) {
        (true, _) => address.to_owned(), // more than Prometheus takes: a socket, say
        (false, true) => {
            return Err(format!("{address:?} is no address; write for example 10.0.0.11:8000"));
        }
        (false, false) => format!("{}://{address}", said("__scheme__").unwrap_or(&paths.scheme)),
    };
    let base = address::base(&url)?;
    let path = said("__metrics_path__").map(str::to_owned).or_else(|| paths.metrics.clone());
    let path = path.map(|path| with_parameters(path, given)).transpose()?;
    let labels = given.into_iter().flatten();
    let labels = labels.filter(|(name, _)| !name.starts_with("__"));
    Ok(Target {
        name: Name::from(address::place(&base)),
        health: paths.health.as_ref().map(|path| format!("{base}{path}")),
        metrics: path.map(|path| format!("{base}{path}")),
        labels: Labels::from_pairs(labels.map(|(name, value)| (name.as_str(), value.as_str()))),
        own: None,
    })
}

/// A path, and behind it what `__param_…` labels say.
fn with_parameters(path: String, given: Given) -> Result<String, String> {
    super::service::is_path(&path)?;
    let of = |(name, value): (&String, &String)| {
        Some((name.strip_prefix("__param_")?.to_owned(), value.clone()))
    };
    let parameters: Vec<(String, String)> = given.into_iter().flatten().filter_map(of).collect();
    if parameters.is_empty() {
        return Ok(path);
    }
    let url = reqwest::Url::parse_with_params("http://h/", parameters);
    let query = url.ok().and_then(|url| url.query().map(str::to_owned)).unwrap_or_default();
    let joint = if path.contains('?') { '&' } else { '?' };
    Ok(format!("{path}{joint}{query}"))
}

/// Targets at one address that are asked, or labelled, in several ways bear
/// their labels, or else a number, in their names.
fn tell_apart(targets: &mut [Target]) {
    let mut times: BTreeMap<Name, u32> = BTreeMap::new();
    for target in targets.iter() {
        *times.entry(target.name.clone()).or_default() += 1;
    }
    for target in targets.iter_mut().filter(|target| times[&target.name] > 1) {
        if !target.labels.is_empty() {
            target.name = Name::from(format!("{}{}", target.name, target.labels));
        }
    }
    let mut taken: BTreeSet<Name> = BTreeSet::new();
    for target in targets.iter_mut() {
        let base = target.name.clone();
        let mut number = 1;
        while !taken.insert(target.name.clone()) {
            number += 1;
            target.name = Name::from(format!("{base}#{number}"));
        }
    }
}

/// A YAML error goes on with a picture of its place.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(form: Form, text: &str) -> String {
        let (health, metrics) = (Some("/health".to_owned()), Some("/metrics".to_owned()));
        let paths = Paths { health, metrics, scheme: "http".to_owned() };
        let found = match found(text, form, &paths) {
            Ok(found) => found,
            Err(error) => return format!("error: {error}\n"),
        };
        let line = |target: &Target| {
            let metrics = target.metrics.as_deref().unwrap_or("-");
            format!("{} {metrics} {}\n", target.name, target.labels)
        };
        let left_out = found.left_out.map_or_else(String::new, |what| format!("not: {what}\n"));
        found.targets.iter().map(line).collect::<String>() + &left_out
    }

    const PLAIN: &str = "10.0.0.1:80 http://10.0.0.1/metrics {env=\"prod\"}\n\
                         b:8000 http://b:8000/metrics {env=\"prod\"}\n";

    #[test]
    fn reads_groups_in_json_and_in_yaml_alike() {
        let json = r#"[{"targets": ["b:8000", "10.0.0.1:80"], "labels": {"env": "prod"}}]"#;
        let yaml = "- targets: ['b:8000', 10.0.0.1:80]\n  labels:\n    env: prod\n";
        assert_eq!(shown(Form::Json, json), PLAIN.replace("10.0.0.1:80 ", "10.0.0.1 "));
        assert_eq!(shown(Form::Yaml, yaml), shown(Form::Json, json));
    }

    #[test]
    fn takes_scheme_path_and_parameters_from_labels_and_shows_none_of_them() {
        let json = r#"[{"targets": ["[::1]:9"], "labels": {"__scheme__": "https",
            "__metrics_path__": "/m", "__param_a": "b c", "__meta_x": "y", "zone": "1"}}]"#;
        let wanted = "[::1]:9 https://[::1]:9/m?a=b+c {zone=\"1\"}\n";
        assert_eq!(shown(Form::Json, json), wanted);
    }

    #[test]
    fn tells_targets_at_one_address_apart_and_drops_what_is_said_twice() {
        let json = r#"[{"targets": ["a:1", "a:1"], "labels": {"job": "x"}},
            {"targets": ["a:1"], "labels": {"__metrics_path__": "/m"}},
            {"targets": ["a:1"]}]"#;
        let wanted = "a:1 http://a:1/m {}\na:1#2 http://a:1/metrics {}\n\
            a:1{job=\"x\"} http://a:1/metrics {job=\"x\"}\n";
        assert_eq!(shown(Form::Json, json), wanted);
    }

    #[test]
    fn leaves_out_what_is_no_address_and_says_so() {
        let json = r#"[{"targets": ["a:1", "b/c", "d:99999"]}]"#;
        let told = shown(Form::Json, json);
        assert!(told.starts_with("a:1 http://a:1/metrics {}\nnot: 2 entries"), "{told}");
    }

    #[test]
    fn takes_nothing_for_an_empty_list_and_nonsense_for_an_error() {
        assert_eq!(shown(Form::Json, "[]"), "");
        assert_eq!(shown(Form::Yaml, ""), "");
        for (form, text) in [
            (Form::Json, ""),
            (Form::Json, "{}"),
            (Form::Json, r#"[{"target": []}]"#),
            (Form::Yaml, "targets: [a]"),
            (Form::Yaml, "<html>"),
        ] {
            assert!(shown(form, text).starts_with("error: "), "{text}: {}", shown(form, text));
        }
    }
}
