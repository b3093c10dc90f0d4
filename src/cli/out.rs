//! Standard output and error. A reader who has gone away (`| head`) is no error.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints a text as it is to standard output.
///
/// # Errors
/// The output cannot be written, for another reason than a closed pipe.
pub fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        _ => Ok(()),
    }
}

/// Says what went wrong on standard error; there is nobody to tell if that fails.
pub fn complain(what: impl Display) {
    let _ = writeln!(io::stderr().lock(), "bakewatch: {what}");
}

/// Rows of cells in columns of one width each; the first row is the head.
pub fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}
