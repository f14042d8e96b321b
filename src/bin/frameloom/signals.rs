//! INT, TERM and HUP ask for a clean stop; a second one ends the process at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use frameloom::core::CancelToken;
use frameloom::{Error, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals as Iter;

/// What the signal thread shares with the rest.
#[derive(Debug, Clone)]
pub(crate) struct Signals {
    /// Cancelled by the first signal.
    pub(crate) cancel: CancelToken,
    received: Arc<AtomicI32>,
}

impl Signals {
    /// For work that has a token of its own, which no signal cancels by itself.
    pub(crate) fn apart(&self, cancel: CancelToken) -> Self {
        Self { cancel, received: Arc::clone(&self.received) }
    }

    /// Number of the signal that came, if any.
    pub(crate) fn received(&self) -> Option<u8> {
        u8::try_from(self.received.load(Ordering::SeqCst)).ok().filter(|s| *s != 0)
    }
}

/// Starts to listen.
pub(crate) fn install() -> Result<Signals> {
    let shared = Signals { cancel: CancelToken::new(), received: Arc::default() };
    let mut iter =
        Iter::new([SIGINT, SIGTERM, SIGHUP]).map_err(|e| Error::Bug(format!("signals cannot be caught: {e}")))?;
    let inner = shared.clone();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in iter.forever() {
                if inner.received.swap(signal, Ordering::SeqCst) != 0 {
                    // Temporary files of an interrupted commit are swept by the next run.
                    std::process::exit(128 + signal);
                }
                inner.cancel.cancel();
            }
        })
        .map_err(|e| Error::Bug(format!("no thread for signals: {e}")))?;
    Ok(shared)
}
