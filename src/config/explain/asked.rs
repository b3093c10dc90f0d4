//! Who is asked for what, in words: sources of metrics, and each query as it
//! is sent.

use super::{Row, header, query, transport};
use crate::metrics::{Meter, Signal};
use crate::model::{DataSource, Span};
use crate::record::Plan;

/// A row for each source.
pub(super) fn sources(plan: &Plan) -> Vec<Row> {
    plan.data_sources.iter().map(|source| source_row(plan, source)).collect()
}

fn source_row(plan: &Plan, source: &DataSource) -> Row {
    let mut how = vec![format!("within {}", source.timeout)];
    how.extend(source.selector.iter().map(|selector| format!("in every selector {selector}")));
    how.extend((source.delay > Span::ZERO).then(|| format!("{} in the past", source.delay)));
    how.extend(source.headers.iter().map(|(name, value)| format!("with {}", header(name, value))));
    how.extend(source.params.iter().map(|(name, value)| format!("{name}={value}")));
    how.extend(source.transport.iter().map(|way| transport(way)));
    if plan.measured_by.as_ref() == Some(&source.name) {
        how.push("whatever does not say another".to_owned());
    }
    vec![source.name.to_string(), source.url.clone(), how.join(", ")]
}

/// How a signal is measured: its query, or what is asked of whom.
pub(in crate::config) fn measured(plan: &Plan, signal: &Signal) -> String {
    let Some(source) = &signal.source else { return query(signal) };
    let Ok(meter) = Meter::compile_for(signal, &plan.data_sources) else { return query(signal) };
    let texts: Vec<String> = meter.asked().map(|(text, _)| text.to_string()).collect();
    format!("{source} is asked  {}", texts.join("  and  "))
}
