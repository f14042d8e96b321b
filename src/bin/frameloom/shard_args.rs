//! What can be typed of runs in parts.

use std::path::PathBuf;

use clap::Args;
use frameloom::core::Shard;

/// A run in parts.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ShardArgs {
    /// Do this part of several only, `1/4` to `4/4`: every fourth input, or every fourth stretch of one; see `frameloom merge`
    #[arg(long, value_name = "I/N", value_parser = shard, requires = "output")]
    pub(crate) shard: Option<Shard>,
}

pub(crate) fn shard(text: &str) -> Result<Shard, String> {
    text.parse().map_err(|e: frameloom::Error| e.to_string())
}

#[derive(Debug, Args)]
#[command(after_help = "\
The result is what one run would have written. A part that was killed is run again; parts may be merged on any machine. Parts of one video or of
one pool of pictures (`sync`, `collage`, `chunk run`, `index build`, `curate`) become a folder on which the same command then goes on, without
--shard: what the parts have found is there, so it only puts it together. Parts of `heatmap` become the map.

Examples:
  frameloom analyze *.mp4 -o part1 --shard 1/2      on one machine, 2/2 on another, with the same list
  frameloom merge part1 part2 -o out
  frameloom sync long.mp4 -o part1 --shard 1/2      every other stretch of one video, and 2/2
  frameloom merge part1 part2 -o out
  frameloom sync long.mp4 -o out                    the same command on what the parts have found")]
pub(crate) struct MergeArgs {
    /// Output folders of all parts, in any order
    #[arg(required = true, value_name = "PART")]
    pub(crate) parts: Vec<PathBuf>,
    /// Folder for all of it
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}
