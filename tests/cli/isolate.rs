//! Decoder processes, the memory plan and live metrics of the command.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::*;

const FAST: [&str; 6] = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];

fn analyze(input: &Path, out: &Path, more: &[&str]) -> Output {
    frameloom().arg("analyze").arg(input).arg("-o").arg(out).arg("--json").args(more).output().unwrap()
}

fn start(input: &Path, out: &Path, more: &[&str]) -> Child {
    let mut command = frameloom();
    command.arg("analyze").arg(input).arg("-o").arg(out).arg("--json").args(more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Decoder processes of `parent` that run.
fn workers(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else { continue };
        let text = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let field = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).map(str::trim).unwrap_or_default();
        let ours = field("PPid:") == parent.to_string() && !field("State:").starts_with('Z');
        if ours && line.windows(13).any(|w| w == b"decode-worker") {
            found.push(pid);
        }
    }
    found
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(pid: u32, number: i32) {
    assert!(Command::new("kill").args([format!("-{number}"), pid.to_string()]).status().unwrap().success());
}

type Lines = std::io::Lines<BufReader<std::process::ChildStderr>>;

/// Where a command serves its figures, as it says on standard error, and what it says after that.
fn metrics_address(child: &mut Child) -> (String, Lines) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines.find_map(|l| Some(l.unwrap().split_once("http://")?.1.split_once("/metrics")?.0.to_owned()));
    (address.expect("the address is said"), lines)
}

/// The figures, while there is somebody who serves them.
fn page(address: &str) -> Option<String> {
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

fn figure(page: &str, name: &str) -> Option<f64> {
    page.lines().find_map(|l| l.strip_prefix(name)?.rsplit_once(' ')?.1.parse().ok())
}

fn clip_of(dir: &Path, size: &str, seconds: &str) -> PathBuf {
    clip(dir, &format!("{size}.mp4"), &format!("testsrc2=size={size}:rate=25:duration={seconds}"), &FAST)
}

#[test]
fn isolation_changes_no_byte_and_leaves_no_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut inputs = vec![small_clip(dir.path())];
    if let Some(data) = real_data("isolation_changes_no_byte_and_leaves_no_process (real files)") {
        for name in ["bad/carphone_flip.mp4", "bad/asl_trunc50.mkv", "bad/grid_hole.mpg", "video/multitrack_3v2a.mkv"] {
            inputs.push(data.join(name));
        }
    }
    for (i, input) in inputs.iter().enumerate() {
        let (here, there) = (dir.path().join(format!("here{i}")), dir.path().join(format!("there{i}")));
        let (a, b) = (analyze(input, &here, &[]), analyze(input, &there, &["--isolate"]));
        assert_eq!(code(&a), code(&b), "{}: {}\n{}", input.display(), stderr(&a), stderr(&b));
        assert!(!contents(&here).is_empty() && contents(&here) == contents(&there), "{}", input.display());
        let result = events(&b).pop().unwrap();
        assert_eq!(result["memory"]["decoder_process_deaths"], 0);
        assert!(result["memory"]["peak_decoder_bytes"].as_u64().unwrap() > 1 << 20, "{result}");
        assert!(events(&a).pop().unwrap()["memory"]["decoder_process_deaths"].is_null());
    }
    let o = analyze(&dir.path().join("none.mp4"), &dir.path().join("x"), &["--isolate=maybe"]);
    assert_eq!(code(&o), 2);
}

/// The first death costs nothing, the second the rest of the input; other inputs go on, and the next run does it again.
#[test]
fn a_decoder_that_is_killed_twice_leaves_a_partial_result_and_the_others_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (input, other) = (clip_of(dir.path(), "640x360", "30"), small_clip(dir.path()));
    let whole = dir.path().join("whole");
    assert_eq!(code(&analyze(&input, &whole, &[])), 0);
    for deaths in [1, 2] {
        let out = dir.path().join(format!("out{deaths}"));
        let mut command = frameloom();
        command.arg("analyze").args([&input, &other]).arg("-o").arg(&out).args(["--json", "--isolate"]);
        command.args(["--metrics-listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (address, lines) = metrics_address(&mut child);
        std::thread::spawn(move || lines.for_each(drop));
        let (mut killed, mut before) = (Vec::new(), 0.0);
        for _ in 0..deaths {
            // Once more frames have come than before the last death.
            before = wait_for("frames", || figure(&page(&address)?, "frameloom_frames_total").filter(|n| *n > before));
            let pid = wait_for("a decoder process", || workers(child.id()).into_iter().find(|p| !killed.contains(p)));
            signal(pid, 9);
            killed.push(pid);
        }
        let o = child.wait_with_output().unwrap();
        let events = events(&o);
        let item = |name: &str| {
            events
                .iter()
                .find(|e| e["event"] == "item" && e["input"].as_str().unwrap().ends_with(name))
                .unwrap()
                .clone()
        };
        let result = events.last().unwrap();
        assert_eq!(result["memory"]["decoder_process_deaths"], deaths);
        assert_eq!((&item("small.mp4")["status"], &item("small.mp4")["frames"]), (&"complete".into(), &60.into()));
        let struck = item("640x360.mp4");
        let rows = std::fs::read_to_string(out.join("640x360/frames.jsonl")).unwrap().lines().count();
        assert_eq!(struck["frames"], rows as u64, "as many as there are rows");
        let complete = std::fs::read_to_string(whole.join("frames.jsonl")).unwrap();
        let written = std::fs::read_to_string(out.join("640x360/frames.jsonl")).unwrap();
        assert!(complete.starts_with(&written), "the frames before the fault are those of a whole run");
        if deaths == 1 {
            assert_eq!((code(&o), rows), (0, 750), "{}", stderr(&o));
            let summary = std::fs::read_to_string(out.join("640x360/summary.json")).unwrap();
            assert!(summary.contains("another one went on"), "{summary}");
            continue;
        }
        assert_eq!(code(&o), 3, "{}", stderr(&o));
        assert!(rows > 0 && rows < 750, "{rows}");
        assert_eq!((&struck["status"], &struck["error"]["code"]), (&"partial".into(), &"decode-worker-killed".into()));
        assert_eq!(struck["error"]["frames"], rows as u64);
        // What a decoder could not do today it may do tomorrow.
        let again = analyze(&input, &out.join("640x360"), &["--isolate"]);
        assert_eq!(code(&again), 0, "{}", stderr(&again));
        assert!(contents(&whole) == contents(&out.join("640x360")));
    }
}

#[test]
fn decoders_end_with_their_parent_however_that_ends() {
    let dir = tempfile::tempdir().unwrap();
    let input = clip_of(dir.path(), "640x360", "30");
    for (number, stopped) in [(9, false), (15, false), (9, true)] {
        let out = dir.path().join(format!("out{number}{stopped}"));
        let mut child = start(&input, &out, &["--isolate"]);
        let worker = wait_for("a decoder process", || workers(child.id()).pop());
        std::thread::sleep(Duration::from_millis(200));
        if stopped {
            signal(worker, 19);
        }
        signal(child.id(), number);
        child.wait().unwrap();
        let gone = || {
            let state = std::fs::read_to_string(format!("/proc/{worker}/stat")).ok();
            state.is_none_or(|s| s.rsplit(')').next().is_some_and(|r| r.trim_start().starts_with('Z'))).then_some(())
        };
        let started = Instant::now();
        wait_for("the end of the decoder process", gone);
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "signal {number}, stopped {stopped}: {:?}",
            started.elapsed()
        );
    }
}

/// Either the process tree stays within the limit, or the run is refused before it starts, and says with which limit it would not be.
#[test]
fn the_memory_limit_is_a_plan_that_holds() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = [clip_of(dir.path(), "1920x1080", "1"), clip_of(dir.path(), "3840x2160", "0.4")];
    let mut seen = Vec::new();
    for input in &inputs {
        for (isolate, limit) in
            [("off", 128), ("on", 128), ("off", 256), ("on", 256), ("off", 512), ("on", 512), ("on", 1024)]
        {
            let name = format!("{}-{isolate}-{limit}", input.file_stem().unwrap().display());
            let out = dir.path().join(&name);
            let isolate = format!("--isolate={isolate}");
            let run = |limit: u64, out: &Path| analyze(input, out, &[&isolate, "--memory-limit", &limit.to_string()]);
            let o = run(limit, &out);
            let last = events(&o).pop().unwrap();
            if code(&o) == 0 {
                let memory = &last["memory"];
                let (peak, planned) = (&memory["peak_anonymous_bytes"], &memory["planned_peak_bytes"]);
                assert!(peak.as_u64().unwrap() <= limit << 20, "{name}: {memory}");
                assert!(planned.as_u64().unwrap() <= limit << 20, "{name}: {memory}");
                assert!(memory["samples"].as_u64().unwrap() > 3);
                seen.push(format!("{name}: {} MB", peak.as_u64().unwrap() >> 20));
                continue;
            }
            assert_eq!((code(&o), &last["code"]), (6, &"memory".into()), "{name}: {}", stderr(&o));
            assert!(!out.exists(), "{name}: refused before anything was begun");
            // The limit that the hint names is enough, or nearly: what the process holds at its start differs a little from run to run.
            let hint = last["hint"].as_str().unwrap();
            let least: u64 = hint.split_whitespace().find_map(|w| w.parse().ok()).unwrap();
            assert!(least > limit, "{hint}");
            assert_eq!(code(&run(least + 8, &out)), 0, "{name}: {hint}");
            assert_eq!(code(&run(least - 16, &dir.path().join(format!("{name}-less")))), 6, "{name}: {hint}");
            seen.push(format!("{name}: refused, {least} MB would do"));
        }
    }
    eprintln!("{seen:#?}");
    assert!(seen.iter().any(|s| s.contains("refused")) && seen.iter().any(|s| !s.contains("refused")));
}

#[test]
fn figures_can_be_watched_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let input = clip_of(dir.path(), "640x360", "30");
    let mut child = start(&input, &dir.path().join("out"), &["--isolate", "--metrics-listen", "127.0.0.1:0"]);
    let (address, lines) = metrics_address(&mut child);
    let page =
        wait_for("frames", || page(&address).filter(|p| figure(p, "frameloom_frames_total").is_some_and(|v| v > 0.0)));
    assert_eq!(figure(&page, "frameloom_decoder_processes"), Some(1.0), "{page}");
    assert_eq!(figure(&page, "frameloom_input_frames_expected"), Some(750.0));
    assert!(figure(&page, "frameloom_memory_bytes{part=\"decoders\"}").is_some_and(|v| v > 1e6));
    assert!(figure(&page, "frameloom_gpu_buffer_bytes").is_some_and(|v| v > 1e6));
    // Standard error must be read, or the child would wait for room.
    std::thread::spawn(move || lines.for_each(drop));
    let o = child.wait_with_output().unwrap();
    assert_eq!(code(&o), 0);
}

/// What a command that decodes apart leaves, once its decoder process was seen.
fn apart(args: &[&std::ffi::OsStr], out: &Path, isolate: bool) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut command = frameloom();
    command.args(args).arg("-o").arg(out).args(["--json", "--progress", "none"]);
    if isolate {
        command.arg("--isolate");
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if isolate {
        let ended = |child: &mut Child| child.try_wait().unwrap().is_some();
        wait_for("a decoder process", || (ended(&mut child) || !workers(child.id()).is_empty()).then_some(()));
        assert!(!workers(child.id()).is_empty(), "{args:?} ended without a decoder process");
    }
    let o = child.wait_with_output().unwrap();
    assert_eq!(code(&o), 0, "{args:?}: {}", stderr(&o));
    if out.is_dir() { contents(out) } else { [(PathBuf::new(), std::fs::read(out).unwrap())].into() }
}

#[test]
fn every_workflow_decodes_apart_where_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let clip = clip_of(dir.path(), "320x180", "3");
    std::fs::create_dir(at("pool")).unwrap();
    clip_of(&at("pool"), "64x36", "1");
    let pictures = at("pool").join("%02d.png");
    let o = Command::new("ffmpeg").args(["-v", "error", "-i"]).arg(at("pool/64x36.mp4")).arg(&pictures).output();
    assert!(o.unwrap().status.success());
    std::fs::remove_file(at("pool/64x36.mp4")).unwrap();
    let (clip, pool) = (clip.into_os_string(), at("pool").into_os_string());
    let real = real_data("every_workflow_decodes_apart_where_it_is_told_to (sync)");
    let faces = real.map(|d| d.join("video/grid_bbaf2n.mpg").into_os_string());
    let models = crate::sync::data("every_workflow_decodes_apart_where_it_is_told_to (models of sync)");
    let models = models.map(|(_, folder)| folder);
    let mut calls: Vec<Vec<&std::ffi::OsStr>> = vec![
        vec!["heatmap".as_ref(), &clip],
        vec!["chunk".as_ref(), "run".as_ref(), &clip, "--sizes".as_ref(), "128x128".as_ref()],
        vec!["proxy".as_ref(), &clip],
        vec!["curate".as_ref(), "analyze".as_ref(), &clip, "--every".as_ref(), "5".as_ref()],
        vec!["collage".as_ref(), &clip, &pool],
    ];
    if let (Some(faces), Some(models)) = (&faces, &models) {
        calls.push(vec!["sync".as_ref(), faces, "--models".as_ref(), models.path().as_ref()]);
    }
    for (i, call) in calls.iter().enumerate() {
        let ending = if call[0] == "proxy" { ".mp4" } else { "" };
        let [here, there] = ["here", "there"].map(|n| at(&format!("{n}{i}{ending}")));
        let (a, b) = (apart(call, &here, false), apart(call, &there, true));
        let differ: Vec<_> = a.iter().filter(|(p, bytes)| b.get(*p) != Some(bytes)).map(|(p, _)| p).collect();
        assert!(!a.is_empty() && a.len() == b.len() && differ.is_empty(), "{call:?}: {differ:?}");
    }
}
