//! A track and a zone: entry, stay, exit, with debounce in video time.

use serde::Serialize;

use super::{Happening, ZoneRules};

/// What two times may differ by and still be the same, in seconds.
const SLACK: f64 = 1e-6;

/// Sums of a zone.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct ZoneTotals {
    /// Entries that count.
    pub entries: u64,
    /// Entries too soon after the same track's last one.
    pub repeats: u64,
    /// Exits that were seen.
    pub exits: u64,
    /// Tracks that ended inside.
    pub lost: u64,
    /// Tracks inside now.
    pub inside: u64,
    /// Most tracks inside at a time.
    pub most: u64,
    /// Seconds inside, summed over all stays that have ended.
    pub dwell: f64,
    /// The longest stay, in seconds.
    pub longest: f64,
}

/// State of one track in one zone.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Visitor {
    /// When it entered, once that is sure.
    entered: Option<f64>,
    /// Since when the last frames say the opposite.
    against: Option<f64>,
    /// The last entry that counted.
    counted: Option<f64>,
}

type Happened = Vec<(f64, Happening)>;

impl Visitor {
    /// Of a track that ended and came back: its last entry that counted.
    pub(super) fn back(counted: Option<f64>) -> Self {
        Self { counted, ..Self::default() }
    }

    /// The last entry that counted.
    pub(super) fn counted(&self) -> Option<f64> {
        self.counted
    }

    pub(super) fn observe(
        &mut self,
        zone: usize,
        now: f64,
        inside: bool,
        rules: &ZoneRules,
        totals: &mut ZoneTotals,
        happened: &mut Happened,
    ) {
        if inside == self.entered.is_some() {
            self.against = None;
            return;
        }
        let since = *self.against.get_or_insert(now);
        let wait = if inside { rules.enter_after } else { rules.leave_after };
        if now - since + SLACK < wait {
            return;
        }
        self.against = None;
        match self.entered.take() {
            None => self.enter(zone, since, rules, totals, happened),
            Some(entered) => {
                totals.exits += 1;
                happened.push((since, leave(zone, entered, since, false, totals)));
            }
        }
    }

    fn enter(&mut self, zone: usize, since: f64, rules: &ZoneRules, totals: &mut ZoneTotals, happened: &mut Happened) {
        let repeat = self.counted.is_some_and(|t| since - t + SLACK < rules.entry_interval);
        if repeat {
            totals.repeats += 1;
        } else {
            totals.entries += 1;
            self.counted = Some(since);
        }
        self.entered = Some(since);
        totals.inside += 1;
        totals.most = totals.most.max(totals.inside);
        happened.push((since, Happening::Enter { zone, repeat }));
    }

    /// The track ended; it was seen at `seen` for the last time.
    pub(super) fn end(self, zone: usize, seen: f64, totals: &mut ZoneTotals, happened: &mut Happened) {
        let Some(entered) = self.entered else { return };
        // Outside, though not long enough to be sure: what was seen last decides.
        let (at, lost) = match self.against {
            Some(since) => (since, false),
            None => (seen, true),
        };
        *(if lost { &mut totals.lost } else { &mut totals.exits }) += 1;
        happened.push((at, leave(zone, entered, at, lost, totals)));
    }
}

fn leave(zone: usize, entered: f64, at: f64, lost: bool, totals: &mut ZoneTotals) -> Happening {
    let dwell = at - entered;
    totals.inside = totals.inside.saturating_sub(1);
    totals.dwell += dwell;
    totals.longest = totals.longest.max(dwell);
    Happening::Exit { zone, dwell, lost }
}
