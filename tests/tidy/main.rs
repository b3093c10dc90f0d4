//! The house rules that no compiler knows: the import order of the rooms, the
//! calls that pure rooms leave alone, sizes, openings, words. Every offence
//! of every file is told at once, each with its line.

mod docs;
mod rules;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

/// Folders whose texts are looked at, beside the files at the root.
const FOLDERS: [&str; 10] = [
    "src", "tests", "scripts", ".ci", "systemd", "docs", "config", "benches", "examples",
    "fuzz/src",
];

/// What is text here; anything else (a picture, a key) is not read.
const TEXTS: [&str; 16] = [
    "rs", "toml", "md", "py", "sh", "json", "html", "txt", "service", "conf", "yml", "yaml", "err",
    "css", "svg", "",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file below `folder`, in order of path.
fn texts(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            texts(&path, into);
        } else if is_text(&path) {
            into.push(path);
        }
    }
}

fn is_text(path: &Path) -> bool {
    TEXTS.contains(&path.extension().map_or("", |ext| ext.to_str().unwrap_or("?")))
}

fn files() -> Vec<PathBuf> {
    let mut all = Vec::new();
    for folder in FOLDERS {
        texts(&root().join(folder), &mut all);
    }
    let here = fs::read_dir(root()).expect("the root is a folder");
    let mut loose: Vec<PathBuf> = here.map(|entry| entry.expect("an entry").path()).collect();
    // In a second work tree `.git` is a file that names the first.
    let foreign = |path: &Path| path.ends_with("Cargo.lock") || path.ends_with(".git");
    loose.retain(|path| path.is_file() && is_text(path) && !foreign(path));
    loose.sort();
    all.extend(loose);
    all
}

#[test]
fn the_house_is_tidy() {
    let mut offences = Vec::new();
    let mut sources = 0;
    for path in files() {
        let name = path.strip_prefix(root()).expect("below the root").display().to_string();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        rules::places(&name, &text, &mut offences);
        if name.ends_with(".rs") {
            sources += 1;
            rules::all(&Source::read(&name, &text), &mut offences);
        }
    }
    assert!(sources > 30, "only {sources} sources seen: is the walk broken?");
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}
