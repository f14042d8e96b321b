//! What the adapter can do at best, measured by the simplest kernels there are.

use std::time::Instant;

use super::Stopwatch;
use crate::error::{Error, Result};
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};

const NAME: &str = "bench/ceilings";
const WG: u64 = 64;
const STEPS: u64 = 8;

/// Bandwidths and fixed costs, medians of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ceilings {
    /// Bytes read and written together, per nanosecond (GB/s), by a copying kernel.
    pub copy_gb_per_s: f64,
    /// GB/s of a kernel that only reads.
    pub read_gb_per_s: f64,
    /// GB/s of a kernel that only writes.
    pub write_gb_per_s: f64,
    /// Microseconds of a dispatch that does nothing.
    pub empty_dispatch_us: f64,
    /// Microseconds on the clock from the submission of one such dispatch until the host knows that it is done.
    pub submit_and_wait_us: f64,
    /// Bytes of the buffers used.
    pub bytes: u64,
}

struct Stick {
    kernel: Kernel,
    bind: BindGroup,
    groups: u32,
}

impl Stick {
    fn new(ctx: &GpuContext, entry: &str, buffers: &[(&str, &GpuBuffer)], bytes: u64) -> Result<Self> {
        let kernel = Kernel::new(ctx, NAME, entry, &[("WG", WG as f64)])?;
        let bind = kernel.bind(ctx, buffers)?;
        let groups = u32::try_from((bytes / 16).div_ceil(WG * STEPS)).unwrap_or(u32::MAX);
        Ok(Self { kernel, bind, groups })
    }

    fn record(&self, rec: &mut Recorder<'_>) {
        rec.dispatch(&self.kernel, &self.bind, [self.groups, 1, 1]);
    }

    /// Median nanoseconds.
    fn time(&self, ctx: &GpuContext, watch: &mut Stopwatch, samples: u32) -> Result<u64> {
        let mut times = Vec::new();
        for _ in 0..=samples {
            times.push(watch.time(ctx, |rec| {
                self.record(rec);
                Ok(())
            })?);
        }
        // The first run pays for the first touch of memory.
        let mut times: Vec<u64> = times.into_iter().skip(1).map(|t| t.0).collect();
        Ok(median(&mut times))
    }
}

pub(super) fn median(times: &mut [u64]) -> u64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or(0)
}

impl Ceilings {
    /// Measures them: 256 MiB on a GPU, 64 MiB on a software adapter, 1 MiB in small mode.
    pub fn measure(ctx: &GpuContext, small: bool, samples: u32) -> Result<Self> {
        let bytes: u64 = match (small, ctx.caps().class) {
            (true, _) => 1 << 20,
            (false, AdapterClass::Cpu) => 64 << 20,
            (false, AdapterClass::Gpu) => 256 << 20,
        };
        let src = GpuBuffer::new(ctx, NAME, bytes, BufferUse::Storage)?;
        let dst = GpuBuffer::new(ctx, NAME, bytes, BufferUse::Storage)?;
        let word = 0x0102_0304u32.to_le_bytes();
        src.write(ctx, 0, &word.repeat(usize::try_from(bytes / 4).unwrap_or(0)))?;
        let both: [(&str, &GpuBuffer); 2] = [("src_words", &src), ("dst_words", &dst)];
        let only: [(&str, &GpuBuffer); 1] = [("dst_words", &dst)];
        let copy = Stick::new(ctx, "copy_words", &both, bytes)?;
        let read = Stick::new(ctx, "read_words", &both, bytes)?;
        let write = Stick::new(ctx, "write_words", &only, bytes)?;
        let nothing = Stick { groups: 1, ..Stick::new(ctx, "nothing", &only, bytes)? };

        let mut watch = Stopwatch::new(ctx)?;
        let rate = |moved: u64, nanos: u64| if nanos == 0 { 0.0 } else { moved as f64 / nanos as f64 };
        let copy_gb_per_s = rate(2 * bytes, copy.time(ctx, &mut watch, samples)?);
        let mut end = dst.read(ctx, bytes)?;
        if end.split_off(end.len().saturating_sub(4)) != word {
            return Err(Error::Bug("the copying kernel does not copy".into()));
        }
        let read_gb_per_s = rate(bytes, read.time(ctx, &mut watch, samples)?);
        let write_gb_per_s = rate(bytes, write.time(ctx, &mut watch, samples)?);
        let empty = nothing.time(ctx, &mut watch, samples)?;
        let mut waits = Vec::new();
        for _ in 0..=samples {
            let mut rec = Recorder::new(ctx, NAME);
            nothing.record(&mut rec);
            let start = Instant::now();
            rec.run()?;
            waits.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        }
        Ok(Self {
            copy_gb_per_s,
            read_gb_per_s,
            write_gb_per_s,
            empty_dispatch_us: empty as f64 / 1e3,
            submit_and_wait_us: median(&mut waits) as f64 / 1e3,
            bytes,
        })
    }
}
