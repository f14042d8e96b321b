//! `edges/edge_density`: how many pixels lie on edges.

use crate::core::EdgeCount;

/// `edges`: an edge map, one byte a pixel, zero or not. Counts the others than zero.
pub fn edge_density(edges: &[u8]) -> EdgeCount {
    EdgeCount { edges: edges.iter().filter(|v| **v != 0).count() as u64, pixels: edges.len() as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_by_hand() {
        let count = edge_density(&[0, 255, 1, 0, 0]);
        assert_eq!((count.edges, count.pixels, count.share()), (2, 5, 0.4));
        assert_eq!(edge_density(&[]), EdgeCount::default());
    }
}
