//! What can be typed after `curate`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use frameloom::core::Limits;
use frameloom::workflows::curate::Shard;
use frameloom::{Error, Result};

use crate::decode_args::{DecoderArgs, IsolateArgs};
use crate::output::limits_from;
use crate::shard_args::shard;

/// Settings that change results; the others change speed and places.
const SETTINGS: &str = "Settings";

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom curate run clip.mp4 -o film --every 12            the sharpest of every 12 frames
  frameloom curate run frames/ -o out                         measure, decide, make pictures, report
  frameloom curate decide --from out --decision-config t.yaml   other thresholds, no pixel touched
  frameloom curate explain out frame_0007                     why, from the ledger alone
  frameloom curate merge out -o training                      one folder for a trainer
  frameloom curate analyze frames/ -o part1 --shard 1/2       on one machine; 2/2 on another; then
  frameloom curate join part1 part2 -o out                    what both have done, and the same run on `out`")]
pub(crate) struct CurateArgs {
    #[command(subcommand)]
    pub(crate) command: CurateCommand,
}

/// Folders that trainers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LayoutArg {
    /// Pictures and captions side by side, with dataset_config.toml
    Kohya,
    /// Shards of tar files
    Webdataset,
    /// Masks and boxes
    Coco,
    /// Pictures with metadata.jsonl
    Imagefolder,
    /// A manifest of all pictures
    Parquet,
}

impl LayoutArg {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kohya => "kohya",
            Self::Webdataset => "webdataset",
            Self::Coco => "coco",
            Self::Imagefolder => "imagefolder",
            Self::Parquet => "parquet",
        }
    }
}

/// Settings, from files and flags.
#[derive(Debug, Clone, Args)]
pub(crate) struct CurateSettings {
    /// Thresholds, targets and needs: the original's decision_thresholds.yaml
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) decision_config: Option<PathBuf>,
    /// What each strategy does: the original's strategy_configs.yaml
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) strategy_config: Option<PathBuf>,
    /// Any settings; FRAMELOOM_CURATE_<SETTING> goes before files, flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// What the data set lacks, as JSON: {"occlusion": 0.9}; the others are 0 then
    #[arg(long, value_name = "JSON", help_heading = SETTINGS)]
    pub(crate) dataset_needs: Option<PathBuf>,
    /// Reproduce the original's figures, decisions and files, its defects included
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) parity: bool,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
}

/// What only commands take that decide on frames.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Deciding {
    /// Decisions by hand: a YAML, TOML or JSON file with one `name: strategy` (or drop) a frame
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) overrides: Option<PathBuf>,
    /// Take so many frames at most, the best ones with balanced shots
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) keep: Option<u32>,
    /// Frames that no strategy with room left takes: keep them, or drop the worst until the wanted shares are right
    #[arg(long, value_enum, value_name = "WHAT", help_heading = SETTINGS)]
    pub(crate) surplus: Option<SurplusArg>,
}

/// What becomes of frames over their strategy's share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SurplusArg {
    /// No frame is lost, shares may be off
    Keep,
    /// Shares are right, frames may be left out
    Drop,
}

impl SurplusArg {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Drop => "drop",
        }
    }
}

/// What is looked at, and how.
#[derive(Debug, Args)]
pub(crate) struct CurateInput {
    /// Folders of pictures, pictures, patterns ('frames/*.png'), lists (.txt), videos
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Output folder
    #[arg(short, long = "output-dir", visible_alias = "output", value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Only the first N pictures; or NAME=N overrides a limit for untrusted input
    #[arg(long = "limit", value_name = "N|NAME=N", value_parser = limit)]
    limits: Vec<LimitArg>,
    #[command(flatten)]
    pub(crate) settings: CurateSettings,
    /// One frame of so many of a video
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) every: Option<u32>,
    /// Folder of models, searched before the others; may be given several times
    #[arg(long = "models", value_name = "DIR")]
    pub(crate) models: Vec<PathBuf>,
    /// Forget what earlier runs into this folder have done
    #[arg(long)]
    pub(crate) restart: bool,
    /// Do this part of several only: `1/4` to `4/4`; see `frameloom merge`
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub(crate) shard: Option<Shard>,
    /// Show the plan (frames, models, settings) and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Video track, counted from 0 among the video tracks
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) track: usize,
    #[command(flatten)]
    pub(crate) decoder: DecoderArgs,
    /// Override a limit for untrusted input
    #[arg(long = "input-limit", value_name = "NAME=N")]
    input_limits: Vec<String>,
    #[command(flatten)]
    pub(crate) isolate: IsolateArgs,
    #[command(flatten)]
    pub(crate) memory: crate::guard::MemoryArgs,
}

impl CurateInput {
    /// How many pictures are looked at, where that is limited.
    ///
    /// # Errors
    /// [`frameloom::Error::Usage`] for more than one number.
    pub(crate) fn first(&self) -> Result<Option<usize>> {
        let mut numbers = self.limits.iter().filter_map(|l| match l {
            LimitArg::First(n) => Some(*n),
            LimitArg::Input(_) => None,
        });
        match (numbers.next(), numbers.next()) {
            (Some(a), Some(b)) => {
                Err(Error::usage(format!("`--limit` takes one number of pictures, got {a} and {b}: give one of them")))
            }
            (first, _) => Ok(first),
        }
    }

    /// Limits for untrusted input, by whichever of the two flags.
    ///
    /// # Errors
    /// As [`limits_from`].
    pub(crate) fn limits(&self) -> Result<Limits> {
        let both = self.limits.iter().filter_map(|l| match l {
            LimitArg::First(_) => None,
            LimitArg::Input(pair) => Some(pair),
        });
        limits_from(&both.chain(&self.input_limits).cloned().collect::<Vec<String>>())
    }
}

/// What `--limit` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LimitArg {
    /// So many pictures, the first ones.
    First(usize),
    /// `NAME=N`.
    Input(String),
}

fn limit(text: &str) -> std::result::Result<LimitArg, String> {
    if text.contains('=') {
        return Ok(LimitArg::Input(text.to_owned()));
    }
    let wrong = |_| format!("must be a number of pictures, or NAME=N with NAME one of {}", Limits::NAMES.join(", "));
    text.trim().parse().map(LimitArg::First).map_err(wrong)
}

#[derive(Debug, Subcommand)]
pub(crate) enum CurateCommand {
    /// Measure frames, decide on each, make its pictures and captions, report
    #[command(after_help = "\
Examples:
  frameloom curate run frames/ -o out                         measure, decide, make pictures, report
  frameloom curate run clip.mp4 -o film --every 12            the sharpest of every 12 frames")]
    Run {
        #[command(flatten)]
        input: CurateInput,
        #[command(flatten)]
        deciding: Deciding,
        /// Write a folder for a trainer too; may be given several times
        #[arg(long, value_enum, value_name = "FORMAT", help_heading = SETTINGS)]
        layout: Vec<LayoutArg>,
        /// Word that trainers tie to the character
        #[arg(long, value_name = "WORD", help_heading = SETTINGS)]
        trigger: Option<String>,
    },
    /// Measure frames only
    #[command(after_help = "\
Examples:
  frameloom curate analyze frames/ -o out             figures only; `curate decide --from out` goes on")]
    Analyze {
        #[command(flatten)]
        input: CurateInput,
    },
    /// Decide anew on frames that were measured; no pixel is touched
    #[command(after_help = "\
Examples:
  frameloom curate decide --from out --decision-config t.yaml   other thresholds, no pixel touched")]
    Decide {
        /// Output folder of `curate run` or `curate analyze`
        #[arg(long, value_name = "RUN")]
        from: PathBuf,
        /// Folder for the ledger [default: that of RUN]
        #[arg(short, long = "output-dir", visible_alias = "output", value_name = "DIR")]
        output: Option<PathBuf>,
        #[command(flatten)]
        settings: CurateSettings,
        #[command(flatten)]
        deciding: Deciding,
    },
    /// Say why a frame was decided as it was, from the ledger alone
    #[command(after_help = "\
Examples:
  frameloom curate explain out frame_0007             why, from the ledger alone")]
    Explain {
        /// Output folder of a run
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// Frames, by name or file name
        #[arg(required = true, value_name = "FRAME")]
        frames: Vec<String>,
    },
    /// Propose thresholds for the wanted mix, as YAML for --decision-config
    #[command(after_help = "\
Examples:
  frameloom curate tune out > t.yaml                  thresholds for the wanted mix")]
    Tune {
        /// Output folder of a run
        #[arg(value_name = "RUN")]
        run: PathBuf,
        #[command(flatten)]
        settings: CurateSettings,
    },
    /// Put the pictures of all strategies into one folder for a trainer
    #[command(after_help = "\
Examples:
  frameloom curate merge out -o training              one folder for a trainer")]
    Merge {
        /// Output folder of a run
        #[arg(value_name = "RUN")]
        run: PathBuf,
        /// Folder for pictures, captions and manifest.jsonl
        #[arg(short, long = "output-dir", visible_alias = "output", value_name = "DIR")]
        output: PathBuf,
        /// Take composites too: they are the frames themselves
        #[arg(long)]
        composites: bool,
        /// Word that trainers tie to the character; begins every caption
        #[arg(long, default_value = "", value_name = "WORD")]
        trigger: String,
    },
    /// Put what parts of a run have done (`--shard`) into one folder, on which the same command then goes on
    #[command(after_help = "\
Examples:
  frameloom curate join part1 part2 -o out            then `curate run` on `out`, without --shard")]
    Join {
        /// Output folders of the parts
        #[arg(required = true, value_name = "PART")]
        parts: Vec<PathBuf>,
        /// Folder for all of it
        #[arg(short, long = "output-dir", visible_alias = "output", value_name = "DIR")]
        output: PathBuf,
    },
    /// Add the frames before and after each curated one
    #[command(after_help = "\
Examples:
  frameloom curate expand curated frames -o wider --window-size 2")]
    Expand {
        /// Folder of curated frames, with captions beside them
        #[arg(value_name = "CURATED")]
        curated: PathBuf,
        /// Folder of all frames
        #[arg(value_name = "FRAMES", required_unless_present = "frames_dir")]
        frames: Option<PathBuf>,
        /// The same
        #[arg(long, value_name = "DIR", conflicts_with = "frames")]
        frames_dir: Option<PathBuf>,
        /// Output folder
        #[arg(short, long = "output-dir", visible_alias = "output", value_name = "DIR")]
        output: PathBuf,
        /// Frames before and after each
        #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
        window_size: u32,
        /// Leave captions out
        #[arg(long)]
        no_copy_captions: bool,
    },
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Typed {
        #[command(flatten)]
        input: CurateInput,
    }

    fn typed(limits: &[&str]) -> std::result::Result<CurateInput, clap::Error> {
        Typed::try_parse_from([&["x", "frames", "-o", "out"], limits].concat()).map(|t| t.input)
    }

    #[test]
    fn a_limit_is_a_number_of_pictures_or_one_for_untrusted_input() {
        let given = typed(&["--limit", "7", "--limit", "side=100", "--limit=frames=9", "--input-limit", "streams=3"]);
        let given = given.unwrap();
        let limits = given.limits().unwrap();
        assert_eq!((given.first().unwrap(), limits.side, limits.frames, limits.streams), (Some(7), 100, 9, 3));
        let none = typed(&[]).unwrap();
        assert_eq!((none.first().unwrap(), none.limits().unwrap()), (None, Limits::default()));
        for wrong in ["seven", "-1", "1.5"] {
            let e = typed(&[&format!("--limit={wrong}")]).unwrap_err().to_string();
            assert!(e.contains("a number of pictures, or NAME=N"), "{e}");
        }
        assert!(typed(&["--limit", "depth=3"]).unwrap().limits().is_err());
        let e = typed(&["--limit", "2", "--limit", "3"]).unwrap().first().unwrap_err().to_string();
        assert!(e.contains("got 2 and 3"), "{e}");
    }
}
