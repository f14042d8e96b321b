//! Caller's planes into the planar 4:2:0 picture that encoders take. Pure loops over checked rows.
#![allow(clippy::indexing_slicing, reason = "pixel loops; sizes are checked in `check` before any of them runs")]

use crate::core::{ChromaSiting, ColorSpec, PixelFormat, Size, YuvCoefficients};
use crate::error::{Error, Result};

/// One plane of a picture handed to a writer.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// Samples, row after row.
    pub data: &'a [u8],
    /// Bytes from the start of one row to the start of the next; at least the bytes of a row.
    pub stride: usize,
}

/// A planar 4:2:0 picture of even size with its own memory.
#[derive(Debug, Clone)]
pub(crate) struct I420 {
    pub(crate) size: Size,
    planes: [Vec<u8>; 3],
}

impl I420 {
    /// A picture of `size`, which must be even.
    pub(crate) fn new(size: Size) -> Self {
        let luma = size.width as usize * size.height as usize;
        Self { size, planes: [vec![0; luma], vec![0; luma / 4], vec![0; luma / 4]] }
    }

    /// Rows of plane `index`, without padding.
    pub(crate) fn rows(&self, index: usize) -> impl Iterator<Item = &[u8]> {
        let width = if index == 0 { self.size.width } else { self.size.width / 2 };
        self.planes[index].chunks_exact(width as usize)
    }

    /// Fills the picture from the caller's planes of `size` (at most one row and one column smaller than the
    /// picture: the last ones are repeated).
    pub(crate) fn fill(
        &mut self,
        format: PixelFormat,
        size: Size,
        planes: &[Plane<'_>],
        color: &ColorSpec,
    ) -> Result<()> {
        check(format, size, planes)?;
        let (w, h) = (size.width as usize, size.height as usize);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        let (pw, pcw) = (self.size.width as usize, self.size.width as usize / 2);
        match format {
            PixelFormat::I420 => {
                copy(&mut self.planes[0], pw, planes[0], w, h, |r, x| r[x]);
                copy(&mut self.planes[1], pcw, planes[1], cw, ch, |r, x| r[x]);
                copy(&mut self.planes[2], pcw, planes[2], cw, ch, |r, x| r[x]);
            }
            PixelFormat::Nv12 => {
                copy(&mut self.planes[0], pw, planes[0], w, h, |r, x| r[x]);
                copy(&mut self.planes[1], pcw, planes[1], cw, ch, |r, x| r[2 * x]);
                copy(&mut self.planes[2], pcw, planes[1], cw, ch, |r, x| r[2 * x + 1]);
            }
            PixelFormat::Rgba8 => self.fill_from_rgba(size, planes[0], color),
            _ => self.fill_from_rare(format, size, planes, color.siting),
        }
        Ok(())
    }

    /// Fills the picture from what 4:2:0 encoders do not take: more chroma is averaged around where 4:2:0 has its samples, 10 bits are rounded
    /// to 8, grey gets neutral chroma.
    fn fill_from_rare(&mut self, format: PixelFormat, size: Size, planes: &[Plane<'_>], siting: ChromaSiting) {
        let (w, h) = (size.width as usize, size.height as usize);
        let deep = matches!(format, PixelFormat::P010 | PixelFormat::I010 | PixelFormat::I210 | PixelFormat::I410);
        let high = format == PixelFormat::P010;
        let at = |plane: usize, x: usize, y: usize| -> i32 {
            let row = &planes[plane].data[y * planes[plane].stride..];
            if !deep {
                return i32::from(row[x]);
            }
            let word = u16::from_le_bytes([row[2 * x], row[2 * x + 1]]) >> if high { 6 } else { 0 };
            i32::from(((word + 2) >> 2).min(255))
        };
        let (pw, pcw) = (self.size.width as usize, self.size.width as usize / 2);
        for (y, row) in self.planes[0].chunks_exact_mut(pw).enumerate() {
            for (x, out) in row.iter_mut().enumerate() {
                *out = at(0, x.min(w - 1), y.min(h - 1)) as u8;
            }
        }
        // A weight on the middle one of the three columns or rows takes the sample as it is.
        const ALONE: [i32; 3] = [0, 4, 0];
        let (across, down) = chroma_weights(siting);
        let (wide, tall) = match format {
            PixelFormat::I444 | PixelFormat::I410 => (true, true),
            PixelFormat::I422 | PixelFormat::I210 => (false, true),
            _ => (false, false),
        };
        let (hx, vy) = (if wide { across } else { ALONE }, if tall { down } else { ALONE });
        let (cw, ch) = (if wide { w } else { w.div_ceil(2) }, if tall { h } else { h.div_ceil(2) });
        for plane in 1..3 {
            for (y, row) in self.planes[plane].chunks_exact_mut(pcw).enumerate() {
                for (x, out) in row.iter_mut().enumerate() {
                    if format == PixelFormat::Gray8 {
                        *out = 128;
                        continue;
                    }
                    let (x0, y0) = (if wide { 2 * x } else { x }, if tall { 2 * y } else { y });
                    let mut sum = 0;
                    for (j, wy) in vy.iter().enumerate().filter(|(_, w)| **w > 0) {
                        for (i, wx) in hx.iter().enumerate().filter(|(_, w)| **w > 0) {
                            let (x, y) =
                                ((x0 + i).saturating_sub(1).min(cw - 1), (y0 + j).saturating_sub(1).min(ch - 1));
                            sum += wx * wy * if high { at(1, 2 * x + plane - 1, y) } else { at(plane, x, y) };
                        }
                    }
                    *out = ((sum + 8) >> 4) as u8;
                }
            }
        }
    }

    fn fill_from_rgba(&mut self, size: Size, source: Plane<'_>, color: &ColorSpec) {
        let m = Forward::new(color);
        let (w, h) = (size.width as usize, size.height as usize);
        // The pixels of a row, of which those outside repeat the nearest one.
        let row = |y: usize| source.data[y.min(h - 1) * source.stride..][..4 * w].as_chunks::<4>().0;
        // Channels of words: what a compiler does for several pixels at once.
        let rgb = |p: &[u8; 4]| {
            let p = u32::from_le_bytes(*p);
            [p & 255, (p >> 8) & 255, (p >> 16) & 255].map(|v| v as i32)
        };
        let (pw, pcw) = (self.size.width as usize, self.size.width as usize / 2);
        for (y, out) in self.planes[0].chunks_exact_mut(pw).enumerate() {
            let from = row(y);
            out.iter_mut().zip(from).for_each(|(out, p)| *out = m.luma(rgb(p)));
            out[w..].fill(m.luma(rgb(&from[w - 1])));
        }
        let (hx, vy) = chroma_weights(color.siting);
        let [_, us, vs] = &mut self.planes;
        // Columns of a row and the two beside it, added up by weight: red, green, blue, each with its first and last column repeated.
        let mut sums = [0, 1, 2].map(|_| vec![0i32; 2 * pcw + 2]);
        for (y, (urow, vrow)) in us.chunks_exact_mut(pcw).zip(vs.chunks_exact_mut(pcw)).enumerate() {
            let [reds, greens, blues] = &mut sums;
            for (j, wy) in vy.iter().enumerate().filter(|(_, w)| **w > 0) {
                let first = vy.iter().take(j).all(|w| *w == 0);
                // Index 0 is the row before; at the edge it repeats the first one.
                let columns = reds[1..].iter_mut().zip(&mut greens[1..]).zip(&mut blues[1..]);
                for (((red, green), blue), p) in columns.zip(row((2 * y + j).saturating_sub(1))) {
                    let [r, g, b] = rgb(p);
                    let before = if first { [0; 3] } else { [*red, *green, *blue] };
                    [*red, *green, *blue] = [before[0] + wy * r, before[1] + wy * g, before[2] + wy * b];
                }
            }
            for sums in [&mut *reds, greens, blues] {
                sums[0] = sums[1];
                let last = sums[w];
                sums[w + 1..].fill(last);
            }
            let [p, q, r] = hx;
            let across = |sums: &[i32], x: usize| p * sums[2 * x] + q * sums[2 * x + 1] + r * sums[2 * x + 2];
            for (x, (u, v)) in urow.iter_mut().zip(vrow).enumerate() {
                (*u, *v) = m.chroma([across(reds, x), across(greens, x), across(blues, x)]);
            }
        }
    }
}

/// Weights (sum 4) of the columns `2x-1, 2x, 2x+1` and the rows `2y-1, 2y, 2y+1` that make up one chroma sample.
fn chroma_weights(siting: ChromaSiting) -> ([i32; 3], [i32; 3]) {
    const BOX: [i32; 3] = [0, 2, 2];
    const TENT: [i32; 3] = [1, 2, 1];
    match siting {
        ChromaSiting::Center => (BOX, BOX),
        ChromaSiting::Left => (TENT, BOX),
        ChromaSiting::TopLeft => (TENT, TENT),
    }
}

/// Copies `w` x `h` samples row by row and repeats the last column and row up to the picture's size.
fn copy(out: &mut [u8], out_w: usize, plane: Plane<'_>, w: usize, h: usize, at: impl Fn(&[u8], usize) -> u8) {
    for (y, row) in out.chunks_exact_mut(out_w).enumerate() {
        let source = &plane.data[y.min(h - 1) * plane.stride..];
        for (x, out) in row.iter_mut().enumerate() {
            *out = at(source, x.min(w - 1));
        }
    }
}

/// Checks the number of planes, their strides and their lengths.
pub(crate) fn check(format: PixelFormat, size: Size, planes: &[Plane<'_>]) -> Result<()> {
    let wrong =
        |wanted: String, given: String| Err(Error::Parameter { op: "media/encode", name: "planes", wanted, given });
    if planes.len() != format.plane_count() {
        return wrong(format!("{} planes of {format}", format.plane_count()), planes.len().to_string());
    }
    for (index, plane) in planes.iter().enumerate() {
        let shape = format.plane_shape(size, index).ok_or_else(|| Error::Bug(format!("no plane {index}")))?;
        let row = shape.row_bytes() as usize;
        if plane.stride < row {
            return wrong(format!("a stride of at least {row} bytes in plane {index}"), plane.stride.to_string());
        }
        let needed = (shape.rows as usize).saturating_sub(1).saturating_mul(plane.stride).saturating_add(row);
        if plane.data.len() < needed {
            return wrong(format!("at least {needed} bytes in plane {index}"), plane.data.len().to_string());
        }
    }
    Ok(())
}

/// RGB to code values in 16.16 fixed point, see [`YuvCoefficients`]. Sums stay below
/// `16 * 255 * 65536`, which is 2^28.
struct Forward {
    y: [i32; 3],
    u: [i32; 3],
    v: [i32; 3],
    black: i32,
}

impl Forward {
    fn new(color: &ColorSpec) -> Self {
        let [y, u, v] = YuvCoefficients::new(*color, 8).m;
        let black = i32::from(color.range.luma_codes().0);
        Self { y, u, v, black }
    }

    #[inline]
    fn luma(&self, [r, g, b]: [i32; 3]) -> u8 {
        let [kr, kg, kb] = self.y;
        clamp(self.black + ((kr * r + kg * g + kb * b + (1 << 15)) >> 16))
    }

    /// Chroma of an RGB sum of weight 16.
    #[inline]
    fn chroma(&self, [r, g, b]: [i32; 3]) -> (u8, u8) {
        let one = |[kr, kg, kb]: &[i32; 3]| clamp(128 + ((kr * r + kg * g + kb * b + (1 << 19)) >> 20));
        (one(&self.u), one(&self.v))
    }
}

fn clamp(v: i32) -> u8 {
    v.clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{ColorRange, YuvMatrix};

    fn rgba(size: Size, f: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
        let mut v = Vec::new();
        for y in 0..size.height {
            for x in 0..size.width {
                let [r, g, b] = f(x, y);
                v.extend([r, g, b, 255]);
            }
        }
        v
    }

    #[test]
    fn flat_colours_come_back_through_the_inverse_matrix() {
        for matrix in [YuvMatrix::Bt601, YuvMatrix::Bt709, YuvMatrix::Bt2020] {
            for range in [ColorRange::Limited, ColorRange::Full] {
                for siting in [ChromaSiting::Left, ChromaSiting::Center, ChromaSiting::TopLeft] {
                    let color = ColorSpec { matrix, range, siting };
                    let size = Size::new(4, 4);
                    for rgb in [[0, 0, 0], [255, 255, 255], [200, 30, 90], [0, 255, 0], [10, 20, 250]] {
                        let data = rgba(size, |_, _| rgb);
                        let mut pic = I420::new(size);
                        pic.fill(PixelFormat::Rgba8, size, &[Plane { data: &data, stride: 16 }], &color).unwrap();
                        let at = |p: usize| f64::from(pic.planes[p][3]);
                        for (row, want) in color.rgb_from_yuv(8).iter().zip(rgb) {
                            let got = 255.0 * (row[0] * at(0) + row[1] * at(1) + row[2] * at(2) + row[3]);
                            assert!((got - f64::from(want)).abs() < 2.0, "{color:?} {rgb:?}: {got}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn odd_pictures_repeat_the_last_column_and_row() {
        let (size, padded) = (Size::new(3, 3), Size::new(4, 4));
        let y: Vec<u8> = (0..9).collect();
        let uv: Vec<u8> = vec![10, 20, 11, 21, 12, 22, 13, 23];
        let mut pic = I420::new(padded);
        let planes = [Plane { data: &y, stride: 3 }, Plane { data: &uv, stride: 4 }];
        pic.fill(PixelFormat::Nv12, size, &planes, &ColorSpec::BT601).unwrap();
        let luma: Vec<&[u8]> = pic.rows(0).collect();
        assert_eq!(luma, [&[0u8, 1, 2, 2][..], &[3, 4, 5, 5], &[6, 7, 8, 8], &[6, 7, 8, 8]]);
        assert_eq!((&pic.planes[1][..], &pic.planes[2][..]), (&[10, 11, 12, 13][..], &[20, 21, 22, 23][..]));
    }

    #[test]
    fn siting_moves_a_vertical_edge() {
        // Columns 0 and 1 black, 2 and 3 blue: centred chroma sees a sharp edge, left-sited chroma a soft one.
        let size = Size::new(4, 2);
        let data = rgba(size, |x, _| if x < 2 { [0, 0, 0] } else { [0, 0, 255] });
        let u = |siting| {
            let mut pic = I420::new(size);
            let color = ColorSpec { siting, ..ColorSpec::BT601 };
            pic.fill(PixelFormat::Rgba8, size, &[Plane { data: &data, stride: 16 }], &color).unwrap();
            (pic.planes[1][0], pic.planes[1][1])
        };
        assert_eq!(u(ChromaSiting::Center), (128, 240));
        assert_eq!(u(ChromaSiting::Left), (128, 212));
    }

    #[test]
    fn rare_formats_by_hand() {
        let size = Size::new(4, 2);
        let y8 = [10u8, 20, 30, 40, 50, 60, 70, 80];
        let u8s = [100u8, 104, 108, 112, 120, 124, 128, 132];
        let color = ColorSpec { siting: ChromaSiting::Center, ..ColorSpec::assumed_for_height(288) };
        let wide = |v: &[u8], shift: u32| -> Vec<u8> {
            v.iter().flat_map(|b| (u16::from(*b) << shift).to_le_bytes()).collect()
        };
        let fill = |format, planes: &[(&[u8], usize)], color: &ColorSpec| {
            let planes: Vec<Plane<'_>> = planes.iter().map(|(data, stride)| Plane { data, stride: *stride }).collect();
            let mut p = I420::new(size);
            p.fill(format, size, &planes, color).unwrap();
            p.planes
        };
        // Centred: the mean of two by two; on the left: a tent across.
        let full = [(&y8[..], 4), (&u8s[..], 4), (&u8s[..], 4)];
        assert_eq!(fill(PixelFormat::I444, &full, &color), [y8.to_vec(), vec![112, 120], vec![112, 120]]);
        let left = ColorSpec { siting: ChromaSiting::Left, ..color };
        assert_eq!(fill(PixelFormat::I444, &full, &left)[1], [111, 118]);
        assert_eq!(fill(PixelFormat::I422, &[(&y8, 4), (&u8s, 2), (&u8s, 2)], &color)[1], [104, 108]);
        let (y10, u10) = (wide(&y8, 2), wide(&u8s, 2));
        assert_eq!(
            fill(PixelFormat::I410, &[(&y10, 8), (&u10, 8), (&u10, 8)], &color),
            fill(PixelFormat::I444, &full, &color)
        );
        assert_eq!(fill(PixelFormat::I010, &[(&y10, 8), (&u10, 4), (&u10, 4)], &color)[1], [100, 104]);
        let (yp, up) = (wide(&y8, 8), wide(&u8s, 8));
        assert_eq!(
            fill(PixelFormat::P010, &[(&yp, 8), (&up, 8)], &color),
            [y8.to_vec(), vec![100, 108], vec![104, 112]]
        );
        assert_eq!(fill(PixelFormat::Gray8, &[(&y8, 4)], &color)[2], [128, 128]);
    }

    #[test]
    fn wrong_planes_are_refused() {
        let size = Size::new(4, 4);
        let y = [0u8; 16];
        let c = [0u8; 4];
        let p = |data, stride| Plane { data, stride };
        assert!(check(PixelFormat::I420, size, &[p(&y, 4), p(&c, 2), p(&c, 2)]).is_ok());
        assert!(check(PixelFormat::I420, size, &[p(&y, 4), p(&c, 2)]).is_err());
        assert!(check(PixelFormat::I420, size, &[p(&y, 3), p(&c, 2), p(&c, 2)]).is_err());
        assert!(check(PixelFormat::I420, size, &[p(&y, 4), p(&c, 2), p(&c[..3], 2)]).is_err());
        assert!(check(PixelFormat::I420, size, &[p(&y, usize::MAX), p(&c, 2), p(&c, 2)]).is_err());
    }
}
