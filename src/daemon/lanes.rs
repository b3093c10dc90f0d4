//! Whom a scrape lets go first, for a moment and no longer. The health check
//! of the same target: HTTP/1 carries one request at a time, and a second
//! connection costs a socket on both sides, and with TLS memory. And other
//! scrapes, where many begin at once, as at the start: what is at hand of each
//! page adds up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::model::unix_parts;

/// A page waits no longer than this for a health check before it: then a second
/// connection is the lesser evil. (A busy machine of ours is no slow target: what
/// was opened once on that account would be used, and stay.)
const WAIT_MAX: Duration = Duration::from_millis(250);

/// So many pages are received and read at a time, unless they are slow to come.
const PAGES_MAX: usize = 8;

/// A page waits no longer than this for others.
const CROWD_MAX: Duration = Duration::from_millis(250);

/// Who is on the way.
#[derive(Clone, Debug)]
pub(super) struct Lanes {
    /// To a check, by the place that is asked.
    taken: Arc<Mutex<HashMap<Box<str>, Taken>>>, // lookup only
    /// To a page.
    crowd: Arc<Semaphore>,
}

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes { taken: Arc::default(), crowd: Arc::new(Semaphore::new(PAGES_MAX)) }
    }
}

#[derive(Debug, Default)]
struct Taken {
    by: usize,
    free: Arc<Notify>,
}

/// A page is being received or read.
pub(super) type AtHand = OwnedSemaphorePermit;

/// While it is held, somebody is on the way.
pub(super) struct Lane {
    lanes: Lanes,
    place: Box<str>,
}

impl Lanes {
    /// Takes the lane to this URL's place. Whoever takes it waits for nobody.
    pub fn enter(&self, url: &str) -> Lane {
        let place: Box<str> = place(url).into();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.entry(place.clone()).or_default().by += 1;
        Lane { lanes: self.clone(), place }
    }

    /// Waits for a while until few pages are at hand. This one is for as long as
    /// what is given is held; its target has begun to answer.
    pub async fn at_hand(&self) -> Option<AtHand> {
        let crowd = self.crowd.clone();
        tokio::time::timeout(CROWD_MAX, crowd.acquire_owned()).await.ok()?.ok()
    }

    /// Waits for a while until no check is on the way there.
    pub async fn wait(&self, url: &str) {
        let free = {
            let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
            taken.get(place(url)).map(|taken| taken.free.clone().notified_owned())
        };
        let Some(free) = free else { return };
        // Too late is as good as free.
        let _ = tokio::time::timeout(WAIT_MAX, free).await;
        // With TLS the connection goes back to its pool in a task of its own.
        tokio::task::yield_now().await;
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut taken = self.lanes.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lane) = taken.get_mut(&self.place) else { return };
        lane.by -= 1;
        if lane.by == 0 {
            lane.free.notify_waiters();
            taken.remove(&self.place);
        }
    }
}

/// What of a URL says where it goes.
fn place(url: &str) -> &str {
    if let Some((socket, _)) = unix_parts(url) {
        return socket;
    }
    let from = url.find("://").map_or(0, |at| at + 3);
    let path = url[from..].find('/').map_or(url.len(), |at| from + at);
    &url[..path]
}
