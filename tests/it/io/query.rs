//! Questions to a server of metrics, over real sockets.

use std::path::Path;

use bakewatch::daemon::http::Http;
use bakewatch::daemon::query::{Limits, ask};
use bakewatch::daemon::secrets::Secrets;
use bakewatch::model::{
    DataSource, Failure, HeaderValue, Inquiry, MILLISECOND, SECOND, Secret, Span, Timestamp, Told,
};

use super::http::{answer, server, servers};

const LIMITS: Limits = Limits { bytes_max: 1000, timeout: SECOND };

fn source(url: &str, token: &Path) -> DataSource {
    let bearer = Secret::File(token.display().to_string());
    DataSource {
        name: "main".into(),
        url: url.to_owned(),
        headers: vec![("authorization".into(), HeaderValue::Bearer { bearer })],
        transport: None,
        params: Vec::new(),
        takes_partial: false,
        selector: None,
        delay: Span::ZERO,
        timeout: SECOND,
        history: Span::ZERO,
    }
}

fn inquiry(text: &str) -> Inquiry {
    Inquiry { text: text.into(), at: Timestamp::from_millis(1_500), since: None }
}

/// What comes of one question to a server that answers so.
async fn told(raw: Option<Vec<u8>>, limits: Limits) -> Result<Told, Failure> {
    let (url, serving) = server(raw).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "t").unwrap();
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    let source = source(&url, &token);
    let mut all = ask(&http, &secrets, &source, &[inquiry("up")], limits).await;
    serving.abort();
    all.remove(0)
}

const ONE: &[u8] = br#"{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}"#;

#[tokio::test]
async fn takes_a_whole_answer_and_nothing_less() {
    assert_eq!(told(answer("200 OK", ONE), LIMITS).await.map(|told| told.rows.len()), Ok(1));
    let error = br#"{"status":"error","errorType":"bad_data","error":"no such function"}"#;
    let says = Failure::Says("bad_data: no such function".into());
    assert_eq!(told(answer("400 Bad Request", error), LIMITS).await, Err(says));
    assert_eq!(told(answer("401 Unauthorized", b"no"), LIMITS).await, Err(Failure::Status(401)));
    let page = told(answer("200 OK", b"<html>sign in"), LIMITS).await;
    assert!(matches!(&page, Err(Failure::Unreadable(why)) if why.contains("<html>")), "{page:?}");
    let large = vec![b' '; 2000];
    assert_eq!(told(answer("200 OK", &large), LIMITS).await, Err(Failure::TooLarge(1000)));
    let soon = Limits { timeout: 50 * MILLISECOND, ..LIMITS };
    assert_eq!(told(None, soon).await, Err(Failure::Timeout(50 * MILLISECOND)));
}

#[tokio::test]
async fn reads_the_token_at_each_question() {
    let raw = || answer("200 OK", ONE);
    let (url, serving) = servers(vec![raw(), raw()]).await;
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    for text in ["first", "second"] {
        std::fs::write(&token, text).unwrap();
        let all = ask(&http, &secrets, &source(&url, &token), &[inquiry("a > 1")], LIMITS).await;
        assert!(all[0].is_ok(), "{all:?}");
    }
    let heads = serving.await.unwrap();
    assert!(heads[0].starts_with("POST /api/v1/query HTTP/1.1"), "{}", heads[0]);
    assert!(heads[0].to_lowercase().contains("authorization: bearer first"), "{}", heads[0]);
    assert!(heads[1].to_lowercase().contains("authorization: bearer second"), "{}", heads[1]);
}
