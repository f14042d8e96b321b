use super::super::inputs::Input;
use super::super::measure;
use frameloom::Result;
use frameloom::core::PixelFormat;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::edges::canny::{CannyParams, CannyPlan};
use frameloom::ops::histogram::edge_grid::{CellEdgesPlan, EdgeGridPlan, INFO};
use frameloom::reference::{Plane, edges, histogram};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Counts alone after Canny of the whole picture; cells each searched by itself, Canny included.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let mut cases = Vec::new();
    for batch in bench.batches() {
        let input = Input::new(bench, PixelFormat::Gray8, "natural", *batch, 0)?;
        let (size, luma, work) = (input.layout.size, input.luma(0)?, (INFO.work)(&input.layout));
        let plane = Plane::tight(size, &luma)?;
        let params = CannyParams::default();
        let canny = CannyPlan::new(ctx, &input.layout, params)?.bind_bits(ctx, &input.frames, 0)?;
        let bound = EdgeGridPlan::new(ctx, &input.layout, 4)?.bind(ctx, canny.edges())?;
        let map = edges::canny::canny(&plane, 50, 150)?;
        let want = vec![histogram::edge_grid::edge_grid(&Plane::tight(size, &map)?, 4)?];
        let before = move |ctx: &_| measure::run(ctx, &canny);
        cases.push(measure::case(("whole 4x4", "natural", &input), work, before, bound, want));
        let (bound, _) = CellEdgesPlan::new(ctx, &input.layout, 4, params)?.bind(ctx, &input.frames, 0)?;
        let want = vec![histogram::edge_grid::cell_edges(&plane, 4, 50, 150)?];
        cases.push(measure::case(("cells 4x4", "natural", &input), work, |_| Ok(()), bound, want));
    }
    Ok(cases)
}
