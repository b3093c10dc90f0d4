//! Connections to targets that are asked in plain HTTP: which are used again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::model::{Failure, Request, SECOND};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::http::get;
use super::peer::head_of;

/// A target that answers every request on a connection with this, to the byte,
/// and closes it when the answer says so. Counts the connections.
async fn target(answer: &'static str) -> (Request, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/health?deep=1", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                while let Some(head) = head_of(&mut stream).await {
                    assert!(head.starts_with("GET /health?deep=1 HTTP/1.1\r\n"), "{head}");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                    if answer.contains("connection: close") {
                        return;
                    }
                }
            });
        }
    });
    (get(&url, 60 * SECOND), connections)
}

/// Asked three times: what is told, and by how many connections.
async fn check(answer: &'static str, told: Result<(u16, &str), ()>, by: usize) {
    let (request, connections) = target(answer).await;
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    for _ in 0..3 {
        let exchange = http.exchange(&request, &secrets).await;
        let exchange = exchange.map(|exchange| (exchange.status, exchange.body)).map_err(|_| ());
        assert_eq!(exchange, told.map(|(status, body)| (status, body.to_owned())), "{answer}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), by, "{answer}");
}

#[tokio::test]
async fn a_connection_is_used_again_once_its_answer_is_here_to_the_end() {
    check("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nup", Ok((200, "up")), 1).await;
    check("HTTP/1.1 204 No Content\r\n\r\n", Ok((204, "")), 1).await;
    let chunked = "HTTP/1.1 503 Down\r\ntransfer-encoding: chunked\r\n\r\n\
                   2\r\nno\r\n1\r\n!\r\n0\r\nx: trailer\r\n\r\n";
    check(chunked, Ok((503, "no!")), 1).await;
}

#[tokio::test]
async fn a_connection_is_not_used_again_that_is_closed_or_out_of_step() {
    let closed = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nto the end";
    check(closed, Ok((200, "to the end")), 3).await;
    let old = "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nup";
    check(old, Ok((200, "up")), 3).await;
    let more = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nupHTTP/1.1 500 Unasked\r\n\r\n";
    check(more, Ok((200, "up")), 3).await;
    let torn = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nshort";
    check(torn, Err(()), 3).await;
}

#[tokio::test]
async fn of_an_answer_that_nobody_reads_what_is_here_is_skipped() {
    let refused = "HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone";
    let (request, connections) = target(refused).await;
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    for _ in 0..3 {
        let body = http.body(&request, &secrets, 1000).await;
        assert_eq!(body, Err(Failure::Status(404)));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}
