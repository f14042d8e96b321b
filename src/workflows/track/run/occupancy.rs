//! Where objects were, as heat: seconds that they spent there.

use std::collections::BTreeMap;

use super::super::zones::BoxPoint;
use super::follow::Followed;
use super::seen::Seen;
use crate::core::{Rect, Size};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::heatmap::splat_gaussian::{SplatParams, SplatPlan, WeightedBox, splat_gaussian};
use crate::ops::{GpuMaps, MapLayout, MapSample};

/// Longest side of a map.
const SIDE: u32 = 320;
/// Classes with a map of their own at most; the ones with most seconds.
const CLASSES: usize = 6;
/// Step in which the width of a bell is kept, in pixels of the map: places near each other are added up before they are drawn.
const STEP: u32 = 2;
/// Bells are drawn so many deviations far.
const REACH: f32 = 3.0;

/// A map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Occupancy {
    /// `None`: all classes together.
    pub(super) class: Option<u32>,
    pub(super) size: Size,
    /// Row by row. The sum over the bell of an object is not one: a value says how much was there, not how many seconds.
    pub(super) values: Vec<f32>,
}

/// The maps of all classes together and, where there are several, of each.
pub(super) fn occupancy(ctx: &GpuContext, seen: &Seen, followed: &Followed, point: BoxPoint) -> Result<Vec<Occupancy>> {
    let shown = seen.facts.shown();
    let size = shown.fit_within(SIDE);
    let scale = f64::from(size.width) / f64::from(shown.width.max(1));
    // Weights by class and place.
    let mut places: BTreeMap<u32, BTreeMap<(u32, u32, u32), f64>> = BTreeMap::new();
    for (i, (frame, sights)) in seen.frames.iter().zip(&followed.sights).enumerate() {
        let next = seen.frames.get(i + 1).map(|f| f.time.seconds - frame.time.seconds);
        // The last frame lasts as long as the one before; a hole in the video is not a long stay.
        let before = i.checked_sub(1).and_then(|b| seen.frames.get(b));
        let lasts = next.or(before.map(|b| frame.time.seconds - b.time.seconds)).unwrap_or(0.04).clamp(0.0, 1.0);
        for s in sights {
            let [x, y] = point.of(&s.rect).map(|v| (v * scale).max(0.0) as u32 / STEP * STEP);
            let side = (f64::from(s.rect.width.min(s.rect.height)) * scale).clamp(4.0, f64::from(SIDE) / 4.0) as u32;
            let side = side / STEP * STEP;
            *places.entry(s.class).or_default().entry((y, x, side)).or_default() += lasts;
        }
    }
    let mut seconds: Vec<(u32, f64)> = places.iter().map(|(c, p)| (*c, p.values().sum())).collect();
    seconds.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut maps: Vec<Option<u32>> = vec![None];
    if seconds.len() > 1 {
        maps.extend(seconds.iter().take(CLASSES).map(|(c, _)| Some(*c)));
    }
    let layout = MapLayout::new(MapSample::F32, size)?;
    let mut out = Vec::new();
    for class in maps {
        let of: Vec<WeightedBox> = places
            .iter()
            .filter(|(c, _)| class.is_none_or(|wanted| wanted == **c))
            .flat_map(|(_, p)| p.iter().map(|((y, x, side), w)| bell(*x, *y, *side, *w)))
            .collect();
        let zero = vec![0u8; size.area() as usize * 4];
        let map = GpuMaps::from_host(ctx, "occupancy", layout, &[&zero])?;
        for some in of.chunks(SplatPlan::MAX_BOXES as usize) {
            splat_gaussian(ctx, &[some], &map, SplatParams { reach: Some(REACH) })?;
        }
        out.push(Occupancy { class, size, values: map.read_as::<f32>(ctx, 0)? });
    }
    Ok(out)
}

/// A bell around a place; near the upper and left edges its box is narrower, so that its middle stays.
fn bell(x: u32, y: u32, side: u32, weight: f64) -> WeightedBox {
    let half = (side / 2).max(2);
    let (mut across, mut down) = (half.min(x), half.min(y));
    if across.max(down) == 0 {
        (across, down) = (1, 1);
    }
    let rect = Rect { x: x.saturating_sub(across), y: y.saturating_sub(down), width: 2 * across, height: 2 * down };
    WeightedBox { rect, weight: weight as f32 }
}
