//! Repairing faces (CodeFormer and models of the same form): cut out, restored, pasted back.
//!
//! Roles: inputs `picture` (usually -1..=1, 512x512) and `fidelity` (a scalar, single or double; absent for models without), output
//! `picture`. A face with five key points (eyes, nose, corners of the mouth, the viewer's left first) is turned and scaled so that they
//! come where faces of the FFHQ training set have them; one without is cut out by its box.

use super::fit::{check_task, fixed};
use super::io_roles::{input, tensor_of};
use super::picture_port::PicturePort;
use super::planar::PlanarPicture;
use crate::core::{BoxF, Face, Point, Similarity, Size};
use crate::error::{Error, Result};
use crate::infer::io::{ElementType, IoInfo, TensorModel};
use crate::infer::manifest::{ModelEntry, Task};

/// Eyes, nose and corners of the mouth in aligned faces of 512x512 (FFHQ, as GFPGAN and CodeFormer are trained).
const TEMPLATE: [(f32, f32); 5] =
    [(192.98, 239.95), (318.90, 240.19), (256.63, 314.02), (201.26, 371.41), (313.09, 371.15)];
const TEMPLATE_SIDE: f32 = 512.0;

/// How a face is restored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RestoreOptions {
    /// 0 the model's ideal to 1 the face as it is; only for models with such an input.
    pub fidelity: f32,
    /// Without key points: what is added on each side of the box, as a share of its longer side.
    pub margin: f32,
    /// Width of the seam that fades out, as a share of the side of the cut-out, 0 to 0.5.
    pub feather: f32,
}

impl Default for RestoreOptions {
    fn default() -> Self {
        Self { fidelity: 0.5, margin: 0.4, feather: 0.1 }
    }
}

/// Adapter of `restore-face`.
#[derive(Debug, Clone)]
pub struct FaceRestorer {
    port: PicturePort,
    fidelity: Option<(String, ElementType, Vec<usize>)>,
    size: Size,
}

impl FaceRestorer {
    /// For a model as its entry and its graph describe it. Where the model leaves the size open, `picture.size` or 512x512.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `input`, `output`, `shape` or `decoder`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::RestoreFace)?;
        let scalar = |i: &IoInfo| {
            i.shape.len() <= 1 && (0..i.shape.len()).all(|a| matches!(fixed(i.shape.get(a)), None | Some(1)))
        };
        let fidelity = if entry.inputs.contains_key("fidelity") || inputs.iter().any(scalar) {
            let i = input(entry, inputs, "fidelity", scalar)?;
            Some((i.name.clone(), i.element, vec![1; i.shape.len()]))
        } else {
            None
        };
        let others: Vec<&str> = fidelity.iter().map(|(name, ..)| name.as_str()).collect();
        let port = PicturePort::new(entry, inputs, outputs, &others)?;
        let size = port.accepted(port.preferred().unwrap_or(Size::new(512, 512)));
        Ok(Self { port, fidelity, size })
    }

    /// Whether the model lets one choose between its ideal and the face as it is.
    pub fn has_fidelity(&self) -> bool {
        self.fidelity.is_some()
    }

    /// `picture` with each of `faces` restored, one after the other; outside of them every value stays as it is.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for a fidelity outside of 0..=1 or a feather outside of 0..=0.5, [`crate::Error::Model`] with cause `input` for a
    /// face without extent, and those of the run.
    pub fn restore(
        &self,
        model: &mut dyn TensorModel,
        picture: &PlanarPicture,
        faces: &[Face],
        options: &RestoreOptions,
    ) -> Result<PlanarPicture> {
        check(options)?;
        let mut result = picture.clone();
        for face in faces {
            let warp = self.placed(face, options.margin)?;
            let part = cut(picture, &warp, self.size)?;
            let extra = |_| {
                let one = |(name, element, shape): &(String, ElementType, Vec<usize>)| {
                    Ok((name.clone(), tensor_of(*element, shape.clone(), vec![options.fidelity])?))
                };
                self.fidelity.iter().map(one).collect()
            };
            let made = self.port.run(model, &[&part], &extra)?;
            let Some(made) = made.first().filter(|p| p.size() == self.size) else {
                return Err(Error::model("shape", format!("the model should give a face of {}", self.size)));
            };
            let made = if picture.channels() == 1 { made.to_luma() } else { made.to_rgb() };
            paste(&mut result, &made, &warp, options.feather);
        }
        Ok(result)
    }

    /// From pixels of the picture to pixels of the model.
    fn placed(&self, face: &Face, margin: f32) -> Result<Similarity> {
        let (w, h) = (self.size.width as f32, self.size.height as f32);
        let warp = if let [a, b, c, d, e] = face.points[..] {
            let k = w.min(h) / TEMPLATE_SIDE;
            let to = TEMPLATE.map(|(x, y)| Point { x: x * k, y: y * k });
            Similarity::fit(&[a, b, c, d, e], &to)
        } else {
            let side = face.rect.width.max(face.rect.height);
            let BoxF { width, .. } = face.rect.squared().scaled(1.0 + 2.0 * margin.max(0.0));
            let scale = w.min(h) / width;
            let at = face.rect.center();
            (side > 0.0 && scale.is_normal()).then(|| Similarity {
                a: scale,
                b: 0.0,
                dx: w / 2.0 - at.x * scale,
                dy: h / 2.0 - at.y * scale,
            })
        };
        warp.ok_or_else(|| Error::model("input", format!("a face without extent cannot be restored: {:?}", face.rect)))
    }
}

fn check(o: &RestoreOptions) -> Result<()> {
    let within = |field: &str, v: f32, most: f32| {
        if (0.0..=most).contains(&v) {
            return Ok(());
        }
        let message = format!("must be within 0..={most}, got {v}");
        Err(crate::error::Error::Config { field: format!("restore_face.{field}"), message })
    };
    within("fidelity", o.fidelity, 1.0)?;
    within("feather", o.feather, 0.5)?;
    within("margin", o.margin, 4.0)
}

/// Bilinear value of a plane at a point, the nearest pixel outside.
fn sample(plane: &[f32], size: Size, p: Point) -> f32 {
    let (x, y) = (p.x - 0.5, p.y - 0.5);
    let clamp = |v: f32, n: u32| v.clamp(0.0, (n - 1) as f32) as usize;
    let at = |dx: f32, dy: f32| {
        let i = clamp(y.floor() + dy, size.height) * size.width as usize + clamp(x.floor() + dx, size.width);
        plane.get(i).copied().unwrap_or_default()
    };
    let (u, v) = (x - x.floor(), y - y.floor());
    let row = |dy: f32| at(0.0, dy) * (1.0 - u) + at(1.0, dy) * u;
    row(0.0) * (1.0 - v) + row(1.0) * v
}

/// What the model sees; where that has fewer pixels, the mean of several samples.
fn cut(picture: &PlanarPicture, warp: &Similarity, size: Size) -> Result<PlanarPicture> {
    let back = warp.inverse();
    let n = back.scale().ceil().clamp(1.0, 8.0) as u32;
    let offset = |i: u32| (i as f32 + 0.5) / n as f32;
    let mut values = Vec::with_capacity(size.area() as usize * picture.channels());
    for plane in picture.planes() {
        for (y, x) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (y, x))) {
            let mut sum = 0.0;
            for (dy, dx) in (0..n).flat_map(|dy| (0..n).map(move |dx| (dy, dx))) {
                let p = Point { x: x as f32 + offset(dx), y: y as f32 + offset(dy) };
                sum += sample(plane, picture.size(), back.apply(p));
            }
            values.push(sum / (n * n) as f32);
        }
    }
    PlanarPicture::new(size, picture.channels(), values)
}

/// Blends a restored face in; alpha rises from 0 at the edge of the cut-out to 1 behind the feather.
fn paste(picture: &mut PlanarPicture, face: &PlanarPicture, warp: &Similarity, feather: f32) {
    let (size, part) = (picture.size(), face.size());
    let back = warp.inverse();
    let (w, h) = (part.width as f32, part.height as f32);
    let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)].map(|(x, y)| back.apply(Point { x, y }));
    let bounds = |get: fn(&Point) -> f32, n: u32| {
        let least = corners.iter().map(get).fold(f32::INFINITY, f32::min).floor().clamp(0.0, n as f32);
        let most = corners.iter().map(get).fold(f32::NEG_INFINITY, f32::max).ceil().clamp(0.0, n as f32);
        least as u32..most as u32
    };
    let (columns, rows) = (bounds(|p| p.x, size.width), bounds(|p| p.y, size.height));
    let ramp = (feather * w.min(h)).max(1.0);
    let channels = picture.channels();
    for y in rows {
        for x in columns.clone() {
            let p = warp.apply(Point { x: x as f32 + 0.5, y: y as f32 + 0.5 });
            let inside = p.x.min(w - p.x).min(p.y).min(h - p.y);
            let alpha = (inside / ramp).clamp(0.0, 1.0);
            if alpha <= 0.0 {
                continue;
            }
            for c in 0..channels {
                let new = sample(face.plane(c), part, p).clamp(0.0, 1.0);
                if let Some(old) = picture.row_mut(c, y as usize).get_mut(x as usize) {
                    *old += (new - *old) * alpha;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::io_roles::tests::{entry, info};
    use super::*;
    use crate::infer::io::{NamedTensor, Outputs};
    use crate::infer::manifest::PictureInput;
    use crate::infer::tensor::{Tensor, TensorSlice};

    /// A host's runtime: the face as it is, `fidelity` parts of it and the rest white.
    struct Fade {
        inputs: Vec<IoInfo>,
        outputs: Vec<IoInfo>,
        last: Vec<f32>,
    }

    impl Fade {
        fn new(element: ElementType, shape: &[i64]) -> Self {
            let inputs = vec![info("w", element, shape), info("x", ElementType::F32, &[1, 3, 64, 64])];
            Self { inputs, outputs: vec![info("y", ElementType::F32, &[1, 3, 64, 64])], last: vec![] }
        }
    }

    impl TensorModel for Fade {
        fn inputs(&self) -> &[IoInfo] {
            &self.inputs
        }

        fn outputs(&self) -> &[IoInfo] {
            &self.outputs
        }

        fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
            let w = inputs.iter().find(|i| i.name == "w").unwrap().tensor;
            let TensorSlice::F32(&[w]) = w.data else { panic!("one float, widened by the runtime") };
            let TensorSlice::F32(v) = inputs.iter().find(|i| i.name == "x").unwrap().tensor.data else {
                panic!("floats")
            };
            self.last = v.to_vec();
            let out = v.iter().map(|v| v * w + (1.0 - w)).collect();
            Ok(Outputs::new(vec![("y".into(), Tensor::f32([1, 3, 64, 64], out)?)]))
        }
    }

    fn adapter(model: &Fade) -> FaceRestorer {
        let mut e = entry(Task::RestoreFace);
        e.picture = Some(PictureInput { mean: [0.5; 3], std: [0.5; 3], ..PictureInput::default() });
        FaceRestorer::new(&e, &model.inputs, &model.outputs).unwrap()
    }

    fn gradient() -> PlanarPicture {
        let size = Size::new(200, 160);
        let plane = |k: usize| {
            (0..size.area() as usize).map(move |i| 0.2 + 0.6 * (if k == 0 { i % 200 } else { i / 200 } as f32) / 200.0)
        };
        PlanarPicture::new(size, 3, plane(0).chain(plane(1)).chain(plane(0)).collect()).unwrap()
    }

    fn face(points: bool) -> Face {
        // The template turned by 20 degrees, 80 pixels wide, around (100, 80).
        let (s, c) = 20f32.to_radians().sin_cos();
        let turn = |(x, y): (f32, f32)| {
            let (x, y) = ((x - 256.0) / 512.0 * 80.0, (y - 256.0) / 512.0 * 80.0);
            Point { x: 100.0 + c * x - s * y, y: 80.0 + s * x + c * y }
        };
        let points = if points { TEMPLATE.map(turn).to_vec() } else { vec![] };
        Face { rect: BoxF::from_center(100.0, 80.0, 40.0, 44.0), score: 1.0, points }
    }

    #[test]
    fn the_whole_fidelity_gives_the_picture_back() {
        for (element, shape) in
            [(ElementType::F64, &[][..]), (ElementType::F32, &[1][..]), (ElementType::F64, &[-1][..])]
        {
            let mut model = Fade::new(element, shape);
            let a = adapter(&model);
            assert!(a.has_fidelity());
            let picture = gradient();
            for points in [true, false] {
                let options = RestoreOptions { fidelity: 1.0, ..RestoreOptions::default() };
                let got = a.restore(&mut model, &picture, &[face(points)], &options).unwrap();
                let worst = got.values().iter().zip(picture.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(worst < 0.01, "{worst}");
                assert!(model.last.iter().all(|v| (-1.0..=1.0).contains(v)) && model.last.iter().any(|v| *v < -0.2));
            }
        }
    }

    #[test]
    fn only_the_face_changes_and_the_seam_fades() {
        let mut model = Fade::new(ElementType::F64, &[]);
        let picture = gradient();
        let options = RestoreOptions { fidelity: 0.0, feather: 0.25, ..RestoreOptions::default() };
        let got = adapter(&model).restore(&mut model, &picture, &[face(false)], &options).unwrap();
        assert!(got.plane(1)[80 * 200 + 100] > 0.999, "white in the middle");
        // The cut-out is 44 * 1.8 = 79.2 pixels wide: columns 61 to 139.
        for x in (0..60).chain(141..200) {
            assert_eq!(got.row(0, 80)[x], picture.row(0, 80)[x], "column {x}");
        }
        let rising: Vec<f32> = (62..80).map(|x| got.row(1, 80)[x]).collect();
        assert!(rising.windows(2).all(|w| w[1] > w[0] - 1e-6) && rising[0] < 0.6 && rising[17] > 0.85, "{rising:?}");
    }

    #[test]
    fn key_points_come_where_the_template_has_them() {
        let model = Fade::new(ElementType::F32, &[1]);
        let warp = adapter(&model).placed(&face(true), 0.0).unwrap();
        for (p, (x, y)) in face(true).points.iter().zip(TEMPLATE) {
            let q = warp.apply(*p);
            assert!((q.x - x / 8.0).abs() < 0.01 && (q.y - y / 8.0).abs() < 0.01, "{q:?}");
            let r = warp.inverse().apply(q);
            assert!((r.x - p.x).abs() < 0.01 && (r.y - p.y).abs() < 0.01);
        }
        assert!((warp.scale() - 64.0 / 80.0).abs() < 1e-3);
    }

    #[test]
    fn nonsense_is_refused() {
        let mut model = Fade::new(ElementType::F32, &[1]);
        let (a, picture) = (adapter(&model), gradient());
        let empty = Face { rect: BoxF::default(), ..face(false) };
        assert!(a.restore(&mut model, &picture, &[empty], &RestoreOptions::default()).is_err());
        let one = Face { points: vec![Point::default(); 5], ..face(true) };
        assert!(a.restore(&mut model, &picture, &[one], &RestoreOptions::default()).is_err());
        for o in [
            RestoreOptions { fidelity: 1.5, ..RestoreOptions::default() },
            RestoreOptions { feather: -0.1, ..RestoreOptions::default() },
            RestoreOptions { margin: f32::NAN, ..RestoreOptions::default() },
        ] {
            assert!(a.restore(&mut model, &picture, &[face(true)], &o).is_err());
        }
        assert_eq!(a.restore(&mut model, &picture, &[], &RestoreOptions::default()).unwrap(), picture);
    }
}
