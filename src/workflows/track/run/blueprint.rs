//! Tracks seen from above: drawn on the plan that the calibration leads to, over a picture of it where there is one.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::zones::{LineSpec, PlanSpec, Points, Polygon, ZoneSpec, ZonesFile};
use super::canvas::{Canvas, color_of};
use super::config::TrackConfig;
use super::follow::Followed;
use super::seen::Seen;
use crate::core::{BudgetPermit, ChromaSiting, Limits, Rect, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::{DecodeHint, decode_image_bytes, read_image};
use crate::ops::resize::AreaOnHost;
use crate::report::{PngFormat, encode_png};

/// Longest side of a picture without a background, in pixels.
const SIDE: f64 = 1000.0;
/// Largest side of a background.
const LARGEST: u32 = 4096;
/// Up to this side a picture is drawn at twice its size and made smaller, so that lines are smooth.
const SMOOTHED: u32 = 1600;
/// Share of the points of tracks that may lie outside of a picture without a background, at each side: boxes near the horizon are thrown far.
const OUTSIDE: f64 = 0.02;
/// Seconds over which the place of a track is averaged: on the plan a pixel may be a metre.
const SMOOTH: f64 = 0.5;
/// Seconds without a sight after which a trail is not joined.
const GAP: f64 = 2.0;
/// Tracks with a label of their own, at most: those with the longest trails.
const LABELS: usize = 40;

const PAPER: [u8; 3] = [250, 250, 247];
const GRID: [u8; 3] = [226, 226, 220];
const INK: [u8; 3] = [40, 40, 40];

/// The picture that tracks are drawn over, and its content id.
#[derive(Debug)]
pub(super) struct Background {
    size: Size,
    rgba: Vec<u8>,
    pub(super) id: String,
    _memory: BudgetPermit,
}

/// Reads the background that the settings name.
///
/// # Errors
/// [`Error::Config`] without a calibration and for a picture that is too large; [`Error::Memory`]; those of [`read_image`] and decoding.
pub(super) fn background(ctx: &GpuContext, config: &TrackConfig, zones: &ZonesFile) -> Result<Option<Background>> {
    let Some(path) = &config.blueprint else { return Ok(None) };
    let refused = |message: String| Error::Config { field: "blueprint".into(), message };
    if zones.plan.is_none() {
        return Err(refused(
            "wants a `calibration` in the file of zones: it says where a point of the video lies".into(),
        ));
    }
    let (path, limits) = (Path::new(path), Limits::default());
    let bytes = read_image(path, &limits)?;
    let image = decode_image_bytes(&bytes, path, &limits, DecodeHint::default())?;
    if image.size.width.max(image.size.height) > LARGEST {
        return Err(refused(format!("sides of {LARGEST} pixels at most are wanted, got {}", image.size)));
    }
    let memory = ctx.pool().acquire_host(4 * image.size.area())?;
    let id = blake3::hash(&bytes).to_hex().to_string();
    Ok(Some(Background { size: image.size, rgba: image.rgba, id, _memory: memory }))
}

/// A place at a time.
type At = (f64, [f64; 2]);

/// Where all tracks were on the plan. What lies behind the horizon is left out.
fn ways(seen: &Seen, followed: &Followed, config: &TrackConfig, plan: &PlanSpec) -> BTreeMap<u64, Vec<At>> {
    let mut ways: BTreeMap<u64, Vec<At>> = BTreeMap::new();
    for (frame, sights) in seen.frames.iter().zip(&followed.sights) {
        for s in sights {
            if let Some(place) = plan.map.place(config.point.of(&s.rect)) {
                ways.entry(s.id).or_default().push((frame.time.seconds, place));
            }
        }
    }
    ways
}

/// Mean places over [`SMOOTH`] seconds around each.
fn smooth(way: &[At]) -> Vec<At> {
    let (mut first, mut behind) = (0, 0);
    let mut sum = [0.0; 2];
    let mut out = Vec::with_capacity(way.len());
    let add = |sum: &mut [f64; 2], p: &[f64; 2], sign: f64| sum.iter_mut().zip(p).for_each(|(s, v)| *s += sign * v);
    for (t, _) in way {
        while let Some((_, p)) = way.get(behind).filter(|(u, _)| *u <= t + SMOOTH / 2.0) {
            add(&mut sum, p, 1.0);
            behind += 1;
        }
        while let Some((_, p)) = way.get(first).filter(|(u, _)| *u < t - SMOOTH / 2.0) {
            add(&mut sum, p, -1.0);
            first += 1;
        }
        let count = (behind - first).max(1) as f64;
        out.push((*t, sum.map(|v| v / count)));
    }
    out
}

/// From the plan to pixels.
#[derive(Debug, Clone, Copy)]
struct View {
    origin: [f64; 2],
    scale: f64,
}

impl View {
    fn of(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [(x - self.origin[0]) * self.scale, (y - self.origin[1]) * self.scale]
    }
}

/// The part of the plan that is shown without a background: what the file draws, and nearly all of the ways.
fn part(file: &ZonesFile, ways: &BTreeMap<u64, Vec<At>>) -> Option<([f64; 2], [f64; 2])> {
    let drawn = file.zones.iter().flat_map(|z| z.polygon.points()).chain(file.lines.iter().flat_map(|l| &l.points));
    let mut low = [f64::INFINITY; 2];
    let mut high = [f64::NEG_INFINITY; 2];
    let mut take = |axis: usize, value: f64| {
        if let (Some(l), Some(h)) = (low.get_mut(axis), high.get_mut(axis)) {
            (*l, *h) = (l.min(value), h.max(value));
        }
    };
    for p in drawn {
        take(0, p[0]);
        take(1, p[1]);
    }
    for axis in 0..2 {
        let mut values: Vec<f64> = ways.values().flatten().filter_map(|(_, p)| p.get(axis).copied()).collect();
        values.sort_by(f64::total_cmp);
        let cut = (values.len() as f64 * OUTSIDE) as usize;
        for at in [cut, values.len().saturating_sub(1 + cut)] {
            if let Some(v) = values.get(at) {
                take(axis, *v);
            }
        }
    }
    let sides = [high[0] - low[0], high[1] - low[1]];
    let longest = sides[0].max(sides[1]);
    if !longest.is_finite() || longest <= 0.0 {
        return None;
    }
    let margin = 0.06 * longest;
    // Not narrower than a fifth: a line of people is still a picture.
    let grow = sides.map(|s| (0.2 * longest - s).max(0.0) / 2.0 + margin);
    Some(([low[0] - grow[0], low[1] - grow[1]], [high[0] + grow[0], high[1] + grow[1]]))
}

/// The largest of 1, 2, 5, 10 … that is at most `most`.
fn round_down(most: f64) -> f64 {
    let ten = 10f64.powf(most.log10().floor());
    let steps = [5.0, 2.0, 1.0].map(|f| f * ten);
    steps.into_iter().find(|s| *s <= most * (1.0 + 1e-9)).unwrap_or(ten)
}

/// Zones and lines in pixels of the picture; those that are drawn on the video are brought to the plan where all of their points lie on it.
fn drawn(file: &ZonesFile, plan: &PlanSpec, view: View) -> ZonesFile {
    let place = |p: &[f64; 2], on_plan: bool| {
        let there = if on_plan { Some(*p) } else { plan.map.place(*p) };
        there.map(|p| view.of(p))
    };
    let mut out = ZonesFile::default();
    for z in &file.zones {
        let points: Option<Vec<_>> = z.polygon.points().iter().map(|p| place(p, z.calibration.is_some())).collect();
        if let Some(Ok(polygon)) = points.map(|p| Polygon::new(Points::Pairs(p), "zone")) {
            out.zones.push(ZoneSpec { id: z.id.clone(), name: z.name.clone(), polygon, calibration: None });
        }
    }
    for l in &file.lines {
        let on_plan = l.calibration.is_some();
        if let (Some(a), Some(b)) = (place(&l.points[0], on_plan), place(&l.points[1], on_plan)) {
            out.lines.push(LineSpec { id: l.id.clone(), name: l.name.clone(), points: [a, b], calibration: None });
        }
    }
    out
}

/// The picture as a PNG; `None` without a calibration, and where nobody was on the plan.
pub(super) fn blueprint(
    ctx: &GpuContext,
    seen: &Seen,
    followed: &Followed,
    (config, background): (&TrackConfig, Option<&Background>),
) -> Result<Option<Vec<u8>>> {
    let file = followed.end.zones.file();
    let Some(plan) = &file.plan else { return Ok(None) };
    let raw = ways(seen, followed, config, plan);
    let ways: BTreeMap<u64, Vec<At>> = raw.iter().map(|(id, way)| (*id, smooth(way))).collect();
    let shape = match background {
        Some(b) => Some((b.size, View { origin: [0.0; 2], scale: plan.pixels_per_unit })),
        None => part(&drawn(file, plan, View { origin: [0.0; 2], scale: 1.0 }), &ways).map(|(low, high)| {
            let scale = SIDE / (high[0] - low[0]).max(high[1] - low[1]);
            let side = |low: f64, high: f64| ((high - low) * scale).round().max(1.0) as u32;
            (Size::new(side(low[0], high[0]), side(low[1], high[1])), View { origin: low, scale })
        }),
    };
    let Some((size, view)) = shape else { return Ok(None) };
    let times = if size.width.max(size.height) <= SMOOTHED { 2 } else { 1 };
    let large = Size::new(times * size.width, times * size.height);
    let _memory = ctx.pool().acquire_host(4 * (large.area() + size.area()))?;
    let view = View { scale: f64::from(times) * view.scale, ..view };
    let letters = i64::from(times) * (i64::from(size.width.min(size.height)) / 400).clamp(1, 6);
    let mut canvas = match background {
        Some(b) => Canvas::over(large, enlarged(b, times as usize)),
        None => paper(large, view),
    };
    canvas.zones(&drawn(file, plan, view), 1.0, letters, &[]);
    for (id, way) in &ways {
        trail(&mut canvas, way, view, letters, color_of(*id));
    }
    let mut longest: Vec<(&u64, &Vec<At>)> = ways.iter().collect();
    longest.sort_by_key(|(id, way)| (std::cmp::Reverse(way.len()), **id));
    for (id, way) in longest.into_iter().take(LABELS) {
        let class = followed.end.tracks.iter().find(|t| t.id == *id).map_or(0, |t| t.class);
        let text = followed.label(*id, &seen.facts.class_name(class));
        let text = if followed.names.contains_key(id) { text } else { id.to_string() };
        // Where it was seen last in this picture.
        let inside = |p: &[f64; 2]| {
            (0.0..f64::from(large.width)).contains(&p[0]) && (0.0..f64::from(large.height)).contains(&p[1])
        };
        if let Some(p) = way.iter().rev().map(|(_, p)| view.of(*p)).find(inside) {
            let [x, y] = p.map(|v| v.round() as i64);
            canvas.label(&text, (x + 3 * letters, y - 4 * letters), letters, color_of(*id));
        }
    }
    scale_bar(&mut canvas, view, &plan.unit, letters);
    let whole = Rect { x: 0, y: 0, width: large.width, height: large.height };
    let rgba = AreaOnHost::new(whole, large, (0, 0), ChromaSiting::Center, size)?.reduce::<4>(&canvas.rgba)?;
    let png = encode_png(size, PngFormat::Rgba8, &rgba).map_err(|e| Error::Bug(format!("a plan as PNG: {e}")))?;
    Ok(Some(png))
}

/// Each pixel so many times, across and down.
fn enlarged(of: &Background, times: usize) -> Vec<u8> {
    let row = of.size.width as usize * 4;
    let mut out = Vec::with_capacity(of.rgba.len() * times * times);
    for line in of.rgba.chunks_exact(row.max(1)) {
        let wide: Vec<u8> =
            line.as_chunks::<4>().0.iter().flat_map(|p| std::iter::repeat_n(*p, times)).flatten().collect();
        (0..times).for_each(|_| out.extend_from_slice(&wide));
    }
    out
}

/// Paper with a grid of the step of the scale bar.
fn paper(size: Size, view: View) -> Canvas {
    let mut canvas = Canvas::over(size, [PAPER[0], PAPER[1], PAPER[2], 255].repeat(size.area() as usize));
    let step = bar(size, view);
    let (w, h) = (i64::from(size.width), i64::from(size.height));
    for (axis, length) in [(0, size.width), (1, size.height)] {
        let origin = if axis == 0 { view.origin[0] } else { view.origin[1] };
        let mut at = (origin / step).ceil() * step;
        while (at - origin) * view.scale < f64::from(length) {
            let pixel = ((at - origin) * view.scale).round() as i64;
            if axis == 0 {
                canvas.fill((pixel, 0), (2, h), GRID, 255);
            } else {
                canvas.fill((0, pixel), (w, 2), GRID, 255);
            }
            at += step;
        }
    }
    canvas
}

/// Units of the scale bar: at most a fifth of the width.
fn bar(size: Size, view: View) -> f64 {
    round_down(f64::from(size.width) / 5.0 / view.scale)
}

fn scale_bar(canvas: &mut Canvas, view: View, unit: &str, letters: i64) {
    let units = bar(canvas.size, view);
    let long = (units * view.scale).round() as i64;
    let (x, y) = (6 * letters, i64::from(canvas.size.height) - 8 * letters);
    let text = format!("{units} {unit}");
    let (w, h) = Canvas::label_size(&text, letters);
    let tick = 2 * letters;
    canvas.fill(
        (x - tick, y - h - 2 * tick),
        (long.max(w) + 2 * tick, h + 2 * tick + letters + 2 * tick),
        [255; 3],
        200,
    );
    canvas.fill((x, y), (long, letters), INK, 255);
    for end in [x, x + long - letters] {
        canvas.fill((end, y - tick), (letters, 2 * tick + letters), INK, 255);
    }
    canvas.text(&text, (x, y - h - tick), letters, INK);
}

/// A way with its beginning, which is a dot, and arrows along it.
fn trail(canvas: &mut Canvas, way: &[At], view: View, letters: i64, color: [u8; 3]) {
    let thick = (letters * 3 / 2).max(2);
    let every = 60.0 * letters as f64;
    let mut since = every / 2.0;
    let mut drawn: Option<At> = None;
    if let Some((_, p)) = way.first() {
        let [x, y] = view.of(*p).map(|v| v.round() as i64);
        let r = 2 * thick;
        for dy in -r..=r {
            let half = ((r * r - dy * dy) as f64).sqrt() as i64;
            canvas.fill((x - half, y + dy), (2 * half + 1, 1), color, 255);
        }
    }
    for (i, (t, p)) in way.iter().enumerate() {
        let here = view.of(*p);
        let last = i + 1 == way.len();
        let Some((before, from)) = drawn else {
            drawn = Some((*t, here));
            continue;
        };
        let (dx, dy) = (here[0] - from[0], here[1] - from[1]);
        let length = dx.hypot(dy);
        // Steps of less than some pixels have no direction.
        if length < 2.0 * thick as f64 && !last {
            if t - before > GAP {
                drawn = Some((*t, here));
            }
            continue;
        }
        if t - before <= GAP.max(SMOOTH) || length < every {
            canvas.line(from, here, thick, color);
            since += length;
            if (since >= every || last) && length > 0.0 {
                since = 0.0;
                arrow(canvas, here, [dx / length, dy / length], (4 * thick) as f64, thick, color);
            }
        }
        drawn = Some((*t, here));
    }
}

fn arrow(canvas: &mut Canvas, tip: [f64; 2], [dx, dy]: [f64; 2], long: f64, thick: i64, color: [u8; 3]) {
    for side in [-0.6, 0.6] {
        let end = [tip[0] + (-dx - side * dy) * long, tip[1] + (-dy + side * dx) * long];
        canvas.line(tip, end, thick, color);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_round_numbers() {
        for (most, wanted) in
            [(7.3, 5.0), (5.0, 5.0), (4.9, 2.0), (1.0, 1.0), (0.3, 0.2), (0.09, 0.05), (1234.0, 1000.0)]
        {
            assert!((round_down(most) - wanted).abs() < 1e-12 * wanted.max(1.0), "{most}: {}", round_down(most));
        }
    }

    #[test]
    fn jitter_is_averaged_and_the_way_is_not() {
        let way: Vec<At> =
            (0..100u32).map(|i| (f64::from(i) / 25.0, [f64::from(i), if i % 2 == 0 { 3.0 } else { -3.0 }])).collect();
        let out = smooth(&way);
        assert_eq!(out.len(), 100);
        assert!(out.iter().zip(&way).skip(10).take(80).all(|((_, p), (_, q))| (p[0] - q[0]).abs() < 1e-9));
        assert!(out.iter().skip(10).take(80).all(|(_, p)| p[1].abs() < 0.5));
    }

    #[test]
    fn nearly_all_of_the_ways_are_shown_and_none_is_no_picture() {
        let mut way: Vec<At> = (0..1000u32).map(|i| (0.0, [f64::from(i) / 100.0, 2.0])).collect();
        way.push((0.0, [1e9, -1e9]));
        let ([x0, y0], [x1, y1]) = part(&ZonesFile::default(), &BTreeMap::from([(1, way)])).unwrap();
        assert!(x0 > -2.0 && x1 < 12.0 && y0 < 1.0 && y1 > 3.0 && y1 - y0 < 10.0, "{x0} {y0} {x1} {y1}");
        assert_eq!(part(&ZonesFile::default(), &BTreeMap::new()), None);
    }
}
