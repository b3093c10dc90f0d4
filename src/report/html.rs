//! A report as one page that stands for itself: style and charts are inside
//! it, nothing is fetched and nothing is run.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::page::{Chart, Figure, Section, Side, Table, Text, Tone};
use super::{chart, section};
use crate::record::Summary;

const STYLE: &str = include_str!("html/style.css");

/// The report as a web page.
pub fn html(summary: &Summary) -> String {
    let mut charts = 0;
    let release = &summary.release;
    let main = html! {
        header class=(Tone::of_verdict(summary.verdict).class()) {
            p.verdict { span.seal { (summary.verdict) } }
            h1 { (release.service) " " span.version { (release.version) } }
            p.window { (section::headline(summary)) }
            p.window { (summary.url) }
            dl { @for figure in section::figures(summary) { (figure_box(&figure)) } }
        }
        @for section in section::sections(summary) {
            (print(&section, &mut charts))
        }
        footer { "Written by bakewatch. All times are UTC." }
    };
    document(&section::subject(summary), STYLE, &main)
}

/// A page that stands for itself, around its main part.
pub fn document(title: &str, style: &str, main: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(style)) }
            }
            body { main { (main) } }
        }
    };
    page.into_string()
}

fn figure_box(figure: &Figure) -> Markup {
    html! {
        div {
            dt { (figure.label) }
            dd.figure.(figure.value.tone.class()) { (figure.value.words) }
            dd.note { (figure.note) }
        }
    }
}

fn print(section: &Section, charts: &mut usize) -> Markup {
    let table = section.table.as_ref().filter(|table| !table.rows.is_empty());
    html! {
        section {
            h2 { (section.title) }
            @for text in &section.paragraphs { p.(text.tone.class()) { (text.words) } }
            @if let Some(table) = table { (print_table(table)) }
            @for chart in &section.charts { (print_chart(chart, charts)) }
            @if !section.list.is_empty() {
                ul { @for item in &section.list { li.(item.tone.class()) { (item.words) } } }
            }
        }
    }
}

fn print_table(table: &Table) -> Markup {
    let side = |column: usize| match table.columns[column].1 {
        Side::Left => "words",
        Side::Right => "number",
    };
    html! {
        div.scroll {
            table {
                caption { (table.caption) }
                thead {
                    tr {
                        @for (index, (title, _)) in table.columns.iter().enumerate() {
                            th scope="col" class=(side(index)) { (title) }
                        }
                    }
                }
                tbody {
                    @for row in &table.rows {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                (print_cell(index, cell, side(index)))
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The first cell of a row is its heading.
fn print_cell(index: usize, cell: &Text, side: &str) -> Markup {
    html! {
        @if index == 0 {
            th scope="row" class={ (side) " " (cell.tone.class()) } { (cell.words) }
        } @else {
            td class={ (side) " " (cell.tone.class()) } { (cell.words) }
        }
    }
}

fn print_chart(chart: &Chart, charts: &mut usize) -> Markup {
    *charts += 1;
    html! {
        figure {
            figcaption {
                strong { (chart.title) }
                " " span { (chart.note) }
                @if let Some(far) = chart::beyond(chart) { " " span.far { (far) } }
            }
            (PreEscaped(chart::svg(chart, *charts)))
        }
    }
}
