//! An authority and TLS servers on loopback that bear its certificates.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority of our own.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, as a file to trust.
    pub file: PathBuf,
    _folder: tempfile::TempDir,
}

/// A certificate with its key.
pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: PrivateKeyDer<'static>,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Our test authority");
        let key = KeyPair::generate().expect("a key");
        let root = params.self_signed(&key).expect("a root");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, root.pem()).expect("a file");
        Authority { issuer: Issuer::new(params, key), file, _folder: folder }
    }

    /// A certificate for these names, until the first of January of that year.
    pub fn signs(&self, names: &[&str], until: i32) -> Identity {
        let (mut params, key) = asked_for(names, until);
        params.distinguished_name.push(DnType::CommonName, names[0]);
        let signed = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity { chain: vec![signed.der().clone()], key: private(key) }
    }
}

/// A certificate that only vouches for itself.
pub fn self_signed(names: &[&str], until: i32) -> Identity {
    let (params, key) = asked_for(names, until);
    let signed = params.self_signed(&key).expect("a certificate");
    Identity { chain: vec![signed.der().clone()], key: private(key) }
}

fn asked_for(names: &[&str], until: i32) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    (params, KeyPair::generate().expect("a key"))
}

fn private(key: KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::Pkcs8(key.serialize_der().into())
}

/// How a server shakes hands.
pub fn config(identity: Identity, alpn: &[&str], tls12: bool) -> Arc<ServerConfig> {
    let versions: &[&rustls::SupportedProtocolVersion] =
        if tls12 { &[&rustls::version::TLS12] } else { rustls::ALL_VERSIONS };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)
        .expect("a certificate with its key");
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// A server that shakes hands with whoever comes.
pub async fn start(config: Arc<ServerConfig>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = TlsAcceptor::from(config.clone());
            tokio::spawn(async move {
                if let Ok(mut session) = acceptor.accept(stream).await {
                    let _ = session.read_to_end(&mut Vec::new()).await;
                }
            });
        }
    });
    address
}
