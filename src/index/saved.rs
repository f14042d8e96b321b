//! Indexes that took long to build, in files.
//!
//! ```text
//! 8 bytes   `FLINDEX\0`
//! payload   FAISS's own file
//! text      three lines: what FAISS built, versions of FAISS and of our building, hash of the rows' content
//! tail      80 bytes: u64 bytes of the payload, u32 bytes of the text, u32 version, BLAKE3 of the payload, BLAKE3 of all that is not payload
//! ```
//! FAISS 1.12 trusts what it reads. So it is handed the payload only when its hash is right, and never a path.

use std::path::Path;

use super::{IndexOptions, IndexSpec, ResolvedSpec, Rows, VectorIndex, build_index};
use crate::error::Result;
use crate::store::StoreIo;

#[cfg(feature = "faiss")]
pub use kept::{SavedIndex, WrittenIndex, load_index, save_index};

/// Where an index came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexOrigin {
    /// Built in about the time that reading would take: no file is kept.
    Immediate,
    /// Read from its file.
    Loaded,
    /// Built, and its file written.
    Built {
        /// What was wrong with the file there was: worth telling, unless there was none.
        reason: String,
    },
}

/// The index that `spec` names over `rows`: from the file `path` if that holds it, else built and written there. `flat`, `flat-gpu`, `sqfp16` and `host` need
/// no file. How many lists are searched, and `ef`, may differ from those of the file.
///
/// # Errors
/// As [`build_index`]; [`crate::Error::Index`] `foreign` when `path` is a file of somebody else, which stays; [`crate::Error::Storage`].
pub fn open_index(
    io: &dyn StoreIo,
    path: impl AsRef<Path>,
    spec: &IndexSpec,
    rows: &Rows,
    options: &IndexOptions<'_>,
) -> Result<(Box<dyn VectorIndex>, IndexOrigin)> {
    let resolved = spec.resolve(rows.len(), rows.dim(), options.hardware_gpu())?;
    match &resolved {
        ResolvedSpec::Host | ResolvedSpec::Flat | ResolvedSpec::Gpu { .. } | ResolvedSpec::SqFp16 => {
            Ok((build_index(&resolved.into(), rows, options)?, IndexOrigin::Immediate))
        }
        #[cfg(feature = "faiss")]
        _ => kept::open(io, path.as_ref(), resolved, rows, options),
        #[cfg(not(feature = "faiss"))]
        _ => {
            let _ = (io, path);
            Ok((build_index(&resolved.into(), rows, options)?, IndexOrigin::Immediate))
        }
    }
}

#[cfg(feature = "faiss")]
mod kept {
    use std::fs::File;
    use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
    use std::os::unix::fs::FileExt;
    use std::path::{Path, PathBuf};

    use super::super::engine::{BUILDING, FAISS_VERSION, description};
    use super::super::mapping;
    use super::super::{FaissIndex, IndexOptions, ResolvedSpec, Rows, VectorIndex, stream};
    use super::IndexOrigin;
    use crate::error::{Error, Result};
    use crate::store::{Hash, Staged, StoreIo};

    const MAGIC: &[u8; 8] = b"FLINDEX\0";
    const VERSION: u32 = 1;
    const TAIL: u64 = 80;
    const MOST_TEXT: u32 = 4096;

    /// A file of an index that was committed.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct WrittenIndex {
        /// Path as given.
        pub path: PathBuf,
        /// Bytes of the file.
        pub bytes: u64,
        /// What [`load_index`] takes to make sure that it is this file.
        pub check: Hash,
        /// BLAKE3 of the file, for a journal.
        pub file: Hash,
    }

    /// Answer of [`load_index`].
    #[derive(Debug)]
    pub enum SavedIndex {
        /// The index.
        Found(FaissIndex),
        /// There is no file.
        Missing,
        /// The file holds another index: what differs.
        Stale(Vec<&'static str>),
        /// The file is damaged: what did not fit.
        Corrupt(String),
        /// Not a file that this version can read: another program's, or a newer version's.
        Foreign,
    }

    /// What a file says about itself: what FAISS built, how, from what.
    fn text(spec: &ResolvedSpec, rows: &Rows) -> String {
        let (built, _) = description(spec);
        format!("{built}\nFAISS {FAISS_VERSION}, building {BUILDING}\n{}\n", rows.content_hash())
    }

    /// Writes `index` to `path`, atomically.
    ///
    /// # Errors
    /// [`Error::Index`] when FAISS cannot write this kind; [`Error::Storage`].
    pub fn save_index(io: &dyn StoreIo, path: impl AsRef<Path>, index: &FaissIndex) -> Result<WrittenIndex> {
        let path = path.as_ref();
        let text = text(index.spec(), index.rows());
        let mut staged = Staged::create(io, path)?;
        let failed = |e| Error::storage("write", path, e);
        staged.write_all(MAGIC).map_err(failed)?;
        let mut payload = Hashing { to: staged, hasher: blake3::Hasher::new(), bytes: 0, failed: None };
        let written = index.write(&mut payload);
        if let Some(e) = payload.failed.take() {
            return Err(payload.to.abandon(e));
        }
        written?;
        let Hashing { to: mut staged, hasher, bytes, .. } = payload;
        let mut rest = text.clone().into_bytes();
        rest.extend_from_slice(&bytes.to_le_bytes());
        rest.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_le_bytes());
        rest.extend_from_slice(&VERSION.to_le_bytes());
        rest.extend_from_slice(hasher.finalize().as_bytes());
        let check = blake3::Hasher::new().update(MAGIC).update(&rest).finalize();
        rest.extend_from_slice(check.as_bytes());
        staged.write_all(&rest).map_err(failed)?;
        let done = staged.commit()?;
        Ok(WrittenIndex { path: path.to_path_buf(), bytes: done.bytes, check, file: done.blake3 })
    }

    /// The index of `spec` over `rows` from the file `path`, if that is what it holds, and `expected` is its check, if given.
    ///
    /// # Errors
    /// [`Error::Storage`] when the file system fails; [`Error::Index`] `corrupt` when the rows' file is damaged; [`Error::Usage`] for a
    /// search parameter that FAISS refuses.
    pub fn load_index(
        path: impl AsRef<Path>,
        spec: &ResolvedSpec,
        rows: &Rows,
        expected: Option<&Hash>,
        options: &IndexOptions<'_>,
    ) -> Result<SavedIndex> {
        let path = path.as_ref();
        let storage = |e| Error::storage("read", path, e);
        let file = match mapping::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(SavedIndex::Missing),
            other => other.map_err(storage)?,
        };
        let (text_found, payload, hash) = match read_ends(&file, expected).map_err(storage)? {
            Ends::Whole { text, payload, hash } => (text, payload, hash),
            Ends::Not(answer) => return Ok(answer),
        };
        let wanted = text(spec, rows);
        let differs = ["kind", "version", "rows"].into_iter().zip(text_found.lines().zip(wanted.lines()));
        let differs: Vec<_> = differs.filter(|(_, (a, b))| a != b).map(|(name, _)| name).collect();
        if !differs.is_empty() {
            return Ok(SavedIndex::Stale(differs));
        }
        let mut file = file;
        let from_start = |file: &mut File| file.seek(SeekFrom::Start(MAGIC.len() as u64)).map_err(storage);
        from_start(&mut file)?;
        let mut hasher = blake3::Hasher::new();
        if let Err(e) = io::copy(&mut (&file).take(payload), &mut hasher) {
            return Err(storage(e));
        }
        if hasher.finalize() != hash {
            return Ok(SavedIndex::Corrupt("its content does not fit its checksum".into()));
        }
        rows.verify()?;
        from_start(&mut file)?;
        let mut reader = BufReader::with_capacity(1 << 16, file.take(payload));
        let index = stream::read(&mut reader)
            .map_err(|e| Error::Index { cause: "invalid", message: format!("FAISS: reading: {e}") })?;
        Ok(SavedIndex::Found(FaissIndex::over(index, spec.clone(), rows, options.threads())?))
    }

    enum Ends {
        Whole { text: String, payload: u64, hash: [u8; 32] },
        Not(SavedIndex),
    }

    /// Reads and checks all but the payload.
    fn read_ends(file: &File, expected: Option<&Hash>) -> io::Result<Ends> {
        let length = file.metadata()?.len();
        let mut magic = [0u8; 8];
        let seen = (length as usize).min(8);
        file.read_exact_at(magic.get_mut(..seen).unwrap_or_default(), 0)?;
        if !MAGIC.starts_with(magic.get(..seen).unwrap_or_default()) {
            return Ok(Ends::Not(SavedIndex::Foreign));
        }
        let corrupt = |what: &str| Ok(Ends::Not(SavedIndex::Corrupt(what.into())));
        let Some(tail_at) = length.checked_sub(TAIL).filter(|at| *at >= MAGIC.len() as u64) else {
            return corrupt("it is cut off");
        };
        let mut tail = [0u8; TAIL as usize];
        file.read_exact_at(&mut tail, tail_at)?;
        let number = |at: usize| {
            tail.get(at..).and_then(|b| b.first_chunk::<4>()).map_or(0, |b| u64::from(u32::from_le_bytes(*b)))
        };
        let (payload, text_bytes, version) = (number(0) | number(4) << 32, number(8), number(12));
        let text_at = (MAGIC.len() as u64).checked_add(payload);
        let fits = text_at.and_then(|at| at.checked_add(text_bytes)).is_some_and(|end| end == tail_at);
        if !fits || text_bytes > u64::from(MOST_TEXT) {
            return corrupt("its lengths do not fit: it is cut off or changed");
        }
        let mut text = vec![0; text_bytes as usize];
        file.read_exact_at(&mut text, tail_at - text_bytes)?;
        let (covered, check) = tail.split_at(TAIL as usize - 32);
        let found = blake3::Hasher::new().update(MAGIC).update(&text).update(covered).finalize();
        if found.as_bytes() != check {
            return corrupt("its description does not fit its checksum");
        }
        if version > u64::from(VERSION) {
            return Ok(Ends::Not(SavedIndex::Foreign));
        }
        if expected.is_some_and(|e| *e != found) {
            return Ok(Ends::Not(SavedIndex::Stale(vec!["content"])));
        }
        let hash = covered.last_chunk::<32>().copied().unwrap_or_default();
        match String::from_utf8(text) {
            Ok(text) => Ok(Ends::Whole { text, payload, hash }),
            Err(_) => corrupt("its description is no text"),
        }
    }

    pub(super) fn open(
        io: &dyn StoreIo,
        path: &Path,
        spec: ResolvedSpec,
        rows: &Rows,
        options: &IndexOptions<'_>,
    ) -> Result<(Box<dyn VectorIndex>, IndexOrigin)> {
        let reason = match load_index(path, &spec, rows, None, options)? {
            SavedIndex::Found(index) => return Ok((Box::new(index), IndexOrigin::Loaded)),
            SavedIndex::Foreign => {
                let message = format!("not an index that this version can read; it stays as it is: {}", path.display());
                return Err(Error::Index { cause: "foreign", message });
            }
            SavedIndex::Missing => "there was none".into(),
            SavedIndex::Stale(fields) => format!("it was made for something else (different: {})", fields.join(", ")),
            SavedIndex::Corrupt(what) => format!("it was damaged: {what}"),
        };
        let built = FaissIndex::build(spec.clone(), rows, options)?;
        let written = save_index(io, path, &built)?;
        // Lists that grew while rows were added have room to spare; those that were read have none.
        drop(built);
        match load_index(path, &spec, rows, Some(&written.check), options)? {
            SavedIndex::Found(index) => Ok((Box::new(index), IndexOrigin::Built { reason })),
            other => {
                let message = format!("the index that was just written cannot be read ({other:?}): {}", path.display());
                Err(Error::Index { cause: "corrupt", message })
            }
        }
    }

    /// Hashes what goes through.
    #[derive(Debug)]
    struct Hashing {
        to: Staged,
        hasher: blake3::Hasher,
        bytes: u64,
        failed: Option<io::Error>,
    }

    impl Write for Hashing {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            match self.to.write(data) {
                Ok(count) => {
                    self.hasher.update(data.get(..count).unwrap_or_default());
                    self.bytes += count as u64;
                    Ok(count)
                }
                Err(e) => {
                    // FAISS only says that something failed.
                    self.failed.get_or_insert_with(|| crate::error::same_error(&e));
                    Err(e)
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            self.to.flush()
        }
    }
}
