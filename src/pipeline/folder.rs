//! A folder of pictures as a source of frames.

use std::sync::{Arc, Mutex, PoisonError};

use super::source::{FrameSource, SourceFrame};
use super::video::VideoEnd;
use crate::core::{ColorSpec, FrameDesc, FrameInfo, FrameLayout, PixelFormat, RowSink};
use crate::error::{Error, Result};
use crate::media::{FolderFrame, FolderFrames, Skipped, Status, TimeRange, Verdict};

/// Pictures in the order of their names. One that cannot be decoded leaves a gap, is named in the verdict, and the others keep
/// their places.
#[derive(Debug)]
pub struct FolderSource {
    frames: FolderFrames,
    position: u64,
    verdict: Verdict,
    skipped: Vec<Skipped>,
    end: Arc<Mutex<VideoEnd>>,
}

impl SourceFrame for FolderFrame {
    fn desc(&self) -> FrameDesc {
        let size = self.image.size;
        FrameDesc { format: PixelFormat::Rgba8, size, color: ColorSpec::assumed_for_height(size.height) }
    }

    fn info(&self) -> FrameInfo {
        self.info
    }

    fn copy_into(&self, layout: &FrameLayout, sink: &mut dyn RowSink) -> Result<()> {
        let plane = layout.first();
        let row = plane.shape.row_bytes() as usize;
        if layout.size != self.image.size || sink.capacity() < layout.slot_bytes() as usize {
            return Err(Error::Bug(format!("a picture of {} into a slot for {}", self.image.size, layout.size)));
        }
        for (y, bytes) in self.image.rgba.chunks_exact(row.max(1)).enumerate() {
            sink.write(plane.offset as usize + y * plane.stride as usize, bytes);
        }
        Ok(())
    }
}

impl FolderSource {
    /// A source over `frames`; the verdict will be in `end`. `skipped` entries of the folder are named in its notes.
    pub fn new(frames: FolderFrames, skipped: Vec<Skipped>, end: Arc<Mutex<VideoEnd>>) -> Self {
        let verdict = Verdict {
            status: Status::Complete,
            reasons: Vec::new(),
            notes: Vec::new(),
            missing: Vec::new(),
            declared_frames: Some(frames.len() as u64),
            decoded_frames: 0,
            damaged_frames: 0,
            declared_duration: None,
            decoded_duration: None,
        };
        Self { frames, position: 0, verdict, skipped, end }
    }

    fn publish(&self) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.verdict = Some(self.verdict.clone());
        end.notes =
            self.skipped.iter().take(20).map(|s| format!("not a frame: {} ({})", s.path.display(), s.reason)).collect();
        if self.skipped.len() > 20 {
            end.notes.push(format!("and {} more entries that are not frames", self.skipped.len() - 20));
        }
    }
}

impl FrameSource for FolderSource {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        let step = self.frames.time_base();
        loop {
            let at = self.position;
            let Some(frame) = self.frames.next() else {
                self.publish();
                return Ok(false);
            };
            self.position += 1;
            match frame {
                Ok(frame) => {
                    self.verdict.decoded_frames += 1;
                    if let Some(why) = &frame.image.damaged {
                        self.verdict.damaged_frames += 1;
                        self.verdict.status = Status::Partial;
                        self.verdict.reasons.push(format!("frame {at} is damaged: {why}: {}", frame.path.display()));
                    }
                    let delivered = deliver(&frame);
                    if delivered.is_err() {
                        self.publish();
                    }
                    return delivered.map(|()| true);
                }
                Err(e) => {
                    self.verdict.status = Status::Partial;
                    self.verdict.reasons.push(format!("frame {at} could not be decoded: {e}"));
                    self.verdict.missing.push(TimeRange {
                        start_seconds: step.seconds(at as i64),
                        end_seconds: step.seconds(at as i64 + 1),
                        why: "unreadable picture".into(),
                    });
                }
            }
        }
    }
}
