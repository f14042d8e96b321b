//! Pictures of a pool, decoded for comparison or for showing.

use std::path::Path;

use crate::core::{
    ChromaSiting, ColorRange, ColorSpec, DescriptorSpec, FrameLayout, Limits, PixelFormat, Rect, RgbCoefficients,
    RowSink, Size, YuvMatrix,
};
use crate::error::{Error, Result};
use crate::gpu::GpuBuffer;
use crate::media::{DecodeHint, JpegPlanes, decode_image_bytes, decode_jpeg_planes};
use crate::ops::FrameBatch;
use crate::ops::resize::AreaOnHost;

/// What the numbers of a JPEG mean.
const JPEG: ColorSpec = ColorSpec { matrix: YuvMatrix::Bt601, range: ColorRange::Full, siting: ChromaSiting::Center };

/// A picture in memory: rows of R G B A, upright, without transparency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Size in pixels; smaller than [`Self::source`] where the file was decoded at a reduced size.
    pub size: Size,
    /// Size of the full picture.
    pub source: Size,
    /// Rows without padding.
    pub rgba: Vec<u8>,
    /// Whether it is the small picture itself that is compared, cropped and made smaller already.
    pub compared: bool,
}

/// How pictures are decoded for a descriptor; see [`Describer::sight`](super::Describer::sight).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sight {
    /// At full size.
    Full,
    /// At no less than this size.
    AtLeast(Size),
    /// Down to the picture that is compared. The samples of JPEGs are averaged as they are stored, luma and chroma apart, like those of
    /// frames, and only the small picture is converted.
    Compared(DescriptorSpec),
}

impl Sight {
    /// Decodes the bytes of a picture file.
    ///
    /// # Errors
    /// As [`Picture::decode`].
    pub fn decode(&self, bytes: &[u8], path: &Path, limits: &Limits) -> Result<Picture> {
        let spec = match self {
            Self::Full => return Picture::decode(bytes, path, limits, None),
            Self::AtLeast(size) => return Picture::decode(bytes, path, limits, Some(*size)),
            Self::Compared(spec) => spec,
        };
        let to = spec.size();
        match decode_jpeg_planes(bytes, path, limits, DecodeHint { min_size: Some(to) })? {
            Some(JpegPlanes { damaged: Some(reason), .. }) => {
                Err(Error::InputCorrupt { path: path.to_path_buf(), reason })
            }
            Some(jpeg) => {
                let rgba = compared(&jpeg, spec.aspect.crop(jpeg.size), to)?;
                Ok(Picture { size: to, source: jpeg.source_size, rgba, compared: true })
            }
            None => {
                let whole = Picture::decode(bytes, path, limits, Some(to))?;
                Ok(Picture { compared: true, ..whole.reduced(spec.aspect.crop(whole.size), to)? })
            }
        }
    }
}

/// `part` of a JPEG as a picture of `to`.
fn compared(jpeg: &JpegPlanes, part: Rect, to: Size) -> Result<Vec<u8>> {
    let [(y_size, y), (c_size, u), (_, v)] = &jpeg.planes;
    let y = AreaOnHost::new(part, *y_size, (0, 0), JPEG.siting, to)?.reduce::<1>(y)?;
    let chroma = AreaOnHost::new(part, *c_size, jpeg.chroma_shift, JPEG.siting, to)?;
    let (u, v) = (chroma.reduce::<1>(u)?, chroma.reduce::<1>(v)?);
    let coefficients = RgbCoefficients::new(JPEG, 8);
    let mut rgba = vec![255; y.len() * 4];
    for (((pixel, y), u), v) in rgba.as_chunks_mut::<4>().0.iter_mut().zip(&y).zip(&u).zip(&v) {
        let [r, g, b] = coefficients.rgb([*y, *u, *v]);
        *pixel = [r, g, b, 255];
    }
    Ok(rgba)
}

impl Picture {
    /// Decodes the bytes of a picture file at no less than `least` (as displayed; `None`: full size). Transparency is laid over black:
    /// what lies under it is often leftovers that nobody was meant to see.
    ///
    /// # Errors
    /// Those of [`decode_image_bytes`]; `InputCorrupt` for pictures that came out damaged.
    pub fn decode(bytes: &[u8], path: &Path, limits: &Limits, least: Option<Size>) -> Result<Self> {
        let image = decode_image_bytes(bytes, path, limits, DecodeHint { min_size: least })?;
        if let Some(reason) = image.damaged {
            return Err(Error::InputCorrupt { path: path.to_path_buf(), reason });
        }
        let mut rgba = image.rgba;
        if image.has_alpha {
            for pixel in rgba.as_chunks_mut::<4>().0 {
                let [r, g, b, a] = *pixel;
                let over = |v: u8| ((u32::from(v) * u32::from(a) + 127) / 255) as u8;
                *pixel = [over(r), over(g), over(b), 255];
            }
        }
        Ok(Self { size: image.size, source: image.source_size, rgba, compared: false })
    }

    /// `part` of it as a picture of `to`, each pixel the mean of what it covers.
    ///
    /// # Errors
    /// As [`AreaOnHost::new`].
    pub(super) fn reduced(&self, part: Rect, to: Size) -> Result<Self> {
        // There is no chroma whose place could matter.
        let area = AreaOnHost::new(part, self.size, (0, 0), ChromaSiting::Center, to)?;
        Ok(Self { size: to, source: self.source, rgba: area.reduce::<4>(&self.rgba)?, compared: false })
    }

    /// Layout of the picture in GPU memory.
    ///
    /// # Errors
    /// `LimitExceeded` for pictures of 2 GiB.
    pub(super) fn layout(&self) -> Result<FrameLayout> {
        FrameLayout::of(PixelFormat::Rgba8, self.size).ok_or_else(|| Error::LimitExceeded {
            name: "frame_bytes",
            what: format!("a picture of {}", self.size),
            value: self.size.area() * 4,
            limit: i32::MAX as u64,
        })
    }

    /// Copies the rows into `sink`, from `offset` on.
    pub(super) fn copy_to<S: RowSink + ?Sized>(&self, layout: &FrameLayout, offset: u64, sink: &mut S) {
        let plane = layout.first();
        let row = (self.size.width as usize * 4).max(1);
        for (y, bytes) in self.rgba.chunks_exact(row).enumerate() {
            sink.write((offset + u64::from(plane.offset)) as usize + y * plane.stride as usize, bytes);
        }
    }
}

/// Pictures of any sizes at places of a buffer.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) buffer: GpuBuffer,
    pub(super) places: Vec<(u64, FrameLayout)>,
}

impl FrameBatch for Placed {
    fn buffer(&self) -> &GpuBuffer {
        &self.buffer
    }

    fn format(&self) -> PixelFormat {
        PixelFormat::Rgba8
    }

    fn slots(&self) -> u32 {
        self.places.len() as u32
    }

    fn slot(&self, index: u32) -> Option<(u64, FrameLayout)> {
        self.places.get(index as usize).copied()
    }
}
