//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use frameloom::gpu::DeviceChoice;

use crate::args_sync::{AudioArgs, ExtractArgs, SplitArgs, SplitSilenceArgs, SplitTimeArgs};

const AFTER: &str = "\
Examples:
  frameloom doctor                     what this machine has and what is missing
  frameloom demo                       every workflow on a rendered clip
  frameloom analyze clip.mp4           a report on a video of yours
  frameloom track --help               each command has examples

Exit codes:
  0 complete and verified            8 GPU unavailable or lost
  2 usage or setting                 9 model or index refused
  3 finished, some inputs not whole  10 another run is using the output
  4 nothing usable in the input      11 state of an earlier run does not fit
  5 input damaged, no output         12 decoder crashed or hung
  6 memory limit cannot be met       101 a bug
  7 writing failed                   124 deadline, 129/130/141/143 signal";

/// GPU-first analysis of video and frames.
#[derive(Debug, Parser)]
#[command(name = "frameloom", version, about, after_help = AFTER, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Adapter: auto, gpu, cpu, a number from `frameloom doctor`, or part of a name
    #[arg(long, global = true, default_value = "auto", env = "FRAMELOOM_DEVICE", value_name = "WHICH")]
    pub(crate) device: DeviceChoice,
    /// Write JSON Lines events to standard output: `start` first, one `result` or `error` last
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How progress is shown on standard error
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "HOW")]
    pub(crate) progress: ProgressArg,
    /// Say nothing but errors on standard error
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// What several commands in one process share.
    #[arg(skip)]
    pub(crate) warm: crate::warm::Warm,
    /// A place among commands that read the same video now.
    #[arg(skip)]
    pub(crate) sharing: Option<frameloom::media::Sharing>,
}

/// Styles of progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressArg {
    /// A bar on a terminal, else a line every ten seconds; events with --json
    Auto,
    /// A bar
    Bar,
    /// A line every ten seconds
    Lines,
    /// JSON Lines events on standard output
    Jsonl,
    /// Nothing
    None,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what this machine has and what is missing
    Doctor(DoctorArgs),
    /// Describe media files as JSON, without decoding
    #[command(visible_alias = "video-info", alias = "info")]
    Probe(ProbeArgs),
    /// Measure every frame of videos or picture folders and write tables, a motion heat map and a report
    Analyze(AnalyzeArgs),
    /// Rebuild a video from the pictures of a folder that look most like its frames
    Collage(Box<crate::collage_args::CollageArgs>),
    /// Make, change, show and search the index of a picture pool
    Index(crate::index_args::IndexArgs),
    /// Turn frames into a balanced training set, with a reason for every decision
    Curate(Box<crate::curate_args::CurateArgs>),
    /// Count where a video moves, or average masks, into a heat map
    Heatmap(crate::chunk_args::HeatmapArgs),
    /// Put processing where the heat is
    Chunk(crate::chunk_args::ChunkArgs),
    /// Write a small copy of a video
    Proxy(crate::chunk_run_args::ProxyArgs),
    /// Write audio tracks as WAV files
    Audio(AudioArgs),
    /// `audio extract`, as the scripts around SyncNet call it
    #[command(hide = true)]
    ExtractAudio(ExtractArgs),
    /// Cut a video into pieces, exactly to the frame in picture and sound
    Split(SplitArgs),
    /// `split time`, as the scripts around SyncNet call it
    #[command(hide = true)]
    ChunkTime(SplitTimeArgs),
    /// `split silence`, as the scripts around SyncNet call it
    #[command(hide = true)]
    ChunkSilence(SplitSilenceArgs),
    /// Tell how late the sound of videos is, from faces and lips, and put it right
    #[cfg(feature = "onnx")]
    #[command(alias = "process_long_video", alias = "process-long-video")]
    Sync(Box<crate::sync_args::SyncArgs>),
    /// Run a chain of commands from a file, each on what the ones before made
    Run(crate::pipeline_args::RunArgs),
    /// Put the parts of a run (`--shard`) together
    Merge(crate::shard_args::MergeArgs),
    /// Do work that another program sends line by line, with device and networks opened once
    Worker(crate::pipeline_args::WorkerArgs),
    /// Run every workflow on one clip, and write a page that leads to what came out
    Demo(crate::commands::demo::DemoArgs),
    /// Find, follow and count what moves through videos
    Track(Box<crate::track_args::TrackArgs>),
    /// A decoder process, started by other commands
    #[cfg(target_os = "linux")]
    #[command(hide = true, name = frameloom::media::isolate::WORKER_COMMAND)]
    DecodeWorker,
    /// Show what settings there are: a JSON Schema for editors, or a reference
    Config(crate::config_args::ConfigArgs),
    /// List the operations with their exactness and work
    Ops(OpsArgs),
    /// Time the operations on this machine
    Bench(BenchArgs),
    /// List, check, look at and add models
    #[cfg(feature = "onnx")]
    Models(ModelsArgs),
    /// Print shell completions
    #[command(after_help = "\
Examples:
  frameloom completions bash > frameloom.bash")]
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page per command into a folder
    #[command(after_help = "\
Examples:
  frameloom man | man -l -        the manual page
  frameloom man pages             one file per command")]
    Man {
        /// Folder
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom doctor                what this machine has and what is missing
  frameloom doctor --all          all limits and codecs too")]
pub(crate) struct DoctorArgs {
    /// Show all limits and codecs
    #[arg(short, long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom probe clip.mp4
  frameloom probe clip.mp4 talk.mp4 | jq .format_name")]
pub(crate) struct ProbeArgs {
    /// Media files
    #[arg(required_unless_present = "input_flag", value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The same, as the scripts around SyncNet take it
    #[arg(long = "input", id = "input_flag", value_name = "INPUT", hide = true)]
    pub(crate) input_flag: Vec<PathBuf>,
    /// Override a limit for untrusted input
    #[arg(long = "limit", value_name = "NAME=N")]
    pub(crate) limits: Vec<String>,
}

/// What happens to the others when one input fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnErrorArg {
    /// Stop at the first input that fails
    Stop,
    /// Go on; the exit code is 3 when some inputs were not whole
    Skip,
    /// Go on, but count anything short of `complete` as a failure
    Strict,
}

/// Settings that change results; the others change speed and places.
const SETTINGS: &str = "Settings";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom analyze clip.mp4                 writes clip.frameloom/report.html and tables
  frameloom analyze a.mp4 b.mkv -o out       one folder per input under out/
  frameloom analyze frames/ --fps 24         a folder of pictures as a video
  frameloom analyze clip.mp4 --json | jq -c 'select(.event==\"result\")'")]
pub(crate) struct AnalyzeArgs {
    /// Videos, or folders of pictures
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Output folder [default: <stem>.frameloom in the working folder; with several inputs one folder each below it]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Video track, counted from 0 among the video tracks
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) track: usize,
    /// Frames per batch at most; changes speed, never results
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=512))]
    pub(crate) batch: u32,
    #[command(flatten)]
    pub(crate) decode: crate::decode_args::DecodeArgs,
    /// Inputs analysed at the same time, through one GPU queue
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) jobs: u32,
    /// Memory in MB that the process and its decoder processes may allocate together (program code, which is mapped from files, not counted):
    /// batches shrink, and what cannot fit is refused before it begins; changes speed, never results
    #[arg(long, default_value_t = 1024, value_name = "MB", value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    pub(crate) memory_limit: u64,
    #[command(flatten)]
    pub(crate) guard: crate::guard::GuardArgs,
    /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_ANALYZE_<SETTING> goes before it, flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// A pixel is dark at or below this share of the way from black to white [default: 0.1]
    #[arg(long, value_name = "SHARE", help_heading = SETTINGS)]
    pub(crate) dark: Option<f64>,
    /// A pixel is bright at or above this share of the way from black to white [default: 0.9]
    #[arg(long, value_name = "SHARE", help_heading = SETTINGS)]
    pub(crate) bright: Option<f64>,
    /// A pixel of the reduced picture has moved when its luma changed by more than this code [default: 10]
    #[arg(long, value_name = "CODE", help_heading = SETTINGS)]
    pub(crate) motion_threshold: Option<u8>,
    /// Longest side in pixels of the reduced picture on which motion and histogram are measured [default: 480]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) motion_side: Option<u32>,
    /// Thumbnails of each kind (sharpest, blurriest, busiest) in the report [default: 6]
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) thumbnails: Option<u32>,
    /// Longest side in pixels of a thumbnail [default: 192]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) thumbnail_side: Option<u32>,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
    /// Frame rate of picture folders
    #[arg(long, default_value_t = 25, value_name = "FPS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) fps: u32,
    /// What to do when an input fails
    #[arg(long, value_enum, default_value = "skip", value_name = "POLICY")]
    pub(crate) on_error: OnErrorArg,
    /// Discard the state of earlier runs in the output folder and begin anew
    #[arg(long)]
    pub(crate) restart: bool,
    /// Show the plan (frames, bytes, memory, disk) and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) part: crate::shard_args::ShardArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom ops                   all of them
  frameloom ops stats/luma        one in full")]
pub(crate) struct OpsArgs {
    /// Show one operation in full
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print a Markdown table, as in docs/operations.md
    #[arg(long, conflicts_with = "name")]
    pub(crate) markdown: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom bench stats/luma -o bench         bench/bench.md and bench.json
  frameloom bench edges --small               whether it runs, no figures to believe")]
pub(crate) struct BenchArgs {
    /// Only operations whose name contains this text
    #[arg(value_name = "FILTER")]
    pub(crate) filter: Option<String>,
    /// Tiny sizes and few samples: checks that everything runs
    #[arg(long)]
    pub(crate) small: bool,
    /// Samples per case
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) samples: u32,
    /// Folder for bench.md and bench.json
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Another library to measure in turns with, for instance "python3 scripts/peers/opencv_bench.py"
    #[arg(long, value_name = "COMMAND")]
    pub(crate) peer: Option<String>,
}

#[cfg(feature = "onnx")]
#[derive(Debug, Args)]
#[command(after_help = "\
A folder of models has a `models.toml`, which lists what may be loaded: file, SHA-256, task,
preprocessing. Files that are not listed or have changed are refused. Folders are searched in this
order: --models, FRAMELOOM_MODELS, frameloom/models in the user's data folder.

Examples:
  frameloom models list
  frameloom models verify --models ~/models
  frameloom models inspect net.onnx
  frameloom models import net.onnx --task detect --write   adds it to models.toml beside the file")]
pub(crate) struct ModelsArgs {
    /// Folder of models, searched before the others; may be given several times
    #[arg(long = "models", global = true, value_name = "DIR")]
    pub(crate) folders: Vec<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[cfg(feature = "onnx")]
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the models
    #[command(after_help = "\
Examples:
  frameloom models list
  frameloom models list --task detect --models ~/models")]
    List {
        /// Only those for one task: detect, face, landmarks, embed, reid, segment, inpaint, upscale, ...
        #[arg(long, value_name = "TASK")]
        task: Option<frameloom::infer::Task>,
    },
    /// Read every model and check it against its manifest; exit code 9 when one would be refused
    #[command(after_help = "\
Examples:
  frameloom models verify --models ~/models")]
    Verify,
    /// Show what ONNX files say of themselves, without running them
    #[command(after_help = "\
Examples:
  frameloom models inspect net.onnx")]
    Inspect {
        /// ONNX files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Propose an entry for a file: what the file does not say is guessed, and marked
    #[command(after_help = "\
Examples:
  frameloom models import net.onnx --task detect           what the entry would be
  frameloom models import net.onnx --task detect --write   adds it to models.toml beside the file")]
    Import {
        /// ONNX file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// What the model is for: detect, face, landmarks, embed, reid, segment, inpaint, upscale, ...
        #[arg(long, value_name = "TASK")]
        task: frameloom::infer::Task,
        /// Name to list it under [default: the name of the file]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Add the entry to models.toml in the folder of the file
        #[arg(long)]
        write: bool,
    },
}
