use crate::data::*;
use frameloom::Error;
use frameloom::index::*;
use frameloom::ops::RowSample;
use frameloom::store::{OsIo, commit};
use std::io::Write;

const TAIL: usize = 104;

fn cause(e: &Error) -> &'static str {
    match e {
        Error::Index { cause, .. } => cause,
        other => panic!("{other}"),
    }
}

#[test]
fn rows_come_back_and_searching_the_file_equals_searching_memory() {
    let values = clustered(31, 1500, 45, 20, 0.5);
    let queries = clustered(32, 40, 45, 20, 0.5);
    for sample in [RowSample::F32, RowSample::F16] {
        let memory = Rows::new(45, sample, values.clone()).unwrap();
        let (_folder, file) = mapped(sample, 45, &values);
        assert!(file.is_mapped() && !memory.is_mapped());
        assert_eq!((file.dim(), file.len(), file.sample(), file.bytes()), (45, 1500, sample, memory.bytes()));
        assert_eq!((file.content_hash(), file.longest()), (memory.content_hash(), memory.longest()));
        let (mut a, mut b) = (Vec::new(), Vec::new());
        file.copy_to(3..1499, &mut a);
        memory.copy_to(3..1499, &mut b);
        assert!(a == b && file.row(1500).is_empty() && file.row(7) == memory.row(7));
        for text in if cfg!(feature = "faiss") { &["host", "flat", "ivf", "sqfp16"][..] } else { &["host"] } {
            let wanted = bits(&build(text, &memory).search(&queries, 9).unwrap());
            assert_eq!(bits(&build(text, &file).search(&queries, 9).unwrap()), wanted, "{text} {sample}");
        }
    }
}

#[test]
fn writing_anew_adds_and_removes() {
    let values = integers(33, 600 * 7);
    let (folder, old) = mapped(RowSample::F32, 7, &values);
    let path = folder.path().join("x.rows");
    let mut writer = RowsWriter::create(&OsIo, &path, 7, RowSample::F32).unwrap();
    assert!(writer.is_empty());
    assert_eq!(writer.push_from(&old, 0..300).unwrap(), 0);
    assert_eq!(writer.push_from(&old, 301..600).unwrap(), 300);
    assert_eq!(writer.push(&[9.0; 14]).unwrap(), 599);
    assert!(writer.push(&[1.0; 8]).is_err() && writer.push(&[f32::NAN; 7]).is_err() && writer.len() == 601);
    assert!(writer.push_from(&old, 599..601).is_err() && writer.push_from(&held(6, &[]), 0..0).is_err());
    let written = writer.commit().unwrap();
    let new = Rows::open(&path, Some(&written.content)).unwrap();
    let mut wanted = values.clone();
    wanted.drain(300 * 7..301 * 7);
    wanted.extend([9.0; 14]);
    assert_eq!((written.count, new.content_hash()), (601, held(7, &wanted).content_hash()));
    // The old one still is what it was.
    assert_eq!(old.row(300), values[300 * 7..301 * 7]);
    old.verify().unwrap();
    let e = Rows::open(&path, Some(&old.content_hash())).unwrap_err();
    assert_eq!((cause(&e), e.exit_code()), ("stale", 9));
    // Not committed: nothing happened.
    drop(RowsWriter::create(&OsIo, &path, 7, RowSample::F16).unwrap());
    assert_eq!(Rows::open(&path, None).unwrap().content_hash(), written.content);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn every_damage_is_found_before_a_result() {
    let values = clustered(34, 130, 8, 5, 0.5);
    for sample in [RowSample::F32, RowSample::F16] {
        let (folder, rows) = mapped(sample, 8, &values);
        let path = folder.path().join("x.rows");
        let good = std::fs::read(&path).unwrap();
        let body = good.len() - TAIL - rows.bytes() as usize..good.len() - TAIL;
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            put(&path, &bad);
            match Rows::open(&path, None) {
                Ok(rows) => {
                    assert!(body.contains(&at), "byte {at} of the header");
                    for text in if cfg!(feature = "faiss") { &["host", "flat"][..] } else { &["host"] } {
                        // Every time, not only the first.
                        let found = build_index(&spec(text), &rows, &IndexOptions::default())
                            .and_then(|index| index.search(&values[..8], 1).and(index.search(&values[..8], 1)));
                        assert_eq!(cause(&found.unwrap_err()), "corrupt", "{text}, byte {at}");
                    }
                }
                Err(e) => assert!(!body.contains(&at) && cause(&e) == "corrupt", "byte {at}: {e}"),
            }
        }
        for length in (0..good.len()).step_by(7) {
            put(&path, &good[..length]);
            assert_eq!(cause(&Rows::open(&path, None).unwrap_err()), "corrupt", "cut at {length}");
        }
        let mut longer = good.clone();
        longer.push(0);
        put(&path, &longer);
        assert_eq!(cause(&Rows::open(&path, None).unwrap_err()), "corrupt");
    }
}

#[test]
fn missing_foreign_and_newer_files_are_told_apart() {
    let (folder, rows) = mapped(RowSample::F32, 3, &[1.0; 9]);
    let path = folder.path().join("x.rows");
    let good = std::fs::read(&path).unwrap();
    let other = folder.path().join("other");
    assert_eq!(cause(&Rows::open(&other, None).unwrap_err()), "missing");
    for foreign in [&b"PNG"[..], &[7; 500]] {
        put(&other, foreign);
        assert_eq!(cause(&Rows::open(&other, None).unwrap_err()), "foreign");
    }
    assert_eq!(Rows::open(folder.path(), None).unwrap_err().exit_code(), 7);
    std::os::unix::fs::symlink(&path, folder.path().join("link")).unwrap();
    assert!(Rows::open(folder.path().join("link"), None).is_err());
    // A newer version, with its checksum.
    let mut newer = good.clone();
    let tail = newer.len() - TAIL;
    newer[tail + 8] = 2;
    let head = tail - rows.bytes() as usize;
    let check = blake3_of(&[&newer[..head], &newer[tail..tail + TAIL - 32]]);
    newer[tail + TAIL - 32..].copy_from_slice(&check);
    put(&other, &newer);
    let e = Rows::open(&other, None).unwrap_err();
    assert!(e.code() == "state-newer-version" && e.exit_code() == 11, "{e}");
}

/// BLAKE3 of pieces, by way of a committed file.
fn blake3_of(parts: &[&[u8]]) -> [u8; 32] {
    let folder = tempfile::tempdir().unwrap();
    *commit(&OsIo, folder.path().join("x"), |w| parts.iter().try_for_each(|p| w.write_all(p)))
        .unwrap()
        .blake3
        .as_bytes()
}
