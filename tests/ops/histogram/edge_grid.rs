use crate::edges::{edges_of, planes_of};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::seed_frames::{SEED_FRAMES, seed_frame};
use crate::table;
use frameloom::core::*;
use frameloom::ops::edges::BitPlanes;
use frameloom::ops::edges::canny::{CannyParams, CannyPlan};
use frameloom::ops::histogram::edge_grid::{CellEdgesPlan, EdgeGridPlan, cell_edges, edge_grid};
use frameloom::ops::{BatchShape, GpuPictures, Record};
use frameloom::reference::color::gray_from_rgb::gray_from_rgb;
use frameloom::reference::resize::area::area;
use frameloom::reference::{Plane, histogram::edge_grid as reference};

const CANNY: CannyParams = CannyParams { low: 50, high: 150 };

fn want(trial: &table::Trial, grid: u32) -> Vec<EdgeCells> {
    let cells =
        |(size, edges): &(Size, Vec<u8>)| reference::edge_grid(&Plane::tight(*size, edges).unwrap(), grid).unwrap();
    edges_of(trial, 50, 150).iter().map(cells).collect()
}

fn want_cells(trial: &table::Trial, grid: u32) -> Vec<EdgeCells> {
    let cells = |(size, luma): (Size, Vec<u8>)| {
        reference::cell_edges(&Plane::tight(size, &luma).unwrap(), grid, 50, 150).unwrap()
    };
    trial.lumas().map(cells).collect()
}

/// Largest usual grid that all pictures of a trial have pixels for.
fn grid_of(trial: &table::Trial, turn: usize) -> u32 {
    let side = trial.pictures.iter().map(|(l, _)| l.size.width.min(l.size.height)).min().unwrap();
    [2, 3, 4, 7, 1][turn % 5].min(side)
}

#[test]
fn equals_the_reference() {
    on_every_adapter("histogram/edge_grid equals the reference", |ctx| {
        let mut turn = 0;
        table::each(ctx, &[PixelFormat::Gray8], |trial| {
            let grid = grid_of(trial, turn);
            turn += 1;
            let planes = planes_of(ctx, &edges_of(trial, 50, 150));
            let plan = EdgeGridPlan::new(ctx, BatchShape::of(trial.batch.as_ref()).unwrap(), grid).unwrap();
            let got = plan.bind(ctx, &planes).unwrap().run(ctx).unwrap();
            assert_eq!(got, want(trial, grid), "{} grid {grid}", trial.name);
        });
    });
}

/// Cells of every shape, at every depth, each a picture of its own.
#[test]
fn cells_equal_the_reference() {
    on_every_adapter("histogram/edge_grid cells equal the reference", |ctx| {
        let wide: Vec<(u32, u32)> = SHAPES.into_iter().filter(|(w, h)| *w.min(h) >= 7).collect();
        let mut trials = vec![
            table::uniform(ctx, layout(PixelFormat::Gray8, FULL_HD), 6, 1),
            table::mixed(ctx, PixelFormat::Gray8, &SHAPES, 6),
            table::uniform(ctx, layout(PixelFormat::P010, (77, 55)), 0, 7),
        ];
        trials.extend(LUMA_FORMATS.iter().zip([0, 5]).map(|(format, start)| table::mixed(ctx, *format, &wide, start)));
        for (turn, trial) in trials.iter().enumerate() {
            let (grid, src) = (grid_of(trial, turn), trial.batch.as_ref());
            assert_eq!(edge_grid(ctx, src, grid, CANNY).unwrap(), want(trial, grid), "{} grid {grid}", trial.name);
            assert_eq!(
                cell_edges(ctx, src, grid, CANNY).unwrap(),
                want_cells(trial, grid),
                "cells of {} {grid}",
                trial.name
            );
        }
    });
}

/// Cells of a grid that divides the picture hold all of its edge pixels; a grid of one is the whole picture.
#[test]
fn cells_hold_all_edges() {
    on_every_adapter("histogram/edge_grid sums", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (96, 48)), 6, 2);
        let src = trial.batch.as_ref();
        let whole = edge_grid(ctx, src, 1, CANNY).unwrap();
        assert_eq!(whole, cell_edges(ctx, src, 1, CANNY).unwrap());
        assert!(whole[0].counts[0] > 0);
        for grid in [2, 3, 4, 16] {
            for (cells, whole) in edge_grid(ctx, src, grid, CANNY).unwrap().iter().zip(&whole) {
                assert_eq!(
                    (cells.counts.len(), cells.counts.iter().sum::<u32>()),
                    ((grid * grid) as usize, whole.counts[0])
                );
            }
        }
    });
}

#[test]
fn binds_from_a_later_slot_and_repeats() {
    on_every_adapter("histogram/edge_grid slots", |ctx| {
        let trial = table::mixed(ctx, PixelFormat::Nv12, &[(9, 8), (40, 31), (77, 33)], 6);
        let (src, shape) = (trial.batch.as_ref(), BatchShape::of(trial.batch.as_ref()).unwrap());
        let (cells, status) = CellEdgesPlan::new(ctx, shape, 3, CANNY).unwrap().bind(ctx, src, 1).unwrap();
        let canny = CannyPlan::new(ctx, shape, CANNY).unwrap().bind_bits(ctx, src, 1).unwrap();
        let whole = EdgeGridPlan::new(ctx, shape, 3).unwrap().bind(ctx, canny.edges()).unwrap();
        let chain = canny.chain(whole.clone()).chain(cells.clone());
        assert_eq!((cells.capacity(), chain.capacity()), (2, 2));
        table::deterministic(|| {
            run(ctx, |rec| chain.record(rec, 2));
            assert!(status.complete(ctx).unwrap());
            let read =
                |m: &frameloom::ops::Measure<EdgeCells>| m.decode(&m.results().read(ctx, 2 * m.frame_bytes()).unwrap());
            assert_eq!(read(&whole), want(&trial, 3)[1..]);
            assert_eq!(read(&cells), want_cells(&trial, 3)[1..]);
        });
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("histogram/edge_grid refuses", |ctx| {
        let gray = layout(PixelFormat::Gray8, (20, 5));
        for grid in [0, 17] {
            refused(EdgeGridPlan::new(ctx, &gray, grid), "grid");
            refused(CellEdgesPlan::new(ctx, &gray, grid, CANNY), "grid");
        }
        refused(CellEdgesPlan::new(ctx, &gray, 6, CANNY), "grid");
        refused(CellEdgesPlan::new(ctx, &layout(PixelFormat::Rgba8, (20, 20)), 2, CANNY), "input");
        let plan = EdgeGridPlan::new(ctx, &gray, 4).unwrap();
        refused(plan.bind(ctx, &BitPlanes::new(ctx, "test", &[Size::new(20, 6)]).unwrap()), "edges");
        refused(plan.bind(ctx, &BitPlanes::new(ctx, "test", &[Size::new(3, 5)]).unwrap()), "grid");
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (21, 5)), 0, 1);
        refused(CellEdgesPlan::new(ctx, &gray, 2, CANNY).unwrap().bind(ctx, trial.batch.as_ref(), 0), "input");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("histogram/edge_grid negative control", |ctx| {
        let trial = table::uniform(ctx, layout(PixelFormat::Gray8, (40, 36)), 6, 1);
        let src = trial.batch.as_ref();
        // The two ways of counting differ at the borders of cells: each must only pass as itself.
        let (whole, cells) = (edge_grid(ctx, src, 4, CANNY).unwrap(), cell_edges(ctx, src, 4, CANNY).unwrap());
        assert_eq!((&whole, &cells), (&want(&trial, 4), &want_cells(&trial, 4)));
        assert_ne!(whole, cells);
        assert_ne!(whole, want(&trial, 3));
    });
}

/// The `edge` parts of the descriptors of the system before this one: crop to 16:9, area resize to 256x144, Canny. Needs the golden
/// data beside `FRAMELOOM_TESTDATA`.
#[test]
fn descriptors_are_those_of_the_system_before() {
    let Some(data) = std::env::var_os("FRAMELOOM_TESTDATA") else {
        eprintln!("NOT RUN: histogram/edge_grid descriptors need FRAMELOOM_TESTDATA");
        return;
    };
    let path = std::path::Path::new(&data).join("../golden/fluxframe_descriptors.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("NOT RUN: histogram/edge_grid descriptors need {}", path.display());
        return;
    };
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    let small = Size::new(256, 144);
    let pictures: Vec<Vec<u8>> = SEED_FRAMES
        .iter()
        .map(|name| {
            let (size, pixels) = seed_frame(name);
            let height = size.width * 9 / 16;
            let skip = (size.height - height) / 2 * size.width;
            let crop = &pixels[skip as usize..(skip + size.width * height) as usize];
            let rgba: Vec<u8> = crop.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect();
            let plane = Plane::interleaved(Size::new(size.width, height), 4, size.width as usize * 4, &rgba).unwrap();
            let rgba = area(&plane, small).unwrap();
            gray_from_rgb(&Plane::interleaved(small, 4, 1024, &rgba).unwrap()).unwrap()
        })
        .collect();
    let numbers = |name: &str, kind: &str| -> Vec<f64> {
        golden[name][kind]["edge"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let close = |got: &[f64], want: &[f64], what: &str| {
        assert_eq!(got.len(), want.len(), "{what}");
        let worst = got.iter().zip(want).map(|(g, w)| (g - w).abs()).fold(0.0, f64::max);
        assert!(worst <= 1e-6, "{what}: {worst}");
    };
    on_every_adapter("histogram/edge_grid descriptors of the system before", |ctx| {
        // 256-pixel rows need no padding.
        let slots: Vec<(Size, &[u8])> = pictures.iter().map(|p| (small, p.as_slice())).collect();
        let src = GpuPictures::from_host(ctx, "test", PixelFormat::Gray8, &slots).unwrap();
        let whole = edge_grid(ctx, &src, 1, CANNY).unwrap();
        let cells = cell_edges(ctx, &src, 4, CANNY).unwrap();
        for (i, name) in SEED_FRAMES.iter().enumerate() {
            close(&whole[i].histograms(128), &numbers(name, "canny"), name);
            close(&cells[i].histograms(32), &numbers(name, "spatial_pyramid"), name);
        }
    });
}
