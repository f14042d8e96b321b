//! Stretches of frames: what is found together, kept together, and shared out among the parts of a run.

use crate::core::Shard;

/// Seconds of a unit: what a kill costs at most.
const SECONDS: f64 = 4.0;
/// Frames of a unit at most.
const MOST: f64 = 20_000.0;

/// The units of a video, and which of them this run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Units {
    /// Frames of a unit; the last one may have fewer.
    size: u64,
    shard: Option<Shard>,
}

impl Units {
    /// Those of a video with `usual` seconds from frame to frame; all of them without a part.
    pub(super) fn new(usual: f64, shard: Option<Shard>) -> Self {
        Self { size: (SECONDS / usual).clamp(1.0, MOST) as u64, shard }
    }

    /// Frames of a unit.
    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// The unit of a frame.
    pub(super) fn of(self, frame: u64) -> u64 {
        frame / self.size
    }

    /// Units of so many frames.
    pub(super) fn count(self, frames: u64) -> u64 {
        frames.div_ceil(self.size)
    }

    /// First frame of a unit of a video of `frames` frames, and the one after its last.
    pub(super) fn range(self, unit: u64, frames: u64) -> (u64, u64) {
        (unit * self.size, ((unit + 1) * self.size).min(frames))
    }

    /// Whether this run does a unit.
    pub(super) fn mine(self, unit: u64) -> bool {
        self.shard.is_none_or(|s| s.has(usize::try_from(unit).unwrap_or(usize::MAX)))
    }
}

/// A stretch of frames that is looked at without a break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// First frame, which may only be there to warm up.
    pub(super) first: u64,
    /// The frame after the last one.
    pub(super) end: u64,
}

/// Stretches around the units `todo`, which rise. `warm` gives the frame with which to begin for a unit whose first frame it gets. `frames` is the
/// number of all frames.
pub(super) fn runs(units: Units, todo: &[u64], frames: u64, warm: &dyn Fn(u64) -> u64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for unit in todo {
        let (from, end) = units.range(*unit, frames);
        let first = warm(from);
        match runs.last_mut() {
            Some(last) if first <= last.end => last.end = end,
            _ => runs.push(Run { first, end }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_shared_out_and_runs_warm_up() {
        let units = |shard: Option<&str>| Units::new(0.04, shard.map(|s| s.parse().unwrap()));
        let all = units(None);
        assert_eq!(
            (all.size(), all.of(99), all.of(100), all.count(201), all.range(2, 201)),
            (100, 0, 1, 3, (200, 201))
        );
        for unit in 0..9 {
            let parts = ["1/2", "2/2"].map(|s| units(Some(s)).mine(unit));
            assert!(all.mine(unit) && parts[0] != parts[1]);
        }
        let run = |first, end| Run { first, end };
        let ten = |first: u64| first.saturating_sub(10);
        assert_eq!(runs(all, &[0, 1, 3, 5], 520, &ten), [run(0, 200), run(290, 400), run(490, 520)]);
        let hundred = |first: u64| first.saturating_sub(100);
        assert_eq!(runs(all, &[1, 3], 400, &hundred), [run(0, 400)], "a warm-up that reaches into the unit before");
        assert_eq!(runs(all, &[], 520, &ten), []);
        // Frames that last for minutes, and a rate beyond reason.
        assert_eq!([Units::new(100.0, None).size(), Units::new(1e-9, None).size()], [1, 20_000]);
    }
}
