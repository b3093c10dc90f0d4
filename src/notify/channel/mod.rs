//! The media, one file each.

mod email;
pub mod webhook;

use super::digest::Digest;
use super::letter::Body;
use crate::model::Medium;

/// A digest in a medium's words. A new medium is a file here, a variant of
/// `Medium`, one of `Body` if it travels otherwise than those there are, and
/// a line in this table.
pub fn compose(medium: &Medium, digest: &Digest) -> Body {
    match medium {
        Medium::Webhook { .. } => webhook::compose(digest),
        Medium::Email { .. } => email::compose(digest),
    }
}
