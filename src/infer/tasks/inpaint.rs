//! Filling a hole of a picture with what may have been there (LaMa and models of the same form).
//!
//! Roles: inputs `picture` `[b, 3, h, w]` and `mask` `[b, 1, h, w]`, output `picture`. `numbers.hole` is the value of the mask inside the
//! hole (1, or 0 for models that mark what is known); `black` and `white` give the range of the output when it is not that of the input
//! (exports of LaMa often take 0..=1 and give 0..=255: `white = 255`). `picture.multiple` is 8 for the usual graphs of open size.
//!
//! The model sees each hole with some context, not the whole picture: a model of fixed size would lose detail, one of open size memory. Holes
//! that lie close together go together.

use super::fit::check_task;
use super::holes::Holes;
use super::io_roles::{input, may_be, number, tensor_of};
use super::picture_port::PicturePort;
use super::planar::PlanarPicture;
use super::segment::Mask;
use crate::core::{BoxRect, Size};
use crate::error::{Error, Result};
use crate::infer::io::{ElementType, IoInfo, TensorModel};
use crate::infer::manifest::{Layout, ModelEntry, Task};

/// How a hole is filled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InpaintOptions {
    /// What of the mask is hole: values of at least this, 0..=1.
    pub threshold: f32,
    /// Context on each side as a share of the longer side of the hole, 0 or more.
    pub context: f32,
    /// Pixels around the hole that the model fills as well and over which its result fades out.
    pub feather: u32,
    /// Longest side that a model of open size is given; a larger stretch is made smaller for it.
    pub longest: u32,
}

impl Default for InpaintOptions {
    fn default() -> Self {
        Self { threshold: 0.5, context: 0.5, feather: 4, longest: 1024 }
    }
}

/// Adapter of `inpaint`.
#[derive(Debug, Clone)]
pub struct Inpainter {
    port: PicturePort,
    mask: String,
    element: ElementType,
    layout: Layout,
    hole: f32,
}

impl Inpainter {
    /// For a model as its entry and its graph describe it.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `input`, `output`, `shape` or `decoder`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Inpaint)?;
        let one_channel = |i: &IoInfo| {
            let at = |axis| matches!(i.shape.get(axis), Some(crate::infer::io::Extent::Fixed(1)));
            i.shape.len() == 4 && (at(1) || at(3))
        };
        let mask = input(entry, inputs, "mask", one_channel)?;
        let port = PicturePort::new(entry, inputs, outputs, &[&mask.name])?;
        let layout = if !may_be(mask, 1, 1) && may_be(mask, 3, 1) { Layout::Nhwc } else { Layout::Nchw };
        let hole = number(entry, "hole", 1.0) as f32;
        if hole != 0.0 && hole != 1.0 {
            return Err(Error::model("decoder", format!("`{}`: numbers.hole is 0 or 1, not {hole}", entry.name)));
        }
        Ok(Self { port, mask: mask.name.clone(), element: mask.element, layout, hole })
    }

    /// `picture` with the hole of `mask` filled. Outside of the hole and its feather every value stays as it is.
    ///
    /// One run of the model for each hole with its context, on the picture as it was; fewer where holes are so close that one run over
    /// several looks at fewer pixels. None when there is no hole.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `input` when `mask` has another size than `picture` or nothing is left to look at, or of the run.
    pub fn fill(
        &self,
        model: &mut dyn TensorModel,
        picture: &PlanarPicture,
        mask: &Mask,
        options: &InpaintOptions,
    ) -> Result<PlanarPicture> {
        let size = picture.size();
        if mask.size != size {
            return Err(Error::model("input", format!("the mask is {}, the picture {size}", mask.size)));
        }
        // 1 in the mask, down to 0 at the end of the feather.
        let feather = options.feather as f32;
        let alpha: Vec<f32> =
            distances(mask, options.threshold).iter().map(|d| (1.0 - d / (feather + 1.0)).clamp(0.0, 1.0)).collect();
        let holes = Holes::find(&alpha, size);
        let around = |rect: BoxRect| stretch(rect, size, options.context, self.port.fixed_size());
        let mut result = picture.clone();
        for group in holes.groups(around) {
            let stretch = around(group.rect);
            let part = picture.crop(stretch)?;
            // Other holes in sight are no context either.
            let hidden = rows(&alpha, size, stretch).map(|a| f32::from(u8::from(a > 0.0))).collect();
            let filled = self.run(model, &part, &Mask { size: part.size(), values: hidden }, options.longest)?;
            let own = rows(&alpha, size, stretch).zip(rows(&holes.of, size, stretch));
            let alpha: Vec<f32> = own.map(|(a, hole)| if group.holes.contains(&hole) { a } else { 0.0 }).collect();
            result.blend(&filled, i64::from(stretch.x), i64::from(stretch.y), &alpha);
        }
        Ok(result)
    }

    /// The model over one stretch: resized to what it takes, or its edge repeated up to the next size that it takes.
    fn run(
        &self,
        model: &mut dyn TensorModel,
        part: &PlanarPicture,
        mask: &Mask,
        longest: u32,
    ) -> Result<PlanarPicture> {
        let size = part.size();
        let seen = self.port.fixed_size().unwrap_or_else(|| size.fit_within(longest.max(1)));
        let whole = self.port.accepted(seen);
        let pad = BoxRect { x: 0, y: 0, width: whole.width, height: whole.height };
        let image = part.resized(seen)?.crop(pad)?;
        // What a hole touches is hole: a smaller mask must not let a rest of it through.
        let hole = PlanarPicture::new(seen, 1, mask.resized(seen).values)?.crop(pad)?;
        let value = |v: f32| if v > 0.0 { self.hole } else { 1.0 - self.hole };
        let values: Vec<f32> = hole.values().iter().map(|v| value(*v)).collect();
        let (h, w) = (whole.height as usize, whole.width as usize);
        let extra = |n: usize| {
            let shape = if self.layout == Layout::Nhwc { vec![n, h, w, 1] } else { vec![n, 1, h, w] };
            Ok(vec![(self.mask.clone(), tensor_of(self.element, shape, values.repeat(n))?)])
        };
        let made = self.port.run(model, &[&image], &extra)?;
        let made = made.first().filter(|p| p.size() == whole);
        let made = made.ok_or_else(|| Error::model("shape", format!("the model should give a picture of {whole}")))?;
        // What it gives outside of the hole is not believed: resizing would draw it in at the edge.
        let mut kept = if made.channels() == 1 { image.to_luma() } else { image.to_rgb() };
        let inside: Vec<f32> = hole.values().iter().map(|v| f32::from(u8::from(*v > 0.0))).collect();
        kept.blend(made, 0, 0, &inside);
        let cut = kept.crop(BoxRect { x: 0, y: 0, width: seen.width, height: seen.height })?;
        let mut back = cut.resized(size)?;
        back.values_mut().iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
        Ok(if part.channels() == 1 { back.to_luma() } else { back.to_rgb() })
    }
}

/// Distance of each pixel to the nearest one of the hole, in pixels: 0 inside. Two passes with steps of 1 and 4/3 (Borgefors 1986),
/// within 6 % of the Euclidean one.
fn distances(mask: &Mask, threshold: f32) -> Vec<f32> {
    const DIAGONAL: f32 = 4.0 / 3.0;
    let width = mask.size.width as usize;
    let mut far: Vec<f32> =
        mask.values.iter().map(|v| if *v >= threshold { 0.0 } else { f32::from(u16::MAX) }).collect();
    let pass = |rows: &mut dyn Iterator<Item = &mut [f32]>, flip: bool| {
        let mut above = vec![f32::from(u16::MAX); width];
        for row in rows {
            if flip {
                row.reverse();
            }
            let mut left = f32::from(u16::MAX);
            for (x, d) in row.iter_mut().enumerate() {
                let up = |at: Option<usize>| at.and_then(|a| above.get(a)).copied().unwrap_or(f32::MAX);
                let diagonal = up(x.checked_sub(1)).min(up(Some(x + 1))) + DIAGONAL;
                left = d.min(left + 1.0).min(up(Some(x)) + 1.0).min(diagonal);
                *d = left;
            }
            above.copy_from_slice(row);
            if flip {
                row.reverse();
            }
        }
    };
    pass(&mut far.chunks_exact_mut(width.max(1)), false);
    // From the other corner: rows from the bottom, each from the right.
    pass(&mut far.chunks_exact_mut(width.max(1)).rev(), true);
    far
}

/// The hole with its context, inside of the picture; at least what the model takes where the picture has that much, with its aspect
/// ratio where it is fixed.
fn stretch(hole: BoxRect, size: Size, context: f32, fixed: Option<Size>) -> BoxRect {
    let around = (hole.width.max(hole.height) as f32 * context.max(0.0)).ceil() as u32;
    let mut wanted = Size::new(hole.width.saturating_add(2 * around), hole.height.saturating_add(2 * around));
    if let Some(f) = fixed {
        wanted = Size::new(wanted.width.max(f.width), wanted.height.max(f.height));
        let grow = (wanted.width as f32 / f.width as f32).max(wanted.height as f32 / f.height as f32);
        wanted = Size::new((f.width as f32 * grow).round() as u32, (f.height as f32 * grow).round() as u32);
    }
    let along = |from: i32, n: u32, wanted: u32, whole: u32| {
        let length = wanted.max(n).min(whole);
        let start = i64::from(from) - i64::from(length - n.min(length)) / 2;
        (start.clamp(0, i64::from(whole - length)) as i32, length)
    };
    let (x, width) = along(hole.x, hole.width, wanted.width, size.width);
    let (y, height) = along(hole.y, hole.height, wanted.height, size.height);
    BoxRect { x, y, width, height }
}

/// Values under `rect`, which lies inside.
fn rows<T: Copy>(values: &[T], size: Size, rect: BoxRect) -> impl Iterator<Item = T> {
    let (x, n) = (rect.x.max(0) as usize, rect.width as usize);
    let rows = values.chunks_exact(size.width as usize).skip(rect.y.max(0) as usize).take(rect.height as usize);
    rows.flat_map(move |row| row.get(x..x + n).unwrap_or_default().iter().copied())
}

#[cfg(test)]
mod tests {
    use super::super::io_roles::tests::{entry, info};
    use super::*;
    use crate::infer::io::{NamedTensor, Outputs};
    use crate::infer::manifest::PictureInput;
    use crate::infer::tensor::{Tensor, TensorSlice};

    /// A host's runtime: fills with the mean of what is not hole, 0..=255, and marks everything else green so that leaks are seen.
    struct Mean {
        inputs: Vec<IoInfo>,
        outputs: Vec<IoInfo>,
        seen: Vec<Vec<usize>>,
    }

    impl Mean {
        fn new(h: i64, w: i64) -> Self {
            let inputs = vec![info("m", ElementType::F32, &[-1, 1, h, w]), info("i", ElementType::F32, &[-1, 3, h, w])];
            Self { inputs, outputs: vec![info("o", ElementType::F32, &[-1, 3, h, w])], seen: vec![] }
        }
    }

    impl TensorModel for Mean {
        fn inputs(&self) -> &[IoInfo] {
            &self.inputs
        }

        fn outputs(&self) -> &[IoInfo] {
            &self.outputs
        }

        fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
            let get = |name: &str| match inputs.iter().find(|i| i.name == name).unwrap().tensor.data {
                TensorSlice::F32(v) => v,
                _ => panic!("floats"),
            };
            let (image, mask) = (get("i"), get("m"));
            let shape = inputs.iter().find(|i| i.name == "i").unwrap().tensor.shape.to_vec();
            assert!(mask.iter().all(|m| *m == 0.0 || *m == 1.0));
            let known = mask.iter().filter(|m| **m == 0.0).count() as f32;
            let mut out = Vec::new();
            for c in 0..3 {
                let plane = &image[c * mask.len()..][..mask.len()];
                let mean = plane.iter().zip(mask).filter(|(_, m)| **m == 0.0).map(|(v, _)| v).sum::<f32>() / known;
                let green = if c == 1 { 255.0 } else { 0.0 };
                out.extend(mask.iter().map(|m| if *m == 1.0 { mean * 255.0 } else { green }));
            }
            self.seen.push(shape.clone());
            Ok(Outputs::new(vec![("o".into(), Tensor::f32(shape, out)?)]))
        }
    }

    fn adapter(model: &Mean) -> Inpainter {
        let mut e = entry(Task::Inpaint);
        e.numbers.insert("white".into(), 255.0);
        e.picture = Some(PictureInput { multiple: Some(8), ..PictureInput::default() });
        Inpainter::new(&e, &model.inputs, &model.outputs).unwrap()
    }

    /// Grey with a red disc, and the mask of the disc.
    fn scene(w: u32, h: u32, cx: f32, cy: f32, r: f32) -> (PlanarPicture, Mask) {
        let size = Size::new(w, h);
        let inside = |i: u32| ((i % w) as f32 - cx).hypot((i / w) as f32 - cy) <= r;
        let mask: Vec<f32> = (0..w * h).map(|i| f32::from(u8::from(inside(i)))).collect();
        let red: Vec<f32> = mask.iter().map(|m| if *m > 0.0 { 1.0 } else { 0.4 }).collect();
        let rest: Vec<f32> = mask.iter().map(|m| if *m > 0.0 { 0.0 } else { 0.4 }).collect();
        let picture = PlanarPicture::new(size, 3, [red, rest.clone(), rest].concat()).unwrap();
        (picture, Mask::new(size, mask).unwrap())
    }

    #[test]
    fn the_hole_is_filled_and_nothing_else_changes() {
        for (fixed, place) in
            [(None, (50.0, 40.0)), (Some(64), (50.0, 40.0)), (Some(64), (2.0, 70.0)), (None, (119.0, 1.0))]
        {
            let mut model = fixed.map_or_else(|| Mean::new(-1, -1), |n| Mean::new(n, n));
            let (picture, mask) = scene(120, 77, place.0, place.1, 11.0);
            let a = adapter(&model);
            let got = a.fill(&mut model, &picture, &mask, &InpaintOptions::default()).unwrap();
            assert!(
                got.values().iter().all(|v| (v - 0.4).abs() < 1e-3),
                "{fixed:?} {place:?}: grey everywhere, no green, no red"
            );
            let shape = &model.seen[0];
            match fixed {
                Some(n) => assert_eq!(shape[2..], [n as usize, n as usize]),
                None => {
                    assert!(shape[2] % 8 == 0 && shape[3] % 8 == 0 && shape[2] <= 80 && shape[3] < 120, "{shape:?}")
                }
            }
        }
    }

    #[test]
    fn a_large_hole_is_shrunk_for_the_model_and_no_rest_of_it_shows() {
        let mut model = Mean::new(64, 64);
        let (picture, mask) = scene(400, 300, 200.0, 150.0, 77.0);
        let got = adapter(&model).fill(&mut model, &picture, &mask, &InpaintOptions::default()).unwrap();
        assert!(got.plane(0).iter().all(|v| (v - 0.4).abs() < 1e-3));
        let mut open = Mean::new(-1, -1);
        let options = InpaintOptions { longest: 96, ..InpaintOptions::default() };
        adapter(&open).fill(&mut open, &picture, &mask, &options).unwrap();
        assert!(open.seen[0][3] <= 96, "{:?}", open.seen);
    }

    /// Two discs, each in grey of its own: each is filled from what is around it, by a run that sees little more than it; where one run
    /// over both is cheaper they go together, and neither shows in the other.
    #[test]
    fn each_hole_has_a_run_of_its_own() {
        let size = Size::new(600, 120);
        let grey = |x: u32| if x < 300 { 0.2f32 } else { 0.7 };
        let scene = |centres: [f32; 2], radius: f32| {
            let inside =
                |i: u32| centres.iter().any(|c| ((i % 600) as f32 - c).hypot((i / 600) as f32 - 60.0) <= radius);
            let mask: Vec<f32> = (0..72_000).map(|i| f32::from(u8::from(inside(i)))).collect();
            let values = (0..72_000).map(|i| if inside(i) { 1.0 } else { grey(i % 600) }).collect();
            (PlanarPicture::new(size, 1, values).unwrap(), Mask::new(size, mask).unwrap())
        };
        for fixed in [-1, 64] {
            let mut model = Mean::new(fixed, fixed);
            let (picture, mask) = scene([60.0, 520.0], 9.0);
            let got = adapter(&model).fill(&mut model, &picture, &mask, &InpaintOptions::default()).unwrap();
            for (i, v) in got.values().iter().enumerate() {
                assert!((v - grey(i as u32 % 600)).abs() < 1e-3, "{fixed} {i}: {v}");
            }
            assert_eq!(model.seen.len(), 2);
            assert!(model.seen.iter().all(|s| s[3] <= 64), "{:?}", model.seen);
            let mut model = Mean::new(fixed, fixed);
            let (picture, mask) = scene([100.0, 120.0], 3.0);
            let got = adapter(&model).fill(&mut model, &picture, &mask, &InpaintOptions::default()).unwrap();
            assert!(got.values().iter().enumerate().all(|(i, v)| (v - grey(i as u32 % 600)).abs() < 1e-3));
            // Two tiles of 64x64 have more pixels than one that is made smaller; two little ones of their own size have fewer.
            assert_eq!(model.seen.len(), if fixed == 64 { 1 } else { 2 }, "{:?}", model.seen);
        }
    }

    #[test]
    fn the_feather_fades_and_ends() {
        let mut model = Mean::new(-1, -1);
        let size = Size::new(40, 24);
        // The mask covers only the middle of what is black: the feather shows the way from fill to picture.
        let mut values = vec![0.0; 960];
        values.iter_mut().enumerate().filter(|(i, _)| i % 40 == 20 && i / 40 == 12).for_each(|(_, v)| *v = 1.0);
        let mask = Mask::new(size, values).unwrap();
        let picture =
            PlanarPicture::new(size, 1, (0..960).map(|i| if (i % 40) > 20 { 0.0 } else { 0.8 }).collect()).unwrap();
        let options = InpaintOptions { feather: 3, context: 9.0, ..InpaintOptions::default() };
        let got = adapter(&model).fill(&mut model, &picture, &mask, &options).unwrap();
        let row: Vec<f32> = got.row(0, 12)[20..26].to_vec();
        let fill = row[0];
        for (k, v) in row.iter().enumerate().skip(1) {
            let wanted = fill * (1.0 - k as f32 / 4.0).max(0.0);
            assert!((v - wanted).abs() < 1e-3, "{k}: {row:?}");
        }
        assert!(model.seen.len() == 1 && fill > 0.2 && fill < 0.6);
    }

    #[test]
    fn no_hole_no_run_and_a_foreign_mask_is_refused() {
        let mut model = Mean::new(-1, -1);
        let (picture, _) = scene(16, 16, 0.0, 0.0, 1.0);
        let none = Mask::new(Size::new(16, 16), vec![0.0; 256]).unwrap();
        let a = adapter(&model);
        assert_eq!(a.fill(&mut model, &picture, &none, &InpaintOptions::default()).unwrap(), picture);
        assert!(model.seen.is_empty());
        let other = Mask::new(Size::new(8, 16), vec![1.0; 128]).unwrap();
        assert!(a.fill(&mut model, &picture, &other, &InpaintOptions::default()).is_err());
    }

    #[test]
    fn distances_by_hand() {
        let mask =
            Mask::new(Size::new(4, 3), vec![0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]).unwrap();
        let (d, n) = (distances(&mask, 0.5), 4.0 / 3.0);
        let wanted = [n, 1.0, n, n + 1.0, 1.0, 0.0, 1.0, 2.0, n, 1.0, n, n + 1.0];
        assert!(d.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-5), "{d:?}");
    }
}
