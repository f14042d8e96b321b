//! An index in parts: each describes its share of the pictures, and the rows are joined.
//!
//! What a part leaves is what a build leaves that was killed before it wrote an index: the same build on the joined folder reads and hashes the files,
//! finds their rows, and writes the bytes of a build in one go.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::describe::Describer;
use super::build::{DESCRIBE, PoolConfig, PoolOptions, PoolReport, descriptor_key, look};
use super::files::{IndexFile, STATE};
use super::fresh::Fresh;
use super::scan::Scan;
use crate::core::{Observer, Shard};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::Skipped;
use crate::store::{OsIo, RunKey, StateDir, commit_json};
use crate::workflows::reporter::Reporter;

/// Pictures that belong to the same part: neighbours, which are more often alike than others.
const UNIT: usize = 16;
/// What the rows of a part depend on, in its state folder.
const FACTS: &str = "part.json";
/// Folder of the rows.
const FRESH: &str = "fresh";

/// What a part did.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolPart {
    /// Units of all pictures.
    pub units: usize,
    /// As of a build, over the pictures of the part; nothing was written but their rows.
    pub report: PoolReport,
}

/// What the rows of a part depend on.
#[derive(Debug, Serialize, Deserialize)]
struct Facts {
    dim: usize,
    key: RunKey,
}

/// Describes the pictures of `scan` that belong to part `shard`, for [`join_pool`]. `observer` hears of files that were looked at, in the
/// stage `describe`. Killed at any moment, the same call goes on.
///
/// # Errors
/// [`Error::Usage`] in a folder that holds an index; otherwise as [`super::build_pool`].
pub fn pool_part(
    ctx: &GpuContext,
    scan: &Scan,
    folder: &Path,
    shard: Shard,
    config: &PoolConfig,
    options: &PoolOptions,
    observer: &mut dyn Observer,
) -> Result<PoolPart> {
    let options = &options.stoppable();
    let mut reporter = Reporter::new(observer, &options.cancel);
    let io = OsIo;
    let mut describer = Describer::new(ctx, &config.descriptor, options.batch, &options.networks, &options.cancel)?;
    let key = descriptor_key(ctx, &config.descriptor)?;
    let state = StateDir::acquire_for(&io, folder.join(STATE), "index")?;
    if IndexFile::read(&io, folder)?.is_some() {
        return Err(Error::Usage {
            message: format!("there is an index already in {}", folder.display()),
            hint: Some("give each part a folder of its own; `frameloom merge` puts them together".into()),
        });
    }
    let mut fresh = Fresh::open(&io, &state.join(FRESH), key.hash(), describer.dim())?;
    if options.restart {
        fresh.clear(&io)?;
        fresh = Fresh::open(&io, &state.join(FRESH), key.hash(), describer.dim())?;
    }
    let todo: Vec<usize> = (0..scan.files.len()).filter(|at| shard.has(at / UNIT)).collect();
    let progress = &mut reporter.stage(DESCRIBE, Some(todo.len() as u64), 0);
    let mut table = vec![None; scan.files.len()];
    let mut report = PoolReport { skipped: scan.skipped.clone(), ..PoolReport::default() };
    let found = (None, &mut fresh);
    let looked = look(ctx, &mut describer, (scan, &todo), found, &mut table, options, &mut report, progress);
    let saved = fresh.save(&io);
    looked.and(saved)?;
    commit_json(&io, state.join(FACTS), &Facts { dim: describer.dim(), key })?;
    let looked: Vec<_> = table.into_iter().flatten().collect();
    let bad = looked.iter().filter_map(|p| Some(Skipped { path: (&p.path).into(), reason: p.error.clone()? }));
    report.unusable = bad.collect();
    report.pictures = looked.len() - report.unusable.len();
    report.reused = report.pictures.saturating_sub(report.computed);
    Ok(PoolPart { units: scan.files.len().div_ceil(UNIT), report })
}

/// Takes the rows of `parts` into `folder`, where the same build without a part then finds them; gives their number.
///
/// # Errors
/// [`Error::InputNotFound`] for a folder of no part; [`Error::Usage`] for parts that were described in other ways, with what they differ in;
/// [`Error::Storage`].
pub fn join_pool(parts: &[PathBuf], folder: &Path) -> Result<usize> {
    let io = OsIo;
    let mut all: Vec<(&PathBuf, Facts)> = Vec::new();
    for part in parts {
        let path = part.join(STATE).join(FACTS);
        let bytes = std::fs::read(&path).map_err(|e| Error::unreadable(&path, &e))?;
        let bad = |e: serde_json::Error| Error::InputCorrupt { path: path.clone(), reason: e.to_string() };
        all.push((part, serde_json::from_slice(&bytes).map_err(bad)?));
    }
    let Some((first, one)) = all.first() else { return Ok(0) };
    for (part, other) in &all {
        if one.key != other.key {
            return Err(crate::store::of_other_runs((first, &one.key), (part, &other.key)));
        }
    }
    let state = StateDir::acquire_for(&io, folder.join(STATE), "index")?;
    let mut fresh = Fresh::open(&io, &state.join(FRESH), one.key.hash(), one.dim)?;
    let mut rows = 0;
    for (part, _) in &all {
        rows += fresh.adopt(&io, &part.join(STATE).join(FRESH))?;
    }
    Ok(rows)
}
