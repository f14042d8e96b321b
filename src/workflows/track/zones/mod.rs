//! Zones and lines: who enters, stays, leaves, crosses.
//!
//! All times are seconds of the video. An event is given out when it is sure and says when it happened, so that events of different debounce
//! need not come in order of time.

mod area;
mod file;
mod homography;
mod line;
mod polygon;
#[cfg(test)]
mod tests;

pub use area::ZoneTotals;
pub use file::{LineSpec, PlanSpec, ZoneSpec, ZonesFile};
pub use homography::Homography;
pub use line::{Direction, LineTotals};
pub use polygon::{Points, Polygon};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::area::Visitor;
use self::line::Crosser;
use super::associate::Update;
use crate::core::BoxF;
use crate::error::{Error, Result};

/// The point of a box that is tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BoxPoint {
    /// The centre, as in the original system.
    Center,
    /// The middle of the lower edge: where someone stands.
    Foot,
}

impl BoxPoint {
    /// The point of `rect`, in pixels.
    pub fn of(self, rect: &BoxF) -> [f64; 2] {
        let x = f64::from(rect.x) + f64::from(rect.width) / 2.0;
        let half = match self {
            Self::Center => 2.0,
            Self::Foot => 1.0,
        };
        [x, f64::from(rect.y) + f64::from(rect.height) / half]
    }
}

/// When something counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZoneRules {
    /// Point of a box that is tested.
    pub point: BoxPoint,
    /// Seconds a track must be inside before it has entered.
    pub enter_after: f64,
    /// Seconds a track must be outside before it has left.
    pub leave_after: f64,
    /// An entry within so many seconds of the track's last counted entry into the same zone is a repeat: reported, not counted.
    pub entry_interval: f64,
    /// Seconds without another crossing before a crossing counts; there and back within it is none.
    pub settle: f64,
}

impl Default for ZoneRules {
    /// The original's rules in video time: centre, no debounce, an entry every 5 s at most.
    fn default() -> Self {
        Self { point: BoxPoint::Center, enter_after: 0.0, leave_after: 0.0, entry_interval: 5.0, settle: 0.0 }
    }
}

impl ZoneRules {
    /// Checks ranges; `prefix` stands before the names of settings in messages.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn check(&self, prefix: &str) -> Result<()> {
        for (name, value) in [
            ("enter_after", self.enter_after),
            ("leave_after", self.leave_after),
            ("entry_interval", self.entry_interval),
            ("settle", self.settle),
        ] {
            if !(0.0..=86_400.0).contains(&value) {
                let message = format!("must be in 0..=86400 seconds, got {value}");
                return Err(Error::Config { field: format!("{prefix}{name}"), message });
            }
        }
        Ok(())
    }
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// A track entered a zone.
    Enter {
        /// Position of the zone in the file.
        zone: usize,
        /// Whether it comes too soon after its last entry to count.
        repeat: bool,
    },
    /// A track left a zone, or ended inside.
    Exit {
        /// Position of the zone in the file.
        zone: usize,
        /// Seconds inside.
        dwell: f64,
        /// Whether the track, or the video, ended inside: nobody saw it leave.
        lost: bool,
    },
    /// A track crossed a line.
    Cross {
        /// Position of the line in the file.
        line: usize,
        /// Which way.
        direction: Direction,
    },
}

/// Something that happened to a track.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ZoneEvent {
    /// When it happened, in seconds of the video.
    pub seconds: f64,
    /// Number of the track.
    pub track: u64,
    /// Class of the track.
    pub class: u32,
    /// What happened.
    pub happening: Happening,
}

/// State of a track.
#[derive(Debug)]
struct Follower {
    class: u32,
    seen: f64,
    point: [f64; 2],
    zones: Vec<Visitor>,
    lines: Vec<Crosser>,
}

/// Watches tracks in zones and at lines.
#[derive(Debug)]
pub struct Zones {
    file: ZonesFile,
    rules: ZoneRules,
    followers: BTreeMap<u64, Follower>,
    /// Last entries that counted of tracks that ended, by track and zone: those of an object that is out of sight for a while come back.
    counted: BTreeMap<(u64, usize), f64>,
    totals: Vec<ZoneTotals>,
    crossings: Vec<LineTotals>,
    first: Option<f64>,
    last: f64,
}

impl Zones {
    /// Nobody is anywhere yet.
    ///
    /// # Errors
    /// [`Error::Config`] for rules out of range.
    pub fn new(file: ZonesFile, rules: ZoneRules) -> Result<Self> {
        rules.check("zones.")?;
        let totals = vec![ZoneTotals::default(); file.zones.len()];
        let crossings = vec![LineTotals::default(); file.lines.len()];
        let (followers, counted) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { file, rules, followers, counted, totals, crossings, first: None, last: 0.0 })
    }

    /// The zones and lines.
    pub fn file(&self) -> &ZonesFile {
        &self.file
    }

    /// Sums of each zone, in the order of the file.
    pub fn totals(&self) -> &[ZoneTotals] {
        &self.totals
    }

    /// Sums of each line, in the order of the file.
    pub fn crossings(&self) -> &[LineTotals] {
        &self.crossings
    }

    /// Seconds from the first frame to the last.
    pub fn span(&self) -> f64 {
        self.first.map_or(0.0, |first| self.last - first)
    }

    /// Position of the first zone that holds the box, without debounce: the original's `current_store`.
    pub fn zone_of(&self, rect: &BoxF) -> Option<usize> {
        let point = self.rules.point.of(rect);
        self.file.zones.iter().position(|zone| zone.holds(point))
    }

    /// Takes what a tracker gave for the frame at `seconds`. A track that is not seen in a frame stays where it was. One that ended and is seen again
    /// comes from nowhere: its stays begin anew, it crosses no line on its way back; that an entry is repeated is remembered.
    pub fn update(&mut self, seconds: f64, update: &Update) -> Vec<ZoneEvent> {
        self.first.get_or_insert(seconds);
        self.last = seconds;
        let mut events = Vec::new();
        for track in &update.tracks {
            let point = self.rules.point.of(&track.rect);
            let counted = &mut self.counted;
            let follower = self.followers.entry(track.id).or_insert_with(|| Follower {
                class: track.class,
                seen: seconds,
                point,
                zones: (0..self.file.zones.len()).map(|z| Visitor::back(counted.remove(&(track.id, z)))).collect(),
                lines: vec![Crosser::default(); self.file.lines.len()],
            });
            let mut happened = Vec::new();
            for (zone, ((spec, visitor), totals)) in
                self.file.zones.iter().zip(&mut follower.zones).zip(&mut self.totals).enumerate()
            {
                visitor.observe(zone, seconds, spec.holds(point), &self.rules, totals, &mut happened);
            }
            for (line, ((spec, crosser), totals)) in
                self.file.lines.iter().zip(&mut follower.lines).zip(&mut self.crossings).enumerate()
            {
                let crossed = spec.crossed(follower.point, point);
                crosser.observe(line, seconds, crossed, self.rules.settle, totals, &mut happened);
            }
            (follower.point, follower.seen) = (point, seconds);
            let class = follower.class;
            events.extend(happened.into_iter().map(|(seconds, happening)| ZoneEvent {
                seconds,
                track: track.id,
                class,
                happening,
            }));
        }
        for id in &update.ended {
            self.end(*id, &mut events);
        }
        events
    }

    /// The video has ended: who is still inside is given out of it, as lost.
    pub fn finish(&mut self) -> Vec<ZoneEvent> {
        let mut events = Vec::new();
        let ids: Vec<u64> = self.followers.keys().copied().collect();
        ids.into_iter().for_each(|id| self.end(id, &mut events));
        events
    }

    fn end(&mut self, id: u64, events: &mut Vec<ZoneEvent>) {
        let Some(follower) = self.followers.remove(&id) else { return };
        let mut happened = Vec::new();
        for (zone, (visitor, totals)) in follower.zones.into_iter().zip(&mut self.totals).enumerate() {
            if let Some(at) = visitor.counted() {
                self.counted.insert((id, zone), at);
            }
            visitor.end(zone, follower.seen, totals, &mut happened);
        }
        for (line, (crosser, totals)) in follower.lines.into_iter().zip(&mut self.crossings).enumerate() {
            crosser.end(line, totals, &mut happened);
        }
        let class = follower.class;
        let event = |(seconds, happening)| ZoneEvent { seconds, track: id, class, happening };
        events.extend(happened.into_iter().map(event));
    }
}
