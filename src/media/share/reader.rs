//! One reader of frames that others read too.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Sharing;
use super::held::Held;
use super::tee::{Facts, Seat, Taken, Tee};
use crate::core::FrameDesc;
use crate::error::{Error, Result};
use crate::media::decode::{DecodeOptions, VideoDecoder};
use crate::media::picture::DecodedFrame;
use crate::media::probe::MediaInfo;
use crate::media::verdict::Verdict;

/// A decoder to those who read from it, see [`VideoDecoder`].
#[derive(Debug)]
pub(crate) struct SharedReader {
    /// Others wait for its place as long as it is there.
    place: Sharing,
    path: PathBuf,
    options: DecodeOptions,
    from: From,
    /// Frames that were taken.
    taken: u64,
}

#[derive(Debug)]
enum From {
    Shared(Box<Shared>),
    /// It came too late, or fell behind.
    Own(Box<VideoDecoder>),
}

#[derive(Debug)]
struct Shared {
    tee: Arc<Tee>,
    reader: u64,
    info: MediaInfo,
    rotation: i32,
    facts: Facts,
    newest: Option<Arc<Held>>,
    desc: Option<FrameDesc>,
    verdict: Option<Arc<Verdict>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tee.leave(self.reader);
    }
}

/// What a reader asks of whatever it reads from.
macro_rules! either {
    ($self:expr, $own:ident => $alone:expr, $shared:ident => $together:expr) => {
        match &$self.from {
            From::Own($own) => $alone,
            From::Shared($shared) => $together,
        }
    };
}

impl SharedReader {
    pub(super) fn at(seat: Seat, tee: Arc<Tee>, place: Sharing, path: &Path, options: DecodeOptions) -> Self {
        let Seat { reader, info, rotation, facts } = seat;
        let shared = Shared { tee, reader, info, rotation, facts, newest: None, desc: None, verdict: None };
        Self { place, path: path.to_path_buf(), options, from: From::Shared(Box::new(shared)), taken: 0 }
    }

    /// One with a decoder of its own.
    pub(super) fn alone(place: Sharing, path: &Path, options: DecodeOptions) -> Result<Self> {
        let own = VideoDecoder::open(path, &options)?;
        place.ours().counts.decoders.fetch_add(1, Ordering::Relaxed);
        Ok(Self { place, path: path.to_path_buf(), options, from: From::Own(Box::new(own)), taken: 0 })
    }

    pub(crate) fn media_info(&self) -> MediaInfo {
        either!(self, own => own.media_info(), shared => shared.info.clone())
    }

    pub(crate) const fn desc(&self) -> Option<FrameDesc> {
        either!(self, own => own.desc(), shared => shared.desc)
    }

    pub(crate) const fn rotation(&self) -> i32 {
        either!(self, own => own.rotation(), shared => shared.rotation)
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        either!(self, own => own.bytes_read(), shared => shared.facts.bytes_read)
    }

    pub(crate) fn notes(&self) -> &[String] {
        either!(self, own => own.notes(), shared => shared.facts.notes.as_ref())
    }

    pub(crate) fn verdict(&self) -> Option<&Verdict> {
        either!(self, own => own.verdict(), shared => shared.verdict.as_deref())
    }

    pub(crate) fn worker(&self) -> Option<u32> {
        either!(self, own => own.worker(), shared => shared.facts.worker)
    }

    /// The next frame, see [`VideoDecoder::next_frame`].
    pub(crate) fn next_frame(&mut self) -> Result<Option<DecodedFrame<'_>>> {
        if let From::Shared(shared) = &mut self.from {
            if shared.verdict.is_some() {
                return Ok(None);
            }
            // What was read is not wanted any more: its memory is free for the next frame.
            shared.newest = None;
            match shared.tee.take(shared.reader, self.place.ours(), &self.options.cancel)? {
                Taken::Frame(held, facts) => {
                    (shared.desc, shared.facts) = (Some(held.desc()), facts);
                    shared.newest = Some(held);
                }
                Taken::End(verdict, facts) => {
                    (shared.verdict, shared.facts) = (Some(verdict), facts);
                    return Ok(None);
                }
                Taken::Lost => self.go_alone()?,
            }
        }
        let frame = match &mut self.from {
            From::Shared(shared) => shared.newest.as_ref().map(|held| held.frame(self.options.stream)),
            From::Own(own) => {
                let frame = own.next_frame()?;
                self.place.ours().counts.decoded.fetch_add(u64::from(frame.is_some()), Ordering::Relaxed);
                frame
            }
        };
        if frame.is_some() {
            self.taken += 1;
            self.place.ours().counts.delivered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(frame)
    }

    /// Opens a decoder of its own, at the frame after the newest one.
    fn go_alone(&mut self) -> Result<()> {
        let mut own = VideoDecoder::open(&self.path, &self.options)?;
        self.place.ours().counts.decoders.fetch_add(1, Ordering::Relaxed);
        for index in 0..self.taken {
            if own.next_frame()?.is_none() {
                let path = self.path.clone();
                let reason = format!("it changed while it was read: frame {index} is not there any more");
                return Err(Error::InputCorrupt { path, reason });
            }
            self.place.ours().counts.decoded.fetch_add(1, Ordering::Relaxed);
        }
        self.from = From::Own(Box::new(own));
        Ok(())
    }
}
