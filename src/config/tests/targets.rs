//! Where targets are, and how they are reached.

use super::{URL, good};
use crate::config::{Checked, explain};
use crate::model::HeaderValue;
use expect_test::expect;

fn targets(text: &str) -> Checked {
    good(&format!("{URL}[targets]\n{text}"))
}

/// What is said of targets, in words.
fn explained(checked: &Checked) -> String {
    let all = explain(checked);
    let from = all.find("Targets").expect("there is such a section");
    all[from..].split("\n\n").next().unwrap_or_default().to_owned() + "\n"
}

#[test]
fn looks_for_targets_in_files_at_addresses_and_under_names() {
    let checked = targets(
        r#"
[[targets.discover]]
file = "targets/*.yml"
[[targets.discover]]
http = "https://sd.example.com/t?token=x"
every = "1m"
auth = { bearer = { env = "SD" } }
tls = { ca-file = "ca.pem" }
[[targets.discover]]
dns = { name = "_http._tcp.agent.example.com." }
[[targets.discover]]
dns = { name = "agent.example.com", type = "aaaa", port = 8000, server = "10.0.0.2" }
"#,
    );
    expect![[r#"
        Targets: as they are found, of which 1 healthy, 10s at most for an answer
          those of file targets/*.yml                    every 30s
          those of http sd.example.com/t                 every 1m, with authorization: Bearer from $SD, trusting ca.pem
          those of dns SRV _http._tcp.agent.example.com  every 30s
          those of dns AAAA agent.example.com            every 30s, port 8000, asked of 10.0.0.2:53
    "#]]
    .assert_eq(&explained(&checked));
    assert_eq!((checked.plan.targets.len(), checked.plan.sources.len()), (0, 4));
}

#[test]
fn expects_all_that_are_listed_and_one_of_those_that_are_found() {
    let expect = |text: &str| targets(text).plan.expect;
    let listed = "static = [\"http://a\", \"http://b\"]\n";
    let found = "discover = { file = \"t.json\" }\n";
    assert_eq!(expect(listed), 2);
    assert_eq!(expect(found), 1);
    assert_eq!(expect(&format!("{listed}{found}")), 2);
    assert_eq!(expect(&format!("{listed}{found}expect = 7\n")), 7);
}

#[test]
fn reaches_targets_in_a_way_of_their_own_and_says_so_without_a_secret() {
    let checked = targets(
        r#"
static = ["unix:///run/app.sock", "http://[::1]:8000"]
proxy = "env"
http2 = "prior-knowledge"
tls = { insecure = true }
[targets.auth]
bearer = "t0ken"
header = { x-team = "s3cret" }
client-cert = "c.pem"
client-key = "k.pem"
"#,
    );
    expect![[r#"
        Targets: 2, of which 2 healthy, 10s at most for an answer, with authorization: Bearer as written in targets.auth.bearer of 127.0.0.1:8000, x-team as written in targets.auth.header.x-team of 127.0.0.1:8000
          /run/app.sock  health unix:///run/app.sock:/health  metrics unix:///run/app.sock:/metrics
          [::1]:8000     health http://[::1]:8000/health      metrics http://[::1]:8000/metrics
          reached        without checking any certificate, showing c.pem, by HTTP/2 without asking, through the environment's proxies
    "#]]
    .assert_eq(&explained(&checked));
    let warned = |what: &str| checked.warnings.iter().any(|one| one.what.contains(what));
    assert!(warned("no certificate is checked"), "{:?}", checked.warnings);
    let plan = serde_json::to_string(&checked.plan).expect("it is JSON") + &explain(&checked);
    assert!(!plan.contains("t0ken") && !plan.contains("s3cret"), "{plan}");
}

#[test]
fn lets_smoke_tests_of_the_service_say_who_they_are_unless_they_say_it_themselves() {
    let checked = targets(
        r#"
auth = { bearer = { env = "TOKEN" } }
tls = { ca-file = "ca.pem", server-name = "replica.internal" }
[[smoke]]
name = "refuses a stranger"
request = { url = "http://127.0.0.1:8000/admin" }
expect = ["status == 401"]
[[smoke]]
name = "knows an admin"
request = { path = "/admin", headers = { Authorization = { env = "ADMIN" } } }
expect = ["status == 200"]
"#,
    );
    let of = |name: &str| {
        let step = checked.plan.smoke.iter().find(|step| step.name == *name);
        &step.expect("the step is there").request
    };
    let ready = of("is ready");
    assert!(matches!(&ready.headers[0].1, HeaderValue::Bearer { .. }), "{ready:?}");
    let way = ready.transport.as_ref().expect("it goes the targets' way");
    assert_eq!((way.ca_file.as_deref(), way.server_name.as_deref()), (Some("ca.pem"), None));
    let stranger = of("refuses a stranger");
    assert!(stranger.headers.is_empty() && stranger.transport.is_none(), "{stranger:?}");
    let admin = of("knows an admin");
    assert!(matches!(&admin.headers[..], [(_, HeaderValue::Secret(_))]), "{admin:?}");
}

#[test]
fn reaches_some_otherwise_than_the_rest_and_says_how() {
    let checked = targets(
        r#"
headers = { x-team = "agents" }
auth = { bearer = { env = "TOKEN" } }
static = [
  "http://10.0.0.11:8000",
  { url = "https://10.0.7.3:8443", auth = { basic = { user = "u", password = { env = "P" } } }, tls = { ca-file = "ca.pem", server-name = "agent.internal" } },
  { url = "http://10.0.9.9:8000", auth = {}, headers = {} },
]
[[targets.discover]]
file = "theirs.json"
targets = { proxy = "env" }
"#,
    );
    expect![[r#"
        Targets: 3 and as they are found, of which 3 healthy, 10s at most for an answer, with x-team: agents, authorization: Bearer from $TOKEN
          10.0.0.11:8000             health http://10.0.0.11:8000/health  metrics http://10.0.0.11:8000/metrics
          10.0.7.3:8443              health https://10.0.7.3:8443/health  metrics https://10.0.7.3:8443/metrics  with x-team: agents, with authorization: Basic as u, password from $P, trusting ca.pem, as agent.internal
          10.0.9.9:8000              health http://10.0.9.9:8000/health   metrics http://10.0.9.9:8000/metrics   without any header
          those of file theirs.json  every 30s; they are asked with x-team: agents, with authorization: Bearer from $TOKEN, through the environment's proxies
    "#]].assert_eq(&explained(&checked));
}

#[test]
fn keeps_secrets_under_the_target_that_they_are_for() {
    let places = |first: &str, second: &str| {
        let target = |place: &str| {
            format!("{{ url = \"http://{place}\", auth = {{ bearer = \"{place}\" }} }}")
        };
        let text = format!("static = [{}, {}]\n", target(first), target(second));
        targets(&text).secrets
    };
    assert_eq!(places("a:1", "b:1"), places("b:1", "a:1"), "whatever their order is");
}

#[test]
fn asks_smoke_tests_of_a_target_that_is_a_table_the_way_it_goes() {
    let checked = good(
        r#"
[targets]
tls = { ca-file = "usual.pem", server-name = "replica.internal" }
static = [{ url = "https://10.0.7.3:8443", tls = { ca-file = "own.pem", server-name = "agent.internal" } }]
"#,
    );
    let way = checked.plan.smoke[0].request.transport.as_ref().expect("a way of its own");
    assert_eq!(way.ca_file.as_deref(), Some("own.pem"));
    assert_eq!(way.server_name.as_deref(), Some("agent.internal"));
}
