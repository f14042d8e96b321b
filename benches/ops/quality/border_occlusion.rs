use super::super::inputs::Input;
use super::super::measure;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::edges::canny::{CannyParams, CannyPlan};
use frameloom::ops::quality::border_occlusion::{BORDER, BorderOcclusionPlan, INFO};
use frameloom::reference::{Plane, edges, quality};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// The sums alone, after Canny.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32| {
        let input = Input::new(bench, PixelFormat::Nv12, "natural", *batch, 0)?;
        let canny = CannyPlan::new(ctx, &input.layout, CannyParams::default())?.bind_bits(ctx, &input.frames, 0)?;
        let plan = BorderOcclusionPlan::new(ctx, &input.layout, BORDER)?;
        let bound = plan.bind(ctx, &input.frames, 0, canny.edges())?;
        let (size, luma) = (input.layout.size, input.luma(0)?);
        let plane = Plane::tight(size, &luma)?;
        let map = edges::canny::canny(&plane, 50, 150)?;
        let want = vec![quality::border_occlusion::border_occlusion(&plane, &Plane::tight(size, &map)?, BORDER)?];
        let work = (INFO.work)(&input.layout);
        Ok(measure::case(("", "natural", &input), work, move |ctx| measure::run(ctx, &canny), bound, want))
    };
    bench.batches().iter().map(case).collect()
}
