//! Device-side timing of dispatches by timestamp queries. Query sets have a limited size, so a profile is a list of them.

use super::context::GpuContext;
use super::recorder::wait;
use crate::error::{Error, GpuError, Result};

/// Queries of a set, two a dispatch.
const CAPACITY: u32 = 256;

/// Time of one dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProfileEntry {
    /// Kernel name.
    pub label: &'static str,
    /// Nanoseconds on the device.
    pub nanos: u64,
}

/// Room for the timestamps of the dispatches of one submission; grows when there are more than ever before.
#[derive(Debug)]
pub struct Profile {
    sets: Vec<Set>,
    labels: Vec<&'static str>,
}

/// Room for `CAPACITY` timestamps.
#[derive(Debug)]
struct Set {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readable: wgpu::Buffer,
}

impl Set {
    fn new(ctx: &GpuContext) -> Result<Self> {
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
            Self {
                queries: device.create_query_set(&wgpu::QuerySetDescriptor {
                    label: Some("profile"),
                    ty: wgpu::QueryType::Timestamp,
                    count: CAPACITY,
                }),
                resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
                readable: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            }
        })
    }
}

/// A profile in the hands of a recorder: the dispatches of one that is never submitted are forgotten.
#[derive(Debug)]
pub(super) struct Timed<'a> {
    profile: &'a mut Profile,
    /// Dispatches that were there before; `None` once the others were submitted, too.
    before: Option<usize>,
}

impl<'a> Timed<'a> {
    pub(super) fn new(profile: &'a mut Profile) -> Self {
        let before = Some(profile.labels.len());
        Self { profile, before }
    }

    pub(super) fn begin(&mut self, ctx: &GpuContext, label: &'static str) -> Result<(wgpu::QuerySet, u32)> {
        self.profile.begin(ctx, label)
    }

    pub(super) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        self.profile.resolve(encoder);
    }

    pub(super) fn keep(mut self) {
        self.before = None;
    }
}

impl Drop for Timed<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            self.profile.labels.truncate(before);
        }
    }
}

impl Profile {
    /// A profile, or `None` where the device has no timestamps.
    pub fn new(ctx: &GpuContext) -> Result<Option<Self>> {
        if !ctx.caps().timestamps {
            return Ok(None);
        }
        Ok(Some(Self { sets: vec![Set::new(ctx)?], labels: Vec::new() }))
    }

    /// Claims two queries of a set for a dispatch.
    fn begin(&mut self, ctx: &GpuContext, label: &'static str) -> Result<(wgpu::QuerySet, u32)> {
        let first = self.labels.len() * 2;
        let (index, query) = (first / CAPACITY as usize, (first % CAPACITY as usize) as u32);
        if index == self.sets.len() {
            self.sets.push(Set::new(ctx)?);
        }
        let set = self.sets.get(index).ok_or_else(|| Error::Bug("a gap in a profile".into()))?;
        self.labels.push(label);
        Ok((set.queries.clone(), query))
    }

    /// The sets in use, and how many of their queries are.
    fn used(&self) -> impl Iterator<Item = (&Set, u32)> {
        let queries = self.labels.len() * 2;
        let counts =
            (0..queries).step_by(CAPACITY as usize).map(move |at| (queries - at).min(CAPACITY as usize) as u32);
        self.sets.iter().zip(counts)
    }

    fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        for (set, count) in self.used() {
            encoder.resolve_query_set(&set.queries, 0..count, &set.resolved, 0);
            encoder.copy_buffer_to_buffer(&set.resolved, 0, &set.readable, 0, Some(u64::from(count) * 8));
        }
    }

    /// Waits for the newest submission and returns the times of its dispatches in order; the profile is empty afterwards.
    pub fn take(&mut self, ctx: &GpuContext) -> Result<Vec<ProfileEntry>> {
        if self.labels.is_empty() {
            return Ok(Vec::new());
        }
        let (done, mapped) = crossbeam_channel::unbounded();
        for (set, _) in self.used() {
            let done = done.clone();
            set.readable.slice(..).map_async(wgpu::MapMode::Read, move |r| {
                let _ = done.send(r.is_ok()); // the receiver outlives the wait below
            });
        }
        wait(ctx, None, "profile")?;
        let period = f64::from(ctx.queue().get_timestamp_period());
        let mut ticks: Vec<u64> = Vec::with_capacity(self.labels.len() * 2);
        // The work is done, but a callback may be in the hands of another thread that polls the same device, and come a little later.
        for _ in self.used() {
            if mapped.recv_timeout(ctx.timeout()) != Ok(true) {
                ctx.check()?;
                return Err(Error::Gpu(GpuError::Internal("the profile could not be read".into())));
            }
        }
        for (set, count) in self.used() {
            let view = set
                .readable
                .get_mapped_range(..)
                .map_err(|e| Error::Gpu(GpuError::Internal(format!("the profile could not be read: {e}"))))?;
            let numbers = view.chunks_exact(8).map(|c| c.iter().rev().fold(0u64, |v, b| v << 8 | u64::from(*b)));
            ticks.extend(numbers.take(count as usize));
            drop(view);
            set.readable.unmap();
        }
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
