//! Declared work of an operation, so that a benchmark can say which share of the machine was used.

/// Least work an operation must do on a given input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Bytes that must be read at least once.
    pub bytes_read: u64,
    /// Bytes that must be written at least once.
    pub bytes_written: u64,
    /// Arithmetic operations, roughly.
    pub ops: u64,
}

impl Work {
    /// Bytes read and written together.
    pub const fn bytes(&self) -> u64 {
        self.bytes_read + self.bytes_written
    }
}
