//! What one pass over a frame finds out, and the figures of curation made from it, in f64.

use super::edges::{BorderSums, EdgeCount, EdgeWeight};
use super::geometry::Size;
use super::hash::Thumbnail;
use super::luma::{LumaStats, LumaSums};
use super::quality::{ComplexitySums, GraySums, Lighting, LightingSums, PatchGrid};
use super::sharpness::{LaplacianSums, ResidualSums, TenengradSums};

/// Which of two forms of the figures, where the usual one has a defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FigureForm {
    /// Edges of the border count as shares ([`EdgeWeight::One`]), every patch counts by its pixels ([`PatchGrid::All`]).
    #[default]
    Corrected,
    /// Edges of the border count as bytes, so that the level saturates at 0.8 % of edge pixels ([`EdgeWeight::Byte`]); sides that are
    /// multiples of 32 lose their last patches ([`PatchGrid::Strict`]). For results equal to those of systems that do so.
    Parity,
}

/// What was measured of one frame: exact integers. A part that was not asked for is `None`, and figures that need it are `None`.
///
/// Sharpness, noise and the share of colours depend on the number of pixels: frames are comparable at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameAnalysis {
    /// Size of the frame.
    pub size: Size,
    /// Pixels on Canny edges of grey.
    pub edges: Option<EdgeCount>,
    /// Sums over the border of grey and of its edges.
    pub border: Option<BorderSums>,
    /// Different 24-bit colours.
    pub unique_colors: Option<u32>,
    /// Sums of the HSV value in patches.
    pub lighting: Option<LightingSums>,
    /// Sums over grey: brightness, contrast, Laplacian, Tenengrad, noise mask, dark and bright pixels.
    pub luma: Option<LumaSums>,
    /// What a 5x5 blur takes away from grey.
    pub residual: Option<ResidualSums>,
    /// Histogram of grey.
    pub luma_bins: Option<Vec<u32>>,
    /// Joint histogram of hue, saturation and value.
    pub hsv_bins: Option<Vec<u32>>,
    /// Grey made small.
    pub thumbnail: Option<Thumbnail>,
}

/// The figures that curation decides by, each 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameFigures {
    /// How busy: [`ComplexitySums::complexity`].
    pub complexity: f64,
    /// [`Lighting::quality`].
    pub lighting: f64,
    /// [`BorderSums::occlusion`].
    pub occlusion: f64,
    /// [`FrameAnalysis::quality`].
    pub quality: f64,
    /// [`FrameAnalysis::sharpness`].
    pub sharpness: f64,
    /// Standard deviation of grey / 128.
    pub contrast: f64,
    /// Mean of grey / 255.
    pub brightness: f64,
}

impl FrameAnalysis {
    /// Nothing measured yet.
    pub const fn of(size: Size) -> Self {
        Self {
            size,
            edges: None,
            border: None,
            unique_colors: None,
            lighting: None,
            luma: None,
            residual: None,
            luma_bins: None,
            hsv_bins: None,
            thumbnail: None,
        }
    }

    /// Sums over grey.
    pub fn gray(&self) -> Option<GraySums> {
        self.luma.map(|l| GraySums { n: l.n, sum: l.sum, sum_sq: l.sum_sq })
    }

    /// Sums over the Laplacian of grey.
    pub fn laplacian(&self) -> Option<LaplacianSums> {
        self.luma.map(|l| LaplacianSums { n: l.n, sum: l.lap_sum, sum_sq: l.lap_sum_sq })
    }

    /// Sum of the squared gradient of grey.
    pub fn tenengrad(&self) -> Option<TenengradSums> {
        self.luma.map(|l| TenengradSums { n: l.n, sum: l.tenengrad_sum })
    }

    /// Means, variances and shares of grey.
    pub fn luma_stats(&self) -> Option<LumaStats> {
        self.luma.map(|l| l.stats(self.size))
    }

    /// Counts behind [`Self::complexity`].
    pub fn complexity_sums(&self) -> Option<ComplexitySums> {
        Some(ComplexitySums { edges: self.edges?, unique_colors: self.unique_colors?, gray: self.gray()? })
    }

    /// How busy the frame is: needs edges, colours and luma.
    pub fn complexity(&self) -> Option<f64> {
        self.complexity_sums().map(|sums| sums.complexity())
    }

    /// How well it is lit.
    pub fn lighting(&self, form: FigureForm) -> Option<Lighting> {
        let grid = match form {
            FigureForm::Corrected => PatchGrid::All,
            FigureForm::Parity => PatchGrid::Strict,
        };
        self.lighting.as_ref().map(|sums| sums.lighting(grid))
    }

    /// How much its border looks as if something were cut off.
    pub fn occlusion(&self, form: FigureForm) -> Option<f64> {
        let weight = match form {
            FigureForm::Corrected => EdgeWeight::One,
            FigureForm::Parity => EdgeWeight::Byte,
        };
        self.border.map(|sums| sums.occlusion(weight))
    }

    /// Standard deviation of grey / 128.
    pub fn contrast(&self) -> Option<f64> {
        self.gray().map(|sums| sums.contrast())
    }

    /// Mean of grey / 255.
    pub fn brightness(&self) -> Option<f64> {
        self.gray().map(|sums| sums.brightness())
    }

    /// `min(variance of the Laplacian / 1000, 1)`.
    pub fn sharpness(&self) -> Option<f64> {
        self.laplacian().map(|sums| (sums.variance() / 1000.0).clamp(0.0, 1.0))
    }

    /// How free of noise: `1 - 10 mean residual / 255`, clipped to 0..=1.
    pub fn cleanness(&self) -> Option<f64> {
        self.residual.map(|sums| (1.0 - 10.0 * sums.mean() / 255.0).clamp(0.0, 1.0))
    }

    /// `0.5 sharpness + 0.3 cleanness + 0.2 min(pixels / 512^2, 1)`: needs luma and residual.
    pub fn quality(&self) -> Option<f64> {
        let resolution = (self.size.area() as f64 / (512.0 * 512.0)).min(1.0);
        Some((0.5 * self.sharpness()? + 0.3 * self.cleanness()? + 0.2 * resolution).clamp(0.0, 1.0))
    }

    /// Difference hash of the thumbnail.
    pub fn dhash(&self) -> Option<u64> {
        self.thumbnail.as_ref().map(Thumbnail::dhash)
    }

    /// Perceptual hash of the thumbnail.
    pub fn phash(&self) -> Option<u64> {
        self.thumbnail.as_ref().map(Thumbnail::phash)
    }

    /// All figures, where all their parts were measured.
    pub fn figures(&self, form: FigureForm) -> Option<FrameFigures> {
        Some(FrameFigures {
            complexity: self.complexity()?,
            lighting: self.lighting(form)?.quality,
            occlusion: self.occlusion(form)?,
            quality: self.quality()?,
            sharpness: self.sharpness()?,
            contrast: self.contrast()?,
            brightness: self.brightness()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::PatchSums;

    /// 512x512 in one grey, as it would be measured.
    fn flat(level: u64) -> FrameAnalysis {
        let size = Size::new(512, 512);
        let (n, v) = (size.area(), level as u32);
        let patch = PatchSums { sum: 1024 * v, sum_sq: 1024 * v * v, dark: 0, bright: 0 };
        let border = BorderSums::new(size, 20);
        let samples = border.samples();
        FrameAnalysis {
            edges: Some(EdgeCount { edges: 0, pixels: n }),
            border: Some(BorderSums { sum: level * samples, sum_sq: level * level * samples, ..border }),
            unique_colors: Some(1),
            lighting: Some(LightingSums { size, patches: vec![patch; 256] }),
            luma: Some(LumaSums { n, sum: level * n, sum_sq: level * level * n, ..LumaSums::default() }),
            residual: Some(ResidualSums { n, sum: 0 }),
            thumbnail: Some(Thumbnail { size: Size::new(9, 8), pixels: vec![v as u8; 72] }),
            ..FrameAnalysis::of(size)
        }
    }

    #[test]
    fn figures_of_a_flat_frame() {
        for form in [FigureForm::Corrected, FigureForm::Parity] {
            let f = flat(150).figures(form).unwrap();
            assert!((f.complexity - 1.144_409_179_687_5e-5).abs() < 1e-18);
            assert_eq!((f.lighting, f.occlusion, f.quality), (1.0, 0.0, 0.5));
            assert_eq!((f.sharpness, f.contrast, f.brightness), (0.0, 0.0, 150.0 / 255.0));
        }
        assert_eq!((flat(150).dhash(), flat(9).phash()), (Some(0), Some(1)));
    }

    #[test]
    fn forms_differ_where_one_has_a_defect() {
        let mut frame = flat(100);
        frame.border.as_mut().unwrap().edges = 700;
        // 700 of 40,960 samples; as bytes, 255 * 700 / 40,960 is above 1.
        assert_eq!(frame.occlusion(FigureForm::Parity), Some(1.0));
        assert_eq!(frame.occlusion(FigureForm::Corrected), Some(350.0 / 40_960.0));
        // 64x64 with one restless patch at the right: the strict grid sees the first patch alone.
        let patch = |d: u32| PatchSums { sum: 1024 * 100, sum_sq: 1024 * (10_000 + d * d), dark: 0, bright: 0 };
        let patches = vec![patch(0), patch(64), patch(0), patch(0)];
        frame.lighting = Some(LightingSums { size: Size::new(64, 64), patches });
        let lit = |form| frame.lighting(form).unwrap().evenness;
        assert_eq!((lit(FigureForm::Parity), lit(FigureForm::Corrected)), (1.0, 0.875));
    }

    #[test]
    fn figures_need_their_parts() {
        let all = flat(80);
        let without = |f: &dyn Fn(&mut FrameAnalysis)| {
            let mut some = all.clone();
            f(&mut some);
            assert_eq!(some.figures(FigureForm::Corrected), None);
            some
        };
        assert_eq!(without(&|a| a.edges = None).complexity(), None);
        assert_eq!(without(&|a| a.unique_colors = None).complexity(), None);
        assert_eq!(without(&|a| a.luma = None).contrast(), None);
        assert_eq!(without(&|a| a.residual = None).quality(), None);
        assert_eq!(without(&|a| a.border = None).occlusion(FigureForm::Parity), None);
        assert!(without(&|a| a.lighting = None).quality().is_some());
    }
}
