//! What can be typed for sound and picture in step. Flags of the scripts around SyncNet are accepted too.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use frameloom::{Error, Result};

/// An input, given as an argument or by `--input`.
#[derive(Debug, Args)]
pub(crate) struct InputArg {
    /// Video or audio file
    #[arg(value_name = "INPUT", required_unless_present = "input_flag")]
    input: Option<PathBuf>,
    /// The same, as the scripts around SyncNet take it
    #[arg(long = "input", id = "input_flag", value_name = "INPUT", conflicts_with = "input", hide = true)]
    flag: Option<PathBuf>,
}

impl InputArg {
    pub(crate) fn path(&self) -> Result<&PathBuf> {
        self.input.as_ref().or(self.flag.as_ref()).ok_or_else(|| Error::usage("an input file is missing"))
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom audio extract talk.mp4                writes talk.wav, 16 kHz mono")]
pub(crate) struct AudioArgs {
    #[command(subcommand)]
    pub(crate) command: AudioCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AudioCommand {
    /// Write an audio track of any container as a WAV file
    Extract(ExtractArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom audio extract talk.mp4                          writes talk.wav, 16 kHz mono
  frameloom audio extract talk.mkv -o out.wav --rate 48000 --channels 2")]
pub(crate) struct ExtractArgs {
    #[command(flatten)]
    pub(crate) input: InputArg,
    /// WAV file; its folder is made [default: <stem>.wav in the working folder]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Samples per second
    #[arg(long, default_value_t = 16_000, value_name = "HZ", alias = "sample_rate", visible_alias = "sample-rate")]
    pub(crate) rate: u32,
    /// Channels, 1 to 8; others are mixed
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) channels: u16,
    /// Audio track, counted from 0
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) audio_track: usize,
    /// 32-bit float samples instead of 16-bit integers
    #[arg(long)]
    pub(crate) float: bool,
    /// Override a limit for untrusted input
    #[arg(long = "limit", value_name = "NAME=N")]
    pub(crate) limits: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom split time talk.mp4 -o chunks --duration 2      pieces of two seconds
  frameloom split silence talk.mp4 -o chunks                cut where nobody speaks")]
pub(crate) struct SplitArgs {
    #[command(subcommand)]
    pub(crate) command: SplitCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SplitCommand {
    /// Cut every so many seconds, with an overlap
    Time(SplitTimeArgs),
    /// Cut in the middle of silences
    Silence(SplitSilenceArgs),
}

/// What both ways of splitting take.
#[derive(Debug, Args)]
pub(crate) struct SplitCommon {
    #[command(flatten)]
    pub(crate) input: InputArg,
    /// Folder for the pieces and split_summary.json [default: <stem>.chunks in the working folder]
    #[arg(short, long, value_name = "DIR", alias = "output_dir", visible_alias = "output-dir")]
    pub(crate) output: Option<PathBuf>,
    /// The plan of the scripts around SyncNet: short pieces are dropped
    #[arg(long)]
    pub(crate) parity: bool,
    /// Copy from key frame to key frame instead of encoding anew: quick, but moves the cuts; the summary says how far
    #[arg(long)]
    pub(crate) copy: bool,
    /// Write the sound of each piece as 16 kHz mono WAV too
    #[arg(long, conflicts_with = "copy")]
    pub(crate) wav: bool,
    /// Quality of the encoded pieces on the scale of x264: 0 (best) to 51
    #[arg(long, default_value_t = 18.0, value_name = "CRF")]
    pub(crate) crf: f32,
    /// Video track, counted from 0
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) track: usize,
    /// Audio track, counted from 0
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) audio_track: usize,
    /// Decoder threads [default: number of cores, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: Option<u32>,
    /// Override a limit for untrusted input
    #[arg(long = "limit", value_name = "NAME=N")]
    pub(crate) limits: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom split time talk.mp4 -o chunks --duration 30 --overlap 5
  frameloom split time talk.mp4 -o chunks --copy        moves cuts to key frames")]
pub(crate) struct SplitTimeArgs {
    #[command(flatten)]
    pub(crate) common: SplitCommon,
    /// Seconds of a piece
    #[arg(long, default_value_t = 30.0, value_name = "SECONDS")]
    pub(crate) duration: f64,
    /// Seconds that a piece shares with the next one; less than the duration
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS", allow_negative_numbers = true)]
    pub(crate) overlap: f64,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  frameloom split silence talk.mp4 -o chunks --threshold -30 --min-silence 1 --min-chunk 5")]
pub(crate) struct SplitSilenceArgs {
    #[command(flatten)]
    pub(crate) common: SplitCommon,
    /// Silent below this level in decibels of full scale
    #[arg(long, default_value_t = -30.0, value_name = "DB", allow_negative_numbers = true)]
    pub(crate) threshold: f64,
    /// Least seconds of a silence
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS", alias = "min_silence")]
    pub(crate) min_silence: f64,
    /// Least seconds of a piece; shorter ones join a neighbour
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS", alias = "min_chunk")]
    pub(crate) min_chunk: f64,
}
