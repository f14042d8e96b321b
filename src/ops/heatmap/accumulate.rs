//! `heatmap/accumulate`: what happens where, over a sequence of frames.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any YUV or grey format, 8 or 10 bits, at least 1x1, or maps of bits; consecutive frames in consecutive slots |
//! | output | a map of `u32`, one counter a pixel, that stays on the device, is added to, and can be read by other operations ([`HeatAccumulator::map`]). Divided by [`HeatAccumulator::full`] it is a share 0..=1: the exact mean of masks |
//! | parameters | [`HeatMode`]; differences are taken to the frame in the slot before; maps of bits are counted |
//! | border | none |
//! | exactness | exact; the same map for any cut of the sequence into batches |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for formats without luma, maps of other types than bits, sides above 32,768, differences from slot 0 on, more than [`HeatMode::MAX_FRAMES`] frames in a map |
//! | source | running sums; lanes as in docs: ARCHITECTURE.md, "SWAR" |

use crate::core::{Exactness, FrameLayout, HeatMode, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::luma_plane::LumaPlane;
use crate::ops::{
    GpuFrames, GpuMaps, MAX_SIDE, MapLayout, MapSample, OpInfo, ParamDoc, check_layout, check_maps, gpu_params, grid,
    plan_error,
};

const NAME: &str = "heatmap/accumulate";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "adds frames, masks, differences or the places of large differences to a map",
    input: "luma plane, u8 or 10 bit (8 most significant bits used), or map of bits; consecutive frames in consecutive slots",
    output: "map of u32, added to",
    params: &[ParamDoc {
        name: "mode",
        range: "CountOver{threshold 0..=255}, SumAbs, SumValues, CountSet",
        meaning: "what a pixel adds per frame",
    }],
    border: "none",
    exactness: Exactness::Exact,
    reason: "integer sums, frames counted so that they cannot overflow",
    source: "running sums of differences",
    entries: &["main", "bits"],
    fields: Uniform::FIELDS,
    work,
};

/// Per frame of a long batch: the map is read and written once for all of it.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: 0, ops: n * 2 }
}

gpu_params! {
    struct Uniform {
        base: u32,
        stride: u32,
        slot: u32,
        columns: u32,
        height: u32,
        over: u32,
        frames: u32,
    }
}

/// What is added up.
#[derive(Debug, Clone, Copy)]
enum Input {
    Frames(FrameLayout),
    Bits(MapLayout),
}

/// A planned `heatmap/accumulate` for frames or maps of bits of one layout.
#[derive(Debug, Clone)]
pub struct HeatPlan {
    kernel: Kernel,
    uniform: Uniform,
    input: Input,
    output: MapLayout,
    mode: HeatMode,
    groups: [u32; 2],
}

/// A map on the device, and the number of frames in it.
#[derive(Debug)]
pub struct HeatAccumulator {
    plan: HeatPlan,
    heat: GpuMaps,
    frames: u32,
}

/// A batch of frames bound to a map: one bind group for each number of frames, so that recording allocates nothing.
#[derive(Debug, Clone)]
pub struct HeatBound {
    binds: Vec<BindGroup>,
    /// Frames of the first of them.
    least: u32,
}

impl HeatPlan {
    /// Most frames of one dispatch: 255 times as many fit into the 16-bit lanes of the kernel.
    pub const MAX_BATCH: u32 = 256;

    /// Plans for frames like `layout`.
    pub fn new(ctx: &GpuContext, layout: &FrameLayout, mode: HeatMode) -> Result<Self> {
        let plane = LumaPlane::of(NAME, layout)?;
        let wg = match ctx.caps().class {
            AdapterClass::Cpu => 256u32,
            AdapterClass::Gpu => 128,
        };
        let (number, over) = match mode {
            HeatMode::CountOver { threshold } => (0, u32::from(threshold) + 1),
            HeatMode::SumAbs => (1, 0),
            HeatMode::SumValues => (2, 0),
            HeatMode::CountSet => (3, 0),
        };
        let kernel = Kernel::new(ctx, NAME, "main", &plane.constants([("WG", wg), ("MODE", number)]))?;
        let groups = grid(ctx, NAME, u64::from(plane.columns) * u64::from(layout.size.height), wg)?;
        let uniform = Uniform {
            base: plane.base,
            stride: plane.stride,
            slot: plane.slot,
            columns: plane.columns,
            height: layout.size.height,
            over,
            frames: 0,
        };
        let output = MapLayout::new(MapSample::U32, layout.size)?;
        Ok(Self { kernel, uniform, input: Input::Frames(*layout), output, mode, groups })
    }

    /// Plans for maps of bits like `layout`, which are counted as [`HeatMode::CountSet`] does.
    pub fn of_bits(ctx: &GpuContext, layout: &MapLayout) -> Result<Self> {
        if layout.sample != MapSample::Bit {
            return Err(plan_error(NAME, "input", "a map of bits", layout.sample));
        }
        let Size { width, height } = layout.size;
        if width.max(height) > MAX_SIDE {
            return Err(plan_error(NAME, "input", format!("sides up to {MAX_SIDE}"), layout.size));
        }
        let wg = match ctx.caps().class {
            AdapterClass::Cpu => 8u32,
            AdapterClass::Gpu => 128,
        };
        let kernel = Kernel::new(ctx, NAME, "bits", &[("WG", f64::from(wg))])?;
        let groups = grid(ctx, NAME, u64::from(width.div_ceil(32)) * u64::from(height), wg)?;
        let (stride, slot) = (layout.stride_bytes() / 4, layout.slot_bytes() / 4);
        let uniform = Uniform { base: 0, stride, slot, columns: width.div_ceil(16), height, over: 0, frames: 0 };
        let output = MapLayout::new(MapSample::U32, layout.size)?;
        Ok(Self { kernel, uniform, input: Input::Bits(*layout), output, mode: HeatMode::CountSet, groups })
    }

    /// Layout of the map.
    pub fn output(&self) -> &MapLayout {
        &self.output
    }
}

impl HeatAccumulator {
    /// An empty map.
    ///
    /// # Errors
    /// The budget, or a map larger than one binding may be.
    pub fn new(ctx: &GpuContext, plan: &HeatPlan) -> Result<Self> {
        let heat = GpuMaps::new(ctx, NAME, plan.output, 1)?;
        let mut map = Self { plan: plan.clone(), heat, frames: 0 };
        let mut rec = Recorder::new(ctx, NAME);
        map.clear(&mut rec);
        rec.submit()?;
        Ok(map)
    }

    /// Binds up to `capacity` frames of `src` from slot `first` on; for the modes that look at differences slot `first - 1` holds the
    /// frame before.
    ///
    /// # Errors
    /// `Parameter` for another layout, slots that do not exist, more than [`HeatPlan::MAX_BATCH`] frames.
    pub fn bind(&self, ctx: &GpuContext, src: &GpuFrames, first: u32, capacity: u32) -> Result<HeatBound> {
        self.bind_frames(ctx, src, first, [1, capacity])
    }

    /// Binds exactly `count` frames of `src` from slot `first` on: a part of a batch that is added by itself.
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub fn bind_run(&self, ctx: &GpuContext, src: &GpuFrames, first: u32, count: u32) -> Result<HeatBound> {
        self.bind_frames(ctx, src, first, [count.max(1), count])
    }

    fn bind_frames(&self, ctx: &GpuContext, src: &GpuFrames, first: u32, counts: [u32; 2]) -> Result<HeatBound> {
        let Input::Frames(layout) = &self.plan.input else {
            return Err(plan_error(NAME, "input", "maps of bits, as planned", src.layout().format));
        };
        check_layout(NAME, "input", layout, src)?;
        if self.plan.mode.uses_differences() && first == 0 {
            return Err(plan_error(NAME, "first", "a slot with another before it", first));
        }
        self.bind_slots(ctx, (src.buffer(), "src"), src.slots(), first, counts)
    }

    /// Binds up to `capacity` maps of bits of `src` from slot `first` on.
    ///
    /// # Errors
    /// As [`Self::bind`].
    pub fn bind_bits(&self, ctx: &GpuContext, src: &GpuMaps, first: u32, capacity: u32) -> Result<HeatBound> {
        let Input::Bits(layout) = &self.plan.input else {
            return Err(plan_error(NAME, "input", "frames, as planned", "maps"));
        };
        check_maps(NAME, "input", layout, src)?;
        self.bind_slots(ctx, (src.buffer(), "src_words"), src.slots(), first, [1, capacity])
    }

    fn bind_slots(
        &self,
        ctx: &GpuContext,
        (buffer, name): (&GpuBuffer, &str),
        slots: u32,
        first: u32,
        [least, capacity]: [u32; 2],
    ) -> Result<HeatBound> {
        let plan = &self.plan;
        let end = first.checked_add(capacity);
        if capacity > HeatPlan::MAX_BATCH || end.is_none_or(|end| end > slots) {
            let wanted = format!("at most {} frames, within {slots} slots", HeatPlan::MAX_BATCH);
            return Err(plan_error(NAME, "capacity", wanted, format!("{capacity} from slot {first} on")));
        }
        let binds = (least..=capacity).map(|frames| {
            let mut uniform = plan.uniform;
            uniform.base += first * uniform.slot;
            uniform.frames = frames;
            let params = uniform.upload(ctx, NAME)?;
            plan.kernel.bind(ctx, &[("params", &params), (name, buffer), ("dst_heat", self.heat.buffer())])
        });
        Ok(HeatBound { binds: binds.collect::<Result<_>>()?, least })
    }

    /// Records the addition of the first `count` frames of `bound`, which must have been bound by this map.
    ///
    /// # Errors
    /// `Parameter` for more frames than were bound, or beyond [`HeatMode::MAX_FRAMES`]; nothing is recorded then.
    pub fn record(&mut self, rec: &mut Recorder<'_>, bound: &HeatBound, count: u32) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let bind = count.checked_sub(bound.least).and_then(|at| bound.binds.get(at as usize)).ok_or_else(|| {
            let most = bound.least + bound.binds.len() as u32 - 1;
            plan_error(NAME, "count", format!("{} to {most} frames, as bound", bound.least), count)
        })?;
        let left = HeatMode::MAX_FRAMES - self.frames;
        if count > left {
            let wanted = format!("at most {} frames in a map, of which {left} are left", HeatMode::MAX_FRAMES);
            return Err(plan_error(NAME, "count", wanted, count));
        }
        let [x, y] = self.plan.groups;
        rec.dispatch(&self.plan.kernel, bind, [x, y, 1]);
        self.frames += count;
        Ok(())
    }

    /// Records that the map is set to zero.
    pub fn clear(&mut self, rec: &mut Recorder<'_>) {
        rec.clear(self.heat.buffer(), 0, u64::from(self.plan.output.slot_bytes()));
        self.frames = 0;
    }

    /// Frames added since the map was empty.
    pub fn frames(&self) -> u32 {
        self.frames
    }

    /// The largest value a counter can have by now: divided by it the map is a share 0..=1, [`HeatMode::full`] a frame.
    pub fn full(&self) -> u32 {
        self.frames * self.plan.mode.full()
    }

    /// The map on the device: one map of `u32`.
    pub fn map(&self) -> &GpuMaps {
        &self.heat
    }

    /// Waits for everything submitted and copies the counters to the host, row by row without padding.
    pub fn read(&self, ctx: &GpuContext) -> Result<Vec<u32>> {
        self.heat.read_as(ctx, 0)
    }
}

/// The map of all frames of `src` at once; in the modes that look at differences the first frame is only looked back at. For scripts
/// and tests; streams keep a [`HeatAccumulator`].
pub fn accumulate(ctx: &GpuContext, src: &GpuFrames, mode: HeatMode) -> Result<Vec<u32>> {
    let mut map = HeatAccumulator::new(ctx, &HeatPlan::new(ctx, src.layout(), mode)?)?;
    let mut rec = Recorder::new(ctx, NAME);
    let mut first = u32::from(mode.uses_differences());
    while first < src.slots() {
        let count = (src.slots() - first).min(HeatPlan::MAX_BATCH);
        let bound = map.bind(ctx, src, first, count)?;
        map.record(&mut rec, &bound, count)?;
        first += count;
    }
    rec.run()?;
    map.read(ctx)
}
