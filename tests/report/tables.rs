//! Round trips of JSONL, CSV and Parquet, each through another reader than our writer.

use std::path::Path;

use frameloom::Error;
use frameloom::report::{Cell, ColumnType, Schema, TableFormats, TableSink};
use frameloom::store::OsIo;
use frameloom::store::crash_fs::{CrashFs, Fault};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::sample::{rows_of, schema};

/// More than one row group.
const ROWS: u32 = 40_000;

fn written(folder: &Path, formats: TableFormats) -> frameloom::report::SinkDone {
    let mut sink = TableSink::create(&OsIo, folder.join("frames"), schema(), formats).unwrap();
    rows_of(ROWS).for_each(|row| sink.push(row).unwrap());
    sink.finish().unwrap()
}

/// What must come back: NaN as null.
fn expected() -> impl Iterator<Item = Vec<Cell>> {
    rows_of(ROWS).map(|row| {
        row.into_iter().map(|cell| if matches!(cell, Cell::F64(x) if x.is_nan()) { Cell::Null } else { cell }).collect()
    })
}

#[test]
fn parquet_comes_back_through_its_own_reader() {
    let folder = tempfile::tempdir().unwrap();
    let done = written(folder.path(), TableFormats::default());
    assert_eq!((done.rows, done.not_finite), (u64::from(ROWS), vec![("sharpness".to_owned(), u64::from(ROWS) / 100)]));
    let file = std::fs::File::open(folder.path().join("frames.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    assert_eq!(reader.num_row_groups(), 3);
    let meta = reader.metadata().file_metadata();
    let pairs = meta.key_value_metadata().unwrap();
    let value = |key: &str| pairs.iter().find(|kv| kv.key == key).unwrap().value.clone().unwrap();
    assert_eq!((value("frameloom.schema"), value("frameloom.schema_version")), ("sample.frames".into(), "1".into()));
    let columns: serde_json::Value = serde_json::from_str(&value("frameloom.columns")).unwrap();
    assert_eq!((&columns[1]["unit"], &columns[1]["type"]), (&"s".into(), &"f64".into()));
    let mut rows = reader.get_row_iter(None).unwrap();
    for want in expected() {
        let row = rows.next().unwrap().unwrap();
        let found: Vec<Cell> = row
            .get_column_iter()
            .map(|(_, field)| match field {
                Field::Null => Cell::Null,
                Field::ULong(x) => Cell::U64(*x),
                Field::Long(x) => Cell::I64(*x),
                Field::Double(x) => Cell::F64(*x),
                Field::Bool(x) => Cell::Bool(*x),
                Field::Str(x) => Cell::Str(x.clone()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(found, want);
    }
    assert!(rows.next().is_none());
}

#[test]
fn jsonl_and_csv_come_back() {
    let folder = tempfile::tempdir().unwrap();
    written(folder.path(), TableFormats { jsonl: true, csv: true, parquet: false });
    assert!(!folder.path().join("frames.parquet").exists());
    let names: Vec<String> = schema().columns.iter().map(|c| c.name.clone()).collect();
    let jsonl = std::fs::read_to_string(folder.path().join("frames.jsonl")).unwrap();
    let mut csv = csv::Reader::from_path(folder.path().join("frames.csv")).unwrap();
    assert_eq!(csv.headers().unwrap().iter().collect::<Vec<_>>(), names);
    let mut records = csv.records();
    let mut lines = jsonl.lines();
    for want in expected() {
        let line = lines.next().unwrap();
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        let record = records.next().unwrap().unwrap();
        for ((name, want), text) in names.iter().zip(want).zip(record.iter()) {
            let (json, plain) = match want {
                Cell::Null => (serde_json::Value::Null, String::new()),
                Cell::U64(x) => (x.into(), x.to_string()),
                Cell::I64(x) => (x.into(), x.to_string()),
                Cell::F64(x) => {
                    assert_eq!(text.parse::<f64>().unwrap().to_bits(), x.to_bits());
                    // serde_json reads floats to within one unit in the last place, so the text itself is compared.
                    assert!(line.contains(&format!("\"{name}\":{text}")), "{line}");
                    (object[name.as_str()].clone(), text.to_owned())
                }
                Cell::Bool(x) => (x.into(), x.to_string()),
                Cell::Str(x) => (x.clone().into(), x),
            };
            assert_eq!((&object[name.as_str()], text), (&json, plain.as_str()), "{name}");
        }
    }
    assert!(lines.next().is_none() && records.next().is_none());
}

#[test]
fn the_same_rows_give_the_same_bytes_and_the_schema_is_beside_them() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let hashes = |folder: &Path| {
        let done = written(folder, TableFormats::default());
        let name = |p: &Path| p.file_name().unwrap().to_str().unwrap().to_owned();
        done.files.iter().map(|f| (name(&f.path), f.blake3)).collect::<Vec<_>>()
    };
    let first = hashes(a.path());
    assert_eq!(first, hashes(b.path()));
    let names: Vec<&str> = first.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(names, ["frames.schema.json", "frames.jsonl", "frames.csv", "frames.parquet"]);
    let text = std::fs::read(a.path().join("frames.schema.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!((&json["name"], &json["columns"][3]["unit"]), (&"sample.frames".into(), &"ms".into()));
}

#[test]
fn no_rows_are_a_table_too() {
    let folder = tempfile::tempdir().unwrap();
    let sink = TableSink::create(&OsIo, folder.path().join("frames"), schema(), TableFormats::default()).unwrap();
    sink.finish().unwrap();
    let file = std::fs::File::open(folder.path().join("frames.parquet")).unwrap();
    let reader = SerializedFileReader::new(file).unwrap();
    assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    assert_eq!(reader.metadata().file_metadata().schema_descr().num_columns(), 6);
    assert_eq!(std::fs::read(folder.path().join("frames.jsonl")).unwrap(), b"");
    assert_eq!(std::fs::read_to_string(folder.path().join("frames.csv")).unwrap().lines().count(), 1);
}

#[test]
fn extreme_values_survive_in_all_formats() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::new("extreme", 3)
        .column("u", ColumnType::U64, "", "")
        .column("i", ColumnType::I64, "", "")
        .column("f \"quoted\", <b>", ColumnType::F64, "", "")
        .column("s", ColumnType::Str, "", "");
    let rows = [
        (u64::MAX, i64::MIN, f64::MAX, "\u{0}\u{1b}[31m\r\n\"',;\u{1F3AC}"),
        (0, i64::MAX, 5e-324, "=1+1"),
        (1 << 63, -1, -0.0, "\\"),
    ];
    let mut sink = TableSink::create(&OsIo, folder.path().join("x"), schema, TableFormats::default()).unwrap();
    for (u, i, f, s) in rows {
        sink.push([u.into(), i.into(), f.into(), s.into()]).unwrap();
    }
    sink.finish().unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(folder.path().join("x.parquet")).unwrap()).unwrap();
    let jsonl = std::fs::read_to_string(folder.path().join("x.jsonl")).unwrap();
    let mut csv = csv::Reader::from_path(folder.path().join("x.csv")).unwrap();
    let table = reader.get_row_iter(None).unwrap().zip(jsonl.lines()).zip(csv.records());
    let mut seen = 0;
    for (((row, line), record), (u, i, f, s)) in table.zip(rows) {
        let fields: Vec<Field> = row.unwrap().get_column_iter().map(|(_, f)| f.clone()).collect();
        assert_eq!(fields, [Field::ULong(u), Field::Long(i), Field::Double(f), Field::Str(s.into())]);
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!((json["u"].as_u64(), json["i"].as_i64(), json["s"].as_str()), (Some(u), Some(i), Some(s)));
        assert!((json["f \"quoted\", <b>"].as_f64().unwrap() - f).abs() <= f.abs() * 1e-15);
        let record = record.unwrap();
        assert_eq!((&record[0], &record[3]), (u.to_string().as_str(), s));
        assert_eq!(record[2].parse::<f64>().unwrap().to_bits(), f.to_bits());
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[test]
fn a_full_disk_is_told_as_one_and_leaves_nothing_half() {
    let calls = {
        let fs = CrashFs::new(Fault::None);
        fill(&fs).unwrap();
        fs.calls()
    };
    for at in 1..calls {
        let fs = CrashFs::new(Fault::Full(at));
        if let Err(e) = fill(&fs) {
            assert!(matches!(e, Error::Storage { .. }), "{e}");
            assert_eq!(e.code(), "storage-no-space", "from call {at}: {e}");
        }
        let names: Vec<String> = fs.files().keys().map(|p| p.file_name().unwrap().to_str().unwrap().into()).collect();
        assert!(names.iter().all(|n| !n.contains(".tmp-")), "{names:?}");
    }
}

fn fill(fs: &CrashFs) -> frameloom::Result<()> {
    use frameloom::store::StoreIo;
    fs.create_dir_all(Path::new("/out")).map_err(|e| Error::storage("create", "/out", e))?;
    let mut sink = TableSink::create(fs, "/out/frames", schema(), TableFormats::default())?;
    for row in rows_of(20_000) {
        sink.push(row)?;
    }
    sink.finish().map(|_| ())
}
