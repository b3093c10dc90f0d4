//! What a service promises, and what it is given, as rules: which of the
//! checklist's two sets of thresholds, an SLA, limits of resources, of
//! replicas and of restarts. Signals for them are made by the configuration.

use super::pack::rule;
use super::{Bound, OfBaseline, Rule};
use crate::model::{HOUR, MINUTE, Severity, Span};

/// The checklist has two sets of thresholds, and they differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Profile {
    /// The table at its end: memory above 95% is critical.
    #[default]
    QuickReference,
    /// The list of alerts to define: memory and CPU above 90% are critical,
    /// above 70% a warning. Latency is critical above the SLA, where one is
    /// told, in place of a number of ours.
    AlertList,
}

impl Profile {
    /// Each with its name in a configuration.
    pub const ALL: [(&str, Profile); 2] =
        [("quick-reference", Profile::QuickReference), ("alert-list", Profile::AlertList)];
}

/// What a share of a resource is taken of. An autoscaler works on requests, so
/// that the same number means another thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Basis {
    /// What it may never exceed.
    #[default]
    Limit,
    /// What it is promised.
    Request,
}

impl Basis {
    /// Each with its name in a configuration.
    pub const ALL: [(&str, Basis); 2] = [("limit", Basis::Limit), ("request", Basis::Request)];

    fn as_str(self) -> &'static str {
        match self {
            Basis::Limit => "limit",
            Basis::Request => "request",
        }
    }
}

/// All of it.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Demands {
    /// Which thresholds.
    pub profile: Profile,
    /// Share of requests that are promised to succeed.
    pub availability: Option<f64>,
    /// Seconds within which 99% of requests are promised to be answered.
    pub p99: Option<f64>,
    /// What memory is measured against, where that is declared.
    pub memory: Option<Basis>,
    /// The same for the CPU.
    pub cpu: Option<Basis>,
    /// How many restarts an hour are borne.
    pub restarts_max: Option<u32>,
    /// How many replicas there may be.
    pub replicas_max: Option<u32>,
}

/// The names of the rules that demands can lead to.
pub const NAMES: [&str; 9] = [
    "MemoryHigh",
    "SlowerThanBefore",
    "CpuExhausted",
    "CpuHigh",
    "SlaErrorsFast",
    "SlaErrors",
    "SlaLatency",
    "FrequentRestarts",
    "ReplicasAtMaximum",
];

/// When a rule of these is judged.
pub fn condition_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "MemoryHigh" => "`rules.profile` is \"alert-list\"",
        "CpuExhausted" | "CpuHigh" => {
            "`resources.cpu` says of what the CPU is a share, or `rules.profile` is \"alert-list\""
        }
        "SlowerThanBefore" => "`rules.profile` is \"alert-list\"",
        "SlaErrorsFast" | "SlaErrors" => "`rules.sla.availability` says what is promised",
        "SlaLatency" => "`rules.sla.p99` says what is promised",
        "FrequentRestarts" => "`rules.restarts-per-hour` says how many are borne",
        "ReplicasAtMaximum" => "`resources.max-replicas` says how many there may be",
        _ => return None,
    })
}

/// So much faster than it may is an error budget of 30 days gone in two: the
/// rate at which the trade wakes somebody.
const BURN_FAST: f64 = 14.4;

/// So many times as slow as the release before is slower. The checklist says
/// "above": then half of all good weeks would be a warning.
const SLOWER: f64 = 1.5;

/// A service at its maximum for less than this has had a peak.
const AT_MAXIMUM_FOR: Span = Span::from_millis(15 * MINUTE.millis());

impl Demands {
    /// Changes the pack's rules, and adds those that it asks for.
    pub fn apply(&self, rules: &mut Vec<Rule>) {
        use Severity::{Critical, Warning};
        let above = |name: &str, signal: &str, bound: f64, severity, summary: String| Rule {
            summary,
            ..rule(name, signal, Bound::Above(bound), severity)
        };
        let (high, worst) = match self.profile {
            Profile::QuickReference => (None, 0.95),
            Profile::AlertList => (Some(0.7), 0.9),
        };
        let of = |basis: Option<Basis>| basis.map_or("", |basis| basis.as_str());
        let memory = |bound: f64| share("memory", of(self.memory), bound);
        if let Some(known) = rules.iter_mut().find(|rule| rule.name == "MemoryPressure") {
            let changed = above("MemoryPressure", "memory_ratio", worst, Critical, memory(worst));
            *known = changed;
        }
        if let Some(high) = high {
            rules.push(above("MemoryHigh", "memory_ratio", high, Warning, memory(high)));
        }
        if self.profile == Profile::AlertList {
            let slower = rule("SlowerThanBefore", "latency", Bound::Above(SLOWER), Warning);
            let summary = format!("the p99 is more than {SLOWER} times that of the release before");
            let of_baseline = Some(OfBaseline { at_least: None });
            rules.push(Rule { summary, of_baseline, ..super::pack::p99(slower) });
        }
        // Some presets know a share by themselves.
        if self.cpu.is_some() || self.profile == Profile::AlertList {
            let cpu = |bound: f64| share("CPU", of(self.cpu), bound);
            rules.push(above("CpuExhausted", "cpu_ratio", 0.9, Critical, cpu(0.9)));
            rules.push(above("CpuHigh", "cpu_ratio", 0.7, Warning, cpu(0.7)));
        }
        self.promised(rules);
        if let Some(max) = self.restarts_max {
            let summary = format!("replicas restarted more than {max} times in an hour");
            let frequent =
                above("FrequentRestarts", "restarts_per_hour", f64::from(max), Warning, summary);
            rules.push(Rule { hold: Span::ZERO, breaches_min: 1, ..frequent });
        }
        if let Some(max) = self.replicas_max {
            let summary = format!("all {max} replicas are in use: it cannot scale any further");
            let bound = f64::from(max) - 1.0;
            let full = above("ReplicasAtMaximum", "replicas", bound, Warning, summary);
            rules.push(Rule { hold: AT_MAXIMUM_FOR, ..full });
        }
    }

    /// The SLA. Of an availability `a` the share `1 - a` may fail: more than
    /// 14.4 times that is critical, more than that for an hour a warning.
    fn promised(&self, rules: &mut Vec<Rule>) {
        use Severity::{Critical, Warning};
        if let Some(availability) = self.availability {
            let budget = 1.0 - availability;
            let fast = budget * BURN_FAST;
            let promise = format!("the promised {} %", percent(availability));
            if fast < 1.0 {
                let errors = rule("SlaErrorsFast", "error_ratio", Bound::Above(fast), Critical);
                let summary = format!("errors use up the budget of {promise} within two days");
                rules.push(Rule { summary, ..errors });
            }
            let errors = rule("SlaErrors", "error_ratio", Bound::Above(budget), Warning);
            let summary = format!("more requests fail than {promise} allow");
            rules.push(Rule { summary, hold: HOUR, ..errors });
        }
        if let Some(p99) = self.p99 {
            let slow = super::pack::p99(rule("SlaLatency", "latency", Bound::Above(p99), Critical));
            let summary = format!("more than 1% of requests take longer than the promised {p99} s");
            if self.profile == Profile::AlertList {
                rules.retain(|rule| rule.name != "HighLatency");
            }
            rules.push(Rule { summary, ..slow });
        }
    }
}

/// `more than 90% of the memory limit is in use`.
fn share(what: &str, of: &str, bound: f64) -> String {
    let gap = if of.is_empty() { "" } else { " " };
    format!("more than {}% of the {what}{gap}{of} is in use", percent(bound))
}

/// A share as a percentage, without the dust of its rounding.
fn percent(share: f64) -> f64 {
    (share * 1e6).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::pack::{Scope, pack};

    fn check(demands: Demands, expected: &[&str]) {
        let scope = Scope::of(&[]);
        let mut rules = pack(scope);
        let before = rules.clone();
        demands.apply(&mut rules);
        rules.retain(|rule| !before.contains(rule));
        let row = |rule: &Rule| {
            let Bound::Above(bound) = rule.bound else { panic!("{rule:?}") };
            let Rule { name, signal, severity, hold, summary, .. } = rule;
            format!("{name} {signal} {bound:.4} {severity} {hold}: {summary}")
        };
        assert_eq!(rules.iter().map(row).collect::<Vec<_>>(), expected);
        assert!(rules.iter().all(|rule| {
            let name = rule.name.as_str();
            name == "MemoryPressure" || NAMES.contains(&name) && condition_of(name).is_some()
        }));
    }

    #[test]
    fn changes_nothing_where_nothing_is_demanded() {
        check(Demands::default(), &[]);
    }

    #[test]
    fn takes_the_other_set_of_the_checklist() {
        check(
            Demands { profile: Profile::AlertList, cpu: Some(Basis::Limit), ..Demands::default() },
            &[
                "MemoryPressure memory_ratio 0.9000 critical 2m: \
                 more than 90% of the memory is in use",
                "MemoryHigh memory_ratio 0.7000 warning 10m: more than 70% of the memory is in use",
                "SlowerThanBefore latency 1.5000 warning 10m: \
                 the p99 is more than 1.5 times that of the release before",
                "CpuExhausted cpu_ratio 0.9000 critical 2m: \
                 more than 90% of the CPU limit is in use",
                "CpuHigh cpu_ratio 0.7000 warning 10m: more than 70% of the CPU limit is in use",
            ],
        );
    }

    #[test]
    fn makes_rules_of_a_promise() {
        let promise = Demands { availability: Some(0.999), p99: Some(10.0), ..Demands::default() };
        check(
            promise,
            &[
                "SlaErrorsFast error_ratio 0.0144 critical 2m: \
                 errors use up the budget of the promised 99.9 % within two days",
                "SlaErrors error_ratio 0.0010 warning 1h: \
                 more requests fail than the promised 99.9 % allow",
                "SlaLatency latency 10.0000 critical 2m: \
                 more than 1% of requests take longer than the promised 10 s",
            ],
        );
        let modest = Demands { availability: Some(0.9), ..Demands::default() };
        check(
            modest,
            &["SlaErrors error_ratio 0.1000 warning 1h: \
               more requests fail than the promised 90 % allow"],
        );
    }

    #[test]
    fn a_promised_latency_takes_the_place_of_ours_in_the_list_alone() {
        let names = |profile| {
            let mut rules = pack(Scope::of(&[]));
            Demands { profile, p99: Some(2.0), ..Demands::default() }.apply(&mut rules);
            let slow = ["HighLatency", "IncreasedLatency", "SlaLatency"];
            slow.map(|name| rules.iter().any(|rule| rule.name == name))
        };
        assert_eq!(names(Profile::QuickReference), [true, true, true]);
        assert_eq!(names(Profile::AlertList), [false, true, true]);
    }

    #[test]
    fn counts_restarts_and_replicas() {
        check(
            Demands { restarts_max: Some(3), replicas_max: Some(10), ..Demands::default() },
            &[
                "FrequentRestarts restarts_per_hour 3.0000 warning 0s: \
                 replicas restarted more than 3 times in an hour",
                "ReplicasAtMaximum replicas 9.0000 warning 15m: \
                 all 10 replicas are in use: it cannot scale any further",
            ],
        );
    }
}
