//! Letters by programs: what each end of one means, and that none outlives its
//! time.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use bakewatch::daemon::command::{self, Try};
use bakewatch::daemon::secrets::Secrets;
use bakewatch::model::{SECOND, Secret, Span};
use bakewatch::record::Outcome;

const JSON: &str = r#"{"type":"release.alert"}"#;

/// What a script of this text makes of a letter; it finds its folder in `$HERE`.
async fn check(script: &str, timeout: Span) -> (Outcome, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let here = folder.path().display().to_string();
    let config = [("here".to_owned(), here), ("token".to_owned(), "hunter2".to_owned())];
    let secrets = Secrets::new(config.into());
    let env = [
        ("HERE".to_owned(), Secret::Config("here".into())),
        ("TOKEN".to_owned(), Secret::Config("token".into())),
    ];
    let run = [path.display().to_string(), "--loud".to_owned(), "$HOME; exit 9".to_owned()];
    let one = Try { json: JSON, key: "bw-1", timeout, not_stored: false };
    (command::deliver(&secrets, &run, &env, one).await, folder)
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

#[tokio::test]
async fn gets_the_json_its_arguments_as_they_are_and_no_environment_but_its_own() {
    let script = r#"cat > "$HERE/in"; printf '%s|' "$@" > "$HERE/args"; env > "$HERE/env""#;
    let (outcome, folder) = check(script, 10 * SECOND).await;
    assert_eq!(outcome, Outcome::Accepted { detail: "exit 0".into() });
    assert_eq!(read(folder.path(), "in"), JSON);
    assert_eq!(read(folder.path(), "args"), "--loud|$HOME; exit 9|");
    let env = read(folder.path(), "env");
    let mut names: Vec<&str> = env.lines().filter_map(|line| line.split('=').next()).collect();
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name)); // the shell's own
    names.sort_unstable();
    assert_eq!(names, ["BAKEWATCH_KEY", "HERE", "PATH", "TOKEN"], "{env}");
}

#[tokio::test]
async fn says_by_its_exit_code_what_became_of_the_letter() {
    for (script, permanent) in [("exit 1", false), ("exit 75", false), ("exit 78", true)] {
        let (outcome, _) = check(script, 10 * SECOND).await;
        let Outcome::Refused { permanent: found, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(found, permanent, "{script}");
    }
    let (outcome, _) = check("kill -9 $$", 10 * SECOND).await;
    assert_eq!(outcome, Outcome::Unknown { detail: "ended by signal 9".into() });
}

#[tokio::test]
async fn keeps_what_it_says_of_an_error_and_hides_its_secrets() {
    let (outcome, _) = check("echo \"no route with $TOKEN\" >&2; exit 1", 10 * SECOND).await;
    let detail = "exit 1: no route with ***".to_owned();
    assert_eq!(outcome, Outcome::Refused { detail, retry_after: None, permanent: false });
}

#[tokio::test]
async fn reads_nothing_says_much_and_leaves_something_running_and_holds_nobody_up() {
    let much = "head -c 300000 /dev/zero | tr '\\0' x >&2; sleep 60 & exit 0";
    let began = Instant::now();
    let (outcome, _) = check(much, 30 * SECOND).await;
    assert!(matches!(outcome, Outcome::Accepted { .. }), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[tokio::test]
async fn is_ended_with_all_that_it_started_when_its_time_is_over() {
    let script = r#"echo "waits" >&2; sleep 600 & echo $! > "$HERE/pid"; wait"#;
    let (outcome, folder) = check(script, 3 * SECOND).await;
    assert_eq!(outcome, Outcome::Unknown { detail: "ended after 3s: waits".into() });
    let pid = read(folder.path(), "pid").trim().to_owned();
    assert!(!pid.is_empty(), "it had not begun");
    // Whoever is killed may be seen for a moment still, until it is collected.
    let deadline = Instant::now() + Duration::from_secs(20);
    while is_running(&pid) {
        assert!(Instant::now() < deadline, "{pid} runs still");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn is_running(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next());
    !matches!(state, None | Some('Z' | 'X'))
}

#[tokio::test]
async fn one_that_is_not_there_is_told_and_tried_again() {
    let one = Try { json: JSON, key: "bw-1", timeout: SECOND, not_stored: false };
    let run = ["/no/such/program".to_owned()];
    let outcome = command::deliver(&Secrets::default(), &run, &[], one).await;
    let Outcome::Refused { detail, permanent: false, .. } = outcome else { panic!("{outcome:?}") };
    assert!(detail.starts_with("/no/such/program does not start:"), "{detail}");
}
