//! Unit tests of rules: each file of `tests/rules` comes to the verdict that
//! its name says. (That `promtool` comes to the same is tried among the peers.)

use std::fs;
use std::path::{Path, PathBuf};

use bakewatch::config::{Source, trial};

use crate::io::cli::{bakewatch, service};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules")
}

fn files(end: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder()).expect("the folder is there");
    let mut paths: Vec<PathBuf> = all.map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(end));
    paths.sort();
    assert!(paths.len() >= 10, "only {} files end in {end}", paths.len());
    paths
}

fn outcome(path: &Path) -> trial::Outcome {
    let read = |name: &str| {
        let text = fs::read_to_string(folder().join(name)).map_err(|error| error.to_string())?;
        Ok(vec![Source { file: name.to_owned(), text }])
    };
    let name = path.file_name().expect("a file").to_string_lossy().into_owned();
    let source = read(&name).expect("it can be read").remove(0);
    trial::run(&source, &read)
}

#[test]
fn those_that_hold_hold() {
    for path in files(".test.yml") {
        let outcome = outcome(&path);
        assert!(outcome.wrong.is_empty(), "{:?}", outcome.wrong);
        assert!(outcome.failures.is_empty(), "{}", trial::show(&outcome));
        assert!(outcome.tried > 0, "{}", path.display());
    }
}

#[test]
fn those_that_do_not_hold_do_not() {
    for path in files(".fails.yml") {
        let outcome = outcome(&path);
        let is_bad = !outcome.failures.is_empty() || !outcome.wrong.is_empty();
        assert!(is_bad, "{}", trial::show(&outcome));
    }
}

#[tokio::test]
async fn a_command_runs_them_and_exits_by_the_worst() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| folder().join(name).display().to_string();
    let (good, bad, broken) =
        (path("limited.test.yml"), path("limited.fails.yml"), path("invalid.fails.yml"));
    let run = async |files: &[&String]| {
        let mut args = vec!["check", "--test"];
        args.extend(files.iter().map(|file| file.as_str()));
        bakewatch(dir.path(), &args).await
    };
    let (code, out, err) = run(&[&good]).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.ends_with("limited.test.yml: 1 expectation holds\n"), "{out}");
    let (code, out, _) = run(&[&bad, &good]).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("3 alerts, and its group has limit: 2"), "{out}");
    let (code, _, err) = run(&[&broken, &bad]).await;
    assert_eq!(code, Some(2));
    assert!(err.contains("invalid.yml:5: groups.invalid.Down.expr: this is no PromQL"), "{err}");
    let (code, _, err) = run(&[&path("nowhere.yml")]).await;
    assert!(code == Some(2) && err.contains("nowhere.yml"), "{err}");
}

const SEEN: &str = r#"
groups:
  - name: seen
    rules:
      - record: twice:memory
        expr: 2 * process_resident_memory_bytes
      - alert: Large
        expr: twice:memory > 5e6
      - alert: Down
        expr: up == 0
      - alert: Unseen
        expr: rate(nowhere_total[5m]) > 0
"#;

#[tokio::test]
async fn a_look_at_the_service_knows_what_rules_of_files_can_see() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("rules")).unwrap();
    fs::write(dir.path().join("rules/seen.yml"), SEEN).unwrap();
    let config = dir.path().join("bakewatch.toml");
    let text = format!("url = \"{}\"\nrules = [\"rules/*.yml\"]\n", service().await);
    fs::write(&config, text).unwrap();
    let config = config.display().to_string();
    let check = async |args: &[&str]| {
        let args = [&["check", "-c", &config], args].concat();
        bakewatch(dir.path(), &args).await
    };
    let (code, out, err) = check(&["--live"]).await;
    assert_eq!(code, Some(3), "{out}{err}"); // one of them can never fire
    let never = out.split_once("can never fire").map_or("", |(_, never)| never);
    assert!(never.contains("there is no metric nowhere_total"), "{out}");
    assert!(!never.contains("Large") && !never.contains("Down"), "{out}");
    let (code, out, _) = check(&["--live", "--explain", "Large"]).await;
    assert_eq!(code, Some(0));
    for line in [
        "query   twice:memory > 5000000",
        "calm    what is in twice:memory, and does not come out",
        "twice:memory                   for 5m  recorded: 2 * process_resident_memory_bytes",
        "process_resident_memory_bytes  1 series",
        "at most, broken: 0",
    ] {
        assert!(out.contains(line), "{line:?} is not in\n{out}");
    }
    let (code, _, err) = check(&["--explain", "Larg"]).await;
    assert!(code == Some(2) && err.contains("did you mean \"Large\"?"), "{err}");
}
