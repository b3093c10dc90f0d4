//! A small server of any transport that tells what it was asked: over TLS, on
//! a socket, as a proxy.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};

/// The heads of all requests, in order; a connection begins with an empty one.
pub type Heads = Arc<Mutex<Vec<String>>>;

/// The requests among them.
pub fn requests(heads: &Heads) -> Vec<String> {
    heads.lock().unwrap().iter().filter(|head| !head.is_empty()).cloned().collect()
}

/// How many connections they came by.
pub fn connections(heads: &Heads) -> usize {
    heads.lock().unwrap().iter().filter(|head| head.is_empty()).count()
}

/// Answers every request on a stream with this, until the other side is done.
pub async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, heads: Heads, body: String) {
    heads.lock().unwrap().push(String::new());
    while let Some(head) = head_of(&mut stream).await {
        heads.lock().unwrap().push(head);
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(text.as_bytes()).await.is_err() {
            return;
        }
    }
}

pub async fn head_of(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// A plain server at an address of this machine, `127.0.0.1:0`.
pub async fn plain(at: &str, body: &str) -> (String, Heads) {
    let listener = TcpListener::bind(at).await.unwrap();
    let (url, heads) = (format!("http://{}", listener.local_addr().unwrap()), Heads::default());
    let (known, body) = (heads.clone(), body.to_owned());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, known.clone(), body.clone()));
        }
    });
    (url, heads)
}

/// A proxy: tunnels, and answers itself where it is asked for a plain address.
pub async fn proxy() -> (String, Heads) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (url, heads) = (format!("http://{}", listener.local_addr().unwrap()), Heads::default());
    let known = heads.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let heads = known.clone();
            tokio::spawn(async move {
                let Some(head) = head_of(&mut stream).await else { return };
                heads.lock().unwrap().push(head.clone());
                let there = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
                let Some(there) = there else {
                    let text = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nby proxy\n";
                    stream.write_all(text).await.unwrap();
                    return;
                };
                let mut other = TcpStream::connect(there).await.unwrap();
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut other).await;
            });
        }
    });
    (url, heads)
}

/// An authority that lives for a test, with its file.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    pub file: PathBuf,
}

impl Authority {
    pub fn new(folder: &Path, name: &str) -> Authority {
        let key = KeyPair::generate().unwrap();
        let mut wanted = CertificateParams::new(Vec::new()).unwrap();
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        wanted.distinguished_name.push(rcgen::DnType::CommonName, name);
        let own = wanted.self_signed(&key).unwrap();
        let file = folder.join(format!("{name}.pem"));
        std::fs::write(&file, own.pem()).unwrap();
        Authority { certificate: own.der().clone(), issuer: Issuer::new(wanted, key), file }
    }

    fn issue(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let wanted = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (wanted.signed_by(&key, &self.issuer).unwrap(), key)
    }

    /// Files of a client's certificate and its key.
    pub fn client(&self, folder: &Path, name: &str) -> (String, String) {
        let (certificate, key) = self.issue(name);
        let files = [format!("{name}.crt"), format!("{name}.key")].map(|file| folder.join(file));
        std::fs::write(&files[0], certificate.pem()).unwrap();
        std::fs::write(&files[1], key.serialize_pem()).unwrap();
        let [crt, key] = files.map(|file| file.display().to_string());
        (crt, key)
    }

    /// A server under this name, which wants a client of that authority to show
    /// itself, if there is one.
    pub async fn server(&self, name: &str, clients: Option<&Authority>) -> (String, Heads) {
        let (certificate, key) = self.issue(name);
        let provider = Arc::new(crypto::ring::default_provider());
        let building = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let building = match clients {
            None => building.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.certificate.clone()).unwrap();
                let roots = Arc::new(roots);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                building.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = building.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (url, heads) = (format!("https://127.0.0.1:{port}"), Heads::default());
        let known = heads.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, heads) = (acceptor.clone(), known.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        answer(stream, heads, "well".to_owned()).await;
                    }
                });
            }
        });
        (url, heads)
    }
}
