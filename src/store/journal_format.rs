//! The bytes of a journal.
//!
//! ```text
//! header  "FLJOURN\0"  version u32  key length u32  run key as JSON  check 16 bytes
//! record  payload length u32  kind u32  payload  check 16 bytes
//! ```
//! Integers are little-endian. The check of the header is the BLAKE3 of all header bytes before it; that of a record is the
//! BLAKE3 of the full (32-byte) hash before it, the head and the payload; both are cut to 16 bytes. A record therefore
//! validates only when everything before it does: reading stops at the first one that does not fit. What follows is a torn
//! write, or damage, and the work it stood for is done again.

use std::io::{self, BufReader, Read, SeekFrom};
use std::path::Path;

use blake3::Hash;

use super::io::StoreFile;
use super::journal::{DroppedTail, Record, Recovered};
use super::run_key::RunKey;
use crate::error::{Error, Result, StateError};

const MAGIC: [u8; 8] = *b"FLJOURN\0";
const VERSION: u32 = 1;
const CHECK_BYTES: usize = 16;
const HEAD_BYTES: usize = 8;
/// Largest payload of a record, and largest run key, in bytes.
const MAX_RECORD_BYTES: usize = 1 << 20;

/// The header for a run.
pub(super) fn encode_header(key: &RunKey) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(key).map_err(|e| Error::Bug(format!("run key: {e}")))?;
    let length = checked_length("run key", json.len())?;
    let mut bytes = Vec::with_capacity(json.len() + 64);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&json);
    let check = blake3::hash(&bytes);
    bytes.extend_from_slice(cut(&check));
    Ok(bytes)
}

/// What the first record's check starts from, for a header made by [`encode_header`].
pub(super) fn header_chain(header: &[u8]) -> Hash {
    let body = header.len().saturating_sub(CHECK_BYTES);
    blake3::hash(header.get(..body).unwrap_or_default())
}

/// The bytes of `records` that follow what `chain` stands for, and the chain after them.
pub(super) fn encode_records(mut chain: Hash, records: &[Record]) -> Result<(Vec<u8>, Hash)> {
    let mut bytes = Vec::new();
    for record in records {
        let length = checked_length("journal record", record.payload.len())?;
        let mut head = [0u8; HEAD_BYTES];
        let (first, second) = head.split_at_mut(4);
        first.copy_from_slice(&length.to_le_bytes());
        second.copy_from_slice(&record.kind.to_le_bytes());
        chain = link(&chain, &head, &record.payload);
        bytes.extend_from_slice(&head);
        bytes.extend_from_slice(&record.payload);
        bytes.extend_from_slice(cut(&chain));
    }
    Ok((bytes, chain))
}

fn checked_length(what: &str, length: usize) -> Result<u32> {
    u32::try_from(length).ok().filter(|_| length <= MAX_RECORD_BYTES).ok_or_else(|| Error::LimitExceeded {
        name: "journal_record_bytes",
        what: format!("the size of a {what} in bytes"),
        value: length as u64,
        limit: MAX_RECORD_BYTES as u64,
    })
}

/// What [`scan`] found.
pub(super) struct Scan {
    pub(super) recovered: Recovered,
    /// Chain after the last validated record.
    pub(super) chain: Hash,
    /// Offset after the last validated record.
    pub(super) end: u64,
}

/// Reads and validates from the start of `file`.
pub(super) fn scan(file: &mut dyn StoreFile, path: &Path, key: Option<&RunKey>) -> Result<Scan> {
    let storage = |e: io::Error| Error::storage("read", path, e);
    let total = file.byte_len().map_err(storage)?;
    file.seek(SeekFrom::Start(0)).map_err(storage)?;
    let mut from = Source { inner: BufReader::with_capacity(64 * 1024, file), left: total };

    let (found_key, mut chain) = read_header(&mut from, path)?;
    if let Some(key) = key.filter(|key| **key != found_key) {
        let fields = found_key.diff(key);
        return Err(StateError::KeyMismatch { path: path.to_path_buf(), fields }.into());
    }
    let mut end = total - from.left;
    let mut records = Vec::new();
    let reason = loop {
        match read_record(&mut from, &chain).map_err(storage)? {
            Step::Record(record, next) => {
                records.push(record);
                chain = next;
                end = total - from.left;
            }
            Step::End => break None,
            Step::Unfit(reason) => break Some(reason),
        }
    };
    let dropped = reason.map(|reason| DroppedTail { offset: end, bytes: total - end, reason });
    Ok(Scan { recovered: Recovered { key: found_key, records, dropped }, chain, end })
}

fn read_header(from: &mut Source<'_>, path: &Path) -> Result<(RunKey, Hash)> {
    let storage = |e: io::Error| Error::storage("read", path, e);
    let corrupt = |reason: &str| {
        Error::from(StateError::Corrupt { path: path.to_path_buf(), reason: format!("damaged journal: {reason}") })
    };
    let magic = from.take(MAGIC.len()).map_err(storage)?;
    match magic {
        // Not one byte of somebody else's content: ours, emptied or cut.
        None if from.left == 0 => return Err(corrupt("it is empty")),
        None => return Err(corrupt("the header is cut off")),
        Some(found) if found != MAGIC => return Err(StateError::Foreign(path.to_path_buf()).into()),
        Some(_) => {}
    }
    let cut_off = || corrupt("the header is cut off");
    let version = from.take_u32().map_err(storage)?.ok_or_else(cut_off)?;
    if version > VERSION {
        return Err(StateError::NewerVersion { path: path.to_path_buf(), found: version, known: VERSION }.into());
    }
    let length = from.take_u32().map_err(storage)?.ok_or_else(cut_off)?;
    if version != VERSION || length as usize > MAX_RECORD_BYTES {
        return Err(corrupt("the header makes no sense"));
    }
    let json = from.take(length as usize).map_err(storage)?.ok_or_else(cut_off)?;
    let check = from.take(CHECK_BYTES).map_err(storage)?.ok_or_else(cut_off)?;
    let chain = blake3::Hasher::new()
        .update(&MAGIC)
        .update(&version.to_le_bytes())
        .update(&length.to_le_bytes())
        .update(&json)
        .finalize();
    if check != cut(&chain) {
        return Err(corrupt("the checksum of the header does not fit"));
    }
    let key = serde_json::from_slice(&json).map_err(|_| corrupt("the run key cannot be read"))?;
    Ok((key, chain))
}

enum Step {
    Record(Record, Hash),
    End,
    Unfit(&'static str),
}

fn read_record(from: &mut Source<'_>, chain: &Hash) -> io::Result<Step> {
    if from.left == 0 {
        return Ok(Step::End);
    }
    let (Some(length), Some(kind)) = (from.take_u32()?, from.take_u32()?) else {
        return Ok(Step::Unfit("the head of a record is cut off"));
    };
    if length as usize > MAX_RECORD_BYTES {
        return Ok(Step::Unfit("a record says it is longer than 1 MiB"));
    }
    let (Some(payload), Some(check)) = (from.take(length as usize)?, from.take(CHECK_BYTES)?) else {
        return Ok(Step::Unfit("a record is cut off"));
    };
    let mut head = [0u8; HEAD_BYTES];
    let (first, second) = head.split_at_mut(4);
    first.copy_from_slice(&length.to_le_bytes());
    second.copy_from_slice(&kind.to_le_bytes());
    let next = link(chain, &head, &payload);
    if check != cut(&next) {
        return Ok(Step::Unfit("the checksum of a record does not fit"));
    }
    Ok(Step::Record(Record { kind, payload }, next))
}

fn link(chain: &Hash, head: &[u8], payload: &[u8]) -> Hash {
    blake3::Hasher::new().update(chain.as_bytes()).update(head).update(payload).finalize()
}

fn cut(hash: &Hash) -> &[u8] {
    hash.as_bytes().get(..CHECK_BYTES).unwrap_or_default()
}

/// A file with the number of bytes left, so that a length field never asks for memory that the file cannot fill.
struct Source<'a> {
    inner: BufReader<&'a mut dyn StoreFile>,
    left: u64,
}

impl Source<'_> {
    /// The next `count` bytes, or `None` (taking nothing) when there are not that many.
    fn take(&mut self, count: usize) -> io::Result<Option<Vec<u8>>> {
        let Some(left) = self.left.checked_sub(count as u64) else { return Ok(None) };
        let mut bytes = vec![0; count];
        self.inner.read_exact(&mut bytes)?;
        self.left = left;
        Ok(Some(bytes))
    }

    fn take_u32(&mut self) -> io::Result<Option<u32>> {
        let bytes = self.take(4)?;
        Ok(bytes.and_then(|b| Some(u32::from_le_bytes(b.try_into().ok()?))))
    }
}
