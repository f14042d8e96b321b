//! `fused/analyze_frame`: what the references of the single operations say about one frame.

use crate::Result;
use crate::core::{FrameAnalysis, Size, Thumbnail};
use crate::reference::colors::Colors;
use crate::reference::edges::{canny::canny, edge_density::edge_density};
use crate::reference::histogram::{hsv3d::hsv3d, luma::luma as luma_histogram, unique_colors::unique_colors};
use crate::reference::plane::{FrameSlot, Plane, unfit};
use crate::reference::quality::{border_occlusion::border_occlusion, complexity::gray, lighting::lighting};
use crate::reference::resize::area::area_weights;
use crate::reference::sharpness::noise_residual::noise_residual;
use crate::reference::stats::luma::luma;

/// What is asked for; see the operation of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// Thresholds of Canny, and the width of the border where it is asked for.
    pub edges: Option<((u16, u16), Option<u32>)>,
    /// Different colours.
    pub colors: bool,
    /// Patches of HSV value.
    pub lighting: bool,
    /// Luma statistics, with the codes of dark and bright.
    pub luma: Option<(u8, u8)>,
    /// Residual of the 5x5 blur.
    pub residual: bool,
    /// Bins of grey.
    pub luma_bins: Option<u32>,
    /// Bins of hue, saturation and value.
    pub hsv: Option<[u32; 3]>,
    /// Size of the thumbnail.
    pub thumbnail: Option<Size>,
}

/// Coverage-weighted means of `src` as in [`crate::reference::resize::area`], which they equal where `to` is not larger along either axis;
/// where it is, pixels are repeated by the part that they cover.
///
/// # Errors
/// [`crate::Error::Parameter`] for more than one channel or an empty size.
pub fn thumbnail(src: &Plane<'_>, to: Size) -> Result<Thumbnail> {
    const OP: &str = "fused/analyze_frame";
    src.expect_channels(OP, 1)?;
    if to.is_empty() {
        return Err(unfit(OP, "thumbnail", "at least 1x1", to));
    }
    let from = src.size();
    let mean = |x: u32, y: u32| {
        let mut sum = from.area() / 2;
        for (j, wy) in area_weights(y, from.height, to.height) {
            for (i, wx) in area_weights(x, from.width, to.width) {
                sum += wx * wy * u64::from(src.at(i, j, 0));
            }
        }
        (sum / from.area()) as u8
    };
    let pixels = (0..to.height).flat_map(|y| (0..to.width).map(move |x| (x, y))).map(|(x, y)| mean(x, y)).collect();
    Ok(Thumbnail { size: to, pixels })
}

/// `colors`: those of the same frame. Every part is that of the operation of its own, on grey as in
/// [`crate::reference::quality::complexity`] where it needs grey.
///
/// # Errors
/// Those of the parts.
pub fn analyze_frame(frame: &FrameSlot<'_>, colors: &Colors, parts: &Parts) -> Result<FrameAnalysis> {
    let (size, gray) = gray(frame);
    let plane = Plane::tight(size, &gray)?;
    let mut out = FrameAnalysis::of(size);
    if let Some(((low, high), border)) = parts.edges {
        let edges = canny(&plane, low, high)?;
        out.edges = Some(edge_density(&edges));
        out.border = border.map(|b| border_occlusion(&plane, &Plane::tight(size, &edges)?, b)).transpose()?;
    }
    out.unique_colors = parts.colors.then(|| unique_colors(colors));
    out.lighting = parts.lighting.then(|| lighting(colors));
    out.luma = parts.luma.map(|(dark, bright)| luma(&plane, dark, bright)).transpose()?;
    out.residual = parts.residual.then(|| noise_residual(&plane)).transpose()?;
    out.luma_bins = parts.luma_bins.map(|bins| luma_histogram(&plane, bins, 1)).transpose()?;
    out.hsv_bins = parts.hsv.map(|bins| hsv3d(colors, bins)).transpose()?;
    out.thumbnail = parts.thumbnail.map(|to| thumbnail(&plane, to)).transpose()?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{FrameLayout, PixelFormat};
    use crate::reference::Pattern;
    use crate::reference::resize::area::area;

    #[test]
    fn thumbnails_are_area_means() {
        let size = Size::new(50, 37);
        let data = Pattern::Random { seed: 4 }.plane(size, 1, 50);
        let plane = Plane::tight(size, &data).unwrap();
        for to in [Size::new(9, 8), Size::new(32, 32), Size::new(1, 1), size] {
            assert_eq!(thumbnail(&plane, to).unwrap().pixels, area(&plane, to).unwrap());
        }
        let two = Plane::tight(Size::new(2, 1), &[10, 21]).unwrap();
        assert_eq!(thumbnail(&two, Size::new(3, 2)).unwrap().pixels, [10, 16, 21, 10, 16, 21]);
        assert!(thumbnail(&two, Size::new(0, 2)).is_err());
    }

    #[test]
    fn only_what_is_asked_for_is_there() {
        let layout = FrameLayout::of(PixelFormat::Gray8, Size::new(5, 4)).unwrap();
        let slot = Pattern::Ramp.frame(&layout);
        let frame = FrameSlot::new(layout, &slot).unwrap();
        let pixels = frame.luma8().unwrap().into_iter().map(|v| [v; 3]).collect();
        let colors = Colors::new(layout.size, pixels).unwrap();
        let none = Parts {
            edges: None,
            colors: false,
            lighting: false,
            luma: None,
            residual: false,
            luma_bins: None,
            hsv: None,
            thumbnail: None,
        };
        let of = |parts: &Parts| analyze_frame(&frame, &colors, parts).unwrap();
        assert_eq!(of(&none), FrameAnalysis::of(layout.size));
        let some = of(&Parts { colors: true, luma_bins: Some(2), edges: Some(((50, 150), None)), ..none });
        assert_eq!((some.unique_colors, some.border, some.luma_bins), (Some(5), None, Some(vec![12, 8])));
        assert_eq!(some.edges.map(|e| e.pixels), Some(20));
    }
}
