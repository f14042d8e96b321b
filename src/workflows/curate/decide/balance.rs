//! How many frames each strategy gets: as near to the wanted shares as the frames allow, with all frames or with as many as the shares allow.
//!
//! Which counts are possible follows from the frames alone (Hall 1935): a set of strategies can have at most the frames that suit any of them. Such
//! counts form a polymatroid (Edmonds 1970), in which raising counts one by one, in any order, ends at the largest sum.
#![allow(clippy::indexing_slicing, reason = "indexes are below the lengths of tables made here")]

use std::collections::BTreeMap;

use super::assign::Scores;

/// Strategies at most: sets of them are counted, two to the power of this.
pub(in super::super) const MOST: usize = 10;

/// What the frames allow.
struct Room {
    /// For every set of strategies (bit `s` is strategy `s`): frames that suit one of them.
    rank: Vec<usize>,
}

impl Room {
    fn new(scores: &[Scores], strategies: &[usize]) -> Self {
        let mut by_mask: BTreeMap<usize, usize> = BTreeMap::new();
        for frame in scores {
            let suits = |s: &usize| frame.get(*s).is_some_and(Option::is_some);
            let bits = strategies.iter().enumerate().filter(|(_, s)| suits(s)).map(|(bit, _)| 1 << bit);
            *by_mask.entry(bits.sum()).or_default() += 1;
        }
        let of = |set: usize| by_mask.iter().filter(|(mask, _)| *mask & set != 0).map(|(_, n)| n).sum();
        Self { rank: (0..1usize << strategies.len()).map(of).collect() }
    }

    fn sum(counts: &[usize], set: usize) -> usize {
        counts.iter().enumerate().filter(|(s, _)| set >> s & 1 == 1).map(|(_, n)| n).sum()
    }

    fn holds(&self, counts: &[usize]) -> bool {
        (0..self.rank.len()).all(|set| Self::sum(counts, set) <= self.rank[set])
    }

    /// Largest sum of counts that are each at most `most`.
    fn largest(&self, most: &[usize]) -> usize {
        let all = self.rank.len() - 1;
        (0..self.rank.len()).map(|set| self.rank[set] + Self::sum(most, all ^ set)).min().unwrap_or(0)
    }
}

/// Frames that are shared out already: those in `fixed` of strategies with a target. The others are no part of the mix.
fn held_by_targets(targets: &[f64], fixed: &[usize]) -> usize {
    targets.iter().zip(fixed).filter(|(t, _)| **t > 0.0).map(|(_, n)| n).sum()
}

/// Frames for each strategy beside those in `fixed`, so that every share is within `tolerance` of its target and as few frames as possible are left
/// out; shares come as near to their targets as that number allows. Shares are of the frames of strategies with a target. Nothing where no number of
/// frames will do.
pub(super) fn counts(scores: &[Scores], targets: &[f64], fixed: &[usize], tolerance: f64) -> Option<Vec<usize>> {
    let strategies: Vec<usize> = (0..targets.len()).filter(|s| targets[*s] > 0.0).collect();
    let held = |s: &usize| fixed.get(*s).copied().unwrap_or(0);
    if strategies.is_empty() {
        return None;
    }
    let room = Room::new(scores, &strategies);
    let free = room.rank.last().copied().unwrap_or(0);
    let all_held = held_by_targets(targets, fixed);
    for total in (1..=free + all_held).rev() {
        let Some((least, most)) = bounds(&strategies, targets, &held, total, tolerance) else { continue };
        let wanted = total.saturating_sub(all_held);
        if least.iter().sum::<usize>() > wanted || !room.holds(&least) || room.largest(&most) < wanted {
            continue;
        }
        let aims: Vec<Aim> = strategies.iter().map(|s| Aim::of(targets[*s], total, held(s))).collect();
        let found = raised(&room, least, &most, &aims, wanted);
        let mut counts = vec![0; targets.len()];
        strategies.iter().zip(found).for_each(|(s, n)| counts[*s] = n);
        return Some(counts);
    }
    None
}

/// Strategies that want more frames together than there are for them.
pub(super) struct Contest {
    /// The fewest of them, in order.
    pub(super) strategies: Vec<usize>,
    /// Frames that they want together.
    pub(super) wanted: usize,
    /// Frames that may have one of them.
    pub(super) there: usize,
}

/// The smallest set with strategy `s` in it that cannot have what it wants of `total` frames; nothing where there is none.
pub(super) fn contested(
    scores: &[Scores],
    targets: &[f64],
    fixed: &[usize],
    total: usize,
    s: usize,
) -> Option<Contest> {
    let strategies: Vec<usize> = (0..targets.len()).filter(|s| targets[*s] > 0.0).collect();
    let bit = strategies.iter().position(|other| *other == s)?;
    let room = Room::new(scores, &strategies);
    let mut sets: Vec<usize> = (0..room.rank.len()).filter(|set| set >> bit & 1 == 1).collect();
    sets.sort_by_key(|set| (set.count_ones(), *set));
    sets.into_iter().find_map(|set| {
        let among: Vec<usize> =
            strategies.iter().enumerate().filter(|(bit, _)| set >> bit & 1 == 1).map(|(_, s)| *s).collect();
        let held: usize = among.iter().map(|s| fixed.get(*s).copied().unwrap_or(0)).sum();
        let wanted = among.iter().map(|s| targets[*s] * total as f64).sum::<f64>().round() as usize;
        let there = room.rank[set] + held;
        (wanted > there).then_some(Contest { strategies: among, wanted, there })
    })
}

/// Fewest and most frames of each strategy beside those it holds, of `total` in all.
fn bounds(
    strategies: &[usize],
    targets: &[f64],
    held: &dyn Fn(&usize) -> usize,
    total: usize,
    tolerance: f64,
) -> Option<(Vec<usize>, Vec<usize>)> {
    let (mut least, mut most) = (Vec::new(), Vec::new());
    for s in strategies {
        let exact = targets[*s] * total as f64;
        let slack = tolerance * total as f64;
        // A whole number next to the exact one always fits.
        let low = ((exact - slack - 1e-9).ceil().max(0.0)).min(exact.floor()) as usize;
        let high = ((exact + slack + 1e-9).floor()).max(exact.ceil()) as usize;
        if high < held(s) {
            return None;
        }
        least.push(low.saturating_sub(held(s)));
        most.push(high - held(s));
    }
    Some((least, most))
}

/// What a strategy is raised by.
struct Aim {
    target: f64,
    /// Frames that it wants beside those it holds.
    frames: f64,
    held: usize,
}

impl Aim {
    fn of(target: f64, total: usize, held: usize) -> Self {
        Self { target, frames: target * total as f64 - held as f64, held }
    }

    /// Who gets the next frame: first those below their aim, the furthest first; then those with the least for their target.
    fn turn(&self, count: usize) -> (bool, f64) {
        let short = self.frames - count as f64;
        if short > 0.0 { (true, short) } else { (false, -((count + self.held + 1) as f64) / self.target) }
    }
}

/// Raises `counts` to the sum `wanted`: always the strategy whose turn it is, of those that may have one more.
fn raised(room: &Room, mut counts: Vec<usize>, most: &[usize], aims: &[Aim], wanted: usize) -> Vec<usize> {
    let mut sum: usize = counts.iter().sum();
    while sum < wanted {
        let open = (0..counts.len()).filter(|s| counts[*s] < most[*s]).filter(|s| {
            let mut sets = (0..room.rank.len()).filter(|set| set >> s & 1 == 1);
            sets.all(|set| Room::sum(&counts, set) < room.rank[set])
        });
        let turn = |s: &usize| aims[*s].turn(counts[*s]);
        // Of equal ones the first: `max_by` takes the last.
        let order = |a: &usize, b: &usize| turn(a).0.cmp(&turn(b).0).then(turn(a).1.total_cmp(&turn(b).1));
        let Some(next) = open.rev().max_by(order) else { break };
        counts[next] += 1;
        sum += 1;
    }
    counts
}

/// Frames for each strategy beside those in `fixed` when every frame gets one: as many strategies as possible have at least their target less
/// `tolerance`, then each comes as near to its target as the frames allow; what is over goes by the targets. Shares are of the frames that strategies
/// with a target can have.
pub(super) fn spread(scores: &[Scores], targets: &[f64], fixed: &[usize], tolerance: f64) -> Vec<usize> {
    let strategies: Vec<usize> = (0..targets.len()).collect();
    let held = |s: &usize| fixed.get(*s).copied().unwrap_or(0);
    let room = Room::new(scores, &strategies);
    let free = room.rank.last().copied().unwrap_or(0);
    // A strategy without a target has only what no other takes: that is not shared out.
    let sharing: usize = strategies.iter().filter(|s| targets[**s] > 0.0).map(|s| 1usize << *s).sum();
    let total = room.rank[sharing] + held_by_targets(targets, fixed);
    let aims: Vec<Aim> = strategies.iter().map(|s| Aim::of(targets[*s], total, held(s))).collect();
    let fewest = |s: &usize| {
        let exact = targets[*s] * total as f64;
        let low = (exact - tolerance * total as f64 - 1e-9).ceil().max(0.0).min(exact.floor()) as usize;
        low.saturating_sub(held(s))
    };
    let most = vec![free; targets.len()];
    let off = |counts: &[usize]| -> f64 {
        let of = |s: &usize| (aims[*s].frames - counts[*s] as f64).abs();
        strategies.iter().map(of).sum()
    };
    let mut best: Option<(u32, f64, Vec<usize>)> = None;
    let mut sets: Vec<usize> = (0..room.rank.len()).collect();
    sets.sort_by_key(|set| std::cmp::Reverse((set.count_ones(), *set)));
    for set in sets {
        if best.as_ref().is_some_and(|(n, ..)| *n > set.count_ones()) {
            break;
        }
        let least: Vec<usize> = strategies.iter().map(|s| if set >> s & 1 == 1 { fewest(s) } else { 0 }).collect();
        if !room.holds(&least) {
            continue;
        }
        let counts = raised(&room, least, &most, &aims, free);
        let far = off(&counts);
        if best.as_ref().is_none_or(|(_, b, _)| far < *b) {
            best = Some((set.count_ones(), far, counts));
        }
    }
    best.map_or_else(|| vec![0; targets.len()], |(.., counts)| counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(kinds: &[(usize, &[usize])]) -> Vec<Scores> {
        let of = |may: &[usize]| (0..4).map(|s| may.contains(&s).then_some(0)).collect::<Scores>();
        kinds.iter().flat_map(|(n, may)| std::iter::repeat_n(of(may), *n)).collect()
    }

    const TARGETS: [f64; 4] = [0.30, 0.40, 0.15, 0.15];

    #[test]
    fn as_many_frames_as_the_shares_allow() {
        // 40 frames suit 0 and 2; all others only 3, or 1 and 3.
        let scores = frames(&[(40, &[0, 1, 2]), (60, &[1, 3]), (140, &[3])]);
        let got = counts(&scores, &TARGETS, &[0; 4], 0.0).unwrap();
        let sum: usize = got.iter().sum();
        for (n, t) in got.iter().zip(TARGETS) {
            assert!((*n as f64 - t * sum as f64).abs() < 1.0, "{got:?}");
        }
        // 45 % of them, rounded either way, must be among the forty.
        assert!((86..=91).contains(&sum), "{got:?}");
        let loose = counts(&scores, &TARGETS, &[0; 4], 0.03).unwrap();
        let all: usize = loose.iter().sum();
        assert!(all > sum, "{loose:?}");
        for (n, t) in loose.iter().zip(TARGETS) {
            assert!((*n as f64 / all as f64 - t).abs() <= 0.03 + 1e-9, "{loose:?}");
        }
        assert!(loose[0] + loose[2] <= 40);
    }

    #[test]
    fn nothing_is_left_out_where_nothing_must_be() {
        let scores = frames(&[(100, &[0, 1, 2, 3])]);
        assert_eq!(counts(&scores, &TARGETS, &[0; 4], 0.03).unwrap(), [30, 40, 15, 15]);
        // Ten are decided by hand.
        assert_eq!(counts(&scores, &TARGETS, &[10, 0, 0, 0], 0.0).unwrap(), [23, 44, 17, 16]);
    }

    #[test]
    fn all_frames_go_somewhere_and_as_many_targets_as_possible_are_met() {
        // Ten may have 2; all may have 0 and 1: what is over goes by the targets.
        let scores = frames(&[(10, &[0, 1, 2]), (90, &[0, 1])]);
        assert_eq!(spread(&scores, &[0.4, 0.2, 0.4, 0.0], &[0; 4], 0.03), [60, 30, 10, 0]);
        // 0 and 2 want the same twenty frames; 0 cannot have enough of them whatever is done, 2 can.
        let scores = frames(&[(20, &[0, 1, 2, 3]), (80, &[1, 3])]);
        assert_eq!(spread(&scores, &TARGETS, &[0; 4], 0.03), [8, 58, 12, 22]);
        // 1 is out of reach; 0 gets what it needs of the frames that they share.
        let scores = frames(&[(20, &[0]), (21, &[0, 1]), (29, &[1]), (30, &[3])]);
        let got = spread(&scores, &[0.3, 0.6, 0.0, 0.1], &[0; 4], 0.03);
        assert_eq!((got[0], got.iter().sum::<usize>(), got[3]), (27, 100, 30));
        // Frames that suit only what is not wanted go there all the same.
        assert_eq!(spread(&frames(&[(5, &[2])]), &[0.5, 0.5, 0.0, 0.0], &[0; 4], 0.03), [0, 0, 5, 0]);
    }

    #[test]
    fn what_strategies_without_a_target_have_is_not_shared_out() {
        // The first one holds forty frames; the other sixty suit all that have a target.
        let (scores, targets) = (frames(&[(60, &[1, 2, 3])]), [0.0, 0.5, 0.3, 0.2]);
        assert_eq!(counts(&scores, &targets, &[40, 0, 0, 0], 0.0).unwrap(), [0, 30, 18, 12]);
        assert_eq!(spread(&scores, &targets, &[40, 0, 0, 0], 0.03), [0, 30, 18, 12]);
        // Six more are held by one that has a target: shares are of sixty-six then.
        assert_eq!(counts(&scores, &targets, &[40, 6, 0, 0], 0.0).unwrap(), [0, 27, 20, 13]);
        assert_eq!(spread(&scores, &targets, &[40, 6, 0, 0], 0.03), [0, 27, 20, 13]);
        // Forty may have nothing but a strategy that is not wanted.
        let scores = frames(&[(60, &[1, 2, 3]), (40, &[0])]);
        assert_eq!(spread(&scores, &targets, &[0; 4], 0.03), [40, 30, 18, 12]);
    }

    #[test]
    fn who_wants_the_same_frames_is_said() {
        let scores = frames(&[(40, &[0, 2]), (60, &[1, 3])]);
        let c = contested(&scores, &TARGETS, &[0; 4], 100, 2).unwrap();
        assert_eq!((c.strategies, c.wanted, c.there), (vec![0, 2], 45, 40));
        assert!(contested(&scores, &TARGETS, &[0; 4], 100, 1).is_none());
        assert_eq!(contested(&scores, &TARGETS, &[0; 4], 200, 0).unwrap().strategies, [0]);
    }

    #[test]
    fn it_is_the_largest_number() {
        let mut word = 3u32;
        let mut next = move |n: u32| {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (word >> 8) % n
        };
        for _ in 0..60 {
            let scores: Vec<Scores> = (0..14).map(|_| (0..3).map(|_| (next(3) > 0).then_some(0)).collect()).collect();
            let targets = [0.5, 0.3, 0.2];
            let got = counts(&scores, &targets, &[0; 3], 0.05);
            // Every number of frames, every way to share it out, by the assignment itself.
            let fits = |q: [usize; 3]| {
                let total: usize = q.iter().sum();
                let near = q.iter().zip(targets).all(|(n, t)| {
                    let exact = t * total as f64;
                    let (low, high) = (exact - 0.05 * total as f64 - 1e-9, exact + 0.05 * total as f64 + 1e-9);
                    (*n as f64 >= low.min(exact.floor())) && (*n as f64 <= high.max(exact.ceil()))
                });
                near && {
                    let with_out: Vec<Scores> =
                        scores.iter().map(|f| f.iter().copied().chain([Some(0)]).collect()).collect();
                    let at = super::super::assign::assign(&with_out, &[q[0], q[1], q[2], 14 - total]);
                    (0..3).all(|s| at.iter().filter(|a| **a == Some(s)).count() == q[s])
                }
            };
            let mut best = 0;
            for a in 0..=14 {
                for b in 0..=14 - a {
                    for c in 0..=14 - a - b {
                        if a + b + c > best && fits([a, b, c]) {
                            best = a + b + c;
                        }
                    }
                }
            }
            assert_eq!(got.map_or(0, |g| g.iter().sum::<usize>()), best, "{scores:?}");
        }
    }
}
