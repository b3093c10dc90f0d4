//! Addresses: URLs of services and webhooks, mail servers, mail addresses.

use core::net::{IpAddr, SocketAddr};

use reqwest::Url;

use crate::model::{Smtp, SmtpTls, UNIX, unix_parts};

/// An http(s) URL without a password in it.
pub(super) fn web(text: &str) -> Result<Url, String> {
    if !text.contains("://") {
        return Err(format!("{text:?} has no scheme; write for example {:?}", suggested(text)));
    }
    let url = Url::parse(text).map_err(|why| format!("{text:?} is no URL: {why}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        let scheme = url.scheme();
        return Err(format!("scheme `{scheme}` is not supported; write http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        let remedy = "send them in a header, with the secret as { env = \"NAME\" }";
        return Err(format!("a URL with user or password ends up in logs; {remedy}"));
    }
    Ok(url)
}

/// An address of this machine's, and a port.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let numeric = match text.strip_prefix("localhost:") {
        Some(port) => format!("127.0.0.1:{port}"),
        None => text.to_owned(),
    };
    numeric.parse().map_err(|_| {
        format!("{text:?} is no IP address with a port; write for example \"127.0.0.1:9797\"")
    })
}

/// What was most likely meant by an address without a scheme.
fn suggested(text: &str) -> String {
    let host = text.split(['/', ':']).next().unwrap_or_default();
    let is_near = is_loopback(host) || host.parse::<IpAddr>().is_ok();
    let meant = format!("http{}://{text}", if is_near { "" } else { "s" });
    match Url::parse(&meant) {
        Ok(url) if url.username().is_empty() && url.password().is_none() => meant,
        _ => "https://agent.example.com".to_owned(),
    }
}

/// A service's address, to which paths are added. Without the slash at its end.
/// `unix:///run/app.sock` ends in a colon instead, which a path follows.
pub(super) fn base(text: &str) -> Result<String, String> {
    if let Some(socket) = text.strip_prefix(UNIX) {
        return unix(socket);
    }
    let url = web(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{text:?} has a query or fragment; paths are added to this address"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Longer paths fit into no socket's address.
const SOCKET_BYTES_MAX: usize = 107;

fn unix(socket: &str) -> Result<String, String> {
    let is_odd = |c: char| ":?#".contains(c) || c.is_control();
    if !socket.starts_with('/') || socket.contains(is_odd) || socket.len() > SOCKET_BYTES_MAX {
        return Err(format!(
            "{socket:?} is no path of a socket; write for example \"unix:///run/app.sock\""
        ));
    }
    Ok(format!("{UNIX}{socket}:"))
}

/// Host and, unless it is the scheme's own, port: `10.0.0.11:8000`.
pub(super) fn place(base: &str) -> String {
    if let Some((socket, _)) = unix_parts(base) {
        return socket.to_owned();
    }
    let Ok(url) = Url::parse(base) else { return base.to_owned() };
    let host = url.host_str().unwrap_or_default();
    let path = url.path().trim_end_matches('/');
    match url.port() {
        Some(port) => format!("{host}:{port}{path}"),
        None => format!("{host}{path}"),
    }
}

/// Host and port of an https URL; `None` for any other.
pub(super) fn tls_place(base: &str) -> Option<String> {
    let url = Url::parse(base).ok().filter(|url| url.scheme() == "https")?;
    Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
}

/// Whether a request to it leaves this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

const SMTP_FORMS: &str =
    "write smtps://user@host, smtp://user@host (STARTTLS) or smtp+plain://127.0.0.1:1025";

/// A mail server. The password is given apart, in a key of its own.
pub(super) fn smtp(text: &str) -> Result<Smtp, String> {
    let url = Url::parse(text).ok().filter(|_| text.contains("://"));
    let url = url.ok_or_else(|| format!("is no URL of a mail server; {SMTP_FORMS}"))?;
    let (tls, default_port) = match url.scheme() {
        "smtps" => (SmtpTls::Implicit, Some(465)),
        "smtp" => (SmtpTls::Starttls, Some(587)),
        "smtp+plain" => (SmtpTls::None, None),
        other => return Err(format!("scheme `{other}` is not supported; {SMTP_FORMS}")),
    };
    if url.password().is_some() {
        return Err("a password in a URL ends up in logs; leave it out and write \
                    password = { env = \"SMTP_PASSWORD\" }"
            .to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    if host.is_empty() {
        return Err(format!("has no host; {SMTP_FORMS}"));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("has something behind the host; a mail server is a host and a port".to_owned());
    }
    if tls == SmtpTls::None && !is_loopback(host) {
        return Err(format!(
            "smtp+plain sends mail in the open, which is for this machine alone; write \
             smtps://{host} or smtp://{host} (STARTTLS)"
        ));
    }
    let port = url.port().or(default_port).ok_or(
        "has no port; write for example \
        smtp+plain://127.0.0.1:1025",
    )?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let user = (!url.username().is_empty()).then(|| decoded(url.username())).transpose()?;
    Ok(Smtp { host, port, tls, user, password: None, ca_file: None })
}

/// `bot%40example.com` as it is meant.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
        match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(meant) if byte == b'%' => {
                bytes.push(meant);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "has a user that is no UTF-8".to_owned())?;
    if text.chars().any(char::is_control) {
        return Err("has a user with a line feed or the like in it".to_owned());
    }
    Ok(text)
}

/// Characters of a name before a mail address.
const NAME_CHARS_MAX: usize = 120;

/// A mail address, perhaps with a name: `On Call <oncall@example.com>`. It goes into
/// a header and onto the envelope. A domain beyond ASCII is given as the name
/// system has it; what is before the `@` stays, for servers that take it.
pub(super) fn mail(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is no mail address; write for example \"oncall@example.com\"");
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (name.trim(), address),
        None => ("", text),
    };
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    let is_odd = |c: char| c.is_control() || "<>\"\\".contains(c);
    if name.contains(is_odd) || name.chars().count() > NAME_CHARS_MAX {
        return Err(format!(
            "{text:?} has a name that no header can have; write for example \
             \"On Call <oncall@example.com>\""
        ));
    }
    let (local, domain) = address.rsplit_once('@').ok_or_else(wrong)?;
    let fits = |c: char| !c.is_whitespace() && !c.is_control() && !"<>(),;:\"\\[]@".contains(c);
    let is_bare = |part: &str| !part.is_empty() && part.chars().all(fits);
    let is_domain = !domain.starts_with(['.', '-']) && !domain.ends_with(['.', '-']);
    if !is_bare(local) || !is_bare(domain) || !is_domain {
        return Err(wrong());
    }
    let domain = if domain.is_ascii() { Some(domain.to_owned()) } else { in_ascii(domain) };
    let address = format!("{local}@{}", domain.ok_or_else(wrong)?);
    Ok(if name.is_empty() { address } else { format!("{name} <{address}>") })
}

/// `xn--bcher-kva.example` for `bücher.example`.
fn in_ascii(domain: &str) -> Option<String> {
    let url = Url::parse(&format!("http://{domain}/")).ok()?;
    url.domain().filter(|domain| domain.is_ascii()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_three_forms_of_a_mail_server() {
        let check = |text| smtp(text).map(|s| (s.host, s.port, s.tls, s.user));
        assert_eq!(
            check("smtps://bot%40b.example@mail.example.com"),
            Ok((
                "mail.example.com".into(),
                465,
                SmtpTls::Implicit,
                Some("bot@b.example".to_owned())
            ))
        );
        assert_eq!(check("smtp://mail:2525"), Ok(("mail".into(), 2525, SmtpTls::Starttls, None)));
        assert_eq!(check("smtp+plain://[::1]:1025"), Ok(("::1".into(), 1025, SmtpTls::None, None)));
    }

    #[test]
    fn never_repeats_a_password() {
        let error = smtp("smtps://user:hunter2@mail.example.com").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        assert!(!web("https://user:hunter2@example.com").unwrap_err().contains("hunter2"));
    }

    #[test]
    fn names_a_place_by_what_tells_it_apart() {
        let check = |text| place(&base(text).unwrap());
        assert_eq!(check("http://10.0.0.11:8000/"), "10.0.0.11:8000");
        assert_eq!(check("https://agent.example.com:443/v1/"), "agent.example.com/v1");
        assert_eq!(check("http://[::1]:8000"), "[::1]:8000");
        assert_eq!(check("unix:///run/app.sock"), "/run/app.sock");
        assert!(base("unix://run/app.sock").is_err());
    }

    #[test]
    fn takes_a_mail_address_with_a_name_or_without_and_nothing_else() {
        for good in ["a@b", "on.call+x@mail.example.com", "On Call <a@b>", "jürgen@b"] {
            assert_eq!(mail(good), Ok(good.to_owned()));
        }
        for (text, meant) in [
            ("\"On, Call\" <a@b>", "On, Call <a@b>"),
            ("<a@b>", "a@b"),
            ("Bücher <wer@bücher.example>", "Bücher <wer@xn--bcher-kva.example>"),
        ] {
            assert_eq!(mail(text), Ok(meant.to_owned()));
        }
        let evil = "A\r\nBcc: c@d <a@b>";
        for bad in [
            evil,
            "A\"B <a@b>",
            "<a@b",
            "a@b>",
            "A <a@b>, c@d",
            "",
            "a",
            "@b",
            "a@",
            "a@b\r\nBcc: c@d",
            "a@b,c@d",
            "a b@c",
            "a@.b",
        ] {
            assert!(mail(bad).is_err(), "{bad:?}");
        }
    }
}
