//! The demo's receivers, on real loopback sockets: a mail server and a
//! webhook endpoint that write down what they are sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Where a sink writes, and how many letters it has taken.
struct Pile {
    folder: PathBuf,
    count: AtomicU32,
}

impl Pile {
    fn new(folder: &Path) -> std::io::Result<Arc<Pile>> {
        std::fs::create_dir_all(folder)?;
        Ok(Arc::new(Pile { folder: folder.to_owned(), count: AtomicU32::new(0) }))
    }

    async fn put(&self, end: &str, text: &[u8]) -> std::io::Result<()> {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        tokio::fs::write(self.folder.join(format!("{number:03}.{end}")), text).await
    }
}

/// Starts a webhook endpoint that writes each body to a file; gives its URL.
pub async fn webhook(folder: &Path) -> std::io::Result<String> {
    let pile = Pile::new(folder)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    let routes = axum::Router::new().route("/hook", post(take)).with_state(pile);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(url)
}

async fn take(State(pile): State<Arc<Pile>>, headers: HeaderMap, body: String) -> StatusCode {
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
    let value: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    let letter = serde_json::json!({ "webhook-id": id, "body": value });
    let text = serde_json::to_vec_pretty(&letter).unwrap_or_default();
    match pile.put("json", &text).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Starts a mail server that writes each mail to a file; gives its port.
pub async fn mail(folder: &Path) -> std::io::Result<u16> {
    let pile = Pile::new(folder)?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, pile.clone()));
        }
    });
    Ok(port)
}

/// One SMTP session (RFC 5321), as much of it as taking mail needs.
async fn serve(stream: TcpStream, pile: Arc<Pile>) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader);
    writer.write_all(b"220 demo ESMTP\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "DATA" => {
                writer.write_all(b"354 go on\r\n").await?;
                let mail = read_mail(&mut lines).await?;
                pile.put("eml", mail.as_bytes()).await?;
                writer.write_all(b"250 taken\r\n").await?;
            }
            "QUIT" => {
                writer.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            "EHLO" => writer.write_all(b"250-demo\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n").await?,
            _ => writer.write_all(b"250 ok\r\n").await?,
        }
    }
}

async fn read_mail<R: tokio::io::AsyncBufRead + Unpin>(lines: &mut R) -> std::io::Result<String> {
    let mut mail = String::new();
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(mail);
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
