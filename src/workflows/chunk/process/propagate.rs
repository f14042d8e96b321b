//! Results of a chunk carried over from the frames next to it.

use crate::error::{Error, Result};

/// Values of a chunk in one frame: a mask, a score map, anything that has one number per place.
pub type ChunkData = Vec<f32>;

/// Values of the same chunk in another frame, and how far they are trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour<'a> {
    /// As many as those of the frame itself.
    pub values: &'a [f32],
    /// From 0 on; only ratios between neighbours count.
    pub confidence: f64,
}

fn wrong<T>(name: &'static str, wanted: impl Into<String>, given: impl ToString) -> Result<T> {
    Err(Error::Parameter { op: "chunk/propagate", name, wanted: wanted.into(), given: given.to_string() })
}

/// `(1 - b) current + b mean`, where the mean is that of the frame before and the frame after, as far as they exist; without either,
/// `current`. `blend` is `b`, 0..=1; the original's is 0.3.
///
/// # Errors
/// [`Error::Parameter`] for a blend out of range and another number of values.
pub fn propagate_chunk_data(
    previous: Option<&[f32]>,
    current: &[f32],
    next: Option<&[f32]>,
    blend: f64,
) -> Result<ChunkData> {
    let neighbours: Vec<_> =
        previous.into_iter().chain(next).map(|values| Neighbour { values, confidence: 1.0 }).collect();
    propagate_weighted(current, 1.0, &neighbours, blend)
}

/// The same with confidences, for any number of neighbours: their mean is weighted by confidence, and where the frame itself is trusted
/// less than they are, more of the mean is taken, `b' = b n / (b n + (1 - b) c)` with `c` its confidence and `n` the mean one of the
/// neighbours that have any. With equal confidences this is [`propagate_chunk_data`].
///
/// Neighbours of confidence 0 are left out; without any other, the result is `current`. A frame of confidence 0 takes the mean alone,
/// unless `blend` is 0.
///
/// # Errors
/// [`Error::Parameter`] for a blend out of range, another number of values, and confidences that are negative or not finite.
pub fn propagate_weighted(
    current: &[f32],
    confidence: f64,
    neighbours: &[Neighbour<'_>],
    blend: f64,
) -> Result<ChunkData> {
    if !(0.0..=1.0).contains(&blend) {
        return wrong("blend", "0 to 1", blend);
    }
    for c in neighbours.iter().map(|n| n.confidence).chain([confidence]) {
        if !c.is_finite() || c < 0.0 {
            return wrong("confidence", "finite and not negative", c);
        }
    }
    if let Some(n) = neighbours.iter().find(|n| n.values.len() != current.len()) {
        return wrong("values", format!("{} as in the frame itself", current.len()), n.values.len());
    }
    let trusted: Vec<_> = neighbours.iter().filter(|n| n.confidence > 0.0).collect();
    let total: f64 = trusted.iter().map(|n| n.confidence).sum();
    if total <= 0.0 || blend == 0.0 {
        return Ok(current.to_vec());
    }
    let (theirs, own) = (blend * total / trusted.len() as f64, (1.0 - blend) * confidence);
    let share = if own + theirs > 0.0 { theirs / (theirs + own) } else { 1.0 };
    let value = |(i, v): (usize, &f32)| {
        let sum: f64 = trusted.iter().filter_map(|n| Some(f64::from(*n.values.get(i)?) * n.confidence)).sum();
        ((1.0 - share) * f64::from(*v) + share * sum / total) as f32
    };
    Ok(current.iter().enumerate().map(value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derived_rule_by_hand() {
        let of = |p: Option<&[f32]>, n: Option<&[f32]>, b| propagate_chunk_data(p, &[1.0, 0.0], n, b).unwrap();
        assert_eq!(of(None, None, 0.3), [1.0, 0.0]);
        let close = |got: Vec<f32>, want: [f32; 2]| got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-6);
        assert!(close(of(Some(&[0.0, 1.0]), Some(&[0.5, 1.0]), 0.3), [0.7 + 0.3 * 0.25, 0.3]));
        assert!(close(of(Some(&[0.0, 1.0]), None, 0.3), [0.7, 0.3]));
        assert!(close(of(None, Some(&[0.0, 1.0]), 1.0), [0.0, 1.0]));
        assert!(close(of(Some(&[0.0, 1.0]), None, 0.0), [1.0, 0.0]));
        assert!(propagate_chunk_data(Some(&[1.0]), &[1.0, 2.0], None, 0.3).is_err());
        assert!(propagate_chunk_data(None, &[1.0], None, 1.5).is_err());
        assert!(propagate_chunk_data(None, &[1.0], None, f64::NAN).is_err());
    }

    #[test]
    fn confidence_moves_the_blend() {
        let n = |values, confidence| Neighbour { values, confidence };
        let of = |c, list: &[Neighbour<'_>]| propagate_weighted(&[0.0], c, list, 0.3).unwrap()[0];
        let (zero, one) = ([0.0f32], [1.0f32]);
        // Weighted mean 0.75; equal mean confidences leave the blend alone.
        assert!((of(2.0, &[n(&one, 3.0), n(&zero, 1.0)]) - 0.3 * 0.75).abs() < 1e-6);
        // A neighbour trusted three times as much: 0.9 / (0.9 + 0.7).
        assert!((of(1.0, &[n(&one, 3.0)]) - 0.5625).abs() < 1e-6);
        assert_eq!(of(0.0, &[n(&one, 0.5)]), 1.0);
        assert_eq!(of(1.0, &[n(&one, 0.0)]), 0.0);
        assert!(propagate_weighted(&[0.0], -1.0, &[], 0.3).is_err());
        assert!(propagate_weighted(&[0.0], 1.0, &[n(&one, f64::INFINITY)], 0.3).is_err());
    }
}
