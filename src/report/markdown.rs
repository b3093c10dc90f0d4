//! A report as Markdown, for a pull request or a wiki.

use std::fmt::Write;

use super::page::{Section, Side, Table, Tone};
use super::{chart, section};
use crate::record::Summary;

/// The report as GitHub-flavoured Markdown.
pub fn markdown(summary: &Summary) -> String {
    let release = &summary.release;
    let mut out = String::new();
    let _ = write!(
        out,
        "# {} {}: {} {}\n\n{}  \n{}\n\n",
        escape(release.service.as_str()),
        escape(release.version.as_str()),
        mark(Tone::of_verdict(summary.verdict)),
        summary.verdict,
        escape(&section::headline(summary)),
        escape(&summary.url)
    );
    for figure in section::figures(summary) {
        let (value, note) = (escape(&figure.value.words), escape(&figure.note));
        let _ = writeln!(out, "- {}: **{value}** ({note})", figure.label);
    }
    for section in section::sections(summary) {
        print(&mut out, &section);
    }
    out
}

/// A sign that needs no colour.
fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "✅",
        Tone::Warn => "⚠️",
        Tone::Bad => "❌",
        Tone::Unknown => "❔",
        Tone::Plain | Tone::Quiet => "",
    }
}

fn print(out: &mut String, section: &Section) {
    let _ = write!(out, "\n## {}\n", section.title);
    for text in &section.paragraphs {
        let _ = write!(out, "\n{}\n", escape(&text.words));
    }
    if let Some(table) = section.table.as_ref().filter(|table| !table.rows.is_empty()) {
        print_table(out, table);
    }
    if !section.charts.is_empty() {
        out.push('\n');
    }
    for chart in &section.charts {
        let far = chart::beyond(chart).map_or_else(String::new, |far| format!(" · {far}"));
        let _ = writeln!(out, "- **{}**: {}{}", escape(&chart.title), escape(&chart.note), far);
    }
    if !section.list.is_empty() {
        out.push('\n');
    }
    for item in &section.list {
        let _ = writeln!(out, "- {}", escape(&item.words));
    }
}

fn print_table(out: &mut String, table: &Table) {
    let titles: Vec<&str> = table.columns.iter().map(|(title, _)| *title).collect();
    let rules = table.columns.iter().map(|(_, side)| match side {
        Side::Left => ":---",
        Side::Right => "---:",
    });
    let rules: Vec<&str> = rules.collect();
    let _ = write!(out, "\n| {} |\n| {} |\n", titles.join(" | "), rules.join(" | "));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|cell| escape(&cell.words)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
}

/// Nothing in it is markup or calls somebody, and it stays on its line. A service's own words
/// (a reason, a label) come through here.
pub(super) fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '~' | '&' | '!' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_no_markup_and_no_new_cell_through() {
        assert_eq!(escape("a|b\n<img> _x_"), "a\\|b \\<img\\> \\_x\\_");
    }
}
