//! From the decoder's frame to a described one in host memory: fetched from a device, converted where kernels do not know the
//! format, with its colour resolved. Says what it had to assume.

use std::path::Path;

use super::avframe::{Facts, Picture};
use super::color::{self, Resolved};
use super::convert::Converter;
use super::hardware;
use super::pixels::{Mapping, Pack, mapping};
use super::streams::{RawColor, pixel_format_name};
use crate::core::{ColorSpec, FrameDesc, Limits, Size};
use crate::error::{Error, Result};

/// Notes kept for the verdict.
const MAX_NOTES: usize = 32;

/// Where the samples of the newest frame are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Decoder,
    Fetched,
    Converted,
}

/// State that lasts from frame to frame: streams rarely change format or colour.
#[derive(Debug)]
pub(crate) struct Presenter {
    fetched: Picture,
    converter: Option<Converter>,
    format: Option<(i32, Option<Mapping>)>,
    color: Option<((RawColor, u32, bool), ColorSpec)>,
    place: Place,
    centred: bool,
    pub(crate) notes: Vec<String>,
}

impl Presenter {
    /// `codec` is the stream's codec name, which decides where chroma lies if nothing else does.
    pub(crate) fn new(codec: &str, notes: Vec<String>) -> Result<Self> {
        Ok(Self {
            fetched: Picture::new()?,
            converter: None,
            format: None,
            color: None,
            place: Place::Decoder,
            centred: matches!(codec, "mpeg1video" | "mjpeg"),
            notes,
        })
    }

    /// Adds a note once.
    pub(crate) fn note(&mut self, text: String) {
        if self.notes.len() < MAX_NOTES && !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// The picture to read samples from, after [`Self::present`].
    pub(crate) fn picture<'a>(&'a self, decoded: &'a Picture) -> &'a Picture {
        match (self.place, &self.converter) {
            (Place::Converted, Some(c)) => &c.output,
            (Place::Fetched, _) => &self.fetched,
            _ => decoded,
        }
    }

    /// Describes `decoded` and makes its samples readable.
    pub(crate) fn present(
        &mut self,
        decoded: &mut Picture,
        facts: &Facts,
        limits: &Limits,
        path: &Path,
    ) -> Result<(Mapping, FrameDesc)> {
        limits.check_picture(u64::from(facts.width), u64::from(facts.height), 1)?;
        let mut format = facts.format;
        self.place = Place::Decoder;
        if facts.on_device {
            hardware::fetch(decoded, &mut self.fetched)?;
            format = self.fetched.facts().format;
            self.place = Place::Fetched;
        }
        let known = self.known(format, path)?;
        let (mapping, full_range, full) = match (known, &self.converter) {
            (Some(m), _) => (m, m.full_range, m.full_range),
            (None, Some(converter)) => {
                let full = facts.color.range == 2 || pixel_format_name(format).is_some_and(|n| n.starts_with("yuvj"));
                (converter.mapping, full || converter.mapping.full_range, full)
            }
            (None, None) => return Err(Error::Bug("no converter".into())),
        };
        let color = self.resolve_color(facts, full_range, matches!(mapping.pack, Pack::Planes));
        if let (None, Some(converter)) = (known, &mut self.converter) {
            let source = if facts.on_device { &mut self.fetched } else { decoded };
            converter.run(source, color.matrix, full)?;
            self.place = Place::Converted;
        }
        let size = Size::new(facts.width, facts.height);
        Limits::check("frame_bytes", limits.frame_bytes, mapping.format.frame_bytes(size), || {
            format!("the byte count of a {size} frame in {}", mapping.format)
        })?;
        Ok((mapping, FrameDesc { format: mapping.format, size, color }))
    }

    /// The mapping of a format; `None` if frames go through `self.converter`.
    fn known(&mut self, format: i32, path: &Path) -> Result<Option<Mapping>> {
        if let Some((last, known)) = self.format
            && last == format
        {
            return Ok(known);
        }
        let name = pixel_format_name(format).unwrap_or_else(|| format!("number {format}"));
        let known = mapping(&name);
        self.converter = None;
        if known.is_none() {
            let converter = Converter::new(format)?.ok_or_else(|| Error::InputUnsupported {
                path: path.to_path_buf(),
                what: format!("the pixel format `{name}`"),
                hint: None,
            })?;
            self.note(converter.note.clone());
            self.converter = Some(converter);
        } else if known.is_some_and(|k| k.drops_alpha) {
            self.note(format!("the alpha plane of {name} is left out"));
        }
        self.format = Some((format, known));
        Ok(known)
    }

    fn resolve_color(&mut self, facts: &Facts, full_range: bool, is_yuv: bool) -> ColorSpec {
        let key = (facts.color, facts.height, full_range);
        if let Some((last, spec)) = self.color
            && last == key
        {
            return spec;
        }
        let Resolved { spec, notes } = color::resolve(facts.color, facts.height, full_range, self.centred);
        if is_yuv {
            for n in notes {
                self.note(n);
            }
        }
        self.color = Some((key, spec));
        spec
    }
}
