//! What each strategy does: the keys of the original's `strategy_configs.yaml`, and how the work is done.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wrong;
use crate::error::Result;

/// Frames kept as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepFull {
    /// Whether the strategy is used at all.
    pub enabled: bool,
    /// Write captions.
    pub generate_caption: bool,
    /// Model that captions are asked of, when `captions.endpoint` names a server; templates otherwise.
    pub caption_model: String,
    /// What captions begin with.
    pub caption_prefix: String,
    /// Run the steps of `enhance_segment` (without cutting) first.
    pub apply_enhancement: bool,
}

impl Default for KeepFull {
    fn default() -> Self {
        Self {
            enabled: true,
            generate_caption: true,
            caption_model: "qwen2_vl".into(),
            caption_prefix: "a 3d animated character, pixar style".into(),
            apply_enhancement: false,
        }
    }
}

/// Frames cut into character and background.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// Whether the strategy is used at all.
    pub enabled: bool,
    /// Segmentation model: a name of the model list or of `model_paths`.
    pub segmentation_model: String,
    /// Instances whose shorter side is below this many pixels are not counted, and characters of fewer pixels than its square not cut.
    #[schemars(extend("x-unit" = "pixels"))]
    pub min_instance_size: u32,
    /// Points across and down that a prompted model (SAM) is asked at.
    #[schemars(range(min = 1), extend("x-unit" = "points"))]
    pub points_per_side: u32,
    /// Inpainting model: a name as above; or `opencv` / `telea` for fast marching (small holes), `patches` for patches of the picture itself.
    pub inpainting_model: String,
    /// Used where that model is not there; where this is not there either, another model, and in the end patches.
    pub inpainting_fallback: String,
    /// Pixels by which the hole is larger than the character.
    #[schemars(range(min = 0, max = 512), extend("x-unit" = "pixels"))]
    pub mask_dilation: u32,
    /// Write the character with its mask as alpha.
    pub save_character: bool,
    /// Write the background with the character filled in.
    pub save_background: bool,
    /// Write the frame itself.
    pub save_composite: bool,
    /// Write the mask.
    pub save_masks: bool,
    /// Write captions.
    pub generate_captions: bool,
    /// Behind `a 3d animated character`.
    pub character_caption_suffix: String,
    /// Behind `3d animated scene`.
    pub background_caption_suffix: String,
}

impl Default for Segment {
    fn default() -> Self {
        Self {
            enabled: true,
            segmentation_model: "sam2_hiera_large".into(),
            min_instance_size: 64,
            points_per_side: 20,
            inpainting_model: "lama".into(),
            inpainting_fallback: "lama".into(),
            mask_dilation: 5,
            save_character: true,
            save_background: true,
            save_composite: true,
            save_masks: false,
            generate_captions: true,
            character_caption_suffix: ", isolated character, clean background".into(),
            background_caption_suffix: ", environment only, no characters".into(),
        }
    }
}

/// Ways to cover a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OcclusionType {
    /// A side out of focus, as something close to the lens.
    EdgeBlur,
    /// A half-transparent dark area.
    Overlay,
    /// A rectangle filled with the mean colour.
    Erase,
    /// A cut-out of `cutouts` pasted in.
    Object,
}

/// Sides of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// Left quarter.
    Left,
    /// Right quarter.
    Right,
    /// Top quarter.
    Top,
    /// Bottom quarter.
    Bottom,
}

/// Frames that get covered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateOcclusion {
    /// Whether the strategy is used at all.
    pub enabled: bool,
    /// Types in turn.
    #[schemars(length(min = 1))]
    pub occlusion_types: Vec<OcclusionType>,
    /// Radius of the Gaussian in pixels, 1..=127.
    #[schemars(range(min = 1, max = 127), extend("x-unit" = "pixels"))]
    pub blur_radius: u32,
    /// Sides in turn.
    #[schemars(length(min = 1))]
    pub blur_positions: Vec<Position>,
    /// Opacity of overlays, 0..=1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub overlay_opacity: f64,
    /// Variants of a frame.
    #[schemars(range(min = 1))]
    pub variations_per_image: u32,
    /// Put the description into captions.
    pub add_occlusion_tags: bool,
    /// Descriptions in turn.
    pub occlusion_descriptions: Vec<String>,
    /// Folder of cut-outs with transparency for the type `object`; empty: none.
    pub cutouts: String,
}

impl Default for CreateOcclusion {
    fn default() -> Self {
        Self {
            enabled: true,
            occlusion_types: vec![OcclusionType::EdgeBlur, OcclusionType::Overlay],
            blur_radius: 15,
            blur_positions: vec![Position::Left, Position::Right, Position::Bottom],
            overlay_opacity: 0.3,
            variations_per_image: 3,
            add_occlusion_tags: true,
            occlusion_descriptions: [
                "partially obscured",
                "with foreground elements",
                "partially hidden behind object",
            ]
            .map(String::from)
            .to_vec(),
            cutouts: String::new(),
        }
    }
}

/// Steps that repair a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EnhanceStep {
    /// More pixels by a model.
    Upscale,
    /// Non-local means.
    Denoise,
    /// Faces by a model.
    FaceEnhance,
    /// Sharper edges.
    Sharpen,
}

/// Frames repaired, then cut.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnhanceSegment {
    /// Whether the strategy is used at all.
    pub enabled: bool,
    /// Steps in order.
    pub enhancement_steps: Vec<EnhanceStep>,
    /// Upscaler: a name of the model list or of `model_paths`.
    pub upscale_model: String,
    /// Longest side in pixels that is still upscaled; larger frames have pixels enough.
    #[schemars(extend("x-unit" = "pixels"))]
    pub upscale_below: u32,
    /// Face restorer: likewise.
    pub face_enhance_model: String,
    /// 0 best looks, 1 closest to the input.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub face_enhance_fidelity: f64,
    /// Cut the character out afterwards.
    pub apply_segmentation: bool,
    /// Strategy whose segmentation settings are used: `segment`.
    pub segmentation_config: String,
}

impl Default for EnhanceSegment {
    fn default() -> Self {
        Self {
            enabled: true,
            enhancement_steps: vec![
                EnhanceStep::Upscale,
                EnhanceStep::Denoise,
                EnhanceStep::FaceEnhance,
                EnhanceStep::Sharpen,
            ],
            upscale_model: "RealESRGAN_x4plus_anime_6B".into(),
            upscale_below: 512,
            face_enhance_model: "CodeFormer".into(),
            face_enhance_fidelity: 0.7,
            apply_segmentation: true,
            segmentation_config: "segment".into(),
        }
    }
}

/// The four strategies.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Strategies {
    /// Frames kept as they are.
    pub keep_full: KeepFull,
    /// Frames cut into character and background.
    pub segment: Segment,
    /// Frames that get covered.
    pub create_occlusion: CreateOcclusion,
    /// Frames repaired, then cut.
    pub enhance_segment: EnhanceSegment,
}

impl Strategies {
    pub(super) fn check(&self) -> Result<()> {
        let o = &self.create_occlusion;
        if o.add_occlusion_tags && o.occlusion_descriptions.is_empty() {
            let field = "strategies.create_occlusion.occlusion_descriptions";
            return Err(wrong(field, "must not be empty with `add_occlusion_tags`"));
        }
        if o.occlusion_types.contains(&OcclusionType::Object) && o.cutouts.is_empty() {
            return Err(wrong(
                "strategies.create_occlusion.cutouts",
                "must be a folder of cut-outs: `object` is one of the types",
            ));
        }
        if self.enhance_segment.segmentation_config != super::super::SEGMENT {
            let given = &self.enhance_segment.segmentation_config;
            let field = "strategies.enhance_segment.segmentation_config";
            return Err(wrong(field, format!("must be `segment`, got `{given}`")));
        }
        Ok(())
    }
}

/// Captions beyond templates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptionConfig {
    /// Address of a server with OpenAI's chat interface; empty: templates. Nothing else is contacted.
    pub endpoint: String,
    /// What its model is asked.
    pub prompt: String,
    /// Environment variable that holds its key; empty: none is sent.
    pub key_variable: String,
    /// Captions a second at most; 0: no limit.
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub per_second: f64,
    /// What every caption begins with, before the strategy's own words.
    pub prefix: String,
    /// What every caption ends with.
    pub suffix: String,
}

impl Default for CaptionConfig {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            prompt: "Describe this image in one sentence.".into(),
            key_variable: String::new(),
            per_second: 0.0,
            prefix: String::new(),
            suffix: String::new(),
        }
    }
}

/// How the work is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Processing {
    /// Frames measured at once, 1..=64. Changes speed, not results.
    #[schemars(range(min = 1, max = 64), extend("x-unit" = "frames"))]
    pub batch_size: u32,
    /// Threads that decode pictures, 1..=64. Changes speed, not results.
    #[schemars(range(min = 1, max = 64), extend("x-unit" = "threads"))]
    pub num_workers: u32,
    /// `auto`, `cuda` or `gpu`, `cpu`, or part of the name of an adapter; `--device` goes before it.
    pub device: String,
    /// Keep what an earlier run has finished, by its journal.
    pub skip_existing: bool,
    /// Write figures and decision of each frame beside its pictures.
    pub save_metadata: bool,
    /// Write the review page.
    pub create_visualization: bool,
}

impl Default for Processing {
    fn default() -> Self {
        Self {
            batch_size: 8,
            num_workers: 4,
            device: "auto".into(),
            skip_existing: true,
            save_metadata: true,
            create_visualization: true,
        }
    }
}
