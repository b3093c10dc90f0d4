//! Secrets, looked up at the last moment and forgotten at once. Nothing here
//! logs, and no error shows more than a secret's name.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::files::read_aside;
use crate::model::{HeaderValue, Secret};

/// Values that the configuration wrote out; environment and files are read at
/// each use.
#[derive(Clone, Default)]
pub struct Secrets {
    config: BTreeMap<String, String>,
}

impl Secrets {
    /// With the literal values of the configuration, by their key.
    pub fn new(config: BTreeMap<String, String>) -> Secrets {
        Secrets { config }
    }

    /// Takes in the literal values of one more configuration.
    pub fn extend(&mut self, more: BTreeMap<String, String>) {
        self.config.extend(more);
    }

    /// Keys whose values here are others than in `before`.
    pub fn renewed_since(&self, before: &Secrets) -> Vec<String> {
        let is_other = |(key, value): &(&String, &String)| {
            before.config.get(*key).is_some_and(|known| known != *value)
        };
        self.config.iter().filter(is_other).map(|(key, _)| key.clone()).collect()
    }

    /// The secret's value now. A file loses its last line end, which editors
    /// and `kubectl` add.
    ///
    /// # Errors
    /// A variable that is not set, a file that cannot be read (or not within a
    /// second), a key that the configuration does not have, or an empty value.
    pub async fn resolve(&self, secret: &Secret) -> Result<String, String> {
        let value = match secret {
            Secret::Env(name) => std::env::var(name)
                .map_err(|_| format!("environment variable {name} is not set to a text"))?,
            Secret::File(path) => {
                let place = placed(path, |name| std::env::var(name).ok())?;
                let what = format!("secret file {path}");
                let text = read_aside(&what, move || std::fs::read_to_string(place)).await?;
                let text = text.map_err(|error| format!("{what}: {error}"))?;
                text.trim_end_matches(['\n', '\r']).to_owned()
            }
            Secret::Config(key) => self
                .config
                .get(key)
                .cloned()
                .ok_or_else(|| format!("the configuration no longer has {key}"))?,
        };
        if value.is_empty() {
            return Err(format!("{} is empty", name_of(secret)));
        }
        Ok(value)
    }

    /// A header's value now.
    ///
    /// # Errors
    /// As `resolve`.
    pub async fn header(&self, value: &HeaderValue) -> Result<String, String> {
        Ok(match value {
            HeaderValue::Plain(value) => value.clone(),
            HeaderValue::Secret(secret) => self.resolve(secret).await?,
            HeaderValue::Bearer { bearer } => format!("Bearer {}", self.resolve(bearer).await?),
            HeaderValue::Basic { user, password } => {
                let both = format!("{user}:{}", self.resolve(password).await?);
                format!("Basic {}", STANDARD.encode(both))
            }
        })
    }
}

/// What a path of a file may begin with: where systemd leaves the credentials
/// of a unit, which differs from instance to instance.
const CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY/";

/// Where a secret's file is.
fn placed(path: &str, var: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let Some(name) = path.strip_prefix(CREDENTIALS) else { return Ok(path.to_owned()) };
    let variable = CREDENTIALS.trim_matches(['$', '/']);
    let dir = var(variable).filter(|dir| !dir.is_empty());
    let dir = dir.ok_or_else(|| {
        format!("secret file {path}: {variable} is not set; a unit needs LoadCredential={name}:…")
    })?;
    Ok(format!("{dir}/{name}"))
}

/// How a secret is called where people read it.
pub fn name_of(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("environment variable {name}"),
        Secret::File(path) => format!("secret file {path}"),
        Secret::Config(key) => key.clone(),
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} redacted)", self.config.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Secrets {
        Secrets::new(BTreeMap::from([("channel.x.secret".to_owned(), "hunter2".to_owned())]))
    }

    #[test]
    fn never_shows_a_value_in_debug_output() {
        assert_eq!(format!("{:?}", secrets()), "Secrets(1 redacted)");
    }

    #[tokio::test]
    async fn reads_a_file_anew_at_each_use_without_its_last_line_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let secret = Secret::File(path.display().to_string());
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(secrets().resolve(&secret).await, Ok("one".to_owned()));
        std::fs::write(&path, "two\r\n").unwrap();
        assert_eq!(secrets().resolve(&secret).await, Ok("two".to_owned()));
        std::fs::write(&path, "\n").unwrap();
        assert!(secrets().resolve(&secret).await.unwrap_err().ends_with("is empty"));
    }

    #[test]
    fn finds_a_credential_where_the_service_manager_left_it() {
        let check = |path, dir: Option<&str>| placed(path, |_| dir.map(str::to_owned));
        let credential = "$CREDENTIALS_DIRECTORY/smtp-password";
        assert_eq!(check(credential, Some("/run/c")), Ok("/run/c/smtp-password".to_owned()));
        let error = check(credential, None).unwrap_err();
        assert!(error.contains("LoadCredential=smtp-password"), "{error}");
        assert_eq!(check("/etc/$X", Some("/run/c")), Ok("/etc/$X".to_owned()));
    }

    #[tokio::test]
    async fn says_which_name_has_no_value() {
        let missing = async |secret| secrets().resolve(&secret).await.unwrap_err();
        let env = missing(Secret::Env("BAKEWATCH_TEST_NOT_SET".into())).await;
        assert!(env.contains("BAKEWATCH_TEST_NOT_SET is not set"), "{env}");
        assert!(missing(Secret::Config("no.such".into())).await.contains("no longer has no.such"));
        let known = secrets().resolve(&Secret::Config("channel.x.secret".into())).await;
        assert_eq!(known, Ok("hunter2".to_owned()));
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_to_its_end_holds_nobody_up_and_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("s");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success(), "a pipe that nobody writes to");
        let (hangs, secrets) = (Secret::File(pipe.display().to_string()), secrets());
        let other = async {
            let known = Secret::Config("channel.x.secret".into());
            tokio::task::yield_now().await;
            secrets.resolve(&known).await
        };
        let first = tokio::select! {
            biased;
            hung = secrets.resolve(&hangs) => hung,
            other = other => other,
        };
        assert_eq!(first, Ok("hunter2".to_owned()), "meanwhile");
        let error = secrets.resolve(&hangs).await.unwrap_err();
        assert!(error.ends_with("/s: the disk has not answered within 1s"), "{error}");
        // However often it is asked for, others still are.
        let many = (0..40).map(|_| secrets.resolve(&hangs));
        assert!(futures_util::future::join_all(many).await.iter().all(Result::is_err));
        let file = dir.path().join("good");
        std::fs::write(&file, "one").unwrap();
        let good = Secret::File(file.display().to_string());
        assert_eq!(secrets.resolve(&good).await, Ok("one".to_owned()));
        let end = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
        drop(end); // the threads that still read can go
    }
}
