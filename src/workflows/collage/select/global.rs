//! All frames at once: the largest sum of scores under a limit of uses.
//!
//! 1. The greedy rule runs first. What it had to search for beyond a frame's candidates joins them, so that its choices are one of the
//!    assignments compared, and the result is never below it.
//! 2. An exact assignment over all candidates that reach the threshold.
//! 3. Frames left without one search once more, without the pictures that are used up.

use super::greedy::{allowed, fall_back, pick};
use super::ledger::IdSet;
use super::{Checked, Choice, FrameCandidates, Reason, SelectParams, fixed, greedy};
use crate::core::Neighbor;
use crate::core::assignment::{Graph, assign};
use crate::core::random::Draw;
use crate::error::Result;

pub(super) fn select(
    frames: &[FrameCandidates],
    pool: u32,
    params: &SelectParams,
    source: &mut Checked<'_>,
) -> Result<Vec<Choice>> {
    let most = params.max_uses.unwrap_or(u32::MAX);
    let extra = greedy::select(frames, pool, params, source)?.extra;
    let mut extra = extra.into_iter().filter(|(_, n)| n.score >= params.threshold).peekable();
    let candidates: Vec<Vec<Neighbor>> = frames
        .iter()
        .enumerate()
        .map(|(number, frame)| {
            let near = frame.nearest.iter().take_while(|n| n.score >= params.threshold).copied();
            near.chain(extra.next_if(|(of, _)| *of == number).map(|(_, n)| n)).collect()
        })
        .collect();
    let capacity = capacity(frames.len(), pool, most);
    let assigned = assigned(&candidates, capacity);

    let mut uses = Uses { counts: vec![0; pool as usize], full: IdSet::new(pool), most, capacity };
    for n in assigned.iter().flatten() {
        uses.add(n.id);
    }
    // What is left goes to the frames that are left, in order.
    let mut chosen: Vec<Option<(Neighbor, bool)>> = assigned.into_iter().map(|n| n.map(|n| (n, true))).collect();
    for (number, (slot, frame)) in chosen.iter_mut().zip(frames).enumerate() {
        if slot.is_none() && !greedy::hopeless(frame, params) {
            let left = allowed(number, frame, params, &uses.full, source)?;
            let found = pick(&left, params, Draw::default());
            *slot = found.and_then(|(f, enough)| Some((Neighbor { id: f.id, score: f.score? }, enough)));
            if let Some((n, _)) = slot {
                uses.add(n.id);
            }
        }
    }

    // Which use of a picture is one too many depends on the order of frames.
    uses.counts.fill(0);
    let (mut shown, mut choices) = (None, Vec::with_capacity(frames.len()));
    for (slot, frame) in chosen.into_iter().zip(frames) {
        let choice = match slot {
            Some((n, enough)) => {
                let again = uses.add(n.id) > most;
                let reason = match (enough, again) {
                    (false, _) => Reason::BelowThreshold,
                    (true, true) => Reason::Recycled,
                    (true, false) => Reason::Chosen,
                };
                Choice::of(n, reason)
            }
            None => fall_back(frame, params.fallback, shown),
        };
        shown = choice.picture;
        choices.push(choice);
    }
    Ok(choices)
}

/// Uses of a picture, rounds of recycling included. Without `recycle` the pool is known to be large enough for one round.
fn capacity(frames: usize, pool: u32, most: u32) -> u32 {
    let round = u64::from(pool) * u64::from(most);
    let rounds = (frames as u64).div_ceil(round.max(1)).max(1);
    u32::try_from(rounds.saturating_mul(u64::from(most))).unwrap_or(u32::MAX)
}

struct Uses {
    counts: Vec<u32>,
    full: IdSet,
    most: u32,
    capacity: u32,
}

impl Uses {
    /// Counts a use; how many there are now.
    fn add(&mut self, id: u32) -> u32 {
        let Some(count) = self.counts.get_mut(id as usize) else { return self.most };
        *count += 1;
        if *count >= self.capacity {
            self.full.insert_all(std::iter::once(id));
        }
        *count
    }
}

/// The best assignment of `candidates` to frames.
fn assigned(candidates: &[Vec<Neighbor>], capacity: u32) -> Vec<Option<Neighbor>> {
    let mut ids: Vec<u32> = candidates.iter().flatten().map(|n| n.id).collect();
    ids.sort_unstable();
    ids.dedup();
    // A frame without a picture counts as 0, or, where scores are negative, as the least of them: having one is never worse.
    let base = candidates.iter().flatten().map(|n| fixed(n.score)).min().unwrap_or(0).min(0);
    let mut graph = Graph::new(ids.len());
    for list in candidates {
        let edge = |n: &Neighbor| ids.binary_search(&n.id).ok().map(|at| (at as u32, fixed(n.score) - base));
        graph.push(list.iter().filter_map(edge));
    }
    let found = |(list, at): (&Vec<Neighbor>, Option<usize>)| at.and_then(|at| list.get(at)).copied();
    candidates.iter().zip(assign(&graph, capacity)).map(found).collect()
}
