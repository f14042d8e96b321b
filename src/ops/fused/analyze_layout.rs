//! Where the results of `fused/analyze_frame` lie, and how they are read.

use super::analyze_frame::AnalyzeParams;
use crate::core::{
    BorderSums, EdgeCount, FrameAnalysis, LightingSums, LumaSums, PatchSums, ResidualSums, Size, Thumbnail,
};
use crate::error::Result;
use crate::ops::plan_error;

/// Words before the bins: luma statistics, residual, border, edge pixels, colours.
const HEADER: u32 = 24;

/// Words of the results of one picture, as the kernel numbers them.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResultLayout {
    params: AnalyzeParams,
    /// Bins of grey; 0 where not asked for.
    pub(super) luma_bins: u32,
    /// Bins of hue, saturation and value together; 0 where not asked for.
    pub(super) hsv_bins: u32,
    /// First word of the thumbnail.
    pub(super) thumb: u32,
    /// First word of the patches.
    pub(super) patches: u32,
    /// All words.
    pub(super) words: u32,
}

impl ResultLayout {
    /// For pictures of up to `size`.
    pub(super) fn new(params: &AnalyzeParams, size: Size) -> Result<Self> {
        let luma_bins = params.luma_bins.unwrap_or(0);
        let hsv_bins = params.hsv.map_or(0, |b| b.hue * b.saturation * b.value);
        let thumb = HEADER + luma_bins + hsv_bins;
        let patches = thumb + params.thumbnail.map_or(0, |s| s.width * s.height);
        let (across, down) = LightingSums::patches_of(size);
        let count = if params.lighting { u64::from(across) * u64::from(down) * 3 } else { 0 };
        let words = u32::try_from(u64::from(patches) + count)
            .map_err(|_| plan_error("fused/analyze_frame", "input", "a smaller picture", size))?;
        Ok(Self { params: *params, luma_bins, hsv_bins, thumb, patches, words })
    }

    /// The results of a picture of `size` from their bytes.
    pub(super) fn decode(&self, bytes: &[u8], size: Size) -> FrameAnalysis {
        let words: Vec<u32> = crate::ops::words(bytes).collect();
        let word = |i: u32| words.get(i as usize).copied().unwrap_or(0);
        let wide = |i: u32| u64::from(word(i)) | u64::from(word(i + 1)) << 32;
        let range = |first: u32, count: u32| (first..first + count).map(word);
        let n = size.area();
        let mut out = FrameAnalysis::of(size);
        out.luma = self.params.luma.map(|_| LumaSums {
            n,
            sum: wide(0),
            sum_sq: wide(2),
            lap_sum: wide(4) as i64,
            lap_sum_sq: wide(6),
            tenengrad_sum: wide(8),
            noise_sum: wide(10),
            dark: u64::from(word(12)),
            bright: u64::from(word(13)),
        });
        out.residual = self.params.residual.then(|| ResidualSums { n, sum: wide(14) });
        out.border = self.params.border.map(|border| BorderSums {
            sum: wide(16),
            sum_sq: wide(18),
            edges: u64::from(word(20)),
            ..BorderSums::new(size, border)
        });
        out.edges = self.params.edges.map(|_| EdgeCount { edges: u64::from(word(22)), pixels: n });
        out.unique_colors = self.params.colors.then(|| word(23));
        out.luma_bins = self.params.luma_bins.map(|bins| range(HEADER, bins).collect());
        out.hsv_bins = self.params.hsv.map(|_| range(HEADER + self.luma_bins, self.hsv_bins).collect());
        out.thumbnail = self.params.thumbnail.map(|thumb| Thumbnail {
            size: thumb,
            pixels: range(self.thumb, thumb.width * thumb.height).map(|v| v as u8).collect(),
        });
        out.lighting = self.params.lighting.then(|| {
            let (across, down) = LightingSums::patches_of(size);
            let patch = |i: u32| {
                let [sum, sum_sq, counts] = [0, 1, 2].map(|k| word(self.patches + 3 * i + k));
                PatchSums { sum, sum_sq, dark: counts & 0xFFFF, bright: counts >> 16 }
            };
            LightingSums { size, patches: (0..across * down).map(patch).collect() }
        });
        out
    }
}
