//! What a search for the nearest vectors means and gives.

/// How near two vectors are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Inner product: the larger, the nearer. Cosine for vectors of unit length.
    InnerProduct,
    /// Squared Euclidean distance: the smaller, the nearer.
    L2,
}

impl Metric {
    /// Whether score `a` is strictly nearer than `b`.
    pub fn nearer(self, a: f64, b: f64) -> bool {
        match self {
            Self::InnerProduct => a > b,
            Self::L2 => a < b,
        }
    }
}

/// A vector that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbor {
    /// Its number, in the order in which vectors were added, from 0.
    pub id: u32,
    /// Inner product or squared distance.
    pub score: f32,
}
