//! The commands that can be written as tables, and what they leave for others.

use frameloom::config::Settings;
use frameloom::workflows::analyze::AnalyzeConfig;
use frameloom::workflows::chunk::heat::HeatConfig;
use frameloom::workflows::chunk::plan::PlanParams;
use frameloom::workflows::chunk::process::{ProcessConfig, ProxyConfig};
use frameloom::workflows::collage::{CollageSettings, IndexSettings};
use frameloom::workflows::curate::CurateConfig;
#[cfg(feature = "onnx")]
use frameloom::workflows::sync::run::SyncConfig;
use frameloom::workflows::track::run::TrackConfig;
use serde_json::Value;

use super::nearest;

/// Where an output lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// The folder of the step itself.
    Folder,
    /// A file or folder in it.
    Inside(&'static str),
    /// A file in it whose name the command says in its result or first item, at this JSON pointer.
    Told(&'static str),
}

/// An output with a name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    /// As it is written after the name of a step.
    pub(crate) name: &'static str,
    /// Where.
    pub(crate) at: At,
    /// The option without which it is not made; none when empty.
    pub(crate) needs: &'static str,
}

/// A command.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// As it is typed.
    pub(crate) name: &'static str,
    /// Names of what is typed without a name, in order; the last one may be a list.
    pub(crate) inputs: &'static [&'static str],
    /// The name of its output, for one that writes a file instead of a folder.
    pub(crate) file: Option<&'static str>,
    /// What others can use of it, beside `output`, which is the folder or the file.
    pub(crate) outputs: &'static [Left],
    /// Default settings.
    pub(crate) settings: fn() -> Value,
}

const fn left(name: &'static str, file: &'static str) -> Left {
    Left { name, at: At::Inside(file), needs: "" }
}

const fn told(name: &'static str, pointer: &'static str, needs: &'static str) -> Left {
    Left { name, at: At::Told(pointer), needs }
}

fn of<T: Settings>() -> Value {
    // Settings are plain data, which `config` turns into JSON all the time.
    serde_json::to_value(T::default()).unwrap_or_default()
}

const fn none() -> Value {
    Value::Null
}

const CURATED: &[Left] = &[
    left("report", "review.html"),
    left("ledger", "analysis/ledger.jsonl"),
    left("frames", "analysis/frames.jsonl"),
    left("keep_full", "keep_full/images"),
    left("segment", "segment/images"),
    left("create_occlusion", "create_occlusion/images"),
    left("enhance_segment", "enhance_segment/images"),
];

/// All of them.
const KINDS: &[Kind] = &[
    Kind {
        name: "analyze",
        inputs: &["inputs"],
        file: None,
        outputs: &[
            left("report", "report.html"),
            left("frames", "frames.jsonl"),
            left("heat", "heat.npy"),
            left("summary", "summary.json"),
        ],
        settings: of::<AnalyzeConfig>,
    },
    Kind {
        name: "heatmap",
        inputs: &["input"],
        file: None,
        outputs: &[left("heat", "heat.npy"), left("activity", "activity.npy"), left("picture", "heat.png")],
        settings: of::<HeatConfig>,
    },
    Kind {
        name: "chunk plan",
        inputs: &["heat"],
        file: None,
        outputs: &[
            left("plan", "chunks.json"),
            left("report", "report.html"),
            left("picture", "plan.png"),
            Left { name: "preview", at: At::Inside("preview.mp4"), needs: "preview" },
        ],
        settings: of::<PlanParams>,
    },
    Kind {
        name: "chunk run",
        inputs: &["input"],
        file: None,
        outputs: &[
            told("video", "/video", ""),
            left("detections", "detections.jsonl"),
            left("summary", "summary.json"),
        ],
        settings: of::<ProcessConfig>,
    },
    Kind { name: "curate run", inputs: &["inputs"], file: None, outputs: CURATED, settings: of::<CurateConfig> },
    Kind {
        name: "curate analyze",
        inputs: &["inputs"],
        file: None,
        outputs: &[left("frames", "analysis/frames.jsonl")],
        settings: of::<CurateConfig>,
    },
    Kind {
        name: "curate merge",
        inputs: &["run"],
        file: None,
        outputs: &[Left { name: "pictures", at: At::Folder, needs: "" }, left("manifest", "manifest.jsonl")],
        settings: none,
    },
    #[cfg(feature = "onnx")]
    Kind {
        name: "sync",
        inputs: &["inputs"],
        file: None,
        outputs: &[
            left("report", "report.html"),
            left("curve", "curve.csv"),
            left("verdict", "sync.json"),
            left("summary", "processing_summary.json"),
            Left { name: "video", at: At::Inside("annotated.mp4"), needs: "annotate" },
        ],
        settings: of::<SyncConfig>,
    },
    #[cfg(feature = "onnx")]
    Kind {
        name: "sync fix",
        inputs: &["input"],
        file: Some("fixed.mp4"),
        outputs: &[left("video", "fixed.mp4")],
        settings: of::<SyncConfig>,
    },
    Kind {
        name: "index build",
        inputs: &["inputs"],
        file: None,
        outputs: &[Left { name: "index", at: At::Folder, needs: "" }],
        settings: of::<IndexSettings>,
    },
    Kind {
        name: "collage",
        inputs: &["video", "images"],
        file: None,
        outputs: &[
            told("video", "/video", ""),
            left("report", "report.html"),
            left("results", "results.json"),
            left("sheet", "contact_sheet.jpg"),
        ],
        settings: of::<CollageSettings>,
    },
    Kind {
        name: "track",
        inputs: &["inputs"],
        file: None,
        outputs: &[
            told("video", "/outcome/video", "annotate"),
            left("report", "report.html"),
            left("tracks", "tracks.csv"),
            left("events", "events.csv"),
            left("result", "result.json"),
            left("stills", "stills"),
        ],
        settings: of::<TrackConfig>,
    },
    Kind {
        name: "proxy",
        inputs: &["input"],
        file: Some("proxy.mp4"),
        outputs: &[left("video", "proxy.mp4")],
        settings: of::<ProxyConfig>,
    },
];

/// Other names of commands.
const ALIASES: [(&str, &str); 4] =
    [("chunk heatmap", "heatmap"), ("curate", "curate run"), ("collage run", "collage"), ("index", "index build")];

/// The command called `name`, with any spaces between its words.
///
/// # Errors
/// A message that says which there are.
pub(crate) fn kind(name: &str) -> Result<&'static Kind, String> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = ALIASES.iter().find(|(a, _)| *a == name).map_or(name.as_str(), |(_, n)| n);
    KINDS.iter().find(|k| k.name == name).ok_or_else(|| {
        format!("there is no command `{name}` for this; {}", nearest(name, KINDS.iter().map(|k| k.name)))
    })
}

impl Kind {
    /// Its words, as they are typed.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'static str> {
        self.name.split(' ')
    }

    /// The output called `name`.
    ///
    /// # Errors
    /// A message that says which there are.
    pub(crate) fn left(&self, name: &str) -> Result<Left, String> {
        if name == "output" {
            let at = self.file.map_or(At::Folder, At::Inside);
            return Ok(Left { name: "output", at, needs: "" });
        }
        let known = || self.outputs.iter().map(|o| o.name).chain(["output"]);
        let found = self.outputs.iter().find(|o| o.name == name).copied();
        found.ok_or_else(|| format!("`{}` leaves no `{name}`; {}", self.name, nearest(name, known())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_outputs_are_found_by_name() {
        assert_eq!(kind("chunk  plan").unwrap().name, "chunk plan");
        assert_eq!(kind("curate").unwrap().name, "curate run");
        assert_eq!(kind("anlyze").unwrap_err(), "there is no command `anlyze` for this; did you mean `analyze`?");
        assert!(kind("doctor").unwrap_err().contains("there are analyze, chunk plan, chunk run, collage, curate"));
        let plan = kind("chunk plan").unwrap();
        assert_eq!(plan.left("plan").unwrap().at, At::Inside("chunks.json"));
        assert_eq!(plan.left("output").unwrap().at, At::Folder);
        assert_eq!(kind("proxy").unwrap().left("output").unwrap().at, At::Inside("proxy.mp4"));
        assert_eq!(plan.left("plans").unwrap_err(), "`chunk plan` leaves no `plans`; did you mean `plan`?");
    }

    #[test]
    fn settings_of_all_commands_are_tables() {
        for kind in KINDS {
            let settings = (kind.settings)();
            assert!(settings.is_null() == (kind.name == "curate merge"), "{}", kind.name);
            assert!(settings.is_null() || settings.as_object().is_some_and(|s| !s.is_empty()), "{}", kind.name);
        }
    }
}
