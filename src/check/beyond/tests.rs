//! What answers of each kind amount to, and assertions on them.

use super::*;
use crate::model::{Certificate, DAY, Distrust, DnsData, DnsRecord, DnsType, SECOND, TlsFacts};
use crate::model::{Span, Timestamp};

fn answer(beyond: Beyond) -> Result<Exchange, Failure> {
    Ok(Exchange { beyond: Some(Box::new(beyond)), ..Exchange::default() })
}

fn said(ask: &Ask, expect: &[&str], reply: &Result<Exchange, Failure>) -> String {
    let expect: Vec<Assertion> =
        expect.iter().map(|text| Assertion::parse(text).expect("an assertion")).collect();
    let judged = judge_ask(ask, &expect, reply, SECOND);
    let misses: Vec<String> =
        judged.misses.iter().map(|m| format!("{}: {}", m.assertion, m.actual)).collect();
    if judged.is_pass() { "pass".to_owned() } else { misses.join("; ") }
}

fn dns(expect: &[&str]) -> Ask {
    let expect = expect.iter().map(|text| (*text).to_owned()).collect();
    Ask::Dns { name: "a.example.com".to_owned(), of: DnsType::A, expect, server: None }
}

fn found(addresses: &[&str]) -> Result<Exchange, Failure> {
    let record = |text: &&str| DnsRecord {
        ttl: 60 * SECOND,
        data: DnsData::A(text.parse().expect("an address")),
    };
    answer(Beyond { dns: Some(addresses.iter().map(record).collect()), ..Beyond::default() })
}

fn session(distrust: Option<Distrust>, expires_in: Span) -> Result<Exchange, Failure> {
    let leaf = Certificate {
        subject: "CN=agent.example.com".to_owned(),
        issuer: "CN=Our CA, O=Example".to_owned(),
        names: vec!["agent.example.com".to_owned(), "10.0.0.1".to_owned()],
        not_before: Timestamp::from_millis(0),
        not_after: Timestamp::from_millis(0) + 90 * DAY,
        is_self_signed: false,
    };
    let tls = TlsFacts {
        version: "1.3".to_owned(),
        cipher: "TLS13_AES_256_GCM_SHA384".to_owned(),
        alpn: None,
        chain: vec![leaf],
        distrust,
        expires_in,
    };
    answer(Beyond { tls: Some(tls), ..Beyond::default() })
}

fn tls() -> Ask {
    Ask::Tls { address: "agent.example.com:443".to_owned(), ca_file: None }
}

#[test]
fn takes_a_connection_for_what_was_asked_and_no_connection_for_a_miss() {
    let tcp = Ask::Tcp { address: "redis:6379".to_owned() };
    let quick = Ok(Exchange { elapsed: Span::from_millis(3), ..Exchange::default() });
    assert_eq!(said(&tcp, &[], &quick), "pass");
    assert_eq!(said(&tcp, &["latency < 1ms"], &quick), "latency < 1ms: 3ms");
    assert_eq!(said(&tcp, &[], &Err(Failure::Refused)), "an answer: connection refused");
    let ours = Err(Failure::NotAsked("no socket left".to_owned()));
    assert_eq!(judge_ask(&tcp, &[], &ours, SECOND).asserted, 0, "says nothing about the service");
}

#[test]
fn wants_a_record_and_each_that_is_expected_among_those_found() {
    assert_eq!(said(&dns(&[]), &[], &found(&["10.0.0.1"])), "pass");
    assert_eq!(said(&dns(&[]), &[], &found(&[])), "a record: no A record");
    let two = found(&["10.0.0.1", "10.0.0.2"]);
    assert_eq!(said(&dns(&["10.0.0.2"]), &[], &two), "pass");
    let other = said(&dns(&["10.0.0.2", "10.0.0.3"]), &[], &two);
    assert_eq!(other, "the records expected: 10.0.0.1, 10.0.0.2");
    assert_eq!(said(&dns(&[]), &["dns count == 2", "dns contains \"10.0.0.1\""], &two), "pass");
    assert_eq!(said(&dns(&[]), &["dns count > 2"], &two), "dns count > 2: 2");
}

#[test]
fn tells_three_kinds_of_distrust_apart() {
    let check = |distrust| said(&tls(), &[], &session(distrust, DAY));
    assert_eq!(check(None), "pass");
    let words = |distrust| check(Some(distrust));
    assert_eq!(words(Distrust::Expired), "tls verified: the certificate has expired");
    assert_eq!(words(Distrust::WrongHost), "tls verified: the certificate is for another host");
    let unknown = "tls verified: the certificate is signed by an unknown authority";
    assert_eq!(words(Distrust::UnknownAuthority), unknown);
}

#[test]
fn asserts_on_version_days_issuer_names_and_trust() {
    let check = |text| said(&tls(), &[text], &session(None, 13 * DAY + DAY / 2));
    for holds in [
        "tls version >= 1.2",
        "tls version == 1.3",
        "tls days > 13",
        "tls days < 14",
        "tls issuer contains \"Our CA\"",
        "tls subject == \"CN=agent.example.com\"",
        "tls names contains \"agent.example.com\"",
        "tls cipher contains AES_256",
        "tls alpn not exists",
        "tls verified",
        "tls not expired",
        "latency < 10s",
    ] {
        assert_eq!(check(holds), "pass", "{holds}");
    }
    assert_eq!(check("tls version < 1.3"), "tls version < 1.3: 1.3");
    assert_eq!(check("tls days > 14"), "tls days > 14: 13.5");
    assert_eq!(check("tls is wrong-host"), "tls is wrong-host: \"verified\"");
    let plain = Ok(Exchange::default());
    let tcp = Ask::Tcp { address: "redis:6379".to_owned() };
    assert_eq!(said(&tcp, &["tls verified"], &plain), "tls verified: the connection is not TLS");
}

#[test]
fn passes_a_grpc_server_only_while_it_says_that_it_serves() {
    let grpc = Ask::Grpc {
        address: "a:50051".to_owned(),
        service: String::new(),
        tls: false,
        ca_file: None,
    };
    let check = |serving, expect: &[&str]| {
        said(&grpc, expect, &answer(Beyond { serving: Some(serving), ..Beyond::default() }))
    };
    assert_eq!(check(Serving::Serving, &["grpc is SERVING"]), "pass");
    assert_eq!(check(Serving::NotServing, &[]), "grpc is SERVING: NOT_SERVING");
    assert_eq!(check(Serving::ServiceUnknown, &[]), "grpc is SERVING: SERVICE_UNKNOWN");
}
