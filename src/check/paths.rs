//! Where services of which nothing is known but the URL tell how they are, and
//! what is told from whatever else they are asked.

use super::Step;
use crate::model::{Exchange, Failure, Method};

/// What one custom calls its endpoints.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paths {
    /// Its health.
    pub health: &'static str,
    /// Whether it takes traffic; `None`: it does not say.
    pub ready: Option<&'static str>,
    /// Its exposition.
    pub metrics: &'static str,
}

const fn paths(health: &'static str, ready: Option<&'static str>, metrics: &'static str) -> Paths {
    Paths { health, ready, metrics }
}

/// In the order in which they are tried: the checklist's own, then what is
/// asked without a side effect elsewhere, the front page last.
pub const KNOWN: [Paths; 8] = [
    paths("/health", Some("/health/ready"), "/metrics"), // the checklist's
    paths("/healthz", Some("/readyz"), "/metrics"),      // Kubernetes, and much of Go
    paths("/-/healthy", Some("/-/ready"), "/metrics"),   // Prometheus and its kin
    // Spring Boot
    paths("/actuator/health", Some("/actuator/health/readiness"), "/actuator/prometheus"),
    paths("/livez", Some("/readyz"), "/metrics"), // Kubernetes' own servers
    paths("/health/live", Some("/health/ready"), "/metrics"), // ASP.NET Core, MicroProfile
    paths("/health/liveliness", Some("/health/readiness"), "/metrics"), // LiteLLM
    paths("/", None, "/metrics"),                 // exporters have nothing else
];

/// Whether a status says that there is nothing of the kind here, or nothing
/// for us: then another path may be the right one.
pub fn is_elsewhere(status: u16) -> bool {
    matches!(status, 300..=399 | 401 | 403 | 404 | 405 | 410 | 501)
}

/// Whether a status says that there is no such endpoint.
pub fn is_absent(status: u16) -> bool {
    matches!(status, 404 | 405 | 410 | 501)
}

/// Why an answer to a step that nobody asked for says that the service has no
/// such endpoint, if it does: that is no failure of the release. Whether it is
/// healthy is asked all the same.
pub fn guessed_wrong(step: &Step, reply: &Result<Exchange, Failure>) -> Option<String> {
    let exchange = reply.as_ref().ok().filter(|_| step.name != *"is healthy")?;
    let status = exchange.status;
    if is_absent(status) {
        return Some(format!("{status}: there is no such endpoint, and nobody said that there is"));
    }
    let kind = exchange.header("content-type").unwrap_or_default();
    let is_page = status == 200 && step.request.method == Method::Post && kind.contains("html");
    is_page.then(|| "an HTML page is no answer: nobody said that questions are taken".to_owned())
}

/// Whether a step sends something that users send: not a look at its health.
pub fn is_real(step: &Step) -> bool {
    let request = &step.request;
    let is_look = matches!(request.method, Method::Get | Method::Head | Method::Options);
    let ends = |path: &str| path != "/" && request.url.ends_with(path);
    let is_own = KNOWN
        .iter()
        .any(|paths| ends(paths.health) || ends(paths.metrics) || paths.ready.is_some_and(&ends));
    let is_named = step.name == *"is healthy" || step.name == *"is ready";
    step.ask.is_none() && !(is_look && (is_own || is_named))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begins_with_the_checklists_own_and_asks_nothing_twice() {
        assert_eq!(KNOWN[0].health, "/health");
        let mut asked: Vec<&str> = KNOWN.iter().map(|paths| paths.health).collect();
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), KNOWN.len());
    }

    #[test]
    fn takes_no_server_error_for_an_absent_endpoint() {
        let statuses = [200, 301, 401, 404, 429, 500, 503];
        let told: Vec<bool> = statuses.into_iter().map(is_elsewhere).collect();
        assert_eq!(told, [false, true, true, true, false, false, false]);
    }
}
