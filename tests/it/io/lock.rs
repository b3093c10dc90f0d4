//! One holder a state directory.

use bakewatch::daemon::lock::Lock;

#[test]
fn refuses_a_second_holder_names_the_first_and_lets_go_at_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let first = Lock::take(dir.path()).unwrap();
    let error = Lock::take(dir.path()).unwrap_err();
    let pid = format!("pid {} is watching", std::process::id());
    assert!(error.contains(&pid) && error.contains("--state-dir"), "{error}");
    drop(first);
    assert!(Lock::take(dir.path()).is_ok());
}

#[test]
fn says_which_directory_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let error = Lock::take(&dir.path().join("gone")).unwrap_err();
    assert!(error.contains("gone/lock"), "{error}");
}
