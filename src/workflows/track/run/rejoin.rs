//! Tracks that belong to one object although it was out of sight for longer than the tracker waits: found by looks, over the whole video.
//!
//! A track may be followed by one of its class that begins behind its end, within some seconds, and looks alike. Of all ways to do that the one
//! of the largest summed likeness is taken, so what comes out does not depend on the order of tracks.

use std::collections::BTreeMap;

use super::super::associate::Update;
use super::super::associate::link::link;
use super::looks::{Look, vector};

/// What the boxes of a track look like, summed up: unit vectors of its detections.
#[derive(Debug, Default)]
pub(super) struct Faces(BTreeMap<u64, Vec<f64>>);

impl Faces {
    /// Adds what a detection of the track looks like.
    pub(super) fn add(&mut self, id: u64, look: &Look) {
        let v = vector(look);
        let length = v.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
        let sum = self.0.entry(id).or_insert_with(|| vec![0.0; v.len()]);
        if length > 0.0 && sum.len() == v.len() {
            sum.iter_mut().zip(&v).for_each(|(s, x)| *s += f64::from(*x) / length);
        }
    }

    /// Cosine between two tracks; `None` where nothing is known of one.
    fn cosine(&self, a: u64, b: u64) -> Option<f64> {
        let (a, b) = (self.0.get(&a)?, self.0.get(&b)?);
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

/// Gives tracks that go on in another one its number: those with at most `gap` seconds between them whose looks have a cosine of at least
/// `likeness`. `seconds` is the time of a place in the timeline. How many were joined to an earlier one.
pub(super) fn rejoin(
    updates: &mut [(usize, Update)],
    faces: &Faces,
    (gap, likeness): (f64, f64),
    seconds: impl Fn(usize) -> f64,
) -> u64 {
    let mut spans: BTreeMap<u64, Span> = BTreeMap::new();
    for (at, update) in updates.iter() {
        let now = seconds(*at);
        for t in &update.tracks {
            spans.entry(t.id).or_insert(Span { id: t.id, class: t.class, first: now, last: now }).last = now;
        }
    }
    let spans: Vec<Span> = spans.into_values().collect();
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
    let goes_on: std::collections::BTreeSet<u64> = before.values().copied().collect();
    for (_, update) in updates.iter_mut() {
        update.ended.retain(|id| !goes_on.contains(id));
        update.ended.iter_mut().for_each(|id| *id = root(*id));
        update.tracks.iter_mut().for_each(|t| t.id = root(t.id));
        update.tracks.sort_unstable_by_key(|t| t.id);
        update.ended.sort_unstable();
    }
    before.len() as u64
}

#[cfg(test)]
mod tests {
    use super::super::super::associate::TrackedBox;
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
        all.iter().for_each(|(id, v)| faces.add(*id, &look(v).unwrap()));
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
        assert_eq!(rejoin(&mut u, &all, (5.0, 0.8), |at| at as f64), 2);
        assert_eq!((numbers(&u, 2), numbers(&u, 7), numbers(&u, 10)), (vec![1, 2], vec![1, 4], vec![1, 6]));
        assert_eq!(numbers(&u, 30), [7]);
        let ends: Vec<(usize, u64)> = u.iter().flat_map(|(f, u)| u.ended.iter().map(|id| (*f, *id))).collect();
        assert_eq!(ends, [(4, 2), (9, 4), (12, 1), (12, 6), (32, 7)], "an object ends once");
    }

    #[test]
    fn the_best_of_all_pairs_is_taken_and_nothing_overlaps() {
        // Both 3 and 4 look like 1; 4 looks like 2 as well, so that 1 - 3 and 2 - 4 is better than 1 - 4 alone.
        let tracks = [(1, 0, 0..=3), (2, 0, 0..=4), (3, 0, 6..=8), (4, 0, 6..=8)];
        let all = faces(&[(1, [1.0, 0.0]), (2, [0.8, 0.6]), (3, [0.9, -0.2]), (4, [1.0, 0.2])]);
        let mut u = updates(&tracks, 10);
        assert_eq!(rejoin(&mut u, &all, (5.0, 0.7), |at| at as f64), 2);
        assert_eq!(numbers(&u, 7), [1, 2]);
        // At the same time: never one.
        let mut u = updates(&[(1, 0, 0..=5), (2, 0, 5..=8)], 10);
        assert_eq!(rejoin(&mut u, &faces(&[(1, [1.0, 0.0]), (2, [1.0, 0.0])]), (5.0, 0.7), |at| at as f64), 0);
        // Nothing known: nothing joined.
        let mut u = updates(&[(1, 0, 0..=3), (2, 0, 5..=8)], 10);
        assert_eq!(rejoin(&mut u, &Faces::default(), (5.0, 0.0), |at| at as f64), 0);
    }
}
