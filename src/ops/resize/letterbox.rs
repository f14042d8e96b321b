//! `resize/letterbox`: pictures made to fit into others without a change of their aspect ratio.
//!
//! | | |
//! |---|---|
//! | input | the luma plane of any format (10 bit: 8 most significant bits), or packed RGBA; sizes may differ within a batch |
//! | output | 8-bit grey, or packed RGBA with all channels alike; the rest holds a colour |
//! | place | `core::Fit::Letterbox`: the side that limits is filled; in the middle or at the top left |
//! | bilinear | as `resize/bilinear` |
//! | area | as `resize/area` where no side grows, else bilinear |
//! | border | replicate (bilinear), none (area) |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for other formats than planned, sides above 32,768, pixels made of more than 32,768 sources, other layouts than planned, and a result in the buffer of the input |
//! | source | as `resize/bilinear` and `resize/area` |

use super::resample::{Axis, Tables, Taps, result_format, result_layout};
use crate::core::{Anchor, Exactness, Fit, FrameLayout, PixelFormat, Rect, Size, Work};
use crate::error::Result;
use crate::gpu::{AdapterClass, GpuBuffer, GpuContext, Kernel, Recorder};
use crate::ops::{
    BatchShape, FrameBatch, FramesBound, GpuFrames, OpInfo, ParamDoc, PictureTable, Record, check_count, check_sides,
    gpu_params, grid, plan_error, run_frames,
};

const NAME: &str = "resize/letterbox";
/// Steps that all loops of an invocation may take together.
const MAX_STEPS: u64 = 32_768;

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "pictures fitted into a size with their aspect ratio kept, the rest filled",
    input: "luma plane (10 bit: 8 most significant bits), or rgba8",
    output: "gray8, or rgba8",
    params: &[
        ParamDoc { name: "filter", range: "bilinear | area", meaning: "how pictures are resized" },
        ParamDoc { name: "anchor", range: "center | top-left", meaning: "where pictures lie" },
        ParamDoc { name: "color", range: "R, G, B, A codes", meaning: "of the rest; grey takes the first" },
    ],
    border: "replicate (bilinear), none (area)",
    exactness: Exactness::Exact,
    reason: "integer sums and quotients",
    source: "as resize/bilinear and resize/area",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

/// For half the size.
fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area() * if layout.format == PixelFormat::Rgba8 { 4 } else { 1 };
    Work { bytes_read: n * u64::from(layout.format.sample_bytes()), bytes_written: n / 4, ops: n * 3 }
}

gpu_params! {
    struct Uniform {
        color: u32,
        rows: u32,
    }
}

/// How pictures are resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LetterboxFilter {
    /// Two taps per axis; pixels are skipped below half the size.
    Bilinear,
    /// Coverage-weighted means where no side grows; else bilinear.
    Area,
}

/// Parameters of `resize/letterbox`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterboxParams {
    /// How pictures are resized.
    pub filter: LetterboxFilter,
    /// Where pictures lie.
    pub anchor: Anchor,
    /// R, G, B, A of the rest; grey results take the first.
    pub color: [u8; 4],
}

impl LetterboxParams {
    /// The rectangle of a `target` that a `source` picture fills.
    pub fn content(&self, source: Size, target: Size) -> Rect {
        // The grey of the fit is for tensors.
        Fit::Letterbox { pad: 0.0, anchor: self.anchor }.content(source, target)
    }
}

/// Two taps in 2048ths, as `resize/bilinear`.
fn bilinear(x: u32, from: u32, to: u32) -> Taps {
    let (source, twice) = (i64::from(from), 2 * i64::from(to));
    let place = (2 * i64::from(x) + 1) * source - i64::from(to);
    let weight = ((2048 * place.rem_euclid(twice) + i64::from(to)) / twice) as i32;
    let tap = |i: i64| i.clamp(0, source - 1) as u32;
    let (first, second) = (tap(place.div_euclid(twice)), tap(place.div_euclid(twice) + 1));
    let weights = if first == second { vec![2048] } else { vec![2048 - weight, weight] };
    Taps { first, weights }
}

/// Shares of the sources that a destination covers, without a common factor; they sum to [`covered`].
fn area(x: u32, from: u32, to: u32) -> Taps {
    let (sum, full) = (u64::from(covered(from, to)), u64::from(covered(to, from)));
    let (start, end) = (u64::from(x) * sum, (u64::from(x) + 1) * sum);
    let (first, behind) = (start / full, end.div_ceil(full));
    let share = |i: u64| (((i + 1) * full).min(end) - (i * full).max(start)) as i32;
    Taps { first: first as u32, weights: (first..behind).map(share).collect() }
}

/// `from` without the factors that it shares with `to`.
const fn covered(from: u32, to: u32) -> u32 {
    let (mut a, mut b) = (from, to);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    from / if a == 0 { 1 } else { a }
}

/// A planned `resize/letterbox`.
#[derive(Debug, Clone)]
pub struct LetterboxPlan {
    kernel: Kernel,
    input: BatchShape,
    output: BatchShape,
    params: LetterboxParams,
    workgroup: u32,
    /// Rows of an invocation, at most.
    rows: u32,
}

/// A plan bound to pictures.
#[derive(Debug, Clone)]
pub struct LetterboxBound {
    bound: FramesBound,
    contents: Vec<Rect>,
}

impl LetterboxBound {
    /// Where each bound picture lies in its result.
    pub fn contents(&self) -> &[Rect] {
        &self.contents
    }
}

impl From<LetterboxBound> for FramesBound {
    fn from(this: LetterboxBound) -> Self {
        this.bound
    }
}

impl Record for LetterboxBound {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.bound.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.bound.capacity()
    }
}

impl LetterboxPlan {
    /// Plans from pictures like `input` to pictures like `output`; either shape may be mixed.
    pub fn new(
        ctx: &GpuContext,
        input: impl Into<BatchShape>,
        output: impl Into<BatchShape>,
        params: LetterboxParams,
    ) -> Result<Self> {
        let (input, output) = (input.into(), output.into());
        check_sides(NAME, "input", input.largest())?;
        check_sides(NAME, "output", output.largest())?;
        let (from, to) = (input.largest().format, output.largest().format);
        if to != result_format(from) {
            return Err(plan_error(NAME, "output", result_format(from).name(), to));
        }
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 8u32),
            AdapterClass::Gpu => (64, 2),
        };
        let constants = [
            ("RGBA", u32::from(from == PixelFormat::Rgba8)),
            ("WIDE", u32::from(from.sample_bytes() == 2)),
            ("SHIFT", from.shift_to_8bit()),
            ("WG", workgroup),
        ]
        .map(|(name, value)| (name, f64::from(value)));
        Ok(Self { kernel: Kernel::new(ctx, NAME, "main", &constants)?, input, output, params, workgroup, rows })
    }

    /// Layout of the results; of the largest one for mixed sizes.
    pub fn output(&self) -> &FrameLayout {
        self.output.largest()
    }

    /// Binds the pictures of `src` from slot `first` on to those of `dst` from slot `dst_first` on: each is fitted into its result.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &dyn FrameBatch,
        dst_first: u32,
    ) -> Result<LetterboxBound> {
        if src.buffer().raw() == dst.buffer().raw() {
            return Err(plan_error(NAME, "output", "another buffer than the input", "the same"));
        }
        let from = PictureTable::new(ctx, NAME, "input", &self.input, (src, first))?;
        let to = PictureTable::new(ctx, NAME, "output", &self.output, (dst, dst_first))?;
        check_count(ctx, NAME, "input", u64::from(from.len().min(to.len())))?;
        let group = if self.output().format == PixelFormat::Rgba8 { 1 } else { 4 };
        let (mut across, mut down) = (Tables::default(), Tables::default());
        let (mut places, mut contents, mut most) = (Vec::new(), Vec::new(), 1);
        for (source, target) in from.sizes().iter().zip(to.sizes().iter()) {
            let rect = self.params.content(*source, *target);
            let shrinks = rect.width <= source.width && rect.height <= source.height;
            let by_area = shrinks && self.params.filter == LetterboxFilter::Area;
            let (taps, total): (fn(u32, u32, u32) -> Taps, u32) = match by_area {
                // At most 32768 * 32768.
                true => (area, covered(source.width, rect.width) * covered(source.height, rect.height)),
                false => (bilinear, 2048 * 2048),
            };
            let lead = rect.x % group;
            let x = across.add((source.width, rect.width, lead, by_area), || {
                let axis = Axis::new(taps, source.width, rect.width);
                (axis.count, axis.across(group as usize, lead as usize))
            });
            let y = down.add((source.height, rect.height, by_area), || {
                let axis = Axis::new(taps, source.height, rect.height);
                (axis.count, axis.down())
            });
            let steps = u64::from(x.1) * u64::from(y.1);
            most = most.max(steps);
            if steps > MAX_STEPS {
                let wanted =
                    format!("large enough that a pixel takes at most {MAX_STEPS} sources (resize in two turns)");
                return Err(plan_error(NAME, "output", wanted, format!("{steps} for {source} in {target}")));
            }
            places.extend([x.0 / 4, y.0, x.1, y.1, rect.x, rect.y, rect.width, rect.height, total, 0, 0, 0]);
            contents.push(rect);
        }
        let bytes: Vec<u8> = places.into_iter().flat_map(u32::to_le_bytes).collect();
        let places = GpuBuffer::with_data(ctx, NAME, &bytes)?;
        // Rows share what is looked up for a column, as far as the steps allow.
        let rows = ((MAX_STEPS / most) as u32).clamp(1, self.rows);
        let params = Uniform { color: u32::from_le_bytes(self.params.color), rows }.upload(ctx, NAME)?;
        let bind = self.kernel.bind(
            ctx,
            &[
                ("params", &params),
                ("src_words", src.buffer()),
                ("src_pictures", from.buffer()),
                ("dst_words", dst.buffer()),
                ("out_pictures", to.buffer()),
                ("places", &places),
                ("across", &across.upload(ctx, NAME)?),
                ("down", &down.upload(ctx, NAME)?),
            ],
        )?;
        let size = self.output().size;
        let items = u64::from(size.width.div_ceil(group)) * u64::from(size.height.div_ceil(rows));
        let groups = grid(ctx, NAME, items, self.workgroup)?;
        let bound = FramesBound::new(&self.kernel, bind, groups, contents.len() as u32);
        Ok(LetterboxBound { bound, contents })
    }
}

/// All frames of `src` fitted into size `to`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn letterbox(ctx: &GpuContext, src: &GpuFrames, to: Size, params: LetterboxParams) -> Result<GpuFrames> {
    let layout = result_layout(NAME, src.layout().format, to)?;
    let plan = LetterboxPlan::new(ctx, src.layout(), &layout, params)?;
    run_frames(ctx, NAME, &layout, src.slots(), |dst| Ok(plan.bind(ctx, src, 0, dst, 0)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_sum_to_their_total_and_lie_inside() {
        for (from, to) in [(1, 1), (7, 3), (1920, 640), (1921, 480), (32_768, 32_767), (32_768, 1), (5, 12)] {
            for x in [0, to / 2, to - 1] {
                let mut all = vec![(bilinear(x, from, to), 2048)];
                if to <= from {
                    all.push((area(x, from, to), covered(from, to) as i32));
                }
                for (taps, total) in all {
                    assert_eq!(taps.weights.iter().sum::<i32>(), total, "{from} {to}");
                    assert!(taps.first + taps.weights.len() as u32 <= from);
                }
            }
        }
    }

    #[test]
    fn taps_by_hand() {
        let list = |t: Taps| (t.first, t.weights);
        assert_eq!(list(bilinear(0, 2, 4)), (0, vec![2048]));
        assert_eq!(list(bilinear(1, 2, 4)), (0, vec![1536, 512]));
        assert_eq!(list(area(1, 5, 3)), (1, vec![1, 3, 1]));
        assert_eq!(list(area(1, 6, 3)), (2, vec![1, 1]));
    }
}
