//! Cuts between scenes: what is summed over two frames, and the score made from it.

/// Sums over the absolute differences of the 8-bit HSV of two frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HsvDifferenceSums {
    /// Sum of `|H - H'|`, in half degrees 0..=179 a pixel.
    pub hue: u64,
    /// Sum of `min(|H - H'|, 180 - |H - H'|)`: the short way round the circle, 0..=90 a pixel.
    pub hue_circular: u64,
    /// Sum of `|S - S'|`.
    pub saturation: u64,
    /// Sum of `|V - V'|`.
    pub value: u64,
    /// Number of pixels.
    pub n: u64,
}

/// How far two hues are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HueDistance {
    /// Difference of the codes: the two ends of red are 179 apart. As PySceneDetect.
    #[default]
    Linear,
    /// The short way round the circle.
    Circular,
}

/// Weights of the components.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CutWeights {
    /// Of the mean hue difference.
    pub hue: f64,
    /// Of the mean saturation difference.
    pub saturation: f64,
    /// Of the mean value difference.
    pub value: f64,
}

impl Default for CutWeights {
    fn default() -> Self {
        Self { hue: 1.0, saturation: 1.0, value: 1.0 }
    }
}

impl HsvDifferenceSums {
    /// Mean absolute differences of hue (half degrees), saturation and value; 0 for no pixels.
    pub fn means(&self, distance: HueDistance) -> [f64; 3] {
        let hue = match distance {
            HueDistance::Linear => self.hue,
            HueDistance::Circular => self.hue_circular,
        };
        let n = (self.n as f64).max(1.0);
        [hue, self.saturation, self.value].map(|sum| sum as f64 / n)
    }

    /// Content score, 0..=255: weighted mean of [`Self::means`], divided by the sum of the absolute weights (0 without weights). A
    /// cut is where it reaches a threshold, commonly 27 to 30. The score of PySceneDetect's content detector without its edge term,
    /// whose weight is 0 by default there.
    pub fn content_score(&self, weights: CutWeights, distance: HueDistance) -> f64 {
        let [hue, saturation, value] = self.means(distance);
        let total = weights.hue.abs() + weights.saturation.abs() + weights.value.abs();
        if total == 0.0 {
            return 0.0;
        }
        (hue * weights.hue + saturation * weights.saturation + value * weights.value) / total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_by_hand() {
        let sums = HsvDifferenceSums { hue: 400, hue_circular: 40, saturation: 80, value: 120, n: 4 };
        assert_eq!(sums.means(HueDistance::Linear), [100.0, 20.0, 30.0]);
        let score = |w, d| sums.content_score(w, d);
        assert_eq!(score(CutWeights::default(), HueDistance::Linear), 50.0);
        assert_eq!(score(CutWeights::default(), HueDistance::Circular), 20.0);
        let value_only = CutWeights { hue: 0.0, saturation: 0.0, value: 2.0 };
        assert_eq!(score(value_only, HueDistance::Linear), 30.0);
        let negative = CutWeights { hue: -1.0, saturation: 0.0, value: 1.0 };
        assert_eq!(score(negative, HueDistance::Linear), -35.0);
    }

    #[test]
    fn nothing_scores_nothing() {
        let none = HsvDifferenceSums::default();
        assert_eq!(none.content_score(CutWeights::default(), HueDistance::Circular), 0.0);
        let weightless = CutWeights { hue: 0.0, saturation: 0.0, value: 0.0 };
        assert_eq!(HsvDifferenceSums { hue: 9, n: 1, ..none }.content_score(weightless, HueDistance::Linear), 0.0);
    }
}
