//! Rows, as they come, into JSONL, CSV and Parquet at once.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::csv::CsvTable;
use super::jsonl::JsonlTable;
use super::parquet::ParquetTable;
use super::table::{Cell, Schema, Table};
use crate::error::{Error, Result};
use crate::store::{Committed, Staged, StoreIo, commit_json};

/// Rows held in memory, and rows of a Parquet row group. Fixed, because it is part of the bytes.
const PIECE_ROWS: usize = 16_384;

/// Which files a [`TableSink`] writes. The schema (`.schema.json`) is always written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableFormats {
    /// `<stem>.jsonl`
    pub jsonl: bool,
    /// `<stem>.csv`
    pub csv: bool,
    /// `<stem>.parquet`
    pub parquet: bool,
}

impl Default for TableFormats {
    /// All of them.
    fn default() -> Self {
        Self { jsonl: true, csv: true, parquet: true }
    }
}

/// What a [`TableSink`] wrote.
#[derive(Debug, Clone)]
pub struct SinkDone {
    /// Number of rows.
    pub rows: u64,
    /// Columns in which floats that were not finite became null, with their number.
    pub not_finite: Vec<(String, u64)>,
    /// The committed files.
    pub files: Vec<Committed>,
}

/// Writes a table of any length with bounded memory. Nothing is visible before [`TableSink::finish`]; dropped, it leaves
/// nothing.
#[derive(Debug)]
pub struct TableSink<'a> {
    io: &'a dyn StoreIo,
    stem: PathBuf,
    piece: Table,
    rows: u64,
    jsonl: Option<JsonlTable<Staged>>,
    csv: Option<CsvTable<Staged>>,
    parquet: Option<ParquetTable<Staged>>,
}

impl<'a> TableSink<'a> {
    /// Opens temporary files beside `stem`, which is a path without suffix (`out/frames` gives `out/frames.csv` and so on).
    ///
    /// # Errors
    /// [`Error::Storage`]; [`Error::Bug`] for an impossible schema.
    pub fn create(
        io: &'a dyn StoreIo,
        stem: impl AsRef<Path>,
        schema: impl Into<Arc<Schema>>,
        formats: TableFormats,
    ) -> Result<Self> {
        let schema = schema.into();
        let stem = stem.as_ref().to_path_buf();
        let piece = Table::new(schema.clone())?;
        let stage =
            |wanted: bool, suffix: &str| wanted.then(|| Staged::create(io, with_suffix(&stem, suffix))).transpose();
        let jsonl = stage(formats.jsonl, "jsonl")?.map(|to| JsonlTable::new(to, &schema));
        let failed = |suffix: &'static str| {
            let path = with_suffix(&stem, suffix);
            move |e| Error::storage("write", path, e)
        };
        let csv = stage(formats.csv, "csv")?.map(|to| CsvTable::new(to, &schema));
        let csv = csv.transpose().map_err(failed("csv"))?;
        let parquet = stage(formats.parquet, "parquet")?.map(|to| ParquetTable::new(to, &schema));
        let parquet = parquet.transpose().map_err(failed("parquet"))?;
        Ok(Self { io, stem, piece, rows: 0, jsonl, csv, parquet })
    }

    /// Adds a row: one cell per column, of its type or null.
    ///
    /// # Errors
    /// [`Error::Bug`] when the row does not fit the schema; [`Error::Storage`].
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) -> Result<()> {
        self.piece.push(row)?;
        self.rows += 1;
        if self.piece.rows() >= PIECE_ROWS { self.write_piece() } else { Ok(()) }
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what is left and commits the files, the schema first.
    ///
    /// # Errors
    /// [`Error::Storage`]; files committed before the failing one stay.
    pub fn finish(mut self) -> Result<SinkDone> {
        self.write_piece()?;
        let not_finite = self.piece.not_finite();
        let (stem, io) = (self.stem.as_path(), self.io);
        let failed = |suffix: &str, e: io::Error| Error::storage("write", with_suffix(stem, suffix), e);
        let mut ready = Vec::new();
        if let Some(jsonl) = self.jsonl.take() {
            ready.push(jsonl.into_inner());
        }
        if let Some(csv) = self.csv.take() {
            ready.push(csv.into_inner().map_err(|e| failed("csv", e))?);
        }
        if let Some(parquet) = self.parquet.take() {
            ready.push(parquet.into_inner().map_err(|e| failed("parquet", e))?);
        }
        let schema = commit_json(io, with_suffix(stem, "schema.json"), self.piece.schema())?;
        let mut files = vec![schema];
        for staged in ready {
            files.push(staged.commit()?);
        }
        Ok(SinkDone { rows: self.rows, not_finite, files })
    }

    fn write_piece(&mut self) -> Result<()> {
        let stem = self.stem.as_path();
        let failed = |suffix: &'static str| move |e| Error::storage("write", with_suffix(stem, suffix), e);
        if let Some(jsonl) = &mut self.jsonl {
            jsonl.write(&self.piece).map_err(failed("jsonl"))?;
        }
        if let Some(csv) = &mut self.csv {
            csv.write(&self.piece).map_err(failed("csv"))?;
        }
        if let Some(parquet) = &mut self.parquet {
            parquet.write(&self.piece).map_err(failed("parquet"))?;
        }
        self.piece.clear_rows();
        Ok(())
    }
}

/// `a/b` and `csv` give `a/b.csv`; a dot in `b` stays (`clip.v2` gives `clip.v2.csv`).
fn with_suffix(stem: &Path, suffix: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_os_string();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}
