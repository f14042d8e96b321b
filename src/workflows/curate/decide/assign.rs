//! Frames to strategies with wanted counts: a transportation problem with few destinations, solved exactly.
//!
//! Every frame begins where it suits best. While a strategy has too many and one too few, the cheapest chain of moves between them is made
//! (successive shortest paths: Busacker and Gowen 1961; Ahuja, Magnanti, Orlin, "Network Flows", 1993, chapter 9). Sums are integers and ties
//! go to the lower number, so the result is the optimum and always the same one. O(moves (K^3 + K log F)), F frames and K strategies.
#![allow(clippy::indexing_slicing, reason = "indexes are below the lengths of tables made here")]

use std::collections::BTreeSet;

/// Scores of one frame: nothing where it may not go.
pub(super) type Scores = Vec<Option<i64>>;

/// Where frames are, and what moving one costs.
struct State<'a> {
    scores: &'a [Scores],
    at: Vec<Option<usize>>,
    load: Vec<usize>,
    /// For each pair: what is lost by moving a frame from one to the other, least first.
    moves: Vec<Vec<BTreeSet<(i64, usize)>>>,
}

impl State<'_> {
    fn losses(&self, frame: usize, from: usize) -> impl Iterator<Item = (usize, i64)> + '_ {
        let here = self.scores[frame][from].unwrap_or(0);
        let others = self.scores[frame].iter().enumerate();
        others.filter(move |(to, _)| *to != from).filter_map(move |(to, s)| s.map(|s| (to, here - s)))
    }

    fn put(&mut self, frame: usize, at: usize) {
        let losses: Vec<_> = self.losses(frame, at).collect();
        for (to, loss) in losses {
            self.moves[at][to].insert((loss, frame));
        }
        self.at[frame] = Some(at);
        self.load[at] += 1;
    }

    fn take(&mut self, frame: usize) {
        let Some(from) = self.at[frame] else { return };
        let losses: Vec<_> = self.losses(frame, from).collect();
        for (to, loss) in losses {
            self.moves[from][to].remove(&(loss, frame));
        }
        self.at[frame] = None;
        self.load[from] -= 1;
    }

    /// The cheapest chain from a strategy with too many to one with too few.
    fn chain(&self, quotas: &[usize]) -> Option<Vec<usize>> {
        let k = quotas.len();
        let mut cost: Vec<Option<i64>> = (0..k).map(|s| (self.load[s] > quotas[s]).then_some(0)).collect();
        let mut before = vec![usize::MAX; k];
        for _ in 1..k {
            for from in 0..k {
                let Some(so_far) = cost[from] else { continue };
                for to in 0..k {
                    let Some((loss, _)) = self.moves[from][to].first() else { continue };
                    if cost[to].is_none_or(|c| so_far + loss < c) {
                        cost[to] = Some(so_far + loss);
                        before[to] = from;
                    }
                }
            }
        }
        let ends = (0..k).filter(|s| self.load[*s] < quotas[*s]);
        let end = ends.filter_map(|s| cost[s].map(|c| (c, s))).min()?.1;
        let mut chain = vec![end];
        while let Some(from) = chain.last().map(|s| before[*s]).filter(|b| *b != usize::MAX) {
            // A shortest chain visits nothing twice.
            if chain.contains(&from) {
                return None;
            }
            chain.push(from);
        }
        chain.reverse();
        (chain.len() > 1).then_some(chain)
    }
}

/// For each frame its strategy: the largest sum of scores among those that come as near to `quotas` as the frames allow. Nothing for a frame
/// that may go nowhere.
pub(super) fn assign(scores: &[Scores], quotas: &[usize]) -> Vec<Option<usize>> {
    let k = quotas.len();
    let mut state =
        State { scores, at: vec![None; scores.len()], load: vec![0; k], moves: vec![vec![BTreeSet::new(); k]; k] };
    for (frame, all) in scores.iter().enumerate() {
        let best = all.iter().enumerate().filter_map(|(s, v)| v.map(|v| (v, std::cmp::Reverse(s)))).max();
        if let Some((_, std::cmp::Reverse(s))) = best {
            state.put(frame, s);
        }
    }
    while let Some(chain) = state.chain(quotas) {
        // All moves are chosen before the first is made: they touch different frames.
        let moves: Vec<(usize, usize)> = chain
            .windows(2)
            .filter_map(|pair| state.moves[pair[0]][pair[1]].first().map(|(_, frame)| (*frame, pair[1])))
            .collect();
        for (frame, to) in moves {
            state.take(frame);
            state.put(frame, to);
        }
    }
    state.at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Best sum over all assignments with exactly these counts.
    fn brute(scores: &[Scores], quotas: &[usize]) -> Option<i64> {
        fn go(rest: &[Scores], left: &mut [usize]) -> Option<i64> {
            let Some((first, rest)) = rest.split_first() else { return Some(0) };
            let mut best = None;
            for s in 0..left.len() {
                let Some(v) = first[s] else { continue };
                if left[s] == 0 {
                    continue;
                }
                left[s] -= 1;
                best = go(rest, left).map(|b| b + v).max(best);
                left[s] += 1;
            }
            best
        }
        go(scores, &mut quotas.to_vec())
    }

    #[test]
    fn it_is_the_optimum() {
        let mut word = 1u32;
        let mut next = move || {
            word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            word >> 8
        };
        for round in 0..200 {
            let n = 4 + (round % 5);
            let scores: Vec<Scores> =
                (0..n).map(|_| (0..3).map(|_| (next() % 5 > 0).then(|| i64::from(next() % 50))).collect()).collect();
            let a = next() as usize % (n + 1);
            let b = next() as usize % (n + 1 - a);
            let quotas = [a, b, n - a - b];
            let got = assign(&scores, &quotas);
            let count = |s| got.iter().filter(|g| **g == Some(s)).count();
            if let Some(best) = brute(&scores, &quotas) {
                assert_eq!([count(0), count(1), count(2)], quotas, "{scores:?}");
                let sum: i64 = got.iter().zip(&scores).map(|(g, s)| s[g.unwrap()].unwrap()).sum();
                assert_eq!(sum, best, "{scores:?} {quotas:?}");
            }
            for (g, s) in got.iter().zip(&scores) {
                assert!(g.map_or(s.iter().all(Option::is_none), |g| s[g].is_some()));
            }
        }
    }

    #[test]
    fn what_cannot_be_reached_is_come_near() {
        // Two frames may go to 1; four are wanted there.
        let scores: Vec<Scores> = (0..6).map(|i| vec![Some(10), (i < 2).then_some(0)]).collect();
        let got = assign(&scores, &[2, 4]);
        assert_eq!(got, [Some(1), Some(1), Some(0), Some(0), Some(0), Some(0)]);
    }
}
