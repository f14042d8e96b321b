use std::path::Path;
use std::process::Output;

use crate::support::*;

fn analyze(input: &Path, out: &Path, more: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = frameloom();
    command.arg("analyze").arg(input).arg("-o").arg(out).args(more).envs(variables.iter().copied());
    command.output().unwrap()
}

fn put(path: &Path, text: &str) {
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), text.as_bytes()).unwrap();
}

/// The settings that a run wrote down.
fn settings(out: &Path) -> serde_json::Value {
    let summary: serde_json::Value = serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    summary["settings"].clone()
}

/// Every setting, by file, variable and flag: what it is by default, and three other values.
const ALL: [(&str, [&str; 3]); 6] = [
    ("dark", ["0.4", "0.3", "0.2"]),
    ("bright", ["0.6", "0.7", "0.8"]),
    ("motion_threshold", ["60", "40", "20"]),
    ("motion_side", ["100", "120", "140"]),
    ("thumbnails", ["1", "2", "3"]),
    ("thumbnail_side", ["64", "80", "96"]),
];

#[test]
fn each_setting_changes_the_output_and_flags_beat_variables_beat_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let base = dir.path().join("base");
    assert_eq!(code(&analyze(&input, &base, &[], &[])), 0);
    let declared: Vec<String> = settings(&base).as_object().unwrap().keys().cloned().collect();
    let mut named: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    named.sort_unstable();
    assert_eq!(declared, named, "a setting without a test");
    let base = contents(&base);
    for (name, [a, b, c]) in ALL {
        let file = dir.path().join(format!("{name}.yaml"));
        put(&file, &format!("# by file\n{name}: {a}\n"));
        let (file, variable) = (file.to_str().unwrap(), format!("FRAMELOOM_ANALYZE_{}", name.to_uppercase()));
        let flag = format!("--{}", name.replace('_', "-"));
        let mut seen = Vec::new();
        for (i, (more, variables, wanted)) in [
            (&["--config", file][..], &[][..], a),
            (&["--config", file], &[(variable.as_str(), b)], b),
            (&["--config", file, &flag, c], &[(variable.as_str(), b)], c),
        ]
        .into_iter()
        .enumerate()
        {
            let out = dir.path().join(format!("{name}{i}"));
            let o = analyze(&input, &out, more, variables);
            assert_eq!(code(&o), 0, "{name}: {}", stderr(&o));
            assert_eq!(settings(&out)[name].to_string(), wanted, "{name}");
            seen.push(contents(&out));
        }
        let [first, second, third] = &seen[..] else { panic!() };
        // Pictures of the report, or what is measured.
        let told: &[&str] = if name.starts_with("thumb") { &["report.html"] } else { &["frames.jsonl", "heat.npy"] };
        for other in [second, third, &base] {
            assert!(told.iter().any(|file| first[Path::new(file)] != other[Path::new(file)]), "{name}");
        }
    }
}

#[test]
fn the_written_settings_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let input = small_clip(dir.path());
    let (first, again) = (dir.path().join("first"), dir.path().join("again"));
    assert_eq!(code(&analyze(&input, &first, &["--dark", "0.3", "--thumbnails", "2"], &[])), 0);
    let file = first.join("config.toml");
    let o = analyze(&input, &again, &["--config", file.to_str().unwrap()], &[]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(contents(&first) == contents(&again));
}

#[test]
fn a_wrong_file_is_exit_two_and_points_at_the_line() {
    let dir = tempfile::tempdir().unwrap();
    for (name, text, wanted) in [
        ("a.toml", "dark = 0.1\n\ndrak = 0.2\n", "setting `drak`: unknown; did you mean `dark`?"),
        ("b.yaml", "dark: 0.1\n\nbright: very\n", "setting `bright`: must be a number, got the text `very`"),
        ("c.json", "{\"dark\": 0.1,\n\n\"motion_side\": 7}", "setting `motion_side`: must be 16 to 4096 pixels, got 7"),
    ] {
        let file = dir.path().join(name);
        put(&file, text);
        let o = frameloom().args(["analyze", "x.mp4", "--config"]).arg(&file).output().unwrap();
        assert_eq!(code(&o), 2, "{}", stderr(&o));
        assert!(stderr(&o).contains(wanted) && stderr(&o).contains(&format!("{name}:3")), "{}", stderr(&o));
    }
    let o = frameloom().args(["analyze", "x.mp4"]).env("FRAMELOOM_ANALYZE_DRAK", "1").output().unwrap();
    assert_eq!(code(&o), 2);
    assert!(stderr(&o).contains("did you mean `FRAMELOOM_ANALYZE_DARK`?"), "{}", stderr(&o));
}
