//! What the tracks of a person say together.

use super::super::timeline::{TimelineOptions, offset_timeline};
use super::tell::{PersonTold, Speech, Telling, TrackTold, points};
use crate::error::Result;

impl Telling<'_> {
    /// One timeline a person.
    pub(super) fn people(
        &self,
        tracks: &[TrackTold],
        speech: &[Speech],
        options: &TimelineOptions,
    ) -> Result<Vec<PersonTold>> {
        let count = tracks.iter().map(|t| t.person + 1).max().unwrap_or(0);
        let mut all = Vec::with_capacity(count);
        for person in 0..count {
            self.cancel.check()?;
            let mine = || tracks.iter().filter(|t| t.person == person);
            let speaking = mine().flat_map(|t| &t.windows).filter(|w| w.speaks).map(|w| w.estimate.probability);
            all.push(PersonTold {
                person,
                tracks: mine().map(|t| t.track).collect(),
                seen: mine().map(|t| t.whole.to - t.whole.from).sum(),
                speaks: speech.iter().filter(|s| s.person == Some(person)).map(|s| s.to - s.from).sum(),
                probability: speaking.fold(0.0, f64::max),
                timeline: offset_timeline(&points(mine()), options)?,
            });
        }
        Ok(all)
    }
}
