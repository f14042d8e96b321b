//! Frames become a video file on a thread of their own, with their times. Shared by workflows that write processed frames.

use std::path::{Path, PathBuf};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::core::{FrameDesc, FrameInfo, FrameLayout, Rational, Size};
use crate::error::{Error, Result};
use crate::media::{AudioCopy, OddSize, Plane, RateControl, VideoWriter, WriteSummary, WriterOptions};
use crate::store::{Committed, Hash, OsIo};

/// Frames that wait for the encoder at most.
const WAITING: usize = 4;

/// What the file is like.
#[derive(Debug, Clone)]
pub(crate) struct FileSpec {
    /// `.mp4`; becomes `.mkv` when MP4 does not take the audio.
    pub(crate) path: PathBuf,
    pub(crate) crf: f32,
    pub(crate) audio: Option<AudioCopy>,
    pub(crate) rate: Option<Rational>,
    /// Shape of the pixels, width to height; `None` for square ones.
    pub(crate) pixel_aspect: Option<Rational>,
}

impl FileSpec {
    /// A usual rate as the writer takes it.
    pub(crate) fn rate_of(fps: Option<f64>) -> Option<Rational> {
        let fps = fps.filter(|f| (0.01..=1000.0).contains(f));
        fps.and_then(|f| Rational::new((f * 1000.0).round() as i32, 1000))
    }
}

/// A frame on its way to the encoder.
pub(crate) struct Finished {
    pub(crate) desc: FrameDesc,
    pub(crate) info: FrameInfo,
    pub(crate) layout: FrameLayout,
    pub(crate) bytes: Vec<u8>,
}

enum Message {
    Frame(Box<Finished>),
    Done,
}

/// What was written.
pub(crate) struct Encoded {
    pub(crate) file: Committed,
    pub(crate) notes: Vec<String>,
}

/// Runs `body`, whose frames become the file of `spec`. Nothing is left behind when it fails.
///
/// # Errors
/// Of the encoder and the muxer, or those of `body`.
pub(crate) fn encode<R>(
    spec: &FileSpec,
    body: impl FnOnce(&mut dyn FnMut(Finished) -> Result<()>) -> Result<R>,
) -> Result<(R, Option<Encoded>)> {
    std::thread::scope(|scope| {
        let (to, from): (Sender<Message>, Receiver<Message>) = bounded(WAITING);
        let thread = scope.spawn(move || write(spec, &from));
        let gone = || Error::Bug("the encoder is gone without saying so".into());
        let mut hand_on = |frame| to.send(Message::Frame(Box::new(frame))).map_err(|_| gone());
        let result = body(&mut hand_on);
        if result.is_ok() {
            // An encoder that failed says so below.
            let _ = to.send(Message::Done);
        }
        drop(to);
        let written = thread.join().unwrap_or_else(|payload| std::panic::resume_unwind(payload));
        match (result, written) {
            // The encoder's failure is why frames could not be handed on.
            (_, Err(e)) => Err(e),
            (Err(e), _) => Err(e),
            (Ok(result), Ok(encoded)) => Ok((result, encoded)),
        }
    })
}

/// A file that is being written.
pub(crate) struct Open {
    writer: VideoWriter,
    desc: FrameDesc,
    path: PathBuf,
    notes: Vec<String>,
}

/// Times of frames as they are written: they rise.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) last: Option<i64>,
}

impl Times {
    /// The time of a frame. One without a time, or with one that goes back, follows the one before.
    pub(crate) fn of(&mut self, info: &FrameInfo) -> i64 {
        let step = info.duration.max(1);
        let pts = match (info.pts, self.last) {
            (Some(p), Some(last)) if p <= last => last + 1,
            (Some(p), _) => p,
            (None, last) => last.map_or(0, |l| l.saturating_add(step)),
        };
        self.last = Some(pts);
        pts
    }
}

fn write(spec: &FileSpec, frames: &Receiver<Message>) -> Result<Option<Encoded>> {
    let (mut open, mut times): (Option<Open>, _) = (None, Times::default());
    for message in frames {
        let frame = match message {
            Message::Frame(frame) => frame,
            Message::Done => return open.map(Open::finish).transpose(),
        };
        let out = match &mut open {
            Some(out) => out,
            None => open.insert(Open::begin(spec, &frame)?),
        };
        let pts = times.of(&frame.info);
        out.push(&frame, pts)?;
    }
    // The other side failed.
    Ok(None)
}

/// Creates a file whose audio is copied: a Matroska file where MP4 does not take it. Gives its path, and a note of that.
pub(crate) fn with_audio<T>(
    spec: &FileSpec,
    create: impl Fn(&Path, Option<&AudioCopy>) -> Result<T>,
) -> Result<(T, PathBuf, Vec<String>)> {
    match create(&spec.path, spec.audio.as_ref()) {
        Err(Error::InputUnsupported { .. }) if spec.audio.is_some() => {
            let note = "the audio cannot be copied into an MP4 file: a Matroska file is written";
            let path = spec.path.with_extension("mkv");
            Ok((create(&path, spec.audio.as_ref())?, path, vec![note.to_owned()]))
        }
        other => Ok((other?, spec.path.clone(), Vec::new())),
    }
}

/// What is worth saying about a file.
pub(crate) fn remarks(picture: Size, coded: Size, audio_damage: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    if !audio_damage.is_empty() {
        notes.push(format!("the audio is damaged: {}", audio_damage.join("; ")));
    }
    if picture != coded {
        notes.push(format!("4:2:0 video has even sides: pictures of {picture} lie in the top left of {coded}"));
    }
    notes
}

impl Open {
    /// Begins the file of `spec` for frames like `frame`.
    pub(crate) fn begin(spec: &FileSpec, frame: &Finished) -> Result<Self> {
        let options = WriterOptions {
            color: frame.desc.color,
            frame_rate: spec.rate,
            pixel_aspect: spec.pixel_aspect,
            rate: RateControl::Crf(spec.crf),
            odd: OddSize::PadReplicate,
            ..WriterOptions::new(frame.desc.size, frame.desc.format, frame.info.time_base)
        };
        let create = |path: &Path, audio: Option<&AudioCopy>| VideoWriter::create_in(&OsIo, path, &options, audio);
        let (writer, path, notes) = with_audio(spec, create)?;
        Ok(Self { writer, desc: frame.desc, path, notes })
    }

    /// Adds a frame of the same format and size.
    pub(crate) fn push(&mut self, frame: &Finished, pts: i64) -> Result<()> {
        if (self.desc.format, self.desc.size) != (frame.desc.format, frame.desc.size) {
            return Err(Error::InputUnsupported {
                path: self.path.clone(),
                what: format!("writing frames that become {} {} on the way", frame.desc.format, frame.desc.size),
                hint: Some("cut the video where its pictures change".into()),
            });
        }
        let plane = |p: &crate::core::PlaneLayout| Plane {
            data: frame.bytes.get(p.offset as usize..).unwrap_or_default(),
            stride: p.stride as usize,
        };
        let planes: Vec<Plane<'_>> = frame.layout.planes().iter().map(plane).collect();
        self.writer.write_frame(&planes, pts)
    }

    pub(crate) fn finish(self) -> Result<Encoded> {
        let Self { writer, path, mut notes, .. } = self;
        let WriteSummary { bytes, blake3, audio_damage, picture, coded, .. } = writer.finish()?;
        notes.extend(remarks(picture, coded, &audio_damage));
        Ok(Encoded { file: Committed { path, bytes, blake3: Hash::from_bytes(blake3) }, notes })
    }
}
