//! What holds of any body: no panic, what is printed is read back, and
//! agreement with `prometheus-parse` where that one reads rightly.

use std::collections::BTreeMap;
use std::fmt::Write;

use prometheus_parse::{Scrape, Value};
use proptest::prelude::*;

use super::*;

type Series = (String, BTreeMap<String, String>);

/// What a page holds, series by name and labels, the values by their bits.
fn held(page: &Page) -> BTreeMap<Series, u64> {
    let fresh = page.fresh.iter().map(|(slot, name, labels)| {
        let pairs = labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        (slot, (name.to_string(), pairs.collect()))
    });
    let series: BTreeMap<Slot, Series> = fresh.collect();
    page.samples.iter().map(|(slot, value)| (series[slot].clone(), value.to_bits())).collect()
}

/// A label value as the format wants it written.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn print(samples: &BTreeMap<Series, u64>) -> String {
    let mut body = String::new();
    for ((name, labels), bits) in samples {
        let labels: Vec<String> =
            labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escape(value))).collect();
        writeln!(body, "{name}{{{}}} {}", labels.join(","), f64::from_bits(*bits)).unwrap();
    }
    body
}

fn samples(value: &'static str) -> impl Strategy<Value = BTreeMap<Series, u64>> {
    let labels = prop::collection::btree_map("[a-z_][a-z0-9_]{0,6}", value, 0..4);
    let series = ("[a-zA-Z_][a-zA-Z0-9_]{0,9}", labels);
    prop::collection::btree_map(series, any::<f64>().prop_map(f64::to_bits), 1..20)
        .prop_filter("NaN has many bits and one spelling", |samples| {
            samples.values().all(|bits| !f64::from_bits(*bits).is_nan())
        })
}

proptest! {
    #[test]
    fn never_panics(body: Vec<u8>, open_metrics: bool) {
        let kind = if open_metrics { "application/openmetrics-text" } else { "text/plain" };
        let _ = read_page(&body, Some(kind), &Wanted::all(), &mut Table::default());
    }

    #[test]
    fn never_panics_on_what_looks_like_samples(
        body in "([a{}\"\\\\=,# é\t\r0-9.eE+-]|le|TYPE|EOF|\n|NaN){0,60}",
        names in prop::collection::vec("[aé]{0,2}", 0..3),
    ) {
        let mut table = Table::default();
        for kind in ["application/openmetrics-text", "text/plain"] {
            let _ = read_page(body.as_bytes(), Some(kind), &Wanted::all(), &mut table);
            let wanted = Wanted::names(names.iter().map(String::as_str));
            let _ = read_page(body.as_bytes(), Some(kind), &wanted, &mut table);
        }
    }

    #[test]
    fn reads_back_what_is_printed(samples in samples("[^\r]{1,8}")) {
        let body = print(&samples);
        let mut table = Table::default();
        let page = read_page(body.as_bytes(), None, &Wanted::all(), &mut table).unwrap();
        prop_assert_eq!(page.first_bad.clone(), None);
        prop_assert_eq!(held(&page), samples);
    }

    /// The second time every series is known by its bytes, in whatever order.
    #[test]
    fn reads_the_same_from_a_warm_table(samples in samples("[^\r]{1,8}"), turn in 0usize..20) {
        let body = print(&samples);
        let mut lines: Vec<&str> = body.split_inclusive('\n').collect();
        let names: Vec<&str> = samples.keys().map(|(name, _)| name.as_str()).collect();
        let wanted = Wanted::names(names.iter().copied());
        let mut table = Table::default();
        let mut cold = read_page(body.as_bytes(), None, &wanted, &mut table).unwrap().samples;
        let turn = turn % lines.len();
        lines.rotate_left(turn);
        let warm = read_page(lines.concat().as_bytes(), None, &wanted, &mut table).unwrap();
        prop_assert!(warm.fresh.is_empty());
        cold.rotate_left(turn);
        prop_assert_eq!(warm.samples, cold);
    }

    /// Values without `,`, `=`, `}`, quotes, escapes, and no empty braces: the
    /// rest is what that parser is known to lose.
    #[test]
    fn agrees_with_prometheus_parse_on_what_it_reads_rightly(
        samples in samples("[a-zA-Z0-9_:./ é-]{0,7}[a-z]")
    ) {
        let body = print(&samples).replace("{}", "");
        let page = read_page(body.as_bytes(), None, &Wanted::all(), &mut Table::default()).unwrap();
        let lines = body.lines().map(|line| Ok(line.to_owned()));
        let theirs = Scrape::parse_at(lines, Default::default()).unwrap().samples;
        let theirs: BTreeMap<Series, u64> = theirs
            .into_iter()
            .map(|sample| {
                let labels: BTreeMap<String, String> =
                    sample.labels.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                let Value::Untyped(value) = sample.value else { panic!("{:?}", sample.value) };
                ((sample.metric, labels), value.to_bits())
            })
            .collect();
        prop_assert_eq!(held(&page), theirs);
    }
}
