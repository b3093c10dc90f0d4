//! What came, cut to what a person reads: one line, bounded, and marked where
//! something is missing.

/// A line of a letter that still fits a phone; a body may be megabytes.
const CHARS_MAX: usize = 120;

/// The text as one line of at most `CHARS_MAX` characters, the last of them
/// `…` when more came. Control characters become spaces.
pub(super) fn excerpt(text: &str) -> String {
    excerpt_to(text, CHARS_MAX)
}

/// The same, with another bound.
pub(super) fn excerpt_to(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        short.pop();
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_between_characters_and_marks_the_cut() {
        assert_eq!(excerpt(&"é".repeat(120)), "é".repeat(120));
        assert_eq!(excerpt(&"é".repeat(121)), "é".repeat(119) + "…");
    }

    #[test]
    fn makes_one_line_of_many() {
        assert_eq!(excerpt("a\r\nb\tc"), "a  b c");
    }
}
