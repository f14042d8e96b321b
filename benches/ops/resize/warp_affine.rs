use super::super::packing::Packing;
use frameloom::Result;
use frameloom::core::{Affine, ColorSpec, Outside, Rect, Sampling, Size, TensorLayout, TensorSpec};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::resize::crop_resize::CropParams;
use frameloom::ops::resize::warp_affine::{INFO, Warp, WarpAffinePlan};
use frameloom::ops::tensor::PackParams;
use frameloom::reference::resize::warp_affine::warp_affine;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// A tensor of 112x112 over a square of the picture, turned by the angle with tangent 3/10 about its corner.
fn turned(crop: Rect) -> Affine {
    let k = crop.width as f32 / 112.0;
    Affine([[k, -0.3 * k, crop.x as f32], [0.3 * k, k, crop.y as f32]])
}

/// Sixteen tilted faces of each picture to 112x112.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let Size { width, height } = bench.size();
    let side = width / 12;
    let mut cases = Vec::new();
    for batch in bench.batches() {
        let pack = PackParams {
            color: ColorSpec::BT709,
            spec: TensorSpec::unit(Size::new(112, 112)),
            sampling: Sampling::Bilinear,
            half: false,
        };
        let params = CropParams { pack, layout: TensorLayout::Nchw, outside: Outside::Pad(0.5) };
        let rect =
            |i: u32| Rect { x: i % 4 * (width - side) / 3, y: i / 4 * (height - side) / 3, width: side, height: side };
        let packing = Packing {
            variant: "16 to 112x112".into(),
            params: pack,
            crops: (0..16).map(rect).collect(),
            batch: *batch,
            bind: &|src, boxes| {
                let count = boxes.len() as u32;
                let bound = WarpAffinePlan::new(ctx, src.layout(), params)?.bind(ctx, src, count)?;
                let warps: Vec<_> = boxes.iter().map(|b| Warp { slot: b.slot, to_picture: turned(b.crop) }).collect();
                bound.set_warps(ctx, &warps)?;
                let tensor = bound.tensor().clone();
                Ok((Box::new(move |rec| bound.record(rec, count)), tensor))
            },
            want: &|crops| {
                let warps: Vec<_> = crops.iter().map(|(slot, crop)| (*slot, turned(*crop))).collect();
                warp_affine(&warps, pack.color, &pack.spec, (params.outside, params.layout))
            },
        };
        cases.push(packing.case(bench, INFO.work)?);
    }
    Ok(cases)
}
