//! One world that is watched twice: scraped, and asked of a server of metrics
//! that holds the very samples.

use bakewatch::record::Fact;

use super::drive::Drive;
use super::script::{RELEASED, parse};

/// A day in short: failures that rise and fall, a restart in between, answers
/// that slow down, a minute in which nobody answers, memory that runs out.
const WORLD: &str = r#"
service = "chat"
url = "http://a:8000"
SOURCE

[windows]
hours = { length = "4h", every = "15s" }

[[rule]]
name = "TargetSilent"
off = true

[[rule]]
name = "SignalVanished"
off = true

[[rule]]
name = "Memory"
query = "max(process_resident_memory_bytes) / 1e6"
above = 900
for = "1m"
---
at 13m    a fails 3%
at 31m    a fails 12%
at 40m    a restarts
at 52m    a fails 0%
at 70m    a slow 4%
at 95m    a slow 0%
at 110m   a refuses
at 111m   a answers
at 125m   a memory 97%
at 140m   a memory 40%
at 150m   a fails 1.5%
at 190m   a fails 0%
---
"#;

/// What makes the same world one that is asked.
pub const SOURCE: &str = r#"metrics = "main"
[source.main]
type = "prometheus"
url = "http://prometheus:9090"
selector = '{job="chat"}'
"#;

pub fn start(source: &str) -> Drive {
    parse("sourced", &WORLD.replace("SOURCE", source)).start()
}

pub fn play(drive: &mut Drive) {
    parse("sourced", &WORLD.replace("SOURCE", "")).play(drive);
}

/// What alerts went through: seconds since the release, rule, phase, value.
pub fn turns(drive: &Drive) -> Vec<String> {
    let turn = |(at, fact): &(bakewatch::model::Timestamp, Fact)| match fact {
        Fact::Alert { rule, phase, value, .. } => {
            let seconds = at.since(RELEASED).seconds_f64();
            Some(format!("{seconds:.3} {rule} {} {}", phase.as_str(), value.0))
        }
        Fact::Poisoned { message } => panic!("{message}"),
        _ => None,
    };
    drive.facts().iter().filter_map(turn).collect()
}
