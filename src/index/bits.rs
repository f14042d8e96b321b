//! A set of row numbers: one bit a row, whatever is in it.

/// A set of ids below a fixed number, `ceil(n / 8)` bytes: pictures that were used, rows that were removed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BitSet {
    words: Vec<u64>,
    capacity: u32,
    count: u32,
}

impl BitSet {
    /// The empty set of ids below `capacity`.
    pub fn new(capacity: u32) -> Self {
        Self { words: vec![0; (capacity as usize).div_ceil(64)], capacity, count: 0 }
    }

    /// Ids that can be in it are below this.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Ids that are in it.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether `id` is in it; false for ids that cannot be.
    pub fn contains(&self, id: u32) -> bool {
        self.words.get(id as usize / 64).is_some_and(|w| w >> (id % 64) & 1 == 1)
    }

    /// Puts `id` in: true when it was not there. Ids from the capacity on are left out: false.
    pub fn insert(&mut self, id: u32) -> bool {
        if id >= self.capacity {
            return false;
        }
        let Some(word) = self.words.get_mut(id as usize / 64) else { return false };
        let new = *word >> (id % 64) & 1 == 0;
        *word |= 1 << (id % 64);
        self.count += u32::from(new);
        new
    }

    /// Takes `id` out: true when it was there.
    pub fn remove(&mut self, id: u32) -> bool {
        let Some(word) = self.words.get_mut(id as usize / 64) else { return false };
        let was = *word >> (id % 64) & 1 == 1;
        *word &= !(1 << (id % 64));
        self.count -= u32::from(was);
        was
    }

    /// Takes everything out.
    pub fn clear(&mut self) {
        self.words.fill(0);
        self.count = 0;
    }

    /// The ids in it, rising.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..)
            .zip(&self.words)
            .flat_map(|(at, word)| (0..64).filter(move |b| word >> b & 1 == 1).map(move |b| at * 64 + b))
    }
}

impl Extend<u32> for BitSet {
    fn extend<T: IntoIterator<Item = u32>>(&mut self, ids: T) {
        for id in ids {
            self.insert(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_is_counted_once() {
        let mut set = BitSet::new(130);
        assert!(set.insert(0) && set.insert(129) && set.insert(64) && !set.insert(64) && !set.insert(130));
        assert_eq!((set.len(), set.iter().collect::<Vec<_>>()), (3, vec![0, 64, 129]));
        assert!(set.contains(129) && !set.contains(128) && !set.contains(1000));
        assert!(set.remove(64) && !set.remove(64) && !set.remove(5000));
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 129]);
        set.clear();
        assert!(set.is_empty() && set.iter().next().is_none());
        set.extend([7, 7, 8, 999]);
        assert_eq!(set.len(), 2);
    }
}
