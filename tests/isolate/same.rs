//! With isolation and without: the same.

use frameloom::core::{CancelToken, Limits};
use frameloom::media::{DecodeOptions, HardwareDecode, Sharing, SharingOptions, VideoDecoder};

use crate::{Said, clip, isolated, isolation, listen, long_clip, test_data};

fn plain() -> DecodeOptions {
    DecodeOptions { threads: 2, ..DecodeOptions::default() }
}

#[test]
fn frames_verdicts_notes_and_descriptions_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (i, (format, codec, name)) in [
        ("yuv420p", "libx264", "a.mp4"),
        ("yuv444p", "ffv1", "a.mkv"),
        ("yuv420p10le", "ffv1", "b.mkv"),
        ("gray", "ffv1", "c.mkv"),
        ("bgra", "ffv1", "d.mkv"),
        ("yuv411p", "ffv1", "e.mkv"),
        ("yuv420p", "mpeg4", "a.avi"),
        ("yuv420p", "mpeg2video", "a.ts"),
    ]
    .into_iter()
    .enumerate()
    {
        let source = format!("testsrc2=s={}x{}:r=10:d=2", 98 + 2 * i, 70 + 2 * i);
        files.push(clip(folder.path(), name, &source, &["-c:v", codec, "-pix_fmt", format]));
    }
    if let Some(data) = test_data("frames_verdicts_notes_and_descriptions_are_the_same (real files)") {
        for folder in ["video/fmt", "bad"] {
            let mut some: Vec<_> = std::fs::read_dir(data.join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
            some.sort();
            files.extend(some.into_iter().filter(|p| p.is_file() && p.metadata().unwrap().len() < 2 << 20));
        }
        files.push(data.join("video/multitrack_3v2a.mkv"));
    }
    let apart = isolation();
    let (mut whole, mut refused, mut damaged) = (0, 0, 0);
    for path in &files {
        let name = path.display();
        match (listen(path, &plain()), listen(path, &isolated(&apart))) {
            (Ok(here), Ok(there)) => {
                assert_eq!(here.frames.len(), there.frames.len(), "{name}");
                assert!(here == there, "{name}: {:#?}\n{:#?}", heads(&here), heads(&there));
                whole += 1;
                damaged += usize::from(here.verdict.is_some_and(|v| v.damaged_frames > 0 || !v.reasons.is_empty()));
            }
            (Err(here), Err(there)) => {
                assert_eq!(
                    (here.code(), here.to_string(), here.hint()),
                    (there.code(), there.to_string(), there.hint())
                );
                refused += 1;
            }
            (here, there) => panic!("{name}: {:?} and {:?}", here.map(|s| heads(&s)), there.map(|s| heads(&s))),
        }
    }
    eprintln!("{whole} files decoded ({damaged} of them damaged), {refused} refused, the same both ways");
    assert!(whole >= 8 && apart.workers().is_empty() && apart.deaths() == 0);
}

fn heads(s: &Said) -> Said {
    Said { frames: s.frames.iter().take(1).copied().collect(), ..s.clone() }
}

#[test]
fn a_change_of_size_and_a_choice_of_track_go_through() {
    let folder = tempfile::tempdir().unwrap();
    // Two sizes in one elementary stream.
    let one = clip(folder.path(), "1.ts", "testsrc2=s=96x64:r=10:d=1", &["-c:v", "mpeg2video"]);
    let two = clip(folder.path(), "2.ts", "testsrc2=s=160x96:r=10:d=1", &["-c:v", "mpeg2video"]);
    let both = folder.path().join("both.ts");
    std::fs::write(&both, [std::fs::read(one).unwrap(), std::fs::read(two).unwrap()].concat()).unwrap();
    let apart = isolation();
    let (here, there) = (listen(&both, &plain()).unwrap(), listen(&both, &isolated(&apart)).unwrap());
    let sizes: std::collections::BTreeSet<u32> = there.frames.iter().map(|(d, _, _)| d.size.width).collect();
    assert_eq!(sizes.into_iter().collect::<Vec<_>>(), [96, 160]);
    assert!(here == there);

    let clip = long_clip(folder.path());
    let e = VideoDecoder::open(&clip, &DecodeOptions { track: 3, ..isolated(&apart) }).unwrap_err();
    assert_eq!(
        e.to_string(),
        VideoDecoder::open(&clip, &DecodeOptions { track: 3, ..plain() }).unwrap_err().to_string()
    );
    assert_eq!(e.code(), "track-invalid");
    let numbered = listen(&clip, &DecodeOptions { stream: 7, ..isolated(&apart) }).unwrap();
    assert!(numbered.frames.len() == 200 && numbered.frames.iter().all(|(_, i, _)| i.stream == 7));
    let limits = Limits { frames: 50, ..Limits::default() };
    let stopped = listen(&clip, &DecodeOptions { limits, ..isolated(&apart) }).unwrap();
    assert_eq!((stopped.frames.len(), stopped.error.unwrap().0), (50, "limit-exceeded"));
    let hardware = HardwareDecode::Named("no-such-device".into());
    let e = VideoDecoder::open(&clip, &DecodeOptions { hardware, ..isolated(&apart) }).unwrap_err();
    assert_eq!(e.code(), "gpu-unavailable");
    let cancel = CancelToken::new();
    let mut decoder = VideoDecoder::open(&clip, &DecodeOptions { cancel: cancel.clone(), ..isolated(&apart) }).unwrap();
    assert!(decoder.next_frame().unwrap().is_some());
    cancel.cancel();
    assert!((0..10).any(|_| decoder.next_frame().is_err_and(|e| e.code() == "cancelled")));
    drop(decoder);
    assert!(apart.workers().is_empty());
}

/// Every frame of a hundred tiny clips comes, and is counted as it comes.
#[test]
fn a_hundred_tiny_clips_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let apart = isolation();
    // One command makes all of them.
    let file = |n: u64| folder.path().join(format!("{n}.mp4"));
    let options: Vec<String> = (1..=100u64)
        .flat_map(|n| {
            let codec = if n % 2 == 0 { "libx264" } else { "mpeg4" };
            let count = n.to_string();
            let options = ["-frames:v", &count, "-c:v", codec, "-pix_fmt", "yuv420p", "-threads", "1"];
            let place = (n < 100).then(|| file(n).to_str().unwrap().to_owned());
            options.map(str::to_owned).into_iter().chain(place).collect::<Vec<_>>()
        })
        .collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    clip(folder.path(), "100.mp4", "testsrc2=s=32x32:r=25:d=5", &options);
    for n in 1..=100u64 {
        let said = listen(&file(n), &isolated(&apart)).unwrap();
        assert_eq!((said.frames.len() as u64, said.verdict.unwrap().decoded_frames, said.error), (n, n, None));
    }
    assert!(apart.workers().is_empty() && apart.deaths() == 0);
}

/// Opening and dropping leaves nothing: descriptors, threads, processes.
#[test]
fn nothing_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = long_clip(folder.path());
    let apart = isolation();
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let once = |frames: usize| {
        let mut decoder = VideoDecoder::open(&path, &isolated(&apart)).unwrap();
        for _ in 0..frames {
            decoder.next_frame().unwrap().unwrap();
        }
        decoder.worker().unwrap()
    };
    once(3);
    let before = open();
    let pids: Vec<u32> = (0..20).map(once).collect();
    // Other tests of this program open files meanwhile: descriptors that leak would be 20 and more.
    assert!(open() < before + 15, "{before} {}", open());
    assert!(pids.iter().all(|pid| !crate::exists(*pid)) && apart.workers().is_empty());
}

#[test]
fn readers_that_share_are_isolated_when_one_of_them_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "a.mp4", "testsrc2=s=96x64:r=10:d=3", &["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
    let wanted = listen(&path, &plain()).unwrap();
    let apart = isolation();
    let places = Sharing::group(3, &SharingOptions::default());
    let counted = places[0].clone();
    // The second reader asks for it, after the first one has opened the file.
    let options = [plain(), isolated(&apart), plain()];
    let all: Vec<DecodeOptions> =
        options.into_iter().zip(places).map(|(o, place)| DecodeOptions { sharing: Some(place), ..o }).collect();
    std::thread::scope(|scope| {
        let mut readers = Vec::new();
        for options in all {
            let mut decoder = VideoDecoder::open(&path, &options).unwrap();
            readers.push(scope.spawn(move || {
                let worker = decoder.next_frame().unwrap().map(|_| ()).and_then(|()| decoder.worker());
                while decoder.next_frame().unwrap().is_some() {}
                (worker, decoder.verdict().cloned())
            }));
        }
        for reader in readers {
            let (worker, verdict) = reader.join().unwrap();
            assert!(worker.is_some(), "decoded in this process");
            assert_eq!(verdict, wanted.verdict);
        }
    });
    assert_eq!((counted.counts().decoders, counted.counts().decoded), (1, wanted.frames.len() as u64));
    assert_eq!(apart.deaths(), 0);
}
