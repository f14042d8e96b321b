use super::super::covering::{Covering, for_each};
use frameloom::Result;
use frameloom::core::blend::Tile;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::blend::feather_composite::{Composite, FeatherCompositePlan, INFO};
use frameloom::ops::{BatchShape, FrameBatch, GpuPictures};
use frameloom::reference::{self, Pattern, Plane};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Four tiles that cover a canvas and overlap by a sixteenth, in the middle all four.
fn composite(canvas: Size) -> (Size, Composite) {
    let tile = Size::new(canvas.width * 17 / 32, canvas.height * 17 / 32);
    let (x, y) = (canvas.width - tile.width, canvas.height - tile.height);
    let places = [(0, 0), (x, 0), (0, y), (x, y)];
    let tiles = (0..).zip(places).map(|(slot, (x, y))| Tile { slot, x, y }).collect();
    (tile, Composite { tiles, feather: canvas.width / 32 })
}

fn pattern(slot: u32) -> Pattern {
    Pattern::Natural { seed: 50 + u64::from(slot), shift: 0 }
}

fn tiles(ctx: &GpuContext, size: Size) -> Result<GpuPictures> {
    let layout = FrameLayout::of(PixelFormat::Rgba8, size);
    let pictures: Vec<Vec<u8>> = (0..4).filter_map(|i| layout.map(|l| pattern(i).frame(&l))).collect();
    let refs: Vec<(Size, &[u8])> = pictures.iter().map(|p| (size, p.as_slice())).collect();
    GpuPictures::from_host(ctx, "bench", PixelFormat::Rgba8, &refs)
}

fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let four = Covering {
        variant: "four tiles",
        work: INFO.work,
        bind: |ctx, frames, first| {
            let (size, composite) = composite(frames.layout().size);
            let tiles = tiles(ctx, size)?;
            let canvases: &dyn FrameBatch = frames;
            let plan = FeatherCompositePlan::new(ctx, frames.layout(), BatchShape::of(&tiles)?)?;
            plan.bind(ctx, canvases, first, &tiles, &for_each(frames, first, composite))
        },
        want: |src| {
            let (size, composite) = composite(src.size());
            let stride = size.width as usize * 4;
            let pictures: Vec<Vec<u8>> = (0..4).map(|i| pattern(i).plane(size, 4, stride)).collect();
            let placed = composite.tiles.iter().zip(&pictures);
            let placed = placed
                .map(|(t, p)| Ok((Plane::interleaved(size, 4, stride, p)?, t.x, t.y)))
                .collect::<Result<Vec<_>>>()?;
            reference::blend::feather_composite::feather_composite(src, &placed, composite.feather)
        },
    };
    four.cases(bench)
}
