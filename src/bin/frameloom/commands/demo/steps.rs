//! The workflows, as commands.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::CommandFactory;
use frameloom::{Error, Result};
use serde_json::Value;

use crate::args::{Cli, Global};
use crate::signals::Signals;

/// What `--only` takes.
pub(super) const NAMES: [&str; 8] = ["analyze", "heatmap", "plan", "chunk", "curate", "sync", "collage", "track"];

/// One command.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Short name.
    pub(super) name: &'static str,
    /// What it is for, in two or three words.
    pub(super) title: &'static str,
    /// What a reader finds there.
    pub(super) text: &'static str,
    /// Arguments of the program, without those for models and output.
    pub(super) args: Vec<OsString>,
    /// Page, within the demo's folder.
    pub(super) page: Option<PathBuf>,
    /// Picture for the card.
    pub(super) picture: Shown,
    /// Whether networks are of use.
    models: bool,
}

/// What the picture of a card is made of, all within the demo's folder.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// The first of these files that is there; of a folder its first picture.
    File(Vec<PathBuf>),
    /// The frame of a video at a share of its length.
    Frame(PathBuf, f64),
    /// A frame of the step's own video, with the chunks of a plan.
    Chunks(PathBuf),
}

/// How a command ended.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) code: i32,
    pub(super) seconds: f64,
    /// Its events.
    pub(super) events: Vec<Value>,
    /// The arguments it was called with.
    pub(super) line: Vec<OsString>,
}

impl Outcome {
    /// Whether it needs a network that is not there: no failure of the demo.
    pub(super) fn lacks_model(&self) -> bool {
        self.code == 9
    }

    pub(super) fn failed(&self) -> bool {
        !matches!(self.code, 0 | 3 | 9)
    }

    /// Its last event: the result, or the error.
    pub(super) fn result(&self) -> &Value {
        self.events.last().unwrap_or(&Value::Null)
    }

    /// One line about it.
    pub(super) fn says(&self) -> String {
        let message = self.result().get("message").and_then(Value::as_str).unwrap_or_default();
        match self.code {
            0 => "done".into(),
            3 => "done, but not with everything".into(),
            9 => format!("left out: {}", message),
            code => format!("exit code {code}: {}", message),
        }
    }
}

/// All steps on `video`. `rendered`: it is our own clip, of which more is known.
pub(super) fn all(video: &Path, images: &Path, folder: &Path, rendered: bool) -> Vec<Step> {
    let inside = |name: &str| folder.join(name).into_os_string();
    let args = |list: &[&OsStr]| list.iter().map(|a| a.to_os_string()).collect::<Vec<_>>();
    let word = OsStr::new::<str>;
    let (video, images) = (video.as_os_str(), images.as_os_str());
    let page = |parts: &[&str]| Some(parts.iter().collect::<PathBuf>());
    let file = |path: &str| Shown::File(vec![path.into()]);
    let stem = Path::new(video).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut steps = vec![
        Step {
            name: "analyze",
            title: "Measure every frame",
            text: "Sharpness, light, noise and motion of every frame, and whether the file is whole.",
            args: args(&[word("analyze"), video, word("-o"), &inside("analyze")]),
            page: page(&["analyze", "report.html"]),
            picture: file("analyze/heat.png"),
            models: false,
        },
        Step {
            name: "heatmap",
            title: "Find where it moves",
            text: "A heat map of the motion, with its times: what the planner below works from.",
            args: args(&[word("heatmap"), video, word("-o"), &inside("heat")]),
            page: None,
            picture: file("heat/heat.png"),
            models: false,
        },
        Step {
            name: "plan",
            title: "Plan chunks",
            text: "The fewest pixels that hold the wanted share of the heat, and when each chunk is active.",
            args: args(&[
                word("chunk"),
                word("plan"),
                &inside("heat/heat.npy"),
                word("-o"),
                &inside("plan"),
                word("--sizes"),
                word("256x256"),
            ]),
            page: page(&["plan", "report.html"]),
            picture: file("plan/plan.png"),
            models: false,
        },
        Step {
            name: "chunk",
            title: "Process the chunks only",
            text: "A filter runs where the action is; everything else keeps its bits up to the encoder.",
            args: args(&[
                word("chunk"),
                word("run"),
                video,
                word("--plan"),
                &inside("plan/chunks.json"),
                word("--effect"),
                word("filter:unsharp=5:5:1.5"),
                word("-o"),
                &inside("chunk"),
            ]),
            page: None,
            picture: Shown::Chunks("plan/chunks.json".into()),
            models: false,
        },
        Step {
            name: "curate",
            title: "Choose training pictures",
            text: "Every tenth frame judged, with the reason for each decision and the distance to every threshold.",
            args: args(&[
                word("curate"),
                word("run"),
                video,
                word("--every"),
                word("10"),
                word("-o"),
                &inside("curate"),
            ]),
            page: page(&["curate", "review.html"]),
            picture: Shown::File(
                ["keep_full", "create_occlusion", "segment"].map(|s| Path::new("curate").join(s).join("images")).into(),
            ),
            models: true,
        },
        Step {
            name: "sync",
            title: "Check lips against sound",
            text: "How late the sound is against the lips, in milliseconds, with a verdict and its probability.",
            args: args(&[word("sync"), video, word("-o"), &inside("sync"), word("--annotate")]),
            page: page(&["sync", "report.html"]),
            // Half way, somebody speaks in the rendered clip.
            picture: Shown::Frame("sync/annotated.mp4".into(), 0.5),
            models: true,
        },
        Step {
            name: "collage",
            title: "Rebuild it from pictures",
            text: "Every frame replaced by the picture of the pool that looks most like it.",
            args: args(&[
                word("collage"),
                video,
                images,
                word("-o"),
                &inside("collage"),
                word("--smoothness"),
                word("0.005"),
            ]),
            page: page(&["collage", "report.html"]),
            picture: file("collage/contact_sheet.jpg"),
            models: false,
        },
        Step {
            name: "track",
            title: "Follow and count",
            text: "Everything that moves, followed and counted, without a network.",
            args: args(&[word("track"), video, word("-o"), &inside("track"), word("--annotate")]),
            page: page(&["track", "report.html"]),
            // A quarter in, people walk in the rendered clip.
            picture: Shown::Frame(Path::new("track").join(format!("{stem}_processed.mp4")), 0.25),
            models: false,
        },
    ];
    for step in &mut steps {
        if rendered && step.name == "track" {
            // People who pass in front of each other are one to the motion detector. The boxes are those of the rendering.
            let (boxes, zones) = (inside("truth_mot.txt"), inside("zones.json"));
            step.args.extend(args(&[word("--detections"), &boxes, word("--zones"), &zones]));
            step.text =
                "Boxes, here the clip's own truth in the place of a detector, become paths, and are counted at a line.";
        }
        if step.name == "chunk" {
            step.page = Some(Path::new("chunk").join(format!("{stem}_chunks.mp4")));
        }
    }
    let command = Cli::command();
    steps.retain(|s| s.args.first().and_then(|a| a.to_str()).is_some_and(|a| command.find_subcommand(a).is_some()));
    steps
}

impl Step {
    /// Runs it to its end in a process of its own; its words go to `logs/`.
    /// `restart` forgets what its folder holds.
    pub(super) fn run(
        &self,
        global: &Global,
        models: &[PathBuf],
        folder: &Path,
        signals: &Signals,
        restart: bool,
    ) -> Result<Outcome> {
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs).map_err(|e| Error::storage("create", &logs, e))?;
        let log = |kind: &str| {
            let path = logs.join(format!("{}.{kind}", self.name));
            File::create(&path).map(|f| (f, path.clone())).map_err(|e| Error::storage("create", path, e))
        };
        let ((events, path), (words, _)) = (log("jsonl")?, log("log")?);
        let program = std::env::current_exe().map_err(|e| Error::Bug(format!("this program has no path: {e}")))?;
        let mut line = self.args.clone();
        if self.models {
            line.extend(models.iter().flat_map(|m| [OsString::from("--models"), m.clone().into_os_string()]));
        }
        line.extend(restart.then(|| OsString::from("--restart")));
        #[allow(clippy::disallowed_methods, reason = "a newcomer's commands, each as a newcomer types it")]
        let mut command = std::process::Command::new(&program);
        command.args(&line).arg("--json").arg("--progress").arg("none").arg("--device").arg(global.device.to_string());
        command.stdin(Stdio::null()).stdout(events).stderr(words);
        let started = Instant::now();
        let mut child = command.spawn().map_err(|e| Error::storage("start", &program, e))?;
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if signals.cancel.is_cancelled() => {
                    // It got the same signal from the terminal, or gets this one.
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(Error::Cancelled);
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(e) => return Err(Error::storage("wait for", program, e)),
            }
        };
        let seconds = started.elapsed().as_secs_f64();
        let said = std::fs::read_to_string(&path).map_err(|e| Error::storage("read", path, e))?;
        let events = said.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
        Ok(Outcome { code: status.code().unwrap_or(-1), seconds, events, line })
    }
}
