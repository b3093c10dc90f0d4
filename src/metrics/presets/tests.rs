//! Presets, held against bodies that running stacks printed.

use super::table::Latency;
use super::*;
use crate::metrics::{Meter, Table, Wanted, read_page};

fn families(body: &str) -> Vec<Family> {
    let page = read_page(body.as_bytes(), None, &Wanted::all(), &mut Table::default());
    page.expect("a readable body").families
}

fn because(found: &Matched) -> Vec<String> {
    found.because.iter().map(|(signal, of)| format!("{signal} = {of}")).collect()
}

#[test]
fn gives_only_queries_that_compile() {
    for preset in PRESETS.iter() {
        let pinned = [Name::from(preset.name.as_str())];
        let needs = preset.gauges.iter().flat_map(|gauge| &gauge.needs);
        let names = needs.chain(&preset.requests);
        let mut body: String = names.map(|name| format!("{name} 1\n")).collect();
        for Latency { name, .. } in &preset.latency {
            body.push_str(&format!("# TYPE {name} histogram\n{name}_bucket{{le=\"1\"}} 1\n"));
        }
        let found = detect(&families(&body), Some(&pinned), &[]);
        assert!(!found.signals.is_empty(), "{}", preset.name);
        for signal in &found.signals {
            if let Err(error) = Meter::compile(signal) {
                panic!("{} {}: {error}", preset.name, signal.name);
            }
        }
    }
}

#[test]
fn finds_the_checklists_service_under_its_opentelemetry_names() {
    let body = "# TYPE ai_assistant_requests_total counter\n\
        ai_assistant_requests_total{success=\"true\",type=\"question\"} 5\n\
        # TYPE ai_assistant_request_latency_milliseconds histogram\n\
        ai_assistant_request_latency_milliseconds_bucket{le=\"10000.0\"} 5\n\
        ai_assistant_request_latency_milliseconds_bucket{le=\"+Inf\"} 5\n\
        process_resident_memory_bytes 5\nprocess_cpu_seconds_total 1\n";
    let found = detect(&families(body), None, &[]);
    assert_eq!(found.presets, [Name::from("seed-ai-assistant"), Name::from("process")]);
    assert_eq!(
        because(&found)[0],
        "request_rate = ai_assistant_requests_total (seed-ai-assistant)"
    );
    assert!(found.unmatched.contains(&Name::from("memory_ratio")));
    assert!(found.notes[0].contains("its limit is not"), "{:?}", found.notes);
}

#[test]
fn keeps_the_services_own_probes_out_of_its_ratios() {
    let body = "http_requests_total{handler=\"/items/{i}\",method=\"GET\",status=\"2xx\"} 5\n\
        http_requests_total{handler=\"/metrics\",method=\"GET\",status=\"2xx\"} 50\n";
    let found = detect(&families(body), None, &[]);
    let Shape::Ratio { num, .. } = &found.signals[1].shape else { panic!("no ratio") };
    assert!(num.contains("handler!~\"/metrics"), "{num}");
    assert!(num.contains("status=~\"5..\""), "{num}");
}

#[test]
fn says_when_a_histogram_ends_below_the_bound() {
    let body = "http_requests_total{code=\"200\"} 1\n\
        # TYPE http_request_duration_seconds histogram\n\
        http_request_duration_seconds_bucket{le=\"1\"} 1\n\
        http_request_duration_seconds_bucket{le=\"+Inf\"} 1\n";
    let found = detect(&families(body), None, &[]);
    assert!(found.notes[0].contains("is 1 s"), "{:?}", found.notes);
}

#[test]
fn takes_the_next_best_where_a_stack_does_not_show_its_usual_names() {
    let of = |body: &str, signal: &str| {
        let found = detect(&families(body), None, &[]);
        let known = found.because.iter().find(|(name, _)| *name == *signal);
        known.map(|(_, because)| because.clone())
    };
    let litellm = "litellm_input_tokens_metric_total 3\nlitellm_output_tokens_metric_total 4\n";
    let tokens = of(litellm, "token_rate");
    assert_eq!(tokens.as_deref(), Some("litellm_input_tokens_metric_total (litellm)"));
    let server = "# TYPE gen_ai_server_request_duration_seconds histogram\n\
        gen_ai_server_request_duration_seconds_bucket{le=\"+Inf\"} 1\n\
        gen_ai_server_request_duration_seconds_count 1\n";
    let latency = of(server, "latency");
    assert_eq!(latency.as_deref(), Some("gen_ai_server_request_duration_seconds (genai-otel)"));
    for name in ["process_cpu_utilization", "process_cpu_utilization_ratio"] {
        let ratio = of(&format!("{name} 0.5\n"), "cpu_ratio");
        assert_eq!(ratio, Some(format!("{name} (otel-process)")));
    }
}

#[test]
fn takes_no_other_preset_than_those_pinned() {
    let body = "http_requests_total{status=\"2xx\"} 5\nprocess_cpu_seconds_total 1\n";
    let found = detect(&families(body), Some(&[Name::from("process")]), &[]);
    assert_eq!(found.presets, [Name::from("process")]);
}

mod bodies;
mod stacks;

#[test]
fn gives_queries_that_a_source_with_a_selector_can_be_asked() {
    let selector = Some("{job=\"chat\"}");
    for preset in PRESETS.iter() {
        for gauge in &preset.gauges {
            let sent = crate::metrics::promql::narrow(&gauge.query, MINUTE, selector);
            assert!(sent.is_ok(), "{}: {sent:?}", gauge.query);
        }
    }
    let asked = search(None, &[], selector).expect("there are presets");
    assert!(asked.starts_with("{__name__=~\"") && asked.ends_with("\",job=\"chat\"}"), "{asked}");
}

#[test]
fn makes_families_of_the_series_that_a_source_shows() {
    let row = |pairs: &[(&str, &str)]| {
        (crate::model::Labels::from_pairs(pairs.iter().copied()), Vec::new())
    };
    let rows = vec![
        row(&[("__name__", "http_requests_total"), ("status", "2xx"), ("handler", "/a")]),
        row(&[("__name__", "http_requests_total"), ("status", "5xx"), ("handler", "/a")]),
        row(&[("__name__", "http_request_duration_seconds_bucket"), ("le", "10")]),
        row(&[("__name__", "http_request_duration_seconds_bucket"), ("le", "0.5")]),
        row(&[("__name__", "http_request_duration_seconds_bucket"), ("le", "+Inf")]),
    ];
    let found = detect(&super::families(&rows), None, &[]);
    let names: Vec<&str> = found.signals.iter().map(|signal| signal.name.as_str()).collect();
    assert_eq!(names, ["request_rate", "error_ratio", "latency"], "{found:?}");
    let bounds: Vec<f64> = super::families(&rows)
        .iter()
        .flat_map(|family| &family.bounds)
        .map(|bound| bound.0)
        .collect();
    assert_eq!(bounds, [0.5, 10.0]);
}
