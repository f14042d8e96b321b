//! Settings of the selection, and which of them go together.

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::FrameCandidates;
use super::ledger::rested;
use crate::error::{Error, Result};

/// What a frame shows when no allowed picture reaches the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fallback {
    /// The picture before stays. It is no new use of it. Black where there is none before.
    Hold,
    /// Black.
    Black,
    /// The nearest allowed picture all the same. Black where there is none.
    Best,
}

/// Which of the allowed candidates is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PickRule {
    /// The nearest.
    Best,
    /// One of the `depth` nearest that reach the threshold, each as likely as the other.
    Random,
    /// The rule of the original system. Without `max_uses`: one of those among the first `depth` candidates that reach the
    /// threshold, or, where none does, one of the first `depth`. With `max_uses` of 1: the nearest unused one, whatever its score; when
    /// the pool is used up, any picture, its score unknown. Also read as `fluxframe`, the word of the command line.
    #[serde(alias = "fluxframe")]
    Seed,
}

/// How frames share pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Assignment {
    /// Frame by frame in order of time: earlier frames choose first.
    Greedy,
    /// All frames at once, so that the sum of scores is the largest that candidates allow. Never less than greedy reaches, as long as
    /// no score is negative.
    Global,
}

/// How pictures are chosen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SelectParams {
    /// Least score of a picture that is chosen. A score equal to it is enough.
    pub threshold: f32,
    /// What happens to frames without such a picture.
    pub fallback: Fallback,
    /// Most uses of a picture; 1 means no repeats, `None` any number.
    pub max_uses: Option<u32>,
    /// Seconds that must pass from one use of a picture to its next; 0 for none.
    pub cooldown: f64,
    /// Which candidate is taken.
    pub pick: PickRule,
    /// Candidates that [`PickRule::Random`] and [`PickRule::Seed`] draw from, at least 1.
    pub depth: u32,
    /// Another seed draws other pictures. The draw of a frame depends on the seed and the frame's number alone.
    pub seed: u32,
    /// How frames share pictures.
    pub assignment: Assignment,
    /// What a switch to another picture costs within a scene, in units of score; 0 for nothing. The sum of scores less these costs is
    /// the largest that candidates allow.
    pub smoothness: f32,
    /// Whether pictures may be used beyond `max_uses` and `cooldown` when all are used up: uses are then counted anew, so that none
    /// is used twice more than another; among resting pictures the one that rested longest is next.
    pub recycle: bool,
}

impl Default for SelectParams {
    fn default() -> Self {
        Self {
            threshold: 0.0,
            fallback: Fallback::Hold,
            max_uses: None,
            cooldown: 0.0,
            pick: PickRule::Best,
            depth: 10,
            seed: 0,
            assignment: Assignment::Greedy,
            smoothness: 0.0,
            recycle: false,
        }
    }
}

fn config(field: &str, message: impl Into<String>) -> Error {
    Error::Config { field: field.into(), message: message.into() }
}

impl SelectParams {
    /// Checks ranges and combinations.
    ///
    /// Smoothness keeps a picture over many frames, which limits of uses forbid; a draw contradicts a largest sum; a rest between
    /// uses makes the assignment a scheduling problem that has no exact solution in reasonable time.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn check(&self) -> Result<()> {
        if !(-super::LARGEST..=super::LARGEST).contains(&self.threshold) {
            return Err(config("threshold", format!("must be within ±65536, got {}", self.threshold)));
        }
        if self.max_uses == Some(0) {
            return Err(config("max_uses", "must be at least 1, got 0"));
        }
        if !(0.0..=1e9).contains(&self.cooldown) {
            return Err(config("cooldown", format!("must be in 0..=1e9 seconds, got {}", self.cooldown)));
        }
        if self.depth == 0 {
            return Err(config("depth", "must be at least 1, got 0"));
        }
        if !(0.0..=super::LARGEST).contains(&self.smoothness) {
            return Err(config("smoothness", format!("must be in 0..=65536, got {}", self.smoothness)));
        }
        let smooth = self.smoothness > 0.0;
        let global = self.assignment == Assignment::Global;
        if smooth && (self.max_uses.is_some() || self.cooldown > 0.0) {
            return Err(config(
                "smoothness",
                "keeps a picture over many frames; it does not go with no_repeat, max_uses or cooldown",
            ));
        }
        if global && self.cooldown > 0.0 {
            return Err(config("assignment", "global does not go with cooldown; take greedy, or max_uses alone"));
        }
        if self.pick != PickRule::Best && (smooth || global) {
            return Err(config(
                "pick",
                "random and seed draw frame by frame; they go neither with smoothness nor global",
            ));
        }
        if self.pick == PickRule::Seed && (self.cooldown > 0.0 || self.max_uses.is_some_and(|n| n > 1)) {
            return Err(config("pick", "the seed's rule knows no_repeat (max_uses 1) and nothing else"));
        }
        Ok(())
    }

    /// Whether `pool` pictures can serve `frames`, were each to need one.
    pub(super) fn check_pool(&self, frames: &[FrameCandidates], pool: u32) -> Result<()> {
        if pool == 0 {
            return Err(Error::usage("the pool has no pictures; at least one is needed"));
        }
        if self.recycle || self.pick == PickRule::Seed {
            return Ok(());
        }
        let short = |rule: String, needed: u64| Error::Usage {
            message: format!("{} frames under {rule} need {needed} pictures, the pool has {pool}", frames.len()),
            hint: Some(
                "`--recycle` uses pictures again when all are used up; or add pictures, or take fewer frames".into(),
            ),
        };
        if let Some(uses) = self.max_uses {
            let needed = (frames.len() as u64).div_ceil(u64::from(uses));
            if needed > u64::from(pool) {
                return Err(short(if uses == 1 { "no-repeat".into() } else { format!("max-uses {uses}") }, needed));
            }
        }
        if self.cooldown > 0.0 {
            let (mut window, mut most) = (VecDeque::new(), 0);
            for f in frames {
                while window.front().is_some_and(|t| rested(f.seconds - t, self.cooldown)) {
                    window.pop_front();
                }
                window.push_back(f.seconds);
                most = most.max(window.len() as u64);
            }
            if most > u64::from(pool) {
                return Err(short(format!("a cooldown of {} s", self.cooldown), most));
            }
        }
        Ok(())
    }
}
