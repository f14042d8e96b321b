//! Pictures of the report, made from the stills of the video.

use std::collections::HashMap;
use std::path::Path;

use super::annotate::{draw_sight, letters};
use super::canvas::Canvas;
use super::follow::Followed;
use super::occupancy::Occupancy;
use super::seen::Seen;
use super::tables::Life;
use crate::core::{BoxF, ChromaSiting, Limits, Rect, Size};
use crate::error::{Error, Result};
use crate::media::{DecodeHint, decode_image_bytes, encode_jpeg};
use crate::ops::resize::AreaOnHost;
use crate::report::{Colormap, PngFormat, encode_png, heat_rgb};

/// Objects that have a picture, at most: those seen longest.
const THUMBS: usize = 48;
/// Longest side of a picture of an object.
const THUMB_SIDE: u32 = 144;
/// Side of the square around a box, in its longer sides.
const AROUND: f32 = 1.2;
const QUALITY: u8 = 85;

/// Stills, decoded.
pub(super) struct Gallery<'a> {
    seen: &'a Seen,
    followed: &'a Followed,
    /// Position in the timeline of each still.
    places: Vec<Option<usize>>,
    open: HashMap<usize, Canvas>,
    /// Pixels of a still for a pixel of the video.
    scale: f64,
}

impl<'a> Gallery<'a> {
    pub(super) fn new(seen: &'a Seen, followed: &'a Followed) -> Self {
        let place = |s: &super::stills::Still| seen.frames.binary_search_by_key(&s.frame, |f| f.time.index).ok();
        let places = seen.facts.stills.iter().map(place).collect();
        Self { seen, followed, places, open: HashMap::new(), scale: 1.0 }
    }

    fn still(&mut self, at: usize) -> Result<Option<&Canvas>> {
        if !self.open.contains_key(&at) {
            let Some(jpeg) = self.seen.pictures.get(at) else { return Ok(None) };
            let name = Path::new("still");
            let image = decode_image_bytes(jpeg, name, &Limits::default(), DecodeHint::default())?;
            self.scale = f64::from(image.size.width) / f64::from(self.seen.facts.width.max(1));
            if self.open.len() >= 16 {
                self.open.clear();
            }
            self.open.insert(at, Canvas::over(image.size, image.rgba));
        }
        Ok(self.open.get(&at))
    }

    /// Objects seen in a still.
    fn crowd(&self, at: usize) -> usize {
        let place = self.places.get(at).copied().flatten();
        place.and_then(|p| self.followed.sights.get(p)).map_or(0, Vec::len)
    }

    /// The still with most objects, the first of several; and the one with fewest: the scene itself.
    fn extremes(&self) -> Option<(usize, usize)> {
        let all = || 0..self.places.len();
        let busiest = all().max_by_key(|i| (self.crowd(*i), std::cmp::Reverse(*i)))?;
        let emptiest = all().min_by_key(|i| (self.crowd(*i), *i))?;
        Some((busiest, emptiest))
    }

    /// The busiest still with its objects and the zones, as a JPEG, and its time.
    pub(super) fn scene(&mut self) -> Result<Option<(Vec<u8>, f64)>> {
        let Some((busiest, _)) = self.extremes() else { return Ok(None) };
        let Some(mut canvas) = self.still(busiest)?.cloned() else { return Ok(None) };
        let (scale, seconds) = (self.scale, self.seen.facts.stills.get(busiest).map_or(0.0, |s| s.seconds));
        let size = letters(canvas.size);
        canvas.zones(self.followed.end.zones.file(), scale, size, &[]);
        let place = self.places.get(busiest).copied().flatten();
        for s in place.and_then(|p| self.followed.sights.get(p)).into_iter().flatten() {
            let mut small = *s;
            let f = scale as f32;
            small.rect = BoxF { x: s.rect.x * f, y: s.rect.y * f, width: s.rect.width * f, height: s.rect.height * f };
            let label = self.followed.label(s.id, &self.seen.facts.class_name(s.class));
            draw_sight(&mut canvas, &small, &label, size);
        }
        Ok(Some((encode_jpeg(canvas.size, &canvas.rgba, QUALITY)?, seconds)))
    }

    /// Heat over the emptiest still, or over black without one, as a JPEG.
    pub(super) fn heat(&mut self, map: &Occupancy) -> Result<Vec<u8>> {
        let extremes = self.extremes();
        let still = match extremes {
            Some((_, emptiest)) => self.still(emptiest)?.cloned(),
            None => None,
        };
        let mut canvas = still.unwrap_or_else(|| {
            let size = self.seen.facts.shown().fit_within(640);
            Canvas::over(size, [20, 20, 20, 255].repeat(size.area() as usize))
        });
        let most = map.values.iter().copied().fold(0.0, f32::max);
        if most > 0.0 {
            let colors = heat_rgb(&map.values, map.size, Colormap::Inferno, Some((0.0, most)))?;
            let colors: &[[u8; 3]] = colors.as_chunks().0;
            let (w, h) = (map.size.width as usize, map.size.height as usize);
            let (cw, ch) = (canvas.size.width as usize, canvas.size.height as usize);
            for (i, pixel) in canvas.rgba.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                let (x, y) = ((i % cw) * w / cw.max(1), (i / cw) * h / ch.max(1));
                let at = y * w + x;
                let (Some(v), Some(color)) = (map.values.get(at), colors.get(at)) else { continue };
                // The square root brings out where few were.
                let alpha = (v / most).clamp(0.0, 1.0).sqrt() * 0.85;
                for (to, from) in pixel.iter_mut().zip(color) {
                    *to = (f32::from(*to) * (1.0 - alpha) + f32::from(*from) * alpha).round() as u8;
                }
            }
        }
        let (scale, size) = (f64::from(canvas.size.width) / f64::from(self.seen.facts.width.max(1)), canvas.size);
        canvas.zones(self.followed.end.zones.file(), scale, letters(size), &[]);
        encode_jpeg(size, &canvas.rgba, QUALITY)
    }

    /// Pictures of objects, by number: each from the still in which it is largest.
    pub(super) fn objects(&mut self, lives: &[Life]) -> Result<Vec<(u64, Vec<u8>)>> {
        let mut order: Vec<&Life> = lives.iter().collect();
        order.sort_by_key(|l| (std::cmp::Reverse(l.frames), l.id));
        let wanted: Vec<u64> = order.into_iter().take(THUMBS).map(|l| l.id).collect();
        // By object: area, still, box.
        let mut best: HashMap<u64, (f32, usize, BoxF)> = HashMap::new();
        for (at, place) in self.places.iter().enumerate() {
            let sights = place.and_then(|p| self.followed.sights.get(p));
            for s in sights.into_iter().flatten().filter(|s| wanted.contains(&s.id)) {
                let inside = s.rect.clip(self.seen.facts.shown()).area();
                let entry = best.entry(s.id).or_insert((0.0, at, s.rect));
                if inside > entry.0 {
                    *entry = (inside, at, s.rect);
                }
            }
        }
        let mut found: Vec<(u64, (f32, usize, BoxF))> = best.into_iter().collect();
        // By still, so that each is decoded once.
        found.sort_by_key(|(id, (_, at, _))| (*at, *id));
        let mut out = Vec::new();
        for (id, (_, at, rect)) in found {
            let Some(canvas) = self.still(at)?.cloned() else { continue };
            if let Some(jpeg) = self.cut(&canvas, &rect)? {
                out.push((id, jpeg));
            }
        }
        out.sort_by_key(|(id, _)| *id);
        Ok(out)
    }

    fn cut(&self, canvas: &Canvas, rect: &BoxF) -> Result<Option<Vec<u8>>> {
        let f = self.scale as f32;
        let small = BoxF { x: rect.x * f, y: rect.y * f, width: rect.width * f, height: rect.height * f };
        // Squares, so that they stand in line: moved to lie inside of the picture.
        let around = small.squared().scaled(AROUND);
        let side = (around.width.round().max(0.0) as u32).min(canvas.size.width).min(canvas.size.height);
        let place = |v: f32, all: u32| (v.round().max(0.0) as u32).min(all.saturating_sub(side));
        let (x, y) = (place(around.x, canvas.size.width), place(around.y, canvas.size.height));
        let (width, height) = (side, side);
        let part = Rect { x, y, width, height };
        if side < 4 || !part.fits(canvas.size) {
            return Ok(None);
        }
        let to = Size::new(width, height).fit_within(THUMB_SIDE);
        let rgba = AreaOnHost::new(part, canvas.size, (0, 0), ChromaSiting::Center, to)?.reduce::<4>(&canvas.rgba)?;
        encode_jpeg(to, &rgba, QUALITY).map(Some)
    }
}

/// A map as a PNG of its own size.
pub(super) fn heat_png(map: &Occupancy) -> Result<Vec<u8>> {
    let rgb = heat_rgb(&map.values, map.size, Colormap::Inferno, None)?;
    encode_png(map.size, PngFormat::Rgb8, &rgb).map_err(|e| Error::Bug(format!("a heat map as PNG: {e}")))
}
