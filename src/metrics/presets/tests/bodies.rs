//! What running stacks printed (`scripts/capture-bodies`), and what is made of it.

use std::fmt::Write;

use expect_test::{Expect, expect};

use super::*;

/// The body is read to the last line, and its signals compile.
fn check(body: &str, content_type: &str, expected: Expect) {
    let mut table = Table::default();
    let page = read_page(body.as_bytes(), Some(content_type), &Wanted::all(), &mut table).unwrap();
    assert_eq!(page.first_bad, None);
    let lines = body.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    assert_eq!(page.samples.len(), lines.count());
    let found = detect(&page.families, None, &[]);
    let mut told = String::new();
    for (line, signal) in because(&found).iter().zip(&found.signals) {
        writeln!(told, "{line}").unwrap();
        match &signal.shape {
            Shape::Ratio { num, .. } => writeln!(told, "    {num}").unwrap(),
            Shape::Buckets { query, .. } | Shape::Gauge { query } | Shape::Alert { query, .. } => {
                writeln!(told, "    {query}").unwrap();
            }
        }
        Meter::compile(signal).unwrap();
    }
    let unmatched: Vec<&str> = found.unmatched.iter().map(Name::as_str).collect();
    writeln!(told, "unmatched: {}", unmatched.join(", ")).unwrap();
    for note in &found.notes {
        writeln!(told, "note: {note}").unwrap();
    }
    expected.assert_eq(&told);
}

const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

macro_rules! body {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/bodies/", $name))
    };
}

#[test]
fn matches_the_checklists_service() {
    check(
        body!("seed-ai-assistant.prom"),
        TEXT,
        expect![[r#"
        request_rate = ai_assistant_requests_total (seed-ai-assistant)
            sum(rate(ai_assistant_requests_total[$range]))
        error_ratio = ai_assistant_requests_total{success="false"} (seed-ai-assistant)
            sum(increase(ai_assistant_requests_total{success="false"}[$range]))
        latency = ai_assistant_request_latency_milliseconds (seed-ai-assistant)
            sum by (le) (increase(ai_assistant_request_latency_milliseconds_bucket[$range]))
        memory_bytes = process_resident_memory_bytes (process)
            sum(process_resident_memory_bytes)
        cpu_cores = process_cpu_seconds_total (process)
            sum(rate(process_cpu_seconds_total[$range]))
        restarts = process_start_time_seconds (process)
            sum(changes(process_start_time_seconds[$range]))
        token_rate = gen_ai_client_token_usage_tokens_sum (genai-otel)
            sum(rate(gen_ai_client_token_usage_tokens_sum[$range]))
        unmatched: memory_ratio, cost_rate, sessions
        note: memory is known, its limit is not: no rule on memory_ratio can be judged
    "#]],
    );
}

#[test]
fn matches_the_checklists_service_in_openmetrics() {
    check(
        body!("seed-ai-assistant.om"),
        "application/openmetrics-text; version=1.0.0",
        expect![[r#"
            request_rate = ai_assistant_requests_total (seed-ai-assistant)
                sum(rate(ai_assistant_requests_total[$range]))
            error_ratio = ai_assistant_requests_total{success="false"} (seed-ai-assistant)
                sum(increase(ai_assistant_requests_total{success="false"}[$range]))
            latency = ai_assistant_request_latency_milliseconds (seed-ai-assistant)
                sum by (le) (increase(ai_assistant_request_latency_milliseconds_bucket[$range]))
            memory_bytes = process_resident_memory_bytes (process)
                sum(process_resident_memory_bytes)
            cpu_cores = process_cpu_seconds_total (process)
                sum(rate(process_cpu_seconds_total[$range]))
            restarts = process_start_time_seconds (process)
                sum(changes(process_start_time_seconds[$range]))
            token_rate = gen_ai_client_token_usage_tokens_sum (genai-otel)
                sum(rate(gen_ai_client_token_usage_tokens_sum[$range]))
            unmatched: memory_ratio, cost_rate, sessions
            note: memory is known, its limit is not: no rule on memory_ratio can be judged
        "#]],
    );
}

#[test]
fn matches_fastapi_instrumentator() {
    check(
        body!("fastapi-instrumentator.prom"),
        TEXT,
        expect![[r#"
            request_rate = http_requests_total (fastapi-instrumentator)
                sum(rate(http_requests_total{handler!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            error_ratio = http_requests_total{handler!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",status=~"5.."} (fastapi-instrumentator)
                sum(increase(http_requests_total{handler!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",status=~"5.."}[$range]))
            latency = http_request_duration_highr_seconds (fastapi-instrumentator)
                sum by (le) (increase(http_request_duration_highr_seconds_bucket[$range]))
            memory_bytes = process_resident_memory_bytes (process)
                sum(process_resident_memory_bytes)
            cpu_cores = process_cpu_seconds_total (process)
                sum(rate(process_cpu_seconds_total[$range]))
            restarts = process_start_time_seconds (process)
                sum(changes(process_start_time_seconds[$range]))
            unmatched: memory_ratio, token_rate, cost_rate, sessions
            note: memory is known, its limit is not: no rule on memory_ratio can be judged
        "#]],
    );
}

#[test]
fn matches_starlette_exporter() {
    check(
        body!("starlette-exporter.prom"),
        TEXT,
        expect![[r#"
            request_rate = starlette_requests_total (starlette-exporter)
                sum(rate(starlette_requests_total{path!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            error_ratio = starlette_requests_total{path!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",status_code=~"5.."} (starlette-exporter)
                sum(increase(starlette_requests_total{path!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",status_code=~"5.."}[$range]))
            latency = starlette_request_duration_seconds (starlette-exporter)
                sum by (le) (increase(starlette_request_duration_seconds_bucket{path!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            memory_bytes = process_resident_memory_bytes (process)
                sum(process_resident_memory_bytes)
            cpu_cores = process_cpu_seconds_total (process)
                sum(rate(process_cpu_seconds_total[$range]))
            restarts = process_start_time_seconds (process)
                sum(changes(process_start_time_seconds[$range]))
            sessions = starlette_requests_in_progress (starlette-exporter)
                sum(starlette_requests_in_progress)
            unmatched: memory_ratio, token_rate, cost_rate
            note: memory is known, its limit is not: no rule on memory_ratio can be judged
        "#]],
    );
}

#[test]
fn matches_opentelemetrys_stable_names() {
    check(
        body!("otel-http.prom"),
        TEXT,
        expect![[r#"
            request_rate = http_server_request_duration_seconds_count (otel-http)
                sum(rate(http_server_request_duration_seconds_count{http_route!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            error_ratio = http_server_request_duration_seconds_count{http_route!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",http_response_status_code=~"5.."} (otel-http)
                sum(increase(http_server_request_duration_seconds_count{http_route!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",http_response_status_code=~"5.."}[$range]))
            latency = http_server_request_duration_seconds (otel-http)
                sum by (le) (increase(http_server_request_duration_seconds_bucket{http_route!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            memory_bytes = process_resident_memory_bytes (process)
                sum(process_resident_memory_bytes)
            cpu_cores = process_cpu_seconds_total (process)
                sum(rate(process_cpu_seconds_total[$range]))
            restarts = process_start_time_seconds (process)
                sum(changes(process_start_time_seconds[$range]))
            sessions = http_server_active_requests (otel-http)
                sum(http_server_active_requests)
            unmatched: memory_ratio, token_rate, cost_rate
            note: memory is known, its limit is not: no rule on memory_ratio can be judged
        "#]],
    );
}

#[test]
fn matches_opentelemetrys_old_names() {
    check(
        body!("otel-http-old.prom"),
        TEXT,
        expect![[r#"
            request_rate = http_server_duration_milliseconds_count (otel-http-old)
                sum(rate(http_server_duration_milliseconds_count{http_target!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            error_ratio = http_server_duration_milliseconds_count{http_target!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",http_status_code=~"5.."} (otel-http-old)
                sum(increase(http_server_duration_milliseconds_count{http_target!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",http_status_code=~"5.."}[$range]))
            latency = http_server_duration_milliseconds (otel-http-old)
                sum by (le) (increase(http_server_duration_milliseconds_bucket{http_target!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            memory_bytes = process_resident_memory_bytes (process)
                sum(process_resident_memory_bytes)
            cpu_cores = process_cpu_seconds_total (process)
                sum(rate(process_cpu_seconds_total[$range]))
            restarts = process_start_time_seconds (process)
                sum(changes(process_start_time_seconds[$range]))
            sessions = http_server_active_requests (otel-http)
                sum(http_server_active_requests)
            unmatched: memory_ratio, token_rate, cost_rate
            note: memory is known, its limit is not: no rule on memory_ratio can be judged
        "#]],
    );
}

#[test]
fn takes_one_of_opentelemetrys_names_where_both_are_printed() {
    check(
        body!("otel-http-both.prom"),
        TEXT,
        expect![[r#"
            request_rate = http_server_request_duration_seconds_count (otel-http)
                sum(rate(http_server_request_duration_seconds_count{http_route!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            error_ratio = http_server_request_duration_seconds_count{http_route!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",http_response_status_code=~"5.."} (otel-http)
                sum(increase(http_server_request_duration_seconds_count{http_route!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",http_response_status_code=~"5.."}[$range]))
            latency = http_server_request_duration_seconds (otel-http)
                sum by (le) (increase(http_server_request_duration_seconds_bucket{http_route!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            memory_bytes = process_resident_memory_bytes (process)
                sum(process_resident_memory_bytes)
            cpu_cores = process_cpu_seconds_total (process)
                sum(rate(process_cpu_seconds_total[$range]))
            restarts = process_start_time_seconds (process)
                sum(changes(process_start_time_seconds[$range]))
            sessions = http_server_active_requests (otel-http)
                sum(http_server_active_requests)
            unmatched: memory_ratio, token_rate, cost_rate
            note: memory is known, its limit is not: no rule on memory_ratio can be judged
        "#]],
    );
}

#[test]
fn matches_express_prom_bundle() {
    check(
        body!("node-express-prom-bundle.prom"),
        "text/plain",
        expect![[r#"
            request_rate = http_request_duration_seconds_count (node-express-prom-bundle)
                sum(rate(http_request_duration_seconds_count{path!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            error_ratio = http_request_duration_seconds_count{path!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",status_code=~"5.."} (node-express-prom-bundle)
                sum(increase(http_request_duration_seconds_count{path!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*",status_code=~"5.."}[$range]))
            latency = http_request_duration_seconds (node-express-prom-bundle)
                sum by (le) (increase(http_request_duration_seconds_bucket{path!~"/metrics.*|/health.*|/-/(healthy|ready)|/livez?|/readyz?|/actuator.*"}[$range]))
            memory_bytes = process_resident_memory_bytes (process)
                sum(process_resident_memory_bytes)
            cpu_cores = process_cpu_seconds_total (process)
                sum(rate(process_cpu_seconds_total[$range]))
            restarts = process_start_time_seconds (process)
                sum(changes(process_start_time_seconds[$range]))
            unmatched: memory_ratio, token_rate, cost_rate, sessions
            note: memory is known, its limit is not: no rule on memory_ratio can be judged
        "#]],
    );
}

#[test]
fn matches_a_host() {
    check(
        body!("node-exporter.prom"),
        TEXT,
        expect![[r#"
            memory_ratio = node_memory_MemTotal_bytes (node-exporter)
                max(1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)
            memory_bytes = process_resident_memory_bytes (process)
                sum(process_resident_memory_bytes)
            cpu_cores = process_cpu_seconds_total (process)
                sum(rate(process_cpu_seconds_total[$range]))
            restarts = process_start_time_seconds (process)
                sum(changes(process_start_time_seconds[$range]))
            cpu_ratio = node_cpu_seconds_total (node-exporter)
                max(sum by (instance) (rate(node_cpu_seconds_total{mode!="idle"}[$range])) / sum by (instance) (rate(node_cpu_seconds_total[$range])))
            oom_kills = node_vmstat_oom_kill (node-exporter)
                sum(increase(node_vmstat_oom_kill[$range]))
            unmatched: request_rate, error_ratio, latency, token_rate, cost_rate, sessions
        "#]],
    );
}
