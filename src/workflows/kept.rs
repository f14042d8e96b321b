//! A frame that outlives the call in which its source showed it.

use crate::core::{FrameDesc, FrameInfo, FrameLayout, RowSink};
use crate::error::{Error, Result};
use crate::pipeline::SourceFrame;

/// A frame that stays when its source goes on.
pub(super) struct KeptFrame {
    desc: FrameDesc,
    pub(super) info: FrameInfo,
    layout: FrameLayout,
    bytes: Vec<u8>,
}

impl KeptFrame {
    /// A copy of `frame`.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] for a frame of 2 GiB; those of [`SourceFrame::copy_into`].
    pub(super) fn new(frame: &dyn SourceFrame) -> Result<Self> {
        let desc = frame.desc();
        let layout = FrameLayout::required(&desc)?;
        let mut bytes = vec![0; layout.slot_bytes() as usize];
        frame.copy_into(&layout, &mut bytes)?;
        Ok(Self { desc, info: frame.info(), layout, bytes })
    }
}

impl SourceFrame for KeptFrame {
    fn desc(&self) -> FrameDesc {
        self.desc
    }

    fn info(&self) -> FrameInfo {
        self.info
    }

    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
        if *layout != self.layout || sink.capacity() < self.bytes.len() {
            return Err(Error::Bug(format!("a kept frame of {} does not fit", self.desc.size)));
        }
        sink.write(0, &self.bytes);
        Ok(())
    }
}
