//! A frame that outlives the decoder's next one.

use crate::core::{FrameDesc, FrameInfo, FrameLayout};
use crate::error::{Error, Result};
use crate::media::avframe::Picture;
use crate::media::picture::{DecodedFrame, Samples};
use crate::media::pixels::Mapping;
use crate::media::turn::Turn;

/// A frame that several readers look at.
#[derive(Debug)]
pub(super) struct Held {
    samples: Kept,
    desc: FrameDesc,
    info: FrameInfo,
}

#[derive(Debug)]
enum Kept {
    /// Another reference to the decoder's memory, which the decoder leaves as it is while there is one.
    Picture(Picture, Mapping),
    /// A copy: slots of a decoder process are filled again.
    Bytes(Vec<u8>),
}

impl Held {
    /// Keeps `frame`.
    ///
    /// # Errors
    /// [`Error::Memory`] when there is none.
    pub(super) fn of(frame: &DecodedFrame<'_>) -> Result<Self> {
        let samples = match &frame.samples {
            Samples::Decoder { picture, mapping } => Kept::Picture(picture.again()?, *mapping),
            _ => {
                let FrameDesc { format, size, .. } = frame.desc;
                let layout = FrameLayout::new(&frame.desc)
                    .ok_or_else(|| Error::Bug(format!("no layout for a {size} frame in {format}")))?;
                let mut bytes = vec![0; layout.slot_bytes() as usize];
                frame.copy_into(&layout, bytes.as_mut_slice())?;
                Kept::Bytes(bytes)
            }
        };
        Ok(Self { samples, desc: frame.desc, info: frame.info })
    }

    /// The frame for a reader that calls its source `stream`.
    pub(super) fn frame(&self, stream: u32) -> DecodedFrame<'_> {
        let samples = match &self.samples {
            Kept::Picture(picture, mapping) => Samples::Decoder { picture, mapping: *mapping },
            Kept::Bytes(bytes) => Samples::Host(bytes),
        };
        DecodedFrame { samples, desc: self.desc, info: FrameInfo { stream, ..self.info }, turn: Turn::None }
    }

    pub(super) const fn desc(&self) -> FrameDesc {
        self.desc
    }

    /// Bytes that it holds, about.
    pub(super) fn bytes(&self) -> u64 {
        self.desc.format.frame_bytes(self.desc.size)
    }
}
