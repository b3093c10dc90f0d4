//! Where readers ask the loop, and where people give it orders. It owns all
//! that is known; a reader gets a look at it between two turns, when all that
//! is decided is on disk, and takes a copy along. What it makes of the copy,
//! and how slowly, is its own affair.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::model::Timestamp;
use crate::watch::{Done, Fleet, Order};

/// So many readers wait at once; more wait to wait. The loop turns between two
/// of them.
const WAITING_MAX: usize = 16;

/// A turn may wait for a slow disk twice, 3 s each.
const PATIENCE: Duration = Duration::from_secs(10);

/// One look at what is known. It has to be a short one.
type Glance = Box<dyn FnOnce(&Fleet, Timestamp) + Send>;

/// The side of whoever comes.
#[derive(Clone, Debug)]
pub struct Desk {
    calls: mpsc::Sender<Call>,
}

/// The loop's side.
pub struct Readers {
    calls: mpsc::Receiver<Call>,
}

/// What somebody comes with.
pub enum Call {
    /// They want to know something.
    Look(Look),
    /// They want something done.
    Errand(Errand),
}

/// Both sides.
pub fn desk() -> (Desk, Readers) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Desk { calls: sender }, Readers { calls: receiver })
}

impl Desk {
    /// What `look` makes of what is known now.
    ///
    /// # Errors
    /// The loop has ended, or does not come round.
    pub async fn ask<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Fleet, Timestamp) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (home, answer) = oneshot::channel();
        let glance: Glance = Box::new(move |fleet, now| drop(home.send(look(fleet, now))));
        self.call(Call::Look(Look(glance)), answer).await
    }

    /// Has an order carried out by the watches of a service, or by all. What
    /// they did is told when it is on disk.
    ///
    /// # Errors
    /// The loop has ended, or does not come round.
    pub async fn order(&self, service: Option<String>, order: Order) -> Result<Obeyed, String> {
        let (home, answer) = oneshot::channel();
        self.call(Call::Errand(Errand { service, order, home }), answer).await
    }

    async fn call<T>(&self, call: Call, answer: oneshot::Receiver<T>) -> Result<T, String> {
        let asked = async {
            self.calls.send(call).await.map_err(|_| ())?;
            answer.await.map_err(|_| ())
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(())) => Err("the watch ends, or could not answer".to_owned()),
            Err(_) => Err(format!("the watch did not come round within {PATIENCE:?}")),
        }
    }
}

impl Readers {
    /// The next one. May be dropped at any time: nothing is lost.
    pub async fn next(&mut self) -> Call {
        match self.calls.recv().await {
            Some(call) => call,
            None => std::future::pending().await, // nobody is left who could ask
        }
    }

    /// The next one that waits already.
    pub fn waiting(&mut self) -> Option<Call> {
        self.calls.try_recv().ok()
    }
}

/// An order, and who waits for what becomes of it.
pub struct Errand {
    /// The watches of which service are to do it; `None`: all.
    pub service: Option<String>,
    /// What.
    pub order: Order,
    home: oneshot::Sender<Obeyed>,
}

/// What became of an order.
#[derive(Debug)]
pub struct Obeyed {
    /// What each watch did, or why none could.
    pub done: Result<Vec<Done>, String>,
    /// Whether it is on disk. Else it holds until the process ends.
    pub is_stored: bool,
}

impl Errand {
    /// Tells whoever waits. They may have gone: it is done all the same.
    pub fn answer(self, obeyed: Obeyed) {
        drop(self.home.send(obeyed));
    }
}

/// A reader whose turn it is.
pub struct Look(Glance);

impl Look {
    /// Lets it look. Its mistakes are its own: the loop goes on.
    pub fn at(self, fleet: &Fleet, now: Timestamp) {
        if catch_unwind(AssertUnwindSafe(|| (self.0)(fleet, now))).is_err() {
            tracing::error!("a reader's question failed: our own mistake; the watch goes on");
        }
    }
}
