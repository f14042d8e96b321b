//! Vectors in few bytes, and bytes as text: so that journals and files stay small and are read back to the bit.

use std::fmt::Write as _;

/// A vector with each number as one of 255 steps of the largest; `None` for one of zeros or of numbers that are none. Cosines of such vectors are
/// within about 0.001 of those of the vectors themselves.
pub(super) fn in_steps(vector: &[f32]) -> Option<Vec<i8>> {
    let largest = vector.iter().fold(0f32, |m, v| m.max(v.abs()));
    let usable = largest > 0.0 && largest.is_finite() && vector.iter().all(|v| v.is_finite());
    usable.then(|| vector.iter().map(|v| (v / largest * 127.0).round() as i8).collect())
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: impl IntoIterator<Item = u8>) -> String {
    bytes.into_iter().fold(String::new(), |mut text, b| {
        // Writing into a string does not fail.
        let _ = write!(text, "{b:02x}");
        text
    })
}

/// The bytes of [`hex`]; digits that are none count as 0.
pub(super) fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| (c as char).to_digit(16).unwrap_or(0) as u8;
    hex.as_bytes().as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}
