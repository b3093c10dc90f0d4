//! What is refused, where, and what would do.

use super::*;

/// The column, and words of what is said there.
fn check(text: &str, column: usize, words: &str) {
    let complaint = Query::compile(text).expect_err(text);
    assert_eq!(complaint.column, column, "{text}: {complaint}");
    assert!(complaint.what.contains(words), "{text}: {complaint}");
}

#[test]
fn names_the_function_that_was_perhaps_meant() {
    check("sum(rat(x[5m]))", 5, "unknown function `rat`; did you mean `rate`?");
    check("1 + ratee(x[5m])", 5, "did you mean `rate`?");
    let complaint = Query::compile("frobnicate(x)").unwrap_err();
    assert_eq!(complaint.to_string(), "column 1: unknown function `frobnicate`");
}

#[test]
fn tells_what_is_not_supported_from_what_does_not_exist() {
    check("1 + holt_winters(x[5m], 0.5, 0.5)", 5, "`holt_winters` is not supported");
    check("limitk(2, x)", 1, "`limitk` is not supported");
    check("limitk by (a) (2, x)", 1, "`limitk` is not supported");
    check("a + fill(0) b", 5, "`fill` is not supported");
    let refused = |text: &str| {
        let complaint = Query::compile(text).expect_err(text);
        complaint.refused.as_ref().map_or(complaint.what.clone(), ToString::to_string)
    };
    for (text, reason) in [
        ("rate(x[5m] anchored)", "experimental: anchored"),
        ("x offset 5m smoothed", "experimental: smoothed"),
        ("x @ end() smoothed", "experimental: smoothed"),
        ("info(x)", "experimental: info"),
        ("rate(x[5m * 2])", "newer than Prometheus 3.13: arithmetic in durations"),
        ("x offset step()", "newer than Prometheus 3.13: arithmetic in durations"),
        ("x offset -(5m)", "newer than Prometheus 3.13: arithmetic in durations"),
        ("histogram_count(x)", "native histograms: histogram_count"),
        ("x </ 5", "native histograms: </ and >/"),
        ("{job=\"a\"}", "a selector without a metric's name"),
    ] {
        assert_eq!(refused(text), reason, "{text}");
    }
    assert_eq!(Query::compile("rat(x[5m])").expect_err("a typo").refused, None);
}

#[test]
fn points_at_brackets_and_quotes() {
    check("sum(rate(x[5m])", 4, "( is not closed before the end");
    check("sum(x))", 7, ") closes nothing; remove it or open (");
    check("sum(x]", 6, "] does not close the ( before it");
    check(r#"x{path="/a}"#, 8, "the quote \" is not closed before the end");
}

#[test]
fn points_at_what_is_no_duration() {
    check("rate(x[5x])", 8, "\"5x\" is not a duration; write for example 30s");
    check("rate(x[])", 8, "a range is missing; write for example [5m]");
    check("rate(x[1h:3q])", 11, "\"3q\" is not a duration");
    check("x offset five", 10, "\"five\" is not a duration");
    for nonsense in ["-5", "0", "0.0001", "NaN", "inf", "1e300", "5m-1m", "5m + 1"] {
        check(&format!("rate(x[{nonsense}])"), 8, "is not a duration");
        check(&format!("max_over_time(x[5m:{nonsense}])"), 20, "is not a duration");
    }
    check("x offset 1e300", 10, "is not a duration");
    assert!(Query::compile_any(r#"step{offset="1s"} + offset"#).is_ok(), "names of other things");
    check("rate(x[$range])", 8, "`$range` has a meaning in a signal only");
}

#[test]
fn wants_a_name_for_every_selector() {
    check(r#"sum({job="api"})"#, 5, "a selector needs a metric name");
    check(r#"{__name__=~"a|b"}"#, 1, "a selector needs a metric name");
    assert!(Query::compile(r#"{__name__="a"}"#).is_ok());
    assert!(Query::compile(r#"{"a.b", job="api"}"#).is_ok());
}

#[test]
fn passes_on_what_the_parser_says_in_our_form() {
    check("sum(x) by", 1, "this is no PromQL; write for example");
    check("1 + rate(x)", 5, "expected type matrix in call to function 'rate', got vector");
    check("x[5m]", 1, "a range of samples is no value");
    check("\"text\"", 1, "a text is no measurement");
    check("", 1, "no expression found in input");
    check("1 == 2", 1, "comparisons between scalars must use BOOL modifier");
    check("abs(1)", 1, "expected type vector");
    check(&format!("x + {}", "9".repeat(400)), 5, "is beyond all numbers");
    check(r#"x{p="\xff"}"#, 5, "no UTF-8 text");
    check(r#"x{p!~"[^\ϣ]"}"#, 6, r"`\ϣ` stands for nothing; for a backslash write `\\`");
    check(r#"count_values("a\377", x)"#, 14, "invalid label name");
    assert!(Query::compile(r#"x{p="\x41\101\\xff"}"#).is_ok());
    check(r#"label_replace(x, "a", "$1", "b", "(")"#, 1, "is not a regular expression");
    check(r#"label_replace(x, "", "$1", "b", "(.*)")"#, 1, "needs a label's name");
}

#[test]
fn has_limits_and_says_so() {
    let chain = format!("1{}", " + 1".repeat(600));
    check(&chain, 2001, "more than 1000 words");
    let nested = format!("{}1{}", "(".repeat(450), ")".repeat(450));
    assert!(Query::compile(&nested).is_ok());
    check("max_over_time(x[1y:1s])", 16, "more than 11000 steps");
}

#[test]
fn counts_columns_in_characters() {
    assert_eq!(complaint("äö x", "äö ".len(), String::new()).column, 4);
    assert_eq!(place("sum(rate(x[5m]))", "rate"), 4);
}
