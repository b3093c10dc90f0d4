//! Where an answer sends whoever asked.

use reqwest::Url;

use super::http::Answer;
use crate::model::{Method, Request, UNIX, unix_parts};

/// The next request, if the answer is a redirect.
pub(super) struct Next {
    pub request: Request,
    /// It goes to the host that the first one went to, and is no less secret.
    pub is_same_host: bool,
}

/// The request that a redirect asks for (RFC 9110 15.4), if the answer is one.
pub(super) fn redirected(request: &Request, response: &Answer) -> Option<Next> {
    let status = response.status().as_u16();
    let location = response.headers().get("location")?.to_str().ok()?;
    let from = &response.url;
    let url = from.join(location).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let is_same_place = url.origin() == from.origin();
    let place = if is_same_place { moved(&request.url, &url) } else { url.to_string() };
    let mut next = Request { url: place, ..request.clone() };
    match status {
        307 | 308 => {}
        303 if request.method == Method::Head => {}
        303 => (next.method, next.body) = (Method::Get, None),
        301 | 302 if request.method == Method::Post => {
            (next.method, next.body) = (Method::Get, None);
        }
        301 | 302 => {}
        _ => return None,
    }
    if next.body.is_none() {
        next.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    }
    let is_named = request.transport.as_ref().is_some_and(|way| way.server_name.is_some());
    let is_its_own = is_named || unix_parts(&request.url).is_some();
    let is_upgrade = from.scheme() == "http" && url.scheme() == "https";
    let is_same_host = from.host() == url.host() && (from.scheme() == url.scheme() || is_upgrade);
    // A host that is known by a name of our own is another by any other way.
    let is_same_host = is_same_place || is_same_host && !is_its_own;
    let is_meant_there = is_same_place || is_same_host && is_upgrade;
    if !is_meant_there {
        // Whatever else a header holds was meant for the first place alone.
        next.headers.retain(|(name, _)| {
            let name = name.to_ascii_lowercase();
            name.starts_with("accept") || name == "content-type"
        });
    }
    Some(Next { request: next, is_same_host })
}

/// The same place as before, which a transport may know under another name,
/// and another path.
fn moved(before: &str, to: &Url) -> String {
    let path = match to.query() {
        Some(query) => format!("{}?{query}", to.path()),
        None => to.path().to_owned(),
    };
    if let Some((socket, _)) = unix_parts(before) {
        return format!("{UNIX}{socket}:{path}");
    }
    let Ok(mut url) = Url::parse(before) else { return to.to_string() };
    url.set_path(to.path());
    url.set_query(to.query());
    url.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_with_the_transport_that_was_asked() {
        let to = Url::parse("http://localhost/in?a=1").expect("a URL");
        assert_eq!(moved("unix:///run/app.sock:/", &to), "unix:///run/app.sock:/in?a=1");
        assert_eq!(moved("http://10.0.0.1:81/?b=2", &to), "http://10.0.0.1:81/in?a=1");
    }
}
