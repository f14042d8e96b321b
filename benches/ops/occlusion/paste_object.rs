use super::super::covering::{Covering, for_each};
use frameloom::Result;
use frameloom::core::occlusion::Paste;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::occlusion::paste_object::{INFO, PasteObjectPlan};
use frameloom::ops::{BatchShape, GpuPictures};
use frameloom::reference::{self, Pattern, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

const OBJECT: Size = Size::new(320, 180);
const PASTE: Paste = Paste { object: 0, x: 30, y: 20, scale: 1.5, opacity: 1.0 };

/// Waves in all channels, alpha too.
fn pixels() -> Vec<u8> {
    Pattern::Natural { seed: 9, shift: 0 }.plane(OBJECT, 4, OBJECT.width as usize * 4)
}

fn objects(ctx: &GpuContext) -> Result<GpuPictures> {
    // 320 pixels fill their rows: no padding but that of the slot.
    let mut bytes = pixels();
    let slot = FrameLayout::of(PixelFormat::Rgba8, OBJECT).map_or(0, |l| l.slot_bytes());
    bytes.resize(slot as usize, 0);
    GpuPictures::from_host(ctx, "bench", PixelFormat::Rgba8, &[(OBJECT, &bytes)])
}

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let scaled = Covering {
        variant: "480x270 of 320x180",
        work: INFO.work,
        bind: |ctx, frames, first| {
            let objects = objects(ctx)?;
            let plan = PasteObjectPlan::new(ctx, frames.layout(), BatchShape::of(&objects)?)?;
            plan.bind(ctx, frames, first, &objects, &for_each(frames, first, PASTE))
        },
        want: |src| {
            let data = pixels();
            let object = Plane::interleaved(OBJECT, 4, OBJECT.width as usize * 4, &data)?;
            reference::occlusion::paste_object::paste_object(src, &object, &PASTE)
        },
    };
    scaled.cases(bench)
}
