//! What can be typed after `index`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::collage_args::{DescriptorArgs, SETTINGS, SearchArgs, aspect};
use crate::guard::MemoryArgs;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom index build photos -o photos.index
  frameloom index build photos -o photos.index --feature-method hog --aspect 4:3
  frameloom index add photos.index more/ one.jpg
  frameloom index search photos.index sunset.jpg -k 5
  frameloom index build photos -o part1 --shard 1/2      every other sixteen pictures; 2/2 on another machine, then
  frameloom merge part1 part2 -o photos.index            what both have described; then, to make the index of it:
  frameloom index build photos -o photos.index
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
    #[command(flatten)]
    pub(crate) memory: MemoryArgs,
    /// Override a limit for untrusted input
    #[arg(long = "limit", value_name = "NAME=N")]
    pub(crate) limits: Vec<String>,
}

#[allow(clippy::large_enum_variant, reason = "one is made, when the command line is read")]
#[derive(Debug, Subcommand)]
pub(crate) enum IndexCommand {
    /// Describe the pictures of folders and write an index, or bring one up to date
    #[command(after_help = "\
Examples:
  frameloom index build photos -o photos.index
  frameloom index build photos -o photos.index --dry-run         how many pictures, bytes and megabytes")]
    Build {
        /// Folders and files
        #[arg(required = true, value_name = "INPUT")]
        inputs: Vec<PathBuf>,
        /// Folder of the index
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_INDEX_<SETTING> goes before it, flags before both
        #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
        config: Option<PathBuf>,
        #[command(flatten)]
        descriptor: DescriptorArgs,
        /// What pictures are cropped to: that of the videos they will stand for [default: 16:9]
        #[arg(long, value_name = "W:H", value_parser = aspect, help_heading = SETTINGS)]
        aspect: Option<[u32; 2]>,
        #[command(flatten)]
        search: SearchArgs,
        #[command(flatten)]
        set: crate::set_args::SetArgs,
        /// Only the pictures of the folders themselves
        #[arg(long)]
        flat: bool,
        /// Forget what is in the folder and begin anew
        #[arg(long)]
        restart: bool,
        #[command(flatten)]
        part: crate::shard_args::ShardArgs,
        /// Show the plan (pictures, bytes, memory, disk) and do nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        work: IndexWork,
    },
    /// Add pictures
    #[command(after_help = "\
Examples:
  frameloom index add photos.index more/ one.jpg")]
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
    #[command(after_help = "\
Examples:
  frameloom index remove photos.index photos/old/")]
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
    #[command(after_help = "\
Examples:
  frameloom index info photos.index
  frameloom index info photos.index --verify       reads and checks all of it")]
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
    #[command(after_help = "\
Examples:
  frameloom index search photos.index sunset.jpg -k 5")]
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
        #[command(flatten)]
        memory: MemoryArgs,
    },
}
