//! Templates in labels and annotations of Prometheus's rules: the basics of
//! Go's `text/template`, with the functions that write numbers for people.
//! What asks a server (`query` and its kin) is refused when a file is read.

mod call;
mod eval;
mod number;
mod parse;
#[cfg(test)]
mod tests;

use self::parse::Node;
use crate::model::Labels;

/// A template that can be expanded.
#[derive(Clone, PartialEq, Debug)]
pub struct Template {
    nodes: Vec<Node>,
}

/// What stands in a template for one alert.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'s> {
    /// `$labels`: those of the element of the expression's result.
    pub labels: &'s Labels,
    /// `$value`.
    pub value: f64,
    /// `$externalLabels`.
    pub external: &'s Labels,
    /// `$externalURL`.
    pub url: &'s str,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, and what there would be instead.
    pub fn parse(text: &str) -> Result<Template, String> {
        parse::parse(text).map(|nodes| Template { nodes })
    }

    /// The text for one alert.
    ///
    /// # Errors
    /// What only values can show: a word where a number has to be.
    pub fn expand(&self, scene: &Scene<'_>) -> Result<String, String> {
        eval::expand(&self.nodes, scene)
    }
}

/// The text that a template gives; where it gives none, why, in the words in
/// which Prometheus begins such a text.
pub fn expanded(text: &str, scene: &Scene<'_>) -> String {
    if !text.contains("{{") {
        return text.to_owned();
    }
    Template::parse(text)
        .and_then(|template| template.expand(scene))
        .unwrap_or_else(|what| format!("<error expanding template: {what}>"))
}
