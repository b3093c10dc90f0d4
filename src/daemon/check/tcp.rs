//! Does a connection come about?

use std::io::ErrorKind;

use tokio::net::{TcpStream, lookup_host};

use crate::model::Failure;

/// Connects to `host:port`, trying each address of the host in turn.
///
/// # Errors
/// The host has no address, or none of them accepts; that of the last.
pub(super) async fn connect(address: &str) -> Result<TcpStream, Failure> {
    let found = lookup_host(address).await.map_err(|error| Failure::Dns(error.to_string()))?;
    let mut last = Failure::Dns("the name has no address".to_owned());
    for one in found {
        match TcpStream::connect(one).await {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => last = Failure::Refused,
            Err(error) => last = Failure::Broken(error.to_string()),
        }
    }
    Err(last)
}
