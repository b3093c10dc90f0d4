//! A scraped body, read: which samples are wanted, and which slot each has.
//!
//! Skipping comes first: a line whose name nobody wants costs a look at its
//! name and a jump to its end. A series that was there at the last scrape, in
//! the same place, costs a comparison of bytes and a number.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::exposition::{Comment, Dialect, Lines, comment, labels, name_end, split_series, tail};
use super::families::{Families, NAMES_MAX};
use super::table::Hash;
use super::{Page, Slot, Table};
use crate::model::{Labels, Timestamp};

/// Longest line that is read; longer ones are bad lines. A label value of a
/// megabyte has been seen; ten are a mistake.
const LINE_BYTES_MAX: usize = 10 << 20;

/// Most labels of one series (Prometheus's own servers default to none).
const LABELS_MAX: usize = 128;

/// Which samples are kept of a scrape.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Sample names (`x_bucket`, not `x`); `None`: everything.
    names: Option<HashMap<Box<[u8]>, (), Hash>>, // lookup only
    /// Whether the page lists all families there are, too.
    lists: bool,
}

impl Wanted {
    /// Everything, and a list of the families there are.
    pub fn all() -> Wanted {
        Wanted { names: None, lists: true }
    }

    /// Samples of these names.
    pub fn names<'a>(names: impl Iterator<Item = &'a str>) -> Wanted {
        let names = names.map(|name| (name.as_bytes().into(), ())).collect();
        Wanted { names: Some(names), lists: false }
    }

    /// The same samples, and a list of the families there are.
    pub fn with_list(&self) -> Wanted {
        Wanted { lists: true, ..self.clone() }
    }

    /// Whether families are listed.
    pub fn lists(&self) -> bool {
        self.lists
    }

    /// Whether samples of this name are.
    pub fn has(&self, name: &[u8]) -> bool {
        self.names.as_ref().is_none_or(|names| names.contains_key(name))
    }
}

/// Reads a body. Bad lines among the wanted are counted, the good ones kept.
///
/// # Errors
/// A failed scrape: a body without a single readable sample (an HTML page),
/// one that is cut off, or one that is not UTF-8.
pub fn read_page(
    body: &[u8],
    content_type: Option<&str>,
    wanted: &Wanted,
    table: &mut Table,
) -> Result<Page, String> {
    let text = std::str::from_utf8(body)
        .map_err(|error| format!("not UTF-8 at byte {}", error.valid_up_to()))?;
    let mut reader = Reader::new(wanted, table, Dialect::of(content_type));
    let read = reader.read(text);
    let mut page = reader.page;
    if let Err(why) = read {
        table.unlearn(&page);
        return Err(why);
    }
    table.name(&mut page);
    page.bytes = body.len() as u64;
    Ok(page)
}

impl Page {
    pub(super) fn limit(&mut self, what: &'static str, detail: impl FnOnce() -> String) {
        if !self.limits.iter().any(|(known, _)| *known == what) {
            self.limits.push((what, detail()));
        }
    }
}

struct Reader<'a, 'w> {
    wanted: &'w Wanted,
    table: &'w mut Table,
    dialect: Dialect,
    page: Page,
    families: Option<Families>,
    /// The name of the line before, and whether it was wanted.
    last: (&'a str, bool),
    /// Lines that were read to their end. While there is none, lines that
    /// nobody wants are read too: a page of words must not pass for samples.
    verified: u64,
    bad: u64,
    order: Vec<Slot>,
    /// The labels of the series that was learned last, as they stood there:
    /// the next has most of its texts in the same places.
    recent: Vec<(Arc<str>, Arc<str>)>,
    line: u32,
    is_complete: bool,
}

impl<'a, 'w> Reader<'a, 'w> {
    fn new(wanted: &'w Wanted, table: &'w mut Table, dialect: Dialect) -> Reader<'a, 'w> {
        table.page += 1;
        let order = Vec::with_capacity(table.order.len());
        let families = wanted.lists.then(Families::default);
        let page = Page { samples: Vec::with_capacity(table.order.len()), ..Page::default() };
        Reader {
            wanted,
            table,
            dialect,
            page,
            families,
            last: ("", false),
            verified: 0,
            bad: 0,
            order,
            recent: Vec::new(),
            line: 0,
            is_complete: false,
        }
    }

    fn read(&mut self, text: &'a str) -> Result<(), String> {
        let mut lines = Lines::of(text);
        while let Some((line, ended)) = lines.next() {
            self.line += 1;
            if let Err(what) = self.line(line, ended) {
                if !ended {
                    return Err(format!("cut off in line {}: {what}", self.line));
                }
                self.spoil(what);
            }
            if self.is_complete && !lines.rest().is_empty() {
                return Err(format!("there is more after # EOF, in line {}", self.line + 1));
            }
        }
        if self.dialect == Dialect::OpenMetrics && !self.is_complete {
            return Err("cut off: OpenMetrics ends with # EOF".to_owned());
        }
        if self.verified == 0 && self.bad > 0 {
            let (line, what) = self.page.first_bad.clone().unwrap_or_default();
            return Err(format!("no exposition: line {line}: {what}"));
        }
        if self.verified == 0 {
            self.page.limit("empty-page", || "a page of metrics without any sample".to_owned());
        }
        if self.order != *self.table.order {
            self.order.shrink_to_fit();
            self.table.order = Arc::new(std::mem::take(&mut self.order));
            self.table.has_changed = true;
        }
        if let Some(families) = self.families.take() {
            if families.is_full {
                let detail = || format!("more than {NAMES_MAX} metrics; the rest is not listed");
                self.page.limit("metrics", detail);
            }
            self.page.families = families.finish();
        }
        Ok(())
    }

    fn spoil(&mut self, what: &'static str) {
        self.bad += 1;
        self.page.bad_lines = self.page.bad_lines.saturating_add(1);
        self.page.first_bad.get_or_insert((self.line, what.to_owned()));
    }

    fn line(&mut self, line: &'a str, ended: bool) -> Result<(), &'static str> {
        let line = line.trim_start_matches([' ', '\t']);
        let Some(first) = line.as_bytes().first() else { return Ok(()) };
        if *first == b'#' {
            self.comment(line);
            return Ok(());
        }
        if line.len() > LINE_BYTES_MAX {
            self.page.limit("line", || format!("a line of more than {LINE_BYTES_MAX} bytes"));
            return Err("the line is too long");
        }
        // The order of the last page may hold what nobody wants any more: a
        // guess is made only behind the name.
        let wanted = self.is_wanted(line)?;
        if wanted && let Some((slot, rest)) = self.guess(line) {
            return self.sample(slot, rest);
        }
        if !wanted && ended && self.verified > 0 {
            return Ok(());
        }
        let (series, rest) = split_series(line)?;
        let slot = match self.table.shape.spelled.slot_of(series.as_bytes()) {
            _ if !wanted => None,
            Some(slot) if self.families.is_none() => self.table.take(slot, &mut self.page),
            Some(_) | None => self.learn(series)?,
        };
        match slot {
            Some(slot) => self.sample(slot, rest)?,
            None => {
                tail(rest, self.dialect)?;
                self.verified += 1;
            }
        }
        if let Some(families) = &mut self.families {
            families.accept();
        }
        Ok(())
    }

    fn comment(&mut self, line: &'a str) {
        match comment(line) {
            Comment::Type(name, kind) => {
                if let Some(families) = &mut self.families {
                    families.declare(name, kind);
                }
            }
            Comment::Eof => self.is_complete = self.dialect == Dialect::OpenMetrics,
            Comment::Other => {}
        }
    }

    /// Bets that this line is the series that stood here on the last page.
    fn guess(&mut self, line: &'a str) -> Option<(Slot, &'a str)> {
        if self.families.is_some() {
            return None;
        }
        let slot = *self.table.order.get(self.order.len())?;
        let key = self.table.shape.spelled.of(slot);
        let rest = line.as_bytes().strip_prefix(key)?;
        if key.is_empty() || !matches!(rest.first(), Some(b' ' | b'\t')) {
            return None;
        }
        if key.last() != Some(&b'}') && rest.trim_ascii_start().first() == Some(&b'{') {
            return None; // `x` stood here, and now `x {a="b"}` does
        }
        let end = key.len();
        let slot = self.table.take(slot, &mut self.page)?;
        Some((slot, &line[end..]))
    }

    /// By its name alone; lines of one family stand together, so the answer
    /// of the line before mostly holds.
    fn is_wanted(&mut self, line: &'a str) -> Result<bool, &'static str> {
        if self.wanted.lists {
            return Ok(true); // to be looked at, if not kept
        }
        let (name, known) = self.last;
        if !name.is_empty()
            && line.len() > name.len()
            && line.starts_with(name)
            && matches!(line.as_bytes()[name.len()], b'{' | b' ' | b'\t')
        {
            return Ok(known);
        }
        let end = name_end(line);
        if end == 0 {
            if !line.starts_with('{') {
                return Err("expected a metric name");
            }
            let (series, _) = split_series(line)?;
            let name = labels(series, &mut |_, _| {})?;
            return Ok(self.wanted.has(name.as_bytes()));
        }
        let name = &line[..end];
        self.last = (name, self.wanted.has(name.as_bytes()));
        Ok(self.last.1)
    }

    fn learn(&mut self, series: &'a str) -> Result<Option<Slot>, &'static str> {
        let mut pairs: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        let name = labels(series, &mut |name, value| pairs.push((name, value)))?;
        if name.is_empty() {
            return Err("expected a metric name");
        }
        if pairs.len() > LABELS_MAX {
            self.page.limit("labels", || format!("a series with more than {LABELS_MAX} labels"));
            return Err("the series has too many labels");
        }
        if let Some(families) = &mut self.families {
            families.see(&name, &pairs);
        }
        let is_twice = |(at, (name, _)): (usize, &(Cow<'a, str>, Cow<'a, str>))| {
            pairs[..at].iter().any(|(before, _)| before == name)
        };
        if pairs.iter().enumerate().any(is_twice) {
            return Err("a label is given twice");
        }
        if !self.wanted.has(name.as_bytes()) {
            return Ok(None);
        }
        let labels = self.share(&pairs);
        let slot = self.table.slot_of(&name, &labels, &mut self.page);
        if let Some(slot) = slot
            && self.table.shape.spelled.is_news(slot, series.as_bytes())
        {
            self.table.shape_mut().spelled.learn(slot, series.as_bytes());
        }
        Ok(slot)
    }

    /// The labels, with the texts of the series before where they are the same.
    fn share(&mut self, pairs: &[(Cow<'a, str>, Cow<'a, str>)]) -> Labels {
        self.recent.truncate(pairs.len());
        for (place, (name, value)) in pairs.iter().enumerate() {
            match self.recent.get_mut(place) {
                Some(before) => {
                    for (text, now) in [(&mut before.0, name), (&mut before.1, value)] {
                        if **text != **now {
                            *text = Arc::from(&**now);
                        }
                    }
                }
                None => self.recent.push((Arc::from(&**name), Arc::from(&**value))),
            }
        }
        Labels::from_pairs(self.recent.iter().cloned())
    }

    fn sample(&mut self, slot: Slot, rest: &str) -> Result<(), &'static str> {
        let tail = tail(rest, self.dialect)?;
        self.verified += 1;
        self.order.push(slot);
        if let Some(stamp) = tail.stamp {
            let index = u32::try_from(self.page.samples.len()).unwrap_or(u32::MAX);
            self.page.stamped.push((index, Timestamp::from_millis(stamp)));
        }
        self.page.samples.push((slot, tail.value));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
