//! Cases of operations that measure the colours of pictures.

use super::inputs::Input;
use frameloom::Result;
use frameloom::core::{ChromaUpsampling, ColorSpec, PixelFormat, Work};
use frameloom::ops::bench::{Bench, Case};
use frameloom::ops::color::rgb_from_yuv::RgbParams;
use frameloom::ops::{GpuFrames, Measure};
use frameloom::reference::{Colors, FrameSlot};

/// How YUV turns to RGB in benchmarks: chroma nearest, as OpenCV.
pub const RGB: RgbParams = RgbParams { color: ColorSpec::BT709, upsampling: ChromaUpsampling::Nearest };

/// What the reference says about a picture.
pub type Wanted<R> = Box<dyn Fn(&FrameSlot<'_>) -> Result<R>>;

/// What is timed: a measurement of single pictures.
pub struct Measuring<'a, R> {
    /// Name of the variant.
    pub variant: String,
    /// Format and content of the pictures.
    pub input: (PixelFormat, &'a str),
    /// Pictures per dispatch.
    pub batch: u32,
    /// Least work per picture.
    pub work: fn(&frameloom::core::FrameLayout) -> Work,
    /// Plans and binds the pictures from a slot on.
    pub bind: &'a dyn Fn(&GpuFrames, u32) -> Result<Measure<R>>,
    /// What the reference says about the first picture.
    pub want: Wanted<R>,
}

impl<R: PartialEq + 'static> Measuring<'_, R> {
    /// The case.
    pub fn case(self, bench: &Bench<'_>) -> Result<Case> {
        let Self { variant, input: (format, content), batch, want, .. } = self;
        let input = Input::new(bench, format, content, batch, 0)?;
        let sets =
            (0..input.sets).map(|i| (self.bind)(&input.frames, i * batch)).collect::<Result<Vec<Measure<R>>>>()?;
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
                Ok(got == [want(&FrameSlot::new(input.layout, input.bytes(0))?)?])
            }),
        })
    }
}

/// The colours of a picture.
pub fn colors(slot: &FrameSlot<'_>) -> Result<Colors> {
    Colors::of(slot, RGB.color, RGB.upsampling)
}
