//! What each answer of a mail server means for a letter.

use std::sync::{Arc, Mutex};

use bakewatch::daemon::secrets::Secrets;
use bakewatch::daemon::smtp::{self, Deferred, Post};
use bakewatch::model::{MILLISECOND, SECOND, Secret, Smtp, SmtpTls, Span};
use bakewatch::notify::{Body, Letter};
use bakewatch::record::Outcome;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

type Answers = Vec<(&'static str, &'static str)>;

/// A mail server that answers a line by the first prefix that fits (`""`: it
/// never answers) and `250 ok` without one. `.` is the message's end.
struct Server {
    port: u16,
    /// All lines that it read.
    lines: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn server(answers: Answers) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let seen = lines.clone();
    let task = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(converse(stream, answers.clone(), seen.clone()));
        }
    });
    Server { port, lines, task }
}

async fn converse(stream: TcpStream, answers: Answers, seen: Arc<Mutex<Vec<String>>>) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let _ = write.write_all(b"220 test\r\n").await;
    let mut in_data = false;
    while let Ok(Some(line)) = lines.next_line().await {
        seen.lock().unwrap().push(line.clone());
        if in_data && line != "." {
            continue;
        }
        let known = answers.iter().find(|(prefix, _)| line.starts_with(prefix));
        let answer = match known {
            Some((_, answer)) => *answer,
            None if line == "DATA" => "354 go on",
            None => "250 ok",
        };
        in_data = answer.starts_with("354");
        if answer.is_empty() {
            continue;
        }
        let _ = write.write_all(format!("{answer}\r\n").as_bytes()).await;
    }
}

fn letter() -> Letter {
    Letter {
        key: "key-1".into(),
        channel: "mail".into(),
        after: 0,
        up_to: 1,
        body: Body::Mail {
            subject: "FIRING: chat".into(),
            text: "It burns: é.\n".into(),
            html: "<p>It burns.</p>".into(),
            headers: vec![("Auto-Submitted".into(), "auto-generated".into())],
            images: Vec::new(),
        },
    }
}

async fn carry(smtp: Smtp, deferred: &Deferred, to: &[&str], timeout: Span) -> Outcome {
    let secrets = Secrets::new([("pw".to_owned(), "hunter2".to_owned())].into());
    let to: Vec<String> = to.iter().map(|to| (*to).to_owned()).collect();
    let from = "bakewatch <bake@ops.example>";
    let post = Post { to: &to, from, smtp: &smtp, timeout, not_stored: true };
    smtp::deliver(&secrets, deferred, &letter(), post).await
}

fn plain(port: u16) -> Smtp {
    let host = "127.0.0.1".to_owned();
    Smtp { host, port, tls: SmtpTls::None, user: None, password: None, ca_file: None }
}

async fn check(answers: Answers, to: &[&str]) -> Outcome {
    let server = server(answers).await;
    carry(plain(server.port), &Deferred::default(), to, 10 * SECOND).await
}

fn is_refused(outcome: &Outcome, for_good: bool) -> bool {
    matches!(outcome, Outcome::Refused { permanent, .. } if *permanent == for_good)
}

#[tokio::test]
async fn sends_one_message_with_both_forms_and_its_key_as_message_id() {
    let server = server(vec![]).await;
    let (to, deferred) = (["a@x.example", "b@x.example"], Deferred::default());
    let outcome = carry(plain(server.port), &deferred, &to, 10 * SECOND).await;
    let detail = "taken for a@x.example, b@x.example".to_owned();
    assert_eq!(outcome, Outcome::Accepted { detail });
    let lines = server.lines.lock().unwrap().clone();
    let text = lines.join("\n").replace("=\n", ""); // as a reader unfolds it
    for line in [
        "MAIL FROM:<bake@ops.example>",
        "RCPT TO:<a@x.example>",
        "RCPT TO:<b@x.example>",
        "Message-ID: <key-1@ops.example>",
        "Subject: FIRING: chat",
        "Auto-Submitted: auto-generated",
        "<p>It burns.</p>",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(lines.iter().filter(|line| *line == "DATA").count(), 1);
    assert!(text.contains("could not be stored"), "{text}");
}

#[tokio::test]
async fn lets_one_bad_address_stop_nobody_else() {
    let outcome =
        check(vec![("RCPT TO:<bad@", "550 no such user")], &["bad@x.example", "a@x.example"]).await;
    let Outcome::Partly { detail, missed } = outcome else { panic!("{outcome:?}") };
    let who: Vec<&str> = missed.iter().map(|one| one.recipient.as_str()).collect();
    assert_eq!(who, ["bad@x.example"]);
    assert!(detail.contains("taken for a@x.example"), "{detail}");
    assert!(detail.contains("refused for bad@x.example: 550"), "{detail}");
}

#[tokio::test]
async fn tells_for_now_from_for_good() {
    let to = ["a@x.example"];
    let rcpt = |answer| vec![("RCPT", answer)];
    assert!(is_refused(&check(rcpt("450 later"), &to).await, false));
    assert!(is_refused(&check(rcpt("550 never"), &to).await, true));
    assert!(is_refused(&check(vec![("MAIL", "451 busy")], &to).await, false));
    assert!(is_refused(&check(vec![(".", "554 spam")], &to).await, true));
    assert!(is_refused(&check(vec![(".", "452 full")], &to).await, false));
}

#[tokio::test]
async fn tries_again_only_those_who_asked_for_later() {
    let server = server(vec![("RCPT TO:<grey@", "450 greylisted")]).await;
    let (to, deferred) = (["a@x.example", "grey@x.example"], Deferred::default());
    for attempt in 1..8 {
        let outcome = carry(plain(server.port), &deferred, &to, 10 * SECOND).await;
        assert!(matches!(outcome, Outcome::Unknown { .. }), "try {attempt}: {outcome:?}");
    }
    let outcome = carry(plain(server.port), &deferred, &to, 10 * SECOND).await;
    assert!(matches!(outcome, Outcome::Partly { .. }), "{outcome:?}");
    let lines = server.lines.lock().unwrap().clone();
    let count = |prefix| lines.iter().filter(|line| line.starts_with(prefix)).count();
    assert_eq!((count("RCPT TO:<a@"), count("RCPT TO:<grey@")), (1, 8));
}

#[tokio::test]
async fn knows_a_mail_that_never_left_from_one_that_may_have_been_taken() {
    let limit = 300 * MILLISECOND;
    let hung = server(vec![("MAIL", "")]).await;
    let outcome = carry(plain(hung.port), &Deferred::default(), &["a@x.example"], limit).await;
    assert!(is_refused(&outcome, false), "{outcome:?}");
    let hung = server(vec![(".", "")]).await;
    let outcome = carry(plain(hung.port), &Deferred::default(), &["a@x.example"], limit).await;
    assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
    let outcome = carry(plain(1), &Deferred::default(), &["a@x.example"], SECOND).await;
    assert!(is_refused(&outcome, false), "{outcome:?}");
}

#[tokio::test]
async fn sends_nothing_in_the_open_but_to_loopback_and_no_mail_without_the_tls_it_was_told() {
    let server = server(vec![]).await;
    let open = Smtp { host: "192.0.2.1".into(), ..plain(server.port) };
    let outcome = carry(open, &Deferred::default(), &["a@x.example"], SECOND).await;
    assert!(is_refused(&outcome, true), "{outcome:?}");
    let tls = Smtp { tls: SmtpTls::Starttls, ..plain(server.port) };
    let outcome = carry(tls, &Deferred::default(), &["a@x.example"], 5 * SECOND).await;
    let lines = server.lines.lock().unwrap().clone();
    assert!(!lines.iter().any(|line| line.starts_with("MAIL")), "{outcome:?} {lines:?}");
    assert!(format!("{outcome:?}").contains("STARTTLS"), "{outcome:?}");
}

#[tokio::test]
async fn says_that_a_login_failed_without_the_password() {
    let answers = vec![("EHLO", "250-test\r\n250 AUTH PLAIN"), ("AUTH", "535 bad login")];
    let server = server(answers).await;
    let (user, password) = (Some("u".to_owned()), Some(Secret::Config("pw".into())));
    let smtp = Smtp { user, password, ..plain(server.port) };
    let outcome = carry(smtp, &Deferred::default(), &["a@x.example"], 5 * SECOND).await;
    assert!(is_refused(&outcome, true), "{outcome:?}");
    let words = format!("{outcome:?}");
    assert!(words.contains("AUTH: 535") && !words.contains("hunter2"), "{words}");
}
