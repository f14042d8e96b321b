//! How a picture becomes the input tensor of a model: size, fit, channel order, normalisation.

use super::geometry::{Rect, Size};
use super::vision::{BoxF, Point};

/// The channels of a tensor and their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first.
    Bgr,
    /// One channel: the luma of YUV brought to 0..=1, the grey of BT.601 of packed RGB.
    Gray,
}

impl ChannelOrder {
    /// Channels of a pixel.
    pub const fn channels(self) -> u32 {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Gray => 1,
        }
    }
}

/// Where a letterboxed picture lies in its tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// In the middle; an odd rest goes to the right and the bottom.
    Center,
    /// In the top-left corner.
    TopLeft,
}

/// How a source rectangle fits a tensor of another aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fit {
    /// Fill the tensor; the aspect ratio is not kept.
    Stretch,
    /// Keep the aspect ratio, fill the rest with `pad`.
    Letterbox {
        /// Grey of the border in 0..=1, before normalisation (114/255 for the YOLO family).
        pad: f32,
        /// Place of the picture.
        anchor: Anchor,
    },
}

impl Fit {
    /// The rectangle of a `target` tensor that a `source` picture fills. Sides must not be zero.
    ///
    /// Stretch: all of it. Letterbox: the side that limits is filled, the other one is `source * scale` rounded to
    /// nearest, halves up, at least 1, in exact integers.
    pub fn content(self, source: Size, target: Size) -> Rect {
        let Self::Letterbox { anchor, .. } = self else {
            return Rect::full(target);
        };
        let [sw, sh, tw, th] = [source.width, source.height, target.width, target.height].map(u64::from);
        let scaled = |v: u64, num: u64, den: u64| ((v * num + den / 2) / den.max(1)).max(1) as u32;
        let (width, height) = if tw * sh <= th * sw {
            (target.width, scaled(sh, tw, sw).min(target.height))
        } else {
            (scaled(sw, th, sh).min(target.width), target.height)
        };
        let (x, y) = match anchor {
            Anchor::Center => ((target.width - width) / 2, (target.height - height) / 2),
            Anchor::TopLeft => (0, 0),
        };
        Rect { x, y, width, height }
    }
}

/// What a model wants: `[N, C, height, width]` in f32, each value `rgb * mul[c] + add[c]` with rgb in 0..=1; C is 3, or 1 for grey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorSpec {
    /// Width and height of the tensor.
    pub size: Size,
    /// How the source rectangle fits.
    pub fit: Fit,
    /// Order of channels.
    pub order: ChannelOrder,
    /// Factor per channel, in the order of the tensor; the first one alone for grey.
    pub mul: [f32; 3],
    /// Summand per channel, in the order of the tensor; the first one alone for grey.
    pub add: [f32; 3],
}

impl TensorSpec {
    /// RGB in 0..=1, stretched to `size`.
    pub const fn unit(size: Size) -> Self {
        Self { size, fit: Fit::Stretch, order: ChannelOrder::Rgb, mul: [1.0; 3], add: [0.0; 3] }
    }

    /// The same with `(rgb - mean) / std`, both per channel in tensor order and in units of 0..=1.
    #[must_use]
    pub fn with_mean_std(self, mean: [f32; 3], std: [f32; 3]) -> Self {
        let mul = std.map(|s| 1.0 / s);
        let [m0, m1, m2] = mean;
        let [k0, k1, k2] = mul;
        Self { mul, add: [-m0 * k0, -m1 * k1, -m2 * k2], ..self }
    }
}

/// How a resampled pixel is made from those of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sampling {
    /// From the four around its centre. Below half the size pixels are skipped.
    Bilinear,
    /// As the mean of all it covers, weighted by how much.
    Area,
}

/// Order of the numbers of a tensor of pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TensorLayout {
    /// `[N, C, height, width]`: one plane a channel.
    Nchw,
    /// `[N, height, width, C]`: the channels of a pixel together. The same numbers as the other for one channel.
    Nhwc,
}

/// What lies outside a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outside {
    /// The nearest pixel of the picture.
    Clamp,
    /// This grey in 0..=1, before normalisation.
    Pad(f32),
}

/// A rectangle in pixels that may lie outside its picture in part, or wholly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BoxRect {
    /// Left edge.
    pub x: i32,
    /// Top edge.
    pub y: i32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl From<Rect> for BoxRect {
    /// Sides above `i32::MAX` do not occur in pictures.
    fn from(r: Rect) -> Self {
        let signed = |v: u32| i32::try_from(v).unwrap_or(i32::MAX);
        Self { x: signed(r.x), y: signed(r.y), width: r.width, height: r.height }
    }
}

/// How the numbers of a cell become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GridPooling {
    /// Their mean.
    Average,
    /// `mean(max(x, 1e-6)^p)^(1/p)`: the mean for 1, the maximum in the limit (GeM, Radenovic et al. 2018).
    GeneralizedMean {
        /// 1 to 64.
        p: f32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    #[test]
    fn letterbox_of_known_shapes() {
        let boxed = |anchor| Fit::Letterbox { pad: 0.5, anchor };
        let (wide, square) = (Size::new(1920, 1080), Size::new(640, 640));
        assert_eq!(boxed(Anchor::Center).content(wide, square), rect(0, 140, 640, 360));
        assert_eq!(boxed(Anchor::TopLeft).content(wide, square), rect(0, 0, 640, 360));
        assert_eq!(boxed(Anchor::Center).content(wide.transposed(), square), rect(140, 0, 360, 640));
        assert_eq!(boxed(Anchor::Center).content(Size::new(3, 2), Size::new(5, 5)), rect(0, 1, 5, 3));
        assert_eq!(boxed(Anchor::Center).content(Size::new(1000, 1), Size::new(8, 8)), rect(0, 3, 8, 1));
        assert_eq!(Fit::Stretch.content(wide, square), Rect::full(square));
    }

    #[test]
    fn letterbox_always_lies_inside_and_touches_two_sides() {
        let fit = Fit::Letterbox { pad: 0.0, anchor: Anchor::Center };
        for w in 1..40 {
            for h in 1..40 {
                let target = Size::new(17, 9);
                let r = fit.content(Size::new(w, h), target);
                assert!(r.fits(target) && (r.width == 17 || r.height == 9), "{w}x{h}: {r:?}");
            }
        }
    }

    #[test]
    fn mean_and_std_become_factor_and_summand() {
        let t = TensorSpec::unit(Size::new(2, 2)).with_mean_std([0.5, 0.25, 0.0], [0.5, 0.25, 2.0]);
        assert_eq!((t.mul, t.add), ([2.0, 4.0, 0.5], [-1.0, -1.0, 0.0]));
    }
}

/// Where a box of a picture lies in a tensor, to bring what a model finds back into the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TensorPlace {
    /// The box in the picture.
    pub source: BoxRect,
    /// What it fills of the tensor.
    pub content: Rect,
    /// Width and height of the tensor.
    pub tensor: Size,
}

impl TensorPlace {
    /// Where `source` lies in a tensor made by `spec`.
    pub fn new(spec: &TensorSpec, source: BoxRect) -> Self {
        let content = spec.fit.content(Size::new(source.width.max(1), source.height.max(1)), spec.size);
        Self { source, content, tensor: spec.size }
    }

    /// Pixels of the picture per pixel of the tensor, horizontally and vertically.
    pub fn scale(&self) -> (f32, f32) {
        (
            self.source.width as f32 / self.content.width.max(1) as f32,
            self.source.height as f32 / self.content.height.max(1) as f32,
        )
    }

    /// From pixels of the tensor to pixels of the picture.
    pub fn point(&self, p: Point) -> Point {
        let (sx, sy) = self.scale();
        Point {
            x: self.source.x as f32 + (p.x - self.content.x as f32) * sx,
            y: self.source.y as f32 + (p.y - self.content.y as f32) * sy,
        }
    }

    /// From pixels of the tensor to pixels of the picture.
    pub fn rect(&self, r: BoxF) -> BoxF {
        let (sx, sy) = self.scale();
        let Point { x, y } = self.point(Point { x: r.x, y: r.y });
        BoxF { x, y, width: r.width * sx, height: r.height * sy }
    }
}

#[cfg(test)]
mod place_tests {
    use super::*;

    #[test]
    fn a_place_brings_corners_back() {
        let spec = TensorSpec {
            fit: Fit::Letterbox { pad: 0.0, anchor: Anchor::Center },
            ..TensorSpec::unit(Size::new(100, 100))
        };
        let place = TensorPlace::new(&spec, BoxRect { x: 10, y: -20, width: 400, height: 200 });
        assert_eq!(place.content, Rect { x: 0, y: 25, width: 100, height: 50 });
        assert_eq!(place.point(Point { x: 0.0, y: 25.0 }), Point { x: 10.0, y: -20.0 });
        assert_eq!(place.point(Point { x: 100.0, y: 75.0 }), Point { x: 410.0, y: 180.0 });
    }
}
