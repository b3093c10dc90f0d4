//! `[rehearse]`: whether people say that a test alert arrived where they look.

use super::address;
use super::walk::{Table, Value};

/// With a token behind it, it has to fit into what a letter shows of an address.
const BYTES_MAX: usize = 400;

/// The address before the paths of links; `None`: nobody is asked.
pub(super) fn read(top: &Table) -> Option<String> {
    let table = top.get("rehearse")?.table("rehearse")?;
    let value = table.need("confirm", "confirm = \"https://bakewatch.example.com\"")?;
    let base = base(value.text()?).map_err(|what| value.error(what)).ok();
    if top.get("listen").is_none() {
        unheard(value);
        return None;
    }
    base
}

fn base(text: &str) -> Result<String, String> {
    address::web(text)?;
    if text.len() > BYTES_MAX {
        return Err(format!("has {} bytes, of {BYTES_MAX} at most", text.len()));
    }
    address::base(text)
}

fn unheard(value: &Value) {
    value.error(
        "leads to nobody: what people confirm comes in at `listen`, which is not said; write for \
         example listen = \"127.0.0.1:9797\" at the top of the same file",
    );
}
