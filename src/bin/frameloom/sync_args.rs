//! What can be typed after `sync`. Flags of the scripts around SyncNet are accepted too.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use frameloom::config::Layers;
use frameloom::workflows::sync::run::{Preset, SyncConfig, SyncModelNames};
use frameloom::{Error, Result};

use crate::decode_args::IsolateArgs;
use crate::shard_args::ShardArgs;

/// Settings that change results; the others change speed and places.
const SETTINGS: &str = "Settings";

/// What tells how late the sound is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EstimatorArg {
    /// Movement of the lips against levels of the sound; needs no weights but those of a landmark model
    LipMotion,
    /// The two networks of SyncNet
    Syncnet,
}

/// Bounds of acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PresetArg {
    /// Confidence 6, 2 frames
    Strict,
    /// Confidence 4, 5 frames
    High,
    /// Confidence 2.5, 8 frames
    Medium,
    /// Confidence 1.5, 12 frames
    Relaxed,
    /// Confidence 0, 50 frames
    None,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Offsets are positive where the sound is late. In `offsets.txt` and under the names of the scripts around SyncNet they are
frames of 25 a second, positive where the sound is early.

Examples:
  frameloom sync talk.mp4                     writes talk.sync/report.html, curve.csv, offsets.txt, ...
  frameloom sync talk.mp4 -o out --preset high
  frameloom sync fix talk.mp4                 writes talk.fixed.mp4, and measures it again
  frameloom sync batch chunks/ -o results --max-workers 2
  frameloom sync --input_video talk.mp4 --output_dir out --chunk_duration 45 --overlap 10 --min_track 10
  frameloom sync talk.mp4 -o part1 --shard 1/2      the faces of every other stretch of time; 2/2 on another machine, then
  frameloom merge part1 part2 -o out                and the same command on `out`: alone, or in parts again for the lips")]
pub(crate) struct SyncArgs {
    #[command(subcommand)]
    pub(crate) command: Option<SyncCommand>,
    /// Videos
    #[arg(value_name = "VIDEO", required_unless_present = "input_video")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The same, as the scripts around SyncNet take it
    #[arg(long = "input_video", alias = "input", alias = "input-video", value_name = "VIDEO", hide = true)]
    pub(crate) input_video: Vec<PathBuf>,
    /// Output folder [default: <stem>.sync in the working folder; with several videos one folder each below it]
    #[arg(short, long, value_name = "DIR", alias = "output_dir", visible_alias = "output-dir")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) part: ShardArgs,
    /// Show the plan (frames, chunks) and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

impl SyncArgs {
    /// All videos, however they were given.
    pub(crate) fn videos(&self) -> Vec<PathBuf> {
        self.inputs.iter().chain(&self.input_video).cloned().collect()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum SyncCommand {
    /// Bring sound and picture into step, and measure again
    Fix(Box<FixArgs>),
    /// Analyse all videos of a folder; one that fails does not stop the others
    Batch(Box<BatchArgs>),
}

#[derive(Debug, Args)]
#[command(after_help = "\
A constant offset is put right by moving timestamps: all packets stay as they are. Drift and edits need the sound to be made
anew (AAC); the picture and all other streams are copied. Where the verdict is \"cannot tell\" nothing is written unless
`--offset-ms` says what to do.

Examples:
  frameloom sync fix talk.mp4 -o talk.fixed.mp4
  frameloom sync fix talk.mp4 --offset-ms 120     the sound is 120 ms late: no measuring before")]
pub(crate) struct FixArgs {
    /// Video
    #[arg(value_name = "VIDEO")]
    pub(crate) input: PathBuf,
    /// File to write, .mp4 or .mkv [default: <stem>.fixed.mp4, or .mkv for what MP4 cannot hold]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Folder of the analyses before and after [default: <stem>.sync and <output>.sync beside the output]
    #[arg(long, value_name = "DIR")]
    pub(crate) analysis: Option<PathBuf>,
    /// Milliseconds that the sound is late, negative where it is early; instead of measuring before
    #[arg(long, value_name = "MS", allow_negative_numbers = true)]
    pub(crate) offset_ms: Option<f64>,
    /// How: by what was found, by moving timestamps only, or by making the sound anew
    #[arg(long, value_enum, default_value = "auto", value_name = "HOW")]
    pub(crate) method: FixMethodArg,
    /// Do not measure the result
    #[arg(long)]
    pub(crate) no_check: bool,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// How a video is repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FixMethodArg {
    /// Timestamps for a constant offset, else the sound
    Auto,
    /// Timestamps
    Shift,
    /// The sound, piece by piece
    Piecewise,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom sync batch chunks/ -o results --max-workers 2
  frameloom sync batch chunks/ -o part1 --shard 1/2     every other video; 2/2 on another machine, then
  frameloom merge part1 part2 -o results")]
pub(crate) struct BatchArgs {
    /// Folder of videos (mp4, avi, mov, mkv, mpg, webm)
    #[arg(value_name = "DIR", required_unless_present = "chunks_dir")]
    pub(crate) folder: Option<PathBuf>,
    /// The same, as the script takes it
    #[arg(long = "chunks_dir", alias = "chunks-dir", value_name = "DIR", hide = true, conflicts_with = "folder")]
    pub(crate) chunks_dir: Option<PathBuf>,
    /// Output folder: one folder per video, batch_processing_summary.json [default: <folder>.sync in the working folder]
    #[arg(short, long, value_name = "DIR", alias = "output_dir", visible_alias = "output-dir")]
    pub(crate) output: Option<PathBuf>,
    /// Videos at the same time
    #[arg(long, default_value_t = 2, value_name = "N", alias = "max_workers", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) max_workers: u32,
    /// Folder of SyncNet's own code; not needed here
    #[arg(long = "syncnet_dir", alias = "syncnet-dir", value_name = "DIR", hide = true)]
    pub(crate) syncnet_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) part: ShardArgs,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// Settings.
#[derive(Debug, Args)]
pub(crate) struct SettingArgs {
    /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_SYNC_<SETTING> goes before it, flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// What tells how late the sound is [default: lip-motion]
    #[arg(long, value_enum, value_name = "WHICH", help_heading = SETTINGS)]
    pub(crate) estimator: Option<EstimatorArg>,
    /// Seconds of a chunk [default: 30]
    #[arg(long, value_name = "SECONDS", alias = "chunk_duration", help_heading = SETTINGS)]
    pub(crate) chunk_duration: Option<f64>,
    /// Seconds that a chunk shares with the next one [default: 5]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true, help_heading = SETTINGS)]
    pub(crate) overlap: Option<f64>,
    /// Chunks as the scripts around SyncNet plan them: a last one under 5 s is dropped
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) parity: bool,
    /// Write the chunks too (chunks/, audio/), and copies of those that are accepted (filtered_chunks/, filtered_audio/)
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) save_chunks: bool,
    /// A track has more faces than this [default: 25; the scripts: 5]
    #[arg(long, value_name = "N", alias = "min_track", help_heading = SETTINGS)]
    pub(crate) min_track: Option<usize>,
    /// Mean side of the faces of a track is above this, in pixels [default: 40; the scripts: 10]
    #[arg(long, value_name = "PX", alias = "min_face_size", help_heading = SETTINGS)]
    pub(crate) min_face_size: Option<f64>,
    /// Bounds of acceptance by name; --min-confidence and --max-abs-offset go before it
    #[arg(long, value_enum, value_name = "NAME", help_heading = SETTINGS)]
    pub(crate) preset: Option<PresetArg>,
    /// Least confidence of an accepted chunk [default: 2]
    #[arg(long, value_name = "C", alias = "min_confidence", help_heading = SETTINGS)]
    pub(crate) min_confidence: Option<f64>,
    /// Largest offset of an accepted chunk, in frames of 25 a second [default: 10]
    #[arg(long, value_name = "FRAMES", alias = "max_abs_offset", help_heading = SETTINGS)]
    pub(crate) max_abs_offset: Option<f64>,
    /// Accept and reject chunks; on by default
    #[arg(long, alias = "filter_low_quality", overrides_with = "no_filter", help_heading = SETTINGS)]
    pub(crate) filter_low_quality: bool,
    /// Accept all chunks
    #[arg(long, alias = "no_filter", help_heading = SETTINGS)]
    pub(crate) no_filter: bool,
    /// Seconds that the sound may be early or late, 0.1 to 5 [default: 1]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) reach: Option<f64>,
    /// In sync within this many seconds [default: 0.06]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) tolerance: Option<f64>,
    /// Probability below which the verdict is "cannot tell" [default: 0.5]
    #[arg(long, value_name = "P", help_heading = SETTINGS)]
    pub(crate) min_probability: Option<f64>,
    /// No sound below this level in decibels of full scale [default: -50]
    #[arg(long, value_name = "DB", allow_negative_numbers = true, help_heading = SETTINGS)]
    pub(crate) quiet_db: Option<f64>,
    /// Seconds of a window of the curve over time [default: 10]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) window: Option<f64>,
    /// Seconds from one window to the next [default: 2]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) step: Option<f64>,
    /// Least change of the offset in seconds that is an edit [default: 0.06]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) min_jump: Option<f64>,
    /// Content score from which on a frame begins a shot [default: 30]
    #[arg(long, value_name = "SCORE", help_heading = SETTINGS)]
    pub(crate) cut_threshold: Option<f64>,
    /// Frames between two cuts at least [default: 15]
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) min_shot: Option<usize>,
    /// Hues of cuts by their codes, as the detector of the scripts: both ends of red are far apart
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) linear_hue: bool,
    /// Likeness (cosine of vectors) from which on two faces are the same person [default: 0.4]
    #[arg(long, value_name = "C", help_heading = SETTINGS)]
    pub(crate) same_person: Option<f64>,
    /// Longest side in pixels of the pictures in which faces are looked for [default: 640]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) face_side: Option<u32>,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
}

impl SettingArgs {
    /// Flags over environment over file over defaults.
    pub(crate) fn resolve(&self) -> Result<SyncConfig> {
        Ok(self.set.lay(self.layers()?).resolve()?.settings)
    }

    /// Flags over environment over file.
    pub(crate) fn layers(&self) -> Result<Layers> {
        let layers = match &self.config {
            Some(path) => Layers::new().file(path)?,
            None => Layers::new(),
        };
        let estimator = self.estimator.map(|e| match e {
            EstimatorArg::LipMotion => "lip-motion",
            EstimatorArg::Syncnet => "syncnet",
        });
        let preset = self.preset.map(|p| {
            match p {
                PresetArg::Strict => Preset::Strict,
                PresetArg::High => Preset::High,
                PresetArg::Medium => Preset::Medium,
                PresetArg::Relaxed => Preset::Relaxed,
                PresetArg::None => Preset::None,
            }
            .bounds()
        });
        Ok(layers
            .environment("FRAMELOOM_SYNC_", std::env::vars_os())?
            .flag("--estimator", "estimator", estimator)
            .flag("--chunk-duration", "chunk_duration", self.chunk_duration)
            .flag("--overlap", "overlap", self.overlap)
            .flag("--parity", "parity", self.parity.then_some(true))
            .flag("--save-chunks", "save_chunks", self.save_chunks.then_some(true))
            .flag("--min-track", "min_track", self.min_track)
            .flag("--min-face-size", "min_face_size", self.min_face_size)
            .flag("--preset", "min_confidence", preset.map(|p| p.0))
            .flag("--preset", "max_abs_offset", preset.map(|p| p.1))
            .flag("--min-confidence", "min_confidence", self.min_confidence)
            .flag("--max-abs-offset", "max_abs_offset", self.max_abs_offset)
            .flag("--filter-low-quality", "filter_low_quality", self.filter_low_quality.then_some(true))
            .flag("--no-filter", "filter_low_quality", self.no_filter.then_some(false))
            .flag("--reach", "reach", self.reach)
            .flag("--tolerance", "tolerance", self.tolerance)
            .flag("--min-probability", "min_probability", self.min_probability)
            .flag("--quiet-db", "quiet_db", self.quiet_db)
            .flag("--window", "window", self.window)
            .flag("--step", "step", self.step)
            .flag("--min-jump", "min_jump", self.min_jump)
            .flag("--cut-threshold", "cut_threshold", self.cut_threshold)
            .flag("--min-shot", "min_shot", self.min_shot)
            .flag("--linear-hue", "circular_hue", self.linear_hue.then_some(false))
            .flag("--same-person", "same_person", self.same_person)
            .flag("--face-side", "face_side", self.face_side))
    }
}

/// What changes speed and places.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// Folder of models, searched before the others; may be given several times
    #[arg(long = "models", value_name = "DIR")]
    pub(crate) models: Vec<PathBuf>,
    /// Face detector by its name in models.toml [default: yunet-n, else the first that is listed]
    #[arg(long, value_name = "NAME")]
    pub(crate) face_model: Option<String>,
    /// Landmark model [default: face-landmark-468, else the first that is listed]
    #[arg(long, value_name = "NAME")]
    pub(crate) landmark_model: Option<String>,
    /// SyncNet's network for lips [default: syncnet-lips]
    #[arg(long, value_name = "NAME")]
    pub(crate) lips_model: Option<String>,
    /// SyncNet's network for sound [default: syncnet-audio]
    #[arg(long, value_name = "NAME")]
    pub(crate) audio_model: Option<String>,
    /// Network for vectors of faces, by which tracks are joined to persons; `none`: by place [default: mobilefacenet, where it is listed]
    #[arg(long, value_name = "NAME")]
    pub(crate) person_model: Option<String>,
    /// Video track, counted from 0
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) track: usize,
    /// Audio track, counted from 0
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) audio_track: usize,
    /// Frames per batch at most; changes speed, never results
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=512))]
    pub(crate) batch: u32,
    #[command(flatten)]
    pub(crate) decode: crate::decode_args::DecodeArgs,
    /// Memory in MB for what the process holds at the start and for frames, and for a decoder process: batches shrink, and what does not fit
    /// is refused; changes speed, never results
    #[arg(long, default_value_t = 1024, value_name = "MB", value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    pub(crate) memory_limit: u64,
    #[command(flatten)]
    pub(crate) isolate: IsolateArgs,
    /// Write a video of each face too: faces/track_0000.mp4, as the estimator sees it
    #[arg(long)]
    pub(crate) face_videos: bool,
    /// Write the video with boxes, confidences and offsets drawn on it too: annotated.mp4
    #[arg(long)]
    pub(crate) annotate: bool,
    /// Discard what earlier runs in the output folder found
    #[arg(long)]
    pub(crate) restart: bool,
    /// Say more: each track and chunk on standard error
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl WorkArgs {
    /// Names of the networks.
    pub(crate) fn names(&self) -> SyncModelNames {
        SyncModelNames {
            face: self.face_model.clone(),
            landmarks: self.landmark_model.clone(),
            lips: self.lips_model.clone(),
            audio: self.audio_model.clone(),
            person: self.person_model.clone(),
        }
    }
}

/// The folder of a batch.
pub(crate) fn batch_folder(args: &BatchArgs) -> Result<&PathBuf> {
    args.folder.as_ref().or(args.chunks_dir.as_ref()).ok_or_else(|| Error::usage("a folder of videos is missing"))
}
