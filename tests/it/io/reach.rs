//! Ways to a target: certificates that are trusted and shown, proxies, sockets,
//! addresses and versions of HTTP, and credentials that are changed on disk.

use std::sync::Arc;

use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::model::{Failure, HeaderValue, Identity, Proxy, Request, SECOND, Secret, Transport};
use tokio::net::{TcpListener, UnixListener};

use super::cli::bakewatch;
use super::peer::{Authority, Heads, answer, connections, plain, proxy, requests};

fn get(url: &str, transport: Transport) -> Request {
    let transport = Some(Arc::new(transport));
    let (method, headers) = (Default::default(), Vec::new());
    Request {
        method,
        url: url.to_owned(),
        headers,
        body: None,
        timeout: 10 * SECOND,
        transport,
        follow: 0,
    }
}

async fn ask(http: &Http, request: &Request) -> Result<String, Failure> {
    http.exchange(request, &Secrets::default()).await.map(|exchange| exchange.body)
}

async fn once(url: &str, transport: Transport) -> Result<String, Failure> {
    ask(&Http::new().unwrap(), &get(url, transport)).await
}

fn trusting(authority: &Authority) -> Transport {
    let ca_file = Some(authority.file.display().to_string());
    Transport { ca_file, ..Transport::default() }
}

#[tokio::test]
async fn trusts_an_authority_of_its_own_and_nobody_elses() {
    let dir = tempfile::tempdir().unwrap();
    let [ours, other] = ["ours", "other"].map(|name| Authority::new(dir.path(), name));
    let (url, _) = ours.server("127.0.0.1", None).await;
    assert_eq!(once(&url, trusting(&ours)).await, Ok("well".to_owned()));
    for stranger in [Transport::default(), trusting(&other)] {
        let refused = once(&url, stranger).await;
        assert!(matches!(refused, Err(Failure::Tls(_))), "{refused:?}");
    }
    let insecure = Transport { insecure: true, ..Transport::default() };
    assert_eq!(once(&url, insecure).await, Ok("well".to_owned()));
}

#[tokio::test]
async fn blames_itself_for_a_file_that_is_missing_or_holds_no_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca.pem");
    let ca_file = Some(file.display().to_string());
    let transport = Transport { ca_file, ..Transport::default() };
    let http = Http::new().unwrap();
    let missing = ask(&http, &get("https://127.0.0.1:1", transport.clone())).await.unwrap_err();
    assert!(missing.is_ours() && missing.to_string().contains("ca.pem"), "{missing}");
    std::fs::write(&file, "no certificate").unwrap();
    let empty = ask(&http, &get("https://127.0.0.1:1", transport)).await.unwrap_err();
    assert!(empty.is_ours() && empty.to_string().contains("no certificate"), "{empty}");
}

#[tokio::test]
async fn shows_its_certificate_and_another_when_the_files_are_changed() {
    let dir = tempfile::tempdir().unwrap();
    let [servers, clients] = ["servers", "clients"].map(|name| Authority::new(dir.path(), name));
    let (url, heads) = servers.server("127.0.0.1", Some(&clients)).await;
    let nobody = once(&url, trusting(&servers)).await;
    assert!(nobody.is_err(), "{nobody:?}");
    let stranger = Authority::new(dir.path(), "stranger");
    let (cert_file, key_file) = stranger.client(dir.path(), "bakewatch");
    let identity = Some(Identity { cert_file, key_file });
    let request = get(&url, Transport { identity, ..trusting(&servers) });
    let http = Http::new().unwrap();
    assert!(ask(&http, &request).await.is_err());
    assert_eq!(requests(&heads).len(), 0);
    // Rotated: the same files, signed by whom the server trusts. Its length may
    // be the same, so its time is made another, as any rotation would.
    let (cert_file, _) = clients.client(dir.path(), "bakewatch");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options().append(true).open(cert_file).unwrap().set_modified(later).unwrap();
    assert_eq!(ask(&http, &request).await, Ok("well".to_owned()));
}

#[tokio::test]
async fn asks_for_the_name_in_the_certificate_at_the_replicas_address() {
    let dir = tempfile::tempdir().unwrap();
    let ours = Authority::new(dir.path(), "ours");
    let (url, heads) = ours.server("agent.example.com", None).await;
    let wrong = once(&url, trusting(&ours)).await;
    assert!(matches!(wrong, Err(Failure::Tls(_))), "{wrong:?}");
    let server_name = Some("agent.example.com".to_owned());
    let named = Transport { server_name, ..trusting(&ours) };
    assert_eq!(once(&url, named).await, Ok("well".to_owned()));
    let port = url.rsplit(':').next().unwrap();
    let host = format!("host: agent.example.com:{port}\r\n");
    assert!(requests(&heads)[0].contains(&host), "{:?}", requests(&heads));
}

#[tokio::test]
async fn goes_through_a_proxy_plainly_and_by_a_tunnel() {
    let dir = tempfile::tempdir().unwrap();
    let ours = Authority::new(dir.path(), "ours");
    let (url, _) = ours.server("127.0.0.1", None).await;
    let (by, heads) = proxy().await;
    let through = |transport| Transport { proxy: Some(Proxy::At(by.clone())), ..transport };
    let plain = once("http://agent.invalid/health", through(Transport::default())).await;
    assert_eq!(plain, Ok("by proxy\n".to_owned()));
    assert_eq!(once(&url, through(trusting(&ours))).await, Ok("well".to_owned()));
    let heads = requests(&heads);
    assert!(heads[0].starts_with("GET http://agent.invalid/health HTTP/1.1"), "{heads:?}");
    let place = url.trim_start_matches("https://");
    assert!(heads[1].starts_with(&format!("CONNECT {place} HTTP/1.1")), "{heads:?}");
}

#[tokio::test]
async fn takes_a_proxys_password_from_a_secret_and_tells_nobody() {
    let (by, heads) = proxy().await;
    let address = by.replace("http://", "http://user:hunter2@");
    let secrets = Secrets::new([("targets.proxy".to_owned(), address)].into());
    let secret = Proxy::Secret(Secret::Config("targets.proxy".to_owned()));
    let transport = Transport { proxy: Some(secret), ..Transport::default() };
    let http = Http::new().unwrap();
    let asked = http.exchange(&get("http://agent.invalid/", transport.clone()), &secrets).await;
    assert!(asked.is_ok(), "{asked:?}");
    let authorization = "proxy-authorization: basic dXNlcjpodW50ZXIy";
    let head = &requests(&heads)[0];
    assert!(head.to_lowercase().contains(&authorization.to_lowercase()), "{head}");
    let bad = Secrets::new([("targets.proxy".to_owned(), "http://u:hunter2@:x".to_owned())].into());
    let failure = http.exchange(&get("http://agent.invalid/", transport), &bad).await.unwrap_err();
    assert!(failure.is_ours() && !failure.to_string().contains("hunter2"), "{failure}");
}

#[tokio::test]
async fn reaches_an_ipv6_address_and_a_socket() {
    let (url, heads) = plain("[::1]:0", "six").await;
    assert_eq!(once(&format!("{url}/health"), Transport::default()).await, Ok("six".to_owned()));
    assert!(requests(&heads)[0].contains("host: [::1]:"), "{:?}", requests(&heads));
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("app.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let heads = Heads::default();
    let known = heads.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, known.clone(), "near".to_owned()));
        }
    });
    let url = format!("unix://{}:/health?full=1", socket.display());
    assert_eq!(once(&url, Transport::default()).await, Ok("near".to_owned()));
    assert!(requests(&heads)[0].starts_with("GET /health?full=1 HTTP/1.1\r\n"));
    let gone = once("unix:///no/such.sock:/health", Transport::default()).await;
    assert!(matches!(gone, Err(Failure::Broken(_) | Failure::Refused)), "{gone:?}");
}

#[tokio::test]
async fn speaks_http2_at_once_to_a_server_that_knows_nothing_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/health", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut connection) = h2::server::handshake(stream).await else { continue };
            tokio::spawn(async move {
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    let answer = axum::http::Response::new(());
                    let mut stream = respond.send_response(answer, false).unwrap();
                    stream.send_data("two".into(), true).unwrap();
                }
            });
        }
    });
    let only = Transport { http2_only: true, ..Transport::default() };
    assert_eq!(once(&url, only).await, Ok("two".to_owned()));
    assert!(once(&url, Transport::default()).await.is_err());
}

#[tokio::test]
async fn keeps_the_connection_of_requests_that_go_the_same_way() {
    let dir = tempfile::tempdir().unwrap();
    let ours = Authority::new(dir.path(), "ours");
    let (url, heads) = ours.server("127.0.0.1", None).await;
    let http = Http::new().unwrap();
    for path in ["/health", "/health/ready", "/health"] {
        ask(&http, &get(&format!("{url}{path}"), trusting(&ours))).await.unwrap();
    }
    assert_eq!((requests(&heads).len(), connections(&heads)), (3, 1));
}

#[tokio::test]
async fn sends_a_token_as_the_file_has_it_now_and_a_user_with_his_password() {
    let (url, heads) = plain("127.0.0.1:0", "").await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let secret = Secret::File(file.display().to_string());
    let mut request = get(&url, Transport::default());
    let bearer = HeaderValue::Bearer { bearer: secret.clone() };
    request.headers = vec![("authorization".to_owned(), bearer)];
    let http = Http::new().unwrap();
    let missing = ask(&http, &request).await.unwrap_err();
    assert!(missing.is_ours(), "{missing}");
    for token in ["first\n", "second\n"] {
        std::fs::write(&file, token).unwrap();
        ask(&http, &request).await.unwrap();
    }
    let basic = HeaderValue::Basic { user: "bake".to_owned(), password: secret.clone() };
    let key = HeaderValue::Secret(secret);
    request.headers = vec![("authorization".to_owned(), basic), ("x-api-key".to_owned(), key)];
    ask(&http, &request).await.unwrap();
    let heads = requests(&heads);
    assert!(heads[0].contains("authorization: Bearer first\r\n"), "{heads:?}");
    assert!(heads[1].contains("authorization: Bearer second\r\n"), "{heads:?}");
    assert!(heads[2].contains("authorization: Basic YmFrZTpzZWNvbmQ=\r\n"), "{heads:?}");
    assert!(heads[2].contains("x-api-key: second\r\n"), "{heads:?}");
}

#[tokio::test]
async fn shows_each_target_the_credentials_that_are_meant_for_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    let authority = Authority::new(dir.path(), "theirs");
    let body = r#"{"status":"healthy","success":true}"#;
    let (usual, usual_heads) = plain("127.0.0.1:0", body).await;
    let (other, other_heads) = authority.server("127.0.0.1", None).await;
    let (found, found_heads) = plain("127.0.0.1:0", body).await;
    let place = found.strip_prefix("http://").unwrap();
    std::fs::write(dir.path().join("found.json"), format!(r#"[{{"targets": ["{place}"]}}]"#))
        .unwrap();
    let text = format!(
        r#"
service = "chat"
[targets]
metrics = false
certificates = false
auth = {{ bearer = "for-all" }}
headers = {{ x-team = "agents" }}
static = [
  "{usual}",
  {{ url = "{other}", auth = {{ basic = {{ user = "bake", password = "second" }} }}, tls = {{ ca-file = "{ca}" }} }},
]
discover = {{ file = "{dir}/found.json", targets = {{ auth = {{ header = {{ x-api-key = "third" }} }}, headers = {{}} }} }}
[windows]
short = {{ length = "4s", every = "1s" }}
"#,
        ca = authority.file.display(),
        dir = dir.path().display(),
    );
    let file = dir.path().join("bakewatch.toml");
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    let (code, told, errors) =
        bakewatch(&dir.path().join("state"), &["run", "-c", &file, "--release", "v1"]).await;
    assert!(code.is_some_and(|code| code != 2), "{told}{errors}");
    let probes = |heads: &Heads| {
        let all = requests(heads);
        assert!(1 < all.len(), "{told}{errors}");
        all
    };
    for head in probes(&usual_heads) {
        assert!(head.contains("authorization: Bearer for-all\r\n"), "{head}");
        assert!(!head.contains("x-api-key") && !head.contains("Basic"), "{head}");
    }
    for head in probes(&other_heads) {
        assert!(head.contains("authorization: Basic YmFrZTpzZWNvbmQ=\r\n"), "{head}");
        assert!(head.contains("x-team: agents\r\n") && !head.contains("for-all"), "{head}");
    }
    for head in probes(&found_heads) {
        assert!(head.contains("x-api-key: third\r\n"), "{head}");
        assert!(!head.contains("authorization") && !head.contains("x-team"), "{head}");
    }
}
