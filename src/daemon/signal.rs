//! Signals, counted: SIGTERM and SIGINT ask for the end, SIGHUP for another
//! look at the configuration.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Counts requests to read the configuration anew. To be called inside the
/// runtime, and early: until then the signal ends the process.
///
/// # Errors
/// The system lets no signal be listened to.
pub fn reloads() -> Result<watch::Receiver<u32>, String> {
    let mut hangup = signal(SignalKind::hangup()).map_err(|error| format!("signals: {error}"))?;
    let (count, reloads) = watch::channel(0);
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            count.send_modify(|count| *count += 1);
        }
    });
    Ok(reloads)
}

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
