//! SIGTERM and SIGINT, counted.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Counts requests to stop from now on. To be called inside the runtime.
///
/// # Errors
/// The system lets no signal be listened to.
pub fn stops() -> Result<watch::Receiver<u32>, String> {
    let listen = |kind| signal(kind).map_err(|error| format!("signals: {error}"));
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    let (count, stops) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            count.send_modify(|count| *count += 1);
        }
    });
    Ok(stops)
}
