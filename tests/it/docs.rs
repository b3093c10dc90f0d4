//! The documents hold: every command in them runs, every configuration in them
//! is taken, every call of the program in their manifests is understood.
//!
//! Blocks marked `sh` are run by a shell, with the program in its path and the
//! example's address replaced by a service that is well. Commands that are not
//! ours to run here (systemctl, docker, kubectl and the like, and `sudo` with
//! whatever follows) do nothing; what a `docker run` or a manifest hands to the
//! program is only read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bakewatch::cli;
use bakewatch::config::{Given, Source, read_with};

use crate::io::cli::{bakewatch, service};

const URL: &str = "https://agent.example.com";

/// Programs that do nothing here.
const ELSEWHERE: [&str; 6] = ["sudo", "systemctl", "journalctl", "docker", "kubectl", "cargo"];

/// In front of the program: a watch that would last a week ends after smoke.
const SHORTENED: &str = "#!/bin/sh
case \"$*\" in
    *'--until bake') set -- run -c bakewatch.toml --release \"$VERSION\" --until smoke ;;
    *--until*|*--help*) ;;
    run*) set -- \"$@\" --until smoke ;;
esac
exec \"$BAKEWATCH\" \"$@\"
";

struct Block {
    kind: String,
    text: String,
    /// `docs/systemd.md:12`.
    place: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README and the pages of `docs`.
fn pages() -> Vec<PathBuf> {
    let files = fs::read_dir(root().join("docs")).expect("docs is there");
    let mut pages: Vec<PathBuf> = files.map(|file| file.expect("listed").path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.sort();
    assert!(pages.len() >= 7, "only {pages:?}");
    pages.push(root().join("README.md"));
    pages
}

/// Fenced blocks with the word that opens them.
fn blocks(path: &Path) -> Vec<Block> {
    let text = fs::read_to_string(path).expect("readable");
    let name = path.strip_prefix(root()).expect("below the root").display().to_string();
    let (mut blocks, mut open) = (Vec::new(), None::<Block>);
    for (at, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => {
                let place = format!("{name}:{}", at + 1);
                open = Some(Block { kind: kind.to_owned(), text: String::new(), place });
            }
            (None, Some(block)) => block.text.push_str(&format!("{line}\n")),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: a block is not closed");
    blocks
}

fn all(kinds: &[&str]) -> Vec<Block> {
    let all = pages().into_iter().flat_map(|path| blocks(&path));
    all.filter(|block| kinds.contains(&block.kind.as_str())).collect()
}

/// What is handed to the program in a manifest or to `docker run`.
fn calls(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let mut calls = Vec::new();
    for line in joined.lines() {
        let words = |rest: &str| rest.split_whitespace().map(bare).collect::<Vec<String>>();
        if let Some(list) = line.split_once('[').filter(|_| line.contains("\", \"")) {
            let (inside, _) = list.1.split_once(']').expect("a list on one line");
            let list: Vec<String> =
                serde_json::from_str(&format!("[{inside}]")).expect("a list of texts");
            let is_program = list[0].ends_with("bakewatch");
            calls.push(list.into_iter().skip(usize::from(is_program)).collect());
        } else if let Some((_, rest)) = line.split_once("/usr/bin/bakewatch ") {
            calls.push(words(rest));
        } else if line.contains("docker run") {
            let (_, rest) = line.rsplit_once(" bakewatch ").expect("an image and a command");
            calls.push(words(rest));
        } else if let Some((before, rest)) = line.split_once("bakewatch ") {
            let is_path = before.ends_with('/');
            let is_call = before.trim_end().ends_with("run:")
                || before.trim_end().ends_with("script:")
                || ["- ", "sh "].iter().any(|start| before.trim_start().starts_with(start));
            if is_call && !is_path && !before.contains("systemctl") && !before.contains("install") {
                calls.push(words(rest));
            }
        }
    }
    calls
}

/// Without the quotes of a shell.
fn bare(word: &str) -> String {
    word.trim_matches(['"', '\'']).to_owned()
}

#[test]
fn hand_to_the_program_only_what_it_understands() {
    let mut seen = 0;
    let mut told = Vec::new();
    for block in all(&["sh", "yaml", "groovy"]) {
        if block.kind == "sh" && !block.text.contains("docker ") && !block.text.contains("kubectl")
        {
            continue; // those are run
        }
        for call in calls(&block.text) {
            seen += 1;
            if let Err(error) = cli::understands(&call) {
                told.push(format!("{}: {call:?}: {error}", block.place));
            }
        }
    }
    for unit in ["bakewatch.service", "bakewatch@.service"] {
        let text = fs::read_to_string(root().join("systemd").join(unit)).expect("the unit");
        for call in calls(&text.replace("ExecStart=", "")) {
            seen += 1;
            if let Err(error) = cli::understands(&call) {
                told.push(format!("{unit}: {call:?}: {error}"));
            }
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(seen >= 15, "only {seen} calls found: is the search broken?");
}

#[test]
fn show_only_configuration_that_is_taken() {
    let given = Given { url: Some(URL.to_owned()), ..Given::default() };
    let blocks = all(&["toml"]);
    assert!(blocks.len() >= 15, "only {} blocks", blocks.len());
    for block in blocks {
        let source = Source { file: block.place.clone(), text: block.text };
        let beside = |_: &str| Ok(Vec::new()); // the files of rules that it names
        if let Err(complaints) = read_with(Some(&source), &given, &beside) {
            let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"));
        }
    }
}

/// The rule that docs/prometheus-rules.md tests.
const RULES: &str = "groups:\n  - name: web\n    rules:\n      - alert: WebDown\n\
    \x20       expr: up == 0\n        labels: {severity: critical}\n\
    \x20       annotations: {summary: '{{ $labels.job }} is down'}\n";

/// A document's block of YAML.
fn yaml_of(document: &str) -> String {
    let found = all(&["yaml"]).into_iter().find(|block| block.place.starts_with(document));
    found.expect("it shows a file").text
}

/// A folder in which the documents' commands find what they name.
async fn workshop(url: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str, mode| {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    };
    for name in ["bin/bakewatch", "target/release/bakewatch"] {
        write(name, SHORTENED, 0o755);
    }
    for name in ELSEWHERE.iter().map(|name| format!("bin/{name}")) {
        write(&name, "#!/bin/sh\nexit 0\n", 0o755);
    }
    write("scripts/test", "#!/bin/sh\nexit 0\n", 0o755);
    let windows = "[windows]\nfirst-day = { length = \"3s\", every = \"1s\" }\n";
    write("bakewatch.toml", &format!("url = \"{url}\"\n{windows}"), 0o644);
    write("rules/web.yml", RULES, 0o644);
    write("rules/web.test.yml", &yaml_of("docs/prometheus-rules.md"), 0o644);
    // A watch that is over, so that there is something to report.
    let config = dir.path().join("bakewatch.toml").display().to_string();
    let run = ["run", "-c", &config, "--release", "v1.2.2"];
    let (code, out, err) = bakewatch(&dir.path().join("state"), &run).await;
    assert!(code.is_some_and(|code| code != 2), "{out}{err}");
    dir
}

#[tokio::test]
async fn give_only_commands_that_run() {
    let url = service().await;
    let dir = workshop(&url).await;
    let path = format!("{}/bin:{}", dir.path().display(), std::env::var("PATH").unwrap());
    let blocks = all(&["sh"]);
    assert!(blocks.len() >= 20, "only {} blocks", blocks.len());
    let mut told = Vec::new();
    for block in blocks {
        let text = block.text.replace(URL, &url);
        let mut shell = Command::new("sh");
        shell.args(["-eu", "-c", &text]).current_dir(dir.path()).stdin(Stdio::null());
        shell.env("PATH", &path).env("BAKEWATCH", env!("CARGO_BIN_EXE_bakewatch"));
        shell.env("STATE_DIRECTORY", dir.path().join("state")).env("VERSION", "v1.2.3");
        let run = move || shell.output().unwrap();
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        if !output.status.success() {
            let err = String::from_utf8_lossy(&output.stderr);
            told.push(format!("{}: {}\n{err}\n{text}", block.place, output.status));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
    assert!(dir.path().join("man1/bakewatch-run.1").exists(), "they did not run");
    // As docs/systemd.md has made it.
    let parsed = Command::new("bash").arg("-n").arg(dir.path().join("bakewatch.bash")).status();
    assert!(parsed.unwrap().success(), "no bash can read its completions");
}
