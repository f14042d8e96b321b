use std::path::Path;

use crate::support::*;

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn call(args: &[&str]) -> std::process::Output {
    let o = frameloom().args(args).output().unwrap();
    assert_eq!(code(&o), 0, "{args:?}: {}", stderr(&o));
    o
}

/// A bright square that swings over a still ground.
fn swing(folder: &Path) -> std::path::PathBuf {
    clip(
        folder,
        "swing.mp4",
        "color=c=gray:size=640x360:rate=25:duration=2[a];color=c=white:size=40x40:rate=25:duration=2[b];[a][b]overlay=x='300+60*sin(t*6)':y=200:shortest=1",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-qp", "10"],
    )
}

/// The values of a map, and its rows and columns.
fn heat(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let array = frameloom::report::read_npy::<f32>(&mut std::fs::File::open(path).unwrap(), 1 << 24).unwrap();
    (array.shape, array.data)
}

#[test]
fn a_video_becomes_a_heat_map_and_a_plan() {
    let dir = tempfile::tempdir().unwrap();
    let input = swing(dir.path());
    let (out, plan) = (dir.path().join("heat"), dir.path().join("plan"));
    let text = |p: &Path| p.to_str().unwrap().to_owned();
    let o = call(&["heatmap", &text(&input), "-o", &text(&out)]);
    assert!(String::from_utf8_lossy(&o.stdout).trim().ends_with("heat.npy"));
    let (shape, values) = heat(&out.join("heat.npy"));
    assert_eq!(shape, [360, 640]);
    let inside = |i: usize| (230..=410).contains(&(i % 640)) && (190..250).contains(&(i / 640));
    let moved: Vec<usize> = values.iter().enumerate().filter(|(_, v)| **v > 0.02).map(|(i, _)| i).collect();
    assert!(moved.len() > 1000 && moved.iter().all(|i| inside(*i)));
    assert!(values.iter().all(|v| (0.0..=1.0).contains(v)));
    let sidecar = json(&out.join("heat.json"));
    assert_eq!((&sidecar["frames"], &sidecar["frame"]), (&50.into(), &serde_json::json!([640, 360])));
    assert!(sidecar["stats"]["active_pixels"].as_u64().unwrap() > 0);

    call(&["chunk", "plan", &text(&out.join("heat.npy")), "-o", &text(&plan), "--sizes", "192x96"]);
    let chunks = json(&plan.join("chunks.json"));
    assert_eq!(chunks["chunks"].as_array().unwrap().len(), 1, "{chunks}");
    assert!(chunks["active_coverage"].as_f64().unwrap() >= 0.99);
    assert!(std::fs::read(plan.join("plan.png")).unwrap().starts_with(b"\x89PNG"));

    let original = dir.path().join("original");
    let args =
        ["chunk", "plan", &text(&out.join("heat.npy")), "-o", &text(&original), "--sizes", "192x96", "--original"];
    call(&args);
    let theirs = json(&original.join("chunks.json"));
    assert_eq!((&theirs["rule"], &chunks["rule"]), (&"original".into(), &"least-pixels".into()));
    assert!(!theirs["chunks"].as_array().unwrap().is_empty(), "{theirs}");
    let o = frameloom().args(args).args(["--coverage", "0.5"]).output().unwrap();
    assert!(code(&o) == 2 && stderr(&o).contains("coverage"), "{}", stderr(&o));

    // A reduced map plans for the whole frame; batches change nothing.
    let (small, again) = (dir.path().join("small"), dir.path().join("again"));
    call(&["heatmap", &text(&input), "-o", &text(&small), "--side", "160"]);
    assert_eq!(heat(&small.join("heat.npy")).0, [90, 160]);
    call(&["heatmap", &text(&input), "-o", &text(&again), "--batch", "3", "--threads", "1"]);
    assert!(contents(&out) == contents(&again));
    let o = call(&["chunk", "plan", &text(&small.join("heat.npy")), "-o", &text(&plan), "--sizes", "192x96", "--json"]);
    let last = events(&o).pop().unwrap();
    assert_eq!((&last["event"], &last["chunks"]), (&"result".into(), &1.into()));
    assert_eq!(json(&plan.join("chunks.json"))["frame"], serde_json::json!([640, 360]));
}

#[test]
fn each_setting_of_a_heat_map_changes_it_and_masks_give_their_exact_mean() {
    let dir = tempfile::tempdir().unwrap();
    let masks = dir.path().join("masks");
    std::fs::create_dir(&masks).unwrap();
    // Of 7 masks, mask i is white in the columns below 9 * i; 61x37 is no multiple of anything.
    for i in 0..7usize {
        let gray: Vec<u8> = (0..61 * 37).map(|p| if p % 61 < 9 * i { 255 } else { 0 }).collect();
        let size = frameloom::core::Size::new(61, 37);
        let png = frameloom::report::encode_png(size, frameloom::report::PngFormat::Gray8, &gray).unwrap();
        std::io::Write::write_all(&mut std::fs::File::create(masks.join(format!("m_{i:04}.png"))).unwrap(), &png)
            .unwrap();
    }
    let of = |name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        let mut args = vec!["heatmap", masks.to_str().unwrap(), "-o", out.to_str().unwrap()];
        args.extend(more);
        call(&args);
        heat(&out.join("heat.npy")).1
    };
    let mean = of("mean", &["--source", "masks"]);
    for (i, v) in mean.iter().enumerate() {
        let wanted = (0..7usize).filter(|m| i % 61 < 9 * m).count() as f64 / 7.0;
        assert!((f64::from(*v) - wanted).abs() < 1e-6, "{i}: {v} {wanted}");
    }
    let motion = of("motion", &[]);
    assert!((motion[0] - 1.0 / 6.0).abs() < 1e-6 && motion[60] == 0.0);
    assert_eq!(of("still", &["--threshold", "255"]), vec![0.0; 61 * 37]);
    assert_eq!(of("change", &["--source", "change", "--side", "32"]).len(), 32 * 19);
    // Nothing is hot: nothing is planned, and nothing is NaN.
    let still = dir.path().join("still/heat.npy");
    let plan = dir.path().join("plan");
    call(&["chunk", "plan", still.to_str().unwrap(), "-o", plan.to_str().unwrap()]);
    let plan = json(&plan.join("chunks.json"));
    assert_eq!((&plan["chunks"], &plan["stats"]["coverage"]), (&serde_json::json!([]), &0.0.into()));
}

#[test]
fn what_cannot_be_planned_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.npy");
    std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), b"no array").unwrap();
    let plan = |more: &[&str]| {
        let mut args = vec!["chunk", "plan", file.to_str().unwrap(), "-o", "/nonexistent/out"];
        args.extend(more);
        frameloom().args(args).output().unwrap()
    };
    assert_eq!(code(&plan(&[])), 5);
    assert_eq!(code(&plan(&["--coverage", "2"])), 2);
    assert_eq!(code(&plan(&["--sizes", "64"])), 2);
    assert!(
        stderr(&plan(&["--coverage", "2"])).contains("setting `coverage`: must be above 0 up to 1, got 2 (--coverage)")
    );
}
