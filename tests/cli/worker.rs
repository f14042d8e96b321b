//! `frameloom worker --stdio` as another program speaks to it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::support::*;

const H264: [&str; 6] = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];

/// A worker in a folder.
struct Worker {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Worker {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let mut command = frameloom();
        command.args(["worker", "--stdio", "-q"]).args(more).current_dir(folder);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (to, from) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let mut worker = Self { child, to, from };
        let ready = worker.next().unwrap();
        assert_eq!((&ready["event"], &ready["protocol"]), (&"ready".into(), &1.into()), "{ready}");
        worker
    }

    fn say(&mut self, line: &str) {
        let to = self.to.as_mut().unwrap();
        to.write_all(line.as_bytes()).unwrap();
        to.write_all(b"\n").unwrap();
        to.flush().unwrap();
    }

    /// The next line, which is JSON or the test fails.
    fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.from.read_line(&mut line).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap_or_else(|e| panic!("not JSON ({e}): {line}")))
    }

    /// Ends the input; the rest of the lines, and the exit code.
    fn end(mut self) -> (Vec<Value>, i32) {
        self.to = None;
        let rest = std::iter::from_fn(|| self.next()).collect();
        (rest, self.child.wait().unwrap().code().unwrap_or(-1))
    }

    fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").arg(name).arg(self.child.id().to_string()).status().unwrap();
        assert!(sent.success());
    }
}

fn small(folder: &Path) -> PathBuf {
    clip(folder, "clip.mp4", "testsrc2=size=192x108:rate=10:duration=2", &H264)
}

fn unit(id: &str, command: &str, input: &str, options: Value) -> String {
    json!({ "id": id, "command": command, "input": input, "output": format!("out/{id}"), "options": options })
        .to_string()
}

#[test]
fn units_are_done_in_order_and_what_is_wrong_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    std::fs::write(dir.path().join("bad.mp4"), b"not a video").unwrap();
    let mut worker = Worker::start(dir.path(), &[]);
    worker.say(&unit("one", "analyze", "clip.mp4", json!({ "dark": 0.2 })));
    worker.say("{ this is no JSON");
    worker.say("");
    worker.say(r#"{"id":"x","command":"analyze"}"#);
    worker.say(&unit("bad", "analyze", "bad.mp4", json!({})));
    worker.say(&unit("wrong", "analyze", "clip.mp4", json!({ "drak": 1 })));
    worker.say(&unit("range", "analyze", "clip.mp4", json!({ "dark": 3 })));
    worker.say(&unit("what", "doctor", "clip.mp4", json!({})));
    worker.say(r#"{"cancel":"nobody"}"#);
    worker.say(&unit("heat", "heatmap", "clip.mp4", json!({})));
    worker.say(&unit("plan", "chunk plan", "out/heat/heat.npy", json!({ "sizes": ["64x64"] })));
    let (lines, exit) = worker.end();
    assert_eq!(exit, 0);
    let errors: Vec<&Value> = lines.iter().filter(|l| l["event"] == "error").collect();
    assert_eq!(errors.len(), 3, "{errors:?}");
    // Blank lines count, and say nothing.
    let said: Vec<_> = errors.iter().map(|e| (e["line"].as_u64().unwrap(), e["id"].clone())).collect();
    assert_eq!(said, [(2, Value::Null), (4, "x".into()), (9, "nobody".into())]);
    assert!(errors[0]["message"].as_str().unwrap().starts_with("not JSON"), "{}", errors[0]);
    let results: Vec<&Value> = lines.iter().filter(|l| l["event"] == "result").collect();
    let ids: Vec<&str> = results.iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["one", "bad", "wrong", "range", "what", "heat", "plan"], "one result each, in order");
    assert_eq!(lines.len(), errors.len() + results.len());
    let by = |id: &str| *results.iter().find(|r| r["id"] == id).unwrap();
    for id in ["one", "heat", "plan"] {
        let r = by(id);
        assert_eq!((&r["status"], &r["exit"], &r["error"]), (&"complete".into(), &0.into(), &Value::Null), "{r}");
        assert!(r["seconds"].as_f64().unwrap() > 0.0);
        let files: Vec<&str> = r["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
        assert!(files.iter().all(|f| dir.path().join("out").join(id).join(f).is_file()), "{files:?}");
        assert_eq!(r["files_count"], files.len());
    }
    assert_eq!(by("one")["items"][0]["frames"], 20);
    assert!(by("plan")["result"]["chunks"].as_u64().unwrap() > 0);
    for (id, exit, code) in [("wrong", 2, "config"), ("range", 2, "config"), ("what", 2, "usage")] {
        let r = by(id);
        assert_eq!(
            (&r["status"], &r["exit"], &r["error"]["code"]),
            (&"failed".into(), &exit.into(), &code.into()),
            "{r}"
        );
    }
    assert!(by("bad")["error"]["code"].as_str().unwrap().starts_with("input-"), "{}", by("bad"));
    assert!(by("wrong")["error"]["message"].as_str().unwrap().contains("did you mean `dark`?"));

    // The same bytes as the commands by themselves.
    let alone = dir.path().join("alone");
    let o = frameloom()
        .args(["analyze", "clip.mp4", "--dark", "0.2", "-o"])
        .arg(&alone)
        .current_dir(dir.path())
        .output()
        .unwrap();
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(contents(&alone) == contents(&dir.path().join("out/one")));
}

/// What an answer says of a folder with work of other settings, `--restart`, can be done by a unit.
#[test]
fn a_unit_may_begin_anew() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    let mut worker = Worker::start(dir.path(), &[]);
    let into_one = |id: &str, options: Value| {
        json!({ "id": id, "command": "analyze", "input": "clip.mp4", "output": "out", "options": options }).to_string()
    };
    worker.say(&into_one("first", json!({ "dark": 0.2 })));
    worker.say(&into_one("other", json!({ "dark": 0.3 })));
    worker.say(&into_one("anew", json!({ "dark": 0.3, "restart": true })));
    worker.say(&into_one("kept", json!({ "dark": 0.3, "restart": false })));
    worker.say(&unit("none", "proxy", "clip.mp4", json!({ "restart": true })));
    let (lines, exit) = worker.end();
    assert_eq!((exit, lines.len()), (0, 5), "{lines:?}");
    let by = |id: &str| lines.iter().find(|l| l["id"] == id).unwrap();
    for id in ["first", "anew", "kept"] {
        assert_eq!(by(id)["status"], "complete", "{}", by(id));
    }
    let refused = by("other");
    assert_eq!((&refused["exit"], &refused["error"]["code"]), (&11.into(), &"state-key-mismatch".into()), "{refused}");
    assert!(refused["error"]["hint"].as_str().unwrap().contains("`--restart`"), "{refused}");
    assert_eq!(by("anew")["items"][0]["cached"], false, "{}", by("anew"));
    assert_eq!(by("kept")["items"][0]["cached"], true, "{}", by("kept"));
    // A command that keeps nothing has no such option.
    let none = by("none");
    assert_eq!((&none["exit"], &none["error"]["code"]), (&2.into(), &"config".into()), "{none}");
    assert!(none["error"]["message"].as_str().unwrap().contains("unknown option of `proxy`"), "{none}");
}

#[test]
fn a_worker_that_is_killed_is_simply_started_again() {
    let dir = tempfile::tempdir().unwrap();
    clip(dir.path(), "clip.mp4", "testsrc2=size=320x180:rate=30:duration=10", &H264);
    let units = |worker: &mut Worker, out: &str| {
        for (id, command) in [("a", "analyze"), ("b", "heatmap"), ("c", "analyze")] {
            let line = json!({ "id": id, "command": command, "input": "clip.mp4", "output": format!("{out}/{id}") });
            worker.say(&line.to_string());
        }
    };
    let mut worker = Worker::start(dir.path(), &["--jobs", "2"]);
    units(&mut worker, "whole");
    let (lines, exit) = worker.end();
    assert!(exit == 0 && lines.len() == 3 && lines.iter().all(|l| l["status"] == "complete"), "{lines:?}");
    let want = contents(&dir.path().join("whole"));
    let mut worker = Worker::start(dir.path(), &[]);
    units(&mut worker, "killed");
    assert_eq!(worker.next().unwrap()["id"], "a");
    std::thread::sleep(std::time::Duration::from_millis(150));
    worker.child.kill().unwrap();
    worker.child.wait().unwrap();
    let mut worker = Worker::start(dir.path(), &["--queue", "1"]);
    units(&mut worker, "killed");
    let (lines, exit) = worker.end();
    assert!(exit == 0 && lines.iter().all(|l| l["status"] == "complete"), "{lines:?}");
    assert_eq!(lines[0]["items"][0]["cached"], true, "what was done is kept");
    assert!(want == contents(&dir.path().join("killed")));
    assert_eq!(leftovers(dir.path()), Vec::<PathBuf>::new());
}

#[test]
fn units_are_cancelled_one_by_one_and_term_drains() {
    let dir = tempfile::tempdir().unwrap();
    small(dir.path());
    clip(dir.path(), "long.mp4", "testsrc2=size=640x360:rate=30:duration=60", &H264);
    clip(dir.path(), "mid.mp4", "testsrc2=size=640x360:rate=30:duration=6", &H264);
    let mut worker = Worker::start(dir.path(), &[]);
    worker.say(&unit("long", "analyze", "long.mp4", json!({})));
    worker.say(&unit("waits", "analyze", "clip.mp4", json!({})));
    worker.say(r#"{"cancel":"waits"}"#);
    let first = worker.next().unwrap();
    assert_eq!(
        (&first["id"], &first["status"], &first["begun"]),
        (&"waits".into(), &"cancelled".into(), &false.into())
    );
    worker.say(r#"{"cancel":"long"}"#);
    let second = worker.next().unwrap();
    assert_eq!((&second["id"], &second["status"], &second["exit"]), (&"long".into(), &"cancelled".into(), &130.into()));
    worker.say(&unit("next", "analyze", "clip.mp4", json!({})));
    assert_eq!(worker.next().unwrap()["status"], "complete");

    // TERM: what runs is finished, what waits is given back.
    worker.say(&unit("runs", "analyze", "mid.mp4", json!({ "dark": 0.3 })));
    worker.say(&unit("back", "analyze", "clip.mp4", json!({ "dark": 0.4 })));
    // Read by now: a line that is answered comes after both.
    worker.say(r#"{"cancel":"nobody"}"#);
    assert_eq!(worker.next().unwrap()["event"], "error");
    worker.signal("-TERM");
    let (mut lines, exit) = worker.end();
    lines.sort_by_key(|l| l["id"].as_str().unwrap().to_owned());
    assert_eq!(exit, 143);
    let states: Vec<_> = lines.iter().map(|l| (l["id"].as_str().unwrap(), l["status"].as_str().unwrap())).collect();
    assert_eq!(states, [("back", "cancelled"), ("runs", "complete")]);
    assert!(lines[0]["error"]["retryable"] == true && lines[0]["begun"] == false, "{}", lines[0]);

    // INT: what runs is stopped.
    let mut worker = Worker::start(dir.path(), &[]);
    worker.say(&unit("long", "analyze", "long.mp4", json!({})));
    worker.say(r#"{"cancel":"nobody"}"#);
    worker.next().unwrap();
    worker.signal("-INT");
    let (lines, exit) = worker.end();
    assert_eq!((exit, lines.len(), &lines[0]["status"]), (130, 1, &"cancelled".into()));
}
