//! Where services of which nothing is known but the URL tell how they are.

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
