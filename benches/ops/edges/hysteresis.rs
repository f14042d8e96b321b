use super::super::inputs::{CONTENTS, Input};
use frameloom::Result;
use frameloom::core::{PixelFormat, Size};
use frameloom::ops::Record;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::edges::BitPlanes;
use frameloom::ops::edges::hysteresis::{HysteresisPlan, INFO};
use frameloom::reference::edges::canny::{Candidates, candidates};
use frameloom::reference::edges::hysteresis::hysteresis;
use frameloom::reference::{Plane, pattern::splitmix64};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// What Canny leaves to hysteresis, and noise at the threshold of percolation, whose clusters wind the most.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for content in CONTENTS {
        let input = Input::new(bench, PixelFormat::Gray8, content, 1, 0)?;
        let size = input.layout.size;
        cases.push(case(bench, content, size, candidates(&Plane::tight(size, &input.luma(0)?)?, 50, 150)?)?);
    }
    let size = bench.size();
    let noise =
        |salt: u64, share: u64| (0..size.area()).map(|i| u8::from(splitmix64(salt << 40 ^ i) % 1000 < share)).collect();
    cases.push(case(bench, "percolation", size, Candidates { weak: noise(1, 410), strong: noise(2, 1) })?);
    Ok(cases)
}

fn case(bench: &Bench<'_>, content: &str, size: Size, planes: Candidates) -> Result<Case> {
    let ctx = bench.ctx();
    let Candidates { weak, strong } = planes;
    let bits = |pixels: &[u8]| BitPlanes::from_host(ctx, "bench", &[(size, pixels)]);
    let (weak_bits, seeds, grown) = (bits(&weak)?, bits(&strong)?, bits(&strong)?);
    let bound = HysteresisPlan::new(ctx, size)?.bind(ctx, &weak_bits, &grown)?;
    let kept = grown.clone();
    Ok(Case {
        variant: String::new(),
        content: content.into(),
        input: format!("bits {size}"),
        batch: 1,
        work: frameloom::core::Work { bytes_read: size.area() / 4, bytes_written: size.area() / 8, ops: size.area() },
        record: Box::new(move |rec, _| {
            // From the seeds each time.
            rec.copy(seeds.buffer(), 0, grown.buffer(), 0, seeds.buffer().size_bytes());
            bound.record(rec, 1);
            Ok(())
        }),
        verify: Box::new(move |ctx| Ok(kept.read(ctx, 0)? == hysteresis(size, &weak, &strong)?)),
    })
}
