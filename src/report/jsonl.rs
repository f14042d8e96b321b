//! JSON Lines: one object per row, columns in schema order, null where there is no value.

use std::io::{self, Write};

use super::table::{CellRef, Schema, Table, float_text};

/// Writes tables of one schema, piece by piece, as JSON Lines.
#[derive(Debug)]
pub struct JsonlTable<W> {
    to: W,
    /// `"name":`, with the comma or brace before it.
    keys: Vec<String>,
}

impl<W: Write> JsonlTable<W> {
    /// A writer for tables of `schema`.
    pub fn new(to: W, schema: &Schema) -> Self {
        let key = |(i, name): (usize, &str)| {
            let quoted = serde_json::Value::from(name);
            format!("{}{quoted}:", if i == 0 { '{' } else { ',' })
        };
        let keys = schema.columns.iter().map(|c| c.name.as_str()).enumerate().map(key).collect();
        Self { to, keys }
    }

    /// Appends all rows of `rows`.
    ///
    /// # Errors
    /// Those of the writer underneath.
    pub fn write(&mut self, rows: &Table) -> io::Result<()> {
        for row in 0..rows.rows() {
            for (key, column) in self.keys.iter().zip(rows.columns()) {
                self.to.write_all(key.as_bytes())?;
                match column.get(row) {
                    CellRef::Null => self.to.write_all(b"null")?,
                    CellRef::U64(x) => write!(self.to, "{x}")?,
                    CellRef::I64(x) => write!(self.to, "{x}")?,
                    CellRef::F64(x) => self.to.write_all(float_text(x).as_bytes())?,
                    CellRef::Bool(x) => write!(self.to, "{x}")?,
                    CellRef::Str(x) => serde_json::to_writer(&mut self.to, x)?,
                }
            }
            self.to.write_all(b"}\n")?;
        }
        Ok(())
    }

    /// The writer underneath.
    pub fn into_inner(self) -> W {
        self.to
    }
}
