//! A letter by a program of the site's own: the JSON of a webhook on its
//! standard input, and its exit code for an answer. No shell, no environment but
//! what the channel lists, and a process group that ends with the time limit.
//!
//! | it ends with | that means |
//! |---|---|
//! | 0 | taken |
//! | 64, 65, 66, 67, 68, 77, 78 (usage, data, configuration, permission) | refused for good |
//! | 75 and any other code | refused for now: tried again |
//! | a signal, or not within the time | nobody knows: the same letter is tried again |

use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::secrets::Secrets;
use super::webhook::{refused, words_of};
use crate::model::{Secret, Span};
use crate::record::Outcome;

/// Where programs are found that the command starts by their name alone.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// As much of what it says of an error as is read.
const STDERR_BYTES_MAX: u64 = 64 << 10;

/// What it started and left behind may hold its error output open: nobody waits
/// longer for more of it.
const STDERR_GRACE: Duration = Duration::from_millis(200);

/// Exit codes by which a program says that trying again is pointless (sysexits.h).
const POINTLESS: [i32; 7] = [64, 65, 66, 67, 68, 77, 78];

/// One try of one letter.
pub struct Try<'a> {
    /// What is read from standard input.
    pub json: &'a str,
    /// The letter's key: the same on every try.
    pub key: &'a str,
    /// For the whole try.
    pub timeout: Span,
    /// The facts behind it could not be stored.
    pub not_stored: bool,
}

/// Ends the whole group if nobody has seen the program end.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Gone already: nothing to end.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

/// Runs it, and says what became of the letter.
pub async fn deliver(
    secrets: &Secrets,
    run: &[String],
    env: &[(String, Secret)],
    one: Try<'_>,
) -> Outcome {
    let mut hidden = Vec::new();
    let mut command = Command::new(&run[0]);
    command.args(&run[1..]).env_clear().env("PATH", PATH).env("BAKEWATCH_KEY", one.key);
    if one.not_stored {
        command.env("BAKEWATCH_NOT_STORED", "true");
    }
    for (name, secret) in env {
        match secrets.resolve(secret).await {
            Ok(value) => {
                command.env(name, &value);
                hidden.push(value);
            }
            Err(detail) => return refused(detail, false),
        }
    }
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.current_dir("/").process_group(0).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return refused(format!("{} does not start: {error}", run[0]), false),
    };
    let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let mut group = Group(leader);
    let mut said = Vec::new();
    let ending = ending(&mut child, one.json, &mut said);
    match tokio::time::timeout(one.timeout.to_std(), ending).await {
        Ok(Ok(status)) => {
            group.0 = None; // what it left running is its own
            ended(status, &words_of(&said, &hidden))
        }
        Ok(Err(error)) => Outcome::Unknown { detail: format!("nobody saw it end: {error}") },
        Err(_) => {
            let words = words_of(&said, &hidden);
            let colon = if words.is_empty() { "" } else { ": " };
            Outcome::Unknown { detail: format!("ended after {}{colon}{words}", one.timeout) }
        }
    }
}

/// Writes, reads and waits at once: it may do these in any order, or leave some.
async fn ending(child: &mut Child, json: &str, said: &mut Vec<u8>) -> std::io::Result<ExitStatus> {
    let stdin = child.stdin.take();
    let mut stderr = child.stderr.take();
    let write = async {
        if let Some(mut stdin) = stdin {
            // One that does not read what it is told may still know what to do.
            let _ = stdin.write_all(json.as_bytes()).await;
        }
        std::future::pending::<()>().await;
    };
    let mut buffer = [0; 4096];
    let read = async {
        while let Some(stderr) = &mut stderr {
            match stderr.read(&mut buffer).await {
                Ok(0) | Err(_) => break,
                Ok(count) if (said.len() as u64) < STDERR_BYTES_MAX => {
                    said.extend_from_slice(&buffer[..count]);
                }
                Ok(_) => {} // drained, so that it is not held up
            }
        }
    };
    tokio::pin!(read);
    let mut is_read = false;
    let status = tokio::select! {
        status = child.wait() => status,
        () = write => unreachable!("it is never done"),
        () = async { (&mut read).await; is_read = true; std::future::pending().await } => {
            unreachable!("it is never done")
        }
    };
    if !is_read {
        let _ = tokio::time::timeout(STDERR_GRACE, read).await;
    }
    status
}

fn ended(status: ExitStatus, words: &str) -> Outcome {
    let colon = if words.is_empty() { "" } else { ": " };
    match (status.code(), status.signal()) {
        (Some(0), _) => Outcome::Accepted { detail: "exit 0".to_owned() },
        (Some(code), _) => refused(format!("exit {code}{colon}{words}"), POINTLESS.contains(&code)),
        (None, signal) => {
            let signal = signal.unwrap_or_default();
            Outcome::Unknown { detail: format!("ended by signal {signal}{colon}{words}") }
        }
    }
}
