//! Brightening of dark pictures.
//!
//! Roles: input and output `picture`. A model of open size sees the whole picture. A model of fixed size (SCI: 480x640), or one of open
//! size for a picture over `longest`, sees a smaller one: what it did to each pixel there, as a factor, is enlarged and applied to the
//! picture. Details stay those of the picture, and unlike tiles, which each are brightened for themselves, this leaves no seams. It is
//! the model's own way for networks that estimate illumination and divide by it; for others it is an approximation.

use super::fit::check_task;
use super::picture_port::{PicturePort, nothing_else};
use super::planar::PlanarPicture;
use super::resample::resize;
use crate::core::BoxRect;
use crate::error::{Error, Result};
use crate::infer::io::{IoInfo, TensorModel};
use crate::infer::manifest::{ModelEntry, Task};

/// Added to both sides of a factor: black pixels have none.
const FLOOR: f32 = 1.0 / 255.0;

/// How a picture is brightened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowlightOptions {
    /// Longest side that a model of open size is given as it is.
    pub longest: u32,
    /// Largest factor, at least 1: keeps noise of black corners down.
    pub most: f32,
}

impl Default for LowlightOptions {
    fn default() -> Self {
        Self { longest: 1280, most: 32.0 }
    }
}

/// Adapter of `lowlight`.
#[derive(Debug, Clone)]
pub struct Lowlight {
    port: PicturePort,
}

impl Lowlight {
    /// For a model as its entry and its graph describe it.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `input`, `output`, `shape` or `decoder`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Lowlight)?;
        Ok(Self { port: PicturePort::new(entry, inputs, outputs, &[])? })
    }

    /// `picture` brightened: same size and channels, values within 0..=1.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `shape` when the model gives another size than it takes, and those of the run.
    pub fn brighten(
        &self,
        model: &mut dyn TensorModel,
        picture: &PlanarPicture,
        options: &LowlightOptions,
    ) -> Result<PlanarPicture> {
        let size = picture.size();
        let seen = self.port.fixed_size().unwrap_or_else(|| size.fit_within(options.longest.max(1)));
        let whole = self.port.accepted(seen);
        let small = picture.resized(seen)?;
        let input = small.crop(BoxRect { x: 0, y: 0, width: whole.width, height: whole.height })?;
        let made = self.port.run(model, &[&input], &nothing_else)?;
        let Some(made) = made.first().filter(|p| p.size() == whole) else {
            return Err(Error::model("shape", format!("the model should give a picture of {whole}")));
        };
        let made = made.crop(BoxRect { x: 0, y: 0, width: seen.width, height: seen.height })?;
        let made = if picture.channels() == 1 { made.to_luma() } else { made.to_rgb() };
        let mut result = picture.clone();
        if seen == size {
            result = made;
        } else {
            let pixels = size.area() as usize;
            for (c, values) in result.values_mut().chunks_exact_mut(pixels).enumerate() {
                let factor = |(after, before): (&f32, &f32)| {
                    ((after.clamp(0.0, 1.0) + FLOOR) / (before + FLOOR)).clamp(0.0, options.most.max(1.0))
                };
                let factors: Vec<f32> = made.plane(c).iter().zip(small.plane(c)).map(factor).collect();
                values.iter_mut().zip(resize(&factors, seen, size)).for_each(|(v, f)| *v *= f);
            }
        }
        result.values_mut().iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::super::io_roles::tests::{entry, info};
    use super::*;
    use crate::core::Size;
    use crate::infer::io::{ElementType, NamedTensor, Outputs};
    use crate::infer::tensor::{Tensor, TensorSlice};

    /// A host's runtime: divides by 0.25, as a network that finds this illumination everywhere does.
    struct Quarter {
        inputs: Vec<IoInfo>,
        outputs: Vec<IoInfo>,
        seen: Vec<usize>,
    }

    impl Quarter {
        fn new(h: i64, w: i64) -> Self {
            let io = |name| vec![info(name, ElementType::F32, &[1, 3, h, w])];
            Self { inputs: io("dark"), outputs: io("light"), seen: vec![] }
        }
    }

    impl TensorModel for Quarter {
        fn inputs(&self) -> &[IoInfo] {
            &self.inputs
        }

        fn outputs(&self) -> &[IoInfo] {
            &self.outputs
        }

        fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
            let TensorSlice::F32(v) = inputs[0].tensor.data else { panic!("floats") };
            self.seen = inputs[0].tensor.shape.to_vec();
            let out = v.iter().map(|v| v * 4.0).collect();
            Ok(Outputs::new(vec![("light".into(), Tensor::f32(self.seen.clone(), out)?)]))
        }
    }

    fn dark(w: u32, h: u32) -> PlanarPicture {
        let bytes: Vec<u8> = (0..w * h * 3).map(|i| 10 + (i.wrapping_mul(2_654_435_761) >> 27) as u8).collect();
        PlanarPicture::from_rgb8(Size::new(w, h), &bytes).unwrap()
    }

    #[test]
    fn fixed_open_and_large_pictures_come_out_alike() {
        let picture = dark(90, 70);
        let options = LowlightOptions::default();
        for (h, w, longest) in [(-1, -1, 1280), (70, 90, 1280), (24, 32, 1280), (-1, -1, 40)] {
            let mut model = Quarter::new(h, w);
            let a = Lowlight::new(&entry(Task::Lowlight), &model.inputs, &model.outputs).unwrap();
            let got = a.brighten(&mut model, &picture, &LowlightOptions { longest, ..options }).unwrap();
            // The floor makes factors of a smaller picture up to a fifth smaller in its darkest pixels.
            let tolerance = if model.seen[2] == 70 { 1e-5 } else { 0.1 };
            for (after, before) in got.values().iter().zip(picture.values()) {
                assert!((after - before * 4.0).abs() <= tolerance, "{before} became {after}");
            }
            assert!(model.seen[3] as u32 <= longest.min(90));
        }
    }

    #[test]
    fn the_largest_factor_holds() {
        let picture = dark(90, 70);
        let mut model = Quarter::new(24, 32);
        let a = Lowlight::new(&entry(Task::Lowlight), &model.inputs, &model.outputs).unwrap();
        let got =
            a.brighten(&mut model, &picture, &LowlightOptions { most: 2.0, ..LowlightOptions::default() }).unwrap();
        assert!(got.values().iter().zip(picture.values()).all(|(a, b)| (a - 2.0 * b).abs() < 1e-5));
        assert!(Lowlight::new(&entry(Task::Upscale), &model.inputs, &model.outputs).is_err());
    }
}
