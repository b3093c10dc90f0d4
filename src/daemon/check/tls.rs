//! Does a TLS session come about, and by which certificates? A certificate
//! that cannot be trusted ends no handshake here: it is looked at, the reason
//! is kept, and nothing is ever sent over such a session.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, ProtocolVersion};
use rustls::{RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{host_of, tcp};
use crate::model::{Certificate, Distrust, Failure, Span, Timestamp, TlsFacts};

/// Shakes hands with `host:port` and tells what was seen. `alpn`: protocols to
/// offer; a server that knows none of those offered may refuse, so that none
/// are where it is not known to speak them.
///
/// # Errors
/// No connection, no session, or no authority to verify by.
pub(super) async fn look(
    address: &str,
    ca_file: Option<&str>,
    alpn: &[&str],
) -> Result<TlsFacts, Failure> {
    let looking = Arc::new(Looking { inner: verifier(ca_file).await?, distrust: Mutex::default() });
    let stream = shake(address, looking.clone(), alpn).await?;
    let (_, session) = stream.get_ref();
    let chain = session.peer_certificates().unwrap_or_default();
    let chain = chain.iter().map(certificate).collect::<Result<Vec<_>, _>>()?;
    let leaf =
        chain.first().ok_or_else(|| Failure::Tls("the server shows no certificate".into()))?;
    let expires_in = leaf.not_after.since(wall_now());
    let cipher = session.negotiated_cipher_suite().map(|suite| suite.suite());
    Ok(TlsFacts {
        version: match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "1.3".to_owned(),
            Some(ProtocolVersion::TLSv1_2) => "1.2".to_owned(),
            other => format!("{other:?}"),
        },
        cipher: cipher
            .and_then(|suite| suite.as_str().map(str::to_owned))
            .unwrap_or_else(|| format!("{cipher:?}")),
        alpn: session.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned()),
        distrust: looking.distrust.lock().map_or(None, |distrust| distrust.clone()),
        expires_in,
        chain,
    })
}

/// A session that may be used: its certificate is verified.
///
/// # Errors
/// No connection, or none that can be trusted.
pub(super) async fn secure(
    address: &str,
    ca_file: Option<&str>,
    alpn: &[&str],
) -> Result<TlsStream<TcpStream>, Failure> {
    shake(address, verifier(ca_file).await?, alpn).await
}

async fn shake(
    address: &str,
    verifier: Arc<dyn ServerCertVerifier>,
    alpn: &[&str],
) -> Result<TlsStream<TcpStream>, Failure> {
    let host = host_of(address);
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Failure::NotAsked(format!("{host:?} is no host that a certificate names")))?;
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::NotAsked(error.to_string()))?
        .dangerous() // which is to say: with a verifier of our own, `Looking` or a real one
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let stream = tcp::connect(address).await?;
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    shaken.map_err(|error| match error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => Failure::Tls(distrust(why).to_string()),
        Some(tls) => Failure::Tls(tls.to_string()),
        None => Failure::Broken(error.to_string()),
    })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Verifies by the system's authorities and those of a file; they are read
/// anew each time, since both may change in a week.
async fn verifier(ca_file: Option<&str>) -> Result<Arc<dyn ServerCertVerifier>, Failure> {
    let path = ca_file.map(str::to_owned);
    let reading = tokio::task::spawn_blocking(move || read_authorities(path.as_deref()));
    let read = reading.await.map_err(|error| Failure::NotAsked(error.to_string()))?;
    read.map_err(Failure::NotAsked)
}

fn read_authorities(ca_file: Option<&str>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut extra = Vec::new();
    if let Some(path) = ca_file {
        let wrong = |error| format!("ca-file {path}: {error}");
        let found = CertificateDer::pem_file_iter(path).map_err(wrong)?;
        extra = found.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        if extra.is_empty() {
            return Err(format!("ca-file {path}: holds no certificate in PEM form"));
        }
    }
    match Verifier::new_with_extra_roots(extra.clone(), provider()) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        Err(error) if extra.is_empty() => Err(format!("no authority to verify by: {error}")),
        // Without any authority on the machine those of the file are enough.
        Err(_) => {
            let mut roots = RootCertStore::empty();
            for one in extra {
                roots.add(one).map_err(|error| format!("ca-file: {error}"))?;
            }
            let built = WebPkiServerVerifier::builder_with_provider(roots.into(), provider());
            Ok(built.build().map_err(|error| format!("ca-file: {error}"))?)
        }
    }
}

/// Verifies, keeps what is wrong, and goes on.
#[derive(Debug)]
struct Looking {
    inner: Arc<dyn ServerCertVerifier>,
    distrust: Mutex<Option<Distrust>>,
}

impl ServerCertVerifier for Looking {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let inner = &self.inner;
        let verified =
            inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        let found = verified.err().map(|error| match &error {
            rustls::Error::InvalidCertificate(why) => distrust(why),
            other => Distrust::Other(other.to_string()),
        });
        if let Ok(mut distrust) = self.distrust.lock() {
            *distrust = found;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn distrust(why: &CertificateError) -> Distrust {
    use CertificateError as E;
    match why {
        E::Expired | E::ExpiredContext { .. } => Distrust::Expired,
        E::NotValidYet | E::NotValidYetContext { .. } => Distrust::NotYetValid,
        E::NotValidForName | E::NotValidForNameContext { .. } => Distrust::WrongHost,
        // A bad signature is that of a namesake of an authority that is trusted.
        E::UnknownIssuer | E::BadSignature => Distrust::UnknownAuthority,
        // Self-signed by a certificate that is no authority, and trusted by nobody.
        E::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            Distrust::UnknownAuthority
        }
        other => Distrust::Other(other.to_string()),
    }
}

fn certificate(der: &CertificateDer<'_>) -> Result<Certificate, Failure> {
    let (_, parsed) = X509Certificate::from_der(der)
        .map_err(|error| Failure::Tls(format!("a certificate cannot be read: {error}")))?;
    let names = match parsed.subject_alternative_name() {
        Ok(Some(found)) => found.value.general_names.iter().filter_map(name).collect(),
        Ok(None) | Err(_) => Vec::new(),
    };
    let at = |time: &x509_parser::time::ASN1Time| Timestamp::from_millis(time.timestamp() * 1000);
    let (subject, issuer) = (parsed.subject().to_string(), parsed.issuer().to_string());
    Ok(Certificate {
        is_self_signed: parsed.subject().as_raw() == parsed.issuer().as_raw(),
        subject,
        issuer,
        names,
        not_before: at(&parsed.validity().not_before),
        not_after: at(&parsed.validity().not_after),
    })
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some((*host).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => Some(std::net::Ipv4Addr::from(<[u8; 4]>::try_from(*bytes).ok()?).to_string()),
            _ => Some(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).ok()?).to_string()),
        },
        _ => None,
    }
}

/// The wall's time: a certificate's end is given in it, on whatever clock the
/// watch lives.
fn wall_now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(Span::from(since).millis())
}
