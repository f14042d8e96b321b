//! `color/yuv_change`: a YUV frame changed as an RGB picture of it was.

use crate::Result;
use crate::core::{ColorSpec, PixelFormat, YuvCoefficients};
use crate::reference::plane::{FrameSlot, Plane, unfit};

/// Samples of Y, U and V, each row by row at its own resolution; U and V are empty for grey.
pub type Samples = [Vec<u32>; 3];

/// The samples of `frame` with what differs between `before` and `after` added, both RGBA of its size.
///
/// With `d = after - before` per channel and the factors of [`YuvCoefficients`], luma becomes `y + ((k d + 2^15) >> 16)` and chroma
/// `u + ((k sum d + 2^(15 + s)) >> (16 + s))`, where the sum goes over the `2^s` pixels that the sample covers (pixels outside the
/// picture repeat its last column and row); arithmetic shifts, the result is clamped to the codes. A sample whose change is 0 is
/// what it was.
///
/// # Errors
/// [`crate::Error::Parameter`] for RGB frames and pictures of another size or without four channels.
pub fn yuv_change(frame: &FrameSlot<'_>, before: &Plane<'_>, after: &Plane<'_>, color: ColorSpec) -> Result<Samples> {
    const OP: &str = "color/yuv_change";
    let (format, size) = (frame.format(), frame.size());
    if format == PixelFormat::Rgba8 {
        return Err(unfit(OP, "input", "YUV or grey", format.name()));
    }
    for (name, picture) in [("before", before), ("after", after)] {
        picture.expect_channels(OP, 4)?;
        if picture.size() != size {
            return Err(unfit(OP, name, size.to_string(), picture.size()));
        }
    }
    let most = (1i64 << format.bits()) - 1;
    let [luma, chroma @ ..] = YuvCoefficients::for_format(color, format).m;
    let change = |x: u32, y: u32, c: u32| i64::from(after.at(x, y, c)) - i64::from(before.at(x, y, c));
    let sample = |component: u32, x: u32, y: u32, factors: [i32; 3], pixels: &[(u32, u32)]| {
        let sum: i64 =
            pixels.iter().flat_map(|(x, y)| (0..3).zip(factors).map(|(c, k)| i64::from(k) * change(*x, *y, c))).sum();
        let shift = 16 + pixels.len().trailing_zeros();
        let d = (sum + (1 << (shift - 1))) >> shift;
        let value = i64::from(frame.sample(component, x, y));
        if d == 0 { value as u32 } else { (value + d).clamp(0, most) as u32 }
    };
    let y = before.pixels().map(|(x, y)| sample(0, x, y, luma, &[(x, y)])).collect();
    if !format.has_chroma() {
        return Ok([y, Vec::new(), Vec::new()]);
    }
    let ((sx, sy), count) = (format.chroma_shift(), format.chroma_size(size));
    let planes = [1u32, 2].map(|component| {
        let factors = chroma[component as usize - 1];
        let places = (0..count.height).flat_map(|j| (0..count.width).map(move |i| (i, j)));
        let one = |(i, j): (u32, u32)| {
            let inside = |(x, y): (u32, u32)| (x.min(size.width - 1), y.min(size.height - 1));
            let block = (0..1 << sy).flat_map(|r| (0..1 << sx).map(move |c| ((i << sx) + c, (j << sy) + r)));
            sample(component, i, j, factors, &block.map(inside).collect::<Vec<_>>())
        };
        places.map(one).collect()
    });
    let [u, v] = planes;
    Ok([y, u, v])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{FrameLayout, Size};

    #[test]
    fn white_over_grey_by_hand() {
        let size = Size::new(3, 1);
        let layout = FrameLayout::of(PixelFormat::I420, size).unwrap();
        let mut data = vec![128; layout.slot_bytes() as usize];
        data[..3].copy_from_slice(&[100, 100, 230]);
        let frame = FrameSlot::new(layout, &data).unwrap();
        let before = [90, 90, 90, 255].repeat(3);
        let mut after = before.clone();
        // The second pixel turns 51 levels bluer, the third 200 levels brighter than it can be.
        after[6] = 141;
        after[8..11].copy_from_slice(&[255; 3]);
        let plane = |data| Plane::interleaved(size, 4, 12, data).unwrap();
        let [y, u, v] = yuv_change(&frame, &plane(&before), &plane(&after), ColorSpec::BT601).unwrap();
        // 51 * 0.114 * 219/255 = 4.99; 165 * 219/255 = 141.7, cut off at 255.
        assert_eq!(y, [100, 105, 255]);
        // Blue: 51 * 0.5 * 224/255 = 22.4, half of it over two pixels; V: -0.0813 * 51 * 224/255 / 2 = -1.8. Grey leaves chroma alone.
        assert_eq!((u, v), (vec![139, 128], vec![126, 128]));
        let same = yuv_change(&frame, &plane(&before), &plane(&before), ColorSpec::BT601).unwrap();
        assert_eq!(same[0], [100, 100, 230]);
        let narrow = Plane::interleaved(Size::new(2, 1), 4, 8, &before).unwrap();
        assert!(yuv_change(&frame, &narrow, &plane(&before), ColorSpec::BT601).is_err());
        assert!(yuv_change(&frame, &plane(&before), &narrow, ColorSpec::BT601).is_err());
    }
}
