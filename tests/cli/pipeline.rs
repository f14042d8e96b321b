//! `frameloom run`: chains of commands as users write them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::*;

const H264: [&str; 6] = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];

fn moving(folder: &Path, name: &str, seconds: u32) -> PathBuf {
    clip(folder, name, &format!("testsrc2=size=192x108:rate=10:duration={seconds}"), &H264)
}

fn put(folder: &Path, text: &str) {
    std::fs::write(folder.join("p.yaml"), text).unwrap();
}

/// Runs `p.yaml` in `folder`, into `out`.
fn go(folder: &Path, more: &[&str]) -> Output {
    frameloom().args(["run", "p.yaml", "-o", "out"]).args(more).current_dir(folder).output().unwrap()
}

/// The events `step` by the name of their step.
fn steps(o: &Output) -> BTreeMap<String, Value> {
    let all = events(o);
    let kinds: Vec<&str> = all.iter().map(|e| e["event"].as_str().unwrap()).collect();
    assert_eq!(kinds.first(), Some(&"start"), "{}", stderr(o));
    assert!(matches!(kinds.last(), Some(&"result" | &"error")), "{kinds:?}");
    assert_eq!(kinds.iter().filter(|k| matches!(**k, "result" | "error")).count(), 1, "{kinds:?}");
    all.into_iter().filter(|e| e["event"] == "step").map(|e| (e["step"].as_str().unwrap().to_owned(), e)).collect()
}

fn states(o: &Output) -> Vec<(String, String)> {
    steps(o).into_iter().map(|(name, e)| (name, e["state"].as_str().unwrap().to_owned())).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

/// All outputs but those that say how long things took.
fn stable(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = contents(folder);
    all.retain(|p, _| !(p.ends_with("summary.json") && p.to_string_lossy().contains("sharp")));
    all
}

/// The first YAML block of the page.
fn example() -> String {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/pipelines.md")).unwrap();
    page.split_once("```yaml\n").unwrap().1.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_example_of_the_book_runs_and_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), "clip.mp4", 3);
    put(dir.path(), &example());
    let o = go(dir.path(), &["--dry-run"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let shown = String::from_utf8_lossy(&o.stdout).into_owned();
    assert!(!dir.path().join("out").exists(), "a dry run made something");
    insta::assert_snapshot!(shown, @"
    1/5 measure: runs, each frame decoded once with heat
        frameloom analyze clip.mp4 -o out/01-measure
    2/5 heat: runs, each frame decoded once with measure
        frameloom heatmap clip.mp4 -o out/02-heat
    3/5 plan: runs, after heat
        frameloom chunk plan out/02-heat/heat.npy -o out/03-plan --coverage=0.99 --sizes=96x64 --sizes=64x64
    4/5 sharpen: runs, after plan
        frameloom chunk run clip.mp4 -o out/04-sharpen --effect=filter:unsharp=5:5:1.5 --plan=out/03-plan/chunks.json
    5/5 set: runs, after sharpen
        frameloom curate run 'out/04-sharpen/<video>' -o out/05-set --every=10
    ");
    let o = go(dir.path(), &["--json"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let found = steps(&o);
    assert!(found.len() == 5 && found.values().all(|e| e["state"] == "done" && e["exit"] == 0), "{found:?}");
    assert_eq!(found["sharpen"]["outputs"]["video"], "out/04-sharpen/clip_chunks.mp4");
    let result = events(&o).pop().unwrap();
    assert_eq!((&result["done"], &result["failed"], &result["exit"]), (&5.into(), &0.into(), &0.into()));
    // Events of a step carry its name; there is one result of the whole.
    let inner: Vec<Value> = events(&o).into_iter().filter(|e| e["event"] == "step-result").collect();
    assert!(inner.len() == 5 && inner.iter().all(|e| e["step"].is_string()), "{inner:?}");
    let out = dir.path().join("out");
    let html = std::fs::read_to_string(out.join("index.html")).unwrap();
    let links: Vec<&str> = html.split(" href=\"").skip(1).filter_map(|r| Some(r.split_once('"')?.0)).collect();
    for link in
        ["./01-measure/report.html", "./03-plan/report.html", "./04-sharpen/clip_chunks.mp4", "./05-set/review.html"]
    {
        assert!(links.contains(&link), "{link} of {links:?}");
    }
    assert!(links.iter().all(|l| out.join(l).is_file()), "{links:?}");
    assert!(
        html.contains("Where it moves, sharpened, as a training set")
            && html.contains("30 frames, the file is complete")
    );
    assert_eq!(leftovers(&out), Vec::<PathBuf>::new());

    let before = contents(&out);
    let o = go(dir.path(), &["--json"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(steps(&o).values().all(|e| e["state"] == "kept"), "{}", stderr(&o));
    assert!(before == contents(&out), "a run that keeps everything changed something");
    let o = go(dir.path(), &["--dry-run"]);
    assert_eq!(String::from_utf8_lossy(&o.stdout).matches("is kept").count(), 5);
    assert!(String::from_utf8_lossy(&o.stdout).contains("out/04-sharpen/clip_chunks.mp4"));
    // For people: each line says which step of how many.
    let o = go(dir.path(), &[]);
    assert!(String::from_utf8_lossy(&o.stdout).contains("2/5 heat: kept"), "{}", stderr(&o));
}

const CHAIN: &str = "\
vars: {clip: clip.mp4, size: 96x64}
steps:
  - name: sharp
    run: chunk run
    input: ${vars.clip}
    plan: ${steps.plan.plan}
    effect: filter:unsharp=5:5:1.5
  - name: heat
    run: heatmap
    input: ${vars.clip}
    batch: 4
  - name: plan
    run: chunk plan
    input: ${steps.heat.output}/heat.npy
    sizes: ${vars.size}
  - name: measure
    run: analyze
    input: ${vars.clip}
    dark: 0.2
";

#[test]
fn what_changed_runs_again_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), "clip.mp4", 2);
    put(dir.path(), CHAIN);
    let o = go(dir.path(), &["--json"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    // Steps run after what they use, wherever they stand.
    let numbers: Vec<_> = ["heat", "plan", "sharp"].map(|s| steps(&o)[s]["number"].as_u64().unwrap()).into();
    assert!(numbers.is_sorted(), "{numbers:?}");
    let first = stable(&dir.path().join("out"));

    // Another size: the plan, and what stands on it.
    let o = go(dir.path(), &["--json", "--set", "size=64x64"]);
    let want = pairs(&[("heat", "kept"), ("measure", "kept"), ("plan", "done"), ("sharp", "done")]);
    assert_eq!(states(&o), want, "{}", stderr(&o));
    assert!(stderr(&o).contains("runs anew, different: option.sizes"), "{}", stderr(&o));
    assert!(first != stable(&dir.path().join("out")));

    // And back: the bytes of the first run.
    assert_eq!(code(&go(dir.path(), &[])), 0);
    assert!(first == stable(&dir.path().join("out")), "what was changed and changed back is different");

    // An option of speed is none of results; one of `heat` that changes nothing of the map leaves what stands on it.
    put(dir.path(), &CHAIN.replace("batch: 4", "batch: 2\n    flow_full: 7"));
    let o = go(dir.path(), &["--json"]);
    let want = pairs(&[("heat", "done"), ("measure", "kept"), ("plan", "kept"), ("sharp", "kept")]);
    assert_eq!(states(&o), want, "{}", stderr(&o));
    put(dir.path(), CHAIN);
    go(dir.path(), &[]);
    put(dir.path(), &CHAIN.replace("batch: 4", "batch: 2"));
    assert!(states(&go(dir.path(), &["--json"])).iter().all(|(_, s)| s == "kept"));

    // A file that is gone or was changed.
    let csv = dir.path().join("out/04-measure/frames.csv");
    std::fs::write(&csv, b"mine").unwrap();
    let o = go(dir.path(), &["--json"]);
    let want = pairs(&[("heat", "kept"), ("measure", "done"), ("plan", "kept"), ("sharp", "kept")]);
    assert_eq!(states(&o), want, "{}", stderr(&o));
    assert!(std::fs::read(&csv).unwrap().starts_with(b"frame,"));

    // Another content under the same name.
    moving(dir.path(), "clip.mp4", 3);
    let o = go(dir.path(), &["--json"]);
    assert!(states(&o).iter().all(|(name, s)| s == "done" || name == "plan"), "{:?}", states(&o));
    assert_eq!(code(&go(dir.path(), &["--restart"])), 0);
}

#[test]
fn killed_anywhere_and_run_again_gives_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let source = moving(dir.path(), "clip.mp4", 12);
    put(dir.path(), CHAIN);
    let started = Instant::now();
    assert_eq!(code(&go(dir.path(), &[])), 0);
    let full = started.elapsed();
    let want = stable(&dir.path().join("out"));
    assert!(want.len() > 15, "{:?}", want.keys());
    let mut killed = 0;
    for i in 1..6u32 {
        let again = tempfile::tempdir().unwrap();
        std::fs::copy(&source, again.path().join("clip.mp4")).unwrap();
        put(again.path(), CHAIN);
        // Twice: the run that goes on is killed as well.
        for part in [i, 6 - i] {
            let mut command = frameloom();
            command.args(["run", "p.yaml", "-o", "out", "-q"]).current_dir(again.path());
            let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
            std::thread::sleep(full * part / 6);
            let _ = child.kill();
            killed += u32::from(!child.wait().unwrap().success());
        }
        let o = go(again.path(), &[]);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        assert!(want == stable(&again.path().join("out")), "different bytes after kill {i}");
        assert_eq!(leftovers(&again.path().join("out")), Vec::<PathBuf>::new());
    }
    assert!(killed >= 4, "only {killed} runs were really killed");
}

#[test]
fn a_step_that_fails_stops_what_uses_it_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let whole = moving(dir.path(), "clip.mp4", 2);
    std::fs::write(dir.path().join("bad.mp4"), b"not a video").unwrap();
    put(
        dir.path(),
        "\
steps:
  - {name: bad, run: heatmap, input: bad.mp4}
  - {name: plan, run: chunk plan, heat: '${steps.bad.heat}'}
  - {name: sharp, run: chunk run, input: clip.mp4, plan: '${steps.plan.plan}'}
  - {name: good, run: analyze, input: clip.mp4}
",
    );
    let o = go(dir.path(), &["--json"]);
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    let want = pairs(&[("bad", "failed"), ("good", "done"), ("plan", "not run"), ("sharp", "not run")]);
    assert_eq!(states(&o), want);
    let found = steps(&o);
    let error = &found["bad"]["error"];
    assert!(error["code"].as_str().unwrap().starts_with("input-") && error["exit"] == found["bad"]["exit"], "{error}");
    let result = events(&o).pop().unwrap();
    assert_eq!((&result["failed"], &result["not_run"], &result["done"]), (&1.into(), &2.into(), &1.into()));
    let html = std::fs::read_to_string(dir.path().join("out/index.html")).unwrap();
    assert!(html.contains("3 not done") && html.contains("Not run: it uses bad"), "{html}");

    // Put right, the rest is done and the good step is kept.
    std::fs::copy(&whole, dir.path().join("bad.mp4")).unwrap();
    let o = go(dir.path(), &["--json"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert_eq!(states(&o), pairs(&[("bad", "done"), ("good", "kept"), ("plan", "done"), ("sharp", "done")]));

    // Where nothing comes out at all, the exit code is that of the failure.
    std::fs::write(dir.path().join("bad.mp4"), b"not a video").unwrap();
    put(dir.path(), "steps: [{name: bad, run: heatmap, input: bad.mp4}]");
    let o = go(dir.path(), &["--json"]);
    let last = events(&o).pop().unwrap();
    assert!(last["event"] == "error" && last["exit"] == code(&o) && (4..=5).contains(&code(&o)), "{last}");

    // A video that is cut off is partial, and so is the whole.
    let long = moving(dir.path(), "long.mkv", 8);
    let bytes = std::fs::read(&long).unwrap();
    std::fs::write(&long, &bytes[..bytes.len() / 2]).unwrap();
    put(
        dir.path(),
        "steps: [{name: cut, run: heatmap, input: long.mkv}, {name: plan, run: chunk plan, heat: '${steps.cut.heat}'}]",
    );
    let o = go(dir.path(), &["--json"]);
    assert_eq!((code(&o), states(&o)), (3, pairs(&[("cut", "partial"), ("plan", "done")])), "{}", stderr(&o));
}

#[cfg(feature = "faiss")]
#[test]
fn track_index_and_collage_stand_on_each_other() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), "clip.mp4", 3);
    put(
        dir.path(),
        "\
steps:
  - {name: follow, run: track, input: clip.mp4, annotate: true, isolate: 'off'}
  - {name: pool, run: index build, input: '${steps.follow.stills}', descriptor: {comparison_size: 128}}
  - {name: rebuilt, run: collage, video: '${steps.follow.video}', images: '${steps.pool.index}', selection.seed: 3}
  - {name: small, run: proxy, input: '${steps.rebuilt.video}', scale: 0.5}
",
    );
    let o = go(dir.path(), &["--json"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let found = steps(&o);
    assert_eq!(found["follow"]["outputs"]["video"], "out/01-follow/clip_processed.mp4");
    assert_eq!(found["rebuilt"]["outputs"]["video"], "out/03-rebuilt/clip_processed_matched.mp4");
    assert!(dir.path().join("out/04-small/proxy.mp4").is_file());
    // Settings that have no flag of their own reach the command.
    let config = std::fs::read_to_string(dir.path().join("out/03-rebuilt/config.toml")).unwrap();
    assert!(config.contains("seed = 3") && config.contains("comparison_size = 128"), "{config}");
    let o = go(dir.path(), &["--json"]);
    assert!(states(&o).iter().all(|(_, s)| s == "kept"), "{:?} {}", states(&o), stderr(&o));
}

/// What is said about a file, with its exit code.
fn refused(folder: &Path, text: &str) -> (i32, String) {
    put(folder, text);
    let o = go(folder, &[]);
    assert!(!folder.join("out").exists(), "something ran: {text}");
    let said = stderr(&o);
    let first = said.lines().find(|l| l.contains("error[")).unwrap_or_else(|| panic!("no error: {said}"));
    (code(&o), first.trim_start_matches("frameloom: ").to_owned())
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), "clip.mp4", 1);
    let one = |body: &str| format!("steps:\n  - name: a\n    run: analyze\n    input: clip.mp4\n{body}");
    for (text, exit, wanted) in [
        (one("    drak: 0.2\n"), 2, "setting `steps.a.drak`: unknown option of `analyze`; did you mean `dark`? (p.yaml:5)"),
        (one("    dark: 2\n"), 2, "setting `steps.a.dark`: must be 0 to 1, got 2 (p.yaml:5)"),
        (one("    dark: very\n"), 2, "setting `steps.a.dark`: invalid float literal, got `very` (p.yaml:5)"),
        (one("    batch: 0\n"), 2, "setting `steps.a.batch`: 0 is not in 1..=512 (p.yaml:5)"),
        (one("    on_error: never\n"), 2, "setting `steps.a.on_error`: must be one of stop, skip, strict, got `never` (p.yaml:5)"),
        (one("    batch: [1]\n"), 2, "setting `steps.a.batch`: must be one value, got a list (p.yaml:5)"),
        (one("    json: true\n"), 2, "setting `steps.a.json`: is not for a single step: it belongs to the command that runs them (p.yaml:5)"),
        (one("  - name: b\n    run: trakc\n"), 2, "setting `steps[1].run`: there is no command `trakc` for this; did you mean `track`? (p.yaml:6)"),
        (one("  - name: A\n    run: track\n"), 2, "setting `steps[1].name`: there is a step `A` already (p.yaml:5)"),
        (one("  - name: b c\n    run: track\n"), 2, "setting `steps[1].name`: must be letters, digits, - and _, at most 48, got `b c` (p.yaml:5)"),
        (one("  - run: track\n"), 2, "setting `steps[1]`: `name` is missing: a name of the step, for others to refer to (p.yaml:5)"),
        (one("  - name: b\n    run: chunk plan\n"), 2, "setting `steps.b`: wanted: `heat` (p.yaml:5)"),
        (one("  - {name: b, run: chunk plan, heat: '${steps.c.heat}'}\n"), 2, "setting `steps.b.heat`: there is no step `c`; did you mean `a`? (p.yaml:5)"),
        (one("  - {name: b, run: chunk plan, heat: '${steps.a.hat}'}\n"), 2, "setting `steps.b.heat`: `analyze` leaves no `hat`; did you mean `heat`? (p.yaml:5)"),
        (one("  - {name: b, run: track, input: '${vars.v}'}\n"), 2, "setting `steps.b.input`: there is no variable `v`; there are none (p.yaml:5)"),
        (one("  - {name: b, run: track, input: '${x}'}\n"), 2, "setting `steps.b.input`: `${x}` is no reference; there are ${vars.NAME} and ${steps.NAME.OUTPUT} (p.yaml:5)"),
        (
            one("  - {name: b, run: track, input: clip.mp4}\n  - {name: c, run: proxy, input: '${steps.b.video}'}\n"),
            2,
            "setting `steps.c.input`: step `b` leaves a `video` only with `annotate` (p.yaml:6)",
        ),
        (
            "steps:\n- {name: x, run: proxy, input: '${steps.y.video}'}\n- {name: y, run: proxy, input: '${steps.x.output}'}\n".into(),
            2,
            "setting `steps.x`: steps use each other in a circle: x -> y -> x (p.yaml:2)",
        ),
        (
            "steps:\n- {name: x, run: collage, video: clip.mp4, images: .,\n   selection: {sed: 3}}\n".into(),
            2,
            "setting `steps.x.selection.sed`: unknown; did you mean `seed`? (p.yaml:3)",
        ),
        (
            "steps:\n- {name: x, run: track, input: clip.mp4,\n   annotate: 3}\n".into(),
            2,
            "setting `steps.x.annotate`: must be true or false, got 3 (p.yaml:3)",
        ),
        ("stepz: []\n".into(), 2, "setting `stepz`: unknown; did you mean `steps`? (p.yaml:1)"),
        ("vars: {a: 1}\n".into(), 2, "setting `steps`: wanted: a list of 1 to 999 steps (p.yaml)"),
        ("vars:\n  a: {b: 1}\nsteps: []\n".into(), 2, "setting `vars.a`: must be a text, a number, true or false, or a list of these (p.yaml:2)"),
        (one("").replace("clip.mp4", "gone.mp4"), 4, "cannot read the input: no such file, for `input` of step `a` (p.yaml:4): gone.mp4"),
    ] {
        let (code, said) = refused(dir.path(), &text);
        assert_eq!((code, said.split_once("]: ").unwrap().1), (exit, wanted), "{text}");
    }
    let (code, said) = refused(dir.path(), "steps:\n- {name: x, run: track, input: clip.mp4, detector: no-such-net}\n");
    assert_eq!(code, 9, "{said}");
    assert!(said.contains("`no-such-net`") && said.contains("for step `x` (p.yaml:2)"), "{said}");
    let o = go(dir.path(), &["--set", "clip=x"]);
    assert_eq!(
        code_and_line(&o),
        (2, "error[config]: setting `vars.clip`: unknown variable; there are none (--set clip)".into())
    );
}

fn code_and_line(o: &Output) -> (i32, String) {
    let said = stderr(o);
    (code(o), said.lines().next().unwrap_or_default().trim_start_matches("frameloom: ").to_owned())
}

#[test]
fn two_runs_do_not_share_a_folder_and_an_interrupt_ends_the_chain() {
    let dir = tempfile::tempdir().unwrap();
    clip(dir.path(), "clip.mp4", "testsrc2=size=640x360:rate=30:duration=60", &H264);
    put(dir.path(), CHAIN);
    let mut command = frameloom();
    command.args(["run", "p.yaml", "-o", "out"]).current_dir(dir.path());
    let child = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while !dir.path().join("out/02-heat").exists() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    let other = go(dir.path(), &[]);
    assert_eq!(code(&other), 10, "{}", stderr(&other));
    let sent = std::process::Command::new("kill").arg("-INT").arg(child.id().to_string()).status().unwrap();
    assert!(sent.success());
    let o = child.wait_with_output().unwrap();
    assert_eq!(code(&o), 130, "{}", stderr(&o));
    assert!(!dir.path().join("out/index.html").exists());
}

const TOGETHER: &str = "\
steps:
  - {name: measure, run: analyze, input: clip.mp4}
  - {name: other, run: analyze, input: other.mp4}
  - {name: plan, run: chunk plan, heat: '${steps.heat.heat}', sizes: 96x64}
  - {name: heat, run: heatmap, input: ./clip.mp4}
  - {name: tracks, run: track, input: clip.mp4, isolate: off}
  - {name: faces, run: heatmap, input: clip.mp4, limit: [frames=100000]}
  - {name: sharp, run: chunk run, input: clip.mp4, plan: '${steps.plan.plan}', effect: 'filter:unsharp=5:5:1.5'}
";

/// What may differ between two runs: how long things took, and what the process held.
fn untimed(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = stable(folder);
    all.retain(|p, _| !p.ends_with("result.json") && !p.to_string_lossy().contains(".state"));
    all
}

#[test]
fn steps_that_read_the_same_video_decode_it_once() {
    let dir = tempfile::tempdir().unwrap();
    moving(dir.path(), "clip.mp4", 3);
    moving(dir.path(), "other.mp4", 1);
    put(dir.path(), TOGETHER);
    let shown = String::from_utf8_lossy(&go(dir.path(), &["--dry-run"]).stdout).into_owned();
    assert!(shown.contains("3/7 heat: runs, each frame decoded once with measure, tracks"), "{shown}");
    assert_eq!(shown.matches("decoded once").count(), 3, "{shown}");

    let o = go(dir.path(), &["--json"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let with: Vec<(String, Value)> = steps(&o).into_iter().map(|(name, e)| (name, e["with"].clone())).collect();
    let three = |a: &str, b: &str| serde_json::json!([a, b]);
    for (name, others) in with {
        let wanted = match name.as_str() {
            "measure" => three("heat", "tracks"),
            "heat" => three("measure", "tracks"),
            "tracks" => three("measure", "heat"),
            _ => serde_json::json!([]),
        };
        assert_eq!(others, wanted, "{name}");
    }
    assert!(stderr(&o).contains("30 frames decoded, 90 read by measure, heat, tracks"), "{}", stderr(&o));
    let together = untimed(&dir.path().join("out"));

    // The same folder: pages name what is in it.
    std::fs::remove_dir_all(dir.path().join("out")).unwrap();
    let o = go(dir.path(), &["--one-by-one"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(!stderr(&o).contains("frames decoded"), "{}", stderr(&o));
    let alone = untimed(&dir.path().join("out"));
    assert_eq!(together.keys().collect::<Vec<_>>(), alone.keys().collect::<Vec<_>>());
    let different: Vec<&PathBuf> = alone.iter().filter(|(p, b)| together[*p] != **b).map(|(p, _)| p).collect();
    assert!(different.is_empty() && alone.len() > 30, "{} files, different: {different:?}", alone.len());

    // What is kept does not run, so only two are left to share.
    std::fs::remove_dir_all(dir.path().join("out/01-measure")).unwrap();
    std::fs::remove_dir_all(dir.path().join("out/04-heat")).unwrap();
    let o = go(dir.path(), &["--json"]);
    let found = steps(&o);
    assert_eq!((&found["tracks"]["state"], &found["tracks"]["with"]), (&"kept".into(), &serde_json::json!([])));
    assert_eq!((&found["heat"]["state"], &found["heat"]["with"]), (&"done".into(), &serde_json::json!(["measure"])));
    assert!(untimed(&dir.path().join("out")) == alone, "another run of two steps changed something");
}

#[test]
fn what_fails_beside_others_fails_as_it_does_alone() {
    let dir = tempfile::tempdir().unwrap();
    // The end is missing: all can use the rest, and say so. Pictures are so large that 64 MB are too few, whoever else is at work.
    let film = clip(dir.path(), "cut.mkv", "testsrc2=size=1600x900:rate=10:duration=1", &H264);
    let whole = std::fs::read(&film).unwrap();
    std::fs::write(&film, &whole[..whole.len() * 2 / 3]).unwrap();
    put(
        dir.path(),
        "steps:\n  - {name: measure, run: analyze, input: cut.mkv}\n  - {name: heat, run: heatmap, input: cut.mkv}\n  \
         - {name: small, run: heatmap, input: cut.mkv, memory_limit: 64}\n  \
         - {name: late, run: chunk plan, heat: '${steps.small.heat}', sizes: 96x64}\n",
    );
    let told = |o: &Output| -> Vec<(String, Value, Value, Value)> {
        let all = steps(o).into_iter();
        all.map(|(name, e)| (name, e["state"].clone(), e["exit"].clone(), e["error"]["code"].clone())).collect()
    };
    let o = go(dir.path(), &["--json"]);
    let (together, said) = (told(&o), stderr(&o));
    std::fs::remove_dir_all(dir.path().join("out")).unwrap();
    let alone = told(&go(dir.path(), &["--json", "--one-by-one"]));
    assert_eq!(together, alone, "{said}");
    let states: Vec<&str> = alone.iter().map(|t| t.1.as_str().unwrap()).collect();
    assert_eq!(states, ["partial", "not run", "partial", "failed"], "{alone:?} {said}");
    assert_eq!(alone[3].3, "memory");
    // It was tried among the others first.
    assert_eq!(said.matches("3/4 small] failed[memory]").count(), 2, "{said}");
}
