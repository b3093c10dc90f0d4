//! The same alerts at the same instants, whether a world is scraped or a server
//! is asked that has the same samples. (`tests/peers/case_sources.py` does it
//! with a real Prometheus.)

use std::collections::BTreeMap;

use crate::world::sourced::{SOURCE, play, start, turns};

/// Changes of phase: instant, rule, phase. (That one that fires grows worse is
/// told from one look to the next, and no clock waits for it.)
fn changes(turns: &[String]) -> Vec<String> {
    let mut phases: BTreeMap<String, String> = BTreeMap::new();
    let mut changes = Vec::new();
    for turn in turns {
        let words: Vec<&str> = turn.split(' ').collect();
        let before = phases.insert(words[1].to_owned(), words[2].to_owned());
        if before.as_deref() != Some(words[2]) {
            changes.push(words[..3].join(" "));
        }
    }
    changes
}

#[test]
fn a_source_gives_the_same_alerts_at_the_same_instants_as_scraping() {
    let mut scraped = start("");
    scraped.pages = Some(Vec::new());
    play(&mut scraped);
    let pages = scraped.pages.take().expect("pages were kept");
    let mut asked = start(SOURCE);
    asked.sources.get_mut("main").expect("the source").hold(&pages);
    play(&mut asked);
    let (mine, theirs) = (changes(&turns(&scraped)), changes(&turns(&asked)));
    assert_eq!(mine, theirs);
    for rule in ["HighErrorRate", "ElevatedErrors", "HighLatency", "Memory"] {
        let fires = |turn: &String| turn.ends_with(&format!(" {rule} firing"));
        assert!(mine.iter().any(fires), "{rule} never fires: {mine:?}");
    }
}
