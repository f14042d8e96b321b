//! The video as a source of the frames that are matched; the others never leave the decoder.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::timeline::{Timeline, UsedFrame};
use crate::core::Shard;
use crate::error::{Error, Result};
use crate::pipeline::{FrameSource, SourceFrame};
use crate::workflows::kept::KeptFrame;

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
    inner: Box<dyn FrameSource>,
    sampler: Sampler,
    /// How `inner` ended; the frame that is held comes before that.
    ended: Option<Result<()>>,
}

/// Which frames of a source are handed on.
struct Sampler {
    timeline: Timeline,
    places: Places,
    used: Arc<Mutex<Used>>,
    /// The frame that the timeline has not settled yet, where it would be wanted.
    held: Option<KeptFrame>,
}

/// What a source hands frames to.
type Deliver<'a> = &'a mut dyn FnMut(&dyn SourceFrame) -> Result<()>;

impl SampledSource {
    pub(super) fn new(inner: Box<dyn FrameSource>, timeline: Timeline, places: Places) -> Self {
        Self { inner, sampler: Sampler { timeline, places, used: Arc::default(), held: None }, ended: None }
    }

    /// What it tells about its frames, now and later.
    pub(super) fn used(&self) -> Arc<Mutex<Used>> {
        Arc::clone(&self.sampler.used)
    }

    /// Which frames are matched.
    pub(super) fn places(&self) -> &Places {
        &self.sampler.places
    }
}

impl Sampler {
    /// Takes the next frame. Hands on the one that the timeline has settled, this one or the one that was held, if it is wanted, and says whether.
    fn take(&mut self, frame: &dyn SourceFrame, deliver: Deliver<'_>) -> Result<bool> {
        let shown = self.timeline.take(&frame.info());
        let (over, back) = (self.timeline.is_over(), self.timeline.looks_back());
        self.lock().decoded += u64::from(!over);
        let delivered = match shown {
            Some(shown) => self.hand_on(shown, (!back).then_some(frame), deliver)?,
            None => false,
        };
        if back && !over {
            let wanted = self.places.wants(self.lock().total);
            self.held = wanted.then(|| KeptFrame::new(frame)).transpose()?;
        }
        Ok(delivered)
    }

    /// Hands on `now`, or else the frame that was held, if it is wanted, and says whether.
    fn hand_on(&mut self, shown: UsedFrame, now: Option<&dyn SourceFrame>, deliver: Deliver<'_>) -> Result<bool> {
        let at = self.lock().total;
        let wanted = self.places.wants(at);
        if wanted {
            let held = self.held.take();
            let frame = now.or(held.as_ref().map(|held| held as &dyn SourceFrame));
            let frame = frame.ok_or_else(|| Error::Bug(format!("frame {} was not kept", shown.frame)))?;
            self.lock().frames.push_back((at, shown));
            deliver(frame)?;
        }
        self.lock().total += 1;
        Ok(wanted)
    }

    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FrameSource for SampledSource {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Self { inner, sampler, ended } = self;
        while ended.is_none() {
            let (mut delivered, mut refused) = (false, false);
            let more = inner.next(&mut |frame| {
                let taken = sampler.take(frame, deliver);
                refused = taken.is_err();
                delivered = taken?;
                Ok(())
            });
            match more {
                // Whoever takes the frames is in no state for another.
                Err(e) if refused => return Err(e),
                Ok(true) if !sampler.timeline.is_over() => {}
                last => *ended = Some(last.map(drop)),
            }
            if delivered {
                return Ok(true);
            }
        }
        if let Some(shown) = sampler.timeline.last()
            && sampler.hand_on(shown, None, deliver)?
        {
            return Ok(true);
        }
        ended.take().unwrap_or(Ok(()))?;
        let more = sampler.timeline.finish();
        let mut used = sampler.lock();
        (used.more, used.ended) = (more, true);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::super::timeline::parse_rate;
    use super::*;
    use crate::core::{ColorSpec, FrameDesc, FrameInfo, FrameLayout, PixelFormat, Rational, RowSink, Size};

    /// Frames at some times in milliseconds, all of 40 ms by what they say, each full of its number.
    struct Numbered {
        times: Vec<i64>,
        next: usize,
        /// How it ends.
        corrupt: bool,
    }

    impl FrameSource for Numbered {
        fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
            if self.next < self.times.len() {
                deliver(self)?;
                self.next += 1;
                return Ok(true);
            }
            let reason = "it ends early".into();
            if self.corrupt { Err(Error::InputCorrupt { path: "v.mkv".into(), reason }) } else { Ok(false) }
        }
    }

    impl SourceFrame for Numbered {
        fn desc(&self) -> FrameDesc {
            FrameDesc { format: PixelFormat::Gray8, size: Size::new(4, 2), color: ColorSpec::BT709 }
        }

        fn info(&self) -> FrameInfo {
            FrameInfo {
                stream: 0,
                index: self.next as u64,
                pts: Some(self.times[self.next]),
                time_base: Rational { num: 1, den: 1000 },
                duration: 40,
                key: false,
                damaged: false,
            }
        }

        fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
            sink.write(0, &vec![self.next as u8; layout.slot_bytes() as usize]);
            Ok(())
        }
    }

    /// Place in the timeline, number and count of pictures of each frame that is handed on, and the number that its pixels have.
    type Handed = Vec<(u64, u64, u32, u8)>;

    fn handed(times: &[i64], rate: Option<&str>, done: &[u64], corrupt: bool) -> (Handed, Result<()>, [u64; 3]) {
        let base = Rational { num: 1, den: 1000 };
        let timeline = Timeline::new(base, rate.map(|r| parse_rate(r).unwrap()), Some(60.0)).unwrap();
        let inner = Numbered { times: times.to_vec(), next: 0, corrupt };
        let places = Places { shard: None, size: 2, done: done.iter().copied().collect() };
        let mut source = SampledSource::new(Box::new(inner), timeline, places);
        let used = source.used();
        let mut pixels = Vec::new();
        let end = loop {
            let more = source.next(&mut |frame| {
                let layout = FrameLayout::new(&frame.desc()).unwrap();
                let mut bytes = vec![0u8; layout.slot_bytes() as usize];
                frame.copy_into(&layout, &mut bytes)?;
                pixels.push(bytes[0]);
                Ok(())
            });
            match more {
                Ok(true) => {}
                Ok(false) => break Ok(()),
                Err(e) => break Err(e),
            }
        };
        let used = used.lock().unwrap();
        assert_eq!(used.frames.len(), pixels.len());
        let all = used.frames.iter().zip(pixels).map(|((at, u), pixel)| (*at, u.frame, u.count, pixel)).collect();
        (all, end, [used.total, used.decoded, u64::from(used.more)])
    }

    #[test]
    fn pictures_show_the_frame_that_is_nearest() {
        // A gap of a second behind frame 2; frame 4 is never nearest at 10 pictures a second.
        let times = [0, 40, 80, 1080, 1120, 1200];
        let (all, end, counts) = handed(&times, Some("10"), &[], false);
        // Pictures 0, 1 to 5, 6 to 11, and 12.
        assert_eq!(all, [(0, 0, 1, 0), (1, 2, 5, 2), (2, 3, 6, 3), (3, 5, 1, 5)]);
        assert!(end.is_ok());
        assert_eq!(counts, [4, 6, 0]);
        // What is done is not handed on again, and the rest is the same; the one before a unit that may come is seen.
        assert_eq!(handed(&times, Some("10"), &[0], false).0, all[1..]);
        assert_eq!(handed(&times, Some("10"), &[1], false).0, [all[0], all[1], all[3]]);
        assert_eq!(handed(&times, Some("10"), &[0, 1], false).0, all[3..]);
        // A source that fails gives its last frame as well.
        let (some, end, counts) = handed(&times, Some("10"), &[], true);
        assert!(some == all && matches!(end, Err(Error::InputCorrupt { .. })));
        assert_eq!(counts, [4, 6, 0]);
        // The limit of 60 seconds: the frame before stays up to there, as the nearest up to 30.6 seconds, then as the last.
        let (cut, end, counts) = handed(&[0, 40, 80, 1080, 1120, 1200, 90_000, 90_040], Some("10"), &[], false);
        assert_eq!((&cut[..3], cut[3]), (&all[..3], (3, 5, 295, 5)));
        assert!(end.is_ok() && counts == [4, 6, 293], "{counts:?}");
        // Without a rate every frame is handed on at once.
        let (all, _, counts) = handed(&times, None, &[], false);
        assert_eq!(all, [0, 1, 2, 3, 4, 5].map(|i| (i, i, 1, i as u8)));
        assert_eq!(counts, [6, 6, 0]);
        assert!(handed(&[], Some("10"), &[], false).0.is_empty());
    }

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
