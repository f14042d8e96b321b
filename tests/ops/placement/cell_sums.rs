use crate::fields::{self, Data, FieldTrial};
use crate::gpu::on_every_adapter;
use crate::pictures::*;
use crate::results::{refused, run};
use crate::table;
use frameloom::core::{CellGrid, PixelFormat, Size};
use frameloom::gpu::GpuContext;
use frameloom::ops::placement::cell_sums::{Active, CellSumsParams, CellSumsPlan, Origin, cell_sums};
use frameloom::ops::placement::read_wide;
use frameloom::ops::{BatchShape, GpuMaps, MapLayout, MapSample, Record};
use frameloom::reference::placement::cell_sums::{Cell, cell_sums as reference};

const BITS: u32 = 24;

fn want(trial: &FieldTrial, cells: &CellGrid, active: Option<Active>) -> Vec<Vec<Cell>> {
    let one = |field: frameloom::reference::Field<'_>| {
        let unit = if field.is_float() { f64::from(1 << BITS) } else { 1.0 };
        let threshold = active.map_or(0.0, |a| a.threshold * unit) as u32;
        let from_picture = active.is_some_and(|a| a.origin == Origin::Picture);
        reference(&field, cells, BITS, threshold, from_picture).unwrap()
    };
    trial.references().map(one).collect()
}

/// The cells of field `index` from its 1 or 5 maps.
fn read(ctx: &GpuContext, maps: &GpuMaps, index: u32, active: bool) -> Vec<Cell> {
    if !active {
        return read_wide(ctx, maps, index).unwrap().into_iter().map(|sum| Cell { sum, ..Cell::default() }).collect();
    }
    let map = |k| read_wide(ctx, maps, index * 5 + k).unwrap();
    let (sum, count, active, x, y) = (map(0), map(1), map(2), map(3), map(4));
    let cell = |i| Cell { sum: sum[i], count: count[i], active: active[i], x: x[i], y: y[i] };
    (0..sum.len()).map(cell).collect()
}

fn check(ctx: &GpuContext, trial: &FieldTrial, cells: CellGrid, active: Option<Active>) {
    let params = CellSumsParams { cells: cells.clone(), fraction_bits: BITS, active };
    let plan = CellSumsPlan::new(ctx, trial.source().shape().unwrap(), &params).unwrap();
    let dst = fields::poisoned_maps(ctx, plan.output(), plan.slots() * trial.fields.len() as u32);
    let bound = plan.bind(ctx, trial.source(), 0, &dst).unwrap();
    run(ctx, |rec| bound.record(rec, bound.capacity()));
    for (i, want) in (0..).zip(want(trial, &cells, active)) {
        let got = read(ctx, &dst, i, active.is_some());
        let sums = want.iter().map(|c| Cell { sum: c.sum, ..Cell::default() }).collect();
        let want = if active.is_some() { want } else { sums };
        assert!(got == want, "{} field {i} cells {:?} {active:?}", trial.name, cells.cells());
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("placement/cell_sums equals the reference", |ctx| {
        let mut turn = 0;
        fields::each_uniform(ctx, |trial| {
            let size = trial.fields[0].0;
            let origin = [Origin::Cell, Origin::Picture][turn % 2];
            let cell = [4, 16, 64, 12, 8][turn % 5];
            let threshold = [0.0, 0.1, 100.0][turn % 3];
            let uniform = CellGrid::uniform(size, cell).unwrap();
            check(ctx, trial, uniform.clone(), None);
            check(ctx, trial, uniform, Some(Active { threshold, origin }));
            let cuts = |side: u32| [1, 6, 7, 19, 90].into_iter().filter(|c| *c <= side).collect();
            let uneven = CellGrid::new(size, cuts(size.width), cuts(size.height)).unwrap();
            check(ctx, trial, uneven, Some(Active { threshold, origin }));
            turn += 1;
        });
    });
}

/// Largest values in the largest cells: halves and moments are nearest to their limits.
#[test]
fn full_cells_of_the_largest_values_do_not_overflow() {
    on_every_adapter("placement/cell_sums limits", |ctx| {
        let trial = fields::maps(ctx, (128, 64), false, 2, 1);
        let size = Size::new(128, 64);
        let cells = CellGrid::uniform(size, 64).unwrap();
        check(ctx, &trial, cells.clone(), Some(Active { threshold: 7.0, origin: Origin::Cell }));
        check(ctx, &trial, cells, Some(Active { threshold: 7.0, origin: Origin::Picture }));
        // Cells that begin and end inside a vec4.
        let cells = CellGrid::new(size, vec![3, 67], vec![]).unwrap();
        check(ctx, &trial, cells, Some(Active { threshold: 0.0, origin: Origin::Cell }));
    });
}

#[test]
fn cells_add_up_to_the_whole() {
    on_every_adapter("placement/cell_sums total", |ctx| {
        for cell in [4, 20, 64] {
            let trial = fields::maps(ctx, (123, 66), false, 0, 1);
            let params = CellSumsParams {
                cells: CellGrid::uniform(Size::new(123, 66), cell).unwrap(),
                fraction_bits: 0,
                active: None,
            };
            let maps = cell_sums(ctx, trial.source(), &params).unwrap();
            let Data::Integers(values) = &trial.fields[0].1 else { panic!("integers") };
            let total: u64 = values.iter().map(|v| u64::from(*v)).sum();
            assert_eq!(read_wide(ctx, &maps, 0).unwrap().iter().sum::<u64>(), total, "{cell}");
        }
    });
}

#[test]
fn the_same_bits_every_time() {
    on_every_adapter("placement/cell_sums is deterministic", |ctx| {
        let trial = fields::maps(ctx, (333, 111), true, 0, 1);
        let params = CellSumsParams {
            cells: CellGrid::uniform(Size::new(333, 111), 16).unwrap(),
            fraction_bits: 31,
            active: Some(Active { threshold: 0.1, origin: Origin::Cell }),
        };
        table::deterministic(|| cell_sums(ctx, trial.source(), &params).unwrap().read(ctx, 3).unwrap());
    });
}

#[test]
fn binds_from_a_later_slot() {
    on_every_adapter("placement/cell_sums slots", |ctx| {
        let trial = fields::maps(ctx, (33, 9), false, 0, 3);
        let cells = CellGrid::uniform(Size::new(33, 9), 8).unwrap();
        let active = Some(Active { threshold: 5.0, origin: Origin::Cell });
        let params = CellSumsParams { cells: cells.clone(), fraction_bits: 0, active };
        let plan = CellSumsPlan::new(ctx, trial.source().shape().unwrap(), &params).unwrap();
        let dst = fields::poisoned_maps(ctx, plan.output(), 12);
        let bound = plan.bind(ctx, trial.source(), 1, &dst).unwrap();
        assert_eq!(bound.capacity(), 2);
        run(ctx, |rec| bound.record(rec, 1));
        assert_eq!(read(ctx, &dst, 0, true), want(&trial, &cells, active)[1]);
        assert!((5..12).all(|slot| dst.read(ctx, slot).unwrap().iter().all(|b| *b == 0xFF)));
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("placement/cell_sums refuses", |ctx| {
        let map = |sample, width| MapLayout::new(sample, Size::new(width, 4)).unwrap();
        let sums = |width| CellSumsParams {
            cells: CellGrid::uniform(Size::new(width, 4), 4).unwrap(),
            fraction_bits: 31,
            active: None,
        };
        refused(CellSumsPlan::new(ctx, &map(MapSample::Bit, 8), &sums(8)), "input");
        refused(CellSumsPlan::new(ctx, &layout(PixelFormat::I010, (8, 4)), &sums(8)), "input");
        let mixed = BatchShape::mixed(PixelFormat::Gray8, Size::new(8, 4)).unwrap();
        refused(CellSumsPlan::new(ctx, mixed, &sums(8)), "input");
        refused(CellSumsPlan::new(ctx, &map(MapSample::U32, 32_769), &sums(32_769)), "input");
        refused(CellSumsPlan::new(ctx, &map(MapSample::F32, 8), &sums(9)), "cells");
        let bits = CellSumsParams { fraction_bits: 32, ..sums(8) };
        refused(CellSumsPlan::new(ctx, &map(MapSample::F32, 8), &bits), "fraction_bits");
        assert!(CellSumsPlan::new(ctx, &map(MapSample::U32, 8), &bits).is_ok());
        for threshold in [-1.0, 2.0, f64::NAN] {
            let active = Some(Active { threshold, origin: Origin::Cell });
            let params = CellSumsParams { active, ..sums(8) };
            refused(CellSumsPlan::new(ctx, &map(MapSample::F32, 8), &params), "threshold");
        }
        let plan = CellSumsPlan::new(ctx, &map(MapSample::U32, 8), &sums(8)).unwrap();
        let (src, dst) = (fields::poisoned_maps(ctx, &map(MapSample::U32, 8), 1), plan.output());
        refused(plan.bind(ctx, &src, 0, &fields::poisoned_maps(ctx, &map(MapSample::U32, 6), 1)), "output");
        refused(plan.bind(ctx, &src, 1, &fields::poisoned_maps(ctx, dst, 1)), "first");
        refused(plan.bind(ctx, &fields::poisoned_maps(ctx, dst, 1), 0, &src), "input");
        let active = Some(Active { threshold: 0.0, origin: Origin::Cell });
        let five = CellSumsPlan::new(ctx, src.layout(), &CellSumsParams { active, ..sums(8) }).unwrap();
        refused(five.bind(ctx, &src, 0, &fields::poisoned_maps(ctx, dst, 4)), "output");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("placement/cell_sums negative control", |ctx| {
        let mut trial = fields::maps(ctx, (33, 9), false, 1, 1);
        let cells = CellGrid::uniform(Size::new(33, 9), 16).unwrap();
        let active = Some(Active { threshold: 5.0, origin: Origin::Cell });
        let params = CellSumsParams { cells: cells.clone(), fraction_bits: 0, active };
        let got = read(ctx, &cell_sums(ctx, trial.source(), &params).unwrap(), 0, true);
        assert_eq!(got, want(&trial, &cells, active)[0]);
        let Data::Integers(values) = &mut trial.fields[0].1 else { panic!("integers") };
        values.swap(0, 1);
        assert_ne!(values[0], values[1]);
        assert_ne!(got, want(&trial, &cells, active)[0], "a moment must see two values exchanged");
    });
}
