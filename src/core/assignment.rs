//! Exact assignment over a sparse graph: frames to pictures, tracks to detections.
//!
//! Below, a *frame* is who wants and a *picture* what is wanted; any two kinds of things may stand for them. Successive shortest paths:
//! frames enter one after the other, each by the cheapest chain of exchanges, found with Dijkstra's algorithm on costs made non-negative by prices (Jonker and Volgenant, "A Shortest Augmenting Path Algorithm for Dense and Sparse Linear
//! Assignment Problems", Computing 38, 1987), extended to pictures with several places and to frames that stay without. Sums are
//! integers, so the result is the exact optimum. Time O(F E log E) at worst, F frames and E candidates, and far less where frames of
//! different scenes want different pictures; memory O(E).
#![allow(clippy::indexing_slicing, reason = "indexes come from the graph's own tables, which `push` checks")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Who wants what: for each frame pictures with weights of at least 0.
#[derive(Debug)]
pub struct Graph {
    pictures: usize,
    /// Where the edges of each frame begin, and where the last ones end.
    starts: Vec<usize>,
    edges: Vec<(u32, i64)>,
}

impl Graph {
    /// A graph without frames over `pictures` pictures, fewer than 2^32 - 1.
    pub fn new(pictures: usize) -> Self {
        Self { pictures, starts: vec![0], edges: Vec::new() }
    }

    /// Adds a frame with its pictures, distinct numbers below the graph's, and weights. Others are left out, negative weights are 0.
    pub fn push(&mut self, edges: impl Iterator<Item = (u32, i64)>) {
        let known = edges.filter(|(p, _)| (*p as usize) < self.pictures).map(|(p, w)| (p, w.max(0)));
        self.edges.extend(known);
        self.starts.push(self.edges.len());
    }

    fn frames(&self) -> usize {
        self.starts.len() - 1
    }
}

const NONE: u32 = u32::MAX;

/// The assignment of largest weight in which no picture serves more than `capacity` frames: for each frame which of its edges is
/// taken, counted from its first.
pub fn assign(graph: &Graph, capacity: u32) -> Vec<Option<usize>> {
    let mut search = Search {
        graph,
        capacity: capacity as usize,
        gains: vec![0; graph.frames()],
        prices: vec![0; graph.pictures],
        taken: vec![NONE; graph.frames()],
        owners: vec![Vec::new(); graph.pictures],
        reached: vec![Reached { round: 0, closed: false, distance: 0, by: NONE }; graph.pictures],
        heap: BinaryHeap::new(),
        scanned: Vec::new(),
        closed: Vec::new(),
    };
    if capacity > 0 {
        (0..graph.frames()).for_each(|frame| search.enter(frame));
    }
    let place = |frame: usize, picture: u32| {
        graph.edges[graph.starts[frame]..graph.starts[frame + 1]].iter().position(|(p, _)| *p == picture)
    };
    search.taken.iter().enumerate().map(|(frame, picture)| place(frame, *picture)).collect()
}

#[derive(Clone, Copy)]
struct Reached {
    /// Frame + 1 of the search that the rest belongs to.
    round: u32,
    closed: bool,
    distance: i64,
    /// The frame it was reached from.
    by: u32,
}

/// Holds between searches: `gain + price >= weight` for all edges, with equality for those taken; prices are 0 while a place is free,
/// gains are 0 without a picture. That proves the optimum.
struct Search<'a> {
    graph: &'a Graph,
    capacity: usize,
    gains: Vec<i64>,
    prices: Vec<i64>,
    taken: Vec<u32>,
    owners: Vec<Vec<u32>>,
    reached: Vec<Reached>,
    heap: BinaryHeap<Reverse<(i64, u32)>>,
    /// Frames and pictures whose distance is settled.
    scanned: Vec<(u32, i64)>,
    closed: Vec<(u32, i64)>,
}

impl Search<'_> {
    fn enter(&mut self, root: usize) {
        let round = root as u32 + 1;
        let edges = &self.graph.edges[self.graph.starts[root]..self.graph.starts[root + 1]];
        let gain = edges.iter().map(|(p, w)| w - self.prices[*p as usize]).max().unwrap_or(0).max(0);
        self.gains[root] = gain;
        self.heap.clear();
        self.scanned.clear();
        self.closed.clear();
        // The cheapest way that leaves a frame without a picture: (cost, frame).
        let mut without = (i64::MAX, NONE);
        self.scan(root as u32, 0, round, &mut without);
        let mut end = NONE;
        while let Some(Reverse((distance, picture))) = self.heap.pop() {
            if distance > without.0 {
                break;
            }
            let at = &mut self.reached[picture as usize];
            if at.closed || distance > at.distance {
                continue;
            }
            if self.owners[picture as usize].len() < self.capacity {
                end = picture;
                break;
            }
            at.closed = true;
            self.closed.push((picture, distance));
            for slot in 0..self.owners[picture as usize].len() {
                self.scan(self.owners[picture as usize][slot], distance, round, &mut without);
            }
        }
        let length = if end == NONE { without.0 } else { self.reached[end as usize].distance };
        for (frame, distance) in &self.scanned {
            self.gains[*frame as usize] -= (length - distance).max(0);
        }
        for (picture, distance) in &self.closed {
            self.prices[*picture as usize] += (length - distance).max(0);
        }
        if end == NONE {
            let left = without.1;
            end = std::mem::replace(&mut self.taken[left as usize], NONE);
            if end == NONE {
                return;
            }
            self.owners[end as usize].retain(|f| *f != left);
        }
        // Hands pictures on along the chain, back to the frame that enters.
        while end != NONE {
            let frame = self.reached[end as usize].by;
            let before = std::mem::replace(&mut self.taken[frame as usize], end);
            self.owners[end as usize].push(frame);
            if before != NONE {
                self.owners[before as usize].retain(|f| *f != frame);
            }
            end = before;
        }
    }

    /// Settles `frame` at `distance` and offers ways to its pictures.
    fn scan(&mut self, frame: u32, distance: i64, round: u32, without: &mut (i64, u32)) {
        let (f, gain) = (frame as usize, self.gains[frame as usize]);
        self.scanned.push((frame, distance));
        if distance + gain < without.0 {
            *without = (distance + gain, frame);
        }
        for (picture, weight) in &self.graph.edges[self.graph.starts[f]..self.graph.starts[f + 1]] {
            let way = distance + gain + self.prices[*picture as usize] - weight;
            let at = &mut self.reached[*picture as usize];
            if way <= without.0 && (at.round != round || way < at.distance) {
                *at = Reached { round, closed: false, distance: way, by: frame };
                self.heap.push(Reverse((way, *picture)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weight(lists: &[Vec<(u32, i64)>], taken: &[Option<usize>]) -> i64 {
        lists.iter().zip(taken).filter_map(|(list, at)| at.map(|at| list[at].1)).sum()
    }

    /// The largest weight of all assignments.
    fn best(lists: &[Vec<(u32, i64)>], left: &mut [u32]) -> i64 {
        let Some((first, rest)) = lists.split_first() else { return 0 };
        let mut most = best(rest, left);
        for (picture, w) in first {
            if left[*picture as usize] > 0 {
                left[*picture as usize] -= 1;
                most = most.max(w + best(rest, left));
                left[*picture as usize] += 1;
            }
        }
        most
    }

    fn graph(pictures: usize, lists: &[Vec<(u32, i64)>]) -> Graph {
        let mut graph = Graph::new(pictures);
        lists.iter().for_each(|l| graph.push(l.iter().copied()));
        graph
    }

    #[test]
    fn a_chain_of_exchanges() {
        // Each frame must hand its picture on for the last to get one.
        let lists = [vec![(0, 10), (1, 9)], vec![(1, 10), (2, 9)], vec![(2, 10), (3, 8)], vec![(0, 8)]];
        let taken = assign(&graph(4, &lists), 1);
        assert_eq!((taken.clone(), weight(&lists, &taken)), (vec![Some(1), Some(1), Some(1), Some(0)], 34));
        assert_eq!(assign(&graph(4, &lists), 2), [Some(0); 4]);
        assert_eq!(assign(&graph(4, &lists), 0), [None; 4]);
        // The weaker one goes without.
        let lists = [vec![(0, 3)], vec![(0, 5)], vec![]];
        assert_eq!(assign(&graph(1, &lists), 1), [None, Some(0), None]);
    }

    fn lists() -> impl Strategy<Value = (usize, Vec<Vec<(u32, i64)>>)> {
        (1usize..6).prop_flat_map(|pictures| {
            let list = proptest::collection::btree_map(0..pictures as u32, 0i64..12, 0..=pictures);
            let list = list.prop_map(|m| m.into_iter().collect::<Vec<_>>());
            (Just(pictures), proptest::collection::vec(list, 0..7))
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]
        #[test]
        fn the_weight_is_that_of_the_best_of_all((pictures, lists) in lists(), capacity in 1u32..4) {
            let taken = assign(&graph(pictures, &lists), capacity);
            let mut uses = vec![0; pictures];
            for (list, at) in lists.iter().zip(&taken) {
                at.iter().for_each(|at| uses[list[*at].0 as usize] += 1);
            }
            prop_assert!(uses.iter().all(|n| *n <= capacity));
            prop_assert_eq!(weight(&lists, &taken), best(&lists, &mut vec![capacity; pictures]));
        }
    }
}
