//! Deterministic test pictures: the same samples on every machine, for any size, format and stride. Tests, examples
//! and benches all take their pictures from here.

use crate::core::{FrameLayout, PixelFormat, Size};

/// What to paint. Values are codes of the sample depth (8 or 10 bits); padding bytes always hold noise, so that a
/// kernel that lets them reach a result is caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Independent, uniformly distributed samples: the hardest input for compression, histograms and rounding.
    Random {
        /// Another seed gives another picture.
        seed: u64,
    },
    /// One code everywhere, given in 8 bits: the worst contention for atomics.
    Constant {
        /// 8-bit code; for 10 bits widened so that 255 becomes 1023.
        level: u8,
    },
    /// From 0 to the largest code: to the right in the first component, downwards in the second, both at once in the
    /// others.
    Ramp,
    /// Squares of 0 and the largest code, one pixel wide; the top-left one is 0.
    Checkerboard,
    /// 0 but for one sample of the largest code, at the middle of each component.
    Impulse,
    /// Smooth waves, sharp edges and some noise: statistics like a photograph.
    Natural {
        /// Another seed gives other noise and phases.
        seed: u64,
        /// Moves waves and edges to the left by this many pixels: pictures with growing shift are a moving scene.
        shift: u32,
    },
}

/// One step of SplitMix64 (Steele, Lea, Flood 2014): a bijection of 64-bit words without visible structure.
pub const fn splitmix64(counter: u64) -> u64 {
    let z = counter.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// `count` bytes of the generator that also makes golden pictures: `s = 1664525*s + 1013904223 mod 2^32`, byte = `s >>
/// 24`, from `s = seed`.
pub fn lcg_bytes(seed: u32, count: usize) -> Vec<u8> {
    let mut s = seed;
    std::iter::repeat_with(|| {
        s = s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (s >> 24) as u8
    })
    .take(count)
    .collect()
}

/// An integer wave between -1000 and 1000 with period 256, made of parabolas: a sine without the libm of the machine.
const fn wave(phase: u32) -> i32 {
    let p = (phase & 127) as i32;
    let half = p * (128 - p) * 1000 / 4096;
    if phase & 128 == 0 { half } else { -half }
}

impl Pattern {
    /// One of each kind, for tests that should see them all.
    pub const COMMON: [Self; 7] = [
        Self::Random { seed: 1 },
        Self::Constant { level: 0 },
        Self::Constant { level: 255 },
        Self::Ramp,
        Self::Checkerboard,
        Self::Impulse,
        Self::Natural { seed: 1, shift: 0 },
    ];

    /// Short name, as in reports.
    pub fn name(self) -> String {
        match self {
            Self::Random { seed } => format!("random{seed}"),
            Self::Constant { level } => format!("constant{level}"),
            Self::Ramp => "ramp".into(),
            Self::Checkerboard => "checkerboard".into(),
            Self::Impulse => "impulse".into(),
            Self::Natural { seed, shift } => format!("natural{seed}+{shift}"),
        }
    }

    /// Code of component `component` at `(x, y)` of a component of `size` samples, `bits` bits deep (8 to 16).
    pub fn code(self, component: u32, x: u32, y: u32, size: Size, bits: u32) -> u32 {
        let max = (1u32 << bits) - 1;
        let noise = |seed: u64| {
            let place = u64::from(component) << 60 | u64::from(y) << 30 | u64::from(x);
            splitmix64(place ^ splitmix64(seed))
        };
        let share = |i: u32, n: u32| u64::from(i) * u64::from(max) / u64::from(n.max(2) - 1);
        match self {
            Self::Random { seed } => (noise(seed) >> 32) as u32 & max,
            Self::Constant { level } => (u64::from(level) * u64::from(max) / 255) as u32,
            Self::Ramp => match component {
                0 => share(x, size.width) as u32,
                1 => share(y, size.height) as u32,
                _ => ((share(x, size.width) + share(y, size.height)) / 2) as u32,
            },
            Self::Checkerboard => ((x ^ y) & 1) * max,
            Self::Impulse => u32::from(x == size.width / 2 && y == size.height / 2) * max,
            Self::Natural { seed, shift } => {
                let (x, n) = (x.wrapping_add(shift), noise(seed));
                let phase = splitmix64(seed ^ u64::from(component)) as u32;
                let slow =
                    wave(x.wrapping_mul(2).wrapping_add(phase)) + wave(y.wrapping_mul(3).wrapping_add(phase >> 8));
                let fast = wave(x.wrapping_mul(19).wrapping_add(y.wrapping_mul(7)));
                // Bars and blocks: two edge directions, high contrast.
                let edges = if (x / 23 + y / 31).is_multiple_of(3) { 500 } else { 0 }
                    - if x.wrapping_add(2 * y) % 97 < 9 { 700 } else { 0 };
                let grain = (n & 127) as i32 + (n >> 8 & 127) as i32 - 127;
                let level = 1900 + slow * 3 / 5 + fast / 5 + edges + grain;
                (level.clamp(0, 4000) as u64 * u64::from(max) / 4000) as u32
            }
        }
    }

    /// A plane of 8-bit samples, `channels` interleaved, rows `stride` bytes apart (at least `width * channels`; a
    /// smaller one is raised).
    pub fn plane(self, size: Size, channels: u32, stride: usize) -> Vec<u8> {
        let row = size.width as usize * channels as usize;
        let mut data = padding(stride.max(row) * size.height as usize);
        for (y, bytes) in (0..).zip(data.chunks_exact_mut(stride.max(row).max(1))) {
            for (i, byte) in (0..).zip(bytes.iter_mut().take(row)) {
                *byte = self.code(i % channels, i / channels, y, size, 8) as u8;
            }
        }
        data
    }

    /// A whole frame slot of any format; chroma components are painted at their own size, alpha like another component.
    pub fn frame(self, layout: &FrameLayout) -> Vec<u8> {
        let mut data = padding(layout.slot_bytes() as usize);
        let (format, chroma) = (layout.format, layout.format.chroma_size(layout.size));
        for (index, plane) in (0..).zip(layout.planes()) {
            let (first, step, size) = match (format, index) {
                (PixelFormat::Rgba8, _) => (0, 4, layout.size),
                (_, 0) => (0, 1, layout.size),
                (f, _) if f.semi_planar() => (1, 2, chroma),
                (_, i) => (i, 1, chroma),
            };
            let start = plane.offset as usize;
            let rows = data.iter_mut().skip(start);
            let mut bytes = rows;
            for y in 0..plane.shape.rows {
                for i in 0..plane.shape.samples {
                    let code = self.code(first + i % step, i / step, y, size, format.bits());
                    let word = (code << format.shift_to_value()).to_le_bytes();
                    for (to, from) in bytes.by_ref().take(plane.shape.sample_bytes as usize).zip(word) {
                        *to = from;
                    }
                }
                let rest = (plane.stride - plane.shape.row_bytes()) as usize;
                bytes.by_ref().take(rest).for_each(|_| {});
            }
        }
        data
    }
}

/// Noise that is not a function of the picture.
fn padding(bytes: usize) -> Vec<u8> {
    (0..bytes as u64).map(|i| (splitmix64(!i) >> 56) as u8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::FrameSlot;

    #[test]
    fn generators_give_their_published_values() {
        // SplitMix64 with state 0 and 2 * its increment less; LCG of Numerical Recipes from 0.
        assert_eq!(splitmix64(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(splitmix64(0x9E37_79B9_7F4A_7C15), 0x6E78_9E6A_A1B9_65F4);
        assert_eq!(lcg_bytes(0, 4), [0x3C, 0x47, 0xD1, 0xAA]);
    }

    #[test]
    fn frames_hold_the_codes_at_every_place() {
        for format in PixelFormat::ALL {
            let layout = FrameLayout::of(format, Size::new(19, 7)).unwrap();
            for pattern in Pattern::COMMON {
                let data = pattern.frame(&layout);
                assert_eq!(data.len(), layout.slot_bytes() as usize);
                let slot = FrameSlot::new(layout, &data).unwrap();
                let components = if format.has_chroma() {
                    3
                } else if format == PixelFormat::Rgba8 {
                    4
                } else {
                    1
                };
                for c in 0..components {
                    let size = if c > 0 && format.has_chroma() { format.chroma_size(layout.size) } else { layout.size };
                    for (x, y) in [(0, 0), (size.width - 1, 0), (0, size.height - 1), (size.width / 2, size.height / 2)]
                    {
                        assert_eq!(
                            slot.sample(c, x, y),
                            pattern.code(c, x, y, size, format.bits()),
                            "{format:?} {c} {x} {y}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn patterns_look_as_they_say() {
        let size = Size::new(5, 3);
        assert_eq!(Pattern::Ramp.plane(size, 1, 5)[..5], [0, 63, 127, 191, 255]);
        assert_eq!(Pattern::Checkerboard.plane(size, 1, 5)[..6], [0, 255, 0, 255, 0, 255]);
        let impulse = Pattern::Impulse.plane(size, 1, 5);
        assert!(impulse[7] == 255 && impulse.iter().filter(|v| **v == 0).count() == 14);
        assert_eq!(Pattern::Constant { level: 255 }.code(0, 0, 0, size, 10), 1023);
        let random = Pattern::Random { seed: 1 }.plane(Size::new(256, 256), 1, 256);
        let mean = random.iter().map(|v| f64::from(*v)).sum::<f64>() / 65536.0;
        assert!((mean - 127.5).abs() < 1.5 && (0..=255).all(|v| random.contains(&v)), "{mean}");
        assert_ne!(random, Pattern::Random { seed: 2 }.plane(Size::new(256, 256), 1, 256));
    }

    #[test]
    fn natural_pictures_have_contrast_without_much_clipping_and_move() {
        let size = Size::new(200, 100);
        let at = |shift, x, y| Pattern::Natural { seed: 4, shift }.code(0, x, y, size, 8);
        let data = Pattern::Natural { seed: 4, shift: 0 }.plane(size, 1, 200);
        let clipped = data.iter().filter(|v| matches!(v, 0 | 255)).count();
        assert!(clipped < data.len() / 20, "{clipped}");
        let mean = data.iter().map(|v| f64::from(*v)).sum::<f64>() / data.len() as f64;
        let sd = (data.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / data.len() as f64).sqrt();
        assert!((60.0..200.0).contains(&mean) && sd > 20.0, "{mean} {sd}");
        // The scene moves to the left; the grain stays, up to 16 codes.
        assert!((0..90).all(|y| at(7, 50, y).abs_diff(at(0, 57, y)) <= 17));
    }
}
