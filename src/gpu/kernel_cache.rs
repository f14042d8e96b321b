//! Kernels of this crate that a device compiled already: a plan for another size or batch usually needs the same ones.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::kernel::Kernel;

/// Most kernels kept. A host that plans for ever new constants (a long-running service) starts afresh behind it.
const MOST: usize = 512;

/// What makes a compiled kernel: name, entry point, constants with the bits of their values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct KernelKey {
    name: &'static str,
    entry: String,
    constants: Vec<(String, u64)>,
}

impl KernelKey {
    pub(super) fn new(name: &'static str, entry: &str, constants: &[(&str, f64)]) -> Self {
        let mut constants: Vec<_> = constants.iter().map(|(n, v)| ((*n).to_owned(), v.to_bits())).collect();
        constants.sort();
        Self { name, entry: entry.to_owned(), constants }
    }
}

/// Compiled kernels of one device.
#[derive(Debug, Default)]
pub(super) struct KernelCache(Mutex<HashMap<KernelKey, Kernel>>);

impl KernelCache {
    pub(super) fn get(&self, key: &KernelKey) -> Option<Kernel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(super) fn put(&self, key: KernelKey, kernel: &Kernel) {
        let mut kernels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kernels.len() >= MOST {
            kernels.clear();
        }
        kernels.insert(key, kernel.clone());
    }
}
