//! `color/rgb_from_yuv`: frames as decoded to packed 8-bit RGB.
//!
//! | | |
//! |---|---|
//! | input | YUV of any subsampling and plane layout, 8 or 10 bits, or 8-bit grey |
//! | output | packed RGBA, 8 bits, alpha 255 |
//! | border | chroma taps are clamped to their plane |
//! | exactness | exact |
//! | determinism | the same bits on every adapter |
//! | errors | `Parameter` for RGB input, other layouts than planned, and a result in the buffer of the input |
//! | source | ITU-R BT.601-7, BT.709-6, BT.2020-2; chroma siting as H.273 |

use crate::core::{
    ChromaSiting, ChromaUpsampling, ColorSpec, Exactness, FrameLayout, PixelFormat, PlaneLayout, RgbCoefficients, Work,
};
use crate::error::{Error, Result};
use crate::gpu::{AdapterClass, GpuContext, Kernel};
use crate::ops::{FramesBound, GpuFrames, OpInfo, ParamDoc, check_pair, gpu_params, grid, plan_error, run_frames};

const NAME: &str = "color/rgb_from_yuv";

/// What `frameloom ops` says about this operation.
pub const INFO: OpInfo = OpInfo {
    name: NAME,
    summary: "frames as decoded to packed 8-bit RGB",
    input: "any YUV format, 8 or 10 bits (all bits used), or gray8",
    output: "rgba8, alpha 255",
    params: &[
        ParamDoc {
            name: "color",
            range: "matrix, range, siting",
            meaning: "what the code values mean; ignored for grey",
        },
        ParamDoc { name: "upsampling", range: "nearest | bilinear", meaning: "how chroma is brought to the luma grid" },
    ],
    border: "chroma taps clamp to their plane",
    exactness: Exactness::Exact,
    reason: "32-bit integers, all partial sums below 1200 * 2^20",
    source: "ITU-R BT.601-7, BT.709-6, BT.2020-2",
    entries: &["main"],
    fields: Uniform::FIELDS,
    work,
};

fn work(layout: &FrameLayout) -> Work {
    let n = layout.size.area();
    Work { bytes_read: layout.format.frame_bytes(layout.size), bytes_written: n * 4, ops: n * 20 }
}

gpu_params! {
    struct Uniform {
        offset: [i32; 4],
        chroma: [i32; 4],
        base: u32,
        stride: u32,
        u_base: u32,
        v_base: u32,
        c_stride: u32,
        slot: u32,
        height: u32,
        c_width: u32,
        c_height: u32,
        columns: u32,
        blocks: u32,
        dst_base: u32,
        dst_stride: u32,
        dst_slot: u32,
    }
}

/// How code values become RGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RgbParams {
    /// Matrix, range and siting of the stream.
    pub color: ColorSpec,
    /// How chroma is brought to the luma grid.
    pub upsampling: ChromaUpsampling,
}

/// A planned `color/rgb_from_yuv` for frames of one layout.
#[derive(Debug, Clone)]
pub struct RgbFromYuvPlan {
    kernel: Kernel,
    uniform: Uniform,
    input: FrameLayout,
    output: FrameLayout,
    groups: [u32; 2],
}

/// The integers of `coefficients` in the order of the kernel, which knows that luma has one factor, red no U and blue no V.
fn factors(coefficients: &RgbCoefficients) -> Result<([i32; 4], [i32; 4])> {
    match coefficients.m {
        [[y, 0, rv, r], [yg, gu, gv, g], [yb, bu, 0, b]] if y == yg && y == yb && coefficients.shift == 20 => {
            Ok(([r, g, b, y], [rv, gu, gv, bu]))
        }
        _ => Err(Error::Bug(format!("{NAME}: unexpected coefficients {coefficients:?}"))),
    }
}

impl RgbFromYuvPlan {
    /// Plans for frames like `input`.
    pub fn new(ctx: &GpuContext, input: &FrameLayout, params: RgbParams) -> Result<Self> {
        let format = input.format;
        let output = if format.has_luma() { FrameLayout::of(PixelFormat::Rgba8, input.size) } else { None }
            .ok_or_else(|| {
                plan_error(
                    NAME,
                    "input",
                    "YUV or grey whose RGB frame is below 2 GiB",
                    format!("{format} {}", input.size),
                )
            })?;
        let (workgroup, rows) = match ctx.caps().class {
            AdapterClass::Cpu => (8u32, 8u32),
            AdapterClass::Gpu => (64, 1),
        };
        let ((sx, sy), flag) = (format.chroma_shift(), |b: bool| f64::from(u8::from(b)));
        let kernel = Kernel::new(
            ctx,
            NAME,
            "main",
            &[
                ("WG", f64::from(workgroup)),
                ("ROWS", f64::from(rows)),
                ("WIDE", flag(format.sample_bytes() == 2)),
                ("SHIFT", f64::from(format.shift_to_value())),
                ("GRAY", flag(!format.has_chroma())),
                ("SEMI", flag(format.semi_planar())),
                ("SX", f64::from(sx)),
                ("SY", f64::from(sy)),
                ("BILINEAR", flag(params.upsampling == ChromaUpsampling::Bilinear)),
                ("COSITED_X", flag(params.color.siting != ChromaSiting::Center)),
                ("COSITED_Y", flag(params.color.siting == ChromaSiting::TopLeft)),
            ],
        )?;
        let plane = |i: usize| input.planes().get(i).or(input.planes().last()).copied();
        let [luma, u, v]: [PlaneLayout; 3] = match (plane(0), plane(1), plane(2)) {
            (Some(y), Some(u), Some(v)) => [y, u, v],
            _ => return Err(Error::Bug(format!("{NAME}: a frame without planes"))),
        };
        let (offset, chroma) = factors(&RgbCoefficients::for_format(params.color, format))?;
        let (columns, blocks) = (input.size.width.div_ceil(16), input.size.height.div_ceil(rows));
        let c_size = format.chroma_size(input.size);
        let uniform = Uniform {
            offset,
            chroma,
            base: luma.offset / 16,
            stride: luma.stride / 16,
            u_base: u.offset / 16,
            v_base: v.offset / 16,
            c_stride: u.stride / 16,
            slot: input.slot_bytes() / 16,
            height: input.size.height,
            c_width: c_size.width,
            c_height: c_size.height,
            columns,
            blocks,
            dst_base: output.first().offset / 16,
            dst_stride: output.first().stride / 16,
            dst_slot: output.slot_bytes() / 16,
        };
        let groups = grid(ctx, NAME, u64::from(columns) * u64::from(blocks), workgroup)?;
        Ok(Self { kernel, uniform, input: *input, output, groups })
    }

    /// Layout of the results.
    pub fn output(&self) -> &FrameLayout {
        &self.output
    }

    /// Binds the frames of `src` from slot `first` on to results in `dst` from slot `dst_first` on.
    pub fn bind(
        &self,
        ctx: &GpuContext,
        src: &GpuFrames,
        first: u32,
        dst: &GpuFrames,
        dst_first: u32,
    ) -> Result<FramesBound> {
        let capacity = check_pair(NAME, (src, &self.input, first), (dst, &self.output, dst_first))?;
        let mut uniform = self.uniform;
        let skipped = first * uniform.slot;
        uniform.base += skipped;
        uniform.u_base += skipped;
        uniform.v_base += skipped;
        uniform.dst_base += dst_first * uniform.dst_slot;
        let params = uniform.upload(ctx, NAME)?;
        let bind = self.kernel.bind(
            ctx,
            &[("params", &params), ("src", src.buffer()), ("src_words", src.buffer()), ("dst", dst.buffer())],
        )?;
        Ok(FramesBound::new(&self.kernel, bind, self.groups, capacity))
    }
}

/// RGB of all frames of `src`, at once: waits for the result. For scripts and tests; streams keep a bound plan.
pub fn rgb_from_yuv(ctx: &GpuContext, src: &GpuFrames, params: RgbParams) -> Result<GpuFrames> {
    let plan = RgbFromYuvPlan::new(ctx, src.layout(), params)?;
    run_frames(ctx, NAME, &plan.output, src.slots(), |dst| plan.bind(ctx, src, 0, dst, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ColorRange, YuvMatrix};

    #[test]
    fn every_coefficient_set_has_the_shape_the_kernel_knows() {
        for format in PixelFormat::ALL.into_iter().filter(|f| f.has_luma()) {
            for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709, YuvMatrix::Bt2020] {
                for range in [ColorRange::Limited, ColorRange::Full] {
                    let color = ColorSpec { matrix, range, siting: ChromaSiting::Left };
                    assert!(factors(&RgbCoefficients::for_format(color, format)).is_ok(), "{color:?} {format}");
                }
            }
        }
    }
}
