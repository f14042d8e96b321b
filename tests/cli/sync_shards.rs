//! `sync` in parts: of a folder of videos, and of one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::*;
use crate::sync::{data, ffmpeg, json, sync, text};

fn merge(parts: &[PathBuf], to: &Path) -> Output {
    frameloom().arg("merge").args(parts).arg("-o").arg(to).arg("--json").output().unwrap()
}

/// A summary without what says how long things took.
fn timeless(mut value: Value) -> Value {
    match &mut value {
        Value::Object(map) => {
            map.retain(|k, _| {
                !["start_time", "end_time", "processing_time", "processing_timestamp"].contains(&k.as_str())
            });
            map.values_mut().for_each(|v| *v = timeless(v.take()));
        }
        Value::Array(list) => list.iter_mut().for_each(|v| *v = timeless(v.take())),
        _ => {}
    }
    value
}

fn same(a: &BTreeMap<PathBuf, Vec<u8>>, b: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>(), "{what}");
    for (name, bytes) in a {
        assert!(*bytes == b[name], "{what}: {} differs", name.display());
    }
}

#[test]
fn a_batch_in_parts_is_the_batch() {
    let Some((root, models)) = data("a_batch_in_parts_is_the_batch") else { return };
    let (from, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for name in ["grid_brbk7n.mpg", "grid_lbbc2a.mpg", "counter_30frames.mp4"] {
        std::fs::copy(root.join("video").join(name), from.path().join(name)).unwrap();
    }
    std::fs::write(from.path().join("bad.mkv"), "no video").unwrap();
    let at = |name: &str| out.path().join(name);
    let run = |folder: &Path, more: &[&str]| {
        sync(models.path(), &[&["batch", text(from.path()), "-o", text(folder)], more].concat())
    };
    let summary = |folder: &Path| timeless(json(&folder.join("batch_processing_summary.json")));
    let outputs = |folder: &Path| {
        let mut all = contents(folder);
        all.remove(Path::new("batch_processing_summary.json"));
        all
    };
    let o = run(&at("one"), &[]);
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    let (want, files) = (summary(&at("one")), outputs(&at("one")));
    assert_eq!((&want["total_chunks"], &want["successful"], &want["failed"]), (&4.into(), &2.into(), &1.into()));
    for count in [2, 5] {
        let parts: Vec<PathBuf> = (1..=count).map(|i| at(&format!("p{count}-{i}"))).collect();
        for (i, part) in parts.iter().enumerate() {
            let o = run(part, &["--shard", &format!("{}/{count}", i + 1)]);
            assert!([0, 3, 5].contains(&code(&o)), "{} {}", code(&o), stderr(&o));
            assert!(!part.join("batch_processing_summary.json").exists() && part.join("shard.json").is_file());
        }
        let to = at(&format!("m{count}"));
        let o = merge(&parts, &to);
        assert_eq!(code(&o), 3, "{}", stderr(&o));
        assert_eq!(events(&o).pop().unwrap()["states"]["failed"], 1);
        assert_eq!(summary(&to), want, "{count} parts");
        same(&files, &outputs(&to), &format!("{count} parts"));
    }
    let o = merge(&[at("p2-1"), at("p5-2")], &at("x"));
    assert!(code(&o) == 2 && stderr(&o).contains("number of parts"), "{}", stderr(&o));
}

/// A clip of some people, and flags that give it a few chunks.
const FLAGS: [&str; 6] = ["--chunk-duration", "4", "--overlap", "1", "--min-track", "10"];

fn people(root: &Path, folder: &Path) -> PathBuf {
    let (from, clip) = (root.join("video/grid_concat_gaps.mp4"), folder.join("people.mp4"));
    ffmpeg(&["-i", text(&from), "-t", "14", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"], &clip);
    clip
}

#[test]
fn one_video_in_parts_gives_the_bytes_of_one_run() {
    let Some((root, models)) = data("one_video_in_parts_gives_the_bytes_of_one_run") else { return };
    let out = tempfile::tempdir().unwrap();
    let (clip, at) = (people(&root, out.path()), |name: &str| out.path().join(name));
    let run = |folder: &Path, more: &[&str]| {
        sync(models.path(), &[&[text(&clip), "-o", text(folder)], &FLAGS[..], more].concat())
    };
    let o = run(&at("one"), &["--save-chunks"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let want = contents(&at("one"));
    assert!(want.len() > 15, "{:?}", want.keys());
    let part = |name: String, shard: String| {
        let o = run(&at(&name), &["--save-chunks", "--shard", &shard]);
        assert_eq!(code(&o), 0, "{shard}: {}", stderr(&o));
        (at(&name), events(&o).pop().unwrap())
    };
    // All in one part is what the test of `syncnet` does.
    for count in [2, 5] {
        let made: Vec<_> = (1..=count).map(|i| part(format!("f{count}-{i}"), format!("{i}/{count}"))).collect();
        let units: u64 = made.iter().map(|(_, result)| result["units"].as_u64().unwrap()).sum();
        assert!(
            made.iter().all(|(_, r)| r["stage"] == "faces" && r["of_units"] == units && r["frames"] == 350),
            "{made:?}"
        );
        let mut parts: Vec<PathBuf> = made.into_iter().map(|(folder, _)| folder).collect();
        // Nothing but what was found, until all of it is there.
        assert!(contents(&parts[0]).keys().eq([Path::new("shard.json")]), "{:?}", contents(&parts[0]).keys());
        parts.reverse();
        let to = at(&format!("m{count}"));
        let o = merge(&parts, &to);
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        if count == 2 {
            // The second pass in parts too; after five it is in one run.
            let lips: Vec<PathBuf> = (1..=2).map(|i| at(&format!("l{i}"))).collect();
            for (i, folder) in (1..=2).zip(&lips) {
                assert_eq!(code(&merge(&parts, folder)), 0);
                let (_, result) = part(format!("l{i}"), format!("{i}/2"));
                assert_eq!(result["stage"], "lips");
                let o = merge(&[parts[0].clone(), folder.clone()], &at("x"));
                assert!(code(&o) == 2 && stderr(&o).contains("they differ in stage"), "{}", stderr(&o));
            }
            let o = merge(&lips, &at("m2l"));
            assert_eq!(code(&o), 0, "{}", stderr(&o));
            let o = run(&at("m2l"), &["--save-chunks"]);
            let item = crate::sync::item(&o);
            assert_eq!((code(&o), &item["resumed"], &item["speed"]["lips_networks"]), (0, &350.into(), &0.0.into()));
            same(&want, &contents(&at("m2l")), "lips in parts");
            continue;
        }
        let o = run(&to, &["--save-chunks"]);
        assert_eq!((code(&o), &crate::sync::item(&o)["resumed"]), (0, &350.into()), "{}", stderr(&o));
        same(&want, &contents(&to), &format!("{count} parts"));
    }
    assert!(leftovers(out.path()).is_empty());
    // What are no parts of one run.
    let o = run(&at("other"), &["--save-chunks", "--shard", "5/5", "--reach", "2"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let five = |last: &str| (1..5).map(|i| at(&format!("f5-{i}"))).chain([at(last)]).collect::<Vec<_>>();
    for (parts, said) in [
        (five("other"), "they differ in settings (reach)"),
        (vec![at("f2-1"), at("f5-2")], "they differ in number of parts"),
        (vec![at("f2-2")], "part 1/2 is missing"),
        (vec![at("f2-1"), at("f2-1"), at("f2-2")], "part 1/2 is given 2 times"),
    ] {
        let o = merge(&parts, &at("x"));
        assert!(code(&o) == 2 && stderr(&o).contains(said), "{said}: {} {}", code(&o), stderr(&o));
    }
    // The same settings on another video: the content of the input tells.
    let other = out.path().join("other.mp4");
    ffmpeg(&["-i", text(&clip), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "40", "-c:a", "copy"], &other);
    let film = at("film");
    let list = [&[text(&other), "-o", text(&film), "--save-chunks", "--shard", "5/5"][..], &FLAGS].concat();
    assert_eq!(code(&sync(models.path(), &list)), 0);
    let o = merge(&five("film"), &at("x"));
    assert!(code(&o) == 2 && stderr(&o).contains("they differ in input"), "{}", stderr(&o));
}

#[test]
fn a_part_that_is_killed_is_run_again() {
    let Some((root, models)) = data("a_part_that_is_killed_is_run_again") else { return };
    let out = tempfile::tempdir().unwrap();
    let (clip, at) = (people(&root, out.path()), |name: &str| out.path().join(name));
    let list = |folder: &Path, shard: &str| {
        let all = [&["sync", text(&clip), "-o", text(folder), "--shard", shard][..], &FLAGS].concat();
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let seen = at("p1").join(".state/seen");
    let mut child = frameloom()
        .args(list(&at("p1"), "1/2"))
        .args(["--models", text(models.path()), "--progress", "none", "-q"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // The first of its two units.
    while std::fs::metadata(&seen).map_or(0, |m| m.len()) < 5_000 {
        assert!(child.try_wait().unwrap().is_none(), "over before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!at("p1/shard.json").exists());
    let part = |name: &str, shard: &str| {
        let o = frameloom()
            .args(list(&at(name), shard))
            .args(["--models", text(models.path()), "--json", "--progress", "none"])
            .output()
            .unwrap();
        assert_eq!(code(&o), 0, "{}", stderr(&o));
    };
    part("p2", "2/2");
    let o = merge(&[at("p1"), at("p2")], &at("m"));
    assert!(code(&o) == 4 && stderr(&o).contains("a part that is done"), "{}", stderr(&o));
    part("p1", "1/2");
    part("q1", "1/2");
    for (name, first) in [("m", "p1"), ("n", "q1")] {
        assert_eq!(code(&merge(&[at(first), at("p2")], &at(name))), 0);
        let o = sync(models.path(), &[&[text(&clip), "-o", text(&at(name))][..], &FLAGS].concat());
        assert_eq!(code(&o), 0, "{}", stderr(&o));
    }
    same(&contents(&at("n")), &contents(&at("m")), "killed");
}

#[test]
fn syncnet_in_parts_hears_what_one_run_hears() {
    let Some((root, models)) = data("syncnet_in_parts_hears_what_one_run_hears") else { return };
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let out = tempfile::tempdir().unwrap();
    // The same in bursts of frames with few between them, in a container that rounds times.
    let (even, uneven) = (people(&root, out.path()), out.path().join("uneven.mkv"));
    let bursts = ["-vf", "select='gt(mod(t,4),3)+not(mod(n,5))'", "-fps_mode", "vfr", "-preset", "ultrafast"];
    ffmpeg(&[&["-i", text(&even), "-c:v", "libx264", "-c:a", "copy"][..], &bursts].concat(), &uneven);
    for (clip, kind) in [(even, "even"), (uneven, "uneven")] {
        let at = |name: &str| out.path().join(format!("{kind}-{name}"));
        let run = |name: &str, more: &[&str]| {
            let flags =
                ["--estimator", "syncnet", "--lips-model", "lips", "--audio-model", "sound", "--models", text(&tiny)];
            let o = sync(models.path(), &[&[text(&clip), "-o", text(&at(name))][..], &FLAGS, &flags, more].concat());
            assert_eq!(code(&o), 0, "{kind} {name}: {}", stderr(&o));
        };
        run("one", &[]);
        let tracks = json(&at("one").join("sync.json"))["tracks"].take();
        assert!(tracks.as_array().is_some_and(|t| t.len() > 1), "{kind}: {tracks}");
        // Faces in one part, lips in three: each begins in the middle of the video.
        run("faces", &["--shard", "1/1"]);
        let lips: Vec<PathBuf> = (1..=3).map(|i| at(&format!("l{i}"))).collect();
        for (i, folder) in (1..=3).zip(&lips) {
            assert_eq!(code(&merge(&[at("faces")], folder)), 0);
            run(&format!("l{i}"), &["--shard", &format!("{i}/3")]);
        }
        assert_eq!(code(&merge(&lips, &at("all"))), 0);
        run("all", &[]);
        same(&contents(&at("one")), &contents(&at("all")), &format!("syncnet, {kind}"));
    }
}
