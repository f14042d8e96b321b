use super::super::packing::Packing;
use frameloom::Result;
use frameloom::core::{Anchor, ChannelOrder, ColorSpec, Fit, Rect, Sampling, Size, TensorSpec};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::tensor::PackParams;
use frameloom::ops::tensor::pack_nchw::{INFO, PackNchwPlan};
use frameloom::reference::tensor::pack_nchw::pack_nchw;

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// The usual inputs of models: 224x224 stretched, by both samplings and in f16, 640x640 with a border, and that of YOLOX-nano: 416x416 of
/// BGR in 0..=255, the border at the right or the bottom.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let ctx = bench.ctx();
    let unit = |side| TensorSpec::unit(Size::new(side, side));
    let letterbox = Fit::Letterbox { pad: 114.0 / 255.0, anchor: Anchor::Center };
    let corner = Fit::Letterbox { pad: 114.0 / 255.0, anchor: Anchor::TopLeft };
    let yolox = TensorSpec { fit: corner, order: ChannelOrder::Bgr, mul: [255.0; 3], ..unit(416) };
    let mut cases = Vec::new();
    for batch in bench.batches() {
        for (variant, spec, sampling, half) in [
            ("224x224 stretched", unit(224), Sampling::Bilinear, false),
            ("224x224 stretched, area", unit(224), Sampling::Area, false),
            ("224x224 stretched, f16", unit(224), Sampling::Bilinear, true),
            ("640x640 letterbox", TensorSpec { fit: letterbox, ..unit(640) }, Sampling::Bilinear, false),
            ("416x416 letterbox, YOLOX", yolox, Sampling::Bilinear, false),
        ] {
            let params = PackParams { color: ColorSpec::BT709, spec, sampling, half };
            let packing = Packing {
                variant: variant.into(),
                params,
                crops: vec![Rect::full(bench.size())],
                batch: *batch,
                bind: &|src, boxes| {
                    let count = boxes.len() as u32;
                    let bound = PackNchwPlan::new(ctx, src.layout(), params)?.bind(ctx, src, count)?;
                    bound.set_boxes(ctx, boxes)?;
                    let tensor = bound.tensor().clone();
                    Ok((Box::new(move |rec| bound.record(rec, count)), tensor))
                },
                want: &|crops| pack_nchw(crops, params.color, &params.spec, params.sampling),
            };
            cases.push(packing.case(bench, INFO.work)?);
        }
    }
    Ok(cases)
}
