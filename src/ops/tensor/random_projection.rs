//! `tensor/random_projection`: rows multiplied with a matrix of normal random numbers, `y = R x`.
//!
//! | | |
//! |---|---|
//! | input | [`GpuRows`] of `inputs` f32 |
//! | matrix | [`Projection`]: `outputs` rows of N(0, 1) / sqrt(outputs) from a seed, or rows of the caller's; f32, or f16 on the device |
//! | output | rows of `outputs` f32 |
//! | border | none |
//! | exactness | within `2^-24 * (inputs + 4) * sum_i |R_ji x_i|` of the f64 reference on the same matrix (f16: rounded to nearest even) |
//! | determinism | the same bits on the same class of adapter: sums in a fixed order |
//! | errors | `Parameter` for rows of other lengths or types, empty matrices, the input's own buffer as output |
//! | source | Johnson, Lindenstrauss 1984; Mersenne Twister and Marsaglia's polar method as numpy's `RandomState` |
//!
//! A software adapter is no place for matrix products: there [`Projection::project_on_host`] takes about a quarter of the kernel's time,
//! which is why this one host path exists. It is a choice: nothing falls back to it by itself.

use crate::core::{Exactness, FrameLayout, Work, projection_matrix};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, GpuContext, Kernel, Recorder};
use crate::ops::{GpuRows, OpInfo, ParamDoc, Record, RowSample, RowsLayout, check_rows, gpu_params, plan_error};

const NAME: &str = "tensor/random_projection";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "rows multiplied with a matrix of normal random numbers",
    input: "rows of f32",
    output: "rows of f32, one number for each row of the matrix",
    params: &[
        ParamDoc { name: "seed", range: "u32", meaning: "which matrix" },
        ParamDoc { name: "outputs", range: "1..=65536", meaning: "rows of the matrix: numbers of a result" },
        ParamDoc { name: "inputs", range: "1..=65536", meaning: "numbers of a source row" },
        ParamDoc { name: "sample", range: "f32 | f16", meaning: "type of the matrix on the device" },
    ],
    border: "none",
    exactness: Exactness::Abs(6e-8),
    reason: "2^-24 for each of inputs + 4 roundings, in units of the sum of |R_ji x_i|",
    source: "Johnson, Lindenstrauss 1984; MT19937 and polar method as numpy RandomState",
    entries: &["main_lanes", "main_tiles"],
    fields: Uniform::FIELDS,
    work,
};

/// For one row of 8192 numbers to 256.
fn work(_: &FrameLayout) -> Work {
    Work { bytes_read: 8192 * 4 + 8192 * 256 * 4, bytes_written: 256 * 4, ops: 2 * 8192 * 256 }
}

gpu_params! {
    struct Uniform {
        steps: u32,
        stride: u32,
        row_stride: u32,
        rows: u32,
        columns: u32,
        padded: u32,
        base: u32,
        dst_base: u32,
        dst_stride: u32,
    }
}

/// A matrix, on the host and in GPU memory.
#[derive(Debug, Clone)]
pub struct Projection {
    host: std::sync::Arc<[f32]>,
    device: GpuRows,
}

impl Projection {
    /// `outputs` rows of `inputs` numbers from N(0, 1) / sqrt(outputs), see [`projection_matrix`]; in GPU memory as `sample`. Made on the
    /// host: once for many batches.
    pub fn gaussian(ctx: &GpuContext, seed: u32, outputs: u32, inputs: u32, sample: RowSample) -> Result<Self> {
        let most = RowsLayout::MAX_DIM;
        if outputs == 0 || outputs > most {
            return Err(plan_error(NAME, "outputs", format!("1 to {most}"), outputs));
        }
        let layout = RowsLayout::new(sample, inputs)?;
        Self::from_rows(ctx, &projection_matrix(seed, outputs, inputs), layout)
    }

    /// Any other matrix: rows of `layout.dim` numbers, one behind the other.
    pub fn from_rows(ctx: &GpuContext, matrix: &[f32], layout: RowsLayout) -> Result<Self> {
        let dim = layout.dim as usize;
        if matrix.is_empty() || !matrix.len().is_multiple_of(dim) || matrix.len() / dim > RowsLayout::MAX_DIM as usize {
            let wanted = format!("1 to {} rows of {dim} numbers", RowsLayout::MAX_DIM);
            return Err(plan_error(NAME, "matrix", wanted, format!("{} numbers", matrix.len())));
        }
        Ok(Self { device: GpuRows::from_host(ctx, NAME, layout, matrix)?, host: matrix.into() })
    }

    /// Numbers of a source row.
    pub fn inputs(&self) -> u32 {
        self.device.layout().dim
    }

    /// Numbers of a result.
    pub fn outputs(&self) -> u32 {
        self.device.rows()
    }

    /// The rows of the matrix in f32.
    pub fn matrix(&self) -> &[f32] {
        &self.host
    }

    /// The product on the host, in f32 with the matrix as it was before any rounding to f16; threads of the caller's. For software
    /// adapters.
    ///
    /// # Errors
    /// `Parameter` when `rows` is no multiple of the inputs.
    pub fn project_on_host(&self, rows: &[f32], threads: usize) -> Result<Vec<f32>> {
        let (inputs, outputs) = (self.inputs() as usize, self.outputs() as usize);
        if !rows.len().is_multiple_of(inputs) {
            return Err(plan_error(NAME, "input", format!("rows of {inputs}"), format!("{} numbers", rows.len())));
        }
        let mut out = vec![0.0; rows.len() / inputs * outputs];
        // A share of the columns for each thread: the whole matrix is read once, whatever the number of rows.
        let share = outputs.div_ceil(threads.max(1)).next_multiple_of(4);
        let parts: Vec<Vec<f32>> = std::thread::scope(|scope| {
            let part = |matrix| move || host::product(rows, matrix, inputs);
            let handles: Vec<_> = self.host.chunks(share * inputs).map(|matrix| scope.spawn(part(matrix))).collect();
            handles.into_iter().map(|h| h.join().unwrap_or_default()).collect()
        });
        let mut first = 0;
        for part in parts {
            let columns = part.len() * inputs / rows.len().max(1);
            for (to, row) in out.chunks_exact_mut(outputs).zip(part.chunks_exact(columns.max(1))) {
                for (to, from) in to.iter_mut().skip(first).zip(row) {
                    *to = *from;
                }
            }
            first += columns;
        }
        Ok(out)
    }
}

mod host {
    const LANES: usize = 8;

    /// Sums of products of two rows against four, in lanes that the compiler turns into vectors.
    fn two_by_four(a: [&[f32]; 2], b: [&[f32]; 4]) -> [[f32; 4]; 2] {
        let mut sums = [[[0.0f32; LANES]; 4]; 2];
        let [a0, a1] = a.map(|r| r.as_chunks::<LANES>());
        let [b0, b1, b2, b3] = b.map(|r| r.as_chunks::<LANES>());
        let columns = b0.0.iter().zip(b1.0).zip(b2.0).zip(b3.0);
        for ((x, y), (((p, q), r), s)) in a0.0.iter().zip(a1.0).zip(columns) {
            for (sums, v) in sums.iter_mut().zip([x, y]) {
                for (sum, w) in sums.iter_mut().zip([p, q, r, s]) {
                    for ((t, v), w) in sum.iter_mut().zip(v).zip(w) {
                        *t += v * w;
                    }
                }
            }
        }
        let mut out = sums.map(|s| s.map(|lanes| lanes.iter().sum::<f32>()));
        for (out, a) in out.iter_mut().zip([a0.1, a1.1]) {
            for (out, b) in out.iter_mut().zip([b0.1, b1.1, b2.1, b3.1]) {
                *out += a.iter().zip(b).map(|(v, w)| v * w).sum::<f32>();
            }
        }
        out
    }

    /// `rows` x transpose of `matrix`, both of `dim` numbers a row; rows of the result tight.
    pub(super) fn product(rows: &[f32], matrix: &[f32], dim: usize) -> Vec<f32> {
        let (count, columns) = (rows.len() / dim, matrix.len() / dim);
        let mut out = vec![0.0; count * columns];
        let mut targets: Vec<&mut [f32]> = out.chunks_exact_mut(columns).collect();
        for (block, four) in matrix.chunks(4 * dim).enumerate() {
            let row = |i: usize| four.get(i * dim..(i + 1) * dim).or(four.get(..dim)).unwrap_or_default();
            let b = [row(0), row(1), row(2), row(3)];
            for (two, targets) in rows.chunks(2 * dim).zip(targets.chunks_mut(2)) {
                let first = two.get(..dim).unwrap_or_default();
                let a = [first, two.get(dim..2 * dim).unwrap_or(first)];
                for (target, sums) in targets.iter_mut().zip(two_by_four(a, b)) {
                    for (to, sum) in target.iter_mut().skip(4 * block).zip(sums) {
                        *to = sum;
                    }
                }
            }
        }
        out
    }
}

/// A planned `tensor/random_projection` with one matrix.
#[derive(Debug, Clone)]
pub struct RandomProjectionPlan {
    kernel: Kernel,
    matrix: GpuRows,
    input: RowsLayout,
    output: RowsLayout,
    /// Rows and columns of a workgroup.
    tile: [u32; 2],
}

/// A plan bound to rows.
#[derive(Debug, Clone)]
pub struct RandomProjectionBound {
    kernel: Kernel,
    bind: BindGroup,
    rows: GpuRows,
    tile_rows: u32,
    column_groups: u32,
    capacity: u32,
}

impl RandomProjectionPlan {
    /// Plans products with `projection`.
    pub fn new(ctx: &GpuContext, projection: &Projection) -> Result<Self> {
        Self::for_class(ctx, projection, ctx.caps().class)
    }

    /// Plans with the kernel variant meant for adapters of `class`. Both run everywhere, within the same distance of the reference: this
    /// exists so that tests and benchmarks can compare them.
    pub fn for_class(ctx: &GpuContext, projection: &Projection, class: AdapterClass) -> Result<Self> {
        let matrix = projection.device.clone();
        let input = RowsLayout::new(RowSample::F32, projection.inputs())?;
        let output = RowsLayout::new(RowSample::F32, projection.outputs())?;
        let half = f64::from(u8::from(matrix.layout().sample == RowSample::F16));
        let (kernel, tile) = match class {
            AdapterClass::Cpu => {
                let constants = [("WG", 8.0), ("HALF", half)];
                (Kernel::new(ctx, NAME, "main_lanes", &constants)?, [4, 32])
            }
            AdapterClass::Gpu => (Kernel::new(ctx, NAME, "main_tiles", &[("HALF", half)])?, [64, 64]),
        };
        Ok(Self { kernel, matrix, input, output, tile })
    }

    /// Layout of the rows it makes.
    pub fn output(&self) -> &RowsLayout {
        &self.output
    }

    /// Binds the rows of `src` from `first` on to results in `dst` from row `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &GpuRows,
        first: u32,
        dst: &GpuRows,
        dst_first: u32,
    ) -> Result<RandomProjectionBound> {
        check_rows(NAME, "input", &self.input, src)?;
        check_rows(NAME, "output", &self.output, dst)?;
        if src.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(NAME, "output", "another buffer than the input", "the same"));
        }
        let [tile_rows, tile_columns] = self.tile;
        let capacity = src.rows().saturating_sub(first).min(dst.rows().saturating_sub(dst_first));
        let limit = ctx.caps().max_workgroups.saturating_mul(tile_rows);
        if capacity == 0 || capacity > limit {
            return Err(plan_error(NAME, "rows", format!("1 to {limit}"), capacity));
        }
        let padded = self.output.groups4() * 4;
        let uniform = Uniform {
            steps: self.input.groups4(),
            stride: self.input.stride4(),
            row_stride: self.matrix.layout().stride4(),
            rows: capacity,
            columns: self.output.dim,
            padded,
            base: first * self.input.stride4(),
            dst_base: dst_first * self.output.stride4(),
            dst_stride: self.output.stride4(),
        };
        let params = uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(
            ctx,
            &[("params", &params), ("src", src.buffer()), ("src_rows", self.matrix.buffer()), ("dst", dst.buffer())],
        )?;
        let column_groups = padded.div_ceil(tile_columns);
        Ok(RandomProjectionBound {
            kernel: self.kernel.clone(),
            bind,
            rows: dst.clone(),
            tile_rows,
            column_groups,
            capacity,
        })
    }
}

impl RandomProjectionBound {
    /// Records the products of the first `count` bound rows. They are made in groups of 4 (software adapters) or 64: the other bound
    /// rows of the last group are made too.
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let groups = count.min(self.capacity).div_ceil(self.tile_rows);
        rec.dispatch(&self.kernel, &self.bind, [self.column_groups, groups, 1]);
    }

    /// Rows that are bound.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Where the results lie.
    pub fn rows(&self) -> &GpuRows {
        &self.rows
    }
}

impl Record for RandomProjectionBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        Self::record(self, rec, count);
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

/// Projects all rows of `src` at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn random_projection(ctx: &GpuContext, src: &GpuRows, projection: &Projection) -> Result<GpuRows> {
    let plan = RandomProjectionPlan::new(ctx, projection)?;
    let dst = GpuRows::new(ctx, NAME, *plan.output(), src.rows())?;
    let bound = plan.bind(ctx, src, 0, &dst, 0)?;
    let mut rec = Recorder::new(ctx, NAME);
    bound.record(&mut rec, bound.capacity());
    rec.run()?;
    Ok(dst)
}
