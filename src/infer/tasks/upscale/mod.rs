//! More pixels: models of any whole factor, over the picture in overlapping tiles.
//!
//! The factor is read from the shapes of the graph, from `numbers.scale`, or from a run over a small picture. Roles: input and output
//! `picture`. Models of one channel (`order = "gray"`: ESPCN, FSRCNN) get the luma; the colour is enlarged with cubic weights (BT.601,
//! full range, as those models are trained).
//!
//! Memory is bounded by the tiles and by two of their rows: [`Upscaler::upscale_rows`] hands finished rows on from top to bottom.

mod tiles;

use std::ops::Range;

use super::fit::check_task;
use super::io_roles::number;
use super::picture_port::{PicturePort, nothing_else};
use super::planar::PlanarPicture;
use super::resample::{Taps, resample};
use crate::core::{BoxRect, Limits, Size};
use crate::error::{Error, Result};
use crate::infer::io::{IoInfo, TensorModel};
use crate::infer::manifest::{ModelEntry, Task};
use tiles::Tiling;

/// Side of the picture that tells the factor of a model that does not declare it.
const PROBE: u32 = 16;

/// How a picture is cut for the model. A model of fixed size brings its own tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpscaleOptions {
    /// Side of a tile in pixels of the picture, overlap included, at least 16.
    pub tile: u32,
    /// Least number of pixels that a tile sees beyond a seam; more than the model looks around makes seams vanish. At most a quarter of
    /// the tile.
    pub overlap: u32,
    /// Tiles of one run, at least 1. Changes speed and memory, not the result.
    pub batch: u32,
}

impl Default for UpscaleOptions {
    fn default() -> Self {
        Self { tile: 256, overlap: 16, batch: 1 }
    }
}

/// Adapter of `upscale`.
#[derive(Debug, Clone)]
pub struct Upscaler {
    port: PicturePort,
    factor: Option<u32>,
}

fn factor_of(from: Size, to: Size) -> Result<u32> {
    let factor = to.width / from.width.max(1);
    if factor >= 1 && to.width == from.width * factor && to.height == from.height * factor {
        return Ok(factor);
    }
    Err(Error::model("shape", format!("an upscaler gives whole multiples of what it takes, this one {to} for {from}")))
}

impl Upscaler {
    /// For a model as its entry and its graph describe it.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `input`, `output`, `shape` or `decoder`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        check_task(entry, Task::Upscale)?;
        let port = PicturePort::new(entry, inputs, outputs, &[])?;
        let said = number(entry, "scale", 0.0);
        if said < 0.0 || said.fract() != 0.0 || said > 64.0 {
            return Err(Error::model(
                "decoder",
                format!("`{}`: numbers.scale is a whole factor, not {said}", entry.name),
            ));
        }
        let declared = port.fixed_size().zip(port.output_size()).map(|(a, b)| factor_of(a, b)).transpose()?;
        let said = (said > 0.0).then_some(said as u32);
        if let (Some(said), Some(declared)) = (said, declared)
            && said != declared
        {
            let name = &entry.name;
            return Err(Error::model(
                "decoder",
                format!("`{name}`: the entry says factor {said}, the shapes {declared}"),
            ));
        }
        Ok(Self { port, factor: declared.or(said) })
    }

    /// The factor, if the entry or the graph tells it.
    pub fn declared_factor(&self) -> Option<u32> {
        self.factor
    }

    /// The factor; found by a run over a small grey picture and kept when nothing declares it.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `shape` when the output is no whole multiple of the input, and those of the run.
    pub fn factor(&mut self, model: &mut dyn TensorModel) -> Result<u32> {
        if let Some(factor) = self.factor {
            return Ok(factor);
        }
        let size = self.port.accepted(self.port.preferred().unwrap_or(Size::new(PROBE, PROBE)));
        let gray = PlanarPicture::filled(size, self.port.channels(), 0.5)?;
        let made = self.port.run(model, &[&gray], &nothing_else)?;
        let factor = factor_of(size, made.first().map_or(size, PlanarPicture::size))?;
        self.factor = Some(factor);
        Ok(factor)
    }

    /// The whole picture, `factor` times as wide and high, values within 0..=1.
    ///
    /// # Errors
    /// As [`Self::upscale_rows`].
    pub fn upscale(
        &mut self,
        model: &mut dyn TensorModel,
        picture: &PlanarPicture,
        options: &UpscaleOptions,
    ) -> Result<PlanarPicture> {
        let factor = self.factor(model)?;
        let size = enlarged(picture.size(), factor)?;
        let mut whole = PlanarPicture::filled(size, picture.channels(), 0.0)?;
        self.upscale_rows(model, picture, options, &mut |first, band| {
            for c in 0..band.channels() {
                for y in 0..band.size().height as usize {
                    let to = whole.row_mut(c, first as usize + y);
                    to.iter_mut().zip(band.row(c, y)).for_each(|(to, v)| *to = *v);
                }
            }
            Ok(())
        })?;
        Ok(whole)
    }

    /// All of `pictures`. Those of one size that are one tile each go through the model together, [`UpscaleOptions::batch`] at a time;
    /// others as [`Self::upscale`]. The results are the same.
    ///
    /// # Errors
    /// As [`Self::upscale_rows`].
    pub fn upscale_all(
        &mut self,
        model: &mut dyn TensorModel,
        pictures: &[PlanarPicture],
        options: &UpscaleOptions,
    ) -> Result<Vec<PlanarPicture>> {
        check(options)?;
        let factor = self.factor(model)?;
        let Some(size) = pictures.first().map(PlanarPicture::size) else { return Ok(Vec::new()) };
        let most = self.port.fixed_size().unwrap_or(Size::new(options.tile, options.tile));
        let one = size.width <= most.width && size.height <= most.height;
        if !one || pictures.iter().any(|p| p.size() != size) {
            return pictures.iter().map(|p| self.upscale(model, p, options)).collect();
        }
        let (shape, whole) = (self.port.accepted(size), enlarged(size, factor)?);
        let luma = self.port.channels() == 1;
        let mut results = Vec::with_capacity(pictures.len());
        for group in pictures.chunks(options.batch as usize) {
            let seen = |p: &PlanarPicture| {
                let part = BoxRect { x: 0, y: 0, width: shape.width, height: shape.height };
                if luma { p.to_luma().crop(part) } else { p.crop(part) }
            };
            let parts = group.iter().map(seen).collect::<Result<Vec<_>>>()?;
            let made = self.port.run(model, &parts.iter().collect::<Vec<_>>(), &nothing_else)?;
            for (picture, made) in group.iter().zip(&made) {
                if made.size() != enlarged(shape, factor)? {
                    let given = made.size();
                    return Err(Error::model("shape", format!("{shape} became {given}, factor {factor} was expected")));
                }
                let mut large = made.crop(BoxRect { x: 0, y: 0, width: whole.width, height: whole.height })?;
                if luma && picture.channels() == 3 {
                    large = colored(picture, &large, 0, factor)?;
                } else if picture.channels() == 1 {
                    large = large.to_luma();
                }
                large.values_mut().iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
                results.push(large);
            }
        }
        Ok(results)
    }

    /// Hands bands of finished rows to `sink`, from the top without a gap: the first row of the band, and the band.
    ///
    /// Away from seams the result is that of one run over the whole picture. Across a seam two tiles are blended linearly over `overlap`
    /// pixels, weights summing to 1.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for options out of range, [`crate::Error::LimitExceeded`] for a result over the default limits,
    /// [`crate::Error::Model`] with cause `shape`, and those of the model and of `sink`.
    pub fn upscale_rows(
        &mut self,
        model: &mut dyn TensorModel,
        picture: &PlanarPicture,
        options: &UpscaleOptions,
        sink: &mut dyn FnMut(u32, &PlanarPicture) -> Result<()>,
    ) -> Result<()> {
        check(options)?;
        let factor = self.factor(model)?;
        let (size, whole) = (picture.size(), enlarged(picture.size(), factor)?);
        let luma = self.port.channels() == 1;
        let seen = if luma { picture.to_luma() } else { picture.clone() };
        // A model of open size is given no more than the picture has: what is beyond an edge is the model's own affair.
        let open = Size::new(options.tile.min(size.width), options.tile.min(size.height));
        let tile = self.port.fixed_size().unwrap_or(open);
        let across = Tiling::new(size.width, tile.width, options.overlap);
        let down = Tiling::new(size.height, tile.height, options.overlap);
        let shape = self.port.accepted(Size::new(across.length, down.length));

        let mut band = Band { first: 0, sums: PlanarPicture::filled(Size::new(1, 1), 1, 0.0)?, size: whole, factor };
        for (j, y) in down.starts.iter().enumerate() {
            band.begin(down.covered(j), seen.channels())?;
            let columns: Vec<(usize, u32)> = across.starts.iter().copied().enumerate().collect();
            for group in columns.chunks(options.batch as usize) {
                let cut = |x: u32| BoxRect { x: x as i32, y: *y as i32, width: shape.width, height: shape.height };
                let parts = group.iter().map(|(_, x)| seen.crop(cut(*x))).collect::<Result<Vec<_>>>()?;
                let made = self.port.run(model, &parts.iter().collect::<Vec<_>>(), &nothing_else)?;
                for ((i, x), part) in group.iter().zip(&made) {
                    if part.size() != enlarged(shape, factor)? {
                        let given = part.size();
                        return Err(Error::model(
                            "shape",
                            format!("a tile of {shape} became {given}, factor {factor} was expected"),
                        ));
                    }
                    band.add(part, (*x, *y), &across.weights(*i, factor), &down.weights(j, factor));
                }
            }
            // Rows above the next row of tiles are finished.
            let done = down.starts.get(j + 1).map_or(size.height, |_| down.covered(j + 1).start);
            let (at, mut rows) = band.finish(done)?;
            if luma && picture.channels() == 3 {
                rows = colored(picture, &rows, at, factor)?;
            } else if picture.channels() == 1 {
                rows = rows.to_luma();
            }
            rows.values_mut().iter_mut().for_each(|v| *v = v.clamp(0.0, 1.0));
            sink(at, &rows)?;
        }
        Ok(())
    }
}

fn check(o: &UpscaleOptions) -> Result<()> {
    let wrong = |field: &str, message: String| Err(Error::Config { field: format!("upscale.{field}"), message });
    if o.tile < 16 {
        return wrong("tile", format!("must be at least 16, got {}", o.tile));
    }
    if o.overlap > o.tile / 4 {
        return wrong("overlap", format!("must be at most a quarter of the tile ({}), got {}", o.tile / 4, o.overlap));
    }
    if o.batch == 0 {
        return wrong("batch", "must be at least 1, got 0".into());
    }
    Ok(())
}

/// `size` times `factor`, within the limits of pictures.
fn enlarged(size: Size, factor: u32) -> Result<Size> {
    let (w, h) = (u64::from(size.width) * u64::from(factor), u64::from(size.height) * u64::from(factor));
    // Bytes of floats are not frame bytes: only sides and pixels are limited.
    let l = Limits { frame_bytes: u64::MAX, ..Limits::default() };
    l.check_picture(w, h, 1)?;
    Ok(Size::new(w as u32, h as u32))
}

/// Rows that are not finished, as weighted sums.
struct Band {
    /// First row of the result that `sums` holds.
    first: u32,
    sums: PlanarPicture,
    size: Size,
    factor: u32,
}

impl Band {
    /// Makes room down to the end of `rows` (of the picture); what is there already stays.
    fn begin(&mut self, rows: Range<u32>, channels: usize) -> Result<()> {
        let end = rows.end * self.factor;
        let size = Size::new(self.size.width, end - self.first);
        let mut next = PlanarPicture::filled(size, channels, 0.0)?;
        if self.sums.size().width == size.width && self.first > 0 {
            copy_rows(&self.sums, 0, &mut next);
        }
        self.sums = next;
        Ok(())
    }

    /// Adds a tile whose corner is `at` of the picture, weighted per column and row of the tile.
    fn add(&mut self, part: &PlanarPicture, at: (u32, u32), columns: &[f32], rows: &[f32]) {
        let (x, y) = ((at.0 * self.factor) as usize, (at.1 * self.factor) as usize);
        for c in 0..part.channels().min(self.sums.channels()) {
            for (dy, wy) in rows.iter().enumerate().filter(|(_, w)| **w > 0.0) {
                let Some(to) = (y + dy).checked_sub(self.first as usize) else { continue };
                let target = self.sums.row_mut(c, to).iter_mut().skip(x);
                for ((sum, v), wx) in target.zip(part.row(c, dy)).zip(columns) {
                    *sum += v * wx * wy;
                }
            }
        }
    }

    /// Rows up to `done` of the picture; the rest stays.
    fn finish(&mut self, done: u32) -> Result<(u32, PlanarPicture)> {
        let count = done * self.factor - self.first;
        let mut rows = PlanarPicture::filled(Size::new(self.size.width, count), self.sums.channels(), 0.0)?;
        copy_rows(&self.sums, 0, &mut rows);
        let at = self.first;
        self.first += count;
        let left = self.sums.size().height.saturating_sub(count);
        if left > 0 {
            let mut rest = PlanarPicture::filled(Size::new(self.size.width, left), self.sums.channels(), 0.0)?;
            copy_rows(&self.sums, count as usize, &mut rest);
            self.sums = rest;
        }
        Ok((at, rows))
    }
}

/// Rows of `from`, beginning with `skip`, to the top of `to`.
fn copy_rows(from: &PlanarPicture, skip: usize, to: &mut PlanarPicture) {
    for c in 0..to.channels() {
        for y in 0..to.size().height.min(from.size().height.saturating_sub(skip as u32)) as usize {
            let row = from.row(c, y + skip);
            to.row_mut(c, y).iter_mut().zip(row).for_each(|(to, v)| *to = *v);
        }
    }
}

/// Rows of luma with the colour of `picture`, enlarged with cubic weights. BT.601, full range.
fn colored(picture: &PlanarPicture, luma: &PlanarPicture, first: u32, factor: u32) -> Result<PlanarPicture> {
    let (size, rows) = (picture.size(), luma.size().height);
    let y = picture.to_luma();
    let difference = |c: usize, scale: f32| -> Vec<f32> {
        picture.plane(c).iter().zip(y.values()).map(|(v, y)| (v - y) * scale).collect()
    };
    let (width, height) = ((size.width * factor) as usize, (size.height * factor) as usize);
    let across = Taps::cubic(size.width as usize, width, 0..width);
    let down = Taps::cubic(size.height as usize, height, first as usize..(first + rows) as usize);
    let large = |plane: &[f32]| resample(plane, size.width as usize, &across, &down);
    let (cb, cr) = (large(&difference(2, 1.0 / 1.772)), large(&difference(0, 1.0 / 1.402)));
    let pixel = || luma.values().iter().zip(&cb).zip(&cr);
    let red = pixel().map(|((y, _), cr)| y + 1.402 * cr);
    let green = pixel().map(|((y, cb), cr)| y - 0.344_136 * cb - 0.714_136 * cr);
    let blue = pixel().map(|((y, cb), _)| y + 1.772 * cb);
    PlanarPicture::new(luma.size(), 3, red.chain(green).chain(blue).collect())
}

#[cfg(test)]
mod tests;
