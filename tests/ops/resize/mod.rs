mod area;
mod bicubic;
mod bilinear;
mod lanczos3;
mod letterbox;

use crate::pictures::*;
use crate::results::*;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::{GpuContext, Recorder};
use frameloom::ops::GpuFrames;
use frameloom::ops::resize::PlaneSelect;
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
