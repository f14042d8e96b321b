//! What a frame is: its format, and where it stands in its stream.

use super::color::ColorSpec;
use super::geometry::Size;
use super::pixel::PixelFormat;
use super::time::Rational;

/// Shape and colour of a frame: all that kernels need to know besides the samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameDesc {
    /// Sample layout.
    pub format: PixelFormat,
    /// Picture size in pixels.
    pub size: Size,
    /// Colour description; meaningless for grey and RGB formats.
    pub color: ColorSpec,
}

/// Where a frame stands in its stream. Travels with the frame, unchanged, to the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameInfo {
    /// Source this frame belongs to, counted by the caller (file, video track).
    pub stream: u32,
    /// Position in decoding output order, from 0. A label: use `pts` for time.
    pub index: u64,
    /// Presentation timestamp in units of `time_base`; `None` where the container has none.
    pub pts: Option<i64>,
    /// Unit of `pts` and `duration`, in seconds.
    pub time_base: Rational,
    /// Duration in units of `time_base`, 0 if unknown.
    pub duration: i64,
    /// Whether the frame is a key frame.
    pub key: bool,
    /// Whether the decoder reported damage in this frame.
    pub damaged: bool,
}

impl FrameInfo {
    /// Presentation time in seconds, if known.
    pub fn seconds(&self) -> Option<f64> {
        self.pts.map(|p| self.time_base.seconds(p))
    }
}
