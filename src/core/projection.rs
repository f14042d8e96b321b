//! Matrices of normal random numbers that project long vectors onto short ones, the same on every machine.

/// The Mersenne Twister of 32 bits (Matsumoto and Nishimura 1998), seeded by one number as `init_genrand` of 2002 does.
#[derive(Debug, Clone)]
pub struct MersenneTwister {
    state: [u32; Self::N],
    next: usize,
}

impl MersenneTwister {
    const N: usize = 624;
    const M: usize = 397;

    /// The generator of `seed`.
    pub fn new(seed: u32) -> Self {
        let mut state = [0; Self::N];
        let mut word = seed;
        for (i, slot) in (1u32..).zip(state.iter_mut()) {
            *slot = word;
            word = 1_812_433_253u32.wrapping_mul(word ^ word >> 30).wrapping_add(i);
        }
        Self { state, next: Self::N }
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.next >= Self::N {
            self.twist();
        }
        let mut y = self.state.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9d2c_5680;
        y ^= y << 15 & 0xefc6_0000;
        y ^ y >> 18
    }

    /// The next number in 0..1 with 53 random bits, from two words.
    pub fn next_f64(&mut self) -> f64 {
        let (high, low) = (self.next_u32() >> 5, self.next_u32() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    fn twist(&mut self) {
        let at = |state: &[u32; Self::N], i: usize| state.get(i % Self::N).copied().unwrap_or(0);
        for i in 0..Self::N {
            let y = at(&self.state, i) & 0x8000_0000 | at(&self.state, i + 1) & 0x7fff_ffff;
            let word = at(&self.state, i + Self::M) ^ y >> 1 ^ if y & 1 == 1 { 0x9908_b0df } else { 0 };
            if let Some(slot) = self.state.get_mut(i) {
                *slot = word;
            }
        }
        self.next = 0;
    }
}

/// Normal random numbers by Marsaglia's polar method, in pairs: of the two of an accepted point the one of the second coordinate comes
/// first.
#[derive(Debug, Clone)]
pub struct PolarNormal {
    generator: MersenneTwister,
    kept: Option<f64>,
}

impl PolarNormal {
    /// The numbers of `seed`.
    pub fn new(seed: u32) -> Self {
        Self { generator: MersenneTwister::new(seed), kept: None }
    }
}

impl Iterator for PolarNormal {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        if let Some(kept) = self.kept.take() {
            return Some(kept);
        }
        loop {
            let (a, b) = (2.0 * self.generator.next_f64() - 1.0, 2.0 * self.generator.next_f64() - 1.0);
            let square = a * a + b * b;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.kept = Some(factor * a);
                return Some(factor * b);
            }
        }
    }
}

/// `outputs` rows of `inputs` numbers from N(0, 1) / sqrt(outputs): lengths are kept in the mean (Johnson and Lindenstrauss 1984).
/// Row by row in the order of [`PolarNormal`]; computed in f64, rounded to f32 once.
pub fn projection_matrix(seed: u32, outputs: u32, inputs: u32) -> Vec<f32> {
    let scale = 1.0 / f64::from(outputs).sqrt();
    let count = outputs as usize * inputs as usize;
    PolarNormal::new(seed).take(count).map(|v| (v * scale) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twister_gives_the_published_numbers() {
        // The default seed of the C++ standard's mt19937: its 10000th number is fixed there.
        let mut twister = MersenneTwister::new(5489);
        let last = (0..10_000).map(|_| twister.next_u32()).last();
        assert_eq!(last, Some(4_123_659_995));
    }

    #[test]
    fn the_first_normal_numbers_are_the_familiar_ones() {
        let first: Vec<f64> = PolarNormal::new(42).take(4).map(|v| (v * 1e6).round() / 1e6).collect();
        assert_eq!(first, [0.496_714, -0.138_264, 0.647_689, 1.523_030]);
    }

    #[test]
    fn a_matrix_keeps_lengths_in_the_mean() {
        let matrix = projection_matrix(7, 64, 500);
        let mean_square = matrix.iter().map(|v| f64::from(v * v)).sum::<f64>() / 500.0;
        assert!((mean_square - 1.0).abs() < 0.03, "{mean_square}");
    }
}
