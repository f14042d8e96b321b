use super::super::fields::{Heat, Recording};
use frameloom::Result;
use frameloom::core::{Size, WindowParams, WindowScore, Windows};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::placement::window_scores::{INFO, WindowSearch};
use frameloom::reference::placement::window_scores::window_scores;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// The whole way of one round of placement: cells, tables, scores of all windows of a quarter of the frame in both orientations, at
/// every eighth pixel and flush. Verified at every 120th, for the reference reads every pixel of every window.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let (ctx, heat) = (bench.ctx(), Heat::new(bench, 1)?);
    let Size { width, height } = heat.layout.size;
    let window = Size::new(width / 4 / 8 * 8, height / 4 / 8 * 8);
    let windows = |step| Windows::new(heat.layout.size, window, WindowParams { step, rotate: true, flush: true });
    let search = WindowSearch::new(ctx, &heat.maps, &windows(8)?, 0.1, 31)?;
    let coarse = windows(120)?;
    let threshold = (0.1 * 31f64.exp2()) as u32;
    let want = window_scores(&heat.field()?, &coarse, 31, threshold);
    let check = WindowSearch::new(ctx, &heat.maps, &coarse, 0.1, 31)?;
    let sets = vec![Box::new(search) as Recording];
    Ok(vec![heat.case("with cells and tables", INFO.work, sets, move |ctx| {
        let got = check.run(ctx)?;
        let best: Vec<WindowScore> = want.iter().filter_map(|w| WindowScore::best(w)).collect();
        Ok(got.first() == Some(&best) && best.iter().all(|b| b.sum > 0))
    })?])
}
