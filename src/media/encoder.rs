//! One FFmpeg video encoder: which one, how it is set up, pictures in, packets out.

use std::collections::VecDeque;

use ffmpeg_next as ff;
use ffmpeg_next::codec::encoder::video::Encoder as Opened;

use super::encode::{Codec, RateControl, WriterOptions};
use super::ffmpeg::{self, EAGAIN, no_memory, ratio};
use super::ffmpeg_out as out;
use super::planes::I420;
use crate::core::{ChromaSiting, ColorRange, ColorSpec, Rational, Size, YuvMatrix};
use crate::error::{Error, Result};

/// Threads of both software encoders when the bytes must not depend on the machine. x264 (frame threads) and mpeg4
/// (slices) give other bytes for other counts, but always the same bytes for one count.
pub(super) const BITEXACT_THREADS: u32 = 4;
/// x264's speed preset: a compute tool spends its time elsewhere.
const X264_PRESET: &str = "veryfast";
/// Pictures per second where nothing is known.
const DEFAULT_RATE: Rational = Rational { num: 25, den: 1 };

/// An encoder that may be tried.
struct Candidate {
    name: &'static str,
    codec: &'static str,
    /// Software encoders are reproducible; drivers promise nothing.
    software: bool,
}

const CANDIDATES: [Candidate; 6] = [
    Candidate { name: "libx264", codec: "h264", software: true },
    Candidate { name: "libopenh264", codec: "h264", software: true },
    Candidate { name: "h264_nvenc", codec: "h264", software: false },
    Candidate { name: "h264_videotoolbox", codec: "h264", software: false },
    Candidate { name: "h264_v4l2m2m", codec: "h264", software: false },
    Candidate { name: "mpeg4", codec: "mpeg4", software: true },
];

/// An open encoder.
pub(crate) struct Encoder {
    opened: Opened,
    frame: ff::frame::Video,
    candidate: &'static Candidate,
    threads: u32,
    /// mpeg4 limits the denominator of its time base and writes a bit for each second of a gap. It gets picture numbers as
    /// times; packets (there are no B-frames) take their true times from `pending` on the way out.
    counted: bool,
    /// Fixed quantiser of mpeg4, which takes it from each picture.
    quantiser: Option<i32>,
    sent: i64,
    packets: u64,
    /// Times of the latest pictures sent, oldest first.
    pending: VecDeque<i64>,
    outgoing: VecDeque<i64>,
    /// Packets that came out but whose duration is not known before the next picture is there.
    held: VecDeque<ff::Packet>,
    last_duration: i64,
    ended: bool,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder")
            .field("name", &self.candidate.name)
            .field("packets", &self.packets)
            .finish_non_exhaustive()
    }
}

impl Encoder {
    /// Opens the first encoder that fits and works.
    pub(crate) fn open(options: &WriterOptions, coded: Size, global_header: bool) -> Result<Self> {
        ffmpeg::init();
        let mut tried = Vec::new();
        for candidate in &CANDIDATES {
            let wanted = match options.codec {
                Codec::Auto => true,
                Codec::H264 => candidate.codec == "h264",
                Codec::Mpeg4 => candidate.codec == "mpeg4",
            };
            if !wanted || (options.bitexact && !candidate.software) {
                continue;
            }
            let Some(codec) = ff::encoder::find_by_name(candidate.name) else {
                tried.push(format!("{}: not in the linked FFmpeg", candidate.name));
                continue;
            };
            let cores =
                || std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(64)).min(64);
            let threads = match options.threads {
                _ if options.bitexact => BITEXACT_THREADS,
                0 => cores(),
                n => n,
            };
            match open_one(candidate, codec, options, coded, threads, global_header) {
                Ok(opened) => return Self::new(opened, candidate, options, coded),
                Err(e) => tried.push(format!("{}: {e}", candidate.name)),
            }
        }
        Err(Error::Usage {
            message: format!("no encoder for {:?} works here ({})", options.codec, tried.join("; ")),
            hint: Some("use Codec::Auto, which falls back to MPEG-4, or an FFmpeg with libx264".into()),
        })
    }

    fn new(opened: Opened, candidate: &'static Candidate, options: &WriterOptions, coded: Size) -> Result<Self> {
        let frame = ff::frame::Video::new(ff::format::Pixel::YUV420P, coded.width, coded.height);
        if frame.planes() != 3 {
            return Err(no_memory(coded.area() as usize * 3 / 2));
        }
        let rate = options.frame_rate.unwrap_or(DEFAULT_RATE);
        // One picture in units of the time base: 1 / (rate * time base), at least one unit.
        let ticks = 1.0 / (rate.as_f64() * options.time_base.as_f64());
        Ok(Self {
            threads: u32::try_from(opened.threading().count).unwrap_or(0),
            opened,
            frame,
            candidate,
            counted: candidate.codec == "mpeg4",
            quantiser: match options.rate {
                RateControl::Crf(crf) if candidate.codec == "mpeg4" => Some(mpeg4_quantiser(crf)),
                _ => None,
            },
            sent: 0,
            packets: 0,
            pending: VecDeque::new(),
            outgoing: VecDeque::new(),
            held: VecDeque::new(),
            last_duration: (ticks.round() as i64).max(1),
            ended: false,
        })
    }

    pub(crate) fn context(&self) -> &ff::codec::Context {
        &self.opened
    }

    pub(crate) fn name(&self) -> &'static str {
        self.candidate.name
    }

    pub(crate) fn codec(&self) -> &'static str {
        self.candidate.codec
    }

    pub(crate) fn threads(&self) -> u32 {
        self.threads
    }

    /// Packets given out so far.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    /// Hands over one picture of the coded size.
    pub(crate) fn send(&mut self, picture: &I420, pts: i64) -> Result<()> {
        out::make_writable(&mut self.frame)?;
        for plane in 0..3 {
            let stride = self.frame.stride(plane).max(1);
            for (to, from) in self.frame.data_mut(plane).chunks_mut(stride).zip(picture.rows(plane)) {
                if let Some(to) = to.get_mut(..from.len()) {
                    to.copy_from_slice(from);
                }
            }
        }
        if let Some(q) = self.quantiser {
            out::set_frame_quality(&mut self.frame, q);
        }
        self.frame.set_pts(Some(if self.counted { self.sent } else { pts }));
        self.opened.send_frame(&self.frame).map_err(|e| self.failed(e))?;
        self.sent += 1;
        self.pending.push_back(pts);
        if self.counted {
            self.outgoing.push_back(pts);
        }
        Ok(())
    }

    /// Says that no more pictures come.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.ended = true;
        self.opened.send_eof().map_err(|e| self.failed(e))
    }

    /// The next packet, if one is ready; its times are in the unit of the pictures, its duration is the time to the
    /// next picture.
    pub(crate) fn receive(&mut self) -> Result<Option<ff::Packet>> {
        while let Some(packet) = self.pull()? {
            self.held.push_back(packet);
        }
        let Some(duration) = self.held.front().and_then(|p| self.duration_of(p.pts()?)) else {
            return Ok(None);
        };
        let packet = self.held.pop_front().map(|mut packet| {
            packet.set_duration(duration);
            packet
        });
        self.packets += 1;
        // Packets come out in decoding order, at most a few pictures apart: old times can be forgotten.
        while self.pending.len() > MAX_REORDER {
            self.pending.pop_front();
        }
        Ok(packet)
    }

    /// A packet from FFmpeg, if it has one.
    fn pull(&mut self) -> Result<Option<ff::Packet>> {
        let mut packet = ff::Packet::empty();
        match self.opened.receive_packet(&mut packet) {
            Ok(()) => {
                if self.counted {
                    let pts = self.outgoing.pop_front();
                    packet.set_pts(pts);
                    packet.set_dts(pts);
                }
                Ok(Some(packet))
            }
            Err(ff::Error::Eof) => Ok(None),
            Err(ff::Error::Other { errno }) if errno == EAGAIN => Ok(None),
            Err(e) => Err(self.failed(e)),
        }
    }

    /// Duration of the picture at `pts`; `None` while it is not known yet.
    fn duration_of(&self, pts: i64) -> Option<i64> {
        // `pending` is sorted and short: it spans the encoder's delay.
        let at = self.pending.binary_search(&pts).ok()?;
        match self.pending.get(at + 1) {
            Some(next) => Some(next - pts),
            None => self.ended.then_some(self.last_duration),
        }
    }

    fn failed(&self, e: ff::Error) -> Error {
        Error::Bug(format!("the encoder {} failed: {e}", self.candidate.name))
    }
}

/// Pictures whose times are kept; far more than any encoder delays.
const MAX_REORDER: usize = 1024;

fn open_one(
    candidate: &Candidate,
    codec: ff::Codec,
    options: &WriterOptions,
    coded: Size,
    threads: u32,
    global_header: bool,
) -> Result<Opened, ff::Error> {
    let mut context = ff::codec::Context::new_with_codec(codec);
    let kind = if candidate.name == "mpeg4" { ff::threading::Type::Slice } else { ff::threading::Type::Frame };
    context.set_threading(ff::threading::Config { kind, count: threads as usize, ..Default::default() });
    let mut flags = ff::codec::Flags::empty();
    // Without B-frames, as mpeg4 runs here, groups are closed anyway, and its encoder refuses the flag.
    flags.set(ff::codec::Flags::CLOSED_GOP, candidate.codec == "h264");
    flags.set(ff::codec::Flags::BITEXACT, options.bitexact);
    flags.set(ff::codec::Flags::GLOBAL_HEADER, global_header);
    let rate = options.frame_rate.unwrap_or(DEFAULT_RATE);
    let mut video = context.encoder().video()?;
    video.set_width(coded.width);
    video.set_height(coded.height);
    video.set_format(ff::format::Pixel::YUV420P);
    video.set_gop(options.gop);
    video.set_frame_rate(Some(ratio(rate)));
    if let Some(aspect) = options.pixel_aspect {
        video.set_aspect_ratio(ratio(aspect));
    }
    set_color(&mut video, &options.color);
    let mut dict = ff::Dictionary::new();
    match candidate.name {
        "mpeg4" => {
            // The standard stores the denominator in 16 bits.
            let tb = Rational { num: rate.den, den: rate.num };
            video.set_time_base(ratio(if tb.den <= 65_535 { tb } else { Rational { num: 1, den: 25 } }));
            video.set_max_b_frames(0);
            if let RateControl::Crf(crf) = options.rate {
                flags.insert(ff::codec::Flags::QSCALE);
                video.set_global_quality(ff::ffi::FF_QP2LAMBDA * mpeg4_quantiser(crf));
            }
        }
        name => {
            video.set_time_base(ratio(options.time_base));
            let crf = |c: f32| format!("{c:.2}");
            match (name, options.rate) {
                ("libx264", RateControl::Crf(c)) => dict.set("crf", &crf(c)),
                ("h264_nvenc", RateControl::Crf(c)) => dict.set("cq", &crf(c)),
                (_, RateControl::Crf(c)) => {
                    // These know no constant quality: a narrow range of quantisers comes closest.
                    video.set_qmin(c.floor() as i32);
                    video.set_qmax((c.ceil() as i32 + 2).min(51));
                }
                (_, RateControl::BitRate(_)) => {}
            }
            if name == "libx264" {
                dict.set("preset", X264_PRESET);
                if options.bitexact {
                    // x264 (seen with build 164) reads memory it never wrote when macroblock-tree rate control meets
                    // B-frames: the same pictures give other bytes from one run to the next, even with one thread.
                    // Without it files are about a tenth larger for the same quality.
                    dict.set("mbtree", "0");
                }
            }
        }
    }
    if let RateControl::BitRate(b) = options.rate {
        let bits = usize::try_from(b).unwrap_or(usize::MAX);
        video.set_bit_rate(bits);
        // FFmpeg's default of 4 Mbit lets mpeg4 ignore a low rate for minutes: allow one second's worth.
        video.set_tolerance(bits);
    }
    video.set_flags(flags);
    video.open_as_with(codec, dict)
}

/// The MPEG-4 quantiser whose step (2q) is nearest to the step of H.264's quantiser (0.625 * 2^(qp/6)).
fn mpeg4_quantiser(crf: f32) -> i32 {
    ((0.3125 * (f64::from(crf) / 6.0).exp2()).round() as i32).clamp(1, 31)
}

fn set_color(video: &mut ff::encoder::video::Video, color: &ColorSpec) {
    use ff::color::{Primaries, Range, Space, TransferCharacteristic as Transfer};
    let (space, primaries, transfer) = match color.matrix {
        YuvMatrix::Bt601 => (Space::SMPTE170M, Primaries::SMPTE170M, Transfer::SMPTE170M),
        YuvMatrix::Bt709 => (Space::BT709, Primaries::BT709, Transfer::BT709),
        YuvMatrix::Bt2020 => (Space::BT2020NCL, Primaries::BT2020, Transfer::Unspecified),
    };
    video.set_colorspace(space);
    video.set_color_primaries(primaries);
    video.set_color_transfer_characteristic(transfer);
    video.set_color_range(match color.range {
        ColorRange::Limited => Range::MPEG,
        ColorRange::Full => Range::JPEG,
    });
    let siting = match color.siting {
        ChromaSiting::Left => ff::chroma::Location::Left,
        ChromaSiting::Center => ff::chroma::Location::Center,
        ChromaSiting::TopLeft => ff::chroma::Location::TopLeft,
    };
    out::set_chroma_location(video, siting);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantisers_follow_the_step_size() {
        assert_eq!([0.0, 18.0, 24.0, 30.0, 51.0].map(mpeg4_quantiser), [1, 3, 5, 10, 31]);
    }
}
