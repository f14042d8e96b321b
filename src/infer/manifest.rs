//! `models.toml`: what a model is, whence it comes, what it takes and gives.
//!
//! ```toml
//! [[model]]
//! name = "yolox-nano"
//! task = "detect"
//! file = "yolox_nano_416.onnx"          # in the folder of this manifest
//! sha256 = "…"                          # of the file; a changed file is refused
//! licence = "Apache-2.0"
//! source = "https://github.com/Megvii-BaseDetection/YOLOX"
//! decoder = "yolox"
//! classes = "coco80"
//!
//! [model.picture]                       # the input that takes pictures
//! input = "images"
//! layout = "nchw"
//! order = "bgr"
//! scale = 255.0                         # value of white before mean and std
//! fit = "letterbox"
//! anchor = "top-left"
//! pad = 114.0                           # in the unit of `scale`
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::{Anchor, ChannelOrder, Fit, Size, TensorLayout, TensorSpec};
use crate::error::{Error, Result};

/// What a model is for. Each has its adapter in [`super::tasks`].
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// Boxes of objects with class and score.
    Detect,
    /// Boxes of faces, with key points where the model has them.
    Face,
    /// Points of one face.
    Landmarks,
    /// One vector for a picture.
    Embed,
    /// One vector for a person or an object, to meet it again.
    Reid,
    /// Masks.
    Segment,
    /// Filling a hole of a picture.
    Inpaint,
    /// More pixels.
    Upscale,
    /// Repairing a face.
    RestoreFace,
    /// Brightening a dark picture.
    Lowlight,
    /// Where there is speech.
    Vad,
    /// Lips and sound to vectors that can be compared.
    Lipsync,
    /// Class of a picture.
    Classify,
}

impl Task {
    /// All tasks with their names, as the manifest and the command line write them.
    pub const ALL: [(&'static str, Self); 13] = [
        ("detect", Self::Detect),
        ("face", Self::Face),
        ("landmarks", Self::Landmarks),
        ("embed", Self::Embed),
        ("reid", Self::Reid),
        ("segment", Self::Segment),
        ("inpaint", Self::Inpaint),
        ("upscale", Self::Upscale),
        ("restore-face", Self::RestoreFace),
        ("lowlight", Self::Lowlight),
        ("vad", Self::Vad),
        ("lipsync", Self::Lipsync),
        ("classify", Self::Classify),
    ];

    /// Name, as the manifest writes it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, t)| *t == self).map_or("", |(name, _)| name)
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Task {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text);
        found.map(|(_, task)| *task).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            Error::usage(format!("a task must be one of {}, got `{text}`", names.join(", ")))
        })
    }
}

/// One model of the manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Short name that commands and workflows use.
    pub name: String,
    /// What it is for.
    pub task: Task,
    /// File in the folder of the manifest, without `..`.
    pub file: String,
    /// SHA-256 of the file, 64 hexadecimal digits in lower case.
    pub sha256: String,
    /// SPDX licence expression of the weights.
    pub licence: String,
    /// Where it comes from.
    pub source: String,
    /// Seeded or rule-made weights in the place of real ones: said wherever it is used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stand_in: bool,
    /// What a user should know: which file to put in its place, how to export it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How the outputs are read; the adapter of the task lists what it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder: Option<String>,
    /// Names of classes: `coco80`, `voc21`, or a comma-separated list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<String>,
    /// The input that takes pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<PictureInput>,
    /// Other inputs by role, as the adapter names it: `state = "h0"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, String>,
    /// Outputs by role, as the adapter names it: `boxes = "output1"`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// Numbers that a decoder takes: `nms = 0.6`, `stride = 32`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
    /// Files with weights that the model names, all of them: `external = [{ file = "big.onnx.data", sha256 = "…" }]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub external: Vec<ExternalFile>,
}

impl ModelEntry {
    /// An entry that says nothing but this.
    pub fn new(name: impl Into<String>, task: Task, file: impl Into<String>, sha256: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            task,
            file: file.into(),
            sha256: sha256.into(),
            licence: String::new(),
            source: String::new(),
            stand_in: false,
            note: None,
            decoder: None,
            classes: None,
            picture: None,
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            numbers: BTreeMap::new(),
            external: Vec::new(),
        }
    }
}

/// A file with weights of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalFile {
    /// Name as the model says it: in the folder of the model, without `..`.
    pub file: String,
    /// SHA-256 of the file, 64 hexadecimal digits in lower case.
    pub sha256: String,
}

/// How a picture becomes the tensor of an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PictureInput {
    /// Name of the input; the only one that takes pictures when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// Order of the numbers.
    #[serde(default)]
    pub layout: Layout,
    /// Order of the channels; `gray` for one channel of luma.
    #[serde(default)]
    pub order: Order,
    /// Value of white before mean and std are applied: 1 or 255.
    #[serde(default = "one")]
    pub scale: f32,
    /// Mean per channel in the order of the tensor, in the unit of `scale`.
    #[serde(default)]
    pub mean: [f32; 3],
    /// Standard deviation per channel in the order of the tensor, in the unit of `scale`.
    #[serde(default = "ones")]
    pub std: [f32; 3],
    /// Width and height to use where the model leaves them open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<[u32; 2]>,
    /// Width and height must be multiples of this where the model leaves them open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple: Option<u32>,
    /// How a picture of another aspect ratio fits.
    #[serde(default)]
    pub fit: FitKind,
    /// Place of a letterboxed picture.
    #[serde(default)]
    pub anchor: AnchorKind,
    /// Grey around a letterboxed picture, in the unit of `scale`.
    #[serde(default)]
    pub pad: f32,
}

/// Order of the numbers of a picture tensor.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[N, C, height, width]`.
    #[default]
    Nchw,
    /// `[N, height, width, C]`.
    Nhwc,
}

/// Order of the channels of a picture tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first.
    Bgr,
    /// One channel of luma.
    Gray,
}

/// How a picture of another aspect ratio fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FitKind {
    /// Fill; the aspect ratio is not kept.
    #[default]
    Stretch,
    /// Keep the aspect ratio, fill the rest with grey.
    Letterbox,
}

/// Place of a letterboxed picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorKind {
    /// In the middle.
    #[default]
    Center,
    /// In the top-left corner.
    TopLeft,
}

fn one() -> f32 {
    1.0
}

fn ones() -> [f32; 3] {
    [1.0; 3]
}

impl Default for PictureInput {
    /// RGB in 0..=1, `[N, 3, height, width]`, stretched.
    fn default() -> Self {
        Self {
            input: None,
            layout: Layout::Nchw,
            order: Order::Rgb,
            scale: 1.0,
            mean: [0.0; 3],
            std: [1.0; 3],
            size: None,
            multiple: None,
            fit: FitKind::Stretch,
            anchor: AnchorKind::Center,
            pad: 0.0,
        }
    }
}

impl PictureInput {
    /// Order of the numbers, as the packing operations name it.
    pub fn tensor_layout(&self) -> TensorLayout {
        match self.layout {
            Layout::Nchw => TensorLayout::Nchw,
            Layout::Nhwc => TensorLayout::Nhwc,
        }
    }

    /// What the packing operations make for a tensor of `size`: `value = (rgb * scale - mean) / std`.
    pub fn spec(&self, size: Size) -> TensorSpec {
        let scale = if self.scale == 0.0 { 1.0 } else { self.scale };
        let fit = match self.fit {
            FitKind::Stretch => Fit::Stretch,
            FitKind::Letterbox => Fit::Letterbox {
                pad: self.pad / scale,
                anchor: match self.anchor {
                    AnchorKind::Center => Anchor::Center,
                    AnchorKind::TopLeft => Anchor::TopLeft,
                },
            },
        };
        let order = match self.order {
            Order::Rgb => ChannelOrder::Rgb,
            Order::Bgr => ChannelOrder::Bgr,
            Order::Gray => ChannelOrder::Gray,
        };
        let [s0, s1, s2] = self.std;
        let [m0, m1, m2] = self.mean;
        TensorSpec { size, fit, order, mul: [scale / s0, scale / s1, scale / s2], add: [-m0 / s0, -m1 / s1, -m2 / s2] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_std_are_in_the_unit_of_the_scale() {
        let input = PictureInput { scale: 255.0, mean: [127.5; 3], std: [127.5; 3], ..PictureInput::default() };
        let spec = input.spec(Size::new(2, 2));
        assert_eq!(spec.mul, [2.0; 3]);
        assert_eq!(spec.add, [-1.0; 3]);
    }

    #[test]
    fn every_task_has_the_name_that_the_manifest_writes() {
        for (name, task) in Task::ALL {
            assert_eq!(name.parse::<Task>().unwrap(), task);
            let written = toml::Value::try_from(task).unwrap();
            assert_eq!((written.as_str(), task.name()), (Some(name), name));
        }
        assert!("detection".parse::<Task>().unwrap_err().to_string().contains("detect, face"));
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let text = "input = \"x\"\nlayuot = \"nhwc\"\n";
        assert!(toml::from_str::<PictureInput>(text).is_err());
    }
}
