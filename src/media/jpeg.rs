//! JPEG through libjpeg-turbo: scaled decoding in the DCT domain, limits, and the difference between a warning (a picture
//! came out, but the data is damaged) and an error, which the safe wrapper does not tell apart.
#![allow(unsafe_code, reason = "turbojpeg's safe decompressor hides warnings and has no memory limit")]

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;

use turbojpeg::raw;

/// Progressive scans after which a file is taken for a bomb; encoders write about ten.
const MAX_SCANS: c_int = 200;
/// Bytes of a colour pixel.
const RGBA: usize = 4;

/// Why a JPEG could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JpegError {
    /// Malformed.
    Corrupt(String),
    /// A kind of JPEG that is not decoded here.
    Unsupported(String),
    /// More memory than allowed would be needed.
    TooLarge,
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) lossless: bool,
    pub(crate) progressive: bool,
    pub(crate) cmyk: bool,
    pub(crate) bits: i32,
    /// Binary logarithms of the pixels a chroma sample stands for, across and down; `None` for pictures that are not stored as luma
    /// and two planes of chroma, or whose chroma lies otherwise.
    pub(crate) chroma: Option<(u32, u32)>,
}

/// A plane of samples, rows without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Samples {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) data: Vec<u8>,
}

/// A decoder of one file.
pub(crate) struct Jpeg<'a> {
    handle: NonNull<std::ffi::c_void>,
    data: &'a [u8],
}

impl Drop for Jpeg<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle is owned and destroyed once.
        unsafe { raw::tj3Destroy(self.handle.as_ptr()) };
    }
}

impl<'a> Jpeg<'a> {
    /// A decoder that allocates at most about `max_bytes` of its own.
    pub(crate) fn new(data: &'a [u8], max_bytes: u64) -> Result<Self, JpegError> {
        // SAFETY: plain constructor; null means failure.
        let handle = unsafe { raw::tj3Init(raw::TJINIT_TJINIT_DECOMPRESS as c_int) };
        let handle = NonNull::new(handle).ok_or(JpegError::TooLarge)?;
        let mut jpeg = Self { handle, data };
        let megabytes = c_int::try_from(max_bytes >> 20).unwrap_or(c_int::MAX).max(1);
        jpeg.set(raw::TJPARAM_TJPARAM_SCANLIMIT, MAX_SCANS)?;
        jpeg.set(raw::TJPARAM_TJPARAM_MAXMEMORY, megabytes)?;
        Ok(jpeg)
    }

    fn set(&mut self, param: raw::TJPARAM, value: c_int) -> Result<(), JpegError> {
        // SAFETY: valid handle; unknown parameters and values are answered with an error.
        match unsafe { raw::tj3Set(self.handle.as_ptr(), param as c_int, value) } {
            0 => Ok(()),
            _ => Err(JpegError::Unsupported(format!("libjpeg-turbo setting {param} ({})", self.message()))),
        }
    }

    fn get(&self, param: raw::TJPARAM) -> c_int {
        // SAFETY: valid handle; only reads.
        unsafe { raw::tj3Get(self.handle.as_ptr(), param as c_int) }
    }

    fn message(&self) -> String {
        // SAFETY: the library returns a NUL-terminated string that lives in the handle.
        let text = unsafe { CStr::from_ptr(raw::tj3GetErrorStr(self.handle.as_ptr())) };
        text.to_string_lossy().into_owned()
    }

    /// Turns a return code into: nothing, a warning, or an error.
    fn outcome(&self, rc: c_int) -> Result<Option<String>, JpegError> {
        if rc == 0 {
            return Ok(None);
        }
        // SAFETY: valid handle; only reads.
        let code = unsafe { raw::tj3GetErrorCode(self.handle.as_ptr()) };
        let message = self.message();
        if code == raw::TJERR_TJERR_WARNING as c_int {
            Ok(Some(message))
        } else if message.contains("Insufficient memory") || message.contains("Memory limit") {
            Err(JpegError::TooLarge)
        } else if message.contains("Unsupported") || message.contains("not implemented") {
            Err(JpegError::Unsupported(format!("this kind of JPEG ({message})")))
        } else {
            Err(JpegError::Corrupt(message))
        }
    }

    fn len(&self) -> raw::size_t {
        self.data.len() as raw::size_t
    }

    /// Reads the header; nothing is allocated for pixels.
    pub(crate) fn header(&mut self) -> Result<Header, JpegError> {
        // SAFETY: the pointer and the length describe `data`, which outlives the call.
        let rc = unsafe { raw::tj3DecompressHeader(self.handle.as_ptr(), self.data.as_ptr(), self.len()) };
        self.outcome(rc)?;
        let side = |v: c_int| u32::try_from(v).map_err(|_| JpegError::Corrupt("no size in the header".into()));
        let space = self.get(raw::TJPARAM_TJPARAM_COLORSPACE);
        Ok(Header {
            width: side(self.get(raw::TJPARAM_TJPARAM_JPEGWIDTH))?,
            height: side(self.get(raw::TJPARAM_TJPARAM_JPEGHEIGHT))?,
            lossless: self.get(raw::TJPARAM_TJPARAM_LOSSLESS) == 1,
            progressive: self.get(raw::TJPARAM_TJPARAM_PROGRESSIVE) == 1,
            cmyk: space == raw::TJCS_TJCS_CMYK as c_int || space == raw::TJCS_TJCS_YCCK as c_int,
            bits: self.get(raw::TJPARAM_TJPARAM_PRECISION),
            chroma: match self.get(raw::TJPARAM_TJPARAM_SUBSAMP) {
                _ if space != raw::TJCS_TJCS_YCbCr as c_int => None,
                raw::TJSAMP_TJSAMP_444 => Some((0, 0)),
                raw::TJSAMP_TJSAMP_422 => Some((1, 0)),
                raw::TJSAMP_TJSAMP_420 => Some((1, 1)),
                raw::TJSAMP_TJSAMP_440 => Some((0, 1)),
                _ => None,
            },
        })
    }

    /// Decodes to RGBA at `eighths`/8 of the full size (8 = full). Gives the width, the height, the pixels and the warning, if
    /// there was one.
    pub(crate) fn decode(
        &mut self,
        header: &Header,
        eighths: u32,
    ) -> Result<(u32, u32, Vec<u8>, Option<String>), JpegError> {
        self.scale(eighths)?;
        let (width, height) = (scaled(header.width, eighths), scaled(header.height, eighths));
        let row = width as usize * RGBA;
        let pitch = c_int::try_from(row).map_err(|_| JpegError::TooLarge)?;
        let mut pixels = vec![0u8; row.checked_mul(height as usize).ok_or(JpegError::TooLarge)?];
        // SAFETY: the input is `data`; the output has `height` rows of `pitch` bytes, which is what libjpeg-turbo writes for
        // this header and this scaling factor (the header was read from the same data).
        let rc = unsafe {
            raw::tj3Decompress8(
                self.handle.as_ptr(),
                self.data.as_ptr(),
                self.len(),
                pixels.as_mut_ptr(),
                pitch,
                raw::TJPF_TJPF_RGBA as c_int,
            )
        };
        let warning = self.outcome(rc)?;
        Ok((width, height, pixels, warning))
    }

    fn scale(&mut self, eighths: u32) -> Result<(), JpegError> {
        let factor = reduced(raw::tjscalingfactor { num: eighths as c_int, denom: 8 });
        // SAFETY: valid handle; a factor that is not supported is answered with an error.
        match unsafe { raw::tj3SetScalingFactor(self.handle.as_ptr(), factor) } {
            0 => Ok(()),
            _ => Err(JpegError::Unsupported(format!("decoding at {eighths}/8 ({})", self.message()))),
        }
    }

    /// Decodes to luma and two planes of chroma as they are stored, at `eighths`/8 of the full size: nothing is converted and no
    /// chroma sample repeated. `chroma` is that of the header. Planes are padded to whole chroma samples. Gives the planes and the
    /// warning, if there was one.
    pub(crate) fn decode_planes(
        &mut self,
        header: &Header,
        chroma: (u32, u32),
        eighths: u32,
    ) -> Result<([Samples; 3], Option<String>), JpegError> {
        self.scale(eighths)?;
        let (width, height) = (scaled(header.width, eighths), scaled(header.height, eighths));
        let (sx, sy) = chroma;
        let halves = |side: u32, shift: u32| side.div_ceil(1 << shift);
        let plane = |width: u32, height: u32| -> Result<Samples, JpegError> {
            let bytes = (width as usize).checked_mul(height as usize).ok_or(JpegError::TooLarge)?;
            Ok(Samples { width, height, data: vec![0; bytes] })
        };
        let (cw, ch) = (halves(width, sx), halves(height, sy));
        let mut planes = [plane(cw << sx, ch << sy)?, plane(cw, ch)?, plane(cw, ch)?];
        let subsampling = self.get(raw::TJPARAM_TJPARAM_SUBSAMP);
        for (component, p) in (0..).zip(&planes) {
            // SAFETY: pure functions of numbers.
            let wanted = unsafe {
                let (w, h) = (width as c_int, height as c_int);
                [raw::tj3YUVPlaneWidth(component, w, subsampling), raw::tj3YUVPlaneHeight(component, h, subsampling)]
            };
            if wanted.map(|v| v as u32) != [p.width, p.height] {
                return Err(JpegError::Unsupported("the layout of its chroma".into()));
            }
        }
        let mut pointers = planes.each_mut().map(|p| p.data.as_mut_ptr());
        let mut strides = planes.each_ref().map(|p| p.width as c_int);
        // SAFETY: the input is `data`; each plane has as many rows of as many bytes as libjpeg-turbo says above that it writes.
        let rc = unsafe {
            raw::tj3DecompressToYUVPlanes8(
                self.handle.as_ptr(),
                self.data.as_ptr(),
                self.len(),
                pointers.as_mut_ptr(),
                strides.as_mut_ptr(),
            )
        };
        let warning = self.outcome(rc)?;
        Ok((planes, warning))
    }
}

/// Encodes rows of R G B A (alpha is not used) as a baseline JPEG with 4:2:0 chroma; `quality` 1 to 100.
pub(crate) fn encode(width: usize, height: usize, rgba: &[u8], quality: u8) -> Result<Vec<u8>, JpegError> {
    let image =
        turbojpeg::Image { pixels: rgba, width, pitch: width * RGBA, height, format: turbojpeg::PixelFormat::RGBA };
    let encoded = turbojpeg::compress(image, i32::from(quality.clamp(1, 100)), turbojpeg::Subsamp::Sub2x2);
    encoded.map(|bytes| bytes.to_vec()).map_err(|e| JpegError::Unsupported(e.to_string()))
}

fn reduced(f: raw::tjscalingfactor) -> raw::tjscalingfactor {
    let mut f = f;
    while f.num % 2 == 0 && f.denom % 2 == 0 {
        f = raw::tjscalingfactor { num: f.num / 2, denom: f.denom / 2 };
    }
    f
}

/// A side at `eighths`/8, rounded up as libjpeg-turbo does.
pub(crate) fn scaled(side: u32, eighths: u32) -> u32 {
    u32::try_from((u64::from(side) * u64::from(eighths)).div_ceil(8)).unwrap_or(u32::MAX)
}

/// The smallest of the eighths 1..=8 at which neither side falls below `min`.
pub(crate) fn eighths_for(width: u32, height: u32, min_width: u32, min_height: u32) -> u32 {
    (1..8).find(|n| scaled(width, *n) >= min_width && scaled(height, *n) >= min_height).unwrap_or(8)
}

/// The Exif block of a JPEG: the content of the first `Exif` application segment before the picture data.
pub(crate) fn exif(data: &[u8]) -> Option<&[u8]> {
    let mut rest = data.strip_prefix(&[0xff, 0xd8])?;
    loop {
        // Fill bytes may stand before a marker.
        while let [0xff, 0xff, ..] = rest {
            rest = rest.get(1..)?;
        }
        let (&[0xff, marker], tail) = rest.split_first_chunk::<2>()? else { return None };
        if matches!(marker, 0xd9 | 0xda) {
            return None;
        }
        if matches!(marker, 0x01 | 0xd0..=0xd8) {
            rest = tail;
            continue;
        }
        let len = usize::from(u16::from_be_bytes(*tail.first_chunk::<2>()?));
        let body = tail.get(2..len)?;
        if marker == 0xe1
            && let Some(exif) = body.strip_prefix(b"Exif\0\0")
        {
            return Some(exif);
        }
        rest = tail.get(len..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_never_fall_below_the_wish() {
        for (w, h) in [(640, 427), (17, 1000), (8, 8), (1, 1)] {
            for (mw, mh) in [(1, 1), (224, 224), (80, 54), (81, 54), (10_000, 1), (0, 0)] {
                let n = eighths_for(w, h, mw, mh);
                assert!((scaled(w, n) >= mw && scaled(h, n) >= mh) || n == 8);
                assert!(n == 1 || scaled(w, n - 1) < mw || scaled(h, n - 1) < mh);
            }
        }
        assert_eq!((eighths_for(640, 427, 80, 54), eighths_for(640, 427, 81, 54)), (1, 2));
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let rgba: Vec<u8> = (0..64 * 48).flat_map(|i| [(i % 64 * 3) as u8, (i / 64 * 4) as u8, 90, 7]).collect();
        let bytes = encode(64, 48, &rgba, 95).unwrap();
        let mut decoder = Jpeg::new(&bytes, 1 << 24).unwrap();
        let header = decoder.header().unwrap();
        let (width, height, back, damaged) = decoder.decode(&header, 8).unwrap();
        assert_eq!((width, height, damaged), (64, 48, None));
        let far = |(a, b): (&[u8], &[u8])| a[..3].iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(back.chunks(4).zip(rgba.chunks(4)).map(far).all(|d| d < 16));
    }

    /// Planes are what the decoder converts: their sizes, and grey that is luma.
    #[test]
    fn planes_are_the_stored_samples() {
        let (width, height) = (70usize, 37usize);
        let gray: Vec<u8> = (0..width * height).flat_map(|i| [(i % 251) as u8; 4]).collect();
        for (sampling, chroma) in [
            (turbojpeg::Subsamp::None, (0, 0)),
            (turbojpeg::Subsamp::Sub2x1, (1, 0)),
            (turbojpeg::Subsamp::Sub2x2, (1, 1)),
            (turbojpeg::Subsamp::Sub1x2, (0, 1)),
        ] {
            let image = turbojpeg::Image {
                pixels: &gray[..],
                width,
                pitch: width * 4,
                height,
                format: turbojpeg::PixelFormat::RGBA,
            };
            let bytes = turbojpeg::compress(image, 95, sampling).unwrap();
            for eighths in [8, 4, 2, 1] {
                let mut decoder = Jpeg::new(&bytes, 1 << 24).unwrap();
                let header = decoder.header().unwrap();
                assert_eq!(header.chroma, Some(chroma));
                let ([y, u, v], damaged) = decoder.decode_planes(&header, chroma, eighths).unwrap();
                let (w, h) = (scaled(70, eighths), scaled(37, eighths));
                let halves = (w.div_ceil(1 << chroma.0), h.div_ceil(1 << chroma.1));
                assert_eq!(((u.width, u.height), damaged), (halves, None), "{chroma:?} {eighths}");
                assert_eq!((y.width, y.height), (halves.0 << chroma.0, halves.1 << chroma.1));
                assert!(u.data.iter().chain(&v.data).all(|c| c.abs_diff(128) <= 1));
                let mut again = Jpeg::new(&bytes, 1 << 24).unwrap();
                again.header().unwrap();
                let (_, _, rgba, _) = again.decode(&header, eighths).unwrap();
                for (row, line) in rgba.chunks(w as usize * 4).zip(y.data.chunks(y.width as usize)) {
                    assert!(row.chunks(4).zip(line).all(|(p, l)| p[0].abs_diff(*l) <= 3), "{chroma:?} {eighths}");
                }
            }
        }
        // Grey files and others have no planes of this kind.
        let image = turbojpeg::Image {
            pixels: &gray[..],
            width,
            pitch: width * 4,
            height,
            format: turbojpeg::PixelFormat::RGBA,
        };
        let bytes = turbojpeg::compress(image, 95, turbojpeg::Subsamp::Gray).unwrap();
        assert_eq!(Jpeg::new(&bytes, 1 << 24).unwrap().header().unwrap().chroma, None);
    }

    #[test]
    fn exif_is_found_between_other_segments_and_nowhere_else() {
        let seg = |m: u8, body: &[u8]| {
            let mut v = vec![0xff, m];
            v.extend(((body.len() + 2) as u16).to_be_bytes());
            v.extend(body);
            v
        };
        let app = |segs: &[Vec<u8>]| [vec![0xff, 0xd8], segs.concat()].concat();
        let yes = app(&[seg(0xe0, b"JFIF\0"), vec![0xff], seg(0xe1, b"http:x"), seg(0xe1, b"Exif\0\0II*\0")]);
        assert_eq!(exif(&yes), Some(&b"II*\0"[..]));
        let after = app(&[seg(0xda, b"1"), seg(0xe1, b"Exif\0\0II*\0")]);
        assert_eq!(exif(&after), None);
        for cut in 0..yes.len() {
            let found = exif(&yes[..cut]);
            assert!(found.is_none(), "cut at {cut}");
        }
        assert_eq!(exif(&[0xff, 0xd8, 0xff, 0xe1, 0, 0]), None);
        assert_eq!(exif(&[0xff, 0xd8, 0xff, 0xe1, 0, 1, 0xff]), None);
    }
}
