//! `placement/window_scores`: how much heat each window holds, and which window is best.
//!
//! | | |
//! |---|---|
//! | input | tables of `placement/integral` over the five maps of `placement/cell_sums` with `Origin::Picture`, cells as [`Windows::grid`] cuts them; [`WindowSearch`] makes them from a heat map |
//! | output | [`WindowScore`] of the best window per orientation and frame; the scores of all windows in twentieths, as a map of 64-bit integers per frame and orientation |
//! | score | sum of the heat, times 0.85 where the heat-weighted centre of the active heat lies within `min(width / 6, height / 6)` of a side |
//! | ties | the first window, row by row, that is not below the largest score by more than `2^-20` of it (about `1e-6`) |
//! | border | windows lie inside the picture |
//! | exactness | exact; right where the heat of a window in units, times 20 and times its longer side, is below `2^64` |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for tables of another size or too few |
//! | source | summed-area tables of heat and its first moments |

use super::cell_sums::{Active, CellSumsParams, CellSumsPlan, Origin};
use super::integral::IntegralPlan;
use super::wide_layout;
use crate::core::{Exactness, FrameLayout, Places, Size, WindowScore, Windows, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{
    Field, FieldShape, FieldTable, GpuMaps, MapLayout, Measure, OpInfo, ParamDoc, Passes, Record, check_count,
    gpu_params, grid, plan_error, words,
};
use std::sync::Arc;

const NAME: &str = "placement/window_scores";
/// Words of results per frame and orientation.
const WORDS: u32 = 8;
/// Tables per frame: those of the five maps of `placement/cell_sums`.
const TABLES: u32 = 5;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "heat of all windows of a size through summed-area tables, and the best window per orientation",
    input: "five tables of u64 per frame, from placement/integral",
    output: "WindowScore per orientation; map of u64 scores in twentieths",
    params: &[ParamDoc {
        name: "windows",
        range: "within the picture",
        meaning: "size, step >= 1 px, rotation, places flush with the far edges",
    }],
    border: "windows lie inside",
    exactness: Exactness::Exact,
    reason: "64-bit integers; 0.85 is 17/20, the centre is compared without division",
    source: "summed-area tables of heat and its first moments",
    entries: &["scores", "low", "first", "pick"],
    fields: Uniform::FIELDS,
    work,
};

/// For windows at every eighth pixel.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area().div_ceil(64);
    Work { bytes_read: n * 40, bytes_written: n * 8, ops: n * 100 }
}

gpu_params! {
    struct Uniform {
        columns: u32,
        rows: u32,
        width: u32,
        height: u32,
        margin: u32,
        best: u32,
        stride: u32,
    }
}

/// Windows of one orientation.
#[derive(Debug, Clone)]
struct Orientation {
    uniform: Uniform,
    places: GpuBuffer,
    scores: MapLayout,
    groups: [u32; 2],
}

/// A planned `placement/window_scores`.
#[derive(Debug, Clone)]
pub struct WindowScoresPlan {
    kernels: [Kernel; 4],
    orientations: Vec<Orientation>,
    windows: Arc<Windows>,
    input: MapLayout,
}

/// A plan bound to tables.
#[derive(Debug, Clone)]
pub struct WindowScoresBound {
    measure: Measure<Vec<WindowScore>>,
    scores: Vec<GpuMaps>,
}

impl WindowScoresPlan {
    /// Plans for all of `windows`.
    pub fn new(ctx: &GpuContext, windows: &Windows) -> Result<Self> {
        let wg = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let kernel = |entry| Kernel::new(ctx, NAME, entry, &[("WG", f64::from(wg))]);
        let kernels = [kernel("scores")?, kernel("low")?, kernel("first")?, kernel("pick")?];
        let cells = windows.grid()?;
        let count = windows.places().len() as u32;
        let orientation = |(index, p): (u32, &Places)| {
            let Size { width, height } = p.window;
            let across = p.xs.iter().flat_map(|x| place(cells.xs(), *x, width));
            let down = p.ys.iter().flat_map(|y| place(cells.ys(), *y, height));
            let bytes: Vec<u8> = across.chain(down).flat_map(u32::to_le_bytes).collect();
            let places = GpuBuffer::new(ctx, NAME, bytes.len() as u64, BufferUse::Storage)?;
            places.write(ctx, 0, &bytes)?;
            let size = Size::new(p.xs.len() as u32, p.ys.len() as u32);
            let uniform = Uniform {
                columns: size.width,
                rows: size.height,
                width,
                height,
                margin: (width / 6).min(height / 6),
                best: index * WORDS,
                stride: count * WORDS,
            };
            Ok(Orientation { uniform, places, scores: wide_layout(size)?, groups: grid(ctx, NAME, p.count(), wg)? })
        };
        let orientations = (0..).zip(windows.places()).map(orientation).collect::<Result<Vec<_>>>()?;
        let cells = cells.cells();
        let input = wide_layout(Size::new(cells.width + 1, cells.height + 1))?;
        Ok(Self { kernels, orientations, windows: Arc::new(windows.clone()), input })
    }

    /// Layout of the tables that are read.
    pub fn input(&self) -> &MapLayout {
        &self.input
    }

    /// Binds `tables`, five a frame.
    pub fn bind(&self, ctx: &GpuContext, tables: &GpuMaps) -> Result<WindowScoresBound> {
        let table = FieldTable::maps(ctx, NAME, "input", &self.input, (tables, 0))?;
        let frames = table.len() / TABLES;
        if frames == 0 {
            return Err(plan_error(NAME, "input", format!("{TABLES} tables a frame"), table.len()));
        }
        check_count(ctx, NAME, "input", u64::from(frames))?;
        let frame_bytes = u64::from(WORDS) * 4 * self.orientations.len() as u64;
        let best = GpuBuffer::new(ctx, NAME, frame_bytes * u64::from(frames), BufferUse::Storage)?;
        let mut passes = Passes::new(frames).clear(&best, frame_bytes);
        let mut scores = Vec::new();
        for o in &self.orientations {
            let maps = GpuMaps::new(ctx, NAME, o.scores, frames)?;
            let out = FieldTable::maps(ctx, NAME, "output", &o.scores, (&maps, 0))?;
            let params = o.uniform.upload(ctx, NAME)?;
            let shared = [("params", &params), ("dst_best", &best)];
            let windows = [("src", tables.buffer()), ("src_pictures", table.buffer()), ("src_places", &o.places)];
            let result = [("dst_scores", maps.buffer()), ("out_pictures", out.buffer())];
            let [all, low, first, pick] = &self.kernels;
            passes = passes
                .run(all, all.bind(ctx, &[&shared[..], &windows, &result].concat())?, o.groups)
                .run(low, low.bind(ctx, &[&shared[..], &result].concat())?, o.groups)
                .run(first, first.bind(ctx, &[&shared[..], &result].concat())?, o.groups)
                .run(pick, pick.bind(ctx, &[&shared[..], &windows].concat())?, [1, 1]);
            scores.push(maps);
        }
        let windows = Arc::clone(&self.windows);
        let sizes: Arc<[Size]> = vec![self.windows.frame(); frames as usize].into();
        let decode = move |bytes: &[u8], _: Size| decode(bytes, &windows);
        Ok(WindowScoresBound { measure: Measure::new(passes, (&best, frame_bytes), &sizes, decode), scores })
    }
}

/// Cells at which a window of `side` pixels from `start` on begins and ends.
fn place(cuts: &[u32], start: u32, side: u32) -> [u32; 4] {
    let cell = |at: u32| cuts.partition_point(|c| *c < at) as u32;
    [cell(start), cell(start + side), start, 0]
}

fn decode(bytes: &[u8], windows: &Windows) -> Vec<WindowScore> {
    let results = bytes.chunks_exact(WORDS as usize * 4).zip(windows.places());
    let score = |(result, p): (&[u8], &Places)| {
        let w: Vec<u32> = words(result).collect();
        let [_, _, index, centred, low, high, ..] = *w else { return None };
        let sum = u64::from(low) | u64::from(high) << 32;
        Some(WindowScore { rect: p.rect(!index as usize)?, turned: p.turned, sum, centred: centred != 0 })
    };
    results.filter_map(score).collect()
}

impl WindowScoresBound {
    /// The best windows: a list per frame, one per orientation; [`WindowScore::best`] chooses among them.
    pub fn best(&self) -> &Measure<Vec<WindowScore>> {
        &self.measure
    }

    /// Scores of all windows in twentieths, as maps of 64-bit integers: per orientation a map a frame.
    pub fn scores(&self) -> &[GpuMaps] {
        &self.scores
    }
}

impl Record for WindowScoresBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.measure.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.measure.capacity()
    }
}

/// From heat maps to the best windows: cell sums, their tables and the scores, with the maps between.
#[derive(Debug, Clone)]
pub struct WindowSearch {
    cells: Passes,
    tables: Passes,
    windows: WindowScoresBound,
}

impl WindowSearch {
    /// Plans and binds everything for the fields of `heat` from its beginning on, of the size of the frame of `windows`. A value is
    /// active above `threshold`; `f32` values are summed with `fraction_bits` binary places (31 for values 0..=1).
    pub fn new<'a>(
        ctx: &GpuContext,
        heat: impl Into<Field<'a>>,
        windows: &Windows,
        threshold: f64,
        fraction_bits: u32,
    ) -> Result<Self> {
        let heat = heat.into();
        let active = Some(Active { threshold, origin: Origin::Picture });
        let params = CellSumsParams { cells: windows.grid()?, fraction_bits, active };
        let shape: FieldShape = heat.shape()?;
        let cells = CellSumsPlan::new(ctx, shape, &params)?;
        let integral = IntegralPlan::of_wide(ctx, cells.output(), TABLES)?;
        let sums = GpuMaps::new(ctx, NAME, *cells.output(), heat.slots() * TABLES)?;
        let tables = GpuMaps::new(ctx, NAME, *integral.output(), heat.slots() * TABLES)?;
        Ok(Self {
            cells: cells.bind(ctx, heat, 0, &sums)?,
            tables: integral.bind(ctx, &sums, 0, &tables)?,
            windows: WindowScoresPlan::new(ctx, windows)?.bind(ctx, &tables)?,
        })
    }

    /// The last step and its results.
    pub fn windows(&self) -> &WindowScoresBound {
        &self.windows
    }

    /// Searches in all maps, waits, and reads the best windows: a list per frame, one per orientation.
    pub fn run(&self, ctx: &GpuContext) -> Result<Vec<Vec<WindowScore>>> {
        let mut rec = Recorder::new(ctx, NAME);
        self.record(&mut rec, self.capacity());
        rec.run()?;
        let best = self.windows.best();
        Ok(best.decode(&best.results().read(ctx, best.frame_bytes() * u64::from(best.capacity()))?))
    }
}

impl Record for WindowSearch {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.cells.record(rec, count);
        self.tables.record(rec, count);
        self.windows.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.windows.capacity()
    }
}
