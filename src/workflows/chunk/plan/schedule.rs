//! When chunks are processed.

use serde::{Deserialize, Serialize};

use super::heat::HeatMap;
use super::params::rects;
use super::record::ChunkPlan;
use super::shares::Shares;
use crate::core::Rect;
use crate::error::{Error, Result};
use crate::workflows::chunk::activity::ActivityGrid;

/// Times at which something is processed: half-open spans `[from, to)` in seconds of the stream, rising and apart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<[f64; 2]>", into = "Vec<[f64; 2]>")]
pub struct Schedule {
    spans: Vec<[f64; 2]>,
}

impl Schedule {
    /// Spans in any order; those that touch or overlap become one, empty ones none.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a time that is not finite, and for a span that ends before it begins.
    pub fn new(mut spans: Vec<[f64; 2]>) -> Result<Self> {
        if let Some(bad) = spans.iter().find(|[a, b]| !(a.is_finite() && b.is_finite() && a <= b)) {
            let wanted = "spans of finite seconds that do not end before they begin".into();
            return Err(Error::Parameter { op: "chunk/schedule", name: "spans", wanted, given: format!("{bad:?}") });
        }
        spans.retain(|[a, b]| a < b);
        spans.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let mut merged: Vec<[f64; 2]> = Vec::with_capacity(spans.len());
        for [from, to] in spans {
            match merged.last_mut() {
                Some([_, end]) if from <= *end => *end = end.max(to),
                _ => merged.push([from, to]),
            }
        }
        Ok(Self { spans: merged })
    }

    /// The spans.
    pub fn spans(&self) -> &[[f64; 2]] {
        &self.spans
    }

    /// Whether `time`, in seconds of the stream, lies in a span.
    pub fn is_active(&self, time: f64) -> bool {
        let next = self.spans.partition_point(|[from, _]| *from <= time);
        next.checked_sub(1).and_then(|at| self.spans.get(at)).is_some_and(|[_, to]| time < *to)
    }

    /// Sum of the spans in seconds.
    pub fn seconds(&self) -> f64 {
        self.spans.iter().map(|[from, to]| to - from).sum()
    }

    /// Seconds of the spans within `[from, to)`.
    pub fn seconds_within(&self, [from, to]: [f64; 2]) -> f64 {
        self.spans.iter().map(|[a, b]| (b.min(to) - a.max(from)).max(0.0)).sum()
    }

    /// Every span begun `lead_in` seconds earlier and held `hold` seconds longer.
    ///
    /// # Errors
    /// [`Error::Parameter`] for what is not finite or negative.
    pub fn widened(&self, lead_in: f64, hold: f64) -> Result<Self> {
        if !(lead_in >= 0.0 && hold >= 0.0) {
            let (wanted, given) = ("seconds from 0 on".into(), format!("{lead_in} and {hold}"));
            return Err(Error::Parameter { op: "chunk/schedule", name: "hold", wanted, given });
        }
        Self::new(self.spans.iter().map(|[from, to]| [from - lead_in, to + hold]).collect())
    }

    /// The parts within `[from, to)`.
    pub(super) fn within(&self, [from, to]: [f64; 2]) -> Self {
        let cut = self.spans.iter().map(|[a, b]| [a.max(from), b.min(to)]).filter(|[a, b]| a < b);
        Self { spans: cut.collect() }
    }
}

impl TryFrom<Vec<[f64; 2]>> for Schedule {
    type Error = Error;

    fn try_from(spans: Vec<[f64; 2]>) -> Result<Self> {
        Self::new(spans)
    }
}

impl From<Schedule> for Vec<[f64; 2]> {
    fn from(schedule: Schedule) -> Self {
        schedule.spans
    }
}

/// The fewest steps that hold `coverage` of the heat that counts where the chunk is, by step; where none counts, of all heat there. Indices
/// of steps, rising.
pub(super) fn steps_of(shares: &Shares<'_>, rect: impl Fn(usize) -> Option<Rect>, coverage: f64) -> Vec<usize> {
    let mut sums = shares.by_step(true, &rect);
    if sums.iter().all(|s| *s == 0.0) {
        sums = shares.by_step(false, &rect);
    }
    let mut order: Vec<(usize, f64)> = sums.into_iter().enumerate().filter(|(_, s)| *s > 0.0).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let spare = order.iter().map(|(_, s)| s).sum::<f64>() * (1.0 - coverage);
    let mut dropped = 0.0;
    while let Some((_, heat)) = order.last() {
        dropped += heat;
        if dropped > spare {
            break;
        }
        order.pop();
    }
    let mut steps: Vec<usize> = order.into_iter().map(|(step, _)| step).collect();
    steps.sort_unstable();
    steps
}

/// The times of `steps`, rising indices. Two that follow each other in the activity make one span, with the time between them: where only some
/// frames are looked at, a step without a look is none of it, and what is there before and behind is there meanwhile.
pub(super) fn spans_of(activity: &ActivityGrid, steps: &[usize]) -> Vec<[f64; 2]> {
    let mut spans: Vec<[f64; 2]> = Vec::new();
    let mut before = None;
    for at in steps {
        let Some([from, to]) = activity.steps().get(*at).map(|step| activity.time(*step)) else { continue };
        match spans.last_mut().filter(|_| at.checked_sub(1) == before) {
            Some(span) => span[1] = to,
            None => spans.push([from, to]),
        }
        before = Some(*at);
    }
    spans
}

impl ChunkPlan {
    /// Says of each chunk when it is processed, and what that saves. `map` is the one that was planned over.
    ///
    /// A cell counts in a step when its heat a frame is more than the threshold of the settings times that of the hottest cell of interest over the
    /// whole time. Of each chunk the fewest steps are taken that hold the coverage of the settings of what counts in it, widened by
    /// `lead_in` and `hold`.
    ///
    /// # Errors
    /// [`Error::Parameter`] for a map or the activity of frames of another size.
    pub fn scheduled(mut self, map: &HeatMap, activity: &ActivityGrid) -> Result<Self> {
        let frame = self.frame_size();
        if map.size() != frame {
            let (wanted, given) = (format!("a map of {frame}, that of the plan"), map.size().to_string());
            return Err(Error::Parameter { op: "chunk/schedule", name: "map", wanted, given });
        }
        let limited = map.limited(&rects(&self.settings.regions), &rects(&self.settings.exclude));
        let shares = Shares::new(limited.as_ref().unwrap_or(map), activity, self.settings.threshold)?;
        for chunk in &mut self.chunks {
            let rect = self.settings.covers(chunk.rect(), frame);
            let steps = steps_of(&shares, |_| Some(rect), self.settings.coverage);
            let schedule =
                Schedule::new(spans_of(activity, &steps))?.widened(self.settings.lead_in, self.settings.hold)?;
            chunk.active = Some(schedule.within(activity.span()));
        }
        self.cost.count_time(&self.chunks, activity);
        self.hold(&shares);
        Ok(self)
    }

    /// Notes how much of the heat that counts is covered at its time.
    pub(super) fn hold(&mut self, shares: &Shares<'_>) -> f64 {
        let held = shares
            .covered(|time| self.active_at(time).map(|(_, r)| self.settings.covers(r, self.frame_size())).collect());
        self.timed_coverage = Some(held);
        held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflows::chunk::activity::{ActivityShape, ActivityStep};

    #[test]
    fn looks_that_follow_each_other_make_one_span() {
        // Looked at every second second, in steps of half a second; two looks follow each other at once.
        let steps: Vec<ActivityStep> =
            [0, 4, 8, 12, 13].into_iter().map(|number| ActivityStep { number, frames: 1 }).collect();
        let shape = ActivityShape { frame: [16, 16], map: [16, 16], cell: 16, step: 0.5, full: 1, steps };
        let activity = ActivityGrid::new(shape, Vec::new()).unwrap();
        let spans = |steps: &[usize]| spans_of(&activity, steps);
        assert_eq!(spans(&[0, 1, 2]), [[0.0, 4.5]]);
        // Not there at a look: away since the one before.
        assert_eq!(spans(&[0, 2, 3, 4]), [[0.0, 0.5], [4.0, 7.0]]);
        assert_eq!(spans(&[0, 3]), [[0.0, 0.5], [6.0, 6.5]]);
        assert!(spans(&[]).is_empty() && spans(&[9]).is_empty());
    }

    #[test]
    fn spans_are_merged_and_asked() {
        let s = Schedule::new(vec![[3.0, 4.0], [0.0, 1.0], [1.0, 2.0], [3.5, 3.7], [6.0, 6.0]]).unwrap();
        assert_eq!(s.spans(), [[0.0, 2.0], [3.0, 4.0]]);
        let at = [-0.1, 0.0, 1.9, 2.0, 2.9, 3.0, 3.999, 4.0, 9.0].map(|t| s.is_active(t));
        assert_eq!(at, [false, true, true, false, false, true, true, false, false]);
        assert_eq!((s.seconds(), s.seconds_within([1.5, 3.25])), (3.0, 0.75));
        assert_eq!(s.widened(0.5, 0.25).unwrap().spans(), [[-0.5, 2.25], [2.5, 4.25]]);
        assert_eq!(s.widened(0.5, 0.5).unwrap().spans(), [[-0.5, 4.5]]);
        assert_eq!(s.within([1.0, 3.5]).spans(), [[1.0, 2.0], [3.0, 3.5]]);
        assert!(!Schedule::default().is_active(0.0) && s.widened(-1.0, 0.0).is_err());
        assert!(Schedule::new(vec![[0.0, f64::NAN]]).is_err() && Schedule::new(vec![[1.0, 0.0]]).is_err());
        let text = serde_json::to_string(&s).unwrap();
        assert_eq!(text, "[[0.0,2.0],[3.0,4.0]]");
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), s);
        assert!(serde_json::from_str::<Schedule>("[[2.0,1.0]]").is_err());
    }
}
