//! What can be typed after `index` and `collage`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use frameloom::Error;
use frameloom::index::IndexSpec;
use frameloom::workflows::collage::{DescriptorConfig, FeatureLayout, FeatureMethod};

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
    /// What pictures are compared by: canny (fast), spatial_pyramid, hog (structure), spatial_color (colour by place)
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
    /// Longer side of the pictures compared, in pixels
    #[arg(long, default_value_t = 256, value_name = "PX")]
    pub(crate) comparison_size: u32,
    /// Grid of the spatial pyramid: 2, 3 or 4
    #[arg(long, default_value_t = 2, value_name = "N")]
    pub(crate) spatial_grid: u32,
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
            comparison_size: self.comparison_size,
            spatial_grid: self.spatial_grid,
            aspect,
            ..DescriptorConfig::default()
        }
    }
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

/// A ratio like `16:9`.
pub(crate) fn aspect(text: &str) -> Result<[u32; 2], Error> {
    let wrong = || Error::usage(format!("an aspect is two whole numbers like 16:9, got `{text}`"));
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
    },
}
