//! Any bytes as a scraped page, the whole way: lexer, table, families,
//! presets, series and meters. Besides not to panic, a page has to mean the
//! same however it is read.
#![no_main]

use std::collections::{BTreeMap, BTreeSet};

use bakewatch::metrics::{Feed, Meter, Page, Series, Table, Wanted, presets, read_page};
use bakewatch::model::{Labels, SECOND, Timestamp};
use libfuzzer_sys::fuzz_target;

const KINDS: [&str; 2] = ["text/plain; version=0.0.4", "application/openmetrics-text"];

type Held = BTreeMap<(String, Labels), (u64, Option<Timestamp>)>;

fuzz_target!(|body: &[u8]| {
    for kind in KINDS {
        let mut table = Table::default();
        let Ok(page) = read_page(body, Some(kind), &Wanted::all(), &mut table) else { continue };
        let lines = body.split(|byte| *byte == b'\n').count();
        assert!(page.samples.len() + page.bad_lines as usize <= lines, "more than there are lines");
        let whole = held(&page, &page);
        assert_eq!(whole.len(), page.samples.len(), "a series twice on one page");
        lists_what_it_holds(&page, &whole);
        means_the_same_in_halves(body, kind, &whole);
        means_the_same_again(body, kind, &whole);
        goes_all_the_way(body, kind, &page);
    }
});

/// What a page holds, by the names that another page introduced.
fn held(page: &Page, introduced: &Page) -> Held {
    let known: BTreeMap<_, _> =
        introduced.fresh.iter().map(|(slot, name, labels)| (slot, (name, labels))).collect();
    let stamps: BTreeMap<_, _> = page.stamped.iter().copied().collect();
    let samples = page.samples.iter().enumerate();
    samples
        .map(|(index, (slot, value))| {
            let (name, labels) = known[slot];
            let stamp = stamps.get(&(index as u32)).copied();
            ((name.to_string(), labels.clone()), (value.to_bits(), stamp))
        })
        .collect()
}

fn lists_what_it_holds(page: &Page, whole: &Held) {
    let listed: BTreeSet<&str> =
        page.families.iter().flat_map(|family| &family.samples).map(String::as_str).collect();
    for (name, _) in whole.keys() {
        assert!(listed.contains(name.as_str()), "{name} is in no family");
    }
    for family in &page.families {
        assert!(family.bounds.is_sorted_by(|a, b| a.0 < b.0), "bounds of {}", family.name);
    }
}

/// Every other name, then those that were left out.
fn means_the_same_in_halves(body: &[u8], kind: &str, whole: &Held) {
    let names: BTreeSet<&str> = whole.keys().map(|(name, _)| name.as_str()).collect();
    let mut both = Held::new();
    for half in 0..2 {
        let wanted = Wanted::names(names.iter().copied().skip(half).step_by(2));
        let page = read_page(body, Some(kind), &wanted, &mut Table::default());
        let page = page.expect("a page that can be read whole can be read in part");
        both.append(&mut held(&page, &page));
    }
    assert_eq!(both, *whole, "two halves make another whole");
}

/// From a table that knows every line by its bytes.
fn means_the_same_again(body: &[u8], kind: &str, whole: &Held) {
    let names: BTreeSet<&str> = whole.keys().map(|(name, _)| name.as_str()).collect();
    let wanted = Wanted::names(names.into_iter());
    let mut table = Table::default();
    let first = read_page(body, Some(kind), &wanted, &mut table).expect("it was read before");
    let second = read_page(body, Some(kind), &wanted, &mut table).expect("it was read before");
    assert!(second.fresh.is_empty(), "a series that was known is new again");
    assert_eq!(held(&first, &first), *whole);
    assert_eq!(held(&second, &first), *whole);
}

/// Presets are held against it, and the signals that they find are measured.
fn goes_all_the_way(body: &[u8], kind: &str, page: &Page) {
    let found = presets::detect(&page.families, None, &[]);
    let (mut series, mut feed, mut table) = (Series::new(), Feed::new(), Table::default());
    for turn in 0..3 {
        let at = Timestamp::from_millis(1_700_000_000_000) + turn * 15 * SECOND;
        if turn == 2 {
            feed.failed(&mut series, at);
            continue;
        }
        let page = read_page(body, Some(kind), &Wanted::all(), &mut table);
        feed.take(&mut series, &"a:80".into(), &page.expect("it was read before"), at);
        for signal in &found.signals {
            let mut meter = Meter::compile(signal).expect("presets write right queries");
            let _ = meter.read(&series, at);
            let _ = meter.count(&series, at, 15 * SECOND);
        }
    }
}
