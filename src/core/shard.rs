//! A run in parts.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// One of several parts of a run: `index` of `count`, from 1 on. Each unit of a run belongs to exactly one of them, by its number alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

impl Shard {
    /// Part `index` of `count`.
    ///
    /// # Errors
    /// [`Error::Usage`] unless `1 <= index <= count`.
    pub fn new(index: u32, count: u32) -> Result<Self> {
        if index == 0 || index > count {
            return Err(Error::usage(format!(
                "a part must be one of 1/{count} to {count}/{count}, got {index}/{count}"
            )));
        }
        Ok(Self { index, count })
    }

    /// Its number, from 1.
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many parts there are.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Whether unit number `at`, from 0, belongs to this part.
    pub const fn has(self, at: usize) -> bool {
        at % self.count as usize + 1 == self.index as usize
    }
}

impl fmt::Display for Shard {
    /// `i/n`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    /// `i/n`, from `1/n` to `n/n`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = || Error::usage(format!("a part must be written i/n, as in 1/4, got `{text}`"));
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        Self::new(index.parse().map_err(|_| wrong())?, count.parse().map_err(|_| wrong())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_belongs_to_one_part() {
        let parts: Vec<Shard> = ["1/3", "2/3", "3/3"].iter().map(|t| t.parse().unwrap()).collect();
        for at in 0..20 {
            assert_eq!(parts.iter().filter(|p| p.has(at)).count(), 1);
        }
        assert_eq!(parts.iter().map(ToString::to_string).collect::<Vec<_>>(), ["1/3", "2/3", "3/3"]);
        for wrong in ["0/3", "4/3", "1", "1/0", "a/b", "1/3/4"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
