use super::{Filtered, reference};
use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat};
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::filter::GaussianParams;
use frameloom::ops::filter::unsharp_mask::{INFO, Sharpening, UnsharpMaskPlan};
use frameloom::reference::FrameSlot;
use frameloom::reference::filter::unsharp_mask::{sharpen, unsharp_mask};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

type Want = fn(&FrameSlot<'_>, &FrameLayout) -> Result<Vec<u8>>;

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let one = |variant, format, sharpening, want: Want| {
        let bind = |src: &GpuFrames, dst: &GpuFrames, first| {
            UnsharpMaskPlan::new(ctx, src.layout(), sharpening)?.bind(ctx, src, first, dst, first)
        };
        Filtered { variant, format, work: INFO.work, bind: &bind, want }.cases(bench)
    };
    let mask = Sharpening::Mask { blur: GaussianParams::of_size(5), amount: 1.5 };
    let mut cases =
        one("luma mask 5x5", PixelFormat::Nv12, mask, |slot, _| reference(slot, |p| unsharp_mask(p, 5, None, 1.5)))?;
    let kernel = Sharpening::Sharpen;
    cases.extend(one("luma sharpen", PixelFormat::Nv12, kernel, |slot, _| reference(slot, |p| Ok(sharpen(p))))?);
    cases.extend(one("rgba sharpen", PixelFormat::Rgba8, kernel, |slot, _| reference(slot, |p| Ok(sharpen(p))))?);
    Ok(cases)
}
