//! What is measured per frame, and the table it goes into.

use crate::core::{DifferenceSums, FrameInfo, LumaStats};
use crate::report::{Cell, ColumnType, Schema};

/// Everything measured of one frame.
#[derive(Debug, Clone, Copy)]
pub struct FrameMetrics {
    /// Place and time.
    pub info: FrameInfo,
    /// Luma statistics at full size.
    pub luma: LumaStats,
    /// 5th, 50th and 95th percentile of luma codes of the reduced picture.
    pub percentiles: [u8; 3],
    /// Change against the frame before, on the reduced picture; `None` for the first frame of a stream or of a new size.
    pub motion: Option<DifferenceSums>,
}

/// The table of frames: one row a frame, in presentation order.
pub fn schema() -> Schema {
    use ColumnType::{Bool, F64, I64, U64};
    Schema::new("analyze.frames", 1)
        .column("frame", U64, "", "position in presentation order, from 0")
        .column("pts", I64, "time base", "presentation timestamp as the container has it")
        .column("time", F64, "s", "presentation timestamp in seconds")
        .column("key", Bool, "", "key frame")
        .column("damaged", Bool, "", "the decoder reported damage")
        .column("luma_mean", F64, "code", "mean luma")
        .column("luma_std", F64, "code", "standard deviation of luma: contrast")
        .column("luma_p05", U64, "code", "5th percentile of luma of the reduced picture")
        .column("luma_p50", U64, "code", "median of luma of the reduced picture")
        .column("luma_p95", U64, "code", "95th percentile of luma of the reduced picture")
        .column("dark_share", F64, "1", "share of dark pixels")
        .column("bright_share", F64, "1", "share of bright pixels")
        .column("sharpness", F64, "code^2", "variance of the Laplacian")
        .column("tenengrad", F64, "code^2", "mean squared Sobel gradient")
        .column("noise_sigma", F64, "code", "standard deviation of noise after Immerkaer")
        .column("motion_mean", F64, "code", "mean absolute change of the reduced picture against the frame before")
        .column(
            "motion_share",
            F64,
            "1",
            "share of pixels of the reduced picture that changed by more than the threshold",
        )
}

impl FrameMetrics {
    /// The row of [`schema`].
    pub fn row(&self) -> [Cell; 17] {
        let l = &self.luma;
        let [p05, p50, p95] = self.percentiles;
        [
            self.info.index.into(),
            self.info.pts.map_or(Cell::Null, Cell::I64),
            self.info.seconds().map_or(Cell::Null, Cell::F64),
            self.info.key.into(),
            self.info.damaged.into(),
            l.mean.into(),
            l.variance.sqrt().into(),
            p05.into(),
            p50.into(),
            p95.into(),
            l.dark_share.into(),
            l.bright_share.into(),
            l.laplacian_variance.into(),
            l.tenengrad.into(),
            l.noise_sigma.into(),
            self.motion.map_or(Cell::Null, |m| Cell::F64(m.mean())),
            self.motion.map_or(Cell::Null, |m| Cell::F64(m.share())),
        ]
    }
}

/// Percentiles `shares` (0..=1) of a histogram with one bin per code: the least code at or below which that share lies.
pub(super) fn percentiles<const N: usize>(histogram: &[u32], shares: [f64; N]) -> [u8; N] {
    let total: u64 = histogram.iter().map(|c| u64::from(*c)).sum();
    shares.map(|share| {
        let wanted = ((total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0u64;
        let found = histogram.iter().position(|count| {
            seen += u64::from(*count);
            seen >= wanted
        });
        u8::try_from(found.unwrap_or(0)).unwrap_or(u8::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_small_histogram() {
        let mut h = [0u32; 256];
        h[10] = 1;
        h[20] = 8;
        h[250] = 1;
        assert_eq!(percentiles(&h, [0.05, 0.5, 0.95]), [10, 20, 250]);
        assert_eq!(percentiles(&[0u32; 256], [0.5]), [0]);
    }
}
