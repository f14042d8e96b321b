use super::super::inputs::Input;
use super::super::measure;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::edges::canny::{CannyParams, CannyPlan};
use frameloom::ops::edges::edge_density::{EdgeDensityPlan, INFO};
use frameloom::reference::{Plane, edges};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// The count alone, after Canny.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let case = |batch: &u32| {
        let input = Input::new(bench, PixelFormat::Gray8, "natural", *batch, 0)?;
        let canny = CannyPlan::new(ctx, &input.layout, CannyParams::default())?.bind_bits(ctx, &input.frames, 0)?;
        let bound = EdgeDensityPlan::new(ctx, &input.layout)?.bind(ctx, canny.edges())?;
        let luma = input.luma(0)?;
        let map = edges::canny::canny(&Plane::tight(input.layout.size, &luma)?, 50, 150)?;
        let want = vec![edges::edge_density::edge_density(&map)];
        let work = (INFO.work)(&input.layout);
        Ok(measure::case(("", "natural", &input), work, move |ctx| measure::run(ctx, &canny), bound, want))
    };
    bench.batches().iter().map(case).collect()
}
