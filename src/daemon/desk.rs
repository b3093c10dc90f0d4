//! Where readers ask the loop. It owns all that is known; a reader gets a look
//! at it between two turns, when all that is decided is on disk, and takes a
//! copy along. What it makes of the copy, and how slowly, is its own affair.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::model::Timestamp;
use crate::watch::Fleet;

/// So many readers wait at once; more wait to wait. The loop turns between two
/// of them.
const WAITING_MAX: usize = 16;

/// A turn may wait for a slow disk twice, 3 s each.
const PATIENCE: Duration = Duration::from_secs(10);

/// One look at what is known. It has to be a short one.
type Glance = Box<dyn FnOnce(&Fleet, Timestamp) + Send>;

/// The reader's side.
#[derive(Clone, Debug)]
pub struct Desk {
    glances: mpsc::Sender<Glance>,
}

/// The loop's side.
pub struct Readers {
    glances: mpsc::Receiver<Glance>,
}

/// Both sides.
pub fn desk() -> (Desk, Readers) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Desk { glances: sender }, Readers { glances: receiver })
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
        let asked = async {
            self.glances.send(glance).await.map_err(|_| ())?;
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
    pub async fn next(&mut self) -> Look {
        match self.glances.recv().await {
            Some(glance) => Look(glance),
            None => std::future::pending().await, // nobody is left who could ask
        }
    }

    /// The next one that waits already.
    pub fn waiting(&mut self) -> Option<Look> {
        self.glances.try_recv().ok().map(Look)
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
