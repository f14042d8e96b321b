//! `filter/denoise`: non-local means.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any format (10 bit: 8 most significant bits), or packed RGBA; sizes may differ within a batch |
//! | output | 8-bit grey, or packed RGBA with alpha kept, of the same size |
//! | joint | pixels are compared and averaged with all their channels at once (luma; R, G, B) |
//! | lab | L, and a with b, each on their own, in 8-bit L*a*b* of linear RGB |
//! | border | reflect-101 |
//! | exactness | exact; joint equals `cv2.fastNlMeansDenoising` with template 7, lab lies within 2 codes of `cv2.fastNlMeansDenoisingColored` |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for a strength that is no number above 0 or above 1000, an even search window or one out of 3 to 31, lab of luma, sides above 32,768, other layouts than planned, and a result in the buffer of the input |
//! | source | Buades, Coll, Morel 2005; integer weights as OpenCV |
//!
//! A picture is done in bands of rows, one dispatch each, so that none takes long.

use super::picture::Pictures;
use super::similarity::{cube_roots, weights};
use crate::core::{Exactness, FrameLayout, PixelFormat, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, BufferUse, GpuBuffer, GpuContext, Kernel};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, Passes, gpu_params, grid, plan_error, run_frames,
};

const NAME: &str = "filter/denoise";
/// Pixels beside a pixel that are compared: a template of 7x7.
const TEMPLATE_RADIUS: u32 = 3;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "non-local means, on luma, R G B, or L and a b",
    input: "luma plane (10 bit: 8 most significant bits), or rgba8",
    output: "gray8, or rgba8 with alpha kept",
    params: &[
        ParamDoc { name: "mode", range: "joint | lab", meaning: "all channels at once, or L and then a with b" },
        ParamDoc {
            name: "h",
            range: "above 0, up to 1000 codes",
            meaning: "strength; lab: one for L, one for a and b",
        },
        ParamDoc { name: "search", range: "odd, 3..=31 px", meaning: "side of the search window" },
    ],
    border: "reflect-101",
    exactness: Exactness::Exact,
    reason: "integer weights and sums below 2^31; distances below 2^24 in f32",
    source: "Buades, Coll, Morel 2005; weights as OpenCV",
    entries: &["pad", "average", "merge"],
    fields: Uniform::FIELDS,
    work,
};

/// For a search window of 21x21 pixels.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    let bytes = if layout.format == PixelFormat::Rgba8 { 4 } else { 1 };
    let read = n * bytes * u64::from(layout.format.sample_bytes());
    Work { bytes_read: read, bytes_written: n * bytes, ops: n * 441 * 30 * bytes.min(3) }
}

gpu_params! {
    struct Uniform {
        plane: u32,
        row: u32,
        rows: u32,
        last: u32,
    }
}

/// What is compared, and how strongly noise is taken away: pixels whose patches differ by `h` codes on average count 1/e.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Denoising {
    /// All channels at once.
    Joint {
        /// Strength in codes.
        h: f32,
    },
    /// L, then a with b.
    Lab {
        /// Strength for L, in codes of 0..=255.
        h: f32,
        /// Strength for a and b.
        h_color: f32,
    },
}

/// Parameters of `filter/denoise`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DenoiseParams {
    /// What is compared.
    pub mode: Denoising,
    /// Side of the search window in pixels, odd, 3 to 31.
    pub search: u32,
}

/// Planes that are averaged together.
#[derive(Debug, Clone)]
struct Group {
    kernel: Kernel,
    plane: u32,
    channels: u32,
    weights: GpuBuffer,
    last: u32,
}

/// A planned `filter/denoise`.
#[derive(Debug, Clone)]
pub struct DenoisePlan {
    pad: Kernel,
    groups: Vec<Group>,
    merge: Kernel,
    pictures: Pictures,
    roots: GpuBuffer,
    radius: u32,
    workgroup: u32,
    /// Cost of a dispatch: pixels times search places, times one for the weights and one for each channel.
    band: u64,
}

/// Planes of bytes, four a word, as the kernel finds them: first word, words per row, words per plane.
#[derive(Debug, Clone, Copy)]
struct Planes {
    first: u32,
    stride: u32,
    plane: u32,
}

impl Planes {
    fn words(self) -> [u32; 4] {
        [self.first, self.stride, self.plane, 0]
    }
}

impl DenoisePlan {
    /// Plans for pictures of one layout or, with a mixed shape, of different sizes.
    pub fn new(ctx: &GpuContext, input: impl Into<BatchShape>, params: DenoiseParams) -> Result<Self> {
        let pictures = Pictures::of(NAME, input.into())?;
        let DenoiseParams { mode, search } = params;
        if search.is_multiple_of(2) || !(3..=31).contains(&search) {
            return Err(plan_error(NAME, "search", "an odd number, 3 to 31", search));
        }
        let lab = matches!(mode, Denoising::Lab { .. });
        if lab && !pictures.rgba() {
            return Err(plan_error(NAME, "mode", "joint, or packed RGBA", "lab of luma"));
        }
        let radius = search / 2;
        // Some 50 ms a dispatch on two cores; a GPU wants all it can get.
        let (workgroup, band) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 441 * (96 << 10)),
            AdapterClass::Gpu => (64, 441 << 23),
        };
        let constants = pictures.constants([("WG", workgroup), ("RADIUS", radius), ("LAB", u32::from(lab))]);
        let group = |plane, channels: u32, name, h: f32| {
            if !(h > 0.0 && h <= 1000.0) {
                return Err(plan_error(NAME, name, "above 0, up to 1000", h));
            }
            let mut constants = constants.clone();
            constants.push(("CHANNELS", f64::from(channels)));
            let table = weights(h, channels, search);
            Ok(Group {
                kernel: Kernel::new(ctx, NAME, "average", &constants)?,
                plane,
                channels,
                last: table.len().saturating_sub(1) as u32,
                weights: upload(ctx, &table)?,
            })
        };
        let groups = match mode {
            Denoising::Joint { h } => vec![group(0, if pictures.rgba() { 3 } else { 1 }, "h", h)?],
            Denoising::Lab { h, h_color } => vec![group(0, 1, "h", h)?, group(1, 2, "h_color", h_color)?],
        };
        Ok(Self {
            pad: Kernel::new(ctx, NAME, "pad", &constants)?,
            merge: Kernel::new(ctx, NAME, "merge", &constants)?,
            groups,
            roots: upload(ctx, &cube_roots())?,
            pictures,
            radius,
            workgroup,
            band,
        })
    }

    /// Layout of the results; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.pictures.output().largest()
    }

    /// Planes with a margin around them, wide enough that whole words may be read behind the last pixel.
    fn padded(&self, first: u32, size: Size) -> Planes {
        let margin = 2 * (self.radius + TEMPLATE_RADIUS);
        let stride = size.width.div_ceil(4) + self.radius / 2 + 4;
        // Rows of a block of four reach three rows below the margin.
        Planes { first, stride, plane: stride * (size.height + margin + 3) }
    }

    /// Binds the pictures of `src` from slot `first` on to results of their sizes in `dst` from slot `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &dyn FrameBatch,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let pair = self.pictures.pair(ctx, (src, first), (dst, dst_first))?;
        let rgba = self.pictures.rgba();
        let channels = if rgba { 3 } else { 1 };
        let (mut places, mut padded_end, mut planes_end) = (Vec::new(), 0, 0);
        for i in 0..pair.len() {
            let Some((offset, layout)) = dst.slot(dst_first + i) else { break };
            let padded = self.padded(padded_end, layout.size);
            padded_end += padded.plane * channels;
            let planes = if rgba {
                let stride = layout.size.width.div_ceil(4);
                let planes = Planes { first: planes_end, stride, plane: stride * layout.size.height };
                planes_end += planes.plane * channels;
                planes
            } else {
                // Grey goes where it belongs at once; a binding is below 2^32 bytes.
                Planes { first: (offset / 4) as u32, stride: layout.first().stride / 4, plane: 0 }
            };
            places.extend(padded.words().into_iter().chain(planes.words()));
        }
        let places = upload(ctx, &places)?;
        let room = |words: u32| GpuBuffer::new(ctx, NAME, 4 * u64::from(words), BufferUse::Storage);
        let padded = room(padded_end)?;
        let planes = if rgba { room(planes_end)? } else { dst.buffer().clone() };

        let size = self.output().size;
        let largest = self.padded(0, size);
        let pad = self.pad.bind(
            ctx,
            &[
                ("src_words", src.buffer()),
                ("src_pictures", pair.src.buffer()),
                ("cube_roots", &self.roots),
                ("places", &places),
                ("dst_padded", &padded),
            ],
        )?;
        let groups = grid(ctx, NAME, u64::from(largest.plane), self.workgroup)?;
        let mut passes = Passes::new(pair.len()).run(&self.pad, pad, groups);
        let columns = u64::from(size.width.div_ceil(4));
        let places_of_row = 4 * columns * u64::from(pair.len().max(1)) * u64::from(2 * self.radius + 1).pow(2);
        for group in &self.groups {
            let rows = self.band / (places_of_row * u64::from(1 + group.channels));
            let band = (rows.clamp(4, u64::from(size.height).max(4)) as u32).next_multiple_of(4);
            for row in (0..size.height).step_by(band as usize) {
                let rows = band.min(size.height - row);
                let params = Uniform { plane: group.plane, row, rows, last: group.last }.upload(ctx, NAME)?;
                let bind = group.kernel.bind(
                    ctx,
                    &[
                        ("params", &params),
                        ("src_pictures", pair.src.buffer()),
                        ("weights", &group.weights),
                        ("places", &places),
                        ("padded", &padded),
                        ("dst_planes", &planes),
                    ],
                )?;
                let groups = grid(ctx, NAME, columns * u64::from(rows.div_ceil(4)), self.workgroup)?;
                passes = passes.run(&group.kernel, bind, groups);
            }
        }
        if rgba {
            let merge = self.merge.bind(
                ctx,
                &[
                    ("src_words", src.buffer()),
                    ("src_pictures", pair.src.buffer()),
                    ("out_pictures", pair.dst.buffer()),
                    ("places", &places),
                    ("planes", &planes),
                    ("dst_words", dst.buffer()),
                ],
            )?;
            let groups = grid(ctx, NAME, columns * u64::from(size.height), self.workgroup)?;
            passes = passes.run(&self.merge, merge, groups);
        }
        Ok(passes.into())
    }
}

fn upload(ctx: &GpuContext, words: &[u32]) -> Result<GpuBuffer> {
    let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
    GpuBuffer::with_data(ctx, NAME, &bytes)
}

/// Takes noise out of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn denoise(ctx: &GpuContext, src: &GpuFrames, params: DenoiseParams) -> Result<GpuFrames> {
    let plan = DenoisePlan::new(ctx, src.layout(), params)?;
    run_frames(ctx, NAME, plan.output(), src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}
