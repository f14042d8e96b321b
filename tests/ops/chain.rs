//! Plans that follow each other without a hop to the host.

use crate::gpu::on_every_adapter;
use crate::pictures::layout;
use crate::results::refused;
use crate::table;
use frameloom::core::{LumaSums, PixelFormat};
use frameloom::gpu::Recorder;
use frameloom::ops::color::gray_from_rgb::GrayFromRgbPlan;
use frameloom::ops::stats::luma::{LumaParams, LumaStatsPlan};
use frameloom::ops::{BatchShape, PicturesPlan, Plan, Record};
use frameloom::reference::{self, Plane};

const PARAMS: LumaParams = LumaParams { dark: 20, bright: 200 };

fn want(trial: &table::Trial) -> Vec<LumaSums> {
    let of = |(layout, bytes): &(frameloom::core::FrameLayout, Vec<u8>)| {
        let stride = layout.first().stride as usize;
        let rgb = Plane::interleaved(layout.size, 4, stride, bytes).unwrap();
        let gray = reference::color::gray_from_rgb::gray_from_rgb(&rgb).unwrap();
        reference::stats::luma::luma(&Plane::tight(layout.size, &gray).unwrap(), 20, 200).unwrap()
    };
    trial.pictures.iter().map(of).collect()
}

#[test]
fn a_chain_is_one_submission_and_equals_its_links() {
    on_every_adapter("chain of gray and statistics", |ctx| {
        let sizes = [(17, 9), (40, 3), (1, 1), (33, 41)];
        let trials = [
            table::mixed(ctx, PixelFormat::Rgba8, &sizes, 0),
            table::uniform(ctx, layout(PixelFormat::Rgba8, (50, 7)), 2, 3),
        ];
        for trial in trials {
            let shape = BatchShape::of(trial.batch.as_ref()).unwrap();
            let gray = GrayFromRgbPlan::new(ctx, shape).unwrap();
            let stats = LumaStatsPlan::new(ctx, PicturesPlan::output(&gray), PARAMS).unwrap();
            let bound = gray.chain(stats).unwrap().bind_to(ctx, trial.batch.as_ref(), 1).unwrap();
            let count = bound.capacity();
            assert_eq!(count as usize, trial.pictures.len() - 1);
            let mut rec = Recorder::new(ctx, "chain");
            bound.record(&mut rec, count);
            assert_eq!(rec.dispatches(), 2);
            rec.run().unwrap();
            let last = bound.last();
            let bytes = last.results().read(ctx, last.frame_bytes() * u64::from(count)).unwrap();
            assert_eq!(last.decode(&bytes), want(&trial)[1..], "{}", trial.name);
        }
    });
}

#[test]
fn links_that_do_not_fit_are_refused() {
    on_every_adapter("chain refuses", |ctx| {
        let gray = GrayFromRgbPlan::new(ctx, &layout(PixelFormat::Rgba8, (8, 8))).unwrap();
        let stats = LumaStatsPlan::new(ctx, &layout(PixelFormat::Gray8, (8, 9)), PARAMS).unwrap();
        refused(gray.chain(stats), "next");
    });
}
