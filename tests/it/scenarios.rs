//! Every scenario in `tests/scenarios` is played; its transcript is compared,
//! and, unasked, it is replayed, checked by the oracle, and crashed.

use std::fs;
use std::path::PathBuf;

use crate::world::drive::{Crash, Drive, Mishap};
use crate::world::oracle;
use crate::world::script::{Scenario, parse, transcript};

/// All of them; with SCENARIO=part those with that in their names, while one
/// is being written.
fn scenarios() -> Vec<(PathBuf, Scenario)> {
    let only = std::env::var("SCENARIO").ok();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of scenarios")
        .map(|entry| entry.expect("a folder entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .filter(|path| only.as_ref().is_none_or(|part| path.to_string_lossy().contains(part)))
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
        .into_iter()
        .map(|path| {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            let text = fs::read_to_string(&path).expect("a readable scenario");
            (path, parse(&name, &text))
        })
        .collect()
}

#[test]
fn each_leads_to_its_transcript() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut failed = Vec::new();
    for (path, scenario) in scenarios() {
        let mut drive = scenario.start();
        scenario.play(&mut drive);
        let actual = transcript(&drive);
        let complaints = oracle::complaints(&drive);
        if !complaints.is_empty() {
            failed.push(format!("{}:\n{}", path.display(), complaints.join("\n")));
        }
        if actual != scenario.expected {
            if update {
                let text = format!("{}\n---\n{}\n---\n{actual}", scenario.config, scenario.script);
                fs::write(&path, text).expect("a writable scenario");
            } else {
                failed.push(format!(
                    "{}: the transcript is another; UPDATE_EXPECT=1 rewrites it:\n{}",
                    path.display(),
                    difference(&scenario.expected, &actual)
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// The first lines that differ.
fn difference(expected: &str, actual: &str) -> String {
    let mut lines = Vec::new();
    let (mut wanted, mut came) = (expected.lines(), actual.lines());
    loop {
        match (wanted.next(), came.next()) {
            (None, None) => break,
            (a, b) if a == b => {}
            (a, b) => {
                lines.push(format!("- {}\n+ {}", a.unwrap_or("(end)"), b.unwrap_or("(end)")));
                if lines.len() == 8 {
                    break;
                }
            }
        }
    }
    lines.join("\n")
}

#[test]
fn each_ends_the_same_when_it_is_played_twice() {
    for (path, scenario) in scenarios() {
        let play = || -> Drive {
            let mut drive = scenario.start();
            scenario.play(&mut drive);
            drive
        };
        let (once, again) = (play(), play());
        assert_eq!(once.disk, again.disk, "{}", path.display());
    }
}

#[test]
fn each_survives_a_crash_at_ten_places_along_its_way() {
    for (path, scenario) in scenarios() {
        let mut whole = scenario.start();
        scenario.play(&mut whole);
        for turn in (2..whole.turns).step_by((whole.turns / 10).max(1) as usize) {
            for place in [Crash::BeforeStore, Crash::BeforeAsk, Crash::AfterAsk] {
                let mut drive = scenario.start();
                drive.mishaps = [Mishap::CrashAt(turn, place)].into();
                scenario.play(&mut drive);
                let complaints = oracle::complaints(&drive);
                assert!(
                    complaints.is_empty(),
                    "{}, crashed {place:?} in turn {turn}:\n{}",
                    path.display(),
                    complaints.join("\n")
                );
            }
        }
    }
}
