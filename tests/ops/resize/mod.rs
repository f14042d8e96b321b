mod area;
mod bicubic;
mod bilinear;
mod crop_resize;
mod lanczos3;
mod letterbox;
mod warp_affine;

use crate::pictures::*;
use crate::results::*;
use crate::table;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::{GpuContext, Recorder};
use frameloom::ops::resize::PlaneSelect;
use frameloom::ops::{FrameBatch, GpuFrames};
use frameloom::reference::{FrameSlot, Pattern, Plane};

/// A selected plane of a frame as bytes without padding, 10 bits reduced to 8, with its size and channels.
fn selected(layout: &FrameLayout, slot: &[u8], select: PlaneSelect) -> (Size, u32, Vec<u8>) {
    let frame = FrameSlot::new(*layout, slot).unwrap();
    let format = layout.format;
    let (size, components): (Size, Vec<u32>) = match (format, select.plane, select.channel) {
        (PixelFormat::Rgba8, _, Some(c)) => (layout.size, vec![c]),
        (PixelFormat::Rgba8, _, None) => (layout.size, vec![0, 1, 2, 3]),
        (_, 0, _) => (layout.size, vec![0]),
        (f, _, Some(c)) if f.semi_planar() => (format.chroma_size(layout.size), vec![c + 1]),
        (f, _, None) if f.semi_planar() => (format.chroma_size(layout.size), vec![1, 2]),
        (_, p, _) => (format.chroma_size(layout.size), vec![p as u32]),
    };
    let mut bytes = Vec::new();
    for y in 0..size.height {
        for x in 0..size.width {
            bytes.extend(components.iter().map(|c| (frame.sample(*c, x, y) >> (format.bits() - 8)) as u8));
        }
    }
    (size, components.len() as u32, bytes)
}

type Reference = fn(&Plane<'_>, Size) -> frameloom::Result<Vec<u8>>;
/// Plans and binds a resize of frames into results from slot 1 on.
type Resize = fn(&GpuContext, (&GpuFrames, PlaneSelect), (&GpuFrames, PlaneSelect)) -> Record;
/// Records the resize of so many frames.
type Record = Box<dyn Fn(&mut Recorder<'_>, u32)>;

/// A resize between planes of whole frames, against the reference, twice, between poisoned neighbours.
struct Trial<'a> {
    input: &'a FrameLayout,
    from: PlaneSelect,
    output: &'a FrameLayout,
    to: PlaneSelect,
}

impl Trial<'_> {
    fn check(&self, ctx: &GpuContext, patterns: &[Pattern], resize: Resize, reference: Reference) {
        let frames = paint(self.input, patterns);
        let count = frames.len() as u32;
        let src = upload(ctx, self.input, &frames);
        let dst = poisoned(ctx, self.output, count + 2);
        let record = resize(ctx, (&src, self.from), (&dst, self.to));
        for turn in 0..2 {
            run(ctx, |rec| record(rec, count));
            for (i, frame) in frames.iter().enumerate() {
                let slot = dst.read_slot(ctx, i as u32 + 1).unwrap();
                let (size, channels, samples) = selected(self.input, frame, self.from);
                let shape = self.output.planes()[self.to.plane].shape;
                let to = Size::new(shape.samples / channels, shape.rows);
                let plane = Plane::interleaved(size, channels, (size.width * channels) as usize, &samples).unwrap();
                let what = format!(
                    "{} {} {:?} to {} {} {:?}, {:?}, turn {turn}",
                    self.input.format, size, self.from, self.output.format, to, self.to, patterns[i]
                );
                same(&tight(self.output, self.to.plane, &slot), &reference(&plane, to).unwrap(), what);
                for other in (0..self.output.planes().len()).filter(|p| *p != self.to.plane) {
                    assert!(
                        tight(self.output, other, &slot).iter().all(|b| *b == 0xFF),
                        "plane {other} was written to"
                    );
                }
            }
        }
        untouched(ctx, &dst, 0);
        untouched(ctx, &dst, count + 1);
    }
}

/// Resizes all pictures to one size at once.
type All = fn(&GpuContext, &dyn FrameBatch, PlaneSelect, Size) -> frameloom::Result<GpuFrames>;

/// Pictures of different sizes to one size, against the reference.
fn check_mixed(ctx: &GpuContext, shapes: &[(u32, u32)], to: Size, resize: All, reference: Reference) {
    let selections = [
        (PixelFormat::Gray8, PlaneSelect::FIRST),
        (PixelFormat::P010, PlaneSelect::FIRST),
        (PixelFormat::Rgba8, PlaneSelect::FIRST),
        (PixelFormat::Rgba8, PlaneSelect { plane: 0, channel: Some(1) }),
        (PixelFormat::Nv12, PlaneSelect { plane: 1, channel: Some(1) }),
        (PixelFormat::I420, PlaneSelect::plane(2)),
    ];
    for (i, (format, from)) in selections.into_iter().enumerate() {
        let trial = table::mixed(ctx, format, shapes, i);
        let got = resize(ctx, trial.batch.as_ref(), from, to).unwrap();
        for (slot, (layout, bytes)) in (0..).zip(&trial.pictures) {
            let (size, channels, samples) = selected(layout, bytes, from);
            let plane = Plane::interleaved(size, channels, (size.width * channels) as usize, &samples).unwrap();
            let pixels = tight(got.layout(), 0, &got.read_slot(ctx, slot).unwrap());
            same(&pixels, &reference(&plane, to).unwrap(), format!("{} {from:?}, picture {slot}", trial.name));
        }
        // The same from a batch of its own.
        let (layout, bytes) = &trial.pictures[1];
        let alone = resize(ctx, &upload(ctx, layout, std::slice::from_ref(bytes)), from, to).unwrap();
        let own = tight(got.layout(), 0, &alone.read_slot(ctx, 0).unwrap());
        same(&tight(got.layout(), 0, &got.read_slot(ctx, 1).unwrap()), &own, "alone and among others");
        table::deterministic(|| {
            let again = resize(ctx, trial.batch.as_ref(), from, to).unwrap();
            tight(again.layout(), 0, &again.read_slot(ctx, 0).unwrap())
        });
    }
}

/// Every selection of every format, to a plane that can take it: `(source format, selection, result format, plane)`.
fn selections() -> Vec<(PixelFormat, PlaneSelect, PixelFormat, PlaneSelect)> {
    let mut all = Vec::new();
    for format in PixelFormat::ALL {
        // Each component alone, into the planes of I444; alpha into grey.
        for c in 0..4 {
            let Some(select) = PlaneSelect::component(format, c) else { continue };
            let to = if c < 3 { (PixelFormat::I444, c as usize) } else { (PixelFormat::Gray8, 0) };
            all.push((format, select, to.0, PlaneSelect::plane(to.1)));
        }
    }
    // Interleaved planes as they are.
    all.push((PixelFormat::Nv12, PlaneSelect::plane(1), PixelFormat::Nv12, PlaneSelect::plane(1)));
    all.push((PixelFormat::P010, PlaneSelect::plane(1), PixelFormat::Nv12, PlaneSelect::plane(1)));
    all.push((PixelFormat::Rgba8, PlaneSelect::FIRST, PixelFormat::Rgba8, PlaneSelect::FIRST));
    all
}
