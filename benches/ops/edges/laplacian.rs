use super::{bits, maps, pictures, tight};
use frameloom::Result;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::edges::laplacian::{INFO, plan_magnitude, plan_map};
use frameloom::reference::edges::laplacian as reference;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Content does not matter to a stencil: one is enough.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(pictures(bench, ("magnitude", *batch), INFO.work, plan_magnitude, |slot, _| {
            reference::magnitude(&tight(slot)?.plane()?)
        })?);
        cases.push(maps(bench, ("map", *batch), plan_map, |plane| Ok([bits(reference::laplacian(plane)?)]))?);
    }
    Ok(cases)
}
