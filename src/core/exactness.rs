//! How close a kernel comes to its reference. Declared per operation with a reason; tests read it from there.

/// Promise of an operation about the distance between its kernel and its reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Exactness {
    /// Every bit equal.
    Exact,
    /// At most this many units in the last place.
    Ulp(u32),
    /// At most this absolute difference, in units of the output.
    Abs(f64),
}

impl std::fmt::Display for Exactness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact => f.write_str("exact"),
            Self::Ulp(n) => write!(f, "{n} ulp"),
            Self::Abs(x) => write!(f, "abs {x}"),
        }
    }
}
