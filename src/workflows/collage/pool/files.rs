//! The files of an index.
//!
//! | file | content |
//! |---|---|
//! | `index.json` | settings, and which of the others belong to it. Written last: it is the index |
//! | `vectors.N.rows` | the descriptors, one a usable picture, in order of paths |
//! | `pictures.N.jsonl` | one line a picture: path, length, time, hash, why it cannot be used |
//! | `.state/` | lock, and descriptors of builds that have not ended |

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::config::DescriptorConfig;
use super::table::PictureTable;
use crate::error::{Error, Result};
use crate::index::Rows;
use crate::store::{Hash, RunKey, StoreDir, StoreIo};

pub(super) const STATE: &str = ".state";
pub(super) const VECTORS_PREFIX: &str = "vectors.";
const PICTURES_PREFIX: &str = "pictures.";

/// A file of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileRef {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) blake3: String,
}

/// `index.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct IndexFile {
    pub(super) schema: String,
    pub(super) schema_version: u32,
    pub(super) frameloom: String,
    /// Hash of `key`.
    pub(super) cache_key: String,
    /// Numbers of a descriptor.
    pub(super) feature_dim: u32,
    /// Pictures with a descriptor.
    pub(super) num_images: u32,
    /// Pictures without one.
    pub(super) unusable: u32,
    /// Counts the changes.
    pub(super) generation: u64,
    pub(super) descriptor: DescriptorConfig,
    pub(super) key: RunKey,
    pub(super) vectors: FileRef,
    pub(super) pictures: FileRef,
    /// What is searched, as `IndexSpec` reads it.
    pub(super) search: String,
}

impl IndexFile {
    pub(super) const NAME: &str = "index.json";
    pub(super) const SCHEMA: &str = "collage.index";
    pub(super) const VERSION: u32 = 1;

    /// The index in `folder`; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::Index`] `corrupt` or `foreign`; [`Error::Storage`].
    pub(super) fn read(io: &dyn StoreIo, folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(Self::NAME);
        let wrong = |cause, what: String| Error::Index { cause, message: format!("{}: {what}", path.display()) };
        let opened = io.open_dir(folder).and_then(|dir| dir.open_read(Self::NAME.as_ref()));
        let mut file = match opened {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::storage("open", &path, e)),
        };
        let mut text = String::new();
        std::io::Read::read_to_string(&mut file, &mut text).map_err(|e| Error::storage("read", &path, e))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|e| wrong("corrupt", format!("not JSON: {e}")))?;
        if value.get("schema").and_then(|v| v.as_str()) != Some(Self::SCHEMA) {
            return Err(wrong("foreign", "not the index of a picture pool".into()));
        }
        let version = value.get("schema_version").and_then(serde_json::Value::as_u64);
        if version != Some(u64::from(Self::VERSION)) {
            let given = version.map_or_else(|| "none".into(), |v| v.to_string());
            return Err(wrong("foreign", format!("version {} is wanted, this is {given}", Self::VERSION)));
        }
        let file: Self = serde_json::from_value(value).map_err(|e| wrong("corrupt", e.to_string()))?;
        for name in [&file.vectors.name, &file.pictures.name] {
            // An index may come from somewhere else: it names files beside it and no others.
            if Path::new(name).file_name() != Some(name.as_ref()) {
                return Err(wrong("corrupt", format!("`{name}` is not the name of a file beside it")));
            }
        }
        Ok(Some(file))
    }

    /// The pictures.
    ///
    /// # Errors
    /// [`Error::Index`] `corrupt`; [`Error::Storage`].
    pub(super) fn table(&self, io: &dyn StoreIo, folder: &Path) -> Result<PictureTable> {
        let path = folder.join(&self.pictures.name);
        let table = PictureTable::read(io, &path)?;
        let rows = table.usable().count();
        if rows != self.num_images as usize {
            let message = format!("{}: {rows} pictures, {} are wanted", path.display(), self.num_images);
            return Err(Error::Index { cause: "corrupt", message });
        }
        Ok(table)
    }

    /// The descriptors, mapped.
    ///
    /// # Errors
    /// As [`Rows::open`]; [`Error::Index`] `corrupt` for another shape than wanted.
    pub(super) fn rows(&self, folder: &Path) -> Result<Rows> {
        let path = folder.join(&self.vectors.name);
        let corrupt = |message: String| Error::Index { cause: "corrupt", message };
        let hash = Hash::from_hex(&self.vectors.blake3).map_err(|e| corrupt(format!("hash of the vectors: {e}")))?;
        let rows = Rows::open(&path, Some(&hash))?;
        if (rows.len(), rows.dim()) != (self.num_images, self.feature_dim as usize) {
            return Err(corrupt(format!("{}: {} rows of {}", path.display(), rows.len(), rows.dim())));
        }
        Ok(rows)
    }
}

/// Removes the files of other generations.
pub(super) fn sweep(dir: &dyn StoreDir, folder: &Path, generation: u64) -> Result<()> {
    let keep = format!(".{generation:06}.");
    for name in dir.list().map_err(|e| Error::storage("list", folder, e))? {
        let Some(text) = name.to_str() else { continue };
        let ours = text.starts_with(VECTORS_PREFIX) || text.starts_with(PICTURES_PREFIX);
        if ours && !text.contains(&keep) {
            dir.remove(&name).map_err(|e| Error::storage("remove", folder.join(&name), e))?;
        }
    }
    Ok(())
}
