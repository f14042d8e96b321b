//! Counts over time, in steps of equal length.

use super::super::zones::{Direction, Happening};
use super::follow::Followed;
use super::seen::Seen;
use crate::report::{Cell, ColumnType, Schema};

/// Steps at most; longer ones are taken for longer videos.
const MOST: f64 = 20_000.0;

/// A step.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Step {
    /// Its start.
    pub(super) seconds: f64,
    pub(super) frames: u64,
    /// Objects seen, summed over its frames, and the most in one.
    pub(super) seen: u64,
    pub(super) most: u64,
    pub(super) moving: u64,
    /// By zone: most inside at a time, entries that count, exits.
    pub(super) zones: Vec<[u64; 3]>,
    /// By line: crossings from left to right, from right to left.
    pub(super) lines: Vec<[u64; 2]>,
}

impl Step {
    /// Objects seen in a frame on average; `None` without frames.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.frames > 0).then(|| self.seen as f64 / self.frames as f64)
    }

    pub(super) fn mean_moving(&self) -> Option<f64> {
        (self.frames > 0).then(|| self.moving as f64 / self.frames as f64)
    }
}

/// Sums what was followed in steps of `length` seconds.
pub(super) fn steps(seen: &Seen, followed: &Followed, length: f64) -> Vec<Step> {
    let time = |f: &super::seen::SeenFrame| f.time.seconds;
    let (Some(first), Some(last)) = (seen.frames.first().map(time), seen.frames.last().map(time)) else {
        return Vec::new();
    };
    let length = length.max((last - first) / MOST);
    let of = |seconds: f64| (((seconds - first) / length + 1e-9).floor().max(0.0)) as usize;
    let (zones, lines) = (followed.end.zones.file().zones.len(), followed.end.zones.file().lines.len());
    let empty = |i: usize| Step {
        seconds: first + i as f64 * length,
        zones: vec![[0; 3]; zones],
        lines: vec![[0; 2]; lines],
        ..Step::default()
    };
    let mut steps: Vec<Step> = (0..=of(last)).map(empty).collect();
    for (frame, sights) in seen.frames.iter().zip(&followed.sights) {
        let Some(step) = steps.get_mut(of(frame.time.seconds)) else { continue };
        step.frames += 1;
        step.seen += sights.len() as u64;
        step.most = step.most.max(sights.len() as u64);
        step.moving += sights.iter().filter(|s| s.moving).count() as u64;
    }
    for event in &followed.events {
        let Some(step) = steps.get_mut(of(event.seconds)) else { continue };
        match event.happening {
            Happening::Enter { zone, repeat } => {
                if let Some(z) = step.zones.get_mut(zone) {
                    z[1] += u64::from(!repeat);
                }
            }
            Happening::Exit { zone, .. } => {
                if let Some(z) = step.zones.get_mut(zone) {
                    z[2] += 1;
                }
            }
            Happening::Cross { line, direction } => {
                let side = usize::from(direction == Direction::RightToLeft);
                if let Some(n) = step.lines.get_mut(line).and_then(|l| l.get_mut(side)) {
                    *n += 1;
                }
            }
        }
    }
    inside(&mut steps, followed, of);
    steps
}

/// Most inside each zone in each step.
fn inside(steps: &mut [Step], followed: &Followed, of: impl Fn(f64) -> usize) {
    let zones = followed.end.zones.file().zones.len();
    let mut now = vec![0u64; zones];
    let mut events = followed.events.iter().peekable();
    for (i, step) in steps.iter_mut().enumerate() {
        for (place, n) in step.zones.iter_mut().zip(&now) {
            place[0] = *n;
        }
        while let Some(event) = events.next_if(|e| of(e.seconds) <= i) {
            match event.happening {
                Happening::Enter { zone, .. } => {
                    if let (Some(n), Some(place)) = (now.get_mut(zone), step.zones.get_mut(zone)) {
                        *n += 1;
                        place[0] = place[0].max(*n);
                    }
                }
                Happening::Exit { zone, .. } => {
                    if let Some(n) = now.get_mut(zone) {
                        *n = n.saturating_sub(1);
                    }
                }
                Happening::Cross { .. } => {}
            }
        }
    }
}

/// Columns of the table; zones and lines by their keys.
pub(super) fn schema(followed: &Followed) -> Schema {
    use ColumnType::{F64, U64};
    let mut schema = Schema::new("track.counts", 1)
        .column("seconds", F64, "s", "Start of the step on the clock of the video.")
        .column("frames", U64, "", "Frames in it.")
        .column("seen_mean", F64, "", "Objects seen in a frame, on average.")
        .column("seen_most", U64, "", "Most objects seen in one frame.")
        .column("moving_mean", F64, "", "Objects that move, on average.");
    for z in &followed.end.zones.file().zones {
        let name = |what: &str| format!("zone_{}_{what}", z.id);
        schema = schema
            .column(name("inside"), U64, "", "Most objects inside at a time.")
            .column(name("entries"), U64, "", "Entries that count.")
            .column(name("exits"), U64, "", "Exits, those of tracks that ended inside too.");
    }
    for l in &followed.end.zones.file().lines {
        let name = |what: &str| format!("line_{}_{what}", l.id);
        schema = schema
            .column(name("left_to_right"), U64, "", "Crossings from left to right, seen along the line.")
            .column(name("right_to_left"), U64, "", "Crossings from right to left.");
    }
    schema
}

/// Its row.
pub(super) fn row(step: &Step) -> Vec<Cell> {
    let mut row: Vec<Cell> =
        vec![step.seconds.into(), step.frames.into(), step.mean().into(), step.most.into(), step.mean_moving().into()];
    row.extend(step.zones.iter().flatten().map(|n| Cell::from(*n)));
    row.extend(step.lines.iter().flatten().map(|n| Cell::from(*n)));
    row
}
