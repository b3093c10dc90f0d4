//! Templates by example. What is expected was printed by Prometheus's own
//! `promtool`.

use super::*;

fn shown(text: &str, job: &str, value: f64) -> String {
    let labels = Labels::from_pairs([("job", job), ("mount", "/data")]);
    let none = Labels::default();
    expanded(text, &Scene { labels: &labels, value, external: &none, url: "http://p/x" })
}

#[test]
fn shows_labels_and_values_and_leaves_other_text_alone() {
    let text = "{{ $labels.job }}{{ .Labels.nope }} of {{$labels.mount}}: {{ $value }} {{.Value}}";
    assert_eq!(shown(text, "a", 12.5), "a of /data: 12.5 12.5");
    assert_eq!(shown("{{ $labels }}", "a", 0.0), "map[job:a mount:/data]");
    assert_eq!(shown("100 % {no} }} left", "a", 0.0), "100 % {no} }} left");
    assert_eq!(shown("{{ index $labels \"job\" }}{{/* no */}}", "a", 0.0), "a");
    assert_eq!(shown("{{ $externalURL }}{{ $externalLabels.x }}", "a", 0.0), "http://p/x");
}

#[test]
fn takes_space_away_where_a_dash_says_so() {
    assert_eq!(shown("a  {{- $labels.job -}}  b", "J", 0.0), "aJb");
    assert_eq!(shown("a {{ if true -}}  x  {{- end }} b", "J", 0.0), "a x b");
}

#[test]
fn writes_numbers_as_go_does() {
    let all = "{{ $value }} {{ printf \"%.2f\" $value }} {{ printf \"%e\" $value }}";
    for (value, expected) in [
        (1_234_567.0, "1.234567e+06 1234567.00 1.234567e+06"),
        (0.000012345, "1.2345e-05 0.00 1.234500e-05"),
        (100_000.0, "100000 100000.00 1.000000e+05"),
        (12345.678, "12345.678 12345.68 1.234568e+04"),
        (-90061.5, "-90061.5 -90061.50 -9.006150e+04"),
        (f64::NAN, "NaN NaN NaN"),
        (f64::INFINITY, "+Inf +Inf +Inf"),
    ] {
        assert_eq!(shown(all, "a", value), expected);
    }
}

#[test]
fn writes_numbers_for_people_as_prometheus_does() {
    let all = "{{ humanize $value }} {{ $value | humanize1024 }} {{ humanizeDuration $value }} \
               {{ humanizePercentage $value }} {{ humanizeTimestamp $value }}";
    for (value, expected) in [
        (1_234_567.0, "1.235M 1.177Mi 14d 6h 56m 7s 1.235e+08% 1970-01-15 06:56:07 +0000 UTC"),
        (0.000012345, "12.35u 1.234e-05 12.35us 0.001234% 1970-01-01 00:00:00 +0000 UTC"),
        (100_000.0, "100k 97.66ki 1d 3h 46m 40s 1e+07% 1970-01-02 03:46:40 +0000 UTC"),
        (12345.678, "12.35k 12.06ki 3h 25m 45s 1.235e+06% 1970-01-01 03:25:45.678 +0000 UTC"),
        (-90061.5, "-90.06k -87.95ki -1d 1h 1m 1s -9.006e+06% 1969-12-30 22:58:58.5 +0000 UTC"),
        (f64::NAN, "NaN NaN NaN NaN% NaN"),
    ] {
        assert_eq!(shown(all, "a", value), expected);
    }
}

#[test]
fn formats_by_verb_width_and_flag() {
    for (text, expected) in [
        (r#"{{ printf "%d|%s|%q|%t" 7 "s" "a\"b" true }}"#, r#"7|s|"a\"b"|true"#),
        (r#"{{ printf "%5.1f|%-6s|%03d|%+d" $value "ab" 7 7 }}"#, "  1.5|ab    |007|+7"),
        (r#"{{ printf "%d" $value }}"#, "%!d(float64=1.5)"),
        (r#"{{ printf "%s %s" "x" }}"#, "x %!s(MISSING)"),
        (r#"{{ printf "%%" 1 }}"#, "%%!(EXTRA int=1)"),
        (r#"{{ "q" | printf "%s-%s" "p" }}"#, "p-q"),
        (r#"{{ print 1 2 "a" 3.5 }}"#, "1 2a3.5"),
    ] {
        assert_eq!(shown(text, "a", 1.5), expected, "{text}");
    }
}

#[test]
fn decides_and_compares_like_with_like() {
    let text =
        r#"{{ if eq $labels.job "b" }}B{{ else if eq $labels.job "a" }}A{{ else }}-{{ end }}"#;
    assert_eq!(
        [shown(text, "a", 0.0), shown(text, "b", 0.0), shown(text, "c", 0.0)],
        ["A", "B", "-"]
    );
    for (text, expected) in [
        ("{{ gt $value 5.0 }} {{ le $value 1.5 }} {{ ne 1 1 }}", "false true false"),
        ("{{ and 1 0 }} {{ or \"\" \"b\" }} {{ not true }} {{ len \"abc\" }}", "0 b false 3"),
        ("{{ with $labels.job }}{{ . }}{{ end }}{{ with $labels.no }}x{{ else }}y{{ end }}", "ay"),
        ("{{ $x := 3 }}{{ $x }}{{ if (eq $x 3) }}!{{ end }}", "3!"),
        ("{{ eq $labels.job \"x\" \"a\" }}", "true"),
    ] {
        assert_eq!(shown(text, "a", 1.5), expected, "{text}");
    }
    let told = shown("{{ gt $value 5 }}", "a", 1.5);
    assert!(told.starts_with("<error expanding template: error calling gt: incomp"), "{told}");
}

#[test]
fn works_on_words() {
    for (text, expected) in [
        ("{{ title \"hello world_foo bar-baz\" }}", "Hello World_foo Bar-Baz"),
        ("{{ reReplaceAll \"(.*):(.*)\" \"$2-${1}\" $labels.job }}", "z-a"),
        ("{{ match \"^a\" \"abc\" }} {{ toUpper \"x\" | toLower }}", "true x"),
        ("{{ stripPort \"h.x:80\" }} {{ stripDomain \"h.x:80\" }}", "h.x h:80"),
        ("{{ humanize \"12345\" }} {{ humanize 3 }} {{ parseDuration \"1h\" }}", "12.35k 3 3600"),
        ("{{ pathPrefix }}", "/x"),
    ] {
        assert_eq!(shown(text, "a:z", 1.5), expected, "{text}");
    }
}

#[test]
fn reads_brackets_within_brackets_once_each() {
    // Read twice at each level, this would take a billion steps.
    let deep =
        |levels: usize| format!("{{{{ {}1{} }}}}", "print (".repeat(levels), ")".repeat(levels));
    assert_eq!(shown(&deep(30), "a", 0.0), "1");
    assert!(Template::parse(&deep(31)).is_err());
}

#[test]
fn refuses_what_it_cannot_do_by_name() {
    for (text, expected) in [
        ("{{ query \"up\" }}", "`query` is not supported: it needs a Prometheus server to ask"),
        ("{{ range $labels }}{{ end }}", "`range` is not supported; one line of text needs none"),
        ("{{ $valu }}", "unknown `$valu`; there is $labels"),
        ("{{ .Valu }}", "unknown `.Valu`; there is .Labels"),
        ("{{ humanise $value }}", "unknown function `humanise`; there is and, or"),
        ("{{ if true }}", "`if` has no end; write {{ end }} behind it"),
        ("{{ end }}", "`{{ end }}` ends nothing here"),
        ("{{ $value", "`{{` is not closed"),
        ("{{ \"a }}", "a quote is not closed"),
        ("{{ }}", "`{{ }}` is empty"),
        ("{{ ($value }}", "`(` is not closed"),
        ("{{ $value $value }}", "several values side by side"),
        ("{{ $value | 5 }}", "behind `|` there is a function"),
        ("{{ $labels.a ; }}", "';' means nothing"),
    ] {
        let told = Template::parse(text).map(|_| ()).unwrap_err();
        assert!(told.starts_with(expected), "{text}: {told}");
    }
}
