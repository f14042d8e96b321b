//! `heatmap/colormap`: heat maps in colour.
//!
//! | | |
//! |---|---|
//! | input | maps of `f32` 0..=1 (beyond: clamped; not finite: 0), or the 8-bit luma of pictures, which may differ in size; for an overlay packed RGBA pictures of the same sizes |
//! | output | packed RGBA, opaque: colour `int(255 v)` of the palette; or `(alpha * colour + (255 - alpha) * picture + 127) / 255` per channel |
//! | parameters | [`Palette`]; `alpha` 0..=255 of an overlay |
//! | border | none |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other maps or formats, sides above 32,768, results or pictures of other sizes, a result in the buffer of an input |
//! | source | jet by formula; viridis and inferno of Matplotlib (CC0) |

use super::stats::check_size;
use crate::core::{Exactness, FrameLayout, Palette, PixelFormat, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{
    BatchShape, Field, FieldShape, FieldTable, FrameBatch, FramesBound, GpuFrames, MapSample, OpInfo, ParamDoc, Passes,
    PictureTable, Record, check_count, gpu_params, grid, plan_error,
};

const NAME: &str = "heatmap/colormap";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "heat maps in colour, alone or laid over pictures",
    input: "map of f32 0..=1, or 8-bit luma; overlay: rgba8",
    output: "rgba8, opaque",
    params: &[
        ParamDoc { name: "palette", range: "jet, viridis, inferno", meaning: "scale of colours" },
        ParamDoc { name: "alpha", range: "0..=255", meaning: "share of the colours in an overlay" },
    ],
    border: "none",
    exactness: Exactness::Exact,
    reason: "a table; 255 v is one f32 product, blending is in integers",
    source: "jet formula; Matplotlib's viridis and inferno (CC0)",
    entries: &["main", "overlay"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: n * 4, bytes_written: n * 4, ops: n * 3 }
}

gpu_params! {
    struct Uniform {
        alpha: u32,
    }
}

/// A planned `heatmap/colormap`.
#[derive(Debug, Clone)]
pub struct ColormapPlan {
    main: Kernel,
    overlay: Kernel,
    colors: GpuBuffer,
    shape: FieldShape,
    output: BatchShape,
    groups: [u32; 2],
}

/// Pictures below the colours, from a slot on, and how much of the colours is seen, 0..=255.
pub type Under<'a> = (&'a dyn FrameBatch, u32, u8);

impl ColormapPlan {
    /// Plans for maps of one layout, or for pictures.
    pub fn new(ctx: &GpuContext, shape: impl Into<FieldShape>, palette: Palette) -> Result<Self> {
        let shape = shape.into();
        let kind = shape.kind(NAME)?;
        if let FieldShape::Maps(layout) = &shape
            && layout.sample != MapSample::F32
        {
            return Err(plan_error(NAME, "input", "a map of f32 (use heatmap/normalize first)", layout.sample));
        }
        let size = shape.size();
        check_size(NAME, size)?;
        let output = match &shape {
            FieldShape::Pictures(pictures) => pictures.with_format(PixelFormat::Rgba8)?,
            FieldShape::Maps(_) => {
                let wanted = "a picture below 2 GiB";
                let layout = FrameLayout::of(PixelFormat::Rgba8, size);
                BatchShape::from(&layout.ok_or_else(|| plan_error(NAME, "input", wanted, size))?)
            }
        };
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 16u32),
            AdapterClass::Gpu => (64, 4),
        };
        let constants = [("KIND", f64::from(kind)), ("WG", f64::from(wg)), ("ROWS", f64::from(rows))];
        let main = Kernel::new(ctx, NAME, "main", &constants)?;
        let overlay = Kernel::new(ctx, NAME, "overlay", &constants)?;
        let bytes: Vec<u8> = palette.table().iter().flat_map(|c| c.to_le_bytes()).collect();
        let colors = GpuBuffer::new(ctx, NAME, bytes.len() as u64, BufferUse::Storage)?;
        colors.write(ctx, 0, &bytes)?;
        let groups = grid(ctx, NAME, u64::from(size.width.div_ceil(4)) * u64::from(size.height.div_ceil(rows)), wg)?;
        Ok(Self { main, overlay, colors, shape, output, groups })
    }

    /// Layout of the results; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.output.largest()
    }

    /// Binds the fields of `src` from slot `first` on to results of their sizes in `dst` from slot `dst_first` on, laid over the
    /// pictures of `under`, if there are any.
    pub fn bind<'a>(
        &self,
        ctx: &GpuContext,
        src: impl Into<Field<'a>>,
        first: u32,
        under: Option<Under<'_>>,
        dst: &dyn FrameBatch,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let src = src.into();
        let table = FieldTable::new(ctx, NAME, "input", &self.shape, (src, first))?;
        let out = PictureTable::new(ctx, NAME, "output", &self.output, (dst, dst_first))?;
        let same = |name: &'static str, sizes: &[Size]| match table.sizes().iter().zip(sizes).find(|(a, b)| a != b) {
            Some((wanted, given)) => Err(plan_error(NAME, name, wanted.to_string(), given)),
            None => Ok(()),
        };
        same("output", out.sizes())?;
        let pictures = under.map(|(batch, slot, _)| PictureTable::new(ctx, NAME, "under", &self.output, (batch, slot)));
        let pictures = pictures.transpose()?;
        let inputs = [Some(src.buffer()), under.map(|(batch, ..)| batch.buffer())];
        if inputs.into_iter().flatten().any(|buffer| buffer.raw() == dst.buffer().raw()) {
            return Err(plan_error(NAME, "output", "another buffer than the inputs", "the same"));
        }
        let mut buffers = vec![
            ("src", src.buffer()),
            ("src_words", src.buffer()),
            ("src_pictures", table.buffer()),
            ("src_colors", &self.colors),
            ("dst", dst.buffer()),
            ("out_pictures", out.buffer()),
        ];
        let capacity = table.len().min(out.len());
        check_count(ctx, NAME, "input", u64::from(capacity))?;
        let Some(((batch, _, alpha), pictures)) = under.zip(pictures) else {
            let bind = self.main.bind(ctx, &buffers)?;
            return Ok(FramesBound::new(&self.main, bind, self.groups, capacity));
        };
        same("under", pictures.sizes())?;
        let params = Uniform { alpha: u32::from(alpha) }.upload(ctx, NAME)?;
        buffers.extend([("params", &params), ("src_under", batch.buffer()), ("src_under_pictures", pictures.buffer())]);
        let bind = self.overlay.bind(ctx, &buffers)?;
        let passes = Passes::new(capacity.min(pictures.len())).run(&self.overlay, bind, self.groups);
        Ok(passes.into())
    }
}

/// All maps of `src` in colour, at once; they must be of one size. For scripts and tests; streams keep a bound plan.
pub fn colormap<'a>(ctx: &GpuContext, src: impl Into<Field<'a>>, palette: Palette) -> Result<GpuFrames> {
    let src = src.into();
    let plan = ColormapPlan::new(ctx, src.shape()?, palette)?;
    let size = plan.shape.uniform(NAME)?;
    let dst = GpuFrames::new(ctx, NAME, PixelFormat::Rgba8, size, src.slots())?;
    let bound = plan.bind(ctx, src, 0, None, &dst, 0)?;
    let mut rec = Recorder::new(ctx, NAME);
    Record::record(&bound, &mut rec, src.slots());
    rec.run()?;
    Ok(dst)
}
