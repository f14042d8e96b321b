//! The verdict: complete for whole files, never for damaged or cut ones.

use std::path::Path;

use frameloom::Error;
use frameloom::core::Limits;
use frameloom::media::{DecodeOptions, Status, probe};

use crate::{clip, decode, ffprobe_frames, intact_files, run, test_data};

fn options() -> DecodeOptions {
    DecodeOptions { threads: 2, ..DecodeOptions::default() }
}

#[test]
fn every_track_of_every_whole_file_decodes_to_its_end() {
    let Some(data) = test_data("every_track_of_every_whole_file_decodes_to_its_end") else { return };
    let known = [("counter_30frames.mp4", 30), ("vtest_480x360.mp4", 795)];
    let (mut tracks, mut met) = (0, 0);
    for path in intact_files(&data) {
        let info = probe(&path, &Limits::default()).unwrap();
        for track in 0..info.video_tracks_count {
            let got = decode(&path, &DecodeOptions { track, ..options() }).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let v = &got.verdict;
            assert_eq!(got.infos.len() as u64, ffprobe_frames(&path, track), "{name} track {track}: {v:?}");
            // Only MPEG program streams without an end code declare nothing.
            let wanted = if name.ends_with(".mpg") { Status::Unverifiable } else { Status::Complete };
            assert_eq!(v.status, wanted, "{name} track {track}: {v:?}");
            assert!(v.missing.is_empty() && v.damaged_frames == 0, "{name} track {track}: {v:?}");
            tracks += 1;
            if let Some((_, frames)) = known.iter().find(|(n, _)| *n == name) {
                assert_eq!((v.decoded_frames, v.declared_frames), (*frames, Some(*frames)), "{name}");
                met += 1;
            }
        }
    }
    assert!(tracks >= 46 && met == known.len(), "{tracks} tracks, {met} of known length");
}

#[test]
fn gaps_that_were_recorded_are_noted_not_called_lost() {
    let Some(data) = test_data("gaps_that_were_recorded_are_noted_not_called_lost") else { return };
    let v = decode(&data.join("video/multitrack_3v2a.mkv"), &options()).unwrap().verdict;
    assert_eq!(v.status, Status::Complete);
    assert!(v.notes.iter().any(|n| n.contains("gaps")), "{:?}", v.notes);
}

#[test]
fn damaged_videos_are_partial_with_counts_and_ranges() {
    let Some(data) = test_data("damaged_videos_are_partial_with_counts_and_ranges") else { return };
    let get = |name: &str| decode(&data.join("bad").join(name), &options()).unwrap();

    let v = get("asl_trunc50.mkv").verdict;
    assert_eq!((v.status, v.decoded_frames), (Status::Partial, 31), "{v:?}");
    let last = v.missing.last().unwrap();
    assert!(last.why == "truncated" && last.start_seconds < 1.2 && (last.end_seconds - 2.6).abs() < 0.01, "{v:?}");

    let got = get("grid_hole.mpg");
    let v = got.verdict;
    assert_eq!((v.status, v.decoded_frames), (Status::Partial, 72), "{v:?}");
    assert!(v.missing.len() == 1 && v.missing[0].why == "gap", "{v:?}");
    assert!(
        (v.missing[0].start_seconds - 1.48).abs() < 1e-6 && (v.missing[0].end_seconds - 1.60).abs() < 1e-6,
        "{v:?}"
    );
    assert!((got.infos.last().unwrap().seconds().unwrap() - 2.96).abs() < 1e-6);

    let v = get("carphone_flip.mp4").verdict;
    assert_eq!((v.status, v.decoded_frames), (Status::Partial, 120), "{v:?}");
    assert!(v.damaged_frames > 0, "{v:?}");

    let v = get("decord_corrupted.mp4").verdict;
    assert_eq!((v.status, v.decoded_frames, v.declared_frames), (Status::Partial, 49, Some(50)), "{v:?}");

    let v = get("torchcodec_1frame_mpeg4.mp4").verdict;
    assert_eq!((v.status, v.decoded_frames), (Status::Complete, 1), "{v:?}");
}

#[test]
fn bad_files_that_are_no_usable_video_give_typed_errors() {
    let Some(data) = test_data("bad_files_that_are_no_usable_video_give_typed_errors") else { return };
    let usable = [
        "asl_trunc50.mkv",
        "grid_hole.mpg",
        "carphone_flip.mp4",
        "decord_corrupted.mp4",
        "torchcodec_1frame_mpeg4.mp4",
    ];
    let mut seen = 0;
    for entry in std::fs::read_dir(data.join("bad")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if usable.contains(&name) {
            continue;
        }
        let error = decode(&path, &options()).err().unwrap_or_else(|| panic!("{name} must not decode"));
        assert!(matches!(error.exit_code(), 4 | 5), "{name}: {error:?}");
        if matches!(name, "empty.mp4" | "nasa_trunc60.mp4") {
            assert!(matches!(error, Error::InputCorrupt { .. }), "{name}: {error:?}");
        }
        assert!(error.to_string().contains(name) || matches!(error, Error::LimitExceeded { .. }), "{name}: {error}");
        seen += 1;
    }
    assert!(seen >= 18, "{seen}");
}

/// Cuts `path` at `percent` of its size.
fn cut(path: &Path, percent: u64) -> std::path::PathBuf {
    let bytes = std::fs::read(path).unwrap();
    let to = path.with_file_name(format!("cut{percent}_{}", path.file_name().unwrap().to_str().unwrap()));
    std::fs::write(&to, &bytes[..(bytes.len() as u64 * percent / 100) as usize]).unwrap();
    to
}

#[test]
fn cut_files_are_never_complete_and_whole_ones_are() {
    let folder = tempfile::tempdir().unwrap();
    let source = "testsrc2=s=160x120:r=25:d=4";
    let h264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "25"];
    let made = |name: &str, extra: &[&str]| clip(folder.path(), name, source, &[&h264[..], extra].concat());
    let vp9 = ["-c:v", "libvpx-vp9", "-b:v", "200k", "-deadline", "realtime", "-cpu-used", "8"];
    // ffmpeg writes no program end code; discs do.
    let ended = clip(folder.path(), "a.mpg", source, &["-c:v", "mpeg1video"]);
    let bytes = [std::fs::read(&ended).unwrap(), vec![0, 0, 1, 0xb9]].concat();
    std::fs::write(&ended, bytes).unwrap();
    // (file, the least that can be said of the whole one)
    let files = [
        (made("front.mp4", &["-movflags", "+faststart"]), Status::Complete),
        (made("pieces.mp4", &["-movflags", "+frag_keyframe+empty_moov"]), Status::Complete),
        (made("a.mkv", &[]), Status::Complete),
        (clip(folder.path(), "a.webm", source, &vp9), Status::Complete),
        (made("a.ts", &[]), Status::Unverifiable),
        (clip(folder.path(), "a.avi", source, &["-c:v", "mpeg4"]), Status::Complete),
        (made("a.flv", &[]), Status::Complete),
        (clip(folder.path(), "a.gif", "testsrc2=s=80x60:r=10:d=2", &[]), Status::Complete),
        (clip(folder.path(), "a.ogv", source, &["-c:v", "libtheora"]), Status::Complete),
        (clip(folder.path(), "no_end.mpg", source, &["-c:v", "mpeg1video"]), Status::Unverifiable),
        (ended, Status::Complete),
    ];
    for (path, wanted) in files {
        let whole = decode(&path, &options()).unwrap();
        assert_eq!(whole.verdict.status, wanted, "{}: {:?}", path.display(), whole.verdict);
        assert_eq!(whole.infos.len() as u64, ffprobe_frames(&path, 0), "{}", path.display());
        for percent in [1, 10, 50, 90, 99] {
            let short = cut(&path, percent);
            match decode(&short, &options()) {
                Err(e) => assert!(percent < 50 && e.exit_code() == 5, "{}: {e}", short.display()),
                Ok(got) => {
                    let v = got.verdict;
                    assert!(got.infos.len() < whole.infos.len() || percent == 99, "{}: {v:?}", short.display());
                    let honest = match v.status {
                        Status::Partial => true,
                        // Cut exactly between packets of a container that declares nothing.
                        Status::Unverifiable => path.extension().is_some_and(|e| e == "ts" || e == "mpg"),
                        _ => false,
                    };
                    assert!(honest, "{}: {v:?}", short.display());
                    assert!(!v.reasons.is_empty());
                }
            }
        }
    }
}

#[test]
fn a_cut_at_any_byte_of_a_small_file_is_never_complete() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"];
    for name in ["s.mp4", "s.mkv"] {
        let path = clip(folder.path(), name, "testsrc2=s=64x48:r=10:d=1", &args);
        let bytes = std::fs::read(&path).unwrap();
        let step = (bytes.len() / 60).max(1);
        for end in (1..bytes.len()).step_by(step).chain([bytes.len() - 1]) {
            std::fs::write(&path, &bytes[..end]).unwrap();
            if let Ok(got) = decode(&path, &options()) {
                assert_eq!(got.verdict.status, Status::Partial, "{name} cut at {end}: {:?}", got.verdict);
            }
        }
    }
}

#[test]
fn bytes_appended_to_a_whole_film_are_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    let path = clip(folder.path(), "v.mp4", "testsrc2=s=64x48:r=10:d=1", &["-c:v", "libx264", "-pix_fmt", "yuv420p"]);
    let bytes = std::fs::read(&path).unwrap();
    for extra in [1, 7, 8, 100] {
        std::fs::write(&path, [&bytes[..], &vec![0; extra]].concat()).unwrap();
        let v = decode(&path, &options()).unwrap().verdict;
        assert_eq!((v.status, v.decoded_frames), (Status::Complete, 10), "{extra}: {v:?}");
    }
}

#[test]
fn variable_frame_rates_are_complete() {
    let folder = tempfile::tempdir().unwrap();
    let filter = "testsrc2=s=64x48:r=30:d=4,select='not(mod(n,3))+not(mod(n,7))'";
    for name in ["vfr.mp4", "vfr.mkv", "vfr.avi"] {
        let path = clip(folder.path(), name, filter, &["-vsync", "vfr", "-c:v", "libx264", "-pix_fmt", "yuv420p"]);
        let v = decode(&path, &options()).unwrap().verdict;
        assert_eq!(v.status, Status::Complete, "{name}: {v:?}");
        assert!(v.missing.is_empty());
    }
}

#[test]
fn an_edit_list_that_leaves_frames_out_is_no_loss() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "50"];
    let path = clip(folder.path(), "long.mp4", "testsrc2=s=64x48:r=25:d=4", &args);
    let trimmed = folder.path().join("trimmed.mp4");
    run("ffmpeg", &["-v", "error", "-ss", "1", "-i", path.to_str().unwrap(), "-c", "copy", trimmed.to_str().unwrap()]);
    let got = decode(&trimmed, &options()).unwrap();
    assert_eq!(got.verdict.status, Status::Complete, "{:?}", got.verdict);
    assert_eq!(got.infos.len() as u64, ffprobe_frames(&trimmed, 0));
    assert!(got.infos.len() < 100);
}

#[test]
fn whole_files_of_many_kinds_raise_no_false_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let video = "testsrc2=s=160x120:r=25:d=2";
    // Sound that is longer than the pictures: the file ends later than the track.
    let sound = ["-f", "lavfi", "-i", "sine=d=3:r=44100"];
    let x264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p"];
    let cases: [(&str, Vec<&str>, Status); 20] = [
        ("sound.mp4", [&sound[..], &x264].concat(), Status::Complete),
        ("sound.mkv", [&sound[..], &x264].concat(), Status::Complete),
        ("sound.flv", [&sound[..], &x264, &["-c:a", "aac"]].concat(), Status::Complete),
        ("sound.avi", [&sound[..], &["-c:v", "mpeg4", "-bf", "2"]].concat(), Status::Complete),
        (
            "sound_pieces.mp4",
            [&sound[..], &x264, &["-movflags", "+frag_keyframe+empty_moov"]].concat(),
            Status::Complete,
        ),
        ("sound.ogv", [&sound[..], &["-c:v", "libtheora", "-c:a", "libvorbis"]].concat(), Status::Complete),
        (
            "altref.webm",
            vec!["-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "200k"],
            Status::Complete,
        ),
        (
            "altref9.webm",
            vec!["-c:v", "libvpx-vp9", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "200k"],
            Status::Complete,
        ),
        ("open.mp4", [&x264[..], &["-x264-params", "open-gop=1:keyint=10:bframes=3"]].concat(), Status::Complete),
        ("hevc.mkv", vec!["-c:v", "libx265", "-x265-params", "log-level=none"], Status::Complete),
        ("fields.mp4", [&x264[..], &["-flags", "+ildct+ilme"]].concat(), Status::Complete),
        ("mpeg2.ts", vec!["-c:v", "mpeg2video", "-bf", "2"], Status::Unverifiable),
        ("hevc.ts", vec!["-c:v", "libx265", "-x265-params", "log-level=none"], Status::Unverifiable),
        ("mjpeg.mov", vec!["-c:v", "mjpeg"], Status::Complete),
        ("prores.mov", vec!["-c:v", "prores"], Status::Complete),
        ("ffv1.avi", vec!["-c:v", "ffv1"], Status::Complete),
        ("mpeg4.mp4", vec!["-c:v", "mpeg4", "-bf", "2"], Status::Complete),
        ("av1.mp4", vec!["-c:v", "libaom-av1", "-cpu-used", "8", "-frames:v", "20"], Status::Complete),
        ("mpeg2.m2v", vec!["-c:v", "mpeg2video"], Status::Unverifiable),
        ("live.mkv", [&x264[..], &["-live", "1"]].concat(), Status::Unverifiable),
    ];
    for (name, args, wanted) in cases {
        let path = clip(folder.path(), name, video, &args);
        let got = decode(&path, &options()).unwrap();
        assert_eq!(got.verdict.status, wanted, "{name}: {:?}", got.verdict);
        assert_eq!(got.infos.len() as u64, ffprobe_frames(&path, 0), "{name}: {:?}", got.verdict);
        if name != "av1.mp4" {
            assert!(got.infos.len() >= 50, "{name}: {} frames", got.infos.len());
        }
        assert_eq!(got.verdict.damaged_frames, 0, "{name}");
    }
}

/// A small generator of pseudo-random numbers (xorshift), so that failures can be repeated.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 16) as usize
}

#[test]
fn mutants_never_lose_frames_and_stay_complete() {
    let folder = tempfile::tempdir().unwrap();
    let video = "testsrc2=s=96x64:r=10:d=3";
    let x264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-g", "10"];
    let front = [&x264[..], &["-movflags", "+faststart"]].concat();
    let files = [
        clip(folder.path(), "m.mp4", video, &front),
        clip(folder.path(), "m.mkv", video, &x264),
        clip(folder.path(), "m.webm", video, &["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]),
        clip(folder.path(), "m.avi", video, &["-c:v", "mpeg4"]),
        clip(folder.path(), "m.ts", video, &x264),
        clip(folder.path(), "m.ogv", video, &["-c:v", "libtheora"]),
        clip(folder.path(), "m.flv", video, &x264),
        clip(folder.path(), "m.mpg", video, &["-c:v", "mpeg2video"]),
    ];
    let (mut seed, mut tally) = (0x5eed_f00d_u64, [0usize; 5]);
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        let whole = decode(&path, &options()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        for turn in 0..40 {
            let mut b = bytes.clone();
            let at = next(&mut seed) % b.len();
            let n = 1 + next(&mut seed) % (b.len() / 8);
            let end = (at + n).min(b.len());
            match turn % 4 {
                0 => b.truncate(at.max(1)),
                1 => b[at..end].fill(0),
                2 => drop(b.drain(at..end)),
                _ => (0..20).for_each(|_| {
                    let i = next(&mut seed) % b.len();
                    b[i] ^= 1 << (next(&mut seed) % 8);
                }),
            }
            if b.is_empty() {
                continue;
            }
            let mutant = folder.path().join(format!("{turn}_{name}"));
            std::fs::write(&mutant, &b).unwrap();
            let start = std::time::Instant::now();
            match decode(&mutant, &options()) {
                Err(e) => {
                    assert!(matches!(e.exit_code(), 4 | 5), "{name} {turn}: {e:?}");
                    tally[4] += 1;
                }
                Ok(got) => {
                    let v = got.verdict;
                    if v.status == Status::Complete {
                        assert_eq!(got.infos.len(), whole.infos.len(), "{name} turn {turn} at {at}..{end}: {v:?}");
                    }
                    tally[v.status as usize] += 1;
                }
            }
            assert!(start.elapsed().as_secs() < 20, "{name} {turn} took {:?}", start.elapsed());
            std::fs::remove_file(&mutant).unwrap();
        }
    }
    eprintln!("complete, partial, unverifiable, rejected, error: {tally:?}");
    assert!(tally[1] > 50, "{tally:?}");
}

#[test]
fn nothing_of_ffmpeg_reaches_stderr() {
    if test_data("nothing_of_ffmpeg_reaches_stderr").is_none() {
        return;
    }
    // In a process of its own, because the harness shares stderr between tests.
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "verdict::damaged_videos_are_partial_with_counts_and_ranges", "--nocapture"])
        .output()
        .unwrap();
    assert!(child.status.success());
    assert_eq!(String::from_utf8_lossy(&child.stderr), "");
}
