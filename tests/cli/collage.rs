//! `frameloom index` and `frameloom collage` as their users run them.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use frameloom::core::Size;
use frameloom::core::random::pcg4d;
use frameloom::media::encode_jpeg;

use crate::support::*;

/// Writes `count` pictures of coloured blocks, all different.
pub(crate) fn pictures(folder: &Path, count: u32) {
    std::fs::create_dir_all(folder).unwrap();
    let size = Size::new(192, 108);
    for n in 0..count {
        let block = |x: u32, y: u32| pcg4d([n, x / 24, y / 27, 3])[0].to_le_bytes();
        let rgba: Vec<u8> = (0..size.area() as u32)
            .flat_map(|i| {
                let [r, g, b, _] = block(i % size.width, i / size.width);
                [r, g, b, 255]
            })
            .collect();
        std::fs::write(folder.join(format!("p{n:03}.jpg")), encode_jpeg(size, &rgba, 90).unwrap()).unwrap();
    }
}

fn last(o: &std::process::Output) -> serde_json::Value {
    events(o).pop().unwrap_or_default()
}

fn text(o: &std::process::Output) -> String {
    String::from_utf8_lossy(&o.stdout).into_owned()
}

fn args<'a>(list: &[&'a str], paths: &[&'a Path]) -> Vec<&'a std::ffi::OsStr> {
    // `@` stands for the next path.
    let mut paths = paths.iter();
    list.iter().map(|a| if *a == "@" { paths.next().unwrap().as_os_str() } else { std::ffi::OsStr::new(*a) }).collect()
}

#[test]
fn an_index_is_built_changed_shown_and_searched() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, index) = (dir.path().join("photos"), dir.path().join("photos.index"));
    pictures(&folder, 12);
    std::fs::write(folder.join("bad.jpg"), b"\xff\xd8\xff not a jpeg").unwrap();
    let o = run(&args(&["index", "build", "@", "-o", "@", "--dry-run"], &[&folder, &index]));
    assert!(code(&o) == 0 && text(&o).contains("13 pictures") && !index.exists(), "{}", text(&o));
    // One picture cannot be used: the rest is there, and the exit code says so.
    let o = run(&args(&["index", "build", "@", "-o", "@", "--json"], &[&folder, &index]));
    let result = last(&o);
    assert_eq!((code(&o), &result["pictures"], &result["computed"]), (3, &12.into(), &12.into()), "{}", stderr(&o));
    assert_eq!(result["unusable"], 1);
    let o = run(&args(&["index", "build", "@", "-o", "@", "--json"], &[&folder, &index]));
    assert_eq!((&last(&o)["computed"], &last(&o)["unchanged"]), (&0.into(), &true.into()));
    let o = run(&args(&["index", "search", "@", "@", "-k", "2"], &[&index, &folder.join("p004.jpg")]));
    let found = text(&o);
    assert!(
        code(&o) == 0 && found.starts_with("1.0000  ") && found.lines().next().unwrap().ends_with("p004.jpg"),
        "{found}"
    );
    assert_eq!(found.lines().count(), 2);
    // Both spellings of the depth.
    for flag in ["--top-n", "--search-depth"] {
        let o = run(&args(&["index", "search", "@", "@", flag, "3"], &[&index, &folder.join("p004.jpg")]));
        assert_eq!(text(&o).lines().count(), 3, "{flag}");
    }
    let more = dir.path().join("more");
    pictures(&more, 14);
    let o = run(&args(&["index", "add", "@", "@", "--json"], &[&index, &more]));
    // Twelve of the fourteen are known by their content.
    assert_eq!((&last(&o)["pictures"], &last(&o)["computed"]), (&26.into(), &2.into()), "{}", stderr(&o));
    let o = run(&args(&["index", "remove", "@", "@", "--json"], &[&index, &folder]));
    assert_eq!((code(&o), &last(&o)["pictures"]), (0, &14.into()), "{}", stderr(&o));
    let o = run(&args(&["index", "info", "@", "--all", "--verify"], &[&index]));
    assert!(code(&o) == 0 && text(&o).contains("14 pictures") && text(&o).contains("p013.jpg"), "{}", text(&o));
    // What is not there, or no picture.
    for (list, paths, want) in [
        (&["index", "info", "@"][..], vec![dir.path().join("no")], 9),
        (&["index", "search", "@", "@"], vec![index.clone(), dir.path().join("no.jpg")], 5),
        (&["index", "remove", "@", "@"], vec![index.clone(), dir.path().join("no.jpg")], 2),
        (&["index", "build", "@", "-o", "@"], vec![dir.path().join("no"), dir.path().join("x")], 5),
    ] {
        let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
        let o = run(&args(list, &paths));
        assert!(code(&o) == want || code(&o) == 4, "{list:?}: {} {}", code(&o), stderr(&o));
        assert_eq!(stderr(&o).matches("error[").count(), 1, "{}", stderr(&o));
    }
}

#[test]
fn a_collage_is_made_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, out) = (dir.path().join("photos"), dir.path().join("out"));
    pictures(&folder, 30);
    let clip = clip(
        dir.path(),
        "clip.mp4",
        "testsrc2=size=128x72:rate=10:duration=2",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"],
    );
    let o = run(&args(&["collage", "@", "@", "-o", "@", "--dry-run"], &[&clip, &folder, &out]));
    assert!(code(&o) == 0 && text(&o).contains("20 frames") && text(&o).contains("30 pictures"), "{}", text(&o));
    assert!(!out.exists());
    let line =
        ["collage", "@", "@", "-o", "@", "--no-repeat", "--save-samples", "2", "--sample-interval", "5", "--json"];
    let o = run(&args(&line, &[&clip, &folder, &out]));
    let result = last(&o);
    assert_eq!((code(&o), &result["frames"], &result["pictures_used"]), (0, &20.into(), &20.into()), "{}", stderr(&o));
    assert_eq!(result["cached"], false);
    let before = contents(&out);
    for name in
        ["clip_matched.mp4", "report.html", "results.json", "comparison_samples/sample_000005.jpg", "index/index.json"]
    {
        assert!(before.contains_key(Path::new(name)), "{name}");
    }
    assert!(leftovers(&out).is_empty());
    let o = run(&args(&line, &[&clip, &folder, &out]));
    assert!(last(&o)["cached"] == true && contents(&out) == before, "{}", stderr(&o));
    // Another output of the same matches.
    let line =
        ["collage", "@", "@", "-o", "@", "--skip-output", "--save-samples", "2", "--sample-interval", "5", "--json"];
    let o = run(&args(&line, &[&clip, &folder, &out]));
    assert_eq!((code(&o), &last(&o)["video"]), (11, &serde_json::Value::Null), "{}", stderr(&o));
    // Without no-repeat no descriptors are kept: other matches, said by name, and made anew on request.
    assert!(stderr(&o).contains("match.keeps_queries"), "{}", stderr(&o));
    let o = run(&[args(&line, &[&clip, &folder, &out]), vec!["--restart".as_ref()]].concat());
    assert_eq!((code(&o), &last(&o)["video"], &last(&o)["frames"]), (0, &serde_json::Value::Null, &20.into()));
    // An index that is there already, the seed's order of arguments, and a demo.
    let (index, other) = (out.join("index"), dir.path().join("other"));
    let o = run(&args(
        &["collage", "@", "@", "@", "--demo", "--demo-seconds", "1", "--json", "--force-mobilenet-export"],
        &[&clip, &index, &other],
    ));
    assert!(stderr(&o).contains("nothing to do"), "{}", stderr(&o));
    assert_eq!((code(&o), &last(&o)["frames"], other.join("index").exists()), (0, &10.into(), false), "{}", stderr(&o));
    // An index for pictures of another shape is refused.
    let tall =
        crate::support::clip(dir.path(), "tall.mp4", "testsrc2=size=72x128:rate=10:duration=1", &["-c:v", "libx264"]);
    let o = run(&args(&["collage", "@", "@", "-o", "@"], &[&tall, &index, &dir.path().join("t")]));
    assert_eq!(code(&o), 2, "{}", stderr(&o));
    let o = run(&args(&["collage", "@", "@", "-o", "@", "--max-uses", "1"], &[&tall, &folder, &dir.path().join("t")]));
    assert_eq!(code(&o), 0, "{}", stderr(&o));
}

/// What does not fit is refused, with the flag that helps; what fits has the same bytes, whatever the limit is.
#[test]
fn the_memory_limit_refuses_and_changes_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("photos");
    pictures(&folder, 24);
    let h264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];
    let small = clip(dir.path(), "small.mp4", "testsrc2=size=128x72:rate=10:duration=1", &h264);
    let at = |name: &str| dir.path().join(name);
    let o = run(&args(&["index", "build", "@", "-o", "@", "--memory-limit", "256"], &[&folder, &at("index")]));
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    for (name, limit) in [("a", "256"), ("b", "4096")] {
        let line = ["collage", "@", "@", "-o", "@", "--memory-limit", limit];
        let o = run(&args(&line, &[&small, &at("index"), &at(name)]));
        assert_eq!(code(&o), 0, "{}", stderr(&o));
    }
    assert_eq!(differing(&at("a"), &at("b")), Vec::<PathBuf>::new());
    let o =
        run(&args(&["index", "search", "@", "@", "--memory-limit", "256"], &[&at("index"), &folder.join("p003.jpg")]));
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    // Twenty different pictures of 960x1080 at once are more than 64 MB.
    let large = clip(dir.path(), "large.mp4", "testsrc2=size=1920x1080:rate=10:duration=1", &h264);
    let line = ["collage", "@", "@", "-o", "@", "--tiles", "2x1", "--no-repeat", "--memory-limit", "64"];
    let o = run(&args(&line, &[&large, &folder, &at("c")]));
    assert!(code(&o) == 6 && stderr(&o).contains("`--memory-limit`"), "{} {}", code(&o), stderr(&o));
}

/// An index decides how pictures are described; a shape that is nearly the index's is that one.
#[test]
fn an_index_brings_its_settings() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, index) = (dir.path().join("photos"), dir.path().join("index"));
    pictures(&folder, 6);
    let o = run(&args(&["index", "build", "@", "-o", "@", "--feature-method", "hog"], &[&folder, &index]));
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    // 214:120 is 0.3 % wider than 16:9.
    let clip = clip(dir.path(), "near.mp4", "testsrc2=size=214x120:rate=5:duration=1", &["-c:v", "libx264"]);
    let o = run(&args(&["collage", "@", "@", "-o", "@", "--json"], &[&clip, &index, &dir.path().join("out")]));
    assert_eq!((code(&o), &last(&o)["frames"]), (0, &5.into()), "{}", stderr(&o));
    let line = ["collage", "@", "@", "-o", "@", "--feature-method", "canny"];
    let o = run(&args(&line, &[&clip, &index, &dir.path().join("other")]));
    let said = stderr(&o);
    assert!(code(&o) == 2 && said.contains("method is \"hog\" there and \"canny\" here"), "{said}");
    assert!(!said.contains("aspect"), "{said}");
}

/// Settings come from a file, variables and flags; what a run writes down makes the same run.
#[test]
fn settings_come_from_files_too() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, index) = (dir.path().join("photos"), dir.path().join("photos.index"));
    pictures(&folder, 12);
    let file = dir.path().join("index.yaml");
    std::fs::write(
        &file,
        "search: flat\naspect: [16, 9]\ndescriptor:\n  feature_method: hog\n  comparison_size: 128\n",
    )
    .unwrap();
    let o = run(&args(&["index", "build", "@", "-o", "@", "--config", "@", "--json"], &[&folder, &index, &file]));
    assert_eq!((code(&o), &last(&o)["dim"]), (0, &356.into()), "{}", stderr(&o));
    let clip = clip(dir.path(), "c.mp4", "testsrc2=size=128x72:rate=10:duration=1", &["-c:v", "libx264"]);
    let file = dir.path().join("c.toml");
    std::fs::write(&file, "[descriptor]\nfeature_method = \"hog\"\ncomparison_size = 128\n[selection]\nseed = 3\n[output]\nvideo = false\n").unwrap();
    let go = |out: &Path, file: &Path, more: &[&str], variable: Option<&str>| {
        let list =
            [args(&["collage", "@", "@", "-o", "@", "--config", "@"], &[&clip, &index, out, file]), args(more, &[])];
        let mut command = frameloom();
        command.args(list.concat());
        if let Some(seed) = variable {
            command.env("FRAMELOOM_COLLAGE_SELECTION__SEED", seed);
        }
        let o = command.output().unwrap();
        assert_eq!(code(&o), 0, "{}", stderr(&o));
        std::fs::read_to_string(out.join("config.toml")).unwrap()
    };
    let at = |name: &str| dir.path().join(name);
    let first = go(&at("a"), &file, &[], None);
    assert!(
        first.contains("seed = 3") && first.contains("feature_method = \"hog\"") && !at("a/c_matched.mp4").exists()
    );
    assert!(go(&at("b"), &file, &[], Some("4")).contains("seed = 4"));
    assert!(go(&at("c"), &file, &["--seed", "5"], Some("4")).contains("seed = 5"));
    // The settings that a run writes down, all of them named.
    go(&at("d"), &at("a/config.toml"), &[], None);
    assert_eq!(differing(&at("a"), &at("d")), Vec::<PathBuf>::new());
    std::fs::write(&file, "[selection]\nsead = 3\n").unwrap();
    let o = run(&args(&["collage", "@", "@", "--config", "@"], &[&clip, &index, &file]));
    assert!(
        code(&o) == 2 && stderr(&o).contains("did you mean `seed`? (") && stderr(&o).contains("c.toml:2"),
        "{}",
        stderr(&o)
    );
}

/// Names of the files that two folders do not have alike.
fn differing(a: &Path, b: &Path) -> Vec<PathBuf> {
    let (a, b) = (contents(a), contents(b));
    let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).cloned().collect();
    names.into_iter().filter(|name| a.get(name) != b.get(name)).collect()
}

fn start(list: &[&std::ffi::OsStr]) -> Child {
    frameloom().args(list).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Runs `list` again and again, killing it at other moments each time, until it ends by itself; gives the number of kills. Moments lie in
/// the first third of the time that a whole run took, since one that goes on has less to do; how many kills fit is up to the machine.
fn kill_until_done(list: &[&std::ffi::OsStr], kills: u32, span: Duration) -> u32 {
    let mut killed = 0;
    for round in 0..200u32 {
        let mut child = start(list);
        if killed < kills {
            let part = pcg4d([round, killed, 1, 1])[0] % 333;
            std::thread::sleep(span * part / 1000);
            if child.try_wait().unwrap().is_none() {
                child.kill().unwrap();
                child.wait().unwrap();
                killed += 1;
                continue;
            }
        }
        let status = child.wait().unwrap();
        assert!(status.success(), "round {round}: {status}");
        return killed;
    }
    panic!("never done")
}

#[test]
fn killed_at_random_moments_it_ends_with_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("photos");
    pictures(&folder, 700);
    let clip = clip(
        dir.path(),
        "clip.mp4",
        "testsrc2=size=192x108:rate=30:duration=20",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"],
    );
    // The index first.
    let build = |index: &Path| -> Vec<std::ffi::OsString> {
        let list = args(&["index", "build", "@", "-o", "@", "-q"], &[&folder, index]);
        list.into_iter().map(Into::into).collect()
    };
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    let list = build(&a);
    let began = std::time::Instant::now();
    assert!(start(&list.iter().map(|s| s.as_os_str()).collect::<Vec<_>>()).wait().unwrap().success());
    let span = began.elapsed();
    let list = build(&b);
    let killed = kill_until_done(&list.iter().map(|s| s.as_os_str()).collect::<Vec<_>>(), 10, span);
    assert!(killed >= 2, "{killed} kills of the build");
    assert_eq!(differing(&a, &b), Vec::<PathBuf>::new(), "the index differs");
    // Then the collage, whose rules look at all frames.
    let make = |out: &Path| -> Vec<std::ffi::OsString> {
        let line =
            ["collage", "@", "@", "-o", "@", "-q", "--no-repeat", "--assignment", "global", "--save-samples", "3"];
        args(&line, &[&clip, &a, out]).into_iter().map(Into::into).collect()
    };
    let (c, d) = (dir.path().join("c"), dir.path().join("d"));
    let list = make(&c);
    let began = std::time::Instant::now();
    assert!(start(&list.iter().map(|s| s.as_os_str()).collect::<Vec<_>>()).wait().unwrap().success());
    let span = began.elapsed();
    let list = make(&d);
    let killed = kill_until_done(&list.iter().map(|s| s.as_os_str()).collect::<Vec<_>>(), 10, span);
    assert!(killed >= 2, "{killed} kills of the run");
    assert_eq!(differing(&c, &d), Vec::<PathBuf>::new(), "the collage differs");
    assert!(leftovers(&d).is_empty());
}
