//! What is known of a frame: where it comes from and its figures.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::detail::{BlurTiles, Embedding};
use crate::core::{FigureForm, FrameAnalysis, Size, hamming};
use crate::error::{Error, Result};
use crate::workflows::short::{bytes, hex};

/// How much of a person a frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shot {
    /// A face fills the frame.
    CloseUp,
    /// Head and shoulders to waist.
    Medium,
    /// A whole person, large.
    FullBody,
    /// People are small, or there are none.
    FarShot,
}

impl Shot {
    /// All of them, nearest first.
    pub const ALL: [Self; 4] = [Self::CloseUp, Self::Medium, Self::FullBody, Self::FarShot];

    /// Name, as in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CloseUp => "close-up",
            Self::Medium => "medium",
            Self::FullBody => "full-body",
            Self::FarShot => "far-shot",
        }
    }

    /// From the height of the largest face and the tallest person, as shares of the frame's height.
    pub fn of(face: f64, person: f64) -> Self {
        // A head is about an eighth of a standing person.
        if face >= 0.30 {
            Self::CloseUp
        } else if face >= 0.12 {
            Self::Medium
        } else if person >= 0.45 {
            Self::FullBody
        } else {
            Self::FarShot
        }
    }
}

/// Where a frame lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FramePlace {
    /// File: a picture or a video.
    pub path: PathBuf,
    /// Number of the frame in its video, in presentation order.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub frame: Option<u64>,
    /// Its time in seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seconds: Option<f64>,
}

/// Figures of a frame, 0..=1 unless said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameMetrics {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How busy the picture is.
    pub complexity: f64,
    /// How well it is lit.
    pub lighting: f64,
    /// How much its border looks cut off.
    pub occlusion: f64,
    /// Sharpness, cleanness and resolution together.
    pub quality: f64,
    /// Variance of the Laplacian, 1000 is 1.
    pub sharpness: f64,
    /// 1 without noise.
    pub cleanness: f64,
    /// Standard deviation of grey / 128.
    pub contrast: f64,
    /// Mean of grey / 255.
    pub brightness: f64,
    /// Instances that a detector found; 1 where there is none.
    pub instances: u32,
    /// Faces that a detector found.
    pub faces: u32,
    /// Height of the largest face, of the frame's.
    pub face_height: f64,
    /// Height of the tallest instance, of the frame's.
    pub instance_height: f64,
    /// Share of the frame that the segmentation model takes for its subject; nothing without a model.
    pub subject: Option<f64>,
    /// How much of a person it shows.
    pub shot: Shot,
    /// Perceptual hash, 16 hexadecimal digits.
    pub phash: String,
    /// Average hash, 16 hexadecimal digits.
    pub ahash: String,
    /// 8x8 means of grey, 128 hexadecimal digits.
    pub tiny: String,
    /// Where the frame is sharp; nothing with parity.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blur: Option<BlurTiles>,
    /// A network's description of the frame; nothing without one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub embedding: Option<Embedding>,
}

/// What networks saw in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Seen {
    /// Instances and the height of the tallest; nothing without a detector.
    pub instances: Option<(u32, f64)>,
    /// Faces and the height of the largest; nothing without a detector.
    pub faces: Option<(u32, f64)>,
    /// Share of the subject.
    pub subject: Option<f64>,
}

impl FrameMetrics {
    /// Figures that conditions of custom strategies may name.
    pub const NAMES: [&'static str; 16] = [
        "width",
        "height",
        "complexity",
        "lighting",
        "occlusion",
        "quality",
        "sharpness",
        "cleanness",
        "contrast",
        "brightness",
        "instances",
        "faces",
        "face_height",
        "instance_height",
        "subject",
        "blurred",
    ];

    /// From the sums of the device, of a frame of `size`. `analysis` may be of the frame made smaller: resolution counts in full.
    ///
    /// # Errors
    /// [`Error::Bug`] when a part was not measured.
    pub(crate) fn new(analysis: &FrameAnalysis, size: Size, form: FigureForm, seen: Seen) -> Result<Self> {
        let missing = || Error::Bug("a part of a frame's analysis is missing".into());
        let f = analysis.figures(form).ok_or_else(missing)?;
        let cleanness = analysis.cleanness().ok_or_else(missing)?;
        let thumb = analysis.thumbnail.as_ref().ok_or_else(missing)?;
        let share = |s: Size| (s.area() as f64 / (512.0 * 512.0)).min(1.0);
        let quality = (f.quality + 0.2 * (share(size) - share(analysis.size))).clamp(0.0, 1.0);
        let (instances, instance_height) = seen.instances.unwrap_or((1, 0.0));
        let (faces, face_height) = seen.faces.unwrap_or((0, 0.0));
        Ok(Self {
            width: size.width,
            height: size.height,
            complexity: settled(f.complexity),
            lighting: settled(f.lighting),
            occlusion: settled(f.occlusion),
            quality: settled(quality),
            sharpness: settled(f.sharpness),
            cleanness: settled(cleanness),
            contrast: settled(f.contrast),
            brightness: settled(f.brightness),
            instances,
            faces,
            face_height: settled(face_height),
            instance_height: settled(instance_height),
            subject: seen.subject.map(settled),
            shot: Shot::of(face_height, instance_height),
            phash: format!("{:016x}", thumb.phash()),
            ahash: format!("{:016x}", thumb.ahash()),
            tiny: hex(thumb.resized(Size::new(8, 8)).pixels),
            blur: None,
            embedding: None,
        })
    }

    /// Figure by its name in [`Self::NAMES`]; nothing for another name, and for what was not measured.
    pub fn get(&self, name: &str) -> Option<f64> {
        Some(match name {
            "width" => f64::from(self.width),
            "height" => f64::from(self.height),
            "complexity" => self.complexity,
            "lighting" => self.lighting,
            "occlusion" => self.occlusion,
            "quality" => self.quality,
            "sharpness" => self.sharpness,
            "cleanness" => self.cleanness,
            "contrast" => self.contrast,
            "brightness" => self.brightness,
            "instances" => f64::from(self.instances),
            "faces" => f64::from(self.faces),
            "face_height" => self.face_height,
            "instance_height" => self.instance_height,
            "subject" => return self.subject,
            "blurred" => return self.blur.as_ref().map(|b| settled(b.blurred())),
            _ => return None,
        })
    }

    /// Worth of the frame among others of its kind, 0..=1: the weights of the original's curator.
    pub fn worth(&self) -> f64 {
        0.4 * self.quality + 0.3 * self.sharpness + 0.2 * self.lighting + 0.1 * self.contrast
    }

    /// Whether `other` shows nearly the same: both hashes within `bits` and the 8x8 means within 6 codes on average.
    pub fn is_near(&self, other: &Self, bits: u32) -> bool {
        let apart = |a: &str, b: &str| hamming(number(a), number(b));
        if apart(&self.phash, &other.phash) > bits || apart(&self.ahash, &other.ahash) > bits.max(3) {
            return false;
        }
        let (a, b) = (bytes(&self.tiny), bytes(&other.tiny));
        let change: u32 = a.iter().zip(&b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        a.len() == b.len() && change <= 6 * 64
    }

    /// Bits of 64 in which the perceptual hashes differ.
    pub fn bits_apart(&self, other: &Self) -> u32 {
        hamming(number(&self.phash), number(&other.phash))
    }

    /// Mean change of the 8x8 means against another frame, in codes.
    pub fn change(&self, other: &Self) -> f64 {
        let (a, b) = (bytes(&self.tiny), bytes(&other.tiny));
        let change: u32 = a.iter().zip(&b).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
        f64::from(change) / a.len().max(1) as f64
    }
}

/// Rounded to 12 decimals: a number with so few digits is read back from a journal to the bit, so that a run which goes on gives the same
/// bytes as one that was never stopped.
pub(super) fn settled(v: f64) -> f64 {
    (v * 1e12).round() / 1e12
}

fn number(hex: &str) -> u64 {
    u64::from_str_radix(hex, 16).unwrap_or(0)
}

/// A frame and what became of measuring it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameEntry {
    /// Name that its outputs begin with, unique in the run.
    pub name: String,
    /// Where it lies.
    pub place: FramePlace,
    /// Content id.
    pub content: String,
    /// Its figures; nothing when it could not be read.
    pub metrics: Option<FrameMetrics>,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<String>,
}

impl FrameEntry {
    /// File name, with the number of the frame for videos.
    pub fn label(&self) -> String {
        let file = self.place.path.file_name().unwrap_or(self.place.path.as_os_str()).to_string_lossy();
        self.place.frame.map_or_else(|| file.clone().into_owned(), |n| format!("{file}#{n}"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A frame with plain figures.
    pub(in crate::workflows::curate) fn metrics(complexity: f64, lighting: f64, sharpness: f64) -> FrameMetrics {
        FrameMetrics {
            width: 640,
            height: 480,
            complexity,
            lighting,
            occlusion: 0.05,
            quality: 0.5 * sharpness + 0.5,
            sharpness,
            cleanness: 1.0,
            contrast: 0.4,
            brightness: 0.5,
            instances: 1,
            faces: 0,
            face_height: 0.0,
            instance_height: 0.5,
            subject: None,
            shot: Shot::FullBody,
            phash: format!("{:016x}", ((complexity * 1e9) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            ahash: "0".repeat(16),
            tiny: "80".repeat(64),
            blur: Some(BlurTiles { across: 2, down: 1, levels: "00ff".into() }),
            embedding: None,
        }
    }

    #[test]
    fn near_frames_are_near_in_every_respect() {
        let a = metrics(0.2, 0.8, 0.9);
        assert!(a.is_near(&a, 0));
        let other = FrameMetrics { phash: "ffffffffffffffff".into(), ..a.clone() };
        assert!(!a.is_near(&other, 6));
        let darker = FrameMetrics { tiny: "70".repeat(64), ..a.clone() };
        assert!(!a.is_near(&darker, 6) && (a.change(&darker) - 16.0).abs() < 1e-12);
    }

    #[test]
    fn every_name_has_a_figure() {
        let m = FrameMetrics { subject: Some(0.3), ..metrics(0.2, 0.8, 0.9) };
        assert!(FrameMetrics::NAMES.iter().all(|n| m.get(n).is_some()) && m.get("colour").is_none());
        assert_eq!(Shot::of(0.5, 1.0), Shot::CloseUp);
        assert_eq!((Shot::of(0.2, 1.0), Shot::of(0.0, 0.5)), (Shot::Medium, Shot::FullBody));
        assert_eq!(Shot::of(0.01, 0.2), Shot::FarShot);
    }
}
