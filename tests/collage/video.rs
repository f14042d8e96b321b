use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use frameloom::core::{CancelToken, Progress, Size};
use frameloom::gpu::GpuContext;
use frameloom::media::DecodeOptions;
use frameloom::report::{PngFormat, encode_png};
use frameloom::workflows::collage::run::{
    CollageConfig, CollageOptions, CollageOutcome, CollageVideo, collage, parse_rate,
};
use frameloom::workflows::collage::select::{Assignment, Fallback, PickRule};
use frameloom::workflows::collage::{DescriptorConfig, FeatureMethod, Pool};
use frameloom::{Error, Result, StateError};

use crate::gpu::on_every_adapter;
use crate::support::*;

const SIZE: Size = Size::new(160, 120);

fn open(path: &Path, cancel: &CancelToken) -> CollageVideo {
    let options = DecodeOptions { threads: 2, cancel: cancel.clone(), ..DecodeOptions::default() };
    CollageVideo::open(path, &options).unwrap()
}

fn run(
    ctx: &GpuContext,
    clip: &Path,
    pool: &Pool,
    out: &Path,
    change: impl FnOnce(&mut CollageConfig),
) -> Result<CollageOutcome> {
    let mut config = CollageConfig::new(pool.descriptor().clone());
    change(&mut config);
    collage(ctx, open(clip, &CancelToken::new()), pool, out, &config, &CollageOptions::default(), &mut ())
}

fn small(aspect: [u32; 2]) -> DescriptorConfig {
    DescriptorConfig { comparison_size: 64, aspect, ..DescriptorConfig::default() }
}

/// A clip, and a pool of `count` pictures for it.
fn setting(ctx: &GpuContext, size: &str, rate: &str, seconds: u32, count: u32) -> (tempfile::TempDir, PathBuf, Pool) {
    let dir = tempfile::tempdir().unwrap();
    let clip = test_clip(dir.path(), size, rate, seconds);
    pictures(&dir.path().join("p"), 0..count, SIZE);
    let aspect = open(&clip, &CancelToken::new()).aspect();
    let pool = pool(ctx, &dir.path().join("p"), &dir.path().join("i"), &small(aspect));
    (dir, clip, pool)
}

fn results(out: &Path) -> BTreeMap<String, serde_json::Value> {
    serde_json::from_slice(&std::fs::read(out.join("results.json")).unwrap()).unwrap()
}

/// Pictures that were chosen, in order of the frames.
fn chosen(out: &Path) -> Vec<Option<String>> {
    let all = results(out);
    let shown = all.values().filter(|v| v.get("selected").is_some());
    shown.map(|v| v["selected"].as_str().map(str::to_owned)).collect()
}

/// Everything but the state, by path.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with(".state") {
                open.push(path);
            } else if path.is_file() {
                all.insert(path.strip_prefix(folder).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

#[test]
fn a_run_writes_all_it_promises() {
    on_every_adapter("collage run", |ctx| {
        let (dir, clip, pool) = setting(ctx, "320x180", "10", 3, 40);
        let out = dir.path().join("out");
        let outcome = run(ctx, &clip, &pool, &out, |c| {
            (c.frames, c.samples, c.sample_interval) = (true, 3, 5);
        })
        .unwrap();
        assert_eq!((outcome.frames, outcome.shown, outcome.reasons.len(), outcome.cached), (30, 30, 0, false));
        assert_eq!(outcome.video.as_deref(), Some("clip_matched.mp4"));
        let files = contents(&out);
        for name in [
            "checkpoint.json",
            "clip_matched.mp4",
            "comparison_samples/sample_000000.jpg",
            "comparison_samples/sample_000005.jpg",
            "comparison_samples/sample_000010.jpg",
            "contact_sheet.jpg",
            "credits.csv",
            "matched_frames/frame_000000.jpg",
            "matched_frames/frame_000029.jpg",
            "pictures.jpg",
            "report.html",
            "results.json",
            "summary.json",
        ] {
            assert!(files.contains_key(Path::new(name)), "{name} is missing among {:?}", files.keys());
        }
        assert_eq!(files.keys().filter(|p| p.starts_with("matched_frames")).count(), 30);
        assert_eq!(files.keys().filter(|p| p.starts_with("comparison_samples")).count(), 3);
        // Audio is there, and both last as long as the clip.
        let video = out.join("clip_matched.mp4");
        let (duration, frames) = probe(&video, "v").unwrap();
        let (sound, _) = probe(&video, "a").unwrap();
        assert_eq!(frames, 30);
        assert!((duration - 3.0).abs() < 0.01 && (sound - 3.0).abs() < 0.1, "{duration} {sound}");
        // Keys that tools for the system before know.
        let all = results(&out);
        assert_eq!(all.len(), 30);
        let first = &all["frame_000000"];
        let top = first["top_matches"].as_array().unwrap();
        assert_eq!((top.len(), top[0][0] == first["selected"]), (10, true));
        assert!(top.windows(2).all(|w| w[0][1].as_f64() >= w[1][1].as_f64()));
        assert_eq!(files[Path::new("results.json")], files[Path::new("checkpoint.json")]);
        let credits = String::from_utf8(files[Path::new("credits.csv")].clone()).unwrap();
        let used: HashSet<_> = chosen(&out).into_iter().flatten().collect();
        assert_eq!(credits.lines().count(), used.len() + 1);
        assert_eq!(outcome.used as usize, used.len());
        // The same again is kept; anew it has the same bytes; other settings use the matches again.
        assert!(
            run(ctx, &clip, &pool, &out, |c| (c.frames, c.samples, c.sample_interval) = (true, 3, 5)).unwrap().cached
        );
        let other = dir.path().join("other");
        run(ctx, &clip, &pool, &other, |c| (c.frames, c.samples, c.sample_interval) = (true, 3, 5)).unwrap();
        assert!(contents(&other) == files);
        let again = run(ctx, &clip, &pool, &out, |c| {
            (c.samples, c.sample_interval, c.video) = (3, 5, false);
            c.select.threshold = 0.99;
            c.select.fallback = Fallback::Black;
        })
        .unwrap();
        assert_eq!((again.cached, again.resumed, again.video, again.used), (false, 30, None, 0));
        // Other matches do not go into the same folder.
        let e = run(ctx, &clip, &pool, &out, |c| c.rate = Some(parse_rate("5").unwrap())).unwrap_err();
        match e {
            Error::State(StateError::KeyMismatch { fields, .. }) => {
                assert!(fields.contains(&"match.rate".to_owned()), "{fields:?}");
            }
            other => panic!("{other}"),
        }
    });
}

/// The first seconds end where they should, and the rest of the sound with them.
#[test]
fn durations_are_kept_at_any_rate() {
    on_every_adapter("collage durations", |ctx| {
        for (rate, wanted) in [("30", "20"), ("25", "10"), ("24000/1001", "15"), ("10", "30")] {
            let (dir, clip, pool) = setting(ctx, "64x36", rate, 2, 12);
            let out = dir.path().join("out");
            let outcome = run(ctx, &clip, &pool, &out, |c| c.rate = Some(parse_rate(wanted).unwrap())).unwrap();
            let (before, _) = probe(&clip, "v").unwrap();
            let (duration, frames) = probe(&out.join("clip_matched.mp4"), "v").unwrap();
            let frame = 1.0 / parse_rate(wanted).unwrap().as_f64();
            assert!((duration - before).abs() <= frame, "{rate} as {wanted}: {duration} for {before}");
            assert!((frames as f64 * frame - before).abs() <= frame, "{rate} as {wanted}: {frames} frames");
            assert_eq!(outcome.shown, frames);
            assert!(probe(&out.join("clip_matched.mp4"), "a").is_some());
        }
        let (dir, clip, pool) = setting(ctx, "64x36", "25", 4, 12);
        let out = dir.path().join("out");
        run(ctx, &clip, &pool, &out, |c| c.seconds = Some(1.5)).unwrap();
        let (duration, frames) = probe(&out.join("clip_matched.mp4"), "v").unwrap();
        let (sound, _) = probe(&out.join("clip_matched.mp4"), "a").unwrap();
        assert!(
            frames == 38 && (duration - 1.52).abs() < 0.01 && (sound - 1.5).abs() < 0.1,
            "{frames} {duration} {sound}"
        );
    });
}

#[test]
fn no_picture_is_shown_twice() {
    on_every_adapter("collage no repeat", |ctx| {
        let (dir, clip, pool) = setting(ctx, "64x36", "20", 4, 90);
        for (name, search, assignment) in [
            ("flat", "flat", Assignment::Greedy),
            ("ivf", "ivf:nlist=2,nprobe=1", Assignment::Greedy),
            ("global", "flat", Assignment::Global),
        ] {
            let out = dir.path().join(name);
            let outcome = run(ctx, &clip, &pool, &out, |c| {
                c.search = search.parse().unwrap();
                c.depth = 3;
                (c.select.max_uses, c.select.assignment) = (Some(1), assignment);
            })
            .unwrap();
            let shown = chosen(&out);
            let distinct: HashSet<_> = shown.iter().flatten().collect();
            assert_eq!((shown.len(), distinct.len(), outcome.used), (80, 80, 80), "{name}");
        }
        let total = |name: &str| {
            let text = std::fs::read(dir.path().join(name).join("summary.json")).unwrap();
            serde_json::from_slice::<serde_json::Value>(&text).unwrap()["outcome"]["total_similarity"].as_f64().unwrap()
        };
        assert!(total("global") >= total("flat"), "{} {}", total("global"), total("flat"));
        // Too few pictures are an error, or used again on request.
        pictures(&dir.path().join("few"), 0..30, SIZE);
        let few = crate::support::pool(ctx, &dir.path().join("few"), &dir.path().join("fi"), pool.descriptor());
        let e = run(ctx, &clip, &few, &dir.path().join("short"), |c| c.select.max_uses = Some(1)).unwrap_err();
        assert!(matches!(&e, Error::Usage { message, .. } if message.contains("80")), "{e}");
        let out = dir.path().join("again");
        run(ctx, &clip, &few, &out, |c| (c.select.max_uses, c.select.recycle) = (Some(1), true)).unwrap();
        let mut uses = BTreeMap::new();
        chosen(&out).into_iter().flatten().for_each(|p| *uses.entry(p).or_insert(0) += 1);
        assert!(uses.len() == 30 && uses.values().all(|n| (2..=3).contains(n)), "{uses:?}");
    });
}

#[test]
fn rules_of_selection_reach_the_output() {
    on_every_adapter("collage rules", |ctx| {
        let (dir, clip, pool) = setting(ctx, "64x36", "20", 3, 40);
        let of = |name: &str, change: fn(&mut CollageConfig)| {
            let out = dir.path().join(name);
            run(ctx, &clip, &pool, &out, |c| {
                c.video = false;
                change(c);
            })
            .unwrap();
            chosen(&out)
        };
        let switches = |list: &[Option<String>]| list.windows(2).filter(|w| w[0] != w[1]).count();
        let best = of("best", |_| ());
        let drawn = of("drawn", |c| c.select.pick = PickRule::Random);
        assert_eq!(drawn, of("drawn2", |c| c.select.pick = PickRule::Random));
        assert_ne!(drawn, of("seed", |c| (c.select.pick, c.select.seed) = (PickRule::Random, 5)));
        assert!(switches(&drawn) > switches(&best));
        let smooth = of("smooth", |c| c.select.smoothness = 0.5);
        assert!(
            switches(&smooth) < switches(&best) || switches(&best) == 0,
            "{} {}",
            switches(&smooth),
            switches(&best)
        );
        let rested = of("rested", |c| c.select.cooldown = 1.0);
        for (i, picture) in rested.iter().enumerate() {
            assert!(!rested[i + 1..rested.len().min(i + 20)].contains(picture), "{i}");
        }
        let black = of("black", |c| (c.select.threshold, c.select.fallback) = (1.1, Fallback::Black));
        assert!(black.iter().all(Option::is_none));
    });
}

#[test]
fn every_aspect_and_method_runs() {
    on_every_adapter("collage aspects of videos", |ctx| {
        for size in ["64x48", "48x48", "36x64", "66x26"] {
            let dir = tempfile::tempdir().unwrap();
            let clip = test_clip(dir.path(), size, "10", 1);
            pictures(&dir.path().join("p"), 0..12, SIZE);
            let aspect = open(&clip, &CancelToken::new()).aspect();
            for method in FeatureMethod::ALL {
                let config = DescriptorConfig { method, aspect, comparison_size: 128, ..DescriptorConfig::default() };
                if method == FeatureMethod::Hog && size == "66x26" {
                    // Less than two cells of 32 pixels high.
                    assert!(matches!(config.spec(), Err(Error::Config { .. })));
                    continue;
                }
                let at = dir.path().join(method.name());
                let pool = pool(ctx, &dir.path().join("p"), &at.join("i"), &config);
                let outcome = run(ctx, &clip, &pool, &at.join("out"), |_| ()).unwrap();
                assert_eq!((outcome.frames, outcome.shown), (10, 10), "{size} {method}");
            }
        }
    });
}

/// A frame that is in the pool is found with a likeness of one: frames and pictures go the same way.
#[test]
fn a_frame_in_the_pool_is_found() {
    on_every_adapter("collage same way", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        for (size, aspect) in
            [(Size::new(320, 180), [16, 9]), (Size::new(240, 180), [4, 3]), (Size::new(180, 320), [9, 16])]
        {
            let folder = dir.path().join(format!("p{}", size.width));
            // Without loss and in RGB, as files and as frames: the same pixels.
            std::fs::create_dir_all(&folder).unwrap();
            for n in 0..8 {
                let png = encode_png(size, PngFormat::Rgba8, &pixels(n, size)).unwrap();
                std::fs::write(folder.join(format!("p{n}.png")), png).unwrap();
            }
            let list: String = (0..8)
                .map(|n| format!("file '{}'\nduration 0.1\n", folder.join(format!("p{n}.png")).display()))
                .collect();
            std::fs::write(folder.join("list"), list).unwrap();
            let clip = clip(
                dir.path(),
                &format!("{}.mkv", size.width),
                &["-f", "concat", "-safe", "0", "-i", folder.join("list").to_str().unwrap()],
                &["-c:v", "ffv1", "-pix_fmt", "bgr0", "-fps_mode", "passthrough"],
            );
            for method in FeatureMethod::ALL {
                let config = DescriptorConfig { method, aspect, comparison_size: 160, ..DescriptorConfig::default() };
                let at = dir.path().join(format!("{method}{}", size.width));
                let pool = pool(ctx, &folder, &at.join("i"), &config);
                run(ctx, &clip, &pool, &at.join("out"), |c| c.video = false).unwrap();
                for (n, entry) in results(&at.join("out")).values().enumerate().take(8) {
                    let name = entry["selected"].as_str().unwrap();
                    let score = entry["score"].as_f64().unwrap();
                    assert!(
                        name.ends_with(&format!("/p{n}.png")) && score > 0.9999,
                        "{size} {method} {n}: {name} {score}"
                    );
                }
            }
        }
    });
}

/// Stopped in the middle and started again, a run ends with the same bytes.
#[test]
fn a_cancelled_run_goes_on() {
    on_every_adapter("collage goes on", |ctx| {
        let (dir, clip, pool) = setting(ctx, "64x36", "30", 8, 30);
        let change = |c: &mut CollageConfig| {
            (c.select.smoothness, c.samples, c.sample_interval) = (0.02, 4, 50);
        };
        let whole = dir.path().join("whole");
        run(ctx, &clip, &pool, &whole, change).unwrap();
        for stop_at in [70, 150, 245] {
            let out = dir.path().join(format!("stopped{stop_at}"));
            let mut config = CollageConfig::new(pool.descriptor().clone());
            change(&mut config);
            let cancel = CancelToken::new();
            let mut options = CollageOptions::default();
            options.pipeline.cancel = cancel.clone();
            let video = open(&clip, &cancel);
            let mut done = BTreeMap::<&str, u64>::new();
            let stopped = collage(ctx, video, &pool, &out, &config, &options, &mut |p: Progress| {
                let done = done.entry(p.stage).or_default();
                *done += p.done;
                if *done >= stop_at {
                    cancel.cancel();
                }
            });
            assert!(matches!(stopped, Err(Error::Cancelled)) || stop_at > 240, "{stopped:?}");
            let outcome = run(ctx, &clip, &pool, &out, change).unwrap();
            assert!(outcome.resumed >= 64 || outcome.cached, "{stop_at}: {}", outcome.resumed);
            assert!(contents(&out) == contents(&whole), "stopped at {stop_at}");
        }
    });
}

/// A source that is stopped in the middle of a unit, as a deadline or a lack of memory stops it, is not the end of the video.
#[test]
fn a_source_that_was_stopped_is_gone_on_with() {
    on_every_adapter("collage source stopped", |ctx| {
        let (dir, clip, pool) = setting(ctx, "64x36", "30", 8, 30);
        let (whole, out) = (dir.path().join("whole"), dir.path().join("stopped"));
        run(ctx, &clip, &pool, &whole, |_| ()).unwrap();
        let config = CollageConfig::new(pool.descriptor().clone());
        // The decoder's token alone: the run itself is not cancelled.
        let cancel = CancelToken::new();
        let (video, options, mut done) = (open(&clip, &cancel), CollageOptions::default(), 0);
        let stopped = collage(ctx, video, &pool, &out, &config, &options, &mut |p: Progress| {
            done += p.done;
            if done >= 70 {
                cancel.cancel();
            }
        });
        assert!(matches!(stopped, Err(Error::Cancelled)), "{stopped:?}");
        let outcome = run(ctx, &clip, &pool, &out, |_| ()).unwrap();
        assert!(outcome.frames == 240 && outcome.resumed >= 64 && outcome.resumed.is_multiple_of(64), "{outcome:?}");
        assert!(outcome.reasons.is_empty() && contents(&out) == contents(&whole), "{outcome:?}");
    });
}

/// Frames as mosaics: every tile has a picture of its own, by the same rules.
#[test]
fn frames_are_rebuilt_from_tiles() {
    on_every_adapter("collage tiles", |ctx| {
        let dir = tempfile::tempdir().unwrap();
        let clip = test_clip(dir.path(), "96x64", "10", 2);
        pictures(&dir.path().join("p"), 0..40, SIZE);
        let tiles = Some([4, 2]);
        let video = open(&clip, &CancelToken::new());
        assert_eq!(video.tile_aspect(tiles), [3, 4]);
        let config =
            DescriptorConfig { comparison_size: 32, aspect: video.tile_aspect(tiles), ..DescriptorConfig::default() };
        let pool = pool(ctx, &dir.path().join("p"), &dir.path().join("i"), &config);
        let out = dir.path().join("out");
        let outcome = run(ctx, &clip, &pool, &out, |c| (c.tiles, c.samples, c.frames) = (tiles, 2, true)).unwrap();
        assert_eq!((outcome.frames, outcome.shown), (20, 20));
        let (duration, frames) = probe(&out.join("clip_matched.mp4"), "v").unwrap();
        assert!(frames == 20 && (duration - 2.0).abs() < 0.01);
        let all = results(&out);
        for entry in all.values() {
            let (selected, scores) = (entry["selected"].as_array().unwrap(), entry["scores"].as_array().unwrap());
            assert_eq!((selected.len(), scores.len()), (8, 8));
        }
        for name in ["comparison_samples/sample_000001.jpg", "matched_frames/frame_000019.jpg", "report.html"] {
            assert!(out.join(name).is_file(), "{name}");
        }
        // A rule over all tiles: 160 of them, 40 pictures.
        let four = dir.path().join("four");
        run(ctx, &clip, &pool, &four, |c| {
            (c.tiles, c.video) = (tiles, false);
            c.select.max_uses = Some(4);
        })
        .unwrap();
        let mut uses = BTreeMap::new();
        for entry in results(&four).values() {
            for path in entry["selected"].as_array().unwrap() {
                *uses.entry(path.as_str().unwrap().to_owned()).or_insert(0) += 1;
            }
        }
        assert!(uses.len() == 40 && uses.values().all(|n| *n == 4), "{uses:?}");
        let e = run(ctx, &clip, &pool, &dir.path().join("no"), |c| {
            c.tiles = tiles;
            c.select.smoothness = 0.1;
        });
        assert!(matches!(e, Err(Error::Config { .. })));
    });
}
