//! The frames of a video, taken stretch by stretch.

use std::time::Instant;

use crate::core::{CancelToken, FrameInfo};
use crate::error::Result;
use crate::pipeline::{FrameSource, SourceFrame};
use crate::workflows::kept::KeptFrame;

/// A source of which stretches are taken, from its first frame on.
pub(super) struct Stream {
    inner: Box<dyn FrameSource>,
    /// Frames taken.
    pub(super) taken: u64,
    pub(super) over: bool,
    /// The frame before the stretch, where it was handed on.
    pub(super) lead: Option<FrameInfo>,
    /// The last frame of the stretch before, for the next one.
    kept: Option<KeptFrame>,
}

/// Where a stretch ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Until {
    /// Before the frame of this number.
    Frame(u64),
    /// With the first frame that is there at this time.
    Time(Instant),
}

/// A stretch of a [`Stream`].
pub(super) struct Stretch<'a> {
    stream: &'a mut Stream,
    from: u64,
    until: Until,
    keeps: bool,
    begun: bool,
    ended: bool,
}

impl Stream {
    pub(super) fn new(inner: Box<dyn FrameSource>) -> Self {
        Self { inner, taken: 0, over: false, lead: None, kept: None }
    }

    /// Passes over the frames before number `number`. It is done before a pipeline runs: that one would give up where no frame came for long.
    pub(super) fn pass_over(&mut self, number: u64, cancel: &CancelToken) -> Result<()> {
        while !self.over && self.taken < number {
            cancel.check()?;
            self.over = !self.inner.next(&mut |_| Ok(()))?;
            self.taken += u64::from(!self.over);
        }
        Ok(())
    }

    /// The next frames. Those before number `from` are only there for the one behind them. With `keeps` the last frame is handed on once more, as the
    /// first one of the next stretch.
    pub(super) fn stretch(&mut self, from: u64, until: Until, keeps: bool) -> Stretch<'_> {
        self.lead = None;
        Stretch { stream: self, from, until, keeps, begun: false, ended: false }
    }
}

impl Until {
    fn is_last(self, number: u64) -> bool {
        match self {
            Self::Frame(end) => number + 1 >= end,
            Self::Time(time) => Instant::now() >= time,
        }
    }
}

impl FrameSource for Stretch<'_> {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Self { stream, from, until, keeps, begun, ended } = self;
        let Stream { inner, taken, over, lead, kept } = &mut **stream;
        // What is kept now is of the stretch before; at the end of this one it is for the next.
        if let Some(frame) = kept.take_if(|_| !*begun) {
            (*begun, *lead) = (true, Some(frame.info));
            return deliver(&frame).map(|()| true);
        }
        if *over || *ended {
            return Ok(false);
        }
        *begun = true;
        let more = inner.next(&mut |frame| {
            if *taken < *from {
                *lead = Some(frame.info());
            } else if until.is_last(*taken) {
                *ended = true;
                *kept = keeps.then(|| KeptFrame::new(frame)).transpose()?;
            }
            deliver(frame)
        })?;
        *over = !more;
        *taken += u64::from(more);
        Ok(more)
    }
}
