//! Parquet: one row group per piece, Snappy, all columns optional. The schema's name, version, units and descriptions are in
//! the file's key-value metadata: `frameloom.schema`, `frameloom.schema_version`, `frameloom.columns` (JSON).

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;

use super::table::{Column, ColumnSpec, ColumnType, Schema, Table};

/// Writes tables of one schema, piece by piece, as Parquet. Memory: one piece, and about 100 bytes per column and piece for
/// the footer.
#[derive(Debug)]
pub struct ParquetTable<W: Write + Send> {
    to: SerializedFileWriter<W>,
}

impl<W: Write + Send> ParquetTable<W> {
    /// Writes the head of the file.
    ///
    /// # Errors
    /// Those of the writer underneath.
    pub fn new(to: W, schema: &Schema) -> io::Result<Self> {
        let columns = serde_json::to_string(&schema.columns)?;
        let metadata = vec![
            KeyValue::new("frameloom.schema".into(), schema.name.clone()),
            KeyValue::new("frameloom.schema_version".into(), schema.version.to_string()),
            KeyValue::new("frameloom.columns".into(), columns),
        ];
        let properties = WriterProperties::builder()
            .set_created_by(concat!("frameloom version ", env!("CARGO_PKG_VERSION")).into())
            .set_compression(Compression::SNAPPY)
            .set_key_value_metadata(Some(metadata))
            .build();
        let to = message(schema).and_then(|root| SerializedFileWriter::new(to, Arc::new(root), Arc::new(properties)));
        Ok(Self { to: to.map_err(to_io)? })
    }

    /// Appends all rows of `rows` as one row group; nothing when there are none.
    ///
    /// # Errors
    /// Those of the writer underneath.
    pub fn write(&mut self, rows: &Table) -> io::Result<()> {
        if rows.rows() == 0 {
            return Ok(());
        }
        self.write_group(rows).map_err(to_io)
    }

    /// Writes the footer, and gives the writer underneath back.
    ///
    /// # Errors
    /// Those of the writer underneath.
    pub fn into_inner(self) -> io::Result<W> {
        self.to.into_inner().map_err(to_io)
    }

    fn write_group(&mut self, rows: &Table) -> ParquetResult<()> {
        let mut group = self.to.next_row_group()?;
        for column in rows.columns() {
            let Some(mut to) = group.next_column()? else {
                return Err(ParquetError::General("more columns than the schema has".into()));
            };
            match column {
                // The logical type says that the bits are unsigned.
                Column::U64(v) => write_column::<Int64Type, _>(&mut to, v, |x| x.cast_signed()),
                Column::I64(v) => write_column::<Int64Type, _>(&mut to, v, |x| *x),
                Column::F64(v) => write_column::<DoubleType, _>(&mut to, v, |x| *x),
                Column::Bool(v) => write_column::<BoolType, _>(&mut to, v, |x| *x),
                Column::Str(v) => write_column::<ByteArrayType, _>(&mut to, v, |x| ByteArray::from(x.as_str())),
            }?;
            to.close()?;
        }
        group.close()?;
        Ok(())
    }
}

fn write_column<D: DataType, T>(
    to: &mut SerializedColumnWriter<'_>,
    values: &[Option<T>],
    convert: impl Fn(&T) -> D::T,
) -> ParquetResult<()> {
    let present: Vec<i16> = values.iter().map(|v| i16::from(v.is_some())).collect();
    let values: Vec<D::T> = values.iter().flatten().map(convert).collect();
    to.typed::<D>().write_batch(&values, Some(&present), None)?;
    Ok(())
}

fn message(schema: &Schema) -> ParquetResult<Type> {
    let fields = schema.columns.iter().map(field).collect::<ParquetResult<Vec<_>>>()?;
    Type::group_type_builder("schema").with_fields(fields).build()
}

fn field(column: &ColumnSpec) -> ParquetResult<Arc<Type>> {
    let (physical, logical) = match column.kind {
        ColumnType::U64 => (Physical::INT64, Some(LogicalType::integer(64, false))),
        ColumnType::I64 => (Physical::INT64, Some(LogicalType::integer(64, true))),
        ColumnType::F64 => (Physical::DOUBLE, None),
        ColumnType::Bool => (Physical::BOOLEAN, None),
        ColumnType::Str => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let field = Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(field))
}

/// Gives an I/O error back as it was, so that a full disk is still told as one.
fn to_io(e: ParquetError) -> io::Error {
    match e {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(e) => *e,
            Err(other) => io::Error::other(other),
        },
        other => io::Error::other(other),
    }
}
