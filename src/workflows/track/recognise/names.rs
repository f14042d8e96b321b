//! From answers about frames to names of tracks.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::super::associate::link::link;
use super::{Answer, Known, Outcome, Place};
use crate::core::BoxF;

/// Share of a face or body that must lie in the box of a track.
const INSIDE: f32 = 0.5;

/// The name of a track.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(in super::super) struct Named {
    pub(in super::super) name: String,
    /// Mean of the answers with that name, in percent.
    pub(in super::super) confidence: f64,
    /// How many they were.
    pub(in super::super) answers: u32,
}

/// A track in a frame that was asked about: its number, the position of its detection in the frame, its box.
pub(in super::super) type Candidate = (u64, usize, BoxF);

/// Names for tracks: that with the largest sum of confidences of at least `least` percent. A name goes to one of several tracks that are seen
/// at the same time, the one it was said of most; the others get what else was said of them. `frame` gives the tracks of a frame, `together`
/// whether two tracks are ever seen in one frame.
pub(in super::super) fn hand_over(
    answers: &[Answer],
    least: f64,
    frame: impl Fn(u64) -> Vec<Candidate>,
    together: impl Fn(u64, u64) -> bool,
) -> BTreeMap<u64, Named> {
    // Sum of confidences and their number by track and name.
    let mut said: BTreeMap<(u64, &str), (f64, u32)> = BTreeMap::new();
    for answer in answers {
        let Outcome::Answered { people } = &answer.outcome else { continue };
        let sure: Vec<&Known> = people.iter().filter(|p| p.confidence >= least).collect();
        if sure.is_empty() {
            continue;
        }
        let tracks = frame(answer.frame);
        for (person, id) in whose(&sure, &tracks) {
            let (sum, count) = said.entry((id, &person.name)).or_default();
            *sum += person.confidence;
            *count += 1;
        }
    }
    let mut order: Vec<_> = said.into_iter().collect();
    order.sort_by(|(a, (x, _)), (b, (y, _))| y.total_cmp(x).then(a.cmp(b)));
    let mut names: BTreeMap<u64, Named> = BTreeMap::new();
    let mut taken: BTreeSet<(&str, u64)> = BTreeSet::new();
    for ((id, name), (sum, answers)) in order {
        let beside = taken.iter().filter(|(n, _)| *n == name).any(|(_, other)| together(*other, id));
        if beside || names.contains_key(&id) {
            continue;
        }
        taken.insert((name, id));
        names.insert(id, Named { name: name.to_owned(), confidence: sum / f64::from(answers), answers });
    }
    names
}

/// Which person is which track.
fn whose<'a>(people: &[&'a Known], tracks: &[Candidate]) -> Vec<(&'a Known, u64)> {
    let mut found = Vec::new();
    let mut by_box: Vec<(&'a Known, BoxF)> = Vec::new();
    for person in people {
        match person.place {
            Place::Object(at) => {
                found.extend(tracks.iter().find(|(_, detection, _)| *detection == at).map(|(id, ..)| (*person, *id)));
            }
            Place::Box([x, y, width, height]) => by_box.push((*person, BoxF { x, y, width, height })),
        }
    }
    let links = link(&by_box, tracks, |(_, face), (.., body)| worth(face, body));
    for (row, column) in links.pairs {
        if let (Some((person, _)), Some((id, ..))) = (by_box.get(row), tracks.get(column)) {
            found.push((person, *id));
        }
    }
    found
}

/// How well a face or a body belongs to the box of a track; heads are in the middle and at the top.
fn worth(face: &BoxF, body: &BoxF) -> Option<f64> {
    let width = (face.right().min(body.right()) - face.x.max(body.x)).max(0.0);
    let height = (face.bottom().min(body.bottom()) - face.y.max(body.y)).max(0.0);
    let inside = width * height / face.area().max(f32::MIN_POSITIVE);
    let (a, b) = (face.center(), body.center());
    let aside = (a.x - b.x).abs() / body.width.max(1.0);
    let down = ((a.y - body.y) / body.height.max(1.0)).clamp(0.0, 1.0);
    (inside >= INSIDE).then(|| f64::from(inside * (1.0 - aside).max(0.0) * (1.0 - 0.5 * down)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str, confidence: f64, place: Place) -> Known {
        Known { name: name.into(), confidence, place }
    }

    fn answer(frame: u64, people: Vec<Known>) -> Answer {
        Answer { frame, seconds: 0.0, outcome: Outcome::Answered { people } }
    }

    const LEFT: BoxF = BoxF { x: 0.0, y: 0.0, width: 40.0, height: 100.0 };
    const RIGHT: BoxF = BoxF { x: 30.0, y: 0.0, width: 40.0, height: 100.0 };

    fn names(answers: &[Answer], together: bool) -> Vec<(u64, String, f64, u32)> {
        let frame = |f: u64| if f < 100 { vec![(7, 1, LEFT), (9, 0, RIGHT)] } else { vec![(11, 0, LEFT)] };
        let all = hand_over(answers, 50.0, frame, |_, _| together);
        all.into_iter().map(|(id, n)| (id, n.name, n.confidence, n.answers)).collect()
    }

    #[test]
    fn the_surest_name_in_sum_is_kept_and_weak_answers_are_none() {
        let answers = [
            answer(0, vec![known("anna", 90.0, Place::Object(1)), known("ben", 99.0, Place::Object(0))]),
            answer(1, vec![known("carl", 95.0, Place::Object(1))]),
            answer(2, vec![known("anna", 60.0, Place::Object(1)), known("dora", 49.9, Place::Object(0))]),
            Answer { frame: 3, seconds: 0.0, outcome: Outcome::Dropped },
            Answer { frame: 4, seconds: 0.0, outcome: Outcome::Failed { reason: "busy".into() } },
            answer(5, vec![known("nobody", 99.0, Place::Object(5))]),
        ];
        assert_eq!(names(&answers, true), [(7, "anna".into(), 75.0, 2), (9, "ben".into(), 99.0, 1)]);
        assert!(names(&answers[3..], true).is_empty());
    }

    #[test]
    fn a_face_is_that_of_the_body_below_it() {
        // The left one lies in both boxes for the most part, and nearer to the middle of the left one.
        let faces = vec![
            known("right", 80.0, Place::Box([40.0, 5.0, 14.0, 16.0])),
            known("left", 80.0, Place::Box([26.0, 5.0, 14.0, 16.0])),
            known("apart", 80.0, Place::Box([200.0, 5.0, 14.0, 16.0])),
        ];
        assert_eq!(names(&[answer(0, faces)], true), [(7, "left".into(), 80.0, 1), (9, "right".into(), 80.0, 1)]);
        // Half of it inside, then less.
        let at = |x: f32| vec![answer(100, vec![known("half", 80.0, Place::Box([x, 0.0, 20.0, 20.0]))])];
        assert_eq!((names(&at(30.0), true).len(), names(&at(30.5), true).len()), (1, 0));
    }

    #[test]
    fn one_person_is_at_one_place_at_a_time() {
        let answers = [
            answer(0, vec![known("anna", 90.0, Place::Object(1)), known("anna", 80.0, Place::Object(0))]),
            answer(1, vec![known("ben", 60.0, Place::Object(0))]),
        ];
        assert_eq!(names(&answers, true), [(7, "anna".into(), 90.0, 1), (9, "ben".into(), 60.0, 1)]);
        // Who was out of sight meanwhile may come back.
        assert_eq!(names(&answers, false), [(7, "anna".into(), 90.0, 1), (9, "anna".into(), 80.0, 1)]);
    }
}
