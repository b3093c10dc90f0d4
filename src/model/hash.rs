//! Named hashes of stable ids: a quick one for splay and jitter, with which the
//! same names give the same instants on every machine and in every build, and one
//! that nobody can bring together, for what is told apart by it.

use sha2::{Digest as _, Sha256};

/// FNV-1a over the parts, a separator between them, with a final mix so that
/// the low bits of short names differ. (Fowler, Noll, Vo; mix of splitmix64.)
pub fn stable_hash(parts: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// SHA-256 over parts, each with its length before it: no two lists of parts
/// are the same bytes.
pub fn hex_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    let digit = |bits: u8| char::from(b"0123456789abcdef"[usize::from(bits)]);
    hasher.finalize().iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_apart_what_only_the_border_between_parts_tells_apart() {
        assert_ne!(stable_hash(&["ab", "c"]), stable_hash(&["a", "bc"]));
        assert_eq!(stable_hash(&["a", "b"]), stable_hash(&["a", "b"]));
    }
}
