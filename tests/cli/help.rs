use crate::support::*;

#[test]
fn every_command_has_help_and_the_exit_codes_are_in_it() {
    let o = run(&["--help"]);
    assert_eq!(code(&o), 0);
    let text = String::from_utf8_lossy(&o.stdout).into_owned();
    assert!(text.contains("Exit codes:") && text.contains("analyze") && text.contains("doctor"));
    for command in [
        "doctor",
        "probe",
        "analyze",
        "collage",
        "curate",
        "index",
        "config",
        "heatmap",
        "chunk",
        "proxy",
        "run",
        "track",
        "worker",
        "ops",
        "bench",
        "models",
        "audio",
        "split",
        "extract-audio",
        "chunk-time",
        "chunk-silence",
        "completions",
        "man",
        "merge",
    ] {
        let o = run(&[command, "--help"]);
        assert_eq!(code(&o), 0, "{command}");
        assert!(!o.stdout.is_empty() && o.stderr.is_empty(), "{command}");
    }
}

#[test]
fn what_is_typed_wrong_is_exit_two_with_one_message() {
    for args in [
        &["analyze"][..],
        &["no-such-command"],
        &["analyze", "x.mp4", "--batch", "0"],
        &["analyze", "x.mp4", "--dark", "0.9", "--bright", "0.1"],
        &["analyze", "x.mp4", "--dark", "nan"],
        &["analyze", "x.mp4", "--limit", "depth=3"],
        &["ops", "no/such"],
        &["index", "build", "x", "-o", "y", "--aspect", "16"],
        &["index", "build", "x", "-o", "y", "--feature-method", "cany"],
        &["index", "build", "x", "-o", "y", "--search", "faltt"],
        &["index", "build", "x", "-o", "y", "--ivf-nlist", "4"],
        &["collage", "x.mp4"],
        &["collage", "x.mp4", "p", "--fps-override", "0"],
        &["collage", "x.mp4", "p", "--no-repeat", "--max-uses", "2"],
        &["collage", "x.mp4", "p", "--tiles", "4"],
    ] {
        let o = run(args);
        assert_eq!(code(&o), 2, "{args:?}: {}", stderr(&o));
        assert!(!o.stderr.is_empty() && !stderr(&o).contains("panicked"), "{args:?}");
    }
}

#[test]
fn a_device_that_is_missing_is_an_error_that_names_what_is_there() {
    let o = run(&["analyze", "x.mp4", "--device", "no such adapter"]);
    assert_eq!(code(&o), 8, "{}", stderr(&o));
    assert!(stderr(&o).contains("no such adapter") && stderr(&o).contains("found"), "{}", stderr(&o));
}

#[test]
fn ops_and_completions_and_man_print_data() {
    let o = run(&["ops"]);
    assert!(code(&o) == 0 && String::from_utf8_lossy(&o.stdout).contains("stats/luma"));
    let o = run(&["ops", "stats/luma", "--json"]);
    let events = events(&o);
    assert_eq!(events.first().unwrap()["event"], "start");
    assert_eq!(events.last().unwrap()["event"], "result");
    assert_eq!(events.last().unwrap()["exactness"], "exact");
    for shell in ["bash", "zsh", "fish"] {
        let o = run(&["completions", shell]);
        assert!(code(&o) == 0 && o.stdout.len() > 500, "{shell}");
    }
    let o = run(&["man"]);
    assert!(code(&o) == 0 && String::from_utf8_lossy(&o.stdout).contains(".TH"));
}

#[test]
fn doctor_names_every_part() {
    let o = run(&["doctor"]);
    let text = String::from_utf8_lossy(&o.stdout).into_owned();
    assert_eq!(code(&o), 0, "{text}{}", stderr(&o));
    for part in ["GPU", "FFmpeg", "ONNX Runtime", "models", "FAISS", "memory", "adapter 0"] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let o = run(&["doctor", "--json"]);
    assert_eq!(events(&o).last().unwrap()["event"], "result");
}
