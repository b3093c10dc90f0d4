//! Each stack by a body of its own, captured or written after its form: which
//! preset takes it, what each signal is made of, and what is measured when
//! the service has done from nothing all that the body counts.

use std::fmt::Write;

use expect_test::expect_file;

use super::*;
use crate::metrics::{Feed, Measured, Series, show};
use crate::model::{Measurement, Timestamp};

/// So long it took.
const MINUTES: Span = Span::from_secs(60);

/// Two scrapes of the service: when it had counted nothing, and this body.
fn series(body: &str, found: &Matched) -> (Series, Timestamp) {
    let mut series = Series::new();
    let meters = found.signals.iter().map(|signal| Meter::compile(signal).unwrap());
    for (name, range) in meters.flat_map(|meter| meter.needs()) {
        series.keep(&name, range + HOUR);
    }
    let (mut table, mut feed) = (Table::default(), Feed::new());
    let begin = Timestamp::from_millis(1_764_200_000_000);
    let mut page = read_page(body.as_bytes(), None, &Wanted::all(), &mut table).unwrap();
    page.samples.iter_mut().for_each(|(_, value)| *value = 0.0);
    feed.take(&mut series, &"a".into(), &page, begin);
    let page = read_page(body.as_bytes(), None, &Wanted::all(), &mut table).unwrap();
    feed.take(&mut series, &"a".into(), &page, begin + MINUTES);
    (series, begin + MINUTES)
}

fn measured(signal: &Signal, series: &Series, at: Timestamp) -> String {
    let mut meter = Meter::compile(signal).unwrap();
    match meter.count(series, at, MINUTES) {
        Measured::One(Measurement::Ratio { num, den }) => format!("{} of {}", num.0, den.0),
        Measured::One(Measurement::Buckets { bounds, counts }) => {
            let pairs: Vec<(f64, f64)> =
                bounds.iter().zip(&counts).map(|(bound, count)| (bound.0, count.0)).collect();
            let all = counts.last().map_or(0.0, |count| count.0);
            let p99 = crate::metrics::promql::histogram::quantile_of_mended(0.99, &pairs);
            format!("p99 of {all} is {}", show(signal.unit, p99))
        }
        Measured::One(Measurement::Gauge { max, .. }) => show(signal.unit, max.0),
        other => format!("{other:?}"),
    }
}

fn told(body: &str) -> String {
    let mut table = Table::default();
    let page = read_page(body.as_bytes(), None, &Wanted::all(), &mut table).unwrap();
    assert_eq!(page.first_bad, None);
    let found = detect(&page.families, None, &[]);
    let names: Vec<&str> = found.presets.iter().map(Name::as_str).collect();
    let mut told = format!("{}\n\n", names.join(", "));
    let (series, at) = series(body, &found);
    for (line, signal) in because(&found).iter().zip(&found.signals) {
        writeln!(told, "{line}\n    {}", measured(signal, &series, at)).unwrap();
        match &signal.shape {
            Shape::Ratio { num, den } => writeln!(told, "    {num}\n    of {den}").unwrap(),
            Shape::Buckets { query, .. } | Shape::Gauge { query } | Shape::Alert { query, .. } => {
                writeln!(told, "    {query}").unwrap();
            }
        }
    }
    let unmatched: Vec<&str> = found.unmatched.iter().map(Name::as_str).collect();
    writeln!(told, "\nunmatched: {}", unmatched.join(", ")).unwrap();
    for note in &found.notes {
        writeln!(told, "note: {note}").unwrap();
    }
    told
}

macro_rules! stacks {
    ($($test:ident = $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                let told = told(include_str!(concat!("../../../../tests/bodies/", $name, ".prom")));
                let first = told.lines().next().unwrap_or_default();
                let takes = first.split(", ").any(|preset| preset == $name);
                assert!(takes, "{} is not among {first}", $name);
                expect_file![concat!("../../../../tests/goldens/presets/", $name, ".txt")]
                    .assert_eq(&told);
            }
        )*

        /// Every preset, by the name of its body.
        const STACKS: &[&str] = &[$($name),*];
    };
}

stacks! {
    takes_alertmanager = "alertmanager",
    takes_aspnet_by_opentelemetry = "aspnet-otel",
    takes_aspnet_by_prometheus_net = "aspnet-prometheus-net",
    takes_cadvisor = "cadvisor",
    takes_envoy = "envoy",
    takes_express_prom_bundle = "node-express-prom-bundle",
    takes_fastapi_instrumentator = "fastapi-instrumentator",
    takes_generative_ai_by_opentelemetry = "genai-otel",
    takes_gos_convention = "go-promhttp",
    takes_istio = "istio",
    takes_kube_state_metrics = "kube-state-metrics",
    takes_litellm = "litellm",
    takes_nginx_exporter = "nginx-exporter",
    takes_nginx_ingress = "nginx-ingress",
    takes_node_exporter = "node-exporter",
    takes_opentelemetrys_containers = "otel-container",
    takes_opentelemetrys_names = "otel-http",
    takes_opentelemetrys_old_names = "otel-http-old",
    takes_opentelemetrys_process = "otel-process",
    takes_postgres_exporter = "postgres-exporter",
    takes_prometheus = "prometheus",
    takes_spring = "spring-micrometer",
    takes_starlette_exporter = "starlette-exporter",
    takes_the_checklists_service = "seed-ai-assistant",
    takes_traefik = "traefik",
    takes_vllm = "vllm",
}

#[test]
fn has_a_body_of_every_preset() {
    let without = PRESETS.iter().map(|preset| preset.name.as_str());
    // Every client's own process metrics: each body has them.
    let without: Vec<&str> =
        without.filter(|name| *name != "process" && !STACKS.contains(name)).collect();
    assert!(without.is_empty(), "no body shows {without:?}");
}
