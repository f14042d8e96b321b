//! What a track looks like: the mean direction of the vectors of its detections.

/// A unit vector that follows those of the detections.
#[derive(Debug, Clone, Default)]
pub(super) struct Appearance(Vec<f32>);

/// Share of the old vector that stays; Zhang et al., "FairMOT", IJCV 2021, used by BoT-SORT and Deep OC-SORT.
const KEEP: f32 = 0.9;

fn length(v: &[f32]) -> f32 {
    v.iter().map(|x| x * x).sum::<f32>().sqrt()
}

impl Appearance {
    /// Blends the vector of a detection in. One of another length replaces what is there; one without direction says nothing.
    pub(super) fn take(&mut self, seen: Option<&[f32]>) {
        let Some(seen) = seen else { return };
        let norm = length(seen);
        if norm <= 0.0 {
            return;
        }
        if self.0.len() != seen.len() {
            self.0 = seen.iter().map(|v| v / norm).collect();
            return;
        }
        self.0.iter_mut().zip(seen).for_each(|(a, b)| *a = KEEP * *a + (1.0 - KEEP) * b / norm);
        let norm = length(&self.0);
        if norm > 0.0 {
            self.0.iter_mut().for_each(|a| *a /= norm);
        }
    }

    /// Cosine of the angle to a detection's vector; `None` where one of them says nothing.
    pub(super) fn cosine(&self, seen: Option<&[f32]>) -> Option<f64> {
        let seen = seen.filter(|s| !s.is_empty() && s.len() == self.0.len())?;
        let norm = length(seen);
        if norm <= 0.0 {
            return None;
        }
        let dot: f32 = self.0.iter().zip(seen).map(|(a, b)| a * b).sum();
        Some(f64::from(dot / norm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_are_blended_and_compared() {
        let mut a = Appearance::default();
        assert_eq!(a.cosine(Some(&[1.0, 0.0])), None);
        a.take(Some(&[0.0, 0.0]));
        assert_eq!(a.cosine(Some(&[1.0, 0.0])), None);
        a.take(Some(&[3.0, 0.0]));
        assert_eq!(a.cosine(Some(&[0.5, 0.0])), Some(1.0));
        a.take(Some(&[0.0, 8.0]));
        // 0.9 and 0.1, made a unit vector.
        let wanted = 0.9 / 0.9f64.hypot(0.1);
        assert!((a.cosine(Some(&[2.0, 0.0])).unwrap() - wanted).abs() < 1e-6);
        assert_eq!((a.cosine(None), a.cosine(Some(&[1.0]))), (None, None));
    }
}
