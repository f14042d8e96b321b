//! Programs that are no decoder processes, and such that lie: nothing that they say or do not say does harm.

use std::time::{Duration, Instant};

use frameloom::core::Limits;
use frameloom::media::{DecodeOptions, Isolation, VideoDecoder};
use frameloom::{Error, WorkerCause};

use crate::{clip, isolated};

/// What opening a video says when `script` decodes it.
fn decoded_by(script: &str) -> (Error, Isolation) {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "a.mp4", "testsrc2=s=64x48:r=25:d=1", &["-c:v", "mpeg4"]);
    let mut apart = Isolation::new("/bin/sh");
    apart.arguments = vec!["-c".into(), script.into()];
    let limits = Limits { stall_seconds: 1, ..Limits::default() };
    let error = VideoDecoder::open(&path, &DecodeOptions { limits, ..isolated(&apart) }).map(|_| ()).unwrap_err();
    (error, apart)
}

fn cause(e: &Error) -> (&WorkerCause, &str) {
    match e {
        Error::DecodeWorker { cause, stderr, .. } => (cause, stderr),
        other => panic!("{other}"),
    }
}

#[test]
fn an_exit_code_and_the_last_words_are_kept() {
    let (e, apart) = decoded_by("echo 'what went wrong' >&2; exit 3");
    assert_eq!(cause(&e), (&WorkerCause::Exit(3), "what went wrong\n"));
    assert!(e.to_string().contains("exited with code 3") && e.to_string().contains("what went wrong"));
    assert_eq!((e.code(), apart.deaths()), ("decode-worker-exit", 2));
    // A megabyte on standard error neither blocks nor is kept.
    let (e, _) = decoded_by("head -c 1000000 /dev/zero | tr '\\0' x >&2; echo end >&2; exit 4");
    let (cause, stderr) = cause(&e);
    assert_eq!(cause, &WorkerCause::Exit(4));
    assert!(stderr.len() <= 8 << 10 && stderr.ends_with("end\n"));
    let (e, _) = decoded_by("exec true");
    assert_eq!(e.code(), "decode-worker-exit");
}

#[test]
fn nonsense_is_not_believed() {
    for (script, what) in [
        // A length that nobody could hold, in four bytes, and a kind.
        ("printf '\\377\\377\\377\\377\\001' >&1; sleep 9", "bytes"),
        ("printf '\\000\\000\\000\\000\\143' >&1; sleep 9", "kind 99"),
        // A frame before the input was open.
        ("printf '\\000\\000\\000\\000\\004' >&1; sleep 9", "short"),
        ("printf '\\002\\000\\000\\000\\001{}' >&1; sleep 9", "not as agreed"),
        ("printf '\\002\\000\\000\\000\\003[]' >&1; sleep 9", "before the input was open"),
        ("exec >&-; sleep 9", "closed its socket"),
    ] {
        let started = Instant::now();
        let (e, apart) = decoded_by(script);
        assert!(matches!(cause(&e).0, WorkerCause::Protocol(text) if text.contains(what)), "{script}: {e}");
        assert!(started.elapsed() < Duration::from_secs(4), "{script}: {:?}", started.elapsed());
        // No second chance.
        assert!(apart.deaths() == 2 && apart.workers().is_empty());
    }
}

fn message(kind: u8, body: &str) -> Vec<u8> {
    [&(body.len() as u32).to_le_bytes()[..], &[kind], body.as_bytes()].concat()
}

/// Descriptions with which nobody could calculate, frames without slots, and an end that says nothing.
#[test]
fn numbers_out_of_place_are_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let opened = |width: u64, streams: usize| {
        let stream = format!(
            r#"{{"track_index":0,"stream_index":0,"codec":"x","width":{width},"height":64,"rotation":0,"time_base":"1/25","color":{{}}}}"#
        );
        let all = vec![stream; streams].join(",");
        let info = format!(
            r#"{{"filename":"","format_name":"","size":1,"video_streams":[{all}],"audio_streams":[],"total_streams":1,"video_tracks_count":1,"audio_tracks_count":0}}"#
        );
        message(1, &format!(r#"{{"info":{info},"rotation":0}}"#))
    };
    // Format, width, height, matrix, range, siting.
    let shape =
        |width: u32| [&12u32.to_le_bytes()[..], &[2, 1], &width.to_le_bytes(), &64u32.to_le_bytes(), &[0; 3]].concat();
    // Slot, index, whether there is a time, time; time base 1/25; duration, two flags, bytes read.
    let body = [&[0u8; 21][..], &1i32.to_le_bytes(), &25i32.to_le_bytes(), &[0; 18]].concat();
    let frame = [&(body.len() as u32).to_le_bytes()[..], &[4], &body].concat();
    let end = message(6, r#"{"verdict":null,"fault":null,"bytes_read":0}"#);
    for (name, what, bytes) in [
        ("wide", "longer side", opened(u64::from(u32::MAX), 1)),
        ("none", "0 video tracks", opened(64, 0)),
        ("many", "65 video tracks", opened(64, 65)),
        ("shape", "longer side", [opened(64, 1), shape(60_000)].concat()),
        ("slot", "slot", [opened(64, 1), frame].concat()),
        ("end", "without a verdict", [opened(64, 1), end].concat()),
        ("again", "again", [opened(64, 1), opened(64, 1)].concat()),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        let path = clip(folder.path(), &format!("{name}.mp4"), "testsrc2=s=64x48:r=25:d=1", &["-c:v", "mpeg4"]);
        let mut apart = Isolation::new("/bin/sh");
        apart.arguments = vec!["-c".into(), format!("cat '{}' >&1; sleep 9", file.display()).into()];
        let started = Instant::now();
        let e = match VideoDecoder::open(&path, &isolated(&apart)) {
            Ok(mut decoder) => decoder.next_frame().map(|_| ()).unwrap_err(),
            Err(e) => e,
        };
        assert!(e.to_string().contains(what) && started.elapsed() < Duration::from_secs(5), "{name}: {e}");
        assert!(apart.workers().is_empty());
    }
}

#[test]
fn silence_ends_at_the_deadline_and_takes_its_children_along() {
    let started = Instant::now();
    let (e, apart) = decoded_by("sleep 77 & sleep 78");
    assert!(matches!(cause(&e).0, WorkerCause::Hung(_)), "{e}");
    // Two attempts, a second each.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert!(apart.workers().is_empty());
    // A killed process needs a moment to be gone.
    let sleepers = || {
        let o = std::process::Command::new("ps").args(["-eo", "args"]).output().unwrap();
        String::from_utf8_lossy(&o.stdout).lines().filter(|l| ["sleep 77", "sleep 78"].contains(&l.trim())).count()
    };
    let since = Instant::now();
    while sleepers() > 0 {
        assert!(since.elapsed() < Duration::from_secs(3), "{} are left", sleepers());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_program_that_is_not_there_is_not_the_inputs_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "a.mp4", "testsrc2=s=64x48:r=25:d=1", &["-c:v", "mpeg4"]);
    let apart = Isolation::new("/no/such/program");
    for _ in 0..3 {
        let e = VideoDecoder::open(&path, &isolated(&apart)).unwrap_err();
        assert!(matches!(cause(&e).0, WorkerCause::NotStarted(why) if why.contains("/no/such/program")), "{e}");
    }
    assert_eq!(apart.deaths(), 0);
    // Files that are none are refused here, before a process is started.
    let e = VideoDecoder::open(folder.path(), &isolated(&apart)).unwrap_err();
    assert_eq!(e.code(), "input-not-found");
}

/// The command refuses to be a decoder process for somebody who types it.
#[test]
fn typed_by_hand_it_says_what_it_is_for() {
    let o = std::process::Command::new(env!("CARGO_BIN_EXE_frameloom")).arg("decode-worker").output().unwrap();
    assert!(!o.status.success() && String::from_utf8_lossy(&o.stderr).contains("started by frameloom itself"));
}
