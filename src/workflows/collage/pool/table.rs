//! The table of an index: one line a picture, in the order of the rows.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::scan::PictureFile;
use crate::error::{Error, Result};
use crate::store::{Committed, Hash, StoreIo, commit};

/// How reasons begin that are in the content of a file: looking again, under other limits or as another user, finds the same.
pub(super) const DAMAGED: &str = "damaged: ";
pub(super) const UNSUPPORTED: &str = "not supported: ";

/// A picture that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolPicture {
    /// Absolute path.
    pub path: String,
    /// Length in bytes when it was looked at.
    pub bytes: u64,
    /// Time of its last change then, in nanoseconds since 1970.
    pub modified_ns: u64,
    /// BLAKE3 of its content, hexadecimal.
    pub blake3: String,
    /// Why it cannot be used; then it has no row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl PoolPicture {
    /// Whether `file` is this picture, unchanged as far as the file system knows.
    pub(super) fn is(&self, file: &PictureFile) -> bool {
        (self.bytes, self.modified_ns) == (file.bytes, file.modified_ns)
    }

    /// Whether looking at the same bytes again can give nothing else. A limit, a missing permission or a failing disk may be gone.
    pub(super) fn lasts(&self) -> bool {
        let in_content = |e: &String| [DAMAGED, UNSUPPORTED].iter().any(|begin| e.starts_with(begin));
        self.error.as_ref().is_none_or(|e| self.hash().is_some() && in_content(e))
    }

    /// The hash as bytes.
    pub(super) fn hash(&self) -> Option<Hash> {
        Hash::from_hex(&self.blake3).ok()
    }
}

/// All pictures of an index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct PictureTable {
    /// In order of their paths, unreadable ones among them.
    pub(super) all: Vec<PoolPicture>,
}

impl PictureTable {
    pub(super) fn read(io: &dyn StoreIo, path: &Path) -> Result<Self> {
        let corrupt =
            |reason: String| Error::Index { cause: "corrupt", message: format!("{}: {reason}", path.display()) };
        let folder = path.parent().unwrap_or(Path::new("."));
        let dir = io.open_dir(folder).map_err(|e| Error::storage("open", folder, e))?;
        let name = path.file_name().unwrap_or_default();
        let file = dir.open_read(name).map_err(|e| Error::storage("open", path, e))?;
        let mut all = Vec::new();
        for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
            let line = line.map_err(|e| Error::storage("read", path, e))?;
            all.push(serde_json::from_str(&line).map_err(|e| corrupt(format!("line {}: {e}", number + 1)))?);
        }
        Ok(Self { all })
    }

    pub(super) fn write(&self, io: &dyn StoreIo, path: &Path) -> Result<Committed> {
        commit(io, path, |w| {
            for picture in &self.all {
                serde_json::to_writer(&mut *w, picture)?;
                w.write_all(b"\n")?;
            }
            Ok(())
        })
    }

    /// Pictures by path.
    pub(super) fn by_path(&self) -> HashMap<&str, &PoolPicture> {
        self.all.iter().map(|p| (p.path.as_str(), p)).collect()
    }

    /// Pictures that have rows, in order.
    pub(super) fn usable(&self) -> impl Iterator<Item = &PoolPicture> {
        self.all.iter().filter(|p| p.error.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_the_content_lasts() {
        let lasts = |hashed: bool, error: Option<&str>| {
            let blake3 = if hashed { blake3::hash(b"x").to_hex().to_string() } else { String::new() };
            let error = error.map(str::to_owned);
            PoolPicture { path: "/p.jpg".into(), bytes: 1, modified_ns: 2, blake3, error }.lasts()
        };
        assert!(lasts(true, None));
        assert!(lasts(true, Some("damaged: it ends early")) && lasts(true, Some("not supported: CMYK")));
        assert!(!lasts(false, Some("unreadable: permission denied")));
        assert!(!lasts(false, Some("damaged: never read whole")));
        let limit = Error::LimitExceeded { name: "pixels", what: "a picture".into(), value: 9, limit: 4 };
        assert!(!lasts(true, Some(&limit.to_string())) && !lasts(false, Some(&limit.to_string())));
    }
}
