//! `motion/optical_flow`: dense optical flow from each frame to the next, coarse to fine.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1; frame `i` with the one in the slot before |
//! | output | three f32 maps per frame at the size of the finest level, in pixels of the picture: `dx`, `dy` (where the pixel of the frame before lies in this one, as OpenCV's `calcOpticalFlow`), `magnitude` (their length, rounded to 64ths of a pixel of the level); [`FlowSums`] per frame |
//! | parameters | `scale`: one vector per pixel, per 2x2 or per 4x4 pixels |
//! | border | samples outside a picture repeat its border |
//! | exactness | exact: vectors are whole 64ths of a pixel of the level |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, sides above 32,768, mixed sizes, `first` without a slot before it |
//! | source | Kroeger, Timofte, Dai, Van Gool 2016 (dense inverse search), without its variational refinement; here with smoothing of the patches by trust |
//!
//! Motion up to about 3 pixels of the coarsest level is found, and 3 more pixels on every level below. Steps in integers and a bound on
//! how far a patch may stray keep it stable where there is no texture.

use crate::core::{Exactness, FlowScale, FlowSums, FrameLayout, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    BatchShape, FrameBatch, GpuMaps, MapLayout, MapSample, Measure, OpInfo, ParamDoc, Passes, PictureTable, Record,
    check_count, gpu_params, grid, plan_error, words,
};

const NAME: &str = "motion/optical_flow";
/// Words of results per frame.
const WORDS: u64 = 3;
/// Rows of an invocation of `top` and `halve`, as in the kernel.
const ROWS: u32 = 16;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "dense optical flow to the next frame by inverse search of patches",
    input: "luma plane, u8 or 10 bit (8 most significant bits used), frame before in the slot before",
    output: "maps dx, dy, magnitude (f32, pixels of the picture) at full, half or quarter size; FlowSums per frame",
    params: &[ParamDoc {
        name: "scale",
        range: "full, half, quarter",
        meaning: "finest level that is searched; size of the maps",
    }],
    border: "samples outside repeat the border",
    exactness: Exactness::Exact,
    reason: "fixed-point vectors, integer steps",
    source: "Kroeger et al. 2016 without variational refinement",
    entries: &["top", "halve", "search", "smooth_patches", "densify", "finish"],
    fields: Uniform::FIELDS,
    work,
};

/// At half size: about 8 steps a patch and level, 20 operations a pixel.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let maps = FlowScale::Half.size(layout.size).area() * 12;
    Work {
        bytes_read: n * u64::from(layout.format.sample_bytes()),
        bytes_written: maps,
        ops: n / 4 * 4 / 3 * 4 * 8 * 20,
    }
}

gpu_params! {
    struct Uniform {
        width: u32,
        height: u32,
        base: u32,
        stride: u32,
        slot: u32,
        fine_base: u32,
        fine_stride: u32,
        fine_height: u32,
        patches_x: u32,
        patches_y: u32,
        patch_slot: u32,
        flow_base: u32,
        flow_slot: u32,
        coarse_base: u32,
        coarse_width: u32,
        coarse_height: u32,
        map_stride: u32,
        map_slot: u32,
        scale: f32,
    }
}

#[derive(Debug, Clone)]
struct Kernels {
    top: Kernel,
    halve: Kernel,
    search: Kernel,
    smooth: Kernel,
    densify: Kernel,
    finish: Kernel,
}

/// A planned `motion/optical_flow` for frames of one layout.
#[derive(Debug, Clone)]
pub struct OpticalFlowPlan {
    kernels: Kernels,
    /// One per level, the full size first.
    levels: Vec<Uniform>,
    finest: usize,
    shape: BatchShape,
    map: MapLayout,
    workgroup: u32,
}

/// A plan bound to frames, with the maps it fills.
#[derive(Debug, Clone)]
pub struct OpticalFlowBound {
    measure: Measure<FlowSums>,
    dx: GpuMaps,
    dy: GpuMaps,
    magnitude: GpuMaps,
}

impl OpticalFlowPlan {
    /// Plans for frames of one layout.
    ///
    /// # Errors
    /// See the head of this module.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, scale: FlowScale) -> Result<Self> {
        let shape = shape.into();
        let size = shape.uniform(NAME)?.size;
        let plane = LumaPlane::of_shape(NAME, &shape)?;
        let workgroup = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 64,
        };
        let map = MapLayout::new(MapSample::F32, scale.size(size))?;
        let wg = [("WG", f64::from(workgroup))];
        let kernel = |entry| Kernel::new(ctx, NAME, entry, &wg);
        let kernels = Kernels {
            top: Kernel::new(ctx, NAME, "top", &plane.constants([("WG", workgroup)]))?,
            halve: kernel("halve")?,
            search: kernel("search")?,
            smooth: kernel("smooth_patches")?,
            densify: kernel("densify")?,
            finish: kernel("finish")?,
        };
        let levels = levels(size, scale, &map);
        Ok(Self { kernels, levels, finest: scale.level() as usize, shape, map, workgroup })
    }

    /// Binds the frames of `src` from slot `first` on, and makes room for their maps; slot `first - 1` holds the frame before the first.
    ///
    /// # Errors
    /// `Parameter` when `first` has no slot before it or the layout is another.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<OpticalFlowBound> {
        if first == 0 || first >= src.slots() {
            let wanted = format!("a slot with another before it, of {}", src.slots());
            return Err(plan_error(NAME, "first", wanted, first));
        }
        let pictures = PictureTable::new(ctx, NAME, "input", &self.shape, (src, first - 1))?;
        let count = pictures.len() - 1;
        check_count(ctx, NAME, "input", u64::from(count))?;
        let Some(finest) = self.levels.get(self.finest) else {
            return Err(crate::Error::Bug(format!("{NAME}: no level {}", self.finest)));
        };
        let words = |per_frame: u32, frames: u32| {
            GpuBuffer::new(ctx, NAME, u64::from(per_frame) * u64::from(frames) * 4, BufferUse::Storage)
        };
        let (pyramid, flow) = (words(finest.slot, count + 1)?, words(finest.flow_slot, count)?);
        let patches = [words(2 * finest.patch_slot, count)?, words(2 * finest.patch_slot, count)?];
        let sums = GpuBuffer::new(ctx, NAME, WORDS * 4 * u64::from(count), BufferUse::Storage)?;
        let map = || GpuMaps::new(ctx, NAME, self.map, count);
        let (dx, dy, magnitude) = (map()?, map()?, map()?);
        let params = self.levels.iter().map(|u| u.upload(ctx, NAME)).collect::<Result<Vec<GpuBuffer>>>()?;

        let mut passes = Passes::new(count).clear(&sums, WORDS * 4);
        for (i, (level, params)) in self.levels.iter().zip(&params).enumerate() {
            let pyramid = ("dst_pyramid", &pyramid);
            let (kernel, bind) = if i == 0 {
                let frames = [("src_words", src.buffer()), ("src_pictures", pictures.buffer())];
                (&self.kernels.top, self.kernels.top.bind(ctx, &[("params", params), pyramid, frames[0], frames[1]])?)
            } else {
                (&self.kernels.halve, self.kernels.halve.bind(ctx, &[("params", params), pyramid])?)
            };
            // The first frame of a batch makes the pyramid of the one before as well.
            passes = passes.run(
                kernel,
                bind,
                self.groups(ctx, 2 * u64::from(level.stride) * u64::from(level.height.div_ceil(ROWS)))?,
            );
        }
        for (level, params) in self.levels.iter().zip(&params).skip(self.finest).rev() {
            passes = self.search(ctx, passes, level, params, (&pyramid, &patches, &flow))?;
        }
        let bind = self.kernels.finish.bind(
            ctx,
            &[
                ("params", params.get(self.finest).unwrap_or(&flow)),
                ("src_flow", &flow),
                ("dst_x", dx.buffer()),
                ("dst_y", dy.buffer()),
                ("dst_magnitude", magnitude.buffer()),
                ("dst_sums", &sums),
            ],
        )?;
        let groups = self.groups(ctx, u64::from(finest.patches_x - 1) * u64::from(finest.height))?;
        passes = passes.run(&self.kernels.finish, bind, groups);
        let (size, level) = (self.map.size, self.finest as u32);
        let decode = move |bytes: &[u8], _: Size| decode(bytes, size, level);
        let measure = Measure::new(passes, (&sums, WORDS * 4), pictures.sizes(), decode);
        Ok(OpticalFlowBound { measure, dx, dy, magnitude })
    }

    /// Search, two rounds of smoothing, and the flow of one level.
    fn search(
        &self,
        ctx: &GpuContext,
        passes: Passes,
        level: &Uniform,
        params: &GpuBuffer,
        (pyramid, [a, b], flow): (&GpuBuffer, &[GpuBuffer; 2], &GpuBuffer),
    ) -> Result<Passes> {
        let Kernels { search, smooth, densify, .. } = &self.kernels;
        let params = ("params", params);
        let smoothed =
            |from, to| -> Result<BindGroup> { smooth.bind(ctx, &[params, ("src_patches", from), ("dst_patches", to)]) };
        let found = search.bind(ctx, &[params, ("src_pyramid", pyramid), ("src_flow", flow), ("dst_patches", a)])?;
        let dense = densify.bind(ctx, &[params, ("src_pyramid", pyramid), ("src_patches", a), ("dst_flow", flow)])?;
        let patches = self.groups(ctx, u64::from(level.patches_x) * u64::from(level.patches_y))?;
        let tiles = self.groups(ctx, u64::from(level.patches_x - 1) * u64::from(level.patches_y - 1))?;
        Ok(passes
            .run(search, found, patches)
            .run(smooth, smoothed(a, b)?, patches)
            .run(smooth, smoothed(b, a)?, patches)
            .run(densify, dense, tiles))
    }

    fn groups(&self, ctx: &GpuContext, items: u64) -> Result<[u32; 2]> {
        grid(ctx, NAME, items, self.workgroup)
    }
}

/// Geometry of all levels; where flow and patches are only of the levels that are searched.
fn levels(picture: Size, scale: FlowScale, map: &MapLayout) -> Vec<Uniform> {
    let (finest, coarsest) = scale.levels(picture);
    let size = |level| FlowScale::size_at(level, picture);
    let tiles = |size: Size| Size::new(size.width.div_ceil(4), size.height.div_ceil(4));
    let stride = |level| tiles(size(level)).width + 8;
    let words = |level| stride(level) * size(level).height;
    let vectors = |level| if level < finest { 0 } else { tiles(size(level)).width * 4 * size(level).height };
    let patches = |level| (tiles(size(level)).width + 1) * (tiles(size(level)).height + 1);
    (0..=coarsest)
        .map(|level| {
            let is = size(level);
            let coarser = if level < coarsest { size(level + 1) } else { Size::new(0, 0) };
            let flow_base = (finest..level).map(vectors).sum::<u32>();
            let finer = level.saturating_sub(1);
            Uniform {
                width: is.width,
                height: is.height,
                base: (0..level).map(words).sum(),
                stride: stride(level),
                slot: (0..=coarsest).map(words).sum(),
                fine_base: (0..finer).map(words).sum(),
                fine_stride: stride(finer),
                fine_height: size(finer).height,
                patches_x: tiles(is).width + 1,
                patches_y: tiles(is).height + 1,
                patch_slot: patches(finest),
                flow_base,
                flow_slot: (finest..=coarsest).map(vectors).sum(),
                coarse_base: flow_base + vectors(level),
                coarse_width: coarser.width,
                coarse_height: coarser.height,
                map_stride: map.stride() / 4,
                map_slot: map.slot_bytes() / 16,
                scale: (1u32 << level) as f32 / 64.0,
            }
        })
        .collect()
}

fn decode(frame: &[u8], size: Size, level: u32) -> FlowSums {
    let mut words = words(frame).map(u64::from);
    let mut word = || words.next().unwrap_or(0);
    let sum = word() | word() << 32;
    FlowSums { sum, max: word() as u32, n: size.area(), level }
}

impl OpticalFlowBound {
    /// Pixels to the right; f32.
    pub fn dx(&self) -> &GpuMaps {
        &self.dx
    }

    /// Pixels down; f32.
    pub fn dy(&self) -> &GpuMaps {
        &self.dy
    }

    /// Lengths in pixels; f32.
    pub fn magnitude(&self) -> &GpuMaps {
        &self.magnitude
    }

    /// Sum and maximum of the lengths of each frame.
    pub fn sums(&self) -> &Measure<FlowSums> {
        &self.measure
    }
}

impl Record for OpticalFlowBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.measure.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.measure.capacity()
    }
}

/// Flow of frames 1, 2, ... of `src` from those before them, at once: waits for the results. For scripts and tests; streams keep a bound
/// plan.
///
/// # Errors
/// As [`OpticalFlowPlan::new`], and `Parameter` for fewer than two frames.
pub fn optical_flow(
    ctx: &GpuContext,
    src: &dyn FrameBatch,
    scale: FlowScale,
) -> Result<(OpticalFlowBound, Vec<FlowSums>)> {
    let bound = OpticalFlowPlan::new(ctx, BatchShape::of(src)?, scale)?.bind(ctx, src, 1)?;
    let sums = bound.measure.run(ctx)?;
    Ok((bound, sums))
}
