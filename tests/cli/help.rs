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
        &["collage", "x.mp4", "p", "--demo-seconds", "5"],
        &["collage", "x.mp4", "p", "--demo-images", "5"],
        &["collage", "x.mp4", "p", "--memory-limit", "1"],
        &["curate", "analyze", "p", "-o", "y", "--keep", "3"],
        &["curate", "analyze", "p", "-o", "y", "--surplus", "drop"],
        &["curate", "analyze", "p", "-o", "y", "--overrides", "o.yaml"],
        &["curate", "tune", "p", "--overrides", "o.yaml"],
        &["curate", "run", "p", "-o", "y", "--limit", "some"],
        &["curate", "run", "p", "-o", "y", "--limit", "depth=3"],
        &["curate", "run", "p", "-o", "y", "--limit", "2", "--limit", "3"],
    ] {
        let o = run(args);
        assert_eq!(code(&o), 2, "{args:?}: {}", stderr(&o));
        assert!(!o.stderr.is_empty() && !stderr(&o).contains("panicked"), "{args:?}");
    }
}

#[test]
fn readers_of_events_hear_of_wrong_arguments_too() {
    for (args, part) in [
        (&["analyze", "x.mp4", "--thumbnail", "3", "--json"][..], "'--thumbnail'"),
        (&["--json", "frobnicate"], "'frobnicate'"),
        (&["--json", "chunk"], ""),
        (&["heatmap", "x.mp4", "--json"], "--output <DIR>"),
    ] {
        let o = run(args);
        let all = events(&o);
        assert_eq!((code(&o), all.len()), (2, 1), "{args:?}: {}", stderr(&o));
        let e = &all[0];
        assert_eq!(
            (&e["v"], &e["event"], &e["code"], &e["exit"]),
            (&1.into(), &"error".into(), &"usage".into(), &2.into()),
            "{e}"
        );
        assert!(e["message"].as_str().unwrap().contains(part) && e["retryable"] == false, "{e}");
        // People are told as before.
        assert!(!o.stderr.is_empty(), "{args:?}");
    }
    // Without the flag, and where it is the name of a file, standard output stays empty; help is no error.
    for args in [&["frobnicate"][..], &["analyze", "--batch", "0", "--", "--json"]] {
        let o = run(args);
        assert!(code(&o) == 2 && o.stdout.is_empty(), "{args:?}");
    }
    let o = run(&["--json", "--help"]);
    assert!(code(&o) == 0 && String::from_utf8_lossy(&o.stdout).contains("Exit codes:"));
    assert!(!String::from_utf8_lossy(&o.stdout).contains("\"event\""));
}

#[test]
fn a_probe_that_fails_for_some_inputs_is_not_whole() {
    let dir = tempfile::tempdir().unwrap();
    let good = small_clip(dir.path());
    let missing = dir.path().join("missing.mp4");
    let probe = |inputs: &[&std::path::Path]| {
        let mut args: Vec<&std::ffi::OsStr> = vec!["probe".as_ref(), "--json".as_ref()];
        args.extend(inputs.iter().map(|p| p.as_os_str()));
        let o = run(&args);
        (code(&o), events(&o).pop().unwrap())
    };
    let (exit, last) = probe(&[&good, &missing]);
    assert_eq!((exit, &last["event"], &last["inputs"]), (3, &"result".into(), &2.into()), "{last}");
    assert_eq!((&last["failed"], &last["exit"]), (&1.into(), &3.into()), "{last}");
    let (exit, last) = probe(&[&good, &good]);
    assert_eq!((exit, &last["failed"], &last["exit"]), (0, &0.into(), &0.into()), "{last}");
    let (exit, last) = probe(&[&missing, &missing]);
    assert_eq!((exit, &last["event"]), (4, &"error".into()), "{last}");
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
