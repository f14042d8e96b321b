//! Videos on request: the face of each track, cut out, and the whole picture with what was found drawn on it; both with their sound.

use std::path::{Path, PathBuf};

use super::super::pump::{Pump, Share};
use super::log::FrameFacts;
use super::paint::Paint;
use super::tell::{Results, TrackTold};
use super::video::{SyncVideo, Wanted};
use super::who::{TrackOf, Who};
use crate::core::{BoxF, FrameLayout, Outside, PixelFormat, Rational, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::infer::{ElementType, Extent, IoInfo, PictureInput};
use crate::media::{
    AudioOptions, OddSize, Plane, SoundOptions, VideoDecoder, VideoWriter, WriteSummary, WriterOptions,
};
use crate::ops::resize::crop_resize::CropBox;
use crate::pipeline::vision::{TensorStage, TensorStageOptions};
use crate::pipeline::{PipelineOptions, batches};
use crate::store::{Committed, StoreIo};

/// Folder of the face videos.
pub(super) const FOLDER: &str = "faces";
/// Side of a face video in pixels, and the grey around the picture: what SyncNet's crops have.
const SIDE: u32 = 224;
const GREY: f32 = 110.0 / 255.0;
/// Faces in a frame for which memory is set aside.
const FACES: u64 = 4;
/// Face videos that are written at the same time; each has an encoder.
const MOST_OPEN: usize = 16;
/// Microseconds: times are kept as found.
const MICROS: Rational = Rational { num: 1, den: 1_000_000 };
/// Thickness of boxes in pixels of a picture of 480 rows.
const THICK: f64 = 3.0;

/// What the videos are made of.
pub(super) struct Videos<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) video: &'a SyncVideo,
    pub(super) options: &'a PipelineOptions,
    pub(super) frames: &'a [FrameFacts],
    pub(super) who: &'a Who,
    pub(super) results: &'a Results,
    /// Factor of confidences, see [`super::Estimator::confidence_scale`].
    pub(super) scale: f64,
}

/// A video being written.
struct Clip {
    writer: VideoWriter,
    path: PathBuf,
    sound: Share,
    /// Time of its first frame in microseconds.
    first: i64,
}

impl Clip {
    fn finish(mut self, pump: Option<&Pump>, end: i64) -> Result<Committed> {
        if let Some(pump) = pump {
            let until = pump.position(end as f64 / 1e6);
            self.sound.fill(until, |s| self.writer.write_sound(s))?;
        }
        let WriteSummary { bytes, blake3, .. } = self.writer.finish()?;
        Ok(Committed { path: self.path, bytes, blake3: blake3.into() })
    }
}

impl Videos<'_> {
    /// One video a track below `folder`, as its estimator saw the face: `faces/track_0000.mp4`.
    pub(super) fn faces(&self, io: &dyn StoreIo, folder: &Path) -> Result<Vec<Committed>> {
        let folder = folder.join(FOLDER);
        io.create_dir_all(&folder).map_err(|e| Error::storage("create", &folder, e))?;
        let mut stage = self.stage()?;
        let tracks = &self.who.tracks;
        let ranges = tracks.iter().map(|t| (t.track.first, t.track.last() + 1)).collect();
        let (source, ..) = self.video.frames(Wanted::inside(ranges))?;
        let each = stage.element_bytes() * 4 * FACES;
        let bytes = move |_: &FrameLayout, batch: u32| each * u64::from(batch);
        let mut pump = self.sound()?;
        let mut open: Vec<(usize, Clip)> = Vec::new();
        let mut done = Vec::new();
        let ((), report) = batches(self.ctx, self.options, source, &bytes, |all| {
            while let Some(batch) = all.next_batch()? {
                let (mut boxes, mut of) = (Vec::new(), Vec::new());
                for (slot, info) in (0u32..).zip(batch.infos()) {
                    for (track, face) in tracks.iter().enumerate().filter_map(|(n, t)| Some((n, t.face(info.index)?))) {
                        boxes.push(CropBox { slot, rect: crop(&face).to_pixels() });
                        of.push((info.index, track));
                    }
                }
                let tensors = stage.tensors(batch.frames(), batch.desc().color, &boxes)?;
                for ((frame, track), planes) in of.into_iter().zip(tensors.chunks_exact(3 * (SIDE * SIDE) as usize)) {
                    let (t, d) = self.shown(frame);
                    hear(pump.as_mut(), t, &mut open)?;
                    if tracks.get(track).is_some_and(|of| of.track.first == frame) {
                        if open.len() >= MOST_OPEN {
                            return Err(Error::usage(format!(
                                "{MOST_OPEN} faces are in the picture at the same time: too many for a video of each; ask for larger ones with --min-face-size"
                            )));
                        }
                        let path = folder.join(format!("track_{track:04}.mp4"));
                        let size = Size::new(SIDE, SIDE);
                        open.push((
                            track,
                            self.begin(io, path, &self.options_for(size, PixelFormat::Rgba8), pump.as_ref(), t)?,
                        ));
                    }
                    let Some(at) = open.iter().position(|o| o.0 == track) else { continue };
                    if let Some((_, clip)) = open.get_mut(at) {
                        let rgba = interleaved(planes);
                        let planes = [Plane { data: &rgba, stride: 4 * SIDE as usize }];
                        clip.writer.write_frame(&planes, t - clip.first)?;
                    }
                    if tracks.get(track).is_some_and(|of| of.track.last() == frame) {
                        hear(pump.as_mut(), t + d, &mut open)?;
                        done.push(open.remove(at).1.finish(pump.as_ref(), t + d)?);
                    }
                }
            }
            Ok(())
        })?;
        self.options.cancel.check()?;
        // A video that ends early was reported by the first pass: what there is of a face is kept.
        let failed = report.result.err();
        let end = self.frames.last().map_or(0, |f| f.t + f.d);
        for (_, clip) in open {
            done.push(clip.finish(pump.as_ref(), end)?);
        }
        match failed {
            Some(e) if done.is_empty() => Err(e),
            _ => Ok(done),
        }
    }

    /// The whole video with boxes, confidences and offsets: `annotated.mp4`.
    pub(super) fn annotated(&self, io: &dyn StoreIo, folder: &Path) -> Result<Committed> {
        let mut decoder = VideoDecoder::open(&self.video.path, &self.video.decoding())?;
        let mut pump = self.sound()?;
        let mut open: Vec<(usize, Clip)> = Vec::new();
        let (mut slot, mut format) = (Vec::new(), None);
        let mut index = 0u64;
        let mut end = 0;
        while let Some(frame) = decoder.next_frame()? {
            self.options.cancel.check()?;
            // As many frames as were judged: a damaged end has none of them.
            if usize::try_from(index).map_or(true, |i| i >= self.frames.len()) {
                break;
            }
            let desc = frame.desc();
            let layout = FrameLayout::new(&desc).ok_or_else(|| Error::Bug(format!("no layout for {desc:?}")))?;
            if *format.get_or_insert((desc.size, desc.format)) != (desc.size, desc.format) {
                let what = format!("annotating a video whose picture becomes {} {} on the way", desc.format, desc.size);
                return Err(Error::InputUnsupported { path: self.video.path.clone(), what, hint: None });
            }
            slot.resize(layout.slot_bytes() as usize, 0);
            frame.copy_into(&layout, slot.as_mut_slice())?;
            let (t, d) = self.shown(index);
            self.draw(index, t, &mut Paint::new(layout, desc.color, &mut slot), desc.size);
            hear(pump.as_mut(), t, &mut open)?;
            if open.is_empty() {
                let decode = &self.video.open.decode;
                let stream = self.video.info.video_streams.get(decode.track);
                let options = WriterOptions {
                    color: desc.color,
                    pixel_aspect: stream.and_then(|s| decode.pixel_aspect_of(s)),
                    ..self.options_for(desc.size, desc.format)
                };
                open.push((0, self.begin(io, folder.join("annotated.mp4"), &options, pump.as_ref(), t)?));
            }
            let planes: Vec<Plane<'_>> = layout
                .planes()
                .iter()
                .map(|p| Plane { data: slot.get(p.offset as usize..).unwrap_or_default(), stride: p.stride as usize })
                .collect();
            for (_, clip) in &mut open {
                clip.writer.write_frame(&planes, t - clip.first)?;
            }
            end = t + d;
            index += 1;
        }
        hear(pump.as_mut(), end, &mut open)?;
        let (_, clip) = open.pop().ok_or_else(|| Error::Bug("no frame to annotate".into()))?;
        clip.finish(pump.as_ref(), end)
    }

    /// Boxes of the tracks of a frame, redder where lips and sound agree less.
    fn draw(&self, index: u64, micros: i64, paint: &mut Paint<'_>, size: Size) {
        let unit = f64::from(size.height) / 480.0;
        let (thick, scale) = ((THICK * unit).round().max(2.0) as i64, (2.0 * unit).round().max(1.0) as i64);
        let seconds = micros as f64 / 1e6;
        for told in &self.results.tracks {
            let Some(face) = self.who.tracks.get(told.track).and_then(|t: &TrackOf| t.face(index)) else { continue };
            let (confidence, late) = at(told, seconds);
            let confidence = confidence * self.scale;
            // As the script paints it: green from a confidence of about ten on.
            let green = (25.0 * confidence).clamp(0.0, 255.0) as u8;
            let square = face.squared();
            paint.outline(&square, thick, [255 - green, green, 0]);
            let ms = late.map_or(String::new(), |s| format!(", {:+.0} ms", s * 1e3));
            let text = format!("Track {}, Conf {confidence:.3}{ms}", told.track);
            let place = (square.x.round() as i64, square.y.round() as i64);
            paint.label(&text, place, scale, [255; 3]);
        }
    }

    fn stage(&self) -> Result<TensorStage> {
        let side = Extent::Fixed(SIDE as usize);
        let shape = vec![Extent::Dynamic("face".into()), Extent::Fixed(3), side.clone(), side];
        let io = IoInfo { name: "faces".into(), element: ElementType::F32, shape };
        let picture = PictureInput { scale: 255.0, ..PictureInput::default() };
        let outside = TensorStageOptions { outside: Outside::Pad(GREY), ..TensorStageOptions::default() };
        TensorStage::new(self.ctx, &io, &picture, outside)
    }

    fn options_for(&self, size: Size, format: PixelFormat) -> WriterOptions {
        let rate = Rational::new((1e3 / self.video.usual()).round() as i32, 1000);
        WriterOptions { frame_rate: rate, odd: OddSize::PadReplicate, ..WriterOptions::new(size, format, MICROS) }
    }

    fn begin(
        &self,
        io: &dyn StoreIo,
        path: PathBuf,
        options: &WriterOptions,
        pump: Option<&Pump>,
        first: i64,
    ) -> Result<Clip> {
        let (writer, sound) = match pump {
            Some(p) => {
                let sound = SoundOptions { rate: p.rate, channels: p.channels, start: 0 };
                let share = Share::new(p.position(first as f64 / 1e6), p.channels);
                (VideoWriter::create_with_sound_in(io, &path, options, &sound)?, share)
            }
            None => (VideoWriter::create_in(io, &path, options, None)?, Share::new(0, 1)),
        };
        Ok(Clip { writer, path, sound, first })
    }

    /// The sound as it is, to be encoded anew.
    fn sound(&self) -> Result<Option<Pump>> {
        let own = self.video.audio();
        let Some(stream) = self.video.info.audio_streams.get(own.track) else { return Ok(None) };
        let rate = SoundOptions::rate_for(stream.sample_rate.unwrap_or(48_000));
        let channels = u16::try_from(stream.channels.unwrap_or(2).clamp(1, 8)).unwrap_or(2);
        Pump::open(&self.video.path, &AudioOptions { rate, channels, ..own }).map(Some)
    }

    fn shown(&self, frame: u64) -> (i64, i64) {
        let at = usize::try_from(frame).ok().and_then(|i| self.frames.get(i));
        at.map_or((0, 0), |f| (f.t, f.d))
    }
}

/// Gives all open videos their sound up to a time in microseconds.
fn hear(pump: Option<&mut Pump>, micros: i64, open: &mut [(usize, Clip)]) -> Result<()> {
    let Some(pump) = pump else { return Ok(()) };
    pump.run_to(pump.position(micros as f64 / 1e6), |at, samples| {
        open.iter_mut().try_for_each(|(_, c)| c.sound.give(at, samples, |s| c.writer.write_sound(s)))
    })
}

/// The part of the picture around a face that SyncNet's crops show.
pub(super) fn crop(face: &BoxF) -> BoxF {
    /// Margin as a part of half the side.
    const MARGIN: f32 = 0.4;
    let half = face.width.max(face.height) / 2.0;
    let centre = face.center();
    BoxF::from_corners(
        centre.x - half * (1.0 + MARGIN),
        centre.y - half,
        centre.x + half * (1.0 + MARGIN),
        centre.y + half * (1.0 + 2.0 * MARGIN),
    )
}

/// Confidence and offset of a track at a time: those of the window whose middle is nearest.
fn at(told: &TrackTold, seconds: f64) -> (f64, Option<f64>) {
    let apart = |w: &&super::Told| ((w.from + w.to) / 2.0 - seconds).abs();
    let window = told.windows.iter().min_by(|a, b| apart(a).total_cmp(&apart(b)));
    window.map_or((0.0, None), |w| (w.estimate.confidence, (!w.estimate.curve.is_empty()).then_some(w.estimate.offset)))
}

/// Planes of red, green and blue as rows of RGBA.
fn interleaved(planes: &[f32]) -> Vec<u8> {
    let pixels = (SIDE * SIDE) as usize;
    let code = |plane: usize, i: usize| planes.get(plane * pixels + i).map_or(0, |v| v.round() as u8);
    (0..pixels).flat_map(|i| [code(0, i), code(1, i), code(2, i), 255]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crop_is_that_of_the_script() {
        let c = crop(&BoxF::from_corners(100.0, 50.0, 200.0, 130.0));
        // Half side 50, centre (150, 90): rows 40..180, columns 80..220.
        assert_eq!((c.x, c.y, c.right(), c.bottom()), (80.0, 40.0, 220.0, 180.0));
    }
}
