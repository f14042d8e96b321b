//! One decoding for several readers: the same frames as alone, each decoded once, and nothing that waits for ever.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use frameloom::Error;
use frameloom::core::{CancelToken, FrameLayout};
use frameloom::media::share::QUEUE_FRAMES;
use frameloom::media::{DecodeOptions, Sharing, SharingOptions, Verdict, VideoDecoder};

use crate::clip;

const X264: [&str; 6] = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];
const FRAMES: usize = 40;
/// A queue that holds all frames would hide a reader that is left behind.
const _: () = assert!(FRAMES > 2 * QUEUE_FRAMES);

/// Time stamp and bytes of a frame.
type Seen = (Option<i64>, Vec<u8>);

fn moving(folder: &Path) -> PathBuf {
    clip(folder, "clip.mp4", &format!("testsrc2=s=96x64:r=10:d={}", FRAMES / 10), &X264)
}

fn open(path: &Path, sharing: Option<Sharing>) -> VideoDecoder {
    VideoDecoder::open(path, &DecodeOptions { sharing, ..DecodeOptions::default() }).unwrap()
}

/// The next frame, or `None` at the end.
fn next(decoder: &mut VideoDecoder) -> Result<Option<Seen>, Error> {
    let Some(frame) = decoder.next_frame()? else { return Ok(None) };
    let layout = FrameLayout::new(&frame.desc()).unwrap();
    let mut slot = vec![0; layout.slot_bytes() as usize];
    frame.copy_into(&layout, &mut slot[..])?;
    Ok(Some((frame.info().pts, slot)))
}

fn rest(decoder: &mut VideoDecoder) -> Result<Vec<Seen>, Error> {
    let mut all = Vec::new();
    while let Some(frame) = next(decoder)? {
        all.push(frame);
    }
    Ok(all)
}

fn alone(path: &Path) -> (Vec<Seen>, Verdict) {
    let mut decoder = open(path, None);
    let all = rest(&mut decoder).unwrap();
    (all, decoder.verdict().unwrap().clone())
}

fn patient(millis: u64) -> SharingOptions {
    SharingOptions { patience: Duration::from_millis(millis), ..SharingOptions::default() }
}

#[test]
fn three_readers_get_the_frames_of_one_decoder() {
    let dir = tempfile::tempdir().unwrap();
    // 4:1:1 goes through the converter, which has a buffer of its own.
    let rare = clip(dir.path(), "rare.mkv", "testsrc2=s=96x64:r=10:d=2", &["-c:v", "ffv1", "-pix_fmt", "yuv411p"]);
    for path in [moving(dir.path()), rare] {
        let (wanted, verdict) = alone(&path);
        let places = Sharing::group(3, &SharingOptions::default());
        let counted = places[0].clone();
        thread::scope(|scope| {
            for (n, place) in places.into_iter().enumerate() {
                let (path, wanted, verdict) = (&path, &wanted, &verdict);
                scope.spawn(move || {
                    let options = DecodeOptions { sharing: Some(place), stream: n as u32, ..DecodeOptions::default() };
                    let mut decoder = VideoDecoder::open(path, &options).unwrap();
                    assert_eq!(decoder.media_info().video_streams.len(), 1);
                    // One of them is slow for a while.
                    let mut got = Vec::new();
                    while let Some(frame) = decoder.next_frame().unwrap() {
                        assert_eq!((frame.info().stream, frame.info().index), (n as u32, got.len() as u64));
                        let layout = FrameLayout::new(&frame.desc()).unwrap();
                        let mut slot = vec![0; layout.slot_bytes() as usize];
                        thread::sleep(Duration::from_millis(if n == 1 && got.len() < 15 { 5 } else { 0 }));
                        frame.copy_into(&layout, &mut slot[..]).unwrap();
                        got.push((frame.info().pts, slot));
                    }
                    assert!(got == *wanted, "reader {n}: {} frames", got.len());
                    assert_eq!(decoder.verdict(), Some(verdict), "reader {n}");
                    assert_eq!(decoder.notes(), verdict.notes, "reader {n}");
                    assert!(decoder.next_frame().unwrap().is_none() && decoder.bytes_read() > 0);
                });
            }
        });
        let counts = counted.counts();
        let frames = wanted.len() as u64;
        assert_eq!((counts.decoders, counts.decoded, counts.delivered), (1, frames, 3 * frames));
    }
}

#[test]
fn who_stops_or_never_comes_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = moving(dir.path());
    let (wanted, _) = alone(&path);
    // Patience beyond the limit of a test: whoever waited for it would be seen.
    let places = Sharing::group(4, &patient(600_000));
    let [whole, brief, never, gone] = <[Sharing; 4]>::try_from(places).unwrap();
    drop(gone);
    let counted = whole.clone();
    thread::scope(|scope| {
        scope.spawn(|| assert!(rest(&mut open(&path, Some(whole))).unwrap() == wanted));
        scope.spawn(|| {
            // One that looks and closes, as one does to learn what a file declares, has not begun.
            drop(open(&path, Some(brief.clone())));
            let mut decoder = open(&path, Some(brief));
            for frame in &wanted[..3] {
                assert_eq!(next(&mut decoder).unwrap().as_ref(), Some(frame));
            }
        });
        scope.spawn(move || never.leave());
    });
    assert_eq!((counted.counts().decoders, counted.counts().decoded), (1, FRAMES as u64));
}

#[test]
fn who_is_late_or_slow_decodes_for_itself() {
    let dir = tempfile::tempdir().unwrap();
    let path = moving(dir.path());
    let (wanted, verdict) = alone(&path);
    let places = Sharing::group(2, &patient(100));
    let [fast, slow] = <[Sharing; 2]>::try_from(places).unwrap();
    let counted = fast.clone();
    let first = thread::scope(|scope| {
        let slow = scope.spawn(|| {
            let mut decoder = open(&path, Some(slow));
            let first = next(&mut decoder).unwrap().unwrap();
            (decoder, first)
        });
        let fast = scope.spawn(|| {
            // It goes on when the other one has let it wait for long enough.
            let begun = Instant::now();
            assert!(rest(&mut open(&path, Some(fast.clone()))).unwrap() == wanted);
            assert!(begun.elapsed() >= Duration::from_millis(100));
            // Once more: nobody reads along.
            let before = counted.counts();
            let mut again = open(&path, Some(fast));
            assert!(rest(&mut again).unwrap() == wanted);
            assert_eq!(again.verdict(), Some(&verdict));
            assert_eq!(counted.counts().decoders, before.decoders + 1);
        });
        fast.join().unwrap();
        slow.join().unwrap()
    });
    let before = counted.counts();
    let (mut decoder, first) = first;
    let mut all = vec![first];
    all.extend(rest(&mut decoder).unwrap());
    assert!(all == wanted, "what was in its queue, then from its own decoder: {}", all.len());
    assert_eq!(decoder.verdict(), Some(&verdict));
    let after = counted.counts();
    assert_eq!((after.decoders, after.decoded), (before.decoders + 1, before.decoded + FRAMES as u64));
    assert_eq!(after.delivered - before.delivered, FRAMES as u64 - 1);
}

#[test]
fn damage_is_the_same_for_all_and_as_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = moving(dir.path());
    let whole = std::fs::read(&path).unwrap();
    let broken = dir.path().join("broken.mp4");
    let mut bytes = whole.clone();
    // Samples lie before the index here.
    for at in (2000..bytes.len() / 2).step_by(97) {
        bytes[at] ^= 0x5a;
    }
    std::fs::write(&broken, bytes).unwrap();
    let ends = |sharing: Option<Sharing>| {
        let options = DecodeOptions { sharing, threads: 2, ..DecodeOptions::default() };
        let mut decoder = VideoDecoder::open(&broken, &options).unwrap();
        let frames = rest(&mut decoder).map_err(|e| e.to_string());
        (frames, decoder.verdict().cloned())
    };
    let wanted = ends(None);
    assert!(wanted.1.as_ref().is_none_or(|v| v.damaged_frames > 0 || !v.reasons.is_empty()), "{:?}", wanted.1);
    let places = Sharing::group(2, &SharingOptions::default());
    thread::scope(|scope| {
        let all: Vec<_> = places.into_iter().map(|p| scope.spawn(|| ends(Some(p)))).collect();
        for reader in all {
            let got = reader.join().unwrap();
            assert!(got.0 == wanted.0, "{:?} frames", got.0.map(|f| f.len()));
            assert_eq!(got.1, wanted.1);
        }
    });
    // What cannot be opened says so to each.
    let missing = dir.path().join("missing.mp4");
    for sharing in Sharing::group(2, &SharingOptions::default()).into_iter().map(Some).chain([None]) {
        let options = DecodeOptions { sharing, ..DecodeOptions::default() };
        let e = VideoDecoder::open(&missing, &options).unwrap_err();
        assert!(matches!(e, Error::InputNotFound { .. }), "{e}");
    }
}

#[test]
fn a_token_stops_its_reader_and_that_of_the_group_all() {
    let dir = tempfile::tempdir().unwrap();
    let path = moving(dir.path());
    let all = CancelToken::new();
    let options = SharingOptions { cancel: all.clone(), ..patient(600_000) };
    let [one, other] = <[Sharing; 2]>::try_from(Sharing::group(2, &options)).unwrap();
    let own = CancelToken::new();
    let with = |sharing: Sharing, cancel: &CancelToken| {
        let options = DecodeOptions { sharing: Some(sharing), cancel: cancel.clone(), ..DecodeOptions::default() };
        VideoDecoder::open(&path, &options).unwrap()
    };
    let mut stopped = with(one.clone(), &own);
    let mut going = with(other, &all.child());
    own.cancel();
    assert!(matches!(stopped.next_frame(), Err(Error::Cancelled)));
    drop(stopped);
    one.leave();
    assert!(next(&mut going).unwrap().is_some());
    all.cancel();
    assert!(matches!(rest(&mut going), Err(Error::Cancelled)));
}
