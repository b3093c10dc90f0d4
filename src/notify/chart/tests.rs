//! What a chart shows, and that it shows the same each time.

use std::sync::Arc;

use super::{Chart, STRETCHES_MAX, Stretch};
use crate::judge::Bound;
use crate::model::{Labels, MINUTE, Measurement, SECOND, Timestamp};
use crate::notify::fixture::Story;
use crate::record::{AlertNews, Block, Item, Row};

const OUT: Timestamp = Timestamp::from_millis(1_795_914_000_000);

/// A block a minute; the ratio of each.
fn blocks(ratios: &[Option<f64>]) -> Vec<Arc<Block>> {
    let block = |(index, ratio): (usize, &Option<f64>)| {
        let from = OUT + index as i64 * MINUTE;
        let measured = ratio
            .map(|ratio| Measurement::Ratio { num: (ratio * 1000.0).into(), den: 1000.0.into() });
        let row = Row { signal: "error_ratio".into(), seen: 4, measured };
        Arc::new(Block { from, to: from + MINUTE, rows: vec![row], ..Block::default() })
    };
    ratios.iter().enumerate().map(block).collect()
}

/// The alert fires so many minutes after the start.
fn news(minutes: i64) -> AlertNews {
    let mut story = Story::new();
    story.fire("HighErrorRate", &[], 0.08);
    let Item::Fired(news) = story.record.news.pop().unwrap().item else { panic!() };
    let fired_at = OUT + minutes * MINUTE + 30 * SECOND;
    AlertNews { since: fired_at - 2 * MINUTE, fired_at, ..news }
}

fn values(chart: &Chart) -> Vec<Option<f64>> {
    chart.stretches.iter().map(|one| one.value).collect()
}

#[test]
fn shows_what_was_measured_up_to_the_news_and_the_reading_that_led_to_it() {
    let ratios = [Some(0.01), Some(0.02), None, Some(0.07), Some(0.99)];
    let chart = Chart::of(&news(4), &blocks(&ratios)).unwrap();
    let wanted = [Some(0.01), Some(0.02), None, Some(0.07), Some(0.08)];
    assert_eq!(values(&chart), wanted, "not what came after");
    let rows = chart.rows();
    assert_eq!(rows[2], ("01:02–01:03".to_owned(), "no data".to_owned()));
    assert_eq!(rows[4], ("01:04:00–01:04:30".to_owned(), "8%".to_owned()));
    assert_eq!(
        chart.about("at most"),
        "error_ratio from 2026-11-29 01:00 to 2026-11-29 01:04 UTC, the worst of each stretch; \
         limit: at most 5%"
    );
}

#[test]
fn tells_the_worst_of_each_stretch_where_there_is_more_than_a_person_reads() {
    let mut ratios = vec![Some(0.01); 29];
    ratios[13] = Some(0.3);
    let mut one = news(29);
    let chart = Chart::of(&one, &blocks(&ratios)).unwrap();
    assert!(chart.stretches.len() <= STRETCHES_MAX, "{}", chart.stretches.len());
    assert!(values(&chart).contains(&Some(0.3)));
    one.bound = Bound::Below(0.5);
    ratios[13] = Some(0.001);
    assert!(values(&Chart::of(&one, &blocks(&ratios)).unwrap()).contains(&Some(0.001)));
}

#[test]
fn shows_nothing_where_there_is_no_course_or_it_is_not_the_alerts_own() {
    assert_eq!(Chart::of(&news(4), &[]), None);
    assert_eq!(Chart::of(&news(4), &blocks(&[None, None, None, Some(0.1)])), None);
    let labels = Labels::from_pairs([("path", "/a")]);
    let one = AlertNews { labels, ..news(4) };
    assert_eq!(Chart::of(&one, &blocks(&[Some(0.1); 5])), None);
}

#[test]
fn draws_steps_as_high_as_the_values_are_and_the_same_bytes_each_time() {
    let chart = Chart::of(&news(4), &blocks(&[Some(0.0), Some(0.02), None, Some(0.07)])).unwrap();
    let dots = super::draw::pixels(&chart);
    let (width, height) = (1200, 320);
    // The topmost dot of the course in the middle of each stretch.
    let top = |index: usize| {
        let x = (2 * index + 1) * width / 9; // the last one is half as long
        (0..height).find(|y| dots[y * width + x] == 5)
    };
    let rows: Vec<Option<usize>> = (0..4).map(top).collect();
    let [Some(zero), Some(low), None, Some(high)] = rows[..] else { panic!("{rows:?}") };
    let share = |row: usize| (zero - row) as f64 / 0.07;
    assert!((share(low) / share(high) - 2.0 / 7.0).abs() < 0.02, "{rows:?}");
    let bound = (0..height).find(|y| dots[y * width + 2] == 4).unwrap();
    assert!(high < bound && bound < low, "the limit lies between");
    assert_eq!(chart.png(), chart.png());
}

#[test]
fn makes_a_picture_that_others_read() {
    let chart = Chart::of(&news(4), &blocks(&[Some(0.0), Some(0.02), None, Some(0.07)])).unwrap();
    let picture = chart.png();
    assert!(picture.len() < 20_000, "{} bytes", picture.len());
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().unwrap();
    let mut read = vec![0; 1200 * 320];
    let frame = reader.next_frame(&mut read).unwrap();
    assert_eq!((frame.width, frame.height), (1200, 320));
    assert_eq!(read, super::draw::pixels(&chart));
}

#[test]
fn draws_whatever_the_values_are() {
    for value in [0.0, -3.0, 1e300, f64::MIN_POSITIVE] {
        for bound in [None, Some(0.0), Some(-1.0), Some(1e12), Some(f64::NAN)] {
            let mut chart = Chart::of(&news(4), &blocks(&[Some(0.1); 4])).unwrap();
            chart.stretches.iter_mut().for_each(|one: &mut Stretch| one.value = Some(value));
            chart.bound = bound;
            assert!(!chart.png().is_empty());
        }
    }
}
