//! Segmentation: what is person and what is background, or which class each pixel has.
//!
//! | decoder | output | result |
//! |---|---|---|
//! | `alpha` | one channel in 0..=1 | [`Mask`] |
//! | `alpha-logits` | one channel of logits | [`Mask`] through the logistic function |
//! | `softmax2` | two channels of logits: background, object | [`Mask`], softmax of the second |
//! | `semantic` | a channel per class | [`ClassMap`], the largest one |
//! | `classes` | the class itself, one channel or none | [`ClassMap`] |
//!
//! Without a decoder in the entry the channels of the output decide: 1 `alpha`, 2 `softmax2`, more `semantic`; integers `classes`. The
//! channels may be the second axis or the last one. Prompted masks (SAM 2) are in [`sam`].

mod mask;
pub mod sam;

pub use mask::{ClassMap, Mask};
pub use sam::{SamMask, SamPrompt, SamSession};

use super::fit::check_task;
use super::io_roles::output;
use crate::core::{Size, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::io::{Extent, IoInfo, Outputs};
use crate::infer::manifest::{ModelEntry, Task};
use crate::infer::tensor::{Tensor, TensorData};

/// How an output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decoder {
    Alpha,
    AlphaLogits,
    Softmax2,
    Semantic,
    Classes,
}

/// What a model says of one picture, in the resolution of its output.
#[derive(Debug, Clone, PartialEq)]
pub enum Segmentation {
    /// Coverage by the one thing that the model knows.
    Alpha(Mask),
    /// Class per pixel.
    Classes(ClassMap),
}

impl Segmentation {
    /// Coverage by `class`; a model of one thing has no classes and gives its mask for any.
    pub fn mask(&self, class: u16) -> Mask {
        match self {
            Self::Alpha(mask) => mask.clone(),
            Self::Classes(map) => map.mask(class),
        }
    }

    /// Coverage by `class` in the size of the box that was looked at.
    pub fn in_picture(&self, class: u16, place: &TensorPlace) -> Mask {
        match self {
            Self::Alpha(mask) => mask.in_picture(place),
            Self::Classes(map) => map.in_picture(place).mask(class),
        }
    }
}

/// Adapter of `segment`.
#[derive(Debug, Clone)]
pub struct Segmenter {
    output: String,
    decoder: Option<Decoder>,
    /// Width and height of the input, to tell rows from channels.
    input: Option<Size>,
}

impl Segmenter {
    /// For a model as its entry and its graph describe it. The output has the role `mask` or `classes`, or is the only one of three or
    /// four axes.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `output` or `decoder`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Segment)?;
        let decoder = match entry.decoder.as_deref() {
            None => None,
            Some("alpha") => Some(Decoder::Alpha),
            Some("alpha-logits") => Some(Decoder::AlphaLogits),
            Some("softmax2") => Some(Decoder::Softmax2),
            Some("semantic") => Some(Decoder::Semantic),
            Some("classes") => Some(Decoder::Classes),
            Some(other) => {
                return Err(Error::model(
                    "decoder",
                    format!(
                        "`{}`: segment has no decoder `{other}`; it has alpha, alpha-logits, softmax2, semantic, classes (and sam2 in SamSession)",
                        entry.name
                    ),
                ));
            }
        };
        let role = if entry.outputs.contains_key("classes") { "classes" } else { "mask" };
        let out = output(entry, outputs, role, |i| matches!(i.shape.len(), 3 | 4))?;
        let sides = |i: &IoInfo| match i.shape[..] {
            [_, Extent::Fixed(a), Extent::Fixed(b), Extent::Fixed(c)] if c <= 4 && a > 4 => Some((b, a)),
            [_, _, Extent::Fixed(b), Extent::Fixed(c)] => Some((c, b)),
            _ => None,
        };
        let input = inputs.iter().find_map(sides).map(|(w, h)| Size::new(w as u32, h as u32));
        Ok(Self { output: out.name.clone(), decoder, input })
    }

    /// One result per element of the batch, in the resolution of the output.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `output` or `shape`; also when there are not as many elements as `places`.
    pub fn decode(&self, outputs: &Outputs, places: &[TensorPlace]) -> Result<Vec<Segmentation>> {
        let tensor = outputs.get(&self.output)?;
        let plan = self.plan(tensor, places)?;
        let values = tensor.to_f32();
        values.chunks_exact((plan.channels * plan.size.area() as usize).max(1)).map(|v| plan.read(v)).collect()
    }

    fn plan(&self, tensor: &Tensor, places: &[TensorPlace]) -> Result<Plan> {
        let wrong = |why: &str| Error::model("shape", format!("`{}` of shape {:?}: {why}", self.output, tensor.shape));
        let integers = matches!(tensor.data, TensorData::I64(_) | TensorData::I32(_) | TensorData::U8(_));
        let input = places.first().map(|p| p.tensor).or(self.input);
        let (batch, channels, h, w, last) = match tensor.shape[..] {
            [b, h, w] => (b, 1, h, w, false),
            [b, c, h, w] if channels_second(c, h, w, input) => (b, c, h, w, false),
            [b, h, w, c] => (b, c, h, w, true),
            _ => return Err(wrong("a segmentation has three or four axes")),
        };
        if batch != places.len() || channels == 0 || h == 0 || w == 0 {
            return Err(wrong(&format!("{} pictures were given", places.len())));
        }
        let decoder = self.decoder.unwrap_or(match channels {
            _ if integers => Decoder::Classes,
            1 => Decoder::Alpha,
            2 => Decoder::Softmax2,
            _ => Decoder::Semantic,
        });
        let wanted = match decoder {
            Decoder::Alpha | Decoder::AlphaLogits | Decoder::Classes => channels == 1,
            Decoder::Softmax2 => channels == 2,
            Decoder::Semantic => channels >= 2 && channels <= usize::from(u16::MAX),
        };
        if !wanted {
            return Err(wrong(&format!("decoder {decoder:?} does not read {channels} channels")));
        }
        Ok(Plan { decoder, channels, size: Size::new(w as u32, h as u32), last })
    }
}

/// Whether the second axis is the channels and not the last: the one beside which the other two have the aspect ratio of the input; when
/// both or neither do, the shorter one.
fn channels_second(second: usize, third: usize, fourth: usize, input: Option<Size>) -> bool {
    let fits = |h: usize, w: usize| {
        input.is_some_and(|i| {
            (h as u64 * u64::from(i.width)).abs_diff(w as u64 * u64::from(i.height)) * 50
                <= (w as u64 * u64::from(i.height))
        })
    };
    match (fits(third, fourth), fits(second, third)) {
        (true, false) => true,
        (false, true) => false,
        _ => second <= fourth,
    }
}

/// How one element of the batch is read.
struct Plan {
    decoder: Decoder,
    channels: usize,
    size: Size,
    last: bool,
}

impl Plan {
    /// The values of channel `c`, row-major.
    fn channel<'a>(&self, values: &'a [f32], c: usize) -> impl Iterator<Item = f32> + 'a {
        let pixels = self.size.area() as usize;
        let (skip, step) = if self.last { (c, self.channels) } else { (c * pixels, 1) };
        values.iter().skip(skip).step_by(step).take(pixels).copied()
    }

    fn read(&self, values: &[f32]) -> Result<Segmentation> {
        let mask = |values: Vec<f32>| Mask::new(self.size, values).map(Segmentation::Alpha);
        let logistic = |v: f32| 1.0 / (1.0 + (-v).exp());
        match self.decoder {
            Decoder::Alpha => mask(self.channel(values, 0).map(|v| v.clamp(0.0, 1.0)).collect()),
            Decoder::AlphaLogits => mask(self.channel(values, 0).map(logistic).collect()),
            // Softmax of two is the logistic function of their difference.
            Decoder::Softmax2 => {
                mask(self.channel(values, 0).zip(self.channel(values, 1)).map(|(a, b)| logistic(b - a)).collect())
            }
            Decoder::Classes => {
                let class = |v: f32| v.round().clamp(0.0, f32::from(u16::MAX)) as u16;
                let classes = self.channel(values, 0).map(class).collect();
                Ok(Segmentation::Classes(ClassMap { size: self.size, classes }))
            }
            Decoder::Semantic => Ok(Segmentation::Classes(ClassMap { size: self.size, classes: self.largest(values) })),
        }
    }

    /// The channel of the largest value per pixel, the first of equal ones.
    fn largest(&self, values: &[f32]) -> Vec<u16> {
        let pixels = self.size.area() as usize;
        let (mut best, mut classes) = (vec![f32::NEG_INFINITY; pixels], vec![0u16; pixels]);
        for c in 0..self.channels {
            for ((v, best), class) in self.channel(values, c).zip(&mut best).zip(&mut classes) {
                if v > *best {
                    (*best, *class) = (v, c as u16);
                }
            }
        }
        classes
    }
}

#[cfg(test)]
mod tests {
    use super::super::io_roles::tests::{entry, info};
    use super::*;
    use crate::core::{BoxRect, TensorSpec};
    use crate::infer::io::ElementType;

    fn place(w: u32, h: u32) -> TensorPlace {
        TensorPlace::new(&TensorSpec::unit(Size::new(w, h)), BoxRect { x: 0, y: 0, width: w, height: h })
    }

    fn decode(
        decoder: Option<&str>,
        shape: &[usize],
        values: Vec<f32>,
        places: &[TensorPlace],
    ) -> Result<Vec<Segmentation>> {
        let mut e = entry(Task::Segment);
        e.decoder = decoder.map(str::to_owned);
        let inputs = [info("x", ElementType::F32, &[1, 3, 2, 4])];
        let dims: Vec<i64> = shape.iter().map(|n| *n as i64).collect();
        let s = Segmenter::new(&e, &inputs, &[info("y", ElementType::F32, &dims)])?;
        s.decode(&Outputs::new(vec![("y".into(), Tensor::f32(shape, values)?)]), places)
    }

    #[test]
    fn the_class_axis_is_found_wherever_it_is() {
        // 3 classes of 2x4 pixels: pixel i has class i % 3.
        let nhwc: Vec<f32> = (0..8).flat_map(|i| (0..3).map(move |c| if c == i % 3 { 2.0 } else { -1.0 })).collect();
        let nchw: Vec<f32> = (0..3).flat_map(|c| (0..8).map(move |i| if c == i % 3 { 2.0 } else { -1.0 })).collect();
        let wanted: Vec<u16> = (0..8).map(|i| i % 3).collect();
        for (shape, values) in [([1, 2, 4, 3], nhwc), ([1, 3, 2, 4], nchw)] {
            let got = decode(None, &shape, values, &[place(4, 2)]).unwrap();
            assert_eq!(got, [Segmentation::Classes(ClassMap { size: Size::new(4, 2), classes: wanted.clone() })]);
        }
        assert!(channels_second(21, 257, 257, Some(Size::new(513, 513))));
        assert!(!channels_second(257, 257, 21, Some(Size::new(513, 513))));
        assert!(
            channels_second(150, 64, 64, None) != channels_second(64, 64, 150, None)
                || !channels_second(150, 64, 64, None)
        );
        assert!(channels_second(150, 64, 64, Some(Size::new(512, 512))), "more classes than rows");
    }

    #[test]
    fn alpha_logits_and_two_channels() {
        let alpha = |s: &Segmentation| s.mask(0).values;
        let got = decode(None, &[1, 1, 2, 2], vec![-0.5, 0.25, 0.5, 2.0], &[place(2, 2)]).unwrap();
        assert_eq!(alpha(&got[0]), [0.0, 0.25, 0.5, 1.0]);
        let got = decode(Some("alpha-logits"), &[1, 2, 2, 1], vec![0.0, 100.0, -100.0, 1.0], &[place(2, 2)]).unwrap();
        assert!((alpha(&got[0])[3] - 0.731_058_6).abs() < 1e-6);
        let got =
            decode(None, &[1, 2, 1, 4], vec![0.0, 3.0, 5.0, -90.0, 1.0, 3.0, -95.0, 90.0], &[place(4, 1)]).unwrap();
        let [a, b, c, d] = alpha(&got[0])[..] else { panic!("four pixels") };
        assert!((a - 0.731_058_6).abs() < 1e-6 && b == 0.5 && c == 0.0 && d == 1.0);
    }

    #[test]
    fn every_element_of_a_batch_is_read_and_misfits_are_refused() {
        let got = decode(None, &[2, 1, 1, 2], vec![0.0, 1.0, 1.0, 0.0], &[place(2, 1), place(2, 1)]).unwrap();
        assert_eq!((got[0].mask(0).values, got[1].mask(0).values), (vec![0.0, 1.0], vec![1.0, 0.0]));
        assert!(decode(None, &[1, 1, 1, 2], vec![0.0; 2], &[]).is_err());
        assert!(decode(Some("alpha"), &[1, 2, 4, 3], vec![0.0; 24], &[place(4, 2)]).is_err());
        assert!(decode(Some("yolo"), &[1, 1, 1, 2], vec![0.0; 2], &[place(2, 1)]).is_err());
        assert!(decode(None, &[1, 2], vec![0.0; 2], &[place(2, 1)]).is_err());
    }
}
