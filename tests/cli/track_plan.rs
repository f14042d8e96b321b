//! `track` and the floor: the picture from above, and the memory of an annotated video.

use std::path::{Path, PathBuf};

use frameloom::core::{Limits, Size};
use frameloom::media::{DecodeHint, DecodedImage, decode_image};
use frameloom::report::{PngFormat, encode_png};
use serde_json::json;

use crate::scene::Scene;
use crate::support::*;
use crate::track::{door, item, text, track};

/// Half a metre for ten pixels of the video, 3 m and 1 m to the right and down.
fn plan(x: f64, y: f64) -> [f64; 2] {
    [x / 20.0 + 3.0, y / 20.0 + 1.0]
}

/// Zones of the door drawn on that plan, in metres; a picture of it has ten pixels a metre.
fn zones_on_plan(folder: &Path) -> PathBuf {
    let path = folder.join("plan.json");
    let zone = [plan(400.0, 0.0), plan(560.0, 0.0), plan(560.0, 360.0), plan(400.0, 360.0)];
    let file = json!({
        "zones": { "shop": { "name": "Shop", "polygon": zone } },
        "lines": { "door": { "points": [plan(320.0, 360.0), plan(320.0, 0.0)] } },
        "calibration": { "matrix": [[0.05, 0, 3], [0, 0.05, 1], [0, 0, 1]], "unit": "m", "pixels_per_unit": 10.0 },
    });
    std::fs::write(&path, file.to_string()).unwrap();
    path
}

fn picture(path: &Path) -> DecodedImage {
    decode_image(path, &Limits::default(), DecodeHint::default()).unwrap()
}

/// A pixel of a picture.
fn at(of: &DecodedImage, [x, y]: [f64; 2]) -> [u8; 3] {
    let i = (y.round() as usize * of.size.width as usize + x.round() as usize) * 4;
    of.rgba[i..i + 3].try_into().unwrap()
}

#[test]
fn tracks_are_drawn_from_above_where_they_were() {
    let (folder, clip, zones) = door();
    let on_plan = zones_on_plan(folder.path());
    let out = folder.path().join("out");
    let o = track(&[text(&clip), "-o", text(&out), "--zones", text(&on_plan), "--point", "foot"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let paper = picture(&out.join("blueprint.png"));
    assert_eq!(paper.size.width.max(paper.size.height), 1000);
    assert!(std::fs::read_to_string(out.join("report.html")).unwrap().contains("From above"));
    // Over a picture of the plan: white, 50 m by 30 m.
    let below = folder.path().join("floor.png");
    let white = vec![255u8; 500 * 300 * 3];
    std::fs::write(&below, encode_png(Size::new(500, 300), PngFormat::Rgb8, &white).unwrap()).unwrap();
    let o = track(&[
        "report",
        "--from",
        text(&out),
        "--zones",
        text(&on_plan),
        "--point",
        "foot",
        "--blueprint",
        text(&below),
    ]);
    assert_eq!((code(&o), &item(&o)["cached"]), (0, &false.into()), "{}", stderr(&o));
    let floor = picture(&out.join("blueprint.png"));
    assert_eq!((floor.size.width, floor.size.height), (500, 300));
    // Where figures walked there is colour: on their way, 1 second after they came in; beside it, nothing but paper.
    let lanes: std::collections::BTreeSet<i64> =
        Scene::door().boxes(75).iter().map(|(_, b)| (b[1] + b[3]) as i64).collect();
    for lane in &lanes {
        let on = (60..300).filter(|x| {
            let [px, py] = plan(f64::from(*x), *lane as f64).map(|v| v * 10.0);
            (-3..=3).any(|d| at(&floor, [px, py + f64::from(d)]) != [255; 3])
        });
        let share = on.count() as f64 / 240.0;
        assert!(share > 0.8, "lane {lane}: {share}");
    }
    let between = |x: u32| at(&floor, plan(f64::from(x), 50.0).map(|v| v * 10.0)) == [255; 3];
    assert!((60..150).all(between), "paint between the lanes");
    // The zone lies on its place: green over white inside, white outside.
    let inside = at(&floor, plan(480.0, 20.0).map(|v| v * 10.0));
    assert!(inside[1] > inside[0] && inside[1] > inside[2], "{inside:?}");
    // Another background is another picture, and nothing is looked at again.
    let gray = vec![128u8; 500 * 300 * 3];
    std::fs::write(&below, encode_png(Size::new(500, 300), PngFormat::Rgb8, &gray).unwrap()).unwrap();
    let again = |file: &Path| {
        track(&[text(&clip), "-o", text(&out), "--zones", text(file), "--point", "foot", "--blueprint", text(&below)])
    };
    let o = again(&on_plan);
    assert_eq!((code(&o), &item(&o)["reused"], &item(&o)["cached"]), (0, &true.into(), &false.into()));
    assert_eq!(at(&picture(&out.join("blueprint.png")), [495.0, 5.0]), [128; 3]);
    assert_eq!(item(&again(&on_plan))["cached"], true);
    // Nothing says where the video lies on it, or there is no picture.
    let o = again(&zones);
    assert_eq!(code(&o), 2, "{}", stderr(&o));
    assert!(stderr(&o).contains("calibration"), "{}", stderr(&o));
    std::fs::remove_file(&below).unwrap();
    assert_eq!(code(&again(&on_plan)), 4);
    let bad = folder.path().join("bad.json");
    let text_of = std::fs::read_to_string(&on_plan).unwrap().replace("10.0", "0");
    std::fs::write(&bad, text_of).unwrap();
    assert_eq!(code(&track(&[text(&clip), "-o", text(&out), "--zones", text(&bad)])), 2);
}

#[test]
fn an_annotated_video_is_in_the_memory_plan() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(
        folder.path(),
        "hd.mp4",
        "testsrc2=s=1920x1080:r=25:d=2",
        &["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"],
    );
    let go = |name: &str, limit: &str, more: &[&str]| {
        let out = folder.path().join(name);
        let words = [text(&clip), "-o", text(&out), "--memory-limit", limit, "--threads", "1"];
        (track(&[&words[..], more].concat()), out)
    };
    // Enough to look, not to write.
    let (o, _) = go("looked", "200", &[]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    let (o, out) = go("refused", "200", &["--annotate"]);
    assert_eq!(code(&o), 6, "{}", stderr(&o));
    assert!(!out.join("detections.parquet").exists(), "it looked first");
    // What is said to be enough is, and the process keeps to it.
    let (o, out) = go("written", "480", &["--annotate"]);
    assert_eq!(code(&o), 0, "{}", stderr(&o));
    assert!(out.join("hd_processed.mp4").is_file());
    let last = events(&o).pop().unwrap();
    let (peak, planned) = (&last["memory"]["peak_anonymous_bytes"], &last["memory"]["planned_peak_bytes"]);
    eprintln!("annotating 1080p: {peak} bytes at most, {planned} planned");
    let (peak, planned) = (peak.as_u64().unwrap(), planned.as_u64().unwrap());
    assert!(peak <= 480 << 20 && planned <= 480 << 20, "{}", last["memory"]);
    // The encoder is most of it.
    assert!(planned > 300 << 20, "{}", last["memory"]);
}
