//! A summary's files: whole or not there. Each is written aside, synced, and
//! moved into place, and the directory is synced after.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::model::Name;
use crate::record::Summary;
use crate::report::FORMATS;

/// Writes `<dir>/<service>/<version>/<window>.<format>` for every format;
/// gives the files' paths.
///
/// # Errors
/// The first file that could not be written, and why.
pub fn publish(dir: &Path, window: &Name, summary: &Summary) -> Result<Vec<String>, String> {
    let folder = folder(dir, summary);
    let at = |path: &Path, error: io::Error| format!("{}: {error}", path.display());
    fs::create_dir_all(&folder).map_err(|error| at(&folder, error))?;
    let mut files = Vec::new();
    for (extension, render) in FORMATS {
        let path = folder.join(format!("{}.{extension}", safe(window.as_str())));
        write(&path, render(summary).as_bytes()).map_err(|error| at(&path, error))?;
        files.push(path.display().to_string());
    }
    File::open(&folder).and_then(|dir| dir.sync_all()).map_err(|error| at(&folder, error))?;
    Ok(files)
}

fn folder(dir: &Path, summary: &Summary) -> PathBuf {
    let release = &summary.release;
    dir.join(safe(release.service.as_str())).join(safe(release.version.as_str()))
}

fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".part");
    let mut file = File::create(&aside)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&aside, path)
}

/// A name as one part of a path: nothing that climbs, hides or separates.
fn safe(name: &str) -> String {
    let kept = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '@');
    let text: String = name.chars().map(|c| if kept(c) { c } else { '_' }).collect();
    match text.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if text.is_empty() => "_".to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_name_one_harmless_part_of_a_path() {
        let cases = ["v1.2.3", "../../etc", "..", ".", "", "a/b\\c", "feature/x y", "é"];
        let safe: Vec<String> = cases.iter().map(|name| safe(name)).collect();
        assert_eq!(safe, ["v1.2.3", "_._.._etc", "_.", "_", "_", "a_b_c", "feature_x_y", "é"]);
    }
}
