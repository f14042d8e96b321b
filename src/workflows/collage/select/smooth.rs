//! Few switches: dynamic programming over the candidates of a scene.

use super::greedy::fall_back;
use super::{Choice, Fallback, FrameCandidates, Reason, SelectParams, fixed};
use crate::core::Neighbor;
use crate::error::Result;

/// Per scene, the sequence of candidates with the largest sum of scores less `smoothness` a switch. A cut costs nothing, nor does
/// coming back from black. A frame that holds the picture before adds nothing and is passed over, so that a picture can go on after
/// it. Time O(F k log k), memory O(F k) of the longest scene.
pub(super) fn select(frames: &[FrameCandidates], params: &SelectParams) -> Result<Vec<Choice>> {
    let eligible: Vec<&[Neighbor]> = frames.iter().map(|f| eligible(f, params)).collect();
    let mut picked: Vec<Option<Neighbor>> = vec![None; frames.len()];
    let mut chain: Vec<(usize, &[Neighbor])> = Vec::new();
    let mut scene = None;
    for (number, (frame, list)) in frames.iter().zip(&eligible).enumerate() {
        let black = list.is_empty() && params.fallback != Fallback::Hold;
        if black || scene != Some(frame.scene) {
            settle(&mut chain, fixed(params.smoothness), &mut picked);
        }
        scene = Some(frame.scene);
        if !list.is_empty() {
            chain.push((number, list));
        }
    }
    settle(&mut chain, fixed(params.smoothness), &mut picked);

    let (mut shown, mut choices) = (None, Vec::with_capacity(frames.len()));
    for (found, frame) in picked.into_iter().zip(frames) {
        let choice = match found {
            Some(n) if n.score >= params.threshold => Choice::of(n, Reason::Chosen),
            Some(n) => Choice::of(n, Reason::BelowThreshold),
            None => fall_back(frame, params.fallback, shown),
        };
        shown = choice.picture;
        choices.push(choice);
    }
    Ok(choices)
}

/// Candidates that reach the threshold, or, where none does and the fallback says so, the nearest.
fn eligible<'a>(frame: &'a FrameCandidates, params: &SelectParams) -> &'a [Neighbor] {
    let near = frame.nearest.partition_point(|n| n.score >= params.threshold);
    let count = if near == 0 && params.fallback == Fallback::Best { 1 } else { near };
    frame.nearest.get(..count.min(frame.nearest.len())).unwrap_or_default()
}

/// Picks for the frames of `chain` and empties it.
fn settle(chain: &mut Vec<(usize, &[Neighbor])>, cost: i64, picked: &mut [Option<Neighbor>]) {
    // Of the frame before: for each picture, by id, its best sum and its place in the list.
    let mut before: Vec<(u32, i64, u32)> = Vec::new();
    let mut ways: Vec<Vec<u32>> = Vec::with_capacity(chain.len());
    for (_, list) in chain.iter() {
        // The first of equal sums, so the nearest.
        let best = before.iter().min_by_key(|(_, sum, place)| (-sum, *place)).copied();
        let mut now = Vec::with_capacity(list.len());
        let mut way = Vec::with_capacity(list.len());
        for (place, n) in (0u32..).zip(list.iter()) {
            let stay = before.binary_search_by_key(&n.id, |(id, ..)| *id).ok().and_then(|at| before.get(at));
            let switch = best.map(|(_, sum, from)| (sum - cost, from));
            let (sum, from) = match (stay, switch) {
                (Some((_, sum, from)), Some((other, _))) if *sum >= other => (*sum, *from),
                (_, Some(other)) => other,
                _ => (0, 0),
            };
            now.push((n.id, sum + fixed(n.score), place));
            way.push(from);
        }
        now.sort_unstable_by_key(|(id, ..)| *id);
        before = now;
        ways.push(way);
    }
    let mut at = before.iter().min_by_key(|(_, sum, place)| (-sum, *place)).map(|(.., place)| *place as usize);
    for ((number, list), way) in chain.drain(..).zip(ways).rev() {
        let Some(place) = at else { break };
        if let Some(slot) = picked.get_mut(number) {
            *slot = list.get(place).copied();
        }
        at = way.get(place).map(|from| *from as usize);
    }
}
