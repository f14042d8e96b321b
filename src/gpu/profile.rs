//! Device-side timing of dispatches by timestamp queries. Query sets are scarce, so one profile has room for a fixed number.

use super::context::GpuContext;
use super::recorder::wait;
use crate::error::{Error, GpuError, Result};

const CAPACITY: u32 = 256;

/// Time of one dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileEntry {
    /// Kernel name.
    pub label: &'static str,
    /// Nanoseconds on the device.
    pub nanos: u64,
}

/// Room for the timestamps of up to 128 dispatches of one submission.
#[derive(Debug)]
pub struct Profile {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readable: wgpu::Buffer,
    labels: Vec<&'static str>,
}

impl Profile {
    /// A profile, or `None` where the device has no timestamps.
    pub fn new(ctx: &GpuContext) -> Result<Option<Self>> {
        if !ctx.caps().timestamps {
            return Ok(None);
        }
        ctx.scoped("profile", |device| {
            let size = u64::from(CAPACITY) * 8;
            let buffer = |usage| {
                device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("profile"),
                    size,
                    usage,
                    mapped_at_creation: false,
                })
            };
            Some(Self {
                set: device.create_query_set(&wgpu::QuerySetDescriptor {
                    label: Some("profile"),
                    ty: wgpu::QueryType::Timestamp,
                    count: CAPACITY,
                }),
                resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
                readable: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
                labels: Vec::new(),
            })
        })
    }

    /// Claims two queries for a dispatch; `None` when the profile is full.
    pub(super) fn begin(&mut self, label: &'static str) -> Option<(wgpu::QuerySet, u32)> {
        let first = u32::try_from(self.labels.len()).ok()? * 2;
        if first + 2 > CAPACITY {
            return None;
        }
        self.labels.push(label);
        Some((self.set.clone(), first))
    }

    pub(super) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        let count = self.labels.len() as u32 * 2;
        if count > 0 {
            encoder.resolve_query_set(&self.set, 0..count, &self.resolved, 0);
            encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.readable, 0, Some(u64::from(count) * 8));
        }
    }

    /// Waits for the newest submission and returns the times of its dispatches in order; the profile is empty afterwards.
    pub fn take(&mut self, ctx: &GpuContext) -> Result<Vec<ProfileEntry>> {
        if self.labels.is_empty() {
            return Ok(Vec::new());
        }
        let (done, mapped) = crossbeam_channel::bounded(1);
        self.readable.slice(..).map_async(wgpu::MapMode::Read, move |r| {
            let _ = done.send(r.is_ok()); // the receiver outlives the wait below
        });
        wait(ctx, None, "profile")?;
        // The work is done, but the callback may be in the hands of another thread that polls the same device, and come a little later.
        if mapped.recv_timeout(ctx.timeout()) != Ok(true) {
            ctx.check()?;
            return Err(Error::Gpu(GpuError::Internal("the profile could not be read".into())));
        }
        let period = f64::from(ctx.queue().get_timestamp_period());
        let view = self
            .readable
            .get_mapped_range(..)
            .map_err(|e| Error::Gpu(GpuError::Internal(format!("the profile could not be read: {e}"))))?;
        let ticks: Vec<u64> =
            view.chunks_exact(8).map(|c| c.iter().rev().fold(0u64, |v, b| v << 8 | u64::from(*b))).collect();
        drop(view);
        self.readable.unmap();
        let entries = self.labels.drain(..).zip(ticks.chunks_exact(2)).map(|(label, pair)| {
            let span = match pair {
                [a, b] => b.saturating_sub(*a),
                _ => 0,
            };
            ProfileEntry { label, nanos: (span as f64 * period) as u64 }
        });
        Ok(entries.collect())
    }
}
