//! The default planner: least pixels for a guaranteed coverage.
//!
//! Choosing windows that together hold enough heat is a partial set cover, which is NP-hard. Several quick constructions (most heat
//! first; from each corner, the best window over the first open cell; tiles) are each improved by local search: drop what is not
//! needed, take smaller windows, and try with one window fewer, the others moved one by one to where they add most. What meets
//! without room for blending is moved apart, bridged, or, failing that, given up for tiles, which always have it. The cheapest
//! result wins. Its chunks are then moved within what they must cover so that their subject lies in the middle.

use super::contact::unsupported;
use super::cover::{Cover, Field, Spot, doubled_middle};
use super::heat::HeatMap;
use super::params::{PlanParams, rects};
use super::parity::{PlacerParams, place};
use super::record::{Chunk, ChunkPlan, PlanRule, coverage_stats};
use super::table::Cells;
use crate::config::Settings;
use crate::core::{Rect, Size};
use crate::error::{Error, Result};

/// Windows and cells that local search may look at, all in all. A bound on time that does not depend on the machine.
const WORK: u64 = 5_000_000;

/// Plans chunks over `map` by the rules of [`PlanParams`].
///
/// A chunk that is larger than the frame is cut to it. The plan is a function of map and settings. Time: about one search over all
/// window positions per chunk, and a bounded number more.
///
/// # Errors
/// [`crate::Error::Config`] for settings out of range.
pub fn plan(map: &HeatMap, params: &PlanParams) -> Result<ChunkPlan> {
    params.check()?;
    let limited = map.limited(&rects(&params.regions), &rects(&params.exclude));
    let counted = limited.as_ref().unwrap_or(map);
    let frame = map.size();
    let mut chunks: Vec<Chunk> = Vec::new();
    let (mut active, mut grid_pixels) = (1.0f64, 0);
    for scale in &params.scales {
        let field = Field::new(frame, params, *scale)?;
        let cells = Cells::new(&field.grid, counted, params.threshold);
        let cover = cover(&field, &cells, params.coverage);
        let total = cells.total();
        active = active.min(if total > 0 { cover.covered as f64 / total as f64 } else { 1.0 });
        grid_pixels += field.tiling(0).iter().map(|s| field.pixels(*s)).sum::<u64>();
        for (spot, gain) in ranked(&cover, &cells) {
            let score = if total > 0 { gain as f64 / Cells::scale(counted) } else { 0.0 };
            let chunk = Chunk::new(field.rect(spot), field.turned(spot), score, chunks.len());
            chunks.push(Chunk { scale: *scale, ..chunk });
        }
    }
    Ok(ChunkPlan::new(map, chunks, (PlanRule::LeastPixels, params), active, grid_pixels))
}

/// Plans by the rule of the original system ([`super::place`]), with one size, factor and rotation.
///
/// # Errors
/// [`Error::Config`] for settings that this rule does not have and that are not at their default; those of [`super::place`].
pub fn plan_original(map: &HeatMap, params: &PlanParams) -> Result<ChunkPlan> {
    params.check()?;
    let d = PlanParams::default();
    let unknown = [
        ("sizes", params.sizes.len() > 1),
        ("coverage", params.coverage != d.coverage),
        ("threshold", params.threshold != d.threshold),
        ("overlap", params.overlap != d.overlap),
        ("halo", params.halo != d.halo),
        ("subject", params.subject != d.subject),
        ("scales", params.scales != d.scales),
        ("regions", params.regions != d.regions),
        ("exclude", params.exclude != d.exclude),
        ("lead_in", params.lead_in != d.lead_in),
        ("hold", params.hold != d.hold),
        ("segment", params.segment != d.segment),
    ];
    if let Some((field, _)) = unknown.into_iter().find(|(_, set)| *set) {
        let message = "has no meaning for the original rule, which knows one size, factor and rotation".into();
        return Err(Error::Config { field: field.into(), message });
    }
    let size = params.sizes.first().map_or(Size::new(0, 0), |[w, h]| Size::new(*w, *h));
    let placer = PlacerParams { model_factor: params.factor, allow_rotation: params.rotate, ..PlacerParams::default() };
    let chunks = place(map, size, &placer)?;
    let field = Field::new(map.size(), params, 1.0)?;
    let grid_pixels = field.tiling(0).iter().map(|s| field.pixels(*s)).sum();
    let covered = coverage_stats(map, &chunks).coverage;
    Ok(ChunkPlan::new(map, chunks, (PlanRule::Original, params), covered, grid_pixels))
}

/// The cheapest cover found.
fn cover<'a>(field: &'a Field, cells: &'a Cells, coverage: f64) -> Cover<'a> {
    let total = cells.total();
    let target = if coverage >= 1.0 { total } else { ((coverage * total as f64).ceil() as u64).min(total) };
    let mut search = Search { target, work: 0, step: field.windows() + cells.heat.len() as u64 };
    let empty = Cover::new(field, cells);
    if target == 0 {
        return empty;
    }
    let mut starts = vec![search.greedy(empty.clone())];
    for flip in [[false, false], [true, false], [false, true], [true, true]] {
        if search.work < WORK {
            starts.push(search.corner_first(empty.clone(), flip));
        }
    }
    let tiles: Vec<Cover<'_>> = (0..field.shapes()).map(|shape| search.tiles(empty.clone(), shape)).collect();
    let share = WORK / (starts.len() as u64 + tiles.len() as u64);
    let mut best: Option<Cover<'_>> = None;
    let mut take = |found: Cover<'a>| {
        let key = |c: &Cover<'_>| (c.pixels(), u64::MAX - c.covered);
        if best.as_ref().is_none_or(|b| key(&found) < key(b)) {
            best = Some(found);
        }
    };
    for start in starts.iter().chain(&tiles) {
        search.work = 0;
        let mut found = start.clone();
        search.improve(&mut found, share);
        if search.repair(&mut found, 2 * share) {
            take(found);
        }
    }
    // Tiles meet as they should; those that were improved may not.
    tiles.into_iter().for_each(&mut take);
    let mut best = best.unwrap_or(empty);
    search.centre(&mut best);
    best
}

struct Search {
    target: u64,
    /// What local search has looked at.
    work: u64,
    /// What one search over all windows looks at.
    step: u64,
}

impl Search {
    /// Most heat first.
    fn greedy<'a>(&mut self, mut cover: Cover<'a>) -> Cover<'a> {
        while cover.covered < self.target {
            self.work += self.step;
            let Some(offer) = cover.best(self.target - cover.covered, None) else { break };
            cover.add(offer.spot);
        }
        cover
    }

    /// The best window over the first open cell, again and again.
    fn corner_first<'a>(&mut self, mut cover: Cover<'a>, flip: [bool; 2]) -> Cover<'a> {
        while cover.covered < self.target {
            let Some(cell) = cover.first_open(flip) else { break };
            self.work += self.step / 2;
            let Some(offer) = cover.best(self.target - cover.covered, Some(cell)) else { break };
            cover.add(offer.spot);
        }
        cover
    }

    /// Tiles with heat, and those between them that they need for blending.
    fn tiles<'a>(&self, mut cover: Cover<'a>, shape: u32) -> Cover<'a> {
        let mut rest = Vec::new();
        for spot in cover.field.tiling(shape) {
            let before = cover.covered;
            cover.add(spot);
            if cover.covered == before {
                cover.remove(cover.spots.len() - 1);
                rest.push(spot);
            }
        }
        while let Some((a, b)) = self.seam(&cover) {
            let hull = hull(a, b);
            let between = |spot: &Spot| {
                let r = cover.field.used(*spot);
                r.x < hull.x + hull.width
                    && hull.x < r.x + r.width
                    && r.y < hull.y + hull.height
                    && hull.y < r.y + r.height
            };
            let (more, left): (Vec<Spot>, Vec<Spot>) = rest.iter().partition(|s| between(s));
            rest = left;
            if more.is_empty() {
                // All tiles together always meet well.
                more_of(&mut cover, &mut rest);
            } else {
                more.into_iter().for_each(|s| cover.add(s));
            }
            if rest.is_empty() {
                break;
            }
        }
        cover
    }

    /// Two windows that meet without room for blending: the parts that are used.
    fn seam(&self, cover: &Cover<'_>) -> Option<(Rect, Rect)> {
        let used: Vec<Rect> = cover.spots.iter().map(|s| cover.field.used(*s)).collect();
        let (i, j) = unsupported(&used, cover.field.overlap)?;
        Some((*used.get(i)?, *used.get(j)?))
    }

    /// Drops, shrinks and moves windows until nothing helps or `share` of the work is done.
    fn improve(&mut self, cover: &mut Cover<'_>, share: u64) {
        loop {
            self.drop_idle(cover);
            if cover.field.several_costs() {
                for at in 0..cover.spots.len() {
                    self.replace(cover, at, |old, new| new < old);
                }
            }
            if !self.one_fewer(cover, share) {
                return;
            }
        }
    }

    /// Removes windows that are not needed, the dearest and least useful first.
    fn drop_idle(&self, cover: &mut Cover<'_>) {
        loop {
            let spare = cover.covered.saturating_sub(self.target);
            let idle = (0..cover.spots.len()).map(|at| (cover.own(at), at)).filter(|(own, _)| *own <= spare);
            let pixels = |at: usize| cover.spots.get(at).map_or(0, |s| cover.field.pixels(*s));
            let Some((_, at)) = idle.min_by_key(|(own, at)| (u64::MAX - pixels(*at), *own)) else { return };
            cover.remove(at);
        }
    }

    /// Moves the window at `at` to the best place for it, if the pixels of old and new satisfy `wanted` and enough stays covered.
    fn replace(&mut self, cover: &mut Cover<'_>, at: usize, wanted: impl Fn(u64, u64) -> bool) -> bool {
        self.work += self.step;
        let old = cover.remove(at);
        let need = self.target.saturating_sub(cover.covered);
        let new = cover.best(need, None).filter(|o| o.gain >= need);
        let new = new.filter(|o| wanted(cover.field.pixels(old), cover.field.pixels(o.spot)));
        cover.insert(at, new.map_or(old, |o| o.spot));
        new.is_some()
    }

    /// Tries to do with one window fewer. True if `cover` is better now.
    fn one_fewer(&mut self, cover: &mut Cover<'_>, share: u64) -> bool {
        const PASSES: usize = 4;
        let mut order: Vec<(u64, usize)> = (0..cover.spots.len()).map(|at| (cover.own(at), at)).collect();
        order.sort_unstable();
        for (_, at) in order {
            let mut trial = cover.clone();
            trial.remove(at);
            for _ in 0..PASSES {
                let before = trial.covered;
                for i in 0..trial.spots.len() {
                    if self.work > share {
                        return false;
                    }
                    self.work += self.step;
                    let (old, had) = (trial.spots.get(i).copied(), trial.covered);
                    trial.remove(i);
                    let lost = had - trial.covered;
                    let pixels = old.map_or(0, |s| trial.field.pixels(s));
                    let offer = trial.best(self.target.saturating_sub(trial.covered), None);
                    let offer = offer.filter(|o| o.gain > lost && trial.field.pixels(o.spot) <= pixels);
                    if let Some(spot) = offer.map(|o| o.spot).or(old) {
                        trial.insert(i, spot);
                    }
                    if trial.covered >= self.target {
                        *cover = trial;
                        return true;
                    }
                }
                if trial.covered == before {
                    break;
                }
            }
        }
        false
    }

    /// Moves or bridges windows that meet without room for blending. False if that fails.
    fn repair(&mut self, cover: &mut Cover<'_>, share: u64) -> bool {
        for _ in 0..2 * cover.spots.len() + 8 {
            let Some((a, b)) = self.seam(cover) else { return true };
            if self.work > share {
                return false;
            }
            self.work += 3 * self.step;
            let overlap = cover.field.overlap;
            let place = |cover: &Cover<'_>, rect: Rect| cover.spots.iter().position(|s| cover.field.used(*s) == rect);
            let moved = [b, a].into_iter().any(|rect| {
                let Some(at) = place(cover, rect) else { return false };
                let old = cover.remove(at);
                let need = self.target.saturating_sub(cover.covered);
                let new = cover.nearest(old, need.max(1), doubled_middle(cover.field.rect(old)));
                cover.insert(at, new.unwrap_or(old));
                new.is_some()
            });
            if moved {
                continue;
            }
            let (frame, meet) = (cover.field.frame, meet(a, b));
            let Some(bridge) = cover.bridge(grown(meet, overlap, frame)) else { return false };
            cover.add(bridge);
        }
        self.seam(cover).is_none()
    }

    /// Moves windows so that what they alone cover lies in their middle; nothing that is covered is lost but a thousandth.
    fn centre(&self, cover: &mut Cover<'_>) {
        for at in 0..cover.spots.len() {
            let (before, target) = (cover.covered, cover.middle(at));
            let old = cover.remove(at);
            let own = before - cover.covered;
            let need = self.target.saturating_sub(cover.covered).max(own - own / 1000);
            let new = cover.nearest(old, need, target).unwrap_or(old);
            cover.insert(at, new);
            // Support that others had from it may be gone.
            if new != old && self.seam(cover).is_some() {
                cover.remove(at);
                cover.insert(at, old);
            }
        }
    }
}

fn more_of(cover: &mut Cover<'_>, rest: &mut Vec<Spot>) {
    rest.drain(..).for_each(|s| cover.add(s));
}

/// The smallest rectangle around both.
fn hull(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let (right, bottom) = ((a.x + a.width).max(b.x + b.width), (a.y + a.height).max(b.y + b.height));
    Rect { x, y, width: right - x, height: bottom - y }
}

/// What both have in common; a line where they only touch.
fn meet(a: Rect, b: Rect) -> Rect {
    let (x, y) = (a.x.max(b.x), a.y.max(b.y));
    let (right, bottom) = ((a.x + a.width).min(b.x + b.width), (a.y + a.height).min(b.y + b.height));
    Rect { x, y, width: right.saturating_sub(x), height: bottom.saturating_sub(y) }
}

/// Grown by `by` on all sides, within the frame.
fn grown(r: Rect, by: u32, frame: Size) -> Rect {
    let (x, y) = (r.x.saturating_sub(by), r.y.saturating_sub(by));
    let (right, bottom) = ((r.x + r.width + by).min(frame.width), (r.y + r.height + by).min(frame.height));
    Rect { x, y, width: right - x, height: bottom - y }
}

/// The windows, those that cover most of what is left first, with what each adds.
fn ranked(cover: &Cover<'_>, cells: &Cells) -> Vec<(Spot, u64)> {
    let mut left: Vec<Spot> = cover.spots.clone();
    let mut done = Cover::new(cover.field, cells);
    let mut out = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let before = done.covered;
        let Some((at, gain)) =
            left.iter().enumerate().map(|(at, s)| (at, done.would_add(*s))).min_by_key(|(at, g)| (u64::MAX - g, *at))
        else {
            break;
        };
        let spot = left.remove(at);
        done.add(spot);
        debug_assert_eq!(done.covered - before, gain);
        out.push((spot, gain));
    }
    out
}
