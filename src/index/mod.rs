//! Vector indexes. `faiss::` appears in this folder only.

use faiss::Index as _;

use crate::error::{Error, Result};

/// Version of FAISS that the pinned `faiss` crate builds from source.
pub const FAISS_VERSION: &str = "1.12.0";

/// Builds a small exact index, searches it and compares with a plain loop: proves that FAISS and its BLAS work on this machine.
///
/// # Errors
/// [`Error::Index`] when FAISS fails or answers wrongly.
pub fn self_check() -> Result<()> {
    const DIM: usize = 16;
    const COUNT: usize = 64;
    let invalid = |message: String| Error::Index { cause: "invalid", message };
    let vectors: Vec<f32> = (0..COUNT * DIM).map(|i| ((i * 7919) % 101) as f32 / 101.0).collect();
    let mut index =
        faiss::index_factory(DIM as u32, "Flat", faiss::MetricType::L2).map_err(|e| invalid(format!("FAISS: {e}")))?;
    index.add(&vectors).map_err(|e| invalid(format!("FAISS: {e}")))?;
    // 32 queries take the matrix path, which needs BLAS.
    let queries = vectors.get(..32 * DIM).unwrap_or_default();
    let found = index.search(queries, 1).map_err(|e| invalid(format!("FAISS: {e}")))?;
    let right = found.labels.iter().enumerate().all(|(i, id)| id.get() == Some(i as u64));
    if right { Ok(()) } else { Err(invalid("FAISS does not find a vector as its own nearest neighbour".into())) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn faiss_works_here() {
        super::self_check().expect("FAISS");
    }
}
