//! What can be typed after `track`. Names of the system that it replaces are accepted too.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use frameloom::Result;
use frameloom::config::{Effective, Layers};
use frameloom::workflows::track::run::TrackConfig;

/// Settings that change results; the others change speed and places.
const SETTINGS: &str = "Settings";

/// How detections become tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TrackerArg {
    /// Kalman filter, optimal assignment, weak detections in a second round
    #[value(alias = "bytetrack")]
    ByteTrack,
    /// Directions of the observations, filter repaired after a gap
    #[value(alias = "ocsort")]
    OcSort,
    /// Overlap with the last box, optimal assignment
    Iou,
    /// The rules of the original system, its defects included
    #[value(alias = "parity")]
    Greedy,
}

/// The point of a box that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PointArg {
    /// Its middle
    Center,
    /// The middle of its lower edge: where someone stands
    Foot,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "\
Without a model everything that moves in front of a camera that stands still is an object. What the detector saw is kept in the
run folder: another tracker, other thresholds and other zones are applied in seconds, by the same command or by `track report`.

Examples:
  frameloom track street.mp4                       writes street.track/report.html, tracks.csv, events.csv, result.json, ...
  frameloom track street.mp4 --zones shop.json --annotate
  frameloom track street.mp4 --detector yolox-nano --models ~/models --classes person
  frameloom track street.mp4 --detector yolox-nano --appearance person-reid --rejoin 30 --models ~/models
  frameloom track crowd.mp4 --detector yolox-nano --slices 640 --models ~/models
  frameloom track street.mp4 -o named --recognise http://localhost:8080/who --recognise-every 30
  frameloom track cam.mkv --track all -o out       all video tracks at once, through one detector
  frameloom track a.mp4 b.mp4 c.mp4 --join -o out  segments of one recording
  frameloom track report --from street.track --tracker oc-sort --zones other.json -o again")]
pub(crate) struct TrackArgs {
    #[command(subcommand)]
    pub(crate) command: Option<TrackCommand>,
    /// Videos
    #[arg(value_name = "VIDEO", required_unless_present = "output_path")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The video, as the original system names it
    #[arg(long = "output_path", alias = "output-path", value_name = "VIDEO", hide = true)]
    pub(crate) output_path: Vec<PathBuf>,
    /// Output folder [default: <stem>.track in the working folder; with several streams one folder each below it]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Video tracks, counted from 0 among the video tracks: a list such as 0,2, or all
    #[arg(
        long,
        default_value = "0",
        value_name = "LIST",
        alias = "track_index",
        alias = "track-index",
        allow_hyphen_values = true
    )]
    pub(crate) track: String,
    /// The videos are segments of one recording, in this order
    #[arg(long)]
    pub(crate) join: bool,
    /// Detections from a file (MOT text, COCO JSON, JSONL, Parquet) instead of a detector; for one stream
    #[arg(long, value_name = "FILE")]
    pub(crate) detections: Option<PathBuf>,
    /// Zones and lines: a JSON file
    #[arg(long, value_name = "FILE", alias = "camera")]
    pub(crate) zones: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(flatten)]
    pub(crate) guard: crate::guard::GuardArgs,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    /// Streams at the same time, through one device and one network [default: number of cores, at most the number of streams]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) jobs: Option<u32>,
    /// Show the plan (frames, memory, disk) and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) part: crate::shard_args::ShardArgs,
}

impl TrackArgs {
    /// All videos, however they were given.
    pub(crate) fn videos(&self) -> Vec<PathBuf> {
        self.inputs.iter().chain(&self.output_path).cloned().collect()
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum TrackCommand {
    /// Track again what a run saw, without its pictures: with another tracker, other thresholds, other zones
    Report(Box<ReportArgs>),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  frameloom track report --from street.track --tracker oc-sort -o again
  frameloom track report --from street.track --zones shop.json     other zones, in the same folder")]
pub(crate) struct ReportArgs {
    /// Folder that `frameloom track` wrote
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,
    /// Output folder [default: the same]
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Zones and lines: a JSON file
    #[arg(long, value_name = "FILE", alias = "camera")]
    pub(crate) zones: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// Settings.
#[derive(Debug, Args)]
pub(crate) struct SettingArgs {
    /// Settings from a file: .yaml, .toml or .json; FRAMELOOM_TRACK_<SETTING> goes before it, flags before both
    #[arg(long, value_name = "FILE", help_heading = SETTINGS)]
    pub(crate) config: Option<PathBuf>,
    /// `motion`, or a model of task detect by its name in models.toml [default: motion]
    #[arg(long, value_name = "NAME", help_heading = SETTINGS)]
    pub(crate) detector: Option<String>,
    /// A model of task reid or embed by its name: boxes are told apart by place and looks. For a detector that is a network
    #[arg(long, value_name = "NAME", help_heading = SETTINGS)]
    pub(crate) appearance: Option<String>,
    /// Let the network look at parts of the frame too: tiles of a size (640, 640x360, 640+96 with an overlap), or a plan of `chunk plan`
    #[arg(long, value_name = "SIZE|FILE", help_heading = SETTINGS)]
    pub(crate) slices: Option<String>,
    /// Classes that are tracked, by name or number [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', help_heading = SETTINGS)]
    pub(crate) classes: Vec<String>,
    /// Least score of a detection [default: 0.1 for byte-track, which uses weak ones, 0.25 for the others]
    #[arg(long, value_name = "SCORE", help_heading = SETTINGS)]
    pub(crate) min_score: Option<f64>,
    /// Least width and height of a detection in pixels [default: 0]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) min_size: Option<f64>,
    /// Use every Nth frame only [default: 1]
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) every: Option<u32>,
    /// Use so many frames a second at most [default: all]
    #[arg(long, value_name = "FPS", help_heading = SETTINGS)]
    pub(crate) fps: Option<f64>,
    /// Look at every Nth of these frames; boxes between are interpolated [default: 1]
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) detect_every: Option<u32>,
    /// How detections become tracks [default: byte-track]
    #[arg(long, value_enum, value_name = "WHICH", help_heading = SETTINGS)]
    pub(crate) tracker: Option<TrackerArg>,
    /// Seconds that a track stays without being seen [default: 1]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) patience: Option<f64>,
    /// Least overlap of a track with a detection, 0 to 1 [default: 0.2 byte-track, 0.3 oc-sort, 0.15 iou and greedy]
    #[arg(long, value_name = "SHARE", help_heading = SETTINGS)]
    pub(crate) overlap: Option<f64>,
    /// byte-track: score of strong detections; oc-sort: least score [default: 0.5]
    #[arg(long, value_name = "SCORE", help_heading = SETTINGS)]
    pub(crate) high: Option<f64>,
    /// byte-track: score from which on a detection begins a track [default: 0.6]
    #[arg(long, value_name = "SCORE", help_heading = SETTINGS)]
    pub(crate) start: Option<f64>,
    /// Seconds that a track lasts at least; shorter ones are left out everywhere [default: 0.5]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) min_track: Option<f64>,
    /// With --appearance: an object that looks alike and comes back within so many seconds keeps its number [default: 0, not looked for]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) rejoin: Option<f64>,
    /// Least cosine between the looks of two tracks that are one object [default: what hardly two tracks seen at the same time reach]
    #[arg(long, value_name = "COSINE", allow_hyphen_values = true, help_heading = SETTINGS)]
    pub(crate) rejoin_likeness: Option<f64>,
    /// Pixels a second above which an object moves [default: a twentieth of the picture's height]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) moving_speed: Option<f64>,
    /// Point of a box that is tested against zones and lines [default: center]
    #[arg(long, value_enum, value_name = "POINT", help_heading = SETTINGS)]
    pub(crate) point: Option<PointArg>,
    /// Seconds inside before an entry counts [default: 0]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) enter_after: Option<f64>,
    /// Seconds outside before an exit counts [default: 0]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) leave_after: Option<f64>,
    /// An entry within so many seconds of the object's last one into the same zone does not count [default: 5]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) entry_interval: Option<f64>,
    /// Seconds without another crossing before a crossing counts [default: 0]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) settle: Option<f64>,
    /// Seconds of a step of the counts over time [default: 1]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) step: Option<f64>,
    /// Write <stem>_processed.mp4 with boxes, numbers, trails, zones and the sound
    #[arg(long, help_heading = SETTINGS)]
    pub(crate) annotate: bool,
    /// Seconds of the trail behind a box, 0 for none [default: 2]
    #[arg(long, value_name = "SECONDS", help_heading = SETTINGS)]
    pub(crate) trail: Option<f64>,
    /// Quality of that video, 0 (best) to 51 [default: 23]
    #[arg(long, value_name = "CRF", help_heading = SETTINGS)]
    pub(crate) crf: Option<f64>,
    /// A picture of the floor to draw tracks over, seen from above; wants a calibration in the file of zones [default: paper]
    #[arg(long, value_name = "PNG", help_heading = SETTINGS)]
    pub(crate) blueprint: Option<String>,
    /// Pictures of the video kept for the report, at most [default: 160]
    #[arg(long, value_name = "N", help_heading = SETTINGS)]
    pub(crate) stills: Option<u32>,
    /// motion: longest side of the picture that is looked at [default: 320]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) motion_side: Option<u32>,
    /// motion: least difference from the background in luma codes [default: 12]
    #[arg(long, value_name = "CODES", help_heading = SETTINGS)]
    pub(crate) motion_least: Option<f64>,
    /// motion: pixels over which parts are joined [default: 2]
    #[arg(long, value_name = "PX", help_heading = SETTINGS)]
    pub(crate) motion_join: Option<u32>,
    /// motion: least share of the picture that an object covers [default: 0.0004]
    #[arg(long, value_name = "SHARE", help_heading = SETTINGS)]
    pub(crate) motion_min_area: Option<f64>,
    #[command(flatten)]
    pub(crate) recognise: crate::track_more_args::RecogniseArgs,
    #[command(flatten)]
    pub(crate) set: crate::set_args::SetArgs,
}

impl SettingArgs {
    /// Flags over environment over file over defaults.
    pub(crate) fn resolve(&self) -> Result<TrackConfig> {
        Ok(self.effective(Layers::new())?.settings)
    }

    /// The same over what `base` says, with the place of each.
    pub(crate) fn effective(&self, base: Layers) -> Result<Effective<TrackConfig>> {
        self.set.lay(self.over(base)?).resolve()
    }

    /// Flags over environment over file.
    pub(crate) fn layers(&self) -> Result<Layers> {
        self.over(Layers::new())
    }

    fn over(&self, base: Layers) -> Result<Layers> {
        let layers = match &self.config {
            Some(path) => base.file(path)?,
            None => base,
        };
        let tracker = self.tracker.map(|t| match t {
            TrackerArg::ByteTrack => "byte-track",
            TrackerArg::OcSort => "oc-sort",
            TrackerArg::Iou => "iou",
            TrackerArg::Greedy => "greedy",
        });
        let point = self.point.map(|p| match p {
            PointArg::Center => "center",
            PointArg::Foot => "foot",
        });
        let classes = (!self.classes.is_empty()).then(|| self.classes.clone());
        let layers = layers
            .environment("FRAMELOOM_TRACK_", std::env::vars_os())?
            .flag("--detector", "detector", self.detector.clone())
            .flag("--appearance", "appearance", self.appearance.clone())
            .flag("--slices", "slices", self.slices.clone())
            .flag("--classes", "classes", classes)
            .flag("--min-score", "min_score", self.min_score)
            .flag("--min-size", "min_size", self.min_size)
            .flag("--every", "every", self.every)
            .flag("--fps", "fps", self.fps)
            .flag("--detect-every", "detect_every", self.detect_every)
            .flag("--tracker", "tracker", tracker)
            .flag("--patience", "patience", self.patience)
            .flag("--overlap", "overlap", self.overlap)
            .flag("--high", "high", self.high)
            .flag("--start", "start", self.start)
            .flag("--min-track", "min_track", self.min_track)
            .flag("--rejoin", "rejoin", self.rejoin)
            .flag("--rejoin-likeness", "rejoin_likeness", self.rejoin_likeness)
            .flag("--moving-speed", "moving_speed", self.moving_speed)
            .flag("--point", "point", point)
            .flag("--enter-after", "enter_after", self.enter_after)
            .flag("--leave-after", "leave_after", self.leave_after)
            .flag("--entry-interval", "entry_interval", self.entry_interval)
            .flag("--settle", "settle", self.settle)
            .flag("--step", "step", self.step)
            .flag("--annotate", "annotate", self.annotate.then_some(true))
            .flag("--trail", "trail", self.trail)
            .flag("--crf", "crf", self.crf)
            .flag("--blueprint", "blueprint", self.blueprint.clone())
            .flag("--stills", "stills", self.stills)
            .flag("--motion-side", "motion.side", self.motion_side)
            .flag("--motion-least", "motion.least", self.motion_least)
            .flag("--motion-join", "motion.join", self.motion_join)
            .flag("--motion-min-area", "motion.min_area", self.motion_min_area);
        Ok(self.recognise.lay(layers))
    }
}

/// What changes speed and places.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// Folder of models, searched before the others; may be given several times
    #[arg(long = "models", value_name = "DIR")]
    pub(crate) models: Vec<PathBuf>,
    /// Frames in flight at most; changes speed, never results. Less than 1 is 10, as in the original system
    #[arg(
        long,
        default_value_t = 10,
        value_name = "N",
        alias = "batch_size",
        alias = "batch",
        allow_negative_numbers = true
    )]
    pub(crate) batch_size: i64,
    /// Memory in MB that the process and its decoder processes may allocate together (program code, which is mapped from files, not counted):
    /// fewer frames are in flight, and what cannot fit is refused before it begins; changes speed, never results. Brought to 100..8192, as in
    /// the original system
    #[arg(
        long,
        default_value_t = 1024,
        value_name = "MB",
        alias = "memory_limit_mb",
        alias = "memory-limit-mb",
        allow_negative_numbers = true
    )]
    pub(crate) memory_limit: i64,
    #[command(flatten)]
    pub(crate) decode: crate::decode_args::DecodeArgs,
    /// Discard what earlier runs in the output folder found
    #[arg(long)]
    pub(crate) restart: bool,
}

/// Frames in flight and megabytes as they are used, and what was changed about them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clamped {
    pub(crate) batch: u32,
    pub(crate) memory_mb: u64,
    pub(crate) notes: Vec<String>,
}

/// The rules of the original system, told instead of silent.
pub(crate) fn clamp(batch: i64, memory_mb: i64) -> Clamped {
    let mut notes = Vec::new();
    let batch = match u32::try_from(batch) {
        Ok(n @ 1..=512) => n,
        _ => {
            let used = if batch < 1 { 10 } else { 512 };
            notes.push(format!("a batch size of {batch} is out of range: {used} is used"));
            used
        }
    };
    let used = memory_mb.clamp(100, 8192);
    if used != memory_mb {
        notes.push(format!("a memory limit of {memory_mb} MB is out of 100..8192: {used} MB are used"));
    }
    Clamped { batch, memory_mb: used as u64, notes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_are_changed_and_told() {
        let of = |batch, memory| {
            let c = clamp(batch, memory);
            (c.batch, c.memory_mb, c.notes.len())
        };
        assert_eq!(of(0, 1024), (10, 1024, 1));
        assert_eq!(of(-3, 50), (10, 100, 2));
        assert_eq!(of(5, 99_999), (5, 8192, 1));
        assert_eq!(of(20, 2048), (20, 2048, 0));
    }
}
