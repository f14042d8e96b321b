//! Files of rows.
//!
//! ```text
//! head      45 bytes of f32 rows: those with which FAISS begins a file of its flat index, so that it can search the rows where they lie
//!           12 bytes of f16 rows: `FLROWS16`, u32 length of a row
//! rows      count * dim numbers, little endian, no padding
//! tail      104 bytes: `FLROWS\0\0`, u32 version, u32 bytes of a number, u32 dim, u32 count, u64 bytes of the head, f64 length of the
//!           longest row, 32 bytes BLAKE3 of the content (type, dim, rows), 32 bytes BLAKE3 of the head and the tail up to here
//! ```
//! Opening checks everything but the rows; their hash is checked before the first result. All versions end with the last field.

use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use half::f16;

use super::Rows;
use super::dot::norm;
use super::mapping::{Mapping, open};
use super::rows::{check_finite, check_shape};
use crate::error::{Error, Result, StateError};
use crate::ops::RowSample;
use crate::store::{Hash, Staged, StoreIo};

const MAGIC: &[u8; 8] = b"FLROWS\0\0";
const HALF_MAGIC: &[u8; 8] = b"FLROWS16";
const FAISS_MAGIC: &[u8; 4] = b"IxFI";
const VERSION: u32 = 1;
const TAIL: usize = 104;
/// Bytes of the tail that its own hash covers.
const COVERED: usize = TAIL - 32;
/// Bytes hashed at a time.
const CHUNK: usize = 1 << 20;

/// A file of rows that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenRows {
    /// Path as given.
    pub path: PathBuf,
    /// Rows.
    pub count: u32,
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of type, shape and numbers: what [`Rows::open`] takes, and [`Rows::content_hash`] gives.
    pub content: Hash,
    /// BLAKE3 of the file, for a journal.
    pub file: Hash,
}

/// Writes a file of rows, atomically: it appears when it is whole.
///
/// Adding and removing is writing anew: what stays is copied from the old file by [`Self::push_from`], at the speed of the disk.
///
/// ```no_run
/// # use frameloom::{index::*, ops::RowSample, store::OsIo};
/// # fn main() -> frameloom::Result<()> {
/// let old = Rows::open("pool.rows", None)?;
/// let mut new = RowsWriter::create(&OsIo, "pool.rows", old.dim(), old.sample())?;
/// new.push_from(&old, 0..7)?;                  // without row 7
/// new.push_from(&old, 8..old.len())?;
/// new.push(&vec![0.5; old.dim()])?;            // and one more
/// let written = new.commit()?;
/// let rows = Rows::open("pool.rows", Some(&written.content))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RowsWriter {
    staged: Staged,
    dim: usize,
    sample: RowSample,
    numbers: u64,
    longest: f64,
    hasher: blake3::Hasher,
    bytes: Vec<u8>,
}

impl RowsWriter {
    /// Begins the file that will be called `path`, of rows of `dim` numbers.
    ///
    /// # Errors
    /// `Parameter` for `dim` outside 1 to 65,536; [`Error::Storage`].
    pub fn create(io: &dyn StoreIo, path: impl AsRef<Path>, dim: usize, sample: RowSample) -> Result<Self> {
        check_shape(dim, 0)?;
        let mut staged = Staged::create(io, path)?;
        let wrong = |staged: &Staged, e| Error::storage("write", staged.path(), e);
        // Room: the count is not known yet.
        staged.write_all(&head(sample, dim, 0)).map_err(|e| wrong(&staged, e))?;
        let hasher = content_hasher(dim, sample);
        Ok(Self { staged, dim, sample, numbers: 0, longest: 0.0, hasher, bytes: Vec::new() })
    }

    /// Adds rows, one behind the other, and gives the id of the first. f16 rounds to nearest, halves to even.
    ///
    /// # Errors
    /// `Parameter`, and nothing is added, as [`Rows::new`]; [`Error::Storage`].
    pub fn push(&mut self, rows: &[f32]) -> Result<u32> {
        let first = check_shape(self.dim, usize::try_from(self.numbers).unwrap_or(usize::MAX))?;
        check_shape(self.dim, usize::try_from(self.numbers).unwrap_or(usize::MAX).saturating_add(rows.len()))?;
        check_finite(self.dim, self.sample, rows, u64::from(first))?;
        // Pieces, so that the bytes are never held twice.
        for rows in rows.chunks(self.dim * super::rows::BLOCK_ROWS as usize) {
            self.bytes.clear();
            encode(self.sample, rows, &mut self.bytes);
            for row in rows.chunks_exact(self.dim) {
                let length = match self.sample {
                    RowSample::F32 => norm(row),
                    RowSample::F16 => norm(&row.iter().map(|v| f16::from_f32(*v).to_f32()).collect::<Vec<_>>()),
                };
                self.longest = self.longest.max(length);
            }
            self.hasher.update(&self.bytes);
            let path = self.staged.path().to_path_buf();
            self.staged.write_all(&self.bytes).map_err(|e| Error::storage("write", path, e))?;
            self.numbers += rows.len() as u64;
        }
        Ok(first)
    }

    /// Adds rows of another set, in order, and gives the id of the first.
    ///
    /// # Errors
    /// `Parameter` for ids that there are not, another length of rows, or as [`Self::push`]; [`Error::Index`] `corrupt` when the other's
    /// file is damaged.
    pub fn push_from(&mut self, rows: &Rows, ids: Range<u32>) -> Result<u32> {
        if rows.dim() != self.dim || ids.end > rows.len() || ids.start > ids.end {
            return Err(Error::Parameter {
                op: "index/rows",
                name: "ids",
                wanted: format!("ids below {} of rows of {} numbers", rows.len(), self.dim),
                given: format!("{}..{} of rows of {}", ids.start, ids.end, rows.dim()),
            });
        }
        rows.verify()?;
        let first = self.push(&[])?;
        let mut scratch = Vec::new();
        for start in ids.clone().step_by(super::rows::BLOCK_ROWS as usize) {
            self.push(rows.block(start..ids.end.min(start.saturating_add(super::rows::BLOCK_ROWS)), &mut scratch))?;
        }
        Ok(first)
    }

    /// Rows so far.
    pub fn len(&self) -> u32 {
        u32::try_from(self.numbers / self.dim as u64).unwrap_or(u32::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers == 0
    }

    /// Makes the file durable and gives it its name.
    ///
    /// # Errors
    /// [`Error::Storage`]; an older file of that name then stays as it was.
    pub fn commit(mut self) -> Result<WrittenRows> {
        let (count, content) = (self.len(), self.hasher.finalize());
        let head = head(self.sample, self.dim, count);
        let mut tail = Vec::with_capacity(TAIL);
        tail.extend_from_slice(MAGIC);
        for number in [VERSION, self.sample.bytes(), self.dim as u32, count] {
            tail.extend_from_slice(&number.to_le_bytes());
        }
        tail.extend_from_slice(&(head.len() as u64).to_le_bytes());
        tail.extend_from_slice(&self.longest.to_le_bytes());
        tail.extend_from_slice(content.as_bytes());
        let check = blake3::Hasher::new().update(&head).update(&tail).finalize();
        tail.extend_from_slice(check.as_bytes());
        let path = self.staged.path().to_path_buf();
        let mut finish = || {
            self.staged.write_all(&tail)?;
            self.staged.seek(SeekFrom::Start(0))?;
            self.staged.write_all(&head)
        };
        finish().map_err(|e| Error::storage("write", &path, e))?;
        let done = self.staged.commit()?;
        Ok(WrittenRows { path, count, bytes: done.bytes, content, file: done.blake3 })
    }
}

/// What stands before the rows. For f32: `write_index` of FAISS for an `IndexFlatIP`.
fn head(sample: RowSample, dim: usize, count: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(45);
    match sample {
        RowSample::F16 => {
            out.extend_from_slice(HALF_MAGIC);
            out.extend_from_slice(&(dim as u32).to_le_bytes());
        }
        RowSample::F32 => {
            out.extend_from_slice(FAISS_MAGIC);
            out.extend_from_slice(&(dim as u32).to_le_bytes());
            out.extend_from_slice(&u64::from(count).to_le_bytes());
            // Two numbers that FAISS reads and ignores.
            out.extend_from_slice(&(1u64 << 20).to_le_bytes());
            out.extend_from_slice(&(1u64 << 20).to_le_bytes());
            // Trained; metric 0, inner product.
            out.push(1);
            out.extend_from_slice(&0u32.to_le_bytes());
            out.extend_from_slice(&(u64::from(count) * dim as u64).to_le_bytes());
        }
    }
    out
}

fn encode(sample: RowSample, values: &[f32], out: &mut Vec<u8>) {
    match sample {
        RowSample::F32 => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        RowSample::F16 => out.extend(values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes())),
    }
}

/// A hasher that has seen type and length of the rows.
pub(super) fn content_hasher(dim: usize, sample: RowSample) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"frameloom rows").update(&sample.bytes().to_le_bytes()).update(&(dim as u32).to_le_bytes());
    hasher
}

/// Adds rows to the hash of a content.
pub(super) fn hash_rows(hasher: &mut blake3::Hasher, sample: RowSample, values: &[f32]) {
    let mut bytes = Vec::new();
    encode(sample, values, &mut bytes);
    hasher.update(&bytes);
}

/// A mapped file of rows.
#[derive(Debug)]
pub(super) struct MappedRows {
    mapping: Mapping,
    path: PathBuf,
    sample: RowSample,
    dim: usize,
    count: u32,
    longest: f64,
    content: Hash,
    head: usize,
    verified: OnceLock<std::result::Result<(), String>>,
}

/// The tail's fields, read in order.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (now, rest) = self.0.split_first_chunk::<N>().map_or(([0; N], &[][..]), |(now, rest)| (*now, rest));
        self.0 = rest;
        now
    }
}

impl MappedRows {
    pub(super) fn open(path: &Path, expected: Option<&Hash>) -> Result<Self> {
        let storage = |e| Error::storage("read", path, e);
        let index = |cause, what: String| Error::Index { cause, message: format!("{what}: {}", path.display()) };
        let corrupt = |what: &str| index("corrupt", format!("the file of vectors is damaged, {what}"));
        let file = match open(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(index("missing", "there is no file of vectors".into()));
            }
            other => other.map_err(storage)?,
        };
        let length = file.metadata().map_err(storage)?.len();
        let mut start = [0u8; 8];
        let seen = (length as usize).min(8);
        file.read_exact_at(start.get_mut(..seen).unwrap_or_default(), 0).map_err(storage)?;
        let start = start.get(..seen).unwrap_or_default();
        let begins = |magic: &[u8]| start.starts_with(magic.get(..magic.len().min(seen)).unwrap_or_default());
        let ours = begins(FAISS_MAGIC) || begins(HALF_MAGIC);
        let mut tail = [0u8; TAIL];
        let Some(tail_at) = length.checked_sub(TAIL as u64) else {
            return Err(if ours {
                corrupt("it is cut off")
            } else {
                index("foreign", "this is no file of vectors".into())
            });
        };
        file.read_exact_at(&mut tail, tail_at).map_err(storage)?;
        if !tail.starts_with(MAGIC) {
            return Err(if ours {
                corrupt("its end is missing")
            } else {
                index("foreign", "this is no file of vectors of frameloom".into())
            });
        }
        let mut fields = Fields(tail.get(8..).unwrap_or_default());
        let mut number = || u32::from_le_bytes(fields.take());
        let (version, bytes, dim, count) = (number(), number(), number(), number());
        let head_bytes = u64::from_le_bytes(fields.take());
        let (longest, content) = (f64::from_le_bytes(fields.take()), Hash::from_bytes(fields.take()));
        // Every version of the head is short.
        let mut head_found = vec![0; usize::try_from(head_bytes.min(tail_at)).unwrap_or(0).min(4096)];
        file.read_exact_at(&mut head_found, 0).map_err(storage)?;
        let (covered, check) = tail.split_at(COVERED);
        if blake3::Hasher::new().update(&head_found).update(covered).finalize().as_bytes() != check {
            return Err(corrupt("its header does not fit its checksum"));
        }
        if version > VERSION {
            let path = path.to_path_buf();
            return Err(Error::State(StateError::NewerVersion { path, found: version, known: VERSION }));
        }
        let sample = match bytes {
            2 => RowSample::F16,
            4 => RowSample::F32,
            _ => return Err(corrupt("its type of numbers is unknown")),
        };
        let rows_bytes = u64::from(dim) * u64::from(count) * u64::from(bytes);
        check_shape(dim as usize, 0)?;
        if head_found != head(sample, dim as usize, count) || head_bytes + rows_bytes != tail_at {
            return Err(corrupt("its length does not fit its header"));
        }
        if let Some(expected) = expected.filter(|e| **e != content) {
            let text = format!("the file of vectors has other content ({content}) than expected ({expected})");
            return Err(index("stale", text));
        }
        let mapping = Mapping::new(file, length).map_err(|e| Error::storage("map", path, e))?;
        let (dim, head) = (dim as usize, head_found.len());
        let path = path.to_path_buf();
        Ok(Self { mapping, path, sample, dim, count, longest, content, head, verified: OnceLock::new() })
    }

    pub(super) fn dim(&self) -> usize {
        self.dim
    }

    pub(super) fn count(&self) -> u32 {
        self.count
    }

    pub(super) fn sample(&self) -> RowSample {
        self.sample
    }

    pub(super) fn longest(&self) -> f64 {
        self.longest
    }

    pub(super) fn content_hash(&self) -> Hash {
        self.content
    }

    /// The file that is mapped.
    #[cfg(feature = "faiss")]
    pub(super) fn file(&self) -> &std::fs::File {
        self.mapping.file()
    }

    /// Reads the rows, not through the mapping: in order, and without making them resident twice.
    pub(super) fn verify(&self) -> Result<()> {
        let answer = self.verified.get_or_init(|| {
            let mut hasher = content_hasher(self.dim, self.sample);
            let mut chunk = vec![0; CHUNK];
            let end = (self.mapping.bytes().len() - TAIL) as u64;
            let mut at = self.head as u64;
            while at < end {
                let size = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
                let part = chunk.get_mut(..size).unwrap_or_default();
                self.mapping.file().read_exact_at(part, at).map_err(|e| format!("it cannot be read, {e}"))?;
                hasher.update(part);
                at += size as u64;
            }
            if hasher.finalize() == self.content { Ok(()) } else { Err("its content does not fit its checksum".into()) }
        });
        answer.clone().map_err(|what| Error::Index {
            cause: "corrupt",
            message: format!("the file of vectors is damaged, {what}: {}", self.path.display()),
        })
    }

    /// Reads one row from the file.
    pub(super) fn read_row(&self, id: u32, out: &mut Vec<f32>) -> Result<()> {
        let size = self.sample.bytes() as usize * self.dim;
        let mut bytes = vec![0; size];
        let at = self.head as u64 + u64::from(id.min(self.count.saturating_sub(1))) * size as u64;
        self.mapping.file().read_exact_at(&mut bytes, at).map_err(|e| Error::storage("read", &self.path, e))?;
        self.values(&bytes, out);
        Ok(())
    }

    /// Numbers from their bytes, which need not be aligned.
    pub(super) fn decode(&self, numbers: Range<usize>, out: &mut Vec<f32>) {
        let size = self.sample.bytes() as usize;
        let bytes = self.head + numbers.start * size..self.head + numbers.end * size;
        self.values(self.mapping.bytes().get(bytes).unwrap_or_default(), out);
    }

    fn values(&self, bytes: &[u8], out: &mut Vec<f32>) {
        out.clear();
        match self.sample {
            RowSample::F32 => out.extend(bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b))),
            RowSample::F16 => out.extend(bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32())),
        }
    }
}
