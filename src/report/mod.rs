//! Record → summary → page: what a window came to, in the forms people read.
//!
//! `build` makes a `Summary` of the record once; it is stored in the fact that
//! closes the window. All renderings are readings of that summary alone.
//! A section is written once, as a neutral form (`page`), and each renderer
//! prints all of them.

mod build;
mod chart;
mod html;
mod mail;
mod markdown;
mod page;
mod section;
mod show;
pub mod smoke;
mod text;

pub use build::{baseline, baseline_lines, build, closing, level_of_past, overview};
pub use html::{document, html};
pub use mail::mail_html;
pub use markdown::markdown;
pub use section::subject;
pub use text::text;

use crate::record::Summary;

/// How a report is written to a file.
pub type Render = fn(&Summary) -> String;

/// The files of a report: extension and renderer.
pub const FORMATS: [(&str, Render); 4] =
    [("txt", text), ("md", markdown), ("html", html), ("json", json)];

/// The summary itself, indented, its fields in the order of their declaration.
pub fn json(summary: &Summary) -> String {
    let mut text = serde_json::to_string_pretty(summary).expect("a summary has no odd keys");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests;
