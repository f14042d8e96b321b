//! Networks on chunks: tiny graphs that compute something known.

use std::path::Path;

use frameloom::core::{BoxF, Detection, PixelFormat, Rect, Size};
use frameloom::gpu::GpuContext;
use frameloom::infer::{Allow, ModelRegistry, SessionOptions, VerifiedModel};
use frameloom::pipeline::PipelineOptions;
use frameloom::reference::FrameSlot;
use frameloom::workflows::chunk::process::{
    ChunkDetector, MaskLook, ModelEffect, Placed, Placement, ProcessOptions, detect_chunks,
};

use crate::frames::*;
use crate::gpu::on_every_adapter;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tiny(name: &str) -> VerifiedModel {
    let registry = ModelRegistry::open(&[root().join("tests/fixtures/models")]).unwrap();
    registry.load(name, Allow::Pinned).unwrap()
}

fn effect(ctx: &GpuContext, name: &str, look: MaskLook) -> ModelEffect {
    ModelEffect::open(ctx, &tiny(name), &SessionOptions::default(), 0, look).unwrap()
}

fn rgb(slot: &FrameSlot<'_>, x: u32, y: u32) -> [u32; 3] {
    [0, 1, 2].map(|c| slot.sample(c, x, y))
}

/// Frames of one dark colour with bright rectangles. The tiny graph of segmentation finds what is red.
fn scene(size: Size, count: usize, rects: &[Rect], color: [u8; 3]) -> HostFrames {
    let mut frames = HostFrames::new(PixelFormat::Rgba8, size, count);
    let stride = frames.layout.first().stride as usize;
    for frame in &mut frames.frames {
        for (y, row) in (0..).zip(frame.chunks_exact_mut(stride).take(size.height as usize)) {
            for (x, p) in (0..size.width).zip(row.chunks_exact_mut(4)) {
                let inside = |r: &Rect| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y);
                let [r, g, b] = if rects.iter().any(inside) { color } else { [20; 3] };
                p.copy_from_slice(&[r, g, b, 255]);
            }
        }
    }
    frames
}

#[test]
fn upscalers_make_tiles_larger() {
    on_every_adapter("chunk run: upscale", |ctx| {
        let size = Size::new(120, 80);
        let rect = Rect { x: 16, y: 8, width: 48, height: 40 };
        let placement = Placement::new(size, vec![Placed::still(0, rect)], 0).unwrap();
        for name in ["nearest-x2", "nearest-x2-tile32"] {
            let frames = HostFrames::new(PixelFormat::Rgba8, size, 3);
            let before = frames.frames.clone();
            let layout = frames.layout;
            let options = ProcessOptions { enlarged: true, feather: 4, ..ProcessOptions::default() };
            let mut model = effect(ctx, name, MaskLook::Mask);
            let (out, _) = process(ctx, frames, &placement, &mut model, &options).unwrap();
            for (got, before) in out.iter().zip(&before) {
                assert_eq!(got.desc.size, Size::new(240, 160));
                let (now, was) =
                    (FrameSlot::new(got.layout, &got.bytes).unwrap(), FrameSlot::new(layout, before).unwrap());
                // Behind the feather every pixel is four equal ones.
                for (x, y) in (22..58).flat_map(|x| (14..42).map(move |y| (x, y))) {
                    for (i, j) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                        assert_eq!(rgb(&now, 2 * x + i, 2 * y + j), rgb(&was, x, y), "{name} {x} {y}");
                    }
                }
            }
        }
    });
}

#[test]
fn masks_and_brightening() {
    on_every_adapter("chunk run: segment, lowlight", |ctx| {
        let size = Size::new(160, 120);
        let rect = Rect { x: 32, y: 16, width: 96, height: 96 };
        let placement = Placement::new(size, vec![Placed::still(0, rect)], 0).unwrap();
        let bright = [Rect { x: 60, y: 40, width: 40, height: 40 }];
        let run = |name: &str, look: MaskLook| {
            let mut model = effect(ctx, name, look);
            let options = ProcessOptions { feather: 2, ..ProcessOptions::default() };
            let (mut out, _) =
                process(ctx, scene(size, 2, &bright, [250, 20, 20]), &placement, &mut model, &options).unwrap();
            let last = out.remove(1);
            let slot = FrameSlot::new(last.layout, &last.bytes).unwrap();
            [(80, 60), (44, 30), (5, 5)].map(|(x, y)| rgb(&slot, x, y)[0])
        };
        let [inside, ground, outside] = run("segment-alpha", MaskLook::Mask);
        assert!(inside > 200 && ground < 60 && outside == 20, "{inside} {ground} {outside}");
        let [inside, ground, _] = run("segment-alpha", MaskLook::Cutout);
        assert!(inside > 190 && ground < 20, "{inside} {ground}");
        let [_, ground, outside] = run("lowlight", MaskLook::Mask);
        assert!(ground > 25 && outside == 20, "{ground}");
    });
}

fn iou(d: &Detection, r: &Rect) -> f32 {
    let rect = BoxF { x: r.x as f32, y: r.y as f32, width: r.width as f32, height: r.height as f32 };
    d.rect.iou(&rect)
}

/// An object that two chunks share is one box of the frame, however frames are batched.
#[test]
fn detections_come_back_to_the_frame() {
    on_every_adapter("chunk run: detect", |ctx| {
        let size = Size::new(640, 320);
        let objects = [Rect { x: 300, y: 120, width: 60, height: 60 }, Rect { x: 80, y: 200, width: 60, height: 60 }];
        let rect = |x| Rect { x, y: 0, width: 320, height: 320 };
        let placement = Placement::new(size, vec![Placed::still(7, rect(40)), Placed::still(9, rect(280))], 0).unwrap();
        let run = |batch: u32| {
            let mut detector = ChunkDetector::open(ctx, &tiny("yolox-like"), &SessionOptions::default()).unwrap();
            let options = PipelineOptions { batch, ..PipelineOptions::default() };
            let mut all = Vec::new();
            let frames = Box::new(scene(size, 5, &objects, [250; 3]));
            let report = detect_chunks(ctx, frames, &placement, &mut detector, &options, false, &mut |f| {
                assert_eq!(f.chunks, [7, 9]);
                assert!(f.frame.is_none());
                all.push((f.info.index, f.detections.to_vec()));
                Ok(())
            })
            .unwrap();
            assert_eq!((report.frames, report.tiles, report.pixels), (5, 10, 10 * 320 * 320));
            all
        };
        let all = run(2);
        assert_eq!(all.iter().map(|(i, _)| *i).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        for (_, found) in &all {
            assert_eq!(found.len(), 2, "{found:?}");
            for object in &objects {
                assert!(found.iter().any(|d| iou(d, object) > 0.6), "{object:?}: {found:?}");
            }
        }
        assert_eq!(run(5), all);
        assert!(ChunkDetector::open(ctx, &tiny("nearest-x2"), &SessionOptions::default()).is_err());
        let wrong = ModelEffect::open(ctx, &tiny("embed"), &SessionOptions::default(), 0, MaskLook::Mask);
        assert_eq!(wrong.unwrap_err().code(), "usage");
    });
}
