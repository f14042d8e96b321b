//! The pool: pictures that frames are replaced by, with their descriptors in an index on disk.
//!
//! ```text
//! scan (paths, lengths, times) ──► what changed ──► read, hash ──► new content: decode ──► describe on the GPU ──► rows
//!                                       │                              │ (several threads)     (batches)             │
//!                                       └─ unchanged: the row stays ───┴─ known content: the row stays ──────────────┴─► index
//! ```

mod build;
mod files;
mod fresh;
mod look;
mod part;
mod scan;
mod table;

use std::path::{Path, PathBuf};

pub use build::{PoolConfig, PoolOptions, PoolReport, build_pool};
pub use part::{PoolPart, join_pool, pool_part};
pub use scan::{PictureFile, Scan};
pub use table::PoolPicture;

use super::config::DescriptorConfig;
use super::describe::Describer;
use super::network::Networks;
use crate::core::{CancelToken, Limits};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::index::{IndexOptions, IndexOrigin, IndexSpec, Rows, VectorIndex, open_index};
use crate::media::read_image;
use crate::store::{Hash, OsIo};
use files::IndexFile;

/// File of an index that took long to build, beside the pool's own.
const FAISS_FILE: &str = "faiss_index.bin";

/// An index of pictures, opened. Ids of pictures are their positions in [`Self::pictures`].
#[derive(Debug)]
pub struct Pool {
    folder: PathBuf,
    file: IndexFile,
    pictures: Vec<PoolPicture>,
    unusable: Vec<PoolPicture>,
    rows: Rows,
}

/// A picture that was found.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// Its id in the pool.
    pub id: u32,
    /// Its path.
    pub path: String,
    /// Likeness: 1 for the same picture.
    pub score: f32,
}

impl Pool {
    /// Opens the index in `folder`. The vectors are mapped, not read.
    ///
    /// # Errors
    /// [`Error::Index`]: `missing`, `foreign`, `corrupt`; [`Error::Storage`].
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let file = IndexFile::read(&OsIo, folder)?.ok_or_else(|| Error::Index {
            cause: "missing",
            message: format!("there is none in {}; `frameloom index build` makes one", folder.display()),
        })?;
        let table = file.table(&OsIo, folder)?;
        let rows = file.rows(folder)?;
        let (pictures, unusable) = table.all.into_iter().partition(|p| p.error.is_none());
        Ok(Self { folder: folder.to_path_buf(), file, pictures, unusable, rows })
    }

    /// Pictures with a descriptor, in order of their paths.
    pub fn pictures(&self) -> &[PoolPicture] {
        &self.pictures
    }

    /// Picture files that cannot be used; [`PoolPicture::error`] says why.
    pub fn unusable(&self) -> &[PoolPicture] {
        &self.unusable
    }

    /// The descriptors.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// What the pictures are described by.
    pub fn descriptor(&self) -> &DescriptorConfig {
        &self.file.descriptor
    }

    /// `wanted` as this pool can serve it. The pool's aspect stands for one that differs from it by at most 1 %: 854x480 is 16:9 to
    /// anybody but a computer. With `open`, for a caller who asked for nothing but an aspect, all else is the pool's as well.
    pub fn fit(&self, wanted: &DescriptorConfig, open: bool) -> DescriptorConfig {
        let own = self.descriptor();
        let fitted = if open { DescriptorConfig { aspect: wanted.aspect, ..own.clone() } } else { wanted.clone() };
        let ([w, h], [own_w, own_h]) = (wanted.aspect.map(f64::from), own.aspect.map(f64::from));
        let near = (w * own_h - h * own_w).abs() <= 0.01 * h * own_w;
        if near { DescriptorConfig { aspect: own.aspect, ..fitted } } else { fitted }
    }

    /// What is searched, unless another spec is asked for.
    ///
    /// # Errors
    /// [`Error::Usage`] when the file names something that this version does not know.
    pub fn search_spec(&self) -> Result<IndexSpec> {
        self.file.search.parse()
    }

    /// Hash of what can change a match: paths, contents and order of the pictures, and all that descriptors depend on.
    pub fn id(&self) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.file.cache_key.as_bytes());
        for p in &self.pictures {
            hasher.update(&(p.path.len() as u64).to_le_bytes()).update(p.path.as_bytes()).update(p.blake3.as_bytes());
        }
        hasher.finalize()
    }

    /// What searches the pool. Kinds that take long to build are kept in a file of the index' folder.
    ///
    /// # Errors
    /// As [`open_index`].
    pub fn index(&self, spec: &IndexSpec, options: &IndexOptions<'_>) -> Result<(Box<dyn VectorIndex>, IndexOrigin)> {
        open_index(&OsIo, self.folder.join(FAISS_FILE), spec, &self.rows, options)
    }

    /// The `k` pictures most like each of `queries`, which are descriptors as [`Describer`] makes them.
    ///
    /// # Errors
    /// Those of the search.
    pub fn search(&self, index: &dyn VectorIndex, queries: &[f32], k: usize) -> Result<Vec<Vec<Match>>> {
        let found = index.search(queries, k)?;
        let name = |id: u32| self.pictures.get(id as usize).map_or(String::new(), |p| p.path.clone());
        let one = |n: crate::core::Neighbor| Match { id: n.id, path: name(n.id), score: n.score };
        Ok(found.into_iter().map(|list| list.into_iter().map(one).collect()).collect())
    }

    /// Descriptors of picture files, made as those of the pool.
    ///
    /// # Errors
    /// Those of decoding; the device.
    pub fn describe(
        &self,
        ctx: &GpuContext,
        files: &[PathBuf],
        networks: &Networks,
        limits: &Limits,
    ) -> Result<Vec<f32>> {
        let mut describer = Describer::new(ctx, &self.file.descriptor, 1, networks, &CancelToken::new())?;
        let mut rows = Vec::new();
        for file in files {
            let picture = describer.sight().decode(&read_image(file, limits)?, file, limits)?;
            rows.extend(describer.pictures(&[&picture])?);
        }
        Ok(rows)
    }

    /// The pool's files with those of `inputs`, as they are now: what [`build_pool`] takes to add pictures. Files that are gone are
    /// among the skipped.
    ///
    /// # Errors
    /// As [`Scan::of`].
    pub fn with(&self, inputs: &[PathBuf], recursive: bool, limits: &Limits) -> Result<Scan> {
        let mut all = self.files();
        let more = Scan::of(inputs, recursive, limits)?;
        all.files.extend(more.files);
        all.skipped.extend(more.skipped);
        all.settle();
        Ok(all)
    }

    /// The pool's files without `inputs` and all that is below them: what [`build_pool`] takes to remove pictures.
    ///
    /// # Errors
    /// [`Error::Usage`] for an input that removes nothing.
    pub fn without(&self, inputs: &[PathBuf]) -> Result<Scan> {
        let mut all = self.files();
        for input in inputs {
            // What is gone from the disk has to be named as the index does.
            let path = scan::canonical(input).unwrap_or_else(|_| input.clone());
            let before = all.files.len();
            all.files.retain(|f| !Path::new(&f.path).starts_with(&path));
            let gone = all.skipped.iter().any(|s| s.path.starts_with(&path));
            if all.files.len() == before && !gone {
                return Err(Error::Usage {
                    message: format!("the index has no picture at or below {}", input.display()),
                    hint: Some("`frameloom index info` lists what it has".into()),
                });
            }
            all.skipped.retain(|s| !s.path.starts_with(&path));
        }
        Ok(all)
    }

    fn files(&self) -> Scan {
        Scan::of_paths(self.pictures.iter().chain(&self.unusable).map(|p| p.path.as_str()))
    }
}
