//! Looks for a plan's targets, and asks each of them once: health, readiness,
//! exposition. Where the paths are only guessed, the known ones are tried in
//! their order.

use std::sync::Arc;

use futures_util::{StreamExt, stream};

use crate::check::paths::{KNOWN, is_elsewhere};
use crate::config::live::{self, Answered, Shown, Sought, Sourced};
use crate::daemon::discovery;
use crate::daemon::http::Http;
use crate::daemon::query;
use crate::daemon::secrets::Secrets;
use crate::metrics::{Table, Wanted, read_page};
use crate::model::{DataSource, Exchange, Failure, Inquiry, Request, Span, Target, Timestamp};
use crate::record::{Found, Plan};

/// Targets that are asked at a time: those that are down take their time.
const AT_ONCE: usize = 16;

/// Whom the sources of targets name. They are targets of the plan from then on.
pub async fn find(plan: &mut Plan, http: &Http, secrets: &Secrets) -> Vec<Sought> {
    let mut all = Vec::new();
    for source in &plan.sources {
        let (targets, words) = match discovery::look(source, http, secrets).await {
            Ok(found) => {
                let count = found.targets.len();
                for found in found.targets {
                    let target = Target { own: source.own.clone(), ..found };
                    if plan.targets.iter().all(|known| known.name != target.name) {
                        plan.targets.push(target);
                    }
                }
                (Some(count), found.left_out.unwrap_or_default())
            }
            Err(why) => (None, why),
        };
        all.push(Sought { source: source.name.clone(), targets, words });
    }
    all
}

/// What each target answers. The plan follows what was found.
pub async fn ask(plan: &mut Plan, http: &Http, secrets: &Secrets) -> Vec<Answered> {
    let tried = seek(plan, http, secrets).await;
    let ready = plan.smoke.iter().find(|step| step.name == *"is ready");
    let ready = ready.and_then(|step| step.request.url.strip_prefix(&plan.url));
    let plan = &*plan;
    let ask = async |target: &Target| {
        let url = |url: &Option<String>| url.clone();
        let base = base_of(plan, url(&target.health).or(url(&target.metrics)));
        let ready = ready.map(|path| format!("{base}{path}"));
        let request = |url: Option<String>| Some(plan.get(target.own.as_deref(), url?));
        let page = request(url(&target.metrics));
        Answered {
            target: target.name.clone(),
            health: exchange(http, secrets, &base, request(url(&target.health))).await,
            ready: exchange(http, secrets, &base, request(ready)).await,
            metrics: shown(http, secrets, &base, page, plan.body_bytes_max).await,
            tried: tried.clone(),
        }
    };
    stream::iter(&plan.targets).map(ask).buffered(AT_ONCE).collect().await
}

/// What each source of metrics answers of what the plan asks it.
pub async fn ask_sources(
    plan: &Plan,
    http: &Http,
    secrets: &Secrets,
    now: Timestamp,
) -> Vec<Sourced> {
    let answers = async |source: &DataSource, texts: &[(Arc<str>, Span)]| {
        let inquiry = |(text, offset): &(Arc<str>, Span)| Inquiry {
            text: text.clone(),
            at: now - source.delay - *offset,
            since: None,
        };
        let asks: Vec<Inquiry> = texts.iter().map(inquiry).collect();
        let limits = query::Limits { bytes_max: plan.body_bytes_max, timeout: source.timeout };
        query::ask(http, secrets, source, &asks, limits).await
    };
    let mut all = Vec::new();
    if let Some((source, text)) = live::search(plan) {
        let answer = answers(source, &[(Arc::from(text), Span::ZERO)]).await.pop();
        all.push(Sourced { source: source.name.clone(), searched: answer, answers: Vec::new() });
    }
    for (source, texts) in live::wanted(plan, &live::families(plan, &all)) {
        let came = answers(source, &texts).await;
        let its = texts.into_iter().zip(came).map(|((text, offset), told)| (text, offset, told));
        let its = its.collect();
        match all.iter_mut().find(|one| one.source == source.name) {
            Some(known) => known.answers = its,
            None => all.push(Sourced { source: source.name.clone(), searched: None, answers: its }),
        }
    }
    all
}

/// Where nobody said a path, tries those that are known on the first target;
/// gives those that were tried in vain.
pub async fn seek(plan: &mut Plan, http: &Http, secrets: &Secrets) -> Vec<String> {
    if !plan.is_guess("health") {
        return Vec::new();
    }
    let first = plan.targets.first();
    let base = base_of(plan, first.and_then(|first| first.health.clone()));
    let own = first.and_then(|first| first.own.clone());
    let mut tried = Vec::new();
    for paths in &KNOWN {
        let request = plan.get(own.as_deref(), format!("{base}{}", paths.health));
        match http.exchange(&request, secrets).await {
            Ok(exchange) if is_elsewhere(exchange.status) => tried.push(paths.health.to_owned()),
            Ok(_) => {
                plan.follow(&Found::of(paths), false);
                return tried;
            }
            Err(_) => return Vec::new(), // nobody is there: the guess stands
        }
    }
    // What answers a scrape is there all the same.
    let metrics = KNOWN[0].metrics.to_owned();
    let request = plan.get(own.as_deref(), format!("{base}{metrics}"));
    if http.body(&request, secrets, plan.body_bytes_max).await.is_ok() {
        plan.follow(&Found { metrics: Some(metrics), ..Found::default() }, false);
    }
    tried
}

/// A URL without its path: targets are told by their bases.
fn base_of(plan: &Plan, url: Option<String>) -> String {
    let url = url.unwrap_or_else(|| plan.url.clone());
    let scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[scheme..].find('/').map_or(url.len(), |at| scheme + at);
    url[..end].to_owned()
}

/// What of a request's address follows `base`.
fn path(request: &Request, base: &str) -> String {
    request.url.strip_prefix(base).unwrap_or(&request.url).to_owned()
}

async fn exchange(
    http: &Http,
    secrets: &Secrets,
    base: &str,
    request: Option<Request>,
) -> Option<(String, Result<Exchange, Failure>)> {
    let request = request?;
    Some((path(&request, base), http.exchange(&request, secrets).await))
}

async fn shown(
    http: &Http,
    secrets: &Secrets,
    base: &str,
    request: Option<Request>,
    bytes_max: u64,
) -> Option<(String, Result<Shown, Failure>)> {
    let request = request?;
    let fetched = http.body(&request, secrets, bytes_max).await;
    let shown = fetched.and_then(|(body, content_type)| {
        let read = read_page(&body, content_type.as_deref(), &Wanted::all(), &mut Table::default());
        Ok(Shown { page: read.map_err(Failure::Unreadable)?, content_type })
    });
    Some((path(&request, base), shown))
}
