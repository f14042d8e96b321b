//! A decoded frame, and the one copy that takes it out of the decoder: row by row into a slot of our layout.

use super::avframe::Picture;
#[cfg(target_os = "linux")]
use super::isolate::SharedSlot;
use super::pixels::{Mapping, Pack, packed_row, palette_row, planar_row};
use super::turn::Turn;
use crate::core::{FrameDesc, FrameInfo, FrameLayout, RowSink};
use crate::error::{Error, Result};

/// Where the samples of a frame are.
#[derive(Debug)]
pub(crate) enum Samples<'a> {
    /// In memory of the decoder.
    Decoder { picture: &'a Picture, mapping: Mapping },
    /// In a slot of memory shared with the process that decoded it, laid out as [`FrameLayout`] says.
    #[cfg(target_os = "linux")]
    Shared(SharedSlot<'a>),
    /// In memory of ours, laid out as [`FrameLayout`] says.
    Host(&'a [u8]),
}

/// One frame, valid until the next one is asked for.
#[derive(Debug)]
pub struct DecodedFrame<'a> {
    pub(crate) samples: Samples<'a>,
    /// As the samples lie, before [`Self::turn`].
    pub(crate) desc: FrameDesc,
    pub(crate) info: FrameInfo,
    pub(crate) turn: Turn,
}

impl DecodedFrame<'_> {
    /// Format, size and colour of this frame; may differ from the frame before.
    pub const fn desc(&self) -> FrameDesc {
        self.turn.desc(self.desc)
    }

    /// Place and time of this frame in its stream.
    pub const fn info(&self) -> FrameInfo {
        self.info
    }

    /// Writes all planes into `slot` as `layout` says. Padding between rows and planes is left as it is.
    ///
    /// # Errors
    /// `Parameter` if `layout` is of another format or size than the frame, or `slot` is smaller than a slot of the layout.
    pub fn copy_into<S: RowSink + ?Sized>(&self, layout: &FrameLayout, slot: &mut S) -> Result<()> {
        let wrong =
            |name, wanted: String, given: String| Error::Parameter { op: "media/copy_into", name, wanted, given };
        let desc = self.desc();
        if layout.format != desc.format || layout.size != desc.size {
            let given = format!("{} {}", layout.format, layout.size);
            return Err(wrong("layout", format!("{} {}", desc.format, desc.size), given));
        }
        if slot.capacity() < layout.slot_bytes() as usize {
            let wanted = format!("at least {} bytes", layout.slot_bytes());
            return Err(wrong("slot", wanted, format!("{} bytes", slot.capacity())));
        }
        if self.turn == Turn::None {
            return self.copy_as_coded(layout, slot);
        }
        let from = FrameLayout::new(&self.desc)
            .ok_or_else(|| Error::Bug(format!("no layout for a {} frame in {}", self.desc.size, self.desc.format)))?;
        let mut coded = vec![0; from.slot_bytes() as usize];
        self.copy_as_coded(&from, coded.as_mut_slice())?;
        self.turn.write(&coded, &from, layout, slot)
    }

    fn copy_as_coded<S: RowSink + ?Sized>(&self, layout: &FrameLayout, slot: &mut S) -> Result<()> {
        let (picture, mapping) = match &self.samples {
            Samples::Decoder { picture, mapping } => (*picture, mapping),
            #[cfg(target_os = "linux")]
            Samples::Shared(shared) => return shared.copy_into(layout, slot),
            Samples::Host(bytes) => return copy_rows(bytes, layout, slot),
        };
        match mapping.pack {
            Pack::Planes => {
                for (index, plane) in layout.planes().iter().enumerate() {
                    let bytes = plane.shape.row_bytes() as usize;
                    for y in 0..plane.shape.rows {
                        let to = plane.offset as usize + plane.stride as usize * y as usize;
                        slot.write(to, row(picture, index, y, bytes)?);
                    }
                }
                Ok(())
            }
            pack => shuffle(picture, pack, layout, slot),
        }
    }
}

/// Copies what is laid out already, row by row.
fn copy_rows<S: RowSink + ?Sized>(bytes: &[u8], layout: &FrameLayout, slot: &mut S) -> Result<()> {
    for plane in layout.planes() {
        for y in 0..plane.shape.rows {
            let at = plane.offset as usize + plane.stride as usize * y as usize;
            let row = bytes.get(at..at + plane.shape.row_bytes() as usize);
            slot.write(at, row.ok_or_else(|| Error::Bug(format!("row {y} at {at} is not within the frame")))?);
        }
    }
    Ok(())
}

fn shuffle<S: RowSink + ?Sized>(picture: &Picture, pack: Pack, layout: &FrameLayout, slot: &mut S) -> Result<()> {
    let plane = layout.first();
    let width = layout.size.width as usize;
    let mut line = vec![0u8; width * 4];
    for y in 0..layout.size.height {
        match pack {
            Pack::Packed { step, rgb, alpha } => {
                packed_row(row(picture, 0, y, width * step)?, step, rgb, alpha, &mut line);
            }
            Pack::Planar { alpha } => {
                let a = if alpha { Some(row(picture, 3, y, width)?) } else { None };
                planar_row(
                    row(picture, 0, y, width)?,
                    row(picture, 1, y, width)?,
                    row(picture, 2, y, width)?,
                    a,
                    &mut line,
                );
            }
            Pack::Palette => palette_row(row(picture, 0, y, width)?, row(picture, 1, 0, 1024)?, &mut line),
            Pack::Planes => return Err(Error::Bug("planes need no shuffling".into())),
        }
        slot.write(plane.offset as usize + plane.stride as usize * y as usize, &line);
    }
    Ok(())
}

fn row(picture: &Picture, plane: usize, y: u32, bytes: usize) -> Result<&[u8]> {
    let missing = || Error::Bug(format!("the decoder's frame has no row {y} of {bytes} bytes in plane {plane}"));
    picture.row(plane, y, bytes).ok_or_else(missing)
}
