//! Plans that follow their subjects: a plan per stretch of time, chunks of neighbouring stretches linked to tracks.

use super::heat::HeatMap;
use super::params::{PlanParams, rects};
use super::picture::overlay;
use super::record::{Chunk, ChunkPlan, PlanRule};
use super::schedule::{Schedule, spans_of, steps_of};
use super::shares::Shares;
use super::smart::plan;
use super::track::Place;
use crate::config::Settings;
use crate::core::Rect;
use crate::core::assignment::{Graph, assign};
use crate::error::{Error, Result};
use crate::workflows::chunk::activity::ActivityGrid;

/// Seconds between the last time at one place and the first at the next, where a chunk jumps.
const JUMP: f64 = 1e-3;
/// A chunk glides where it holds at least this share of what it would hold by jumping.
const GLIDE: f64 = 0.99;

/// A stretch of time with its plan.
struct Stretch {
    from: f64,
    to: f64,
    /// Its steps.
    steps: std::ops::Range<usize>,
    chunks: Vec<Chunk>,
}

/// A chunk through neighbouring stretches.
struct Track {
    /// Its first stretch.
    first: usize,
    /// Itself in each of them.
    places: Vec<Chunk>,
}

/// Plans over `map` by the rules of [`PlanParams`] for each stretch of `params.segment` seconds by itself, with the heat that `activity`
/// has in it, and links chunks of neighbouring stretches that are alike and near each other: such a chunk follows its subject along
/// [`Chunk::path`]. It glides between the middles of two stretches where that holds the heat as well, and else, or with
/// a [`PlanParams::subject`], jumps at the border. Coverage
/// is guaranteed for each stretch while chunks stay; what is held along the paths is in [`ChunkPlan::timed_coverage`].
///
/// Within a cell of the activity heat is thought to lie as the map has it.
///
/// # Errors
/// [`Error::Config`] for settings out of range, and without a segment; [`Error::Parameter`] for the activity of frames of another size.
pub fn plan_moving(map: &HeatMap, activity: &ActivityGrid, params: &PlanParams) -> Result<ChunkPlan> {
    params.check()?;
    let Some(seconds) = params.segment else {
        return Err(Error::Config { field: "segment".into(), message: "must be said for chunks that move".into() });
    };
    let limited = map.limited(&rects(&params.regions), &rects(&params.exclude));
    let counted = limited.as_ref().unwrap_or(map);
    let shares = Shares::new(counted, activity, params.threshold)?;
    let own = PlanParams { segment: None, regions: Vec::new(), exclude: Vec::new(), ..params.clone() };
    let (mut stretches, mut active, mut grid_pixels) = (stretches(activity, seconds), 1.0f64, 0);
    for stretch in &mut stretches {
        let found = plan(&heat_of(counted, &shares, stretch)?, &own)?;
        active = active.min(found.active_coverage);
        grid_pixels = found.cost.grid_pixels;
        stretch.chunks = found.chunks;
    }
    let mut chunks = Vec::new();
    for track in linked(&stretches) {
        if let Some(chunk) = follow(&track, &stretches, &shares, params)? {
            chunks.push(chunk);
        }
    }
    chunks.sort_by(|a, b| b.score.total_cmp(&a.score));
    (0u32..).zip(&mut chunks).for_each(|(i, c)| c.chunk_id = i);
    let mut plan = ChunkPlan::new(map, chunks, (PlanRule::LeastPixels, params), active, grid_pixels);
    plan.cost.count_time(&plan.chunks, activity);
    plan.stats.coverage = plan.hold(&shares);
    let total: f64 = map.values().iter().map(|v| f64::from(*v)).sum();
    plan.stats.efficiency = plan.stats.coverage * total / (plan.chunks.len().max(1) as f64);
    Ok(plan)
}

/// The steps of the activity by stretches of `seconds`; stretches without a step are left out.
fn stretches(activity: &ActivityGrid, seconds: f64) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    let mut number = i64::MIN;
    for (at, step) in activity.steps().iter().enumerate() {
        let [from, to] = activity.time(*step);
        let own = (from / seconds + 1e-9).floor() as i64;
        match out.last_mut().filter(|_| own == number) {
            Some(open) => (open.to, open.steps.end) = (to, at + 1),
            None => out.push(Stretch { from, to, steps: at..at + 1, chunks: Vec::new() }),
        }
        number = own;
    }
    out
}

/// The heat of a stretch: that of its cells, spread over their pixels as the map has it.
fn heat_of(map: &HeatMap, shares: &Shares<'_>, stretch: &Stretch) -> Result<HeatMap> {
    let size = map.size();
    let (columns, rows) = (shares.activity.columns() as usize, shares.activity.rows() as usize);
    let mut sums = vec![0.0; columns * rows];
    let own = |c: &&crate::workflows::chunk::activity::ActivityCell| stretch.steps.contains(&(c.step as usize));
    for cell in shares.activity.cells().iter().filter(own).filter(|c| shares.counts(c)) {
        if let Some(sum) = sums.get_mut(cell.row as usize * columns + cell.column as usize) {
            *sum += f64::from(cell.heat);
        }
    }
    let most = sums.iter().copied().fold(0.0, f64::max);
    let mut values = vec![0.0f32; size.area() as usize];
    for (at, sum) in sums.into_iter().enumerate().filter(|(_, sum)| *sum > 0.0) {
        let (row, column) = ((at / columns) as u32, (at % columns) as u32);
        let [x0, y0, x1, y1] = shares.pixels(row, column);
        let by = sum / most / shares.of_cell(row, column);
        for y in y0..y1 {
            let start = y as usize * size.width as usize;
            let to = values.get_mut(start + x0 as usize..start + x1 as usize).unwrap_or_default();
            to.iter_mut().zip(map.row(y, x0, x1)).for_each(|(to, v)| *to = (f64::from(*v) * by) as f32);
        }
    }
    HeatMap::new(size, values)
}

/// Chunks of neighbouring stretches that are alike, linked so that the sum of their nearness is largest.
fn linked(stretches: &[Stretch]) -> Vec<Track> {
    const NEAR: f64 = 1e6;
    let mut tracks: Vec<Track> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (at, stretch) in stretches.iter().enumerate() {
        let lasts: Vec<(usize, &Chunk)> =
            open.iter().filter_map(|t| Some((*t, tracks.get(*t)?.places.last()?))).collect();
        let mut graph = Graph::new(lasts.len());
        let mut candidates: Vec<Vec<usize>> = Vec::new();
        for chunk in &stretch.chunks {
            let near = lasts.iter().enumerate().filter_map(|(i, (_, last))| Some((i, nearness(last, chunk)?)));
            let near: Vec<(usize, f64)> = near.collect();
            graph.push(near.iter().map(|(i, share)| (*i as u32, (share * NEAR) as i64)));
            candidates.push(near.into_iter().map(|(i, _)| i).collect());
        }
        let taken = assign(&graph, 1);
        let owners: Vec<Option<usize>> = taken
            .iter()
            .zip(&candidates)
            .map(|(edge, list)| lasts.get(*list.get((*edge)?)?).map(|(track, _)| *track))
            .collect();
        open.clear();
        for (chunk, owner) in stretch.chunks.iter().zip(owners) {
            match owner.and_then(|t| Some((t, tracks.get_mut(t)?))) {
                Some((number, track)) => {
                    track.places.push(chunk.clone());
                    open.push(number);
                }
                None => {
                    open.push(tracks.len());
                    tracks.push(Track { first: at, places: vec![chunk.clone()] });
                }
            }
        }
    }
    tracks
}

/// How near two chunks of the same form are, above 0 up to 1: 0 at a distance of half their longer side.
fn nearness(a: &Chunk, b: &Chunk) -> Option<f64> {
    let alike = (a.width, a.height, a.orientation) == (b.width, b.height, b.orientation) && a.scale == b.scale;
    let off = |a: u32, b: u32| f64::from(a) - f64::from(b);
    let distance = off(a.x_range[0], b.x_range[0]).hypot(off(a.y_range[0], b.y_range[0]));
    let share = 1.0 - distance / (f64::from(a.width.max(a.height)) / 2.0);
    (alike && share > 0.0).then_some(share)
}

/// One chunk with path and schedule for a track; `None` where it never is active.
fn follow(track: &Track, all: &[Stretch], shares: &Shares<'_>, params: &PlanParams) -> Result<Option<Chunk>> {
    let Some(first) = track.places.first() else { return Ok(None) };
    let frame = shares.activity.frame();
    let factor = params.factor_at(first.scale);
    let stretches = all.get(track.first..track.first + track.places.len()).unwrap_or_default();
    let place = |time: f64, c: &Chunk| Place { time, x: c.x_range[0], y: c.y_range[0] };
    let middle = |s: &Stretch| (s.from + s.to) / 2.0;
    let mut path: Vec<Place> = Vec::new();
    let pairs = track.places.iter().zip(track.places.iter().skip(1));
    for ((a, b), (s, t)) in pairs.zip(stretches.iter().zip(stretches.iter().skip(1))) {
        if a.rect() == b.rect() {
            continue;
        }
        let glide = [place(middle(s), a), place(middle(t), b)];
        let jump = [place(t.from - JUMP, a), place(t.from, b)];
        let holds = |keys: [Place; 2]| {
            let trial = Chunk { path: keys.to_vec(), ..first.clone() };
            held(&trial, shares, s.steps.start..t.steps.end, [middle(s), middle(t)], (params, factor))
        };
        // What must lie whole in a chunk would not while it glides.
        let still = params.subject != [0, 0];
        let keys = if !still && holds(glide) >= GLIDE * holds(jump) { glide } else { jump };
        // A jump ends later than the middle at which a glide before it did.
        path.extend(keys.into_iter().filter(|k| path.last().is_none_or(|p| p.time < k.time)).collect::<Vec<_>>());
    }
    let mut chunk = Chunk { path, ..first.clone() };
    chunk.score = track.places.iter().map(|c| c.score).sum();
    let (Some(start), Some(end)) = (stretches.first(), stretches.last()) else { return Ok(None) };
    let own = start.steps.start..end.steps.end;
    let at = |step: usize| {
        let time = own.contains(&step).then(|| shares.activity.steps().get(step))??;
        Some(params.covers(chunk.rect_at(shares.middle(*time), frame, factor), frame))
    };
    let steps = steps_of(shares, at, params.coverage);
    let schedule = Schedule::new(spans_of(shares.activity, &steps))?.widened(params.lead_in, params.hold)?;
    chunk.active = Some(schedule.within(shares.activity.span()));
    Ok((!steps.is_empty()).then_some(chunk))
}

/// Heat that a chunk holds in the steps whose middles lie between two times.
fn held(
    chunk: &Chunk,
    shares: &Shares<'_>,
    steps: std::ops::Range<usize>,
    [from, to]: [f64; 2],
    (params, factor): (&PlanParams, u32),
) -> f64 {
    let frame = shares.activity.frame();
    let at = |step: usize| -> Option<Rect> {
        let time = shares.middle(*steps.contains(&step).then(|| shares.activity.steps().get(step))??);
        (from <= time && time < to).then(|| params.covers(chunk.rect_at(time, frame, factor), frame))
    };
    shares.by_step(true, at).iter().sum()
}

/// Pictures of a plan that moves, one a segment: the heat of the segment, and the chunks that are active in its middle. At most `most`, spread
/// over the time; none for a plan without segments.
///
/// # Errors
/// [`Error::Parameter`] for the activity of frames of another size, [`Error::Bug`] when a picture cannot be encoded.
pub fn segment_pictures(
    map: &HeatMap,
    activity: &ActivityGrid,
    plan: &ChunkPlan,
    most: usize,
) -> Result<Vec<([f64; 2], Vec<u8>)>> {
    let Some(seconds) = plan.settings.segment else { return Ok(Vec::new()) };
    let limited = map.limited(&rects(&plan.settings.regions), &rects(&plan.settings.exclude));
    let counted = limited.as_ref().unwrap_or(map);
    let shares = Shares::new(counted, activity, plan.settings.threshold)?;
    let all = stretches(activity, seconds);
    let every = all.len().div_ceil(most.max(1)).max(1);
    let mut out = Vec::new();
    for stretch in all.iter().step_by(every) {
        let time = (stretch.from + stretch.to) / 2.0;
        let there = |(c, r): (&Chunk, Rect)| Chunk {
            x_range: [r.x, r.x + r.width],
            y_range: [r.y, r.y + r.height],
            ..c.clone()
        };
        let chunks: Vec<Chunk> = plan.active_at(time).map(there).collect();
        out.push(([stretch.from, stretch.to], overlay(&heat_of(counted, &shares, stretch)?, &chunks)?));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;
    use crate::workflows::chunk::activity::{ActivityCell, ActivityShape, ActivityStep};

    const SIZE: Size = Size::new(640, 360);

    /// Discs `[x, y, radius]` per step of half a second: the mean map, and the activity.
    fn scene(steps: usize, discs: impl Fn(usize) -> Vec<[f64; 3]>) -> (HeatMap, ActivityGrid) {
        let mut mean = vec![0.0f32; SIZE.area() as usize];
        let mut cells = Vec::new();
        for step in 0..steps {
            let mut sums = vec![0u32; 40 * 23];
            for [cx, cy, r] in discs(step) {
                for (at, v) in mean.iter_mut().enumerate() {
                    let (x, y) = (at % 640, at / 640);
                    if (x as f64 - cx).hypot(y as f64 - cy) < r {
                        *v += 1.0 / steps as f32;
                        sums[y / 16 * 40 + x / 16] += 12;
                    }
                }
            }
            let hot = (0u32..).zip(sums).filter(|(_, heat)| *heat > 0);
            cells.extend(hot.map(|(at, heat)| ActivityCell { step: step as u32, row: at / 40, column: at % 40, heat }));
        }
        let shape = ActivityShape {
            frame: [640, 360],
            map: [640, 360],
            cell: 16,
            step: 0.5,
            full: 1,
            steps: (0..steps as i64).map(|number| ActivityStep { number, frames: 12 }).collect(),
        };
        (HeatMap::new(SIZE, mean).unwrap(), ActivityGrid::new(shape, cells).unwrap())
    }

    fn params() -> PlanParams {
        let sizes = vec![[160, 160]];
        PlanParams { sizes, segment: Some(2.0), lead_in: 0.0, hold: 0.0, ..PlanParams::default() }
    }

    #[test]
    fn a_chunk_follows_its_subject() {
        // From left to right in 20 seconds.
        let (map, activity) = scene(40, |s| vec![[60.0 + 13.0 * s as f64, 180.0, 24.0]]);
        let plan = plan_moving(&map, &activity, &params()).unwrap();
        assert_eq!(plan.chunks.len(), 1, "{:?}", plan.chunks);
        let chunk = &plan.chunks[0];
        assert!(chunk.path.len() >= 8 && chunk.path.windows(2).all(|w| w[0].time < w[1].time && w[0].x <= w[1].x));
        for k in 0..=400 {
            let time = f64::from(k) / 20.0;
            let rect = plan.rect_at(chunk, time);
            assert!(
                rect.fits(SIZE)
                    && (rect.x.is_multiple_of(8) || rect.x == 480)
                    && (rect.y.is_multiple_of(8) || rect.y == 200)
            );
            // The subject is inside, all the way.
            let x = 60.0 + 26.0 * (time - 0.25).clamp(0.0, 19.5);
            assert!(f64::from(rect.x) <= x - 10.0 && x + 10.0 <= f64::from(rect.x + 160), "{time}: {rect:?} {x}");
        }
        assert!(plan.timed_coverage.unwrap() >= 0.97, "{:?}", plan.timed_coverage);
        // Chunks that stay need several times as many pixels.
        let still = plan.settings.clone();
        let still =
            super::plan(&map, &PlanParams { segment: None, ..still }).unwrap().scheduled(&map, &activity).unwrap();
        assert!(still.cost.pixels >= 3 * plan.cost.pixels && still.cost.mean_pixels > 1.2 * plan.cost.mean_pixels);
        plan.check().unwrap();
        let pictures = segment_pictures(&map, &activity, &plan, 4).unwrap();
        assert_eq!((pictures.len(), pictures[0].0), (4, [0.0, 2.0]));
    }

    #[test]
    fn subjects_that_come_and_go_have_chunks_of_their_own() {
        // One stands at the left all the time, one at the right for 8 to 12 seconds.
        let (map, activity) = scene(40, |s| {
            let mut discs = vec![[100.0, 100.0, 30.0]];
            discs.extend((16..24).contains(&s).then_some([500.0, 250.0, 30.0]));
            discs
        });
        let plan = plan_moving(&map, &activity, &params()).unwrap();
        assert_eq!(plan.chunks.len(), 2);
        let right = plan.chunks.iter().find(|c| c.x_range[0] > 320).unwrap();
        assert_eq!(right.active.as_ref().unwrap().spans(), [[8.0, 12.0]]);
        assert!(plan.chunks.iter().all(|c| c.path.is_empty()));
        let left = plan.chunks.iter().find(|c| c.x_range[0] < 320).unwrap();
        assert_eq!(left.active.as_ref().unwrap().spans(), [[0.0, 20.0]]);
        assert!(plan.timed_coverage.unwrap() > 0.99 && plan.active_coverage >= 0.99);
        assert_eq!((plan.cost.pixels, plan.cost.peak_pixels), (2 * 25_600, 2 * 25_600));
        assert!((plan.cost.mean_pixels - 25_600.0 * 1.2).abs() < 1.0);
        // Nothing in the excluded half.
        let left = PlanParams { exclude: vec![[320, 0, 320, 360]], ..params() };
        assert_eq!(plan_moving(&map, &activity, &left).unwrap().chunks.len(), 1);
        let none = PlanParams { segment: None, ..params() };
        assert!(matches!(plan_moving(&map, &activity, &none), Err(Error::Config { .. })));
        let other = HeatMap::new(Size::new(8, 8), vec![0.0; 64]).unwrap();
        assert!(plan_moving(&other, &activity, &params()).is_err());
    }

    #[test]
    fn heat_that_is_excluded_does_not_set_the_threshold() {
        // A wide flicker at the right, and a small subject at the left: it is larger for the first ten seconds.
        let (map, activity) = scene(40, |s| {
            let radius = if s < 20 { 6.0 } else { 3.0 };
            vec![[104.0, 104.0, radius], [500.0, 250.0, 60.0]]
        });
        let exclude = vec![[400, 150, 240, 210]];
        let moving = PlanParams { exclude, threshold: 0.2, coverage: 1.0, ..params() };
        let plan = plan_moving(&map, &activity, &moving).unwrap();
        let spans = |plan: &ChunkPlan| -> Vec<Vec<[f64; 2]>> {
            plan.chunks.iter().map(|c| c.active.as_ref().unwrap().spans().to_vec()).collect()
        };
        assert_eq!(spans(&plan), [[[0.0, 20.0]]]);
        // Chunks that stay have their schedule by the same measure.
        let still = PlanParams { segment: None, ..moving };
        let plan = super::plan(&map, &still).unwrap().scheduled(&map, &activity).unwrap();
        assert_eq!(spans(&plan), [[[0.0, 20.0]]]);
    }

    #[test]
    fn chunks_stay_between_looks() {
        // The same scene, looked at in every fourth step.
        let (map, all) = scene(40, |s| {
            let mut discs = vec![[100.0, 100.0, 30.0]];
            discs.extend((16..24).contains(&s).then_some([500.0, 250.0, 30.0]));
            discs
        });
        let steps: Vec<ActivityStep> = all.steps().iter().copied().filter(|s| s.number % 4 == 0).collect();
        let cells =
            all.cells().iter().filter(|c| c.step.is_multiple_of(4)).map(|c| ActivityCell { step: c.step / 4, ..*c });
        let activity = ActivityGrid::new(ActivityShape { steps, ..all.shape().clone() }, cells.collect()).unwrap();
        let of = |plan: &ChunkPlan, right: bool| {
            let chunk = plan.chunks.iter().find(|c| (c.x_range[0] > 320) == right).unwrap();
            chunk.active.as_ref().unwrap().spans().to_vec()
        };
        let moving = plan_moving(&map, &activity, &params()).unwrap();
        let still = PlanParams { segment: None, ..params() };
        let still = super::plan(&map, &still).unwrap().scheduled(&map, &activity).unwrap();
        for plan in [&moving, &still] {
            // Seen at 8 and 10 seconds, and at all looks.
            assert_eq!((of(plan, true), of(plan, false)), (vec![[8.0, 10.5]], vec![[0.0, 18.5]]));
        }
    }

    #[test]
    fn nothing_hot_is_no_chunk() {
        let (map, activity) = scene(4, |_| Vec::new());
        let plan = plan_moving(&map, &activity, &params()).unwrap();
        assert_eq!((plan.chunks.len(), plan.timed_coverage, plan.cost.mean_pixels), (0, Some(1.0), 0.0));
    }
}
