//! `man`: manual pages, made from the table of commands.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::out;

/// Options of `man`.
#[derive(Args)]
pub struct Manual {
    /// The command whose page is printed, for example `run`; the program's own
    /// without
    #[arg(value_name = "COMMAND")]
    name: Option<String>,
    /// Writes all pages into this directory instead
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    dir: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// There is no such command, or a page cannot be written.
pub fn run(given: &Manual) -> Result<Exit, String> {
    if let Some(dir) = &given.dir {
        write(dir)?;
        return Ok(Exit::Good);
    }
    let wanted = match &given.name {
        None => "bakewatch.1".to_owned(),
        Some(name) => format!("bakewatch-{name}.1"),
    };
    let pages = pages();
    let Some((_, page)) = pages.iter().find(|(file, _)| *file == wanted) else {
        let known = super::command();
        let names: Vec<&str> = known.get_subcommands().map(|command| command.get_name()).collect();
        return Err(format!("there is no such command; there is {}", names.join(", ")));
    };
    out::print(page)?;
    Ok(Exit::Good)
}

fn write(dir: &Path) -> Result<(), String> {
    let at = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(dir).map_err(|error| at(dir, error))?;
    for (file, page) in pages() {
        let path = dir.join(file);
        fs::write(&path, page).map_err(|error| at(&path, error))?;
    }
    Ok(())
}

/// Every page under its file's name, the program's own first.
fn pages() -> Vec<(String, String)> {
    let mut all = super::command().disable_help_subcommand(true);
    all.build();
    let commands: Vec<clap::Command> = all.get_subcommands().cloned().collect();
    std::iter::once(all).chain(commands).map(page).collect()
}

fn page(command: clap::Command) -> (String, String) {
    let page = clap_mangen::Man::new(command)
        .source(concat!("bakewatch ", env!("CARGO_PKG_VERSION")))
        .manual("bakewatch");
    let mut text = Vec::new();
    page.render(&mut text).expect("memory takes it");
    (page.get_filename(), String::from_utf8(text).expect("a page of our own words"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_a_page_for_each_command_with_each_of_its_options_and_the_exit_codes() {
        let pages = pages();
        let page = |file: &str| &pages.iter().find(|(name, _)| name == file).expect(file).1;
        assert!(page("bakewatch.1").contains("Exit codes"));
        for command in super::super::command().get_subcommands() {
            let text = page(&format!("bakewatch-{}.1", command.get_name()));
            for option in command.get_arguments().filter_map(|option| option.get_long()) {
                let written = format!("\\-\\-{}", option.replace('-', "\\-"));
                assert!(text.contains(&written), "{} {option}", command.get_name());
            }
        }
    }

    #[test]
    fn writes_all_of_them_and_knows_what_it_has_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let given = Manual { name: None, dir: Some(dir.path().join("man1")) };
        assert_eq!(run(&given).map(Exit::code), Ok(0));
        assert!(dir.path().join("man1/bakewatch-run.1").exists());
        let unknown = Manual { name: Some("rnu".to_owned()), dir: None };
        assert!(run(&unknown).is_err_and(|error| error.contains("run, smoke")));
    }
}
