//! Pixels of frames, in order: pictures from their files, frames of videos from one pass over each video.

use std::collections::{BTreeMap, BTreeSet};

use super::super::analyze::{Picked, Working};
use super::super::metrics::FrameEntry;
use super::super::picture::{PictureFile, Rgba};
use super::make::Pixels;
use crate::core::{ChromaUpsampling, FrameLayout};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{DecodeOptions, VideoDecoder};
use crate::ops::color::rgb_from_yuv::{RgbParams, rgb_from_yuv};
use crate::pipeline::{PipelineOptions, VideoSource, batches};

/// Frames of a video that are held decoded.
const AHEAD: usize = 24;

/// Gives the pixels of entries.
pub(in super::super) struct Sources<'a> {
    ctx: &'a GpuContext,
    entries: &'a [FrameEntry],
    /// Entries that will be asked for, in their order.
    wanted: Vec<bool>,
    working: Working<'a>,
    /// Frames of a video, decoded ahead, by entry.
    held: BTreeMap<usize, Rgba>,
}

impl<'a> Sources<'a> {
    pub(in super::super) fn new(
        ctx: &'a GpuContext,
        entries: &'a [FrameEntry],
        wanted: Vec<bool>,
        working: Working<'a>,
    ) -> Self {
        Self { ctx, entries, wanted, working, held: BTreeMap::new() }
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

    /// Decodes entry `i` and the next ones of its video.
    fn decode(&mut self, i: usize) -> Result<()> {
        self.held.clear();
        let Some(first) = self.entries.get(i) else { return Ok(()) };
        let path = &first.place.path;
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
        let numbers: BTreeSet<u64> = wanted.keys().copied().collect();
        let last = numbers.last().copied();
        // Other readers are not where this one is: it takes single frames, and not from the beginning.
        let decode = DecodeOptions { sharing: None, ..self.working.decode.clone() };
        let (source, _) = VideoSource::new(VideoDecoder::open(path, &decode)?);
        let source = Picked::new(Box::new(source), move |index| numbers.contains(&index));
        let options = PipelineOptions { batch: 4, cancel: decode.cancel.clone(), ..PipelineOptions::default() };
        let bytes = |layout: &FrameLayout, batch: u32| u64::from(batch) * layout.size.area() * 4;
        let ctx = self.ctx;
        let held = &mut self.held;
        batches(ctx, &options, Box::new(source), &bytes, |all| {
            while let Some(batch) = all.next_batch()? {
                let rgb = RgbParams { color: batch.desc().color, upsampling: ChromaUpsampling::Bilinear };
                let rgb = if batch.desc().format.has_luma() {
                    rgb_from_yuv(ctx, batch.frames(), rgb)?
                } else {
                    batch.frames().clone()
                };
                let mut done = false;
                for (slot, info) in batch.infos().iter().enumerate() {
                    if let Some(at) = wanted.get(&info.index) {
                        held.insert(*at, Rgba::download(ctx, &rgb, slot as u32)?.opaque());
                    }
                    done |= Some(info.index) == last;
                }
                if done {
                    break;
                }
            }
            Ok(())
        })?;
        Ok(())
    }
}
