//! `curate` in parts, with one bad frame among many, with a server for captions, and with a strategy in code.

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use frameloom::core::Size;
use frameloom::core::random::pcg4d;
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::report::{PngFormat, encode_png};
use frameloom::workflows::curate::{
    CurateConfig, CurateOptions, FrameMetrics, Inputs, Strategy, StrategyFrame, StrategyPicture, curate, explain,
    read_ledger,
};
use serde_json::Value;

use crate::support::*;

/// Runs `curate` with words and paths (`@`).
fn call(list: &[&str], paths: &[&Path]) -> std::process::Output {
    let mut paths = paths.iter();
    let args =
        list.iter().map(|a| if *a == "@" { paths.next().unwrap().as_os_str() } else { std::ffi::OsStr::new(*a) });
    frameloom().arg("curate").args(args).output().unwrap()
}

fn well(list: &[&str], paths: &[&Path]) -> std::process::Output {
    let o = call(list, paths);
    assert_eq!(code(&o), 0, "{list:?}: {}", stderr(&o));
    o
}

/// Small pictures of blocks, fine and coarse, light and dark, all different.
fn blocks(folder: &Path, count: u32, size: Size) {
    std::fs::create_dir_all(folder).unwrap();
    for n in 0..count {
        let side = [16, 12, 6, 9][n as usize % 4];
        let (base, strong) = if n.is_multiple_of(3) { (110, 14) } else { (45, 170) };
        let pixel = |x: u32, y: u32| {
            let [r, g, b, _] = pcg4d([n, x / side, y / side, 5])[0].to_le_bytes();
            [r, g, b].map(|v| (base + u32::from(v) * strong / 255) as u8)
        };
        let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let bytes: Vec<u8> = places.flat_map(|(x, y)| pixel(x, y)).collect();
        std::fs::write(folder.join(format!("frame_{n:04}.png")), encode_png(size, PngFormat::Rgb8, &bytes).unwrap())
            .unwrap();
    }
}

#[test]
fn another_track_of_a_video_can_be_measured() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    let (first, second) = (small_clip(dir.path()), clip(dir.path(), "b.mp4", "mandelbrot=s=64x48:r=10", &["-t", "2"]));
    let o = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&first)
        .arg("-i")
        .arg(&second)
        .args(["-map", "0:v", "-map", "1:v", "-c", "copy"])
        .arg(at("two.mkv"))
        .output()
        .unwrap();
    assert!(o.status.success(), "{}", stderr(&o));
    let measured = |video: &Path, out: &str, more: &[&str]| {
        well(&[&["analyze", "@", "-o", "@", "--every", "5"], more].concat(), &[video, &at(out)]);
        let lines = std::fs::read_to_string(at(out).join("analysis/frames.jsonl")).unwrap();
        let all: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let of = |key: &str| all.iter().map(|e| e[key].clone()).collect::<Vec<Value>>();
        (of("metrics"), of("content"))
    };
    let (alone, _) = measured(&second, "alone", &[]);
    let (of_first, contents) = measured(&at("two.mkv"), "out", &["--threads", "3", "--hwaccel", "off"]);
    // Into the same folder: what is there is of another track.
    let (of_second, other) = measured(&at("two.mkv"), "out", &["--track", "1"]);
    assert!(alone.len() > 2 && of_second == alone && of_first != alone);
    assert!(contents.iter().all(|c| !other.contains(c)), "frames of different tracks are different: {other:?}");
    let o = call(&["analyze", "@", "-o", "@", "--track", "2"], &[&at("two.mkv"), &at("none")]);
    assert_eq!(code(&o), 4, "{}", stderr(&o));
    assert!(stderr(&o).contains("there is no video track 2; the input has 2"), "{}", stderr(&o));
}

#[test]
fn a_run_goes_on_in_the_middle_of_a_video() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    let video = small_clip(dir.path());
    // More frames than are decoded ahead, each written as it is.
    let config = "decision: {near_duplicate_bits: -1}\nvideo: {every: 2, pick: nth}\nprocessing: {create_visualization: false}\n\
                  custom_strategies: {whole: {when: []}}\n";
    std::fs::write(at("c.yaml"), config).unwrap();
    let run = |out: &str| {
        let o = well(&["run", "@", "-o", "@", "--config", "@", "--json"], &[&video, &at(out), &at("c.yaml")]);
        let outcome = events(&o).pop().unwrap()["outcome"].clone();
        assert_eq!((&outcome["frames"], &outcome["successful"]), (&30.into(), &30.into()), "{outcome}");
        outcome["kept"].as_u64().unwrap()
    };
    assert_eq!(run("one"), 0);
    let whole = contents(&at("one"));
    let pictures: Vec<_> = whole.keys().filter(|p| p.starts_with("whole/images")).collect();
    let different: std::collections::BTreeSet<&Vec<u8>> = pictures.iter().map(|p| &whole[*p]).collect();
    assert_eq!((pictures.len(), different.len()), (30, 30));
    // The last one alone is read from the beginning of the video; of two, the second from where the first group of frames ended.
    for gone in [&[29][..], &[2, 27]] {
        for picture in gone {
            std::fs::remove_file(at("one").join(pictures[*picture])).unwrap();
        }
        assert_eq!(run("one"), 30 - gone.len() as u64);
        assert!(contents(&at("one")) == whole, "different bytes");
    }
}

#[test]
fn limits_are_of_pictures_and_of_input() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    blocks(&at("in"), 5, Size::new(96, 64));
    let planned = |more: &[&str]| {
        let list = [&["run", "@", "-o", "@", "--dry-run", "--json"], more].concat();
        let o = well(&list, &[&at("in"), &at("out")]);
        events(&o).pop().unwrap()["pictures"].as_u64().unwrap()
    };
    assert_eq!(
        [planned(&[]), planned(&["--limit", "2"]), planned(&["--limit", "side=100", "--limit", "3"])],
        [5, 2, 3]
    );
    let measured = |more: &[&str]| {
        let o = call(&[&["analyze", "@", "-o", "@", "--restart"], more].concat(), &[&at("in"), &at("out")]);
        (code(&o), stderr(&o))
    };
    assert_eq!(measured(&["--limit", "2", "--limit", "side=100"]).0, 0);
    for flag in ["--limit", "--input-limit"] {
        let (code, said) = measured(&[flag, "side=80"]);
        assert!(code == 3 && said.contains("frame_0000.png") && said.contains("side"), "{flag}: {code} {said}");
    }
    // What only deciding takes is no word for measuring and tuning.
    for (command, flag) in
        [("analyze", "--keep"), ("analyze", "--surplus"), ("analyze", "--overrides"), ("tune", "--overrides")]
    {
        let output: &[&str] = if command == "tune" { &[] } else { &["-o", "x"] };
        let o = call(&[&[command, "@", flag, "keep"], output].concat(), &[&at("in")]);
        assert!(code(&o) == 2 && stderr(&o).contains(flag), "{command}: {}", stderr(&o));
    }
}

#[test]
fn parts_joined_give_the_bytes_of_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    blocks(&at("in"), 40, Size::new(96, 64));
    let video = small_clip(dir.path());
    std::fs::write(at("c.yaml"), "decision: {near_duplicate_bits: -1}\nvideo: {every: 20}\n").unwrap();
    let run = |what: &str, out: &str, more: &[&str]| {
        let list = [&[what, "@", "@", "-o", "@", "--config", "@"], more].concat();
        well(&list, &[&at("in"), &video, &at(out), &at("c.yaml")])
    };
    run("run", "one", &[]);
    for part in ["1/3", "2/3", "3/3"] {
        run("analyze", &format!("a{}", &part[..1]), &["--shard", part]);
    }
    let measured = |n: &str| std::fs::read_to_string(at(n).join("analysis/frames.jsonl")).unwrap().lines().count();
    let each = ["a1", "a2", "a3"].map(measured);
    assert!(each.iter().all(|n| *n > 0) && each.iter().sum::<usize>() == measured("one"), "{each:?}");
    for part in ["p1", "p2"] {
        well(&["join", "@", "@", "@", "-o", "@"], &[&at("a1"), &at("a2"), &at("a3"), &at(part)]);
    }
    run("run", "p1", &["--shard", "1/2"]);
    let o = run("run", "p2", &["--shard", "2/2", "--json"]);
    let outcome = &events(&o).pop().unwrap()["outcome"];
    assert!(outcome["successful"].as_u64().unwrap() > 0 && outcome["page"].is_null(), "{outcome}");
    // All figures came from the parts.
    assert_eq!(outcome["times"]["figures"], 0.0);
    assert!(!at("p2/processing_report.json").exists());
    let o = well(&["join", "@", "@", "-o", "@", "--json"], &[&at("p1"), &at("p2"), &at("all")]);
    let joined = events(&o).pop().unwrap()["joined"].clone();
    let o = run("run", "all", &["--json"]);
    let outcome = &events(&o).pop().unwrap()["outcome"];
    assert_eq!(outcome["kept"], outcome["successful"]);
    assert_eq!(joined["made"], outcome["successful"]);
    assert!(contents(&at("one")) == contents(&at("all")), "different bytes");
    // Parts of different runs are refused; so is a file that changed.
    std::fs::write(at("other.yaml"), "analysis: {pixels: 5000}\n").unwrap();
    let list = ["analyze", "@", "-o", "@", "--config", "@", "--shard", "1/2"];
    well(&list, &[&at("in"), &at("b"), &at("other.yaml")]);
    let o = call(&["join", "@", "@", "-o", "@"], &[&at("a1"), &at("b"), &at("mixed")]);
    assert!(code(&o) == 2 && stderr(&o).contains("analysis.pixels"), "{}", stderr(&o));
    let made = contents(&at("p1")).into_keys().find(|p| p.to_string_lossy().contains("/images/")).unwrap();
    std::fs::write(at("p1").join(&made), "something else").unwrap();
    let o = call(&["join", "@", "@", "-o", "@"], &[&at("p1"), &at("p2"), &at("changed")]);
    assert!(code(&o) == 5 && stderr(&o).contains("has changed"), "{} {}", code(&o), stderr(&o));
}

#[test]
fn of_two_hundred_frames_one_is_corrupt_and_the_others_are_done() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    blocks(&at("in"), 200, Size::new(48, 32));
    let bad = at("in/frame_0123.png");
    let whole = std::fs::read(&bad).unwrap();
    std::fs::write(&bad, &whole[..whole.len() * 2 / 3]).unwrap();
    std::fs::write(
        at("c.yaml"),
        "decision: {near_duplicate_bits: -1, min_contrast: 0}\nprocessing: {create_visualization: false, save_metadata: false}\n",
    )
    .unwrap();
    let o = call(&["run", "@", "-o", "@", "--config", "@"], &[&at("in"), &at("out"), &at("c.yaml")]);
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    let report: Value = serde_json::from_slice(&std::fs::read(at("out/processing_report.json")).unwrap()).unwrap();
    let summary = &report["summary"];
    assert_eq!(
        (&summary["total_frames"], &summary["successful"], &summary["failed"]),
        (&200.into(), &199.into(), &1.into())
    );
    let failed: Vec<&Value> = report["results"].as_array().unwrap().iter().filter(|r| r["success"] == false).collect();
    assert_eq!((failed.len(), &failed[0]["frame"]), (1, &"frame_0123.png".into()));
    assert!(!failed[0]["error"].as_str().unwrap().is_empty());
}

/// A server with OpenAI's interface: busy once, then it answers. Gives its address and the moments and bodies of requests.
type Asked = Arc<Mutex<Vec<(Instant, Value)>>>;

fn server() -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let asked: Asked = Arc::default();
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let Some(body) = request(&mut stream) else { continue };
            let mut seen = seen.lock().unwrap();
            seen.push((Instant::now(), body));
            let (status, body) = if seen.len() == 1 {
                ("503 Service Unavailable", "loading".to_owned())
            } else {
                let text = format!("a picture of blocks, number {}", seen.len());
                (
                    "200 OK",
                    serde_json::json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] })
                        .to_string(),
                )
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    (url, asked)
}

#[test]
fn a_server_writes_captions_at_its_pace_and_only_once() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    blocks(&at("in"), 4, Size::new(96, 64));
    let (url, asked) = server();
    let config = |more: &str| {
        let text = format!(
            "decision: {{near_duplicate_bits: -1, min_contrast: 0}}\nprocessing: {{create_visualization: false}}\n\
             strategies: {{keep_full: {{caption_model: tiny-vl}}, create_occlusion: {{variations_per_image: 1}}}}\n\
             captions: {{endpoint: \"{url}\", prompt: \"What is it?\", per_second: 4, prefix: ohwx, {more}}}\n"
        );
        std::fs::write(at("c.yaml"), text).unwrap();
    };
    let run = || well(&["run", "@", "-o", "@", "--config", "@"], &[&at("in"), &at("out"), &at("c.yaml")]);
    config("suffix: one");
    run();
    let captions = || -> Vec<String> {
        let all = contents(&at("out")).into_iter();
        let texts = all.filter(|(p, _)| p.extension().is_some_and(|e| e == "txt"));
        texts.map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect()
    };
    let first = captions();
    assert!(first.len() >= 4 && first.iter().all(|c| c.starts_with("ohwx, ") && c.ends_with(", one")), "{first:?}");
    assert!(first.iter().all(|c| c.contains("a picture of blocks, number ")));
    let seen = asked.lock().unwrap().clone();
    // The busy answer was asked again, every picture once.
    assert_eq!(seen.len(), first.len() + 1);
    for (_, body) in &seen {
        assert_eq!(
            (&body["model"], &body["messages"][0]["content"][0]["text"]),
            (&"tiny-vl".into(), &"What is it?".into())
        );
    }
    // Four a second, behind the first picture, which took two attempts. The server's clock starts when it gets round to a request, so
    // one gap may look short; all together must not.
    let (begin, rest) = (seen[2].0, seen.len() as u32 - 3);
    let pace = (seen[seen.len() - 1].0 - begin) / rest.max(1);
    assert!(pace >= Duration::from_millis(200), "{pace:?}");
    // Other words around them: the pictures are made anew, the server is not asked again.
    config("suffix: two");
    run();
    assert!(captions().iter().all(|c| c.ends_with(", two")));
    assert_eq!(asked.lock().unwrap().len(), seen.len());
    // A server that is not there fails its frames, and says so.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(at("c.yaml")).unwrap().replace(&url, &format!("http://{gone}/v1"));
    std::fs::write(at("c.yaml"), text).unwrap();
    let o = call(&["run", "@", "-o", "@", "--config", "@"], &[&at("in"), &at("none"), &at("c.yaml")]);
    assert!(code(&o) != 0 && stderr(&o).contains(&gone.to_string()), "{} {}", code(&o), stderr(&o));
}

/// Frames of one kind of contrast, upside down.
#[derive(Debug)]
struct Turned {
    above: f64,
    version: u32,
}

impl Strategy for Turned {
    fn name(&self) -> &str {
        "turned"
    }

    fn version(&self) -> String {
        format!("{} {}", self.version, self.above)
    }

    fn fit(&self, m: &FrameMetrics) -> Result<f64, String> {
        let by = m.contrast - self.above;
        if by > 0.0 {
            Ok(by)
        } else {
            Err(format!("contrast is too low: {:.2}, must be > {:.2}", m.contrast, self.above))
        }
    }

    fn make(&self, frame: &StrategyFrame<'_>) -> frameloom::Result<Vec<StrategyPicture>> {
        let turned = frame.rgba.as_chunks::<4>().0.iter().rev().flatten().copied().collect();
        Ok(vec![StrategyPicture::new("_turned", frame.size, turned).caption("upside down")])
    }
}

#[test]
fn a_strategy_in_code_takes_part_in_everything() {
    let dir = tempfile::tempdir().unwrap();
    let at = |n: &str| dir.path().join(n);
    blocks(&at("in"), 8, Size::new(96, 64));
    let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
    let options = CurateOptions::default();
    let inputs = Inputs::of(&[at("in")], None, &options.decode.limits).unwrap();
    let run = |version: u32| {
        let mut config = CurateConfig::default();
        config.decision.near_duplicate_bits = -1;
        config.decision.min_contrast = 0.0;
        config.processing.create_visualization = false;
        config.own_strategies.add(Turned { above: 0.2, version });
        curate(&ctx, &inputs, &at("out"), &config, &options, &mut ()).unwrap()
    };
    let first = run(1);
    let count = first.strategies.iter().find(|(n, _)| n == "turned").unwrap().1;
    assert!((1..8).contains(&count), "{:?}", first.strategies);
    let rows = read_ledger(&at("out/analysis/ledger.jsonl")).unwrap();
    let mut seen = 0;
    for row in &rows {
        let name = row["name"].as_str().unwrap();
        let taken = row["contrast"].as_f64().unwrap() > 0.2;
        assert_eq!(row["strategy"] == "turned", taken, "{row}");
        let text = explain(&rows, name).unwrap();
        if taken {
            seen += 1;
            let picture = |p: &Path| {
                let limits = frameloom::core::Limits::default();
                frameloom::media::decode_image(p, &limits, frameloom::media::DecodeHint::default()).unwrap().rgba
            };
            let made = picture(&at("out").join(format!("turned/images/{name}_turned.png")));
            let mut want = picture(&at("in").join(format!("{name}.png")));
            let pixels: Vec<[u8; 4]> = want.as_chunks::<4>().0.iter().rev().copied().collect();
            want = pixels.concat();
            assert!(made == want, "{name}");
            let caption =
                std::fs::read_to_string(at("out").join(format!("turned/captions/{name}_turned.txt"))).unwrap();
            assert!(caption.starts_with("upside down, "), "{caption}");
        } else {
            assert!(text.contains("turned: contrast is too low"), "{text}");
        }
    }
    assert_eq!(seen, count);
    assert_eq!(run(1).kept, 8, "nothing is made again");
    assert_eq!(run(2).kept, 8 - count, "another version is");
    // Names that are taken, and pictures that are none.
    let mut config = CurateConfig::default();
    config.own_strategies.add(Turned { above: 0.2, version: 1 });
    config.own_strategies.add(Turned { above: 0.3, version: 1 });
    assert!(curate(&ctx, &inputs, &at("twice"), &config, &options, &mut ()).is_err());
}
