//! What can be typed after `chunk run` and `proxy`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::decode_args::IsolateArgs;

/// Settings that change results; the others change speed and places.
const SETTINGS: &str = "Settings";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutsideArg {
    /// The frame itself, bit for bit
    Keep,
    /// Black
    Black,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MaskArg {
    /// Grey, white where it covers
    Mask,
    /// The picture where it covers, black elsewhere
    Cutout,
}

impl OutsideArg {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Black => "black",
        }
    }
}

impl MaskArg {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Cutout => "cutout",
        }
    }
}

/// How a video is opened.
#[derive(Debug, Clone, Args)]
pub(crate) struct OpenArgs {
    /// Video track, counted from 0 among the video tracks
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) track: usize,
    /// Frames per batch at most; changes speed, never results
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) batch: u32,
    #[command(flatten)]
    pub(crate) decode: crate::decode_args::DecodeArgs,
    /// Memory in MB for frames and chunks, and for a decoder process: batches shrink, and what does not fit is refused; changes speed, never
    /// results
    #[arg(long, default_value_t = 2048, value_name = "MB", value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    pub(crate) memory_limit: u64,
    #[command(flatten)]
    pub(crate) isolate: IsolateArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Effects:
  identity        nothing: shows what cutting and putting back do
  filter:GRAPH    a filter graph of FFmpeg on each chunk, with pictures in and as many out: filter:hqdn3d,unsharp
  NAME            a model: upscale (any that turns pictures into pictures), lowlight, segment, detect

Examples:
  frameloom chunk run clip.mp4 --plan plan/chunks.json --effect realesr-animevideov3-x4 -o out
  frameloom chunk run clip.mp4 --effect yolox-nano --draw -o out
  frameloom chunk run clip.mp4 --plan plan/chunks.json --draw --seconds 5 -o look     a look at the plan
  frameloom chunk run clip.mp4 --plan plan/chunks.json --effect yolox-nano -o part1 --shard 1/2    2/2 on another machine, then
  frameloom merge part1 part2 -o out        and the same command on `out`, without --shard: it writes what the parts made")]
pub(crate) struct ChunkRunArgs {
    /// Video
    #[arg(value_name = "VIDEO")]
    pub(crate) input: PathBuf,
    /// Folder for the video, detections.jsonl, summary.json and config.toml
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// chunks.json of `frameloom chunk plan`; without one, a plan is made: of what a detector sees when it looks twice a second, for other effects
    /// where the video moves
    #[arg(long, value_name = "FILE")]
    pub(crate) plan: Option<PathBuf>,
    /// Sizes that chunks may have in a plan made here [default: squares of a third and of half the longer side]
    #[arg(long, value_name = "WxH", value_delimiter = ',', value_parser = crate::chunk_args::size, conflicts_with = "plan")]
    pub(crate) sizes: Vec<[u32; 2]>,
    /// What is done to chunks
    #[arg(long, default_value = "identity", value_name = "EFFECT")]
    pub(crate) effect: String,
    /// Folders with a models.toml; FRAMELOOM_MODELS and the user's folder come after
    #[arg(long, value_name = "DIR")]
    pub(crate) models: Vec<PathBuf>,
    /// Show what it would cost and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do everything anew, whatever an earlier run left
    #[arg(long)]
    pub(crate) restart: bool,
    #[command(flatten)]
    pub(crate) part: crate::shard_args::ShardArgs,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_CHUNK_RUN_<SETTING> goes before it, flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// Pixels over which a chunk fades into the frame [default: 16]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) feather: Option<u32>,
    /// What is shown where no chunk is [default: keep]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = SETTINGS)]
    pub(crate) outside: Option<OutsideArg>,
    /// Seconds over which a chunk fades in and out in time [default: 0.2]
    #[arg(long, value_name = "S", help_heading = SETTINGS)]
    pub(crate) fade: Option<f64>,
    /// Frames as large as the effect makes chunks; without it, chunks are brought back to their size
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) enlarge: bool,
    /// What a segmentation mask becomes [default: mask]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = SETTINGS)]
    pub(crate) mask: Option<MaskArg>,
    /// Class of a segmentation that knows several [default: 0]
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) class: Option<u16>,
    /// Least score of a detection [default: the model's]
    #[arg(long, value_name = "SCORE", help_heading = SETTINGS)]
    pub(crate) score: Option<f64>,
    /// Largest intersection over union of two detections of a class [default: 0.5]
    #[arg(long, value_name = "IOU", help_heading = SETTINGS)]
    pub(crate) iou: Option<f64>,
    /// Draw chunks, and detections, into the video
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) draw: bool,
    /// Leave the audio out
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) no_audio: bool,
    /// Quality, 0 (without loss) to 51 [default: 18]
    #[arg(long, value_name = "CRF", help_heading = SETTINGS)]
    pub(crate) crf: Option<f32>,
    /// Only so many seconds from the first frame
    #[arg(long, value_name = "S", help_heading = SETTINGS)]
    pub(crate) seconds: Option<f64>,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom proxy clip.mp4 -o clip_small.mp4
  frameloom proxy clip.mp4 -o clip_half.mp4 --scale 0.5 --audio")]
pub(crate) struct ProxyArgs {
    /// Video
    #[arg(value_name = "VIDEO")]
    pub(crate) input: PathBuf,
    /// The small video: .mp4 or .mkv
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) open: OpenArgs,
    /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_PROXY_<SETTING> goes before it, flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// Share of width and height [default: 0.25]
    #[arg(long, value_name = "SCALE", help_heading = SETTINGS)]
    pub(crate) scale: Option<f64>,
    /// Sides are rounded down to multiples of it [default: 8]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) multiple: Option<u32>,
    /// Copy the audio
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) audio: bool,
    /// Quality, 0 to 51 [default: 23]
    #[arg(long, value_name = "CRF", help_heading = SETTINGS)]
    pub(crate) crf: Option<f32>,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
}
