//! The moments of edits, nearer than a window.

use super::super::timeline::{OffsetTimeline, turn};
use super::log::Look;
use super::tell::{Telling, TrackTold, stretch};

/// Least weight of a track: one that an edit lies in cannot have been understood as a whole.
const LEAST: f64 = 0.1;

impl Telling<'_> {
    /// Puts edits, which lie between two windows so far, where lips and sound stop to fit by the offset before and begin to by the one after.
    pub(super) fn place_edits(&self, timeline: &mut OffsetTimeline, tracks: &[TrackTold], of: &[Vec<Look>]) {
        let Some(sound) = self.sound else { return };
        let reach = self.config.window;
        for (jump, (a, b)) in
            timeline.jumps.iter_mut().zip(timeline.segments.iter().zip(timeline.segments.iter().skip(1)))
        {
            let (from, to) = (a.to - reach, b.from + reach);
            let mut moments: Vec<(f64, f64)> = Vec::new();
            for track in tracks {
                let here = track.windows.iter().filter(|w| w.to > from && w.from < to);
                // Whoever spoke is believed; the track that the edit is in cannot have been understood.
                let Some(weight) = here.map(|w| w.estimate.probability).max_by(f64::total_cmp) else { continue };
                let looks = of.get(track.track).map_or(&[][..], |looks| stretch(looks, from, to));
                let found = self.estimator.preference(looks, sound, a.offset_to, b.offset_from);
                moments.extend(found.into_iter().map(|(t, p)| (t, p * weight.max(LEAST))));
            }
            moments.sort_by(|x, y| x.0.total_cmp(&y.0));
            if let Some(at) = turn(&moments) {
                jump.seconds = at.clamp(a.from, b.to);
            }
        }
    }
}
