//! Signatures after the Standard Webhooks specification, scheme `v1`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

const PREFIX: &str = "whsec_";

/// The value of `webhook-signature`: for each of the secrets in `secret`
/// (separated by spaces, so that old and new both sign while one is replaced)
/// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
/// `timestamp_s` is the time of this try in seconds since the epoch.
///
/// # Errors
/// A secret that is not `whsec_` and base64. The error does not show it.
pub fn sign(secret: &str, id: &str, timestamp_s: i64, body: &str) -> Result<String, String> {
    let keys: Vec<Vec<u8>> = secret
        .split_whitespace()
        .enumerate()
        .map(|(index, secret)| key(secret).map_err(|what| format!("secret {}: {what}", index + 1)))
        .collect::<Result<_, String>>()?;
    if keys.is_empty() {
        return Err("the secret is empty; write `whsec_` and base64".to_owned());
    }
    let signatures = keys.iter().map(|key| {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{timestamp_s}.").as_bytes());
        mac.update(body.as_bytes());
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    });
    Ok(signatures.collect::<Vec<_>>().join(" "))
}

fn key(secret: &str) -> Result<Vec<u8>, String> {
    let encoded = secret
        .strip_prefix(PREFIX)
        .ok_or("does not begin with `whsec_`; write `whsec_` and the base64 of 24 to 64 bytes")?;
    match BASE64.decode(encoded) {
        Ok(key) if !key.is_empty() => Ok(key),
        _ => Err("is no base64 after `whsec_`; write the base64 of 24 to 64 bytes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification and of its reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn signs_as_the_published_example() {
        assert_eq!(sign(SECRET, ID, 1_614_265_330, BODY), Ok(SIGNATURE.to_owned()));
    }

    #[test]
    fn signs_with_each_of_several_secrets() {
        let both = sign(&format!(" {SECRET}\n whsec_AAEC "), ID, 1_614_265_330, BODY).unwrap();
        let (old, new) = both.split_once(' ').unwrap();
        assert_eq!(old, SIGNATURE);
        assert_eq!(Ok(new.to_owned()), sign("whsec_AAEC", ID, 1_614_265_330, BODY));
    }

    #[test]
    fn refuses_a_malformed_secret_without_showing_it() {
        for secret in ["", " ", "hunter2hunter2", "whsec_", "whsec_hunter2!"] {
            let error = sign(secret, ID, 0, BODY).unwrap_err();
            assert!(!error.contains("hunter2") && error.contains("whsec_"), "{error}");
        }
        let error = sign(&format!("{SECRET} whsec_*"), ID, 0, BODY).unwrap_err();
        assert!(error.starts_with("secret 2:"), "{error}");
    }
}
