//! Audio of real and made files.

use std::path::Path;

use frameloom::Error;
use frameloom::core::{Limits, Size};
use frameloom::media::{AudioCopy, AudioOptions, AudioReader, GapPolicy, SampleFormat, VideoWriter, extract_wav};

use crate::support::*;

/// Samples and start of a whole track; checks that blocks follow each other.
fn read_all(path: &Path, o: &AudioOptions) -> (i64, Vec<f32>, AudioReader) {
    let mut r = AudioReader::open(path, o).unwrap();
    let (mut start, mut all) = (None, Vec::new());
    while let Some(b) = r.next_block().unwrap() {
        let s = *start.get_or_insert(b.start);
        assert!(b.len() <= o.block && !b.is_empty());
        if o.gaps == GapPolicy::Fill {
            assert_eq!(b.start, s + (all.len() / usize::from(o.channels)) as i64);
        }
        all.extend(b.samples);
    }
    assert!(r.next_block().unwrap().is_none());
    (start.unwrap_or(0), all, r)
}

/// Frequency by counting rising zero crossings between the first and the last.
fn frequency(samples: &[f32], rate: f64) -> f64 {
    let up: Vec<usize> = (1..samples.len()).filter(|i| samples[i - 1] < 0.0 && samples[*i] >= 0.0).collect();
    (up.len() - 1) as f64 * rate / (up[up.len() - 1] - up[0]) as f64
}

#[test]
fn a_tone_keeps_its_length_and_pitch() {
    let dir = tempfile::tempdir().unwrap();
    let (tone, wav) = (dir.path().join("tone.wav"), dir.path().join("out.wav"));
    let source = "sine=frequency=440:sample_rate=44100:duration=2.5";
    ffmpeg(&["-f", "lavfi", "-i", source, "-ac", "2", tone.to_str().unwrap()]);
    for (format, name, bytes) in [(SampleFormat::I16, "pcm_s16le", 2), (SampleFormat::F32, "pcm_f32le", 4)] {
        let s = extract_wav(&tone, &wav, &AudioOptions::default(), format).unwrap();
        assert_eq!((s.samples, s.start, s.gaps.len(), s.damaged), (40_000, 0, 0, 0));
        assert_eq!(s.bytes, 44 + 40_000 * bytes);
        let a = stream(&wav, "a");
        assert_eq!((a["codec_name"].as_str(), a["channels"].as_u64()), (Some(name), Some(1)));
        assert_eq!((a["sample_rate"].as_str(), a["duration_ts"].as_u64()), (Some("16000"), Some(40_000)));
    }
    let (_, samples, _) = read_all(&wav, &AudioOptions::default());
    assert!((frequency(&samples, 16_000.0) - 440.0).abs() < 0.05);
    // FFmpeg's sine has an amplitude of 1/8, made stereo 1/8/sqrt(2); the mean of two equal channels keeps it.
    let peak = samples[1000..39_000].iter().fold(0f32, |m, s| m.max(s.abs()));
    assert!((peak - 0.125 / 2f32.sqrt()).abs() < 0.002, "{peak}");
    assert_eq!(names(dir.path()), ["out.wav", "tone.wav"]);
}

#[test]
fn sixteen_bit_samples_at_their_own_rate_pass_through_unchanged() {
    let Some(path) = data("sixteen_bit_samples…", "audio/silero_test_16k.wav") else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("o.wav");
    let s = extract_wav(&path, &out, &AudioOptions::default(), SampleFormat::I16).unwrap();
    let (a, b) = (std::fs::read(&path).unwrap(), std::fs::read(&out).unwrap());
    let at = a.windows(4).position(|w| w == b"data").unwrap() + 8;
    assert_eq!(s.samples, 60 * 16_000);
    assert!(a[at..at + 2 * 960_000] == b[44..]);
}

#[test]
fn block_size_does_not_change_the_samples() {
    let Some(path) = data("block_size…", "video/bigbuckbunny_5s_5.1audio.mp4") else { return };
    let whole = read_all(&path, &AudioOptions::default());
    for block in [1, 160, 4096, 1 << 20] {
        let o = AudioOptions { block, ..Default::default() };
        let got = read_all(&path, &o);
        assert!(got.0 == whole.0 && got.1 == whole.1, "{block}");
    }
}

#[test]
fn surround_sound_is_mixed_like_the_command_line_tool_does() {
    let Some(path) = data("surround_sound…", "video/bigbuckbunny_5s_5.1audio.mp4") else { return };
    let dir = tempfile::tempdir().unwrap();
    let raw = dir.path().join("raw");
    for channels in [1u16, 2] {
        let o = AudioOptions { channels, ..Default::default() };
        let (start, got, r) = read_all(&path, &o);
        assert_eq!((start, r.gaps().len(), r.damaged()), (0, 0, 0));
        let (from, to, n) = (path.to_str().unwrap(), raw.to_str().unwrap(), channels.to_string());
        ffmpeg(&["-i", from, "-ar", "16000", "-ac", &n, "-f", "s16le", to]);
        let bytes = std::fs::read(&raw).unwrap();
        let want: Vec<f32> =
            bytes.chunks_exact(2).map(|c| f32::from(i16::from_le_bytes([c[0], c[1]])) / 32768.0).collect();
        assert!(want.len().abs_diff(got.len()) <= 64 * usize::from(channels), "{} and {}", got.len(), want.len());
        let far = got.iter().zip(&want).filter(|(a, b)| (*a - *b).abs() > 3.0 / 32768.0).count();
        assert!(far == 0, "{far} of {} samples differ", got.len());
        assert!(got.iter().any(|s| s.abs() > 0.05), "not silent");
    }
}

#[test]
fn every_audio_track_of_the_test_data_has_its_declared_length() {
    for (name, track, wanted) in [
        ("grid_bbaf2n.mpg", 0, 3.0),
        ("grid_concat_gaps.mp4", 0, 21.6),
        ("multitrack_3v2a.mkv", 0, 3.0),
        ("multitrack_3v2a.mkv", 1, 3.0),
        ("nasa_13013_2video_2audio_2subs.mp4", 0, 13.0),
        ("nasa_13013_2video_2audio_2subs.mp4", 1, 13.0),
        ("transparent_alpha.webm", 0, 0.0),
        ("cockatoo_yuv444_audio.mp4", 0, 14.0),
    ] {
        let Some(path) = data("every_audio_track…", &format!("video/{name}")) else { return };
        let (start, samples, r) = read_all(&path, &AudioOptions { track, ..Default::default() });
        let a = ffprobe(&path, &["-show_streams", "-select_streams", &format!("a:{track}")])["streams"][0].clone();
        let declared = a["duration"].as_str().map_or(wanted, |d| d.parse().unwrap());
        let seconds = samples.len() as f64 / 16_000.0;
        eprintln!("{name} {track}: start {start}, {seconds:.3} s, declared {declared:.3} s, gaps {:?}", r.gaps());
        assert!((seconds - declared).abs() < 0.15 || wanted == 0.0, "{name} {track}: {seconds} of {declared}");
        assert_eq!(r.damaged(), 0, "{name} {track}: {:?}", r.damage());
        let declared_start: f64 = a["start_time"].as_str().unwrap().parse().unwrap();
        assert!((start as f64 / 16_000.0 - declared_start).abs() < 0.05, "{name} {track}");
    }
}

/// One second of tone, a hole, one more second; the hole is `missing` seconds long.
fn with_gap(dir: &Path, missing: f64) -> std::path::PathBuf {
    let path = dir.join("gap.mkv");
    let filter = format!("asetpts=PTS+gte(T\\,1)*{missing}/TB");
    let source = "sine=frequency=440:sample_rate=16000:duration=2:samples_per_frame=800";
    ffmpeg(&["-f", "lavfi", "-i", source, "-af", &filter, "-c:a", "pcm_s16le", path.to_str().unwrap()]);
    path
}

#[test]
fn gaps_are_reported_and_filled_or_skipped() {
    let dir = tempfile::tempdir().unwrap();
    let path = with_gap(dir.path(), 0.7);
    let (start, filled, r) = read_all(&path, &AudioOptions::default());
    assert_eq!((start, r.gaps().len()), (0, 1), "{:?}", r.gaps());
    let gap = r.gaps()[0];
    assert!((gap.at - 16_000).abs() <= 16 && (gap.samples - 11_200).abs() <= 32, "{gap:?}");
    assert!(filled.len().abs_diff(43_200) <= 32, "{}", filled.len());
    assert!(filled[16_100..27_000].iter().all(|s| *s == 0.0) && filled[27_400..28_000].iter().any(|s| *s > 0.1));
    let o = AudioOptions { gaps: GapPolicy::Skip, ..Default::default() };
    let (_, skipped, r) = read_all(&path, &o);
    assert_eq!((skipped.len(), r.gaps()), (32_000, &[gap][..]));
    // A long hole costs no memory and no wait, but ends at the limit.
    let path = with_gap(dir.path(), 7200.0);
    let limits = Limits { duration_seconds: 3600, ..Limits::default() };
    let mut r = AudioReader::open(&path, &AudioOptions { limits, ..Default::default() }).unwrap();
    let e = std::iter::from_fn(|| r.next_block().transpose()).find_map(Result::err).unwrap();
    assert!(matches!(e, Error::LimitExceeded { name: "duration_seconds", .. }), "{e}");
}

#[test]
fn sync_truths_show_in_the_start_times() {
    for name in ["grid_bbaf2n_audio_late200ms.mp4", "grid_brbk7n_audio_early160ms.mp4"] {
        let Some(path) = data("sync_truths…", &format!("video/{name}")) else { return };
        let (start, samples, _) = read_all(&path, &AudioOptions::default());
        let a: f64 = stream(&path, "a")["start_time"].as_str().unwrap().parse().unwrap();
        eprintln!("{name}: start {start} samples, ffprobe {a} s, {} samples", samples.len());
        assert!((start as f64 / 16_000.0 - a).abs() < 0.03, "{name}: {start}, {a}");
    }
}

#[test]
fn wrong_requests_and_bad_files_are_typed_errors() {
    let test = "wrong_requests_and_bad_files_are_typed_errors";
    let Some(silent) = data(test, "video/bikes.mp4") else { return };
    let open = |p: &Path, o: &AudioOptions| AudioReader::open(p, o).map(drop).unwrap_err();
    let d = AudioOptions::default();
    assert!(matches!(open(&silent, &d), Error::TrackInvalid { kind: "audio", index: 0, available: 0, .. }));
    for o in [
        AudioOptions { rate: 0, ..d.clone() },
        AudioOptions { rate: 1_000_000, ..d.clone() },
        AudioOptions { channels: 0, ..d.clone() },
        AudioOptions { channels: 9, ..d.clone() },
        AudioOptions { block: 0, ..d.clone() },
    ] {
        assert_eq!(open(&silent, &o).code(), "parameter");
    }
    assert_eq!(open(Path::new("/no/such/file"), &d).code(), "input-not-found");
    assert_eq!(open(Path::new("/dev/zero"), &d).code(), "input-not-found");
    for name in ["empty.mp4", "text_named.mp4", "nasa_trunc60.mp4"] {
        let e = open(&data(test, &format!("bad/{name}")).unwrap(), &d);
        assert!(matches!(e.exit_code(), 4 | 5), "{name}: {e}");
    }
    // A playlist that wears another name must not make the demuxer open what it lists.
    let dir = tempfile::tempdir().unwrap();
    let hls = dir.path().join("a.mp4");
    let target = silent.to_str().unwrap();
    let text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{target}\n#EXT-X-ENDLIST\n");
    std::io::Write::write_all(&mut std::fs::File::create(&hls).unwrap(), text.as_bytes()).unwrap();
    let e = open(&hls, &d);
    assert_eq!(e.code(), "input-unsupported", "{e}");
    assert!(extract_wav(&silent, dir.path().join("o.wav"), &d, SampleFormat::I16).is_err());
    assert_eq!(names(dir.path()), ["a.mp4"]);
}

#[test]
fn damaged_audio_is_counted_and_keeps_its_time() {
    let Some(path) = data("damaged_audio…", "bad/grid_hole.mpg") else { return };
    let (_, samples, r) = read_all(&path, &AudioOptions::default());
    eprintln!("grid_hole.mpg: {} samples, gaps {:?}, damage {:?}", samples.len(), r.gaps(), r.damage());
    assert!(!r.gaps().is_empty() || r.damaged() > 0, "the hole went unseen");
    assert!((samples.len() as f64 / 16_000.0 - 3.0).abs() < 0.15);
}

#[test]
fn only_listed_containers_and_codecs_are_read_or_copied() {
    let dir = tempfile::tempdir().unwrap();
    let (codec, container) = (dir.path().join("wma.mkv"), dir.path().join("tone.au"));
    for (path, name) in [(&codec, "wmav2"), (&container, "pcm_s16be")] {
        ffmpeg(&["-f", "lavfi", "-i", "sine=duration=0.2", "-c:a", name, path.to_str().unwrap()]);
        let read = AudioReader::open(path, &AudioOptions::default()).map(drop).unwrap_err();
        let (out, copy) = (dir.path().join("x.mkv"), AudioCopy::new(path, 0));
        let copied = VideoWriter::create(out, &options(Size::new(64, 64), 25), Some(&copy)).map(drop).unwrap_err();
        for e in [read, copied] {
            let wanted = if name == "wmav2" { "the codec `wmav2`" } else { "the format `au`" };
            assert!(matches!(&e, Error::InputUnsupported { what, .. } if what == wanted), "{e}");
        }
    }
    assert_eq!(names(dir.path()), ["tone.au", "wma.mkv"]);
}
