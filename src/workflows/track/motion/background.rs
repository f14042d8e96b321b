//! The background model and the detector on it.

use super::MotionParams;
use super::components::components;
use crate::core::{BoxF, Detection, Size};
use crate::error::{Error, Result};

/// Mean and variance of a pixel over time.
#[derive(Debug, Clone, Copy)]
struct Pixel {
    mean: f32,
    variance: f32,
}

/// Variance of a pixel of which one sample is known: quiet sensors have less, and it settles in a second.
const FIRST_VARIANCE: f32 = 36.0;
/// Seconds in which a new background is learned as a plain mean.
const LEARNING: f64 = 1.0;

/// Finds what stands out from the background of a camera that stands still, on small grey pictures.
///
/// Each pixel is a running Gaussian (Wren et al., "Pfinder", PAMI 1997): it stands out when it differs from its mean by more than some
/// standard deviations. Means follow in video time. Single pixels are noise; what is left is joined to connected parts.
#[derive(Debug)]
pub struct MotionDetector {
    params: MotionParams,
    size: Size,
    pixels: Vec<Pixel>,
    mask: Vec<bool>,
    /// When this background began, and the frame before.
    began: f64,
    before: f64,
    restarts: u64,
}

impl MotionDetector {
    /// For pictures of `size`.
    ///
    /// # Errors
    /// [`Error::Config`] for a setting out of its range.
    pub fn new(params: MotionParams, size: Size) -> Result<Self> {
        params.check("motion.")?;
        Ok(Self { params, size, pixels: Vec::new(), mask: Vec::new(), began: 0.0, before: 0.0, restarts: 0 })
    }

    /// How often the picture changed as a whole and the background began anew.
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    /// Detections of the next picture, shown at `seconds`: rows of luma codes without padding. Boxes are in pixels of the picture, in the
    /// order of their first pixels; the score is 0.6 for a box of which hardly anything stands out and 1 for one that does as a whole.
    ///
    /// The first picture has none: it is the background.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a picture of another size, or a time that is not finite.
    pub fn detect(&mut self, picture: &[u8], seconds: f64) -> Result<Vec<Detection>> {
        if picture.len() as u64 != self.size.area() || !seconds.is_finite() {
            return Err(Error::Parameter {
                op: "track/motion",
                name: "picture",
                wanted: format!("{} luma codes at a finite time", self.size.area()),
                given: format!("{} at {seconds} s", picture.len()),
            });
        }
        if self.pixels.is_empty() {
            self.begin(picture, seconds);
            return Ok(Vec::new());
        }
        let step = (seconds - self.before).max(0.0);
        // A clock that goes back takes the beginning with it: the background is as old as it was.
        self.began += (seconds - self.before).min(0.0);
        self.before = seconds;
        let over = self.compare(picture);
        if over as f64 > self.params.max_area * self.size.area() as f64 {
            self.restarts += 1;
            self.begin(picture, seconds);
            return Ok(Vec::new());
        }
        self.learn(picture, step, seconds - self.began);
        self.sieve();
        let least = self.params.min_area * self.size.area() as f64;
        let parts = components(&self.mask, self.size, self.params.join);
        let boxed = |c: &super::components::Component| {
            let area = f64::from(c.rect.width) * f64::from(c.rect.height);
            let rect = BoxF {
                x: c.rect.x as f32,
                y: c.rect.y as f32,
                width: c.rect.width as f32,
                height: c.rect.height as f32,
            };
            Detection { rect, score: (0.6 + 0.4 * c.pixels as f64 / area) as f32, class: 0 }
        };
        Ok(parts.iter().filter(|c| c.pixels as f64 >= least).map(boxed).collect())
    }

    fn begin(&mut self, picture: &[u8], seconds: f64) {
        self.pixels = picture.iter().map(|v| Pixel { mean: f32::from(*v), variance: FIRST_VARIANCE }).collect();
        self.mask = vec![false; picture.len()];
        (self.began, self.before) = (seconds, seconds);
    }

    /// Marks what stands out and counts it.
    fn compare(&mut self, picture: &[u8]) -> u64 {
        let (deviations, least) = (self.params.deviations as f32, self.params.least as f32);
        let mut over = 0;
        for ((mask, pixel), value) in self.mask.iter_mut().zip(&self.pixels).zip(picture) {
            let difference = (f32::from(*value) - pixel.mean).abs();
            *mask = difference > least && difference * difference > deviations * deviations * pixel.variance;
            over += u64::from(*mask);
        }
        over
    }

    /// Lets means and variances follow, by `step` seconds, 0 or more, of a background that is `age` seconds old.
    fn learn(&mut self, picture: &[u8], step: f64, age: f64) {
        // Where no time has passed nothing is learned: a background of no age would else divide nothing by nothing.
        let rate = |memory: f64| if step > 0.0 { (step / (memory + step)) as f32 } else { 0.0 };
        let quick = rate(self.params.memory.min(age.max(step)));
        // While it learns, what stands out may as well be the hole that something left in the first picture.
        let patience = if age < LEARNING { 1.0 } else { self.params.patience };
        let slow = rate(self.params.memory * patience);
        for ((pixel, mask), value) in self.pixels.iter_mut().zip(&self.mask).zip(picture) {
            let share = if *mask { slow } else { quick };
            let difference = f32::from(*value) - pixel.mean;
            pixel.mean += share * difference;
            if !*mask {
                pixel.variance += share * (difference * difference - pixel.variance);
            }
        }
    }

    /// Takes out pixels with fewer than 3 of their 8 neighbours.
    fn sieve(&mut self) {
        let (w, h) = (self.size.width as usize, self.size.height as usize);
        let old = self.mask.clone();
        let set = |x: usize, y: usize| u32::from(old.get(y * w + x).copied().unwrap_or(false));
        for (at, mask) in self.mask.iter_mut().enumerate().filter(|(_, m)| **m) {
            let (x, y) = (at % w, at / w);
            let columns = x.saturating_sub(1)..=(x + 1).min(w - 1);
            let rows = y.saturating_sub(1)..=(y + 1).min(h - 1);
            let around: u32 = rows.flat_map(|y| columns.clone().map(move |x| (x, y))).map(|(x, y)| set(x, y)).sum();
            *mask = around > 3;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(80, 60);

    /// A noisy picture with a bright box.
    fn picture(frame: u32, at: Option<(usize, usize)>) -> Vec<u8> {
        let noise = crate::reference::pattern::lcg_bytes(7 + frame, 80 * 60);
        let mut out: Vec<u8> = noise.iter().map(|v| 90 + v % 5).collect();
        if let Some((x, y)) = at {
            for row in y..y + 16 {
                out[row * 80 + x..row * 80 + x + 8].fill(160);
            }
        }
        out
    }

    #[test]
    fn a_box_that_walks_is_found_where_it_is() {
        let mut detector = MotionDetector::new(MotionParams::default(), SIZE).unwrap();
        for f in 0..60u32 {
            let at = (f >= 20).then(|| ((f as usize - 20) + 10, 20));
            let found = detector.detect(&picture(f, at), f64::from(f) / 25.0).unwrap();
            match at {
                None => assert_eq!(found, [], "frame {f}"),
                Some((x, y)) => {
                    let wanted = BoxF { x: x as f32, y: y as f32, width: 8.0, height: 16.0 };
                    assert_eq!(found.len(), 1, "frame {f}: {found:?}");
                    assert!(found[0].rect.iou(&wanted) > 0.9 && found[0].score > 0.9, "frame {f}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn who_stands_stays_for_the_patience_and_dissolves_after() {
        let params = MotionParams { memory: 1.0, patience: 5.0, ..MotionParams::default() };
        let mut detector = MotionDetector::new(params, SIZE).unwrap();
        let mut seen = Vec::new();
        for f in 0..500u32 {
            let at = (f >= 50).then_some((30, 20));
            if !detector.detect(&picture(f, at), f64::from(f) / 25.0).unwrap().is_empty() {
                seen.push(f);
            }
        }
        let (first, last) = (seen[0], *seen.last().unwrap());
        assert!(first == 50 && (50 + 50..50 + 350).contains(&last), "{first}..{last}");
    }

    #[test]
    fn times_that_stand_still_or_fall_teach_nothing_and_break_nothing() {
        let at = |f: u32| (f >= 30).then(|| ((f as usize - 30) + 10, 20));
        // The clock stands still on the first two frames, stands still once more, and goes back by 100 s on the way of the box.
        let regular = |f: u32| 500.0 + f64::from(f) / 25.0;
        let broken = |f: u32| match f {
            0 | 1 => 500.0,
            20 => regular(19),
            40.. => regular(f) - 100.0,
            _ => regular(f),
        };
        let mut detector = MotionDetector::new(MotionParams::default(), SIZE).unwrap();
        for f in 0..70 {
            let found = detector.detect(&picture(f, at(f)), broken(f)).unwrap();
            assert!(detector.pixels.iter().all(|p| p.mean.is_finite() && p.variance.is_finite()), "frame {f}");
            match at(f) {
                None => assert_eq!(found, [], "frame {f}"),
                Some((x, y)) => {
                    let wanted = BoxF { x: x as f32, y: y as f32, width: 8.0, height: 16.0 };
                    assert_eq!(found.len(), 1, "frame {f}: {found:?}");
                    assert!(found[0].rect.iou(&wanted) > 0.9, "frame {f}: {found:?}");
                }
            }
        }
        // As old as without the jump: 69 frames.
        assert!((detector.before - detector.began - 69.0 / 25.0).abs() < 0.1, "{}", detector.before - detector.began);
        // The same picture at the same time again changes nothing that was learned.
        let before: Vec<f32> = detector.pixels.iter().map(|p| p.mean).collect();
        detector.detect(&picture(70, None), broken(69)).unwrap();
        assert!(detector.pixels.iter().zip(&before).all(|(p, b)| p.mean == *b));
    }

    #[test]
    fn a_light_switched_on_is_no_object() {
        let mut detector = MotionDetector::new(MotionParams::default(), SIZE).unwrap();
        for f in 0..40u32 {
            let bright: Vec<u8> = picture(f, None).iter().map(|v| v + if f >= 20 { 60 } else { 0 }).collect();
            assert_eq!(detector.detect(&bright, f64::from(f) / 25.0).unwrap(), [], "frame {f}");
        }
        assert_eq!(detector.restarts(), 1);
    }

    #[test]
    fn refusals() {
        let mut detector = MotionDetector::new(MotionParams::default(), SIZE).unwrap();
        assert!(detector.detect(&[0; 3], 0.0).is_err());
        assert!(detector.detect(&picture(0, None), f64::NAN).is_err());
        assert!(MotionDetector::new(MotionParams { side: 1, ..MotionParams::default() }, SIZE).is_err());
    }
}
