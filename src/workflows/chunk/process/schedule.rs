//! When chunks are processed: their active spans with some time before and after, faded in and out.

use super::placement::Placement;
use crate::core::blend::WHOLE;
use crate::error::{Error, Result};

/// Time around the activity of a chunk, in seconds, all 0..=60.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timing {
    /// It is processed from so long before its activity begins.
    pub lead_in: f64,
    /// It is processed for so long after its activity ended: the original's hold of 10 frames at 25 Hz is 0.4.
    pub hold: f64,
    /// Over so long it fades in after it begins and out before it ends; its activity itself is whole when lead-in and hold are as long.
    pub fade: f64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { lead_in: 0.2, hold: 0.4, fade: 0.2 }
    }
}

impl Timing {
    /// # Errors
    /// [`Error::Config`] for times out of range.
    pub fn check(&self) -> Result<()> {
        for (field, v) in [("lead_in", self.lead_in), ("hold", self.hold), ("fade", self.fade)] {
            if !(0.0..=60.0).contains(&v) {
                return Err(Error::Config {
                    field: field.into(),
                    message: format!("must be 0 to 60 seconds, got {v}"),
                });
            }
        }
        Ok(())
    }
}

/// How strong each chunk is at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Spans per chunk, in order, apart from each other; `None`: always.
    spans: Vec<Option<Vec<[f64; 2]>>>,
    fade: f64,
}

impl Schedule {
    /// For the chunks of `placement`.
    pub fn new(placement: &Placement, timing: &Timing) -> Self {
        let widened = |spans: &Vec<[f64; 2]>| {
            let mut spans: Vec<[f64; 2]> = spans.iter().map(|[a, b]| [a - timing.lead_in, b + timing.hold]).collect();
            spans.sort_by(|a, b| a[0].total_cmp(&b[0]));
            let mut merged: Vec<[f64; 2]> = Vec::new();
            for [a, b] in spans {
                match merged.last_mut() {
                    Some([_, end]) if a <= *end => *end = end.max(b),
                    _ => merged.push([a, b]),
                }
            }
            merged
        };
        let spans = placement.chunks.iter().map(|c| c.active.as_ref().map(widened)).collect();
        Self { spans, fade: timing.fade }
    }

    /// Strength of chunk `index` (its position in the placement) at `seconds`, in sixteenths: 0 when it is not processed.
    pub fn strength(&self, index: usize, seconds: f64) -> u32 {
        let Some(spans) = self.spans.get(index) else { return 0 };
        let Some(spans) = spans else { return WHOLE };
        let Some([a, b]) = spans.iter().find(|[a, b]| (*a..=*b).contains(&seconds)) else { return 0 };
        // What begins before the stream does is not faded in.
        let risen = if *a <= 0.0 { f64::INFINITY } else { seconds - a };
        let share = if self.fade > 0.0 { (risen.min(b - seconds) / self.fade).min(1.0) } else { 1.0 };
        1 + (share * f64::from(WHOLE - 1)).floor() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::super::placement::Placed;
    use super::*;
    use crate::core::{Rect, Size};

    #[test]
    fn activity_is_whole_and_what_is_around_it_fades() {
        let chunk = |active| Placed { id: 0, rect: Rect { x: 0, y: 0, width: 8, height: 8 }, scale: 1.0, active };
        let chunks =
            vec![chunk(None), chunk(Some(vec![[2.0, 3.0], [3.4, 4.0], [8.0, 8.0]])), chunk(Some(vec![[0.0, 1.0]]))];
        let placement = Placement::new(Size::new(8, 8), chunks, 0).unwrap();
        let schedule = Schedule::new(&placement, &Timing { lead_in: 0.2, hold: 0.4, fade: 0.2 });
        let at = |t| schedule.strength(1, t);
        assert_eq!([at(1.79), at(1.8), at(1.9), at(2.0), at(3.0), at(3.3), at(4.0)], [0, 1, 8, 16, 16, 16, 16]);
        assert_eq!([at(4.3), at(4.41), at(7.9), at(8.0), at(8.5)], [8, 0, 8, 16, 0]);
        assert_eq!((schedule.strength(0, 99.0), schedule.strength(9, 0.0)), (16, 0));
        assert_eq!((schedule.strength(2, 0.0), schedule.strength(2, -0.1)), (16, 16));
        let hard = Schedule::new(&placement, &Timing { lead_in: 0.0, hold: 0.0, fade: 0.0 });
        assert_eq!([1.9, 2.0, 3.0, 3.1].map(|t| hard.strength(1, t)), [0, 16, 16, 0]);
        assert!(Timing { hold: -1.0, ..Timing::default() }.check().is_err());
        assert!(Timing { fade: f64::NAN, ..Timing::default() }.check().is_err());
    }
}
