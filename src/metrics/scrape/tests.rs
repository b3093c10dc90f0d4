//! Rows of what Prometheus reads, refuses and means.

use super::*;
use crate::metrics::Kind;
use crate::metrics::table::SERIES_MAX;
use crate::model::Number;

/// What a body reads as: samples `name{labels} value[@stamp]`, then bad lines.
fn show(body: &[u8], content_type: &str) -> String {
    let mut table = Table::default();
    let page = match read_page(body, Some(content_type), &Wanted::all(), &mut table) {
        Ok(page) => page,
        Err(error) => return format!("failed: {error}"),
    };
    let mut lines: Vec<String> = Vec::new();
    for (index, (slot, value)) in page.samples.iter().enumerate() {
        let (_, name, labels) =
            page.fresh.iter().find(|(fresh, _, _)| fresh == slot).expect("a fresh slot");
        let stamp = page.stamped.iter().find(|(at, _)| *at as usize == index);
        let stamp = stamp.map(|(_, at)| format!("@{}", at.millis())).unwrap_or_default();
        lines.push(format!("{name}{labels} {value}{stamp}"));
    }
    if let Some((line, what)) = &page.first_bad {
        lines.push(format!("bad {}, first {line}: {what}", page.bad_lines));
    }
    lines.join("\n")
}

fn classic(body: &str, expected: &str) {
    assert_eq!(show(body.as_bytes(), "text/plain; version=0.0.4"), expected, "{body:?}");
}

fn open_metrics(body: &str, expected: &str) {
    let kind = "application/openmetrics-text; version=1.0.0";
    assert_eq!(show(body.as_bytes(), kind), expected, "{body:?}");
}

#[test]
fn reads_what_prometheus_reads() {
    classic("a{b=\"\\\\ \\\" \\n\"} 1\n", "a{b=\"\\\\ \\\" \\n\"} 1");
    classic("a{b=\"x,y\"} 1\n", "a{b=\"x,y\"} 1");
    classic("a{b=\"/s?q=1\"} 1\n", "a{b=\"/s?q=1\"} 1");
    classic("a{b=\"/u/{id}\"} 1\n", "a{b=\"/u/{id}\"} 1");
    classic("job:a:rate5m 1\n", "job:a:rate5m{} 1");
    classic("a{} 2\n", "a{} 2");
    classic("a { b = \"c\" , d = \"e\" } 1\n", "a{b=\"c\", d=\"e\"} 1");
    classic("a{b=\"c\",} 1\n", "a{b=\"c\"} 1");
    classic("{\"my.name\", \"a.b\"=\"c\"} 1\n", "my.name{a.b=\"c\"} 1");
    classic("a 1 1700000000000\n", "a{} 1@1700000000000");
    classic("a{b=\"\"} 1\n", "a{} 1");
    classic("a 1", "a{} 1");
    classic(
        "a NaN\nb +Inf\nc -Inf\nd nan\ne -0\nf 1e3\n",
        "a{} NaN\nb{} inf\nc{} -inf\nd{} NaN\ne{} -0\nf{} 1000",
    );
    classic("a 9007199254740993\n", "a{} 9007199254740992");
    classic("# HELP a b\n# TYPE a counter\n\n  # words\na 1\n", "a{} 1");
    classic("", "");
}

#[test]
fn keeps_the_first_of_two_equal_series_also_when_they_are_spelt_otherwise() {
    classic(
        "a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 7\na{x=\"1\",y=\"2\"} 9\n",
        "a{x=\"1\", y=\"2\"} 1",
    );
    classic("h{le=\"1\"} 1\nh{le=\"1.0\"} 2\n", "h{le=\"1\"} 1\nh{le=\"1.0\"} 2");
}

#[test]
fn counts_a_line_that_prometheus_refuses_and_keeps_the_others() {
    let one = |bad: &str, why: &str| {
        classic(&format!("ok 1\n{bad}\n"), &format!("ok{{}} 1\nbad 1, first 2: {why}"));
    };
    one("garbage", "expected a space or a brace after the metric name");
    one("some garbage", "the value is no number");
    one("a 0x10", "the value is no number");
    one("a 1_000", "the value is no number");
    one("a 1e999", "the value is no number");
    one("a +NaN", "the value is no number");
    one("a 1 -5", "the time stamp is no whole number");
    one("a{b=\"c\",b=\"d\"} 1", "a label is given twice");
    one("a 1\r", "the value is no number");
    one("a 1 1.5", "the time stamp is no whole number");
    one("a 1 # {} 2", "the time stamp is no whole number");
    one("a 1 5 6", "there is more after the time stamp");
    one("a{b=\"c} 1", "a quote is not closed");
    one("a{b=c} 1", "a label value begins with a quote");
    one("a{1b=\"c\"} 1", "expected a label name");
    one("1a 1", "a metric name cannot begin with a digit");
    one("a{b=\"c\" d=\"e\"} 1", "expected a comma between labels");
    one("{b=\"c\"} 1", "expected a metric name");
}

#[test]
fn fails_a_body_that_is_no_exposition_or_is_cut_off() {
    classic(
        "<html>\n<body class=\"x\">It works!</body>\n</html>\n",
        "failed: no exposition: line 1: expected a metric name",
    );
    classic("Not found\n", "failed: no exposition: line 1: the value is no number");
    classic("a 1\nb{c=\"d", "failed: cut off in line 2: a quote is not closed");
    assert_eq!(show(b"a{b=\"\xff\"} 1\n", "text/plain"), "failed: not UTF-8 at byte 5");
}

#[test]
fn fails_a_page_of_words_also_when_only_a_few_names_are_wanted() {
    let wanted = Wanted::names(["a"].into_iter());
    let mut table = Table::default();
    assert!(read_page(b"Not found here\n", None, &wanted, &mut table).is_err());
    assert!(read_page(b"<a href=\"x\">1</a>\n", None, &wanted, &mut table).is_err());
    assert!(read_page(b"b 1\nc 2\n", None, &wanted, &mut table).is_ok());
}

#[test]
fn reads_openmetrics_by_its_own_rules() {
    open_metrics("a_total 1 1700000000.5\n# EOF\n", "a_total{} 1@1700000000500");
    open_metrics("a_total 1 # {trace_id=\"x\"} 0.5 1700000000.1\n# EOF\n", "a_total{} 1");
    open_metrics("a_total 1 2 # {trace_id=\"x\"} 0.5\n# EOF", "a_total{} 1@2000");
    open_metrics("a_total 1 1.9999\n# EOF\n", "a_total{} 1@1999");
    open_metrics("a_total 1\n", "failed: cut off: OpenMetrics ends with # EOF");
    open_metrics("a 1\n# EOF\nb 2\n", "failed: there is more after # EOF, in line 3");
}

#[test]
fn keeps_only_what_is_wanted_and_the_slots_of_the_page_before() {
    let wanted = Wanted::names(["a", "c"].into_iter());
    let mut table = Table::default();
    let body = b"a{x=\"1\"} 1\nab 2\nb{x=\"1\"} 3\nc 4\na{x=\"2\"} 5\n";
    let first = read_page(body, None, &wanted, &mut table).unwrap();
    assert_eq!(first.samples, vec![(0, 1.0), (1, 4.0), (2, 5.0)]);
    assert_eq!(first.fresh.iter().count(), 3);
    let body = b"a{x=\"2\"} 6\nc 7\nz 9\na{x=\"1\"} 8\n";
    let second = read_page(body, None, &wanted, &mut table).unwrap();
    assert_eq!(second.samples, vec![(2, 6.0), (1, 7.0), (0, 8.0)]);
    assert!(second.fresh.is_empty());
}

#[test]
fn lists_families_with_their_labels_and_bounds() {
    let body = "# TYPE h histogram\nh_bucket{r=\"/u/{id}\",le=\"0.5\"} 1\n\
                h_bucket{r=\"/u/{id}\",le=\"+Inf\"} 2\nh_sum{r=\"/u/{id}\"} 1\n\
                h_count{r=\"/u/{id}\"} 2\n# TYPE empty counter\nvllm:x 1\n";
    let page = read_page(body.as_bytes(), None, &Wanted::all(), &mut Table::default()).unwrap();
    let names: Vec<&str> = page.families.iter().map(|family| family.name.as_str()).collect();
    assert_eq!(names, ["empty", "h", "vllm:x"]);
    let h = &page.families[1];
    assert_eq!((h.kind, h.bounds.as_slice()), (Kind::Histogram, [Number(0.5)].as_slice()));
    assert_eq!(h.samples, ["h_bucket", "h_count", "h_sum"]);
    assert_eq!(h.labels[1], ("r".to_owned(), vec!["/u/{id}".to_owned()]));
}

#[test]
fn drops_what_is_no_longer_wanted_also_when_the_page_keeps_its_order() {
    let mut table = Table::default();
    let body = b"a 1\nb 2\nc 3\n";
    read_page(body, None, &Wanted::all(), &mut table).unwrap();
    let fewer = Wanted::names(["b"].into_iter());
    let page = read_page(body, None, &fewer, &mut table).unwrap();
    assert_eq!(page.samples, vec![(1, 2.0)]);
}

#[test]
fn finds_labels_where_a_bare_name_stood_before() {
    let mut table = Table::default();
    let wanted = Wanted::names(["a"].into_iter());
    read_page(b"a 1\n", None, &wanted, &mut table).unwrap();
    let page = read_page(b"a {b=\"c\"} 2\n", None, &wanted, &mut table).unwrap();
    assert_eq!((page.samples, page.bad_lines), (vec![(1, 2.0)], 0));
}

#[test]
fn finds_a_quoted_name_wherever_it_stands_in_the_braces() {
    let wanted = Wanted::names(["my.name"].into_iter());
    let body = b"x 1\n{a=\"b\", \"my.name\"} 2\n";
    let page = read_page(body, None, &wanted, &mut Table::default()).unwrap();
    assert_eq!(page.samples, vec![(0, 2.0)]);
}

#[test]
fn tells_of_each_limit_that_is_hit_and_keeps_the_rest() {
    let hit = |body: &str| {
        let mut table = Table::default();
        let page = read_page(body.as_bytes(), None, &Wanted::all(), &mut table).unwrap();
        let limits: Vec<String> =
            page.limits.iter().map(|(what, detail)| format!("{what}: {detail}")).collect();
        (limits, page.samples.len(), page.families.len(), page.bad_lines)
    };
    let told = |text: &str| vec![text.to_owned()];
    let labels: String = (0..129).map(|n| format!("l{n}=\"x\",")).collect();
    let wide = format!("a 1\nb{{{labels}}} 2\nc 3\n");
    assert_eq!(hit(&wide), (told("labels: a series with more than 128 labels"), 2, 2, 1));
    let long = format!("a 1\nb{{l=\"{}\"}} 2\nc 3\n", "x".repeat(LINE_BYTES_MAX));
    assert_eq!(hit(&long), (told("line: a line of more than 10485760 bytes"), 2, 2, 1));
    let many: String = (0..SERIES_MAX + 5).map(|n| format!("a{{l=\"{n}\"}} 1\n")).collect();
    let of_series = told("series: more than 200000 series; the rest is dropped");
    assert_eq!(hit(&many), (of_series, SERIES_MAX, 1, 0));
    let names: String = (0..NAMES_MAX + 5).map(|n| format!("a{n} 1\n")).collect();
    let of_names = told("metrics: more than 50000 metrics; the rest is not listed");
    assert_eq!(hit(&names), (of_names, NAMES_MAX + 5, NAMES_MAX, 0));
}

mod properties;
