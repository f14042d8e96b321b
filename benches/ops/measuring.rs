//! Cases of operations that leave small results per picture.

use super::inputs::Input;
use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat, Work};
use frameloom::ops::bench::{Bench, Case};
use frameloom::ops::{FrameBatch, Measure};
use frameloom::reference::Plane;

/// Plans for a layout and binds the frames from a slot on.
pub type Bind<'a, R> = dyn Fn(&FrameLayout, &dyn FrameBatch, u32) -> Result<Measure<R>> + 'a;
/// The result for a luma plane.
pub type Reference<R> = dyn Fn(&Plane<'_>) -> Result<R>;

/// What is timed.
pub struct Measuring<'a, R> {
    /// Name of the variant.
    pub variant: String,
    /// Format of the pictures.
    pub format: PixelFormat,
    /// What the pictures show.
    pub content: &'a str,
    /// Frames per dispatch.
    pub batch: u32,
    /// Least work per frame.
    pub work: fn(&FrameLayout) -> Work,
    /// Plans and binds the frames from a slot on.
    pub bind: &'a Bind<'a, R>,
    /// The result for a luma plane.
    pub want: Box<Reference<R>>,
}

impl<R: PartialEq + 'static> Measuring<'_, R> {
    /// The case.
    pub fn case(self, bench: &Bench<'_>) -> Result<Case> {
        let Self { variant, content, batch, want, .. } = self;
        let input = Input::new(bench, self.format, content, batch, 0)?;
        let sets = (0..input.sets)
            .map(|i| (self.bind)(&input.layout, &input.frames, i * batch))
            .collect::<Result<Vec<Measure<R>>>>()?;
        let first = sets.first().cloned();
        Ok(Case {
            variant,
            content: content.into(),
            input: input.name(),
            batch,
            work: (self.work)(&input.layout),
            record: Box::new(move |rec, i| {
                if let Some(set) = sets.get(i % sets.len()) {
                    set.record(rec, batch);
                }
                Ok(())
            }),
            verify: Box::new(move |ctx| {
                let Some(first) = &first else { return Ok(false) };
                let got = first.decode(&first.results().read(ctx, first.frame_bytes())?);
                let luma = input.luma(0)?;
                Ok(got == [want(&Plane::tight(input.layout.size, &luma)?)?])
            }),
        })
    }
}
