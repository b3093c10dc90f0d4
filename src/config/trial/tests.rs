//! Tests of rules by example; that `promtool` comes to the same verdicts is
//! tried with the real one.

use expect_test::{Expect, expect};

use super::*;

const RULES: &str = r#"
groups:
  - name: web
    rules:
      - record: job:up:sum
        expr: sum by (job) (up)
      - alert: Down
        expr: job:up:sum < 1
        for: 2m
        labels: {severity: critical}
        annotations: {summary: '{{ $labels.job }} has {{ $value }} up'}
"#;

fn check(text: &str, expected: Expect) {
    let files = |pattern: &str| match pattern {
        "web.yml" => Ok(vec![Source { file: "web.yml".to_owned(), text: RULES.to_owned() }]),
        _ => Err(format!("no file is called {pattern}")),
    };
    let outcome = run(&Source { file: "t.yml".to_owned(), text: text.to_owned() }, &files);
    let wrong = outcome.wrong.iter().map(|wrong| format!("{wrong}\n"));
    let told = outcome.warnings.iter().map(|told| format!("warning: {told}\n"));
    let shown = if outcome.wrong.is_empty() { show(&outcome) } else { String::new() };
    expected.assert_eq(&wrong.chain(told).chain([shown]).collect::<String>());
}

const SERIES: &str = "
rule_files: [web.yml]
tests:
  - name: goes down
    interval: 1m
    input_series:
      - {series: 'up{job=\"a\", instance=\"1\"}', values: '1 1 0x10'}
      - {series: 'up{job=\"b\", instance=\"2\"}', values: '1x12'}
";

#[test]
fn holds_what_fires_and_what_is_recorded_against_what_is_expected() {
    let text = format!(
        "{SERIES}
    alert_rule_test:
      - {{alertname: Down, eval_time: 3m}}
      - alertname: Down
        eval_time: 4m30s
        exp_alerts:
          - exp_labels: {{severity: critical, job: a}}
            exp_annotations: {{summary: a has 0 up}}
    promql_expr_test:
      - expr: job:up:sum
        eval_time: 4m
        exp_samples:
          - {{labels: 'job:up:sum{{job=\"a\"}}', value: 0}}
          - {{labels: 'job:up:sum{{job=\"b\"}}', value: 1}}
      - {{expr: 'sum(ALERTS_FOR_STATE)', eval_time: 4m, exp_samples: [{{value: 120}}]}}
"
    );
    check(
        &text,
        expect![[r#"
        t.yml: 4 expectations hold
    "#]],
    );
}

#[test]
fn shows_what_was_expected_and_what_came() {
    let text = format!(
        "{SERIES}
    alert_rule_test:
      - {{alertname: Down, eval_time: 4m, exp_alerts: [{{exp_labels: {{job: a}}}}]}}
      - {{alertname: Up, eval_time: 4m, exp_alerts: [{{}}]}}
    promql_expr_test:
      - {{expr: 'job:up:sum > 5', eval_time: 4m, exp_samples: [{{labels: 'x', value: 7}}]}}
      - {{expr: 'up / on (job) group_left up', eval_time: 0, exp_samples: []}}
"
    );
    check(
        &text,
        expect![[r#"
        t.yml: 4 of 4 do not hold
          t.yml:11: alert Down at 4m (goes down)
            expected  labels {alertname="Down", job="a"}
                      annotations {}
            got       labels {alertname="Down", job="a", severity="critical"}
                      annotations {summary="a has 0 up"}
          t.yml:12: alert Up at 4m (goes down)
            expected  labels {alertname="Up"}
                      annotations {}
            got       no alert
          t.yml:14: job:up:sum > 5 at 4m (goes down)
            expected  {__name__="x"} 7
            got       nothing
          t.yml:15: up / on (job) group_left up at 0s (goes down)
            expected  nothing
            got       {instance="1", job="a"} 1
                      {instance="2", job="b"} 1
    "#]],
    );
}

#[test]
fn tells_all_that_is_wrong_with_a_file_at_once() {
    let text = "
rule_files: [nowhere.yml]
group_eval_order: [a, a]
tests:
  - interval: soon
    input_series:
      - {series: 'sum(up)', values: 1 two}
      - {values: 1}
    alert_rule_test:
      - {eval_time: 5m}
      - {alertname: A, eval_time: 500y, exp_alert: []}
    promql_expr_test:
      - {expr: 'sum(', exp_samples: [{labels: 'a{b=~\"c\"}', value: many}]}
      - {exp_samples: [{histogram: '{{}}'}]}
";
    check(
        text,
        expect![[r#"
            t.yml:3: group_eval_order[1]: "a" stands twice; keep one
            t.yml:5: tests[0].interval: "soon" is not a duration; write for example 30s, 5m or 1h30m
            t.yml:7: tests[0].input_series[0].series: "sum(up)" is no series; write for example up{job="web"}
            t.yml:7: tests[0].input_series[0].values: "two" is no value; write for example 1, 0+10x5, 7x3, _ or stale
            t.yml:8: tests[0].input_series[1]: `series` is missing; write for example `series: up{job="web"}`
            t.yml:10: tests[0].alert_rule_test[0]: `alertname` is missing; write for example `alertname: Down`
            t.yml:11: tests[0].alert_rule_test[1].eval_time: needs more than 100000 evaluations; write an earlier one
            t.yml:11: tests[0].alert_rule_test[1].exp_alert: unknown key; did you mean `exp_alerts`?
            t.yml:13: tests[0].promql_expr_test[0].expr: ( is not closed before the end (at its character 4)
            t.yml:13: tests[0].promql_expr_test[0].exp_samples[0].labels: "a{b=~\"c\"}" is no series; write for example up{job="web"}
            t.yml:13: tests[0].promql_expr_test[0].exp_samples[0].value: expected a number, found "many"
            t.yml:14: tests[0].promql_expr_test[1]: `expr` is missing; write for example `expr: sum(up)`
            t.yml:14: tests[0].promql_expr_test[1].exp_samples[0].histogram: native histograms are not supported; expect a number
        "#]],
    );
}
