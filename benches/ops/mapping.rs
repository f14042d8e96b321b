//! Cases of operations that make frames from frames.

use super::inputs::Input;
use frameloom::core::{FrameLayout, PixelFormat, Size, Work};
use frameloom::gpu::Recorder;
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case};
use frameloom::reference::{FrameSlot, Plane};
use frameloom::{Error, Result};

/// Records one bound batch.
pub type Recording = Box<dyn Fn(&mut Recorder<'_>)>;

/// What is timed.
pub struct Mapping<'a> {
    /// Name of the variant.
    pub variant: String,
    /// Format of the pictures.
    pub format: PixelFormat,
    /// Frames per dispatch.
    pub batch: u32,
    /// Layout of the results for that of the pictures.
    pub output: &'a dyn Fn(&FrameLayout) -> Result<FrameLayout>,
    /// Least work per frame.
    pub work: &'a dyn Fn(&FrameLayout) -> Work,
    /// Plans and binds the frames from a slot on to results from the same slot on.
    pub bind: &'a dyn Fn(&GpuFrames, &GpuFrames, u32) -> Result<Recording>,
    /// Bytes of the first plane of the result without padding.
    pub want: fn(&FrameSlot<'_>, &FrameLayout) -> Result<Vec<u8>>,
}

impl Mapping<'_> {
    /// The case.
    pub fn case(self, bench: &Bench<'_>) -> Result<Case> {
        let Self { variant, format, batch, want, .. } = self;
        let input = Input::new(bench, format, "natural", batch, 0)?;
        let output = (self.output)(&input.layout)?;
        let dst = GpuFrames::new(bench.ctx(), "bench", output.format, output.size, input.sets * batch)?;
        let sets =
            (0..input.sets).map(|i| (self.bind)(&input.frames, &dst, i * batch)).collect::<Result<Vec<Recording>>>()?;
        Ok(Case {
            variant,
            content: "natural".into(),
            input: input.name(),
            batch,
            work: (self.work)(&input.layout),
            record: Box::new(move |rec, i| {
                if let Some(set) = sets.get(i % sets.len()) {
                    set(rec);
                }
                Ok(())
            }),
            verify: Box::new(move |ctx| {
                let got = dst.read_slot(ctx, 0)?;
                let plane = output.first();
                let row = plane.shape.row_bytes() as usize;
                let rows = got.chunks_exact(plane.stride as usize).take(plane.shape.rows as usize);
                let got: Vec<u8> = rows.flat_map(|r| r.iter().take(row).copied()).collect();
                let want = want(&FrameSlot::new(input.layout, input.bytes(0))?, &output)?;
                Ok(got == want && want.iter().any(|v| Some(v) != want.first()))
            }),
        })
    }
}

/// Packed pixels as bytes.
pub fn bytes(words: Vec<u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// A grey layout.
pub fn gray(size: Size) -> Result<FrameLayout> {
    FrameLayout::of(PixelFormat::Gray8, size).ok_or_else(|| Error::Bug(format!("no layout for {size}")))
}

/// Samples of a slot for the reference.
pub struct Samples {
    size: Size,
    channels: u32,
    data: Vec<u8>,
}

impl Samples {
    /// As a plane.
    pub fn plane(&self) -> Result<Plane<'_>> {
        Plane::interleaved(self.size, self.channels, self.size.width as usize * self.channels as usize, &self.data)
    }
}

/// 8-bit luma.
pub fn tight(slot: &FrameSlot<'_>) -> Result<Samples> {
    Ok(Samples { size: slot.size(), channels: 1, data: slot.luma8().unwrap_or_default() })
}

/// R, G, B, A.
pub fn rgba(slot: &FrameSlot<'_>) -> Result<Samples> {
    let Size { width, height } = slot.size();
    let sample = |i: u32| slot.sample(i % 4, i / 4 % width, i / 4 / width) as u8;
    Ok(Samples { size: slot.size(), channels: 4, data: (0..width * height * 4).map(sample).collect() })
}
