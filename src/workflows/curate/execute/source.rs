//! Pixels of frames, in order: pictures from their files, frames of videos from one pass over each video.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::analyze::Working;
use super::super::metrics::FrameEntry;
use super::super::picture::{PictureFile, Rgba};
use super::make::Pixels;
use crate::core::{ChromaUpsampling, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{DecodeOptions, VideoDecoder};
use crate::ops::color::rgb_from_yuv::{RgbParams, rgb_from_yuv};
use crate::pipeline::{FrameSource, PipelineOptions, SourceFrame, VideoSource, batches};

/// Frames of a video that are held decoded.
const AHEAD: usize = 24;

/// A video that was read up to some frame, and is read on from there.
struct Reading {
    path: PathBuf,
    source: VideoSource,
    /// Number of the first frame that was not read yet.
    next: u64,
}

/// The wanted frames of a source, which is not read beyond the last of them.
struct Stretch<'s> {
    source: &'s mut dyn FrameSource,
    next: &'s mut u64,
    wanted: &'s BTreeMap<u64, usize>,
}

impl FrameSource for Stretch<'_> {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        while self.wanted.keys().next_back().is_some_and(|last| *self.next <= *last) {
            let mut delivered = false;
            let (next, wanted) = (&mut *self.next, self.wanted);
            let more = self.source.next(&mut |frame| {
                let index = frame.info().index;
                *next = index + 1;
                delivered = wanted.contains_key(&index);
                if delivered { deliver(frame) } else { Ok(()) }
            })?;
            if delivered || !more {
                return Ok(more);
            }
        }
        Ok(false)
    }
}

/// Gives the pixels of entries.
pub(in super::super) struct Sources<'a> {
    ctx: &'a GpuContext,
    entries: &'a [FrameEntry],
    /// Entries that will be asked for, in their order.
    wanted: Vec<bool>,
    working: Working<'a>,
    /// Frames of a video, decoded ahead, by entry.
    held: BTreeMap<usize, Rgba>,
    /// The video that they are of.
    reading: Option<Reading>,
}

impl<'a> Sources<'a> {
    pub(in super::super) fn new(
        ctx: &'a GpuContext,
        entries: &'a [FrameEntry],
        wanted: Vec<bool>,
        working: Working<'a>,
    ) -> Self {
        Self { ctx, entries, wanted, working, held: BTreeMap::new(), reading: None }
    }

    /// Pixels of entry `i`.
    ///
    /// # Errors
    /// Of decoding; `InputCorrupt` for a frame that a video does not give any more.
    pub(in super::super) fn pixels(&mut self, i: usize) -> Result<Pixels> {
        let entry = self.entries.get(i).ok_or_else(|| Error::Bug(format!("no entry {i}")))?;
        let path = &entry.place.path;
        if entry.place.frame.is_none() {
            let file = PictureFile::read(path, &self.working.decode.limits)?;
            if super::super::picture::content_of(&file.bytes) != entry.content {
                return Err(Error::InputCorrupt { path: path.clone(), reason: "it has changed meanwhile".into() });
            }
            return Ok(Pixels::File(Box::new(file)));
        }
        if !self.held.contains_key(&i) {
            self.decode(i)?;
        }
        let gone = || Error::InputCorrupt { path: path.clone(), reason: "the frame is not there any more".into() };
        self.held.remove(&i).map(Pixels::Decoded).ok_or_else(gone)
    }

    /// The video at `path` as far as it was read, or from its beginning where frame `first` lies behind that.
    fn video(&mut self, path: &Path, first: u64) -> Result<Reading> {
        if let Some(reading) = self.reading.take().filter(|r| r.path == path && r.next <= first) {
            return Ok(reading);
        }
        // Other readers are not where this one is: it takes single frames, and not from the beginning.
        let decode = DecodeOptions { sharing: None, ..self.working.decode.clone() };
        let (source, _) = VideoSource::new(VideoDecoder::open(path, &decode)?);
        Ok(Reading { path: path.to_path_buf(), source, next: 0 })
    }

    /// Decodes entry `i` and the next ones of its video.
    fn decode(&mut self, i: usize) -> Result<()> {
        self.held.clear();
        let Some(first) = self.entries.get(i) else { return Ok(()) };
        let path = first.place.path.as_path();
        let wanted: BTreeMap<u64, usize> = self
            .entries
            .iter()
            .zip(&self.wanted)
            .enumerate()
            .skip(i)
            .take_while(|(_, (e, _))| e.place.path == *path)
            .filter(|(_, (_, wanted))| **wanted)
            .filter_map(|(at, (e, _))| e.place.frame.map(|f| (f, at)))
            .take(AHEAD)
            .collect();
        let mut reading = self.video(path, wanted.keys().next().copied().unwrap_or(0))?;
        let source = Stretch { source: &mut reading.source, next: &mut reading.next, wanted: &wanted };
        let cancel = self.working.decode.cancel.clone();
        let options = PipelineOptions { batch: 4, cancel, ..PipelineOptions::default() };
        let bytes = |layout: &FrameLayout, batch: u32| u64::from(batch) * layout.size.area() * 4;
        let ctx = self.ctx;
        let held = &mut self.held;
        let ((), report) = batches(ctx, &options, Box::new(source), &bytes, |all| {
            while let Some(batch) = all.next_batch()? {
                let rgb = RgbParams { color: batch.desc().color, upsampling: ChromaUpsampling::Bilinear };
                let rgb = if batch.desc().format.has_luma() {
                    rgb_from_yuv(ctx, batch.frames(), rgb)?
                } else {
                    batch.frames().clone()
                };
                for (slot, info) in batch.infos().iter().enumerate() {
                    if let Some(at) = wanted.get(&info.index) {
                        held.insert(*at, Rgba::download(ctx, &rgb, slot as u32)?.opaque());
                    }
                }
            }
            Ok(())
        })?;
        // After a failure nobody knows where a source stands: the next frames are looked for from the beginning.
        self.reading = report.result.is_ok().then_some(reading);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{PixelFormat, Size};
    use crate::pipeline::SyntheticSource;

    #[test]
    fn one_pass_over_a_video_serves_all_groups_of_its_frames() {
        let mut source = SyntheticSource::new(0, PixelFormat::Rgba8, Size::new(8, 8), 12);
        let mut next = 0;
        let mut read = |frames: &[u64]| {
            let wanted: BTreeMap<u64, usize> = frames.iter().map(|f| (*f, 0)).collect();
            let mut stretch = Stretch { source: &mut source, next: &mut next, wanted: &wanted };
            let mut got = Vec::new();
            let mut take = |frame: &dyn SourceFrame| {
                got.push(frame.info().index);
                Ok(())
            };
            while stretch.next(&mut take).unwrap() {}
            (got, next)
        };
        // Each group goes on where the one before stopped, right behind its last frame.
        assert_eq!(read(&[2, 5]), (vec![2, 5], 6));
        assert_eq!(read(&[6, 7]), (vec![6, 7], 8));
        assert_eq!(read(&[10]), (vec![10], 11));
        assert_eq!(read(&[11, 40]), (vec![11], 12), "the source has no more");
        assert_eq!(read(&[]), (vec![], 12));
    }
}
