//! Who waits for whom on the way to the targets, and how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::metrics::{Table, Wanted};
use bakewatch::model::{Failure, SECOND};
use bakewatch::watch::Reply;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::http::get;

const PAGE: &str = "x{a=\"1\"} 1\n";

/// It answers once a connection, and does not say that it closes it.
const CLOSES: &str = "*";

/// A target that keeps its connections, counts them, and is mute where it is
/// asked for this path.
async fn target(mute: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(converse(stream, mute));
        }
    });
    (url, connections)
}

async fn converse(mut stream: TcpStream, mute: &str) -> std::io::Result<()> {
    let mut head = Vec::new();
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
        if !head.ends_with(b"\r\n\r\n") || head.starts_with(format!("GET {mute} ").as_bytes()) {
            continue;
        }
        head.clear();
        let length = PAGE.len();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{PAGE}");
        stream.write_all(answer.as_bytes()).await?;
        if mute == CLOSES {
            return Ok(());
        }
    }
}

async fn scrape(http: &Http, url: &str) -> Result<usize, Failure> {
    let (request, wanted) = (get(&format!("{url}/metrics"), 60 * SECOND), Wanted::all());
    let table = Box::new(Table::default());
    match http.scrape(&request, &Secrets::default(), &Arc::new(wanted), 1000, table).await {
        Reply::Scraped { page, .. } => page.map(|page| page.samples.len()),
        other => panic!("{other:?}"),
    }
}

/// So many at once.
fn scrapes(http: &Http, url: &str, count: usize) -> JoinSet<Result<usize, Failure>> {
    let one = |_| {
        let (http, url) = (http.clone(), url.to_owned());
        async move { scrape(&http, &url).await }
    };
    (0..count).map(one).collect()
}

#[tokio::test]
async fn health_and_page_of_a_target_share_a_connection() {
    let (url, connections) = target("/nothing").await;
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    let health = get(&format!("{url}/health"), 60 * SECOND);
    for _ in 0..3 {
        let (health, page) = tokio::join!(http.exchange(&health, &secrets), scrape(&http, &url));
        assert_eq!((health.map(|answer| answer.status), page), (Ok(200), Ok(1)));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_page_does_not_wait_for_a_health_check_that_hangs() {
    let (url, connections) = target("/health").await;
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    let health = get(&format!("{url}/health"), 60 * SECOND);
    tokio::select! {
        hung = http.exchange(&health, &secrets) => panic!("it never answers: {hung:?}"),
        page = scrape(&http, &url) => assert_eq!(page, Ok(1)),
    }
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_target_that_closes_its_connections_without_a_word_is_up_all_the_same() {
    let (url, _) = target(CLOSES).await;
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    let health = get(&format!("{url}/health"), 60 * SECOND);
    for _ in 0..50 {
        let (health, page) = tokio::join!(http.exchange(&health, &secrets), scrape(&http, &url));
        assert_eq!((health.map(|answer| answer.status), page), (Ok(200), Ok(1)));
    }
}

#[tokio::test]
async fn many_pages_that_hang_hold_up_no_other() {
    let ((slow, _), (well, _)) = (target("/metrics").await, target("/nothing").await);
    let http = Http::new().unwrap();
    let mut hanging = scrapes(&http, &slow, 50);
    tokio::select! {
        hung = hanging.join_next() => panic!("they never answer: {hung:?}"),
        page = scrape(&http, &well) => assert_eq!(page, Ok(1)),
    }
}

#[tokio::test]
async fn pages_that_come_at_once_all_come() {
    let (url, _) = target("/nothing").await;
    let http = Http::new().unwrap();
    assert_eq!(scrapes(&http, &url, 100).join_all().await, vec![Ok(1); 100]);
}
