//! What can be typed after `heatmap` and `chunk`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::decode_args::IsolateArgs;

/// Settings that change results; the others change speed and places.
const SETTINGS: &str = "Settings";

/// What makes a pixel hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum HeatSourceArg {
    /// Share of the frames in which it changed by more than the threshold
    Motion,
    /// Mean change from frame to frame
    Change,
    /// Mean of mask pictures or videos: white is hot
    Masks,
    /// Mean length of the optical flow
    Flow,
    /// Share of the frames in which its colour lies in a range
    Color,
    /// Share of the frames in which it lies in an object that a model sees
    Detections,
    /// Share of the frames in which it lies in a box of a file
    Boxes,
    /// Mean of the masks of a segmentation model
    Saliency,
}

impl HeatSourceArg {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Motion => "motion",
            Self::Change => "change",
            Self::Masks => "masks",
            Self::Flow => "flow",
            Self::Color => "color",
            Self::Detections => "detections",
            Self::Boxes => "boxes",
            Self::Saliency => "saliency",
        }
    }
}

/// What of a box is hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MarkArg {
    /// All of it
    Box,
    /// Its middle: every box weighs the same
    Middle,
}

impl MarkArg {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Box => "box",
            Self::Middle => "middle",
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom heatmap clip.mp4 -o heat                    where it moves
  frameloom heatmap masks/ --source masks -o heat       the mean of masks
  frameloom heatmap clip.mp4 -o heat --source detections --model yolox-nano --classes person
  frameloom heatmap clip.mp4 -o heat --source detections --model yolox-nano --mark middle --every 5 --step 0.5
  frameloom heatmap masks/ --source masks --frames frames/ --face-model yunet --face-weight 3 -o heat
  frameloom heatmap clip.mp4 -o part1 --shard 1/2       every other stretch of ten seconds or so; 2/2 on another machine, then
  frameloom merge part1 part2 -o heat                   writes the map of all of it
  frameloom chunk plan heat/heat.npy -o plan            where to process")]
pub(crate) struct HeatmapArgs {
    /// A video, or a folder of pictures (frames, or masks)
    #[arg(value_name = "INPUT")]
    pub(crate) input: PathBuf,
    /// Folder for heat.npy, heat.png, activity.npy, heat.json and config.toml
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) part: crate::shard_args::ShardArgs,
    /// Video track, counted from 0 among the video tracks
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) track: usize,
    /// Frames per batch at most; changes speed, never results
    #[arg(long, default_value_t = 8, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) batch: u32,
    #[command(flatten)]
    pub(crate) decode: crate::decode_args::DecodeArgs,
    /// Memory in MB for what the process holds at the start, its decoder and frames: batches shrink, and what does not fit is refused; changes
    /// speed, never results
    #[arg(long, default_value_t = 1024, value_name = "MB", value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    pub(crate) memory_limit: u64,
    #[command(flatten)]
    pub(crate) isolate: IsolateArgs,
    /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_HEATMAP_<SETTING> goes before it, flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// What makes a pixel hot [default: motion]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = SETTINGS)]
    pub(crate) source: Option<HeatSourceArg>,
    /// For motion: a change of up to this many luma codes is none [default: 10]
    #[arg(long, value_name = "CODE", help_heading = SETTINGS)]
    pub(crate) threshold: Option<u8>,
    /// Longest side in pixels of the map; larger frames are reduced [default: 1920]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) side: Option<u32>,
    /// Seconds of a step of the activity, which says when it is hot where [default: 1]
    #[arg(long, value_name = "S", help_heading = SETTINGS)]
    pub(crate) step: Option<f64>,
    /// For flow: pixels from frame to frame that are full heat [default: 8]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) flow_full: Option<f64>,
    /// For color: least hue (0 to 179), saturation, value [default: 0,50,50]
    #[arg(long, value_name = "H,S,V", value_parser = hsv, help_heading = SETTINGS)]
    pub(crate) color_low: Option<[u8; 3]>,
    /// For color: largest hue, saturation, value; a hue below the least one goes through 0 [default: 10,255,255]
    #[arg(long, value_name = "H,S,V", value_parser = hsv, help_heading = SETTINGS)]
    pub(crate) color_high: Option<[u8; 3]>,
    /// For detections and saliency: the model, by its name in the manifest
    #[arg(long, value_name = "NAME", help_heading = SETTINGS)]
    pub(crate) model: Option<String>,
    /// For detections and boxes: least score [default: the model's own; 0 for boxes]
    #[arg(long, value_name = "SHARE", help_heading = SETTINGS)]
    pub(crate) score: Option<f64>,
    /// For detections and saliency: only these classes, by name or number
    #[arg(long, value_name = "CLASS", value_delimiter = ',', help_heading = SETTINGS)]
    pub(crate) classes: Vec<String>,
    /// For detections and boxes: what of a box is hot [default: box]
    #[arg(long, value_enum, value_name = "WHAT", help_heading = SETTINGS)]
    pub(crate) mark: Option<MarkArg>,
    /// Models look at every so many frames [default: 1]
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) every: Option<u32>,
    /// Faces add up to this many times the largest heat of the source [default: 0, which looks for none]
    #[arg(long, value_name = "TIMES", help_heading = SETTINGS)]
    pub(crate) face_weight: Option<f64>,
    /// The model that finds faces, by its name in the manifest
    #[arg(long, value_name = "NAME", help_heading = SETTINGS)]
    pub(crate) face_model: Option<String>,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
    /// Folder with a models.toml; may be given several times
    #[arg(long = "models", value_name = "DIR")]
    pub(crate) models: Vec<PathBuf>,
    /// For boxes: a line of JSON per frame, {"frame": 0, "detections": [{"box": [x, y, w, h], "score": 0.9}]}
    #[arg(long, value_name = "FILE")]
    pub(crate) boxes: Option<PathBuf>,
    /// Original frames of masks, in which faces are looked for; paired by the numbers in their names, or by order
    #[arg(long, value_name = "DIR")]
    pub(crate) frames: Option<PathBuf>,
    /// Discard what earlier runs in the output folder found
    #[arg(long)]
    pub(crate) restart: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom heatmap clip.mp4 -o heat                                                where it moves
  frameloom chunk plan heat/heat.npy -o plan --sizes 64x64                          where to process
  frameloom chunk run clip.mp4 --plan plan/chunks.json --effect filter:unsharp -o out   only there")]
pub(crate) struct ChunkArgs {
    #[command(subcommand)]
    pub(crate) command: ChunkCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChunkCommand {
    /// Lay chunks over a heat map: the least pixels for a guaranteed coverage
    Plan(Box<ChunkPlanArgs>),
    /// Process the chunks of a video, and nothing else of it
    Run(Box<crate::chunk_run_args::ChunkRunArgs>),
    /// Cut frames by a fixed rule, without a heat map: tiles, strips or a grid
    Segments(SegmentsArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom chunk segments --frame 1920x1080 --auto 512x512 -o plan
  frameloom chunk segments --frame 1920x1080 --strips 3 -o plan")]
pub(crate) struct SegmentsArgs {
    /// Size of the frames
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) frame: [u32; 2],
    #[command(flatten)]
    pub(crate) how: SegmentsHow,
    /// Folder for chunks.json, plan.png, report.html and config.toml
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Positions are multiples of it, or flush with an edge
    #[arg(long, default_value_t = 8, value_name = "PX")]
    pub(crate) factor: u32,
    /// Cut as the original system did, for comparison: it leaves parts out
    #[arg(long)]
    pub(crate) original: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SegmentsHow {
    /// Tiles of about this size, overlapping by a quarter
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) auto: Option<[u32; 2]>,
    /// So many strips side by side
    #[arg(long, value_name = "N")]
    pub(crate) strips: Option<u32>,
    /// About so many cells in rows and columns
    #[arg(long, value_name = "N")]
    pub(crate) grid: Option<u32>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom chunk plan heat/heat.npy -o plan --sizes 512x512
  frameloom chunk plan heat/heat.npy -o plan --sizes 256x256,512x512 --coverage 0.995
  frameloom chunk plan heat/heat.npy -o plan --segment 4        chunks follow their subject
  frameloom chunk plan heat/heat.npy -o plan --objects         for a detector, over --mark middle
  frameloom chunk plan heat/heat.npy -o plan --objects=40x90   for a detector, over motion
  frameloom chunk plan heat/heat.npy -o plan --preview clip.mp4   draws the plan on the frames")]
pub(crate) struct ChunkPlanArgs {
    /// Heat map: an .npy file of f32, rows by columns; the size of the frames and the activity come from beside it
    #[arg(value_name = "HEAT")]
    pub(crate) heat: PathBuf,
    /// Folder for chunks.json, plan.png, report.html and config.toml
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Size of the frames, where it is not that of the map
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) frame: Option<[u32; 2]>,
    /// Plan for a detector: settings, below those given here, by which objects lie whole in a chunk at their time. How large they are says
    /// a heat map of `heatmap --source detections --mark middle`; others need to be told
    #[arg(long, value_name = "WxH", num_args = 0..=1, require_equals = true, value_parser = size, conflicts_with = "original")]
    pub(crate) objects: Option<Option<[u32; 2]>>,
    /// Draw the plan on the frames of this video: preview.mp4, chunks that are processed lit
    #[arg(long, value_name = "VIDEO")]
    pub(crate) preview: Option<PathBuf>,
    /// Seconds of the preview, from the first frame
    #[arg(long, default_value_t = 30.0, value_name = "S", requires = "preview", value_parser = seconds)]
    pub(crate) preview_seconds: f64,
    /// A picture of any size: only heat where it is bright (128 or more) counts
    #[arg(long, value_name = "FILE")]
    pub(crate) mask: Option<PathBuf>,
    /// Place chunks as the original system did, for comparison: one size, factor and rotation are all it knows
    #[arg(long)]
    pub(crate) original: bool,
    /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_CHUNK_PLAN_<SETTING> goes before it, flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// Sizes that chunks may have [default: 512x512]
    #[arg(long, value_name = "WxH", value_delimiter = ',', value_parser = size, help_heading = SETTINGS)]
    pub(crate) sizes: Vec<[u32; 2]>,
    /// Positions and sizes are multiples of it, or flush with an edge [default: 8]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) factor: Option<u32>,
    /// Whether width and height may be exchanged [default: true]
    #[arg(long, value_name = "BOOL", help_heading = SETTINGS)]
    pub(crate) rotate: Option<bool>,
    /// Share of the heat that chunks must cover [default: 0.99]
    #[arg(long, value_name = "SHARE", help_heading = SETTINGS)]
    pub(crate) coverage: Option<f64>,
    /// Heat up to this share of the largest value counts as none [default: 0.05]
    #[arg(long, value_name = "SHARE", help_heading = SETTINGS)]
    pub(crate) threshold: Option<f64>,
    /// Least overlap where chunks meet: room for blending [default: 16]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) overlap: Option<u32>,
    /// Pixels along each inner edge that are context only [default: 0]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) halo: Option<u32>,
    /// Size of what must lie whole in a chunk wherever its middle is hot, as with `heatmap --mark middle` [default: 0x0]
    #[arg(long, value_name = "WxH", value_parser = size, help_heading = SETTINGS)]
    pub(crate) subject: Option<[u32; 2]>,
    /// Scales of the frame, each planned on its own [default: 1]
    #[arg(long, value_name = "SCALE", value_delimiter = ',', help_heading = SETTINGS)]
    pub(crate) scales: Vec<f64>,
    /// Only heat in here counts; may be given several times
    #[arg(long = "region", value_name = "X,Y,W,H", value_parser = rect, help_heading = SETTINGS)]
    pub(crate) regions: Vec<[u32; 4]>,
    /// Heat in here does not count; may be given several times
    #[arg(long, value_name = "X,Y,W,H", value_parser = rect, help_heading = SETTINGS)]
    pub(crate) exclude: Vec<[u32; 4]>,
    /// Seconds that a chunk is active before its activity begins [default: 0.2]
    #[arg(long, value_name = "S", help_heading = SETTINGS)]
    pub(crate) lead_in: Option<f64>,
    /// Seconds that a chunk stays active after its activity [default: 0.4]
    #[arg(long, value_name = "S", help_heading = SETTINGS)]
    pub(crate) hold: Option<f64>,
    /// Plan for each segment of so many seconds, chunks follow their subject; left out, they stay
    #[arg(long, value_name = "S", help_heading = SETTINGS)]
    pub(crate) segment: Option<f64>,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
}

pub(crate) fn size(text: &str) -> Result<[u32; 2], String> {
    let parsed = text.split_once(['x', 'X']).and_then(|(w, h)| Some([w.parse().ok()?, h.parse().ok()?]));
    parsed.ok_or_else(|| "a size looks like 512x512".into())
}

fn seconds(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|s: &f64| s.is_finite() && *s > 0.0);
    parsed.ok_or_else(|| "a time looks like 12.5, in seconds above 0".into())
}

fn hsv(text: &str) -> Result<[u8; 3], String> {
    let parsed: Option<Vec<u8>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
    parsed
        .and_then(|n| n.try_into().ok())
        .ok_or_else(|| "a colour looks like 0,50,50: hue 0 to 179, saturation and value 0 to 255".into())
}

fn rect(text: &str) -> Result<[u32; 4], String> {
    let parsed: Option<Vec<u32>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
    parsed
        .and_then(|n| n.try_into().ok())
        .ok_or_else(|| "a rectangle looks like 0,0,640,360: x, y, width, height".into())
}
