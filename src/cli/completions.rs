//! `completions`: what a shell needs to complete the command line, made from
//! the table of commands.

use clap::{Args, ValueEnum};
use clap_complete::{Shell, generate};

use super::exit::Exit;
use super::out;

/// Options of `completions`.
#[derive(Args)]
pub struct Completions {
    /// The shell that is to complete
    shell: For,
}

/// The shells there are completions for.
#[derive(Clone, Copy, ValueEnum)]
enum For {
    Bash,
    Zsh,
    Fish,
}

/// Runs it.
///
/// # Errors
/// The output cannot be written.
pub fn run(given: &Completions) -> Result<Exit, String> {
    out::print(&text(given.shell))?;
    Ok(Exit::Good)
}

fn text(shell: For) -> String {
    let shell = match shell {
        For::Bash => Shell::Bash,
        For::Zsh => Shell::Zsh,
        For::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut super::command(), "bakewatch", &mut script);
    String::from_utf8(script).expect("a script of our own words")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_each_command_and_each_of_its_options_in_each_shell() {
        for shell in [For::Bash, For::Zsh, For::Fish] {
            let script = text(shell);
            for command in super::super::command().get_subcommands() {
                assert!(script.contains(command.get_name()), "{}", command.get_name());
                for option in command.get_arguments().filter_map(|option| option.get_long()) {
                    let forms = [format!("--{option}"), format!("-l {option}")];
                    let known = forms.iter().any(|form| script.contains(form));
                    assert!(known, "{} --{option}", command.get_name());
                }
            }
        }
    }
}
