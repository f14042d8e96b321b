//! Caller's planes into the planar 4:2:0 picture that encoders take. Pure loops over checked rows.
#![allow(clippy::indexing_slicing, reason = "pixel loops; sizes are checked in `check` before any of them runs")]

use crate::core::{ChromaSiting, ColorRange, ColorSpec, PixelFormat, Size};
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
            _ => self.fill_from_rgba(size, planes[0], color),
        }
        Ok(())
    }

    fn fill_from_rgba(&mut self, size: Size, source: Plane<'_>, color: &ColorSpec) {
        let m = Forward::new(color);
        let (w, h) = (size.width as usize, size.height as usize);
        // The pixels of a row, of which those outside repeat the nearest one.
        let row = |y: usize| source.data[y.min(h - 1) * source.stride..][..4 * w].as_chunks::<4>().0;
        let rgb = |p: &[u8; 4]| [i32::from(p[0]), i32::from(p[1]), i32::from(p[2])];
        let (pw, pcw) = (self.size.width as usize, self.size.width as usize / 2);
        for (y, out) in self.planes[0].chunks_exact_mut(pw).enumerate() {
            let from = row(y);
            out.iter_mut().zip(from).for_each(|(out, p)| *out = m.luma(rgb(p)));
            out[w..].fill(m.luma(rgb(&from[w - 1])));
        }
        let (hx, vy) = chroma_weights(color.siting);
        let [_, us, vs] = &mut self.planes;
        // Columns of a row and the two beside it, added up by weight.
        let mut sums = vec![[0i32; 3]; w];
        for (y, (urow, vrow)) in us.chunks_exact_mut(pcw).zip(vs.chunks_exact_mut(pcw)).enumerate() {
            sums.fill([0; 3]);
            for (j, wy) in vy.iter().enumerate().filter(|(_, w)| **w > 0) {
                // Index 0 is the row before; at the edge it repeats the first one.
                for (sum, p) in sums.iter_mut().zip(row((2 * y + j).saturating_sub(1))) {
                    let [r, g, b] = rgb(p);
                    *sum = [sum[0] + wy * r, sum[1] + wy * g, sum[2] + wy * b];
                }
            }
            for (x, (u, v)) in urow.iter_mut().zip(vrow).enumerate() {
                let at = |i: usize| sums[(2 * x + i).saturating_sub(1).min(w - 1)];
                let (a, b, c) = (at(0), at(1), at(2));
                let [p, q, r] = hx;
                (*u, *v) = m.chroma([0, 1, 2].map(|k: usize| p * a[k] + q * b[k] + r * c[k]));
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

/// RGB to code values in 16.16 fixed point; the coefficients follow ITU-R BT.601/709/2020 as in [`ColorSpec`]. Sums stay below
/// `16 * 255 * 65536`, which is 2^28.
struct Forward {
    y: [i32; 3],
    u: [i32; 3],
    v: [i32; 3],
    black: i32,
}

impl Forward {
    fn new(color: &ColorSpec) -> Self {
        let (kr, kb) = color.matrix.kr_kb();
        let kg = 1.0 - kr - kb;
        let (black, y_span, c_span) = match color.range {
            ColorRange::Limited => (16, 219.0, 224.0),
            ColorRange::Full => (0, 255.0, 255.0),
        };
        let fix = |c: f64, span: f64| (c * span / 255.0 * 65536.0).round() as i32;
        let cb = 0.5 / (1.0 - kb);
        let cr = 0.5 / (1.0 - kr);
        Self {
            y: [fix(kr, y_span), fix(kg, y_span), fix(kb, y_span)],
            u: [fix(-kr * cb, c_span), fix(-kg * cb, c_span), fix(0.5, c_span)],
            v: [fix(0.5, c_span), fix(-kg * cr, c_span), fix(-kb * cr, c_span)],
            black,
        }
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
    use crate::core::YuvMatrix;

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
