//! HTTP clients by transport: requests that go the same way share connections,
//! and a client is made anew when a certificate or a key on disk is another.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Identity, Proxy, Url};

use super::files::read_aside;
use super::http::{builder, deepest};
use super::secrets::Secrets;
use crate::model::{self, Transport, unix_parts};

/// So many ways are more than any plan has; beyond them the pool is emptied.
const CLIENTS_MAX: usize = 2000;

/// So many addresses are more than are asked at a time; longer ones are made up
/// as one goes, by whoever redirects.
const URLS_MAX: usize = 5000;
const URL_BYTES_MAX: usize = 500;

/// Addresses, read once: the same are asked again and again.
#[derive(Clone, Debug, Default)]
pub(super) struct Urls {
    read: Arc<Mutex<HashMap<String, Url>>>, // lookup only
}

impl Urls {
    /// What stands there.
    ///
    /// # Errors
    /// It is no address.
    pub fn read(&self, text: &str) -> Result<Url, String> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = read.get(text) {
            return Ok(url.clone());
        }
        let url = Url::parse(text).map_err(|error| format!("the URL is none: {error}"))?;
        if read.len() >= URLS_MAX {
            read.clear(); // targets have come and gone
        }
        if text.len() <= URL_BYTES_MAX {
            read.insert(text.to_owned(), url.clone());
        }
        Ok(url)
    }
}

/// All that makes one client another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Way {
    transport: Transport,
    /// The socket, or the host that another name stands for.
    place: Option<String>,
}

/// A client, and what it was made of.
#[derive(Debug)]
struct Made {
    client: Client,
    of: Vec<Stamp>,
}

/// A file as it was, or the text of a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Stamp {
    File(Option<(SystemTime, u64)>),
    Text(String),
}

/// The clients of all transports but the usual one.
#[derive(Clone, Debug, Default)]
pub(super) struct Clients {
    made: Arc<Mutex<BTreeMap<Way, Made>>>,
}

impl Clients {
    /// All are made anew, whatever their files look like.
    pub fn forget(&self) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The client that reaches this place. `None`: the usual one.
    ///
    /// # Errors
    /// What of the transport cannot be used: our own fault, not the target's.
    pub async fn find(
        &self,
        place: Option<String>,
        transport: Option<&Transport>,
        secrets: &Secrets,
        has_roots: bool,
    ) -> Result<Option<Client>, String> {
        let transport = transport.cloned().unwrap_or_default();
        if place.is_none() && transport.is_plain() {
            return Ok(None);
        }
        let hidden_proxy = match &transport.proxy {
            Some(model::Proxy::Secret(secret)) => Some(secrets.resolve(secret).await?),
            Some(model::Proxy::Environment | model::Proxy::At(_)) | None => None,
        };
        let way = Way { transport, place };
        let of = way.stamps(hidden_proxy.clone()).await?;
        if let Some(client) = self.known(&way, &of) {
            return Ok(Some(client));
        }
        let what = format!("certificates and keys of {:?}", way.files());
        let building = (way.clone(), hidden_proxy);
        let build = move || build(&building.0, building.1.as_deref(), has_roots);
        let client = read_aside(&what, build).await??;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= CLIENTS_MAX {
            made.clear(); // targets have come and gone; those that are here come back
        }
        made.insert(way, Made { client: client.clone(), of });
        Ok(Some(client))
    }

    fn known(&self, way: &Way, of: &[Stamp]) -> Option<Client> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let known = made.get(way).filter(|known| known.of == of);
        known.map(|known| known.client.clone())
    }
}

/// The URL as a client is asked for it, and the place that it stands for, where
/// that is another: a socket, or the host that has another name.
///
/// # Errors
/// It is no URL, or the name no name.
pub(super) fn placed(
    url: &str,
    transport: Option<&Transport>,
) -> Result<(String, Option<String>), String> {
    let name = transport.and_then(|transport| transport.server_name.as_deref());
    Ok(match (unix_parts(url), name) {
        (Some((socket, path)), _) => (format!("http://localhost{path}"), Some(socket.to_owned())),
        (None, Some(name)) => {
            let (url, host) = renamed(url, name)?;
            (url, Some(host))
        }
        (None, None) => (url.to_owned(), None),
    })
}

/// The URL with another host, and the host that it had.
fn renamed(url: &str, name: &str) -> Result<(String, String), String> {
    let mut url = Url::parse(url).map_err(|error| format!("the URL is none: {error}"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    url.set_host(Some(name)).map_err(|error| format!("tls.server-name {name:?}: {error}"))?;
    Ok((url.into(), host))
}

impl Way {
    fn files(&self) -> Vec<String> {
        let Transport { ca_file, identity, .. } = &self.transport;
        let own = identity.iter().flat_map(|own| [&own.cert_file, &own.key_file]);
        ca_file.iter().chain(own).cloned().collect()
    }

    /// What the client rests on, as it is now. Files are looked at, not read.
    async fn stamps(&self, hidden_proxy: Option<String>) -> Result<Vec<Stamp>, String> {
        let files = self.files();
        let stamp = |path: &String| {
            let known = std::fs::metadata(path).ok();
            Stamp::File(known.and_then(|known| Some((known.modified().ok()?, known.len()))))
        };
        let mut all = match files.is_empty() {
            true => Vec::new(),
            false => {
                let what = files.join(", ");
                read_aside(&what, move || files.iter().map(stamp).collect()).await?
            }
        };
        all.extend(hidden_proxy.map(Stamp::Text));
        Ok(all)
    }
}

fn build(way: &Way, hidden_proxy: Option<&str>, has_roots: bool) -> Result<Client, String> {
    let transport = &way.transport;
    let mut building = builder().redirect(Policy::none());
    building = match &transport.proxy {
        None => building.no_proxy(),
        Some(model::Proxy::Environment) => building, // its own default
        Some(model::Proxy::At(url)) => building.proxy(proxy(url)?),
        Some(model::Proxy::Secret(_)) => building.proxy(proxy(hidden_proxy.unwrap_or_default())?),
    };
    let authorities = match &transport.ca_file {
        None => Vec::new(),
        Some(path) => authorities(path)?,
    };
    building = match has_roots {
        true => building.tls_certs_merge(authorities),
        false => building.tls_certs_only(authorities),
    };
    if let Some(own) = &transport.identity {
        building = building.identity(identity(&own.cert_file, &own.key_file)?);
    }
    if transport.insecure {
        building = building.tls_danger_accept_invalid_certs(true);
    }
    if transport.http2_only {
        building = building.http2_prior_knowledge();
    }
    if let Some(place) = &way.place {
        building = match transport.server_name {
            Some(_) if !place.starts_with('/') => {
                building.dns_resolver(Arc::new(StandsFor { host: place.clone() }))
            }
            _ => building.unix_socket(Path::new(place)),
        };
    }
    building.build().map_err(|error| format!("no HTTP client: {}", deepest(&error)))
}

fn proxy(url: &str) -> Result<Proxy, String> {
    // Its own words could hold the address, and that a password.
    Proxy::all(url).map_err(|_| "the proxy's address is no URL".to_owned())
}

fn authorities(path: &str) -> Result<Vec<Certificate>, String> {
    let pem = read(path)?;
    let all = Certificate::from_pem_bundle(&pem)
        .map_err(|error| format!("tls.ca-file {path}: {}", deepest(&error)))?;
    if all.is_empty() {
        return Err(format!("tls.ca-file {path} holds no certificate in PEM form"));
    }
    Ok(all)
}

fn identity(cert_file: &str, key_file: &str) -> Result<Identity, String> {
    let mut pem = read(cert_file)?;
    pem.push(b'\n');
    pem.extend(read(key_file)?);
    Identity::from_pem(&pem)
        .map_err(|_| format!("{cert_file} and {key_file} are no certificate and key in PEM form"))
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path}: {error}"))
}

/// Whatever name is asked for, this host is meant.
struct StandsFor {
    host: String,
}

impl Resolve for StandsFor {
    fn resolve(&self, _: Name) -> Resolving {
        let host = self.host.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
