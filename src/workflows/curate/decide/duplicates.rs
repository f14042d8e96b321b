//! Near-duplicates: of frames that show nearly the same, the best one stays.

use std::collections::BTreeMap;

use crate::workflows::curate::config::DecisionConfig;
use crate::workflows::curate::detail::Embedding;
use crate::workflows::curate::metrics::FrameEntry;

/// Mean change of the 8x8 means, in codes, above which no embedding makes frames near-duplicates: networks do not see how light a frame is.
const MOST_CHANGE: f64 = 24.0;

/// A frame that repeats a better one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Repeat {
    pub(super) frame: usize,
    /// The one that stays.
    pub(super) of: usize,
    /// How it was seen, in words.
    pub(super) how: String,
}

/// Frames with embeddings that stay, with their squares.
type Described<'a> = Vec<(usize, f64, &'a Embedding)>;

/// Frames among `open` that repeat a better one. Better is worth more; of equals the earlier one.
///
/// Two hashes that differ in at most `bits` places agree in one of `bits + 1` bands of their digits, so that only frames which share a band are
/// compared. Embeddings are compared with those of all frames that stay: exact, some 0.1 us a pair.
pub(super) fn find(entries: &[FrameEntry], open: &[usize], config: &DecisionConfig) -> Vec<Repeat> {
    let Ok(bits) = u32::try_from(config.near_duplicate_bits) else { return Vec::new() };
    let metrics = |i: &usize| entries.get(*i).and_then(|e| e.metrics.as_ref());
    let worth = |i: &usize| metrics(i).map_or(0.0, |m| m.worth());
    let mut order: Vec<usize> = open.to_vec();
    order.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.cmp(b)));
    let bands = u64::from(bits.min(31) + 1);
    let mut known: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    let mut described: Described<'_> = Vec::new();
    let mut found = Vec::new();
    for i in order {
        let Some(own) = metrics(&i) else { continue };
        let hash = u64::from_str_radix(&own.phash, 16).unwrap_or(0);
        let keys: Vec<(u64, u64)> = (0..bands).map(|b| (b, part(hash, b, bands))).collect();
        let near = keys.iter().filter_map(|k| known.get(k)).flatten().copied();
        let near = near.filter(|other| metrics(other).is_some_and(|m| own.is_near(m, bits))).min();
        if let Some(of) = near {
            let apart = metrics(&of).map_or(0, |m| own.bits_apart(m));
            found.push(Repeat { frame: i, of, how: format!("hashes {apart} of 64 bits apart, at most {bits}") });
            continue;
        }
        let least = config.near_duplicate_cosine;
        if let Some(vector) = own.embedding.as_ref().filter(|_| least <= 1.0) {
            let alike = |(_, cosine): &(usize, f64)| *cosine >= least;
            let best = closest(vector, &described).filter(alike);
            let change = |of: &usize| metrics(of).map_or(f64::INFINITY, |m| own.change(m));
            if let Some((of, cosine)) = best.filter(|(of, _)| change(of) <= MOST_CHANGE) {
                let how = format!("embeddings of cosine {cosine:.3}, at least {least:.3}");
                found.push(Repeat { frame: i, of, how });
                continue;
            }
            described.push((i, vector.square() as f64, vector));
        }
        keys.into_iter().for_each(|k| known.entry(k).or_default().push(i));
    }
    found.sort_unstable_by_key(|r| r.frame);
    found
}

/// The frame whose embedding is closest, with the cosine; of equals the earlier one in the order of worth.
fn closest(vector: &Embedding, described: &Described<'_>) -> Option<(usize, f64)> {
    let square = vector.square() as f64;
    let cosine = |(i, other, e): &(usize, f64, &Embedding)| {
        let lengths = (square * other).sqrt();
        (*i, if e.dim() == vector.dim() && lengths > 0.0 { vector.dot(e) as f64 / lengths } else { -1.0 })
    };
    described.iter().map(cosine).rev().max_by(|a, b| a.1.total_cmp(&b.1))
}

/// Band `b` of `bands` of a hash.
const fn part(hash: u64, b: u64, bands: u64) -> u64 {
    let (from, to) = (b * 64 / bands, (b + 1) * 64 / bands);
    let width = to - from;
    if width >= 64 { hash } else { (hash >> from) & ((1 << width) - 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflows::curate::metrics::tests::metrics;
    use crate::workflows::curate::metrics::{FrameMetrics, FramePlace};

    fn entry(i: usize, phash: u64, sharpness: f64) -> FrameEntry {
        let place = FramePlace { path: format!("f{i}.png").into(), frame: None, seconds: None };
        let m = FrameMetrics { phash: format!("{phash:016x}"), ..metrics(0.2, 0.8, sharpness) };
        FrameEntry { name: format!("f{i}"), place, content: String::new(), metrics: Some(m), error: None }
    }

    fn pairs(entries: &[FrameEntry], open: &[usize], bits: i32) -> Vec<(usize, usize)> {
        let config = DecisionConfig { near_duplicate_bits: bits, ..DecisionConfig::default() };
        find(entries, open, &config).into_iter().map(|r| (r.frame, r.of)).collect()
    }

    #[test]
    fn the_best_of_near_ones_stays_whichever_bits_differ() {
        for bits in [0, 3, 6, 20] {
            for shift in [0, 13, 40] {
                let flip = if bits == 0 { 0 } else { ((1u64 << bits) - 1) << shift };
                let base = 0x0123_4567_89ab_cdef;
                let entries =
                    [entry(0, base, 0.5), entry(1, base ^ flip, 0.9), entry(2, !base, 0.5), entry(3, base, 0.5)];
                let found = pairs(&entries, &[0, 1, 2, 3], bits);
                assert_eq!(found, [(0, 1), (3, 1)], "{bits} {shift}");
            }
        }
        let far = [entry(0, 0, 0.5), entry(1, 0b111, 0.9)];
        assert!(pairs(&far, &[0, 1], 2).is_empty());
        // Not open: not looked at.
        let same = [entry(0, 0, 0.5), entry(1, 0, 0.9)];
        assert!(pairs(&same, &[0], 6).is_empty() && pairs(&same, &[0, 1], -1).is_empty());
    }

    #[test]
    fn what_a_network_takes_for_the_same_is_the_same() {
        let with = |i: usize, vector: [f32; 3], tiny: &str| {
            let mut e = entry(i, (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15), 0.9 - 0.1 * i as f64);
            let m = e.metrics.take().unwrap();
            e.metrics = Some(FrameMetrics { embedding: Embedding::new(&vector), tiny: tiny.repeat(64), ..m });
            e
        };
        // Nearly the first one; far from it; as the first one, but much darker.
        let entries = [
            with(0, [1.0, 0.0, 0.0], "80"),
            with(1, [1.0, 0.1, 0.0], "78"),
            with(2, [0.0, 1.0, 0.2], "80"),
            with(3, [1.0, 0.0, 0.0], "20"),
        ];
        let config = DecisionConfig { near_duplicate_cosine: 0.98, ..DecisionConfig::default() };
        let found = find(&entries, &[0, 1, 2, 3], &config);
        assert_eq!(found.iter().map(|r| (r.frame, r.of)).collect::<Vec<_>>(), [(1, 0)]);
        assert_eq!(found[0].how, "embeddings of cosine 0.995, at least 0.980");
        let never = DecisionConfig { near_duplicate_cosine: 2.0, ..config };
        assert!(find(&entries, &[0, 1, 2, 3], &never).is_empty());
    }
}
