//! Where the links of a rehearsal lead: a page with one button. Scanners of mail
//! follow links by themselves, so that to look at the page says nothing; to
//! press its button does, once.
//!
//! The token in the path is all the authority there is. It is looked up with
//! the button alone, and one that is wrong is answered as one that is old.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};

use crate::daemon::clock;
use crate::daemon::confirm::hash;
use crate::daemon::desk::Desk;
use crate::daemon::store::{self, Reader};
use crate::model::Name;
use crate::report;
use crate::watch::Order;

/// What the button sends is a few bytes.
const BODY_BYTES_MAX: usize = 256;

const STYLE: &str = include_str!("confirm.css");

struct Confirming {
    dir: PathBuf,
    desk: Option<Desk>,
}

/// The page and its button. What is confirmed is kept in `dir`, and told to the
/// watches at the desk, if there is one.
pub fn confirming(dir: PathBuf, desk: Option<Desk>) -> Router {
    Router::new()
        .route("/rehearsal/{token}", get(ask).post(take))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(Arc::new(Confirming { dir, desk }))
}

/// The same for every token: it is not even looked at.
async fn ask() -> Response {
    let main = html! {
        h1 { "Did the test alert arrive?" }
        p {
            "You have opened a link from a test alert of bakewatch. If you found it where you \
             look for alerts, say so: the reports will tell that it was seen by a person, and when."
        }
        // To where it came from, also behind a proxy that adds to the path.
        form method="post" { button name="seen" value="yes" { "I have seen it" } }
        p.note { "The test is about letters, not about the service. Nothing else has to be done." }
    };
    page(StatusCode::OK, "Did the test alert arrive?", &main)
}

async fn take(
    State(confirming): State<Arc<Confirming>>,
    Path(token): Path<String>,
    body: Bytes,
) -> Response {
    let is_pressed =
        form_urlencoded::parse(&body).any(|(name, value)| name == "seen" && value == "yes");
    if !is_pressed {
        let main = html! { h1 { "Nothing was said" } p { "Open the link, and press its button." } };
        return page(StatusCode::BAD_REQUEST, "Nothing was said", &main);
    }
    let known = confirming.clone();
    let seen = move || store::confirm(&known.dir, &hash(&token), clock::wall());
    let seen = tokio::task::spawn_blocking(seen).await.map_err(|error| error.to_string());
    match seen.and_then(|seen| seen) {
        Ok(Some((service, channel))) => {
            confirming.tell(&service).await;
            thanks(&service, &channel)
        }
        Ok(None) => unknown(),
        Err(why) => {
            tracing::warn!("a person confirmed a test alert, and it could not be kept: {why}");
            let main = html! {
                h1 { "Not kept" }
                p { "What you said could not be written down. Please try again in a while." }
            };
            page(StatusCode::SERVICE_UNAVAILABLE, "Not kept", &main)
        }
    }
}

impl Confirming {
    /// So that the reports of a watch that is open know of it. It is on disk, and
    /// the next watch learns of it in any case.
    async fn tell(&self, service: &Name) {
        let (dir, name) = (self.dir.clone(), service.clone());
        let read = move || Reader::open(&dir)?.rehearsal(&name);
        let Ok(Ok(Some(rehearsal))) = tokio::task::spawn_blocking(read).await else { return };
        if let Some(desk) = &self.desk {
            drop(desk.order(Some(service.to_string()), Order::Rehearsed(rehearsal)).await);
        }
    }
}

fn thanks(service: &Name, channel: &Name) -> Response {
    let main = html! {
        h1 { "Thank you" }
        p {
            "It is written down that a person has seen the test alert of " b { (service) }
            " on " b { (channel) } "."
        }
    };
    page(StatusCode::OK, "Thank you", &main)
}

fn unknown() -> Response {
    let main = html! {
        h1 { "This link says nothing" }
        p {
            "It was used already, or is too old, or a newer test took its place, or there never \
             was such a one. If you were asked to, follow the link of the latest test alert."
        }
    };
    page(StatusCode::NOT_FOUND, "This link says nothing", &main)
}

/// Nothing is fetched, run, framed or kept, and the address goes nowhere else.
fn headers() -> [(HeaderName, &'static str); 6] {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                  base-uri 'none'; frame-ancestors 'none'";
    [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ]
}

fn page(status: StatusCode, title: &str, main: &Markup) -> Response {
    let page = report::document(&format!("{title} · bakewatch"), STYLE, main);
    (status, headers(), Html(page)).into_response()
}
