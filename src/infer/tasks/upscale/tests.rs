use super::super::io_roles::tests::{entry, info};
use super::*;
use crate::infer::io::{ElementType, NamedTensor, Outputs};
use crate::infer::manifest::{Order, PictureInput};
use crate::infer::tensor::{Tensor, TensorSlice};

/// A host's runtime: each pixel `factor` times in both directions, plus a tenth of the mean of its 5x5 surroundings, edges repeated. It looks
/// two pixels around, so that a seam without overlap would show.
struct Blocks {
    inputs: Vec<IoInfo>,
    outputs: Vec<IoInfo>,
    factor: usize,
    seen: Vec<Vec<usize>>,
}

impl Blocks {
    fn new(factor: usize, channels: i64, batch: i64, h: i64, w: i64) -> Self {
        let f = factor as i64;
        let times = |n: i64| if n > 0 { n * f } else { n };
        Self {
            inputs: vec![info("in", ElementType::F32, &[batch, channels, h, w])],
            outputs: vec![info("out", ElementType::F32, &[batch, channels, times(h), times(w)])],
            factor,
            seen: vec![],
        }
    }
}

impl TensorModel for Blocks {
    fn inputs(&self) -> &[IoInfo] {
        &self.inputs
    }

    fn outputs(&self) -> &[IoInfo] {
        &self.outputs
    }

    fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
        let TensorSlice::F32(v) = inputs[0].tensor.data else { panic!("floats") };
        let [n, c, h, w] = inputs[0].tensor.shape[..] else { panic!("four axes") };
        self.seen.push(vec![n, c, h, w]);
        let f = self.factor;
        let mut out = vec![];
        for plane in v.chunks_exact(h * w) {
            let at = |y: i64, x: i64| plane[y.clamp(0, h as i64 - 1) as usize * w + x.clamp(0, w as i64 - 1) as usize];
            let value = |y: i64, x: i64| {
                let around: f32 =
                    (-2..=2).flat_map(|dy| (-2..=2).map(move |dx| (dy, dx))).map(|(dy, dx)| at(y + dy, x + dx)).sum();
                at(y, x) * 0.9 + around / 250.0
            };
            for y in 0..h * f {
                out.extend((0..w * f).map(|x| value((y / f) as i64, (x / f) as i64)));
            }
        }
        Ok(Outputs::new(vec![("out".into(), Tensor::f32([n, c, h * f, w * f], out)?)]))
    }
}

fn adapter(model: &Blocks, order: Order) -> Upscaler {
    let mut e = entry(Task::Upscale);
    e.picture = Some(PictureInput { order, ..PictureInput::default() });
    Upscaler::new(&e, &model.inputs, &model.outputs).unwrap()
}

fn noise(w: u32, h: u32) -> PlanarPicture {
    let bytes: Vec<u8> = (0..w * h * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
    PlanarPicture::from_rgb8(Size::new(w, h), &bytes).unwrap()
}

fn close(a: &PlanarPicture, b: &PlanarPicture) {
    assert_eq!((a.size(), a.channels()), (b.size(), b.channels()));
    let worst = a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-5, "differ by {worst}");
}

#[test]
fn tiles_give_what_one_run_over_the_whole_gives() {
    let picture = noise(70, 45);
    let mut whole = Blocks::new(3, 3, -1, -1, -1);
    let one = UpscaleOptions { tile: 128, overlap: 8, batch: 1 };
    let wanted = adapter(&whole, Order::Rgb).upscale(&mut whole, &picture, &one).unwrap();
    assert_eq!((wanted.size(), whole.seen.len()), (Size::new(210, 135), 2), "a probe and one run");
    for (tile, overlap, batch) in [(24, 6, 1), (24, 6, 4), (32, 4, 3), (64, 16, 2)] {
        let mut model = Blocks::new(3, 3, -1, -1, -1);
        let options = UpscaleOptions { tile, overlap, batch };
        let got = adapter(&model, Order::Rgb).upscale(&mut model, &picture, &options).unwrap();
        close(&got, &wanted);
        assert!(model.seen.iter().all(|s| s[2] <= tile as usize && s[3] <= tile as usize), "{:?}", model.seen);
    }
    // A model of fixed size and batch: tiles of its own, filled up; a picture smaller than it as well.
    let mut fixed = Blocks::new(3, 3, 4, 20, 28);
    let got = adapter(&fixed, Order::Rgb).upscale(&mut fixed, &picture, &UpscaleOptions { overlap: 4, ..one }).unwrap();
    close(&got, &wanted);
    assert!(fixed.seen.iter().all(|s| s[..] == [4, 3, 20, 28]));
    let small = noise(9, 11);
    let mut model = Blocks::new(3, 3, -1, -1, -1);
    let wanted = adapter(&model, Order::Rgb).upscale(&mut model, &small, &one).unwrap();
    close(&adapter(&fixed, Order::Rgb).upscale(&mut fixed, &small, &one).unwrap(), &wanted);
}

#[test]
fn an_overlap_too_small_shows_and_is_blended() {
    // Negative control: with less overlap than the model looks around, seams differ from the whole; nothing else does.
    let picture = noise(48, 16);
    let mut model = Blocks::new(1, 3, -1, -1, -1);
    let mut a = adapter(&model, Order::Rgb);
    let wanted = a.upscale(&mut model, &picture, &UpscaleOptions { tile: 64, overlap: 0, batch: 1 }).unwrap();
    let got = a.upscale(&mut model, &picture, &UpscaleOptions { tile: 24, overlap: 0, batch: 1 }).unwrap();
    let wrong: Vec<usize> = (0..48).filter(|x| (got.row(0, 5)[*x] - wanted.row(0, 5)[*x]).abs() > 1e-5).collect();
    assert!(!wrong.is_empty() && wrong.iter().all(|x| (22..26).contains(x)), "{wrong:?}");
}

#[test]
fn rows_come_in_order_and_memory_is_bounded() {
    let picture = noise(20, 200);
    let mut model = Blocks::new(2, 3, -1, -1, -1);
    let (mut next, mut highest) = (0, 0);
    let options = UpscaleOptions { tile: 32, overlap: 4, batch: 1 };
    adapter(&model, Order::Rgb)
        .upscale_rows(&mut model, &picture, &options, &mut |first, band| {
            assert_eq!(first, next, "no gap");
            next += band.size().height;
            highest = highest.max(band.size().height);
            Ok(())
        })
        .unwrap();
    assert_eq!(next, 400);
    assert!(highest <= 64, "{highest}");
}

#[test]
fn luma_models_keep_the_colour() {
    let mut model = Blocks::new(2, 1, -1, -1, -1);
    let mut a = adapter(&model, Order::Gray);
    let options = UpscaleOptions { tile: 16, overlap: 4, batch: 2 };
    let flat =
        PlanarPicture::new(Size::new(20, 30), 3, [0.8, 0.3, 0.1].iter().flat_map(|v| vec![*v; 600]).collect()).unwrap();
    let got = a.upscale(&mut model, &flat, &options).unwrap();
    assert_eq!(got.size(), Size::new(40, 60));
    for (c, v) in [0.8, 0.3, 0.1].iter().enumerate() {
        assert!(got.plane(c).iter().all(|p| (p - v).abs() < 1e-4), "channel {c}");
    }
    assert!(model.seen.iter().all(|s| s[1] == 1));
    // A picture of luma stays one; the same luma comes out as from the colours.
    let picture = noise(20, 30);
    let color = a.upscale(&mut model, &picture, &options).unwrap();
    let luma = a.upscale(&mut model, &picture.to_luma(), &options).unwrap();
    assert_eq!(luma.channels(), 1);
    let away = color.to_luma().values().iter().zip(luma.values()).filter(|(a, b)| (*a - *b).abs() > 1e-3).count();
    assert!(away * 2 < luma.values().len(), "only clipped colours may differ, {away} do");
}

#[test]
fn pictures_of_one_size_go_through_together() {
    for (channels, order) in [(3, Order::Rgb), (1, Order::Gray)] {
        let pictures: Vec<PlanarPicture> =
            (0..5).map(|i| noise(40, 30 + i).crop(BoxRect { x: 0, y: 0, width: 40, height: 30 }).unwrap()).collect();
        let options = UpscaleOptions { tile: 64, overlap: 8, batch: 2 };
        let mut model = Blocks::new(2, channels, -1, -1, -1);
        let mut a = adapter(&model, order);
        let together = a.upscale_all(&mut model, &pictures, &options).unwrap();
        // A probe, then runs of two, two and one.
        assert_eq!(model.seen.iter().map(|s| s[0]).collect::<Vec<_>>(), [1, 2, 2, 1]);
        for (one, got) in pictures.iter().zip(&together) {
            close(got, &a.upscale(&mut model, one, &options).unwrap());
        }
        // Several tiles each, a model of fixed size, and sizes that differ: one by one, with the same results.
        let small = UpscaleOptions { tile: 24, overlap: 6, batch: 2 };
        close(&a.upscale_all(&mut model, &pictures[..1], &small).unwrap()[0], &together[0]);
        let mut fixed = Blocks::new(2, channels, 1, 48, 48);
        let got = adapter(&fixed, order).upscale_all(&mut fixed, &pictures[..2], &options).unwrap();
        close(&got[1], &together[1]);
        let mixed = [noise(40, 30), noise(30, 30)];
        let got = a.upscale_all(&mut model, &mixed, &options).unwrap();
        assert_eq!((got[0].size(), got[1].size()), (Size::new(80, 60), Size::new(60, 60)));
    }
}

#[test]
fn misfits_are_refused() {
    let model = Blocks::new(2, 3, -1, 16, 16);
    let mut e = entry(Task::Upscale);
    e.numbers.insert("scale".into(), 4.0);
    assert!(Upscaler::new(&e, &model.inputs, &model.outputs).unwrap_err().to_string().contains("factor 4"));
    e.numbers.insert("scale".into(), 2.5);
    assert!(Upscaler::new(&e, &model.inputs, &model.outputs).is_err());
    let mut open = Blocks::new(2, 3, -1, -1, -1);
    e.numbers.insert("scale".into(), 3.0);
    let mut a = Upscaler::new(&e, &open.inputs, &open.outputs).unwrap();
    let picture = noise(20, 20);
    let wrong = a.upscale(&mut open, &picture, &UpscaleOptions::default()).unwrap_err();
    assert!(wrong.to_string().contains("factor 3"), "{wrong}");
    for o in [
        UpscaleOptions { tile: 8, ..UpscaleOptions::default() },
        UpscaleOptions { overlap: 65, ..UpscaleOptions::default() },
        UpscaleOptions { batch: 0, ..UpscaleOptions::default() },
    ] {
        assert!(matches!(a.upscale(&mut open, &picture, &o), Err(Error::Config { .. })));
    }
    let huge = PlanarPicture::filled(Size::new(9000, 10), 3, 0.0).unwrap();
    assert!(matches!(a.upscale(&mut open, &huge, &UpscaleOptions::default()), Err(Error::LimitExceeded { .. })));
}
