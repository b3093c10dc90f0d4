//! Checks beyond HTTP against real servers: they answer, refuse, hang, and
//! bear certificates that are wrong in each of the ways that are told apart.

use bakewatch::check::{Assertion, Retry, Step, judge, judge_ask};
use bakewatch::daemon::check::{ask, try_step};
use bakewatch::daemon::http::Http;
use bakewatch::daemon::secrets::Secrets;
use bakewatch::model::{
    Ask, DnsType, Exchange, Failure, MILLISECOND, Request, SECOND, Serving, Span, TlsFacts,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::names::{NameServer, Says, ipv4};
use super::tls_server::{Authority, Identity, config, self_signed, start};

const TIMEOUT: Span = Span::from_secs(5);

fn tcp(address: impl ToString) -> Ask {
    Ask::Tcp { address: address.to_string() }
}

/// A port on which nobody listens.
async fn nobody() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn connects_and_tells_a_refusal_from_an_unknown_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let answer = ask(&tcp(listener.local_addr().unwrap()), TIMEOUT).await.unwrap();
    assert!(answer.beyond.is_none() && answer.elapsed < TIMEOUT, "{answer:?}");
    assert_eq!(ask(&tcp(nobody().await), TIMEOUT).await, Err(Failure::Refused));
    let unknown = ask(&tcp("no-such-host.invalid:1"), TIMEOUT).await;
    assert!(matches!(unknown, Err(Failure::Dns(_))), "{unknown:?}");
}

#[tokio::test]
async fn gives_up_on_a_server_that_accepts_and_says_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let timeout = 200 * MILLISECOND;
    let tls = Ask::Tls { address: address.clone(), ca_file: None };
    assert_eq!(ask(&tls, timeout).await, Err(Failure::Timeout(timeout)));
    let grpc = Ask::Grpc { address, service: String::new(), tls: false, ca_file: None };
    assert_eq!(ask(&grpc, timeout).await, Err(Failure::Timeout(timeout)));
}

async fn looked_at(
    authority: &Authority,
    identity: Identity,
    host: &str,
    old: bool,
) -> (Exchange, TlsFacts) {
    let port = start(config(identity, &[], old)).await.port();
    let exchange = ask(&tls(authority, host, port), TIMEOUT).await.unwrap();
    let tls = exchange.beyond.clone().unwrap().tls.unwrap();
    (exchange, tls)
}

fn tls(authority: &Authority, host: &str, port: u16) -> Ask {
    let ca_file = Some(authority.file.display().to_string());
    Ask::Tls { address: format!("{host}:{port}"), ca_file }
}

#[tokio::test]
async fn tells_version_chain_and_expiry_of_a_good_certificate() {
    let authority = Authority::new();
    let good = || authority.signs(&["localhost", "127.0.0.1"], 2090);
    let (exchange, found) = looked_at(&authority, good(), "localhost", false).await;
    assert_eq!((&*found.version, &found.distrust), ("1.3", &None));
    assert!(found.cipher.starts_with("TLS13_"), "{}", found.cipher);
    let leaf = found.leaf().unwrap();
    assert_eq!(leaf.subject, "CN=localhost");
    assert_eq!(leaf.issuer, "CN=Our test authority");
    assert_eq!(leaf.names, ["localhost", "127.0.0.1"]);
    assert_eq!(leaf.not_after.rfc3339(), "2090-01-01T00:00:00Z");
    assert!(!leaf.is_self_signed);
    assert!(found.expires_in > 1000 * bakewatch::model::DAY);
    let ask = tls(&authority, "localhost", 1);
    assert!(judge_ask(&ask, &[], &Ok(exchange), TIMEOUT).is_pass());
    let (_, old) = looked_at(&authority, good(), "127.0.0.1", true).await;
    assert_eq!((&*old.version, old.distrust), ("1.2", None));
}

#[tokio::test]
async fn tells_expired_from_another_host_from_an_unknown_authority() {
    use bakewatch::model::Distrust::{Expired, UnknownAuthority, WrongHost};
    let (ours, theirs) = (Authority::new(), Authority::new());
    let check = async |identity, wanted| {
        let (exchange, found) = looked_at(&ours, identity, "localhost", false).await;
        assert_eq!(found.distrust, Some(wanted), "{found:?}");
        let judged = judge_ask(&tls(&ours, "localhost", 1), &[], &Ok(exchange), TIMEOUT);
        assert!(!judged.is_pass());
        found.expires_in
    };
    let left = check(ours.signs(&["localhost"], 2021), Expired).await;
    assert!(left < Span::ZERO, "expired {left} ago");
    check(ours.signs(&["other.example.com"], 2090), WrongHost).await;
    check(theirs.signs(&["localhost"], 2090), UnknownAuthority).await;
    check(self_signed(&["localhost"], 2090), UnknownAuthority).await;
}

#[tokio::test]
async fn tells_a_server_that_speaks_no_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let greeting = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.example.com at your service\r\n").await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let answer = ask(&Ask::Tls { address, ca_file: None }, TIMEOUT).await;
    assert!(matches!(answer, Err(Failure::Tls(_))), "{answer:?}");
    greeting.abort();
}

#[tokio::test]
async fn reads_records_sorted_so_that_a_turning_list_is_no_change() {
    let both = |a, b| Says::Records(vec![(60, ipv4(a)), (60, ipv4(b))]);
    let server = NameServer::start(both("10.0.0.2", "10.0.0.1")).await;
    let dns = Ask::Dns {
        name: "agent.example.com".to_owned(),
        of: DnsType::A,
        expect: vec!["10.0.0.1".to_owned()],
        server: Some(server.address),
    };
    let first = ask(&dns, TIMEOUT).await.unwrap();
    server.says(both("10.0.0.1", "10.0.0.2"));
    let second = ask(&dns, TIMEOUT).await.unwrap();
    assert_eq!(first.beyond, second.beyond);
    assert!(judge_ask(&dns, &[], &Ok(second), TIMEOUT).is_pass());
    server.says(Says::Code(0));
    let none = ask(&dns, TIMEOUT).await;
    assert!(!judge_ask(&dns, &[], &none, TIMEOUT).is_pass());
}

/// A gRPC server that answers each call with these headers, this message and
/// these trailers.
async fn grpc_server(message: &'static [u8], status: &'static str) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_grpc(stream, message, status));
        }
    });
    address
}

async fn serve_grpc(
    stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    message: &'static [u8],
    status: &'static str,
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        assert_eq!(request.headers()["te"], "trailers");
        let head = http::Response::builder().header("content-type", "application/grpc");
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", status.parse().unwrap());
        if message.is_empty() {
            let head = head.header("grpc-status", status).body(()).unwrap();
            answer.send_response(head, true).unwrap();
        } else {
            let mut body = answer.send_response(head.body(()).unwrap(), false).unwrap();
            body.send_data(message.into(), false).unwrap();
            body.send_trailers(trailers).unwrap();
        }
    }
}

async fn serving(message: &'static [u8], status: &'static str) -> Result<Serving, Failure> {
    let address = grpc_server(message, status).await.to_string();
    let grpc = Ask::Grpc { address, service: "chat".to_owned(), tls: false, ca_file: None };
    Ok(ask(&grpc, TIMEOUT).await?.beyond.unwrap().serving.unwrap())
}

#[tokio::test]
async fn asks_a_grpc_server_how_it_is() {
    assert_eq!(serving(b"\0\0\0\0\x02\x08\x01", "0").await, Ok(Serving::Serving));
    assert_eq!(serving(b"\0\0\0\0\x02\x08\x02", "0").await, Ok(Serving::NotServing));
    assert_eq!(serving(b"", "5").await, Ok(Serving::ServiceUnknown));
    let none = serving(b"", "12").await;
    assert!(
        matches!(&none, Err(Failure::Broken(why)) if why.contains("grpc.health.v1")),
        "{none:?}"
    );
}

#[tokio::test]
async fn asks_a_grpc_server_over_tls_only_where_it_can_be_trusted() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = config(authority.signs(&["localhost"], 2090), &["h2"], false);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(session) =
                tokio_rustls::TlsAcceptor::from(server.clone()).accept(stream).await
            {
                tokio::spawn(serve_grpc(session, b"\0\0\0\0\x02\x08\x01", "0"));
            }
        }
    });
    let grpc = |host: &str, ca_file| Ask::Grpc {
        address: format!("{host}:{port}"),
        service: String::new(),
        tls: true,
        ca_file,
    };
    let trusted = Some(authority.file.display().to_string());
    let answer = ask(&grpc("localhost", trusted.clone()), TIMEOUT).await.unwrap();
    assert_eq!(answer.beyond.unwrap().serving, Some(Serving::Serving));
    match ask(&grpc("127.0.0.1", trusted), TIMEOUT).await {
        Err(Failure::Tls(why)) => assert!(why.contains("another host"), "{why}"),
        other => panic!("{other:?}"),
    }
    let other = Authority::new().file.display().to_string();
    let gone = ask(&grpc("localhost", Some(other)), 2 * SECOND).await;
    assert!(matches!(gone, Err(Failure::NotAsked(_))), "its folder is gone: {gone:?}");
}

/// An https server that answers each request with an empty 200.
async fn https(identity: Identity) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tokio_rustls::TlsAcceptor::from(config(identity, &["http/1.1"], false));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut session) = acceptor.accept(stream).await else { continue };
            let _ = session.read(&mut [0; 4096]).await;
            let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = session.write_all(ok).await;
            let _ = session.shutdown().await;
        }
    });
    port
}

fn step(url: String, expect: &[&str]) -> Step {
    let expect = expect.iter().map(|text| Assertion::parse(text).unwrap()).collect();
    let request = Request { url, timeout: TIMEOUT, ..Request::default() };
    let retry = Retry { deadline: Span::ZERO, interval: SECOND };
    Step::new("is secure".into(), request, expect, retry)
}

/// The system's authorities know no test's, so that an answer over https can
/// only come where the machine's own file of them names ours.
#[tokio::test]
async fn looks_at_the_session_only_where_a_step_asserts_on_it() {
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    let plain = super::http::answer("200 OK", b"");
    let (url, serving) = super::http::server(plain).await;
    let asserting = step(url, &["status == 200", "tls verified"]);
    let reply = try_step(&asserting, &http, &secrets).await;
    let misses = judge(&asserting, &reply).misses;
    assert_eq!(misses[0].actual, "the connection is not TLS", "{misses:?}");
    serving.abort();

    let port = https(self_signed(&["localhost"], 2090)).await;
    let url = format!("https://localhost:{port}/");
    match try_step(&step(url, &["tls days > 14"]), &http, &secrets).await {
        Err(Failure::Tls(why)) => assert!(why.contains("unknown authority"), "{why}"),
        other => panic!("{other:?}"),
    }
    assert!(!step(String::new(), &["status == 200"]).looks_at_tls());
}

#[tokio::test]
async fn tries_a_step_that_asks_besides_http() {
    let refused = step(String::new(), &["latency < 1s"]);
    let refused = Step { ask: Some(tcp(nobody().await)), ..refused };
    let (http, secrets) = (Http::new().unwrap(), Secrets::default());
    let reply = try_step(&refused, &http, &secrets).await;
    assert_eq!(judge(&refused, &reply).misses[0].actual, "connection refused");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ask = Some(tcp(listener.local_addr().unwrap()));
    let passes = Step { ask, expect: Vec::new(), ..refused };
    assert!(judge(&passes, &try_step(&passes, &http, &secrets).await).is_pass());
}

#[tokio::test]
async fn asserts_on_the_session_of_an_https_service_from_the_command_line() {
    let authority = Authority::new();
    let port = https(authority.signs(&["localhost"], 2090)).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bakewatch.toml");
    let plan = format!(
        "url = \"https://localhost:{port}\"\n\
         [targets]\nhealth = \"/\"\nready = false\n\
         [[smoke]]\nname = \"answers a question\"\noff = true\n\
         [[smoke]]\nname = \"is secure\"\nrequest = {{ path = \"/\" }}\n\
         expect = [\"status == 200\", \"tls verified\", \"tls version >= 1.2\", \"tls days > 14\", \
         \"tls issuer contains 'test authority'\", \"tls alpn == http/1.1\"]\n\
         [[smoke]]\nname = \"is not for ever\"\nrequest = {{ path = \"/\" }}\nmust = false\n\
         retry = {{ deadline = \"0s\" }}\nexpect = [\"tls days < 90\"]\n"
    );
    std::fs::write(&file, plan).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_bakewatch"));
    command.arg("smoke").arg("-c").arg(&file).env("SSL_CERT_FILE", &authority.file);
    let run = move || command.output().unwrap();
    let done = tokio::task::spawn_blocking(run).await.unwrap();
    let printed = String::from_utf8_lossy(&done.stdout);
    assert!(printed.contains("PASS   is secure"), "{printed}");
    assert!(printed.contains("FAIL   is not for ever"), "{printed}");
    assert!(printed.contains("tls days < 90"), "{printed}");
    assert_eq!(done.status.code(), Some(0), "degraded: {printed}");
}
