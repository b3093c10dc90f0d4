//! Does a gRPC server say of itself that it serves?

use bytes::{Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request, Response, Version};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{tcp, tls};
use crate::check::grpc;
use crate::model::{Failure, Serving};

/// An answer is some bytes; what is longer is none of this protocol.
const ANSWER_BYTES_MAX: usize = 1 << 16;

/// The server knows no service of this name.
const NOT_FOUND: &str = "5";

/// The server has no such method.
const UNIMPLEMENTED: &str = "12";

/// Calls `grpc.health.v1.Health/Check`. `secured`: over TLS, perhaps with a
/// file of authorities besides the system's.
///
/// # Errors
/// No connection, or no answer of this protocol.
pub(super) async fn serving(
    address: &str,
    service: &str,
    secured: Option<Option<&str>>,
) -> Result<Serving, Failure> {
    match secured {
        None => over(tcp::connect(address).await?, "http", address, service).await,
        Some(ca_file) => {
            let stream = tls::secure(address, ca_file, &["h2"]).await?;
            over(stream, "https", address, service).await
        }
    }
}

async fn over(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    scheme: &str,
    address: &str,
    service: &str,
) -> Result<Serving, Failure> {
    let (client, connection) = h2::client::handshake(stream).await.map_err(broken)?;
    let call = call(client, scheme, address, service);
    tokio::pin!(call, connection);
    let mut is_over = false;
    loop {
        tokio::select! {
            biased;
            answer = &mut call => return answer,
            // What has come by then is still read; the call itself ends.
            _ = &mut connection, if !is_over => is_over = true,
        }
    }
}

async fn call(
    client: SendRequest<Bytes>,
    scheme: &str,
    address: &str,
    service: &str,
) -> Result<Serving, Failure> {
    let mut client = client.ready().await.map_err(broken)?;
    let request = Request::post(format!("{scheme}://{address}/grpc.health.v1.Health/Check"))
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("user-agent", concat!("bakewatch/", env!("CARGO_PKG_VERSION")))
        .body(())
        .map_err(|error| Failure::NotAsked(error.to_string()))?;
    let (response, mut sending) = client.send_request(request, false).map_err(broken)?;
    sending.send_data(grpc::encode(service).into(), true).map_err(broken)?;
    let response = response.await.map_err(broken)?;
    if response.status() != 200 {
        let status = response.status().as_u16();
        return Err(Failure::Broken(format!("HTTP status {status} instead of an answer of gRPC")));
    }
    read(response).await
}

/// The message and the trailers, or the trailers alone among the headers.
async fn read(response: Response<h2::RecvStream>) -> Result<Serving, Failure> {
    let (head, mut body) = response.into_parts();
    if let Some(status) = head.headers.get("grpc-status") {
        return ended(status.to_str().unwrap_or("?"), &head.headers, &[]);
    }
    let mut message = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.map_err(broken)?;
        if message.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Failure::TooLarge(ANSWER_BYTES_MAX as u64));
        }
        let _ = body.flow_control().release_capacity(chunk.len());
        message.extend_from_slice(&chunk);
    }
    let trailers = body.trailers().await.map_err(broken)?.unwrap_or_default();
    let status = trailers.get("grpc-status").and_then(|status| status.to_str().ok());
    let status = status.ok_or_else(|| Failure::Broken("the answer has no grpc-status".into()))?;
    ended(status, &trailers, &message)
}

fn ended(status: &str, said: &HeaderMap, message: &[u8]) -> Result<Serving, Failure> {
    let words = said.get("grpc-message").and_then(|words| words.to_str().ok()).unwrap_or_default();
    match status {
        "0" => grpc::decode(message).map_err(Failure::Unreadable),
        NOT_FOUND => Ok(Serving::ServiceUnknown),
        UNIMPLEMENTED => {
            Err(Failure::Broken("the server has no grpc.health.v1 (grpc-status 12)".to_owned()))
        }
        other => Err(Failure::Broken(format!("grpc-status {other} {words}").trim_end().to_owned())),
    }
}

fn broken(error: h2::Error) -> Failure {
    Failure::Broken(match error.get_io() {
        Some(io) => io.to_string(),
        None => format!("no HTTP/2: {error}"),
    })
}
