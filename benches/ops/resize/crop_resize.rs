use super::super::packing::Packing;
use frameloom::Result;
use frameloom::core::{BoxRect, ColorSpec, Outside, Rect, Sampling, Size, TensorLayout, TensorSpec};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::resize::crop_resize::{CropBox, CropParams, CropResizePlan, INFO};
use frameloom::ops::tensor::PackParams;
use frameloom::reference::resize::crop_resize::crop_resize;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// Sixteen faces of each picture to 112x112, and sixteen persons to 128x256.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let Size { width, height } = bench.size();
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for (variant, size, box_size, layout) in [
            ("16 to 112x112", Size::new(112, 112), Size::new(width / 12, width / 12), TensorLayout::Nchw),
            ("16 to 128x256", Size::new(128, 256), Size::new(width / 16, height / 4), TensorLayout::Nhwc),
        ] {
            let pack = PackParams {
                color: ColorSpec::BT709,
                spec: TensorSpec::unit(size),
                sampling: Sampling::Bilinear,
                half: false,
            };
            let params = CropParams { pack, layout, outside: Outside::Pad(0.5) };
            let Size { width: w, height: h } = box_size;
            let rect = |i: u32| Rect { x: i % 4 * (width - w) / 3, y: i / 4 * (height - h) / 3, width: w, height: h };
            let packing = Packing {
                variant: variant.into(),
                params: pack,
                crops: (0..16).map(rect).collect(),
                batch: *batch,
                bind: &|src, boxes| {
                    let count = boxes.len() as u32;
                    let bound = CropResizePlan::new(ctx, src.layout(), params)?.bind(ctx, src, count)?;
                    let boxes: Vec<_> =
                        boxes.iter().map(|b| CropBox { slot: b.slot, rect: BoxRect::from(b.crop) }).collect();
                    bound.set_boxes(ctx, &boxes)?;
                    let tensor = bound.tensor().clone();
                    Ok((Box::new(move |rec| bound.record(rec, count)), tensor))
                },
                want: &|crops| {
                    let boxes: Vec<_> = crops.iter().map(|(slot, crop)| (*slot, BoxRect::from(*crop))).collect();
                    crop_resize(&boxes, pack.color, &pack.spec, (params.outside, layout))
                },
            };
            cases.push(packing.case(bench, INFO.work)?);
        }
    }
    Ok(cases)
}
