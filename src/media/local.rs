//! Decoding one video track within this process, frame by frame, and the verdict at its end.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::avframe::{Facts, Picture};
use super::avio::InputFile;
use super::codec::Codec;
use super::decode::DecodeOptions;
use super::demux::Demuxer;
use super::feed::Feed;
use super::hardware::HardwareDecode;
use super::picture::{DecodedFrame, Samples};
use super::present::Presenter;
use super::probe::{self, MediaInfo};
use super::streams::StreamKind;
use super::structure::{self, Ending, Structure};
use super::timeline::Timeline;
use super::track::Track;
use super::turn::Turn;
use super::verdict::{Declared, Verdict, judge};
use crate::core::{FrameDesc, FrameInfo, Limits};
use crate::error::{Error, GpuError, Result};

/// Decodes one video track. FFmpeg conceals damage differently with every number of threads and from run to run. So at the first sign of
/// damage, before a frame that it could have touched is handed out, the file is decoded again up to that frame with one thread, and
/// goes on with one thread: results depend on the file alone.
#[derive(Debug)]
pub(crate) struct LocalDecoder {
    track: Track,
    /// The newest frame.
    picture: Picture,
    presenter: Presenter,
    timeline: Timeline,
    options: DecodeOptions,
    desc: Option<FrameDesc>,
    verdict: Option<Verdict>,
    bytes_before: u64,
    pulse: Option<Pulse>,
}

/// Counts steps of progress for a watcher on another thread.
pub(crate) type Pulse = Arc<AtomicU64>;

impl LocalDecoder {
    /// Opens a decoder for one of the tracks of `input`. See [`super::VideoDecoder::open`].
    pub(crate) fn start(input: InputFile, options: DecodeOptions, pulse: Option<Pulse>) -> Result<Self> {
        let limits = &options.limits;
        if !(1..=64).contains(&options.threads) {
            let message = format!("must be 1 to 64, got {}", options.threads);
            return Err(Error::Config { field: "decode.threads".into(), message });
        }
        let demuxer = Demuxer::open_file(input, limits, &options.cancel)?;
        if let Some(pulse) = &pulse {
            demuxer.watch.share(Arc::clone(pulse));
        }
        demuxer.check_duration(limits)?;
        let stream = demuxer.track(StreamKind::Video, options.track)?;
        limits.check_picture(u64::from(stream.width), u64::from(stream.height), 1)?;
        let codec = Codec::open(&demuxer, &stream, options.threads, limits, &options.hardware)?;
        // Where the only declared duration is that of the whole file, the ends of the other streams count too.
        let one_for_all = demuxer.format.contains("matroska") || demuxer.format == "flv";
        let watch_others = one_for_all && probe::stream_seconds(&stream).is_none();
        let presenter = Presenter::new(&stream.codec, codec.notes.clone())?;
        let timeline = Timeline::new(stream.time_base, stream.average_rate.or(stream.base_rate));
        let track = Track::new(Feed::new(demuxer, stream, limits.packet_bytes, watch_others), codec);
        Ok(Self {
            track,
            picture: Picture::new()?,
            presenter,
            timeline,
            options,
            desc: None,
            verdict: None,
            bytes_before: 0,
            pulse,
        })
    }

    /// What the file declares.
    pub(crate) fn media_info(&self) -> MediaInfo {
        probe::describe(&self.track.feed.demuxer)
    }

    /// Format, size and colour of the newest frame; `None` before the first.
    pub(crate) const fn desc(&self) -> Option<FrameDesc> {
        self.desc
    }

    /// Degrees by which pictures must be turned clockwise for display.
    pub(crate) const fn rotation(&self) -> i32 {
        self.track.feed.stream.rotation
    }

    /// Bytes read from the file so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_before.saturating_add(self.track.feed.demuxer.bytes_read())
    }

    /// Assumptions and substitutions so far: colour that was not stated, alpha left out, formats converted.
    pub(crate) fn notes(&self) -> &[String] {
        &self.presenter.notes
    }

    /// The verdict, once [`Self::next_frame`] has returned `None` or an error that ends the stream.
    pub(crate) const fn verdict(&self) -> Option<&Verdict> {
        self.verdict.as_ref()
    }

    /// The next frame in presentation order, or `None` after the last.
    ///
    /// # Errors
    /// `InputCorrupt` if not a single frame could be decoded, `InputUnsupported` for pixel formats that cannot be taken over,
    /// `LimitExceeded`, `Storage` if reading the file failed (after all frames before the failure), `Cancelled`,
    /// `Deadline`. Damaged packets are no errors: they show in the verdict.
    pub(crate) fn next_frame(&mut self) -> Result<Option<DecodedFrame<'_>>> {
        if self.verdict.is_some() {
            return Ok(None);
        }
        let mut found = self.track.advance(self.picture.frame_mut())?;
        if self.options.threads > 1 && self.track.codec.device.is_none() && self.suspicious(found) {
            self.start_again()?;
            found = self.track.advance(self.picture.frame_mut())?;
        }
        if !found {
            self.finish()?;
            return Ok(None);
        }
        let facts = self.picture.facts();
        self.check(&facts)?;
        let path = &self.track.feed.demuxer.input.path;
        let (mapping, desc) = self.presenter.present(&mut self.picture, &facts, &self.options.limits, path)?;
        self.desc = Some(desc);
        let counts = &mut self.track.counts;
        let info = FrameInfo {
            stream: self.options.stream,
            index: counts.frames,
            pts: facts.pts,
            time_base: self.track.feed.stream.time_base,
            duration: facts.duration,
            key: facts.key,
            damaged: facts.damaged,
        };
        self.timeline.push(facts.pts, facts.duration);
        counts.frames += 1;
        counts.damaged += u64::from(facts.damaged);
        counts.interlaced += u64::from(facts.interlaced);
        let samples = Samples::Decoder { picture: self.presenter.picture(&self.picture), mapping };
        Ok(Some(DecodedFrame { samples, desc, info, turn: Turn::None }))
    }

    /// Whether FFmpeg was refused memory: what came out since is not what is in the file.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        self.track.out_of_memory || self.track.codec.log.refused_memory()
    }

    fn suspicious(&self, found: bool) -> bool {
        self.track.suspicious() || (found && self.picture.facts().damaged)
    }

    /// Decodes up to the same place with one thread.
    fn start_again(&mut self) -> Result<()> {
        let options = DecodeOptions { threads: 1, ..self.options.clone() };
        let mut fresh = Self::start(self.track.feed.demuxer.input.again(), options, self.pulse.clone())?;
        for index in 0..self.track.counts.frames {
            if fresh.next_frame()?.is_none() {
                return Err(Error::Bug(format!("frame {index} came out with several threads but not with one")));
            }
        }
        fresh.bytes_before = self.bytes_read();
        *self = fresh;
        Ok(())
    }

    fn check(&mut self, facts: &Facts) -> Result<()> {
        let (limits, frames) = (&self.options.limits, self.track.counts.frames);
        Limits::check("frames", limits.frames, frames + 1, || "the number of frames".to_owned())?;
        if let Some(pts) = facts.pts {
            let seconds = self.timeline.elapsed(pts).max(0.0).ceil() as u64;
            Limits::check("duration_seconds", limits.duration_seconds, seconds, || {
                "the duration in seconds".to_owned()
            })?;
        }
        if let Some(device) = self.track.codec.device.as_ref().filter(|_| frames == 0 && !facts.on_device) {
            let name = device.name.clone();
            if matches!(self.options.hardware, HardwareDecode::Named(_)) {
                let needed = format!("decoding of this {} stream", self.track.feed.stream.codec);
                return Err(Error::Gpu(GpuError::Unsupported { adapter: name, needed }));
            }
            self.presenter.note(format!("{name} cannot decode this stream: decoded on the CPU"));
        }
        Ok(())
    }

    /// After the last frame: walks the container, compares, and reports what ended the stream.
    fn finish(&mut self) -> Result<()> {
        let track = &mut self.track;
        let input = &track.feed.demuxer.input;
        let demuxer = &track.feed.demuxer;
        let walked = structure::check(&demuxer.format, &input.file, input.size, demuxer.streams.len(), &demuxer.watch);
        let structure = match walked {
            Ok(structure) => structure,
            Err(e) => {
                self.options.cancel.check()?;
                Structure::of(Ending::Broken(format!("the file could not be read again: {e}")))
            }
        };
        track.counts.empty_packets += structure.empty_chunks.get(&track.feed.stream.index).copied().unwrap_or(0);
        let (codec_log, demuxer_log) = (&track.codec.log, &track.feed.demuxer.log);
        track.counts.decoder_messages = codec_log.errors();
        track.counts.demuxer_messages = demuxer_log.errors();
        track.counts.warnings = codec_log.warnings() + demuxer_log.warnings();
        track.counts.last_message = codec_log.last_line().or_else(|| demuxer_log.last_line());
        if let Some(text) = &track.first_error {
            self.presenter.note(format!("first decoder error: {text}"));
        }
        for (count, what) in [
            (self.timeline.unstamped, "frames have no timestamp"),
            (self.timeline.disorder, "frames have a timestamp that is not after the one before"),
        ] {
            if count > 0 {
                self.presenter.note(format!("{count} {what}"));
            }
        }
        let declared = declared(track, structure.fragmented);
        let notes = self.presenter.notes.clone();
        let verdict = judge(&declared, &track.counts, &self.timeline.times(), track.feed.others_end, &structure, notes);
        let rejected = (track.counts.frames == 0)
            .then(|| Error::InputCorrupt { path: track.feed.demuxer.path(), reason: verdict.reasons.join("; ") });
        self.verdict = Some(verdict);
        track.failed.take().or(rejected).map_or(Ok(()), Err)
    }
}

/// What the container declares, without what its demuxer only worked out from the data: a cut file would agree with that.
fn declared(track: &Track, fragmented: bool) -> Declared {
    let (d, s) = (&track.feed.demuxer, &track.feed.stream);
    let is = |name: &str| d.format.split(',').any(|n| n == name);
    let stated = d.declared_micros.is_some() && !fragmented && !is("gif");
    let start = s.start.map(|t| s.time_base.seconds(t));
    let own = s.duration.filter(|_| !is("matroska")).map(|t| s.time_base.seconds(t));
    // Matroska's tag is the end of the track on the file's clock, not its length.
    let tag = s.tag("DURATION").and_then(probe::clock_seconds);
    let (track_duration, track_end) = match (own, tag) {
        (Some(t), _) if stated && !track.feed.watch_others => (Some(t), Some(start.unwrap_or(0.0) + t)),
        (None, Some(t)) => (Some(t), Some(t)),
        _ => (None, None),
    };
    let file = d.declared_micros.filter(|_| stated && track_end.is_none()).map(|t| t as f64 / 1e6);
    let file_start = d.start_micros.map_or(0.0, |t| t as f64 / 1e6);
    // Matroska and FLV count from zero, so their declared duration is also the end.
    let file_end = file.map(|t| if track.feed.watch_others { t } else { file_start + t });
    Declared {
        frames: probe::declared_frames(s).filter(|_| !is("gif")),
        track_duration,
        track_end,
        file_duration: file,
        file_end,
        start,
        packets_without_picture: matches!(s.codec.as_str(), "vp8" | "mpeg4"),
        edit_lists: is("mov"),
        resynchronises: is("mpeg") || is("mpegts") || is("mpegvideo"),
    }
}

const fn assert_send<T: Send>() {}
const _: () = assert_send::<LocalDecoder>();
