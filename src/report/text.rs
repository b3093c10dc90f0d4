//! A report for a terminal and for the plain part of a mail: 78 columns.

use std::fmt::Write;

use super::page::{Chart, Section, Side, Table};
use super::section;
use crate::record::Summary;

/// Mail is wrapped at 78.
const WIDTH: usize = 78;

/// Columns of a course drawn in blocks.
const SPARKS: usize = 60;

/// The report as plain text.
pub fn text(summary: &Summary) -> String {
    let release = &summary.release;
    let verdict = summary.verdict.as_str().to_uppercase();
    let mut out = String::new();
    paragraph(&mut out, "", &format!("{verdict}: {} {}", release.service, release.version));
    paragraph(&mut out, "", &section::headline(summary));
    paragraph(&mut out, "", &summary.url);
    out.push('\n');
    for figure in section::figures(summary) {
        let line = format!("{:<14}{:<14}{}", figure.label, figure.value.words, figure.note);
        paragraph(&mut out, "", &line);
    }
    for section in section::sections(summary) {
        print(&mut out, &section);
    }
    // A narrow space is wide, or a question mark, on many terminals.
    out.replace('\u{202f}', " ")
}

fn print(out: &mut String, section: &Section) {
    let title = section.title.to_uppercase();
    let _ = write!(out, "\n{title}\n{}\n", "-".repeat(title.chars().count()));
    for text in &section.paragraphs {
        paragraph(out, "", &text.words);
    }
    if let Some(table) = section.table.as_ref().filter(|table| !table.rows.is_empty()) {
        if !section.paragraphs.is_empty() {
            out.push('\n');
        }
        print_table(out, table);
    }
    for chart in &section.charts {
        let _ = write!(out, "\n{}\n  {}\n", chart.title, sparks(chart));
        paragraph(out, "  ", &chart.note);
    }
    if !section.list.is_empty() && (section.table.is_some() || !section.paragraphs.is_empty()) {
        out.push('\n');
    }
    for item in &section.list {
        bullet(out, &item.words);
    }
}

fn paragraph(out: &mut String, indent: &str, words: &str) {
    for line in wrap(words, WIDTH - indent.len()) {
        let _ = writeln!(out, "{indent}{}", line.trim_end());
    }
}

fn bullet(out: &mut String, words: &str) {
    for (index, line) in wrap(words, WIDTH - 2).iter().enumerate() {
        let _ = writeln!(out, "{} {line}", if index == 0 { '-' } else { ' ' });
    }
}

/// The course in eighths of a line, the worst of each column; a dot where
/// nothing is known.
fn sparks(chart: &Chart) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let known = || chart.points.iter().filter_map(|(_, value)| *value).filter(|v| v.is_finite());
    let high = known().fold(0.0, f64::max);
    let is_low_bad = chart.bounds.iter().any(|line| !line.above);
    let columns = SPARKS.min(chart.points.len().max(1));
    let mut line = String::new();
    for column in 0..columns {
        let start = column * chart.points.len() / columns;
        let end = ((column + 1) * chart.points.len() / columns).max(start);
        let values = chart.points[start..end].iter().filter_map(|(_, value)| *value);
        let values = values.filter(|value| value.is_finite());
        let worst = values.reduce(|a, b| if is_low_bad { a.min(b) } else { a.max(b) });
        line.push(match worst {
            None => '·',
            Some(value) if high > 0.0 => {
                BLOCKS[((value / high * 7.0).round().clamp(0.0, 7.0)) as usize]
            }
            Some(_) => BLOCKS[0],
        });
    }
    line
}

/// Columns as wide as their widest cell, as long as the line holds them; then
/// the widest ones give, and their cells are wrapped.
fn print_table(out: &mut String, table: &Table) {
    let mut widths: Vec<usize> = table.columns.iter().map(|(title, _)| columns(title)).collect();
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(&cell.words));
        }
    }
    let room = WIDTH - 2 * (widths.len().saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let widest = widths.iter_mut().max();
        *widest.expect("a table has columns") -= 1;
    }
    let titles: Vec<&str> = table.columns.iter().map(|(title, _)| *title).collect();
    print_row(out, table, &widths, &titles);
    for row in &table.rows {
        let cells: Vec<&str> = row.iter().map(|cell| cell.words.as_str()).collect();
        print_row(out, table, &widths, &cells);
    }
}

fn print_row(out: &mut String, table: &Table, widths: &[usize], cells: &[&str]) {
    let wrapped = cells.iter().zip(widths).map(|(cell, width)| wrap(cell, *width));
    let wrapped: Vec<Vec<String>> = wrapped.collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    for index in 0..height {
        let mut line = String::new();
        for (column, ((cell, width), (_, side))) in
            wrapped.iter().zip(widths).zip(&table.columns).enumerate()
        {
            let words = cell.get(index).map_or("", String::as_str);
            let gap = " ".repeat(width.saturating_sub(columns(words)));
            line.push_str(if column == 0 { "" } else { "  " });
            match side {
                Side::Left => line.extend([words, gap.as_str()]),
                Side::Right => line.extend([gap.as_str(), words]),
            }
        }
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

fn columns(words: &str) -> usize {
    words.chars().count()
}

/// Lines of at most `width`; a word that is longer is cut.
fn wrap(words: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let clean: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if columns(&clean) <= width {
        return vec![clean];
    }
    let mut lines = vec![String::new()];
    for word in clean.split(' ').filter(|word| !word.is_empty()) {
        let mut rest: Vec<char> = word.chars().collect();
        let last = lines.last_mut().expect("one line is always there");
        let used = columns(last);
        if used > 0 && used + 1 + rest.len() <= width {
            last.push(' ');
            last.extend(rest);
            continue;
        }
        if used > 0 {
            lines.push(String::new());
        }
        while rest.len() > width {
            let tail = rest.split_off(width);
            lines.last_mut().expect("one line is always there").extend(rest);
            lines.push(String::new());
            rest = tail;
        }
        lines.last_mut().expect("one line is always there").extend(rest);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_between_words_and_cuts_only_what_cannot_be_wrapped() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("a\nb", 5), ["a b"]);
    }
}
