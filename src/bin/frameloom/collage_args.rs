//! What can be typed after `collage`, and what it has in common with `index`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use frameloom::Error;
use frameloom::config::Layers;
use frameloom::index::IndexSpec;
use frameloom::workflows::collage::select::{Assignment, Fallback, PickRule};
use frameloom::workflows::collage::{
    DescriptorConfig, FeatureLayout, FeatureMethod, FeaturePooling, Networks, ParitySystem,
};
use serde_json::Value;

use crate::decode_args::IsolateArgs;
use crate::index_args::IndexWork;

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

/// Settings that change results; the others change speed and places.
pub(crate) const SETTINGS: &str = "Settings";

/// What pictures are described by.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = SETTINGS)]
pub(crate) struct DescriptorArgs {
    /// What pictures are compared by: canny (fast), spatial_pyramid, hog (structure), spatial_color (colour by place), or a network:
    /// mobilenet, efficientnet [default: canny]
    #[arg(long, value_name = "METHOD")]
    pub(crate) feature_method: Option<FeatureMethod>,
    /// Sizes of the parts of a descriptor [default: reduced]
    #[arg(long, value_enum, value_name = "LAYOUT")]
    pub(crate) layout: Option<LayoutArg>,
    /// Numbers of another system instead of ours
    #[arg(long, value_enum, value_name = "SYSTEM")]
    pub(crate) parity: Option<ParityArg>,
    /// Weight of edges; the three weights are scaled to a sum of 1 [default: 0.33]
    #[arg(long, value_name = "W")]
    pub(crate) edge_weight: Option<f64>,
    /// Weight of texture [default: 0.33]
    #[arg(long, value_name = "W")]
    pub(crate) texture_weight: Option<f64>,
    /// Weight of colour [default: 0.34]
    #[arg(long, value_name = "W")]
    pub(crate) color_weight: Option<f64>,
    /// Longer side of the pictures compared, in pixels [default: 256; 32 for tiles]
    #[arg(long, value_name = "PX")]
    pub(crate) comparison_size: Option<u32>,
    /// Grid of the spatial pyramid, or of a network's map [default: 4 for the pyramid, 2 for networks]
    #[arg(long, value_name = "N")]
    pub(crate) spatial_grid: Option<u32>,
    /// One cell for all of a network's map; the same as --spatial-grid 1
    #[arg(long, conflicts_with = "spatial_grid")]
    pub(crate) use_global_pooling: bool,
    /// How cells of a network's map are pooled [default: avg]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) pooling_method: Option<PoolingArg>,
    /// Power of the generalised mean: 1 is the mean, more is nearer to the maximum [default: 3]
    #[arg(long, value_name = "P")]
    pub(crate) gem_p: Option<f64>,
    /// Name of the network in its models.toml [default: the method's]
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Taken for FluxFrame's sake; the networks are files of yours, and nothing is exported
    #[arg(long, hide = true)]
    pub(crate) force_mobilenet_export: bool,
}

/// How cells are pooled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PoolingArg {
    /// Mean
    Avg,
    /// Generalised mean
    Gem,
}

/// A setting as files write it.
pub(crate) fn written<T: serde::Serialize>(value: T) -> Value {
    // Enumerations without fields cannot fail.
    serde_json::to_value(value).unwrap_or(Value::Null)
}

impl DescriptorArgs {
    /// Lays what was given over `layers`.
    pub(crate) fn lay(&self, layers: Layers) -> Layers {
        let layout = self.layout.map(|l| match l {
            LayoutArg::Reduced => FeatureLayout::Reduced,
            LayoutArg::Legacy => FeatureLayout::Legacy,
        });
        let pooling = self.pooling_method.map(|p| match p {
            PoolingArg::Avg => FeaturePooling::Avg,
            PoolingArg::Gem => FeaturePooling::Gem,
        });
        let parity = self.parity.map(|p| match p {
            ParityArg::Fluxframe => ParitySystem::Fluxframe,
        });
        layers
            .flag("--feature-method", "descriptor.feature_method", self.feature_method.map(FeatureMethod::name))
            .flag("--layout", "descriptor.layout", layout.map(written))
            .flag("--parity", "descriptor.parity", parity.map(written))
            .flag("--edge-weight", "descriptor.edge_weight", self.edge_weight)
            .flag("--texture-weight", "descriptor.texture_weight", self.texture_weight)
            .flag("--color-weight", "descriptor.color_weight", self.color_weight)
            .flag("--comparison-size", "descriptor.comparison_size", self.comparison_size)
            .flag("--spatial-grid", "descriptor.spatial_grid", self.spatial_grid)
            .flag("--use-global-pooling", "descriptor.spatial_grid", self.use_global_pooling.then_some(1))
            .flag("--pooling-method", "descriptor.pooling_method", pooling.map(written))
            .flag("--gem-p", "descriptor.gem_p", self.gem_p)
            .flag("--model", "descriptor.model", self.model.clone())
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
#[command(next_help_heading = SETTINGS)]
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

    /// Lays what was given over `layers`.
    pub(crate) fn lay(&self, layers: Layers) -> Layers {
        let written = self.spec().map(|s| s.to_string());
        let (file, other) = if self.use_ivf_index { (written, None) } else { (None, written) };
        layers.flag("--search", "search", other).flag("--use-ivf-index", "search", file)
    }
}

/// Layers of a file, the variables that begin with `prefix`, and flags.
pub(crate) fn layers(config: Option<&std::path::Path>, prefix: &str) -> Result<Layers, Error> {
    let layers = match config {
        Some(path) => Layers::new().file(path)?,
        None => Layers::new(),
    };
    layers.environment(prefix, std::env::vars_os())
}

/// Two numbers like `16:9` or `32x18`.
pub(crate) fn aspect(text: &str) -> Result<[u32; 2], Error> {
    let wrong = || Error::usage(format!("two whole numbers are wanted, like 16:9 or 32x18, got `{text}`"));
    let (w, h) = text.split_once([':', '/', 'x']).ok_or_else(wrong)?;
    let number = |t: &str| t.trim().parse::<u32>().ok().filter(|n| (1..=10_000).contains(n)).ok_or_else(wrong);
    Ok([number(w)?, number(h)?])
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
    /// As FluxFrame does; files call it `seed`, which is taken here too
    #[value(alias = "seed")]
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
  frameloom collage compare clip.mp4 photos -o out       a few frames by every method, side by side
  frameloom collage clip.mp4 photos.index -o part1 --shard 1/2   matches of every other stretch; 2/2 on another machine, then
  frameloom merge part1 part2 -o out                     and the same command on `out`, without --shard: it chooses and renders")]
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
    /// Output folder [default: <stem>.collage]
    #[arg(short, long = "output", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Folder of the index of IMAGES [default: `index` in the output folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) index: Option<PathBuf>,
    /// Only the first seconds and the first pictures
    #[arg(long)]
    pub(crate) demo: bool,
    /// Seconds of a demo
    #[arg(long, default_value_t = 20.0, value_name = "SECONDS", requires = "demo")]
    pub(crate) demo_seconds: f64,
    /// Pictures of a demo, the first ones of a folder; of an index all are used
    #[arg(long, default_value_t = 1000, value_name = "N", requires = "demo")]
    pub(crate) demo_images: usize,
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
    /// Match this part of the timeline only, `1/4` to `4/4`, against an index that is there; see `frameloom merge`
    #[arg(long, value_name = "I/N", value_parser = crate::shard_args::shard, requires = "out")]
    pub(crate) shard: Option<frameloom::core::Shard>,
    /// Show the plan (frames, pictures, memory, disk) and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) isolate: IsolateArgs,
    #[command(flatten)]
    pub(crate) work: IndexWork,
    /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_COLLAGE_<SETTING> goes before it (SELECTION__SEED for `seed` of
    /// `selection`), flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) descriptor: DescriptorArgs,
    #[command(flatten)]
    pub(crate) search: SearchArgs,
    #[command(flatten)]
    pub(crate) selection: SelectionArgs,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
}

/// How pictures are chosen.
#[derive(Debug, Args)]
#[command(next_help_heading = SETTINGS)]
pub(crate) struct SelectionArgs {
    /// Nearest pictures to find for each frame [default: 10]
    #[arg(long, visible_alias = "top-n", value_name = "N")]
    pub(crate) search_depth: Option<u32>,
    /// Least similarity of a picture that is shown [default: 0]
    #[arg(long, value_name = "S")]
    pub(crate) threshold: Option<f64>,
    /// What frames show that no picture is similar enough to [default: hold]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) fallback: Option<FallbackArg>,
    /// Show no picture twice; the same as --max-uses 1
    #[arg(long, conflicts_with = "max_uses")]
    pub(crate) no_repeat: bool,
    /// Show each picture for at most so many frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_uses: Option<u32>,
    /// Show a picture again only after so many seconds [default: 0]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) cooldown: Option<f64>,
    /// Begin anew when all pictures are used up, instead of an error
    #[arg(long)]
    pub(crate) recycle: bool,
    /// How a picture is taken from the nearest ones [default: auto]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) pick: Option<PickArg>,
    /// Another seed draws other pictures [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u32>,
    /// How frames share pictures that may not be used again [default: greedy]
    #[arg(long, value_enum, value_name = "HOW")]
    pub(crate) assignment: Option<AssignmentArg>,
    /// What a switch to another picture within a scene costs, in similarity: more keeps pictures longer [default: 0]
    #[arg(long, value_name = "COST")]
    pub(crate) smoothness: Option<f64>,
}

impl SelectionArgs {
    /// Lays what was given over `layers`.
    pub(crate) fn lay(&self, layers: Layers) -> Layers {
        let fallback = self.fallback.map(|f| match f {
            FallbackArg::Hold => Fallback::Hold,
            FallbackArg::Black => Fallback::Black,
            FallbackArg::Best => Fallback::Best,
        });
        let pick = self.pick.map(|p| match p {
            PickArg::Auto => None,
            PickArg::Best => Some(PickRule::Best),
            PickArg::Random => Some(PickRule::Random),
            PickArg::Fluxframe => Some(PickRule::Seed),
        });
        let assignment = self.assignment.map(|a| match a {
            AssignmentArg::Greedy => Assignment::Greedy,
            AssignmentArg::Global => Assignment::Global,
        });
        layers
            .flag("--search-depth", "selection.search_depth", self.search_depth)
            .flag("--threshold", "selection.threshold", self.threshold)
            .flag("--fallback", "selection.fallback", fallback.map(written))
            .flag("--no-repeat", "selection.max_uses", self.no_repeat.then_some(1))
            .flag("--max-uses", "selection.max_uses", self.max_uses)
            .flag("--cooldown", "selection.cooldown", self.cooldown)
            .flag("--recycle", "selection.recycle", self.recycle.then_some(true))
            .flag("--pick", "selection.pick", pick.map(written))
            .flag("--seed", "selection.seed", self.seed)
            .flag("--assignment", "selection.assignment", assignment.map(written))
            .flag("--smoothness", "selection.smoothness", self.smoothness)
    }
}

/// What is written.
#[derive(Debug, Args)]
#[command(next_help_heading = SETTINGS)]
pub(crate) struct ShowArgs {
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
    /// Quality of the video on the scale of x264: 0 (best) to 51 [default: 20]
    #[arg(long, value_name = "CRF")]
    pub(crate) crf: Option<f64>,
    /// Frames to write beside their pictures into comparison_samples/ [default: 0]
    #[arg(long, value_name = "N")]
    pub(crate) save_samples: Option<u32>,
    /// One of so many frames is a sample [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) sample_interval: Option<u32>,
}

impl ShowArgs {
    /// Lays what was given over `layers`.
    pub(crate) fn lay(&self, layers: Layers) -> Layers {
        layers
            .flag("--tiles", "output.tiles", self.tiles.map(written))
            .flag("--fps-override", "output.fps_override", self.fps_override.map(|r| r.to_string()))
            .flag("--skip-output", "output.video", self.skip_output.then_some(false))
            .flag("--matched-frames", "output.matched_frames", self.matched_frames.then_some(true))
            .flag("--no-audio", "output.audio", self.no_audio.then_some(false))
            .flag("--crf", "output.crf", self.crf)
            .flag("--save-samples", "output.save_samples", self.save_samples)
            .flag("--sample-interval", "output.sample_interval", self.sample_interval)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CollageCommand {
    /// Show the best pictures of a few frames by every method, side by side, with timings
    #[command(after_help = "\
Examples:
  frameloom collage compare clip.mp4 photos -o out --frames 3")]
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

#[cfg(test)]
mod tests {
    use clap::Parser;
    use frameloom::gpu::GpuOptions;

    use super::*;
    use crate::args::{Cli, Command};

    fn collage(more: &[&str]) -> Result<CollageArgs, clap::Error> {
        let cli = Cli::try_parse_from([&["frameloom", "collage", "v.mp4", "photos"], more].concat())?;
        match cli.command {
            Command::Collage(args) => Ok(*args),
            _ => panic!("another command"),
        }
    }

    #[test]
    fn what_is_of_a_demo_needs_one() {
        for (flag, value) in [("--demo-seconds", "5"), ("--demo-images", "50")] {
            let e = collage(&[flag, value]).unwrap_err();
            assert!(e.to_string().contains("--demo"), "{e}");
            assert!(collage(&["--demo", flag, value]).is_ok());
        }
        assert_eq!(collage(&["--demo"]).unwrap().demo_images, 1000);
        assert!(!collage(&[]).unwrap().demo);
    }

    #[test]
    fn the_original_rule_has_two_names() {
        for word in ["fluxframe", "seed"] {
            assert_eq!(collage(&["--pick", word]).unwrap().selection.pick, Some(PickArg::Fluxframe), "{word}");
        }
    }

    #[test]
    fn the_memory_limit_is_the_budget_of_the_device() {
        let of = |more: &[&str]| collage(more).unwrap().work.memory.budget(GpuOptions::default()).budget.limit();
        // Without the flag it is what it has always been.
        assert_eq!(of(&[]), GpuOptions::default().budget.limit());
        assert_eq!(of(&["--memory-limit", "64"]), 64 << 20);
        assert!(collage(&["--memory-limit", "10"]).is_err());
    }
}
