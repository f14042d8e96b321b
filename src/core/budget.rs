//! A byte semaphore: memory is asked for before it is allocated, and given back on drop.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::cancel::CancelToken;
use crate::error::{Error, Result};

#[derive(Debug, Default)]
struct State {
    used: u64,
    peak: u64,
}

#[derive(Debug)]
struct Shared {
    kind: &'static str,
    limit: u64,
    state: Mutex<State>,
    freed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The guarded numbers are consistent between any two statements, so a poisoned lock is usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A finite number of bytes that several stages share. Clones share the same budget.
#[derive(Debug, Clone)]
pub struct ByteBudget(Arc<Shared>);

impl ByteBudget {
    /// A budget of `limit` bytes; `kind` is "host" or "GPU" and appears in errors.
    pub fn new(kind: &'static str, limit: u64) -> Self {
        Self(Arc::new(Shared { kind, limit, state: Mutex::default(), freed: Condvar::new() }))
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.0.limit
    }

    /// Bytes held now.
    pub fn used(&self) -> u64 {
        self.0.lock().used
    }

    /// Most bytes ever held at once.
    pub fn peak(&self) -> u64 {
        self.0.lock().peak
    }

    /// Takes `bytes` at once, or fails with [`Error::Memory`] without waiting.
    pub fn try_acquire(&self, bytes: u64) -> Result<BudgetPermit> {
        let mut state = self.0.lock();
        match state.used.checked_add(bytes) {
            Some(used) if used <= self.0.limit => {
                state.used = used;
                state.peak = state.peak.max(used);
                Ok(BudgetPermit { budget: self.clone(), bytes })
            }
            total => Err(Error::Memory {
                kind: self.0.kind,
                needed_bytes: total.unwrap_or(u64::MAX),
                limit_bytes: self.0.limit,
            }),
        }
    }

    /// Takes `bytes`, waiting for others to give theirs back, until `timeout` or cancellation.
    ///
    /// A request larger than the whole budget fails at once: it could never be met.
    pub fn acquire(&self, bytes: u64, timeout: Duration, cancel: &CancelToken) -> Result<BudgetPermit> {
        if bytes > self.0.limit {
            return Err(Error::Memory { kind: self.0.kind, needed_bytes: bytes, limit_bytes: self.0.limit });
        }
        let asked = Instant::now();
        loop {
            cancel.check()?;
            if let Ok(permit) = self.try_acquire(bytes) {
                return Ok(permit);
            }
            // Not a point in time: the longest patience would lie behind the last one.
            let left = timeout.saturating_sub(asked.elapsed());
            if left.is_zero() {
                return Err(Error::Deadline {
                    what: format!("waiting for {bytes} bytes of {} memory", self.0.kind),
                    after: timeout,
                });
            }
            // Short slices, so that a cancellation is seen soon; a missed wake-up costs one slice.
            let guard = self.0.lock();
            drop(self.0.freed.wait_timeout(guard, left.min(Duration::from_millis(50))));
        }
    }
}

/// Bytes taken from a [`ByteBudget`]; given back on drop.
#[derive(Debug)]
pub struct BudgetPermit {
    budget: ByteBudget,
    bytes: u64,
}

impl BudgetPermit {
    /// Bytes held by this permit.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for BudgetPermit {
    fn drop(&mut self) {
        self.budget.0.lock().used -= self.bytes;
        self.budget.0.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_counted_and_returned() {
        let b = ByteBudget::new("host", 100);
        let p = b.try_acquire(60).expect("fits");
        assert!(matches!(b.try_acquire(50), Err(Error::Memory { needed_bytes: 110, limit_bytes: 100, .. })));
        drop(p);
        let _all = b.try_acquire(100).expect("fits again");
        assert_eq!((b.used(), b.peak()), (100, 100));
    }

    #[test]
    fn waiting_ends_when_bytes_come_back() {
        let b = ByteBudget::new("host", 10);
        let held = b.try_acquire(10).expect("fits");
        let other = b.clone();
        let waiter = std::thread::spawn(move || {
            other.acquire(5, Duration::from_secs(10), &CancelToken::new()).map(|p| p.bytes())
        });
        std::thread::sleep(Duration::from_millis(20));
        drop(held);
        assert_eq!(waiter.join().expect("no panic").expect("granted"), 5);
    }

    #[test]
    fn waiting_ends_at_the_deadline_on_cancel_and_on_the_impossible() {
        let b = ByteBudget::new("host", 10);
        let _held = b.try_acquire(10).expect("fits");
        let cancel = CancelToken::new();
        assert!(matches!(b.acquire(1, Duration::from_millis(5), &cancel), Err(Error::Deadline { .. })));
        assert!(matches!(b.acquire(11, Duration::from_secs(60), &cancel), Err(Error::Memory { .. })));
        cancel.cancel();
        assert!(matches!(b.acquire(1, Duration::from_secs(60), &cancel), Err(Error::Cancelled)));
    }

    #[test]
    fn the_longest_timeout_waits() {
        let b = ByteBudget::new("host", 10);
        let held = b.try_acquire(10).expect("fits");
        let other = b.clone();
        let waiter =
            std::thread::spawn(move || other.acquire(5, Duration::MAX, &CancelToken::new()).map(|p| p.bytes()));
        std::thread::sleep(Duration::from_millis(20));
        drop(held);
        assert_eq!(waiter.join().expect("no panic").expect("granted"), 5);
    }
}
