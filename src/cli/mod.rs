//! The command line: one file a command, one table of exit codes.

mod account;
mod ack;
mod acquaint;
mod check;
mod completions;
mod deliveries;
mod demo;
mod doors;
pub mod exit;
mod load;
mod log;
mod man;
mod order;
mod out;
mod output;
mod place;
mod query;
pub mod reference;
mod rehearse;
mod report;
mod run;
mod silence;
mod smoke;
mod status;

use clap::{CommandFactory, Parser, Subcommand};

use exit::Exit;

/// Stands watch over a release through its first day and its first week.
#[derive(Parser)]
#[command(name = "bakewatch", version, about, after_help = exit::help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Watches a release: smoke, first day, first week; exits by the verdict
    #[command(after_help = exit::help())]
    Run(Box<run::Run>),
    /// Runs the smoke suite alone
    #[command(after_help = exit::help())]
    Smoke(smoke::Smoke),
    /// Checks the configuration and shows what would be watched
    #[command(after_help = exit::help())]
    Check(check::Check),
    /// Shows each watch: where it stands, what burns, how telling goes
    #[command(after_help = exit::help())]
    Status(status::Status),
    /// Lists what each channel was told, and what became of it
    #[command(after_help = exit::help())]
    Deliveries(deliveries::Deliveries),
    /// Tells a running watch that somebody is on an incident
    #[command(after_help = exit::help())]
    Ack(ack::Ack),
    /// Asks a running watch what its series are, in PromQL
    #[command(after_help = exit::help())]
    Query(query::Ask),
    /// Says of which alerts nobody is to be told for a while
    #[command(after_help = exit::help())]
    Silence(silence::Silencing),
    /// Sends a test alert through every channel, and shows the receipts
    #[command(after_help = exit::help())]
    Rehearse(rehearse::Rehearse),
    /// Watches an invented service through a week in under a minute
    Demo(demo::Demo),
    /// Prints the summary of a closed window
    #[command(after_help = exit::help())]
    Report(report::Report),
    /// Prints the script by which a shell completes the command line
    Completions(completions::Completions),
    /// Prints a manual page, or writes all of them
    Man(man::Manual),
}

/// The table of commands, from which completions, manual and reference are made.
fn command() -> clap::Command {
    Cli::command()
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
        Command::Check(given) if !given.test.is_empty() => check::test(&given),
        Command::Check(given) => check::run(&given),
        Command::Status(given) => status::run(&given),
        Command::Deliveries(given) => wait_for(deliveries::run(&given)),
        Command::Ack(given) => wait_for(ack::run(&given)),
        Command::Rehearse(given) => wait_for(rehearse::run(&given)),
        Command::Query(given) => wait_for(query::run(&given)),
        Command::Silence(given) => wait_for(silence::run(&given)),
        Command::Report(given) => report::run(&given),
        Command::Completions(given) => completions::run(&given),
        Command::Man(given) => man::run(&given),
        Command::Run(given) => wait_for(run::run(*given)),
        Command::Demo(given) => wait_for(demo::run(given)),
        Command::Smoke(given) => wait_for(smoke::run(&given)),
    };
    done.unwrap_or_else(|error| {
        out::complain(error);
        Exit::Usage
    })
}

/// Whether the program takes these arguments; nothing is done.
///
/// # Errors
/// What is wrong with them, as it would be printed.
pub fn understands(arguments: &[String]) -> Result<(), String> {
    let all = std::iter::once("bakewatch").chain(arguments.iter().map(String::as_str));
    Cli::try_parse_from(all).map(|_| ()).map_err(|wrong| wrong.to_string())
}

/// One thread for the loop and for what it asks: an answer that wakes another
/// thread costs more than what is in it. What takes long runs aside.
fn wait_for(command: impl Future<Output = Result<Exit, String>>) -> Result<Exit, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("the runtime cannot start: {error}"))?;
    let done = runtime.block_on(command);
    runtime.shutdown_background(); // a file that is still being read may never be
    done
}
