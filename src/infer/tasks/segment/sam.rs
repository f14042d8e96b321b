//! Masks from points and boxes: an encoder run once per picture, a decoder run per prompt (Segment Anything 1 and 2).
//!
//! Roles of the decoder: inputs `points` `[n, p, 2]` (x, y in pixels of the tensor), `labels` `[n, p]`, `mask` `[n, 1, h, w]` with
//! `has_mask` `[n]` (an earlier mask: zeros here), `size` `[2]` (rows, columns; SAM 1 only), and one input per feature map of the
//! encoder; outputs `masks` `[n, m, h, w]` (logits) and `iou` `[n, m]`. Labels: 1 inside, 0 outside, 2 and 3 corners of a box, -1 nothing.
//! `numbers.pad_point` says whether a point of label -1 ends a prompt without a box: the graphs of SAM 1 want it (1, the default when
//! there is a `size`), those of SAM 2 add it themselves (0).

use super::super::fit::{check_task, fixed, list};
use super::super::io_roles::{input, may_be, number, output, tensor_of};
use super::Mask;
use super::mask::to_picture;
use crate::core::{BoxF, Point, Size, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::io::{Extent, IoInfo, NamedTensor, TensorModel};
use crate::infer::manifest::{ModelEntry, Task};
use crate::infer::tensor::{Tensor, TensorView};

/// Most prompts of one run where the model leaves their number open.
const PROMPTS_AT_ONCE: usize = 32;

/// What to look for, in pixels of the picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SamPrompt {
    /// Points and whether they lie inside.
    pub points: Vec<(Point, bool)>,
    /// A box around it.
    pub rect: Option<BoxF>,
}

impl SamPrompt {
    /// One point inside.
    pub fn at(point: Point) -> Self {
        Self { points: vec![(point, true)], rect: None }
    }
}

/// A mask that answers a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct SamMask {
    /// 0 or 1 per pixel, in the size of the box of the picture that was encoded.
    pub mask: Mask,
    /// The model's own estimate of intersection over union, as it comes (about 0..=1).
    pub iou: f32,
    /// Intersection over union of the masks at logits 1 and -1: near 1 when the edge is sharp.
    pub stability: f32,
}

/// Names of the decoder's inputs and outputs, with the types that they want.
#[derive(Debug, Clone)]
struct Decoder {
    points: IoInfo,
    labels: IoInfo,
    mask: Option<IoInfo>,
    has_mask: Option<IoInfo>,
    size: Option<IoInfo>,
    masks: String,
    iou: Option<String>,
}

/// Encoder and decoder together, and the features of the picture that was encoded last.
#[derive(Debug, Clone)]
pub struct SamSession {
    picture: String,
    /// Output of the encoder, input of the decoder.
    features: Vec<(String, String)>,
    decoder: Decoder,
    pad_point: bool,
    encoded: Option<(Vec<(String, Tensor)>, TensorPlace)>,
}

/// What a graph declares.
#[derive(Debug, Clone, Copy)]
pub struct Described<'a> {
    /// Its entry.
    pub entry: &'a ModelEntry,
    /// Its inputs.
    pub inputs: &'a [IoInfo],
    /// Its outputs.
    pub outputs: &'a [IoInfo],
}

impl Decoder {
    fn new(d: Described<'_>) -> Result<Self> {
        let axes = |i: &IoInfo, n: usize| i.shape.len() == n;
        let find = |role: &str, fits: &dyn Fn(&IoInfo) -> bool| input(d.entry, d.inputs, role, fits);
        let points = find("points", &|i| axes(i, 3) && may_be(i, 2, 2))?.clone();
        let labels = find("labels", &|i| axes(i, 2))?.clone();
        // Optional ones: named, or there by shape. A named one that is missing is an error.
        let optional = |role: &str, fits: &dyn Fn(&IoInfo) -> bool| {
            let wanted = d.entry.inputs.contains_key(role) || d.inputs.iter().any(fits);
            if wanted { find(role, fits).map(|i| Some(i.clone())) } else { Ok(None) }
        };
        let mask = optional("mask", &|i| axes(i, 4) && fixed(i.shape.get(1)) == Some(1))?;
        let size = optional("size", &|i| axes(i, 1) && fixed(i.shape.first()) == Some(2))?;
        let has_mask = optional("has_mask", &|i| axes(i, 1) && fixed(i.shape.first()) != Some(2))?;
        let masks = output(d.entry, d.outputs, "masks", |i| axes(i, 4))?.name.clone();
        let scored = d.entry.outputs.contains_key("iou") || d.outputs.iter().any(|o| axes(o, 2));
        let iou = if scored { Some(output(d.entry, d.outputs, "iou", |i| axes(i, 2))?.name.clone()) } else { None };
        Ok(Self { points, labels, mask, has_mask, size, masks, iou })
    }

    fn own(&self) -> Vec<&str> {
        let optional = [&self.mask, &self.has_mask, &self.size];
        let mut names = vec![self.points.name.as_str(), self.labels.name.as_str()];
        names.extend(optional.into_iter().flatten().map(|i| i.name.as_str()));
        names
    }
}

/// Whether what the encoder gives can go in there.
fn compatible(from: &IoInfo, to: &IoInfo) -> bool {
    let same = |(a, b): (&Extent, &Extent)| match (a, b) {
        (Extent::Fixed(a), Extent::Fixed(b)) => a == b,
        _ => true,
    };
    from.element == to.element && from.shape.len() == to.shape.len() && from.shape.iter().zip(&to.shape).all(same)
}

impl SamSession {
    /// For two graphs as their entries describe them. Features go to the decoder's input of the same name, else to the only one of the
    /// same shape.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `input` or `output`.
    pub fn new(encoder: Described<'_>, decoder: Described<'_>) -> Result<Self> {
        check_task(encoder.entry, Task::Segment)?;
        check_task(decoder.entry, Task::Segment)?;
        let mut named = encoder.entry.clone();
        if let Some(name) = encoder.entry.picture.as_ref().and_then(|p| p.input.clone()) {
            named.inputs.insert("picture".into(), name);
        }
        let picture = input(&named, encoder.inputs, "picture", |i| i.shape.len() == 4)?.name.clone();
        let parts = Decoder::new(decoder)?;
        let own = parts.own();
        let mut features = Vec::new();
        for to in decoder.inputs.iter().filter(|i| !own.contains(&i.name.as_str())) {
            let mut fitting = encoder.outputs.iter().filter(|from| compatible(from, to));
            let from = encoder.outputs.iter().find(|from| from.name == to.name).or_else(|| {
                let only = fitting.next();
                only.filter(|_| fitting.next().is_none())
            });
            let from = from.ok_or_else(|| {
                let (one, has) = (list(std::slice::from_ref(to)), list(encoder.outputs));
                Error::model("input", format!("no output of the encoder is the decoder's {one}; it gives {has}"))
            })?;
            features.push((from.name.clone(), to.name.clone()));
        }
        if features.is_empty() {
            return Err(Error::model("input", "the decoder takes no features of the encoder"));
        }
        let pad_point = number(decoder.entry, "pad_point", f64::from(u8::from(parts.size.is_some()))) != 0.0;
        Ok(Self { picture, features, decoder: parts, pad_point, encoded: None })
    }

    /// Name of the encoder's input.
    pub fn input(&self) -> &str {
        &self.picture
    }

    /// Runs the encoder over one picture, `tensor` of `[1, 3, h, w]` as its entry wants it, `place` where the picture lies in it.
    ///
    /// # Errors
    /// Those of the model, and [`crate::Error::Model`] with cause `output`. The features of the picture before are dropped first.
    pub fn encode(&mut self, encoder: &mut dyn TensorModel, tensor: TensorView<'_>, place: TensorPlace) -> Result<()> {
        self.encoded = None;
        let mut outputs = encoder.run(&[NamedTensor { name: &self.picture, tensor }])?;
        let mut features = Vec::with_capacity(self.features.len());
        for (from, to) in &self.features {
            let tensor =
                outputs.take(from).ok_or_else(|| Error::model("output", format!("the encoder gave no `{from}`")))?;
            features.push((to.clone(), tensor));
        }
        self.encoded = Some((features, place));
        Ok(())
    }

    /// Points and labels of a prompt in pixels of the tensor.
    fn coordinates(&self, prompt: &SamPrompt, place: &TensorPlace) -> Vec<(f32, f32, f32)> {
        let (sx, sy) = place.scale();
        let to = |p: Point, label: f32| {
            let x = (p.x - place.source.x as f32) / sx + place.content.x as f32;
            let y = (p.y - place.source.y as f32) / sy + place.content.y as f32;
            (x, y, label)
        };
        let mut all: Vec<_> = prompt.points.iter().map(|(p, inside)| to(*p, f32::from(u8::from(*inside)))).collect();
        if let Some(r) = prompt.rect {
            all.push(to(Point { x: r.x, y: r.y }, 2.0));
            all.push(to(Point { x: r.right(), y: r.bottom() }, 3.0));
        } else if self.pad_point {
            all.push((0.0, 0.0, -1.0));
        }
        all
    }

    /// One mask per prompt, the one that the model trusts most.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `input` when nothing was encoded or a prompt is empty, `output` or `shape` when the decoder gives
    /// something else, and those of the model.
    pub fn masks(&self, decoder: &mut dyn TensorModel, prompts: &[SamPrompt]) -> Result<Vec<SamMask>> {
        let Some((features, place)) = &self.encoded else {
            return Err(Error::model("input", "no picture was encoded; call `encode` first"));
        };
        if prompts.iter().any(|p| p.points.is_empty() && p.rect.is_none()) {
            return Err(Error::model("input", "a prompt needs a point or a box"));
        }
        let declared = fixed(self.decoder.points.shape.first());
        let mut found = Vec::with_capacity(prompts.len());
        for group in prompts.chunks(declared.unwrap_or(PROMPTS_AT_ONCE).max(1)) {
            let rows = declared.unwrap_or(group.len()).max(1);
            let own = self.tensors(group, rows, place)?;
            let all: Vec<NamedTensor<'_>> =
                features.iter().chain(&own).map(|(name, t)| NamedTensor { name, tensor: t.view() }).collect();
            let outputs = decoder.run(&all)?;
            let masks = outputs.get(&self.decoder.masks)?;
            let scores = self.decoder.iou.as_ref().map(|name| outputs.get(name)).transpose()?;
            found.extend(read(masks, scores, rows, place)?.into_iter().take(group.len()));
        }
        Ok(found)
    }

    fn tensors(&self, prompts: &[SamPrompt], rows: usize, place: &TensorPlace) -> Result<Vec<(String, Tensor)>> {
        let d = &self.decoder;
        let mut lists: Vec<_> = prompts.iter().map(|p| self.coordinates(p, place)).collect();
        let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
        let count = fixed(d.points.shape.get(1)).unwrap_or(longest);
        if longest > count {
            return Err(Error::model(
                "input",
                format!("the model takes {count} points a prompt, {longest} were given"),
            ));
        }
        lists.iter_mut().for_each(|l| l.resize(count, (0.0, 0.0, -1.0)));
        lists.resize(rows, vec![(0.0, 0.0, -1.0); count]);
        let points = lists.iter().flatten().flat_map(|(x, y, _)| [*x, *y]).collect();
        let labels = lists.iter().flatten().map(|(_, _, l)| *l).collect();
        let mut all = vec![
            (d.points.name.clone(), tensor_of(d.points.element, vec![rows, count, 2], points)?),
            (d.labels.name.clone(), tensor_of(d.labels.element, vec![rows, count], labels)?),
        ];
        if let Some(info) = &d.mask {
            // A quarter of the tensor, as both generations of the model have it, where the graph does not say.
            let quarter = |axis: usize, n: u32| fixed(info.shape.get(axis)).unwrap_or((n / 4).max(1) as usize);
            let shape = vec![
                fixed(info.shape.first()).unwrap_or(rows),
                1,
                quarter(2, place.tensor.height),
                quarter(3, place.tensor.width),
            ];
            let zeros = vec![0.0; shape.iter().product()];
            all.push((info.name.clone(), tensor_of(info.element, shape, zeros)?));
        }
        if let Some(info) = &d.has_mask {
            let n = fixed(info.shape.first()).unwrap_or(rows);
            all.push((info.name.clone(), tensor_of(info.element, vec![n], vec![0.0; n])?));
        }
        if let Some(info) = &d.size {
            let Size { width, height } = place.tensor;
            all.push((info.name.clone(), tensor_of(info.element, vec![2], vec![height as f32, width as f32])?));
        }
        Ok(all)
    }
}

/// The best mask of each row.
fn read(masks: &Tensor, scores: Option<&Tensor>, rows: usize, place: &TensorPlace) -> Result<Vec<SamMask>> {
    let [n, m, h, w] = masks.shape[..] else {
        return Err(Error::model("shape", format!("masks should have four axes, they are {:?}", masks.shape)));
    };
    if n != rows || m == 0 || h == 0 || w == 0 || scores.is_some_and(|s| s.shape != [n, m]) {
        let given = scores.map(|s| &s.shape);
        return Err(Error::model(
            "shape",
            format!("{rows} prompts gave masks of {:?} and scores of {given:?}", masks.shape),
        ));
    }
    let logits = masks.to_f32();
    let scores: Vec<f32> = scores.map_or_else(|| vec![0.0; n * m], |s| s.to_f32().into_owned());
    let best = |row: &[f32]| {
        let first = (0, f32::NEG_INFINITY);
        row.iter().enumerate().fold(first, |a, (i, s)| if *s > a.1 { (i, *s) } else { a })
    };
    let mut found = Vec::with_capacity(n);
    for (row, all) in scores.chunks_exact(m).zip(logits.chunks_exact(m * h * w)) {
        let (index, iou) = best(row);
        let one = all.chunks_exact(h * w).nth(index).unwrap_or_default();
        let above = |t: f32| one.iter().filter(|v| **v > t).count() as f32;
        let outer = above(-1.0);
        let stability = if outer > 0.0 { above(1.0) / outer } else { 0.0 };
        // Logits are brought to the picture and then cut at 0: edges come out finer than of a mask brought there.
        let large = to_picture(one, Size::new(w as u32, h as u32), place);
        let size = Size::new(place.source.width, place.source.height);
        let mask = Mask::new(size, large.into_iter().map(|v| f32::from(u8::from(v > 0.0))).collect())?;
        found.push(SamMask { mask, iou, stability });
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
