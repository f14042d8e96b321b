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
    // The map of these settings is kept, one of others refused unless it is asked for.
    let kept = |args: &[&str]| {
        let o =
            frameloom().args(["heatmap", &text(&input), "-o", &text(&again), "--json"]).args(args).output().unwrap();
        (code(&o), events(&o).pop().unwrap()["cached"].as_bool())
    };
    assert_eq!(kept(&["--batch", "5"]), (0, Some(true)));
    assert_eq!(kept(&["--threshold", "20"]).0, 11);
    assert_eq!(kept(&["--threshold", "20", "--restart"]), (0, Some(false)));
    std::fs::remove_file(again.join("heat.png")).unwrap();
    assert_eq!(kept(&["--threshold", "20"]), (0, Some(false)), "a map that is not whole is made again");
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
    frameloom::workflows::chunk::write_plan(&frameloom::store::OsIo, &again, "again", &map, Some(&grid), &plan)
        .unwrap();
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
    // Segments: a chunk for each act, and pictures.
    let moving = dir.path().join("moving");
    call(&[
        "chunk",
        "plan",
        &text(&out.join("heat.npy")),
        "-o",
        &text(&moving),
        "--sizes",
        "192x128",
        "--segment",
        "3",
    ]);
    let followed = read_plan(&moving.join("chunks.json")).unwrap();
    assert!(followed.chunks.len() == 2 && followed.timed_coverage.unwrap() > 0.97, "{followed:?}");
    assert!(moving.join("plan_002.png").is_file() && moving.join("report.html").is_file());
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
    // Masks and segments.
    let (mask, plan) = (dir.path().join("left.png"), dir.path().join("masked"));
    let half: Vec<u8> = [255, 0].to_vec();
    let png =
        frameloom::report::encode_png(frameloom::core::Size::new(2, 1), frameloom::report::PngFormat::Gray8, &half);
    std::fs::write(&mask, png.unwrap()).unwrap();
    let (heat, text) = (dir.path().join("mean/heat.npy"), |p: &Path| p.to_str().unwrap().to_owned());
    call(&[
        "chunk",
        "plan",
        &text(&heat),
        "-o",
        &text(&plan),
        "--sizes",
        "40x40",
        "--factor",
        "1",
        "--overlap",
        "2",
        "--mask",
        &text(&mask),
    ]);
    let masked = json(&plan.join("chunks.json"));
    assert!(masked["chunks"].as_array().unwrap().iter().all(|c| c["x_range"][0].as_u64().unwrap() < 31), "{masked}");
    assert!(plan.join("report.html").is_file());
    let segments = dir.path().join("segments");
    call(&["chunk", "segments", "--frame", "640x360", "--auto", "256x256", "-o", &text(&segments)]);
    let read = frameloom::workflows::chunk::read_plan(&segments.join("chunks.json")).unwrap();
    assert_eq!((read.rule, read.active_coverage), (frameloom::workflows::chunk::plan::PlanRule::Auto, 1.0));
    assert!(read.chunks.len() > 5 && read.chunks.iter().all(|c| c.grid_pos.is_some() && c.is_active(3.0)));
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

/// The middle of the heat above half of the largest value, and the share of the map it takes.
fn centre(path: &Path) -> ([f64; 2], f64) {
    let (shape, values) = heat(path);
    let most = values.iter().copied().fold(0.0f32, f32::max);
    let hot: Vec<usize> = values.iter().enumerate().filter(|(_, v)| **v > most / 2.0).map(|(i, _)| i).collect();
    let mean = |f: &dyn Fn(usize) -> usize, side: usize| {
        hot.iter().map(|i| f(*i) as f64 + 0.5).sum::<f64>() / hot.len() as f64 / side as f64
    };
    let width = shape[1];
    ([mean(&|i| i % width, width), mean(&|i| i / width, shape[0])], hot.len() as f64 / values.len() as f64)
}

#[test]
fn flow_colour_and_boxes_make_heat_where_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let text = |p: &Path| p.to_str().unwrap().to_owned();
    // A textured patch slides at the left, a red one stands at the right; the ground has a texture that stands still.
    let input = clip(
        dir.path(),
        "patches.mp4",
        "color=c=gray:size=640x360:rate=25:duration=2,geq=lum='128+50*sin(X/5)*cos(Y/6)':cb=128:cr=128[a];testsrc2=size=96x96:rate=25:duration=2,setpts=PTS,select='eq(n,0)',loop=49:1:0,setpts=N/25/TB[b];\
         color=c=red:size=80x60:rate=25:duration=2[c];[a][b]overlay=x='40+50*t':y=130:shortest=1[d];[d][c]overlay=x=500:y=40:shortest=1",
        &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-qp", "10"],
    );
    let of = |name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        let mut args = vec!["heatmap".to_owned(), text(&input), "-o".into(), text(&out)];
        args.extend(more.iter().map(|s| (*s).to_owned()));
        call(&args.iter().map(String::as_str).collect::<Vec<_>>());
        out.join("heat.npy")
    };
    let flow = of("flow", &["--source", "flow"]);
    assert_eq!(heat(&flow).0, [180, 320]);
    let ([x, y], share) = centre(&flow);
    assert!((0.12..0.32).contains(&x) && (0.42..0.56).contains(&y) && share < 0.12, "{x} {y} {share}");
    // Two pixels a frame of eight that are full heat.
    let (_, values) = heat(&flow);
    let most = values.iter().copied().fold(0.0f32, f32::max);
    assert!((0.1..0.5).contains(&most), "{most}");
    let slow = heat(&of("slow", &["--source", "flow", "--flow-full", "80"])).1;
    assert!(slow.iter().copied().fold(0.0f32, f32::max) < most / 5.0);

    let red = of("red", &["--source", "color"]);
    let ([x, y], share) = centre(&red);
    assert!((x - 540.0 / 640.0).abs() < 0.02 && (y - 70.0 / 360.0).abs() < 0.02, "{x} {y}");
    assert!((share / (80.0 * 60.0 / (640.0 * 360.0)) - 1.0).abs() < 0.1, "{share}");
    assert!(heat(&red).1.contains(&1.0));
    let none =
        of("blue", &["--source", "color", "--color-low", "100,50,50", "--color-high", "130,255,255", "--side", "320"]);
    // Blue stripes of the patch, if any, but not the red patch.
    assert!(heat(&none).1[20 * 320 + 270] == 0.0);

    let boxes = dir.path().join("boxes.jsonl");
    let mut lines = "{\"schema\": \"track.detections\", \"version\": 1}\n".to_owned();
    for frame in 0..25 {
        lines += &format!(
            "{{\"frame\": {frame}, \"detections\": [{{\"box\": [100, 50, 64, 32], \"score\": 0.9}}, {{\"box\": [120, 50, 64, 32], \"score\": 0.4}}]}}\n"
        );
    }
    std::fs::write(&boxes, lines).unwrap();
    let seen = of("boxes", &["--source", "boxes", "--boxes", &text(&boxes)]);
    let values = heat(&seen).1;
    let at = |x: usize, y: usize| values[y * 640 + x];
    assert_eq!(
        [at(100, 50), at(140, 81), at(183, 60), at(99, 50), at(184, 60), at(140, 82)],
        [0.5, 0.5, 0.5, 0.0, 0.0, 0.0]
    );
    let sure = heat(&of("sure", &["--source", "boxes", "--boxes", &text(&boxes), "--score", "0.5"])).1;
    assert_eq!((sure[60 * 640 + 163], sure[60 * 640 + 164]), (0.5, 0.0));
    let grid = frameloom::workflows::chunk::read_activity(&seen).unwrap().unwrap();
    assert!(grid.cells().iter().all(|c| c.step == 0) && grid.frames() == 50);
    // What is missing is said before anything is decoded.
    for (more, wanted) in [
        (&["--source", "boxes"][..], "--boxes FILE"),
        (&["--source", "detections"], "needs a model"),
        (&["--model", "x"], "uses no model"),
        (&["--face-weight", "2"], "belong together"),
        (&["--source", "color", "--color-high", "200,1,1"], "hue"),
        (&["--flow-full", "0"], "flow_full"),
        (&["--frames", "/nonexistent"], "--face-weight"),
    ] {
        let mut args = vec!["heatmap", input.to_str().unwrap(), "-o", "/nonexistent/out"];
        args.extend(more);
        let o = frameloom().args(&args).output().unwrap();
        assert!(code(&o) == 2 && stderr(&o).contains(wanted), "{more:?}: {} {}", code(&o), stderr(&o));
    }
}

#[test]
fn networks_make_heat_of_what_they_see() {
    let dir = tempfile::tempdir().unwrap();
    let text = |p: &Path| p.to_str().unwrap().to_owned();
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models");
    let swings = |colour: &str| {
        clip(
            dir.path(),
            &format!("{colour}.mp4"),
            &format!(
                "color=c=black:size=640x360:rate=25:duration=2[a];color=c={colour}:size=160x120:rate=25:duration=2[b];[a][b]overlay=x='60+40*sin(t*6)':y=120:shortest=1"
            ),
            &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-qp", "10"],
        )
    };
    let (input, red) = (swings("white"), swings("red"));
    let made = |input: &Path, name: &str, more: &[&str]| {
        let out = dir.path().join(name);
        let mut args =
            vec!["heatmap".to_owned(), text(input), "-o".into(), text(&out), "--models".into(), models.into()];
        args.extend(more.iter().map(|s| (*s).to_owned()));
        call(&args.iter().map(String::as_str).collect::<Vec<_>>());
        out.join("heat.npy")
    };
    let of = |name: &str, more: &[&str]| made(&input, name, more);
    let inside = |([x, y], share): ([f64; 2], f64)| {
        assert!((0.15..0.3).contains(&x) && (0.42..0.58).contains(&y) && share < 0.2, "{x} {y} {share}");
    };
    let objects = of("objects", &["--source", "detections", "--model", "yolox-like"]);
    inside(centre(&objects));
    assert!(heat(&objects).1.iter().all(|v| (0.0..=1.0).contains(v)));
    // Every fifth frame gives about the same.
    let few = of("few", &["--source", "detections", "--model", "yolox-like", "--every", "5", "--batch", "3"]);
    inside(centre(&few));
    let grid = frameloom::workflows::chunk::read_activity(&few).unwrap().unwrap();
    assert_eq!(grid.frames(), 10);
    inside(centre(&made(&red, "saliency", &["--source", "saliency", "--model", "segment-alpha"])));
    // Faces on top of motion, in the same pass: the largest value is 1, and on the face.
    let faces = of("faces", &["--face-model", "yunet-like", "--face-weight", "3"]);
    inside(centre(&faces));
    let most = heat(&faces).1.iter().copied().fold(0.0f32, f32::max);
    assert_eq!(most, 1.0);
    let same = of("same", &["--face-model", "yunet-like", "--face-weight", "3", "--batch", "2"]);
    assert_eq!(std::fs::read(&same).unwrap(), std::fs::read(&faces).unwrap());
    let weak = of("weak", &["--face-model", "yunet-like", "--face-weight", "0.1"]);
    assert!(heat(&weak).1 != heat(&faces).1);
    // Faces of original frames lift the heat of masks, frame by frame of the same number.
    let (masks, frames) = (dir.path().join("masks"), dir.path().join("frames"));
    let size = frameloom::core::Size::new(320, 180);
    let write = |path: std::path::PathBuf, white: &dyn Fn(usize) -> bool| {
        let gray: Vec<u8> = (0..320 * 180).map(|p| if white(p) { 255 } else { 0 }).collect();
        let png = frameloom::report::encode_png(size, frameloom::report::PngFormat::Gray8, &gray).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, png).unwrap();
    };
    for i in 0..50 {
        write(masks.join(format!("mask_{i:06}.png")), &|p| p % 320 < 8);
        if i >= 30 {
            write(frames.join(format!("frame_{i:06}.png")), &|p| {
                (30..110).contains(&(p % 320)) && (60..120).contains(&(p / 320))
            });
        }
    }
    let paired = |weight: &str| {
        let more = ["--source", "masks", "--frames", frames.to_str().unwrap(), "--face-model", "yunet-like"];
        made(&masks, &format!("paired{weight}"), &[&more[..], &["--face-weight", weight]].concat())
    };
    let strong = paired("3");
    inside(centre(&strong));
    let values = heat(&strong).1;
    // The masks alone are 1 at the left edge, a third of the face's heat, which is in the second second.
    assert!((0.2..0.45).contains(&values[170 * 320 + 2]), "{}", values[170 * 320 + 2]);
    let grid = frameloom::workflows::chunk::read_activity(&strong).unwrap().unwrap();
    let faces = |step: u32| grid.cells().iter().filter(|c| c.step == step && c.column > 2).map(|c| c.heat).sum::<u32>();
    assert!(faces(0) == 0 && faces(1) > 1000 && grid.frames() == 50, "{} {}", faces(0), faces(1));
    let mut o = frameloom();
    o.args(["heatmap", input.to_str().unwrap(), "-o", "/nonexistent/out", "--models", models]);
    let o = o.args(["--source", "detections", "--model", "yolox-like", "--classes", "dragon"]).output().unwrap();
    assert!(code(&o) == 2 && stderr(&o).contains("dragon"), "{}", stderr(&o));
}

#[test]
fn what_a_caller_marks_on_the_gpu_is_heat() {
    use std::collections::{HashMap, hash_map::Entry};

    use frameloom::core::Progress;
    use frameloom::gpu::{GpuContext, GpuOptions};
    use frameloom::media::{DecodeOptions, VideoDecoder};
    use frameloom::ops::edges::sobel::plan_magnitude;
    use frameloom::pipeline::{PipelineOptions, VideoSource};
    use frameloom::workflows::chunk::heat::{HeatConfig, custom_heat, heat_of};
    let dir = tempfile::tempdir().unwrap();
    let input = swing(dir.path());
    let ctx = GpuContext::new(&GpuOptions::default()).unwrap();
    let open = || Box::new(VideoSource::new(VideoDecoder::open(&input, &DecodeOptions::default()).unwrap()).0);
    let config = HeatConfig { step: 0.5, ..HeatConfig::default() };
    let edges = |batch| {
        let mut bound = HashMap::new();
        let mark: Box<frameloom::workflows::chunk::heat::HeatFn<'_>> = Box::new(move |ctx, batch, rec, marks| {
            if let Entry::Vacant(free) = bound.entry(batch.ring_slot) {
                let plan = plan_magnitude(ctx, batch.frames.layout())?;
                free.insert(plan.bind(ctx, (batch.frames, 0), (marks, 0))?);
            }
            bound[&batch.ring_slot].record(rec, batch.infos.len() as u32);
            Ok(())
        });
        let options = PipelineOptions { batch, ..PipelineOptions::default() };
        let mut frames = 0;
        let found =
            custom_heat(&ctx, &input, open(), mark, &config, &options, &mut |p: Progress| frames += p.done).unwrap();
        assert_eq!((found.frames, frames, found.activity.steps().len()), (50, 50, 4));
        found
    };
    let found = edges(8);
    // The ground is flat: only the border of the square is marked, wherever it was.
    let hot: Vec<usize> = (0..640 * 360).filter(|i| found.map.values()[*i] > 0.05).collect();
    assert!(hot.len() > 500 && hot.iter().all(|i| (235..=405).contains(&(i % 640)) && (195..245).contains(&(i / 640))));
    let again = edges(3);
    assert!(again.map == found.map && again.activity == found.activity);
    // Without a function there is nothing to mark.
    let none = HeatConfig { source: frameloom::workflows::chunk::heat::HeatKind::Custom, ..config.clone() };
    let refused = heat_of(&ctx, &input, open(), &none, &PipelineOptions::default(), &mut ());
    assert!(matches!(refused, Err(frameloom::Error::Config { .. })), "{refused:?}");
}
