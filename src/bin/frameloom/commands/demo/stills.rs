//! Pictures for the cards, taken from the videos that commands made.

use std::path::Path;

use frameloom::Result;
use frameloom::core::{ChromaUpsampling, FrameLayout, PixelFormat, Rect, Size};
use frameloom::media::{DecodeOptions, DecodedFrame, MediaInfo, VideoDecoder, encode_jpeg};
use frameloom::reference::FrameSlot;
use frameloom::reference::color::rgb_from_yuv::rgb_from_yuv;
use frameloom::workflows::chunk::plan::ChunkPlan;
use frameloom::workflows::chunk::read_plan;

/// Longest side in pixels.
const SIDE: u32 = 960;
const QUALITY: u8 = 88;
/// How bright is what no chunk holds.
const DIMMED: f32 = 0.35;

/// A frame.
struct Picture {
    size: Size,
    rgb: Vec<[u8; 3]>,
}

/// The frame of `video` at a share (0..1) of its length as a JPEG; `None` where it has no such frame.
pub(super) fn still(video: &Path, share: f64) -> Result<Option<Vec<u8>>> {
    let time = |info: &MediaInfo| info.start_time.unwrap_or(0.0) + share * info.duration.unwrap_or(0.0);
    let picture = frame_at(video, time)?;
    picture.map(|(_, picture)| picture.reduced().jpeg()).transpose()
}

/// A frame of `video` as a JPEG, with what the chunks of `plan` hold then as bright as it is and the rest dimmed: half way through the longest time of
/// the first chunk. `None` for a plan without chunks, and for videos that end before that.
pub(super) fn lit(video: &Path, plan: &Path) -> Result<Option<Vec<u8>>> {
    let plan = read_plan(plan)?;
    let Some(time) = busiest(&plan) else { return Ok(None) };
    let Some((time, mut picture)) = frame_at(video, |_| time)? else { return Ok(None) };
    let rects: Vec<Rect> = plan.active_at(time).map(|(_, rect)| rect).collect();
    picture.light(&rects);
    picture.reduced().jpeg().map(Some)
}

/// The middle of the longest time in which the first chunk is processed, in seconds.
fn busiest(plan: &ChunkPlan) -> Option<f64> {
    let chunk = plan.chunks.first()?;
    let spans = chunk.active.as_ref().map_or(&[][..], |s| s.spans());
    let longest = spans.iter().max_by(|[a, b], [c, d]| (b - a).total_cmp(&(d - c)));
    Some(longest.map_or(0.0, |[from, to]| f64::midpoint(*from, *to)))
}

/// The first frame that is not before a time, and its own time, both in seconds.
fn frame_at(video: &Path, time: impl Fn(&MediaInfo) -> f64) -> Result<Option<(f64, Picture)>> {
    let mut decoder = VideoDecoder::open(video, &DecodeOptions::default())?;
    let wanted = time(&decoder.media_info());
    while let Some(frame) = decoder.next_frame()? {
        let seconds = frame.info().seconds().unwrap_or(0.0);
        if seconds >= wanted {
            return Ok(Picture::of(&frame)?.map(|picture| (seconds, picture)));
        }
    }
    Ok(None)
}

impl Picture {
    fn of(frame: &DecodedFrame<'_>) -> Result<Option<Self>> {
        let desc = frame.desc();
        let Some(layout) = FrameLayout::new(&desc) else { return Ok(None) };
        let mut slot = vec![0; layout.slot_bytes() as usize];
        frame.copy_into(&layout, &mut slot)?;
        let shown = FrameSlot::new(layout, &slot)?;
        let rgb = if desc.format == PixelFormat::Rgba8 {
            let places = (0..desc.size.height).flat_map(|y| (0..desc.size.width).map(move |x| (x, y)));
            places.map(|(x, y)| [0, 1, 2].map(|c| shown.sample(c, x, y) as u8)).collect()
        } else {
            let words = rgb_from_yuv(&shown, desc.color, ChromaUpsampling::Bilinear)?;
            words.into_iter().map(u32::to_le_bytes).map(|[r, g, b, _]| [r, g, b]).collect()
        };
        Ok(Some(Self { size: desc.size, rgb }))
    }

    /// Dims what lies in none of `rects`, and draws their edges.
    fn light(&mut self, rects: &[Rect]) {
        let edge = (self.size.width / 320).max(1);
        let within = |r: &Rect, x: u32, y: u32| x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height;
        let on_edge = |r: &Rect, x: u32, y: u32| {
            let off = (x - r.x).min(r.x + r.width - 1 - x).min(y - r.y).min(r.y + r.height - 1 - y);
            off < edge
        };
        let width = self.size.width.max(1);
        for (at, pixel) in (0u32..).zip(&mut self.rgb) {
            let (x, y) = (at % width, at / width);
            let mut holding = rects.iter().filter(|r| within(r, x, y)).peekable();
            if holding.peek().is_none() {
                *pixel = pixel.map(|v| (f32::from(v) * DIMMED) as u8);
            } else if holding.any(|r| on_edge(r, x, y)) {
                *pixel = [70, 230, 120];
            }
        }
    }

    /// Made smaller by a whole number, where it is too large for a card: means of squares.
    fn reduced(self) -> Self {
        let by = self.size.width.max(self.size.height).div_ceil(SIDE).max(1);
        let size = Size::new((self.size.width / by).max(1), (self.size.height / by).max(1));
        if by == 1 {
            return self;
        }
        let mut sums = vec![([0u32; 3], 0u32); size.area() as usize];
        for (y, row) in (0u32..).zip(self.rgb.chunks_exact(self.size.width as usize)) {
            for (x, pixel) in (0u32..).zip(row).filter(|(x, _)| x / by < size.width && y / by < size.height) {
                if let Some((sum, count)) = sums.get_mut((y / by * size.width + x / by) as usize) {
                    sum.iter_mut().zip(pixel).for_each(|(s, v)| *s += u32::from(*v));
                    *count += 1;
                }
            }
        }
        Self { size, rgb: sums.into_iter().map(|(sum, count)| sum.map(|s| (s / count.max(1)) as u8)).collect() }
    }

    fn jpeg(&self) -> Result<Vec<u8>> {
        let rgba: Vec<u8> = self.rgb.iter().flat_map(|[r, g, b]| [*r, *g, *b, 255]).collect();
        encode_jpeg(self.size, &rgba, QUALITY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_lit_and_large_pictures_made_smaller() {
        let size = Size::new(2000, 3);
        let mut picture = Picture { size, rgb: vec![[100, 200, 40]; size.area() as usize] };
        picture.light(&[Rect { x: 1000, y: 0, width: 500, height: 3 }]);
        assert_eq!((picture.rgb[0], picture.rgb[1000]), ([35, 70, 14], [70, 230, 120]));
        let small = picture.reduced();
        assert_eq!((small.size, small.rgb.len()), (Size::new(666, 1), 666));
        assert_eq!((small.rgb[0], small.rgb[400]), ([35, 70, 14], [70, 230, 120]));
        assert!(small.jpeg().unwrap().starts_with(&[0xff, 0xd8]));
    }
}
