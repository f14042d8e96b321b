//! CSV (RFC 4180 quoting, line feeds, UTF-8): a header of names, then the rows. A null and an empty text look alike; readers
//! that must tell them apart take the Parquet or JSONL file. Text is written as it is, also when a spreadsheet would take it
//! for a formula: file names must survive.

use std::borrow::Cow;
use std::io::{self, Write};

use super::table::{CellRef, Schema, Table, float_text};

/// Writes tables of one schema, piece by piece, as CSV.
#[derive(Debug)]
pub struct CsvTable<W: Write> {
    to: csv::Writer<W>,
}

impl<W: Write> CsvTable<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// Those of the writer underneath.
    pub fn new(to: W, schema: &Schema) -> io::Result<Self> {
        let mut to = csv::WriterBuilder::new().has_headers(false).from_writer(to);
        to.write_record(schema.columns.iter().map(|c| c.name.as_str())).map_err(to_io)?;
        Ok(Self { to })
    }

    /// Appends all rows of `rows`.
    ///
    /// # Errors
    /// Those of the writer underneath.
    pub fn write(&mut self, rows: &Table) -> io::Result<()> {
        for row in 0..rows.rows() {
            let fields = rows.columns().iter().map(|column| text(column.get(row)).into_owned());
            self.to.write_record(fields).map_err(to_io)?;
        }
        Ok(())
    }

    /// Flushes, and gives the writer underneath back.
    ///
    /// # Errors
    /// Those of the writer underneath.
    pub fn into_inner(self) -> io::Result<W> {
        self.to.into_inner().map_err(|e| io::Error::new(e.error().kind(), e.error().to_string()))
    }
}

fn text(cell: CellRef<'_>) -> Cow<'_, str> {
    match cell {
        CellRef::Null => Cow::Borrowed(""),
        CellRef::U64(x) => Cow::Owned(x.to_string()),
        CellRef::I64(x) => Cow::Owned(x.to_string()),
        CellRef::F64(x) => Cow::Owned(float_text(x)),
        CellRef::Bool(x) => Cow::Borrowed(if x { "true" } else { "false" }),
        CellRef::Str(x) => Cow::Borrowed(x),
    }
}

fn to_io(e: csv::Error) -> io::Error {
    match e.into_kind() {
        csv::ErrorKind::Io(e) => e,
        other => io::Error::other(format!("{other:?}")),
    }
}
