use super::{InPlace, plane, read};
use crate::gpu::on_every_adapter;
use crate::pictures::layout;
use crate::results::{refused, same};
use crate::table::{self, Trial};
use frameloom::core::occlusion::Paste;
use frameloom::core::{PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::occlusion::paste_object::{PasteObjectPlan, paste_object};
use frameloom::reference::occlusion::paste_object::paste_object as reference;

/// Elements of every kind of alpha: noise, all, none, smooth.
fn objects(ctx: &GpuContext) -> Trial {
    table::mixed(ctx, PixelFormat::Rgba8, &[(9, 7), (1, 1), (30, 22), (16, 5), (3, 40), (5, 5), (24, 24)], 0)
}

fn param(index: usize, size: Size) -> Paste {
    Paste {
        object: index as u32 % 7,
        x: [size.width as i32 / 3, -4, size.width as i32 - 3][index % 3],
        y: [0, size.height as i32 / 2, -3][index / 2 % 3],
        scale: [1.0, 1.7, 0.6, 3.0][index % 4],
        opacity: [1.0, 0.5, 0.013][index % 3],
    }
}

fn with(ctx: &GpuContext, check: impl Fn(&InPlace<'_, Paste>)) {
    let objects = objects(ctx);
    let elements = objects.batch.as_ref();
    check(&InPlace {
        op: &|src, params| paste_object(ctx, src, elements, params),
        bind: &|frames, first, params| {
            let plan = PasteObjectPlan::new(ctx, BatchShape::of(frames)?, BatchShape::of(elements)?)?;
            plan.bind(ctx, frames, first, elements, params)
        },
        reference: &|src, p| {
            let (l, bytes) = &objects.pictures[p.object as usize];
            reference(src, &plane(l, bytes), p).unwrap()
        },
        param: &param,
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("occlusion/paste_object equals the reference", |ctx| {
        with(ctx, |op| op.equals(ctx, &[PixelFormat::Rgba8]));
    });
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("occlusion/paste_object slots, determinism, negative control", |ctx| {
        with(ctx, |op| {
            let middle =
                |index: usize, _: Size| Paste { object: 6, x: 5, y: 4, scale: 0.8 + index as f64, opacity: 1.0 };
            let op = InPlace { op: op.op, bind: op.bind, reference: op.reference, param: &middle };
            op.slots(ctx, PixelFormat::Rgba8);
            op.deterministic(ctx, PixelFormat::Rgba8);
        });
    });
}

/// At scale 1 opaque pixels replace and transparent ones change nothing; outside everything stays.
#[test]
fn an_opaque_element_is_copied() {
    on_every_adapter("occlusion/paste_object copies", |ctx| {
        let l = layout(PixelFormat::Rgba8, (12, 6));
        let mut element = table::uniform(ctx, l, 0, 1).pictures.remove(0).1;
        element.chunks_mut(4).enumerate().for_each(|(i, p)| p[3] = if i % 3 == 0 { 0 } else { 255 });
        let elements = crate::pictures::upload(ctx, &l, std::slice::from_ref(&element));
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (30, 20)), 1, 1);
        let p = Paste { object: 0, x: 7, y: 9, scale: 1.0, opacity: 1.0 };
        let (pictures, covered) = paste_object(ctx, trial.batch.as_ref(), &elements, &[p]).unwrap();
        let (big, bytes) = &trial.pictures[0];
        let mut want = crate::results::tight(big, 0, bytes);
        let mut count = 0;
        for (i, p) in crate::results::tight(&l, 0, &element).chunks(4).enumerate().filter(|(_, p)| p[3] == 255) {
            let at = ((9 + i / 12) * 30 + 7 + i % 12) * 4;
            want[at..at + 3].copy_from_slice(&p[..3]);
            count += 1;
        }
        same(&read(ctx, &pictures, 0), &want, "opaque");
        assert_eq!(covered[0].pixels, count);
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("occlusion/paste_object refuses", |ctx| {
        let (rgba, gray) = (layout(PixelFormat::Rgba8, (8, 8)), layout(PixelFormat::Gray8, (8, 8)));
        refused(PasteObjectPlan::new(ctx, &gray, &rgba), "input");
        refused(PasteObjectPlan::new(ctx, &rgba, &gray), "objects");
        let trial = table::uniform(ctx, rgba, 0, 1);
        let elements = objects(ctx);
        let of = |p: Paste| paste_object(ctx, trial.batch.as_ref(), elements.batch.as_ref(), &[p]);
        let good = param(0, Size::new(8, 8));
        assert!(of(good).is_ok());
        refused(of(Paste { object: 7, ..good }), "object");
        for scale in [0.0, -1.0, f64::NAN, 1e9] {
            refused(of(Paste { scale, ..good }), "scale");
        }
        refused(of(Paste { opacity: -0.1, ..good }), "opacity");
        let plan = PasteObjectPlan::new(ctx, &rgba, &rgba).unwrap();
        refused(plan.bind(ctx, trial.batch.as_ref(), 0, trial.batch.as_ref(), &[good]), "objects");
    });
}
