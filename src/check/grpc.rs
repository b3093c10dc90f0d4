//! The two messages of `grpc.health.v1.Health/Check`, encoded by hand: each
//! has one field, which is less than what a code generator would bring along.
//!
//! A message on the wire is a byte that says whether it is compressed, four
//! that say how long it is, and the message. In the message a field is a key
//! (number and wire type) and a value; unknown fields are skipped.

use crate::model::Serving;

/// A service's name is short; what is longer is no answer of this protocol.
const ANSWER_BYTES_MAX: usize = 1 << 16;

/// Key of the request's `service`, and of the answer's `status`.
const SERVICE: u8 = 1 << 3 | 2;
const STATUS: u64 = 1 << 3;

/// The request for a service; for the server as a whole it is empty.
pub fn encode(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(SERVICE);
        push_varint(&mut message, service.len() as u64);
        message.extend_from_slice(service.as_bytes());
    }
    let mut framed = vec![0]; // not compressed
    framed.extend((message.len() as u32).to_be_bytes());
    framed.extend(message);
    framed
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// The state in an answer.
///
/// # Errors
/// Says why these bytes are none.
pub fn decode(framed: &[u8]) -> Result<Serving, String> {
    let [flag, a, b, c, d, message @ ..] = framed else {
        return Err("the answer holds no message".to_owned());
    };
    if *flag != 0 {
        return Err("the answer is compressed, which was not asked for".to_owned());
    }
    let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
    if length > ANSWER_BYTES_MAX || length != message.len() {
        return Err(format!("the answer says {length} bytes and has {}", message.len()));
    }
    let cut = || "the answer's message is cut off".to_owned();
    let mut rest = message;
    let mut status = 0; // what is not written is zero
    while !rest.is_empty() {
        let key = take_varint(&mut rest).ok_or_else(cut)?;
        match key & 7 {
            0 => {
                let value = take_varint(&mut rest).ok_or_else(cut)?;
                status = if key == STATUS { value } else { status };
            }
            1 => skip(&mut rest, 8).ok_or_else(cut)?,
            2 => {
                let length = take_varint(&mut rest).ok_or_else(cut)?;
                skip(&mut rest, length).ok_or_else(cut)?;
            }
            5 => skip(&mut rest, 4).ok_or_else(cut)?,
            kind => return Err(format!("the answer's message has a field of wire type {kind}")),
        }
    }
    match status {
        0 => Ok(Serving::Unknown),
        1 => Ok(Serving::Serving),
        2 => Ok(Serving::NotServing),
        3 => Ok(Serving::ServiceUnknown),
        other => Err(format!("status {other} is none of grpc.health.v1")),
    }
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (index, byte) in rest.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index as u32);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Some(value);
        }
    }
    None
}

fn skip(rest: &mut &[u8], length: u64) -> Option<()> {
    *rest = rest.get(usize::try_from(length).ok()?..)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodes_what_the_protocols_own_library_does() {
        // HealthCheckRequest(service="chat").SerializeToString() of grpcio 1.x.
        assert_eq!(encode("chat"), b"\0\0\0\0\x06\x0a\x04chat");
        assert_eq!(encode(""), b"\0\0\0\0\0");
        let long = "s".repeat(200);
        assert_eq!(encode(&long)[..8], [0, 0, 0, 0, 203, 0x0a, 0xc8, 1]);
    }

    #[test]
    fn reads_each_state_and_skips_fields_that_it_does_not_know() {
        assert_eq!(decode(b"\0\0\0\0\0"), Ok(Serving::Unknown));
        assert_eq!(decode(b"\0\0\0\0\x02\x08\x01"), Ok(Serving::Serving));
        assert_eq!(decode(b"\0\0\0\0\x02\x08\x02"), Ok(Serving::NotServing));
        assert_eq!(decode(b"\0\0\0\0\x06\x12\x02hi\x08\x01"), Ok(Serving::Serving));
        assert!(decode(b"\0\0\0\0\x02\x08\x09").unwrap_err().contains("status 9"));
        assert!(decode(b"\0\0\0\0\x02\x08").unwrap_err().contains("says 2 bytes"));
        assert!(decode(b"\0\0\0\0\x01\x08").unwrap_err().contains("cut off"));
        assert!(decode(b"<html>").is_err() && decode(b"").is_err());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = decode(&bytes);
            let framed = [&[0, 0, 0, 0, bytes.len() as u8], &bytes[..]].concat();
            let _ = decode(&framed);
        }
    }
}
