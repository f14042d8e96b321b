//! Pictures into and out of a model: layout, channel order, range and element type as its entry and its graph say.

use super::fit::{fixed, list};
use super::io_roles::{input, may_be, number, output, tensor_of};
use super::planar::PlanarPicture;
use crate::core::Size;
use crate::error::{Error, Result};
use crate::infer::io::{ElementType, IoInfo, NamedTensor, Outputs, TensorModel};
use crate::infer::manifest::{Layout, ModelEntry, Order, PictureInput};
use crate::infer::tensor::Tensor;

/// The input and the output of a model that turns pictures into pictures.
#[derive(Debug, Clone)]
pub(crate) struct PicturePort {
    input: String,
    element: ElementType,
    layout: Layout,
    channels: usize,
    bgr: bool,
    batch: Option<usize>,
    width: Option<u32>,
    height: Option<u32>,
    multiple: u32,
    preferred: Option<Size>,
    mul: [f32; 3],
    add: [f32; 3],
    output: String,
    /// Size of the output where the model fixes it.
    output_size: Option<Size>,
    /// Value of black and of white of the output; the inverse of the input's mapping when absent.
    range: Option<(f32, f32)>,
}

fn is_picture(i: &IoInfo) -> bool {
    i.shape.len() == 4 && [1, 3].iter().any(|n| may_be(i, 1, *n) || may_be(i, 3, *n))
}

/// Position of the channels: NCHW unless only the last axis can be channels.
fn layout_of(i: &IoInfo, channels: usize) -> Layout {
    if !may_be(i, 1, channels) && may_be(i, 3, channels) { Layout::Nhwc } else { Layout::Nchw }
}

impl PicturePort {
    /// `others` are inputs that have another role; `numbers.black` and `numbers.white` give the range of the output when it is not that
    /// of the input.
    pub(crate) fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo], others: &[&str]) -> Result<Self> {
        let plain = PictureInput::default();
        let picture = entry.picture.as_ref().unwrap_or(&plain);
        let mut named = entry.clone();
        if let Some(name) = &picture.input {
            named.inputs.insert("picture".into(), name.clone());
        }
        let info = input(&named, inputs, "picture", |i| is_picture(i) && !others.contains(&i.name.as_str()))?;
        let wanted = if picture.order == Order::Gray { 1 } else { 3 };
        let layout = if entry.picture.is_some() { picture.layout } else { layout_of(info, wanted) };
        let (c, h, w) = match layout {
            Layout::Nchw => (1, 2, 3),
            Layout::Nhwc => (3, 1, 2),
        };
        let channels = if entry.picture.is_some() { wanted } else { fixed(info.shape.get(c)).unwrap_or(wanted) };
        if info.shape.len() != 4 || !matches!(channels, 1 | 3) || !may_be(info, c, channels) {
            return Err(Error::model(
                "shape",
                format!(
                    "`{}`: {channels} channels in {layout:?} do not fit {}",
                    entry.name,
                    list(std::slice::from_ref(info))
                ),
            ));
        }
        let side = |axis: usize| fixed(info.shape.get(axis)).and_then(|n| u32::try_from(n).ok());
        let spec = picture.spec(Size::new(1, 1));
        let out = output(entry, outputs, "picture", is_picture)?;
        let output_side = |axis: usize| fixed(out.shape.get(axis)).and_then(|n| u32::try_from(n).ok());
        let (oh, ow) = if layout_of(out, channels) == Layout::Nhwc { (1, 2) } else { (2, 3) };
        let range = (entry.numbers.contains_key("white") || entry.numbers.contains_key("black"))
            .then(|| (number(entry, "black", 0.0) as f32, number(entry, "white", 1.0) as f32));
        if range.is_some_and(|(black, white)| !(white - black).is_normal()) || spec.mul.iter().any(|m| !m.is_normal()) {
            return Err(Error::model("decoder", format!("`{}`: black and white are the same value", entry.name)));
        }
        Ok(Self {
            input: info.name.clone(),
            element: info.element,
            layout,
            channels,
            bgr: picture.order == Order::Bgr,
            batch: fixed(info.shape.first()),
            width: side(w),
            height: side(h),
            multiple: picture.multiple.unwrap_or(1).max(1),
            preferred: picture.size.map(|[w, h]| Size::new(w, h)),
            mul: spec.mul,
            add: spec.add,
            output: out.name.clone(),
            output_size: output_side(ow).zip(output_side(oh)).map(|(w, h)| Size::new(w, h)),
            range,
        })
    }

    /// Width and height where the model fixes both.
    pub(crate) fn fixed_size(&self) -> Option<Size> {
        Some(Size::new(self.width?, self.height?))
    }

    /// Width and height of the output where the model fixes both.
    pub(crate) fn output_size(&self) -> Option<Size> {
        self.output_size
    }

    /// What the entry wants where the model leaves the size open.
    pub(crate) fn preferred(&self) -> Option<Size> {
        self.preferred
    }

    /// 1 or 3.
    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// The least size that the model takes and that holds `size`; `size` is cut to an axis that the model fixes.
    pub(crate) fn accepted(&self, size: Size) -> Size {
        let up = |v: u32| v.div_ceil(self.multiple).saturating_mul(self.multiple);
        Size::new(self.width.unwrap_or_else(|| up(size.width)), self.height.unwrap_or_else(|| up(size.height)))
    }

    /// One tensor of pictures of one size. Channels become as many as the model has.
    fn pack(&self, pictures: &[&PlanarPicture]) -> Result<Tensor> {
        let size = pictures.first().map(|p| p.size()).unwrap_or(Size::new(0, 0));
        if pictures.iter().any(|p| p.size() != size) || self.accepted(size) != size {
            return Err(Error::model(
                "input",
                format!("`{}` takes pictures of one size that fits, not {size}", self.input),
            ));
        }
        let pixels = size.area() as usize;
        let mut values = vec![0.0f32; pixels * self.channels * pictures.len()];
        for (picture, to) in pictures.iter().zip(values.chunks_exact_mut(pixels * self.channels)) {
            let picture = if self.channels == 1 { picture.to_luma() } else { picture.to_rgb() };
            for (c, (mul, add)) in self.mul.into_iter().zip(self.add).take(self.channels).enumerate() {
                let plane = picture.plane(self.source(c)).iter().map(|v| v * mul + add);
                match self.layout {
                    Layout::Nchw => to.iter_mut().skip(c * pixels).zip(plane).for_each(|(t, v)| *t = v),
                    Layout::Nhwc => to.iter_mut().skip(c).step_by(self.channels).zip(plane).for_each(|(t, v)| *t = v),
                }
            }
        }
        let (h, w) = (size.height as usize, size.width as usize);
        let shape = match self.layout {
            Layout::Nchw => vec![pictures.len(), self.channels, h, w],
            Layout::Nhwc => vec![pictures.len(), h, w, self.channels],
        };
        tensor_of(self.element, shape, values)
    }

    /// Channel of a picture that is channel `c` of the tensor.
    fn source(&self, c: usize) -> usize {
        if self.bgr && self.channels == 3 { 2 - c } else { c }
    }

    /// Pictures of an output, in the range of pictures; nothing is clamped.
    fn unpack(&self, outputs: &Outputs) -> Result<Vec<PlanarPicture>> {
        let tensor = outputs.get(&self.output)?;
        let n = self.channels;
        let (batch, layout, h, w) = match tensor.shape[..] {
            [b, c, h, w] if c == n => (b, Layout::Nchw, h, w),
            [b, h, w, c] if c == n => (b, Layout::Nhwc, h, w),
            _ => {
                return Err(Error::model(
                    "shape",
                    format!("`{}` should be pictures of {n} channels, it is {:?}", self.output, tensor.shape),
                ));
            }
        };
        let side = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
        let (size, pixels) = (Size::new(side(w), side(h)), h * w);
        let values = tensor.to_f32();
        let mut pictures = Vec::with_capacity(batch);
        for from in values.chunks_exact((pixels * n).max(1)).take(batch) {
            let mut planes = Vec::with_capacity(pixels * n);
            for c in (0..n).map(|c| self.source(c)) {
                let (low, gain) = match self.range {
                    Some((black, white)) => (black, 1.0 / (white - black)),
                    None => {
                        let at = |v: [f32; 3]| v.into_iter().nth(c).unwrap_or_default();
                        (at(self.add), 1.0 / at(self.mul))
                    }
                };
                let (skip, step) = if layout == Layout::Nchw { (c * pixels, 1) } else { (c, n) };
                planes.extend(from.iter().skip(skip).step_by(step).take(pixels).map(|v| (v - low) * gain));
            }
            pictures.push(PlanarPicture::new(size, n, planes)?);
        }
        Ok(pictures)
    }

    /// Runs the model over pictures of one size, as many at once as it takes; `extra` gives the other inputs for a batch.
    ///
    /// A batch that the model fixes is filled up with the last picture, and what comes of that is dropped.
    pub(crate) fn run(
        &self,
        model: &mut dyn TensorModel,
        pictures: &[&PlanarPicture],
        extra: &dyn Fn(usize) -> Result<Vec<(String, Tensor)>>,
    ) -> Result<Vec<PlanarPicture>> {
        let at_once = self.batch.unwrap_or(pictures.len()).max(1);
        let mut results = Vec::with_capacity(pictures.len());
        for group in pictures.chunks(at_once) {
            let mut full = group.to_vec();
            if let (Some(batch), Some(last)) = (self.batch, group.last()) {
                full.resize(batch, last);
            }
            let tensor = self.pack(&full)?;
            let others = extra(full.len())?;
            let mut named = vec![NamedTensor { name: &self.input, tensor: tensor.view() }];
            named.extend(others.iter().map(|(name, t)| NamedTensor { name, tensor: t.view() }));
            let made = self.unpack(&model.run(&named)?)?;
            if made.len() != full.len() {
                let (n, m) = (full.len(), made.len());
                return Err(Error::model("shape", format!("`{}` gave {m} pictures for {n}", self.output)));
            }
            results.extend(made.into_iter().take(group.len()));
        }
        Ok(results)
    }
}

/// No other inputs.
pub(crate) fn nothing_else(_: usize) -> Result<Vec<(String, Tensor)>> {
    Ok(Vec::new())
}
