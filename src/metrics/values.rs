//! The values of one series, each in as few bytes as the widest of them needs:
//! most series stand still or count, and a measured number has few digits. A
//! value is kept as its distance from a base, counted in units of its last
//! decimal digit; where that would not give back every bit, all are kept as
//! they are. (The frame of reference of column stores, over decimals as in
//! Afroozeh, Kuffo & Boncz, "ALP: Adaptive Lossless floating-Point
//! Compression", 2023.)

use super::series::{is_stale, stale_marker};

/// Powers of ten that a value is tried with.
const UNITS: [f64; 10] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/// Beyond this not every whole number is a value of its own.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// The widths that distances come in, in bytes.
const WIDTHS: [u8; 3] = [1, 2, 4];

/// Values in a row. There is one of these for each series: it is small.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    frame: Frame,
    /// With room for some more.
    bytes: Box<[u8]>,
}

/// How values are written.
#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    /// Width 0: the bits that all values have. Else what distances count from.
    base: u64,
    /// Bytes a value: 0 (they are all the same), 1, 2, 4, or 8 (as they are).
    width: u8,
    /// The place of their unit in `UNITS`.
    digits: u8,
    /// How many there are.
    count: u32,
}

impl Values {
    pub fn len(&self) -> usize {
        self.frame.count as usize
    }

    pub fn push(&mut self, value: f64) {
        if self.frame.count == 0 {
            self.frame = Frame { base: value.to_bits(), ..Frame::default() };
        } else if !self.frame.fits(value) {
            self.repack(value);
        }
        let width = self.frame.width as usize;
        if self.used() + width > self.bytes.len() {
            // By little: there are many series.
            self.make_room(self.len() + (self.len() / 4).max(4));
        }
        self.write(value);
    }

    fn used(&self) -> usize {
        self.len() * self.frame.width as usize
    }

    fn make_room(&mut self, count: usize) {
        let mut bytes = vec![0; count * self.frame.width as usize].into_boxed_slice();
        let used = self.used();
        bytes[..used].copy_from_slice(&self.bytes[..used]);
        self.bytes = bytes;
    }

    fn write(&mut self, value: f64) {
        let (used, width) = (self.used(), self.frame.width as usize);
        self.frame.count += 1;
        let written = match width {
            0 => return,
            8 => value.to_bits().to_le_bytes(),
            _ => self.frame.distance(value).expect("it fits").to_le_bytes(),
        };
        self.bytes[used..used + width].copy_from_slice(&written[..width]);
    }

    /// Writes all anew, so that `next` fits too.
    fn repack(&mut self, next: f64) {
        let all: Vec<f64> = (0..self.len()).map(|place| self.get(place)).collect();
        self.frame = Frame::of(&all, next);
        self.make_room(all.len() + (all.len() / 4).max(1));
        all.into_iter().for_each(|value| self.write(value));
    }

    fn get(&self, place: usize) -> f64 {
        self.frame.read(&self.bytes, place)
    }

    pub fn drop_front(&mut self, count: usize) {
        let width = self.frame.width as usize;
        self.bytes.copy_within(count * width..self.len() * width, 0);
        self.frame.count -= count as u32;
        if 2 * self.used() < self.bytes.len() {
            self.make_room(self.len());
        }
    }

    pub fn clear(&mut self) {
        *self = Values::default();
    }

    /// Bytes of memory beside its own size.
    pub fn heap(&self) -> usize {
        self.bytes.len()
    }

    pub fn view(&self) -> View<'_> {
        View(Form::Packed(self.frame, &self.bytes))
    }
}

impl Frame {
    /// The narrowest one for some values and one more.
    fn of(all: &[f64], next: f64) -> Frame {
        let measured = || all.iter().chain([&next]).filter(|value| !is_stale(**value));
        let last = measured().next_back().copied().unwrap_or(next);
        for digits in 0..UNITS.len() as u8 {
            let Some(base) = units(last, digits) else { continue };
            let all: Option<Vec<i64>> =
                measured().map(|value| Some(units(*value, digits)? - base)).collect();
            let Some(all) = all else { continue };
            let fits = |width: &u8| all.iter().all(|distance| is_within(*distance, *width));
            if let Some(width) = WIDTHS.into_iter().find(fits) {
                return Frame { base: base as u64, width, digits, count: 0 };
            }
        }
        Frame { base: 0, width: 8, digits: 0, count: 0 }
    }

    fn fits(self, value: f64) -> bool {
        match self.width {
            0 => value.to_bits() == self.base,
            8 => true,
            _ => self.distance(value).is_some(),
        }
    }

    fn distance(self, value: f64) -> Option<i64> {
        if is_stale(value) {
            return Some(marker(self.width));
        }
        let distance = units(value, self.digits)? - self.base as i64;
        is_within(distance, self.width).then_some(distance)
    }

    fn read(self, bytes: &[u8], place: usize) -> f64 {
        let distance = match self.width {
            0 => return f64::from_bits(self.base),
            1 => i64::from(bytes[place] as i8),
            2 => i64::from(i16::from_le_bytes(nth(bytes, place))),
            4 => i64::from(i32::from_le_bytes(nth(bytes, place))),
            _ => return f64::from_le_bytes(nth(bytes, place)),
        };
        if distance == marker(self.width) {
            return stale_marker();
        }
        let whole = (self.base as i64 + distance) as f64;
        match self.digits {
            0 => whole, // most are, and a division takes its time
            digits => whole / UNITS[digits as usize],
        }
    }
}

fn nth<const WIDTH: usize>(bytes: &[u8], place: usize) -> [u8; WIDTH] {
    let from = place * WIDTH;
    bytes[from..from + WIDTH].try_into().expect("as many as asked for")
}

/// The distance that is none: it stands for the marker that ends a series.
fn marker(width: u8) -> i64 {
    -1 << (8 * width - 1)
}

fn is_within(distance: i64, width: u8) -> bool {
    marker(width) < distance && distance < -marker(width)
}

/// A value in units, if it is that to the bit.
fn units(value: f64, digits: u8) -> Option<i64> {
    let unit = UNITS[digits as usize];
    let whole = (value * unit).round();
    let is_exact = whole.abs() <= EXACT_MAX && (whole / unit).to_bits() == value.to_bits();
    // Zero has two signs, and a whole number one.
    (is_exact && whole.to_bits() != (-0.0f64).to_bits()).then_some(whole as i64)
}

/// Some values in a row, wherever they are.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a>(Form<'a>);

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    Packed(Frame, &'a [u8]),
    Plain(&'a [f64]),
}

impl<'a> View<'a> {
    pub fn plain(values: &'a [f64]) -> View<'a> {
        View(Form::Plain(values))
    }

    /// Whether all are known to be the same to the bit.
    pub fn is_level(self) -> bool {
        matches!(self.0, Form::Packed(Frame { width: 0, .. }, _))
    }

    pub fn get(self, place: usize) -> f64 {
        match self.0 {
            Form::Packed(frame, bytes) => frame.read(bytes, place),
            Form::Plain(values) => values[place],
        }
    }

    /// Without the first ones.
    pub fn from(self, place: usize) -> View<'a> {
        View(match self.0 {
            Form::Packed(frame, bytes) => {
                Form::Packed(frame, &bytes[place * frame.width as usize..])
            }
            Form::Plain(values) => Form::Plain(&values[place..]),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(all: &[f64]) -> Values {
        let mut values = Values::default();
        all.iter().for_each(|value| values.push(*value));
        values
    }

    fn bits(values: &Values) -> Vec<u64> {
        (0..values.len()).map(|place| values.view().get(place).to_bits()).collect()
    }

    #[test]
    fn takes_as_many_bytes_as_the_widest_distance_needs() {
        let width = |all: &[f64]| kept(all).frame.width;
        assert_eq!(width(&[7.0; 100]), 0);
        assert_eq!(width(&[1e15, 1e15 + 1.0, stale_marker(), 1e15 + 127.0]), 1);
        assert_eq!(width(&[12_345.67, 12_346.01, 12_400.5]), 2, "hundredths");
        assert_eq!(width(&[1e-9, 2.5e-5]), 2, "nanoseconds");
        assert_eq!(width(&[0.0, 2e9]), 4);
        assert_eq!(width(&[0.1, 1.0 / 3.0]), 8);
        assert_eq!(width(&[0.0, -0.0]), 8, "two zeros");
        assert_eq!(width(&[stale_marker(); 3]), 0);
    }

    #[test]
    fn moves_its_base_along_with_a_counter() {
        let mut values = Values::default();
        for step in 0..10_000 {
            values.push(f64::from(step) * 3.0);
            if values.len() > 20 {
                values.drop_front(1);
            }
            assert!(values.frame.width <= 1, "{step}");
        }
        assert_eq!(values.view().get(19), 29_997.0);
    }

    /// What exporters show, and what nobody should.
    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (0i64..50).prop_map(|n| n as f64),
            4 => (-99_999i64..99_999, 0i32..11).prop_map(|(n, d)| n as f64 / 10f64.powi(d)),
            2 => any::<u64>().prop_map(f64::from_bits),
            1 => Just(stale_marker()),
            1 => Just(-0.0),
            1 => Just(EXACT_MAX),
        ]
    }

    proptest! {
        #[test]
        fn gives_back_every_bit(
            all in prop::collection::vec(value(), 1..60),
            cut in 0usize..60,
            more in prop::collection::vec(value(), 0..20),
        ) {
            let mut values = kept(&all);
            let cut = cut.min(all.len());
            values.drop_front(cut);
            more.iter().for_each(|value| values.push(*value));
            let left: Vec<u64> = all[cut..].iter().chain(&more).map(|v| v.to_bits()).collect();
            prop_assert_eq!(bits(&values), left);
        }
    }
}
