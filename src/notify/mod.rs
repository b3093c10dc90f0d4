//! Who is told, and in which words.

mod letter;

pub use letter::{Body, Letter};
