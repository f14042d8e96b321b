//! What all decoders of one `Isolation` know together: running processes, and inputs that cost some.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A file by device and inode: another name for it is the same input.
pub(super) type InputKey = (u64, u64);

#[derive(Debug, Default)]
struct State {
    workers: BTreeSet<u32>,
    deaths: BTreeMap<InputKey, u32>,
}

#[derive(Debug, Default)]
pub(super) struct Registry(Mutex<State>);

impl Registry {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn workers(&self) -> Vec<u32> {
        self.lock().workers.iter().copied().collect()
    }

    pub(super) fn deaths(&self) -> u64 {
        self.lock().deaths.values().map(|n| u64::from(*n)).sum()
    }

    pub(super) fn started(&self, pid: u32) {
        self.lock().workers.insert(pid);
    }

    pub(super) fn ended(&self, pid: u32) {
        self.lock().workers.remove(&pid);
    }

    /// Processes that `input` has cost so far.
    pub(super) fn deaths_of(&self, input: InputKey) -> u32 {
        self.lock().deaths.get(&input).copied().unwrap_or(0)
    }

    /// Counts `by` more and gives the new number.
    pub(super) fn count_death(&self, input: InputKey, by: u32) -> u32 {
        let mut state = self.lock();
        let count = state.deaths.entry(input).or_default();
        *count = count.saturating_add(by);
        *count
    }
}
