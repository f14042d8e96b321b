//! Buffers with a purpose, pooled by size and counted against a budget.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wgpu::BufferUsages;

use super::context::GpuContext;
use crate::core::{BudgetPermit, ByteBudget};
use crate::error::{Error, GpuError, Result};

/// What a buffer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BufferUse {
    /// Read and written by kernels, copied from and to.
    Storage,
    /// Parameters, written once.
    Uniform,
    /// Written by the host, copied to a storage buffer.
    Upload,
    /// Written by the host and read by kernels in place (software and unified-memory adapters).
    MappedStorage,
    /// Copied to, then read by the host.
    Readback,
}

impl BufferUse {
    fn usages(self) -> BufferUsages {
        match self {
            Self::Storage => BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST,
            Self::Uniform => BufferUsages::UNIFORM | BufferUsages::COPY_DST,
            Self::Upload => BufferUsages::MAP_WRITE | BufferUsages::COPY_SRC,
            Self::MappedStorage => {
                BufferUsages::MAP_WRITE | BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST
            }
            Self::Readback => BufferUsages::MAP_READ | BufferUsages::COPY_DST,
        }
    }
}

/// Byte counts of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolStats {
    /// Bytes of buffers in use.
    pub in_use_bytes: u64,
    /// Bytes of buffers waiting to be used again.
    pub idle_bytes: u64,
    /// Most bytes ever held, in use and idle together.
    pub peak_bytes: u64,
    /// Buffers created so far.
    pub created: u64,
    /// Requests served by a buffer that existed already.
    pub reused: u64,
}

type Key = (BufferUse, u64);

#[derive(Debug, Default)]
struct PoolState {
    idle: HashMap<Key, Vec<(wgpu::Buffer, BudgetPermit)>>,
    stats: PoolStats,
}

/// Keeps buffers for reuse. A buffer returns to it when its last clone is dropped.
#[derive(Debug, Clone)]
pub struct BufferPool {
    state: Arc<Mutex<PoolState>>,
    budget: ByteBudget,
    host: Option<ByteBudget>,
}

impl BufferPool {
    /// Buffers of the device come out of `budget`, and so do those in memory of the host unless they have their own.
    pub(super) fn new(budget: ByteBudget, host: Option<ByteBudget>) -> Self {
        Self { state: Arc::default(), budget, host }
    }

    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Byte counts.
    pub fn stats(&self) -> PoolStats {
        self.lock().stats
    }

    /// The budget of the memory that kernels work in. On software adapters, and on those that share memory with the host, that is the
    /// budget of the host.
    pub fn budget(&self) -> &ByteBudget {
        &self.budget
    }

    /// The budget of the host: buffers that the host writes and reads, and whatever else its owner takes from it.
    pub fn host_budget(&self) -> &ByteBudget {
        self.host.as_ref().unwrap_or(&self.budget)
    }

    /// Whether the two budgets are different ones.
    pub fn counts_host_apart(&self) -> bool {
        self.host.is_some()
    }

    fn budget_of(&self, usage: BufferUse) -> &ByteBudget {
        if matches!(usage, BufferUse::Upload | BufferUse::Readback) { self.host_budget() } else { &self.budget }
    }

    /// Takes `bytes` from the budget of the host at once, for memory that is no buffer. Idle buffers are freed where that makes room.
    ///
    /// # Errors
    /// [`Error::Memory`] when the budget does not allow it.
    pub fn acquire_host(&self, bytes: u64) -> Result<BudgetPermit> {
        self.acquire(self.host_budget(), bytes)
    }

    /// Takes `bytes` from one of the two budgets; idle buffers, which count as used there, make room.
    fn acquire(&self, budget: &ByteBudget, bytes: u64) -> Result<BudgetPermit> {
        budget.try_acquire(bytes).or_else(|_| {
            self.trim();
            budget.try_acquire(bytes)
        })
    }

    /// Frees all idle buffers.
    pub fn trim(&self) {
        let mut state = self.lock();
        state.idle.clear();
        state.stats.idle_bytes = 0;
    }
}

#[derive(Debug)]
struct Owned {
    buffer: wgpu::Buffer,
    permit: Option<BudgetPermit>,
    key: Key,
    pool: BufferPool,
}

impl Drop for Owned {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        state.stats.in_use_bytes -= self.key.1;
        // A mapped buffer cannot be told apart from outside, so only buffers that are never mapped are kept.
        if matches!(self.key.0, BufferUse::Storage)
            && let Some(permit) = self.permit.take()
        {
            state.stats.idle_bytes += self.key.1;
            state.idle.entry(self.key).or_default().push((self.buffer.clone(), permit));
        }
    }
}

/// A buffer on the device. Clones share it.
#[derive(Debug, Clone)]
pub struct GpuBuffer(Arc<Owned>);

/// Size classes: multiples of 256 bytes up to 64 KiB, then 1/8 steps between powers of two.
fn size_class(bytes: u64) -> u64 {
    let step = if bytes <= 65_536 { 256 } else { (bytes.next_power_of_two() / 16).max(256) };
    bytes.max(4).div_ceil(step) * step
}

impl GpuBuffer {
    /// A buffer of at least `size_bytes`, from the pool or new. Pooled contents are left from the last use: clear what must be zero.
    ///
    /// # Errors
    /// [`Error::Memory`] when the budget does not allow it, `GpuError::Unsupported` above the device's limit, `OutOfMemory`.
    pub fn new(ctx: &GpuContext, label: &str, size_bytes: u64, usage: BufferUse) -> Result<Self> {
        // Pooled storage buffers are rounded up to a size class unless that would leave the limit of one binding.
        let mut size = size_bytes.max(4).div_ceil(4) * 4;
        if usage == BufferUse::Storage && size_class(size) <= ctx.caps().max_binding_bytes {
            size = size_class(size);
        }
        if size > ctx.caps().max_buffer_bytes {
            return Err(Error::Gpu(GpuError::Unsupported {
                adapter: ctx.caps().name.clone(),
                needed: format!("a buffer of {size} bytes for {label} (the limit is {})", ctx.caps().max_buffer_bytes),
            }));
        }
        let pool = ctx.pool().clone();
        let key = (usage, size);
        let reused = {
            let mut state = pool.lock();
            let hit = state.idle.get_mut(&key).and_then(Vec::pop);
            if hit.is_some() {
                state.stats.idle_bytes -= size;
                state.stats.reused += 1;
            }
            hit
        };
        let (buffer, permit) = match reused {
            Some(hit) => hit,
            None => {
                let permit = pool.acquire(pool.budget_of(usage), size)?;
                let buffer = ctx.scoped(label, |device| {
                    device.create_buffer(&wgpu::BufferDescriptor {
                        label: Some(label),
                        size,
                        usage: usage.usages(),
                        mapped_at_creation: false,
                    })
                })?;
                pool.lock().stats.created += 1;
                (buffer, permit)
            }
        };
        let mut state = pool.lock();
        state.stats.in_use_bytes += size;
        state.stats.peak_bytes = state.stats.peak_bytes.max(state.stats.in_use_bytes + state.stats.idle_bytes);
        drop(state);
        Ok(Self(Arc::new(Owned { buffer, permit: Some(permit), key, pool })))
    }

    /// A storage buffer that holds `data`.
    pub fn with_data(ctx: &GpuContext, label: &str, data: &[u8]) -> Result<Self> {
        let buffer = Self::new(ctx, label, data.len() as u64, BufferUse::Storage)?;
        buffer.write(ctx, 0, data)?;
        Ok(buffer)
    }

    /// A uniform buffer that holds `value`.
    pub fn uniform<T: bytemuck::Pod>(ctx: &GpuContext, label: &str, value: &T) -> Result<Self> {
        let bytes = bytemuck::bytes_of(value);
        let buffer = Self::new(ctx, label, bytes.len().next_multiple_of(16) as u64, BufferUse::Uniform)?;
        buffer.write(ctx, 0, bytes)?;
        Ok(buffer)
    }

    /// Copies `data` to `offset_bytes` before the next submission. For small data; frames go through the upload ring.
    /// The offset must be a multiple of 4; a length that is not is padded with zeros up to the end of the word.
    pub fn write(&self, ctx: &GpuContext, offset_bytes: u64, data: &[u8]) -> Result<()> {
        let whole = data.len() / 4 * 4;
        let (head, tail) = data.split_at_checked(whole).unwrap_or((data, &[]));
        ctx.scoped("write_buffer", |_| {
            if !head.is_empty() {
                ctx.queue().write_buffer(self.raw(), offset_bytes, head);
            }
            if !tail.is_empty() {
                let mut last = [0u8; 4];
                for (to, from) in last.iter_mut().zip(tail) {
                    *to = *from;
                }
                ctx.queue().write_buffer(self.raw(), offset_bytes + whole as u64, &last);
            }
        })
    }

    /// Size in bytes; at least what was asked for.
    pub fn size_bytes(&self) -> u64 {
        self.0.key.1
    }

    /// The wgpu buffer.
    pub fn raw(&self) -> &wgpu::Buffer {
        &self.0.buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_hold_what_is_asked_and_waste_little() {
        for bytes in [1, 255, 256, 257, 65_536, 65_537, 3_110_400, 24_883_200] {
            let class = size_class(bytes);
            assert!(
                class >= bytes && class.is_multiple_of(256) && class <= bytes + 256 + bytes / 7,
                "{bytes} -> {class}"
            );
        }
    }
}
