//! Cutting a video into pieces that begin and end exactly where they should, in picture and sound: both are encoded anew. And the quick way,
//! which copies packets from key frame to key frame.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::pump::{Pump, Share};
use crate::core::{CancelToken, FrameDesc, FrameLayout, Limits, Observer, Rational};
use crate::error::{Error, Result};
use crate::media::{
    AudioOptions, CopyOptions, CopyPiece, DecodeOptions, DecodedFrame, MediaInfo, OddSize, Plane, RateControl,
    SampleFormat, SoundOptions, Status, VideoDecoder, VideoWriter, WavWriter, WriterOptions, copy_pieces, key_frames,
    probe,
};
use crate::store::{Committed, StoreIo};
use crate::workflows::reporter::Reporter;

/// Times nearer than this are the same: containers round to milliseconds.
const SAME: f64 = 0.000_5;
/// Most pieces that may be open at the same time; each has its own encoder.
const MAX_OPEN: usize = 16;

/// A piece to be cut, in seconds from the first frame of the video.
#[derive(Debug, Clone, PartialEq)]
pub struct CutJob {
    /// Start: the first frame at or after it.
    pub start: f64,
    /// End: the first frame that no longer belongs to it.
    pub end: f64,
    /// File for the piece, `.mp4` or `.mkv`.
    pub video: PathBuf,
    /// File for its sound as 16 kHz mono WAV.
    pub wav: Option<PathBuf>,
}

/// How to cut.
#[derive(Debug, Clone)]
pub struct CutOptions {
    /// Position among the video tracks, from 0.
    pub track: usize,
    /// Position among the audio tracks, from 0; a file without such a track gives pieces without sound when this is 0.
    pub audio_track: usize,
    /// Quality on the scale of x264, 0 to 51.
    pub crf: f32,
    /// Decoder threads, 1 to 64.
    pub threads: u32,
    /// Limits for reading.
    pub limits: Limits,
    /// Stops the work from another thread.
    pub cancel: CancelToken,
}

impl Default for CutOptions {
    fn default() -> Self {
        let DecodeOptions { threads, limits, cancel, .. } = DecodeOptions::default();
        Self { track: 0, audio_track: 0, crf: 18.0, threads, limits, cancel }
    }
}

/// What is told of frames that were read.
pub(super) const CUT: (&str, &str) = ("cut", "frames");

impl CutOptions {
    /// The same with a token of the call alone.
    pub(super) fn stoppable(&self) -> Self {
        Self { cancel: self.cancel.child(), ..self.clone() }
    }
}

/// What became of a piece. Times are seconds from the first frame of the source.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cut {
    /// Position in the plan, from 0.
    pub chunk_index: usize,
    /// File; `None` when no frame lies in the piece.
    pub video_path: Option<PathBuf>,
    /// Sound beside it.
    pub audio_path: Option<PathBuf>,
    /// Start that was asked for.
    pub wanted_start: f64,
    /// End that was asked for.
    pub wanted_end: f64,
    /// Time of its first frame in the source: what its own time 0 stands for.
    pub start: f64,
    /// Time at which its last frame ends.
    pub end: f64,
    /// Frames.
    pub frames: u64,
    /// Seconds of sound; 0 without.
    pub audio_seconds: f64,
    /// Seconds of silence in it that the source does not have, because its sound begins later or ends earlier than its picture.
    pub audio_filled_seconds: f64,
    /// Frames that a copy could not take along; see [`copy_on_key_frames`].
    pub frames_left_out: u64,
    /// Length of the video file in bytes.
    pub bytes: u64,
}

/// All pieces, and how the source ended.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct CutReport {
    /// A piece a job, in order.
    pub chunks: Vec<Cut>,
    /// Frames read.
    pub frames_read: u64,
    /// Whether the source was whole; `None` for a copy, which does not decode.
    pub status: Option<Status>,
    /// Why it was not.
    pub reasons: Vec<String>,
}

/// A piece being written.
struct Open {
    index: usize,
    writer: VideoWriter,
    wav: Option<WavWriter>,
    sound: Share,
    mono: Share,
    first_pts: i64,
    last_pts: i64,
    start: f64,
}

/// Sound of the source: at its own rate for the pieces, as 16 kHz mono for WAV files.
struct Sound {
    full: Pump,
    mono: Option<Pump>,
}

impl Sound {
    fn open(input: &Path, info: &MediaInfo, options: &CutOptions, wav: bool) -> Result<Option<Self>> {
        let Some(stream) = info.audio_streams.get(options.audio_track) else {
            if options.audio_track == 0 {
                return Ok(None);
            }
            let (kind, index, available) = ("audio", options.audio_track, info.audio_streams.len());
            return Err(Error::TrackInvalid { path: input.to_path_buf(), kind, index, available });
        };
        let own = AudioOptions {
            track: options.audio_track,
            rate: SoundOptions::rate_for(stream.sample_rate.unwrap_or(48_000)),
            channels: u16::try_from(stream.channels.unwrap_or(2).clamp(1, 8)).unwrap_or(2),
            limits: options.limits.clone(),
            ..AudioOptions::default()
        };
        let mono = AudioOptions { rate: 16_000, channels: 1, ..own.clone() };
        Ok(Some(Self { full: Pump::open(input, &own)?, mono: wav.then(|| Pump::open(input, &mono)).transpose()? }))
    }

    /// Gives all open pieces their sound up to a time on the container's clock.
    fn run_to(&mut self, seconds: f64, open: &mut [Open]) -> Result<()> {
        self.full.run_to(self.full.position(seconds), |at, samples| {
            open.iter_mut().try_for_each(|o| o.sound.give(at, samples, |s| o.writer.write_sound(s)))
        })?;
        let Some(mono) = &mut self.mono else { return Ok(()) };
        mono.run_to(mono.position(seconds), |at, samples| {
            open.iter_mut().try_for_each(|o| match &mut o.wav {
                Some(wav) => o.mono.give(at, samples, |s| wav.write(s)),
                None => Ok(()),
            })
        })
    }

    fn position(&self, seconds: f64) -> (i64, i64) {
        (self.full.position(seconds), self.mono.as_ref().map_or(0, |m| m.position(seconds)))
    }
}

struct Cutter<'a> {
    io: &'a dyn StoreIo,
    input: &'a Path,
    jobs: &'a [CutJob],
    options: &'a CutOptions,
    sound: Option<Sound>,
    rotation: i32,
    rate: Option<Rational>,
    pixel_aspect: Option<Rational>,
    open: Vec<Open>,
    next_job: usize,
    /// Pieces that are there already.
    kept: &'a BTreeMap<usize, Cut>,
    done: Vec<Cut>,
    told: PieceDone<'a>,
    /// Time of the first frame on the container's clock.
    zero: f64,
    desc: Option<FrameDesc>,
    slot: Vec<u8>,
}

/// Cuts `input` into `jobs`, which are in order of their starts and may overlap, decoding it once. Frames and samples are encoded anew, so
/// that every piece begins at the first frame at or after its start, and its sound with the sample that belongs to that frame. `observer`
/// hears of frames read, in the stage `cut`.
///
/// Memory is that of the codecs and a few blocks of sound, whatever the length. Pieces that are finished stay when a later one fails.
///
/// # Errors
/// [`Error::Usage`] for jobs out of order or more than 16 open at once; those of decoder and writer; `InputUnsupported` when the picture
/// changes its size or format on the way.
pub fn cut(
    io: &dyn StoreIo,
    input: &Path,
    jobs: &[CutJob],
    options: &CutOptions,
    observer: &mut dyn Observer,
) -> Result<CutReport> {
    let options = &options.stoppable();
    let progress = &mut Reporter::new(observer, &options.cancel);
    cut_rest(io, input, jobs, options, (&BTreeMap::new(), &mut |_, _| Ok(())), &mut progress.stage(CUT, None, 0))
}

/// Hears of each piece that is whole, with its files.
pub(super) type PieceDone<'a> = &'a mut dyn FnMut(&Cut, &[Committed]) -> Result<()>;

/// The same without the pieces in `kept`, which an earlier run has cut; `done` hears of each new one.
///
/// # Errors
/// As [`cut`], and what `done` returns.
pub(super) fn cut_rest(
    io: &dyn StoreIo,
    input: &Path,
    jobs: &[CutJob],
    options: &CutOptions,
    (kept, done): (&BTreeMap<usize, Cut>, PieceDone<'_>),
    progress: &mut dyn FnMut(u64),
) -> Result<CutReport> {
    check(jobs)?;
    let info = probe(input, &options.limits)?;
    let decoding = DecodeOptions {
        track: options.track,
        threads: options.threads,
        limits: options.limits.clone(),
        cancel: options.cancel.clone(),
        // Nobody looks at the pictures: they keep their samples, and players turn the pieces like the whole.
        upright: false,
        ..DecodeOptions::default()
    };
    let mut decoder = VideoDecoder::open(input, &decoding)?;
    let stream = info.video_streams.get(options.track);
    let fps = stream.and_then(|s| s.fps).filter(|f| (0.01..=1000.0).contains(f));
    let mut cutter = Cutter {
        io,
        input,
        jobs,
        options,
        sound: Sound::open(input, &info, options, jobs.iter().any(|j| j.wav.is_some()))?,
        rotation: -decoder.rotation(),
        rate: fps.and_then(|f| Rational::new((f * 1000.0).round() as i32, 1000)),
        pixel_aspect: stream.and_then(|s| decoding.pixel_aspect_of(s)),
        open: Vec::new(),
        next_job: 0,
        kept,
        done: Vec::new(),
        told: done,
        zero: 0.0,
        desc: None,
        slot: Vec::new(),
    };
    let usual = 1.0 / fps.unwrap_or(25.0);
    let (mut frames, mut end, mut last_pts) = (0u64, 0.0, None::<i64>);
    while let Some(frame) = decoder.next_frame()? {
        let base = frame.info().time_base;
        // A frame without a time, or with one that goes back, follows the one before.
        let step = ((usual / base.as_f64()).round() as i64).max(1);
        let pts = match (frame.info().pts, last_pts) {
            (Some(p), Some(last)) if p <= last => last + 1,
            (Some(p), _) => p,
            (None, last) => last.map_or(0, |l| l.saturating_add(step)),
        };
        last_pts = Some(pts);
        if frames == 0 {
            cutter.zero = base.seconds(pts);
        }
        let at = base.seconds(pts) - cutter.zero;
        cutter.frame(&frame, pts, at)?;
        let lasts = base.seconds(frame.info().duration);
        end = at + if lasts > 0.0 { lasts } else { usual };
        frames += 1;
        progress(1);
        options.cancel.check()?;
    }
    cutter.finish(end)?;
    let mut chunks = cutter.done;
    chunks.sort_by_key(|c| c.chunk_index);
    let verdict = decoder.verdict();
    Ok(CutReport {
        chunks,
        frames_read: frames,
        status: verdict.map(|v| v.status),
        reasons: verdict.map(|v| v.reasons.clone()).unwrap_or_default(),
    })
}

fn check(jobs: &[CutJob]) -> Result<()> {
    let ordered = jobs.iter().zip(jobs.iter().skip(1)).all(|(a, b)| a.start <= b.start);
    if jobs.is_empty() || !ordered || jobs.iter().any(|j| !(j.start >= 0.0 && j.start < j.end)) {
        return Err(Error::usage(
            "pieces to cut must be in order, each with a start of at least 0 before its end; there must be one",
        ));
    }
    let open_at = |t: f64| jobs.iter().filter(|j| j.start <= t && t < j.end).count();
    match jobs.iter().map(|j| open_at(j.start)).max() {
        Some(n) if n > MAX_OPEN => Err(Error::Usage {
            message: format!("at most {MAX_OPEN} pieces may overlap at a time, these are {n}"),
            hint: Some("use less overlap".into()),
        }),
        _ => Ok(()),
    }
}

impl Cutter<'_> {
    /// Takes the frame at `at` seconds from the first one.
    fn frame(&mut self, frame: &DecodedFrame<'_>, pts: i64, at: f64) -> Result<()> {
        if let Some(sound) = &mut self.sound {
            sound.run_to(self.zero + at, &mut self.open)?;
        }
        let mut i = 0;
        while let Some(o) = self.open.get(i) {
            match self.jobs.get(o.index) {
                Some(job) if job.end <= at + SAME => {
                    let open = self.open.remove(i);
                    self.close(open, at)?;
                }
                _ => i += 1,
            }
        }
        while let Some(job) = self.jobs.get(self.next_job).filter(|j| j.start <= at + SAME) {
            if let Some(cut) = self.kept.get(&self.next_job) {
                self.done.push(cut.clone());
            } else if job.end > at + SAME {
                let open = self.begin(frame.desc(), frame.info().time_base, pts, at)?;
                self.open.push(open);
            } else {
                self.done.push(empty(self.next_job, job));
            }
            self.next_job += 1;
        }
        self.write(frame, pts)
    }

    fn begin(&mut self, desc: FrameDesc, time_base: Rational, pts: i64, at: f64) -> Result<Open> {
        let index = self.next_job;
        let job = self.jobs.get(index).ok_or_else(|| Error::Bug("a piece without a job".into()))?;
        let options = WriterOptions {
            color: desc.color,
            rotation: self.rotation,
            frame_rate: self.rate,
            pixel_aspect: self.pixel_aspect,
            rate: RateControl::Crf(self.options.crf),
            odd: OddSize::PadReplicate,
            ..WriterOptions::new(desc.size, desc.format, time_base)
        };
        let (writer, wav, full, mono) = match &self.sound {
            Some(s) => {
                let (full, mono) = s.position(self.zero + at);
                let sound = SoundOptions { rate: s.full.rate, channels: s.full.channels, start: 0 };
                let writer = VideoWriter::create_with_sound_in(self.io, &job.video, &options, &sound)?;
                let wav = job.wav.as_ref().map(|p| WavWriter::create_in(self.io, p, 16_000, 1, SampleFormat::I16));
                (writer, wav.transpose()?, Share::new(full, s.full.channels), Share::new(mono, 1))
            }
            None => {
                let writer = VideoWriter::create_in(self.io, &job.video, &options, None)?;
                (writer, None, Share::new(0, 1), Share::new(0, 1))
            }
        };
        Ok(Open { index, writer, wav, sound: full, mono, first_pts: pts, last_pts: pts, start: at })
    }

    fn write(&mut self, frame: &DecodedFrame<'_>, pts: i64) -> Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let desc = frame.desc();
        let layout = FrameLayout::new(&desc).ok_or_else(|| Error::Bug(format!("no layout for {desc:?}")))?;
        if self.desc.is_some_and(|d| (d.size, d.format) != (desc.size, desc.format)) {
            let what = format!("cutting a video whose picture becomes {} {} on the way", desc.format, desc.size);
            return Err(Error::InputUnsupported { path: self.input.to_path_buf(), what, hint: None });
        }
        self.desc = Some(desc);
        self.slot.resize(layout.slot_bytes() as usize, 0);
        frame.copy_into(&layout, self.slot.as_mut_slice())?;
        let planes: Vec<Plane<'_>> = layout
            .planes()
            .iter()
            .map(|p| Plane { data: self.slot.get(p.offset as usize..).unwrap_or_default(), stride: p.stride as usize })
            .collect();
        for o in &mut self.open {
            o.writer.write_frame(&planes, pts - o.first_pts)?;
            o.last_pts = pts;
        }
        Ok(())
    }

    /// Ends a piece whose last frame ends at `end`.
    fn close(&mut self, mut o: Open, end: f64) -> Result<()> {
        if let Some(sound) = &self.sound {
            let (full, mono) = sound.position(self.zero + end);
            o.sound.fill(full, |s| o.writer.write_sound(s))?;
            if let Some(wav) = &mut o.wav {
                o.mono.fill(mono, |s| wav.write(s))?;
            }
        }
        let job = self.jobs.get(o.index).ok_or_else(|| Error::Bug("a piece without a job".into()))?;
        let has_wav = o.wav.is_some();
        let mut files = Vec::new();
        if let (Some(wav), Some(path)) = (o.wav, &job.wav) {
            let written = wav.close()?;
            files.push(Committed { path: path.clone(), bytes: written.bytes, blake3: written.blake3.into() });
        }
        let summary = o.writer.finish()?;
        files.push(Committed { path: job.video.clone(), bytes: summary.bytes, blake3: summary.blake3.into() });
        let rate = self.sound.as_ref().map_or(1.0, |s| f64::from(s.full.rate));
        let cut = Cut {
            chunk_index: o.index,
            video_path: Some(job.video.clone()),
            audio_path: job.wav.clone().filter(|_| has_wav),
            wanted_start: job.start,
            wanted_end: job.end,
            start: o.start,
            end,
            frames: summary.frames,
            audio_seconds: o.sound.written as f64 / rate,
            audio_filled_seconds: o.sound.filled as f64 / rate,
            frames_left_out: 0,
            bytes: summary.bytes,
        };
        (self.told)(&cut, &files)?;
        self.done.push(cut);
        Ok(())
    }

    /// After the last frame, which ends at `end`: pieces that reach the end take what is left of the sound.
    fn finish(&mut self, end: f64) -> Result<()> {
        if let Some(sound) = &mut self.sound {
            sound.run_to(1e9, &mut self.open)?;
        }
        for open in std::mem::take(&mut self.open) {
            self.close(open, end)?;
        }
        for (index, job) in self.jobs.iter().enumerate().skip(self.next_job) {
            self.done.push(self.kept.get(&index).cloned().unwrap_or_else(|| empty(index, job)));
        }
        Ok(())
    }
}

fn empty(chunk_index: usize, job: &CutJob) -> Cut {
    Cut {
        chunk_index,
        video_path: None,
        audio_path: None,
        wanted_start: job.start,
        wanted_end: job.end,
        start: job.start,
        end: job.start,
        frames: 0,
        audio_seconds: 0.0,
        audio_filled_seconds: 0.0,
        frames_left_out: 0,
        bytes: 0,
    }
}

/// Copies `jobs` out of `input` without decoding. Both ends of a piece move back to a key frame (the end of the last one stays, and a start before
/// the first key frame moves on to it), which [`Cut::start`] and [`Cut::end`] tell; sound moves with them to within a packet. A piece without a key frame of its own is left to
/// the one that holds it, and has no file.
///
/// # Errors
/// [`Error::Usage`] for jobs as in [`cut`] or with a WAV file; those of [`crate::media::copy_pieces`].
pub fn copy_on_key_frames(io: &dyn StoreIo, input: &Path, jobs: &[CutJob], options: &CutOptions) -> Result<CutReport> {
    check(jobs)?;
    if jobs.iter().any(|j| j.wav.is_some()) {
        return Err(Error::usage("a copy makes no WAV files; cut without --copy, or extract the sound afterwards"));
    }
    let info = probe(input, &options.limits)?;
    let copying = CopyOptions {
        track: options.track,
        audio_track: (!info.audio_streams.is_empty()).then_some(options.audio_track),
        audio_shift_micros: 0,
        limits: options.limits.clone(),
        cancel: options.cancel.clone(),
    };
    let keys = key_frames(input, &copying)?;
    let seconds = |t: i64| keys.time_base.seconds(t - keys.first);
    // Frames before the first key frame, as an open group of pictures begins with, cannot be shown without what came before.
    let first_key = keys.pts.first().copied().unwrap_or(keys.first);
    let before = |t: f64| keys.pts.iter().rev().copied().find(|k| seconds(*k) <= t + SAME).unwrap_or(first_key);
    let last = jobs.iter().map(|j| j.end).fold(0.0, f64::max);
    let whole = info.video_streams.get(options.track).and_then(|s| s.duration).or(info.duration).unwrap_or(last);
    let mut pieces = Vec::new();
    let mut chunks: Vec<Cut> = jobs.iter().enumerate().map(|(i, j)| empty(i, j)).collect();
    let mut owners = Vec::new();
    for (index, job) in jobs.iter().enumerate() {
        let start = before(job.start);
        let end = (job.end + SAME < whole).then(|| before(job.end));
        if end != Some(start) {
            pieces.push(CopyPiece { path: job.video.clone(), start: Some(start), end });
            owners.push(index);
        }
    }
    let copied = copy_pieces(io, input, &pieces, &copying)?;
    for ((piece, done), owner) in pieces.iter().zip(&copied).zip(owners) {
        let Some(chunk) = chunks.get_mut(owner) else { continue };
        chunk.video_path = Some(piece.path.clone());
        chunk.start = piece.start.map_or(0.0, seconds);
        chunk.end = piece.end.map_or(whole, seconds);
        (chunk.frames, chunk.frames_left_out, chunk.bytes) = (done.frames, done.leading, done.bytes);
        chunk.audio_seconds = if done.audio_packets > 0 { chunk.end - chunk.start } else { 0.0 };
    }
    let frames_read = copied.iter().map(|c| c.frames).sum();
    Ok(CutReport { chunks, frames_read, status: None, reasons: Vec::new() })
}
