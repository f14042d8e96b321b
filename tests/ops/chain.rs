//! Plans that follow each other without a hop to the host.

use crate::gpu::on_every_adapter;
use crate::pictures::layout;
use crate::results::refused;
use crate::table;
use frameloom::core::{FrameLayout, LumaSums, PixelFormat};
use frameloom::gpu::{GpuBuffer, Recorder};
use frameloom::ops::color::gray_from_rgb::GrayFromRgbPlan;
use frameloom::ops::edges::canny::CannyParams;
use frameloom::ops::histogram::edge_grid::CellEdgesPlan;
use frameloom::ops::resize::{PlaneSelect, area::AreaPlan};
use frameloom::ops::stats::luma::{LumaParams, LumaStatsPlan};
use frameloom::ops::{BatchShape, FrameBatch, GpuFrames, PicturesPlan, Plan, Record};
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

/// As many pictures as wanted in the memory of one.
#[derive(Debug)]
struct Many(GpuFrames, u32);

impl FrameBatch for Many {
    fn buffer(&self) -> &GpuBuffer {
        self.0.buffer()
    }

    fn format(&self) -> PixelFormat {
        self.0.layout().format
    }

    fn slots(&self) -> u32 {
        self.1
    }

    fn slot(&self, index: u32) -> Option<(u64, FrameLayout)> {
        (index < self.1).then(|| (0, *self.0.layout()))
    }
}

/// Each picture, or each cell of a picture, is a layer of a dispatch, of which a device takes so many.
#[test]
fn more_than_a_dispatch_takes_is_refused_when_it_is_bound() {
    on_every_adapter("pictures of a dispatch", |ctx| {
        let most = ctx.caps().max_workgroups;
        let many =
            |format, slots| Many(GpuFrames::new(ctx, "t", format, layout(format, (16, 16)).size, 1).unwrap(), slots);
        let src = many(PixelFormat::Gray8, most + 1);
        let shape = layout(PixelFormat::Gray8, (16, 16));
        let stats = LumaStatsPlan::new(ctx, &shape, PARAMS).unwrap();
        refused(stats.bind(ctx, &src, 0), "input");
        assert_eq!(stats.bind(ctx, &src, 1).unwrap().capacity(), most);
        let gray = GrayFromRgbPlan::new(ctx, &layout(PixelFormat::Rgba8, (16, 16))).unwrap();
        refused(gray.bind(ctx, &many(PixelFormat::Rgba8, most + 1), 0, &src, 0), "input");
        // Fewer results than pictures: those count.
        let area = AreaPlan::new(ctx, (&shape, PlaneSelect::FIRST), (&shape, PlaneSelect::FIRST)).unwrap();
        let dst = GpuFrames::new(ctx, "t", shape.format, shape.size, 2).unwrap();
        assert_eq!(area.bind(ctx, &src, 0, &dst, 0).unwrap().capacity(), 2);
        let cells = CellEdgesPlan::new(ctx, &shape, 16, CannyParams { low: 50, high: 150 }).unwrap();
        refused(cells.bind(ctx, &many(PixelFormat::Gray8, most / 256 + 1), 0), "cells");
    });
}
