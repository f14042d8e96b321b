//! Boxes of pictures to rows that an index takes, whatever the model gives: a vector, or a map that is pooled over a grid.

use super::model::{PictureModel, Prepared, whole};
use super::stage::TensorStageOptions;
use crate::core::{ColorSpec, GridPooling, Size};
use crate::error::{Error, Result};
use crate::gpu::{BufferUse, GpuBuffer, GpuContext, Recorder};
use crate::infer::tasks::embed::{Embedder, FeatureMap};
use crate::infer::{ModelEntry, TensorModel};
use crate::ops::resize::crop_resize::CropBox;
use crate::ops::resize::warp_affine::Warp;
use crate::ops::tensor::grid_pool::{GridPoolParams, GridPoolPlan};
use crate::ops::tensor::l2_normalize::L2NormalizePlan;
use crate::ops::{FrameBatch, GpuRows};

/// What the manifest leaves open or the caller wants otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DescriptorOptions {
    /// Cells across and down, and what becomes of a cell, for a model that gives a map; `None`: what the manifest says.
    pub pooling: Option<(u32, GridPooling)>,
    /// Boxes that go through the model at once. Changes speed and memory, not the rows.
    pub largest: usize,
    /// How tensors are made.
    pub stage: TensorStageOptions,
}

impl Default for DescriptorOptions {
    fn default() -> Self {
        Self { pooling: None, largest: 16, stage: TensorStageOptions::default() }
    }
}

/// Rows of equal length, one behind the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Descriptors {
    /// Numbers of a row; 0 when there is none.
    pub dim: usize,
    /// All rows. Each has unit length; one of zeros stands for a box in which the model saw nothing that has a direction (zeros only, or
    /// numbers that are none or infinite).
    pub values: Vec<f32>,
}

impl Descriptors {
    /// The rows, in the order of the boxes.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.dim.max(1))
    }

    fn append(&mut self, dim: usize, rows: impl IntoIterator<Item = Vec<f32>>) -> Result<()> {
        if self.dim != 0 && self.dim != dim {
            return Err(Error::model("shape", format!("a model gave {dim} numbers a picture after {}", self.dim)));
        }
        self.dim = dim;
        self.values.extend(rows.into_iter().flatten());
        Ok(())
    }
}

/// A model that describes pictures, with all that lies between frames in GPU memory and rows on the host:
/// `resize/crop_resize` or `resize/warp_affine`, the network, for maps `tensor/grid_pool` and `tensor/l2_normalize`.
#[derive(Debug)]
pub struct DescriptorModel<M: TensorModel> {
    net: PictureModel<M>,
    adapter: Embedder,
    pooler: Option<Pooler>,
}

impl<M: TensorModel> DescriptorModel<M> {
    /// For a model of task `embed` or `reid`.
    ///
    /// # Errors
    /// [`Error::Model`] as [`Embedder::new`] and [`PictureModel::new`]; cause `decoder` for a pooling of a model that gives vectors.
    pub fn new(ctx: &GpuContext, model: M, entry: &ModelEntry, options: DescriptorOptions) -> Result<Self> {
        let adapter = Embedder::of_any(entry, model.inputs(), model.outputs())?;
        let pooling = match (adapter.pooling(), options.pooling) {
            (None, None) => None,
            (None, Some(_)) => {
                let text = format!("`{}` gives a vector: there is nothing to pool over a grid", entry.name);
                return Err(Error::model("decoder", text));
            }
            (Some(listed), wanted) => Some(wanted.unwrap_or(listed)),
        };
        let adapter = pooling.map_or(adapter.clone(), |p| adapter.with_pooling(p));
        let pooler = pooling.map(|(grid, pooling)| Pooler { ctx: ctx.clone(), grid, pooling, planned: None });
        let picture = entry.picture.clone().unwrap_or_default();
        let net = PictureModel::new(ctx, model, &picture, options.largest, options.stage)?;
        Ok(Self { net, adapter, pooler })
    }

    /// Numbers of a row; `None` when the model leaves it open until it has run.
    pub fn dim(&self) -> Option<usize> {
        self.adapter.dim()
    }

    /// The model with its stage: its statistics, its size.
    pub fn net(&self) -> &PictureModel<M> {
        &self.net
    }

    /// A row for each of `boxes`, all of pictures of `src`, whose code values `color` explains.
    ///
    /// # Errors
    /// [`Error::Model`] of the model or of what it gives; [`Error::Parameter`] for boxes that cannot be cut out and grids finer than the
    /// map; the device.
    pub fn describe(&mut self, src: &dyn FrameBatch, color: ColorSpec, boxes: &[CropBox]) -> Result<Descriptors> {
        let prepared = self.net.submit(src, color, boxes)?;
        self.finish(prepared)
    }

    /// The same for the first `count` pictures as a whole.
    ///
    /// # Errors
    /// As [`Self::describe`].
    pub fn describe_whole(&mut self, src: &dyn FrameBatch, color: ColorSpec, count: u32) -> Result<Descriptors> {
        self.describe(src, color, &whole(src, count))
    }

    /// The same for what `warps` bring to pictures of `src`: aligned faces.
    ///
    /// # Errors
    /// As [`Self::describe`].
    pub fn describe_warps(&mut self, src: &dyn FrameBatch, color: ColorSpec, warps: &[Warp]) -> Result<Descriptors> {
        let prepared = self.net.submit_warps(src, color, warps)?;
        self.finish(prepared)
    }

    /// Starts making tensors without waiting; [`Self::finish`] gives their rows. Whoever wants speed prepares the next boxes before the
    /// model works on these.
    ///
    /// # Errors
    /// As [`PictureModel::submit`].
    pub fn submit(&mut self, src: &dyn FrameBatch, color: ColorSpec, boxes: &[CropBox]) -> Result<Prepared> {
        self.net.submit(src, color, boxes)
    }

    /// Waits for the tensors, runs the model, gives the rows.
    ///
    /// # Errors
    /// As [`Self::describe`].
    pub fn finish(&mut self, prepared: Prepared) -> Result<Descriptors> {
        let (adapter, pooler) = (&self.adapter, &mut self.pooler);
        let mut found = Descriptors { dim: adapter.dim().unwrap_or(0), values: Vec::new() };
        self.net.finish(prepared, &[], |run| {
            let count = run.places.len();
            if let Some(pooler) = pooler {
                let (dim, values) = pooler.pool(&adapter.feature_map(&run.outputs, count)?)?;
                return found.append(dim, [values]);
            }
            let vectors = adapter.decode(&run.outputs, count)?;
            let dim = vectors.iter().flatten().map(Vec::len).next().or(adapter.dim()).unwrap_or(0);
            found.append(dim, vectors.into_iter().map(|v| v.unwrap_or_else(|| vec![0.0; dim])))
        })?;
        Ok(found)
    }
}

/// Maps to rows; plans itself anew when the shape of the maps changes.
#[derive(Debug)]
struct Pooler {
    ctx: GpuContext,
    grid: u32,
    pooling: GridPooling,
    planned: Option<Planned>,
}

/// Plans for maps of one shape, and buffers for as many as came at once.
#[derive(Debug)]
struct Planned {
    shape: (u32, Size),
    pool: GridPoolPlan,
    unit: L2NormalizePlan,
    room: Option<(GpuBuffer, GpuRows, GpuRows)>,
}

impl Pooler {
    /// The rows of all maps, and the length of one.
    fn pool(&mut self, map: &FeatureMap<'_>) -> Result<(usize, Vec<f32>)> {
        let ctx = &self.ctx;
        let shape = (map.channels, map.size);
        if self.planned.as_ref().is_none_or(|p| p.shape != shape) {
            let params =
                GridPoolParams { channels: map.channels, size: map.size, grid: self.grid, pooling: self.pooling };
            let pool = GridPoolPlan::new(ctx, params)?;
            let unit = L2NormalizePlan::new(ctx, pool.output())?;
            self.planned = Some(Planned { shape, pool, unit, room: None });
        }
        let planned = self.planned.as_mut().ok_or_else(|| Error::Bug("a pooler without a plan".into()))?;
        let layout = *planned.pool.output();
        let dim = layout.dim as usize;
        let count = u32::try_from(map.batch).unwrap_or(u32::MAX);
        if count == 0 {
            return Ok((dim, Vec::new()));
        }
        let bytes: &[u8] = bytemuck::cast_slice(&map.data);
        if planned.room.as_ref().is_none_or(|(_, rows, _)| rows.rows() < count) {
            planned.room = None;
            let maps = GpuBuffer::new(ctx, "feature maps", bytes.len() as u64, BufferUse::Storage)?;
            let rows = || GpuRows::new(ctx, "descriptors", layout, count);
            planned.room = Some((maps, rows()?, rows()?));
        }
        let Some((maps, pooled, rows)) = &planned.room else {
            return Err(Error::Bug("a pooler without buffers".into()));
        };
        maps.write(ctx, 0, bytes)?;
        let mut rec = Recorder::new(ctx, "descriptors");
        planned.pool.bind(ctx, (maps, 0, count), pooled, 0)?.record(&mut rec, count);
        planned.unit.bind(ctx, pooled, 0, rows, 0)?.record(&mut rec, count);
        rec.run()?;
        let mut values = rows.read(ctx, count)?;
        for row in values.chunks_exact_mut(dim) {
            // A network that gives numbers that are none says nothing about the box.
            if !row.iter().all(|v| v.is_finite()) {
                row.fill(0.0);
            }
        }
        Ok((dim, values))
    }
}
