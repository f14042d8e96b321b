//! Tensors made of pictures: parameters to try, rectangles to cut, and the comparer.

use super::table::Trial;
use frameloom::core::*;
use frameloom::ops::OpInfo;
use frameloom::ops::tensor::{PackParams, TensorBox};

pub const COLORS: [ColorSpec; 3] = [
    ColorSpec::BT709,
    ColorSpec { matrix: YuvMatrix::Bt601, range: ColorRange::Full, siting: ChromaSiting::Center },
    ColorSpec { matrix: YuvMatrix::Bt2020, range: ColorRange::Limited, siting: ChromaSiting::TopLeft },
];

/// Stretched RGB in 0..=1, a letterbox with the normalisation of ImageNet in BGR, one in the corner with large factors.
pub fn specs(width: u32, height: u32) -> [TensorSpec; 3] {
    let unit = TensorSpec::unit(Size::new(width, height));
    let imagenet = unit.with_mean_std([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let boxed = |anchor, pad| Fit::Letterbox { pad, anchor };
    [
        unit,
        TensorSpec { fit: boxed(Anchor::Center, 114.0 / 255.0), order: ChannelOrder::Bgr, ..imagenet },
        TensorSpec { fit: boxed(Anchor::TopLeft, 0.0), mul: [255.0, -2.0, 0.0], add: [0.5, 100.0, 7.0], ..unit },
    ]
}

/// Parameters by number: colours, specs, samplings in turn.
pub fn params(i: usize, (width, height): (u32, u32)) -> PackParams {
    let sampling = [Sampling::Bilinear, Sampling::Area][i % 2];
    PackParams { color: COLORS[i / 2 % 3], spec: specs(width, height)[i / 3 % 3], sampling, half: false }
}

/// Of each picture the whole, its corner, one pixel, a thin strip, or its upper right; pictures in reversed order, too.
pub fn boxes(trial: &Trial) -> Vec<TensorBox> {
    let rect = |x, y, width, height| Rect { x, y, width, height };
    let crop = |slot: u32| {
        let size = trial.pictures[slot as usize].0.size;
        let Size { width: w, height: h } = size;
        let crops = [
            Rect::full(size),
            rect(w / 2, h / 2, w - w / 2, h - h / 2),
            rect(w - 1, h - 1, 1, 1),
            rect(0, h / 3, w, 1),
            rect(w / 3, 0, w - w / 3, h.div_ceil(2)),
        ];
        TensorBox { slot, crop: crops[slot as usize % 5] }
    };
    let slots = trial.pictures.len() as u32;
    let all = (0..slots).map(|slot| TensorBox { crop: Rect::full(trial.pictures[slot as usize].0.size), slot });
    all.chain((0..slots).rev().map(crop)).collect()
}

/// What the registry promises: absolute in units of rgb, times the factor of the channel, and half a unit in the last place of each of
/// the two roundings of factor and summand. f16 adds its own rounding to nearest.
pub fn violation(info: &OpInfo, got: &[f32], want: &[f32], p: PackParams, layout: TensorLayout) -> Option<String> {
    let Exactness::Abs(bound) = info.exactness else { panic!("{:?}", info.exactness) };
    let plane = p.spec.size.area() as usize;
    super::vectors::violation(got, want, |i| {
        let c = match layout {
            TensorLayout::Nchw => i / plane % 3,
            TensorLayout::Nhwc => i % 3,
        };
        let (mul, add) = (f64::from(p.spec.mul[c].abs()), f64::from(p.spec.add[c].abs()));
        let distance = bound * mul + (mul + add) * f64::from(f32::EPSILON);
        // 2^-11 of the value, or half of the smallest step.
        let half = if p.half { (f64::from(want[i].abs()) + distance) / 2048.0 + 3e-8 } else { 0.0 };
        distance + half
    })
}
