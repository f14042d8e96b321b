//! Columns with names, units and types; every value may be null.

use std::sync::Arc;

use serde::Serialize;

use crate::error::{Error, Result};

/// Type of a column. All are nullable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// Unsigned 64-bit integer.
    U64,
    /// Signed 64-bit integer.
    I64,
    /// 64-bit float; never NaN or infinite.
    F64,
    /// Boolean.
    Bool,
    /// UTF-8 text.
    Str,
}

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnSpec {
    /// Name, `snake_case`.
    pub name: String,
    /// Type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Unit ("s", "px", "1" for a ratio), or empty.
    pub unit: String,
    /// What the values mean, in one sentence.
    pub doc: String,
}

/// The contract of a table: name, version and columns. A change that breaks readers raises the version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Schema {
    /// Name, such as `curate.frames`.
    pub name: String,
    /// Version, from 1.
    pub version: u32,
    /// Columns in order.
    pub columns: Vec<ColumnSpec>,
}

impl Schema {
    /// A schema without columns.
    pub fn new(name: impl Into<String>, version: u32) -> Self {
        Self { name: name.into(), version, columns: Vec::new() }
    }

    /// Adds a column.
    pub fn column(
        mut self,
        name: impl Into<String>,
        kind: ColumnType,
        unit: impl Into<String>,
        doc: impl Into<String>,
    ) -> Self {
        self.columns.push(ColumnSpec { name: name.into(), kind, unit: unit.into(), doc: doc.into() });
        self
    }

    /// Refuses a schema that no table can have: no columns, or a name given twice.
    pub(super) fn check(&self) -> Result<()> {
        let mut names: Vec<&str> = self.columns.iter().map(|c| c.name.as_str()).collect();
        names.sort_unstable();
        if names.is_empty() || names.windows(2).any(|w| w.first() == w.get(1)) {
            return Err(Error::Bug(format!("table `{}`: no columns, or two of one name", self.name)));
        }
        Ok(())
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// For [`ColumnType::U64`].
    U64(u64),
    /// For [`ColumnType::I64`].
    I64(i64),
    /// For [`ColumnType::F64`]; NaN and infinities become null, counted.
    F64(f64),
    /// For [`ColumnType::Bool`].
    Bool(bool),
    /// For [`ColumnType::Str`].
    Str(String),
}

macro_rules! cell_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Cell {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}
cell_from!(u64 => U64, u32 => U64, u16 => U64, u8 => U64, i64 => I64, i32 => I64, f64 => F64, f32 => F64, bool => Bool,
    String => Str, &str => Str, &String => Str);

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self::U64(value as u64)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Values of one column.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Column {
    U64(Vec<Option<u64>>),
    I64(Vec<Option<i64>>),
    F64(Vec<Option<f64>>),
    Bool(Vec<Option<bool>>),
    Str(Vec<Option<String>>),
}

/// A value as the writers see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CellRef<'a> {
    Null,
    U64(u64),
    I64(i64),
    F64(f64),
    Bool(bool),
    Str(&'a str),
}

impl Column {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::U64 => Self::U64(Vec::new()),
            ColumnType::I64 => Self::I64(Vec::new()),
            ColumnType::F64 => Self::F64(Vec::new()),
            ColumnType::Bool => Self::Bool(Vec::new()),
            ColumnType::Str => Self::Str(Vec::new()),
        }
    }

    /// Whether `cell` may be pushed.
    fn accepts(&self, cell: &Cell) -> bool {
        matches!(
            (self, cell),
            (_, Cell::Null)
                | (Self::U64(_), Cell::U64(_))
                | (Self::I64(_), Cell::I64(_))
                | (Self::F64(_), Cell::F64(_))
                | (Self::Bool(_), Cell::Bool(_))
                | (Self::Str(_), Cell::Str(_))
        )
    }

    /// Pushes a cell that [`Column::accepts`]; `true` when a float was not finite.
    fn push(&mut self, cell: Cell) -> bool {
        match (self, cell) {
            (Self::U64(v), Cell::U64(x)) => v.push(Some(x)),
            (Self::I64(v), Cell::I64(x)) => v.push(Some(x)),
            (Self::F64(v), Cell::F64(x)) => {
                v.push(x.is_finite().then_some(x));
                return !x.is_finite();
            }
            (Self::Bool(v), Cell::Bool(x)) => v.push(Some(x)),
            (Self::Str(v), Cell::Str(x)) => v.push(Some(x)),
            (Self::U64(v), _) => v.push(None),
            (Self::I64(v), _) => v.push(None),
            (Self::F64(v), _) => v.push(None),
            (Self::Bool(v), _) => v.push(None),
            (Self::Str(v), _) => v.push(None),
        }
        false
    }

    fn clear(&mut self) {
        match self {
            Self::U64(v) => v.clear(),
            Self::I64(v) => v.clear(),
            Self::F64(v) => v.clear(),
            Self::Bool(v) => v.clear(),
            Self::Str(v) => v.clear(),
        }
    }

    pub(super) fn get(&self, row: usize) -> CellRef<'_> {
        let found = match self {
            Self::U64(v) => v.get(row).copied().flatten().map(CellRef::U64),
            Self::I64(v) => v.get(row).copied().flatten().map(CellRef::I64),
            Self::F64(v) => v.get(row).copied().flatten().map(CellRef::F64),
            Self::Bool(v) => v.get(row).copied().flatten().map(CellRef::Bool),
            Self::Str(v) => v.get(row).and_then(Option::as_deref).map(CellRef::Str),
        };
        found.unwrap_or(CellRef::Null)
    }
}

/// A table in memory, column by column.
#[derive(Debug, Clone)]
pub struct Table {
    schema: Arc<Schema>,
    columns: Vec<Column>,
    rows: usize,
    not_finite: Vec<u64>,
}

impl Table {
    /// An empty table.
    ///
    /// # Errors
    /// [`Error::Bug`] for a schema without columns or with a name given twice.
    pub fn new(schema: impl Into<Arc<Schema>>) -> Result<Self> {
        let schema = schema.into();
        schema.check()?;
        let columns = schema.columns.iter().map(|c| Column::new(c.kind)).collect();
        let not_finite = vec![0; schema.columns.len()];
        Ok(Self { schema, columns, rows: 0, not_finite })
    }

    /// Adds a row: one cell per column, of its type or null.
    ///
    /// # Errors
    /// [`Error::Bug`] naming the column when the number or a type does not fit; the table is then unchanged.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) -> Result<()> {
        let row: Vec<Cell> = row.into_iter().collect();
        let table = &self.schema.name;
        if row.len() != self.columns.len() {
            let text = format!("table `{table}`: a row of {} cells, {} wanted", row.len(), self.columns.len());
            return Err(Error::Bug(text));
        }
        for ((cell, column), spec) in row.iter().zip(&self.columns).zip(&self.schema.columns) {
            if !column.accepts(cell) {
                let text = format!("table `{table}`: column `{}` is {:?}, got {cell:?}", spec.name, spec.kind);
                return Err(Error::Bug(text));
            }
        }
        for ((cell, column), not_finite) in row.into_iter().zip(&mut self.columns).zip(&mut self.not_finite) {
            *not_finite += u64::from(column.push(cell));
        }
        self.rows += 1;
        Ok(())
    }

    /// Its schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// One value; null outside the table.
    pub fn cell(&self, row: usize, column: usize) -> Cell {
        match self.columns.get(column).map_or(CellRef::Null, |c| c.get(row)) {
            CellRef::Null => Cell::Null,
            CellRef::U64(x) => Cell::U64(x),
            CellRef::I64(x) => Cell::I64(x),
            CellRef::F64(x) => Cell::F64(x),
            CellRef::Bool(x) => Cell::Bool(x),
            CellRef::Str(x) => Cell::Str(x.to_owned()),
        }
    }

    /// Columns in which floats that were not finite became null, with their number. Worth a warning.
    pub fn not_finite(&self) -> Vec<(String, u64)> {
        let named = self.schema.columns.iter().zip(&self.not_finite);
        named.filter(|(_, n)| **n > 0).map(|(c, n)| (c.name.clone(), *n)).collect()
    }

    pub(super) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Removes the rows and keeps the counts of what was not finite.
    pub(super) fn clear_rows(&mut self) {
        self.columns.iter_mut().for_each(Column::clear);
        self.rows = 0;
    }
}

/// The shortest text that reads back as the same float, for a finite one: `0.1`, `1.0`, `1e300`.
pub(super) fn float_text(x: f64) -> String {
    serde_json::Number::from_f64(x).map_or_else(String::new, |n| n.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let schema = Schema::new("t", 1).column("n", ColumnType::U64, "", "").column("x", ColumnType::F64, "s", "");
        Table::new(schema).unwrap()
    }

    #[test]
    fn rows_that_do_not_fit_are_refused_and_change_nothing() {
        let mut t = table();
        assert!(t.push([Cell::from(1u64)]).is_err());
        assert!(t.push([Cell::from(1u64), Cell::from("x")]).is_err());
        t.push([Cell::from(1u64), Cell::from(0.5)]).unwrap();
        assert_eq!((t.rows(), t.cell(0, 1)), (1, Cell::F64(0.5)));
    }

    #[test]
    fn what_is_not_finite_becomes_null_and_is_counted() {
        let mut t = table();
        for x in [f64::NAN, f64::INFINITY, 1.0] {
            t.push([Cell::Null, x.into()]).unwrap();
        }
        assert_eq!((t.cell(0, 1), t.cell(1, 1), t.cell(2, 1)), (Cell::Null, Cell::Null, Cell::F64(1.0)));
        assert_eq!(t.not_finite(), [("x".to_owned(), 2)]);
    }

    #[test]
    fn schemas_without_columns_or_with_twins_are_refused() {
        assert!(Table::new(Schema::new("t", 1)).is_err());
        let twins = Schema::new("t", 1).column("a", ColumnType::U64, "", "").column("a", ColumnType::Str, "", "");
        assert!(Table::new(twins).is_err());
    }

    #[test]
    fn float_text_is_short_and_reads_back() {
        for (x, text) in [(0.1, "0.1"), (1.0, "1.0"), (1e300, "1e+300"), (-0.0, "-0.0"), (5e-324, "5e-324")] {
            assert_eq!(float_text(x), text);
            assert_eq!(float_text(x).parse::<f64>().unwrap().to_bits(), x.to_bits());
        }
    }
}
