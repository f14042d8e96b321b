//! A cache of things that can be made again: features of a pool, probe results, thumbnails.
//!
//! An entry sits under a name (what it is) and carries a key (what it was made from, content included). Looking it up gives
//! one of five answers that the caller must tell apart; nothing is made anew silently because a file was damaged.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::commit::{Committed, commit};
use super::io::{StoreFile, StoreIo};
use super::run_key::RunKey;
use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"FLCACHE\0";
const VERSION: u32 = 1;
const MAX_KEY_BYTES: u32 = 1 << 20;

/// Answer of [`Cache::get`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// The content, whole and made from what the key says.
    Hit(Vec<u8>),
    /// There is no entry.
    Missing,
    /// There is an entry, made from something else: names of the differing fields.
    Stale(Vec<String>),
    /// The entry is damaged: what did not fit.
    Corrupt(&'static str),
    /// Not an entry that this version can read: another program's file, or a newer version's.
    Foreign,
}

/// Entries in one folder. Readers need no lock: entries are replaced atomically.
#[derive(Debug)]
pub struct Cache<'a> {
    io: &'a dyn StoreIo,
    folder: PathBuf,
}

impl<'a> Cache<'a> {
    /// A cache in `folder`, which is created when missing.
    ///
    /// # Errors
    /// [`Error::Storage`].
    pub fn open(io: &'a dyn StoreIo, folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref().to_path_buf();
        io.create_dir_all(&folder).map_err(|e| Error::storage("create the folder", &folder, e))?;
        Ok(Self { io, folder })
    }

    /// The file of an entry: its name is hashed, so that any text is a name.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(file_name(name))
    }

    /// Looks an entry up; content longer than `limit` bytes is an error before memory is taken for it.
    ///
    /// # Errors
    /// [`Error::Storage`] when the file system fails, [`Error::LimitExceeded`].
    pub fn get(&self, name: &str, key: &RunKey, limit: u64) -> Result<Lookup> {
        let path = self.path(name);
        let dir = self.io.open_dir(&self.folder).map_err(|e| Error::storage("open", &self.folder, e))?;
        let mut file = match dir.open_read(&file_name(name)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Lookup::Missing),
            Err(e) => return Err(Error::storage("open", path, e)),
        };
        match read_entry(file.as_mut(), key, limit) {
            Ok(lookup) => Ok(lookup),
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(Lookup::Corrupt("it is cut off")),
            Err(e) => Err(e.downcast::<Error>().unwrap_or_else(|e| Error::storage("read", path, e))),
        }
    }

    /// Writes or replaces an entry, atomically.
    ///
    /// # Errors
    /// [`Error::Storage`]; an older entry is then still in place.
    pub fn put(&self, name: &str, key: &RunKey, content: &[u8]) -> Result<Committed> {
        let json = serde_json::to_vec(key).map_err(|e| Error::Bug(format!("cache key: {e}")))?;
        let length = u32::try_from(json.len()).ok().filter(|n| *n <= MAX_KEY_BYTES);
        let length = length.ok_or_else(|| Error::Bug("a cache key over 1 MiB".into()))?;
        let mut head = Vec::with_capacity(json.len() + 64);
        head.extend_from_slice(&MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        head.extend_from_slice(&length.to_le_bytes());
        head.extend_from_slice(&(content.len() as u64).to_le_bytes());
        head.extend_from_slice(&json);
        let check = blake3::Hasher::new().update(&head).update(content).finalize();
        commit(self.io, self.path(name), |w| {
            w.write_all(&head)?;
            w.write_all(check.as_bytes())?;
            w.write_all(content)
        })
    }
}

fn file_name(name: &str) -> OsString {
    let hash = blake3::hash(name.as_bytes()).to_hex();
    OsString::from(format!("{}.cache", hash.get(..32).unwrap_or_default()))
}

fn read_entry(file: &mut dyn StoreFile, key: &RunKey, limit: u64) -> io::Result<Lookup> {
    let mut left = file.byte_len()?;
    let mut take = |count: u64| {
        left = left.checked_sub(count).ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut bytes = vec![0; usize::try_from(count).map_err(io::Error::other)?];
        file.read_exact(&mut bytes)?;
        io::Result::Ok(bytes)
    };
    let u32_of = |b: &[u8]| b.try_into().map_or(0, u32::from_le_bytes);
    if take(8)? != MAGIC {
        return Ok(Lookup::Foreign);
    }
    let (version, key_length, length) = (take(4)?, take(4)?, take(8)?);
    if u32_of(&version) > VERSION {
        return Ok(Lookup::Foreign);
    }
    if u32_of(&version) != VERSION || u32_of(&key_length) > MAX_KEY_BYTES {
        return Ok(Lookup::Corrupt("its header makes no sense"));
    }
    let json = take(u64::from(u32_of(&key_length)))?;
    let check = take(32)?;
    let bytes = length.as_slice().try_into().map_or(0, u64::from_le_bytes);
    if bytes > limit {
        // A damaged length field must not look like a limit that the user should raise.
        return match left.checked_sub(bytes) {
            Some(0) => Err(io::Error::other(Error::LimitExceeded {
                name: "cache_entry_bytes",
                what: "a cache entry in bytes".into(),
                value: bytes,
                limit,
            })),
            _ => Ok(Lookup::Corrupt("its length does not fit")),
        };
    }
    let content = take(bytes)?;
    if left != 0 {
        return Ok(Lookup::Corrupt("its length does not fit"));
    }
    let found = blake3::Hasher::new()
        .update(&MAGIC)
        .update(&version)
        .update(&key_length)
        .update(&length)
        .update(&json)
        .update(&content)
        .finalize();
    if check != found.as_bytes() {
        return Ok(Lookup::Corrupt("its checksum does not fit"));
    }
    match serde_json::from_slice::<RunKey>(&json) {
        Err(_) => Ok(Lookup::Corrupt("its key cannot be read")),
        Ok(made_from) if made_from != *key => Ok(Lookup::Stale(made_from.diff(key))),
        Ok(_) => Ok(Lookup::Hit(content)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OsIo;
    use crate::store::crash_fs::{CrashFs, Fault};

    fn key(pool: &str) -> RunKey {
        RunKey::builder().field("pool", pool).field("kernel", "k1").finish().unwrap()
    }

    #[test]
    fn the_five_answers() {
        let disk = CrashFs::new(Fault::None);
        let cache = Cache::open(&disk, "/a/b").unwrap();
        let get = |key: &RunKey| cache.get("features", key, 1 << 20).unwrap();
        assert_eq!(get(&key("p1")), Lookup::Missing);
        cache.put("features", &key("p1"), b"content").unwrap();
        assert_eq!(get(&key("p1")), Lookup::Hit(b"content".to_vec()));
        assert_eq!(get(&key("p2")), Lookup::Stale(vec!["pool".into()]));
        let path = cache.path("features");
        let good = disk.files()[&path].clone();
        let put = |bytes: &[u8]| commit(&disk, &path, |w| w.write_all(bytes)).unwrap();
        for at in 0..good.len() {
            put(&good[..at]);
            assert!(matches!(get(&key("p1")), Lookup::Corrupt(_)), "cut at {at}");
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                put(&bad);
                assert!(matches!(get(&key("p1")), Lookup::Corrupt(_) | Lookup::Foreign), "flip at {at}");
            }
        }
        put(b"something else altogether");
        assert_eq!(get(&key("p1")), Lookup::Foreign);
    }

    #[test]
    fn a_limit_is_seen_before_memory_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(&OsIo, dir.path()).unwrap();
        cache.put("x", &key("p"), &[1; 100]).unwrap();
        assert!(matches!(cache.get("x", &key("p"), 99), Err(Error::LimitExceeded { value: 100, limit: 99, .. })));
        assert!(matches!(cache.get("x", &key("p"), 100), Ok(Lookup::Hit(_))));
    }
}
