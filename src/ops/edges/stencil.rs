//! What the operations of this folder share: plans that write maps of 16-bit numbers, or pictures of bytes, from the luma plane.

use crate::core::{FrameLayout, PixelFormat};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuContext, Kernel, Recorder};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, GpuMaps, MapLayout, MapSample, Passes, PicturePair, PictureTable,
    Record, check_count, check_maps, gpu_params, grid, plan_error, run_frames,
};

gpu_params! {
    pub(super) struct Uniform {
        first: u32,
        stride: u32,
        slot: u32,
    }
}

/// The kernel for the blocks of pictures of a shape.
fn kernel(ctx: &GpuContext, op: &'static str, entry: &'static str, shape: &BatchShape) -> Result<(Kernel, [u32; 2])> {
    let plane = LumaPlane::of_shape(op, shape)?;
    let (wg, rows) = match ctx.caps().class {
        AdapterClass::Cpu => (8u32, 40u32),
        AdapterClass::Gpu => (64, 8),
    };
    let kernel = Kernel::new(ctx, op, entry, &plane.constants([("TAIL", plane.tail()), ("WG", wg), ("ROWS", rows)]))?;
    let items = u64::from(plane.columns) * u64::from(shape.largest().size.height.div_ceil(rows));
    Ok((kernel, grid(ctx, op, items, wg)?))
}

/// A planned operation that writes `N` maps of 16-bit numbers per picture. Pictures have one size.
#[derive(Debug, Clone)]
pub struct StencilMapsPlan<const N: usize> {
    op: &'static str,
    names: [&'static str; N],
    kernel: Kernel,
    input: BatchShape,
    maps: MapLayout,
    groups: [u32; 2],
}

impl<const N: usize> StencilMapsPlan<N> {
    /// By entry point `entry` of kernel `op`, which writes the maps bound as `names`.
    pub(super) fn new(
        ctx: &GpuContext,
        (op, entry): (&'static str, &'static str),
        names: [&'static str; N],
        input: BatchShape,
        sample: MapSample,
    ) -> Result<Self> {
        let (kernel, groups) = kernel(ctx, op, entry, &input)?;
        let maps = MapLayout::new(sample, input.uniform(op)?.size)?;
        Ok(Self { op, names, kernel, input, maps, groups })
    }

    /// Layout of the maps.
    pub fn maps(&self) -> &MapLayout {
        &self.maps
    }

    /// Binds the pictures of `src` from slot `first` on to the maps of `dst` from slot `dst_first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures or maps than planned, maps that share a buffer, and slots that do not exist.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        dst: [&GpuMaps; N],
        dst_first: u32,
    ) -> Result<Passes> {
        let op = self.op;
        let pictures = PictureTable::new(ctx, op, "input", &self.input, (src, first))?;
        let mut slots = pictures.len();
        for (i, maps) in dst.iter().enumerate() {
            check_maps(op, "output", &self.maps, maps)?;
            let left = maps.slots().saturating_sub(dst_first);
            if left == 0 {
                return Err(plan_error(op, "dst_first", format!("one of {} slots", maps.slots()), dst_first));
            }
            let same = |other: &GpuMaps| other.buffer().raw() == maps.buffer().raw();
            if src.buffer().raw() == maps.buffer().raw() || dst.iter().skip(i + 1).any(|other| same(other)) {
                return Err(plan_error(op, "output", "a buffer of its own", "one that is used already"));
            }
            slots = slots.min(left);
        }
        check_count(ctx, op, "input", u64::from(slots))?;
        let slot = self.maps.slot_bytes() / 16;
        let uniform = Uniform { first: dst_first * slot, stride: self.maps.stride_bytes() / 16, slot };
        let params = uniform.upload(ctx, op)?;
        let mut buffers = vec![
            ("params", &params),
            ("src", src.buffer()),
            ("src_words", src.buffer()),
            ("src_pictures", pictures.buffer()),
        ];
        buffers.extend(self.names.iter().zip(&dst).map(|(name, maps)| (*name, maps.buffer())));
        let bind = self.kernel.bind(ctx, &buffers)?;
        Ok(Passes::new(slots).run(&self.kernel, bind, self.groups))
    }

    /// Maps of all pictures of `src`: makes room, binds, runs, waits.
    pub(super) fn run(&self, ctx: &GpuContext, src: &GpuFrames) -> Result<[GpuMaps; N]> {
        let mut made = Vec::with_capacity(N);
        for _ in 0..N {
            made.push(GpuMaps::new(ctx, self.op, self.maps, src.slots())?);
        }
        let made: [GpuMaps; N] = made.try_into().map_err(|_| crate::Error::Bug("as many maps as names".into()))?;
        let mut rec = Recorder::new(ctx, self.op);
        self.bind(ctx, (src, 0), made.each_ref(), 0)?.record(&mut rec, src.slots());
        rec.run()?;
        Ok(made)
    }
}

/// A planned operation that writes a picture of bytes per picture. Sizes may differ within a batch.
#[derive(Debug, Clone)]
pub struct StencilPicturesPlan {
    op: &'static str,
    kernel: Kernel,
    input: BatchShape,
    output: BatchShape,
    groups: [u32; 2],
}

impl StencilPicturesPlan {
    /// By entry point `entry` of kernel `op`.
    pub(super) fn new(ctx: &GpuContext, (op, entry): (&'static str, &'static str), input: BatchShape) -> Result<Self> {
        let (kernel, groups) = kernel(ctx, op, entry, &input)?;
        Ok(Self { op, kernel, input, output: input.with_format(PixelFormat::Gray8)?, groups })
    }

    /// Layout of the results; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.output.largest()
    }

    /// Binds the pictures of `src` from slot `first` on to results of their sizes in `dst` from slot `dst_first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned, results in the buffer of the input, and slots that do not exist.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        (src, first): (&dyn FrameBatch, u32),
        (dst, dst_first): (&dyn FrameBatch, u32),
    ) -> Result<FramesBound> {
        let input = (src, first, &self.input);
        let pair = PicturePair::new(ctx, self.op, input, (dst, dst_first, &self.output), |size| size)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pair.src.buffer()),
                ("dst", dst.buffer()),
                ("out_pictures", pair.dst.buffer()),
            ],
        )?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, pair.len()))
    }

    /// Results of all pictures of `src`: makes room, binds, runs, waits.
    pub(super) fn run(&self, ctx: &GpuContext, src: &GpuFrames) -> Result<GpuFrames> {
        run_frames(ctx, self.op, self.output(), src.slots(), |dst| self.bind(ctx, (src, 0), (dst, 0)))
    }
}
