//! Where the middles of boxes are between two looks: detectors that look at every so many frames leave gaps, in which things move on.

use std::collections::BTreeMap;

use crate::core::BoxF;

/// What was seen at a time.
#[derive(Debug, Clone)]
struct Look {
    /// Seconds of the stream.
    time: f64,
    boxes: Vec<BoxF>,
}

/// Points by step, `[x, y]` in pixels of the frame.
pub(super) type Points = BTreeMap<i64, Vec<[f32; 2]>>;

/// Boxes of one look are taken for those of the next one that are nearest and of about their size. From look to look a middle goes straight
/// and evenly; what is not seen again stays for one look more, and what is new was there since the look before, because detectors blink.
#[derive(Debug)]
pub(super) struct Middles {
    /// Seconds of a step.
    step: f64,
    before: Option<Look>,
    /// What the look before that saw and the last one did not.
    lingering: Vec<BoxF>,
}

fn middle(b: &BoxF) -> [f32; 2] {
    [b.x + b.width / 2.0, b.y + b.height / 2.0]
}

/// How far a box has come, if `b` may be `a` later: at most twice its longer side, at up to twice or half of the size.
fn distance(a: &BoxF, b: &BoxF) -> Option<f32> {
    let ([ax, ay], [bx, by]) = (middle(a), middle(b));
    let far = (bx - ax).hypot(by - ay);
    let alike = |a: f32, b: f32| a <= 2.0 * b && b <= 2.0 * a;
    let near = far <= 2.0 * a.width.max(a.height);
    (near && alike(a.width, b.width) && alike(a.height, b.height)).then_some(far)
}

/// For each of `from` the nearest of `to`.
fn nearest(from: &[BoxF], to: &[BoxF]) -> Vec<Option<usize>> {
    let of = |a: &BoxF| {
        let near = to.iter().enumerate().filter_map(|(i, b)| Some((i, distance(a, b)?)));
        near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)
    };
    from.iter().map(of).collect()
}

impl Middles {
    pub(super) fn new(step: f64) -> Self {
        Self { step, before: None, lingering: Vec::new() }
    }

    /// A look; gives the points from the look before up to it.
    pub(super) fn look(&mut self, time: f64, boxes: &[BoxF]) -> Points {
        let now = Look { time, boxes: boxes.to_vec() };
        let points = self.until(Some(&now));
        self.before = Some(now);
        points
    }

    /// No more looks; gives the points from the last one on.
    pub(super) fn end(&mut self) -> Points {
        let points = self.until(None);
        self.before = None;
        points
    }

    fn until(&mut self, next: Option<&Look>) -> Points {
        let mut points = Points::new();
        let Some(Look { time, boxes }) = &self.before else { return points };
        let to = next.map_or(*time, |n| n.time.max(*time));
        let step_of = |t: f64| (t / self.step).floor() as i64;
        // A gap of the stream is not filled.
        let crossed = (step_of(to) - step_of(*time)).clamp(0, 64);
        let mut go = |[ax, ay]: [f32; 2], [bx, by]: [f32; 2]| {
            let far = (bx - ax).hypot(by - ay);
            let count = ((far / 4.0).ceil() as i64).max(4 * crossed).clamp(1, 256);
            for k in 0..count {
                let share = k as f32 / count as f32;
                let step = step_of(time + (to - time) * f64::from(share));
                if step - step_of(*time) <= crossed {
                    points.entry(step).or_default().push([ax + (bx - ax) * share, ay + (by - ay) * share]);
                }
            }
        };
        let fresh: &[BoxF] = next.map_or(&[], |n| &n.boxes);
        let followed = nearest(boxes, fresh);
        for (b, at) in boxes.iter().zip(&followed) {
            let later = at.and_then(|i| fresh.get(i)).unwrap_or(b);
            go(middle(b), middle(later));
        }
        for b in &self.lingering {
            go(middle(b), middle(b));
        }
        let back = nearest(fresh, boxes);
        for (b, _) in fresh.iter().zip(&back).filter(|(_, at)| at.is_none()) {
            go(middle(b), middle(b));
        }
        self.lingering = boxes.iter().zip(&followed).filter(|(_, at)| at.is_none()).map(|(b, _)| *b).collect();
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32, y: f32) -> BoxF {
        BoxF { x: x - 10.0, y: y - 20.0, width: 20.0, height: 40.0 }
    }

    #[test]
    fn middles_go_on_between_looks_and_blinking_is_bridged() {
        let mut m = Middles::new(0.5);
        assert!(m.look(0.0, &[at(100.0, 50.0), at(300.0, 50.0)]).is_empty());
        // One goes 40 pixels to the right in a second, one is gone, one is new.
        let points = m.look(1.0, &[at(140.0, 50.0), at(400.0, 90.0)]);
        assert_eq!(points.keys().copied().collect::<Vec<_>>(), [0, 1]);
        let has = |step: i64, x: f32, y: f32| points[&step].iter().any(|p| (p[0] - x).abs() < 2.5 && p[1] == y);
        assert!(has(0, 100.0, 50.0) && has(0, 116.0, 50.0) && has(1, 120.0, 50.0) && has(1, 136.0, 50.0));
        assert!(!has(0, 124.0, 50.0) && !has(1, 116.0, 50.0));
        for step in [0, 1] {
            assert!(has(step, 300.0, 50.0) && has(step, 400.0, 90.0), "{step}: {points:?}");
        }
        // What is gone stays for one look, not for two; what stands still stays.
        let points = m.look(1.5, &[at(140.0, 50.0)]);
        assert_eq!(points.keys().copied().collect::<Vec<_>>(), [2]);
        assert!(points[&2].contains(&[300.0, 50.0]) && points[&2].contains(&[400.0, 90.0]));
        let points = m.look(2.0, &[at(140.0, 50.0)]);
        assert!(!points[&3].contains(&[300.0, 50.0]) && points[&3].contains(&[400.0, 90.0]));
        assert_eq!(m.end()[&4], [[140.0, 50.0]]);
        assert!(m.end().is_empty());
    }

    #[test]
    fn what_is_far_or_of_another_size_is_another_thing() {
        assert!(distance(&at(0.0, 0.0), &at(79.0, 0.0)).is_some() && distance(&at(0.0, 0.0), &at(81.0, 0.0)).is_none());
        assert!(distance(&at(0.0, 0.0), &BoxF { x: 0.0, y: 0.0, width: 50.0, height: 50.0 }).is_none());
    }
}
