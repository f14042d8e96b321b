//! Whatever ends a decoder process is explained, costs no frame that came before, and nothing else.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use frameloom::core::Limits;
use frameloom::media::{DecodeOptions, VideoDecoder};
use frameloom::{Error, WorkerCause};

use crate::{clip, exists, isolated, isolation, listen, long_clip, signal, with};

/// Decodes and sends `number` to the decoder process once `at` frames have come. Gives the frames that came and the error.
fn struck(path: &Path, options: &DecodeOptions, at: u64, number: i32) -> (u64, Option<Error>) {
    let mut decoder = VideoDecoder::open(path, options).unwrap();
    let (mut frames, mut pid) = (0, None);
    let end = loop {
        if frames == at && pid.is_none() {
            pid = decoder.worker();
            signal(pid.unwrap(), number);
        }
        match decoder.next_frame() {
            Ok(Some(frame)) => {
                assert_eq!(frame.info().index, frames);
                frames += 1;
            }
            Ok(None) => break None,
            Err(e) => break Some(e),
        }
    };
    assert!(decoder.worker().is_none() && decoder.next_frame().unwrap().is_none());
    assert!(!exists(pid.unwrap()), "neither an orphan nor a zombie");
    (frames, end)
}

#[test]
fn each_signal_has_its_cause_and_the_frames_before_it_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = long_clip(folder.path());
    let mut seed = 12345u32;
    for (number, code, word) in [
        (9, "decode-worker-killed", "killed"),
        (11, "decode-worker-segv", "segmentation fault"),
        (6, "decode-worker-abort", "aborted"),
        (7, "decode-worker-bus", "bus error"),
        (24, "decode-worker-cpu", "CPU time"),
        (31, "decode-worker-seccomp", "forbidden system call"),
        (15, "decode-worker-signal", "signal 15"),
    ] {
        for at in [0, 1, 100].into_iter().chain((0..2).map(|_| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            u64::from(seed >> 24) % 190
        })) {
            let apart = with(|i| i.attempts = 1);
            let (frames, error) = struck(&path, &isolated(&apart), at, number);
            // What was decoded already may still come.
            assert!((at..=at + 4).contains(&frames), "{number} at {at}: {frames}");
            let error = error.unwrap();
            assert_eq!((error.code(), error.exit_code()), (code, 12), "{number} at {at}: {error}");
            assert!(error.to_string().contains(word) && error.to_string().contains(&format!("after {frames} frames")));
            assert!(matches!(error, Error::DecodeWorker { frames: f, .. } if f == frames));
            assert!(apart.workers().is_empty() && apart.deaths() == 1);
        }
    }
}

#[test]
fn another_process_goes_on_where_the_first_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = long_clip(folder.path());
    let whole = listen(&path, &DecodeOptions { threads: 2, ..DecodeOptions::default() }).unwrap();
    for (at, number) in [(0, 9), (57, 11), (150, 6)] {
        let apart = isolation();
        let mut decoder = VideoDecoder::open(&path, &isolated(&apart)).unwrap();
        let mut infos = Vec::new();
        let mut struck = false;
        loop {
            if infos.len() == at && !struck {
                struck = true;
                signal(decoder.worker().unwrap(), number);
            }
            match decoder.next_frame().unwrap() {
                Some(frame) => infos.push(frame.info()),
                None => break,
            }
        }
        assert!(infos.iter().eq(whole.frames.iter().map(|(_, i, _)| i)), "{at}");
        let (mine, theirs) = (decoder.verdict().unwrap(), whole.verdict.as_ref().unwrap());
        assert_eq!((mine.status, mine.decoded_frames), (theirs.status, 200));
        assert!(mine.notes.iter().any(|n| n.contains("another one went on")), "{:?}", mine.notes);
        assert!(decoder.notes().iter().any(|n| n.contains("another one went on")));
        assert_eq!(apart.deaths(), 1);
    }
}

/// The second death is the input's last, under any name; other inputs go on.
#[test]
fn an_input_that_costs_two_processes_is_given_up_and_others_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = long_clip(folder.path());
    let other = clip(folder.path(), "other.mp4", "testsrc2=s=64x48:r=25:d=1", &["-c:v", "mpeg4"]);
    let apart = isolation();
    let mut decoder = VideoDecoder::open(&path, &isolated(&apart)).unwrap();
    let mut frames = 0;
    let error = loop {
        if frames == 20 || frames == 60 {
            signal(decoder.worker().unwrap(), 11);
        }
        match decoder.next_frame() {
            Ok(Some(_)) => frames += 1,
            Ok(None) => panic!("it was struck twice"),
            Err(e) => break e,
        }
    };
    assert_eq!(error.code(), "decode-worker-segv");
    assert!((60..=64).contains(&frames) && apart.deaths() == 2);
    std::os::unix::fs::symlink(&path, folder.path().join("again.mp4")).unwrap();
    for name in ["long.mp4", "again.mp4"] {
        let e = VideoDecoder::open(folder.path().join(name), &isolated(&apart)).unwrap_err();
        assert!(matches!(&e, Error::DecodeWorker { cause: WorkerCause::Quarantined { deaths: 2 }, .. }), "{e}");
        assert!(!e.retryable());
    }
    assert_eq!(listen(&other, &isolated(&apart)).unwrap().frames.len(), 25);
    // A run of its own knows nothing of it.
    assert_eq!(listen(&path, &isolated(&isolation())).unwrap().frames.len(), 200);
}

#[test]
fn a_process_that_stands_still_is_ended_at_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let path = long_clip(folder.path());
    let limits = Limits { stall_seconds: 2, ..Limits::default() };
    let apart = with(|i| i.attempts = 1);
    let started = Instant::now();
    let (frames, error) = struck(&path, &DecodeOptions { limits, ..isolated(&apart) }, 30, 19);
    let took = started.elapsed();
    let error = error.unwrap();
    assert!(matches!(&error, Error::DecodeWorker { cause: WorkerCause::Hung(_), .. }), "{error}");
    assert!((30..=34).contains(&frames) && error.code() == "decode-worker-hung");
    assert!((2.0..3.9).contains(&took.as_secs_f64()), "{took:?}");
}

#[test]
fn a_consumer_may_take_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "s.mp4", "testsrc2=s=64x48:r=25:d=1", &["-c:v", "mpeg4"]);
    let limits = Limits { stall_seconds: 1, ..Limits::default() };
    let mut decoder = VideoDecoder::open(&path, &DecodeOptions { limits, ..isolated(&isolation()) }).unwrap();
    let mut frames = 0;
    while decoder.next_frame().unwrap().is_some() {
        frames += 1;
        if frames == 5 {
            std::thread::sleep(Duration::from_secs(2));
        }
    }
    assert_eq!(frames, 25);
}

#[test]
fn memory_and_cpu_seconds_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];
    let path = clip(folder.path(), "big.mp4", "testsrc2=s=1920x1080:r=25:d=1", &options);
    // Stacks may set aside 60 MB on top. Two pictures of 50 MB are more.
    let big = clip(folder.path(), "4k.mp4", "testsrc2=s=7680x4320:r=3:d=1", &options);
    // The decoder of H.264 hides that it was refused memory and calls the picture damaged.
    for threads in [1, 2, 4] {
        let small = with(|i| i.memory_bytes = 1 << 20);
        let options = DecodeOptions { threads, ..isolated(&small) };
        let e = listen(&big, &options).map(|s| s.error).unwrap_or_else(|e| Some((e.code(), e.to_string())));
        let (code, message) = e.unwrap();
        assert_eq!(code, "decode-worker-oom", "{threads}: {message}");
        assert!(message.contains("it may allocate 1 MB"), "{message}");
        assert!(small.workers().is_empty());
    }
    // With room enough the file is whole, and a damaged one is damaged.
    assert_eq!(listen(&big, &isolated(&isolation())).unwrap().frames.len(), 3);
    let broken = folder.path().join("broken.mp4");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20_000].fill(0x5a);
    std::fs::write(&broken, bytes).unwrap();
    let said = listen(&broken, &isolated(&isolation()));
    let code = said.map_or_else(|e| e.code(), |s| s.error.map_or("", |e| e.0));
    assert_ne!(code, "decode-worker-oom");
    assert_eq!(listen(&path, &isolated(&isolation())).unwrap().frames.len(), 25);

    let short = with(|i| (i.cpu_seconds, i.attempts) = (1, 1));
    // The same second two hundred times, without encoding it again: no machine decodes 5000 pictures of that size in a second.
    let plain = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-qp", "40"];
    let second = clip(folder.path(), "second.mp4", "testsrc2=s=1920x1080:r=25:d=1", &plain);
    let long = folder.path().join("long.mp4");
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-stream_loop", "199", "-i"])
        .arg(&second)
        .args(["-c", "copy"])
        .arg(&long)
        .output()
        .unwrap();
    assert!(o.status.success(), "{}", String::from_utf8_lossy(&o.stderr));
    let said = listen(&long, &DecodeOptions { threads: 1, ..isolated(&short) }).unwrap();
    let (code, message) = said.error.unwrap();
    assert_eq!(code, "decode-worker-cpu", "{message}");
    assert!(!said.frames.is_empty() && message.contains(&format!("after {} frames", said.frames.len())));
}
