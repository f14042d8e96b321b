//! Vectors for the tests, and what a search of all of them gives.

use frameloom::core::Neighbor;
use frameloom::core::random::{pcg4d, unit};
use frameloom::index::*;
use frameloom::ops::RowSample;

#[cfg(feature = "faiss")]
pub const DIM: usize = 376;

fn normal(counters: [u32; 4]) -> [f32; 2] {
    let [a, b, ..] = pcg4d(counters);
    let radius = (-2.0 * (1.0 - unit(a)).ln()).sqrt();
    let angle = std::f64::consts::TAU * unit(b);
    [(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]
}

fn gaussian(seed: u32, row: u32, dim: usize) -> impl Iterator<Item = f32> {
    (0..dim.div_ceil(2) as u32).flat_map(move |i| normal([seed, row, i, 77])).take(dim)
}

/// `count` rows of length 1 around `clusters` centres of length 1, as descriptors of pictures lie around kinds of pictures; `spread` is how far, in
/// parts of the centre's length.
pub fn clustered(seed: u32, count: u32, dim: usize, clusters: u32, spread: f32) -> Vec<f32> {
    let unit_length = |mut row: Vec<f32>| {
        let length = row.iter().map(|v| v * v).sum::<f32>().sqrt();
        row.iter_mut().for_each(|v| *v /= length);
        row
    };
    let centres: Vec<Vec<f32>> = (0..clusters).map(|c| unit_length(gaussian(1, c, dim).collect())).collect();
    let step = spread / (dim as f32).sqrt();
    let row = |i: u32| {
        let centre = &centres[pcg4d([seed, i, 3, 5])[0] as usize % clusters as usize];
        unit_length(centre.iter().zip(gaussian(seed, i, dim)).map(|(c, g)| c + step * g).collect())
    };
    (0..count).flat_map(row).collect()
}

/// Whole numbers in -4..4: many equal scores, all exact.
pub fn integers(seed: u32, count: usize) -> Vec<f32> {
    (0..count as u32).map(|i| (pcg4d([seed, i, 0, 9])[0] >> 29) as f32 - 4.0).collect()
}

pub fn held(dim: usize, values: &[f32]) -> Rows {
    Rows::new(dim, RowSample::F32, values.to_vec()).unwrap()
}

pub fn spec(text: &str) -> IndexSpec {
    text.parse().unwrap()
}

pub fn build(text: &str, rows: &Rows) -> Box<dyn VectorIndex> {
    build_index(&spec(text), rows, &IndexOptions::default()).unwrap_or_else(|e| panic!("{text}: {e}"))
}

pub fn host(rows: &Rows) -> FlatHost {
    FlatHost::new(rows, &IndexOptions::default())
}

/// Ids and bits of scores.
pub fn bits(found: &[Vec<Neighbor>]) -> Vec<Vec<(u32, u32)>> {
    found.iter().map(|found| found.iter().map(|n| (n.id, n.score.to_bits())).collect()).collect()
}

/// Rows in a file, mapped; the folder goes when it is dropped.
#[cfg(feature = "store")]
pub fn mapped(sample: RowSample, dim: usize, values: &[f32]) -> (tempfile::TempDir, Rows) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.rows");
    let mut writer = RowsWriter::create(&frameloom::store::OsIo, &path, dim, sample).unwrap();
    writer.push(values).unwrap();
    let written = writer.commit().unwrap();
    let rows = Rows::open(path, Some(&written.content)).unwrap();
    (dir, rows)
}

/// Another file of this name, with these bytes: what was mapped of the old one stays. Not durable, so that thousands are quick.
#[cfg(feature = "store")]
pub fn put(path: &std::path::Path, bytes: &[u8]) {
    use std::io::Write;
    if path.exists() {
        std::fs::remove_file(path).unwrap();
    }
    std::fs::File::create_new(path).unwrap().write_all(bytes).unwrap();
}
