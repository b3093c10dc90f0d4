//! The command line: one file a command, one table of exit codes.

mod account;
mod acquaint;
mod check;
mod demo;
pub mod exit;
mod load;
mod log;
mod out;
mod place;
mod report;
mod run;
mod smoke;
mod status;

use clap::{Parser, Subcommand};

use exit::Exit;

/// Stands watch over a release through its first day and its first week.
#[derive(Parser)]
#[command(name = "bakewatch", version, about, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watches a release: smoke, first day, first week; exits by the verdict
    #[command(after_help = exit::HELP)]
    Run(Box<run::Run>),
    /// Runs the smoke suite alone
    #[command(after_help = exit::HELP)]
    Smoke(smoke::Smoke),
    /// Checks the configuration and shows what would be watched
    #[command(after_help = exit::HELP)]
    Check(check::Check),
    /// Shows each watch: where it stands, what burns, how telling goes
    #[command(after_help = exit::HELP)]
    Status(status::Status),
    /// Watches an invented service through a week in under a minute
    Demo(demo::Demo),
    /// Prints the summary of a closed window
    #[command(after_help = exit::HELP)]
    Report(report::Report),
}

/// Reads the arguments and does what they ask.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) => {
            let is_error = asked.use_stderr();
            // A reader who has gone away is no error here either.
            let _ = asked.print();
            return if is_error { Exit::Usage } else { Exit::Good };
        }
    };
    let done = match cli.command {
        Command::Check(given) if given.live => wait_for(check::live(&given)),
        Command::Check(given) => check::run(&given),
        Command::Status(given) => status::run(&given),
        Command::Report(given) => report::run(&given),
        Command::Run(given) => wait_for(run::run(*given)),
        Command::Demo(given) => wait_for(demo::run(given)),
        Command::Smoke(given) => wait_for(smoke::run(&given)),
    };
    done.unwrap_or_else(|error| {
        out::complain(error);
        Exit::Usage
    })
}

fn wait_for(command: impl Future<Output = Result<Exit, String>>) -> Result<Exit, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| format!("the runtime cannot start: {error}"))?.block_on(command)
}
