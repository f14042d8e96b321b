//! The oracle of the oracle: the reference against golden vectors made by OpenCV and scikit-image (`scripts/golden/`).
//! No GPU. Each comparison is done twice: once as it is, and once with one value sabotaged, which the comparer must
//! reject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../support/compare.rs"]
mod compare;
#[path = "../support/golden.rs"]
mod golden;

mod canny;
mod color;
mod colors;
mod filter;
mod gradient;
mod heat;
mod hog;
mod motion;
mod occlusion;
mod planes;
mod resize;
mod tensor;
mod vectors;

use golden::Golden;

/// Compares with the tolerance of the file, then again with the value in the middle moved just beyond it.
fn check(file: &Golden, got: &[f64], wanted: &[f64]) {
    let bound = file.number("tolerance");
    if let Err(m) = compare::abs(got, wanted, bound) {
        panic!("{}: {m} (accepted: {bound}, {})", file.name, file.text("why"));
    }
    let mut sabotaged = got.to_vec();
    let middle = sabotaged.len() / 2;
    sabotaged[middle] = wanted[middle] + bound * 1.01 + 1e-3;
    let m = compare::abs(&sabotaged, wanted, bound).expect_err("a sabotaged value must be seen");
    assert_eq!((m.index, m.count), (middle, 1), "{}", file.name);
    // A result that belongs to another picture must not pass either, unless all its values are alike.
    let mut stale = got.to_vec();
    stale.rotate_left(1);
    let spread = |v: &[f64]| v.iter().zip(v.iter().skip(1)).any(|(a, b)| (a - b).abs() > 3.0 * bound + 1e-6);
    if spread(wanted) {
        assert!(compare::abs(&stale, wanted, bound).is_err(), "{}: a shifted result passed", file.name);
    }
}

fn wide<T: Copy + Into<f64>>(values: &[T]) -> Vec<f64> {
    values.iter().map(|v| (*v).into()).collect()
}
