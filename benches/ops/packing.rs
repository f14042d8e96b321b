//! Cases of operations that make tensors from pictures.

use super::inputs::Input;
use frameloom::Result;
use frameloom::core::{FrameLayout, PixelFormat, Rect, Work};
use frameloom::gpu::{GpuBuffer, Recorder};
use frameloom::ops::GpuFrames;
use frameloom::ops::bench::{Bench, Case};
use frameloom::ops::tensor::{PackParams, TensorBox};
use frameloom::reference::FrameSlot;

/// Records one bound batch.
pub type Recording = Box<dyn Fn(&mut Recorder<'_>)>;

/// Plans and binds boxes of pictures; gives the tensor too.
pub type Bind<'a> = dyn Fn(&GpuFrames, &[TensorBox]) -> Result<(Recording, GpuBuffer)> + 'a;
/// The elements of a tensor for boxes of pictures.
pub type Want<'a> = dyn Fn(&[(FrameSlot<'_>, Rect)]) -> Result<Vec<f32>> + 'a;

/// What is timed: one whole NV12 picture an element, or boxes of it.
pub struct Packing<'a> {
    /// Name of the variant.
    pub variant: String,
    /// Parameters.
    pub params: PackParams,
    /// Boxes of each picture.
    pub crops: Vec<Rect>,
    /// Pictures per dispatch.
    pub batch: u32,
    /// Plans and binds boxes of pictures; gives the tensor too.
    pub bind: &'a Bind<'a>,
    /// The first elements of the tensor.
    pub want: &'a Want<'a>,
}

impl Packing<'_> {
    /// The case.
    pub fn case(self, bench: &Bench<'_>, work: fn(&FrameLayout) -> Work) -> Result<Case> {
        let Self { variant, params, crops, batch, .. } = self;
        let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 0)?;
        let mut sets = Vec::new();
        for set in 0..input.sets {
            let slots = set * batch..(set + 1) * batch;
            let boxes: Vec<_> =
                slots.flat_map(|slot| crops.iter().map(move |crop| TensorBox { slot, crop: *crop })).collect();
            sets.push((self.bind)(&input.frames, &boxes)?);
        }
        let slot = FrameSlot::new(input.layout, input.bytes(0))?;
        let first: Vec<_> = crops.iter().map(|crop| (slot, *crop)).collect();
        let want = (self.want)(&first)?;
        let elements = crops.len() as u64;
        let (area, size) = (params.spec.size.area() * elements, u64::from(if params.half { 2u32 } else { 4 }));
        Ok(Case {
            variant,
            content: "natural".into(),
            input: input.name(),
            batch,
            // Four taps of luma and of both chroma samples a pixel, or the whole frame if that is less.
            work: Work {
                bytes_read: (12 * area).min(input.layout.size.area() * 3 / 2),
                bytes_written: 3 * size * area,
                ..work(&input.layout)
            },
            verify: {
                let first = sets.first().map(|(_, tensor)| tensor.clone());
                let bytes = want.len() as u64 * size;
                // In units of rgb, times what it is multiplied with; f16 is that rounded.
                let gain = params.spec.mul.iter().fold(1.0f32, |most, m| most.max(m.abs()));
                let bound = gain * if params.half { 1e-3 } else { 1.01e-5 };
                let decode = params.half;
                Box::new(move |ctx| {
                    let Some(tensor) = &first else { return Ok(false) };
                    let raw = tensor.read(ctx, bytes)?;
                    let got: Vec<f32> = if decode {
                        raw.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect()
                    } else {
                        raw.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
                    };
                    let close = got.iter().zip(&want).all(|(g, w)| (g - w).abs() <= bound);
                    Ok(got.len() == want.len() && close && want.iter().any(|v| Some(v) != want.first()))
                })
            },
            record: Box::new(move |rec, i| {
                if let Some((set, _)) = sets.get(i % sets.len()) {
                    set(rec);
                }
                Ok(())
            }),
        })
    }
}
