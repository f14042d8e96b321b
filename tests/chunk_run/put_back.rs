//! What is put back: bit for bit outside of chunks, blended with weights that sum to one inside.

use frameloom::core::blend::{OverTile, Tile};
use frameloom::core::{ChromaUpsampling, ColorSpec, PixelFormat, Rect, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::{FrameBatch, GpuPictures};
use frameloom::reference::blend::feather_composite::feather_over;
use frameloom::reference::color::rgb_from_yuv::rgb_from_yuv;
use frameloom::reference::color::yuv_change::yuv_change;
use frameloom::reference::{FrameSlot, Plane};
use frameloom::workflows::chunk::plan::Schedule;
use frameloom::workflows::chunk::process::{
    ChunkEffect, FilterEffect, Identity, OnGpu, Outside, Placed, Placement, ProcessOptions, Tiles,
};

use crate::frames::*;
use crate::gpu::on_every_adapter;

const FEATHER: u32 = 6;

/// Odd sizes; three chunks that meet at 48..60, four at 90..100, chunks at all four edges, one alone in the middle of nothing.
fn chunks() -> (Size, Vec<Rect>) {
    let r = |x, y, width, height| Rect { x, y, width, height };
    let list = vec![
        r(0, 0, 60, 40),
        r(48, 0, 63, 41),
        r(30, 30, 40, 37),
        r(91, 32, 60, 35),
        r(89, 8, 40, 40),
        r(121, 0, 30, 20),
        r(5, 75, 21, 17),
    ];
    (Size::new(151, 101), list)
}

fn placement() -> Placement {
    let (size, rects) = chunks();
    Placement::new(size, (0..).zip(rects).map(|(id, rect)| Placed::still(id, rect)).collect(), 0).unwrap()
}

fn options(batch: u32) -> ProcessOptions {
    let mut options = ProcessOptions { feather: FEATHER, ..ProcessOptions::default() };
    options.pipeline.batch = batch;
    options
}

/// Colours inverted, on the host: what a closure over GPU pictures would do with a kernel of its own.
fn invert(ctx: &GpuContext, tiles: &Tiles<'_>, output: &GpuPictures) -> frameloom::Result<()> {
    for slot in 0..tiles.source.slots() {
        let mut bytes = tiles.source.read_slot(ctx, slot)?;
        bytes.chunks_exact_mut(4).for_each(|p| p[..3].iter_mut().for_each(|v| *v = 255 - *v));
        FrameBatch::buffer(output).write(ctx, output.slot(slot).unwrap().0, &bytes)?;
    }
    Ok(())
}

/// RGBA of a frame.
fn rgba(slot: &FrameSlot<'_>, color: ColorSpec) -> Vec<u8> {
    let Size { width, height } = slot.size();
    if slot.format() == PixelFormat::Rgba8 {
        return (0..width * height * 4).map(|i| slot.sample(i % 4, i / 4 % width, i / 4 / width) as u8).collect();
    }
    let words = rgb_from_yuv(slot, color, ChromaUpsampling::Bilinear).unwrap();
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// The frame with inverted chunks over it, all on the host: RGB after.
fn inverted(size: Size, before: &[u8], rects: &[Rect], strength: u32) -> Vec<u8> {
    let row = size.width as usize * 4;
    let cut = |r: &Rect| -> Vec<u8> {
        let rows = before.chunks_exact(row).skip(r.y as usize).take(r.height as usize);
        let (from, to) = (r.x as usize * 4, (r.x + r.width) as usize * 4);
        let pixel = |p: &[u8]| [255 - p[0], 255 - p[1], 255 - p[2], p[3]];
        rows.flat_map(|r| r[from..to].chunks_exact(4).flat_map(pixel).collect::<Vec<_>>()).collect()
    };
    let cuts: Vec<Vec<u8>> = rects.iter().map(cut).collect();
    let tile = |(cut, r): (&'_ Vec<u8>, &Rect)| {
        let flush = [r.x == 0, r.y == 0, r.x + r.width == size.width, r.y + r.height == size.height];
        (
            cut.clone(),
            Size::new(r.width, r.height),
            OverTile { tile: Tile { slot: 0, x: r.x, y: r.y }, flush, strength },
        )
    };
    let tiles: Vec<_> = cuts.iter().zip(rects).map(tile).collect();
    let placed: Vec<_> =
        tiles.iter().map(|(c, s, t)| (Plane::interleaved(*s, 4, s.width as usize * 4, c).unwrap(), *t)).collect();
    feather_over(&Plane::interleaved(size, 4, row, before).unwrap(), &placed, (FEATHER, 0)).unwrap().0
}

fn touches(rects: &[Rect], x: u32, y: u32) -> bool {
    rects.iter().any(|r| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y))
}

/// An effect that changes nothing changes nothing: every sample of every format, wherever chunks overlap.
#[test]
fn identity_gives_the_frames_back() {
    on_every_adapter("chunk run: identity", |ctx| {
        for format in PixelFormat::ALL {
            let (size, _) = chunks();
            let frames = HostFrames::new(format, size, 3);
            let (layout, want) = (frames.layout, frames.frames.clone());
            let (out, report) = process(ctx, frames, &placement(), &mut Identity, &options(2)).unwrap();
            assert_eq!((out.len(), report.tiles, report.frames), (3, 21, 3));
            for (i, (got, want)) in out.iter().zip(&want).enumerate() {
                assert_eq!((got.info.pts, got.info.index), (Some(time(i)), i as u64));
                assert_eq!((got.desc.format, got.layout), (format, layout));
                for plane in 0..layout.planes().len() {
                    assert!(tight(&layout, plane, &got.bytes) == tight(&layout, plane, want), "{format} {i} {plane}");
                }
            }
        }
    });
}

/// With an effect that changes everything: outside of chunks all bits stay, inside the result is that of the references, to the bit.
#[test]
fn changes_are_blended_and_stay_inside() {
    on_every_adapter("chunk run: inverted chunks", |ctx| {
        for format in PixelFormat::ALL {
            let (size, rects) = chunks();
            let frames = HostFrames::new(format, size, 2);
            let (layout, before) = (frames.layout, frames.frames.clone());
            let mut effect = OnGpu(invert);
            let (out, _) = process(ctx, frames, &placement(), &mut effect, &options(8)).unwrap();
            let (sx, sy) = format.chroma_shift();
            for (got, before) in out.iter().zip(&before) {
                let slot = FrameSlot::new(layout, before).unwrap();
                let rgb = rgba(&slot, ColorSpec::BT709);
                let after = inverted(size, &rgb, &rects, 16);
                let got = FrameSlot::new(layout, &got.bytes).unwrap();
                if format == PixelFormat::Rgba8 {
                    assert!(rgba(&got, ColorSpec::BT709) == after);
                    continue;
                }
                let plane = |data| Plane::interleaved(size, 4, size.width as usize * 4, data).unwrap();
                let want = yuv_change(&slot, &plane(&rgb), &plane(&after), ColorSpec::BT709).unwrap();
                let mut changed = 0;
                for (c, want) in (0..).zip(&want).filter(|(_, w)| !w.is_empty()) {
                    let (shift, count) = match c {
                        0 => ((0, 0), size),
                        _ => ((sx, sy), format.chroma_size(size)),
                    };
                    for (at, want) in want.iter().enumerate() {
                        let (x, y) = (at as u32 % count.width, at as u32 / count.width);
                        let (now, was) = (got.sample(c, x, y), slot.sample(c, x, y));
                        assert_eq!(now, *want, "{format} component {c} at {x}, {y}");
                        changed += u32::from(now != was);
                        let block = (0..1 << shift.1).flat_map(|j| (0..1 << shift.0).map(move |i| (i, j)));
                        let inside =
                            block.into_iter().any(|(i, j)| touches(&rects, (x << shift.0) + i, (y << shift.1) + j));
                        assert!(inside || now == was, "{format} component {c} at {x}, {y} lies outside");
                    }
                }
                assert!(changed > 5000, "{format}: {changed}");
            }
        }
    });
}

/// Batches change nothing; chunks that are active for a time fade in and out, and frames without chunks are not touched.
#[test]
fn chunks_are_processed_when_they_are_active() {
    on_every_adapter("chunk run: activity", |ctx| {
        let (size, rects) = chunks();
        let when = Schedule::new(vec![[1.15, 1.45]]).unwrap();
        let placed = Placed::still(4, rects[2]).active(when);
        let placement = Placement::new(size, vec![placed], 0).unwrap();
        let run = |batch| {
            let frames = HostFrames::new(PixelFormat::Rgba8, size, 16);
            let before = frames.frames.clone();
            let options = ProcessOptions { fade: 0.1, ..options(batch) };
            let (out, report) = process(ctx, frames, &placement, &mut OnGpu(invert), &options).unwrap();
            (out, report, before)
        };
        let (out, report, before) = run(3);
        let strengths = |i: usize| {
            let t = time(i) as f64 / 1000.0;
            if !(1.15..1.45).contains(&t) {
                return 0;
            }
            1 + (((t - 1.15).min(1.45 - t) / 0.1).min(1.0) * 15.0).floor() as u32
        };
        let mut seen = std::collections::BTreeSet::new();
        for (i, (got, before)) in out.iter().zip(&before).enumerate() {
            let strength = strengths(i);
            seen.insert(strength);
            let slot = FrameSlot::new(got.layout, before).unwrap();
            let rgb = rgba(&slot, ColorSpec::BT709);
            let want = if strength == 0 { rgb } else { inverted(size, &rgb, &rects[2..3], strength) };
            assert!(tight(&got.layout, 0, &got.bytes) == want, "frame {i} of strength {strength}");
            assert_eq!(got.chunks, if strength > 0 { vec![4] } else { vec![] });
        }
        assert!(seen.len() > 3 && seen.contains(&0) && seen.contains(&16), "{seen:?}");
        assert_eq!(report.tiles, (0..16).filter(|i| strengths(*i) > 0).count() as u64);
        for batch in [1, 5, 16] {
            let (again, ..) = run(batch);
            assert!(again.iter().zip(&out).all(|(a, b)| a.bytes == b.bytes && a.chunks == b.chunks), "batch {batch}");
        }
    });
}

/// A filter that looks at frames before begins anew behind a gap, within a batch as between two of them.
#[test]
fn a_filter_begins_anew_behind_a_gap() {
    on_every_adapter("chunk run: gaps", |ctx| {
        let (size, rects) = chunks();
        // Frames 2 to 4 and 6 to 9: one frame between.
        let when = Schedule::new(vec![[1.05, 1.2], [1.23, 1.39]]).unwrap();
        let placement = Placement::new(size, vec![Placed::still(4, rects[2]).active(when)], 0).unwrap();
        let run = |batch| {
            let frames = HostFrames::new(PixelFormat::Rgba8, size, 16);
            let mut effect = FilterEffect::new("tmix=frames=3").unwrap();
            process(ctx, frames, &placement, &mut effect, &options(batch)).unwrap()
        };
        let (out, report) = run(1);
        assert_eq!(report.tiles, 7);
        let active: Vec<usize> = (0..16).filter(|i| !out[*i].chunks.is_empty()).collect();
        assert_eq!(active, [2, 3, 4, 6, 7, 8, 9]);
        for batch in [3, 8, 16] {
            let (again, report) = run(batch);
            assert!(again.iter().zip(&out).all(|(a, b)| a.bytes == b.bytes && a.chunks == b.chunks), "batch {batch}");
            assert_eq!(report.tiles, 7, "batch {batch}");
        }
    });
}

/// Outside black: code values of black, exactly, wherever no chunk is; whole chunks where they are.
#[test]
fn outside_may_be_black() {
    on_every_adapter("chunk run: black outside", |ctx| {
        for format in PixelFormat::ALL {
            let (size, rects) = chunks();
            let frames = HostFrames::new(format, size, 1);
            let options = ProcessOptions { outside: Outside::Black, ..options(4) };
            let (out, _) = process(ctx, frames, &placement(), &mut Identity, &options).unwrap();
            let slot = FrameSlot::new(out[0].layout, &out[0].bytes).unwrap();
            let black =
                if matches!(format, PixelFormat::Rgba8 | PixelFormat::Gray8) { 0 } else { 16 << (format.bits() - 8) };
            let mut lit = 0;
            for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
                if touches(&rects, x, y) {
                    lit += u32::from(slot.sample(0, x, y) != black);
                } else {
                    assert_eq!(slot.sample(0, x, y), black, "{format} {x} {y}");
                }
            }
            assert!(lit > 5000, "{format} {lit}");
        }
    });
}

/// Tiles three times as large: frames three times as large, or tiles brought back.
#[test]
fn effects_may_enlarge() {
    struct Triple;
    impl ChunkEffect for Triple {
        fn scale(&mut self) -> frameloom::Result<u32> {
            Ok(3)
        }
        fn apply(&mut self, ctx: &GpuContext, tiles: &Tiles<'_>, output: &GpuPictures) -> frameloom::Result<()> {
            for slot in 0..tiles.source.slots() {
                let (offset, layout) = output.slot(slot).unwrap();
                assert_eq!(layout.size.width, tiles.source.slot(slot).unwrap().1.size.width * 3);
                let gray = [200, 100, 50, 255].repeat(layout.slot_bytes() as usize / 4);
                FrameBatch::buffer(output).write(ctx, offset, &gray)?;
            }
            Ok(())
        }
    }
    on_every_adapter("chunk run: enlarged", |ctx| {
        let (size, rects) = chunks();
        let whole = Placement::new(size, vec![Placed::still(0, rects[6])], 0).unwrap();
        for enlarged in [false, true] {
            let mut frames = HostFrames::new(PixelFormat::I420, size, 1);
            // A grey that no change takes out of the colours that there are.
            frames.frames[0].fill(128);
            let options = ProcessOptions { enlarged, feather: 2, ..options(1) };
            let (out, _) = process(ctx, frames, &whole, &mut Triple, &options).unwrap();
            let (factor, format) = if enlarged { (3, PixelFormat::Rgba8) } else { (1, PixelFormat::I420) };
            assert_eq!(out[0].desc.size, Size::new(size.width * factor, size.height * factor));
            assert_eq!(out[0].desc.format, format);
            let slot = FrameSlot::new(out[0].layout, &out[0].bytes).unwrap();
            let rgb = rgba(&slot, ColorSpec::BT709);
            let at = ((85 * factor) * out[0].desc.size.width + 15 * factor) as usize * 4;
            let near = rgb[at..at + 3].iter().zip([200u8, 100, 50]).all(|(a, b)| a.abs_diff(b) <= 3);
            assert!(near, "{:?}", &rgb[at..at + 3]);
        }
    });
}

/// A chunk at half the scale goes through the effect in half its size and comes back in its own.
#[test]
fn chunks_may_be_processed_smaller() {
    on_every_adapter("chunk run: scale", |ctx| {
        let (size, rects) = chunks();
        let placement = Placement::new(size, vec![Placed::still(0, rects[0]).at_scale(0.5)], 0).unwrap();
        let mut seen = Vec::new();
        let mut effect = OnGpu(|ctx: &GpuContext, tiles: &Tiles<'_>, output: &GpuPictures| {
            seen.push(tiles.source.slot(0).unwrap().1.size);
            invert(ctx, tiles, output)
        });
        let frames = HostFrames::new(PixelFormat::Rgba8, size, 1);
        let before = frames.frames[0].clone();
        let (out, report) = process(ctx, frames, &placement, &mut effect, &options(1)).unwrap();
        assert_eq!((seen, report.pixels), (vec![Size::new(30, 20)], 600));
        // The natural picture is smooth: an inverted small copy is near the inverted picture.
        let (a, b) = (tight(&out[0].layout, 0, &out[0].bytes), tight(&out[0].layout, 0, &before));
        let at = |x: usize, y: usize| (y * 151 + x) * 4;
        let far = |x, y| i32::from(a[at(x, y)]) + i32::from(b[at(x, y)]) - 255;
        let mean = (5..30).map(|x| far(x, 12).abs()).sum::<i32>() / 25;
        assert!(mean < 40, "{mean}");
        assert_eq!(a[at(100, 50)..], b[at(100, 50)..]);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("chunk run: refusals", |ctx| {
        let run = |size, options: &ProcessOptions| {
            let frames = HostFrames::new(PixelFormat::I420, size, 1);
            process(ctx, frames, &placement(), &mut Identity, options).map(drop).unwrap_err().code()
        };
        let (size, _) = chunks();
        assert_eq!(run(Size::new(152, 101), &options(1)), "usage");
        assert_eq!(run(size, &ProcessOptions { feather: 0, ..options(1) }), "config");
        assert_eq!(run(size, &ProcessOptions { fade: -1.0, ..options(1) }), "config");
        let frames = HostFrames::new(PixelFormat::I420, size, 1);
        let mut failing = OnGpu(|_: &GpuContext, _: &Tiles<'_>, _: &GpuPictures| Err(frameloom::Error::usage("no")));
        assert!(process(ctx, frames, &placement(), &mut failing, &options(1)).is_err());
    });
}
