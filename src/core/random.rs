//! Counter-based random numbers: a word is a function of counters alone, so that host and kernels (`kernels/common/random.wgsl`), any
//! batch size and any order of work agree.

/// Four random words for four counters: pcg4d of Jarzynski and Olano, "Hash Functions for GPU Rendering", Journal of Computer Graphics
/// Techniques 9 (3), 2020. All arithmetic modulo 2^32.
pub const fn pcg4d(counters: [u32; 4]) -> [u32; 4] {
    const fn start(v: u32) -> u32 {
        v.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
    }
    const fn mix([x, y, z, w]: [u32; 4]) -> [u32; 4] {
        let x = x.wrapping_add(y.wrapping_mul(w));
        let y = y.wrapping_add(z.wrapping_mul(x));
        let z = z.wrapping_add(x.wrapping_mul(y));
        [x, y, z, w.wrapping_add(y.wrapping_mul(z))]
    }
    let [a, b, c, d] = counters;
    let [x, y, z, w] = mix([start(a), start(b), start(c), start(d)]);
    mix([x ^ (x >> 16), y ^ (y >> 16), z ^ (z >> 16), w ^ (w >> 16)])
}

/// Last counters of the random words: what they are drawn for. Operations never share words.
pub mod stream {
    /// Noise of a pixel; item = y * width + x.
    pub const NOISE: u32 = 1;
    /// Whether and where a rectangle is erased; item = rectangle * 16 + attempt.
    pub const ERASE: u32 = 2;
    /// Which cells are hidden; item = cell, row by row.
    pub const HIDE: u32 = 3;
    /// Offset and angle of a grid; item 0.
    pub const GRID: u32 = 4;
    /// Which candidate stands for a frame; item 0.
    pub const SELECT: u32 = 5;
}

/// Random words of one picture. `picture` is the picture's own number (in its folder, in its stream), not its slot in a batch, so that
/// the size of batches never changes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Draw {
    /// Another seed gives other words for all pictures.
    pub seed: u32,
    /// Number of the picture.
    pub picture: u32,
}

impl Draw {
    /// Four words: `pcg4d([seed, picture, item, stream])`.
    pub const fn words(self, item: u32, stream: u32) -> [u32; 4] {
        pcg4d([self.seed, self.picture, item, stream])
    }
}

/// A number in `0..n` (0 for `n == 0`): `word * n / 2^32`, rounded down.
pub const fn below(word: u32, n: u32) -> u32 {
    ((word as u64 * n as u64) >> 32) as u32
}

/// A number in `0.0..1.0`: `word / 2^32`, exactly.
pub fn unit(word: u32) -> f64 {
    f64::from(word) / 4_294_967_296.0
}

/// Whether an event of probability `parts / 65 536` happens.
pub const fn happens(word: u32, parts: u32) -> bool {
    word >> 16 < parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_by_hand() {
        // Worked out with integers of any length.
        assert_eq!(pcg4d([0; 4]), [0x0F02_F829, 0x2D56_8769, 0x32B0_C43B, 0xD325_48EA]);
        assert_eq!(pcg4d([1, 2, 3, 4]), [0x3622_CD16, 0xF114_71D8, 0xE110_9B3F, 0x02B9_4C2F]);
        let all: Vec<u32> = (0..64).flat_map(|i| Draw { seed: 1, picture: 2 }.words(i, 3)).collect();
        let mut unique = all.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), all.len());
    }

    #[test]
    fn every_counter_and_every_bit_matters() {
        for word in 0..4 {
            for bit in 0..32 {
                let mut counters = [7, 8, 9, 10];
                counters[word] ^= 1u32 << bit;
                assert_ne!(pcg4d(counters), pcg4d([7, 8, 9, 10]), "{word} {bit}");
            }
        }
    }

    #[test]
    fn numbers_are_even_and_stay_in_range() {
        let mut bins = [0u32; 10];
        for i in 0..10_000 {
            let [a, b, c, d] = Draw { seed: 5, picture: 6 }.words(i, 7);
            bins[below(a, 10) as usize] += 1;
            assert!((0.0..1.0).contains(&unit(b)));
            assert!(happens(c, 65_536) && !happens(d, 0));
        }
        assert!(bins.iter().all(|n| (900..1100).contains(n)), "{bins:?}");
        assert_eq!((below(u32::MAX, 10), below(0, 10), below(9, 0)), (9, 0, 0));
        let half = (0..10_000).filter(|i| happens(Draw::default().words(*i, 1)[0], 32_768)).count();
        assert!((4_800..5_200).contains(&half), "{half}");
    }
}
