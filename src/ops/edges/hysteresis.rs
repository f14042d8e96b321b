//! `edges/hysteresis`: strong pixels grow along weak ones, to the end.
//!
//! | | |
//! |---|---|
//! | input | two [`BitPlanes`] of the same sizes: weak and strong; a strong pixel counts as weak |
//! | output | the strong planes, in place: every weak pixel that an 8-connected way of weak pixels joins to a strong one |
//! | border | pixels outside are neither |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for planes of different numbers or sizes, larger than planned, or in one buffer |
//! | source | Canny 1986; union-find after Jayanti, Tarjan 2016 and Allegretti, Bolelli, Grana 2020 |
//!
//! Recorded once, it is complete, whatever the shapes: a fixed number of sweeps settles ordinary pictures, each resting where
//! nothing changes any more; what spirals and long diagonals leave over is joined by a union-find in one pass. The steps of that pass
//! are bounded, far above what trees of logarithmic height need; [`HysteresisStatus`] tells if one was cut short nevertheless.

use super::bit_planes::BitPlanes;
use crate::core::{Exactness, FrameLayout, Size, Work};
use crate::error::{Error, Result};
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::passes::words;
use crate::ops::{MAX_SIDE, OpInfo, Passes, Record, gpu_params, grid, plan_error};

const NAME: &str = "edges/hysteresis";
/// Bytes of status per plane.
const STATUS: u64 = 8;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "strong pixels grow along weak ones, 8-connected, to the end",
    input: "two bit planes: weak, strong",
    output: "bit plane of the weak pixels joined to a strong one",
    params: &[],
    border: "none outside",
    exactness: Exactness::Exact,
    reason: "bits; union-find joins the same blocks in any order",
    source: "Canny 1986; Jayanti, Tarjan 2016; Allegretti et al. 2020",
    entries: &["sweep", "nodes", "link", "settle"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n / 4, bytes_written: n / 8, ops: n }
}

gpu_params! {
    struct Uniform {
        round: u32,
        last: u32,
        tiles: u32,
    }
}

/// A planned `edges/hysteresis`.
#[derive(Debug, Clone)]
pub struct HysteresisPlan {
    sweep: Kernel,
    union: [Kernel; 3],
    largest: Size,
    tiles: u32,
    rounds: u32,
    sweep_groups: [u32; 2],
    union_groups: [u32; 2],
}

/// Tells whether a batch was settled completely.
#[derive(Debug, Clone)]
pub struct HysteresisStatus {
    buffer: GpuBuffer,
    planes: u32,
}

/// A plan bound to planes.
#[derive(Debug, Clone)]
pub struct HysteresisBound {
    passes: Passes,
    status: HysteresisStatus,
}

impl HysteresisPlan {
    /// Plans for planes whose sides are at most those of `largest`.
    pub fn new(ctx: &GpuContext, largest: Size) -> Result<Self> {
        // A CPU adapter has few invocations at a time: tall tiles, many cheap sweeps. A GPU wants many tiles, and its union-find is fast.
        let sweeps = match ctx.caps().class {
            AdapterClass::Cpu => 8,
            AdapterClass::Gpu => 4,
        };
        Self::with_sweeps(ctx, largest, sweeps)
    }

    /// As [`Self::new`] with `sweeps`, rounded up to an even number from 2 to 64; the fewer, the more is left to the union-find. Results are
    /// the same for any number: it shifts work, for content that is known to be all noise, or all long lines.
    pub fn with_sweeps(ctx: &GpuContext, largest: Size, sweeps: u32) -> Result<Self> {
        if largest.is_empty() || largest.width.max(largest.height) > MAX_SIDE {
            return Err(plan_error(NAME, "largest", format!("sides from 1 to {MAX_SIDE}"), largest));
        }
        let (workgroup, rows, pairs) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 64u32, 8u32),
            AdapterClass::Gpu => (64, 16, 1),
        };
        let kernel = |entry: &str| {
            let constants = [("WG", f64::from(workgroup)), ("ROWS", f64::from(rows)), ("PAIRS", f64::from(pairs))];
            Kernel::new(ctx, NAME, entry, &constants)
        };
        let columns = largest.width.div_ceil(128);
        let tiles = columns * largest.height.div_ceil(rows);
        let spans = u64::from(columns) * 4 * u64::from(largest.height.div_ceil(2).div_ceil(pairs));
        Ok(Self {
            sweep: kernel("sweep")?,
            union: [kernel("nodes")?, kernel("link")?, kernel("settle")?],
            largest,
            tiles,
            // Even, so that the last sweep writes the caller's plane.
            rounds: sweeps.clamp(2, 64).next_multiple_of(2),
            sweep_groups: grid(ctx, NAME, u64::from(tiles), workgroup)?,
            union_groups: grid(ctx, NAME, spans, workgroup)?,
        })
    }

    /// Binds planes; `strong` is grown in place.
    pub fn bind(&self, ctx: &GpuContext, weak: &BitPlanes, strong: &BitPlanes) -> Result<HysteresisBound> {
        if weak.buffer().raw() == strong.buffer().raw() {
            return Err(plan_error(NAME, "strong", "another buffer than the weak planes", "the same"));
        }
        let same = weak.slots() == strong.slots() && weak.sizes().eq(strong.sizes());
        if !same {
            return Err(plan_error(NAME, "strong", "as many planes of the same sizes as weak ones", strong.slots()));
        }
        let may = self.largest;
        if let Some(size) = weak.sizes().find(|s| s.width > may.width || s.height > may.height) {
            return Err(plan_error(NAME, "weak", format!("at most {may}"), size));
        }
        let count = weak.slots();
        let table = weak.table(ctx, NAME)?;
        let turn = GpuBuffer::new(ctx, NAME, strong.buffer().size_bytes(), BufferUse::Storage)?;
        let tiles = GpuBuffer::new(ctx, NAME, u64::from(self.tiles) * 8 * u64::from(count), BufferUse::Storage)?;
        let nodes = GpuBuffer::new(ctx, NAME, weak.nodes() * 4, BufferUse::Storage)?;
        let status = GpuBuffer::new(ctx, NAME, STATUS * u64::from(count), BufferUse::Storage)?;
        let planes = [strong.buffer(), &turn];
        let mut passes = Passes::new(count).clear(&status, STATUS);
        for round in 0..self.rounds {
            let last = u32::from(round + 1 == self.rounds);
            let params = Uniform { round, last, tiles: self.tiles }.upload(ctx, NAME)?;
            let [old, new] = if round % 2 == 0 { planes } else { [planes[1], planes[0]] };
            let bind = self.sweep.bind(
                ctx,
                &[
                    ("params", &params),
                    ("src_weak", weak.buffer()),
                    ("src_strong", old),
                    ("src_sides", old),
                    ("dst_strong", new),
                    ("src_pictures", &table),
                    ("dst_tiles", &tiles),
                    ("dst_status", &status),
                ],
            )?;
            passes = passes.run(&self.sweep, bind, self.sweep_groups);
        }
        let buffers = [
            ("src_pictures", &table),
            ("dst_nodes", &nodes),
            ("dst_status", &status),
            ("src_weak_words", weak.buffer()),
            ("src_sides", strong.buffer()),
            ("dst_words", strong.buffer()),
        ];
        for kernel in &self.union {
            let uses = |name: &str| kernel.interface().bindings.iter().any(|b| b.name == name);
            let wanted: Vec<_> = buffers.into_iter().filter(|(name, _)| uses(name)).collect();
            passes = passes.run(kernel, kernel.bind(ctx, &wanted)?, self.union_groups);
        }
        Ok(HysteresisBound { passes, status: HysteresisStatus { buffer: status, planes: count } })
    }
}

impl HysteresisStatus {
    /// Waits, and tells whether every plane was settled when it was recorded last. `false` means that an invocation of the union-find
    /// spent its budget of 24,576 steps: the planes may lack pixels, and recording `edges/hysteresis` again continues.
    pub fn complete(&self, ctx: &GpuContext) -> Result<bool> {
        Ok(self.words(ctx)?.chunks_exact(2).all(|plane| plane.last() == Some(&0)))
    }

    /// Waits, and counts the planes that sweeps alone did not settle when they were recorded last.
    pub fn left_to_union_find(&self, ctx: &GpuContext) -> Result<usize> {
        Ok(self.words(ctx)?.chunks_exact(2).filter(|plane| plane.first() != Some(&0)).count())
    }

    /// Of the first `planes` only, where fewer were recorded than bound.
    #[must_use]
    pub(crate) fn first(&self, planes: u32) -> Self {
        Self { buffer: self.buffer.clone(), planes: planes.min(self.planes) }
    }

    /// An error unless the planes are complete.
    pub(crate) fn check(&self, ctx: &GpuContext) -> Result<()> {
        if self.complete(ctx)? {
            return Ok(());
        }
        Err(Error::Bug(format!("{NAME}: the union-find spent its budget of steps before it was done")))
    }

    fn words(&self, ctx: &GpuContext) -> Result<Vec<u32>> {
        Ok(words(&self.buffer.read(ctx, STATUS * u64::from(self.planes))?).collect())
    }
}

impl HysteresisBound {
    /// The recorded steps.
    pub(crate) fn passes(&self) -> &Passes {
        &self.passes
    }

    /// Tells whether the planes are complete.
    pub fn status(&self) -> &HysteresisStatus {
        &self.status
    }
}

impl Record for HysteresisBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.passes.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.passes.capacity()
    }
}

/// Grows the planes of `strong` along those of `weak`, at once: waits until they are complete. For scripts and tests; streams keep a
/// bound plan.
pub fn hysteresis(ctx: &GpuContext, weak: &BitPlanes, strong: &BitPlanes) -> Result<()> {
    let largest = weak.sizes().fold(Size::new(0, 0), |a, b| Size::new(a.width.max(b.width), a.height.max(b.height)));
    let bound = HysteresisPlan::new(ctx, largest)?.bind(ctx, weak, strong)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, bound.capacity());
    rec.run()?;
    bound.status.check(ctx)
}
