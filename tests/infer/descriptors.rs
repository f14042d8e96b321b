//! Boxes of pictures to rows for an index: pooled maps and vectors by the same function.

use std::path::PathBuf;

use frameloom::core::{
    BoxRect, ColorSpec, FrameLayout, GridPooling, Outside, PixelFormat, Size, TensorLayout, TensorSpec,
};
use frameloom::gpu::GpuContext;
use frameloom::infer::tasks::embed::{centroid, cosine};
use frameloom::infer::{ModelEntry, ModelRegistry, OnnxSession, SessionOptions, Task};
use frameloom::ops::GpuFrames;
use frameloom::ops::resize::crop_resize::CropBox;
use frameloom::ops::resize::warp_affine::Warp;
use frameloom::pipeline::vision::{DescriptorModel, DescriptorOptions};
use frameloom::reference::resize::crop_resize::crop_resize;
use frameloom::reference::tensor::grid_pool::grid_pool;
use frameloom::reference::tensor::l2_normalize::l2_normalize;
use frameloom::reference::{FrameSlot, Pattern};

use crate::gpu::on_every_adapter;
use crate::support::{cause, run};

const GEM: GridPooling = GridPooling::GeneralizedMean { p: 3.0 };

fn open(folder: PathBuf, name: &str) -> (ModelEntry, OnnxSession) {
    let registry = ModelRegistry::open(&[folder]).unwrap();
    let model = registry.load_for(Task::Embed, name, Default::default()).unwrap();
    (model.entry.clone(), OnnxSession::open(&model, &SessionOptions::default()).unwrap())
}

fn tiny() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models")
}

/// Two noisy pictures, and boxes of both in no order, some of them over an edge.
fn pictures(ctx: &GpuContext) -> (FrameLayout, Vec<Vec<u8>>, GpuFrames, Vec<CropBox>) {
    let layout = FrameLayout::of(PixelFormat::Nv12, Size::new(96, 72)).unwrap();
    let frames: Vec<Vec<u8>> = [3, 8].map(|seed| Pattern::Random { seed }.frame(&layout)).into();
    let src = GpuFrames::from_host(ctx, "pictures", layout, &[&frames[0], &frames[1]]).unwrap();
    let rect = |x, y, width, height| BoxRect { x, y, width, height };
    let boxes = [
        (1, rect(3, 5, 40, 30)),
        (0, rect(-8, 10, 30, 30)),
        (0, rect(0, 0, 96, 72)),
        (1, rect(60, 50, 50, 40)),
        (0, rect(9, 9, 9, 9)),
    ];
    (layout, frames, src, boxes.map(|(slot, rect)| CropBox { slot, rect }).into())
}

/// Pooling and length by the references, from the map that the network gives for the tensor of the reference.
fn wanted(
    (entry, session): &mut (ModelEntry, OnnxSession),
    (layout, frames): (&FrameLayout, &[Vec<u8>]),
    boxes: &[CropBox],
    (size, channels, map): (Size, usize, Size),
    (grid, pooling): (u32, GridPooling),
) -> Vec<f32> {
    let spec: TensorSpec = entry.picture.clone().unwrap_or_default().spec(size);
    let slots: Vec<FrameSlot<'_>> = frames.iter().map(|f| FrameSlot::new(*layout, f).unwrap()).collect();
    let cuts: Vec<_> = boxes.iter().map(|b| (slots[b.slot as usize], b.rect)).collect();
    let values = crop_resize(&cuts, ColorSpec::BT601, &spec, (Outside::Clamp, TensorLayout::Nchw)).unwrap();
    let shape = [boxes.len(), 3, size.height as usize, size.width as usize];
    let tensor = frameloom::infer::Tensor::f32(shape, values).unwrap();
    let name = frameloom::infer::TensorModel::inputs(session)[0].name.clone();
    let outputs = run(session, &[(&name, &tensor)]).unwrap();
    let features = outputs.get("features").unwrap().to_f32().into_owned();
    let rows = grid_pool(&features, channels, map, grid, pooling).unwrap();
    l2_normalize(&rows, channels * (grid * grid) as usize).unwrap()
}

fn near(got: &[f32], wanted: &[f32], bound: f32) {
    assert_eq!(got.len(), wanted.len());
    let worst = got.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(worst <= bound, "{worst}");
}

/// Against network, pooling and length one by one; the number of boxes at once changes nothing.
#[test]
fn pooled_rows_are_those_of_the_references() {
    on_every_adapter("descriptors of maps", |ctx| {
        let (layout, frames, src, boxes) = pictures(ctx);
        for (grid, pooling) in [(1, GridPooling::Average), (2, GEM), (3, GridPooling::Average), (8, GEM)] {
            let mut own = open(tiny(), "embed-features");
            let (size, map) = (Size::new(32, 32), Size::new(8, 8));
            let wanted = wanted(&mut own, (&layout, &frames), &boxes, (size, 4, map), (grid, pooling));
            let mut before = None;
            for largest in [1, 2, 16] {
                let (entry, session) = open(tiny(), "embed-features");
                let options = DescriptorOptions { pooling: Some((grid, pooling)), largest, ..Default::default() };
                let mut model = DescriptorModel::new(ctx, session, &entry, options).unwrap();
                assert_eq!(model.dim(), Some(4 * (grid * grid) as usize));
                let found = model.describe(&src, ColorSpec::BT601, &boxes).unwrap();
                assert_eq!((found.dim, found.rows().len()), (model.dim().unwrap(), 5));
                near(&found.values, &wanted, 1e-4);
                assert!(before.replace(found.values.clone()).is_none_or(|b| b == found.values), "{largest} at once");
                // A second, shorter list through the same buffers, and none.
                let again = model.describe(&src, ColorSpec::BT601, &boxes[1..3]).unwrap();
                near(&again.values, &wanted[found.dim..3 * found.dim], 1e-4);
                assert_eq!(model.describe(&src, ColorSpec::BT601, &[]).unwrap().rows().len(), 0);
            }
        }
    });
}

#[test]
fn the_manifest_says_what_the_caller_does_not() {
    on_every_adapter("descriptors by the manifest", |ctx| {
        let (_, _, src, boxes) = pictures(ctx);
        let rows = |options: DescriptorOptions| {
            let (entry, session) = open(tiny(), "embed-features");
            let mut model = DescriptorModel::new(ctx, session, &entry, options).unwrap();
            model.describe(&src, ColorSpec::BT601, &boxes).unwrap()
        };
        let listed = rows(DescriptorOptions::default());
        assert_eq!(listed.dim, 16, "grid = 2 of four channels");
        let pooling = Some((2, GridPooling::Average));
        assert_eq!(listed, rows(DescriptorOptions { pooling, ..Default::default() }));
        assert_ne!(listed, rows(DescriptorOptions { pooling: Some((2, GEM)), ..Default::default() }));
        // A grid finer than the map, which only the run can know in general.
        let (entry, session) = open(tiny(), "embed-features");
        let fine = DescriptorOptions { pooling: Some((9, GridPooling::Average)), ..Default::default() };
        let mut model = DescriptorModel::new(ctx, session, &entry, fine).unwrap();
        assert!(matches!(
            model.describe(&src, ColorSpec::BT601, &boxes),
            Err(frameloom::Error::Parameter { name: "grid", .. })
        ));
    });
}

/// A vector goes through the same function; whole pictures and warps do, too; black has no direction.
#[test]
fn vectors_take_the_same_function() {
    on_every_adapter("descriptors of vectors", |ctx| {
        let (entry, session) = open(tiny(), "embed");
        let pooled = DescriptorOptions { pooling: Some((2, GEM)), ..Default::default() };
        let (_, second) = open(tiny(), "embed");
        assert_eq!(cause(DescriptorModel::new(ctx, second, &entry, pooled).map(|_| ())), "decoder");
        let mut model = DescriptorModel::new(ctx, session, &entry, DescriptorOptions::default()).unwrap();
        let (_, _, src, _) = pictures(ctx);
        let whole = model.describe_whole(&src, ColorSpec::BT601, 2).unwrap();
        assert_eq!((whole.dim, whole.rows().len()), (12, 2));
        for row in whole.rows() {
            let length: f32 = row.iter().map(|v| v * v).sum();
            assert!((length - 1.0).abs() < 1e-5, "{length}");
        }
        let map = frameloom::core::Affine([[96.0 / 32.0, 0.0, 0.0], [0.0, 72.0 / 32.0, 0.0]]);
        let warps = [0, 1].map(|slot| Warp { slot, to_picture: map });
        near(&model.describe_warps(&src, ColorSpec::BT601, &warps).unwrap().values, &whole.values, 1e-5);

        let layout = FrameLayout::of(PixelFormat::Rgba8, Size::new(8, 8)).unwrap();
        let black = GpuFrames::from_host(ctx, "black", layout, &[&vec![0; layout.slot_bytes() as usize]]).unwrap();
        let none = model.describe_whole(&black, ColorSpec::BT601, 1).unwrap();
        assert_eq!(none.values, vec![0.0; 12]);
    });
}

#[test]
fn the_middle_of_vectors() {
    let [x, y] = [[1.0f32, 0.0], [0.0, 1.0]];
    let middle = centroid([&x[..], &y[..]]).unwrap();
    assert!((cosine(&middle, &x) - 0.5f32.sqrt()).abs() < 1e-6 && (cosine(&middle, &y) - 0.5f32.sqrt()).abs() < 1e-6);
    assert_eq!(centroid([&x[..], &[-1.0, 0.0]]), None);
    assert_eq!(centroid([&x[..], &[1.0]]), None);
    assert_eq!(centroid([]), None);
}

/// The graphs that stand in for the backbones of collage, at full size: `scripts/make_models.py` writes them.
#[test]
fn stand_ins_give_rows_of_the_documented_lengths() {
    let Some(folder) = std::env::var_os("FRAMELOOM_STANDINS").map(PathBuf::from) else {
        eprintln!("NOT RUN (FRAMELOOM_STANDINS is not set): descriptors of the stand-ins of scripts/make_models.py");
        return;
    };
    on_every_adapter("descriptors of stand-ins", |ctx| {
        let (layout, frames, src, boxes) = pictures(ctx);
        let boxes = &boxes[..3];
        for (name, channels, dims) in [("mobilenet-v3-small", 48, [192, 432]), ("efficientnet-b0", 112, [448, 1008])] {
            for ((grid, pooling), dim) in [(2, GridPooling::Average), (3, GEM)].into_iter().zip(dims) {
                let mut own = open(folder.clone(), name);
                assert!(own.0.stand_in);
                let sizes = (Size::new(224, 224), channels, Size::new(14, 14));
                let wanted = wanted(&mut own, (&layout, &frames), boxes, sizes, (grid, pooling));
                let options = DescriptorOptions { pooling: Some((grid, pooling)), largest: 2, ..Default::default() };
                let mut model = DescriptorModel::new(ctx, own.1, &own.0, options).unwrap();
                assert_eq!(model.dim(), Some(dim));
                let found = model.describe(&src, ColorSpec::BT601, boxes).unwrap();
                assert_eq!((found.dim, found.rows().len()), (dim, 3));
                near(&found.values, &wanted, 1e-3);
            }
        }
    });
}
