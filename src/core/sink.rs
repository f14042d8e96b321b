//! Where a decoder writes rows: memory that may be write-only.

/// A place for the bytes of a frame slot. It may be mapped GPU memory that must not be read, so rows are written and nothing else.
pub trait RowSink {
    /// Bytes that can be written, from offset 0.
    fn capacity(&self) -> usize;

    /// Writes `bytes` at `offset`. The caller has checked that they end within [`RowSink::capacity`]; bytes that do not are not written.
    fn write(&mut self, offset: usize, bytes: &[u8]);
}

impl RowSink for [u8] {
    fn capacity(&self) -> usize {
        self.len()
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        if let Some(to) = offset.checked_add(bytes.len()).and_then(|end| self.get_mut(offset..end)) {
            to.copy_from_slice(bytes);
        }
    }
}

/// Its bytes as they are: it does not grow.
impl RowSink for Vec<u8> {
    fn capacity(&self) -> usize {
        self.len()
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        self.as_mut_slice().write(offset, bytes);
    }
}
