//! Frame by frame: earlier frames choose first.

use super::ledger::{IdSet, Ledger};
use super::{Checked, Choice, Fallback, FrameCandidates, PickRule, Reason, SelectParams};
use crate::core::Neighbor;
use crate::core::random::{Draw, below, stream};
use crate::error::{Error, Result};

/// Choices, and what the source was asked for on the way.
pub(super) struct Greedy {
    pub(super) choices: Vec<Choice>,
    /// Frame and picture of each choice that was not among the frame's own candidates.
    pub(super) extra: Vec<(usize, Neighbor)>,
}

pub(super) fn select(
    frames: &[FrameCandidates],
    pool: u32,
    params: &SelectParams,
    source: &mut Checked<'_>,
) -> Result<Greedy> {
    let mut ledger = Ledger::new(pool, params);
    let mut out = Greedy { choices: Vec::with_capacity(frames.len()), extra: Vec::new() };
    let mut shown = None;
    for (number, frame) in frames.iter().enumerate() {
        ledger.advance(frame.seconds);
        let draw = Draw { seed: params.seed, picture: number as u32 };
        let found = loop {
            if hopeless(frame, params) {
                break None;
            }
            let allowed = allowed(number, frame, params, ledger.blocked(), source)?;
            let found = match params.pick {
                PickRule::Seed => seed_rule(&allowed, ledger.blocked(), pool, params, draw),
                PickRule::Best | PickRule::Random => pick(&allowed, params, draw),
            };
            if found.is_some() || ledger.blocked().len() < pool {
                break found;
            }
            if !params.recycle {
                return Err(used_up(number, pool));
            }
            if !ledger.lift() {
                break None;
            }
        };
        let choice = match found {
            Some((found, enough)) => {
                let again = ledger.take(found.id, frame.seconds);
                let reason = match (enough, again) {
                    (false, _) => Reason::BelowThreshold,
                    (true, true) => Reason::Recycled,
                    (true, false) => Reason::Chosen,
                };
                Choice { picture: Some(found.id), score: found.score, reason }
            }
            None => fall_back(frame, params.fallback, shown),
        };
        if let (Some(id), Some(score)) = (choice.picture, choice.score)
            && choice.reason != Reason::Held
            && frame.nearest.iter().all(|n| n.id != id)
        {
            out.extra.push((number, Neighbor { id, score }));
        }
        shown = choice.picture;
        out.choices.push(choice);
    }
    Ok(out)
}

/// Whether nothing can be chosen for a frame, allowed or not.
pub(super) fn hopeless(frame: &FrameCandidates, params: &SelectParams) -> bool {
    let best = frame.nearest.first();
    params.pick != PickRule::Seed
        && params.fallback != Fallback::Best
        && best.is_some_and(|n| n.score < params.threshold)
}

fn used_up(frame: usize, pool: u32) -> Error {
    Error::Usage {
        message: format!("frame {frame}: all {pool} pictures are used up or must rest"),
        hint: Some("`--recycle` uses pictures again when all are used up; or add pictures".into()),
    }
}

/// What a frame shows when nothing fits.
pub(super) fn fall_back(frame: &FrameCandidates, fallback: Fallback, shown: Option<u32>) -> Choice {
    match (fallback, shown) {
        (Fallback::Hold, Some(id)) => {
            let score = frame.nearest.iter().find(|n| n.id == id).map(|n| n.score);
            Choice { picture: Some(id), score, reason: Reason::Held }
        }
        _ => Choice::BLACK,
    }
}

/// A picture, and its score where it is known.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) id: u32,
    pub(super) score: Option<f32>,
}

/// The candidates of a frame that are not blocked. The source is asked when there are too few of them to choose from.
pub(super) fn allowed(
    number: usize,
    frame: &FrameCandidates,
    params: &SelectParams,
    blocked: &IdSet,
    source: &mut Checked<'_>,
) -> Result<Vec<Neighbor>> {
    let depth = if params.pick == PickRule::Best { 1 } else { params.depth as usize };
    let own: Vec<Neighbor> = frame.nearest.iter().filter(|n| !blocked.contains(n.id)).take(depth).copied().collect();
    // What is not in the list is no nearer than its last entry; a small pool is all in the list.
    let enough = match params.pick {
        _ if own.len() >= depth || frame.nearest.len() >= source.pool as usize => true,
        PickRule::Seed => params.max_uses.is_some() && !own.is_empty(),
        _ => {
            let hopeless = frame.nearest.last().is_some_and(|n| n.score < params.threshold);
            hopeless && (params.fallback != Fallback::Best || !own.is_empty())
        }
    };
    if enough {
        return Ok(own);
    }
    let more = source.more(number, depth, blocked)?;
    // A source that knows less than the list does not make the list forgotten.
    Ok(if more.len() >= own.len() { more } else { own })
}

/// One of `allowed`, and whether it reaches the threshold.
pub(super) fn pick(allowed: &[Neighbor], params: &SelectParams, draw: Draw) -> Option<(Found, bool)> {
    let of = |n: &Neighbor, enough| (Found { id: n.id, score: Some(n.score) }, enough);
    let near = allowed.partition_point(|n| n.score >= params.threshold);
    if near == 0 {
        return allowed.first().filter(|_| params.fallback == Fallback::Best).map(|n| of(n, false));
    }
    let at = match params.pick {
        PickRule::Random => below(draw.words(0, stream::SELECT)[0], near as u32),
        PickRule::Best | PickRule::Seed => 0,
    };
    allowed.get(at as usize).map(|n| of(n, true))
}

/// The rule of the original system.
fn seed_rule(
    allowed: &[Neighbor],
    used: &IdSet,
    pool: u32,
    params: &SelectParams,
    draw: Draw,
) -> Option<(Found, bool)> {
    let [word, ..] = draw.words(0, stream::SELECT);
    let near = allowed.partition_point(|n| n.score >= params.threshold);
    let among = if params.max_uses.is_some() {
        1
    } else if near > 0 {
        near
    } else {
        allowed.len()
    };
    match allowed.get(below(word, among as u32) as usize) {
        Some(n) => Some((Found { id: n.id, score: Some(n.score) }, n.score >= params.threshold)),
        // Nothing unused was found: any unused picture, or any at all.
        None => {
            let unused = pool.saturating_sub(used.len());
            let id = used.absent(below(word, unused), pool).unwrap_or_else(|| below(word, pool));
            Some((Found { id, score: None }, false))
        }
    }
}
