use crate::data::*;
use frameloom::index::*;
use frameloom::ops::RowSample;
use frameloom::store::OsIo;

fn built(text: &str, rows: &Rows, threads: Option<usize>) -> FaissIndex {
    let resolved = spec(text).resolve(rows.len(), rows.dim(), false).unwrap();
    FaissIndex::build(resolved, rows, &IndexOptions { threads, ..IndexOptions::default() }).unwrap()
}

fn load(path: &std::path::Path, text: &str, rows: &Rows) -> SavedIndex {
    let resolved = spec(text).resolve(rows.len(), rows.dim(), false).unwrap();
    load_index(path, &resolved, rows, None, &IndexOptions::default()).unwrap()
}

#[test]
fn what_was_saved_searches_as_before_and_threads_do_not_change_a_byte() {
    let folder = tempfile::tempdir().unwrap();
    let rows = held(40, &clustered(41, 3000, 40, 60, 0.6));
    let queries = clustered(42, 50, 40, 60, 0.6);
    for text in ["flat", "ivf", "ivf:codes=f16,nlist=20", "sqfp16", "hnsw:m=8", "PCA16,IVF16,SQ8:nprobe=4"] {
        let path = folder.path().join("x.index");
        let index = built(text, &rows, Some(1));
        let written = save_index(&OsIo, &path, &index).unwrap();
        let SavedIndex::Found(again) = load(&path, text, &rows) else { panic!("{text}") };
        assert_eq!(bits(&again.search(&queries, 8).unwrap()), bits(&index.search(&queries, 8).unwrap()), "{text}");
        let other = save_index(&OsIo, folder.path().join("y.index"), &built(text, &rows, Some(3))).unwrap();
        assert_eq!((written.check, written.file, written.bytes), (other.check, other.file, other.bytes), "{text}");
    }
}

#[test]
fn every_damage_is_found_before_faiss_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.index");
    let rows = held(8, &clustered(43, 200, 8, 5, 0.5));
    save_index(&OsIo, &path, &built("ivf", &rows, None)).unwrap();
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 8);
        put(&path, &bad);
        match load(&path, "ivf", &rows) {
            SavedIndex::Corrupt(_) => assert!(at >= 8),
            SavedIndex::Foreign => assert!(at < 8),
            other => panic!("byte {at}: {other:?}"),
        }
    }
    for length in (8..good.len()).step_by(17) {
        put(&path, &good[..length]);
        assert!(matches!(load(&path, "ivf", &rows), SavedIndex::Corrupt(_)), "cut at {length}");
    }
    put(&path, &good);
    assert!(matches!(load(&path, "ivf", &rows), SavedIndex::Found(_)));
    // A number of lists searched is no matter of the file; another index, other rows and another file are.
    assert!(matches!(load(&path, "ivf:nprobe=1", &rows), SavedIndex::Found(_)));
    let stale = |text: &str, rows: &Rows| match load(&path, text, rows) {
        SavedIndex::Stale(fields) => fields,
        other => panic!("{other:?}"),
    };
    assert_eq!(stale("ivf:nlist=2", &rows), ["kind"]);
    assert_eq!(stale("ivf", &held(8, &clustered(44, 200, 8, 5, 0.5))), ["rows"]);
    let resolved = spec("ivf").resolve(200, 8, false).unwrap();
    let other = Some(&rows.content_hash());
    let answer = load_index(&path, &resolved, &rows, other, &IndexOptions::default()).unwrap();
    assert!(matches!(answer, SavedIndex::Stale(fields) if fields == ["content"]));
}

#[test]
fn opening_loads_what_fits_and_says_why_it_built() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.index");
    let (_a, rows) = mapped(RowSample::F32, 16, &clustered(45, 800, 16, 10, 0.5));
    let (_b, other) = mapped(RowSample::F32, 16, &clustered(46, 800, 16, 10, 0.5));
    let open = |text: &str, rows: &Rows| open_index(&OsIo, &path, &spec(text), rows, &IndexOptions::default());
    let reason = |text: &str, rows: &Rows| match open(text, rows).unwrap().1 {
        IndexOrigin::Built { reason } => reason,
        other => panic!("{other:?}"),
    };
    for text in ["flat", "host", "sqfp16", "auto"] {
        assert_eq!(open(text, &rows).unwrap().1, IndexOrigin::Immediate, "{text}");
    }
    assert!(!path.exists());
    assert_eq!(reason("ivf", &rows), "there was none");
    assert_eq!(open("ivf", &rows).unwrap().1, IndexOrigin::Loaded);
    assert_eq!(open("ivf:nprobe=2", &rows).unwrap().0.spec().to_string(), "ivf:nlist=20,nprobe=2,codes=f32");
    assert_eq!(reason("ivf", &other), "it was made for something else (different: rows)");
    assert_eq!(reason("hnsw", &other), "it was made for something else (different: kind)");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[100] ^= 1;
    put(&path, &bytes);
    assert!(reason("hnsw", &other).starts_with("it was damaged"));
    // A file of somebody else stays.
    put(&path, b"a letter");
    let e = open("hnsw", &other).unwrap_err();
    assert!(e.code() == "index" && std::fs::read(&path).unwrap() == b"a letter", "{e}");
}
