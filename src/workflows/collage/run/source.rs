//! The video as a source of the frames that are matched; the others never leave the decoder.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::timeline::{Timeline, UsedFrame};
use crate::error::Result;
use crate::pipeline::{FrameSource, SourceFrame};

/// What the source tells about the frames that it delivered.
#[derive(Debug, Default)]
pub(super) struct Used {
    /// Delivered frames that nobody has asked for yet.
    pub(super) frames: VecDeque<UsedFrame>,
    /// Frames that were decoded, shown or not.
    pub(super) decoded: u64,
    /// Output pictures that the last frame is shown in beyond its own.
    pub(super) more: u32,
    /// Whether the end was reached.
    pub(super) ended: bool,
}

/// Frames of `inner` that the timeline shows, without the first ones, which are matched already.
pub(super) struct SampledSource {
    pub(super) inner: Box<dyn FrameSource>,
    pub(super) timeline: Timeline,
    /// Frames to leave out.
    pub(super) done: u64,
    pub(super) used: Arc<Mutex<Used>>,
}

impl FrameSource for SampledSource {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let Self { inner, timeline, done, used } = self;
        let lock = || used.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let mut delivered = false;
            let more = inner.next(&mut |frame| {
                let taken = timeline.take(&frame.info());
                lock().decoded += u64::from(!timeline.is_over());
                let Some(shown) = taken else { return Ok(()) };
                if *done > 0 {
                    *done -= 1;
                    return Ok(());
                }
                lock().frames.push_back(shown);
                delivered = true;
                deliver(frame)
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
