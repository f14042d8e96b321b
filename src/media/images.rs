//! Pictures from files: JPEG through libjpeg-turbo with decoding at a reduced size, the rest through `image`, all under
//! limits that hold before memory is allocated. The format is taken from the content, not from the name.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageReader, RgbaImage};

use super::files::read_whole;
use super::jpeg::{self, Header, Jpeg, JpegError};
use crate::core::{Limits, Size};
use crate::error::{Error, Result};

/// Format of a picture file.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImageFormat {
    /// JPEG.
    Jpeg,
    /// PNG; of an animation the default picture.
    Png,
    /// WebP; of an animation the first picture.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// TIFF; the first picture.
    Tiff,
    /// GIF; the first picture. Animations are read as video.
    Gif,
    /// Truevision TGA. It has no signature at the front: known by the footer of version 2, or by the file extension.
    Tga,
    /// Windows icon; the largest picture.
    Ico,
    /// Radiance HDR, clipped to 0..=1.
    Hdr,
    /// QOI.
    Qoi,
    /// PBM, PGM, PPM, PAM.
    Pnm,
}

impl ImageFormat {
    /// Lower-case name, as in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
            Self::Gif => "gif",
            Self::Tga => "tga",
            Self::Ico => "ico",
            Self::Hdr => "hdr",
            Self::Qoi => "qoi",
            Self::Pnm => "pnm",
        }
    }

    const fn in_image(self) -> image::ImageFormat {
        match self {
            Self::Jpeg => image::ImageFormat::Jpeg,
            Self::Png => image::ImageFormat::Png,
            Self::WebP => image::ImageFormat::WebP,
            Self::Bmp => image::ImageFormat::Bmp,
            Self::Tiff => image::ImageFormat::Tiff,
            Self::Gif => image::ImageFormat::Gif,
            Self::Tga => image::ImageFormat::Tga,
            Self::Ico => image::ImageFormat::Ico,
            Self::Hdr => image::ImageFormat::Hdr,
            Self::Qoi => image::ImageFormat::Qoi,
            Self::Pnm => image::ImageFormat::Pnm,
        }
    }

    /// The format of some bytes; `path` counts only for TGA.
    pub(crate) fn of(bytes: &[u8], path: &Path) -> Option<Self> {
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            return Some(Self::Jpeg);
        }
        match image::guess_format(bytes) {
            Ok(image::ImageFormat::Png) => Some(Self::Png),
            Ok(image::ImageFormat::WebP) => Some(Self::WebP),
            Ok(image::ImageFormat::Bmp) => Some(Self::Bmp),
            Ok(image::ImageFormat::Tiff) => Some(Self::Tiff),
            Ok(image::ImageFormat::Gif) => Some(Self::Gif),
            Ok(image::ImageFormat::Ico) => Some(Self::Ico),
            Ok(image::ImageFormat::Hdr) => Some(Self::Hdr),
            Ok(image::ImageFormat::Qoi) => Some(Self::Qoi),
            Ok(image::ImageFormat::Pnm) => Some(Self::Pnm),
            Ok(_) => None,
            Err(_) => {
                let tga = bytes.ends_with(b"TRUEVISION-XFILE.\0")
                    || path.extension().is_some_and(|e| e.eq_ignore_ascii_case("tga"));
                tga.then_some(Self::Tga)
            }
        }
    }
}

impl std::fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What the caller needs of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeHint {
    /// Smallest size that is of use, as displayed (after orientation). A JPEG is then decoded at the smallest of 1/8, 2/8, …
    /// 8/8 of its size that is not below it; nothing is ever enlarged. `None`: full size.
    pub min_size: Option<Size>,
}

/// A decoded picture, as displayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodedImage {
    /// Size of `rgba` in pixels, after orientation.
    pub size: Size,
    /// Rows of R G B A, 8 bits each, without padding; alpha is straight, 255 where the source has none. Samples of 16 bits
    /// are scaled and rounded, floats clipped to 0..=1.
    pub rgba: Vec<u8>,
    /// Size of the full picture, after orientation; larger than `size` only where `min_size` allowed less.
    pub source_size: Size,
    /// Format of the file.
    pub format: ImageFormat,
    /// Whether the source has an alpha channel.
    pub has_alpha: bool,
    /// Exif orientation, 1 to 8, that was found and applied; 1 means upright.
    pub orientation: u8,
    /// Why the picture must be taken for damaged although it has its full size, in the decoder's words.
    pub damaged: Option<String>,
}

/// A JPEG as it is stored: luma and chroma in planes, full range, BT.601, chroma between the luma samples it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JpegPlanes {
    /// Size of the picture in pixels; planes may be a sample larger, to whole chroma samples.
    pub size: Size,
    /// Size of the full picture.
    pub source_size: Size,
    /// Binary logarithms of the pixels a chroma sample stands for, across and down.
    pub chroma_shift: (u32, u32),
    /// Size and rows, without padding, of Y, Cb and Cr.
    pub planes: [(Size, Vec<u8>); 3],
    /// Why the picture must be taken for damaged, in the decoder's words.
    pub damaged: Option<String>,
}

/// What the header of a picture file says.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageInfo {
    /// Size in pixels, after orientation.
    pub size: Size,
    /// Format of the file.
    pub format: ImageFormat,
    /// Exif orientation, 1 to 8.
    pub orientation: u8,
}

/// Decodes a picture file.
///
/// Errors: [`Error::InputNotFound`], [`Error::LimitExceeded`] before any allocation for pixels, [`Error::InputUnsupported`]
/// for formats and kinds that are not decoded (CMYK), [`Error::InputCorrupt`] where nothing usable came out.
pub fn decode_image(path: impl AsRef<Path>, limits: &Limits, hint: DecodeHint) -> Result<DecodedImage> {
    let path = path.as_ref();
    decode_image_bytes(&read_whole(path, limits)?, path, limits, hint)
}

/// Reads a picture file as it is, for [`decode_image_bytes`]: what is hashed and what is decoded are the same bytes then.
///
/// # Errors
/// `InputNotFound` for what is no regular file or cannot be read; `LimitExceeded` before memory is taken for it.
pub fn read_image(path: impl AsRef<Path>, limits: &Limits) -> Result<Vec<u8>> {
    read_whole(path.as_ref(), limits)
}

/// Decodes a picture from memory. `name` stands for the path in errors; see [`decode_image`].
pub fn decode_image_bytes(bytes: &[u8], name: &Path, limits: &Limits, hint: DecodeHint) -> Result<DecodedImage> {
    let source = Source { bytes, name, limits };
    match source.format()? {
        ImageFormat::Jpeg => source.jpeg(hint),
        format => source.guarded(|| source.other(format)),
    }
}

/// Decodes a JPEG from memory as it is stored: less work than [`decode_image_bytes`] by upsampling and conversion. `None` for what it
/// does not fit: other formats, pictures that have to be turned, and JPEGs that are not luma with chroma of the same or half the size.
///
/// # Errors
/// Those of [`decode_image`].
pub fn decode_jpeg_planes(bytes: &[u8], name: &Path, limits: &Limits, hint: DecodeHint) -> Result<Option<JpegPlanes>> {
    let source = Source { bytes, name, limits };
    match source.format()? {
        ImageFormat::Jpeg => source.jpeg_planes(hint),
        _ => Ok(None),
    }
}

/// Reads size, format and orientation; no pixel is decoded, and the limits on pictures are not applied.
pub fn image_info(path: impl AsRef<Path>, limits: &Limits) -> Result<ImageInfo> {
    let path = path.as_ref();
    let bytes = read_whole(path, limits)?;
    let source = Source { bytes: &bytes, name: path, limits };
    let format = source.format()?;
    let (size, orientation) = if format == ImageFormat::Jpeg {
        let header = source.jpeg_decoder()?.header().map_err(|e| source.jpeg_error(e))?;
        (Size::new(header.width, header.height), source.jpeg_orientation())
    } else {
        source.guarded(|| {
            let mut decoder = source.decoder(format)?;
            let (w, h) = decoder.dimensions();
            Ok((Size::new(w, h), decoder.orientation().unwrap_or(Orientation::NoTransforms)))
        })?
    };
    Ok(ImageInfo { size: displayed(size, orientation), format, orientation: orientation.to_exif() })
}

/// Encodes rows of R G B A without padding (alpha is not used) as a JPEG; `quality` 1 to 100, 4:2:0 chroma.
///
/// # Errors
/// `Parameter` for a side of 0 or above 65,500 pixels, or another number of bytes than `size` needs.
pub fn encode_jpeg(size: Size, rgba: &[u8], quality: u8) -> Result<Vec<u8>> {
    let wrong = |wanted: String, given: String| Error::Parameter { op: "media/jpeg", name: "picture", wanted, given };
    if size.is_empty() || size.width.max(size.height) > 65_500 {
        return Err(wrong("sides of 1 to 65500 pixels".into(), size.to_string()));
    }
    if rgba.len() as u64 != size.area() * 4 {
        return Err(wrong(format!("{} bytes for {size}", size.area() * 4), format!("{} bytes", rgba.len())));
    }
    jpeg::encode(size.width as usize, size.height as usize, rgba, quality).map_err(|e| match e {
        JpegError::Corrupt(what) | JpegError::Unsupported(what) => Error::Bug(format!("encoding a JPEG: {what}")),
        JpegError::TooLarge => Error::Bug("encoding a JPEG: too large".into()),
    })
}

fn displayed(size: Size, orientation: Orientation) -> Size {
    if orientation.to_exif() >= 5 { size.transposed() } else { size }
}

/// At how many eighths a JPEG that is shown at `source` is decoded.
fn eighths(source: Size, header: &Header, hint: DecodeHint) -> u32 {
    match hint.min_size {
        Some(min) if !header.lossless => jpeg::eighths_for(source.width, source.height, min.width, min.height),
        _ => 8,
    }
}

/// Bytes of a picture file with what is needed to judge them.
struct Source<'a> {
    bytes: &'a [u8],
    name: &'a Path,
    limits: &'a Limits,
}

impl<'a> Source<'a> {
    fn path(&self) -> PathBuf {
        self.name.to_path_buf()
    }

    fn corrupt(&self, reason: impl Into<String>) -> Error {
        Error::InputCorrupt { path: self.path(), reason: reason.into() }
    }

    fn unsupported(&self, what: impl Into<String>) -> Error {
        Error::InputUnsupported { path: self.path(), what: what.into(), hint: None }
    }

    fn format(&self) -> Result<ImageFormat> {
        if self.bytes.is_empty() {
            return Err(self.corrupt("the file is empty"));
        }
        ImageFormat::of(self.bytes, self.name).ok_or_else(|| self.unsupported("this picture format"))
    }

    fn jpeg_decoder(&self) -> Result<Jpeg<'a>> {
        Jpeg::new(self.bytes, self.limits.frame_bytes).map_err(|e| self.jpeg_error(e))
    }

    fn jpeg_error(&self, e: JpegError) -> Error {
        match e {
            JpegError::Corrupt(reason) => self.corrupt(reason),
            JpegError::Unsupported(what) => self.unsupported(what),
            JpegError::TooLarge => Error::LimitExceeded {
                name: "frame_bytes",
                what: "the working memory of a JPEG in bytes".into(),
                value: self.limits.frame_bytes.saturating_add(1),
                limit: self.limits.frame_bytes,
            },
        }
    }

    fn jpeg_orientation(&self) -> Orientation {
        jpeg::exif(self.bytes).and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
    }

    /// The header of a JPEG that may be decoded.
    fn jpeg_header(&self, decoder: &mut Jpeg<'_>) -> Result<Header> {
        let header = decoder.header().map_err(|e| self.jpeg_error(e))?;
        let (w, h) = (u64::from(header.width), u64::from(header.height));
        self.limits.check_picture(w, h, 4)?;
        if header.cmyk {
            return Err(self.unsupported("CMYK JPEG"));
        }
        if header.bits != 8 {
            return Err(self.unsupported(format!("JPEG with {} bits a sample", header.bits)));
        }
        if header.progressive {
            // All coefficients, 16 bits each and up to three a pixel, are held until the last scan.
            Limits::check("frame_bytes", self.limits.frame_bytes, w * h * 6, || {
                format!("the byte count of the coefficients of a progressive {w}x{h} JPEG")
            })?;
        }
        Ok(header)
    }

    fn jpeg_planes(&self, hint: DecodeHint) -> Result<Option<JpegPlanes>> {
        if self.jpeg_orientation() != Orientation::NoTransforms {
            return Ok(None);
        }
        let mut decoder = self.jpeg_decoder()?;
        let header = self.jpeg_header(&mut decoder)?;
        let Some(chroma_shift) = header.chroma.filter(|_| !header.lossless) else { return Ok(None) };
        let source_size = Size::new(header.width, header.height);
        let eighths = eighths(source_size, &header, hint);
        let decoded = decoder.decode_planes(&header, chroma_shift, eighths).map_err(|e| self.jpeg_error(e));
        let (planes, damaged) = decoded?;
        let size = Size::new(jpeg::scaled(header.width, eighths), jpeg::scaled(header.height, eighths));
        let planes = planes.map(|p| (Size::new(p.width, p.height), p.data));
        Ok(Some(JpegPlanes { size, source_size, chroma_shift, planes, damaged }))
    }

    fn jpeg(&self, hint: DecodeHint) -> Result<DecodedImage> {
        let mut decoder = self.jpeg_decoder()?;
        let header = self.jpeg_header(&mut decoder)?;
        let orientation = self.jpeg_orientation();
        let source_size = displayed(Size::new(header.width, header.height), orientation);
        let eighths = eighths(source_size, &header, hint);
        let (width, height, rgba, damaged) = decoder.decode(&header, eighths).map_err(|e| self.jpeg_error(e))?;
        let picture = RgbaImage::from_raw(width, height, rgba);
        let picture = picture.ok_or_else(|| Error::Bug("a JPEG of the wrong length".into()))?;
        let mut picture = DynamicImage::ImageRgba8(picture);
        picture.apply_orientation(orientation);
        Ok(DecodedImage {
            size: Size::new(picture.width(), picture.height()),
            rgba: picture.into_rgba8().into_raw(),
            source_size,
            format: ImageFormat::Jpeg,
            has_alpha: false,
            orientation: orientation.to_exif(),
            damaged,
        })
    }

    fn decoder(&self, format: ImageFormat) -> Result<impl ImageDecoder + 'a> {
        let mut reader = ImageReader::with_format(Cursor::new(self.bytes), format.in_image());
        let mut limits = image::Limits::no_limits();
        limits.max_alloc = Some(self.limits.frame_bytes);
        reader.limits(limits);
        reader.into_decoder().map_err(|e| self.image_error(e))
    }

    fn other(&self, format: ImageFormat) -> Result<DecodedImage> {
        let mut decoder = self.decoder(format)?;
        let (width, height) = decoder.dimensions();
        if width == 0 || height == 0 {
            return Err(self.corrupt(format!("a size of {width}x{height}")));
        }
        self.limits.check_picture(width.into(), height.into(), 4)?;
        let what = || format!("the byte count of a decoded {width}x{height} picture");
        Limits::check("frame_bytes", self.limits.frame_bytes, decoder.total_bytes(), what)?;
        self.check_plausible(format, decoder.total_bytes(), width, height)?;
        if matches!(decoder.original_color_type(), ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16) {
            return Err(self.unsupported(format!("CMYK {}", format.name())));
        }
        let has_alpha = decoder.color_type().has_alpha();
        let orientation = decoder.orientation().map_err(|e| self.image_error(e))?;
        let deep = !matches!(decoder.color_type(), ColorType::Rgba8);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| self.image_error(e))?;
        if deep {
            picture = DynamicImage::ImageRgba8(picture.into_rgba8());
        }
        picture.apply_orientation(orientation);
        Ok(DecodedImage {
            size: Size::new(picture.width(), picture.height()),
            source_size: Size::new(picture.width(), picture.height()),
            rgba: picture.into_rgba8().into_raw(),
            format,
            has_alpha,
            orientation: orientation.to_exif(),
            damaged: None,
        })
    }

    /// Refuses sizes that so few bytes cannot describe, before memory is taken for them: a picture within the limits may still
    /// be half a gigabyte.
    fn check_plausible(&self, format: ImageFormat, total: u64, width: u32, height: u32) -> Result<()> {
        let at_most = match format {
            // Deflate gives at most 1032 bytes for one; a packed pixel of one bit becomes at most 4 bytes.
            ImageFormat::Png => (self.bytes.len() as u64).saturating_mul(1032 * 32),
            _ => return Ok(()),
        };
        if total > at_most {
            return Err(self.corrupt(format!("{} bytes cannot hold a {width}x{height} picture", self.bytes.len())));
        }
        Ok(())
    }

    fn image_error(&self, e: ImageError) -> Error {
        match e {
            ImageError::Unsupported(e) => self.unsupported(format!("this kind of picture ({e})")),
            ImageError::Limits(e) => Error::LimitExceeded {
                name: "frame_bytes",
                what: format!("the memory for decoding in bytes ({e})"),
                value: self.limits.frame_bytes.saturating_add(1),
                limit: self.limits.frame_bytes,
            },
            e => self.corrupt(e.to_string()),
        }
    }

    /// Runs a decoder; should it panic on hostile data, that is damage of the input and not the end of the run.
    fn guarded<T>(&self, run: impl FnOnce() -> Result<T>) -> Result<T> {
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(result) => result,
            Err(_) => Err(self.corrupt("the decoder gave up")),
        }
    }
}
