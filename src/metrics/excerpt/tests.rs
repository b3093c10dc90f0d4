//! What is copied means what it meant where it was.

use super::*;
use crate::metrics::promql::Query;
use crate::metrics::{Feed, Parts, Table, Wanted, read_page};
use crate::model::{MINUTE, SECOND};

const END: Timestamp = Timestamp::from_millis(1_000_000);

/// Series fed by pages that end at `END`, 15 s apart, of which these queries
/// are known.
fn kept(known: &[&str]) -> Series {
    let compile = |text: &&str| Query::compile_ranged(text, MINUTE).expect("a query");
    let mut known: Vec<Query> = known.iter().map(compile).collect();
    let (mut series, mut feed, mut table) = (Series::new(), Feed::new(), Table::default());
    series.keep("x", 10 * MINUTE);
    series.keep_parts(Parts::of(known.iter_mut(), []));
    let wanted = Wanted::names(["x", "y"].into_iter());
    for step in 0..20 {
        let page = format!(
            "x{{p=\"/a\",s=\"200\"}} {}\nx{{p=\"/a\",s=\"500\"}} {}\nx{{p=\"/b\",s=\"200\"}} {}\n\
             y{{service=\"inner\"}} {step}\n",
            7 * step,
            step % 9,
            100 + step * step
        );
        let page = read_page(page.as_bytes(), None, &wanted, &mut table).expect("a page");
        feed.take(&mut series, &"a".into(), &page, END - (19 - step) * 15 * SECOND);
    }
    series
}

fn own(service: &str) -> Labels {
    Labels::from_pairs([("service", service), ("release", "v1")])
}

fn copied(query: &mut Query, of: &[(&Series, &str)]) -> Result<Excerpt, String> {
    let mut excerpt = Excerpt::new(query.wants(), (END, END), Depth::Samples);
    of.iter().try_for_each(|(series, service)| excerpt.take(series, &own(service), END))?;
    Ok(excerpt)
}

/// What a query comes to, read in a copy.
fn asked(text: &str, of: &[(&Series, &str)]) -> Result<Vec<String>, String> {
    let mut query = Query::compile_any(text).expect("a query");
    let excerpt = copied(&mut query, of)?;
    let found = query.eval(excerpt.series(), END, Default::default())?;
    Ok(found.iter().map(|(labels, value)| format!("{labels} {value:.6}")).collect())
}

/// The same where it is kept.
fn direct(text: &str, series: &Series) -> Vec<String> {
    let mut query = Query::compile_any(text).expect("a query");
    let found = query.eval(series, END, Default::default()).expect("a value");
    found.iter().map(|(labels, value)| format!("{labels} {value:.6}")).collect()
}

#[test]
fn means_the_same_as_where_it_is_kept() {
    let series = kept(&["max(x)", "max(y)"]);
    for text in [
        "sum(x)",
        "sum by (p) (rate(x{s=\"200\"}[2m]))",
        "sum(increase(x[1m])) / sum(increase(x[5m]))",
        "max by (s) (max_over_time(x{p!=\"/b\"}[1m] offset 1m))",
        "absent(x{p=\"/c\"})",
        "count(rate(x[1m])) or vector(7)",
        "sum by (s) (changes(x[3m:30s]))",
        "sum by (p) ({__name__=\"x\"})",
    ] {
        assert_eq!(asked(text, &[(&series, "chat")]), Ok(direct(text, &series)), "{text}");
    }
}

#[test]
fn answers_from_sums_what_can_be_told_from_them() {
    let by = "sum by (s) (rate(x[$range]))";
    let (sums, whole) = (kept(&[by]), kept(&["max(x)"]));
    for text in [
        "sum by (s) (increase(x[1m]))",
        "sum(increase(x[1m]))",
        "sum by (instance) (increase(x{instance=~\"a|b\"}[1m]))",
        "sum(rate(x{s=\"500\"}[1m])) / sum(rate(x[1m]))",
        "sum(rate(x{s=~\"2..|5..\"}[1m])) + sum(rate(x{s!=\"200\"}[2m]))",
    ] {
        assert_eq!(asked(text, &[(&sums, "chat")]), Ok(direct(text, &whole)), "{text}");
    }
    let growth = asked("sum by (service) (increase(x[1m]))", &[(&sums, "chat")]);
    assert!(growth.expect("a sum")[0].starts_with("{service=\"chat\"} "));
}

#[test]
fn never_answers_from_sums_what_they_cannot_tell() {
    let series = kept(&["sum by (s) (rate(x{p=\"/a\"}[$range]))"]);
    let offer = "sum by (s) (increase(x{p=\"/a\"}[5m]))";
    for text in [
        "x",
        "rate(x[1m])",
        "sum(x)",
        "sum(rate(x[1m]))",
        "sum by (p) (rate(x{p=\"/a\"}[1m]))",
        "sum(rate(x{p=\"/a\",q=\"1\"}[1m]))",
        "max(rate(x{p=\"/a\"}[1m]))",
        "sum(irate(x{p=\"/a\"}[1m]))",
        "count(x) or vector(1)",
    ] {
        let told = asked(text, &[(&series, "chat")]).expect_err(text);
        assert!(told.contains("kept as sums") && told.contains(offer), "{text}: {told}");
    }
    // It is not asked about.
    assert_eq!(asked("x{service=\"other\"}", &[(&series, "chat")]), Ok(Vec::new()));
    let mut nameless = Query::compile_any("{s=~\".+\"}").expect("a query");
    let excerpt = copied(&mut nameless, &[(&series, "chat")]).expect("the rest");
    assert!(excerpt.warnings()[0].contains("left out, since they are kept as sums only: x;"));
}

#[test]
fn tells_services_apart_whichever_way_they_keep_a_name() {
    let (whole, sums) = (kept(&["max(x)"]), kept(&["sum(rate(x[$range]))"]));
    let both = [(&whole, "a"), (&sums, "b")];
    let text = "sum by (service) (increase(x[1m]))";
    let lines = asked(text, &both).expect("both can tell it");
    assert!(lines[0].starts_with("{service=\"a\"} ") && lines[1].starts_with("{service=\"b\"} "));
    assert_eq!(lines[0].replace("\"a\"", ""), lines[1].replace("\"b\"", ""));
    let one = asked("sum(increase(x{service=\"b\"}[1m]))", &both).expect("one of them");
    assert_eq!(one, direct("sum(increase(x[1m]))", &whole));
    assert_eq!(asked("count(x{service!=\"b\", release=\"v1\"})", &both).unwrap(), ["{} 3.000000"]);
}

#[test]
fn keeps_a_label_of_the_scrape_that_bears_the_name_of_ours() {
    let series = kept(&["max(y)"]);
    let labels =
        r#"{__name__="y", exported_service="inner", instance="a", release="v1", service="chat"}"#;
    assert_eq!(asked("y", &[(&series, "chat")]), Ok(vec![format!("{labels} 19.000000")]));
    assert_eq!(asked("y{exported_service=\"inner\"}", &[(&series, "chat")]).unwrap().len(), 1);
    assert_eq!(asked("y{service=\"inner\"}", &[(&series, "chat")]), Ok(Vec::new()));
}

#[test]
fn says_what_is_not_kept_and_what_is_forgotten() {
    let mut series = kept(&["max(x)"]);
    let warned = |text: &str, series: &Series| {
        let mut query = Query::compile_any(text).expect("a query");
        copied(&mut query, &[(series, "chat")]).expect("a copy").warnings().join("\n")
    };
    assert_eq!(warned("x", &series), "");
    assert!(warned("z", &series).starts_with("nothing is kept of \"z\""));
    // It is as old as it can be: nothing was there before.
    assert_eq!(warned("count_over_time(x[1h])", &series), "");
    let id = series.intern("x", &Labels::from_pairs([("p", "/old")]));
    series.push(id, END - 60 * MINUTE, 1.0);
    assert_eq!(warned("rate(x[10m])", &series), "");
    let told = warned("count_over_time(x[11m])", &series);
    assert!(told.starts_with("\"x\" is kept for 10m"), "{told}");
}

#[test]
fn lists_names_without_their_samples_also_those_kept_as_sums() {
    let series = kept(&["sum(rate(x[$range]))"]);
    let mut excerpt = Excerpt::new(vec![Want::all()], (END, END), Depth::Names);
    excerpt.take(&series, &own("chat"), END).expect("it is little");
    let all: Vec<String> = excerpt.all().map(|(name, labels)| format!("{name}{labels}")).collect();
    assert_eq!(all, [r#"x{instance="a", release="v1", service="chat"}"#]);
    assert_eq!(excerpt.points, 0);
}

#[test]
fn refuses_more_than_can_be_copied_between_two_turns() {
    let mut series = Series::new();
    for number in 0..=SERIES_MAX {
        series.intern("x", &Labels::from_pairs([("n", number.to_string())]));
    }
    let told = asked("x", &[(&series, "chat")]).expect_err("it is too much");
    assert!(told.contains("more than 50000 series"), "{told}");
}

#[test]
fn holds_no_more_matchers_against_series_than_the_watch_can_wait_for() {
    let mut series = Series::new();
    for number in 0..10_000 {
        series.intern("x", &Labels::from_pairs([("n", number.to_string())]));
    }
    let of = |count: usize| {
        let wants = vec![Want::all(); count];
        let mut excerpt = Excerpt::new(wants, (END, END), Depth::Names);
        excerpt.take(&series, &own("chat"), END)
    };
    assert_eq!(of(100), Ok(()));
    assert!(of(101).expect_err("it is too much").contains("more than 1000000 matchers"));
    let told =
        asked(&format!("x{{{}}}", ["n=\"a\""; 101].join(",")), &[(&series, "chat")]).map(drop);
    assert!(told.expect_err("it is too much").contains("more than 1000000 matchers"));
}

#[test]
fn copies_no_longer_than_whoever_waits_says() {
    let series = kept(&["max(x)", "max(y)"]);
    let left = std::sync::atomic::AtomicUsize::new(2);
    let goes_on = move || left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) > 0;
    let excerpt = Excerpt::new(vec![Want::all()], (END, END), Depth::Names);
    let mut excerpt = excerpt.as_long_as(goes_on);
    let told = excerpt.take(&series, &own("chat"), END).expect_err("it is given up");
    assert!(told.contains("wait for too long"), "{told}");
    assert_eq!(excerpt.all().count(), 2);
}

#[test]
fn forgets_nothing_of_a_series_that_is_made_for_it() {
    let mut query = Query::compile_any("count_over_time(made[1d])").expect("a query");
    let mut excerpt = Excerpt::new(query.wants(), (END, END), Depth::Samples);
    let point = |minute: i64| Point { at: END - minute * MINUTE, value: 1.0 };
    let made = || (0..1000).rev().map(point).collect();
    excerpt.tell("made", &Labels::default(), &own("chat"), made).expect("it is little");
    let found = query.eval(excerpt.series(), END, Default::default()).expect("a count");
    assert_eq!(found[0].1, 1000.0);
}
