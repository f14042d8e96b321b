//! Runs in parts: `--shard` and `merge` give the bytes of one run.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::support::*;

const H264: [&str; 6] = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];

/// Five clips, two of one name, and one that is none.
fn clips(folder: &Path) -> Vec<String> {
    std::fs::create_dir(folder.join("more")).unwrap();
    let mut names: Vec<String> = (0..4).map(|i| format!("c{i}.mp4")).collect();
    names.push("more/c1.mp4".into());
    for (i, name) in names.iter().enumerate() {
        clip(folder, name, &format!("testsrc2=size={}x72:rate=10:duration=1", 96 + 16 * i), &H264);
    }
    std::fs::write(folder.join("bad.mp4"), b"not a video").unwrap();
    names.insert(2, "bad.mp4".into());
    names
}

fn call(folder: &Path, command: &str, inputs: &[String], more: &[&str]) -> Output {
    frameloom()
        .arg(command)
        .args(inputs)
        .args(more)
        .args(["--json", "--progress", "none"])
        .current_dir(folder)
        .output()
        .unwrap()
}

/// All parts of `count`, merged into `whole-N`.
fn merged(folder: &Path, command: &str, inputs: &[String], count: u32) -> PathBuf {
    let names: Vec<String> = (1..=count).map(|i| format!("{command}-p{count}-{i}")).collect();
    for (i, name) in names.iter().enumerate() {
        let shard = format!("{}/{count}", i + 1);
        let o = call(folder, command, inputs, &["-o", name, "--shard", &shard]);
        assert!([0, 3, 4, 5].contains(&code(&o)), "{shard}: {} {}", code(&o), stderr(&o));
    }
    let out = format!("{command}-merged");
    let _ = std::fs::remove_dir_all(folder.join(&out));
    // In any order.
    let mut list: Vec<&str> = names.iter().map(String::as_str).collect();
    list.reverse();
    let o = frameloom().arg("merge").args(list).args(["-o", &out, "--json"]).current_dir(folder).output().unwrap();
    assert_eq!(code(&o), 3, "{}", stderr(&o));
    let result = events(&o).pop().unwrap();
    assert_eq!(
        (&result["inputs"], &result["parts"], &result["states"]["failed"]),
        (&6.into(), &count.into(), &1.into())
    );
    folder.join(out)
}

/// All outputs but those that say how long things took.
fn stable(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut all = contents(folder);
    all.retain(|p, _| !p.ends_with("result.json"));
    all
}

#[test]
fn parts_of_any_number_give_the_bytes_of_one_run() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = clips(dir.path());
    for command in ["analyze", "track"] {
        // The place of the whole run is that of the merged ones: lists name it.
        let name = format!("{command}-merged");
        let o = call(dir.path(), command, &inputs, &["-o", &name]);
        assert_eq!(code(&o), 3, "{}", stderr(&o));
        let want = stable(&dir.path().join(&name));
        assert!(
            want.len() > 20 && (command == "analyze") != want.contains_key(Path::new("streams.json")),
            "{:?}",
            want.keys()
        );
        for count in [1, 2, 5, 9] {
            let got = stable(&merged(dir.path(), command, &inputs, count));
            let names = |all: &std::collections::BTreeMap<PathBuf, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(&got), names(&want), "{command} in {count} parts");
            let other: Vec<_> = want.iter().filter(|(k, v)| got.get(*k) != Some(v)).map(|(k, _)| k).collect();
            assert!(other.is_empty(), "{command} in {count} parts: {other:?}");
        }
        assert_eq!(leftovers(dir.path()), Vec::<PathBuf>::new());
        // The merged folder is that of a run: the same command keeps what is in it.
        let o = call(dir.path(), command, &inputs, &["-o", &name]);
        let items: Vec<Value> = events(&o).into_iter().filter(|e| e["event"] == "item").collect();
        assert_eq!(items.iter().filter(|i| i["cached"] == true).count(), 5, "{items:?}");
    }
}

#[test]
fn what_are_no_parts_of_one_run_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let inputs = clips(dir.path());
    for (name, more) in [
        ("a", &["--shard", "1/2"][..]),
        ("b", &["--shard", "2/2"]),
        ("c", &["--shard", "2/2", "--dark", "0.3"]),
        ("d", &["--shard", "1/3"]),
    ] {
        let o = call(dir.path(), "analyze", &inputs, &[&["-o", name], more].concat());
        assert!([0, 3].contains(&code(&o)), "{}", stderr(&o));
    }
    let merge = |parts: &[&str]| {
        let o = frameloom().arg("merge").args(parts).args(["-o", "m"]).current_dir(dir.path()).output().unwrap();
        assert!(!dir.path().join("m").exists());
        (code(&o), stderr(&o))
    };
    for (parts, exit, said) in [
        (&["a"][..], 2, "part 2/2 is missing"),
        (&["a", "a", "b"], 2, "part 1/2 is given 2 times"),
        (&["a", "c"], 2, "they differ in settings"),
        (&["a", "d"], 2, "they differ in number of parts"),
        (&["a", "more"], 4, "wanted: the folder of a part that is done"),
        (&["nowhere"], 4, "wanted: the folder of a part that is done"),
    ] {
        let (code, text) = merge(parts);
        assert!(code == exit && text.contains(said), "{parts:?}: {code} {text}");
    }
    for wrong in [&["--shard", "3/2", "-o", "x"][..], &["--shard", "1", "-o", "x"], &["--shard", "1/2"]] {
        assert_eq!(code(&call(dir.path(), "analyze", &inputs, wrong)), 2, "{wrong:?}");
    }
}
