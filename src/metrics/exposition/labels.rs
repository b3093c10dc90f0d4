//! Labels of one series, as they stand between the braces.

use std::borrow::Cow;

use super::{name_end, quote_end};

/// Reads `name{a="b", "c.d"="e",}` or `{"na.me", a="b"}`; hands each label to
/// `each` and gives the metric's name, empty when there is none.
pub(in crate::metrics) fn labels<'a>(
    series: &'a str,
    each: &mut dyn FnMut(Cow<'a, str>, Cow<'a, str>),
) -> Result<Cow<'a, str>, &'static str> {
    let end = name_end(series);
    let mut name = Cow::Borrowed(&series[..end]);
    let open = series[end..].trim_start_matches([' ', '\t']);
    if open.is_empty() {
        return Ok(name);
    }
    let inside = open.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let mut rest = inside.ok_or("expected braces")?.trim_matches([' ', '\t']);
    while !rest.is_empty() {
        let (label, after, quoted) = label_name(rest)?;
        let after = after.trim_start_matches([' ', '\t']);
        if let Some(value) = after.strip_prefix('=') {
            let value = value.trim_start_matches([' ', '\t']);
            if !value.starts_with('"') {
                return Err("a label value begins with a quote");
            }
            let end = quote_end(value, 0)?;
            each(label, unescape(&value[1..end - 1])?);
            rest = &value[end..];
        } else if quoted && name.is_empty() {
            name = label; // a quoted text of its own is the metric's name
            rest = after;
        } else {
            return Err("expected `=` after a label name");
        }
        rest = rest.trim_start_matches([' ', '\t']);
        match rest.strip_prefix(',') {
            Some(more) => rest = more.trim_start_matches([' ', '\t']),
            None if rest.is_empty() => {}
            None => return Err("expected a comma between labels"),
        }
    }
    Ok(name)
}

fn label_name(text: &str) -> Result<(Cow<'_, str>, &str, bool), &'static str> {
    if text.starts_with('"') {
        let end = quote_end(text, 0)?;
        return Ok((unescape(&text[1..end - 1])?, &text[end..], true));
    }
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = text.as_bytes().iter().position(|byte| !is_part(byte)).unwrap_or(text.len());
    if end == 0 || text.as_bytes()[0].is_ascii_digit() {
        return Err("expected a label name");
    }
    Ok((Cow::Borrowed(&text[..end]), &text[end..], false))
}

/// `\\`, `\"` and `\n`; any other escape stays as it is, as in Prometheus.
fn unescape(text: &str) -> Result<Cow<'_, str>, &'static str> {
    if !text.contains('\\') {
        return Ok(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some('"') => plain.push('"'),
            Some('\\') => plain.push('\\'),
            Some(other) => {
                plain.push('\\');
                plain.push(other);
            }
            None => return Err("an escape ends too soon"),
        }
    }
    Ok(Cow::Owned(plain))
}
