//! What a mail must never do, and how it looks.

use expect_test::expect_file;

use crate::model::{HOUR, MINUTE, Measurement};
use crate::notify::fixture::{Story, overview};
use crate::notify::letter::Body;
use crate::record::{Block, Fact, Row};

struct Mail {
    subject: String,
    text: String,
    html: String,
    headers: Vec<(String, String)>,
}

fn mail(story: &Story) -> Mail {
    let Body::Mail { subject, text, html, headers, .. } = story.letter("on-call").body else {
        panic!("no mail");
    };
    Mail { subject, text, html, headers }
}

impl Mail {
    fn header(&self, name: &str) -> &str {
        &self.headers.iter().find(|(known, _)| known == name).unwrap().1
    }
}

#[test]
fn looks_as_it_did() {
    let mut story = Story::new();
    story.fire("TargetDown", &[("instance", "a:8000")], 0.0);
    story.deliver("on-call");
    story.fire("SlowAnswers", &[], 10.0).fire("HighErrorRate", &[("path", "/api/chat")], 0.0712);
    story.calm("SlowAnswers", &[], 2.5).lose_disk();
    expect_file!["../../../../tests/goldens/letters/news.html"].assert_eq(&mail(&story).html);
}

#[test]
fn lets_nothing_from_outside_add_a_header_or_markup() {
    let mut story = Story::new();
    let evil = "x\r\nBcc: all@example.com\r\n\r\n<script>alert(1)</script>";
    story.record.release.version = evil.into();
    story.record.plan.url = "javascript:alert(1)//https://example.com".to_owned();
    story.fire("HighErrorRate", &[("path", evil)], 0.5);
    let mail = mail(&story);
    let lines = mail.headers.iter().map(|(_, value)| value).chain([&mail.subject]);
    for line in lines {
        assert!(!line.contains(['\r', '\n']), "{line:?}");
    }
    assert!(!mail.html.contains("<script>"), "{}", mail.html);
    assert!(!mail.html.contains("href=\"javascript"), "{}", mail.html);
    assert!(!mail.text.contains("\nBcc"), "{}", mail.text);
}

#[test]
fn keeps_an_incident_in_one_thread_over_releases_and_each_summary_in_its_own() {
    let mut story = Story::new();
    story.fire("HighErrorRate", &[], 0.5);
    let fire = mail(&story);
    story.deliver("on-call");
    story.calm("HighErrorRate", &[], 0.0);
    let resolve = mail(&story);
    assert_eq!(fire.header("In-Reply-To"), resolve.header("In-Reply-To"));
    assert_eq!(fire.header("In-Reply-To"), fire.header("References"));
    let mut next = Story::new();
    next.record.release.version = "v1.2.4".into();
    next.fire("HighErrorRate", &[], 0.5);
    assert_eq!(fire.header("In-Reply-To"), mail(&next).header("In-Reply-To"));
    let (mut one, mut other) = (Story::new(), Story::new());
    other.record.release.version = "v1.2.4".into();
    let summaries = [&mut one, &mut other].map(|story| mail(story.close_window()));
    assert_ne!(summaries[0].header("In-Reply-To"), summaries[1].header("In-Reply-To"));
}

#[test]
fn says_in_html_all_that_the_text_says() {
    let mut story = Story::new();
    story.fire("HighErrorRate", &[("path", "/api/chat")], 0.0712).lose_disk();
    alike(&mail(&story));
    let mut story = Story::new();
    story.digest(overview());
    alike(&mail(&story));
}

fn alike(mail: &Mail) {
    for line in mail.text.lines().filter(|line| *line != "-- " && !line.is_empty()) {
        for part in line.splitn(2, "  ").flat_map(|part| part.split("  ")).map(str::trim) {
            let part = part.split_once(": ").map_or(part, |(_, after)| after);
            let part = part.replace('&', "&amp;").replace('"', "&quot;");
            assert!(mail.html.contains(&part), "{part:?} is not in the HTML");
        }
    }
}

/// One minute more in which so many of a thousand requests failed.
fn measure(story: &mut Story, failed: f64) {
    let from = story.record.blocks.last().map_or(story.record.at + HOUR, |last| last.to);
    let measured = Some(Measurement::Ratio { num: failed.into(), den: 1000.0.into() });
    let row = Row { signal: "error_ratio".into(), seen: 4, measured };
    let block = Block { from, to: from + MINUTE, rows: vec![row], ..Block::default() };
    story.fact(MINUTE, Fact::Measured(block.into()));
}

#[test]
fn shows_the_course_of_the_signal_and_the_same_later_whatever_was_measured_since() {
    let mut story = Story::new();
    [3.0, 4.0, 50.0, 71.0, 80.0].iter().for_each(|failed| measure(&mut story, *failed));
    story.fire("HighErrorRate", &[], 0.0712);
    let first = story.letter("on-call");
    let Body::Mail { text, html, images, .. } = &first.body else { panic!() };
    let [image] = &images[..] else { panic!("{} pictures", images.len()) };
    assert!(html.contains(&format!("src=\"cid:{}\"", image.id)), "{html}");
    for part in [text, html] {
        assert!(part.contains("error_ratio from 2026-11-29"), "{part}");
        assert!(part.contains("5%") && part.contains("8%"), "{part}");
    }
    alike(&mail(&story));
    measure(&mut story, 900.0);
    assert_eq!(story.letter("on-call"), first, "it is the same letter");
    expect_file!["../../../../tests/goldens/letters/chart.txt"].assert_eq(text);
}

#[test]
fn stays_small_enough_for_mail_programs_whatever_the_labels_are() {
    let mut story = Story::new();
    let long = "\"".repeat(5_000);
    for index in 0..120 {
        let instance = format!("a{index}");
        story.fire("TargetDown", &[("instance", &instance), ("long", &long)], 0.0);
    }
    let mail = mail(&story);
    assert!(mail.html.len() <= super::HTML_BYTES_MAX, "{} bytes", mail.html.len());
    for part in [&mail.text, &mail.html] {
        assert!(part.matches("FIRING warning").count() >= 100, "some are not told");
    }
    assert!(mail.html.contains("<table"), "no cards at all");
}

#[test]
fn marks_the_start_of_a_text_that_does_not_fit_into_a_page() {
    let page = super::html::of_text("x", &super::cut_lines(&"&".repeat(1_000_000)));
    assert!(page.len() <= super::HTML_BYTES_MAX, "{} bytes", page.len());
    assert!(page.contains("The rest is in the plain text"));
}
