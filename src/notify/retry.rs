//! When a channel that failed is tried again.

use sha2::{Digest as _, Sha256};

use crate::model::{HOUR, MINUTE, SECOND, Span, Timestamp};
use crate::record::ChannelRecord;

/// For a whole try, connect to last byte: the least that the Standard
/// Webhooks specification grants a receiver.
pub const TIMEOUT: Span = Span::from_secs(15);

/// The wait after the first failure, the second, …: quick while it may be a
/// hiccup, then slower, so that a receiver in trouble is left in peace.
const WAITS: [Span; 6] = [
    SECOND,
    Span::from_secs(3),
    Span::from_secs(10),
    Span::from_secs(30),
    MINUTE,
    Span::from_secs(120),
];

/// After those, and as long as it is not known to be broken.
const WAIT_LONG: Span = Span::from_secs(300);

/// A fifth of `WAIT_LONG` to either side, so that watches do not march in step.
const JITTER: Span = Span::from_secs(60);

/// A broken channel needs a person; until then it is asked once an hour.
const WAIT_BROKEN: Span = HOUR;

/// The instant from which on `channel` may be tried again; the epoch when
/// nothing speaks against now. `seed` is a stable id, its parts put together:
/// two of them are spread, and the same one gives the same answer.
pub fn next_try(channel: &ChannelRecord, seed: &[&str]) -> Timestamp {
    let wait = match (channel.failures as usize, channel.broken) {
        (0, false) => return channel.not_before.unwrap_or_default(),
        (_, true) => WAIT_BROKEN,
        (failures, false) => match WAITS.get(failures - 1) {
            Some(wait) => *wait,
            None => WAIT_LONG - JITTER + jitter(seed, channel.failures),
        },
    };
    let earliest = channel.last_try.unwrap_or_default() + wait;
    earliest.max(channel.not_before.unwrap_or_default())
}

/// From nothing to twice `JITTER`.
fn jitter(seed: &[&str], failures: u32) -> Span {
    let mut hasher = Sha256::new();
    seed.iter().for_each(|part| hasher.update(part));
    let hash = hasher.chain_update(failures.to_be_bytes()).finalize();
    let bytes: [u8; 8] = hash[..8].try_into().expect("SHA-256 has 32 bytes");
    let range = 2 * JITTER.millis() as u64 + 1;
    Span::from_millis((u64::from_be_bytes(bytes) % range) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST_TRY: Timestamp = Timestamp::from_millis(1_000_000);

    fn wait(failures: u32, broken: bool, not_before: Option<i64>) -> i64 {
        let channel = ChannelRecord {
            failures,
            broken,
            last_try: Some(LAST_TRY),
            not_before: not_before.map(|seconds| LAST_TRY + Span::from_secs(seconds)),
            ..ChannelRecord::default()
        };
        next_try(&channel, &["chat-agent@v1", " on-call"]).since(LAST_TRY).millis() / 1000
    }

    #[test]
    fn waits_longer_with_each_failure_and_an_hour_when_broken() {
        let waits: Vec<i64> = (1..=6).map(|failures| wait(failures, false, None)).collect();
        assert_eq!(waits, [1, 3, 10, 30, 60, 120]);
        assert_eq!((wait(1, true, None), wait(400, true, None)), (3600, 3600));
    }

    #[test]
    fn spreads_the_long_wait_over_a_fifth_to_either_side() {
        let waits: Vec<i64> = (7..1000).map(|failures| wait(failures, false, None)).collect();
        assert!(waits.iter().all(|wait| (240..=360).contains(wait)), "{waits:?}");
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*least < 250 && *most > 350, "from {least} to {most}: no spread");
        assert_eq!(wait(9, false, None), wait(9, false, None));
    }

    #[test]
    fn never_tries_before_the_receiver_wants_to_hear_from_us() {
        assert_eq!(wait(1, false, Some(60)), 60);
        assert_eq!(wait(6, false, Some(60)), 120);
        assert_eq!(wait(1, true, Some(4000)), 4000);
    }

    #[test]
    fn tries_at_once_where_nothing_failed() {
        assert_eq!(next_try(&ChannelRecord::default(), &["a"]), Timestamp::default());
    }
}
