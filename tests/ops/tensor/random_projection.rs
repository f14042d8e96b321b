use crate::gpu::on_every_adapter;
use crate::results::{refused, run};
use crate::table;
use crate::vectors::*;
use frameloom::core::projection_matrix;
use frameloom::gpu::{AdapterClass, GpuContext};
use frameloom::ops::tensor::random_projection::{INFO, Projection, RandomProjectionPlan, random_projection};
use frameloom::ops::{RowSample, RowsLayout};
use frameloom::reference::tensor::random_projection::random_projection as reference;

const BOTH: [AdapterClass; 2] = [AdapterClass::Cpu, AdapterClass::Gpu];

fn absolute(values: &[f32]) -> Vec<f32> {
    values.iter().map(|v| v.abs()).collect()
}

/// The promise of the registry: for each rounding, in units of the sum of magnitudes.
fn allowed(rows: &[f32], matrix: &[f32], dim: usize) -> Vec<f64> {
    let sums = reference(&absolute(rows), &absolute(matrix), dim).unwrap();
    sums.iter().map(|s| promised(&INFO) * (dim + 4) as f64 * f64::from(*s)).collect()
}

/// A matrix as it lies on the device.
fn rounded(matrix: &[f32], sample: RowSample) -> Vec<f32> {
    match sample {
        RowSample::F32 => matrix.to_vec(),
        RowSample::F16 => matrix.iter().map(|v| half::f16::from_f32(*v).to_f32()).collect(),
    }
}

fn check(ctx: &GpuContext, dim: usize, outputs: u32, count: u32, sample: RowSample) {
    let values = numbers(dim as u32 + outputs, dim * count as usize);
    let projection = Projection::gaussian(ctx, outputs, outputs, dim as u32, sample).unwrap();
    let matrix = rounded(projection.matrix(), sample);
    let (want, allowed) = (reference(&values, &matrix, dim).unwrap(), allowed(&values, &matrix, dim));
    let src = upload_rows(ctx, RowSample::F32, dim, &values);
    for class in BOTH {
        let plan = RandomProjectionPlan::for_class(ctx, &projection, class).unwrap();
        let dst = poisoned_rows(ctx, *plan.output(), count + 2);
        let bound = plan.bind(ctx, &src, 0, &dst, 1).unwrap();
        for _ in 0..2 {
            run(ctx, |rec| bound.record(rec, count));
        }
        let got = dst.read(ctx, count + 1).unwrap()[outputs as usize..].to_vec();
        close(&got, &want, |i| allowed[i], format!("{count} x {dim} to {outputs} {sample} {class:?}"));
        zero_padding(ctx, &dst, 1..count + 1);
    }
}

#[test]
fn equals_the_reference() {
    on_every_adapter("tensor/random_projection equals the reference", |ctx| {
        for (i, (dim, outputs, count)) in [
            (1, 1, 1),
            (3, 2, 5),
            (4, 4, 4),
            (5, 7, 9),
            (17, 31, 3),
            (64, 64, 64),
            (63, 65, 66),
            (100, 33, 129),
            (512, 256, 8),
            (4099, 5, 2),
        ]
        .into_iter()
        .enumerate()
        {
            check(ctx, dim, outputs, count, [RowSample::F32, RowSample::F16][i % 2]);
            check(ctx, dim, outputs.div_ceil(2), count, [RowSample::F16, RowSample::F32][i % 2]);
        }
    });
}

#[test]
fn the_longest_rows_end_where_they_should() {
    on_every_adapter("tensor/random_projection longest rows", |ctx| {
        let dim = RowsLayout::MAX_DIM as usize;
        let (values, matrix) = (integers(3, 2 * dim), integers(4, dim));
        let layout = RowsLayout::new(RowSample::F16, dim as u32).unwrap();
        let projection = Projection::from_rows(ctx, &matrix, layout).unwrap();
        let src = upload_rows(ctx, RowSample::F32, dim, &values);
        for class in BOTH {
            let plan = RandomProjectionPlan::for_class(ctx, &projection, class).unwrap();
            let dst = poisoned_rows(ctx, *plan.output(), 2);
            let bound = plan.bind(ctx, &src, 0, &dst, 0).unwrap();
            run(ctx, |rec| bound.record(rec, 2));
            // Whole numbers whose sums stay below 2^24: exact.
            assert_eq!(dst.read(ctx, 2).unwrap(), reference(&values, &matrix, dim).unwrap(), "{class:?}");
        }
    });
}

#[test]
fn the_host_path_equals_the_reference() {
    on_every_adapter("tensor/random_projection host", |ctx| {
        for (dim, outputs, count, threads) in
            [(1, 1, 1, 1), (9, 5, 3, 2), (100, 33, 7, 3), (512, 64, 4, 2), (8, 3, 0, 2)]
        {
            let values = numbers(9, dim * count);
            let projection = Projection::gaussian(ctx, 5, outputs, dim as u32, RowSample::F16).unwrap();
            let got = projection.project_on_host(&values, threads).unwrap();
            let allowed = allowed(&values, projection.matrix(), dim);
            let want = reference(&values, projection.matrix(), dim).unwrap();
            assert!(count > 0 || got.is_empty());
            if count > 0 {
                close(&got, &want, |i| allowed[i], format!("{dim} {outputs} {count} {threads}"));
            }
        }
        let projection = Projection::gaussian(ctx, 5, 3, 8, RowSample::F32).unwrap();
        refused(projection.project_on_host(&[0.0; 9], 1), "input");
    });
}

#[test]
fn projection_is_linear_and_binds_from_later_rows() {
    on_every_adapter("tensor/random_projection slots", |ctx| {
        let (dim, outputs) = (77usize, 21usize);
        let mut values = integers(6, 4 * dim);
        let sum: Vec<f32> = (0..dim).map(|i| values[dim + i] + values[2 * dim + i]).collect();
        values.extend(sum);
        let layout = RowsLayout::new(RowSample::F32, dim as u32).unwrap();
        let projection = Projection::from_rows(ctx, &integers(7, outputs * dim), layout).unwrap();
        let src = upload_rows(ctx, RowSample::F32, dim, &values);
        for class in BOTH {
            let plan = RandomProjectionPlan::for_class(ctx, &projection, class).unwrap();
            let dst = poisoned_rows(ctx, *plan.output(), 7);
            let bound = plan.bind(ctx, &src, 1, &dst, 2).unwrap();
            assert_eq!(bound.capacity(), 4);
            run(ctx, |rec| bound.record(rec, 99));
            zero_padding(ctx, &dst, 2..6);
            let got = dst.read(ctx, 6).unwrap()[2 * outputs..].to_vec();
            assert_eq!(got, reference(&values[dim..], projection.matrix(), dim).unwrap(), "{class:?}");
            assert!((0..outputs).all(|i| got[i] + got[outputs + i] == got[3 * outputs + i]));
        }
        let noise = upload_rows(ctx, RowSample::F32, dim, &numbers(8, 5 * dim));
        table::deterministic(|| random_projection(ctx, &noise, &projection).unwrap().read(ctx, 5).unwrap());
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    on_every_adapter("tensor/random_projection refuses", |ctx| {
        refused(Projection::gaussian(ctx, 1, 0, 4, RowSample::F32), "outputs");
        refused(Projection::gaussian(ctx, 1, 4, 0, RowSample::F32), "dim");
        let layout = RowsLayout::new(RowSample::F32, 8).unwrap();
        refused(Projection::from_rows(ctx, &[], layout), "matrix");
        refused(Projection::from_rows(ctx, &[0.0; 12], layout), "matrix");
        let plan =
            RandomProjectionPlan::new(ctx, &Projection::gaussian(ctx, 1, 3, 8, RowSample::F32).unwrap()).unwrap();
        let src = upload_rows(ctx, RowSample::F32, 8, &numbers(1, 16));
        let dst = poisoned_rows(ctx, *plan.output(), 2);
        refused(plan.bind(ctx, &dst, 0, &dst, 0), "input");
        refused(plan.bind(ctx, &src, 0, &src, 0), "output");
        refused(plan.bind(ctx, &upload_rows(ctx, RowSample::F16, 8, &numbers(1, 16)), 0, &dst, 0), "input");
        refused(plan.bind(ctx, &src, 2, &dst, 0), "rows");
    });
}

#[test]
fn a_sabotaged_reference_is_rejected() {
    on_every_adapter("tensor/random_projection negative control", |ctx| {
        let (dim, values) = (300usize, numbers(5, 900));
        let projection = Projection::gaussian(ctx, 42, 9, 300, RowSample::F32).unwrap();
        let src = upload_rows(ctx, RowSample::F32, dim, &values);
        let got = random_projection(ctx, &src, &projection).unwrap().read(ctx, 3).unwrap();
        let allowed = allowed(&values, projection.matrix(), dim);
        let against = |v: &[f32], m: &[f32]| violation(&got, &reference(v, m, dim).unwrap(), |i| allowed[i]);
        assert_eq!(against(&values, projection.matrix()), None);
        let mut other = values.clone();
        other[899] = 0.0;
        assert!(against(&other, projection.matrix()).is_some(), "the last number does not count");
        assert!(against(&values, &projection_matrix(43, 9, 300)).is_some(), "another seed");
        assert!(against(&values, &rounded(projection.matrix(), RowSample::F16)).is_some(), "another type");
    });
}

/// The descriptors of another implementation, before and after its projection.
#[test]
fn agrees_with_the_recorded_projection_of_spatial_colour() {
    on_every_adapter("tensor/random_projection recorded", |ctx| {
        let Some(folder) = std::env::var_os("FRAMELOOM_TESTDATA") else {
            eprintln!("NOT TESTED: FRAMELOOM_TESTDATA is not set; the recorded projections lie beside that folder");
            return;
        };
        let read = |name: &str| -> serde_json::Value {
            let path = std::path::Path::new(&folder).join("../golden").join(name);
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
                .unwrap()
        };
        let (wanted, sources) = (read("fluxframe_spatial_color_256.json"), read("fluxframe_descriptors.json"));
        let list = |v: &serde_json::Value| -> Vec<f32> {
            v.as_array().unwrap().iter().map(|v| v.as_f64().unwrap() as f32).collect()
        };
        let projection = Projection::gaussian(ctx, 42, 256, 8192, RowSample::F32).unwrap();
        let matrix = projection.matrix();
        assert_eq!(matrix[..8], list(&wanted["matrix_first_row_8"]));
        assert_eq!(matrix[matrix.len() - 4..], list(&wanted["matrix_last_row_last_4"]));
        let (mut values, mut want) = (Vec::new(), Vec::new());
        for (name, projected) in wanted["projected"].as_object().unwrap() {
            let edge = &sources[name]["spatial_color"]["edge"];
            let mut row = vec![0.0f32; edge["len"].as_u64().unwrap() as usize];
            for pair in edge["nz"].as_array().unwrap() {
                row[pair[0].as_u64().unwrap() as usize] = pair[1].as_f64().unwrap() as f32;
            }
            values.extend(row);
            want.extend(list(projected));
        }
        assert_eq!((values.len(), want.len()), (9 * 8192, 9 * 256));
        let src = upload_rows(ctx, RowSample::F32, 8192, &values);
        let got = random_projection(ctx, &src, &projection).unwrap().read(ctx, 9).unwrap();
        close(&got, &want, |_| 1e-4, "kernel");
        close(&projection.project_on_host(&values, 2).unwrap(), &want, |_| 1e-4, "host");
    });
}
