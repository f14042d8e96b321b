//! Rows that were computed but are not part of an index yet: what a killed build keeps.
//!
//! Each file holds the rows of some pictures under the hashes of their contents. It names the key of the descriptor, and the hash of all of
//! it, so that it proves itself: a file of another key, or a damaged one, counts for nothing. All go when the index is committed.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::store::{Hash, StoreDir, StoreIo, commit};

const MAGIC: [u8; 8] = *b"FLFRESH1";
const HEAD: usize = 8 + 32 + 8;

/// Computed rows by content.
#[derive(Debug)]
pub(super) struct Fresh {
    folder: PathBuf,
    key: Hash,
    dim: usize,
    places: HashMap<Hash, usize>,
    rows: Vec<f32>,
    /// Rows from here on are not durable yet.
    saved: usize,
    waiting: Vec<Hash>,
    next: u64,
}

impl Fresh {
    /// Takes what earlier, unfinished builds left in `folder` under the same key; the rest is removed.
    pub(super) fn open(io: &dyn StoreIo, folder: &Path, key: Hash, dim: usize) -> Result<Self> {
        io.create_dir_all(folder).map_err(|e| Error::storage("create the folder", folder, e))?;
        let dir = io.open_dir(folder).map_err(|e| Error::storage("open", folder, e))?;
        let mut this = Self {
            folder: folder.to_path_buf(),
            key,
            dim,
            places: HashMap::new(),
            rows: Vec::new(),
            saved: 0,
            waiting: Vec::new(),
            next: 0,
        };
        for name in names(dir.as_ref(), folder)? {
            let bytes = read(dir.as_ref(), &name).map_err(|e| Error::storage("read", folder.join(&name), e))?;
            if this.take(&bytes).is_none() {
                dir.remove(&name).map_err(|e| Error::storage("remove", folder.join(&name), e))?;
            }
            let number = name.to_str().and_then(|n| n.strip_suffix(".rows")?.parse::<u64>().ok());
            this.next = this.next.max(number.map_or(0, |n| n + 1));
        }
        this.saved = this.places.len();
        Ok(this)
    }

    fn take(&mut self, bytes: &[u8]) -> Option<()> {
        let (content, check) = bytes.split_last_chunk::<32>()?;
        if blake3::hash(content) != Hash::from_bytes(*check) {
            return None;
        }
        let (head, body) = content.split_at_checked(HEAD)?;
        let (magic, rest) = head.split_first_chunk::<8>()?;
        let (key, counts) = rest.split_first_chunk::<32>()?;
        let (dim, count) = counts.split_first_chunk::<4>()?;
        let count = u32::from_le_bytes(count.try_into().ok()?) as usize;
        if *magic != MAGIC || *key != *self.key.as_bytes() || u32::from_le_bytes(*dim) as usize != self.dim {
            return None;
        }
        let (hashes, rows) = body.split_at_checked(count.checked_mul(32)?)?;
        if rows.len() != count * self.dim * 4 {
            return None;
        }
        for (hash, row) in hashes.as_chunks::<32>().0.iter().zip(rows.chunks_exact(self.dim * 4)) {
            self.insert(Hash::from_bytes(*hash), row.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)));
        }
        Some(())
    }

    fn insert(&mut self, hash: Hash, row: impl Iterator<Item = f32>) -> bool {
        if self.places.contains_key(&hash) {
            return false;
        }
        self.places.insert(hash, self.places.len());
        self.rows.extend(row);
        true
    }

    /// Takes the files that an unfinished build left in `from`; those of another key, and damaged ones, count for nothing. Gives the number of rows
    /// that are new.
    pub(super) fn adopt(&mut self, io: &dyn StoreIo, from: &Path) -> Result<usize> {
        let dir = io.open_dir(from).map_err(|e| Error::storage("open", from, e))?;
        let before = self.places.len();
        let mut all = names(dir.as_ref(), from)?;
        all.sort();
        for name in all {
            let bytes = read(dir.as_ref(), &name).map_err(|e| Error::storage("read", from.join(&name), e))?;
            let known = self.places.len();
            let _ = self.take(&bytes);
            let mut new: Vec<(usize, Hash)> =
                self.places.iter().filter(|(_, at)| **at >= known).map(|(hash, at)| (*at, *hash)).collect();
            new.sort_by_key(|(at, _)| *at);
            self.waiting.extend(new.into_iter().map(|(_, hash)| hash));
            self.save(io)?;
        }
        Ok(self.places.len() - before)
    }

    /// The row of a content.
    pub(super) fn get(&self, hash: &Hash) -> Option<&[f32]> {
        let at = self.places.get(hash)? * self.dim;
        self.rows.get(at..at + self.dim)
    }

    /// Contents that have a row.
    pub(super) fn hashes(&self) -> impl Iterator<Item = Hash> + '_ {
        self.places.keys().copied()
    }

    /// Number of rows.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Adds a row; [`Self::save`] makes it durable.
    pub(super) fn add(&mut self, hash: Hash, row: &[f32]) {
        if self.insert(hash, row.iter().copied()) {
            self.waiting.push(hash);
        }
    }

    /// Rows that are not durable yet.
    pub(super) fn unsaved(&self) -> usize {
        self.waiting.len()
    }

    /// Writes what is not durable yet.
    pub(super) fn save(&mut self, io: &dyn StoreIo) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::with_capacity(HEAD + self.waiting.len() * (32 + self.dim * 4) + 32);
        bytes.extend(MAGIC);
        bytes.extend(self.key.as_bytes());
        bytes.extend((self.dim as u32).to_le_bytes());
        bytes.extend((self.waiting.len() as u32).to_le_bytes());
        self.waiting.iter().for_each(|hash| bytes.extend(hash.as_bytes()));
        let rows = self.rows.get(self.saved * self.dim..).unwrap_or_default();
        bytes.extend(rows.iter().flat_map(|v| v.to_le_bytes()));
        let check = blake3::hash(&bytes);
        bytes.extend(check.as_bytes());
        commit(io, self.folder.join(format!("{:08}.rows", self.next)), |w| w.write_all(&bytes))?;
        self.next += 1;
        self.saved = self.places.len();
        self.waiting.clear();
        Ok(())
    }

    /// Removes the files: their rows are part of an index now.
    pub(super) fn clear(self, io: &dyn StoreIo) -> Result<()> {
        let dir = io.open_dir(&self.folder).map_err(|e| Error::storage("open", &self.folder, e))?;
        for name in names(dir.as_ref(), &self.folder)? {
            dir.remove(&name).map_err(|e| Error::storage("remove", self.folder.join(&name), e))?;
        }
        Ok(())
    }
}

fn names(dir: &dyn StoreDir, folder: &Path) -> Result<Vec<OsString>> {
    dir.list().map_err(|e| Error::storage("list", folder, e))
}

fn read(dir: &dyn StoreDir, name: &OsString) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    dir.open_read(name)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that they read")]
mod tests {
    use super::*;
    use crate::store::OsIo;

    #[test]
    fn rows_outlive_a_build_and_prove_themselves() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("fresh");
        let open = |key: &str, dim| Fresh::open(&OsIo, &folder, blake3::hash(key.as_bytes()), dim).unwrap();
        let hash = |n: u8| blake3::hash(&[n]);
        let mut fresh = open("a", 3);
        for n in 0..5 {
            fresh.add(hash(n), &[f32::from(n), 1.0, -2.0]);
            if n == 2 {
                fresh.save(&OsIo).unwrap();
            }
        }
        // Twice is once.
        fresh.add(hash(4), &[9.0; 3]);
        assert_eq!((fresh.len(), fresh.unsaved()), (5, 2));
        fresh.save(&OsIo).unwrap();
        let again = open("a", 3);
        assert_eq!((again.len(), again.get(&hash(4)), again.get(&hash(5))), (5, Some(&[4.0, 1.0, -2.0][..]), None));
        // Another folder takes them over, once.
        let mut other = Fresh::open(&OsIo, &dir.path().join("other"), blake3::hash(b"a"), 3).unwrap();
        assert_eq!((other.adopt(&OsIo, &folder).unwrap(), other.adopt(&OsIo, &folder).unwrap()), (5, 0));
        let other = Fresh::open(&OsIo, &dir.path().join("other"), blake3::hash(b"a"), 3).unwrap();
        assert_eq!((other.len(), other.get(&hash(3))), (5, Some(&[3.0, 1.0, -2.0][..])));
        // A damaged file counts for nothing, and the others stay.
        let damaged = folder.join("00000000.rows");
        let mut bytes = std::fs::read(&damaged).unwrap();
        bytes[60] ^= 1;
        std::fs::write(&damaged, bytes).unwrap();
        assert_eq!((open("a", 3).len(), damaged.exists()), (2, false));
        // Nor does one of another descriptor.
        assert_eq!(open("b", 3).len(), 0);
        assert_eq!(open("a", 3).len(), 0);
        let mut fresh = open("a", 2);
        fresh.add(hash(1), &[1.0, 2.0]);
        fresh.save(&OsIo).unwrap();
        fresh.clear(&OsIo).unwrap();
        assert_eq!(open("a", 2).len(), 0);
    }
}
