//! Near-duplicates: of frames that show nearly the same, the best one stays.

use std::collections::BTreeMap;

use crate::workflows::curate::metrics::FrameEntry;

/// Frames among `open` that repeat a better one: `(frame, the one that stays)`. Better is worth more; of equals the earlier one.
///
/// Two hashes that differ in at most `bits` places agree in one of `bits + 1` bands of their digits, so that only frames which share a band are
/// compared.
pub(super) fn find(entries: &[FrameEntry], open: &[usize], bits: u32) -> Vec<(usize, usize)> {
    let metrics = |i: &usize| entries.get(*i).and_then(|e| e.metrics.as_ref());
    let worth = |i: &usize| metrics(i).map_or(0.0, |m| m.worth());
    let mut order: Vec<usize> = open.to_vec();
    order.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.cmp(b)));
    let bands = u64::from(bits.min(31) + 1);
    let mut known: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    for i in order {
        let Some(own) = metrics(&i) else { continue };
        let hash = u64::from_str_radix(&own.phash, 16).unwrap_or(0);
        let keys: Vec<(u64, u64)> = (0..bands).map(|b| (b, part(hash, b, bands))).collect();
        let near = keys.iter().filter_map(|k| known.get(k)).flatten().copied();
        let near = near.filter(|other| metrics(other).is_some_and(|m| own.is_near(m, bits))).min();
        match near {
            Some(of) => found.push((i, of)),
            None => keys.into_iter().for_each(|k| known.entry(k).or_default().push(i)),
        }
    }
    found.sort_unstable();
    found
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

    #[test]
    fn the_best_of_near_ones_stays_whichever_bits_differ() {
        for bits in [0, 3, 6, 20] {
            for shift in [0, 13, 40] {
                let flip = if bits == 0 { 0 } else { ((1u64 << bits) - 1) << shift };
                let base = 0x0123_4567_89ab_cdef;
                let entries =
                    [entry(0, base, 0.5), entry(1, base ^ flip, 0.9), entry(2, !base, 0.5), entry(3, base, 0.5)];
                let found = find(&entries, &[0, 1, 2, 3], bits);
                assert_eq!(found, [(0, 1), (3, 1)], "{bits} {shift}");
            }
        }
        let far = [entry(0, 0, 0.5), entry(1, 0b111, 0.9)];
        assert!(find(&far, &[0, 1], 2).is_empty());
        // Not open: not looked at.
        let same = [entry(0, 0, 0.5), entry(1, 0, 0.9)];
        assert!(find(&same, &[0], 6).is_empty());
    }
}
