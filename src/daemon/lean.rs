//! Of the program only what runs stays resident. Most of it runs once: to read
//! the configuration, to compile queries, to set up TLS. Linux maps sixteen
//! pages wherever one is touched, so that after its start nearly all of a
//! program is mapped, and a tenth of it is in use. What is given back comes
//! again from its file, or from the cache of it, when it is touched.

use std::time::Duration;

use tokio::time::{Instant, interval_at};

/// What was needed within this stays. (To give all of it back and to take again
/// what is in use costs some milliseconds.)
const EVERY: Duration = Duration::from_secs(60);

/// Gives back what the start needed, and from then on what was rarely needed.
pub async fn stay_lean() {
    let mut turn = interval_at(Instant::now() + EVERY, EVERY);
    loop {
        turn.tick().await;
        give_back();
    }
}

/// Where this cannot be done nothing is lost by it.
fn give_back() {
    let Ok(smaps) = std::fs::read_to_string("/proc/self/smaps") else { return };
    let own = give_back as fn() as usize;
    for part in of_program(&read(&smaps), own).iter().filter(|part| part.is_as_in_file()) {
        if let Err(error) = drop_pages(part.from, part.to) {
            tracing::debug!("what is not needed of the program stays resident: {error}");
        }
    }
}

/// A range of memory as `/proc/self/smaps` tells it: a line with its addresses,
/// rights and file, and then lines of `Name: value` (proc(5)).
#[derive(PartialEq, Debug)]
struct Mapped<'a> {
    from: usize,
    to: usize,
    rights: &'a str,
    file: &'a str,
    /// Each in kB; `None`: not told.
    resident: Option<u64>,
    /// Pages of our own in place of the file's, in memory ...
    anonymous: Option<u64>,
    huge: Option<u64>,
    /// ... and swapped out.
    swapped: Option<u64>,
}

fn read(smaps: &str) -> Vec<Mapped<'_>> {
    let mut all: Vec<Mapped> = Vec::new();
    for line in smaps.lines() {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        if let Some(mapped) = Mapped::begin(&words) {
            all.push(mapped);
        } else if let (Some(last), [name, size, ..]) = (all.last_mut(), words.as_slice()) {
            let place = match *name {
                "Rss:" => &mut last.resident,
                "Anonymous:" => &mut last.anonymous,
                "Private_Hugetlb:" => &mut last.huge,
                "Swap:" => &mut last.swapped,
                _ => continue,
            };
            *place = size.parse().ok();
        }
    }
    all
}

impl<'a> Mapped<'a> {
    fn begin(words: &[&'a str]) -> Option<Mapped<'a>> {
        let (from, to) = words.first()?.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        Some(Mapped {
            from: address(from)?,
            to: address(to)?,
            rights: words.get(1)?,
            file: words.get(5).copied().unwrap_or_default(),
            resident: None,
            anonymous: None,
            huge: None,
            swapped: None,
        })
    }

    /// It cannot be written to and never was: instructions and constants, not those
    /// that the loader has filled in. (An emulator may tell 0 of everything.)
    fn is_as_in_file(&self) -> bool {
        let is_fixed = self.rights.starts_with("r-") && self.rights.ends_with('p');
        let is_there = self.resident.is_some_and(|size| size > 0);
        let has_nothing_else = [self.anonymous, self.huge, self.swapped] == [Some(0); 3];
        is_fixed && is_there && has_nothing_else
    }
}

/// The parts of the program that lie side by side with this instruction of it:
/// they stay where they are as long as it runs.
fn of_program<'a, 'b>(all: &'b [Mapped<'a>], own: usize) -> &'b [Mapped<'a>] {
    let Some(at) = all.iter().position(|part| (part.from..part.to).contains(&own)) else {
        return &[];
    };
    let is_next = |a: &Mapped, b: &Mapped| a.to == b.from && a.file == b.file;
    let before = (0..at).rev().take_while(|i| is_next(&all[*i], &all[i + 1])).count();
    let after = (at + 1..all.len()).take_while(|i| is_next(&all[i - 1], &all[*i])).count();
    &all[at - before..=at + after]
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe call gives pages of the program back")]
fn drop_pages(from: usize, to: usize) -> Result<(), rustix::io::Errno> {
    use rustix::mm::{Advice, madvise};
    let start = std::ptr::with_exposed_provenance_mut(from);
    // SAFETY: the range is a part of the running program that nobody can write
    // to, and nobody has: a page that is touched again comes from the file, as
    // it did the first time. Nobody maps anything else there.
    unsafe { madvise(start, to - from, Advice::LinuxDontNeed) }
}

#[cfg(not(target_os = "linux"))]
fn drop_pages(_from: usize, _to: usize) -> Result<(), rustix::io::Errno> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A range of the program: its place, its rights, and four sizes.
    fn part(place: usize, rights: &str, file: &str, sizes: [u64; 4]) -> String {
        let [resident, anonymous, huge, swapped] = sizes;
        format!(
            "{:x}-{:x} {rights} 00000000 fe:01 77    {file}\nSize: 4 kB\nRss: {resident} kB\n\
             Anonymous: {anonymous} kB\nPrivate_Hugetlb: {huge} kB\nSwap: {swapped} kB\n\
             VmFlags: rd mr mw me\n",
            place * 4096,
            (place + 1) * 4096
        )
    }

    /// Where pages are given back, if our own instructions are in the second part.
    fn given_back(parts: &[String]) -> Vec<usize> {
        let smaps = parts.concat();
        let all = read(&smaps);
        assert_eq!(all.len(), parts.len(), "{smaps}");
        let parts = of_program(&all, 0x2008).iter().filter(|part| part.is_as_in_file());
        parts.map(|part| part.from / 4096).collect()
    }

    #[test]
    fn gives_back_what_of_the_program_is_still_as_in_its_file() {
        let program = "/usr/bin/bakewatch (deleted)";
        let parts = [
            part(1, "r--p", program, [4, 0, 0, 0]),
            part(2, "r-xp", program, [4, 0, 0, 0]),
            part(3, "r--p", program, [4, 4, 0, 0]), // filled in by the loader,
            part(4, "r--p", program, [4, 0, 0, 4]), // and swapped out,
            part(5, "r--p", program, [4, 0, 4, 0]), // and in huge pages
            part(6, "rw-p", program, [4, 0, 0, 0]),
            part(7, "r--p", program, [0, 0, 0, 0]), // an emulator knows nothing
            part(8, "r-xp", program, [4, 0, 0, 0]),
            part(9, "r-xp", "[heap]", [4, 0, 0, 0]),
            part(10, "r--p", program, [4, 0, 0, 0]), // mapped once more, to be read
            part(12, "r-xp", "/usr/lib/libc.so.6", [4, 0, 0, 0]),
        ];
        assert_eq!(given_back(&parts), [1, 2, 8]);
    }

    #[test]
    fn gives_nothing_back_of_what_is_not_told() {
        let whole = part(2, "r-xp", "/usr/bin/bakewatch", [4, 0, 0, 0]);
        for missing in ["Rss", "Anonymous", "Private_Hugetlb", "Swap"] {
            let lines = whole.lines().filter(|line| !line.starts_with(missing));
            let parts = [lines.map(|line| format!("{line}\n")).collect()];
            assert_eq!(given_back(&parts), [0; 0], "{missing}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn goes_on_with_less_of_itself_in_memory() {
        let resident = || {
            let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
            let all = read(&smaps);
            let ours = of_program(&all, give_back as fn() as usize);
            ours.iter().filter_map(|part| part.resident).sum::<u64>()
        };
        let before = resident();
        give_back();
        let after = resident();
        assert!(after < before, "{after} kB after, {before} kB before");
        gives_back_what_of_the_program_is_still_as_in_its_file(); // it runs on
    }
}
