//! Of the program only what runs stays in memory. Most of it runs once: to
//! read the configuration, to compile queries, to set up TLS. Linux maps
//! sixteen pages wherever one is touched, so that after its start nearly all
//! of a program is resident, and a tenth of it is in use. What is given
//! back comes again from its file when it is touched.

use std::time::Duration;

use tokio::time::{Instant, interval_at};

/// By then presets are found and targets have been asked several times.
const FIRST: Duration = Duration::from_secs(60);

/// What a mail or a report has brought in goes again.
const EVERY: Duration = Duration::from_secs(3600);

/// Gives back what the start needed, and from then on what was rarely needed.
pub async fn stay_lean() {
    let mut turn = interval_at(Instant::now() + FIRST, EVERY);
    loop {
        turn.tick().await;
        give_back();
    }
}

/// Where this cannot be done nothing is lost by it.
fn give_back() {
    let Ok(smaps) = std::fs::read_to_string("/proc/self/smaps") else { return };
    for (from, to) in as_in_files(&smaps) {
        if let Err(error) = drop_pages(from, to) {
            tracing::debug!("what is not needed of the program stays in memory: {error}");
        }
    }
}

/// What is mapped from files, cannot be written to and never was: instructions
/// and constants, not those that the loader has filled in, be they in memory or
/// swapped out. (The form is that of proc(5): a line with range, rights and
/// file, and then lines of `Name: value`.)
fn as_in_files(smaps: &str) -> Vec<(usize, usize)> {
    let (mut ranges, mut range) = (Vec::new(), None);
    for line in smaps.lines() {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next()) {
            (Some("Anonymous:"), Some("0")) => {}
            (Some("Anonymous:"), _) => range = None,
            (Some("Swap:"), Some("0")) => ranges.extend(range.take()),
            (Some(name), Some(rights)) if !name.ends_with(':') => {
                let is_of_file = words.nth(3).is_some_and(|file| file.starts_with('/'));
                let is_fixed = rights.starts_with("r-") && rights.ends_with('p');
                range = addresses(name).filter(|_| is_of_file && is_fixed);
            }
            _ => {}
        }
    }
    ranges
}

fn addresses(range: &str) -> Option<(usize, usize)> {
    let (from, to) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some((address(from)?, address(to)?))
}

#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "the only way to give pages of the program back")]
fn drop_pages(from: usize, to: usize) -> Result<(), rustix::io::Errno> {
    use rustix::mm::{Advice, madvise};
    let start = std::ptr::with_exposed_provenance_mut(from);
    // SAFETY: nobody can write to this range, and nobody has: a page that is
    // touched again comes from the file, as it did the first time.
    unsafe { madvise(start, to - from, Advice::LinuxDontNeed) }
}

#[cfg(not(target_os = "linux"))]
fn drop_pages(_from: usize, _to: usize) -> Result<(), rustix::io::Errno> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMAPS: &str = "\
55d0c0000000-55d0c0100000 r--p 00000000 fe:01 77    /usr/bin/bakewatch
Rss:                2552 kB
Anonymous:             0 kB
Swap:                  0 kB
55d0c0100000-55d0c1300000 r-xp 00100000 fe:01 77    /usr/bin/bakewatch
Rss:               16312 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd ex mr mw me sd
55d0c1300000-55d0c1400000 r--p 01300000 fe:01 77    /usr/bin/bakewatch
Rss:                 636 kB
Anonymous:           636 kB
Swap:                  0 kB
55d0c1400000-55d0c1480000 r--p 01400000 fe:01 77    /usr/bin/bakewatch
Anonymous:             0 kB
Swap:                512 kB
55d0c1480000-55d0c1490000 rw-p 01480000 fe:01 77    /usr/bin/bakewatch
Anonymous:             0 kB
Swap:                  0 kB
55d0c2000000-55d0c2100000 r--p 00000000 00:00 0     [heap]
Anonymous:             0 kB
Swap:                  0 kB
7f0000000000-7f0000100000 r--s 00000000 fe:01 12    /var/lib/bakewatch/facts.db-shm
Anonymous:             0 kB
Swap:                  0 kB
";

    #[test]
    fn finds_what_is_still_as_it_is_in_its_file() {
        let found = as_in_files(SMAPS);
        let expected = [(0x55d0_c000_0000, 0x55d0_c010_0000), (0x55d0_c010_0000, 0x55d0_c130_0000)];
        assert_eq!(found, expected);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn goes_on_with_less_of_itself_in_memory() {
        let before = resident();
        give_back();
        let after = resident();
        assert!(after < before, "{after} kB after, {before} kB before");
        finds_what_is_still_as_it_is_in_its_file(); // what comes again is the same
    }

    /// Of this program's instructions, in kB.
    #[cfg(target_os = "linux")]
    fn resident() -> u64 {
        let all = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let program = std::fs::read_link("/proc/self/exe").unwrap();
        let is_code =
            |line: &&str| line.contains(" r-xp ") && line.ends_with(program.to_str().unwrap());
        let mut lines = all.lines().skip_while(|line| !is_code(line));
        let size = lines.find_map(|line| line.strip_prefix("Rss:")).expect("its size");
        size.trim().trim_end_matches(" kB").parse().expect("a number of kB")
    }
}
