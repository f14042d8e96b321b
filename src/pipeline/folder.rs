//! A folder of pictures as a source of frames.

use std::sync::{Arc, Mutex, PoisonError};

use super::source::{FrameSource, SourceFrame};
use super::video::VideoEnd;
use crate::core::{ColorSpec, FrameDesc, FrameInfo, FrameLayout, PixelFormat, RowSink};
use crate::error::{Error, Result};
use crate::media::{FolderFrame, FolderFrames, Skipped, Status, TimeRange, Verdict};

/// Pictures that are named in a verdict, and stretches without frames in it; more are only counted.
const MAX_NAMED: usize = 1000;
/// Bytes of such names: a record of the journal holds a mebibyte, and a name in it may take six bytes for one.
const MAX_NAMED_BYTES: usize = 160 << 10;

/// Pictures in the order of their names. One that cannot be decoded leaves a gap, is named in the verdict, and the others keep
/// their places.
#[derive(Debug)]
pub struct FolderSource {
    frames: FolderFrames,
    position: u64,
    verdict: Verdict,
    /// Bytes of the reasons, and pictures that are not named there any more.
    named_bytes: usize,
    unnamed: u64,
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
        Self { frames, position: 0, verdict, named_bytes: 0, unnamed: 0, skipped, end }
    }

    /// Notes what is wrong with a picture.
    fn wrong(&mut self, reason: String) {
        self.verdict.status = Status::Partial;
        let bytes = self.named_bytes.saturating_add(reason.len());
        // Once one is left out, so are all that follow: the count is about the rest.
        if self.unnamed == 0 && self.verdict.reasons.len() < MAX_NAMED && bytes <= MAX_NAMED_BYTES {
            self.named_bytes = bytes;
            self.verdict.reasons.push(reason);
        } else {
            self.unnamed += 1;
        }
    }

    fn publish(&self) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let mut verdict = self.verdict.clone();
        if self.unnamed > 0 {
            verdict.reasons.push(format!("and {} more pictures that are damaged or cannot be decoded", self.unnamed));
        }
        end.verdict = Some(verdict);
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
                        self.wrong(format!("frame {at} is damaged: {why}: {}", frame.path.display()));
                    }
                    let delivered = deliver(&frame);
                    if delivered.is_err() {
                        self.publish();
                    }
                    return delivered.map(|()| true);
                }
                Err(e) => {
                    self.wrong(format!("frame {at} could not be decoded: {e}"));
                    if self.verdict.missing.len() < MAX_NAMED {
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
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::core::{Limits, Rational};
    use crate::media::DecodeHint;

    /// The verdict on so many pictures in `folder` that are not there.
    fn verdict(folder: &str, count: usize) -> Verdict {
        let files = (0..count).map(|n| PathBuf::from(format!("{folder}/{n}.png"))).collect();
        let rate = Rational { num: 25, den: 1 };
        let frames = FolderFrames::new(files, rate, 0, Limits::default(), DecodeHint::default()).unwrap();
        let end = Arc::new(Mutex::new(VideoEnd::default()));
        let mut source = FolderSource::new(frames, Vec::new(), Arc::clone(&end));
        assert!(!source.next(&mut |_| Ok(())).unwrap());
        let verdict = end.lock().unwrap().verdict.clone();
        verdict.unwrap()
    }

    #[test]
    fn of_very_many_broken_pictures_the_first_are_named_and_the_rest_counted() {
        let few = verdict("absent", 3);
        assert_eq!((few.status, few.reasons.len(), few.missing.len()), (Status::Partial, 3, 3));
        let many = verdict("absent", 1205);
        assert_eq!((many.reasons.len(), many.missing.len()), (1001, 1000));
        assert_eq!(many.reasons[1000], "and 205 more pictures that are damaged or cannot be decoded");
        // Long names are fewer: all of them have to fit into one record of the journal.
        let long = verdict(&"absent/".repeat(200), 1205);
        let bytes: usize = long.reasons.iter().map(String::len).sum();
        assert!(long.reasons.len() < 200 && bytes <= MAX_NAMED_BYTES + 100, "{} {bytes}", long.reasons.len());
        let rest = 1205 - (long.reasons.len() - 1);
        assert!(long.reasons.last().unwrap().starts_with(&format!("and {rest} more")));
    }
}
