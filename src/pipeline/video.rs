//! Decoded video as a source of frames.

use std::sync::{Arc, Mutex, PoisonError};

use super::source::{FrameSource, SourceFrame};
use crate::core::{FrameDesc, FrameInfo, FrameLayout, RowSink};
use crate::error::Result;
use crate::media::{DecodedFrame, Verdict, VideoDecoder};

impl SourceFrame for DecodedFrame<'_> {
    fn desc(&self) -> FrameDesc {
        Self::desc(self)
    }

    fn info(&self) -> FrameInfo {
        Self::info(self)
    }

    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
        Self::copy_into(self, layout, sink)
    }
}

/// What a decoder knows after its last frame.
#[non_exhaustive]
#[derive(Debug, Clone, Default)]
pub struct VideoEnd {
    /// Declared against decoded.
    pub verdict: Option<Verdict>,
    /// Assumptions and substitutions.
    pub notes: Vec<String>,
}

/// A video track as a source; keeps the verdict for whoever asks after the run.
#[derive(Debug)]
pub struct VideoSource {
    decoder: VideoDecoder,
    end: Arc<Mutex<VideoEnd>>,
}

impl VideoSource {
    /// A source over `decoder`, and the place where its verdict will be.
    pub fn new(decoder: VideoDecoder) -> (Self, Arc<Mutex<VideoEnd>>) {
        let end = Arc::<Mutex<VideoEnd>>::default();
        (Self { decoder, end: Arc::clone(&end) }, end)
    }

    fn publish(&self) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.verdict = self.decoder.verdict().cloned();
        end.notes = self.decoder.notes().to_vec();
    }
}

impl FrameSource for VideoSource {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let more = match self.decoder.next_frame() {
            Ok(Some(frame)) => deliver(&frame).map(|()| true),
            Ok(None) => Ok(false),
            Err(e) => Err(e),
        };
        if !matches!(more, Ok(true)) {
            self.publish();
        }
        more
    }
}
