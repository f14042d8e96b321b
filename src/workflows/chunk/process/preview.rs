//! A plan as a video: chunks drawn on the frames, what is processed lit.

use std::path::{Path, PathBuf};

use super::draw::{COLORS, dim_outside, draw_number, draw_outline};
use super::placement::{Placed, Placement};
use super::run::{check_size, seconds};
use super::video::{ChunkVideo, Stream, file_spec};
use crate::core::{CancelToken, FrameDesc, FrameLayout, Observer, Rect, Size};
use crate::error::{Error, Result};
use crate::pipeline::FrameSource as _;
use crate::workflows::encode::{Finished, encode};
use crate::workflows::reporter::Reporter;

/// What was written.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Frames.
    pub frames: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Where it is.
    pub path: PathBuf,
}

/// Quality of the video.
const CRF: f32 = 20.0;
/// Seconds before and after its time in which a chunk is drawn.
const NEAR: f64 = 1.0;
/// Of chunks that rest.
const RESTING: [u8; 3] = [150, 150, 150];

/// Writes the frames of `video` of the first `most` seconds (all, without) to `path`, an `.mp4`, with `placement` drawn on them: chunks that
/// are processed are as bright as they were, in a frame of the colour of their number, the rest is dimmed; those whose time begins or
/// ended within a second have a thin grey frame. Numbers count from 1. Without sound. `observer` hears of frames done, in the stage
/// `write`.
///
/// # Errors
/// [`Error::Usage`] for frames of another size than the placement was made for; those of decoding and encoding.
pub fn write_preview(
    video: ChunkVideo,
    placement: &Placement,
    path: &Path,
    most: Option<f64>,
    observer: &mut dyn Observer,
) -> Result<Preview> {
    let cancel = CancelToken::new();
    let mut reporter = Reporter::new(observer, &cancel);
    let mut progress = reporter.stage(("write", "frames"), video.facts.expected(most), 0);
    let ChunkVideo { facts, source, .. } = video;
    let spec = file_spec(path.to_path_buf(), &facts, CRF, None);
    let mut stream = Stream::new(source, most);
    let (frames, encoded) = encode(&spec, |hand_on| {
        let mut part = stream.part(u64::MAX);
        let mut frames = 0;
        while part.next(&mut |frame| {
            let (desc, info) = (frame.desc(), frame.info());
            check_size(placement, desc.size)?;
            let layout = FrameLayout::new(&desc).ok_or_else(|| Error::Bug("a frame without a layout".into()))?;
            let mut bytes = vec![0; layout.slot_bytes() as usize];
            frame.copy_into(&layout, &mut bytes)?;
            paint((&desc, &layout, &mut bytes), placement, seconds(&info));
            hand_on(Finished { desc, info, layout, bytes })
        })? {
            frames += 1;
            progress(1);
            cancel.check()?;
        }
        Ok(frames)
    })?;
    let missing = || Error::InputCorrupt { path: facts.path.clone(), reason: "no frame could be decoded".into() };
    let file = encoded.ok_or_else(missing)?.file;
    Ok(Preview { frames, bytes: file.bytes, path: file.path })
}

/// Draws the chunks at `time` into a frame.
fn paint((desc, layout, bytes): (&FrameDesc, &FrameLayout, &mut [u8]), placement: &Placement, time: f64) {
    let Size { width, height } = desc.size;
    let unit = (width.max(height) / 640).max(1);
    let placed = |chunk: &Placed| (chunk.id(), chunk.rect_at(time, placement.frame));
    let (active, resting): (Vec<&Placed>, Vec<&Placed>) =
        placement.chunks.iter().partition(|c| c.chunk.is_active(time));
    let lit: Vec<Rect> = active.iter().map(|c| placed(c).1).collect();
    dim_outside((layout, bytes), desc.color, &lit);
    let soon = |c: &&&Placed| {
        let spans = c.chunk.active.as_ref().map_or(&[][..], |s| s.spans());
        spans.iter().any(|[from, to]| from - NEAR <= time && time < to + NEAR)
    };
    for chunk in resting.iter().filter(soon) {
        draw_outline((layout, bytes), desc.color, placed(chunk).1, unit, RESTING);
    }
    for (id, rect) in active.into_iter().map(placed) {
        let rgb = COLORS.get(id as usize % COLORS.len()).copied().unwrap_or([255; 3]);
        draw_outline((layout, bytes), desc.color, rect, 2 * unit, rgb);
        let at = [rect.x + 5 * unit, rect.y + 5 * unit];
        draw_number((layout, bytes), desc.color, (id + 1, at), 2 * unit, rgb);
    }
}
