use crate::data::*;
use frameloom::index::*;
use frameloom::ops::RowSample;

#[test]
fn rows_and_queries_that_make_no_sense() {
    for (dim, values) in
        [(0, vec![]), (70_000, vec![]), (3, vec![1.0; 4]), (1, vec![f32::NAN]), (1, vec![f32::INFINITY])]
    {
        let e = Rows::new(dim, RowSample::F32, values).unwrap_err();
        assert!(e.code() == "parameter" && e.exit_code() == 2, "{e}");
    }
    let e = Rows::new(2, RowSample::F16, vec![0.0, 1.0, 70_000.0, 0.0]).unwrap_err();
    assert!(e.to_string().contains("finite numbers in f16, got 70000.0 in row 1"), "{e}");
    let rows = held(3, &[1.0; 9]);
    let texts: &[&str] = if cfg!(feature = "faiss") { &["host", "flat", "ivf"] } else { &["host"] };
    for text in texts {
        let index = build(text, &rows);
        for (queries, k, part) in [
            (&[1.0; 3][..], 0, "`k` must be at least 1"),
            (&[1.0; 4], 1, "rows of 3 numbers, got 4"),
            (&[1.0, 1.0, 1.0, 1.0, f32::NAN, 1.0], 1, "finite numbers, got NaN in query 1"),
        ] {
            let e = index.search(queries, k).unwrap_err();
            assert!(e.to_string().contains(part), "{text}: {e}");
        }
    }
}

#[test]
fn indexes_that_cannot_be_built() {
    let rows = held(6, &[0.5; 600]);
    let refused = |text: &str| build_index(&spec(text), &rows, &IndexOptions::default()).map(|_| ()).unwrap_err();
    assert!(refused("flat-gpu").to_string().contains("needs a GPU context"));
    for (text, part) in match cfg!(feature = "faiss") {
        true => &[
            ("Nonsense", "FAISS refuses the index `Nonsense` for rows of 6 numbers"),
            ("Flat:nprobe=3", "FAISS refuses `nprobe=3`"),
            ("ivf:nlist=50", "nlist must be at most 2 for 100 rows"),
        ][..],
        false => &[("flat", "this build has none (feature `faiss`)")],
    } {
        let e = refused(text);
        assert!(e.to_string().contains(part) && e.exit_code() == 2, "{text}: {e}");
    }
}

#[test]
fn memory_is_known_before() {
    let memory = |text: &str, mapped| spec(text).memory_of((500_000, 376, RowSample::F32), mapped, false).unwrap();
    let rows = 500_000 * 376 * 4;
    let host = memory("host", true);
    assert_eq!((host.rows_mapped, host.rows_held, host.index, host.resident(), host.needed()), (rows, 0, 0, rows, 0));
    assert_eq!(memory("flat-gpu:f16", false).gpu, 500_000 * 752);
    assert_eq!(memory("host", false).needed(), rows);
    if cfg!(feature = "faiss") {
        assert_eq!((memory("flat", true).index, memory("flat", false).index), (0, rows));
        assert_eq!(memory("sqfp16", true).index, rows / 2);
        assert_eq!(memory("ivf:nlist=1000", true).index, rows + 500_000 * 8 + 1000 * 376 * 4);
        assert!(memory("ivf", true).building > 0 && memory("hnsw", true).index > rows);
    }
}
