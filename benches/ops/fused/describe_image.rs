use super::super::inputs::pattern;
use frameloom::Result;
use frameloom::core::{DescriptorMethod, FrameLayout, PixelFormat, Size};
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::fused::describe_image::{DescribeBound, DescribeParams, DescribePlan, INFO};
use frameloom::reference::FrameSlot;
use frameloom::reference::fused::describe_image::describe_image;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const METHODS: [(&str, DescriptorMethod); 4] = [
    ("canny", DescriptorMethod::Canny),
    ("spatial_pyramid 4x4", DescriptorMethod::SpatialPyramid { grid: 4 }),
    ("hog", DescriptorMethod::Hog),
    ("spatial_color", DescriptorMethod::SpatialColor { seed: 42 }),
];

/// Pictures of a pool, and frames of a video; compared at 256x144.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let pool = if bench.size().width < 1000 { Size::new(160, 107) } else { Size::new(640, 427) };
    let batch = if bench.size().width < 1000 { 2 } else { 32 };
    let mut cases = Vec::new();
    for (name, method) in METHODS {
        cases.push(case(bench, (PixelFormat::Rgba8, pool), batch, (name, method), "natural")?);
    }
    let [canny, .., color] = METHODS;
    cases.push(case(bench, (PixelFormat::Rgba8, pool), batch, canny, "random")?);
    cases.push(case(bench, (PixelFormat::Rgba8, pool), batch, color, "random")?);
    cases.push(case(bench, (PixelFormat::Nv12, bench.size()), batch.min(8), canny, "natural")?);
    Ok(cases)
}

fn case(
    bench: &Bench<'_>,
    (format, size): (PixelFormat, Size),
    batch: u32,
    (name, method): (&str, DescriptorMethod),
    content: &str,
) -> Result<Case> {
    let ctx = bench.ctx();
    let layout: FrameLayout = *GpuFrames::new(ctx, "bench", format, size, 1)?.layout();
    let host: Vec<Vec<u8>> = (0..4).map(|i| pattern(content, i).frame(&layout)).collect();
    let refs: Vec<&[u8]> = host.iter().map(Vec::as_slice).cycle().take(batch as usize).collect();
    let params = DescribeParams::new(method);
    let plan = DescribePlan::new(ctx, &layout, params)?;
    let sets = (0..bench.rotation(u64::from(layout.slot_bytes()) * u64::from(batch)))
        .map(|_| plan.bind(ctx, &GpuFrames::from_host(ctx, "bench", layout, &refs)?, batch))
        .collect::<Result<Vec<DescribeBound>>>()?;
    let first = sets.first().cloned();
    Ok(Case {
        variant: name.into(),
        content: content.into(),
        input: format!("{format} {size}"),
        batch,
        work: (INFO.work)(&layout),
        record: Box::new(move |rec, i| {
            if let Some(set) = sets.get(i % sets.len()) {
                set.record(rec, batch);
            }
            Ok(())
        }),
        verify: Box::new(move |ctx| {
            let Some(first) = &first else { return Ok(false) };
            let got = first.rows().read(ctx, 1)?;
            let bytes = host.first().map(Vec::as_slice).unwrap_or_default();
            let want = describe_image(&FrameSlot::new(layout, bytes)?, params.color, &params.spec)?;
            let near = got.iter().zip(&want).all(|(g, w)| (f64::from(*g) - w).abs() <= 2e-5);
            Ok(near && got.len() == want.len() && first.complete(ctx, batch)?)
        }),
    })
}
