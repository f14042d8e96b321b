//! The video as a source of the frames that are matched; the others never leave the decoder.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use super::timeline::{Timeline, UsedFrame};
use crate::core::Shard;
use crate::error::Result;
use crate::pipeline::{FrameSource, SourceFrame};

/// What the source tells about the frames that it delivered.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// Delivered frames that nobody has asked for yet, with their places in the timeline.
    pub(super) frames: VecDeque<(u64, UsedFrame)>,
    /// Frames that the timeline shows, delivered or not.
    pub(super) total: u64,
    /// Frames that were decoded, shown or not.
    pub(super) decoded: u64,
    /// Output pictures that the last frame is shown in beyond its own.
    pub(super) more: u32,
    /// Whether the end was reached.
    pub(super) ended: bool,
}

/// Which frames of the timeline a run matches: units of so many frames, those of its part, that are not done.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) shard: Option<Shard>,
    /// Frames of a unit.
    pub(super) size: u64,
    pub(super) done: BTreeSet<u64>,
}

impl Places {
    /// The unit of a frame.
    pub(super) fn unit(&self, at: u64) -> u64 {
        at / self.size
    }

    /// Whether a frame is the last one of its unit.
    pub(super) fn ends(&self, at: u64) -> bool {
        (at + 1).is_multiple_of(self.size)
    }

    /// Whether a unit belongs to the part.
    pub(super) fn has(&self, unit: u64) -> bool {
        self.shard.is_none_or(|s| s.has(usize::try_from(unit).unwrap_or(usize::MAX)))
    }

    /// Whether a frame is to be matched.
    pub(super) fn mine(&self, at: u64) -> bool {
        self.has(self.unit(at)) && !self.done.contains(&self.unit(at))
    }

    /// Whether a frame has to be seen: one that is to be matched, or the one before, which tells whether there is a cut between them.
    fn wants(&self, at: u64) -> bool {
        self.mine(at) || self.mine(at + 1)
    }
}

/// Frames of `inner` that the timeline shows and that are wanted.
pub(super) struct SampledSource {
    pub(super) inner: Box<dyn FrameSource>,
    pub(super) timeline: Timeline,
    pub(super) places: Places,
    pub(super) used: Arc<Mutex<Used>>,
}

impl FrameSource for SampledSource {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Self { inner, timeline, places, used } = self;
        let lock = || used.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut delivered = false;
            let more = inner.next(&mut |frame| {
                let taken = timeline.take(&frame.info());
                lock().decoded += u64::from(!timeline.is_over());
                let Some(shown) = taken else { return Ok(()) };
                let at = lock().total;
                if places.wants(at) {
                    lock().frames.push_back((at, shown));
                    delivered = true;
                    deliver(frame)?;
                }
                lock().total += 1;
                Ok(())
            })?;
            if delivered {
                return Ok(true);
            }
            if !more || timeline.is_over() {
                let mut used = lock();
                (used.more, used.ended) = (timeline.finish(), true);
                return Ok(false);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_sees_its_units_and_the_frames_before_them() {
        let places = |shard: Option<&str>, done: &[u64]| Places {
            shard: shard.map(|s| s.parse().unwrap()),
            size: 4,
            done: done.iter().copied().collect(),
        };
        let seen = |p: &Places| (0..20).filter(|at| p.wants(*at)).collect::<Vec<u64>>();
        assert_eq!(seen(&places(None, &[])), (0..20).collect::<Vec<_>>());
        assert_eq!(seen(&places(None, &[0, 1])), (7..20).collect::<Vec<_>>());
        let p = places(Some("2/2"), &[1]);
        assert_eq!(seen(&p), [11, 12, 13, 14, 15, 19]);
        assert!(p.ends(11) && !p.ends(12) && p.mine(12) && !p.mine(11) && p.unit(12) == 3);
    }
}
