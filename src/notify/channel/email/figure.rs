//! Pictures of a mail: the course of an alert's signal, and the same numbers as
//! a table beside it, for whoever sees no pictures.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::DOMAIN;
use crate::judge::Bound;
use crate::notify::chart::Chart;
use crate::notify::digest::{Content, Digest};
use crate::notify::letter::{Image, hex_of};

/// A mail with more of them is not looked through.
const FIGURES_MAX: usize = 3;

/// A chart, and where it belongs.
pub struct Figure {
    /// It stands below this card.
    pub card: usize,
    /// Of its picture.
    pub id: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// The numbers: from when to when, and how much.
    pub rows: Vec<(String, String)>,
    chart: Chart,
}

/// The charts of what a mail tells first.
pub fn figures(digest: &Digest) -> Vec<Figure> {
    let Content::News { tellings, .. } = &digest.content else { return Vec::new() };
    let one = |(card, telling): (usize, &crate::notify::digest::Telling)| {
        let news = telling.alert;
        let chart = Chart::of(news, digest.blocks)?;
        let side = if matches!(news.bound, Bound::Below(_)) { "at least" } else { "at most" };
        let at = digest.at.rfc3339();
        let id = format!("chart-{}@{DOMAIN}", &hex_of([news.incident.as_str(), &at])[..32]);
        Some(Figure { card, id, about: chart.about(side), rows: chart.rows(), chart })
    };
    tellings.iter().enumerate().filter_map(one).take(FIGURES_MAX).collect()
}

impl Figure {
    /// The picture.
    pub fn image(&self) -> Image {
        Image { id: self.id.clone(), png: BASE64_STANDARD.encode(self.chart.png()) }
    }
}
