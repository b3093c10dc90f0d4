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
