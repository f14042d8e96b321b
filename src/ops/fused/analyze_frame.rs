//! `fused/analyze_frame`: what curation, chunking and shot detection want to know of a frame, in few passes over it.
//!
//! | | |
//! |---|---|
//! | input | pictures of any format, 8 or 10 bits; YUV turns to RGB as in `color/rgb_from_yuv`; sizes may differ within a batch |
//! | output | [`FrameAnalysis`] per picture: exact integers; its methods make the figures in f64 |
//! | parameters | [`AnalyzeParams`]: which parts, and theirs. What is not asked for is neither computed nor read back |
//! | parts | `edges/canny` with `edges/edge_density` and `quality/border_occlusion`; `histogram/unique_colors`; `quality/lighting`; `stats/luma` (with it contrast, Laplacian, Tenengrad); `sharpness/noise_residual`; `histogram/luma`; `histogram/hsv3d`; `resize/area` to a thumbnail, which may be larger than a picture: pixels are then repeated |
//! | grey | luma (10 bits: the 8 most significant), of packed RGB as `color/gray_from_rgb`, made once on the way |
//! | memory | 2 MiB for each of up to 16 pictures at a time for colours; grey of packed RGB; what `edges/canny` needs |
//! | border | as the parts |
//! | exactness | exact: the integers of the single operations |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for nothing asked for, sides above 32,768, bins, border or thumbnail out of range, a border without edges |
//! | source | see the parts |

use super::analyze_layout::ResultLayout;
use crate::core::{Exactness, FrameAnalysis, FrameLayout, LightingSums, PixelFormat, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BindGroup, BufferUse, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::color::rgb_from_yuv::RgbParams;
use crate::ops::color_map::{COUNTERS, LOADS, MAP_BYTES, TOGETHER};
use crate::ops::edges::canny::{CannyBound, CannyParams, CannyPlan};
use crate::ops::edges::hysteresis::HysteresisStatus;
use crate::ops::histogram::hsv3d::HsvBins;
use crate::ops::luma_plane::LumaPlane;
use crate::ops::quality::border_occlusion::{BORDER, border_items};
use crate::ops::stats::luma::LumaParams;
use crate::ops::{
    BatchShape, FrameBatch, GraySource, MAX_SIDE, Measure, OpInfo, ParamDoc, Passes, PictureTable, Record, RgbSource,
    gpu_params, gray_shape, grid, plan_error, reads_pictures,
};

const NAME: &str = "fused/analyze_frame";
/// Most loop steps of an invocation of the scan, without its tables.
const MAX_SCAN_STEPS: u64 = 30_000;
/// Most loop steps of a pixel of the thumbnail.
const MAX_STEPS: u64 = 32_768;
/// Longest side of a thumbnail.
const MAX_THUMBNAIL: u32 = 64;
/// Most bins of both histograms together: a table of them for each of 8 lanes takes 16 KiB.
const MAX_BINS: u32 = 511;
/// Tables of a workgroup in the variant for GPUs.
const TABLES: u32 = 2;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "complexity, lighting, occlusion, quality, histograms and a thumbnail of a frame in few passes",
    input: "any format (YUV as color/rgb_from_yuv, in registers; grey is luma, or color/gray_from_rgb)",
    output: "FrameAnalysis per picture (exact integers of the parts asked for)",
    params: &[
        ParamDoc { name: "edges", range: "none, or as edges/canny", meaning: "edge pixels of grey" },
        ParamDoc {
            name: "border",
            range: "none, or 1..=32768 pixels",
            meaning: "strips of border_occlusion; needs edges",
        },
        ParamDoc { name: "colors", range: "yes or no", meaning: "different colours" },
        ParamDoc { name: "lighting", range: "yes or no", meaning: "sums of V in patches of 32x32" },
        ParamDoc { name: "luma", range: "none, or as stats/luma", meaning: "sums over grey" },
        ParamDoc { name: "residual", range: "yes or no", meaning: "what a 5x5 blur takes away" },
        ParamDoc { name: "luma_bins", range: "none, or 2..=256", meaning: "histogram of grey" },
        ParamDoc {
            name: "hsv",
            range: "none, or bins as histogram/hsv3d; with luma_bins at most 511",
            meaning: "joint histogram",
        },
        ParamDoc { name: "thumbnail", range: "none, or 1x1 to 64x64", meaning: "area means of grey, for hashes" },
        ParamDoc { name: "rgb", range: "matrix, range, siting, upsampling", meaning: "how YUV turns to RGB" },
    ],
    border: "as the parts",
    exactness: Exactness::Exact,
    reason: "the integers of the single operations",
    source: "see the parts",
    entries: &["scan", "count_colors", "stencils", "count_edges", "border", "thumbnail"],
    fields: Uniform::FIELDS,
    work,
};

/// With all parts.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let (across, down) = LightingSums::patches_of(layout.size);
    // The picture, its grey once more, colours, the bit planes of Canny.
    let bytes_read = layout.format.frame_bytes(layout.size) + n + MAP_BYTES + n / 2;
    let bytes_written = MAP_BYTES + n / 2 + u64::from(across * down) * 12 + 6000;
    Work { bytes_read, bytes_written, ops: n * 220 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
        first: u32,
        dst: u32,
        patches: u32,
        thumb: u32,
        thumb_width: u32,
        thumb_height: u32,
        dark: u32,
        bright: u32,
        border: u32,
    }
}

/// Which parts are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnalyzeParams {
    /// Canny edges of grey.
    pub edges: Option<CannyParams>,
    /// Width of the strips along the border in pixels; needs `edges`.
    pub border: Option<u32>,
    /// Different 24-bit colours.
    pub colors: bool,
    /// Sums of the HSV value in patches of 32x32 pixels.
    pub lighting: bool,
    /// Sums over grey, with the codes of dark and bright pixels.
    pub luma: Option<LumaParams>,
    /// What a 5x5 blur takes away from grey.
    pub residual: bool,
    /// Bins of the histogram of grey, 2..=256.
    pub luma_bins: Option<u32>,
    /// Bins of hue, saturation and value.
    pub hsv: Option<HsvBins>,
    /// Size of the thumbnail, up to 64x64: 9x8 for difference hashes, 32x32 for all.
    pub thumbnail: Option<Size>,
    /// How YUV turns to RGB.
    pub rgb: RgbParams,
}

impl AnalyzeParams {
    /// Nothing yet: `AnalyzeParams { colors: true, ..AnalyzeParams::none(rgb) }`.
    pub const fn none(rgb: RgbParams) -> Self {
        Self {
            edges: None,
            border: None,
            colors: false,
            lighting: false,
            luma: None,
            residual: false,
            luma_bins: None,
            hsv: None,
            thumbnail: None,
            rgb,
        }
    }

    /// What the figures of curation and its hashes need ([`FrameAnalysis::figures`]), with their usual parameters.
    pub const fn curation(rgb: RgbParams) -> Self {
        Self {
            edges: Some(CannyParams { low: 50, high: 150 }),
            border: Some(BORDER),
            colors: true,
            lighting: true,
            luma: Some(LumaParams { dark: 25, bright: 230 }),
            residual: true,
            thumbnail: Some(Size::new(32, 32)),
            ..Self::none(rgb)
        }
    }

    /// Everything: as [`Self::curation`], and histograms of 256 bins of grey and 6x6x6 of HSV.
    pub const fn all(rgb: RgbParams) -> Self {
        let hsv = Some(HsvBins { hue: 6, saturation: 6, value: 6 });
        Self { luma_bins: Some(256), hsv, ..Self::curation(rgb) }
    }
}

/// A planned `fused/analyze_frame`.
#[derive(Debug, Clone)]
pub struct AnalyzePlan {
    shape: BatchShape,
    canny: Option<CannyPlan>,
    /// Reads pictures: colours, patches, histograms, grey of packed RGB.
    scan: Option<Pass>,
    count_colors: Option<Pass>,
    stencils: Option<Pass>,
    count_edges: Option<Pass>,
    border: Option<Pass>,
    thumbnail: Option<Pass>,
    uniform: Uniform,
    layout: ResultLayout,
}

/// Workgroups of `wg` invocations that scan `patches` within the bound of their loops: a column of 16 pixels has up to 16 new colours, and
/// up to 16 bins of HSV.
fn fewest_groups(patches: u32, wg: u32, colors: bool, hsv: bool) -> u32 {
    let steps = 64 * (1 + 16 * (u64::from(colors) + u64::from(hsv)));
    let each = u32::try_from(MAX_SCAN_STEPS / steps).unwrap_or(1).max(1);
    patches.div_ceil(wg * each)
}

/// A kernel and its workgroups.
#[derive(Debug, Clone)]
struct Pass {
    kernel: Kernel,
    groups: [u32; 2],
}

impl Pass {
    fn new(ctx: &GpuContext, entry: &str, constants: &[(&str, f64)], items: u64, wg: u32) -> Result<Self> {
        Ok(Self { kernel: Kernel::new(ctx, NAME, entry, constants)?, groups: grid(ctx, NAME, items, wg)? })
    }

    /// Binds what the kernel uses of `buffers`.
    fn bind(&self, ctx: &GpuContext, buffers: &[(&str, &GpuBuffer)]) -> Result<BindGroup> {
        let uses = |name: &str| self.kernel.interface().bindings.iter().any(|b| b.name == name);
        let used: Vec<_> = buffers.iter().copied().filter(|(name, _)| uses(name)).collect();
        self.kernel.bind(ctx, &used)
    }
}

/// A plan bound to pictures.
#[derive(Debug, Clone)]
pub struct AnalyzeBound {
    measure: Measure<FrameAnalysis>,
    status: Option<HysteresisStatus>,
}

impl AnalyzePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, shape: impl Into<BatchShape>, params: AnalyzeParams) -> Result<Self> {
        Self::for_class(ctx, shape, params, ctx.caps().class)
    }

    /// Plans with the histograms meant for adapters of `class`. Both variants run, and are exact, on every adapter: this exists so
    /// that tests and benchmarks can compare them.
    pub fn for_class(
        ctx: &GpuContext,
        shape: impl Into<BatchShape>,
        params: AnalyzeParams,
        class: AdapterClass,
    ) -> Result<Self> {
        let shape = shape.into();
        let AnalyzeParams { edges, border, colors, lighting, luma, residual, hsv, thumbnail, rgb, .. } = params;
        if params == AnalyzeParams::none(rgb) {
            return Err(plan_error(NAME, "parts", "at least one part", "none"));
        }
        let source = RgbSource::of(NAME, &shape, rgb)?;
        check(&params, &shape)?;
        let grays = gray_shape(&shape)?;
        let plane = LumaPlane::of_shape(NAME, &grays)?;
        let size = shape.largest().size;
        let layout = ResultLayout::new(&params, size)?;
        let (wg, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 32u32),
            AdapterClass::Gpu => (64, 8),
        };
        let bins = layout.luma_bins + layout.hsv_bins;
        let HsvBins { hue, saturation, value } = hsv.unwrap_or_default();
        let table = bins.max(1);
        let scanned = [
            ("TAIL", source.tail),
            ("COLORS", u32::from(colors)),
            ("LIGHTING", u32::from(lighting)),
            ("LUMA_BINS", layout.luma_bins),
            ("HSV_BINS", layout.hsv_bins),
            ("BINS", table),
            ("H_BINS", hue),
            ("S_BINS", saturation),
            ("V_BINS", value),
        ];
        let (scan_wg, tables) = match class {
            AdapterClass::Cpu => (8u32, [("LANES", 1), ("LANE_WORDS", 8 * table), ("TABLE_WORDS", 1)]),
            AdapterClass::Gpu => {
                let words = (table + 1) * TABLES;
                (64, [("LANES", 0), ("LANE_WORDS", 1), ("TABLE_WORDS", words)])
            }
        };
        let mut constants = source.constants(scanned);
        constants
            .extend(tables.into_iter().chain([("WG", scan_wg), ("TABLES", TABLES)]).map(|(n, v)| (n, f64::from(v))));
        let (across, down) = LightingSums::patches_of(size);
        let patches = across * down;
        // Few workgroups where each clears and merges tables; as many as are needed for the bound of the loops.
        let aim = match class {
            AdapterClass::Cpu if bins > 0 => 32,
            _ => patches.div_ceil(scan_wg),
        };
        let scan_groups =
            aim.min(patches.div_ceil(scan_wg)).max(fewest_groups(patches, scan_wg, colors, hsv.is_some()));
        let wanted = colors || lighting || bins > 0 || shape.largest().format == PixelFormat::Rgba8;
        let gray = plane.constants([
            ("TAIL", plane.tail()),
            ("WG", wg),
            ("ROWS", rows),
            ("LUMA", u32::from(luma.is_some())),
            ("RESIDUAL", u32::from(residual)),
        ]);
        let counted = [("WG", f64::from(wg)), ("ROWS", f64::from(rows)), ("LOADS", f64::from(LOADS))];
        let blocks = u64::from(source.columns) * u64::from(size.height.div_ceil(rows));
        let bits = u64::from(size.width.div_ceil(128)) * u64::from(size.height.div_ceil(rows));
        let pass = |asked: bool, entry: &str, constants: &[(&str, f64)], items: u64, wg: u32| {
            asked.then(|| Pass::new(ctx, entry, constants, items, wg)).transpose()
        };
        let thumb = thumbnail.unwrap_or(Size::new(0, 0));
        let codes = luma.unwrap_or(LumaParams { dark: 0, bright: 0 });
        Ok(Self {
            canny: edges.map(|thresholds| CannyPlan::new(ctx, grays, thresholds)).transpose()?,
            scan: pass(wanted, "scan", &constants, u64::from(scan_groups) * u64::from(scan_wg), scan_wg)?,
            count_colors: pass(colors, "count_colors", &counted, COUNTERS, wg)?,
            stencils: pass(luma.is_some() || residual, "stencils", &gray, blocks, wg)?,
            count_edges: pass(edges.is_some(), "count_edges", &counted, bits, wg)?,
            border: pass(border.is_some(), "border", &gray, border_items(border.unwrap_or(1), size), wg)?,
            thumbnail: pass(thumbnail.is_some(), "thumbnail", &gray, thumb.area(), wg)?,
            uniform: Uniform {
                offset: source.offset,
                chroma: source.chroma,
                first: 0,
                dst: layout.words,
                patches: layout.patches,
                thumb: layout.thumb,
                thumb_width: thumb.width,
                thumb_height: thumb.height,
                dark: u32::from(codes.dark),
                bright: u32::from(codes.bright),
                border: border.unwrap_or(1),
            },
            shape,
            layout,
        })
    }

    /// Bytes of results per picture: those of the largest one for mixed sizes.
    pub fn result_bytes(&self) -> u64 {
        u64::from(self.layout.words) * 4
    }

    /// Binds the pictures of `src` from slot `first` on.
    ///
    /// # Errors
    /// `Parameter` for other pictures than planned and a slot that does not exist; the budget.
    pub fn bind(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<AnalyzeBound> {
        let pictures = PictureTable::each(ctx, NAME, "input", &self.shape, (src, first))?;
        let gray = GraySource::new(ctx, NAME, &self.shape, (src, first), &pictures)?;
        let total = pictures.len();
        let sums = GpuBuffer::new(ctx, NAME, self.result_bytes() * u64::from(total), BufferUse::Storage)?;
        let mut passes = Passes::new(total).clear(&sums, self.result_bytes());
        passes = self.bind_source(ctx, (src, &pictures), &gray, &sums, passes)?;
        let (grays, gray_first) = gray.pictures();
        let canny = self.canny.as_ref().map(|plan| plan.bind_bits(ctx, grays, gray_first)).transpose()?;
        passes = self.bind_gray(ctx, (grays, gray.table(&pictures)), canny.as_ref(), &sums, passes)?;
        let layout = self.layout;
        let decode = move |bytes: &[u8], size| layout.decode(bytes, size);
        let measure = Measure::new(passes, (&sums, self.result_bytes()), pictures.sizes(), decode);
        Ok(AnalyzeBound { measure, status: canny.map(|c| c.status().clone()) })
    }

    /// The passes that read the source, in turns of as many pictures as there are maps of colours.
    fn bind_source(
        &self,
        ctx: &GpuContext,
        (src, pictures): (&dyn FrameBatch, &PictureTable),
        gray: &GraySource<'_>,
        sums: &GpuBuffer,
        mut passes: Passes,
    ) -> Result<Passes> {
        let Some(scan) = &self.scan else { return Ok(passes) };
        let total = pictures.len();
        let colors = self.count_colors.is_some();
        let together = if colors { TOGETHER } else { total };
        let map_bytes = if colors { MAP_BYTES } else { 0 };
        let map = GpuBuffer::new(ctx, NAME, (map_bytes * u64::from(total.min(together))).max(256), BufferUse::Storage)?;
        for turn in (0..total).step_by(together as usize) {
            let params = Uniform { first: turn, ..self.uniform }.upload(ctx, NAME)?;
            let buffers = [
                ("params", &params),
                ("src", src.buffer()),
                ("src_words", src.buffer()),
                ("src_pictures", pictures.buffer()),
                ("out_pictures", gray.table(pictures)),
                ("dst_gray", gray.target()),
                ("dst_map", &map),
                ("dst_sums", sums),
            ];
            let mut steps = Passes::new((total - turn).min(together));
            if colors {
                steps = steps.clear(&map, map_bytes);
            }
            steps = steps.run(&scan.kernel, scan.bind(ctx, &buffers)?, scan.groups);
            if let Some(pass) = &self.count_colors {
                let counted = [("params", &params), ("map", &map), ("dst_sums", sums)];
                steps = steps.run(&pass.kernel, pass.bind(ctx, &counted)?, pass.groups);
            }
            passes = passes.then_from(turn, steps);
        }
        Ok(passes)
    }

    /// The passes that read grey.
    fn bind_gray(
        &self,
        ctx: &GpuContext,
        (grays, table): (&dyn FrameBatch, &GpuBuffer),
        canny: Option<&CannyBound>,
        sums: &GpuBuffer,
        mut passes: Passes,
    ) -> Result<Passes> {
        let params = self.uniform.upload(ctx, NAME)?;
        let read = [
            ("params", &params),
            ("src", grays.buffer()),
            ("src_words", grays.buffer()),
            ("src_pictures", table),
            ("dst_sums", sums),
        ];
        for pass in self.stencils.iter().chain(&self.thumbnail) {
            passes = passes.run(&pass.kernel, pass.bind(ctx, &read)?, pass.groups);
        }
        let Some(canny) = canny else { return Ok(passes) };
        passes = passes.then(canny.passes(), 1);
        let planes = canny.edges().table(ctx, NAME)?;
        let edges = canny.edges().buffer();
        if let Some(pass) = &self.count_edges {
            let bits = [("params", &params), ("src_bits", edges), ("src_pictures", &planes), ("dst_sums", sums)];
            passes = passes.run(&pass.kernel, pass.bind(ctx, &bits)?, pass.groups);
        }
        if let Some(pass) = &self.border {
            let mut both = read.to_vec();
            both.extend([("src_edges", edges), ("src_planes", &planes)]);
            passes = passes.run(&pass.kernel, pass.bind(ctx, &both)?, pass.groups);
        }
        Ok(passes)
    }
}

/// Parameters that are checked nowhere else.
fn check(params: &AnalyzeParams, shape: &BatchShape) -> Result<()> {
    let bad = |name, wanted: String, given: String| Err(plan_error(NAME, name, wanted, given));
    if let Some(border) = params.border {
        if params.edges.is_none() {
            return bad("border", "edges asked for as well".into(), "a border without edges".into());
        }
        if !(1..=MAX_SIDE).contains(&border) {
            return bad("border", format!("1 to {MAX_SIDE} pixels"), border.to_string());
        }
    }
    if params.luma_bins.is_some_and(|bins| !(2..=256).contains(&bins)) {
        return bad("luma_bins", "2 to 256".into(), format!("{:?}", params.luma_bins));
    }
    if let Some(HsvBins { hue, saturation, value }) = params.hsv {
        let inside = (1..=180).contains(&hue) && (1..=256).contains(&saturation) && (1..=256).contains(&value);
        let count = if inside { hue * saturation * value } else { 0 };
        if !(1..=MAX_BINS - params.luma_bins.unwrap_or(0)).contains(&count) {
            let wanted = format!("bins as histogram/hsv3d, with those of luma at most {MAX_BINS} (use that operation)");
            return bad("hsv", wanted, format!("{hue} x {saturation} x {value}"));
        }
    }
    if let Some(Size { width, height }) = params.thumbnail {
        if !(1..=MAX_THUMBNAIL).contains(&width) || !(1..=MAX_THUMBNAIL).contains(&height) {
            return bad("thumbnail", format!("1x1 to {MAX_THUMBNAIL}x{MAX_THUMBNAIL}"), format!("{width}x{height}"));
        }
        let from = shape.largest().size;
        let steps = (u64::from(from.height / height) + 2) * (u64::from(from.width / width / 16) + 4);
        if steps > MAX_STEPS {
            let wanted = format!("large enough that a pixel takes at most {MAX_STEPS} steps");
            return bad("thumbnail", wanted, format!("{width}x{height} of {from}"));
        }
    }
    Ok(())
}

impl AnalyzeBound {
    /// The measurement: its results, and how to read them.
    pub fn measure(&self) -> &Measure<FrameAnalysis> {
        &self.measure
    }

    /// Tells whether the hysteresis of the edges was complete; `None` where no edges were asked for.
    pub fn status(&self) -> Option<&HysteresisStatus> {
        self.status.as_ref()
    }

    /// Records all bound pictures, waits, and reads their values. For scripts and tests; streams record, and read through a ring.
    pub fn run(&self, ctx: &GpuContext) -> Result<Vec<FrameAnalysis>> {
        let found = self.measure.run(ctx)?;
        self.status.as_ref().map_or(Ok(()), |status| status.check(ctx))?;
        Ok(found)
    }
}

impl Record for AnalyzeBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.measure.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.measure.capacity()
    }
}

reads_pictures!(AnalyzePlan, AnalyzeBound, |plan| plan.shape);

/// Analyses of all pictures of `src`, at once: uploads nothing, waits for the result. For scripts and tests; streams keep a bound plan.
pub fn analyze_frame(ctx: &GpuContext, src: &dyn FrameBatch, params: AnalyzeParams) -> Result<Vec<FrameAnalysis>> {
    AnalyzePlan::new(ctx, BatchShape::of(src)?, params)?.bind(ctx, src, 0)?.run(ctx)
}
