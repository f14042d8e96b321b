//! One input in parts: an index, a collage, a heat map, a processed video.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use crate::support::*;

const H264: [&str; 6] = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];

/// A folder to work in.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command with words; those that begin with `@` are names in the folder.
    fn call(&self, words: &[&str]) -> Output {
        let path = |w: &&str| w.strip_prefix('@').map_or_else(|| (*w).into(), |name| self.at(name));
        let words: Vec<PathBuf> = words.iter().map(path).collect();
        frameloom().args(words).args(["--json"]).output().unwrap()
    }

    fn well(&self, words: &[&str]) -> serde_json::Value {
        let o = self.call(words);
        assert_eq!(code(&o), 0, "{words:?}: {}", stderr(&o));
        events(&o).pop().unwrap()
    }

    /// All of `count` parts of a command, merged into `to`: what the parts said.
    fn merged(&self, words: &[&str], count: u32, to: &str) -> Vec<serde_json::Value> {
        let names: Vec<String> = (1..=count).rev().map(|i| format!("@{to}-{i}")).collect();
        let said = (1..=count).map(|i| {
            let (name, shard) = (format!("@{to}-{i}"), format!("{i}/{count}"));
            self.well(&[words, &["-o", &name, "--shard", &shard]].concat())
        });
        let said = said.collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let to = format!("@{to}");
        self.well(&[&["merge"], &names[..], &["-o", &to]].concat());
        said
    }

    /// That a merge of these folders is refused with these words.
    fn refused(&self, parts: &[&str], said: &str) {
        let o = self.call(&[&["merge"], parts, &["-o", "@refused"]].concat());
        assert!(code(&o) == 2 && stderr(&o).contains(said), "{parts:?}: {} {}", code(&o), stderr(&o));
    }

    fn files(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        contents(&self.at(name))
    }
}

fn same(a: &BTreeMap<PathBuf, Vec<u8>>, b: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in a {
        assert!(*bytes == b[name], "{what}: {} differs", name.display());
    }
}

fn sum(said: &[serde_json::Value], field: &str) -> u64 {
    said.iter().map(|s| s[field].as_u64().unwrap()).sum()
}

/// Kills a part as soon as `is_there`, which must come before its end.
fn killed(desk: &Desk, words: &[&str], is_there: impl Fn() -> bool) {
    let path = |w: &&str| w.strip_prefix('@').map_or_else(|| PathBuf::from(w), |name| desk.at(name));
    let mut child = frameloom()
        .args(words.iter().map(path))
        .args(["--progress", "none", "-q"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while !is_there() {
        assert!(child.try_wait().unwrap().is_none(), "over before it could be killed");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[cfg(feature = "faiss")]
#[test]
fn an_index_and_a_collage_in_parts_are_those_of_one_run() {
    let desk = Desk::new();
    crate::collage::pictures(&desk.at("photos"), 90);
    // Twice the same picture, in two parts.
    std::fs::copy(desk.at("photos/p001.jpg"), desk.at("photos/p050.jpg")).unwrap();
    let build = ["index", "build", "@photos"];
    desk.well(&[&build[..], &["-o", "@index"]].concat());
    let want = desk.files("index");
    for count in [1, 2, 5] {
        let to = format!("i{count}");
        let said = desk.merged(&build, count, &to);
        assert_eq!((sum(&said, "pictures"), &said[0]["of_units"]), (90, &6.into()), "{said:?}");
        let whole = format!("@{to}");
        let result = desk.well(&[&build[..], &["-o", &whole]].concat());
        assert_eq!((&result["computed"], &result["reused"]), (&0.into(), &90.into()), "{result}");
        same(&want, &desk.files(&to), &to);
    }
    // A part that is run again, and one in the folder of an index.
    let again = desk.well(&[&build[..], &["-o", "@i2-1", "--shard", "1/2"]].concat());
    assert_eq!(again["computed"], 0, "{again}");
    let o = desk.call(&[&build[..], &["-o", "@index", "--shard", "1/2"]].concat());
    assert!(code(&o) == 2 && stderr(&o).contains("there is an index already"), "{}", stderr(&o));
    desk.well(&[&build[..], &["-o", "@hog", "--shard", "2/2", "--feature-method", "hog"]].concat());
    desk.refused(&["@i2-1", "@hog"], "they differ in settings (");
    desk.refused(&["@i2-1", "@i5-2"], "they differ in number of parts");
    desk.refused(&["@i2-2"], "part 1/2 is missing");

    clip(&desk.at(""), "clip.mp4", "testsrc2=size=192x108:rate=30:duration=14", &H264);
    // Choices that depend on all frames: parts only find what may be chosen.
    for (name, flags) in [("plain", &[][..]), ("once", &["--cooldown", "0.2"]), ("even", &["--smoothness", "0.05"])] {
        let collage = [&["collage", "@clip.mp4", "@index"], flags].concat();
        let (one, all) = (format!("@{name}"), format!("{name}-all"));
        desk.well(&[&collage[..], &["-o", &one]].concat());
        let want = desk.files(name);
        for count in if name == "plain" { vec![1, 2, 5] } else { vec![2] } {
            let to = format!("{all}{count}");
            let said = desk.merged(&collage, count, &to);
            assert_eq!((sum(&said, "units"), &said[0]["frames"]), (7, &420.into()), "{said:?}");
            let whole = format!("@{to}");
            let result = desk.well(&[&collage[..], &["-o", &whole]].concat());
            assert_eq!((&result["resumed"], &result["cached"]), (&420.into(), &false.into()), "{result}");
            same(&want, &desk.files(&to), &to);
        }
    }
    let collage = ["collage", "@clip.mp4", "@index"];
    let seen = desk.at("killed/.state/matches");
    let part = [&collage[..], &["-o", "@killed", "--shard", "1/2", "--checkpoint-batch", "1"]].concat();
    killed(&desk, &part, || std::fs::metadata(&seen).is_ok_and(|m| m.len() > 8_000));
    desk.refused_missing(&["@killed", "@plain-all2-2"]);
    desk.well(&part);
    desk.well(&["merge", "@killed", "@plain-all2-2", "-o", "@after"]);
    desk.well(&[&collage[..], &["-o", "@after"]].concat());
    same(&desk.files("plain"), &desk.files("after"), "killed");
    let o = desk.call(&["collage", "@clip.mp4", "@photos", "-o", "@x", "--shard", "1/2"]);
    assert!(code(&o) == 2 && stderr(&o).contains("needs an index"), "{}", stderr(&o));
}

impl Desk {
    /// That one of these folders is of no part that is done.
    fn refused_missing(&self, parts: &[&str]) {
        let o = self.call(&[&["merge"], parts, &["-o", "@refused"]].concat());
        assert!(code(&o) == 4 && stderr(&o).contains("a part that is done"), "{} {}", code(&o), stderr(&o));
    }
}

/// Six stretches of 250 frames, the last one short, with a cut and a still stretch.
fn long_clip(desk: &Desk) {
    let source = "testsrc2=size=96x64:rate=30:duration=20[a];color=gray:size=96x64:rate=30:duration=8[b];\
                  mandelbrot=size=96x64:rate=30[c];[c]trim=duration=16[d];[a][b][d]concat=n=3";
    clip(&desk.at(""), "long.mp4", source, &H264);
}

#[test]
fn a_heat_map_in_parts_is_that_of_one_run() {
    let desk = Desk::new();
    long_clip(&desk);
    let boxes: String = (0..1320)
        .filter(|f| f % 3 != 1)
        .map(|f| {
            let (x, y) = (f % 80, f % 50);
            format!("{{\"frame\": {f}, \"detections\": [{{\"box\": [{x}, {y}, 12.5, 9]}}]}}\n")
        })
        .collect();
    std::fs::write(desk.at("boxes.jsonl"), boxes).unwrap();
    // How many parts there are is the same to all sources: one is cut in all ways.
    for (name, flags, counts) in [
        ("motion", &[][..], &[1, 2, 5][..]),
        ("change", &["--source", "change", "--step", "0.7"], &[2]),
        ("flow", &["--source", "flow"], &[5]),
        ("color", &["--source", "color"], &[2]),
        ("boxes", &["--source", "boxes", "--boxes", "@boxes.jsonl"], &[5]),
    ] {
        let heat = [&["heatmap", "@long.mp4"], flags].concat();
        let one = format!("@{name}");
        let result = desk.well(&[&heat[..], &["-o", &one]].concat());
        assert_eq!(result["frames"], 1320);
        let want = desk.files(name);
        assert!(want.len() == 5, "{:?}", want.keys());
        for &count in counts {
            let to = format!("{name}{count}");
            let said = desk.merged(&heat, count, &to);
            assert_eq!((sum(&said, "units"), &said[0]["of_units"]), (6, &6.into()), "{said:?}");
            same(&want, &desk.files(&to), &to);
        }
    }
    // A part that is run again keeps what it has.
    desk.well(&["heatmap", "@long.mp4", "-o", "@motion2-1", "--shard", "1/2"]);
    desk.well(&["merge", "@motion2-1", "@motion2-2", "-o", "@again"]);
    same(&desk.files("motion"), &desk.files("again"), "again");
    let seen = desk.at("killed/.state/heat");
    let part = ["heatmap", "@long.mp4", "-o", "@killed", "--shard", "2/2"];
    killed(&desk, &part, || seen.exists());
    desk.refused_missing(&["@motion2-1", "@killed"]);
    desk.well(&part);
    desk.well(&["merge", "@motion2-1", "@killed", "-o", "@after"]);
    same(&desk.files("motion"), &desk.files("after"), "killed");
    desk.well(&["heatmap", "@long.mp4", "-o", "@other", "--shard", "2/2", "--threshold", "20"]);
    desk.refused(&["@motion2-1", "@other"], "they differ in settings (threshold)");
    desk.refused(&["@motion2-1", "@change2-2"], "they differ in settings (source, step)");
    clip(&desk.at(""), "film.mp4", "testsrc2=size=96x64:rate=30:duration=44", &H264);
    desk.well(&["heatmap", "@film.mp4", "-o", "@film", "--shard", "2/2"]);
    desk.refused(&["@motion2-1", "@film"], "they differ in input");
    let middles = ["--source", "boxes", "--boxes", "@boxes.jsonl", "--mark", "middle", "-o", "@m", "--shard", "1/2"];
    let o = desk.call(&[&["heatmap", "@long.mp4"], &middles[..]].concat());
    assert!(code(&o) == 2 && stderr(&o).contains("run it without --shard"), "{}", stderr(&o));
}

#[test]
fn a_processed_video_in_parts_is_that_of_one_run() {
    let desk = Desk::new();
    long_clip(&desk);
    desk.well(&["heatmap", "@long.mp4", "-o", "@heat"]);
    desk.well(&["chunk", "plan", "@heat/heat.npy", "-o", "@plan", "--sizes", "40x40,48x48", "--threshold", "0.2"]);
    let run = ["chunk", "run", "@long.mp4", "--plan", "@plan/chunks.json", "--draw", "--crf", "30"];
    desk.well(&[&run[..], &["-o", "@one"]].concat());
    let want = desk.files("one");
    assert!(want.contains_key(Path::new("long_chunks.mp4")), "{:?}", want.keys());
    for count in [1, 2, 5] {
        let to = format!("p{count}");
        let said = desk.merged(&run, count, &to);
        assert_eq!((sum(&said, "units"), &said[0]["of_units"]), (6, &6.into()), "{said:?}");
        let whole = format!("@{to}");
        let result = desk.well(&[&run[..], &["-o", &whole]].concat());
        assert_eq!((&result["frames"], &result["cached"]), (&1320.into(), &false.into()));
        same(&want, &desk.files(&to), &to);
    }
    let made = desk.at("killed/.state/parts/000000.mp4");
    let part = [&run[..], &["-o", "@killed", "--shard", "1/2"]].concat();
    killed(&desk, &part, || made.exists());
    desk.refused_missing(&["@killed", "@p2-2"]);
    desk.well(&part);
    desk.well(&["merge", "@killed", "@p2-2", "-o", "@after"]);
    desk.well(&[&run[..], &["-o", "@after"]].concat());
    same(&want, &desk.files("after"), "killed");
    // A file of a part that is not what its record says.
    std::fs::write(desk.at("p5-2/.state/parts/000001.mp4"), "something else").unwrap();
    let parts = ["@p5-1", "@p5-2", "@p5-3", "@p5-4", "@p5-5"];
    let o = desk.call(&[&["merge"], &parts[..], &["-o", "@changed"]].concat());
    assert!(code(&o) == 5 && stderr(&o).contains("has changed"), "{} {}", code(&o), stderr(&o));
    desk.well(&[
        "chunk",
        "run",
        "@long.mp4",
        "--plan",
        "@plan/chunks.json",
        "--crf",
        "40",
        "-o",
        "@other",
        "--shard",
        "2/2",
    ]);
    desk.refused(&["@p2-1", "@other"], "they differ in settings (run.crf, run.draw)");
    for (flags, said) in [
        (&["--plan", "@plan/chunks.json", "--effect", "filter:hqdn3d"][..], "remembers frames before"),
        (&[], "a part needs a plan"),
    ] {
        let o = desk.call(&[&["chunk", "run", "@long.mp4", "-o", "@x", "--shard", "1/2"], flags].concat());
        assert!(code(&o) == 2 && stderr(&o).contains(said), "{}", stderr(&o));
    }
}
