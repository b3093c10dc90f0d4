//! Secrets out of what people read: by value, and by the forms in which a
//! service repeats one.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::template::{json_escaped, percent_encoded};

/// A shorter value is in every other word; hiding it would hide the answer.
const CHARS_MIN: usize = 4;

/// The same of a part of an address: `hooks`, `services` and `v2` are in every one.
const PART_CHARS_MIN: usize = 9;

/// What stands in a secret's place.
const HIDDEN: &str = "***";

/// Values that are never shown.
#[derive(Default)]
pub struct Redactor {
    /// Every form of every value, the longest first: one may hold another.
    forms: Vec<String>,
}

impl Redactor {
    /// Hides an address that is a secret in itself: whole, and in the parts in
    /// which a server repeats it (`Cannot POST /hooks/T0K3N`).
    pub fn hide_address(&mut self, address: &str) {
        self.hide(address);
        let Some((_, rest)) = address.split_once("://") else { return };
        let Some((host, path)) = rest.split_once('/') else { return };
        if let Some((login, _)) = host.rsplit_once('@') {
            self.hide(login);
        }
        for part in path.split(['/', '?', '&', '=', '#']) {
            if part.chars().count() >= PART_CHARS_MIN {
                self.hide(part);
            }
        }
    }

    /// Hides one more value.
    pub fn hide(&mut self, value: &str) {
        // `Bearer abc`: the scheme is no secret, and `abc` is one alone.
        for value in
            [Some(value), value.split_once(' ').map(|(_, rest)| rest)].into_iter().flatten()
        {
            if value.chars().count() >= CHARS_MIN {
                self.forms.extend(forms(value));
            }
        }
        self.forms.sort_by(|a, b| (b.len(), a).cmp(&(a.len(), b)));
        self.forms.dedup();
    }

    /// The text without them.
    pub fn clean(&self, text: &str) -> String {
        let hide = |text: String, form: &String| match text.contains(form.as_str()) {
            true => text.replace(form.as_str(), HIDDEN),
            false => text,
        };
        self.forms.iter().fold(text.to_owned(), hide)
    }
}

fn forms(value: &str) -> [String; 7] {
    [
        value.to_owned(),
        json_escaped(value),
        percent_encoded(value),
        STANDARD.encode(value),
        STANDARD_NO_PAD.encode(value),
        URL_SAFE.encode(value),
        URL_SAFE_NO_PAD.encode(value),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, text: &str) -> String {
        let mut redactor = Redactor::default();
        redactor.hide(secret);
        redactor.clean(text)
    }

    #[test]
    fn hides_a_value_and_what_is_made_of_it() {
        assert_eq!(check("s3cr&t", "a s3cr&t b s3cr%26t c czNjciZ0"), "a *** b *** c ***");
        assert_eq!(check("Bearer abcdef", "no user for abcdef"), "no user for ***");
        assert_eq!(check("a\"b\"c", r#""a\"b\"c""#), "\"***\"");
    }

    #[test]
    fn hides_an_address_also_where_a_server_repeats_a_part_of_it() {
        let mut redactor = Redactor::default();
        redactor.hide_address("https://me:pass@h.example/services/T0K3NT0K3N?sig=a1b2c3d4e5");
        let said = "Cannot POST /services/T0K3NT0K3N, sig a1b2c3d4e5 of me:pass (services)";
        assert_eq!(redactor.clean(said), "Cannot POST /services/***, sig *** of *** (services)");
    }

    #[test]
    fn leaves_what_is_too_short_to_be_told_from_words() {
        assert_eq!(check("abc", "abc"), "abc");
    }

    #[test]
    fn hides_the_longer_of_two_first() {
        let mut redactor = Redactor::default();
        redactor.hide("token");
        redactor.hide("token-of-today");
        assert_eq!(redactor.clean("token-of-today, token"), "***, ***");
    }
}
