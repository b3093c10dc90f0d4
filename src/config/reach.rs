//! How an address is reached: who we say we are, whom we trust, which way
//! requests take. The same keys for targets and for what names them.

use std::sync::Arc;

use super::address;
use super::secret::Vault;
use super::walk::{Table, Value};
use crate::model::{Approach, HeaderValue, Identity, Proxy, Transport};

/// What is said of it.
#[derive(Clone, Default)]
pub(super) struct Reach {
    /// Headers, as they are written.
    headers: Vec<(String, HeaderValue)>,
    /// Headers that `auth` makes. They go with smoke tests too.
    pub auth: Vec<(String, HeaderValue)>,
    /// All the rest; `None`: as usual.
    pub transport: Option<Arc<Transport>>,
}

impl Reach {
    /// The headers of a request, with those that hold credentials.
    pub fn headers(&self) -> Vec<(String, HeaderValue)> {
        self.headers.iter().chain(&self.auth).cloned().collect()
    }

    /// Of one target.
    pub fn approach(&self) -> Arc<Approach> {
        Arc::new(Approach { headers: self.headers(), transport: self.transport.clone() })
    }

    /// The same for an address whose certificate bears its own name.
    pub fn under_its_own_name(&self) -> Reach {
        let way = Transport { server_name: None, ..self.way() };
        Reach { transport: transport(way), ..self.clone() }
    }

    fn way(&self) -> Transport {
        self.transport.as_deref().cloned().unwrap_or_default()
    }
}

/// Reads `headers`, `auth`, `tls`, `proxy` and `http2` of a table.
pub(super) fn read(table: &Table, vault: &Vault) -> Reach {
    let reach = said(table, vault);
    hold_against(table, &reach);
    reach
}

/// The same of a few addresses among others. What is not said of them is `usual`.
pub(super) fn own(table: &Table, usual: &Reach, vault: &Vault) -> Reach {
    let own = said(table, vault);
    let of = |key: &str| if table.get(key).is_some() { &own } else { usual };
    let tls = of("tls").way();
    let way = Transport {
        identity: of("auth").way().identity,
        proxy: of("proxy").way().proxy,
        http2_only: of("http2").way().http2_only,
        ..tls
    };
    let reach = Reach {
        headers: of("headers").headers.clone(),
        auth: of("auth").auth.clone(),
        transport: self::transport(way),
    };
    hold_against(table, &reach);
    reach
}

/// `None`: as usual.
fn transport(way: Transport) -> Option<Arc<Transport>> {
    (!way.is_plain()).then(|| Arc::new(way))
}

fn said(table: &Table, vault: &Vault) -> Reach {
    let mut transport = Transport::default();
    let auth = table.get("auth").and_then(|value| value.table("targets.auth"));
    let auth = auth.as_ref().map_or_else(Vec::new, |auth| {
        transport.identity = identity(auth);
        credentials(auth, vault)
    });
    if let Some(tls) = table.get("tls").and_then(|value| value.table("targets.tls")) {
        read_tls(&tls, &mut transport);
    }
    transport.proxy = table.get("proxy").and_then(|value| proxy(value, vault));
    transport.http2_only = table.get("http2").and_then(http2).unwrap_or(false);
    let transport = self::transport(transport);
    let headers = table.get("headers").map_or_else(Vec::new, |value| vault.headers(value));
    Reach { headers, auth, transport }
}

/// Complains of what cannot be together, where one of the two is written.
fn hold_against(table: &Table, reach: &Reach) {
    // Where neither is written here, it was told where they are.
    let complain = |keys: [&str; 2], what: &str| {
        if let Some(value) = keys.into_iter().find_map(|key| table.get(key)) {
            value.error(what);
        }
    };
    let way = reach.way();
    let is_named = |value: &Value| value.as_flag() != Some(false);
    let has_proxy = way.proxy.is_some() || table.get("proxy").is_some_and(is_named);
    if has_proxy && way.server_name.is_some() {
        complain(
            ["proxy", "tls"],
            "a proxy would be asked for tls.server-name, not for the target; leave one of \
             them out",
        );
    }
    for (name, _) in &reach.auth {
        if reach.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            let what = format!("`{name}` is set by `auth` too; leave one of them out");
            complain(["headers", "auth"], &what);
        }
    }
}

fn credentials(auth: &Table, vault: &Vault) -> Vec<(String, HeaderValue)> {
    let mut all = Vec::new();
    let authorization = || "authorization".to_owned();
    if let Some(value) = auth.get("bearer")
        && let Some(bearer) = vault.secret(value, one_line)
    {
        all.push((authorization(), HeaderValue::Bearer { bearer }));
    }
    if let Some(value) = auth.get("basic") {
        if auth.get("bearer").is_some() {
            value.error("either `bearer` or `basic` is sent; leave one out");
        }
        all.extend(basic(value, vault).map(|value| (authorization(), value)));
    }
    if let Some(value) = auth.get("header") {
        let keys = vault.secret_headers(value);
        if all.iter().any(|(name, _)| keys.iter().any(|(key, _)| key.eq_ignore_ascii_case(name))) {
            value.error("sets `authorization` again; leave one of them out");
        }
        all.extend(keys);
    }
    all
}

fn basic(value: &Value, vault: &Vault) -> Option<HeaderValue> {
    let table = value.table("targets.auth.basic")?;
    let user = table.need("user", "user = \"bakewatch\"")?.text()?;
    if user.contains(':') || user.chars().any(char::is_control) {
        table.error("a user has no colon and no line feed in it");
        return None;
    }
    let password = table.need("password", "password = { env = \"PASSWORD\" }")?;
    let password = vault.secret(password, one_line)?;
    Some(HeaderValue::Basic { user: user.to_owned(), password })
}

fn one_line(text: &str) -> Result<(), String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err("is empty, or more than one line".to_owned());
    }
    Ok(())
}

fn identity(auth: &Table) -> Option<Identity> {
    let (cert, key) = (auth.get("client-cert"), auth.get("client-key"));
    if let (Some(one), None) | (None, Some(one)) = (cert, key) {
        one.error("client-cert and client-key go together; write both, as paths of PEM files");
    }
    let path = |value: Option<&Value>| Some(value?.text()?.to_owned());
    Some(Identity { cert_file: path(cert)?, key_file: path(key)? })
}

fn read_tls(tls: &Table, transport: &mut Transport) {
    transport.ca_file = tls.get("ca-file").and_then(Value::text).map(str::to_owned);
    transport.insecure = tls.flag("insecure").unwrap_or(false);
    if let (Some(value), true) = (tls.get("insecure"), transport.insecure) {
        let remedy = "trust the target's authority with ca-file instead";
        tls.sink.warn(value.at, &value.key, format!("no certificate is checked; {remedy}"));
    }
    let Some(value) = tls.get("server-name") else { return };
    let Some(name) = value.text() else { return };
    let is_host = address::base(&format!("https://{name}"))
        .is_ok_and(|base| address::place(&base).eq_ignore_ascii_case(name));
    if !is_host || name.contains([':', '/', '[']) {
        value.error(format!("{name:?} is no host name; write for example \"agent.example.com\""));
        return;
    }
    transport.server_name = Some(name.to_owned());
}

/// `"env"`, an address, or a secret that holds one; `false`: none.
fn proxy(value: &Value, vault: &Vault) -> Option<Proxy> {
    const SUCH_AS: &str = "write \"http://proxy.example.com:3128\", or \"env\" for what \
                           HTTP_PROXY, HTTPS_PROXY and NO_PROXY say";
    if value.as_flag() == Some(false) {
        return None; // directly, whatever others do
    }
    match value.as_text() {
        Some("env") => Some(Proxy::Environment),
        Some(text) if text.contains('@') => {
            value.error(
                "a URL with user or password ends up in logs; write the whole of it as \
                 { env = \"NAME\" } or { file = \"/path\" }",
            );
            None
        }
        Some(text) => match address::base(text) {
            Ok(base) if !base.starts_with(crate::model::UNIX) => Some(Proxy::At(base)),
            Ok(_) => {
                value.error(format!("a proxy is no Unix socket; {SUCH_AS}"));
                None
            }
            Err(what) => {
                value.error(what);
                None
            }
        },
        None => vault.secret(value, one_line).map(Proxy::Secret),
    }
}

fn http2(value: &Value) -> Option<bool> {
    match value.text()? {
        "auto" => Some(false),
        "prior-knowledge" => Some(true),
        other => {
            let known = ["auto", "prior-knowledge"];
            let instead = super::complaint::instead(other, &known);
            value.error(format!("unknown way {other:?}; {instead}"));
            None
        }
    }
}
