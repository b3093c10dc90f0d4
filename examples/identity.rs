//! Plays every scenario, undisturbed and with a crash half-way, and prints a
//! digest of all it left: each fact as it is stored (a letter's hash among
//! them), and each report in each format. `scripts/identity` compares what two
//! builds print. In one build, each summary is made once more from the record
//! that a replay of the facts before it leads to, and must be the same.

#[path = "../tests/world/mod.rs"]
mod world;

use std::fs;
use std::path::Path;

use bakewatch::record::{Fact, Record};
use bakewatch::report::{self, FORMATS};
use sha2::{Digest, Sha256};

use world::drive::{Crash, Drive, Mishap};
use world::script::parse;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the scenarios are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().expect("a file").to_string_lossy();
        let scenario = parse(&name, &fs::read_to_string(&path).expect("readable"));
        let mut whole = scenario.start();
        scenario.play(&mut whole);
        let mut crashed = scenario.start();
        crashed.mishaps = [Mishap::CrashAt(whole.turns / 2, Crash::AfterAsk)].into();
        scenario.play(&mut crashed);
        for (how, drive) in [("whole", &whole), ("crashed", &crashed)] {
            replays(drive);
            println!("{} facts {name}, {how}: {}", drive.disk.len(), digest(drive));
        }
    }
}

/// Each summary is a reading of the facts before it, and of nothing else.
fn replays(drive: &Drive) {
    for id in &drive.ids {
        let facts = drive.facts_of(id);
        for (index, (at, fact)) in facts.iter().enumerate() {
            let Fact::WindowClosed { window, summary } = fact else { continue };
            let record = Record::replay(facts[..index].iter().cloned()).expect("a readable record");
            let planned = record.plan.windows.iter().find(|known| known.name == *window);
            let again = match planned {
                Some(planned) => report::build(&record, planned, summary.to, *at),
                None => report::closing(&record, *at).expect("a watch that was superseded"),
            };
            assert!(again == **summary, "{id}: {window} is another when replayed");
        }
    }
}

/// SHA-256, in hex, over facts and reports.
fn digest(drive: &Drive) -> String {
    let mut sum = Sha256::new();
    for noted in &drive.disk {
        let (seq, at) = (noted.seq.to_be_bytes(), noted.at.millis().to_be_bytes());
        sum.update([seq, at].concat());
        for text in [&noted.fact.kind, &noted.fact.body] {
            sum.update((text.len() as u64).to_be_bytes());
            sum.update(text);
        }
    }
    for (_, fact) in drive.ids.iter().flat_map(|id| drive.facts_of(id)) {
        if let Fact::WindowClosed { summary, .. } = fact {
            FORMATS.iter().for_each(|(_, render)| sum.update(render(summary)));
        }
    }
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
