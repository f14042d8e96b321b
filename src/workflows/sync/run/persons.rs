//! Tracks joined to persons, over shots and over the borders of chunks.
//!
//! With a network for faces, tracks belong together whose mean vectors are near enough; without one, or where a face was never seen well enough, only
//! those of one shot that are in the same place: after a cut, a place says nothing about who is there. Nobody is in the picture twice.

use crate::core::BoxF;
use crate::infer::tasks::embed::unit;

use super::super::tracks::overlap;
use super::who::TrackOf;

/// Least overlap of the last box of a track and the first of another one for both to be in the same place.
const SAME_PLACE: f64 = 0.5;
/// Pictures of a face from which on its mean counts as known: a person is made of those first.
const KNOWN: u32 = 3;

/// Sum of the vectors of a track, and how many there are.
pub(super) type FaceVector = (Vec<f32>, u32);

/// A person in the making.
struct Person {
    /// Positions of its tracks.
    tracks: Vec<usize>,
    sum: Option<Vec<f32>>,
}

impl Person {
    /// Cosine to a unit vector.
    fn likeness(&self, vector: &[f32]) -> Option<f64> {
        let mine = unit(self.sum.as_ref()?)?;
        (mine.len() == vector.len()).then(|| mine.iter().zip(vector).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum())
    }

    fn add(&mut self, vector: Option<&[f32]>) {
        let Some(vector) = vector else { return };
        match &mut self.sum {
            Some(sum) if sum.len() == vector.len() => sum.iter_mut().zip(vector).for_each(|(s, v)| *s += v),
            Some(_) => {}
            None => self.sum = Some(vector.to_vec()),
        }
    }
}

/// The person of each track, numbered in order of appearance. `vectors` has what was seen of each track; `least` is the cosine from which on two faces
/// are the same person.
pub(super) fn persons(tracks: &[TrackOf], vectors: &[Option<FaceVector>], least: f64) -> Vec<usize> {
    let known = |i: usize| vectors.get(i).and_then(Option::as_ref);
    let mut people: Vec<Person> = Vec::new();
    // Those that were seen best come first: a person begins with a good view of it.
    let mut order: Vec<usize> = (0..tracks.len()).collect();
    order.sort_by_key(|i| (known(*i).is_none_or(|v| v.1 < KNOWN), *i));
    for i in order {
        let vector = known(i).and_then(|(sum, _)| unit(sum));
        let likeness = |p: &Person| match &vector {
            Some(v) => p.likeness(v).filter(|c| *c >= least),
            None => None,
        };
        let free = |p: &Person| !p.tracks.iter().any(|t| together(tracks, *t, i));
        let alike = people.iter().enumerate().filter(|(_, p)| free(p)).filter_map(|(n, p)| Some((n, likeness(p)?)));
        // Of several that are equally near, the first.
        let best = alike.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0))).map(|(n, _)| n);
        let placed = || {
            let unseen = |p: &Person| vector.is_none() || p.sum.is_none();
            people.iter().position(|p| unseen(p) && free(p) && p.tracks.iter().any(|t| beside(tracks, *t, i)))
        };
        let at = best.or_else(placed).unwrap_or(people.len());
        if at == people.len() {
            people.push(Person { tracks: Vec::new(), sum: None });
        }
        if let Some(person) = people.get_mut(at) {
            person.tracks.push(i);
            person.add(vector.as_deref());
        }
    }
    // Two that began apart and grew alike.
    let mut joined: Vec<Person> = Vec::new();
    for person in people {
        let mine = person.sum.as_deref().and_then(unit);
        let same = |p: &Person| {
            let near = mine.as_ref().and_then(|v| p.likeness(v)).is_some_and(|c| c >= least);
            near && !p.tracks.iter().any(|a| person.tracks.iter().any(|b| together(tracks, *a, *b)))
        };
        match joined.iter_mut().find(|p| same(p)) {
            Some(p) => {
                p.tracks.extend(&person.tracks);
                p.add(person.sum.as_deref());
            }
            None => joined.push(person),
        }
    }
    joined.sort_by_key(|p| p.tracks.iter().min().copied());
    let mut of = vec![0; tracks.len()];
    for (n, person) in joined.iter().enumerate() {
        for t in &person.tracks {
            if let Some(place) = of.get_mut(*t) {
                *place = n;
            }
        }
    }
    of
}

/// Whether two tracks share a frame.
fn together(tracks: &[TrackOf], a: usize, b: usize) -> bool {
    let (Some(a), Some(b)) = (tracks.get(a), tracks.get(b)) else { return false };
    a.track.first <= b.track.last() && b.track.first <= a.track.last()
}

/// Whether two tracks of one shot are in the same place, one after the other.
fn beside(tracks: &[TrackOf], a: usize, b: usize) -> bool {
    let (Some(a), Some(b)) = (tracks.get(a), tracks.get(b)) else { return false };
    let (early, late) = if a.track.first <= b.track.first { (a, b) } else { (b, a) };
    let ends: Option<(&BoxF, &BoxF)> = early.track.boxes.last().zip(late.track.boxes.first());
    a.shot == b.shot && ends.is_some_and(|(x, y)| overlap(x, y) > SAME_PLACE)
}

#[cfg(test)]
mod tests {
    use super::super::super::tracks::FaceTrack;
    use super::*;

    fn track(shot: usize, first: u64, count: usize, left: f32) -> TrackOf {
        let boxes = vec![BoxF { x: left, y: 0.0, width: 50.0, height: 50.0 }; count];
        TrackOf { shot, track: FaceTrack { first, boxes: boxes.clone(), detected: count }, boxes }
    }

    #[test]
    fn faces_that_are_alike_are_one_person_whatever_the_shot() {
        let tracks = [track(0, 0, 30, 0.0), track(0, 0, 30, 200.0), track(1, 30, 30, 0.0), track(2, 60, 30, 90.0)];
        let seen = |v: [f32; 3]| Some((v.to_vec(), 5));
        let vectors = [seen([5.0, 0.2, 0.0]), seen([0.0, 5.0, 0.0]), seen([0.3, 4.5, 0.4]), seen([4.0, 0.0, 1.0])];
        assert_eq!(persons(&tracks, &vectors, 0.4), [0, 1, 1, 0]);
        // Nobody is there twice, however alike.
        let twins = [seen([1.0, 0.0, 0.0]), seen([1.0, 0.0, 0.0])];
        assert_eq!(persons(&tracks[..2], &twins, 0.4), [0, 1]);
        assert_eq!(persons(&tracks, &vectors, 0.999), [0, 1, 2, 3], "the bound counts");
    }

    #[test]
    fn a_place_says_something_within_a_shot_only() {
        let tracks = [track(0, 0, 30, 0.0), track(0, 80, 30, 5.0), track(0, 80, 30, 300.0), track(1, 110, 30, 0.0)];
        assert_eq!(persons(&tracks, &[None, None, None, None], 0.4), [0, 0, 1, 2]);
        // Where both were seen and are not alike, the place does not count.
        let vectors = [Some((vec![1.0, 0.0], 5)), Some((vec![0.0, 1.0], 5)), None, None];
        assert_eq!(persons(&tracks, &vectors, 0.4), [0, 1, 2, 3]);
        assert!(persons(&[], &[], 0.4).is_empty());
    }
}
