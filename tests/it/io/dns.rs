//! Looking names up, at a server that answers, fails, and falls silent.

use bakewatch::daemon::dns::lookup;
use bakewatch::model::{DnsType, Failure, MILLISECOND, SECOND, Span};

use super::names::{NameServer, Says, ipv4, name, srv, txt};

async fn asked(server: &NameServer, of: DnsType) -> Result<Vec<String>, Failure> {
    let found = lookup("_http._tcp.agent.example.com", of, Some(server.address), 5 * SECOND).await;
    Ok(found?.iter().map(|record| format!("{} {}", record.ttl, record.data)).collect())
}

#[tokio::test]
async fn reads_each_type_of_record_in_the_servers_order() {
    let server = NameServer::start(Says::Nothing).await;
    let check = async |of, records, wanted: &[&str]| {
        server.says(Says::Records(records));
        assert_eq!(asked(&server, of).await.unwrap(), wanted, "{of}");
    };
    let two = vec![(60, ipv4("10.0.0.2")), (60, ipv4("10.0.0.1"))];
    check(DnsType::A, two, &["1m 10.0.0.2", "1m 10.0.0.1"]).await;
    let six = "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets().to_vec();
    check(DnsType::Aaaa, vec![(5, six)], &["5s 2001:db8::1"]).await;
    let service = srv(0, 5, 8080, "a.example.com");
    check(DnsType::Srv, vec![(0, service)], &["0s 0 5 8080 a.example.com"]).await;
    check(DnsType::Cname, vec![(30, name("b.example.com"))], &["30s b.example.com"]).await;
    check(DnsType::Txt, vec![(30, txt("v=spf1 ", "-all"))], &["30s v=spf1 -all"]).await;
}

#[tokio::test]
async fn tells_no_such_record_from_no_such_name_and_from_a_failing_server() {
    let server = NameServer::start(Says::Code(0)).await;
    assert_eq!(asked(&server, DnsType::A).await, Ok(Vec::new()));
    for (code, words) in [(3, "NXDOMAIN"), (2, "SERVFAIL"), (5, "REFUSED")] {
        server.says(Says::Code(code));
        match asked(&server, DnsType::A).await {
            Err(Failure::Dns(why)) => assert!(why.contains(words), "{code}: {why}"),
            other => panic!("{code}: {other:?}"),
        }
    }
    server.says(Says::Records(vec![(60, ipv4("10.0.0.1"))])); // and comes back
    assert_eq!(asked(&server, DnsType::A).await.unwrap(), ["1m 10.0.0.1"]);
}

#[tokio::test]
async fn gives_up_at_the_deadline_when_nobody_answers() {
    let server = NameServer::start(Says::Nothing).await;
    let deadline: Span = 300 * MILLISECOND;
    let answer = lookup("agent.example.com", DnsType::A, Some(server.address), deadline).await;
    assert_eq!(answer, Err(Failure::Timeout(deadline)));
}

#[tokio::test]
async fn reads_the_systems_own_names_without_a_server() {
    let answer = lookup("localhost", DnsType::A, None, 5 * SECOND).await;
    let texts: Vec<String> = answer.unwrap().iter().map(|r| r.data.to_string()).collect();
    assert_eq!(texts, ["127.0.0.1"]);
}
