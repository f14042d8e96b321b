//! Planes and channels as resizing sees them.

use crate::core::{FrameLayout, PixelFormat, Size};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::{
    BatchShape, FrameBatch, GpuFrames, MAX_SIDE, PictureTable, check_count, check_layout, check_sides, plan_error,
};

/// A plane of a frame, and which of its interleaved channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaneSelect {
    /// Plane number, from 0.
    pub plane: usize,
    /// One channel of interleaved ones (U, V: 0, 1; R, G, B, A: 0 to 3), or all of them.
    pub channel: Option<u32>,
}

impl PlaneSelect {
    /// All channels of the first plane: luma, grey or packed RGBA.
    pub const FIRST: Self = Self { plane: 0, channel: None };

    /// All channels of a plane.
    pub const fn plane(plane: usize) -> Self {
        Self { plane, channel: None }
    }

    /// Component 0, 1, 2 (Y, U, V) or 0 to 3 (R, G, B, A) of `format`, wherever it lies; `None` if there is no such component.
    pub fn component(format: PixelFormat, component: u32) -> Option<Self> {
        let (plane, channel) = match (format, component) {
            (PixelFormat::Rgba8, c @ 0..=3) => (0, Some(c)),
            (PixelFormat::Rgba8, _) => return None,
            (f, c @ 1..=2) if f.semi_planar() => (1, Some(c - 1)),
            (_, c) => (c as usize, None),
        };
        (plane < format.plane_count()).then_some(Self { plane, channel })
    }
}

/// Channels interleaved in a plane.
fn channels_of(format: PixelFormat, plane: usize) -> u32 {
    match (format, plane) {
        (PixelFormat::Rgba8, _) => 4,
        (f, 1) if f.semi_planar() => 2,
        _ => 1,
    }
}

/// A selection resolved against a layout. Offsets in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) offset: u32,
    pub(super) stride: u32,
    plane: u32,
    /// In pixels of the plane.
    pub(super) size: Size,
    /// Channels that take part.
    pub(super) channels: u32,
    /// Bytes from a sample to the next of its channel.
    span: u32,
    /// Right shift to the first selected sample of a group, reduced to 8 bits.
    shift: u32,
    /// Bits from channel to channel.
    step: u32,
}

impl View {
    fn new(op: &'static str, name: &'static str, layout: &FrameLayout, select: PlaneSelect) -> Result<Self> {
        check_sides(op, name, layout)?;
        let format = layout.format;
        let Some(plane) = layout.planes().get(select.plane) else {
            let wanted = format!("a plane of {format}, 0 to {}", format.plane_count() - 1);
            return Err(plan_error(op, name, wanted, select.plane));
        };
        let all = channels_of(format, select.plane);
        let first = select.channel.unwrap_or(0);
        if first >= all {
            let wanted = format!("a channel of plane {} of {format}, 0 to {}", select.plane, all - 1);
            return Err(plan_error(op, name, wanted, first));
        }
        let bytes = plane.shape.sample_bytes;
        Ok(Self {
            offset: plane.offset,
            stride: plane.stride,
            // At most 2.
            plane: select.plane as u32,
            size: Size::new(plane.shape.samples / all, plane.shape.rows),
            channels: if select.channel.is_some() { 1 } else { all },
            span: all * bytes,
            shift: format.shift_to_8bit() + first * 8 * bytes,
            step: 8 * bytes,
        })
    }

    /// Source and result of a resize, checked against each other.
    pub(super) fn pair(
        op: &'static str,
        (src, from): (&FrameLayout, PlaneSelect),
        (dst, to): (&FrameLayout, PlaneSelect),
    ) -> Result<(Self, Self)> {
        let (source, result) = (Self::new(op, "input", src, from)?, Self::new(op, "output", dst, to)?);
        if dst.format.sample_bytes() != 1 {
            return Err(plan_error(op, "output", "a format with 8 bits", dst.format));
        }
        if result.channels != result.span {
            return Err(plan_error(op, "output", "all channels of a plane", format!("{to:?} of {}", dst.format)));
        }
        if source.channels != result.channels {
            let wanted = format!("a plane of {} channel(s), as the input", source.channels);
            return Err(plan_error(op, "output", wanted, result.channels));
        }
        Ok((source, result))
    }

    /// Overrides of `common/channels` and `common/plane` for this source.
    pub(super) fn constants(&self) -> [(&'static str, f64); 5] {
        let plane = ("PLANE", self.plane);
        [plane, ("SPAN", self.span), ("SHIFT", self.shift), ("STEP", self.step), ("CHANNELS", self.channels)]
            .map(|(name, value)| (name, f64::from(value)))
    }
}

/// The table of the pictures of `src`, and how many of them have a slot in `dst`, both from their first slots on: at least one.
pub(super) fn bind_pictures(
    ctx: &GpuContext,
    op: &'static str,
    (src, first, shape): (&dyn FrameBatch, u32, &BatchShape),
    (dst, dst_first, output): (&GpuFrames, u32, &FrameLayout),
) -> Result<(PictureTable, u32)> {
    let pictures = PictureTable::new(ctx, op, "input", shape, (src, first))?;
    check_layout(op, "output", output, dst)?;
    if src.buffer().raw() == dst.buffer().raw() {
        return Err(plan_error(op, "output", "another buffer than the input", "the same"));
    }
    if dst_first >= dst.slots() {
        return Err(plan_error(op, "dst_first", format!("one of {} slots", dst.slots()), dst_first));
    }
    let capacity = pictures.len().min(dst.slots() - dst_first);
    check_count(ctx, op, "input", u64::from(capacity))?;
    Ok((pictures, capacity))
}

/// Sizes of the selected plane of pictures of `format`.
pub(super) fn plane_sizes(
    op: &'static str,
    format: PixelFormat,
    select: PlaneSelect,
    pictures: &[Size],
) -> Result<Vec<Size>> {
    let size = |picture: &Size| {
        let layout = FrameLayout::of(format, *picture);
        let layout = layout.ok_or_else(|| plan_error(op, "input", "a picture below 2 GiB", picture))?;
        Ok(View::new(op, "input", &layout, select)?.size)
    };
    pictures.iter().map(size).collect()
}

/// The plane layout of a convenience result: grey for one channel, packed RGBA for four.
pub(super) fn simple_layout(op: &'static str, src: &FrameLayout, from: PlaneSelect, to: Size) -> Result<FrameLayout> {
    let format = match View::new(op, "input", src, from)?.channels {
        1 => PixelFormat::Gray8,
        4 => PixelFormat::Rgba8,
        n => return Err(plan_error(op, "input", "one channel or four (choose U or V)", n)),
    };
    FrameLayout::of(format, to).ok_or_else(|| plan_error(op, "to", format!("1x1 to {MAX_SIDE}x{MAX_SIDE}"), to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_in_every_format() {
        let at = |f, c| PlaneSelect::component(f, c).map(|s| (s.plane, s.channel));
        assert_eq!(at(PixelFormat::Nv12, 0), Some((0, None)));
        assert_eq!(at(PixelFormat::Nv12, 2), Some((1, Some(1))));
        assert_eq!(at(PixelFormat::I420, 2), Some((2, None)));
        assert_eq!(at(PixelFormat::Gray8, 1), None);
        assert_eq!(at(PixelFormat::Nv12, 3), None);
        assert_eq!(at(PixelFormat::Rgba8, 3), Some((0, Some(3))));
        assert_eq!(at(PixelFormat::Rgba8, 4), None);
    }
}
