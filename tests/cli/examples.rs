//! The examples in the help of every command are run as they stand there, in a folder that has the files they name.

use std::path::Path;
use std::process::Command;

use super::support::{BIN, away, clip, code, frameloom, pictures, stderr};

/// Examples that take long and are run elsewhere: `make demo` is part of CI.
const ELSEWHERE: [&str; 2] = ["frameloom demo", "frameloom demo --video clip.mp4 --images photos/"];
/// Words of examples that want networks, which are the user's to bring: without them, the error says so.
const NETWORKS: [&str; 8] = [
    "frameloom sync",
    "-o plan --objects",
    "yolox-nano",
    "person-reid",
    "realesr-animevideov3-x4",
    "yunet",
    "merge part1 part2",
    "~/models",
];

/// Help of a command, as wide as it gets.
fn help(command: &[String]) -> String {
    let o = frameloom().args(command).arg("--help").env("COLUMNS", "110").output().unwrap();
    assert_eq!(code(&o), 0, "{command:?}: {}", stderr(&o));
    String::from_utf8(o.stdout).unwrap()
}

/// All commands and their subcommands, by their words.
fn commands() -> Vec<Vec<String>> {
    let (mut found, mut open) = (Vec::new(), vec![Vec::new()]);
    while let Some(command) = open.pop() {
        let text = help(&command);
        let list = text.split_once("\nCommands:\n").map_or("", |(_, rest)| rest.split("\n\n").next().unwrap());
        // Names stand two columns in; what goes on from the line before, further.
        for line in list.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   ")) {
            let name = line.split_whitespace().next().unwrap();
            if name != "help" {
                open.push([&command[..], &[name.to_owned()]].concat());
            }
        }
        found.push(command);
    }
    found.sort();
    found
}

/// The examples in a help text, without what is said about them.
fn examples(text: &str) -> Vec<String> {
    let Some((_, rest)) = text.split_once("\nExamples:\n").or_else(|| text.split_once("\nExample:\n")) else {
        return Vec::new();
    };
    let mut lines: Vec<String> = Vec::new();
    for line in rest.lines().take_while(|l| l.starts_with("  ")) {
        match (line.trim().starts_with("frameloom "), lines.last_mut()) {
            (false, Some(before)) => *before += &format!(" {}", line.trim()),
            _ => lines.push(line.trim().to_owned()),
        }
    }
    lines.iter().map(|l| l.split("  ").next().unwrap().to_owned()).collect()
}

/// What the examples read and do not make themselves.
fn inputs(folder: &Path) {
    let h264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"];
    let made = clip(folder, "clip.mp4", "testsrc2=size=192x108:rate=10:duration=3", &h264);
    for name in ["a", "b", "c", "other", "street", "crowd", "long"] {
        std::fs::copy(&made, folder.join(name).with_extension("mp4")).unwrap();
    }
    for name in ["b.mkv", "cam.mkv"] {
        clip(folder, name, "testsrc2=size=96x64:rate=10:duration=1", &h264);
    }
    let sound =
        ["-f", "lavfi", "-i", "sine=f=300:d=5:r=16000", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac"];
    for name in ["talk.mp4", "talk.mkv", "chunks/one.mp4", "chunks/two.mp4"] {
        std::fs::create_dir_all(folder.join("chunks")).unwrap();
        clip(folder, name, "testsrc2=size=96x64:rate=10:duration=5", &sound);
    }
    pictures(&folder.join("frames"), "frame_", 12);
    pictures(&folder.join("photos"), "photo_", 40);
    pictures(&folder.join("photos/old"), "old_", 2);
    pictures(&folder.join("more"), "more_", 3);
    pictures(&folder.join("masks"), "mask_", 12);
    pictures(&folder.join("curated"), "frame_", 2);
    let built = shell(folder, "frameloom index build photos -o photos.index");
    assert_eq!(built.0, 0, "{}", built.1);
    std::fs::copy(folder.join("more/more_0001.jpg"), folder.join("one.jpg")).unwrap();
    std::fs::copy(folder.join("photos/photo_0007.jpg"), folder.join("sunset.jpg")).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    std::fs::copy(fixtures.join("detr_like.onnx"), folder.join("net.onnx")).unwrap();
    let zones = r#"{ "lines": { "door": { "points": [[96, 10], [96, 100]] } } }"#;
    for name in ["shop.json", "other.json"] {
        std::fs::write(folder.join(name), zones).unwrap();
    }
    std::fs::write(folder.join("t.yaml"), "decision: { surplus: drop }\n").unwrap();
    std::fs::write(
        folder.join("pipeline.yaml"),
        "vars: {clip: clip.mp4}\nsteps: [{name: heat, run: heatmap, input: '${vars.clip}'}]\n",
    )
    .unwrap();
    std::fs::write(
        folder.join("work.jsonl"),
        "{\"id\": \"a\", \"command\": \"analyze\", \"input\": \"clip.mp4\", \"output\": \"out/a\"}\n",
    )
    .unwrap();
}

/// Runs a line of a shell in `folder`, with the command on its path.
fn shell(folder: &Path, line: &str) -> (i32, String) {
    let own = Path::new(BIN).parent().unwrap();
    let path = format!("{}:{}", own.display(), std::env::var("PATH").unwrap_or_default());
    // What other programs make of the output is theirs.
    let line = line.split(" | ").next().unwrap();
    let mut c = away(Command::new("sh"));
    c.args(["-c", line]).current_dir(folder).env("HOME", folder).env("PATH", path);
    let o = c.output().unwrap();
    (code(&o), stderr(&o))
}

/// Commands write into folders of their own: what another example left there goes away first.
fn make_room(folder: &Path, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.contains(&"--dry-run") {
        return;
    }
    let target = words.iter().position(|w| matches!(*w, "-o" | "--output_dir")).and_then(|at| words.get(at + 1));
    if let Some(target) = target.map(|t| folder.join(t)) {
        let _ = std::fs::remove_dir_all(&target);
        let _ = std::fs::remove_file(&target);
    }
}

/// Runs the examples of a command and of its subcommands. One folder for all: what one makes, others read.
fn try_out(top: &str) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path();
    inputs(folder);
    let (mut seen, mut failed) = (Vec::new(), Vec::new());
    for command in commands().iter().filter(|c| c.first().is_some_and(|name| name == top)) {
        for line in examples(&help(command)) {
            // An index is made again of what parts have described.
            let again = line == "frameloom index build photos -o photos.index";
            if ELSEWHERE.contains(&line.as_str()) || (seen.contains(&line) && !again) {
                continue;
            }
            if !again {
                make_room(folder, &line);
            }
            let mut runs = vec![line.clone()];
            if line.contains("--shard 1/2") {
                runs.push(line.replace("--shard 1/2", "--shard 2/2").replace("part1", "part2"));
                make_room(folder, &runs[1]);
            }
            for run in runs {
                let (code, said) = shell(folder, &run);
                let network = NETWORKS.iter().any(|w| run.contains(w));
                if !(matches!(code, 0 | 3) || (network && matches!(code, 2 | 4 | 9) && said.contains("hint:"))) {
                    failed.push(format!("{}: `{run}` ended with {code}: {said}", command.join(" ")));
                }
            }
            seen.push(line);
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(!seen.is_empty() || top == "demo", "`{top}` has no examples");
}

/// The commands that work on videos, the ones with tests of their own here; the rest is run together.
const LONG: [&str; 6] = ["chunk", "collage", "curate", "heatmap", "index", "track"];

#[test]
fn every_command_has_examples() {
    let all = commands();
    assert!(all.len() > 50, "{all:?}");
    let without: Vec<String> = all.iter().filter(|c| examples(&help(c)).is_empty()).map(|c| c.join(" ")).collect();
    assert!(without.is_empty(), "without examples: {without:?}");
}

#[test]
fn examples_of_chunks_run() {
    try_out("chunk");
    try_out("heatmap");
}

#[test]
fn examples_of_pictures_run() {
    try_out("collage");
    try_out("index");
}

#[test]
fn examples_of_training_sets_run() {
    try_out("curate");
}

#[test]
fn examples_of_tracks_run() {
    try_out("track");
}

#[test]
fn examples_of_all_other_commands_run() {
    for command in commands().iter().filter(|c| c.len() == 1 && !LONG.contains(&c[0].as_str())) {
        try_out(&command[0]);
    }
}

#[test]
fn examples_are_told_from_what_is_said_about_them() {
    let text = "\nExamples:\n  frameloom a x -o y      goes on\n  in the next line\n  frameloom b --long\n  --more 3\nEnd\n  frameloom c\n";
    assert_eq!(examples(text), ["frameloom a x -o y", "frameloom b --long --more 3"]);
}
