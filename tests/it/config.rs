//! Each file of `tests/config` with the errors that it has to lead to, all of
//! them and nothing else, beside it; `UPDATE_EXPECT=1` rewrites them.

use std::fs;
use std::path::Path;

use bakewatch::config::{Given, Source, read_with};

#[test]
fn tells_every_error_at_once_each_with_its_place_and_remedy() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let files = fs::read_dir(&folder).expect("the folder is there");
    let mut paths: Vec<_> = files.map(|file| file.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    assert!(paths.len() > 15, "only {} files", paths.len());
    for path in paths {
        let text = fs::read_to_string(&path).expect("it can be read");
        let source = Source { file: "bakewatch.toml".to_owned(), text };
        let beside = |pattern: &str| {
            let text = fs::read_to_string(folder.join(pattern));
            let text = text.map_err(|_| format!("no file is called {pattern}"))?;
            Ok(vec![Source { file: pattern.to_owned(), text }])
        };
        let complaints = match read_with(Some(&source), &Given::default(), &beside) {
            Ok(_) => panic!("{} is taken for good", path.display()),
            Err(complaints) => complaints,
        };
        let shown: String = complaints.iter().map(|complaint| format!("{complaint}\n")).collect();
        expect_test::expect_file![path.with_extension("err")].assert_eq(&shown);
    }
}
