//! `--output`: the forms in which a smoke suite's results are told, and where.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::out;
use crate::report::smoke::{Format, SmokeRun};

/// The option, of every command that runs a suite.
#[derive(Args, Clone, Debug, Default)]
pub struct Given {
    /// How results are told: text, junit, tap, json, html, github, gitlab or
    /// markdown, to standard output or with =FILE to a file; may be repeated
    #[arg(long = "output", value_name = "KIND[=FILE]")]
    outputs: Vec<String>,
}

/// One form, and where it goes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Output {
    format: Format,
    /// `None`: to standard output.
    file: Option<PathBuf>,
}

impl Given {
    /// All that was asked for; without a word of it text.
    ///
    /// # Errors
    /// An unknown form, two things in one place, or a file without a folder.
    pub fn read(&self) -> Result<Vec<Output>, String> {
        let mut outputs: Vec<Output> = Vec::new();
        for text in &self.outputs {
            let output = one(text)?;
            let taken = outputs.iter().find(|other| match (&other.file, &output.file) {
                (None, None) => {
                    !is_log(other.format) || !is_log(output.format) || **other == output
                }
                (Some(a), Some(b)) => a == b,
                _ => false,
            });
            if let Some(other) = taken {
                let (first, second) = (other.format.name(), output.format.name());
                let remedy = format!("write for example {second}=smoke.{second}");
                return Err(format!("--output: {first} and {second} in one place; {remedy}"));
            }
            outputs.push(output);
        }
        if outputs.is_empty() {
            outputs.push(Output { format: Format::Text, file: None });
        }
        Ok(outputs)
    }

    /// The same for a command that says more on standard output than results:
    /// a document there would not be whole.
    ///
    /// # Errors
    /// As `read`, or a document without a file.
    pub fn read_beside_a_log(&self) -> Result<Vec<Output>, String> {
        let outputs = self.read()?;
        match outputs.iter().find(|one| one.file.is_none() && !is_log(one.format)) {
            None => Ok(outputs),
            Some(one) => {
                let name = one.format.name();
                let remedy = format!("write for example {name}=smoke.{name}");
                Err(format!("--output: {name} needs a file here; {remedy}"))
            }
        }
    }
}

/// Whether it may stand among other lines: annotations are lines of a log.
fn is_log(format: Format) -> bool {
    matches!(format, Format::Text | Format::Github)
}

fn one(text: &str) -> Result<Output, String> {
    let (name, file) = match text.split_once('=') {
        Some((_, "")) => return Err(format!("--output: {text:?} names no file")),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let format = Format::ALL.into_iter().find(|format| format.name() == name);
    let format = format.ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        format!("--output: unknown kind {name:?}; write one of {}", names.join(", "))
    })?;
    let folder = file.as_ref().and_then(|file| file.parent());
    if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
    {
        // Told now, not when the suite has run.
        return Err(format!("--output: {} is no folder; make it first", folder.display()));
    }
    Ok(Output { format, file })
}

impl Output {
    /// Whether it is text for standard output, which `run` prints as it goes.
    pub fn is_plain(&self) -> bool {
        self.format == Format::Text && self.file.is_none()
    }

    /// Writes the results where they are wanted.
    ///
    /// # Errors
    /// The file, or standard output, cannot be written.
    pub fn write(&self, runs: &[SmokeRun]) -> Result<(), String> {
        let text = self.format.render(runs);
        match &self.file {
            Some(file) => {
                fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))?;
            }
            None => out::print(&text)?,
        }
        if self.format == Format::Github { summarise(runs) } else { Ok(()) }
    }
}

/// Writes every output; the first that fails is told when all were tried.
///
/// # Errors
/// As `Output::write`.
pub fn write_all(outputs: &[Output], runs: &[SmokeRun]) -> Result<(), String> {
    let done: Vec<Result<(), String>> = outputs.iter().map(|one| one.write(runs)).collect();
    done.into_iter().collect()
}

/// The page of a GitHub job that runs us, if one does: what is added to this
/// file is shown on it.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

fn summarise(runs: &[SmokeRun]) -> Result<(), String> {
    let Some(file) = env::var_os(STEP_SUMMARY).filter(|file| !file.is_empty()) else {
        return Ok(());
    };
    let at = |error| format!("{STEP_SUMMARY}: {}: {error}", PathBuf::from(&file).display());
    let mut page = OpenOptions::new().create(true).append(true).open(&file).map_err(at)?;
    page.write_all(Format::Markdown.render(runs).as_bytes()).map_err(at)
}
