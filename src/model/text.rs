//! Text from outside, made fit to be shown: short, and in one line.

/// At most `chars_max` characters in one line, `…` at the end of what was
/// cut. Control characters and those that turn the direction of writing
/// become spaces: nothing from outside breaks a header or hides in a line.
pub fn cut(text: &str, chars_max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(4 * chars_max));
    for (count, char) in text.chars().enumerate() {
        if count == chars_max {
            out.pop();
            out.push('…');
            break;
        }
        out.push(if is_unsafe(char) { ' ' } else { char });
    }
    out
}

fn is_unsafe(char: char) -> bool {
    match char {
        '\u{2028}' | '\u{2029}' => true, // ends of lines and paragraphs
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true, // turns of direction
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_characters_and_marks_it() {
        assert_eq!(cut("grüße", 5), "grüße");
        assert_eq!(cut("grüßen", 5), "grüß…");
    }

    #[test]
    fn lets_no_text_break_out_of_its_line_or_turn_it_round() {
        assert_eq!(cut("a\r\nBcc: x\u{202e}y\0", 50), "a  Bcc: x y ");
    }
}
