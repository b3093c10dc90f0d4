//! Plays every scenario and prints a digest of all it left: each fact as it
//! is stored (a letter's hash among them), and each report in each format.
//! `scripts/identity` compares what two builds print.

#[path = "../tests/world/mod.rs"]
mod world;

use std::fs;
use std::path::Path;

use bakewatch::record::Fact;
use bakewatch::report::FORMATS;
use sha2::{Digest, Sha256};

use world::drive::Drive;
use world::script::parse;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut paths: Vec<_> = fs::read_dir(&folder)
        .expect("the scenarios are there")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().expect("a file").to_string_lossy();
        let scenario = parse(&name, &fs::read_to_string(&path).expect("readable"));
        let mut drive = scenario.start();
        scenario.play(&mut drive);
        println!("{} facts {name}: {}", drive.disk.len(), digest(&drive));
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
    for (_, fact) in drive.facts() {
        if let Fact::WindowClosed { summary, .. } = fact {
            FORMATS.iter().for_each(|(_, render)| sum.update(render(&summary)));
        }
    }
    sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
