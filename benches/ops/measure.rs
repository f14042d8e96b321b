//! Cases of operations that measure pictures after other operations have made something of them.

use super::inputs::Input;
use frameloom::Result;
use frameloom::core::Work;
use frameloom::gpu::GpuContext;
use frameloom::ops::bench::Case;
use frameloom::ops::{Measure, Record};

/// A case that times `measure` alone. `before` is recorded once, when the results are verified against `want`.
pub fn case<R: PartialEq + 'static>(
    (variant, content, input): (&str, &str, &Input),
    work: Work,
    before: impl Fn(&GpuContext) -> Result<()> + 'static,
    measure: Measure<R>,
    want: Vec<R>,
) -> Case {
    let timed = measure.clone();
    Case {
        variant: variant.into(),
        content: content.into(),
        input: input.name(),
        batch: measure.capacity(),
        work,
        record: Box::new(move |rec, _| {
            timed.record(rec, timed.capacity());
            Ok(())
        }),
        verify: Box::new(move |ctx| {
            before(ctx)?;
            Ok(measure.run(ctx)?.iter().take(want.len()).eq(want.iter()))
        }),
    }
}

/// Records and waits.
pub fn run(ctx: &GpuContext, step: &impl Record) -> Result<()> {
    let mut rec = frameloom::gpu::Recorder::new(ctx, "bench");
    step.record(&mut rec, step.capacity());
    rec.run()
}
