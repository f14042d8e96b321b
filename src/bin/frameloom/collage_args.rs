//! What can be typed after `index` and `collage`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use frameloom::Error;
use frameloom::index::IndexSpec;
use frameloom::workflows::collage::{DescriptorConfig, FeatureLayout, FeatureMethod, FeaturePooling, Networks};

/// Sizes of the parts of a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutArg {
    /// 128 / 32 / 216 numbers
    Reduced,
    /// 256 / 64 / 512 numbers
    Legacy,
}

/// Systems whose numbers can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ParityArg {
    /// FluxFrame
    Fluxframe,
}

/// What pictures are described by.
#[derive(Debug, Clone, Args)]
pub(crate) struct DescriptorArgs {
    /// What pictures are compared by: canny (fast), spatial_pyramid, hog (structure), spatial_color (colour by place), or a network:
    /// mobilenet, efficientnet
    #[arg(long, default_value = "canny", value_name = "METHOD")]
    pub(crate) feature_method: FeatureMethod,
    /// Sizes of the parts of a descriptor
    #[arg(long, value_enum, default_value = "reduced", value_name = "LAYOUT")]
    pub(crate) layout: LayoutArg,
    /// Numbers of another system instead of ours
    #[arg(long, value_enum, value_name = "SYSTEM")]
    pub(crate) parity: Option<ParityArg>,
    /// Weight of edges; the three weights are scaled to a sum of 1
    #[arg(long, default_value_t = 0.33, value_name = "W")]
    pub(crate) edge_weight: f64,
    /// Weight of texture
    #[arg(long, default_value_t = 0.33, value_name = "W")]
    pub(crate) texture_weight: f64,
    /// Weight of colour
    #[arg(long, default_value_t = 0.34, value_name = "W")]
    pub(crate) color_weight: f64,
    /// Longer side of the pictures compared, in pixels [default: 256; 32 for tiles]
    #[arg(long, value_name = "PX")]
    pub(crate) comparison_size: Option<u32>,
    /// Grid of the spatial pyramid or of a network's map [default: 4 for the pyramid, of which 2 in the reduced layout is what canny is; 2
    /// for networks]
    #[arg(long, value_name = "N")]
    pub(crate) spatial_grid: Option<u32>,
    /// One cell for all of a network's map; the same as --spatial-grid 1
    #[arg(long, conflicts_with = "spatial_grid")]
    pub(crate) use_global_pooling: bool,
    /// How cells of a network's map are pooled
    #[arg(long, value_enum, default_value = "avg", value_name = "HOW")]
    pub(crate) pooling_method: PoolingArg,
    /// Power of the generalised mean: 1 is the mean, more is nearer to the maximum
    #[arg(long, default_value_t = 3.0, value_name = "P")]
    pub(crate) gem_p: f64,
    /// Name of the network in its models.toml [default: the method's]
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
}

/// How cells are pooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PoolingArg {
    /// Mean
    Avg,
    /// Generalised mean
    Gem,
}

impl DescriptorArgs {
    /// The settings, for pictures cropped to `aspect`.
    pub(crate) fn config(&self, aspect: [u32; 2]) -> DescriptorConfig {
        DescriptorConfig {
            method: self.feature_method,
            layout: match self.layout {
                LayoutArg::Reduced => FeatureLayout::Reduced,
                LayoutArg::Legacy => FeatureLayout::Legacy,
            },
            parity: self.parity.is_some(),
            edge_weight: self.edge_weight,
            texture_weight: self.texture_weight,
            color_weight: self.color_weight,
            comparison_size: self.comparison_size.unwrap_or(256),
            spatial_grid: match (self.spatial_grid, self.use_global_pooling) {
                (Some(grid), _) => grid,
                (None, true) => 1,
                (None, false) if self.feature_method.is_neural() => 2,
                (None, false) => 4,
            },
            pooling: if self.pooling_method == PoolingArg::Gem { FeaturePooling::Gem } else { FeaturePooling::Avg },
            gem_p: self.gem_p,
            aspect,
            ..DescriptorConfig::default()
        }
    }
}

/// Networks of `folders` and of the usual places, if `config` needs one; it is completed by the one called `name`, or by that of
/// its method.
pub(crate) fn networks(
    config: &mut DescriptorConfig,
    name: Option<&str>,
    folders: &[PathBuf],
) -> Result<Networks, Error> {
    if !config.method.is_neural() {
        return Ok(Networks::default());
    }
    config.spec()?;
    let networks = known(folders)?;
    networks.complete(config, name.unwrap_or(config.method.name()))?;
    Ok(networks)
}

/// All networks of `folders` and of the usual places.
#[cfg(feature = "onnx")]
pub(crate) fn known(folders: &[PathBuf]) -> Result<Networks, Error> {
    Networks::find(folders)
}

/// A build without networks knows none.
#[cfg(not(feature = "onnx"))]
pub(crate) fn known(_: &[PathBuf]) -> Result<Networks, Error> {
    Ok(Networks::default())
}

/// How the pool is searched.
#[derive(Debug, Clone, Args)]
pub(crate) struct SearchArgs {
    /// How to search: auto, flat, flat-gpu[:f16], ivf[:nlist=N,nprobe=N,codes=f32|f16], sqfp16, hnsw[:m=N,ef=N], host, or a FAISS
    /// factory string [default: auto, or what the index was built with]
    #[arg(long, value_name = "SPEC", conflicts_with = "use_ivf_index")]
    pub(crate) search: Option<IndexSpec>,
    /// Search an inverted file; the same as `--search ivf`
    #[arg(long)]
    pub(crate) use_ivf_index: bool,
    /// Lists of the inverted file [default: 4 times the root of the number of pictures]
    #[arg(long, value_name = "N", requires = "use_ivf_index")]
    pub(crate) ivf_nlist: Option<u32>,
    /// Lists that are searched [default: a sixteenth, at least 16]
    #[arg(long, value_name = "N", requires = "use_ivf_index")]
    pub(crate) ivf_nprobe: Option<u32>,
}

impl SearchArgs {
    /// What was asked for, if anything was.
    pub(crate) fn spec(&self) -> Option<IndexSpec> {
        if self.use_ivf_index {
            return Some(IndexSpec::Ivf { nlist: self.ivf_nlist, nprobe: self.ivf_nprobe, codes: None });
        }
        self.search.clone()
    }
}

/// Two numbers like `16:9` or `32x18`.
pub(crate) fn aspect(text: &str) -> Result<[u32; 2], Error> {
    let wrong = || Error::usage(format!("two whole numbers are wanted, like 16:9 or 32x18, got `{text}`"));
    let (w, h) = text.split_once([':', '/', 'x']).ok_or_else(wrong)?;
    let number = |t: &str| t.trim().parse::<u32>().ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(wrong);
    Ok([number(w)?, number(h)?])
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom index build photos -o photos.index
  frameloom index build photos -o photos.index --feature-method hog --aspect 4:3
  frameloom index add photos.index more/ one.jpg
  frameloom index search photos.index sunset.jpg -k 5
Building again computes what is new. A build that was interrupted goes on where it was.")]
pub(crate) struct IndexArgs {
    #[command(subcommand)]
    pub(crate) command: IndexCommand,
}

/// What every change of an index takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct IndexWork {
    /// Threads that read and decode [default: number of cores]
    #[arg(long, visible_alias = "num-workers", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) threads: Option<u32>,
    /// Folder of models, for methods that need one; may be given several times
    #[arg(long = "models", value_name = "DIR")]
    pub(crate) models: Vec<PathBuf>,
    /// Pictures described at once; changes speed, never results
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) batch: u32,
    /// Override a limit for untrusted input
    #[arg(long = "limit", value_name = "NAME=N")]
    pub(crate) limits: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Describe the pictures of folders and write an index, or bring one up to date
    Build {
        /// Folders and files
        #[arg(required = true, value_name = "INPUT")]
        inputs: Vec<PathBuf>,
        /// Folder of the index
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        #[command(flatten)]
        descriptor: DescriptorArgs,
        /// What pictures are cropped to: that of the videos they will stand for
        #[arg(long, default_value = "16:9", value_name = "W:H", value_parser = aspect)]
        aspect: [u32; 2],
        #[command(flatten)]
        search: SearchArgs,
        /// Only the pictures of the folders themselves
        #[arg(long)]
        flat: bool,
        /// Forget what is in the folder and begin anew
        #[arg(long)]
        restart: bool,
        /// Show the plan (pictures, bytes, memory, disk) and do nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        work: IndexWork,
    },
    /// Add pictures
    Add {
        /// Folder of the index
        index: PathBuf,
        /// Folders and files
        #[arg(required = true, value_name = "INPUT")]
        inputs: Vec<PathBuf>,
        #[command(flatten)]
        work: IndexWork,
    },
    /// Remove pictures
    Remove {
        /// Folder of the index
        index: PathBuf,
        /// Pictures, or folders with all below them
        #[arg(required = true, value_name = "INPUT")]
        inputs: Vec<PathBuf>,
        #[command(flatten)]
        work: IndexWork,
    },
    /// Show what an index holds
    Info {
        /// Folder of the index
        index: PathBuf,
        /// List the pictures
        #[arg(short, long)]
        all: bool,
        /// Read everything and check it
        #[arg(long)]
        verify: bool,
    },
    /// Find the pictures most like others
    Search {
        /// Folder of the index
        index: PathBuf,
        /// Pictures to look for
        #[arg(required = true, value_name = "PICTURE")]
        pictures: Vec<PathBuf>,
        /// How many to find
        #[arg(short, long, visible_aliases = ["top-n", "search-depth"], default_value_t = 10, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        k: u32,
        #[command(flatten)]
        search: SearchArgs,
        /// Folder of models, for indexes made with one; may be given several times
        #[arg(long = "models", value_name = "DIR")]
        models: Vec<PathBuf>,
    },
}

/// What a frame shows when no picture reaches the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FallbackArg {
    /// The picture before stays
    Hold,
    /// Black
    Black,
    /// The best picture all the same
    Best,
}

/// How a picture is taken from the nearest ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PickArg {
    /// The best with --no-repeat, --max-uses, --cooldown, --smoothness or global assignment, else one drawn
    Auto,
    /// The best
    Best,
    /// One of the nearest, drawn by --seed and the frame's number
    Random,
    /// As FluxFrame does
    Fluxframe,
}

/// How frames share pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AssignmentArg {
    /// Earlier frames choose first
    Greedy,
    /// All at once, for the largest sum of similarities
    Global,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Examples:
  frameloom collage clip.mp4 photos -o out               out/clip_matched.mp4, out/report.html
  frameloom collage clip.mp4 photos -o out --no-repeat --feature-method hog
  frameloom collage clip.mp4 photos.index -o out         an index that was built before
  frameloom collage clip.mp4 photos -o out --demo        the first 20 seconds, 1000 pictures
  frameloom collage clip.mp4 photos -o out --smoothness 0.05 --search flat
  frameloom collage compare clip.mp4 photos -o out       a few frames by every method, side by side")]
pub(crate) struct CollageArgs {
    #[command(subcommand)]
    pub(crate) command: Option<CollageCommand>,
    /// Video
    #[arg(value_name = "VIDEO", required = true)]
    pub(crate) video: Option<PathBuf>,
    /// Folder of pictures, or of an index of them
    #[arg(value_name = "IMAGES", required = true)]
    pub(crate) images: Option<PathBuf>,
    /// Output folder, as -o
    #[arg(value_name = "OUTPUT", conflicts_with = "out")]
    pub(crate) output: Option<PathBuf>,
    /// Output folder [default: <stem>.frameloom]
    #[arg(short, long = "output", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Folder of the index of IMAGES [default: `index` in the output folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) index: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) descriptor: DescriptorArgs,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    /// Nearest pictures to find for each frame
    #[arg(long, visible_alias = "top-n", default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) search_depth: u32,
    /// Least similarity of a picture that is shown
    #[arg(long, default_value_t = 0.0, value_name = "S")]
    pub(crate) threshold: f32,
    /// What frames show that no picture is similar enough to
    #[arg(long, value_enum, default_value = "hold", value_name = "HOW")]
    pub(crate) fallback: FallbackArg,
    /// Show no picture twice; the same as --max-uses 1
    #[arg(long, conflicts_with = "max_uses")]
    pub(crate) no_repeat: bool,
    /// Show each picture for at most so many frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_uses: Option<u32>,
    /// Show a picture again only after so many seconds
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    pub(crate) cooldown: f64,
    /// Begin anew when all pictures are used up, instead of an error
    #[arg(long)]
    pub(crate) recycle: bool,
    /// How a picture is taken from the nearest ones
    #[arg(long, value_enum, default_value = "auto", value_name = "HOW")]
    pub(crate) pick: PickArg,
    /// Another seed draws other pictures
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) seed: u32,
    /// How frames share pictures that may not be used again
    #[arg(long, value_enum, default_value = "greedy", value_name = "HOW")]
    pub(crate) assignment: AssignmentArg,
    /// What a switch to another picture within a scene costs, in similarity: more keeps pictures longer
    #[arg(long, default_value_t = 0.0, value_name = "COST")]
    pub(crate) smoothness: f32,
    /// Rebuild every frame from so many tiles, each a picture of its own, like 32x18
    #[arg(long, value_name = "WxH", value_parser = aspect)]
    pub(crate) tiles: Option<[u32; 2]>,
    /// Frames per second of the output, by leaving frames out or showing them longer [default: the video's own times]
    #[arg(long, value_name = "FPS", value_parser = frameloom::workflows::collage::run::parse_rate)]
    pub(crate) fps_override: Option<frameloom::core::Rational>,
    /// Write no video, only the matches and the report
    #[arg(long)]
    pub(crate) skip_output: bool,
    /// Write each picture of the output into matched_frames/ as well
    #[arg(long)]
    pub(crate) matched_frames: bool,
    /// Leave the audio out
    #[arg(long)]
    pub(crate) no_audio: bool,
    /// Quality of the video on the scale of x264: 0 (best) to 51
    #[arg(long, default_value_t = 20.0, value_name = "CRF")]
    pub(crate) crf: f32,
    /// Only the first seconds and the first pictures
    #[arg(long)]
    pub(crate) demo: bool,
    /// Seconds of a demo
    #[arg(long, default_value_t = 20.0, value_name = "SECONDS")]
    pub(crate) demo_seconds: f64,
    /// Pictures of a demo
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub(crate) demo_images: usize,
    /// Frames to write beside their pictures into comparison_samples/
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) save_samples: u32,
    /// One of so many frames is a sample
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) sample_interval: u32,
    /// Save matches after so many frames, rounded up to whole searches of 64; changes speed, never results
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) checkpoint_batch: u32,
    /// Video track, counted from 0 among the video tracks
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) track: usize,
    /// Decode on hardware: off, auto, or a device type FFmpeg knows (vaapi, cuda, ...)
    #[arg(long, default_value = "off", value_name = "HOW")]
    pub(crate) hwaccel: String,
    /// Discard the matches of earlier runs in the output folder and begin anew
    #[arg(long)]
    pub(crate) restart: bool,
    /// Show the plan (frames, pictures, memory, disk) and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) work: IndexWork,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CollageCommand {
    /// Show the best pictures of a few frames by every method, side by side, with timings
    Compare {
        /// Video
        video: PathBuf,
        /// Folder of pictures
        images: PathBuf,
        /// Output folder
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Frames, evenly over the video
        #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
        frames: u32,
        /// Use the first pictures only
        #[arg(long, default_value_t = 1000, value_name = "N")]
        demo_images: usize,
        /// Longer side of the pictures compared, in pixels
        #[arg(long, default_value_t = 256, value_name = "PX")]
        comparison_size: u32,
        /// Sizes of the parts of a descriptor
        #[arg(long, value_enum, default_value = "reduced", value_name = "LAYOUT")]
        layout: LayoutArg,
        /// Grid of the spatial pyramid: 2, 3 or 4
        #[arg(long, default_value_t = 4, value_name = "N")]
        spatial_grid: u32,
        #[command(flatten)]
        work: IndexWork,
    },
}
