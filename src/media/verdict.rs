//! Did everything come out that went in? Declared against decoded, per video track.

use serde::{Deserialize, Serialize};

use super::structure::{Ending, Structure};
use super::timeline::Times;

/// How far a stream can be believed to be complete.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All that the container declares came out undamaged.
    Complete,
    /// Frames are missing or damaged.
    Partial,
    /// Nothing wrong was seen, but the container declares nothing that could be compared.
    Unverifiable,
    /// No frame came out.
    Rejected,
}

impl Status {
    /// Lower-case name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Unverifiable => "unverifiable",
            Self::Rejected => "rejected",
        }
    }
}

/// A stretch of time without frames.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimeRange {
    /// Presentation time in seconds at which the missing stretch begins.
    pub start_seconds: f64,
    /// Presentation time in seconds at which frames go on, or should have ended.
    pub end_seconds: f64,
    /// `truncated`, `gap` or `start`.
    pub why: String,
}

/// The verdict on one video track, made after its last frame.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The verdict in a word.
    pub status: Status,
    /// Why it is not `complete`; empty if it is.
    pub reasons: Vec<String>,
    /// Worth knowing, without effect on the verdict: assumptions about colour, gaps that were there from the start.
    pub notes: Vec<String>,
    /// Stretches without frames.
    pub missing: Vec<TimeRange>,
    /// Frames that the container declares.
    pub declared_frames: Option<u64>,
    /// Frames that were decoded, damaged ones included.
    pub decoded_frames: u64,
    /// Frames that the decoder called damaged.
    pub damaged_frames: u64,
    /// Seconds that the container declares for this track (or, lacking that, for the file).
    pub declared_duration: Option<f64>,
    /// Seconds from the start of the first to the end of the last frame.
    pub decoded_duration: Option<f64>,
}

/// What was counted while reading and decoding.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    pub(crate) frames: u64,
    pub(crate) damaged: u64,
    pub(crate) interlaced: u64,
    /// Packets with data that belong to the track.
    pub(crate) packets: u64,
    /// Packets without data, which some containers use for "as before".
    pub(crate) empty_packets: u64,
    /// Packets that are only needed to decode others (edit lists).
    pub(crate) hidden_packets: u64,
    pub(crate) corrupt_packets: u64,
    pub(crate) decoder_errors: u64,
    pub(crate) demuxer_errors: Vec<String>,
    pub(crate) decoder_messages: u64,
    pub(crate) demuxer_messages: u64,
    pub(crate) warnings: u64,
    pub(crate) last_message: Option<String>,
}

/// What is declared.
#[derive(Debug, Clone, Default)]
pub(crate) struct Declared {
    pub(crate) frames: Option<u64>,
    /// Seconds of the track, and the time at which it ends.
    pub(crate) track_duration: Option<f64>,
    pub(crate) track_end: Option<f64>,
    /// Time at which the last stream of the file ends.
    pub(crate) file_duration: Option<f64>,
    pub(crate) file_end: Option<f64>,
    pub(crate) start: Option<f64>,
    /// The codec has packets that show nothing (VP8 alternate references, MPEG-4 place holders).
    pub(crate) packets_without_picture: bool,
    /// Declared frames may be left out of the presentation on purpose (edit lists of MP4 and MOV).
    pub(crate) edit_lists: bool,
    /// Packets of the container can be lost unnoticed (MPEG program and transport streams).
    pub(crate) resynchronises: bool,
}

/// Longest list of gaps in a verdict; more are only counted.
const MAX_RANGES: usize = 1000;

/// A number with its noun.
fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// `other_end` is the latest end of a packet of any stream, where the container declares only one duration for all.
pub(crate) fn judge(
    declared: &Declared,
    counts: &Counts,
    times: &Times,
    other_end: Option<f64>,
    structure: &Structure,
    mut notes: Vec<String>,
) -> Verdict {
    let frame = times.frame.unwrap_or(0.04);
    let mut reasons = Vec::new();
    let mut missing = Vec::new();
    let whole = matches!(structure.ending, Ending::Whole(_));
    if let Ending::Broken(why) = &structure.ending {
        reasons.push(why.clone());
    }
    let mut count = |n: u64, one: &str, many: &str| {
        if n > 0 {
            reasons.push(counted(n, one, many));
        }
        n > 0
    };
    let mut errors = count(counts.damaged, "frame is damaged", "frames are damaged");
    errors |= count(counts.decoder_errors, "packet could not be decoded", "packets could not be decoded");
    errors |= count(counts.corrupt_packets, "packet is incomplete or damaged", "packets are incomplete or damaged");
    errors |= count(counts.decoder_messages, "error was logged by the decoder", "errors were logged by the decoder");
    errors |= count(
        counts.demuxer_messages,
        "error was logged by the container reader",
        "errors were logged by the container reader",
    );
    errors |= !counts.demuxer_errors.is_empty();
    reasons.extend(counts.demuxer_errors.iter().cloned());
    if counts.warnings > 0 {
        notes.push(counted(counts.warnings, "warning was logged", "warnings were logged"));
    }
    if (errors || counts.warnings > 0)
        && let Some(line) = &counts.last_message
    {
        notes.push(format!("last message: {line}"));
    }

    // Where frames begin and end against what is declared.
    let track_short = short_by(declared.track_end, times.end);
    let file_short = short_by(declared.file_end, other_end.into_iter().chain(times.end).reduce(f64::max));
    let short = track_short.or(file_short);
    let end_is_late = |by: f64| short.is_some_and(|s| s > by * frame + 0.002);
    if let (Some(start), Some(first)) = (declared.start, times.first)
        && first - start > 1.5 * frame
        && !whole
    {
        missing.push(range(start, first, "start"));
        reasons.push(format!("the first {:.3} s have no frames", first - start));
    }

    let frames_declared = declared.frames.filter(|_| !structure.fragmented);
    let mut frames_agree = false;
    if let Some(wanted) = frames_declared {
        let read = counts.packets + counts.empty_packets;
        let left_out_on_purpose = declared.edit_lists && whole && !errors && !end_is_late(1.5);
        if read < wanted && !left_out_on_purpose {
            reasons.push(format!("{wanted} frames are declared, {read} are in the file"));
        } else {
            if read < wanted {
                notes.push(format!("{} of {wanted} declared frames are left out by an edit list", wanted - read));
            }
            frames_agree = true;
        }
    }
    let shown = counts.packets.saturating_sub(counts.hidden_packets);
    let fields = counts.interlaced > 0 && counts.frames.saturating_mul(2) >= shown;
    let excused = (declared.packets_without_picture || fields) && !errors;
    if counts.frames < shown && !excused {
        let packets = counted(shown, "packet", "packets");
        reasons.push(format!("{packets} gave {}", counted(counts.frames, "frame", "frames")));
        frames_agree = false;
    }
    if end_is_late(1.5) && !frames_agree {
        let end = declared.track_end.or(declared.file_end).unwrap_or_default();
        let last = times.end.unwrap_or_default();
        missing.push(range(last, end, "truncated"));
        reasons.push(format!("frames end at {last:.3} s, {end:.3} s are declared"));
    }

    if !times.gaps.is_empty() {
        let lost = declared.resynchronises || !reasons.is_empty();
        let total: f64 = times.gaps.iter().map(|(a, b)| b - a).sum();
        let gaps = counted(times.gaps.len() as u64, "gap", "gaps");
        let text = format!("{gaps} between frames, {total:.3} s in all");
        if lost {
            missing.extend(times.gaps.iter().take(MAX_RANGES).map(|(a, b)| range(*a, *b, "gap")));
            reasons.push(text);
        } else {
            notes.push(format!("{text}, in a file that is otherwise whole: made so, not lost"));
        }
    }
    missing.sort_by(|a, b| a.start_seconds.total_cmp(&b.start_seconds));

    let duration_agrees = short.is_some() && !end_is_late(0.75) && !structure.fragmented;
    let status = if counts.frames == 0 {
        reasons.push("no frame could be decoded".into());
        Status::Rejected
    } else if !reasons.is_empty() {
        Status::Partial
    } else if whole || frames_agree || duration_agrees {
        Status::Complete
    } else {
        reasons.push(match &structure.ending {
            Ending::Unstated(why) => (*why).to_owned(),
            _ => "the container declares neither frames nor duration".to_owned(),
        });
        Status::Unverifiable
    };
    Verdict {
        status,
        reasons,
        notes,
        missing,
        declared_frames: frames_declared,
        decoded_frames: counts.frames,
        damaged_frames: counts.damaged,
        declared_duration: declared.track_duration.or(declared.file_duration),
        decoded_duration: times.first.zip(times.end).map(|(a, b)| b - a),
    }
}

fn short_by(declared: Option<f64>, reached: Option<f64>) -> Option<f64> {
    Some(declared? - reached?)
}

fn range(start_seconds: f64, end_seconds: f64, why: &str) -> TimeRange {
    TimeRange { start_seconds, end_seconds, why: why.to_owned() }
}
