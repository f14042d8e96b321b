//! Which pictures may be used now.

use std::collections::VecDeque;

use super::SelectParams;

/// A set of picture ids, one bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdSet {
    words: Vec<u64>,
    len: u32,
}

impl IdSet {
    /// The empty set of ids below `pool`.
    pub fn new(pool: u32) -> Self {
        Self { words: vec![0; (pool as usize).div_ceil(64)], len: 0 }
    }

    /// Whether `id` is in the set.
    pub fn contains(&self, id: u32) -> bool {
        self.words.get(id as usize / 64).is_some_and(|w| w >> (id % 64) & 1 == 1)
    }

    /// How many are in the set.
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ids in the set, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let bits = |(word, at): (u64, u32)| (0..64).filter(move |b| word >> b & 1 == 1).map(move |b| at * 64 + b);
        self.words.iter().copied().zip(0u32..).flat_map(bits)
    }

    /// The `n`-th id, from 0, that is in the pool of `pool` pictures and not in the set.
    pub(super) fn absent(&self, n: u32, pool: u32) -> Option<u32> {
        (0..pool).filter(|id| !self.contains(*id)).nth(n as usize)
    }

    /// Puts `id` in or takes it out. Ids outside the pool are ignored.
    pub(super) fn set(&mut self, id: u32, inside: bool) {
        let was = self.contains(id);
        if let Some(word) = self.words.get_mut(id as usize / 64)
            && was != inside
        {
            *word ^= 1 << (id % 64);
            self.len = if inside { self.len + 1 } else { self.len - 1 };
        }
    }

    pub(super) fn insert_all(&mut self, ids: impl Iterator<Item = u32>) {
        ids.for_each(|id| self.set(id, true));
    }
}

/// Whether `seconds` are enough; to the microsecond, because times of frames are rounded.
pub(super) fn rested(seconds: f64, cooldown: f64) -> bool {
    seconds >= cooldown - 1e-6
}

/// Uses so far, and who may not be used now.
#[derive(Debug)]
pub(super) struct Ledger {
    max_uses: Option<u32>,
    cooldown: f64,
    pool: u32,
    blocked: IdSet,
    /// Uses in this round; kept only where more than one is allowed.
    uses: Vec<u32>,
    /// Pictures whose uses are spent in this round.
    spent: IdSet,
    resting: VecDeque<(f64, u32)>,
    /// Whether limits were lifted since the last picture was taken.
    lifted: bool,
    /// Rounds in which all uses were spent.
    rounds: u32,
}

impl Ledger {
    pub(super) fn new(pool: u32, params: &SelectParams) -> Self {
        let counted = params.max_uses.is_some_and(|n| n > 1);
        Self {
            max_uses: params.max_uses,
            cooldown: params.cooldown,
            pool,
            blocked: IdSet::new(pool),
            uses: vec![0; if counted { pool as usize } else { 0 }],
            spent: IdSet::new(if params.max_uses.is_some() { pool } else { 0 }),
            resting: VecDeque::new(),
            lifted: false,
            rounds: 0,
        }
    }

    /// Ends the rests that are over at `seconds`.
    pub(super) fn advance(&mut self, seconds: f64) {
        while let Some((since, id)) = self.resting.front().copied()
            && rested(seconds - since, self.cooldown)
        {
            self.resting.pop_front();
            self.blocked.set(id, self.spent.contains(id));
        }
    }

    pub(super) fn blocked(&self) -> &IdSet {
        &self.blocked
    }

    /// Counts a use. True if limits had to be lifted for it.
    pub(super) fn take(&mut self, id: u32, seconds: f64) -> bool {
        if let Some(most) = self.max_uses {
            let uses = self.uses.get_mut(id as usize).map_or(1, |n| {
                *n += 1;
                *n
            });
            if uses >= most {
                self.spent.set(id, true);
                self.blocked.set(id, true);
            }
        }
        if self.cooldown > 0.0 {
            self.resting.push_back((seconds, id));
            self.blocked.set(id, true);
        }
        std::mem::take(&mut self.lifted) || self.rounds > 0
    }

    /// Lifts one limit where all pictures are blocked. False where there is none to lift.
    pub(super) fn lift(&mut self) -> bool {
        if self.blocked.len() < self.pool {
            return false;
        }
        if self.spent.len() == self.pool && self.pool > 0 {
            self.rounds += 1;
            self.uses.fill(0);
            self.spent = IdSet::new(self.pool);
            self.blocked = IdSet::new(self.pool);
            self.blocked.insert_all(self.resting.iter().map(|(_, id)| *id));
        } else {
            // The one that rested longest of those whose uses are not spent.
            let Some(at) = self.resting.iter().position(|(_, id)| !self.spent.contains(*id)) else { return false };
            if let Some((_, id)) = self.resting.remove(at) {
                self.blocked.set(id, false);
            }
        }
        self.lifted = true;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_counts_and_lists_its_ids() {
        let mut set = IdSet::new(130);
        for (id, inside) in [(129, true), (0, true), (64, true), (64, true), (0, false), (200, true)] {
            set.set(id, inside);
        }
        assert_eq!((set.len(), set.iter().collect::<Vec<_>>()), (2, vec![64, 129]));
        assert!(set.contains(129) && !set.contains(0) && !set.contains(200) && !set.is_empty());
    }

    #[test]
    fn a_picture_rests_and_is_spent() {
        let params = SelectParams { max_uses: Some(2), cooldown: 1.0, ..SelectParams::default() };
        let mut l = Ledger::new(2, &params);
        assert!(!l.take(0, 0.0));
        assert!(l.blocked().contains(0) && !l.lift());
        l.advance(0.99);
        assert!(l.blocked().contains(0));
        l.advance(1.0);
        assert!(!l.blocked().contains(0));
        assert!(!l.take(0, 1.0));
        l.advance(9.0);
        assert!(l.blocked().contains(0), "both uses are spent");
        assert!(!l.take(1, 9.0));
        // All are blocked: 0 is spent, 1 rests with a use left.
        assert!(l.lift());
        assert!(!l.blocked().contains(1) && l.blocked().contains(0));
        assert!(l.take(1, 9.1));
        // Both are spent: a new round, but 1 still rests.
        assert!(l.lift());
        assert!(!l.blocked().contains(0) && l.blocked().contains(1));
    }
}
