//! The reference pages of `docs/reference`, made from the tables in the code:
//! no page can say what the program does not do.

mod commands;
mod configuration;
mod watching;

/// A page: the name of its file, and its text.
pub type Page = (&'static str, String);

/// All of them.
pub fn pages() -> [Page; 7] {
    [
        ("configuration.md", configuration::page()),
        ("commands.md", commands::page(&super::command())),
        ("exit-codes.md", commands::exit_codes()),
        ("rules.md", watching::rules()),
        ("signals.md", watching::signals()),
        ("presets.md", watching::presets()),
        ("assertions.md", watching::assertions()),
    ]
}

/// A Markdown table. What would end a cell is written so that it does not.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let mut text = line(&head) + &line(&vec!["---".to_owned(); head.len()]);
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        text.push_str(&line(&cells));
    }
    text
}

/// As code, where there is any.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn are_the_committed_pages() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
        for (file, text) in pages() {
            expect_test::expect_file![folder.join(file)].assert_eq(&text);
        }
        let files = std::fs::read_dir(&folder).expect("the folder is there").count();
        assert_eq!(files, pages().len(), "a page that nobody makes");
    }
}
