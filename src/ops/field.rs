//! Scalar fields: what operations on heat read, be it the luma of pictures or a map.

use super::batch::{BatchShape, FrameBatch, PictureTable};
use super::frames::GpuFrames;
use super::maps::{GpuMaps, MapLayout, MapSample, check_maps};
use super::params::plan_error;
use crate::core::{FrameLayout, Size};
use crate::error::Result;
use crate::gpu::{BufferUse, GpuBuffer, GpuContext};
use std::sync::Arc;

/// What a plan for a scalar field is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldShape {
    /// The 8-bit luma of pictures.
    Pictures(BatchShape),
    /// Maps of `u32` or `f32`.
    Maps(MapLayout),
}

/// A scalar field per picture or per map.
#[derive(Debug, Clone, Copy)]
pub enum Field<'a> {
    /// The 8-bit luma of pictures.
    Pictures(&'a dyn FrameBatch),
    /// Maps of `u32` or `f32`.
    Maps(&'a GpuMaps),
}

impl FieldShape {
    /// Size of a field; for pictures of different sizes the largest width with the largest height.
    pub const fn size(&self) -> Size {
        match self {
            Self::Pictures(shape) => shape.largest().size,
            Self::Maps(layout) => layout.size,
        }
    }

    /// The override `KIND` of `common/field`, or the error of `op` about it.
    pub(crate) fn kind(&self, op: &'static str) -> Result<u32> {
        match self {
            Self::Pictures(shape) => {
                let format = shape.largest().format;
                if !format.has_luma() || format.sample_bytes() != 1 {
                    return Err(plan_error(op, "input", "8-bit luma, or a map of u32 or f32", format));
                }
                Ok(0)
            }
            Self::Maps(layout) => match layout.sample {
                MapSample::U32 => Ok(1),
                MapSample::F32 => Ok(2),
                other => Err(plan_error(op, "input", "8-bit luma, or a map of u32 or f32", other)),
            },
        }
    }

    /// The size, where all fields have the same.
    pub(crate) fn uniform(&self, op: &'static str) -> Result<Size> {
        match self {
            Self::Pictures(shape) => Ok(shape.uniform(op)?.size),
            Self::Maps(layout) => Ok(layout.size),
        }
    }
}

impl From<&FrameLayout> for FieldShape {
    fn from(layout: &FrameLayout) -> Self {
        Self::Pictures(layout.into())
    }
}

impl From<BatchShape> for FieldShape {
    fn from(shape: BatchShape) -> Self {
        Self::Pictures(shape)
    }
}

impl From<&MapLayout> for FieldShape {
    fn from(layout: &MapLayout) -> Self {
        Self::Maps(*layout)
    }
}

impl<'a> From<&'a GpuFrames> for Field<'a> {
    fn from(frames: &'a GpuFrames) -> Self {
        Self::Pictures(frames)
    }
}

impl<'a> From<&'a dyn FrameBatch> for Field<'a> {
    fn from(frames: &'a dyn FrameBatch) -> Self {
        Self::Pictures(frames)
    }
}

impl<'a> From<&'a GpuMaps> for Field<'a> {
    fn from(maps: &'a GpuMaps) -> Self {
        Self::Maps(maps)
    }
}

impl<'a> Field<'a> {
    /// The shape to plan for.
    ///
    /// # Errors
    /// `Parameter` for a batch without pictures.
    pub fn shape(&self) -> Result<FieldShape> {
        Ok(match self {
            Self::Pictures(batch) => FieldShape::Pictures(BatchShape::of(*batch)?),
            Self::Maps(maps) => FieldShape::Maps(*maps.layout()),
        })
    }

    /// Number of fields there is room for.
    pub fn slots(&self) -> u32 {
        match self {
            Self::Pictures(batch) => batch.slots(),
            Self::Maps(maps) => maps.slots(),
        }
    }

    /// The buffer.
    pub fn buffer(&self) -> &'a GpuBuffer {
        match self {
            Self::Pictures(batch) => batch.buffer(),
            Self::Maps(maps) => maps.buffer(),
        }
    }
}

/// Where fields lie, in the form of `common/pictures`.
#[derive(Debug, Clone)]
pub(crate) struct FieldTable {
    buffer: GpuBuffer,
    sizes: Arc<[Size]>,
}

impl FieldTable {
    /// Checks `field` from slot `first` on against `shape` and uploads where it lies.
    pub(crate) fn new(
        ctx: &GpuContext,
        op: &'static str,
        name: &'static str,
        shape: &FieldShape,
        (field, first): (Field<'_>, u32),
    ) -> Result<Self> {
        match (shape, field) {
            (FieldShape::Pictures(shape), Field::Pictures(batch)) => {
                let table = PictureTable::new(ctx, op, name, shape, (batch, first))?;
                Ok(Self { buffer: table.buffer().clone(), sizes: Arc::clone(table.sizes()) })
            }
            (FieldShape::Maps(layout), Field::Maps(maps)) => Self::maps(ctx, op, name, layout, (maps, first)),
            (FieldShape::Pictures(_), _) => Err(plan_error(op, name, "pictures, as planned", "maps")),
            (FieldShape::Maps(_), _) => Err(plan_error(op, name, "maps, as planned", "pictures")),
        }
    }

    /// The same for maps of any type.
    pub(crate) fn maps(
        ctx: &GpuContext,
        op: &'static str,
        name: &'static str,
        layout: &MapLayout,
        (maps, first): (&GpuMaps, u32),
    ) -> Result<Self> {
        check_maps(op, name, layout, maps)?;
        if first >= maps.slots() {
            return Err(plan_error(op, "first", format!("one of {} slots", maps.slots()), first));
        }
        let Size { width, height } = layout.size;
        // A binding is below 2^32 bytes.
        let place = |slot: u32| (u64::from(slot) * u64::from(layout.slot_bytes()) / 16) as u32;
        let bytes: Vec<u8> = (first..maps.slots())
            .flat_map(|slot| [place(slot), layout.stride_bytes() / 16, width, height, 0, 0, 0, 0])
            .flat_map(u32::to_le_bytes)
            .collect();
        let buffer = GpuBuffer::new(ctx, op, bytes.len() as u64, BufferUse::Storage)?;
        buffer.write(ctx, 0, &bytes)?;
        Ok(Self { buffer, sizes: vec![layout.size; (maps.slots() - first) as usize].into() })
    }

    /// The table: bind it as `src_pictures` or `out_pictures`.
    pub(crate) fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    /// Sizes of the fields.
    pub(crate) fn sizes(&self) -> &Arc<[Size]> {
        &self.sizes
    }

    /// Number of fields.
    pub(crate) fn len(&self) -> u32 {
        self.sizes.len() as u32
    }
}
