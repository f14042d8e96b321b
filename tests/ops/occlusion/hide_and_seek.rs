use super::{BOTH, InPlace};
use crate::gpu::on_every_adapter;
use crate::pictures::layout;
use crate::results::refused;
use crate::table;
use frameloom::core::occlusion::{Fill, Hiding};
use frameloom::core::random::Draw;
use frameloom::core::{PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::BatchShape;
use frameloom::ops::occlusion::hide_and_seek::{HideAndSeek, HideAndSeekPlan, hide_and_seek};
use frameloom::reference::occlusion::hide_and_seek::hide_and_seek as reference;

fn param(index: usize, _: Size) -> HideAndSeek {
    HideAndSeek {
        hiding: Hiding { cells: [4, 7, 1, 64, 33][index % 5], probability: [0.5, 0.3, 1.0, 0.6, 0.0][index % 5] },
        fill: [Fill::Constant([1, 2, 3]), Fill::Mean, Fill::Noise][index % 3],
        draw: Draw { seed: 3, picture: index as u32 },
    }
}

fn with(ctx: &GpuContext, check: impl Fn(&InPlace<'_, HideAndSeek>)) {
    check(&InPlace {
        op: &|src, params| hide_and_seek(ctx, src, params),
        bind: &|frames, first, params| {
            HideAndSeekPlan::new(ctx, BatchShape::of(frames)?)?.bind(ctx, frames, first, params)
        },
        reference: &|src, p| reference(src, &p.hiding, p.fill, p.draw).unwrap(),
        param: &param,
    });
}

#[test]
fn equals_the_reference() {
    on_every_adapter("occlusion/hide_and_seek equals the reference", |ctx| with(ctx, |op| op.equals(ctx, &BOTH)));
}

#[test]
fn slots_and_repeats() {
    on_every_adapter("occlusion/hide_and_seek slots, determinism, negative control", |ctx| {
        with(ctx, |op| {
            op.slots(ctx, PixelFormat::Rgba8);
            op.deterministic(ctx, PixelFormat::Gray8);
        });
    });
}

/// On average a share of the cells that is the probability is hidden; with other numbers others.
#[test]
fn the_probability_is_kept() {
    on_every_adapter("occlusion/hide_and_seek probability", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (64, 64)), 0, 16);
        let params: Vec<HideAndSeek> = (0..16)
            .map(|picture| HideAndSeek {
                hiding: Hiding { cells: 32, probability: 0.25 },
                draw: Draw { seed: 1, picture },
                ..param(0, Size::new(1, 1))
            })
            .collect();
        let (_, covered) = hide_and_seek(ctx, trial.batch.as_ref(), &params).unwrap();
        let mean = covered.iter().map(|c| c.share()).sum::<f64>() / 16.0;
        assert!((mean - 0.25).abs() < 0.02, "{mean}");
        assert!(covered.windows(2).any(|w| w[0] != w[1]));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("occlusion/hide_and_seek refuses", |ctx| {
        refused(HideAndSeekPlan::new(ctx, &layout(PixelFormat::I420, (4, 4))), "input");
        let trial = table::uniform(ctx, layout(PixelFormat::Rgba8, (8, 8)), 0, 1);
        let of = |cells, probability| {
            let p = HideAndSeek { hiding: Hiding { cells, probability }, ..param(0, Size::new(8, 8)) };
            hide_and_seek(ctx, trial.batch.as_ref(), &[p])
        };
        refused(of(0, 0.5), "cells");
        refused(of(65, 0.5), "cells");
        refused(of(4, 1.1), "probability");
        refused(of(4, f64::NAN), "probability");
    });
}
