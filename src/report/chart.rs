//! A signal's course as SVG: line, bounds, alerts, and the time in which
//! nobody looked. The same chart gives the same bytes.

mod scale;

use std::fmt::Write;

use super::page::{Chart, Shade};
use super::show;
use crate::model::{Span, Timestamp};
use crate::record::BoundLine;
use scale::Values;

const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 180.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 868.0;
const TOP: f64 = 6.0;
const BOTTOM: f64 = 154.0;

/// Alerts' names stand above the sheet in at most so many rows, each so high.
const NAME_ROWS: usize = 3;
const NAME_ROW: f64 = 15.0;

/// About the width of a letter of a name.
const LETTER: f64 = 6.6;

/// A thing as narrow as this can still be seen.
const VISIBLE: f64 = 1.5;

/// The chart as an SVG element. `id` tells it from the others of its page.
pub fn svg(chart: &Chart, id: usize) -> String {
    let drawn = chart.bounds.iter().filter(|line| line.value.0.is_finite());
    let drawn: Vec<BoundLine> = drawn.cloned().collect();
    let values = chart.points.iter().filter_map(|(_, value)| *value);
    let plane = Plane {
        from: chart.from,
        whole: chart.to.since(chart.from).millis().max(1) as f64,
        values: Values::of(chart.unit, values, &drawn),
    };
    let mut body = String::new();
    plane.grid(&mut body, chart);
    plane.blind(&mut body, chart, id);
    plane.shades(&mut body, &chart.shades);
    plane.course(&mut body, chart);
    plane.bounds(&mut body, chart, &drawn);
    let rows = plane.names(&mut body, &chart.shades);
    format!(
        "<svg viewBox=\"0 {:.0} {WIDTH} {:.0}\" role=\"img\" aria-labelledby=\"t{id} d{id}\">\
         <title id=\"t{id}\">{}</title><desc id=\"d{id}\">{}</desc>\
         <defs><pattern id=\"h{id}\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><path class=\"hatch\" d=\"M0 0V6\"/></pattern></defs>\
         {body}</svg>",
        -rows,
        HEIGHT + rows,
        escape(&chart.title),
        escape(&describe(chart)),
    )
}

/// Bounds that the chart does not reach, in words; `None`: it shows them all.
pub fn beyond(chart: &Chart) -> Option<String> {
    let values = chart.points.iter().filter_map(|(_, value)| *value);
    let axis = Values::of(chart.unit, values, &chart.bounds);
    let far = chart.bounds.iter().filter(|line| !axis.holds(line.value.0));
    let far: Vec<String> = far.map(|line| bound_words(chart, line)).collect();
    (!far.is_empty()).then(|| format!("off this chart: {}", far.join(", ")))
}

fn bound_words(chart: &Chart, line: &BoundLine) -> String {
    let sign = if line.above { '>' } else { '<' };
    format!("{} {sign} {}", line.severity, show::show(chart.unit, line.value.0))
}

fn describe(chart: &Chart) -> String {
    let bounds: Vec<String> = chart.bounds.iter().map(|line| bound_words(chart, line)).collect();
    let mut text = format!("{}, {}", chart.title, chart.note);
    if !bounds.is_empty() {
        let _ = write!(text, "; bounds: {}", bounds.join(", "));
    }
    if !chart.shades.is_empty() {
        let _ = write!(text, "; {} on it", show::plural(chart.shades.len(), "alert"));
    }
    text
}

/// From time and value to a place on the sheet.
struct Plane {
    from: Timestamp,
    whole: f64,
    values: Values,
}

impl Plane {
    fn x(&self, at: Timestamp) -> f64 {
        let share = at.since(self.from).millis() as f64 / self.whole;
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.values.low) / (self.values.high - self.values.low);
        BOTTOM - share.clamp(0.0, 1.0) * (BOTTOM - TOP)
    }

    fn grid(&self, out: &mut String, chart: &Chart) {
        for tick in &self.values.ticks {
            let (y, label) = (self.y(*tick), show::show(chart.unit, *tick));
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
                 <text class=\"tick end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                escape(&label)
            );
        }
        for (at, label) in scale::times(chart.from, chart.to) {
            let x = self.x(at);
            let _ = write!(
                out,
                "<path class=\"axis\" d=\"M{x:.1} {BOTTOM}v4\"/>\
                 <text class=\"tick mid\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                x.clamp(LEFT + 14.0, RIGHT - 14.0),
                BOTTOM + 18.0,
                escape(&label)
            );
        }
        let _ = write!(out, "<path class=\"axis\" d=\"M{LEFT} {BOTTOM}H{RIGHT}\"/>");
    }

    fn blind(&self, out: &mut String, chart: &Chart, id: usize) {
        for blind in &chart.blind {
            let (start, end) = (self.x(blind.from), self.x(blind.to));
            if end - start < VISIBLE {
                continue; // told in the table of coverage
            }
            let _ = write!(
                out,
                "<rect fill=\"url(#h{id})\" x=\"{start:.1}\" y=\"{TOP}\" width=\"{:.1}\" \
                 height=\"{:.1}\"><title>{}</title></rect>",
                end - start,
                BOTTOM - TOP,
                escape(&blind.why)
            );
        }
    }

    /// Alerts as shaded time.
    fn shades(&self, out: &mut String, shades: &[Shade]) {
        for shade in shades {
            let start = self.x(shade.from);
            let end = self.x(shade.to).max(start + VISIBLE);
            let _ = write!(
                out,
                "<rect class=\"shade {}\" x=\"{start:.1}\" y=\"{TOP}\" width=\"{:.1}\" \
                 height=\"{:.1}\"><title>{}</title></rect>",
                shade.severity,
                end - start,
                BOTTOM - TOP,
                escape(&shade.label)
            );
        }
    }

    /// Each alert's name above its start, in the lowest row that has room;
    /// what finds none is left to the tooltip. Returns the height of the rows.
    fn names(&self, out: &mut String, shades: &[Shade]) -> f64 {
        let mut free = [LEFT; NAME_ROWS];
        for shade in shades {
            let width = shade.label.chars().count() as f64 * LETTER;
            let x = self.x(shade.from).min(RIGHT - width).max(LEFT);
            let Some(row) = free.iter().position(|free| x >= *free) else { continue };
            free[row] = x + width + 10.0;
            let _ = write!(
                out,
                "<text class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                shade.severity,
                TOP - 6.0 - row as f64 * NAME_ROW,
                escape(&shade.label)
            );
        }
        free.iter().filter(|free| **free > LEFT).count() as f64 * NAME_ROW
    }

    /// The line, broken where nothing is known; a lone point is a dot.
    fn course(&self, out: &mut String, chart: &Chart) {
        let mut run: Vec<(f64, f64)> = Vec::new();
        let mut last: Option<Timestamp> = None;
        for (at, value) in &chart.points {
            let is_cut = last.is_some_and(|last| {
                let darkness = chart.blind.iter().map(|b| overlap(b.from, b.to, last, *at));
                darkness.max().is_some_and(|dark| dark > at.since(last) / 2)
            });
            match value.filter(|value| value.is_finite()) {
                Some(value) => {
                    if is_cut {
                        stroke(out, &std::mem::take(&mut run));
                    }
                    run.push((self.x(*at), self.y(value)));
                }
                None => stroke(out, &std::mem::take(&mut run)),
            }
            last = Some(*at);
        }
        stroke(out, &run);
    }

    /// Bounds, each labelled at the right; two that are close share the room.
    fn bounds(&self, out: &mut String, chart: &Chart, drawn: &[BoundLine]) {
        let mut lines: Vec<&BoundLine> =
            drawn.iter().filter(|line| self.values.holds(line.value.0)).collect();
        lines.sort_by(|a, b| b.value.0.total_cmp(&a.value.0));
        let mut free = f64::NEG_INFINITY;
        for line in lines {
            let y = self.y(line.value.0);
            let class = line.severity.as_str();
            let label = (y - 5.0).max(free).max(TOP + 8.0);
            free = label + 13.0;
            let _ = write!(
                out,
                "<path class=\"bound {class}\" d=\"M{LEFT} {y:.1}H{RIGHT}\"/>\
                 <text class=\"end boundname {class}\" x=\"{:.1}\" y=\"{label:.1}\">{}</text>",
                RIGHT - 4.0,
                escape(&bound_words(chart, line))
            );
        }
    }
}

fn overlap(from: Timestamp, to: Timestamp, start: Timestamp, end: Timestamp) -> Span {
    to.min(end).since(from.max(start))
}

fn stroke(out: &mut String, run: &[(f64, f64)]) {
    match run {
        [] => {}
        [(x, y)] => {
            let _ = write!(out, "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\"/>");
        }
        [(first, _), .., (last, _)] => {
            let mut line = String::new();
            for (index, (x, y)) in run.iter().enumerate() {
                let verb = if index == 0 { 'M' } else { 'L' };
                let _ = write!(line, "{verb}{x:.1} {y:.1}");
            }
            let _ = write!(
                out,
                "<path class=\"area\" d=\"{line}L{last:.1} {BOTTOM}L{first:.1} {BOTTOM}Z\"/>\
                 <path class=\"line\" d=\"{line}\"/>"
            );
        }
    }
}

/// Text for the inside of an element or of a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML knows no other control characters, however they are written.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
