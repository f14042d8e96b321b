//! Tables that [`ParquetTable`](super::ParquetTable) wrote, read back.

use std::path::Path;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::table::{Cell, ColumnType, Schema, Table};
use crate::error::{Error, Result};

/// Reads the Parquet file at `path`, which must hold a table of `schema`: the same name, version and columns.
///
/// # Errors
/// [`Error::InputNotFound`]; [`Error::InputCorrupt`] for what is no Parquet file or another table; [`Error::LimitExceeded`] for more than
/// `most_rows` rows.
pub fn read_parquet(path: impl AsRef<Path>, schema: &Schema, most_rows: u64) -> Result<Table> {
    let path = path.as_ref();
    let corrupt = |reason: String| Error::InputCorrupt { path: path.to_path_buf(), reason };
    let broken = |e: ParquetError| corrupt(e.to_string());
    let missing = |e: std::io::Error| Error::unreadable(path, &e);
    let file = std::fs::File::open(path).map_err(missing)?;
    let reader = SerializedFileReader::new(file).map_err(broken)?;
    let meta = reader.metadata().file_metadata();
    let entry = |key: &str| {
        let all = meta.key_value_metadata()?;
        all.iter().find(|k| k.key == key)?.value.clone()
    };
    let named = (entry("frameloom.schema"), entry("frameloom.schema_version"));
    let columns = meta.schema_descr().num_columns();
    if named != (Some(schema.name.clone()), Some(schema.version.to_string())) || columns != schema.columns.len() {
        let (name, version) = (named.0.unwrap_or_else(|| "no table of ours".into()), named.1.unwrap_or_default());
        return Err(corrupt(format!("it holds {name} {version}; {} {} is wanted", schema.name, schema.version)));
    }
    let rows = u64::try_from(meta.num_rows()).map_err(|_| corrupt("a negative number of rows".into()))?;
    if rows > most_rows {
        let what = format!("the number of rows of a table of {}", schema.name);
        return Err(Error::LimitExceeded { name: "rows", what, value: rows, limit: most_rows });
    }
    let mut table = Table::new(schema.clone())?;
    for index in 0..reader.num_row_groups() {
        let group = reader.get_row_group(index).map_err(broken)?;
        let rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        let mut columns = Vec::with_capacity(columns);
        for (i, spec) in schema.columns.iter().enumerate() {
            let column = group.get_column_reader(i).and_then(|c| cells(c, rows, spec.kind)).map_err(broken)?;
            if column.len() != rows {
                return Err(corrupt(format!("column `{}` has {} of {rows} values", spec.name, column.len())));
            }
            columns.push(column.into_iter());
        }
        for _ in 0..rows {
            let row: Vec<Cell> = columns.iter_mut().map(|c| c.next().unwrap_or(Cell::Null)).collect();
            // Columns of another type than the schema's.
            table.push(row).map_err(|e| corrupt(e.to_string()))?;
        }
    }
    Ok(table)
}

/// The values of a column; `kind` tells unsigned integers from signed ones.
fn cells(column: ColumnReader, rows: usize, kind: ColumnType) -> ParquetResult<Vec<Cell>> {
    match column {
        ColumnReader::BoolColumnReader(mut r) => values(&mut r, rows, |v| Cell::Bool(*v)),
        ColumnReader::DoubleColumnReader(mut r) => values(&mut r, rows, |v| Cell::F64(*v)),
        ColumnReader::ByteArrayColumnReader(mut r) => {
            values(&mut r, rows, |v| Cell::Str(String::from_utf8_lossy(v.data()).into_owned()))
        }
        ColumnReader::Int64ColumnReader(mut r) if kind == ColumnType::U64 => {
            values(&mut r, rows, |v| Cell::U64(v.cast_unsigned()))
        }
        ColumnReader::Int64ColumnReader(mut r) => values(&mut r, rows, |v| Cell::I64(*v)),
        _ => Err(ParquetError::General("a column of a type that is never written".into())),
    }
}

fn values<D: DataType>(
    reader: &mut ColumnReaderImpl<D>,
    rows: usize,
    cell: impl Fn(&D::T) -> Cell,
) -> ParquetResult<Vec<Cell>> {
    let (mut levels, mut found) = (Vec::new(), Vec::new());
    let mut read = 0;
    while read < rows {
        let (records, _, _) = reader.read_records(rows - read, Some(&mut levels), None, &mut found)?;
        if records == 0 {
            break;
        }
        read += records;
    }
    let mut found = found.iter();
    let each = |level: &i16| if *level > 0 { found.next().map_or(Cell::Null, &cell) } else { Cell::Null };
    Ok(levels.iter().map(each).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{TableFormats, TableSink};
    use crate::store::OsIo;

    fn schema() -> Schema {
        Schema::new("test.rows", 2)
            .column("n", ColumnType::U64, "", "Number.")
            .column("i", ColumnType::I64, "", "Signed.")
            .column("x", ColumnType::F64, "s", "Float.")
            .column("b", ColumnType::Bool, "", "Flag.")
            .column("t", ColumnType::Str, "", "Text.")
    }

    #[test]
    fn what_was_written_comes_back_and_nothing_else_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let formats = TableFormats { jsonl: false, csv: false, parquet: true };
        let mut sink = TableSink::create(&OsIo, folder.path().join("t"), schema(), formats).unwrap();
        let rows = 40_000u64;
        let row = |i: u64| -> [Cell; 5] {
            if i % 7 == 3 {
                return [i.into(), Cell::Null, Cell::Null, Cell::Null, Cell::Null];
            }
            [
                (u64::MAX - i).into(),
                (-(i as i64)).into(),
                (i as f64 / 3.0).into(),
                i.is_multiple_of(2).into(),
                format!("r{i}").into(),
            ]
        };
        for i in 0..rows {
            sink.push(row(i)).unwrap();
        }
        sink.finish().unwrap();
        let path = folder.path().join("t.parquet");
        let table = read_parquet(&path, &schema(), 1 << 20).unwrap();
        assert_eq!(table.rows() as u64, rows);
        for i in [0, 3, 16_383, 16_384, 39_999] {
            let found: Vec<Cell> = (0..5).map(|c| table.cell(i as usize, c)).collect();
            assert_eq!(found, row(i), "{i}");
        }
        assert!(matches!(read_parquet(&path, &schema(), 10), Err(Error::LimitExceeded { .. })));
        let other = Schema { version: 3, ..schema() };
        assert!(read_parquet(&path, &other, 1 << 20).unwrap_err().to_string().contains("test.rows 2"));
        std::fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(500).unwrap();
        assert!(matches!(read_parquet(&path, &schema(), 1 << 20), Err(Error::InputCorrupt { .. })));
        assert!(matches!(read_parquet(folder.path().join("x"), &schema(), 1), Err(Error::InputNotFound { .. })));
    }
}
