//! Files of Prometheus's rules, by example.

use super::*;
use crate::judge::Bound;
use crate::metrics::Shape;
use crate::model::{MINUTE, Severity};

const RULES: &str = r#"
groups:
  - name: recorded
    query_offset: 30s
    rules:
      - record: job:errors:ratio
        expr: sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(all_total[5m]))
        labels: {team: web}
  - name: web
    labels: {team: web}
    rules:
      - alert: HighErrorRate
        expr: job:errors:ratio > 0.05
        for: 5m
        keep_firing_for: 10m
        labels: {severity: page}
        annotations: {summary: 'too many', runbook_url: 'https://r.example.com/errors'}
      - alert: Errors
        expr: job:errors:ratio > 0.01
      - alert: Errors
        expr: job:errors:ratio > on (job) job:errors:allowed
        labels: {severity: critical, team: core}
      - alert: Errors
        expr: absent(job:errors:ratio)
        labels: {severity: critical}
"#;

fn files(pattern: &str) -> Result<Vec<Source>, String> {
    assert_eq!(pattern, "rules/*.yml");
    Ok(vec![Source { file: "rules/web.yml".to_owned(), text: RULES.to_owned() }])
}

fn checked(text: &str) -> Result<Checked, Vec<Complaint>> {
    let text = format!("{URL}{text}\n[severities]\npage = \"critical\"\n");
    read_with(Some(&source(&text)), &Given::default(), &files)
}

#[test]
fn makes_rules_signals_and_recordings_of_them() {
    for text in ["rules = [\"rules/*.yml\"]\n", "[rules]\nfiles = [\"rules/*.yml\"]\n"] {
        let checked = checked(text).expect("they are good");
        let rule = |name: &str| rule(&checked, name);
        // The pack has a rule of the first one's name.
        let first = rule("HighErrorRate (critical)");
        assert_eq!((first.severity, first.bound), (Severity::Critical, Bound::Above(0.05)));
        assert_eq!((first.hold, first.recover), (5 * MINUTE, 10 * MINUTE));
        assert_eq!((first.breaches_min, first.calms_min), (1, 1));
        assert_eq!(first.labels.to_string(), r#"{severity="page", team="web"}"#);
        assert_eq!(first.summary, "too many");
        assert_eq!(first.runbook.as_deref(), Some("https://r.example.com/errors"));
        let second = rule("Errors");
        assert_eq!(
            (second.severity, &*second.summary),
            (Severity::Warning, "job:errors:ratio > 0.01")
        );
        let third = rule("Errors (critical)");
        assert_eq!((third.bound, third.labels.get("team")), (Bound::Expression, Some("core")));
        assert_eq!(rule("Errors (web)").imported.as_ref().unwrap().alert, *"Errors");
        let all = |name: &str| {
            let signal = checked.plan.signals.iter().find(|signal| signal.name == *name);
            let Shape::Alert { all, .. } = &signal.expect(name).shape else { panic!("{name}") };
            all.clone()
        };
        assert_eq!(all("Errors").as_deref(), Some("job:errors:ratio"));
        assert_eq!(all("Errors (web)"), None);
        let recording = &checked.plan.recordings[0];
        assert_eq!(recording.offset, MINUTE / 2);
        assert!(checked.plan.signals.iter().any(|signal| signal.name == recording.name));
    }
}

#[test]
fn stores_a_plan_with_them_and_reads_the_same_back() {
    let plan = checked("rules = [\"rules/*.yml\"]\n").expect("they are good").plan;
    let stored = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), plan);
}

#[test]
fn holds_the_cadence_against_the_ranges_that_they_read() {
    let told = checked(
        "rules = [\"rules/*.yml\"]\n[windows]\nday = { length = \"1d\", every = \"2m\" }\n",
    );
    let told: Vec<String> = told.unwrap_err().iter().map(ToString::to_string).collect();
    assert!(told[0].contains("is above a quarter of 5m"), "{told:?}");
}

#[test]
fn explains_how_empty_is_read_and_what_is_kept() {
    let checked = checked("rules = [\"rules/*.yml\"]\n").expect("they are good");
    let show = |name: &str| explain_rule(&checked, name).unwrap_or_else(|what| what + "\n");
    expect![[r#"
        Errors  warning, of rules/web.yml, group web

        Judges
          signal  Errors
          query   job:errors:ratio > 0.01
          broken  what comes out of it
          calm    what is in job:errors:ratio, and does not come out
          empty   where neither is anything there is no data: nothing resolves

        Fires
          after    0s broken
          until    0s calm
          at most  500 alerts at a time

        Kept of the pages because of it
          all_total         for 10m 30s
          errors_total      for 10m 30s
          job:errors:ratio  for 5m       recorded: sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(all_total[5m]))

        Errors (web)  critical, of rules/web.yml, group web

        Judges
          signal  Errors (web)
          query   absent(job:errors:ratio)
          broken  what comes out of it
          empty   `absent` at its top cannot be split: what comes out no more is calm, while some series that it reads is there

        Fires
          after    0s broken
          until    0s calm
          at most  500 alerts at a time

        Kept of the pages because of it
          all_total         for 10m 30s
          errors_total      for 10m 30s
          job:errors:ratio  for 5m       recorded: sum by (job) (rate(errors_total[5m])) / sum by (job) (rate(all_total[5m]))

        HighLatency  critical

        Judges
          signal  latency
          query   by the preset that the first scrapes match; see `check --live`
          broken  above 10s

        Fires
          after    2m broken, and 3 readings in a row
          until    2m calm, and 2 readings in a row
          at most  500 alerts at a time
          from     100 events in its range

        there is no rule "Erors"; did you mean "Errors"?
    "#]]
        .assert_eq(&["Errors", "Errors (web)", "HighLatency", "Erors"].map(show).join("\n"));
}
