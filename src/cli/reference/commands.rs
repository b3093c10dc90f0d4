//! The pages of all commands and of their exit codes.

use clap::{Arg, Command};

use super::super::exit::Exit;
use super::{code, table};

/// All commands with their options.
pub(super) fn page(all: &Command) -> String {
    let mut page = "# Commands\n\n\
        `bakewatch COMMAND --help` prints the same; `bakewatch man COMMAND` is its manual page, \
        `bakewatch completions SHELL` completes the command line. \
        What a command ends with is in [exit codes](exit-codes.md).\n"
        .to_owned();
    for command in all.get_subcommands().filter(|command| !command.is_hide_set()) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        page.push_str(&format!("\n## `bakewatch {}`\n\n{about}.\n\n", command.get_name()));
        let arguments = command.get_arguments().filter(|argument| !argument.is_hide_set());
        page.push_str(&table(&["argument", "means"], arguments.map(row)));
    }
    page
}

fn row(argument: &Arg) -> Vec<String> {
    let takes = argument.get_action().takes_values();
    let names = argument.get_value_names().unwrap_or_default();
    let value = names.first().map(ToString::to_string).unwrap_or_default();
    let words = match (argument.get_short(), argument.get_long()) {
        (_, None) if argument.is_required_set() => value.clone(),
        (_, None) => format!("[{value}]"),
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) => format!("--{long}"),
    };
    let is_option = argument.get_long().is_some();
    let words = if takes && is_option { format!("{words} {value}") } else { words };
    let mut about = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes)
        .map(|choice| code(choice.get_name()))
        .collect();
    if !choices.is_empty() {
        about.push_str(&format!(": {}", choices.join(", ")));
    }
    if argument.is_required_set() && is_option {
        about.push_str(" (needed)");
    }
    vec![code(&words), about]
}

/// The one table of exit codes.
pub(super) fn exit_codes() -> String {
    let row = |exit: Exit| vec![exit.code().to_string(), exit.about().to_owned()];
    let head = "# Exit codes\n\nOne table for all commands.\n\n";
    let tail = "\nA unit for systemd restarts after none of 1, 2, 3 and 5: a verdict stands, and \
        a configuration is not mended by a restart.\n";
    format!("{head}{}{tail}", table(&["code", "means"], Exit::ALL.map(row)))
}
