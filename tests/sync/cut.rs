//! Pieces: exact in frames and samples, nothing lost, what is odd has its documented outcome.

use std::path::{Path, PathBuf};

use frameloom::Error;
use frameloom::media::Status;
use frameloom::store::OsIo;
use frameloom::workflows::sync::{
    Cut, CutJob, CutOptions, SilenceOptions, SplitBy, SplitConfig, SplitOutcome, Tails, copy_on_key_frames, cut, split,
};

use crate::support::*;

fn time(chunk_duration: f64, overlap: f64) -> SplitConfig {
    let by = SplitBy::Time { chunk_duration, overlap };
    SplitConfig {
        by,
        tails: Tails::Keep,
        copy: false,
        wav: false,
        cut: CutOptions { crf: 10.0, ..CutOptions::default() },
    }
}

fn run(input: &Path, folder: &Path, config: &SplitConfig) -> SplitOutcome {
    split(&OsIo, input, folder, config, &mut ()).unwrap()
}

fn path(folder: &Path, chunk: &Cut) -> PathBuf {
    folder.join(chunk.video_path.as_ref().unwrap())
}

/// 40 s at 25 frames a second, key frames every 50: frame `n` has luma 16 + n mod 200, a click of 4 ms marks each second.
fn long_clip(folder: &Path, name: &str, more: &[&str]) -> PathBuf {
    let out = folder.join(name);
    let picture = "nullsrc=s=64x64:r=25:d=40,format=gray,geq=lum='16+mod(N,200)',format=yuv420p";
    let click = "aevalsrc=if(lt(mod(t\\,1)\\,0.004)\\,0.9\\,0):s=48000:d=40";
    let args = [
        "-f",
        "lavfi",
        "-i",
        picture,
        "-f",
        "lavfi",
        "-i",
        click,
        "-c:v",
        "libx264",
        "-g",
        "50",
        "-crf",
        "5",
        "-preset",
        "ultrafast",
        "-c:a",
        "aac",
        "-b:a",
        "192k",
    ];
    ffmpeg(&[&args[..], more, &[out.to_str().unwrap()]].concat());
    out
}

/// Seconds of the first click.
fn first_click(path: &Path) -> f64 {
    let s = samples(path);
    let peak = s.iter().take(17_000).fold(0f32, |m, v| m.max(v.abs()));
    s.iter().position(|v| v.abs() > peak * 0.5).unwrap() as f64 / 16_000.0
}

#[test]
fn cuts_are_exact_in_both_streams() {
    let dir = tempfile::tempdir().unwrap();
    let clip = long_clip(dir.path(), "long.mp4", &[]);
    let folder = dir.path().join("chunks");
    let done = run(&clip, &folder, &SplitConfig { wav: true, ..time(12.3, 3.1) });
    assert_eq!((done.source_status, done.frames_read, done.total_chunks), (Some(Status::Complete), 1000, 4));
    let source = lumas(&clip);
    for chunk in &done.chunks {
        let file = path(&folder, chunk);
        // Frames in [start, end): the first at or after the start.
        let (first, end) = ((chunk.wanted_start * 25.0 - 1e-6).ceil(), (chunk.wanted_end * 25.0 - 1e-6).ceil());
        assert_eq!((chunk.frames, chunk.start), ((end - first) as u64, first / 25.0), "{chunk:?}");
        let ((video, frames), (audio, _)) = (decoded(&file, "v:0"), decoded(&file, "a:0"));
        assert_eq!(frames as u64, chunk.frames);
        assert!(video.abs() < 1e-3 && (video - audio).abs() <= 0.04, "{video} {audio}");
        for (i, luma) in lumas(&file).iter().enumerate() {
            assert!((luma - source[first as usize + i]).abs() < 0.6, "frame {i} of {chunk:?}: {luma}");
        }
        // The first whole second of the source after the start clicks where it should.
        let wanted = chunk.start.ceil() - chunk.start;
        let (got, wav) = (first_click(&file), folder.join(chunk.audio_path.as_ref().unwrap()));
        assert!((got - wanted).abs() < 0.002, "{got}, wanted {wanted}");
        assert!((first_click(&wav) - wanted).abs() < 0.001);
        let seconds = chunk.frames as f64 / 25.0;
        assert!((samples(&wav).len() as f64 / 16_000.0 - seconds).abs() < 0.001);
        assert!((chunk.audio_seconds - seconds).abs() < 0.001 && chunk.audio_filled_seconds < 0.001);
    }
    let again = dir.path().join("again");
    run(&clip, &again, &SplitConfig { wav: true, ..time(12.3, 3.1) });
    for name in ["chunk_000.mp4", "chunk_003.mp4", "chunk_001.wav", "split_summary.json"] {
        assert!(std::fs::read(folder.join(name)).unwrap() == std::fs::read(again.join(name)).unwrap(), "{name}");
    }
}

#[test]
fn copies_move_to_key_frames_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let clip = long_clip(dir.path(), "long.mp4", &[]);
    let source = lumas(&clip);
    let done = run(&clip, &dir.path().join("c"), &SplitConfig { copy: true, ..time(13.0, 0.0) });
    let spans: Vec<_> = done.chunks.iter().map(|c| (c.start, c.end, c.frames)).collect();
    assert_eq!(
        spans,
        [(0.0, 12.0, 300), (12.0, 26.0, 350), (26.0, 40.0, 350)],
        "every 2 s a key frame; 39.0 joins the last"
    );
    for chunk in &done.chunks {
        let file = path(&dir.path().join("c"), chunk);
        let ((video, frames), (audio, _)) = (decoded(&file, "v:0"), decoded(&file, "a:0"));
        assert_eq!(frames as u64, chunk.frames);
        assert!((video - audio).abs() <= 0.04, "{video} {audio}");
        let at = (chunk.start * 25.0).round() as usize;
        assert!((lumas(&file)[0] - source[at]).abs() < 1e-9, "the very frames");
    }
    // Shorter than the distance of key frames: a piece without one has no file.
    let done = run(&clip, &dir.path().join("s"), &SplitConfig { copy: true, ..time(1.0, 0.0) });
    let with = done.chunks.iter().filter(|c| c.video_path.is_some());
    assert_eq!((done.total_chunks, with.clone().count(), with.map(|c| c.frames).sum()), (40, 20, 1000u64));
    let job = |wav| CutJob { start: 0.0, end: 5.0, video: dir.path().join("x.mp4"), wav };
    let refused = copy_on_key_frames(&OsIo, &clip, &[job(Some("x.wav".into()))], &CutOptions::default());
    assert_eq!(refused.unwrap_err().exit_code(), 2);
}

#[test]
fn a_copy_begins_with_the_first_key_frame_where_a_file_begins_with_an_open_group() {
    let dir = tempfile::tempdir().unwrap();
    let parts = dir.path().join("part%d.mkv");
    let picture = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=4", "-c:v", "mpeg2video", "-bf", "2", "-g", "12"];
    ffmpeg(&[&picture[..], &["-f", "segment", "-segment_times", "1", parts.to_str().unwrap()]].concat());
    let clip = dir.path().join("part1.mkv");
    let listed = ffprobe(&clip, &["-show_entries", "packet=pts_time,flags", "-select_streams", "v:0"]);
    let packets = listed["packets"].as_array().unwrap();
    let at = |p: &serde_json::Value| p["pts_time"].as_str().unwrap().parse::<f64>().unwrap();
    let first = &packets[0];
    let before = packets.iter().filter(|p| at(p) < at(first)).count() as u64;
    assert!(first["flags"].as_str().unwrap().starts_with('K') && before == 2, "an open group: {packets:?}");
    let jobs = [(0.0, 1.0), (1.0, 9.0)].map(|(start, end)| {
        let video = dir.path().join(format!("{start}.mkv"));
        CutJob { start, end, video, wav: None }
    });
    let done = copy_on_key_frames(&OsIo, &clip, &jobs, &CutOptions::default()).unwrap();
    let (one, two) = (&done.chunks[0], &done.chunks[1]);
    assert!((one.start - 0.08).abs() < 0.002 && (one.end - two.start).abs() < 1e-9, "{one:?}");
    assert!(one.frames_left_out == 2 && two.frames_left_out == 2, "{done:?}");
    let all: u64 = done.chunks.iter().map(|c| c.frames + c.frames_left_out).sum();
    assert_eq!(all, packets.len() as u64);
    for chunk in &done.chunks {
        assert_eq!(decoded(chunk.video_path.as_ref().unwrap(), "v:0").1 as u64, chunk.frames);
    }
}

#[test]
fn silences_of_a_tone_with_pauses_split_where_the_seed_says() {
    let dir = tempfile::tempdir().unwrap();
    let clip = dir.path().join("tone.mkv");
    let tone = "aevalsrc=if(lt(mod(t\\,10)\\,7)\\,0.3*sin(2*PI*440*t)\\,0):s=16000:d=40";
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64:r=10:d=40",
        "-f",
        "lavfi",
        "-i",
        tone,
        "-c:a",
        "pcm_s16le",
        "-shortest",
        clip.to_str().unwrap(),
    ]);
    let by = SplitBy::Silence { silence: SilenceOptions::default(), min_chunk: 5.0 };
    let done = run(&clip, &dir.path().join("keep"), &SplitConfig { by, ..time(1.0, 0.0) });
    let middles: Vec<f64> = done.silences.iter().map(|(a, b)| (a + b) / 2.0).collect();
    for (got, wanted) in middles.iter().zip([8.5, 18.5, 28.5, 38.5]) {
        assert!((got - wanted).abs() < 0.002, "{middles:?}");
    }
    let frames: Vec<u64> = done.chunks.iter().map(|c| c.frames).collect();
    assert_eq!(frames, [85, 100, 100, 115], "the rest of 1.5 s is merged");
    assert_eq!(done.chunks[1].video_path.as_deref(), Some(Path::new("silence_chunk_001_0008.5s.mp4")));
    let seed = run(&clip, &dir.path().join("drop"), &SplitConfig { by, tails: Tails::Drop, ..time(1.0, 0.0) });
    assert_eq!(seed.chunks.iter().map(|c| c.frames).collect::<Vec<_>>(), [85, 100, 100, 100]);
}

#[test]
fn the_silences_of_the_real_clip_are_those_of_its_truth() {
    let Some(clip) = data("silences of grid_concat_gaps", "video/grid_concat_gaps.mp4") else { return };
    let truth: serde_json::Value =
        serde_json::from_slice(&std::fs::read(clip.with_extension("json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let silence = SilenceOptions { threshold_db: -60.0, min_silence: 0.5 };
    let by = SplitBy::Silence { silence, min_chunk: 0.0 };
    let done = run(&clip, dir.path(), &SplitConfig { by, ..time(1.0, 0.0) });
    let segments = truth["segments"].as_array().unwrap();
    let edge = |i: usize, key: &str| segments.get(i).map(|s| s[key].as_f64().unwrap());
    assert_eq!(done.silences.len(), 5, "{:?}", done.silences);
    for (i, (start, end)) in done.silences.iter().enumerate() {
        let (from, to) = (edge(i, "end_s").unwrap(), edge(i + 1, "start_s").unwrap_or(21.6));
        eprintln!("silence {i}: {:+.0} and {:+.0} ms", (start - from) * 1e3, (end - to) * 1e3);
        assert!((start - from).abs() < 0.06 && (end - to).abs() < 0.06, "{start} {end}, wanted {from} {to}");
    }
    assert_eq!(done.chunks.iter().map(|c| c.frames).sum::<u64>(), 540, "nothing is lost");
}

#[test]
fn odd_sources_have_their_outcome() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    // No sound; 12 frames a second; 10 bits 4:2:2; an odd size.
    let mute = at("mute.mkv");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=65x49:r=12:d=6",
        "-pix_fmt",
        "yuv422p10le",
        "-c:v",
        "ffv1",
        mute.to_str().unwrap(),
    ]);
    let done = run(&mute, &at("mute"), &SplitConfig { wav: true, ..time(2.0, 0.5) });
    assert_eq!(done.chunks.iter().map(|c| c.frames).collect::<Vec<_>>(), [24, 24, 36]);
    assert!(done.chunks.iter().all(|c| c.audio_path.is_none() && c.audio_seconds == 0.0));
    let by = SplitBy::Silence { silence: SilenceOptions::default(), min_chunk: 1.0 };
    let e = split(&OsIo, &mute, &at("x"), &SplitConfig { by, ..time(1.0, 0.0) }, &mut ()).unwrap_err();
    assert!(matches!(e, Error::TrackInvalid { .. }), "{e}");
    // 5.1 sound that begins half a second late, 60 frames a second, a start that is not zero.
    let surround = at("surround.mkv");
    let tone = "aevalsrc=0.2*sin(2*PI*440*t)|0|0|0|0|0:s=48000:d=3";
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64:r=60:d=3",
        "-itsoffset",
        "0.5",
        "-f",
        "lavfi",
        "-i",
        tone,
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-c:a",
        "flac",
        "-output_ts_offset",
        "7",
        surround.to_str().unwrap(),
    ]);
    let done = run(&surround, &at("surround"), &time(1.5, 0.0));
    assert_eq!(done.chunks.iter().map(|c| c.frames).collect::<Vec<_>>(), [90, 90]);
    let first = &done.chunks[0];
    assert!((first.audio_filled_seconds - 0.5).abs() < 0.02 && first.start == 0.0, "{first:?}");
    let file = path(&at("surround"), first);
    assert_eq!(ffprobe(&file, &["-show_streams", "-select_streams", "a"])["streams"][0]["channels"], 6);
    let loud = samples(&file).iter().position(|v| v.abs() > 0.01).unwrap() as f64 / 16_000.0;
    assert!((loud - 0.5).abs() < 0.02, "{loud}");
    // Shorter than anything; no piece at all under the seed's rule.
    let short = at("short.mp4");
    ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=64x64:r=25:d=0.3", short.to_str().unwrap()]);
    let done = run(&short, &at("short"), &time(30.0, 5.0));
    assert_eq!((done.total_chunks, done.frames_read), (1, done.chunks[0].frames));
    let seed = SplitConfig { tails: Tails::Drop, ..time(30.0, 5.0) };
    assert_eq!(split(&OsIo, &short, &at("y"), &seed, &mut ()).unwrap_err().exit_code(), 2);
    // Frames at uneven times keep them.
    let uneven = at("uneven.mkv");
    ffmpeg(&[
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=64x64:r=25:d=4",
        "-vf",
        "select='not(mod(n,3))+gt(n,50)'",
        "-fps_mode",
        "vfr",
        "-c:v",
        "libx264",
        uneven.to_str().unwrap(),
    ]);
    let done = run(&uneven, &at("uneven"), &time(2.0, 0.0));
    assert_eq!(done.chunks.iter().map(|c| c.frames).sum::<u64>(), done.frames_read);
    let jobs = [(1.0, 2.0), (0.0, 1.0)].map(|(start, end)| CutJob { start, end, video: at("z.mp4"), wav: None });
    assert_eq!(cut(&OsIo, &uneven, &jobs, &CutOptions::default(), &mut ()).unwrap_err().exit_code(), 2);
}
