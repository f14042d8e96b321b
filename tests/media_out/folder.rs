//! Folders of pictures.

use std::path::Path;

use frameloom::core::{Limits, Rational, Size};
use frameloom::media::{DecodeHint, FolderFrames, ListOptions, list_images};

use crate::support::*;

fn picture(path: &Path, size: &str) {
    let source = format!("testsrc2=s={size}");
    let made = path.with_file_name("made.png");
    ffmpeg(&["-f", "lavfi", "-i", &source, "-frames:v", "1", made.to_str().unwrap()]);
    std::fs::copy(&made, path).unwrap();
    std::fs::remove_file(&made).unwrap();
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_string_lossy().into_owned()
}

#[test]
fn files_come_in_natural_order_and_the_rest_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for name in ["frame10.png", "frame2.png", "frame1.png", "noext"] {
        picture(&root.join(name), "32x16");
    }
    std::fs::create_dir(root.join("sub")).unwrap();
    picture(&root.join("sub/frame1.png"), "32x16");
    for (name, text) in [("notes.txt", "hello"), ("empty.png", ""), ("fake.png", "not a picture at all")] {
        std::io::Write::write_all(&mut std::fs::File::create(root.join(name)).unwrap(), text.as_bytes()).unwrap();
    }
    std::os::unix::fs::symlink(root.join("frame1.png"), root.join("link.png")).unwrap();
    std::os::unix::fs::symlink(root, root.join("sub/loop")).unwrap();
    std::os::unix::fs::symlink(root.join("gone"), root.join("broken.png")).unwrap();

    let list = |recursive, follow_symlinks| {
        let l = list_images(root, ListOptions { recursive, follow_symlinks }, &Limits::default()).unwrap();
        let files: Vec<_> = l.files.iter().map(|p| relative(root, p)).collect();
        let skipped: Vec<_> = l.skipped.iter().map(|s| (relative(root, &s.path), s.reason.clone())).collect();
        (files, skipped)
    };
    let (files, skipped) = list(false, false);
    assert_eq!(files, ["frame1.png", "frame2.png", "frame10.png", "noext"]);
    let want = [
        ("broken.png", "symbolic link"),
        ("empty.png", "not a picture"),
        ("fake.png", "not a picture"),
        ("link.png", "symbolic link"),
        ("notes.txt", "not a picture"),
        ("sub", "folder"),
    ];
    assert_eq!(skipped, want.map(|(p, r)| (p.to_owned(), r.to_owned())));
    let (files, skipped) = list(true, false);
    assert_eq!(files, ["frame1.png", "frame2.png", "frame10.png", "noext", "sub/frame1.png"]);
    assert!(skipped.iter().any(|(p, _)| p == "sub/loop"));
    let (files, skipped) = list(true, true);
    assert!(files.contains(&"link.png".to_owned()) && files.len() == 6, "{files:?}");
    assert!(skipped.contains(&("sub/loop".into(), "folder seen before".into())), "{skipped:?}");
    assert!(skipped.iter().any(|(p, r)| p == "broken.png" && r.starts_with("broken link")));

    let few = Limits { frames: 3, ..Limits::default() };
    assert_eq!(list_images(root, ListOptions::default(), &few).unwrap_err().code(), "limit-exceeded");
    let e = list_images(root.join("absent"), ListOptions::default(), &Limits::default()).unwrap_err();
    assert_eq!(e.code(), "input-not-found");
}

#[cfg(unix)]
#[test]
fn strange_names_are_listed_and_decoded() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    for name in [&b"line\nbreak.png"[..], b"not\xffutf8.png", b"-v.png", b"a:b.png", b"%d.png", b" .png", b"\x1b[31m"] {
        picture(&dir.path().join(std::ffi::OsStr::from_bytes(name)), "32x16");
    }
    let list = list_images(dir.path(), ListOptions::default(), &Limits::default()).unwrap();
    assert_eq!((list.files.len(), list.skipped.len()), (7, 0));
    let rate = Rational { num: 25, den: 1 };
    let frames = FolderFrames::new(list.files, rate, 0, Limits::default(), DecodeHint::default()).unwrap();
    assert!(frames.map(|f| f.unwrap().image.size).all(|s| s == Size::new(32, 16)));
}

#[test]
fn frames_keep_their_own_size_and_time_around_a_bad_one() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    picture(&root.join("f1.png"), "32x16");
    picture(&root.join("f2.png"), "64x48");
    let cut = std::fs::read(root.join("f1.png")).unwrap();
    std::io::Write::write_all(&mut std::fs::File::create(root.join("f3.png")).unwrap(), &cut[..cut.len() / 2]).unwrap();
    picture(&root.join("f10.png"), "16x16");
    let files = list_images(root, ListOptions::default(), &Limits::default()).unwrap().files;
    let rate = Rational { num: 30_000, den: 1001 };
    let mut frames = FolderFrames::new(files.clone(), rate, 7, Limits::default(), DecodeHint::default()).unwrap();
    assert_eq!((frames.len(), frames.time_base()), (4, Rational { num: 1001, den: 30_000 }));
    let a = frames.next().unwrap().unwrap();
    assert_eq!((a.image.size, a.info.pts, a.info.stream, a.info.index), (Size::new(32, 16), Some(0), 7, 0));
    assert_eq!(frames.next().unwrap().unwrap().image.size, Size::new(64, 48));
    assert_eq!(frames.next().unwrap().unwrap_err().code(), "input-corrupt");
    let d = frames.next().unwrap().unwrap();
    assert_eq!((d.image.size, d.info.pts, d.info.seconds()), (Size::new(16, 16), Some(3), Some(0.1001)));
    assert!(frames.next().is_none());
    for rate in [Rational { num: 0, den: 1 }, Rational { num: 1, den: 0 }, Rational { num: -1, den: 1 }] {
        assert!(FolderFrames::new(files.clone(), rate, 0, Limits::default(), DecodeHint::default()).is_err());
    }
}
