//! Makes an index, or brings one up to date: only what is new is computed.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::super::config::DescriptorConfig;
use super::super::describe::Describer;
use super::super::network::Networks;
use super::super::picture::Picture;
use super::files::{FileRef, IndexFile, STATE, VECTORS_PREFIX, sweep};
use super::fresh::Fresh;
use super::look::{Look, Looked};
use super::scan::Scan;
use super::table::{PictureTable, PoolPicture};
use crate::core::{BudgetPermit, CancelToken, Limits, Observer};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::index::{IndexSpec, Rows, RowsWriter};
use crate::media::Skipped;
use crate::ops::RowSample;
use crate::store::{Hash, OsIo, RunKey, StateDir, StoreIo, clean_temps, commit_json};
use crate::workflows::reporter::Reporter;

/// Rows between two savings: what a kill costs at most.
const SAVE_EVERY: usize = 512;

/// What an index is of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PoolConfig {
    /// What pictures are described by.
    pub descriptor: DescriptorConfig,
    /// What is searched; kept with the index.
    pub search: IndexSpec,
}

impl From<DescriptorConfig> for PoolConfig {
    /// What is searched is chosen by the number of pictures.
    fn from(descriptor: DescriptorConfig) -> Self {
        Self { descriptor, search: IndexSpec::Auto }
    }
}

/// How an index is built. None of it changes a byte of the index.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Threads that read and decode. Changes speed, never results.
    pub threads: usize,
    /// Pictures described at once. Changes speed, never results.
    pub batch: u32,
    /// Where a method that needs a network takes it from.
    pub networks: Networks,
    /// Limits for untrusted pictures.
    pub limits: Limits,
    /// Begin anew: forget what an index in the folder holds.
    pub restart: bool,
    /// Stops the build; what is done is kept.
    pub cancel: CancelToken,
}

/// What is told of files that were looked at.
pub(super) const DESCRIBE: (&str, &str) = ("describe", "pictures");

impl PoolOptions {
    /// The same with a token of the call alone.
    pub(super) fn stoppable(&self) -> Self {
        Self { cancel: self.cancel.child(), ..self.clone() }
    }
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            batch: 32,
            networks: Networks::default(),
            limits: Limits::default(),
            restart: false,
            cancel: CancelToken::new(),
        }
    }
}

/// What a build did.
#[non_exhaustive]
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolReport {
    /// Pictures in the index.
    pub pictures: usize,
    /// Descriptors that were computed now.
    pub computed: usize,
    /// Descriptors that were there, from the index or from a build that did not end.
    pub reused: usize,
    /// Files that are pictures by their first bytes and cannot be used.
    pub unusable: Vec<Skipped>,
    /// Everything else that was passed over: links, other files.
    pub skipped: Vec<Skipped>,
    /// Settings that differ from those of the index that was there: why nothing of it could be used.
    pub changed: Vec<String>,
    /// Nothing had changed, nothing was written.
    pub unchanged: bool,
}

/// Makes the index in `folder` hold the pictures of `scan`. `observer` hears of files that were looked at, in the stage
/// `describe`.
///
/// Pictures are known by path, length and time of change, else by the hash of their content: a moved picture is not computed again, a
/// changed one is, and one that a limit or a missing permission kept out is looked at again. Descriptors that were computed are kept by
/// and by; a build that was killed goes on where it was, and ends with the same bytes.
///
/// # Errors
/// [`Error::Config`]; [`Error::Usage`] when no picture can be used; `Cancelled`; storage, memory and device errors.
pub fn build_pool(
    ctx: &GpuContext,
    scan: Scan,
    folder: &Path,
    config: &PoolConfig,
    options: &PoolOptions,
    observer: &mut dyn Observer,
) -> Result<PoolReport> {
    let options = &options.stoppable();
    let mut reporter = Reporter::new(observer, &options.cancel);
    let io = OsIo;
    let mut describer = Describer::new(ctx, &config.descriptor, options.batch, &options.networks, &options.cancel)?;
    let key = descriptor_key(ctx, &config.descriptor)?;
    let state = StateDir::acquire_for(&io, folder.join(STATE), "index")?;
    let dir = io.open_dir(folder).map_err(|e| Error::storage("open", folder, e))?;
    clean_temps(dir.as_ref())?;
    let before = if options.restart { None } else { IndexFile::read(&io, folder)? };
    let generation = before.as_ref().map_or(0, |b| b.generation + 1);
    let search = config.search.to_string();
    let mut report = PoolReport { skipped: scan.skipped.clone(), ..PoolReport::default() };
    let old = match before {
        Some(index) if index.key == key => Some(Old::read(&io, folder, index)?),
        Some(index) => {
            report.changed = index.key.diff(&key);
            None
        }
        None => None,
    };
    let mut fresh = Fresh::open(&io, &state.join("fresh"), key.hash(), describer.dim())?;
    let mut table = plan(&scan, old.as_ref());
    let todo: Vec<usize> = (0..scan.files.len()).filter(|i| table.get(*i).is_none_or(Option::is_none)).collect();
    let progress = &mut reporter.stage(DESCRIBE, Some(todo.len() as u64), 0);
    let found = (old.as_ref(), &mut fresh);
    let looked = look(ctx, &mut describer, (&scan, &todo), found, &mut table, options, &mut report, progress);
    // What was described is kept where the rest failed or was stopped, too.
    let saved = fresh.save(&io);
    looked.and(saved)?;
    let table = PictureTable { all: table.into_iter().flatten().collect() };
    report.pictures = table.usable().count();
    report.reused = report.pictures.saturating_sub(report.computed);
    let bad = table.all.iter().filter_map(|p| Some((p, p.error.as_ref()?)));
    report.unusable = bad.map(|(p, e)| Skipped { path: (&p.path).into(), reason: e.clone() }).collect();
    if report.pictures == 0 {
        return Err(nothing(&report));
    }
    if let Some(old) = &old
        && old.table == table
    {
        report.unchanged = old.index.search == search;
        if !report.unchanged {
            commit_json(&io, folder.join(IndexFile::NAME), &IndexFile { search, ..old.index.clone() })?;
        }
        fresh.clear(&io)?;
        return Ok(report);
    }
    let index = write(&io, folder, (generation, key, &config.descriptor), &table, (old.as_ref(), &fresh))?;
    commit_json(&io, folder.join(IndexFile::NAME), &IndexFile { search, ..index })?;
    fresh.clear(&io)?;
    sweep(dir.as_ref(), folder, generation)?;
    drop(state);
    Ok(report)
}

fn nothing(report: &PoolReport) -> Error {
    let first = report.unusable.first().or(report.skipped.first());
    let example = first.map_or(String::new(), |s| format!(", for instance {} ({})", s.path.display(), s.reason));
    Error::Usage {
        message: format!(
            "no usable picture: {} files cannot be decoded and {} entries are no pictures{example}",
            report.unusable.len(),
            report.skipped.len()
        ),
        hint: Some("give a folder with JPEG, PNG, WebP, BMP, TIFF or GIF files in it".into()),
    }
}

/// Everything that can change a bit of a descriptor.
pub(super) fn descriptor_key(ctx: &GpuContext, descriptor: &DescriptorConfig) -> Result<RunKey> {
    let mut kernels = blake3::Hasher::new();
    for k in crate::gpu::kernel_sources() {
        kernels.update(k.name.as_bytes()).update(k.text.as_bytes());
    }
    let caps = ctx.caps();
    RunKey::builder()
        .field("version", env!("CARGO_PKG_VERSION"))
        .field("kernels", kernels.finalize().to_hex())
        .field("adapter", format!("{} ({})", caps.name, caps.driver))
        .fields("descriptor", descriptor)
        .finish()
}

/// The index that was there, of the same key.
pub(super) struct Old {
    pub(super) table: PictureTable,
    index: IndexFile,
    rows: Rows,
    ids: HashMap<Hash, u32>,
}

impl Old {
    fn read(io: &dyn StoreIo, folder: &Path, index: IndexFile) -> Result<Self> {
        let table = index.table(io, folder)?;
        let rows = index.rows(folder)?;
        let ids = table.usable().zip(0..).filter_map(|(p, id)| Some((p.hash()?, id))).collect();
        Ok(Self { table, index, rows, ids })
    }
}

/// What is known of the files without looking at them.
fn plan(scan: &Scan, old: Option<&Old>) -> Vec<Option<PoolPicture>> {
    let by_path = old.map(|o| o.table.by_path()).unwrap_or_default();
    let known = |file: &super::scan::PictureFile| {
        let picture = by_path.get(file.path.as_str()).filter(|p| p.is(file) && p.lasts())?;
        Some((*picture).clone())
    };
    scan.files.iter().map(known).collect()
}

pub(super) fn look(
    ctx: &GpuContext,
    describer: &mut Describer,
    (scan, todo): (&Scan, &[usize]),
    (old, fresh): (Option<&Old>, &mut Fresh),
    table: &mut [Option<PoolPicture>],
    options: &PoolOptions,
    report: &mut PoolReport,
    progress: &mut dyn FnMut(u64),
) -> Result<()> {
    let mut known: HashSet<Hash> = fresh.hashes().collect();
    known.extend(old.iter().flat_map(|o| o.ids.keys().copied()));
    let look = Look {
        files: &scan.files,
        todo,
        known: &known,
        sight: describer.sight(),
        limits: &options.limits,
        threads: options.threads,
        cancel: &options.cancel,
    };
    let mut waiting: Vec<(usize, Hash, Picture, BudgetPermit)> = Vec::new();
    look.run(|looked| {
        for (at, looked) in looked {
            options.cancel.check()?;
            let (hash, error) = match looked {
                Looked::Known(hash) => (Some(hash), None),
                Looked::Unusable(hash, reason) => (hash, Some(reason)),
                Looked::New(hash, picture, permit) => {
                    waiting.push((at, hash, picture, permit));
                    (Some(hash), None)
                }
            };
            if let (Some(slot), Some(file)) = (table.get_mut(at), scan.files.get(at)) {
                *slot = Some(PoolPicture {
                    path: file.path.clone(),
                    bytes: file.bytes,
                    modified_ns: file.modified_ns,
                    blake3: hash.map_or(String::new(), |h| h.to_hex().to_string()),
                    error,
                });
            }
            // More than fits at once: what fits is full.
            if describer.fitting(waiting.iter().map(|w| &w.2)) < waiting.len() {
                describe(describer, &mut waiting, fresh, table, report)?;
            }
            if fresh.unsaved() >= SAVE_EVERY {
                fresh.save(&OsIo)?;
            }
            progress(1);
        }
        while !waiting.is_empty() {
            describe(describer, &mut waiting, fresh, table, report)?;
        }
        Ok(())
    })?;
    options.cancel.check()?;
    ctx.check()
}

/// Describes the first of `waiting`, as many as fit.
fn describe(
    describer: &mut Describer,
    waiting: &mut Vec<(usize, Hash, Picture, BudgetPermit)>,
    fresh: &mut Fresh,
    table: &mut [Option<PoolPicture>],
    report: &mut PoolReport,
) -> Result<()> {
    let count = describer.fitting(waiting.iter().map(|w| &w.2));
    let now: Vec<_> = waiting.drain(..count.min(waiting.len())).collect();
    let pictures: Vec<&Picture> = now.iter().map(|w| &w.2).collect();
    match describer.pictures(&pictures) {
        Ok(rows) => {
            for ((_, hash, ..), row) in now.iter().zip(rows.chunks_exact(describer.dim())) {
                fresh.add(*hash, row);
            }
            report.computed += now.len();
            Ok(())
        }
        // Only one picture alone can be larger than the device allows: it is named, and the others go on.
        Err(e @ Error::LimitExceeded { .. }) if now.len() == 1 => {
            for (at, ..) in &now {
                if let Some(Some(picture)) = table.get_mut(*at) {
                    picture.error = Some(e.to_string());
                }
            }
            Ok(())
        }
        Err(e) => Err(e),
    }
}

/// Writes rows and table, and gives what names them.
fn write(
    io: &dyn StoreIo,
    folder: &Path,
    (generation, key, descriptor): (u64, RunKey, &DescriptorConfig),
    table: &PictureTable,
    (old, fresh): (Option<&Old>, &Fresh),
) -> Result<IndexFile> {
    let dim = descriptor.dim()? as usize;
    let vectors = format!("{VECTORS_PREFIX}{generation:06}.rows");
    let mut writer = RowsWriter::create(io, folder.join(&vectors), dim, RowSample::F32)?;
    // Neighbours in the old file are copied together.
    let mut run = 0..0u32;
    for picture in table.usable() {
        let lost = || Error::Bug(format!("no row for {}", picture.path));
        let hash = picture.hash().ok_or_else(lost)?;
        match old.and_then(|o| o.ids.get(&hash)) {
            Some(id) if *id == run.end && run.start < run.end => run.end += 1,
            Some(id) => {
                flush(&mut writer, old, &mut run)?;
                run = *id..*id + 1;
            }
            None => {
                flush(&mut writer, old, &mut run)?;
                writer.push(fresh.get(&hash).ok_or_else(lost)?)?;
            }
        }
    }
    flush(&mut writer, old, &mut run)?;
    let rows = writer.commit()?;
    let pictures = format!("pictures.{generation:06}.jsonl");
    let written = table.write(io, &folder.join(&pictures))?;
    Ok(IndexFile {
        schema: IndexFile::SCHEMA.into(),
        schema_version: IndexFile::VERSION,
        frameloom: env!("CARGO_PKG_VERSION").into(),
        cache_key: key.hash().to_hex().to_string(),
        feature_dim: dim as u32,
        num_images: rows.count,
        unusable: table.all.len() as u32 - rows.count,
        generation,
        descriptor: descriptor.clone(),
        key,
        vectors: FileRef { name: vectors, bytes: rows.bytes, blake3: rows.content.to_hex().to_string() },
        pictures: FileRef { name: pictures, bytes: written.bytes, blake3: written.blake3.to_hex().to_string() },
        search: String::new(),
    })
}

fn flush(writer: &mut RowsWriter, old: Option<&Old>, run: &mut std::ops::Range<u32>) -> Result<()> {
    if let Some(old) = old.filter(|_| run.start < run.end) {
        writer.push_from(&old.rows, run.clone())?;
    }
    *run = 0..0;
    Ok(())
}
