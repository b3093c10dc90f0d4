//! A body as it arrives, and what is in it. One that comes packed is unpacked
//! in one go when all of it is there, into memory of the right size: of a
//! hundred pages that arrive at once, one at a time is at its full length.

use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use reqwest::header::CONTENT_ENCODING;

use super::http::Answer;
use crate::model::Failure;

/// How bodies may come packed.
pub(super) const ACCEPTED: &str = "gzip";

/// Unpacked, a body is at most so many times as long (RFC 1951 leaves no room
/// for more): what it says of its own length is believed up to there.
const TIMES_MAX: usize = 1032;

/// An exposition is packed to about an eighth.
const USUAL_TIMES: usize = 8;

/// A body that has arrived.
pub(super) struct Body {
    bytes: Vec<u8>,
    is_packed: bool,
}

impl Body {
    /// Reads to the last byte, counted as it comes.
    ///
    /// # Errors
    /// It is longer than that, packed or not, or ends before its end.
    pub async fn of(response: impl Into<Answer>, bytes_max: u64) -> Result<Body, Failure> {
        let mut response = response.into();
        let encoding = response.headers().get(CONTENT_ENCODING);
        let is_packed = encoding.is_some_and(|name| {
            ["gzip", "x-gzip"]
                .iter()
                .any(|known| name.as_bytes().eq_ignore_ascii_case(known.as_bytes()))
        });
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await? {
                Some(chunk) if (bytes.len() + chunk.len()) as u64 > bytes_max => {
                    return Err(Failure::TooLarge(bytes_max));
                }
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => return Ok(Body { bytes, is_packed }),
            }
        }
    }

    /// Whether it has to be unpacked.
    pub fn is_packed(&self) -> bool {
        self.is_packed && !self.bytes.is_empty() // an answer to HEAD has none, whatever it says
    }

    /// Whether it surely takes no longer to unpack and read than so many bytes:
    /// a packed one can say less than it holds.
    pub fn is_at_most(&self, bytes: usize) -> bool {
        let packed_most = if self.is_packed() { bytes / USUAL_TIMES } else { bytes };
        self.bytes.len() <= packed_most && self.len() <= bytes
    }

    /// How long it is unpacked, by what it says itself, or as it came.
    fn len(&self) -> usize {
        match self.bytes[..] {
            [.., a, b, c, d] if self.is_packed => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => self.bytes.len(),
        }
    }

    /// What is in it.
    ///
    /// # Errors
    /// It is longer than that, cut off, or not packed as it says: a small bomb
    /// is never unpacked.
    pub fn unpacked(self, bytes_max: u64) -> Result<Vec<u8>, Failure> {
        if !self.is_packed() {
            return Ok(self.bytes);
        }
        let most = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let mut whole =
            Vec::with_capacity(self.len().min(most).min(TIMES_MAX * self.bytes.len()) + 1);
        let packed = MultiGzDecoder::new(&self.bytes[..]);
        match packed.take(bytes_max.saturating_add(1)).read_to_end(&mut whole) {
            Ok(length) if length as u64 > bytes_max => Err(Failure::TooLarge(bytes_max)),
            Ok(_) => Ok(whole),
            Err(error) => Err(Failure::Unreadable(format!("gzip: {error}"))),
        }
    }
}
