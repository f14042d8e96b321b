use super::super::inputs::Input;
use frameloom::Result;
use frameloom::core::{Anchor, ColorSpec, Exactness, Fit, PixelFormat, Rect, Size, TensorSpec, Work};
use frameloom::ops::bench::{Bench, Case, CaseSet};
use frameloom::ops::tensor::pack_nchw::{INFO, PackNchwBound, PackNchwPlan, PackParams, TensorBox};
use frameloom::reference::{self, FrameSlot};

pub const CASES: CaseSet = CaseSet { op: INFO.name, cases };

/// The two usual inputs of models: 224x224 stretched, 640x640 with a border.
fn cases(bench: &Bench<'_>) -> Result<Vec<Case>> {
    let letterbox = Fit::Letterbox { pad: 114.0 / 255.0, anchor: Anchor::Center };
    let mut cases = Vec::new();
    for batch in bench.batches() {
        cases.push(case(bench, "224x224 stretched", TensorSpec::unit(Size::new(224, 224)), *batch)?);
        let boxed = TensorSpec { fit: letterbox, ..TensorSpec::unit(Size::new(640, 640)) };
        cases.push(case(bench, "640x640 letterbox", boxed, *batch)?);
    }
    Ok(cases)
}

fn case(bench: &Bench<'_>, variant: &str, spec: TensorSpec, batch: u32) -> Result<Case> {
    let ctx = bench.ctx();
    let input = Input::new(bench, PixelFormat::Nv12, "natural", batch, 0)?;
    let params = PackParams { color: ColorSpec::BT709, spec, half: false };
    let plan = PackNchwPlan::new(ctx, &input.layout, params)?;
    let crop = Rect::full(input.layout.size);
    let bind = |set: u32| {
        let bound = plan.bind(ctx, &input.frames, batch)?;
        let boxes: Vec<TensorBox> = (0..batch).map(|i| TensorBox { slot: set * batch + i, crop }).collect();
        bound.set_boxes(ctx, &boxes)?;
        Ok(bound)
    };
    let sets = (0..input.sets).map(bind).collect::<Result<Vec<PackNchwBound>>>()?;
    let first = sets.first().cloned();
    let bytes = plan.element_bytes();
    Ok(Case {
        variant: variant.into(),
        content: "natural".into(),
        input: input.name(),
        batch,
        // Four taps of luma and of both chroma samples a pixel, or the whole frame if that is less.
        work: Work {
            bytes_read: (12 * spec.size.area()).min(input.layout.size.area() * 3 / 2),
            bytes_written: bytes,
            ..(INFO.work)(&input.layout)
        },
        record: Box::new(move |rec, i| {
            if let Some(set) = sets.get(i % sets.len()) {
                set.record(rec, batch);
            }
            Ok(())
        }),
        verify: Box::new(move |ctx| {
            let Some(first) = &first else { return Ok(false) };
            let got = first.decode(&first.tensor().read(ctx, bytes)?);
            let slot = FrameSlot::new(input.layout, input.bytes(0))?;
            let want = reference::tensor::pack_nchw::pack_nchw(&[(slot, crop)], params.color, &spec)?;
            let bound = match INFO.exactness {
                Exactness::Abs(x) => x as f32,
                _ => 0.0,
            };
            let close = got.iter().zip(&want).all(|(g, w)| (g - w).abs() <= bound * 1.01);
            Ok(got.len() == want.len() && close && want.iter().any(|v| Some(v) != want.first()))
        }),
    })
}
