//! What is read, by example; every error has its golden in `tests/config`.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::judge::Rule;

fn source(text: &str) -> Source {
    Source { file: "bakewatch.toml".to_owned(), text: text.to_owned() }
}

fn good(text: &str) -> Checked {
    read(Some(&source(text)), &Given::default()).unwrap_or_else(|complaints| {
        panic!("{}", complaints.iter().map(|c| format!("{c}\n")).collect::<String>())
    })
}

fn given(url: &str, until: Option<&str>) -> Given {
    Given { url: Some(url.to_owned()), until: until.map(str::to_owned), service: None }
}

fn rule<'c>(checked: &'c Checked, name: &str) -> &'c Rule {
    checked.plan.rules.iter().find(|rule| rule.name == *name).expect("the rule is there")
}

mod imported;
mod sources;
mod targets;

const URL: &str = "url = \"http://127.0.0.1:8000\"\n";

fn check_explained(checked: &Checked, expected: Expect) {
    expected.assert_eq(&explain(checked));
}

#[test]
fn needs_no_file_at_all() {
    let checked = read(None, &given("https://agent.example.com", None)).expect("it is enough");
    check_explained(
        &checked,
        expect![[r#"
            agent.example.com  https://agent.example.com

            Targets: 1, of which 1 healthy, 10s at most for an answer
              agent.example.com  health https://agent.example.com/health  metrics https://agent.example.com/metrics

            Windows
              first-day   every 15s  ends 1d after the release
              first-week  every 30s  ends 7d after the release  the verdict is awaited here

            Smoke tests, begun at the first answer or after 5m
              is healthy          must    GET https://agent.example.com/health
                                            status == 200
                                            health not unhealthy
              is ready            must    GET https://agent.example.com/health/ready
                                            status == 200
              answers a question  should  POST https://agent.example.com/api/chat
                                            content-type: application/json
                                            status == 200
                                            json $.success == true or absent
                                            json $.response not startsWith "Error:" or absent

            Checks beyond HTTP
              agent.example.com:443  certificate  every 1h  tls agent.example.com:443

            Rules
              ServiceDown               critical  healthy_replicas          below 1    for 30s     sum(probe_success)
              HighErrorRate             critical  error_ratio               above 5%   for 2m      by preset
              ElevatedErrors            warning   error_ratio               above 1%   for 10m     by preset
              HighLatency               critical  latency p99               above 10s  for 2m      by preset
              IncreasedLatency          warning   latency p99               above 5s   for 10m     by preset
              MemoryPressure            critical  memory_ratio              above 95%  for 2m      by preset
              TargetSilent              warning   up                        below 1    for 1m 30s  up
              SignalVanished            warning   bakewatch_signal_present  below 1    for 5m      bakewatch_signal_present
              HealthFrozen              warning   health_age                above 60s  for 2m      health_age_seconds
              CertificateExpiring       warning   certificate_days          below 14   for 10m     max by (check) (tls_cert_expiry_seconds) / 86400
              CertificateNearlyExpired  critical  certificate_days          below 3    for 2m      max by (check) (tls_cert_expiry_seconds) / 86400

            Signals
              presets  found by what the first scrapes show

            Taken for want of other words
              service = agent.example.com (from the url)
              timeout = 10s (below every interval)
              settle = 5m (for a slow start)
        "#]],
    );
}

#[test]
fn reads_the_example_that_shows_every_key() {
    let text = include_str!("../../config/bakewatch.example.toml");
    check_explained(
        &good(text),
        expect![[r#"
            chat-agent  https://agent.example.com

            Targets: 2, of which 2 healthy, 10s at most for an answer, with authorization from $PROBE_TOKEN
              10.0.0.11:8000  health http://10.0.0.11:8000/health  metrics http://10.0.0.11:8000/metrics
              10.0.0.12:8000  health http://10.0.0.12:8000/health  metrics http://10.0.0.12:8000/metrics

            Health of each
              means     warming_up is degraded
              requires  redis
              requires  adls
              allows    redis healthy or degraded
              expects   json $.components[?@.name=='mcp'].details.tool_count > 0
              version   $.build.version of the body, without "v" at its start

            Windows
              bake        every 15s  ends 30m after the release  no traffic is expected
              first-day   every 15s  ends 1d after the release
              first-week  every 30s  ends 7d after the release   the verdict is awaited here

            Smoke tests, begun at the first answer or after 5m
              is healthy               must     GET https://agent.example.com/health
                                                  status == 200
                                                  health not unhealthy
              is ready                 must     GET https://agent.example.com/health/ready
                                                  status == 200
              answers a question       must     POST https://agent.example.com/api/chat
                                                  content-type: application/json
                                                  status == 200
                                                  json $.success == true
                                                  latency < 10s
              refuses a stranger       should   GET https://agent.example.com/admin
                                                  accept: application/json
                                                  status in 401..403
                                                  header server not matches /[0-9]/ or absent
              opens a conversation     must     POST https://agent.example.com/api/conversations
                                                  content-type: application/json
                                                  status == 201
                                                  halt-if status == 403
                                                  capture conversation = json $.id
                                                  capture session = cookie session (never shown)
              shows its certificate    must     tls agent.example.com:443
                                                  tls days > 14
              closes the conversation  cleanup  DELETE https://agent.example.com/api/conversations/{{conversation}}
                                                  cookie: session={{session}}
                                                  status in 200..204

            Checks beyond HTTP
              cache                  must         every 30s     tcp redis.internal:6379
                                                                  latency < 50ms
              internal certificate   must         every 1h      tls agent.internal:8443
                                                                  tls version >= 1.2
                                                                  tls days > 14
              public name            should       every 5m      dns A agent.example.com at 10.0.0.2:53
              model server           must         with targets  grpc+tls models.internal:50051 chat.v1.Chat
              agent.example.com:443  certificate  every 1h      tls agent.example.com:443

            Rules
              ServiceDown               critical  healthy_replicas          below 1                                        for 30s     sum(probe_success)
              ReplicasMissing           warning   healthy_replicas          below 2                                        for 2m      sum(probe_success)
              HighErrorRate             critical  error_ratio               above 5%                                       for 2m      by preset
              ElevatedErrors            warning   error_ratio               above 1%                                       for 10m     by preset
              IncreasedLatency          warning   latency p99               above 4s in first-day, above 3s in first-week  for 5m      by preset
              TargetSilent              warning   up                        below 1                                        for 1m 30s  up
              SourceSilent              warning   source_up                 below 1                                        for 1m 30s  source_up
              SignalVanished            warning   bakewatch_signal_present  below 1                                        for 5m      bakewatch_signal_present
              HealthFrozen              warning   health_age                above 60s                                      for 2m      health_age_seconds
              HealthUnmet               warning   health_unmet              above 0                                        for 2m      health_unmet
              WrongVersion              warning   version_match             below 1                                        for 10m     version_match
              CheckFailing              critical  check_success             below 1                                        for 2m      max by (check) (check_success{must="true"})
              OptionalCheckFailing      warning   optional_check_success    below 1                                        for 10m     max by (check) (check_success{must="false"})
              CertificateExpiring       warning   certificate_days          below 14                                       for 10m     max by (check) (tls_cert_expiry_seconds) / 86400
              CertificateNearlyExpired  critical  certificate_days          below 3                                        for 2m      max by (check) (tls_cert_expiry_seconds) / 86400
              MemoryHigh                warning   memory_ratio              above 70%                                      for 10m     max((process_resident_memory_bytes) / 2147483648)
              SlowerThanBefore          warning   latency p99               above 1.5x baseline                            for 10m     by preset
              CpuExhausted              critical  cpu_ratio                 above 90%                                      for 2m      max((rate(process_cpu_seconds_total[$range]) or on (instance) sum by (instance) (rate(dotnet_process_cpu_time_seconds_total[$range])) or on (instance) sum by (instance) (rate(process_cpu_time_seconds_total[$range])) or on (instance) process_cpu_usage * on (instance) system_cpu_count) / 0.5)
              CpuHigh                   warning   cpu_ratio                 above 70%                                      for 10m     max((rate(process_cpu_seconds_total[$range]) or on (instance) sum by (instance) (rate(dotnet_process_cpu_time_seconds_total[$range])) or on (instance) sum by (instance) (rate(process_cpu_time_seconds_total[$range])) or on (instance) process_cpu_usage * on (instance) system_cpu_count) / 0.5)
              SlaErrorsFast             critical  error_ratio               above 1.44%                                    for 2m      by preset
              SlaErrors                 warning   error_ratio               above 0.1%                                     for 1h      by preset
              SlaLatency                critical  latency p99               above 10s                                      for 2m      by preset
              FrequentRestarts          warning   restarts_per_hour         above 3                                        for 0s      sum(changes(process_start_time_seconds[1h])) or sum(increase(kube_pod_container_status_restarts_total[1h]))
              ReplicasAtMaximum         warning   replicas                  above 9                                        for 15m     count(probe_success)
              MoreErrors                warning   error_ratio               above 1.5x baseline, at least 1%               for 10m     by preset
              QueueBacklog              warning   QueueBacklog              above 1000                                     for 5m      sum(queue_depth)
              SlowTools                 warning   tool_latency p95          above 2s                                       for 10m     sum by (le) (increase(tool_duration_milliseconds_bucket[$range]))
              CacheCold                 warning   cache_hits                below 50%                                      for 10m     sum(increase(cache_hits_total[$range]))  of  sum(increase(cache_lookups_total[$range]))

            Sources of metrics
              main  http://prometheus.example.com:9090  within 8s, in every selector {job="chat-agent"}, with x-scope-orgid: agents, partial_response=false, dedup=true, max_source_resolution=0s

            Signals
              presets            found by what the first scrapes show
              tool_latency       sum by (le) (increase(tool_duration_milliseconds_bucket[$range]))
              cache_hits         sum(increase(cache_hits_total[$range]))  of  sum(increase(cache_lookups_total[$range]))
              sessions_open      sum(sessions_open)
              pods_ready         main is asked  sum(kube_pod_status_ready{condition="true",job="chat-agent"})
              restarts_per_hour  sum(changes(process_start_time_seconds[1h])) or sum(increase(kube_pod_container_status_restarts_total[1h]))
              memory_ratio       max((process_resident_memory_bytes) / 2147483648)
              cpu_ratio          max((rate(process_cpu_seconds_total[$range]) or on (instance) sum by (instance) (rate(dotnet_process_cpu_time_seconds_total[$range])) or on (instance) sum by (instance) (rate(process_cpu_time_seconds_total[$range])) or on (instance) process_cpu_usage * on (instance) system_cpu_count) / 0.5)
              QueueBacklog       sum(queue_depth)
              required           error_ratio

            Channels
              on-call  email         critical warning info  to oncall@example.com, from bakewatch@example.com, by mail.example.com:465 (TLS) as bakewatch, password from $SMTP_PASSWORD, trusting /etc/ssl/our-ca.pem; else phone; group-wait 30s if warning; group-wait 10s if critical; group-interval 5m if warning; group-interval 1m if critical; reminders none if warning; reminders 30m 1h 2h 4h if critical; 30 letters in 10m
              chat     webhook       critical               address from the file /run/secrets/chat-webhook, signed from $CHAT_SECRET, by a template, as application/json; only team="agents", path!~"/internal/.*"
              team     slack         critical warning info  address from $SLACK_WEBHOOK; quiet 22:00 to 07:00 Europe/Berlin, mon tue wed thu fri
              ops      slack         critical warning info  in #ops by a bot, token from $SLACK_TOKEN
              phone    ntfy          critical warning info  address as written in channel.phone.url of chat-agent, topic chat-agent, token from $NTFY_TOKEN; after 10m without acknowledgement
              events   cloudevents   critical warning info  address from $EVENTS_URL
              pager    pagerduty     critical               routing key from the file /run/secrets/pagerduty
              site     alertmanager  critical warning info  replicas as written in channel.site.url[0] of chat-agent, as written in channel.site.url[1] of chat-agent, token from $ALERTMANAGER_TOKEN
              own      command       critical warning info  /usr/local/bin/page --loud, with PAGER_TOKEN in its environment

            Digests
              morning  0 9 * * 1-5, Europe/Berlin  to on-call

            Not told
              patch night               0 2 * * sun, Europe/Berlin, for 2h                     severity!="critical"
              alertname="TargetSilent"  behind alertname="ServiceDown", with the same service

            Answers queries
              http://127.0.0.1:9797  to whoever reaches it, read only

            Asks people whether a test alert arrived
              https://bakewatch.example.com  by links in mails and chats

            Called while all is well with bakewatch
              from $HEARTBEAT_URL  every 1m
        "#]],
    );
    let missing: Vec<&str> = keys::TABLES
        .iter()
        .flat_map(|table| table.keys)
        .map(|key| key.name)
        .filter(|name| ![" ", "]"].iter().any(|end| text.contains(&format!("{name}{end}"))))
        .collect();
    assert!(missing.is_empty(), "the example shows nothing of {missing:?}");
}

#[test]
fn tells_what_is_wrong_on_the_command_line() {
    let check = |given: Given, expected: Expect| {
        let complaints = read(None, &given).expect_err("it is wrong");
        let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        expected.assert_eq(&lines.join("\n"));
    };
    check(
        Given::default(),
        expect![[r#"url: is missing; write url = "https://…", or give it on the command line"#]],
    );
    check(
        given("agent.example.com", Some("first-dya")),
        expect![[r#"
            --until: "first-dya" is no duration such as "30m" and no window; did you mean `first-day`?
            URL: "agent.example.com" has no scheme; write for example "https://agent.example.com""#]],
    );
    check(
        given("http://a", Some("5s")),
        expect![
            "--until: 5s is shorter than the interval, 15s: nothing is seen; write at least 15s"
        ],
    );
    check(
        Given { service: Some("a b".to_owned()), ..given("http://a", None) },
        expect![[
            r#"--service: "a b" cannot name files; write letters, digits and `.`, `_`, `-`, `:`"#
        ]],
    );
}

#[test]
fn makes_a_window_of_a_length_on_the_command_line() {
    let windows = |until| {
        let checked = read(None, &given("http://a", Some(until))).expect("it is good");
        let names = checked.plan.windows.iter().map(|w| format!("{} {}", w.name, w.every));
        (names.collect::<Vec<_>>().join(", "), checked.until)
    };
    let both = "first-day 15s, first-week 30s".to_owned();
    let window = |name: &str| Some(Until::Window(name.into()));
    assert_eq!(windows("30m"), (format!("30m 15s, {both}"), window("30m")));
    assert_eq!(windows("first-day"), (both.clone(), window("first-day")));
    assert_eq!(windows("24h"), (both.clone(), window("first-day")));
    assert_eq!(windows("smoke"), (both, Some(Until::Smoke)));
}

#[test]
fn lets_the_command_line_go_before_the_file() {
    let file = source("service = \"a\"\nurl = \"http://a\"");
    let both = Given { service: Some("b".to_owned()), ..given("http://b:81/", None) };
    let plan = read(Some(&file), &both).expect("it is good").plan;
    assert_eq!((plan.service.as_str(), plan.url.as_str()), ("b", "http://b:81"));
    assert_eq!(plan.targets[0].health.as_deref(), Some("http://b:81/health"));
}

#[test]
fn keeps_literal_secrets_out_of_the_plan() {
    let checked = good(&format!(
        "{URL}[targets]\nheaders = {{ authorization = \"Bearer t0ken\", accept = \"x\" }}\n\
         [[channel]]\nname = \"chat\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:1/s3cret\"\n\
         secret = \"whsec_c2VjcmV0\"\n[[channel]]\nname = \"mail\"\ntype = \"email\"\n\
         to = \"a@b.c\"\nsmtp = \"smtps://u@b.c\"\npassword = {{ env = \"PW\" }}"
    ));
    let plan = serde_json::to_string(&checked.plan).expect("it is JSON") + &explain(&checked);
    for secret in ["t0ken", "s3cret", "c2VjcmV0"] {
        assert!(!plan.contains(secret), "{secret} is in the plan");
    }
    let keys: Vec<&str> = checked.secrets.keys().map(String::as_str).collect();
    let expected = ["channel.chat.secret", "channel.chat.url", "targets.headers.authorization"];
    assert_eq!(keys, expected.map(|key| format!("{key} of {}", checked.plan.service)));
    let env = ("channel.mail.password".to_owned(), Secret::Env("PW".to_owned()));
    assert_eq!(checked.references, [env]);
}

#[test]
fn keeps_secrets_of_long_names_apart() {
    let name = |end: &str| format!("{}{end}", "n".repeat(90));
    let channel = |end: &str| {
        let name = name(end);
        format!(
            "[[channel]]\nname = \"{name}\"\ntype = \"webhook\"\nurl = \"http://[::1]/{end}\"\n"
        )
    };
    let checked = good(&format!("{URL}{}{}", channel("a"), channel("b")));
    let key = |end: &str| format!("channel.{}.url of {}", name(end), checked.plan.service);
    assert_eq!(checked.secrets[&key("a")], "http://[::1]/a");
    assert_eq!(checked.secrets[&key("b")], "http://[::1]/b");
}

#[test]
fn changes_a_rule_of_the_pack_where_it_says_so_and_nowhere_else() {
    let checked = good(&format!(
        "{URL}[[rule]]\nname = \"HighErrorRate\"\nabove = \"3%\"\n\
         [[rule]]\nname = \"ElevatedErrors\"\nseverity = \"info\"\n\
         [[rule]]\nname = \"MemoryPressure\"\noff = true"
    ));
    let (high, elevated) = (rule(&checked, "HighErrorRate"), rule(&checked, "ElevatedErrors"));
    assert_eq!((high.bound.value(), high.hold.to_string()), (0.03, "2m".to_owned()));
    assert_eq!(high.summary, "error_ratio is above 3%");
    assert_eq!(elevated.summary, "more than 1% of requests fail");
    assert_eq!(elevated.severity.as_str(), "info");
    assert!(checked.plan.rules.iter().all(|rule| rule.name != "MemoryPressure"));
}

#[test]
fn takes_a_bound_in_words_of_its_unit() {
    let check = |signal: &str, bound: &str| {
        let rule_of =
            format!("{URL}[[rule]]\nname = \"R\"\nsignal = \"{signal}\"\nabove = {bound}");
        let checked = good(&rule_of);
        let made = rule(&checked, "R");
        (made.bound.value(), made.summary.clone())
    };
    assert_eq!(check("error_ratio", "\"2.5%\""), (0.025, "error_ratio is above 2.5%".into()));
    assert_eq!(check("probe_duration", "\"1500ms\"").0, 1.5);
    assert_eq!(check("memory_bytes", "\"1GiB\"").0, 1_073_741_824.0);
    assert_eq!(check("replicas", "3").0, 3.0);
}

#[test]
fn shrinks_with_the_windows_of_a_test() {
    let checked = good(&format!(
        "{URL}[windows]\nfirst-day = {{ length = \"60s\", every = \"1s\" }}\n[rules]\n\
         for = \"5s\"\nrecover = \"6s\"\nrange = \"30s\"\nmin-events = 5\n\
         [[rule]]\nname = \"Own\"\nquery = \"x\"\nabove = 1\nfor = \"7s\""
    ));
    let plan = &checked.plan;
    let times = [plan.timeout, plan.settle, plan.range.expect("it is set")];
    assert_eq!(times.map(|span| span.to_string()), ["666ms", "30s", "30s"]);
    let (high, own) = (rule(&checked, "HighErrorRate"), rule(&checked, "Own"));
    assert_eq!((high.hold.to_string(), high.evidence_min), ("5s".to_owned(), 5.0));
    assert_eq!((own.hold.to_string(), own.recover.to_string()), ("7s".to_owned(), "6s".to_owned()));
    assert_eq!(rule(&checked, "ServiceDown").evidence_min, 0.0);
}

#[test]
fn takes_the_checklists_step_by_its_name_and_keeps_the_order() {
    let checked = good(&format!(
        "{URL}[targets]\nready = false\n[[smoke]]\nname = \"answers a question\"\n\
         request = {{ path = \"/ask\", json = {{ b = 1, a = [true] }} }}\nexpect = [\"status == 200\"]\n\
         [[smoke]]\nname = \"more\"\nrequest = {{}}\nexpect = [\"status == 200\"]"
    ));
    let steps = checked.plan.smoke.iter().map(|step| {
        let body = step.request.body.as_deref().unwrap_or("-");
        format!("{} {} {} {} {body}", step.name, step.must, step.request.method, step.request.url)
    });
    assert_eq!(
        steps.collect::<Vec<_>>(),
        [
            "is healthy true GET http://127.0.0.1:8000/health -",
            "answers a question true POST http://127.0.0.1:8000/ask {\"a\":[true],\"b\":1}",
            "more true GET http://127.0.0.1:8000/ -",
        ]
    );
}

#[test]
fn warns_of_what_works_and_nobody_wants() {
    let checked = good(&format!(
        "{URL}[windows]\nfirst-day = {{ length = \"2m\", every = \"15s\" }}\n[[channel]]\n\
         name = \"a\"\ntype = \"webhook\"\nurl = \"http://example.com/\""
    ));
    let warnings: Vec<String> = checked.warnings.iter().map(ToString::to_string).collect();
    expect![[r#"
        bakewatch.toml: rules.for: HighErrorRate (2m), ElevatedErrors (10m), HighLatency (2m), IncreasedLatency (10m), MemoryPressure (2m), SignalVanished (5m), HealthFrozen (2m) can never fire: they wait as long as the watch lasts, or longer (2m); shorten their `for`
        bakewatch.toml:2: windows: first-week (7d) is left out, since [windows] lists all windows there are; write first-week = {} to keep it
        bakewatch.toml:7: channel.a.url: sends alerts to example.com in the open; write https://"#]].assert_eq(&warnings.join("\n"));
}

proptest! {
    #[test]
    fn never_panics_on_any_text(text in ".{0,200}") {
        let _ = read(Some(&source(&text)), &given(&text, Some(&text)));
    }

    #[test]
    fn never_panics_on_a_broken_example(cut in 0usize..5000, len in 0usize..40, put in ".{0,8}") {
        let text = include_str!("../../config/bakewatch.example.toml");
        let chars: Vec<char> = text.chars().collect();
        let (from, to) = (cut.min(chars.len()), (cut + len).min(chars.len()));
        let before: String = chars[..from].iter().collect();
        let after: String = chars[to..].iter().collect();
        let _ = read(Some(&source(&format!("{before}{put}{after}"))), &Given::default());
    }
}

#[test]
fn takes_severities_in_words_of_ones_own() {
    let checked = good(
        r#"url = "http://127.0.0.1:8000"
        [severities]
        page = "critical"
        ticket = "warning"
        [[rule]]
        name = "HighErrorRate"
        severity = "ticket"
        [[rule]]
        name = "QueueBacklog"
        query = "sum(queue_depth)"
        above = 10
        severity = "page"
        labels = { severity = "P1", team = "agents" }
        [[channel]]
        name = "hook"
        type = "webhook"
        url = "https://hooks.example.com/x"
        severities = ["page"]"#,
    );
    let told = |name| {
        let rule = rule(&checked, name);
        format!("{} {}", rule.severity, rule.labels)
    };
    assert_eq!(told("HighErrorRate"), r#"warning {severity="ticket"}"#);
    assert_eq!(told("QueueBacklog"), r#"critical {severity="P1", team="agents"}"#);
    assert_eq!(told("HighLatency"), "critical {}");
    assert_eq!(checked.plan.channels[0].severities, [crate::model::Severity::Critical]);
}

#[test]
fn asks_people_only_where_somebody_hears_the_answer() {
    let file = |top: &str, base: &str| {
        format!("url = \"https://a.example.com\"\n{top}\n[rehearse]\nconfirm = \"{base}\"\n")
    };
    let listen = "listen = \"127.0.0.1:9797\"";
    let base = good(&file(listen, "https://watch.example.com/x/")).confirm;
    assert_eq!(base.as_deref(), Some("https://watch.example.com/x"));
    let wrong = |top: &str, base: &str| {
        let complaints = read(Some(&source(&file(top, base))), &Given::default()).unwrap_err();
        complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let unheard = wrong("", "https://watch.example.com");
    assert!(unheard.contains(":4: rehearse.confirm") && unheard.contains("`listen`"), "{unheard}");
    assert!(wrong(listen, "watch.example.com").contains("has no scheme"));
    assert!(wrong(listen, "https://watch.example.com/?a=b").contains("has a query"));
}
