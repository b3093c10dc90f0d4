//! A look in words, for a terminal.

use super::{Live, Standing};
use crate::config::explain::{Row, section};

/// The whole of it, as plain aligned text.
pub fn show(live: &Live) -> String {
    let mut text = format!("{}\n", live.service);
    let sought = live.sought.iter().map(|one| {
        let found = one.targets.map_or("does not answer".to_owned(), |n| format!("{n} target(s)"));
        vec![one.source.to_string(), found, one.words.clone()]
    });
    section(&mut text, "Sources of targets", sought.collect());
    for target in &live.targets {
        let how = if target.reachable { "answers" } else { "does not answer" };
        let rows = target.lines.iter().map(|(what, words)| vec![what.clone(), words.clone()]);
        section(&mut text, &format!("{} {how}", target.target), rows.collect());
    }
    for source in &live.sources {
        let how = if source.reachable { "answers" } else { "does not answer" };
        let row = vec![source.url.clone(), source.words.clone()];
        section(&mut text, &format!("Source {} {how}", source.source), vec![row]);
    }
    let names: Vec<&str> = live.presets.iter().map(|name| name.as_str()).collect();
    let title = match names[..] {
        [] => "Signals: no preset knows these metrics".to_owned(),
        _ => format!("Signals, by {}", names.join(", ")),
    };
    let mut rows: Vec<Row> = live
        .signals
        .iter()
        .map(|signal| {
            let now = signal.now.as_ref().map_or(String::new(), |now| format!("now {now}"));
            vec![signal.name.to_string(), signal.of.clone(), now]
        })
        .collect();
    if !live.unmatched.is_empty() {
        let unmatched: Vec<&str> = live.unmatched.iter().map(|name| name.as_str()).collect();
        rows.push(vec!["not found".to_owned(), unmatched.join(", "), String::new()]);
    }
    section(&mut text, &title, rows);
    let (never, can): (Vec<_>, Vec<_>) = live.rules.iter().partition(|rule| rule.never.is_some());
    let row = |rule: &&super::RuleLive| {
        let mut row = vec![rule.name.to_string(), rule.judges.clone()];
        row.extend(rule.never.clone());
        row
    };
    section(&mut text, "Rules that can fire", can.iter().map(row).collect());
    section(&mut text, "Rules that can never fire", never.iter().map(row).collect());
    let notes = live.notes.iter().map(|note| vec![note.clone()]);
    section(&mut text, "To know", notes.collect());
    text.push('\n');
    text.push_str(match live.standing {
        Standing::Observable => "all that was asked for can be watched\n",
        Standing::Blind => "something that was asked for cannot be watched\n",
        Standing::Unreachable => "something that was asked does not answer\n",
    });
    text
}
