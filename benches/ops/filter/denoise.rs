use super::super::inputs::Input;
use super::reference;
use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::error::Error;
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::filter::denoise::{DenoiseParams, DenoisePlan, Denoising, INFO};
use frameloom::reference::filter::denoise;
use frameloom::reference::{FrameSlot, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

type Want = fn(&Plane<'_>) -> Result<Vec<u8>>;

/// One picture at a time: seconds on a software adapter. Content does not matter.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let joint = Denoising::Joint { h: 10.0 };
    let lab = Denoising::Lab { h: 10.0, h_color: 10.0 };
    Ok(vec![
        case(bench, "luma h 10", PixelFormat::Nv12, joint, |p| denoise::joint(p, 10.0, 21))?,
        case(bench, "lab h 10", PixelFormat::Rgba8, lab, |p| denoise::lab(p, 10.0, 10.0, 21))?,
    ])
}

fn case(bench: &Bench<'_>, variant: &str, format: PixelFormat, mode: Denoising, want: Want) -> Result<Case> {
    let ctx = bench.ctx();
    let input = Input::new(bench, format, "natural", 1, 0)?;
    let plan = DenoisePlan::new(ctx, &input.layout, DenoiseParams { mode, search: 21 })?;
    let output = *plan.output();
    let dst = GpuFrames::new(ctx, "bench", output.format, output.size, 1)?;
    let sets = (0..input.sets).map(|i| plan.bind(ctx, &input.frames, i, &dst, 0)).collect::<Result<Vec<_>>>()?;
    Ok(Case {
        variant: variant.to_owned(),
        content: "natural".into(),
        input: input.name(),
        batch: 1,
        work: (INFO.work)(&input.layout),
        record: Box::new(move |rec, i| {
            if let Some(set) = sets.get(i % sets.len()) {
                set.record(rec, 1);
            }
            Ok(())
        }),
        verify: Box::new(move |ctx| {
            corner_agrees(&input.layout, input.bytes(0), &output, &dst.read_slot(ctx, 0)?, want)
        }),
    })
}

/// The top-left corner of the result against the reference, which would take minutes for all of it: pixels further than the search
/// window and a patch from the cut see only what lies inside.
fn corner_agrees(input: &FrameLayout, slot: &[u8], output: &FrameLayout, got: &[u8], want: Want) -> Result<bool> {
    const REACH: u32 = 13;
    let cut = Size::new(input.size.width.min(160), input.size.height.min(90));
    let channels = output.first().shape.row_bytes() / output.size.width;
    let (row, kept) = ((cut.width * channels) as usize, ((cut.width - REACH) * channels) as usize);
    let want = reference(&FrameSlot::new(*input, slot)?, |whole| {
        let bytes = whole.pixels().filter(|(x, y)| *x < cut.width && *y < cut.height);
        let bytes: Vec<u8> = bytes.flat_map(|(x, y)| (0..channels).map(move |c| whole.at(x, y, c))).collect();
        want(&Plane::interleaved(cut, channels, row, &bytes)?)
    })?;
    let mut rows = got.chunks_exact(output.first().stride as usize).zip(want.chunks_exact(row));
    let agree =
        rows.by_ref().take((cut.height - REACH) as usize).all(|(got, want)| got.get(..kept) == want.get(..kept));
    if want.is_empty() { Err(Error::Bug("nothing to compare".into())) } else { Ok(agree) }
}
