//! From detections to tracks, events and sums, without pixels.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::super::associate::{Observation, TrackedBox, Update};
use super::super::recognise::{Named, hand_over};
use super::super::session::{SessionEnd, Watch};
use super::super::zones::{ZoneEvent, ZonesFile};
use super::config::TrackConfig;
use super::eye::UNNAMED;
use super::looks::{Look, vector};
use super::rejoin::{Faces, Rejoined, rejoin};
use super::seen::{Seen, SeenFacts, SeenFrame};
use crate::core::{BoxF, Detection};
use crate::error::{Error, Result};

/// A track in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sight {
    pub(super) id: u64,
    pub(super) rect: BoxF,
    pub(super) score: f32,
    pub(super) class: u32,
    pub(super) moving: bool,
    /// Put between two frames that the detector looked at.
    pub(super) interpolated: bool,
    /// Position of the zone that holds it.
    pub(super) zone: Option<usize>,
}

/// All tracks of a video.
#[derive(Debug)]
pub(super) struct Followed {
    /// By frame of the timeline.
    pub(super) sights: Vec<Vec<Sight>>,
    pub(super) events: Vec<ZoneEvent>,
    pub(super) end: SessionEnd,
    /// Detections that the tracker got.
    pub(super) detections: u64,
    /// Tracks that were left out because they were too short.
    pub(super) short: u64,
    /// What was joined by looks, where that was asked for.
    pub(super) rejoined: Option<Rejoined>,
    /// Names of tracks that a recogniser knew.
    pub(super) names: BTreeMap<u64, Named>,
}

impl Followed {
    /// Number and name; where it has none, its class. The class of detectors that know none says nothing.
    pub(super) fn label(&self, id: u64, class: &str) -> String {
        match self.names.get(&id) {
            Some(named) => format!("{id} {}", named.name),
            None if class == UNNAMED => id.to_string(),
            None => format!("{id} {class}"),
        }
    }
}

/// Where the time went.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FollowSpent {
    pub(super) tracking: Duration,
    pub(super) watching: Duration,
}

/// The numbers of the classes that are tracked; `None`: all.
fn classes(facts: &SeenFacts, config: &TrackConfig) -> Result<Option<Vec<u32>>> {
    if config.classes.is_empty() {
        return Ok(None);
    }
    let number = |wanted: &String| {
        let by_name = facts.classes.iter().position(|c| c.eq_ignore_ascii_case(wanted));
        let number = by_name.and_then(|n| u32::try_from(n).ok()).or_else(|| wanted.parse().ok());
        number.ok_or_else(|| {
            let known: Vec<&str> =
                facts.classes.iter().map(String::as_str).filter(|c| !c.is_empty()).take(90).collect();
            let known = if known.is_empty() { "numbers, as it has no names".into() } else { known.join(", ") };
            Error::Config { field: "classes".into(), message: format!("`{wanted}` is none of the detector's: {known}") }
        })
    };
    config.classes.iter().map(number).collect::<Result<Vec<u32>>>().map(Some)
}

/// Seconds from look to look as a rule: the median, so that holes do not count. It is measured and not declared, since containers without a rate
/// or with a wrong one are tracked too. 0 for less than two looks.
fn usual_step(frames: &[SeenFrame]) -> f64 {
    let times: Vec<f64> = frames.iter().filter(|f| f.time.looked).map(|f| f.time.seconds).collect();
    let mut steps: Vec<f64> = times.iter().zip(times.iter().skip(1)).map(|(a, b)| b - a).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}

/// Tracks what was seen.
pub(super) fn follow(
    seen: &Seen,
    zones: &ZonesFile,
    config: &TrackConfig,
    spent: &mut FollowSpent,
) -> Result<Followed> {
    let classes = classes(&seen.facts, config)?;
    let (least, side) = (config.least_score() as f32, config.min_size as f32);
    let wanted = |d: &&Detection| {
        let of_class = classes.as_ref().is_none_or(|c| c.contains(&d.class));
        of_class && d.score >= least && d.rect.width >= side && d.rect.height >= side
    };
    let started = Instant::now();
    let mut tracker = config.tracker(seen.facts.height, usual_step(&seen.frames))?;
    let mut detections = 0;
    let mut faces = Faces::default();
    // Position in the timeline, and what the tracker said there.
    let mut updates: Vec<(usize, Update)> = Vec::new();
    for (at, frame) in seen.frames.iter().enumerate().filter(|(_, f)| f.time.looked) {
        let vectors: Vec<Option<Vec<f32>>> = frame.looks.iter().map(|l| l.as_ref().map(vector)).collect();
        let looks = vectors.iter().map(Option::as_deref).chain(std::iter::repeat(None));
        let each = |(d, appearance): (&Detection, _)| Observation { detection: *d, appearance };
        let observed: Vec<Observation<'_>> =
            frame.detections.iter().zip(looks).filter(|(d, _)| wanted(d)).map(each).collect();
        detections += observed.len() as u64;
        let update = tracker.update(frame.time.seconds, &observed)?;
        if config.rejoin > 0.0 {
            let shown: Vec<&Option<Look>> =
                frame.detections.iter().zip(&frame.looks).filter(|(d, _)| wanted(d)).map(|(_, l)| l).collect();
            for t in &update.tracks {
                if let Some(look) = shown.get(t.detection).copied().and_then(Option::as_ref) {
                    faces.add(t.id, look);
                }
            }
        }
        updates.push((at, update));
    }
    let seconds = |at: usize| seen.frames.get(at).map_or(0.0, |f| f.time.seconds);
    let rejoined =
        (config.rejoin > 0.0).then(|| rejoin(&mut updates, &faces, (config.rejoin, config.rejoin_likeness), seconds));
    let short = drop_short(&mut updates, seen, config.min_track);
    let kept = |frame: &SeenFrame| -> Vec<usize> {
        frame.detections.iter().enumerate().filter(|(_, d)| wanted(d)).map(|(i, _)| i).collect()
    };
    let names = names(seen, &updates, config.recognise.confidence, kept);
    let mut all = between(&updates, &seen.frames);
    spent.tracking += started.elapsed();
    let started = Instant::now();
    let mut watch = Watch::new(config.rules(), zones.clone())?;
    let (mut sights, mut events) = (Vec::with_capacity(all.len()), Vec::new());
    for (frame, (update, looked)) in seen.frames.iter().zip(all.drain(..)) {
        let out = watch.frame(frame.time.seconds, update);
        events.extend(out.events);
        let sight = |s: &super::super::session::Sighting| Sight {
            id: s.track.id,
            rect: s.track.rect,
            score: s.track.score,
            class: s.track.class,
            moving: s.track.moving,
            interpolated: !looked,
            zone: s.zone,
        };
        sights.push(out.seen.iter().map(sight).collect());
    }
    let mut end = watch.finish();
    events.append(&mut end.events);
    // Events become sure later than they happen; readers want them in order.
    events.sort_by(|a, b| a.seconds.total_cmp(&b.seconds).then(a.track.cmp(&b.track)));
    spent.watching += started.elapsed();
    Ok(Followed { sights, events, end, detections, short, rejoined, names })
}

/// What a recogniser said of frames, handed over to the tracks in them. `kept` gives the positions of the detections of a frame that the
/// tracker got.
fn names(
    seen: &Seen,
    updates: &[(usize, Update)],
    least: f64,
    kept: impl Fn(&SeenFrame) -> Vec<usize>,
) -> BTreeMap<u64, Named> {
    if seen.answers.is_empty() {
        return BTreeMap::new();
    }
    let tracks = |index: u64| {
        let at = seen.frames.binary_search_by_key(&index, |f| f.time.index).ok();
        let update = at.and_then(|at| updates.binary_search_by_key(&at, |(at, _)| *at).ok());
        let (Some(frame), Some((_, update))) =
            (at.and_then(|at| seen.frames.get(at)), update.and_then(|u| updates.get(u)))
        else {
            return Vec::new();
        };
        let places = kept(frame);
        let candidate = |t: &TrackedBox| Some((t.id, *places.get(t.detection)?, t.rect));
        update.tracks.iter().filter_map(candidate).collect()
    };
    let mut frames: BTreeMap<u64, BTreeSet<usize>> = BTreeMap::new();
    for (at, update) in updates {
        for t in &update.tracks {
            frames.entry(t.id).or_default().insert(*at);
        }
    }
    let together = |a: u64, b: u64| frames.get(&a).zip(frames.get(&b)).is_some_and(|(a, b)| !a.is_disjoint(b));
    hand_over(&seen.answers, least, tracks, together)
}

/// Takes out tracks that lasted less than `least` seconds and numbers the others from 1 on, in order of their first frame.
fn drop_short(updates: &mut [(usize, Update)], seen: &Seen, least: f64) -> u64 {
    let seconds = |at: usize| seen.frames.get(at).map_or(0.0, |f| f.time.seconds);
    let mut spans: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    let mut order: Vec<u64> = Vec::new();
    for (at, update) in updates.iter() {
        for t in &update.tracks {
            let span = spans.entry(t.id).or_insert_with(|| {
                order.push(t.id);
                (seconds(*at), seconds(*at))
            });
            span.1 = seconds(*at);
        }
    }
    let stays = |id: &&u64| spans.get(id).is_some_and(|(first, last)| last - first + 1e-6 >= least);
    let numbers: BTreeMap<u64, u64> = order.iter().filter(stays).copied().zip(1..).collect();
    for (_, update) in updates.iter_mut() {
        update.tracks.retain_mut(|t| match numbers.get(&t.id) {
            Some(n) => {
                t.id = *n;
                true
            }
            None => false,
        });
        update.ended = update.ended.iter().filter_map(|id| numbers.get(id)).copied().collect();
        update.tracks.sort_unstable_by_key(|t| t.id);
        update.ended.sort_unstable();
    }
    (order.len() - numbers.len()) as u64
}

/// One update for each frame of the timeline; those between two that were looked at hold the tracks that both have, on a straight way. Where a
/// track ended and comes back with the next look, its way is not known.
fn between(updates: &[(usize, Update)], frames: &[SeenFrame]) -> Vec<(Update, bool)> {
    let mut out: Vec<(Update, bool)> = frames.iter().map(|_| (Update::default(), false)).collect();
    let seconds = |at: usize| frames.get(at).map_or(0.0, |f| f.time.seconds);
    for (i, (at, update)) in updates.iter().enumerate() {
        if let Some(place) = out.get_mut(*at) {
            *place = (update.clone(), true);
        }
        let Some((next, after)) = updates.get(i + 1) else { continue };
        let (from, to) = (seconds(*at), seconds(*next));
        for middle in *at + 1..*next {
            let share = if to > from { ((seconds(middle) - from) / (to - from)) as f32 } else { 0.0 };
            let Some((place, _)) = out.get_mut(middle) else { continue };
            for a in update.tracks.iter().filter(|a| !update.ended.contains(&a.id)) {
                let Some(b) = after.tracks.iter().find(|b| b.id == a.id) else { continue };
                let (rect, smooth) = (mixed(&a.rect, &b.rect, share), mixed(&a.smooth, &b.smooth, share));
                place.tracks.push(TrackedBox { rect, smooth, ..*a });
            }
        }
    }
    out
}

fn mixed(a: &BoxF, b: &BoxF, share: f32) -> BoxF {
    let mix = |a: f32, b: f32| a + (b - a) * share;
    BoxF { x: mix(a.x, b.x), y: mix(a.y, b.y), width: mix(a.width, b.width), height: mix(a.height, b.height) }
}

#[cfg(test)]
mod tests {
    use super::super::source::FrameTime;
    use super::*;

    /// Frames at these times, those marked looked at.
    fn frames(all: &[(f64, bool)]) -> Vec<SeenFrame> {
        let frame = |(index, (seconds, looked)): (u64, &(f64, bool))| SeenFrame {
            time: FrameTime { index, seconds: *seconds, looked: *looked },
            detections: Vec::new(),
            looks: Vec::new(),
        };
        (0..).zip(all).map(frame).collect()
    }

    #[test]
    fn boxes_are_put_between_two_looks_unless_a_track_ended_there() {
        let boxed = |id: u64, x: f32| {
            let rect = BoxF { x, y: 0.0, width: 10.0, height: 10.0 };
            TrackedBox { id, detection: 0, rect, smooth: rect, score: 1.0, class: 0, moving: false, since: 0.0 }
        };
        let update = |x: f32, ended: Vec<u64>| Update { tracks: vec![boxed(1, x), boxed(2, x)], ended };
        let updates = [(0, update(0.0, vec![2])), (2, update(8.0, vec![]))];
        let all = between(&updates, &frames(&[(0.0, true), (1.0, false), (2.0, true)]));
        let seen = |at: usize| all[at].0.tracks.iter().map(|t| (t.id, t.rect.x)).collect::<Vec<_>>();
        assert_eq!((seen(0), seen(2)), (vec![(1, 0.0), (2, 0.0)], vec![(1, 8.0), (2, 8.0)]));
        assert_eq!((seen(1), all[1].1), (vec![(1, 4.0)], false));
    }

    #[test]
    fn the_usual_step_is_that_of_most_looks() {
        let of = |all: &[(f64, bool)]| usual_step(&frames(all));
        // Every third frame is looked at; one hole of a minute.
        let times = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 66.0, 67.0, 68.0].map(|t| (t, (t as u64).is_multiple_of(3)));
        assert_eq!(of(&times), 3.0);
        assert_eq!((of(&[(0.0, true), (2.5, true)]), of(&[(7.0, true)]), of(&[])), (2.5, 0.0, 0.0));
    }
}
