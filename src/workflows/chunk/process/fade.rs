//! How strong chunks are: whole while they are active, faded at the beginning and the end of each of their spans.

use super::super::plan::Schedule;
use crate::core::blend::WHOLE;
use crate::error::{Error, Result};

/// Strengths over time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fade {
    seconds: f64,
    /// Time of the first frame.
    start: f64,
}

impl Fade {
    /// Over so many seconds, 0..=60, in a stream whose first frame is at `start`.
    ///
    /// # Errors
    /// [`Error::Config`] for times out of range.
    pub(super) fn new(seconds: f64, start: f64) -> Result<Self> {
        if (0.0..=60.0).contains(&seconds) {
            return Ok(Self { seconds, start });
        }
        Err(Error::Config { field: "fade".into(), message: format!("must be 0 to 60 seconds, got {seconds}") })
    }

    /// Strength at `time` of what is active as `schedule` says (always, without one), in sixteenths: 0 when it is not processed. What
    /// begins with the stream is not faded in.
    pub(super) fn strength(&self, schedule: Option<&Schedule>, time: f64) -> u32 {
        let Some(schedule) = schedule else { return WHOLE };
        let Some([from, to]) = schedule.spans().iter().find(|[from, to]| (*from..*to).contains(&time)) else {
            return 0;
        };
        let risen = if *from <= self.start { f64::INFINITY } else { time - from };
        let share = if self.seconds > 0.0 { (risen.min(to - time) / self.seconds).min(1.0) } else { 1.0 };
        1 + (share * f64::from(WHOLE - 1)).floor() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_whole_and_ends_fade() {
        let schedule = Schedule::new(vec![[1.0, 4.0], [8.0, 9.0]]).unwrap();
        let fade = Fade::new(0.2, 0.5).unwrap();
        let at = |t| fade.strength(Some(&schedule), t);
        assert_eq!([at(0.99), at(1.0), at(1.1), at(1.21), at(3.79), at(3.9), at(4.0)], [0, 1, 8, 16, 16, 8, 0]);
        assert_eq!((at(8.05), at(8.5), fade.strength(None, 99.0)), (4, 16, 16));
        let begun = Fade::new(0.2, 1.0).unwrap();
        assert_eq!(begun.strength(Some(&schedule), 1.0), 16);
        let hard = Fade::new(0.0, 0.0).unwrap();
        assert_eq!([0.9, 1.0, 3.99, 4.0].map(|t| hard.strength(Some(&schedule), t)), [0, 16, 16, 0]);
        assert!(Fade::new(-1.0, 0.0).is_err() && Fade::new(f64::NAN, 0.0).is_err());
    }
}
