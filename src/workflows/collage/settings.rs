//! Settings as users write them in files, variables and flags; what they leave open depends on the video.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::config::{DescriptorConfig, FeatureLayout, FeatureMethod};
use super::network::FeaturePooling;
use super::run::{CollageConfig, parse_rate};
use super::select::{Assignment, Fallback, PickRule, SelectParams};
use crate::config::{Settings, check_ranges};
use crate::core::Rational;
use crate::error::{Error, Result};
use crate::index::IndexSpec;

/// Systems whose numbers can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParitySystem {
    /// FluxFrame.
    Fluxframe,
}

/// How pictures are described.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DescriptorSettings {
    /// What pictures are compared by.
    pub feature_method: FeatureMethod,
    /// Sizes of the parts.
    pub layout: FeatureLayout,
    /// Numbers of another system instead of ours.
    pub parity: Option<ParitySystem>,
    /// Weight of edges; only ratios of the three weights matter.
    #[schemars(range(min = 0.0))]
    pub edge_weight: f64,
    /// Weight of texture.
    #[schemars(range(min = 0.0))]
    pub texture_weight: f64,
    /// Weight of colour.
    #[schemars(range(min = 0.0))]
    pub color_weight: f64,
    /// Longer side of the pictures compared, in pixels; without it 256, or 32 for tiles.
    #[schemars(range(min = 8, max = 4096), extend("x-unit" = "pixels"))]
    pub comparison_size: Option<u32>,
    /// Grid of the pyramid or of a network's map; without it 4, or 2 for networks.
    #[schemars(range(min = 1, max = 4), extend("x-unit" = "cells a side"))]
    pub spatial_grid: Option<u32>,
    /// How cells of a network's map are pooled.
    pub pooling_method: FeaturePooling,
    /// Power of the generalised mean.
    #[schemars(range(min = 1.0, max = 64.0))]
    pub gem_p: f64,
    /// Name of the network; without it the method's.
    pub model: Option<String>,
}

impl Default for DescriptorSettings {
    fn default() -> Self {
        let DescriptorConfig { method, layout, edge_weight, texture_weight, color_weight, pooling, gem_p, .. } =
            DescriptorConfig::default();
        Self {
            feature_method: method,
            layout,
            parity: None,
            edge_weight,
            texture_weight,
            color_weight,
            comparison_size: None,
            spatial_grid: None,
            pooling_method: pooling,
            gem_p,
            model: None,
        }
    }
}

impl DescriptorSettings {
    /// The descriptor of pictures cropped to `aspect`; `tiles`: it describes tiles of frames. A network is not completed.
    pub fn config(&self, aspect: [u32; 2], tiles: bool) -> DescriptorConfig {
        DescriptorConfig {
            method: self.feature_method,
            layout: self.layout,
            parity: self.parity.is_some(),
            edge_weight: self.edge_weight,
            texture_weight: self.texture_weight,
            color_weight: self.color_weight,
            comparison_size: self.comparison_size.unwrap_or(if tiles { 32 } else { 256 }),
            spatial_grid: self.spatial_grid.unwrap_or(if self.feature_method.is_neural() { 2 } else { 4 }),
            pooling: self.pooling_method,
            gem_p: self.gem_p,
            aspect,
            ..DescriptorConfig::default()
        }
    }

    /// What [`Self::config`] makes `config` of, with everything named.
    fn of(config: &DescriptorConfig) -> Self {
        Self {
            feature_method: config.method,
            layout: config.layout,
            parity: config.parity.then_some(ParitySystem::Fluxframe),
            edge_weight: config.edge_weight,
            texture_weight: config.texture_weight,
            color_weight: config.color_weight,
            comparison_size: Some(config.comparison_size),
            spatial_grid: Some(config.spatial_grid),
            pooling_method: config.pooling,
            gem_p: config.gem_p,
            model: config.network.as_ref().map(|n| n.name.clone()),
        }
    }
}

/// Settings of an index of pictures: those of `frameloom index build`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IndexSettings {
    /// How pictures are described.
    pub descriptor: DescriptorSettings,
    /// Width and height, as a ratio, of what pictures are cropped to.
    #[schemars(inner(range(min = 1, max = 10000)))]
    pub aspect: [u32; 2],
    /// How the index is searched: `auto`, `flat`, `flat-gpu[:f16]`, `ivf[:nlist=N,nprobe=N,codes=f32|f16]`, `sqfp16`, `hnsw[:m=N,ef=N]`, `host`, or a
    /// FAISS factory string; without it `auto`.
    #[serde(serialize_with = "to_text", deserialize_with = "spec")]
    #[schemars(with = "Option<String>")]
    pub search: Option<IndexSpec>,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self { descriptor: DescriptorSettings::default(), aspect: DescriptorConfig::default().aspect, search: None }
    }
}

impl Settings for IndexSettings {
    fn check(&self) -> Result<()> {
        check_ranges(self, "")?;
        placed::<Self>(self.descriptor.config(self.aspect, false).spec().map(drop))
    }
}

/// How pictures are chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SelectionSettings {
    /// Nearest pictures that are found for each frame.
    #[schemars(range(min = 1, max = 1000), extend("x-unit" = "pictures"))]
    pub search_depth: u32,
    /// Least similarity of a picture that is shown.
    #[schemars(range(min = -65536.0, max = 65536.0))]
    pub threshold: f32,
    /// What frames show that no picture is similar enough to.
    pub fallback: Fallback,
    /// Frames that a picture is shown for, at most.
    #[schemars(range(min = 1))]
    pub max_uses: Option<u32>,
    /// Seconds before a picture is shown again.
    #[schemars(range(min = 0.0, max = 1e9), extend("x-unit" = "seconds"))]
    pub cooldown: f64,
    /// Whether pictures are used again when all are used up.
    pub recycle: bool,
    /// How a picture is taken from the nearest ones; without it the best where uses are limited or frames look ahead, else a draw.
    pub pick: Option<PickRule>,
    /// Another seed draws other pictures.
    pub seed: u32,
    /// How frames share pictures.
    pub assignment: Assignment,
    /// What a switch of pictures within a scene costs, in similarity.
    #[schemars(range(min = 0.0, max = 65536.0))]
    pub smoothness: f32,
}

impl Default for SelectionSettings {
    fn default() -> Self {
        let SelectParams {
            threshold, fallback, max_uses, cooldown, seed, assignment, smoothness, recycle, depth, ..
        } = SelectParams::default();
        Self {
            search_depth: depth,
            threshold,
            fallback,
            max_uses,
            cooldown,
            recycle,
            pick: None,
            seed,
            assignment,
            smoothness,
        }
    }
}

impl SelectionSettings {
    fn params(&self, parity: bool) -> SelectParams {
        let ruled = self.max_uses.is_some()
            || self.cooldown > 0.0
            || self.smoothness > 0.0
            || self.assignment == Assignment::Global;
        SelectParams {
            threshold: self.threshold,
            fallback: self.fallback,
            max_uses: self.max_uses,
            cooldown: self.cooldown,
            pick: self.pick.unwrap_or(match (parity, ruled) {
                (true, _) => PickRule::Seed,
                (false, true) => PickRule::Best,
                (false, false) => PickRule::Random,
            }),
            depth: self.search_depth,
            seed: self.seed,
            assignment: self.assignment,
            smoothness: self.smoothness,
            recycle: self.recycle,
        }
    }
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OutputSettings {
    /// Whether a video is written.
    pub video: bool,
    /// Whether the video's audio is copied.
    pub audio: bool,
    /// Frames per second of the output, as `25`, `23.976` or `30000/1001`; without it the video's own times.
    #[serde(serialize_with = "to_text", deserialize_with = "rate")]
    #[schemars(with = "Option<Rate>", extend("x-unit" = "frames a second"))]
    pub fps_override: Option<Rational>,
    /// Seconds of the video to use; without it all.
    #[schemars(extend("x-unit" = "seconds", "exclusiveMinimum" = 0))]
    pub seconds: Option<f64>,
    /// Columns and rows of tiles that every frame is rebuilt from; without it one picture a frame.
    #[schemars(inner(range(min = 1, max = 4096)))]
    pub tiles: Option<[u32; 2]>,
    /// Quality of the video on the scale of x264, 0 (best) to 51.
    #[schemars(range(min = 0.0, max = 51.0))]
    pub crf: f32,
    /// Whether each output picture is written as a JPEG as well.
    pub matched_frames: bool,
    /// Frames that are written beside their pictures.
    pub save_samples: u32,
    /// One of so many frames is a sample.
    #[schemars(range(min = 1), extend("x-unit" = "frames"))]
    pub sample_interval: u32,
}

impl Default for OutputSettings {
    fn default() -> Self {
        let c = CollageConfig::new(DescriptorConfig::default());
        Self {
            video: c.video,
            audio: c.audio,
            fps_override: c.rate,
            seconds: c.seconds,
            tiles: c.tiles,
            crf: c.crf,
            matched_frames: c.frames,
            save_samples: c.samples,
            sample_interval: c.sample_interval,
        }
    }
}

/// Settings of a collage: those of `frameloom collage`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct CollageSettings {
    /// How the pool is searched: `auto`, `flat`, `flat-gpu[:f16]`, `ivf[:nlist=N,nprobe=N,codes=f32|f16]`, `sqfp16`, `hnsw[:m=N,ef=N]`, `host`, or a
    /// FAISS factory string; without it, as the index was built for.
    #[serde(serialize_with = "to_text", deserialize_with = "spec")]
    #[schemars(with = "Option<String>")]
    pub search: Option<IndexSpec>,
    /// How pictures and frames are described.
    pub descriptor: DescriptorSettings,
    /// How pictures are chosen.
    pub selection: SelectionSettings,
    /// What is written.
    pub output: OutputSettings,
}

impl Settings for CollageSettings {
    fn check(&self) -> Result<()> {
        check_ranges(self, "")?;
        placed::<Self>(self.config([16, 9]).check())
    }
}

impl CollageSettings {
    /// The settings for a video whose frames, or tiles of frames, are of `aspect`. A network is not completed.
    pub fn config(&self, aspect: [u32; 2]) -> CollageConfig {
        let descriptor = self.descriptor.config(aspect, self.output.tiles.is_some());
        CollageConfig {
            search: self.search.clone().unwrap_or_default(),
            depth: self.selection.search_depth,
            select: self.selection.params(descriptor.parity),
            rate: self.output.fps_override,
            seconds: self.output.seconds,
            video: self.output.video,
            audio: self.output.audio,
            tiles: self.output.tiles,
            crf: self.output.crf,
            frames: self.output.matched_frames,
            samples: self.output.save_samples,
            sample_interval: self.output.sample_interval,
            descriptor,
        }
    }

    /// The settings that [`Self::config`] makes `config` of, with everything named that was left open.
    pub fn of(config: &CollageConfig) -> Self {
        let s = &config.select;
        Self {
            search: Some(config.search.clone()),
            descriptor: DescriptorSettings::of(&config.descriptor),
            selection: SelectionSettings {
                search_depth: config.depth,
                threshold: s.threshold,
                fallback: s.fallback,
                max_uses: s.max_uses,
                cooldown: s.cooldown,
                recycle: s.recycle,
                pick: Some(s.pick),
                seed: s.seed,
                assignment: s.assignment,
                smoothness: s.smoothness,
            },
            output: OutputSettings {
                video: config.video,
                audio: config.audio,
                fps_override: config.rate,
                seconds: config.seconds,
                tiles: config.tiles,
                crf: config.crf,
                matched_frames: config.frames,
                save_samples: config.samples,
                sample_interval: config.sample_interval,
            },
        }
    }
}

/// Gives an error of a setting its dotted path in `T`.
fn placed<T: Settings>(result: Result<()>) -> Result<()> {
    let Err(Error::Config { field, message }) = result else { return result };
    let known = serde_json::to_value(T::default()).map_err(|e| Error::Bug(format!("default settings: {e}")))?;
    let section = known.as_object().into_iter().flatten().find(|(_, inner)| inner.get(&field).is_some());
    // The three weights are refused together.
    let field = match section {
        Some((section, _)) => format!("{section}.{field}"),
        None if field == "weights" => "descriptor.edge_weight".into(),
        None => field,
    };
    Err(Error::Config { field, message })
}

fn to_text<T: std::fmt::Display, S: Serializer>(value: &Option<T>, to: S) -> std::result::Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(to)
}

fn spec<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<IndexSpec>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|t| t.parse().map_err(serde::de::Error::custom)).transpose()
}

/// Frames per second, as files write them.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "must be frames per second: a number, or a text such as `24000/1001`")]
enum Rate {
    /// Such as 23.976.
    Number(f64),
    /// Such as `24000/1001`.
    Text(String),
}

fn rate<'de, D: Deserializer<'de>>(from: D) -> std::result::Result<Option<Rational>, D::Error> {
    let text = Option::<Rate>::deserialize(from)?.map(|w| match w {
        Rate::Number(n) => n.to_string(),
        Rate::Text(t) => t,
    });
    let read = |t: String| match parse_rate(&t) {
        Err(Error::Config { message, .. }) => Err(serde::de::Error::custom(message)),
        other => other.map_err(serde::de::Error::custom),
    };
    text.map(read).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Format, Layers, to_toml};

    fn read(text: &str) -> Result<CollageSettings> {
        Ok(Layers::new().text("c.toml", Format::Toml, text)?.resolve()?.settings)
    }

    /// What a run writes down makes the same run.
    #[test]
    fn settings_and_their_file_are_the_same() {
        let text = "search = \"ivf:nprobe=9\"\n[descriptor]\nfeature_method = \"hog\"\ncomparison_size = 128\n\
                    [selection]\nmax_uses = 2\nassignment = \"global\"\n[output]\nfps_override = 23.976\ntiles = [4, 3]\n";
        let read_back = |s: &CollageSettings| read(&to_toml(s).unwrap()).unwrap();
        for settings in [CollageSettings::default(), read(text).unwrap()] {
            assert_eq!(read_back(&settings), settings);
            let config = settings.config([4, 3]);
            let named = CollageSettings::of(&config);
            assert_eq!(format!("{:?}", read_back(&named).config([4, 3])), format!("{config:?}"));
        }
        let settings = read(text).unwrap().config([16, 9]);
        assert_eq!(settings.rate, Some(Rational { num: 24000, den: 1001 }));
        assert_eq!((settings.select.pick, settings.descriptor.comparison_size), (PickRule::Best, 128));
        let tiles = read("[output]\ntiles = [4, 3]").unwrap().config([16, 9]);
        assert_eq!((tiles.descriptor.comparison_size, tiles.select.pick), (32, PickRule::Random));
        let parity = read("[descriptor]\nparity = \"fluxframe\"").unwrap().config([16, 9]);
        assert_eq!(parity.select.pick, PickRule::Seed);
        // Both words for it.
        for word in ["seed", "fluxframe"] {
            let picked = read(&format!("[selection]\npick = \"{word}\"")).unwrap().config([16, 9]);
            assert_eq!(picked.select.pick, PickRule::Seed, "{word}");
        }
        let network = read("[descriptor]\nfeature_method = \"mobilenet\"").unwrap().config([16, 9]);
        assert_eq!(network.descriptor.spatial_grid, 2);
    }

    #[test]
    fn wrong_settings_are_named_with_their_place() {
        for (text, wanted) in [
            (
                "[descriptor]\ncomparison_size = 3",
                "setting `descriptor.comparison_size`: must be 8 to 4096 pixels, got 3 (c.toml:2)",
            ),
            ("[descriptor]\nedge_weight = -1.0", "setting `descriptor.edge_weight`: "),
            ("[selection]\nmax_uses = 0", "setting `selection.max_uses`: must be at least 1, got 0 (c.toml:2)"),
            (
                "[selection]\nsearch_depth = 0",
                "setting `selection.search_depth`: must be 1 to 1000 pictures, got 0 (c.toml:2)",
            ),
            ("[output]\ncrf = 99.0", "setting `output.crf`: must be 0 to 51, got 99 (c.toml:2)"),
            ("[output]\nfps_override = 0", "setting `output.fps_override`: must be frames per second"),
            ("search = \"ivf:\"", "setting `search`: "),
            ("[selection]\ntreshold = 1.0", "setting `selection.treshold`: unknown; did you mean `threshold`?"),
        ] {
            let message = read(text).unwrap_err().to_string();
            assert!(message.starts_with(wanted) && message.contains("c.toml"), "{text}: {message}");
        }
    }
}
