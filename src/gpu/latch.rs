//! Device loss is remembered once and for ever: the first loss wins, everything later is attributed to it.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, GpuError, Result};

/// Remembers the first loss or uncaptured error of a device. Clones share the memory.
#[derive(Debug, Clone, Default)]
pub struct LostLatch(Arc<Mutex<Option<GpuError>>>);

impl LostLatch {
    /// Records `error` unless one is recorded already; a loss replaces a mere uncaptured error.
    pub fn set(&self, error: GpuError) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let replace = match (&*slot, &error) {
            (None, _) => true,
            (Some(GpuError::Lost(_)), _) => false,
            (Some(_), GpuError::Lost(_)) => true,
            _ => false,
        };
        if replace {
            *slot = Some(error);
        }
    }

    /// The recorded error, if any.
    pub fn get(&self) -> Option<GpuError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `Err` once anything was recorded: results from now on must not be believed.
    pub fn check(&self) -> Result<()> {
        self.get().map_or(Ok(()), |e| Err(Error::Gpu(e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_loss_wins() {
        let latch = LostLatch::default();
        assert!(latch.check().is_ok());
        latch.set(GpuError::Internal("a".into()));
        latch.set(GpuError::Lost("b".into()));
        latch.set(GpuError::Lost("c".into()));
        latch.set(GpuError::OutOfMemory("d".into()));
        assert_eq!(latch.get(), Some(GpuError::Lost("b".into())));
    }
}
