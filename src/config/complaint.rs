//! What is wrong with a configuration: where, what, and what would be right.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use crate::check::Place;

/// One error, or one warning.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Complaint {
    /// Line from 1; 0: not in the file (the command line, or something missing).
    pub line: usize,
    /// Column from 1, in characters; 0 with line 0.
    pub column: usize,
    /// The file as its user calls it; empty without a file.
    pub file: String,
    /// The key's path, `rule.QueueBacklog.query`; empty for a syntax error.
    pub key: String,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// `bakewatch.toml:12: windows.first-day.every: "5x" is not a duration; …`
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:", self.file)?;
        }
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        let gap = if self.file.is_empty() { "" } else { " " };
        f.write_str(gap)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

impl std::error::Error for Complaint {}

/// Where complaints are gathered, so that all of them come at once.
pub(super) struct Sink<'t> {
    file: &'t str,
    text: &'t str,
    complaints: RefCell<Vec<Complaint>>,
    warnings: RefCell<Vec<Complaint>>,
    unreadable: RefCell<Vec<usize>>,
}

impl<'t> Sink<'t> {
    pub fn new(file: &'t str, text: &'t str) -> Self {
        let (complaints, warnings) = (RefCell::default(), RefCell::default());
        Sink { file, text, complaints, warnings, unreadable: RefCell::default() }
    }

    /// Something at this byte of the text is wrong.
    pub fn error(&self, at: usize, key: &str, what: impl Into<String>) {
        self.complaints.borrow_mut().push(self.at(at, key, what.into()));
    }

    /// Something at this byte works, and is not what anybody would want.
    pub fn warn(&self, at: usize, key: &str, what: impl Into<String>) {
        self.warnings.borrow_mut().push(self.at(at, key, what.into()));
    }

    /// Something is wrong on the command line.
    pub fn given(&self, option: &str, what: impl Into<String>) {
        let (file, key) = (String::new(), option.to_owned());
        let what = what.into();
        self.complaints.borrow_mut().push(Complaint { line: 0, column: 0, file, key, what });
    }

    /// Something is wrong with the file as a whole; or, without one, with what was asked.
    pub fn whole(&self, key: &str, what: impl Into<String>) {
        self.complaints.borrow_mut().push(self.nowhere(key, what.into()));
    }

    /// The same as a warning.
    pub fn warn_whole(&self, key: &str, what: impl Into<String>) {
        self.warnings.borrow_mut().push(self.nowhere(key, what.into()));
    }

    /// No TOML here.
    pub fn syntax(&self, span: Option<Range<usize>>, message: &str) {
        let at = span.map_or(0, |span| span.start);
        let mut complaint = self.at(at, "", String::new());
        complaint.what = format!("column {}: not TOML: {message}", complaint.column);
        self.unreadable.borrow_mut().push(complaint.line);
        self.complaints.borrow_mut().push(complaint);
    }

    /// The line of a byte, from 1.
    pub fn line(&self, at: usize) -> usize {
        self.at(at, "", String::new()).line
    }

    /// A place in words, before what is told of it: file, line and key.
    pub fn said(&self, at: usize, key: &str) -> String {
        let Complaint { file, line, key, .. } = self.at(at, key, String::new());
        format!("{file}:{line}: {key}")
    }

    /// The line of a byte, in words for people: file and number.
    pub fn place(&self, at: usize) -> Place {
        Place { file: self.file.to_owned(), line: self.line(at) }
    }

    pub fn has_errors(&self) -> bool {
        !self.complaints.borrow().is_empty()
    }

    /// Errors and warnings, in the order of the file. What a syntax error makes
    /// unreadable may only seem to be missing or wrong: such complaints wait
    /// until it is mended.
    pub fn finish(self) -> (Vec<Complaint>, Vec<Complaint>) {
        let unreadable: Vec<_> =
            self.unreadable.borrow().iter().map(|line| self.spoilt(*line)).collect();
        let in_order = |mut all: Vec<Complaint>| {
            all.sort();
            all.dedup();
            all
        };
        let mut complaints = in_order(self.complaints.into_inner());
        if !unreadable.is_empty() {
            complaints.retain(|complaint| {
                let is_spoilt = unreadable.iter().any(|lines| lines.contains(&complaint.line));
                let is_doubtful = complaint.line == 0 || is_spoilt;
                complaint.key.is_empty() || !(is_doubtful || complaint.what.contains("missing"))
            });
        }
        (complaints, in_order(self.warnings.into_inner()))
    }

    /// The lines that one that is no TOML makes doubtful: without a table's head
    /// nobody knows where the keys below it belong.
    fn spoilt(&self, line: usize) -> Range<usize> {
        let is_head = |text: &str| text.trim_start().starts_with('[');
        let mut from = self.text.lines().skip(line - 1);
        if !from.next().is_some_and(is_head) {
            return line..line + 1;
        }
        let below = from.take_while(|text| !is_head(text)).count();
        line..line + 1 + below
    }

    fn nowhere(&self, key: &str, what: String) -> Complaint {
        let (file, key) = (self.file.to_owned(), key.to_owned());
        Complaint { line: 0, column: 0, file, key, what }
    }

    fn at(&self, at: usize, key: &str, what: String) -> Complaint {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before[start..].chars().count() + 1;
        Complaint { line, column, ..self.nowhere(key, what) }
    }
}

/// The nearest of what is known, when it is near enough to have been meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let best = known.into_iter().map(|name| (distance(name), name)).min()?;
    // A third of the letters may be wrong, and two in a short word.
    let allowed = (best.1.chars().count() / 3).max(2);
    (best.0 <= allowed && best.0 < best.1.chars().count()).then_some(best.1)
}

/// `did you mean …?` or, with nothing near, all that there is.
pub(super) fn instead(word: &str, known: &[&str]) -> String {
    match nearest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", listed(known)),
    }
}

/// `a`, `b` and `c`.
pub(super) fn listed(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant_and_does_not_guess_wildly() {
        assert_eq!(nearest("servcie", ["service", "url"]), Some("service"));
        assert_eq!(nearest("Severity", ["severities", "severity"]), Some("severity"));
        assert_eq!(nearest("xyz", ["url", "name"]), None);
        assert_eq!(nearest("a", []), None);
    }

    #[test]
    fn counts_lines_and_columns_in_characters() {
        let sink = Sink::new("f", "ä = 1\nöü = 2\n");
        sink.error("ä = 1\nöü = ".len(), "k", "w");
        let (complaints, _) = sink.finish();
        assert_eq!((complaints[0].line, complaints[0].column), (2, 6));
        assert_eq!(complaints[0].to_string(), "f:2: k: w");
    }
}
