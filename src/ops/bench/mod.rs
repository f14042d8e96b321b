//! Benchmarks of operations: one way of measuring for `cargo bench` and `frameloom bench`.
//!
//! The cases, one file an operation, lie in `benches/ops/`. A run measures the ceilings of the adapter first, verifies what each case
//! computes before it is timed, and takes the samples of the cases of an operation in turns, so that a disturbance of the
//! machine hits all of them alike.

mod ceilings;
mod peer;
mod report;

use std::time::Instant;

use crate::core::{Size, Work};
use crate::error::{Error, Result};
use crate::gpu::{AdapterClass, GpuContext, Profile, Recorder, WGPU_VERSION};
use crate::ops::OPS;

pub use ceilings::Ceilings;
pub use peer::{Peer, PeerRow};
pub use report::{BenchReport, BenchRow, BenchWarning, Bound, Timing};

/// Bytes that inputs rotate over on a GPU, so that its caches do not hold them.
const ROTATION_BYTES: u64 = 64 << 20;

/// What to run and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchOptions {
    /// Only operations whose name contains this.
    pub filter: Option<String>,
    /// Tiny pictures and two samples: whether everything runs, not how fast.
    pub small: bool,
    /// Samples per case, at least 1.
    pub samples: u32,
    /// Commit to name in the report.
    pub commit: Option<String>,
}

impl Default for BenchOptions {
    fn default() -> Self {
        Self { filter: None, small: false, samples: 25, commit: None }
    }
}

/// The cases of one operation.
#[derive(Debug, Clone, Copy)]
pub struct CaseSet {
    /// Name of the operation.
    pub op: &'static str,
    /// Makes the cases: allocates, compiles, uploads.
    pub cases: fn(&Bench<'_>) -> Result<Vec<Case>>,
}

/// What a case set is made for.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    ctx: &'a GpuContext,
    small: bool,
}

type Record = Box<dyn FnMut(&mut Recorder<'_>, usize) -> Result<()>>;
type Verify = Box<dyn Fn(&GpuContext) -> Result<bool>>;

/// One thing to time.
pub struct Case {
    /// Kernel variant and parameters, where an operation has several; else empty.
    pub variant: String,
    /// What the pictures show.
    pub content: String,
    /// Pixel format and size.
    pub input: String,
    /// Frames per dispatch.
    pub batch: u32,
    /// Least work for one frame.
    pub work: Work,
    /// Records the batch; the number counts up, and chooses among the inputs that rotate.
    pub record: Record,
    /// Whether the results of input 0 are right; called after it ran once, before anything is timed.
    pub verify: Verify,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} x{}", self.variant, self.content, self.input, self.batch)
    }
}

impl<'a> Bench<'a> {
    /// The device.
    pub fn ctx(&self) -> &'a GpuContext {
        self.ctx
    }

    /// Picture size: 1920x1080, or 160x90 in small mode.
    pub fn size(&self) -> Size {
        if self.small { Size::new(160, 90) } else { Size::new(1920, 1080) }
    }

    /// Frames per dispatch worth timing on this class of adapter.
    pub fn batches(&self) -> &'static [u32] {
        match (self.small, self.ctx.caps().class) {
            (true, _) => &[2],
            (false, AdapterClass::Cpu) => &[1, 8],
            (false, AdapterClass::Gpu) => &[32],
        }
    }

    /// Batches of `batch_bytes` that inputs should rotate over.
    pub fn rotation(&self, batch_bytes: u64) -> u32 {
        if self.small {
            return 2;
        }
        match self.ctx.caps().class {
            AdapterClass::Cpu => 1,
            AdapterClass::Gpu => u32::try_from(ROTATION_BYTES.div_ceil(batch_bytes.max(1))).unwrap_or(u32::MAX),
        }
    }
}

/// Measures the ceilings and then every case of `sets` that the filter lets through, each again in turns with `peer` where that can do
/// the same; `progress` hears the name of each operation.
///
/// # Errors
/// What a case returns; `Bug` when a case computes something wrong; `Usage` when the filter matches nothing.
pub fn run(
    ctx: &GpuContext,
    options: &BenchOptions,
    sets: &[CaseSet],
    mut peer: Option<&mut dyn Peer>,
    progress: &mut dyn FnMut(&str),
) -> Result<BenchReport> {
    if let Some(op) = OPS.iter().find(|op| !sets.iter().any(|s| s.op == op.name)) {
        return Err(Error::Bug(format!("{} has no benchmark", op.name)));
    }
    let chosen: Vec<&CaseSet> =
        sets.iter().filter(|s| options.filter.as_ref().is_none_or(|f| s.op.contains(f.as_str()))).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = sets.iter().map(|s| s.op).collect();
        let filter = options.filter.as_deref().unwrap_or_default();
        return Err(Error::usage(format!("no benchmark matches `{filter}`; there are {}", names.join(", "))));
    }
    let samples = if options.small { 2 } else { options.samples.max(1) };
    let bench = Bench { ctx, small: options.small };
    let load_before = load_average();
    progress("ceilings");
    let ceilings = Ceilings::measure(ctx, options.small, samples)?;
    let mut rows = Vec::new();
    let mut peer_rows = Vec::new();
    for set in chosen {
        progress(set.op);
        let mut cases = (set.cases)(&bench)?;
        for case in &mut cases {
            warm_up(ctx, set.op, case)?;
        }
        let mut stopwatch = Stopwatch::new(ctx)?;
        let mut times = vec![Vec::with_capacity(samples as usize); cases.len()];
        for sample in 0..samples as usize {
            for (case, times) in cases.iter_mut().zip(&mut times) {
                times.push(stopwatch.time(ctx, |rec| (case.record)(rec, sample))?);
            }
        }
        for (case, times) in cases.iter().zip(times) {
            rows.push(BenchRow::new(ctx, set.op, case, times, stopwatch.timing(), &ceilings));
        }
        if let Some(peer) = peer.as_deref_mut() {
            for case in &mut cases {
                peer_rows.extend(peer::compare(ctx, peer, set.op, case, samples as usize)?);
            }
        }
        drop(cases);
        ctx.pool().trim();
    }
    let caps = ctx.caps();
    let load_after = load_average();
    let mut report = BenchReport {
        adapter: caps.name.clone(),
        kind: caps.kind,
        driver: caps.driver.clone(),
        backend: caps.backend.clone(),
        class: caps.class,
        wgpu_version: WGPU_VERSION,
        crate_version: env!("CARGO_PKG_VERSION"),
        commit: options.commit.clone(),
        small: options.small,
        load_average: [load_before, load_after],
        ceilings,
        rows,
        peer: peer.map(|p| p.describe()),
        peer_rows,
        warnings: Vec::new(),
    };
    report.warnings = report.find_warnings();
    Ok(report)
}

fn warm_up(ctx: &GpuContext, op: &str, case: &mut Case) -> Result<()> {
    let mut rec = Recorder::new(ctx, op);
    (case.record)(&mut rec, 0)?;
    rec.run()?;
    if (case.verify)(ctx)? {
        return Ok(());
    }
    Err(Error::Bug(format!("{op} computes something wrong, so it was not timed: {case:?}")))
}

/// Times submissions: by timestamps of their dispatches where the device has them, else by the clock.
pub(super) struct Stopwatch {
    profile: Option<Profile>,
}

impl Stopwatch {
    pub(super) fn new(ctx: &GpuContext) -> Result<Self> {
        Ok(Self { profile: Profile::new(ctx)? })
    }

    pub(super) fn timing(&self) -> Timing {
        if self.profile.is_some() { Timing::DeviceTimestamps } else { Timing::WallClock }
    }

    /// Nanoseconds and number of dispatches of what `record` records.
    pub(super) fn time(
        &mut self,
        ctx: &GpuContext,
        record: impl FnOnce(&mut Recorder<'_>) -> Result<()>,
    ) -> Result<(u64, u32)> {
        let Some(profile) = self.profile.as_mut() else {
            let mut rec = Recorder::new(ctx, "bench");
            record(&mut rec)?;
            let dispatches = rec.dispatches();
            let start = Instant::now();
            rec.run()?;
            return Ok((u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX), dispatches));
        };
        let mut rec = Recorder::new(ctx, "bench").with_profile(profile);
        record(&mut rec)?;
        let dispatches = rec.dispatches();
        rec.run()?;
        let entries = profile.take(ctx)?;
        if entries.len() != dispatches as usize {
            return Err(Error::Bug(format!("{dispatches} dispatches, {} of them timed", entries.len())));
        }
        Ok((entries.iter().map(|e| e.nanos).sum(), dispatches))
    }
}

/// Processes that ran or waited to run in the last minute, on average; `None` where the system does not say.
fn load_average() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
