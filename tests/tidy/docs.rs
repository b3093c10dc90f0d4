//! The documents tell of nothing that is not there: no command that the
//! program does not have, no file that nobody finds.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

/// The words that follow `bakewatch` in the README's code, and in its table.
fn told(readme: &str) -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    let mut in_code = false;
    for line in readme.lines() {
        if line.starts_with("```") {
            in_code = !in_code;
        }
        let spans: Vec<&str> =
            if in_code { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for span in spans {
            let Some((_, rest)) = span.split_once("bakewatch ") else { continue };
            let word: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
            if !word.is_empty() {
                commands.insert(word);
            }
        }
    }
    commands
}

#[test]
fn every_command_in_the_readme_is_in_the_help() {
    let path = super::root().join("README.md");
    let readme = fs::read_to_string(path).expect("README.md is there");
    let help = Command::new(env!("CARGO_BIN_EXE_bakewatch")).arg("--help").output();
    let help = String::from_utf8(help.expect("the program runs").stdout).expect("UTF-8");
    let has =
        |command: &str| help.lines().any(|line| line.split_whitespace().next() == Some(command));
    let commands = told(&readme);
    assert!(commands.len() >= 3, "only {commands:?} found in the README");
    let missing: Vec<&String> = commands.iter().filter(|command| !has(command)).collect();
    assert!(missing.is_empty(), "the README tells of {missing:?}; the help says:\n{help}");
}

/// The relative targets of a Markdown text's links.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.starts_with("http") && !target.starts_with('#')).collect()
}

#[test]
fn every_link_leads_to_a_file() {
    let mut dead = Vec::new();
    for path in super::files().iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = fs::read_to_string(path).expect("readable");
        let folder = path.parent().expect("a folder");
        for target in links(&text) {
            if !folder.join(target.split('#').next().unwrap_or(target)).exists() {
                dead.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}

#[test]
fn links_are_told_from_other_addresses() {
    assert_eq!(links("[a](b.md#c) [d](https://e) ![f](g.png) [h](#i)"), ["b.md#c", "g.png"]);
}

#[test]
fn commands_are_found_in_code_and_in_words() {
    let readme = "a bakewatch user\n```sh\nx bakewatch run y\n```\nby `bakewatch check -c F`.\n";
    assert_eq!(told(readme), BTreeSet::from(["run".to_owned(), "check".to_owned()]));
}
