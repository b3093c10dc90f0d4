//! Sources of metrics: what is read, and every complaint.

use super::good;

const MAIN: &str = r#"url = "http://127.0.0.1:8000"
metrics = "main"
[source.main]
type = "prometheus"
url = "http://prometheus:9090/prom/"
selector = '{job="chat"}'
headers = { x-scope-orgid = "agents" }
auth = { bearer = { file = "/run/secrets/token" } }
dedup = true
params = { nocache = "1" }
"#;

#[test]
fn asks_the_usual_source_for_what_does_not_say_another() {
    let text = format!(
        r#"{MAIN}
        [source.other]
        type = "prometheus"
        url = "http://other:9090"
        [[signal]]
        name = "a"
        query = "holt_winters_of_a_kind"
        [[signal]]
        name = "b"
        query = "sum(b)"
        source = "scrape"
        [[rule]]
        name = "C"
        query = "info(c)"
        above = 1
        source = "other""#
    );
    let plan = good(&text).plan;
    let source = |name: &str| {
        let signal = plan.signals.iter().find(|signal| signal.name == *name).expect(name);
        signal.source.as_ref().map(ToString::to_string)
    };
    assert_eq!(
        [source("a"), source("b"), source("C")],
        [Some("main".into()), None, Some("other".into())]
    );
    let main = &plan.data_sources[0];
    assert_eq!(
        (main.url.as_str(), main.selector.as_deref()),
        ("http://prometheus:9090/prom", Some("{job=\"chat\"}"))
    );
    let params: Vec<String> = main.params.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(params, ["partial_response=false", "dedup=true", "nocache=1"]);
    assert_eq!(plan.targets[0].metrics, None, "somebody else scrapes it");
    assert!(plan.rules.iter().any(|rule| rule.name == *"SourceSilent"));
}

#[test]
fn scrapes_besides_where_the_file_says_so() {
    let text = MAIN.replace("[source.main]", "targets.metrics = \"/m\"\n[source.main]");
    let plan = good(&text).plan;
    assert_eq!(plan.targets[0].metrics.as_deref(), Some("http://127.0.0.1:8000/m"));
}
