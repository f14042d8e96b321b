//! Tracks that belong to one object although it was out of sight for longer than the tracker waits: found by looks, over the whole video.
//!
//! A track may be followed by one of its class that begins behind its end, within some seconds, and looks alike. Of all ways to do that the one
//! of the largest summed likeness is taken, so what comes out does not depend on the order of tracks.
//!
//! How alike is alike depends on the network and the pictures. The video itself says it: tracks that are seen at the same time are different
//! objects, and what nearly none of their pairs reaches is enough for two that are not.
//!
//! What an object did while it was out of sight nobody knows. So each of its tracks ends on its own, under the object's number, before the next one
//! begins: a stay in a zone is over where it was last seen, and no way leads from there to where it comes back.

use std::collections::BTreeMap;

use super::super::associate::Update;
use super::super::associate::link::link;
use super::looks::{Look, vector};

/// Share of the pairs of different objects that may be as alike as one.
const CHANCE: f64 = 0.02;
/// Pairs that are needed to say so, and the cosine that counts without them.
const PAIRS: usize = 50;
const WITHOUT: f64 = 0.9;
/// Most pairs that are looked at.
const MOST_PAIRS: usize = 100_000;
/// Boxes of a track that must have been looked at.
const LEAST: u32 = 3;

/// What the boxes of a track look like, summed up: unit vectors of its detections, and how many.
#[derive(Debug, Default)]
pub(super) struct Faces(BTreeMap<u64, (Vec<f64>, u32)>);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rejoined {
    /// Tracks that were joined to an earlier one.
    pub(super) tracks: u64,
    /// The cosine that was enough.
    pub(super) likeness: f64,
}

impl Faces {
    /// Adds what a detection of the track looks like.
    pub(super) fn add(&mut self, id: u64, look: &Look) {
        let v = vector(look);
        let length = v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let (sum, count) = self.0.entry(id).or_insert_with(|| (vec![0.0; v.len()], 0));
        if length > 0.0 && sum.len() == v.len() {
            *count += 1;
            sum.iter_mut().zip(&v).for_each(|(s, x)| *s += f64::from(*x) / length);
        }
    }

    /// Cosine between two tracks; `None` where too little is known of one.
    fn cosine(&self, a: u64, b: u64) -> Option<f64> {
        let known = |id| self.0.get(id).filter(|(_, count)| *count >= LEAST).map(|(sum, _)| sum.as_slice());
        let (a, b) = (known(&a)?, known(&b)?);
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(p, q)| p * q).sum::<f64>();
        let lengths = (dot(a, a) * dot(b, b)).sqrt();
        (a.len() == b.len() && lengths > 0.0).then(|| dot(a, b) / lengths)
    }
}

/// A track from its first to its last frame.
#[derive(Debug, Clone, Copy)]
struct Span {
    id: u64,
    class: u32,
    first: f64,
    last: f64,
}

/// The cosine that at most [`CHANCE`] of the pairs of tracks reach that are seen at the same time.
fn likeness(spans: &[Span], faces: &Faces) -> f64 {
    let mut by_time = spans.to_vec();
    by_time.sort_by(|a, b| a.first.total_cmp(&b.first).then(a.id.cmp(&b.id)));
    let beside = |(i, a): (usize, &Span)| {
        let (a, rest) = (*a, by_time.get(i + 1..).unwrap_or_default());
        rest.iter()
            .take_while(move |b| b.first <= a.last)
            .filter(move |b| b.class == a.class)
            .map(move |b| (a.id, b.id))
    };
    let pairs = by_time.iter().enumerate().flat_map(beside);
    let mut alike: Vec<f64> = pairs.filter_map(|(a, b)| faces.cosine(a, b)).take(MOST_PAIRS).collect();
    if alike.len() < PAIRS {
        return WITHOUT;
    }
    alike.sort_by(f64::total_cmp);
    let at = (alike.len() as f64 * (1.0 - CHANCE)) as usize;
    alike.get(at.min(alike.len() - 1)).copied().unwrap_or(WITHOUT)
}

/// Gives tracks that go on from another one its number: those with at most `gap` seconds between them whose looks have a cosine of at least
/// `likeness`, or of what the video says is enough. `seconds` is the time of a place in the timeline.
pub(super) fn rejoin(
    updates: &mut [(usize, Update)],
    faces: &Faces,
    (gap, wanted): (f64, Option<f64>),
    seconds: impl Fn(usize) -> f64,
) -> Rejoined {
    let mut spans: BTreeMap<u64, Span> = BTreeMap::new();
    // Position of the update that shows a track first.
    let mut begins: BTreeMap<u64, usize> = BTreeMap::new();
    for (place, (at, update)) in updates.iter().enumerate() {
        let now = seconds(*at);
        for t in &update.tracks {
            spans.entry(t.id).or_insert(Span { id: t.id, class: t.class, first: now, last: now }).last = now;
            begins.entry(t.id).or_insert(place);
        }
    }
    let spans: Vec<Span> = spans.into_values().collect();
    let likeness = wanted.unwrap_or_else(|| likeness(&spans, faces));
    let worth = |a: &Span, b: &Span| {
        let between = b.first - a.last;
        let near = a.class == b.class && between > 0.0 && between <= gap;
        let alike = faces.cosine(a.id, b.id).filter(|_| near)?;
        (alike >= likeness).then_some(alike - likeness)
    };
    let links = link(&spans, &spans, worth);
    let id = |at: usize| spans.get(at).map_or(0, |s| s.id);
    let before: BTreeMap<u64, u64> = links.pairs.iter().map(|(a, b)| (id(*b), id(*a))).collect();
    // Each begins behind the end of the one before, so this ends.
    let root = |mut of: u64| {
        while let Some(earlier) = before.get(&of) {
            of = *earlier;
        }
        of
    };
    // The tracker may wait for one while the next is seen already: under one number it would end that.
    let latest = |later: &u64| begins.get(later).map_or(0, |place| place.saturating_sub(1));
    let mut ends: BTreeMap<u64, usize> = before.iter().map(|(later, earlier)| (*earlier, latest(later))).collect();
    for (place, (_, update)) in updates.iter_mut().enumerate() {
        update.ended.retain(|id| match ends.get_mut(id) {
            Some(end) => {
                *end = place.min(*end);
                false
            }
            None => true,
        });
    }
    for (id, place) in &ends {
        if let Some((_, update)) = updates.get_mut(*place) {
            update.ended.push(*id);
        }
    }
    for (_, update) in updates.iter_mut() {
        update.ended.iter_mut().for_each(|id| *id = root(*id));
        update.tracks.iter_mut().for_each(|t| t.id = root(t.id));
        update.tracks.sort_unstable_by_key(|t| t.id);
        update.ended.sort_unstable();
    }
    Rejoined { tracks: before.len() as u64, likeness }
}

#[cfg(test)]
mod tests {
    use super::super::super::associate::TrackedBox;
    use super::super::super::zones::{Happening, ZoneEvent, ZoneRules, Zones, ZonesFile};
    use super::super::looks::look;
    use super::*;
    use crate::core::BoxF;

    /// Updates in which each track (number, class) is seen from a frame to another; it ends with the frame behind.
    fn updates(tracks: &[(u64, u32, std::ops::RangeInclusive<usize>)], frames: usize) -> Vec<(usize, Update)> {
        let rect = BoxF { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };
        let boxed = |id, class| TrackedBox {
            id,
            detection: 0,
            rect,
            smooth: rect,
            score: 1.0,
            class,
            moving: false,
            since: 0.0,
        };
        let update = |f: usize| Update {
            tracks: tracks.iter().filter(|t| t.2.contains(&f)).map(|t| boxed(t.0, t.1)).collect(),
            ended: tracks.iter().filter(|t| t.2.end() + 1 == f).map(|t| t.0).collect(),
        };
        (0..frames).map(|f| (f, update(f))).collect()
    }

    fn faces(all: &[(u64, [f32; 2])]) -> Faces {
        let mut faces = Faces::default();
        for (id, v) in all {
            (0..LEAST).for_each(|_| faces.add(*id, &look(v).unwrap()));
        }
        faces
    }

    fn numbers(updates: &[(usize, Update)], frame: usize) -> Vec<u64> {
        updates[frame].1.tracks.iter().map(|t| t.id).collect()
    }

    #[test]
    fn who_comes_back_keeps_the_number_and_who_looks_otherwise_does_not() {
        // 1 goes on as 3, which goes on as 5; 2 and 4 look otherwise, 6 is of another class, 7 comes too late.
        let tracks = [
            (1, 0, 0..=3),
            (2, 0, 0..=3),
            (3, 0, 6..=8),
            (4, 0, 6..=8),
            (5, 0, 10..=11),
            (6, 1, 10..=11),
            (7, 0, 30..=31),
        ];
        let all = faces(&[
            (1, [1.0, 0.0]),
            (2, [0.0, 1.0]),
            (3, [1.0, 0.1]),
            (4, [0.7, -0.7]),
            (5, [1.0, 0.05]),
            (6, [1.0, 0.0]),
            (7, [1.0, 0.0]),
        ]);
        let mut u = updates(&tracks, 33);
        assert_eq!(rejoin(&mut u, &all, (5.0, Some(0.8)), |at| at as f64), Rejoined { tracks: 2, likeness: 0.8 });
        assert_eq!((numbers(&u, 2), numbers(&u, 7), numbers(&u, 10)), (vec![1, 2], vec![1, 4], vec![1, 6]));
        assert_eq!(numbers(&u, 30), [7]);
        let ends: Vec<(usize, u64)> = u.iter().flat_map(|(f, u)| u.ended.iter().map(|id| (*f, *id))).collect();
        // An object ends as often as it goes out of sight: what it did meanwhile nobody saw.
        assert_eq!(ends, [(4, 1), (4, 2), (9, 1), (9, 4), (12, 1), (12, 6), (32, 7)]);
    }

    #[test]
    fn nobody_crosses_a_line_or_stays_in_a_zone_while_out_of_sight() {
        let text = r#"{"zones": {"left": {"polygon": [0,0,100,0,100,100,0,100]}}, "lines": {"l": {"points": [200,0,200,100]}}}"#;
        // Seen in the zone up to frame 2, and from frame 6 on at `back`.
        let watch = |back: f32| {
            let mut u = updates(&[(1, 0, 0..=2), (2, 0, 6..=8)], 12);
            for (at, update) in &mut u {
                let x = if *at < 6 { 50.0 } else { back };
                update.tracks.iter_mut().for_each(|t| t.rect = BoxF::from_center(x, 50.0, 10.0, 10.0));
            }
            // The tracker gives the first track up only when the second one is there.
            u[3].1.ended.clear();
            u[7].1.ended.push(1);
            let alike = faces(&[(1, [1.0, 0.0]), (2, [1.0, 0.0])]);
            assert_eq!(rejoin(&mut u, &alike, (5.0, Some(0.8)), |at| at as f64).tracks, 1);
            let ends: Vec<(usize, u64)> = u.iter().flat_map(|(f, u)| u.ended.iter().map(|id| (*f, *id))).collect();
            assert_eq!(ends, [(5, 1), (9, 1)]);
            let file = ZonesFile::parse(text, std::path::Path::new("z")).unwrap();
            let mut zones = Zones::new(file, ZoneRules { entry_interval: 10.0, ..ZoneRules::default() }).unwrap();
            let mut events: Vec<ZoneEvent> = u.iter().flat_map(|(at, u)| zones.update(*at as f64, u)).collect();
            events.extend(zones.finish());
            let crossed = zones.crossings()[0];
            assert_eq!((crossed.left_to_right, crossed.right_to_left), (0, 0));
            assert!(events.iter().all(|e| e.track == 1));
            events.iter().map(|e| (e.seconds, e.happening)).collect::<Vec<_>>()
        };
        let entry = |repeat| Happening::Enter { zone: 0, repeat };
        let lost = Happening::Exit { zone: 0, dwell: 2.0, lost: true };
        // On the other side of the line, nobody knows by which way.
        assert_eq!(watch(300.0), [(0.0, entry(false)), (2.0, lost)]);
        // In the zone again: another stay, and so soon after the first entry a repeated one.
        assert_eq!(watch(60.0), [(0.0, entry(false)), (2.0, lost), (6.0, entry(true)), (8.0, lost)]);
    }

    #[test]
    fn the_best_of_all_pairs_is_taken_and_nothing_overlaps() {
        // Both 3 and 4 look like 1; 4 looks like 2 as well, so that 1 - 3 and 2 - 4 is better than 1 - 4 alone.
        let tracks = [(1, 0, 0..=3), (2, 0, 0..=4), (3, 0, 6..=8), (4, 0, 6..=8)];
        let all = faces(&[(1, [1.0, 0.0]), (2, [0.8, 0.6]), (3, [0.9, -0.2]), (4, [1.0, 0.2])]);
        let mut u = updates(&tracks, 10);
        assert_eq!(rejoin(&mut u, &all, (5.0, Some(0.7)), |at| at as f64).tracks, 2);
        assert_eq!(numbers(&u, 7), [1, 2]);
        // At the same time: never one.
        let mut u = updates(&[(1, 0, 0..=5), (2, 0, 5..=8)], 10);
        let same = faces(&[(1, [1.0, 0.0]), (2, [1.0, 0.0])]);
        assert_eq!(rejoin(&mut u, &same, (5.0, Some(0.7)), |at| at as f64).tracks, 0);
        // Nothing known: nothing joined.
        let mut u = updates(&[(1, 0, 0..=3), (2, 0, 5..=8)], 10);
        assert_eq!(rejoin(&mut u, &Faces::default(), (5.0, Some(0.0)), |at| at as f64).tracks, 0);
        // A glance is not enough.
        let mut glance = Faces::default();
        [1, 2].into_iter().for_each(|id| glance.add(id, &look(&[1.0, 0.0]).unwrap()));
        let mut u = updates(&[(1, 0, 0..=3), (2, 0, 5..=8)], 10);
        assert_eq!(rejoin(&mut u, &glance, (5.0, Some(0.0)), |at| at as f64).tracks, 0);
    }

    #[test]
    fn the_video_says_how_alike_is_alike() {
        // Twelve at the same time, 66 pairs, a degree and a half or more from each other; 13 comes back as 1 exactly, 14 as between 2 and 3.
        let angle = |degrees: f64| [degrees.to_radians().cos() as f32, degrees.to_radians().sin() as f32];
        let mut tracks: Vec<_> = (1..=12).map(|id| (id, 0, 0..=3)).collect();
        tracks.extend([(13, 0, 6..=8), (14, 0, 6..=8)]);
        let mut looks: Vec<_> = (1..=12).map(|id| (id, angle(6.0 * id as f64))).collect();
        looks.extend([(13, angle(6.0)), (14, angle(15.0))]);
        let all = faces(&looks);
        let mut u = updates(&tracks, 10);
        let found = rejoin(&mut u, &all, (5.0, None), |at| at as f64);
        assert!((found.likeness - 6f64.to_radians().cos()).abs() < 1e-3, "{found:?}");
        assert_eq!(numbers(&u, 7)[0], 1);
        // Too few pairs to say.
        let mut u = updates(&[(1, 0, 0..=3), (2, 0, 5..=8)], 10);
        let few = rejoin(&mut u, &faces(&[(1, [1.0, 0.0]), (2, [1.0, 0.3])]), (5.0, None), |at| at as f64);
        assert_eq!(few, Rejoined { tracks: 1, likeness: WITHOUT });
    }
}
