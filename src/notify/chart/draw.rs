//! Draws a chart, column by column: steps, since each stretch has one value. No
//! text, which mail programs show better beside it, and no ground, so that it
//! looks well on light and dark.

use super::{Chart, Stretch};
use crate::model::Timestamp;

/// Twice what is shown, for screens with small dots.
const WIDTH: usize = 1200;
const HEIGHT: usize = 320;

/// Room at the top and at the bottom for half a line.
const MARGIN: usize = 8;

/// Half of a line's thickness.
const LINE: usize = 2;
const BOUND: usize = 1;

/// Of a dash, and of the gap after it.
const DASH: usize = 14;

/// A bound that is larger than this many times the largest value would press the
/// course flat: it stands in the words alone.
const STRETCH_MAX: f64 = 4.0;

/// What stands at each place of the palette, with its opacity.
const PALETTE: [(u8, u8, u8, u8); 6] = [
    (255, 255, 255, 0),
    (140, 149, 159, 110), // lines of the frame
    (207, 34, 46, 40),    // while it burned
    (47, 129, 247, 60),   // below the course
    (207, 34, 46, 255),   // the bound
    (47, 129, 247, 255),  // the course
];
const FRAME: u8 = 1;
const BURNED: u8 = 2;
const BELOW: u8 = 3;
const LIMIT: u8 = 4;
const COURSE: u8 = 5;

/// The picture.
pub fn png(chart: &Chart) -> Vec<u8> {
    encode(&pixels(chart))
}

/// A place in the palette for each dot, row by row.
pub(super) fn pixels(chart: &Chart) -> Vec<u8> {
    let scale = Scale::of(chart);
    let mut dots = vec![0; WIDTH * HEIGHT];
    let (floor, zero) = (HEIGHT - MARGIN, scale.row(0.0_f64.max(scale.low)));
    let mut before: Option<usize> = None;
    for x in 0..WIDTH {
        let at = scale.at(x);
        let burned = chart.fired_at <= at && chart.ended_at.is_none_or(|end| at <= end);
        if burned {
            fill(&mut dots, x, MARGIN, floor, BURNED);
        }
        let row = value_at(&chart.stretches, at).map(|value| scale.row(value));
        if let Some(row) = row {
            fill(&mut dots, x, row.min(zero), row.max(zero), BELOW);
        }
        fill(&mut dots, x, floor, floor + 1, FRAME);
        fill(&mut dots, x, MARGIN, MARGIN, FRAME);
        if let Some(bound) = chart.bound.filter(|bound| scale.holds(*bound))
            && x % (2 * DASH) < DASH
        {
            let row = scale.row(bound);
            fill(&mut dots, x, row - BOUND, row + BOUND, LIMIT);
        }
        if let Some(row) = row {
            let from = before.unwrap_or(row);
            fill(&mut dots, x, row.min(from) - LINE, row.max(from) + LINE, COURSE);
        }
        before = row;
    }
    dots
}

/// From one row to another, both with it.
fn fill(dots: &mut [u8], x: usize, from: usize, to: usize, colour: u8) {
    for y in from..=to.min(HEIGHT - 1) {
        dots[y * WIDTH + x] = colour;
    }
}

fn value_at(stretches: &[Stretch], at: Timestamp) -> Option<f64> {
    let index = stretches.partition_point(|one| one.to < at);
    stretches.get(index).and_then(|one| one.value)
}

/// From time and value to columns and rows.
struct Scale {
    from: Timestamp,
    millis: i64,
    low: f64,
    high: f64,
}

impl Scale {
    fn of(chart: &Chart) -> Scale {
        let (first, last) = (chart.stretches[0], chart.stretches[chart.stretches.len() - 1]);
        let values = || chart.stretches.iter().filter_map(|one| one.value);
        let most = values().fold(0.0_f64, f64::max);
        let least = values().fold(0.0_f64, f64::min);
        let is_near = |bound: &f64| *bound <= most * STRETCH_MAX || most == 0.0;
        let bound = chart.bound.filter(is_near).unwrap_or(0.0);
        let high = most.max(bound) * 1.05;
        let high = if high > least { high } else { least + 1.0 };
        let millis = last.to.since(first.from).millis().max(1);
        Scale { from: first.from, millis, low: least.min(bound), high }
    }

    /// The instant in the middle of a column.
    fn at(&self, x: usize) -> Timestamp {
        let part = (2 * x as i64 + 1) * self.millis / (2 * WIDTH as i64);
        self.from + crate::model::Span::from_millis(part)
    }

    fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// The row of a value, within the margins.
    fn row(&self, value: f64) -> usize {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        let rows = (HEIGHT - 2 * MARGIN) as f64;
        HEIGHT - MARGIN - (share * rows).round() as usize
    }
}

fn encode(dots: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, WIDTH as u32, HEIGHT as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(PALETTE.iter().flat_map(|(r, g, b, _)| [*r, *g, *b]).collect::<Vec<u8>>());
    encoder.set_trns(PALETTE.map(|(_, _, _, opacity)| opacity).to_vec());
    // The one whose bytes do not depend on the processor.
    encoder.set_compression(png::Compression::Fast);
    encoder.set_filter(png::Filter::Up);
    let mut writer = encoder.write_header().expect("a vector takes everything");
    writer.write_image_data(dots).expect("as many dots as were said");
    writer.finish().expect("a vector takes everything");
    out
}
