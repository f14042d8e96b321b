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

/// Two squares that swing in different places at different times, and nothing in between.
fn two_acts(folder: &Path) -> std::path::PathBuf {
    clip(
        folder,
        "acts.mp4",
        "color=c=gray:size=640x360:rate=25:duration=9[a];color=c=white:size=40x40:rate=25:duration=9[b];\
         color=c=white:size=40x40:rate=25:duration=9[c];\
         [a][b]overlay=x='if(lt(t,2.9),100+40*sin(t*9),100)':y=60:shortest=1[d];\
         [d][c]overlay=x='if(gt(t,6),480+40*sin(t*9),480)':y=260:shortest=1",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-qp", "10"],
    )
}

#[test]
fn chunks_know_when_they_are_active() {
    use frameloom::workflows::chunk::{read_activity, read_plan};
    let dir = tempfile::tempdir().unwrap();
    let input = two_acts(dir.path());
    let text = |p: &Path| p.to_str().unwrap().to_owned();
    let (out, planned) = (dir.path().join("heat"), dir.path().join("plan"));
    call(&["heatmap", &text(&input), "-o", &text(&out)]);
    let grid = read_activity(&out.join("heat.npy")).unwrap().unwrap();
    let frames: Vec<(i64, u32)> = grid.steps().iter().map(|s| (*s).into()).collect();
    assert_eq!(frames, (0..9).map(|s| (s, 25)).collect::<Vec<_>>());
    // The cells hold exactly the heat of the map: of 225 frames, 224 are compared with one before.
    let (shape, values) = heat(&out.join("heat.npy"));
    let mut sums = vec![0u64; 40 * 23];
    grid.cells().iter().for_each(|c| sums[(c.row * 40 + c.column) as usize] += u64::from(c.heat));
    let mut wanted = vec![0.0; 40 * 23];
    for (i, v) in values.iter().enumerate() {
        wanted[i / shape[1] / 16 * 40 + i % shape[1] / 16] += f64::from(*v) * 224.0;
    }
    for (at, (sum, wanted)) in sums.iter().zip(&wanted).enumerate() {
        assert!((*sum as f64 - wanted).abs() < 1e-2, "cell {at}: {sum} {wanted}");
    }
    let place = |c: &frameloom::workflows::chunk::ActivityCell| if c.column < 20 { 0..3 } else { 6..9 };
    assert!(grid.cells().iter().all(|c| place(c).contains(&c.step)));

    call(&["chunk", "plan", &text(&out.join("heat.npy")), "-o", &text(&planned), "--sizes", "192x128"]);
    let plan = read_plan(&planned.join("chunks.json")).unwrap();
    assert_eq!(plan.chunks.len(), 2);
    for chunk in &plan.chunks {
        let spans = chunk.active.as_ref().unwrap().spans();
        let wanted = if chunk.x_range[0] < 320 { [0.0, 3.4] } else { [5.8, 9.0] };
        assert_eq!(spans, [wanted], "{chunk:?}");
    }
    assert_eq!(plan.active_at(1.0).count() + plan.active_at(8.0).count(), 2);
    assert_eq!(plan.active_at(4.5).count(), 0);
    let (one, cost) = (192.0 * 128.0, plan.cost);
    assert_eq!((cost.pixels as f64, cost.peak_pixels as f64), (2.0 * one, one));
    assert!((cost.mean_pixels - one * (3.4 + 3.2) / 9.0).abs() < 1.0, "{cost:?}");
    assert!((cost.saving_against_frame - (1.0 - cost.mean_pixels / (640.0 * 360.0))).abs() < 1e-12);

    // What was written is what is read.
    let again = dir.path().join("again");
    std::fs::create_dir(&again).unwrap();
    let map = frameloom::workflows::chunk::read_heat(&out.join("heat.npy"), None).unwrap();
    frameloom::workflows::chunk::write_plan(&frameloom::store::OsIo, &again, &map, &plan).unwrap();
    let read = read_plan(&again.join("chunks.json")).unwrap();
    assert_eq!(
        (&read.settings, read.rule, read.frame, read.cost.pixels),
        (&plan.settings, plan.rule, plan.frame, cost.pixels)
    );
    for (a, b) in read.chunks.iter().zip(&plan.chunks) {
        // A sum of heat may change in its last bit on the way through text.
        assert!((a.score / b.score - 1.0).abs() < 1e-14);
        assert_eq!(&frameloom::workflows::chunk::plan::Chunk { score: b.score, ..a.clone() }, b);
    }
    // A longer hold and finer steps change times alone.
    let span = |heat: &Path, more: &[&str]| {
        let mut args =
            vec!["chunk", "plan", heat.to_str().unwrap(), "-o", planned.to_str().unwrap(), "--sizes", "192x128"];
        args.extend(more);
        call(&args);
        let plan = read_plan(&planned.join("chunks.json")).unwrap();
        let left = plan.chunks.iter().find(|c| c.x_range[0] < 320).unwrap();
        left.active.as_ref().unwrap().spans().to_vec()
    };
    assert_eq!(span(&out.join("heat.npy"), &["--hold", "1", "--lead-in", "0"]), [[0.0, 4.0]]);
    let fine = dir.path().join("fine");
    call(&["heatmap", &text(&input), "-o", &text(&fine), "--step", "0.5", "--batch", "7"]);
    let spans = span(&fine.join("heat.npy"), &["--hold", "0.1"]);
    assert!(spans.len() == 1 && spans[0][0] == 0.0 && (3.1..=3.6).contains(&spans[0][1]), "{spans:?}");
    assert_eq!(heat(&fine.join("heat.npy")).1, values);
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
    for (wrong, name) in [("{}", "chunks.json"), ("[1]", "chunks.json")] {
        std::fs::write(dir.path().join(name), wrong).unwrap();
        let read = frameloom::workflows::chunk::read_plan(&dir.path().join(name));
        assert!(matches!(read, Err(frameloom::Error::InputCorrupt { .. })), "{read:?}");
    }
    assert_eq!(code(&plan(&["--coverage", "2"])), 2);
    assert_eq!(code(&plan(&["--sizes", "64"])), 2);
    assert!(
        stderr(&plan(&["--coverage", "2"])).contains("setting `coverage`: must be above 0 up to 1, got 2 (--coverage)")
    );
}
