//! What the command says when something is wrong, word by word: what was wanted, what was given, what to do. Each line is an invocation with
//! the exit code that it must have; what is said is kept in `tests/snapshots/cli/messages_*.snap`.

use std::path::Path;

use crate::support::*;

/// A folder with what the invocations name.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    clip(
        dir.path(),
        "clip.mp4",
        "testsrc2=size=160x120:rate=5:duration=1",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast"],
    );
    std::fs::create_dir(dir.path().join("pictures")).unwrap();
    clip(dir.path(), "pictures/a.png", "testsrc2=size=160x120:rate=1:duration=1", &["-frames:v", "1"]);
    put("text.mp4", b"hello");
    put("empty.mp4", b"");
    put("file", b"x");
    dir
}

/// Runs each line in `dir` and gives what all of them said.
fn said(dir: &Path, lines: &[(i32, &str)]) -> String {
    let mut all = String::new();
    for (wanted, line) in lines {
        let mut words: Vec<&str> = line.split(' ').collect();
        let mut command = frameloom();
        // Help is wrapped by the width of the terminal; data folders and models of whoever runs the tests are not ours.
        command.current_dir(dir).env("COLUMNS", "100").env("XDG_DATA_HOME", dir.join("none"));
        while words[0].contains('=') {
            let (name, value) = words.remove(0).split_once('=').unwrap();
            command.env(name, value);
        }
        let o = command.args(&words).output().unwrap();
        let text: Vec<String> = stderr(&o)
            .lines()
            .filter(|l| !l.starts_with("frameloom: warning: no GPU in use"))
            .map(|l| plain(l, dir))
            .collect();
        assert_eq!(code(&o), *wanted, "{line}: {}", text.join("\n"));
        assert!(!text.is_empty(), "{line}: nothing is said");
        all.push_str(&format!("$ frameloom {line}\n{}\n[exit {wanted}]\n\n", text.join("\n")));
    }
    all
}

/// Without what differs from machine to machine.
fn plain(line: &str, dir: &Path) -> String {
    let mut line = line.replace(&*dir.to_string_lossy(), "DIR");
    // Adapters, and what this FFmpeg has.
    for list in ["; found: ", "containers that are read: ", "decoders that are used: "] {
        if let Some(at) = line.find(list) {
            line.truncate(at + list.len());
            line.push_str("LIST");
        }
    }
    line
}

/// Compares with the snapshot. Wanted changes are accepted with `INSTA_UPDATE=always`.
fn reviewed(name: &str, text: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "../snapshots/cli", omit_expression => true }, {
        insta::assert_snapshot!(format!("messages_{name}"), text);
    });
}

#[test]
fn wrong_arguments() {
    let dir = folder();
    let lines = [
        (2, "analyse clip.mp4"),
        (2, "frobnicate"),
        (2, "analyze"),
        (2, "analyze clip.mp4 --thumbnail 3"),
        (2, "analyze clip.mp4 --batch 0"),
        (2, "analyze clip.mp4 --on-error maybe"),
        (2, "analyze clip.mp4 --limit depth=3"),
        (2, "analyze clip.mp4 --limit side=x"),
        (2, "heatmap clip.mp4"),
        (2, "heatmap clip.mp4 -o out --source movement"),
        (2, "heatmap clip.mp4 -o out --color-low red"),
        (2, "chunk rnu clip.mp4 -o out"),
        (2, "chunk plan heat.npy -o out --size 512x512"),
        (2, "chunk plan heat.npy -o out --sizes 512"),
        (2, "chunk segments --frame 64x64 -o out"),
        (2, "curate run clip.mp4"),
        (2, "curate ran clip.mp4 -o out"),
        (2, "curate run clip.mp4 -o out --shard 5/3"),
        (2, "collage clip.mp4"),
        (2, "collage clip.mp4 pictures --no-repeat --max-uses 2"),
        (2, "collage clip.mp4 pictures --search ivf:nope=3"),
        (2, "collage clip.mp4 pictures --fps-override 0"),
        (2, "index build pictures -o out --aspect 16"),
        (2, "index build pictures -o out --feature-method cany"),
        (2, "track"),
        (2, "track clip.mp4 --tracker sort"),
        (2, "ops no/such"),
        (2, "config schema trak"),
    ];
    reviewed("arguments", &said(dir.path(), &lines));
    #[cfg(feature = "onnx")]
    {
        let lines = [
            (2, "sync"),
            (2, "sync clip.mp4 --reach nine"),
            (2, "sync fix"),
            (2, "models lst"),
            (2, "models import file"),
            (2, "models import file --task detection"),
        ];
        reviewed("arguments_onnx", &said(dir.path(), &lines));
    }
}

#[test]
fn wrong_settings() {
    let dir = folder();
    for (name, text) in [
        ("analyze.yaml", "dark: 0.1\n\nbrigth: 0.9\n"),
        ("heatmap.yaml", "side: wide\n"),
        ("chunk.yaml", "coverage: 2\n"),
        ("sizes.yaml", "sizes: []\n"),
        ("chunk_run.toml", "outside = \"white\"\n"),
        ("proxy.json", "{\n\"multiple\": 3}"),
        ("curate.yaml", "decision:\n  keep: -3\n"),
        ("custom.yaml", "custom_strategies:\n  mine:\n    when:\n      - {metric: sharpnes, is: '>', value: 0.5}\n"),
        ("sync.yaml", "overlap: 30\n"),
        ("collage.yaml", "selection:\n  max_uses: 0\n"),
        ("index.yaml", "descriptor: hog\n"),
        ("track.yaml", "motion:\n  side: 5\n"),
        ("bad.yaml", "a: [1\nb: 2\n"),
        ("twice.yaml", "every: 1\nevery: 2\n"),
        ("alias.yaml", "every: &n 2\nstep: *n\n"),
        ("bad.toml", "every =\n"),
        ("bad.json", "{\"every\": 1,\n}"),
    ] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let lines = [
        (2, "analyze clip.mp4 --config analyze.yaml"),
        (2, "FRAMELOOM_ANALYZE_DRAK=1 analyze clip.mp4"),
        (2, "FRAMELOOM_ANALYZE_THUMBNAILS=many analyze clip.mp4"),
        (2, "analyze clip.mp4 --dark 0.9 --bright 0.1"),
        (2, "heatmap clip.mp4 -o out --config heatmap.yaml"),
        (2, "heatmap clip.mp4 -o out --source detections"),
        (2, "chunk plan heat.npy -o out --config chunk.yaml"),
        (2, "chunk plan heat.npy -o out --config sizes.yaml"),
        (2, "FRAMELOOM_CHUNK_PLAN_SCALES=[2] chunk plan heat.npy -o out"),
        (2, "chunk run clip.mp4 -o out --config chunk_run.toml"),
        (2, "proxy clip.mp4 -o out.mp4 --config proxy.json"),
        (2, "curate run clip.mp4 -o out --config curate.yaml"),
        (2, "curate run clip.mp4 -o out --config custom.yaml"),
        (2, "collage clip.mp4 pictures --config collage.yaml"),
        (2, "collage clip.mp4 pictures --crf 99"),
        (2, "index build pictures -o out --config index.yaml"),
        (2, "track clip.mp4 --config track.yaml"),
        (2, "track clip.mp4 --config bad.yaml"),
        (2, "track clip.mp4 --config twice.yaml"),
        (2, "track clip.mp4 --config alias.yaml"),
        (2, "track clip.mp4 --config bad.toml"),
        (2, "track clip.mp4 --config bad.json"),
        (4, "track clip.mp4 --config missing.yaml"),
        (2, "track clip.mp4 --config file"),
        (2, "track clip.mp4 --every 2 --fps 5"),
    ];
    reviewed("settings", &said(dir.path(), &lines));
    #[cfg(feature = "onnx")]
    {
        let lines = [
            (2, "sync clip.mp4 --config sync.yaml"),
            (2, "sync clip.mp4 --reach 9"),
            (2, "FRAMELOOM_SYNC_ESTIMATOR=lips sync clip.mp4"),
        ];
        reviewed("settings_onnx", &said(dir.path(), &lines));
    }
}

#[test]
fn inputs_that_cannot_be_used() {
    let dir = folder();
    clip(dir.path(), "sound.mp4", "sine=frequency=440:duration=1", &["-c:a", "aac"]);
    let bytes = std::fs::read(dir.path().join("clip.mp4")).unwrap();
    std::fs::write(dir.path().join("cut.mp4"), &bytes[..600]).unwrap();
    let lines = [
        (4, "analyze missing.mp4"),
        (5, "analyze text.mp4"),
        (5, "analyze empty.mp4"),
        (5, "analyze cut.mp4"),
        (4, "analyze sound.mp4"),
        (4, "analyze clip.mp4 --track 2"),
        (4, "heatmap missing.mp4 -o out"),
        (4, "chunk plan missing.npy -o out"),
        (5, "chunk plan clip.mp4 -o out"),
        (4, "chunk run missing.mp4 -o out"),
        (4, "chunk run clip.mp4 -o out --plan missing.json"),
        (5, "chunk run clip.mp4 -o out --plan text.mp4"),
        (4, "proxy missing.mp4 -o out.mp4"),
        (4, "curate run missing -o out"),
        (5, "curate run text.mp4 -o curated -q"),
        (4, "curate decide --from missing"),
        (4, "curate explain missing frame_1"),
        (4, "curate merge missing -o out"),
        (4, "curate join missing -o out"),
        (4, "collage missing.mp4 pictures"),
        (4, "collage clip.mp4 missing"),
        (2, "collage clip.mp4 text.mp4"),
        (4, "index build missing -o out"),
        (9, "index search missing clip.mp4"),
        (4, "track missing.mp4"),
        (5, "track text.mp4 -o out"),
        (4, "track sound.mp4 -o out"),
        (4, "track clip.mp4 -o out --zones missing.json"),
        (2, "track clip.mp4 -o out --zones text.mp4"),
        (4, "track report --from missing"),
        (4, "audio extract clip.mp4"),
        (4, "probe missing.mp4"),
    ];
    reviewed("inputs", &said(dir.path(), &lines));
}

#[test]
fn no_adapter_and_no_device_to_decode_on() {
    let dir = folder();
    let lines = [
        (8, "analyze clip.mp4 --device nothing"),
        (8, "FRAMELOOM_DEVICE=nothing heatmap clip.mp4 -o out"),
        (8, "chunk run clip.mp4 -o processed --device nothing"),
        (8, "curate run clip.mp4 -o out --device nothing"),
        (8, "collage clip.mp4 pictures --device nothing"),
        (8, "index build pictures -o out --device nothing"),
        (8, "track clip.mp4 -o out --device nothing"),
        (8, "proxy clip.mp4 -o out.mp4 --device 77"),
        (8, "analyze clip.mp4 --hwaccel nothing"),
        (8, "track clip.mp4 -o out --hwaccel nothing"),
    ];
    reviewed("devices", &said(dir.path(), &lines));
}

#[test]
fn codecs_and_containers_that_are_not_there() {
    let dir = folder();
    clip(dir.path(), "old.avi", "testsrc2=size=160x120:rate=5:duration=1", &["-c:v", "cinepak"]);
    let lines = [
        (4, "analyze old.avi"),
        (4, "track old.avi -o out"),
        (4, "chunk run old.avi -o out"),
        (2, "proxy clip.mp4 -o out.avi --scale 0.5"),
        (2, "chunk run clip.mp4 -o filtered --effect filter:nosuchfilter -q"),
    ];
    reviewed("codecs", &said(dir.path(), &lines));
}

#[test]
fn outputs_that_cannot_be_written() {
    let dir = folder();
    let lines = [
        (7, "analyze clip.mp4 -o file"),
        (7, "analyze clip.mp4 -o file/below"),
        (7, "analyze clip.mp4 -o /proc/none"),
        (7, "heatmap clip.mp4 -o file"),
        (7, "chunk segments --frame 64x64 --grid 2 -o file"),
        (7, "chunk run clip.mp4 -o file"),
        (7, "proxy clip.mp4 -o none/out.mp4 --scale 0.5"),
        (7, "curate run clip.mp4 -o file/below"),
        (7, "collage clip.mp4 pictures -o file"),
        (7, "index build pictures -o /proc/none"),
        (7, "track clip.mp4 -o file"),
        (7, "split time clip.mp4 -o file"),
    ];
    reviewed("outputs", &said(dir.path(), &lines));
}

/// The outputs of a command are safe from all others.
#[test]
fn folders_of_other_commands_and_other_settings() {
    let dir = folder();
    let done = |line: &str| {
        let o = frameloom().current_dir(dir.path()).args(line.split(' ')).output().unwrap();
        assert_eq!(code(&o), 0, "{line}: {}", stderr(&o));
    };
    done("analyze clip.mp4 -o analyzed");
    done("track clip.mp4 -o tracked");
    let before = contents(&dir.path().join("analyzed"));
    let lines = [
        (11, "track clip.mp4 -o analyzed"),
        (11, "curate run clip.mp4 -o analyzed"),
        (11, "collage clip.mp4 pictures -o analyzed"),
        (11, "index build pictures -o analyzed"),
        (11, "chunk run clip.mp4 -o analyzed -q"),
        (11, "analyze clip.mp4 -o tracked"),
        (11, "analyze clip.mp4 -o analyzed --dark 0.2 --thumbnails 2"),
    ];
    reviewed("owners", &said(dir.path(), &lines));
    let after = contents(&dir.path().join("analyzed"));
    assert!(before == after, "a file of `analyze` has changed, or there are others: {:?}", after.keys());
}

#[cfg(feature = "onnx")]
#[test]
fn models_that_are_missing_or_wrong() {
    let dir = folder();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let models = dir.path().join("models");
    std::fs::create_dir(&models).unwrap();
    let entry = |name: &str, file: &str, sha: &str, task: &str| {
        format!(
            "[[model]]\nname = \"{name}\"\ntask = \"{task}\"\nfile = \"{file}\"\nsha256 = \"{sha}\"\nlicence = \"MIT\"\nsource = \"test\"\n\n"
        )
    };
    let (zeros, other) = ("0".repeat(64), "1".repeat(64));
    std::fs::copy(fixtures.join("nearest_x2.onnx"), models.join("changed.onnx")).unwrap();
    let manifest = entry("changed", "changed.onnx", &zeros, "detect")
        + &entry("gone", "gone.onnx", &other, "detect")
        + &entry("upscaler", "changed.onnx", &zeros, "upscale");
    std::fs::write(models.join("models.toml"), manifest).unwrap();
    for (name, text) in
        [("broken", "[[model]]\nname = \"x\"\ntask = \"detect\"\nfile = \"x.onnx\"\n"), ("strange", "[[models]]\n")]
    {
        std::fs::create_dir(dir.path().join(name)).unwrap();
        std::fs::write(dir.path().join(name).join("models.toml"), text).unwrap();
    }
    std::fs::write(dir.path().join("text.onnx"), "hello").unwrap();
    let lines = [
        (9, "track clip.mp4 -o out --detector yolox-nano"),
        (9, "track clip.mp4 -o out --models models --detector changd"),
        (9, "track clip.mp4 -o out --models models --detector changed"),
        (9, "track clip.mp4 -o out --models models --detector gone"),
        (9, "track clip.mp4 -o out --models models --detector upscaler"),
        (9, "track clip.mp4 -o out --models none --detector changed"),
        (9, "track clip.mp4 -o out --models broken --detector x"),
        (9, "heatmap clip.mp4 -o out --source detections --model yolox-nano"),
        (9, "chunk run clip.mp4 -o processed --effect no-model"),
        (9, "collage clip.mp4 pictures --feature-method mobilenet"),
        (9, "sync clip.mp4 -o out"),
        (9, "sync clip.mp4 -o out --models models --face-model upscaler"),
        (9, "models list --models strange"),
        (9, "models verify --models none"),
        (9, "models inspect missing.onnx"),
        (9, "models inspect text.onnx"),
        (9, "models import text.onnx --task detect"),
    ];
    reviewed("models", &said(dir.path(), &lines));
}
