use super::{bits, maps, pictures, tight};
use frameloom::Result;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::edges::sobel::{INFO, plan_derivatives, plan_magnitude, plan_norm};
use frameloom::reference::Plane;
use frameloom::reference::edges::sobel::sobel;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter to a stencil: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(pictures(bench, ("magnitude", *batch), INFO.work, plan_magnitude, |slot, _| {
            Ok(sobel(&tight(slot)?.plane()?)?.magnitude())
        })?);
        let derivatives = |plane: &Plane<'_>| {
            let d = sobel(plane)?;
            Ok([bits(d.gx), bits(d.gy)])
        };
        cases.push(maps(bench, ("derivatives", *batch), plan_derivatives, derivatives)?);
        cases.push(maps(bench, ("norm", *batch), plan_norm, |plane| Ok([sobel(plane)?.norm()]))?);
    }
    Ok(cases)
}
