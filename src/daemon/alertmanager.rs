//! Alerts for a site's Alertmanager: each of its replicas is told by itself,
//! since they share what they have told, not what they have heard.
//!
//! The rule: *accepted* when all took it, *partly* when some did: the others
//! hear it with the next repetition. Nothing is lost by telling it again.

use super::http::Http;
use super::secrets::Secrets;
use super::webhook::{self, refused};
use crate::model::{Secret, Span, Timestamp};
use crate::notify;
use crate::record::{Missed, Outcome};

/// Where an Alertmanager takes alerts.
const PATH: &str = "/api/v2/alerts";

/// One try of one letter.
pub struct Try<'a> {
    /// The alerts; the end of those that burn is counted from this try.
    pub json: &'a str,
    /// For the whole try.
    pub timeout: Span,
    /// The facts behind it could not be stored.
    pub not_stored: bool,
    /// The time of this try, in seconds since the epoch.
    pub now_s: i64,
}

/// Tells all replicas at once, and says what became of it.
pub async fn deliver(
    http: &Http,
    secrets: &Secrets,
    urls: &[Secret],
    token: Option<&Secret>,
    one: Try<'_>,
) -> Outcome {
    let body = notify::alertmanager::filled(one.json, Timestamp::from_millis(one.now_s * 1000));
    let each = urls.iter().map(|url| replica(http, secrets, url, token, &one, &body));
    settle(futures_util::future::join_all(each).await)
}

async fn replica(
    http: &Http,
    secrets: &Secrets,
    url: &Secret,
    token: Option<&Secret>,
    one: &Try<'_>,
    body: &str,
) -> Outcome {
    let ready = async {
        let base = secrets.resolve(url).await?;
        // Whoever copied the whole address means the same.
        let base = base.trim_end_matches('/').trim_end_matches(PATH);
        let mut ready = webhook::to(http, format!("{base}{PATH}"), one.not_stored)?;
        ready.request =
            ready.request.header("content-type", "application/json").body(body.to_owned());
        if let Some(token) = token {
            let token = secrets.resolve(token).await?;
            ready.request = ready.request.bearer_auth(&token);
            ready.hidden.push(token);
        }
        Ok::<_, String>(ready)
    };
    match ready.await {
        Ok(ready) => webhook::exchange(ready, one.timeout, one.now_s, |_| None).await.0,
        Err(detail) => refused(detail, false),
    }
}

/// What the answers of all replicas amount to.
fn settle(outcomes: Vec<Outcome>) -> Outcome {
    let count = outcomes.len();
    if count == 1 {
        return outcomes.into_iter().next().expect("there is one");
    }
    let mut missed = Vec::new();
    let (mut is_permanent, mut is_unknown, mut wait) = (true, false, None);
    for (index, outcome) in outcomes.into_iter().enumerate() {
        let recipient = format!("replica {} of {count}", index + 1);
        match outcome {
            Outcome::Accepted { .. } | Outcome::Posted { .. } | Outcome::Partly { .. } => {}
            Outcome::Refused { detail, retry_after, permanent } => {
                is_permanent &= permanent;
                wait = wait.max(retry_after);
                missed.push(Missed { recipient, reason: detail });
            }
            Outcome::Unknown { detail } => {
                is_unknown = true;
                missed.push(Missed { recipient, reason: detail });
            }
        }
    }
    let taken = count - missed.len();
    let mut detail = format!("taken by {taken} of {count} replicas");
    for one in &missed {
        detail.push_str(&format!("; {}: {}", one.recipient, one.reason));
    }
    match (taken, missed.is_empty()) {
        (_, true) => return Outcome::Accepted { detail },
        (1.., false) => return Outcome::Partly { detail, missed },
        (0, false) => {}
    }
    match is_unknown {
        true => Outcome::Unknown { detail },
        false => Outcome::Refused { detail, retry_after: wait, permanent: is_permanent },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken() -> Outcome {
        Outcome::Accepted { detail: "200 OK".to_owned() }
    }

    #[test]
    fn is_taken_when_one_replica_took_it_and_names_the_others() {
        let Outcome::Partly { detail, missed } =
            settle(vec![refused("503".into(), false), taken()])
        else {
            panic!("not partly")
        };
        assert_eq!(detail, "taken by 1 of 2 replicas; replica 1 of 2: 503");
        assert_eq!((&*missed[0].recipient, &*missed[0].reason), ("replica 1 of 2", "503"));
        assert!(matches!(settle(vec![taken(), taken()]), Outcome::Accepted { .. }));
    }

    #[test]
    fn is_refused_for_good_only_when_all_do() {
        let permanent = |outcomes| match settle(outcomes) {
            Outcome::Refused { permanent, .. } => permanent,
            other => panic!("{other:?}"),
        };
        assert!(permanent(vec![refused("404".into(), true), refused("404".into(), true)]));
        assert!(!permanent(vec![refused("404".into(), true), refused("503".into(), false)]));
        let unknown = Outcome::Unknown { detail: "timeout".to_owned() };
        let outcome = settle(vec![unknown, refused("404".into(), true)]);
        assert!(matches!(outcome, Outcome::Unknown { .. }), "it may have been taken");
    }
}
