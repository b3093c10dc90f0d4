//! The results as one page that stands for itself: nothing is fetched and
//! nothing is run.

use maud::{Markup, html};

use super::{SmokeRun, kind, outcome};
use crate::check::{self, StepResult};
use crate::report::html::document;
use crate::report::page::Tone;

/// The report's own style, and what readings need besides.
const STYLE: &str = concat!(include_str!("../html/style.css"), include_str!("html.css"));

/// The page.
pub(super) fn render(runs: &[SmokeRun]) -> String {
    let titles: Vec<String> = runs.iter().map(SmokeRun::title).collect();
    let main = html! { @for run in runs { (one(run)) } };
    document(&format!("Smoke: {}", titles.join(", ")), STYLE, &main) + "\n"
}

fn one(run: &SmokeRun) -> Markup {
    html! {
        header class=(Tone::of_verdict(run.verdict).class()) {
            p.verdict { span.seal { (run.verdict) } }
            h1 {
                (run.service)
                @if let Some(release) = &run.release { " " span.version { (release) } }
            }
            p.window { (check::counts(&run.results).trim_end()) " · run " code { (run.run_id) } }
        }
        @if !run.results.is_empty() {
            section {
                h2 { "Steps" }
                div.scroll {
                    table {
                        caption { "Steps of the smoke suite" }
                        thead {
                            tr {
                                th.words scope="col" { "Step" }
                                th.words scope="col" { "Result" }
                                th.words scope="col" { "Kind" }
                                th.number scope="col" { "Tries" }
                                th.number scope="col" { "Time" }
                            }
                        }
                        tbody { @for result in &run.results { (row(result)) } }
                    }
                }
            }
        }
        @let told: Vec<&StepResult> = run.results.iter().filter(|one| has_misses(one)).collect();
        @if !told.is_empty() {
            section {
                h2 { "What did not hold" }
                @for result in told {
                    h3 {
                        (result.step)
                        @if result.is_flaky() { " " span.warn { "in an earlier try" } }
                    }
                    pre tabindex="0" {
                        (run.readings(result, &result.misses))
                        (run.readings(result, &result.earlier))
                    }
                }
            }
        }
    }
}

fn has_misses(result: &StepResult) -> bool {
    !result.misses.is_empty() || !result.earlier.is_empty()
}

fn row(result: &StepResult) -> Markup {
    html! {
        tr {
            th.words scope="row" {
                (result.step)
                @if !result.why_skipped().is_empty() { span.why { (result.why_skipped()) } }
            }
            td class={ "words " (tone(result).class()) } { (outcome(result)) }
            td.words { (kind(result)) }
            td.number { (result.attempts) }
            td.number { (result.elapsed) }
        }
    }
}

fn tone(result: &StepResult) -> Tone {
    match outcome(result) {
        "passed" => Tone::Good,
        "flaky" => Tone::Warn,
        "failed" if kind(result) == "must" => Tone::Bad,
        "failed" => Tone::Warn,
        _ => Tone::Quiet,
    }
}
