//! What there is to be asked: series, labels, their values, what metrics are.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, State};
use serde_json::json;

use super::answer::{Beside, Problem, Told, success};
use super::form::{Form, wrong};
use super::query::{cut, refused};
use super::{Api, Copied};
use crate::metrics::promql::Query;
use crate::metrics::{Depth, Kind, Want};
use crate::model::Labels;

const NAME: &str = "__name__";

/// So many `match[]` in one question; a dashboard's variable has one or two.
const SELECTORS_MAX: usize = 100;

/// Nothing of the kind is kept: exemplars.
pub(super) async fn nothing() -> Told {
    success(Vec::<()>::new(), Beside::default())
}

/// Label sets that some selector takes.
pub(super) async fn series(State(api): State<Api>, form: Form) -> Told {
    if form.get("match[]").is_none() {
        return Err(Problem::BadData("no match[] parameter provided".to_owned()));
    }
    let copied = selected(&api, &form).await?;
    let whole = |(name, labels): (&str, &Labels)| labels.with(NAME, name);
    told(copied.excerpt.all().map(whole).collect(), &form)
}

/// Names of labels.
pub(super) async fn labels(State(api): State<Api>, form: Form) -> Told {
    let copied = selected(&api, &form).await?;
    let mut names = BTreeSet::new();
    for (_, labels) in copied.excerpt.all() {
        names.insert(NAME.to_owned());
        names.extend(labels.iter().map(|(name, _)| name.to_owned()));
    }
    told(names.into_iter().collect(), &form)
}

/// Values of a label.
pub(super) async fn values(State(api): State<Api>, Path(label): Path<String>, form: Form) -> Told {
    let copied = selected(&api, &form).await?;
    let mut values = BTreeSet::new();
    for (name, labels) in copied.excerpt.all() {
        let value = if label == NAME { Some(name) } else { labels.get(&label) };
        values.extend(value.map(str::to_owned));
    }
    told(values.into_iter().collect(), &form)
}

/// What kind of metric each is.
pub(super) async fn metadata(State(api): State<Api>, form: Form) -> Told {
    let look = |fleet: &crate::watch::Fleet, _| fleet.families();
    let families = api.desk.ask(look).await.map_err(Problem::Unavailable)?;
    let wanted = form.get("metric");
    let mut all = BTreeMap::new();
    for family in families {
        if wanted.is_some_and(|wanted| wanted != family.name) {
            continue;
        }
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
            Kind::Untyped => "unknown",
        };
        all.insert(family.name, vec![json!({ "type": kind, "help": "", "unit": "" })]);
    }
    if let Some(limit) = form.limit()? {
        all = all.into_iter().take(limit).collect();
    }
    success(all, Beside::default())
}

/// What some selector takes; without any all there is.
async fn selected(api: &Api, form: &Form) -> Result<Copied, Problem> {
    let texts: Vec<String> = form.all("match[]").map(str::to_owned).collect();
    if texts.len() > SELECTORS_MAX {
        let what = format!("{} selectors, of {SELECTORS_MAX} at most", texts.len());
        return Err(wrong("match[]", what));
    }
    let (patience, turn) = (form.patience()?, api.turn().await?);
    let (wants, turn) = super::work(patience, move || Ok((wanted_by(&texts)?, turn))).await?;
    api.copy(turn, wants, None, Depth::Names, form).await
}

fn wanted_by(texts: &[String]) -> Result<Vec<Want>, Problem> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    if texts.is_empty() {
        return Ok(vec![Want::all()]);
    }
    let queries = Query::compile_each(&texts);
    let mut queries = queries.map_err(|complaint| refused("match[]", &complaint))?;
    if let Some(query) = queries.iter().find(|query| !query.is_selector()) {
        return Err(wrong("match[]", format!("{:?} selects no series by itself", query.text())));
    }
    Ok(queries.iter_mut().flat_map(Query::wants).collect())
}

fn told<T: serde::Serialize>(mut all: Vec<T>, form: &Form) -> Told {
    let is_cut = form.limit()?.is_some_and(|limit| cut(&mut all, limit));
    let warnings = is_cut.then(|| "results truncated due to limit".to_owned());
    success(all, Beside { warnings: warnings.into_iter().collect(), infos: Vec::new() })
}
