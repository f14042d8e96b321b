//! Which picture of the pool stands for which frame.
//!
//! ```text
//! frames: nearest pictures, time, scene ──► select ──► one Choice a frame
//!                                            │  ▲
//!                 frame, k, ids not wanted   ▼  │  the k nearest others
//!                                        CandidateSource
//! ```
//!
//! Host work on lists of ids and scores: no pictures, no files, no GPU. The result depends on frames, parameters and the source's
//! answers alone. Greedy selection holds one bit a picture (`max_uses` of 1), or 32 bits more for larger numbers; global
//! assignment holds all candidates.

mod global;
mod greedy;
mod ledger;
mod params;
mod smooth;
#[cfg(test)]
mod tests;

pub use ledger::IdSet;
pub use params::{Assignment, Fallback, PickRule, SelectParams};

use crate::core::Neighbor;
use crate::error::{Error, Result};

/// What is known about a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameCandidates {
    /// When it is shown, in seconds. Does not fall from frame to frame.
    pub seconds: f64,
    /// Number of its scene. A change of the number is a cut.
    pub scene: u32,
    /// The pictures most like it: distinct ids below the pool's size, scores (larger is nearer) not rising, within ±65,536.
    pub nearest: Vec<Neighbor>,
}

/// Searches again when all candidates of a frame are taken.
pub trait CandidateSource {
    /// The `k` pictures nearest to `frame` that are not in `excluded`, nearest first, all there are when there are fewer. Equal
    /// calls give equal answers. An empty answer means that there is none.
    ///
    /// # Errors
    /// Those of the search; the selection ends with them.
    fn more(&mut self, frame: usize, k: usize, excluded: &IdSet) -> Result<Vec<Neighbor>>;
}

/// A source that finds nothing: the candidates given are all there are.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMore;

impl CandidateSource for NoMore {
    fn more(&mut self, _: usize, _: usize, _: &IdSet) -> Result<Vec<Neighbor>> {
        Ok(Vec::new())
    }
}

/// Why a frame shows what it shows.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A picture that reaches the threshold and is allowed.
    Chosen,
    /// As `Chosen`, but all pictures had been used up: uses are counted anew, or the picture that rested longest ends its rest.
    Recycled,
    /// No allowed picture reaches the threshold; this is the nearest one ([`Fallback::Best`]; [`PickRule::Seed`] draws one).
    BelowThreshold,
    /// No allowed picture reaches the threshold; the one before stays ([`Fallback::Hold`]).
    Held,
    /// No allowed picture reaches the threshold, and the frame is black: [`Fallback::Black`], or there is nothing to hold.
    Black,
}

impl Reason {
    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chosen => "chosen",
            Self::Recycled => "recycled",
            Self::BelowThreshold => "below-threshold",
            Self::Held => "held",
            Self::Black => "black",
        }
    }
}

/// What a frame shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// The picture; `None` is black.
    pub picture: Option<u32>,
    /// Likeness of this picture and this frame. `None` for black, and for a picture that is not among the frame's candidates.
    pub score: Option<f32>,
    /// Why.
    pub reason: Reason,
}

impl Choice {
    const BLACK: Self = Self { picture: None, score: None, reason: Reason::Black };

    const fn of(found: Neighbor, reason: Reason) -> Self {
        Self { picture: Some(found.id), score: Some(found.score), reason }
    }
}

/// What [`select`] found.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// One per frame, in order.
    pub choices: Vec<Choice>,
    /// How often the source was asked.
    pub searches: usize,
}

impl Selection {
    /// Sum of the scores of pictures that were picked for their frame (held ones are not), each rounded to 2^-24.
    pub fn total(&self) -> f64 {
        let picked = |c: &&Choice| c.reason != Reason::Held;
        let sum: i64 = self.choices.iter().filter(picked).filter_map(|c| c.score).map(fixed).sum();
        sum as f64 / SCALE
    }
}

/// Chooses for each frame one of `pool` pictures with ids `0..pool`, by the rules in `params`.
///
/// # Errors
/// [`Error::Config`] for settings out of range or that exclude each other. [`Error::Usage`] for a pool that cannot serve the video
/// under `max_uses` or `cooldown` without `recycle`. [`Error::Parameter`] for candidates that break the rules of
/// [`FrameCandidates`], the source's included; the source's own errors.
pub fn select(
    frames: &[FrameCandidates],
    pool: u32,
    params: &SelectParams,
    source: &mut dyn CandidateSource,
) -> Result<Selection> {
    params.check()?;
    params.check_pool(frames, pool)?;
    let mut last = f64::NEG_INFINITY;
    for (number, frame) in frames.iter().enumerate() {
        if !frame.seconds.is_finite() || frame.seconds < last {
            return Err(unfit("seconds", format!("at least {last} for frame {number}"), frame.seconds));
        }
        last = frame.seconds;
        check_nearest(number, &frame.nearest, pool)?;
    }
    let mut source = Checked { source, pool, searches: 0 };
    let choices = match params.assignment {
        _ if params.smoothness > 0.0 => smooth::select(frames, params)?,
        Assignment::Global if params.max_uses.is_some() => global::select(frames, pool, params, &mut source)?,
        Assignment::Greedy | Assignment::Global => greedy::select(frames, pool, params, &mut source)?.choices,
    };
    Ok(Selection { choices, searches: source.searches })
}

/// A source whose answers are checked and counted.
struct Checked<'a> {
    source: &'a mut dyn CandidateSource,
    pool: u32,
    searches: usize,
}

impl Checked<'_> {
    /// At most `k` pictures for `frame`, none of them `excluded`. The source is not asked when all are.
    fn more(&mut self, frame: usize, k: usize, excluded: &IdSet) -> Result<Vec<Neighbor>> {
        if excluded.len() >= self.pool {
            return Ok(Vec::new());
        }
        self.searches += 1;
        let mut found = self.source.more(frame, k, excluded)?;
        check_nearest(frame, &found, self.pool)?;
        if let Some(again) = found.iter().find(|n| excluded.contains(n.id)) {
            return Err(unfit("more", format!("none of the excluded pictures for frame {frame}"), again.id));
        }
        found.truncate(k);
        Ok(found)
    }
}

/// Scores are added as integers: sums are exact and do not depend on order.
const SCALE: f64 = 16_777_216.0;
/// Keeps the sum of 2^20 scores within 63 bits.
const LARGEST: f32 = 65_536.0;

/// A score in units of 2^-24.
fn fixed(score: f32) -> i64 {
    (f64::from(score) * SCALE).round() as i64
}

fn unfit(name: &'static str, wanted: String, given: impl std::fmt::Display) -> Error {
    Error::Parameter { op: "collage/select", name, wanted, given: given.to_string() }
}

fn check_nearest(frame: usize, nearest: &[Neighbor], pool: u32) -> Result<()> {
    for n in nearest {
        if n.id >= pool {
            return Err(unfit("nearest", format!("ids below {pool}, the size of the pool, for frame {frame}"), n.id));
        }
        if !(-LARGEST..=LARGEST).contains(&n.score) {
            return Err(unfit("nearest", format!("scores within ±{LARGEST} for frame {frame}"), n.score));
        }
    }
    if let Some((a, b)) = nearest.iter().zip(nearest.iter().skip(1)).find(|(a, b)| a.score < b.score) {
        let wanted = format!("scores that do not rise for frame {frame}");
        return Err(unfit("nearest", wanted, format!("{} and then {}", a.score, b.score)));
    }
    let mut ids: Vec<u32> = nearest.iter().map(|n| n.id).collect();
    ids.sort_unstable();
    if let Some((a, _)) = ids.iter().zip(ids.iter().skip(1)).find(|(a, b)| a == b) {
        return Err(unfit("nearest", format!("distinct ids for frame {frame}"), format!("{a} twice")));
    }
    Ok(())
}
