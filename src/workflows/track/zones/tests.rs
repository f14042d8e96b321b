//! Zones and lines with made-up tracks.

use std::path::Path;

use super::*;
use crate::workflows::track::associate::TrackedBox;

fn file(text: &str) -> ZonesFile {
    ZonesFile::parse(text, Path::new("z.json")).unwrap()
}

/// A frame in which tracks are seen with these centres.
fn frame(tracks: &[(u64, f32, f32)]) -> Update {
    let seen = |(id, x, y): &(u64, f32, f32)| {
        let rect = BoxF::from_center(*x, *y, 10.0, 20.0);
        TrackedBox { id: *id, detection: 0, rect, smooth: rect, score: 1.0, class: 3, moving: false, since: 0.0 }
    };
    Update { tracks: tracks.iter().map(seen).collect(), ended: vec![] }
}

const SQUARE: &str = r#"{"zones": {"sq": {"name": "Square", "polygon": [[0,0],[100,0],[100,100],[0,100]]}}}"#;

/// One track along `x` at 10 frames a second.
fn walk(rules: ZoneRules, x: &[f32]) -> (Zones, Vec<(f64, Happening)>) {
    let mut zones = Zones::new(file(SQUARE), rules).unwrap();
    let mut events = Vec::new();
    for (f, x) in x.iter().enumerate() {
        events.extend(zones.update(f as f64 / 10.0, &frame(&[(1, *x, 50.0)])));
    }
    events.extend(zones.finish());
    (zones, events.into_iter().map(|e| ((e.seconds * 10.0).round() / 10.0, e.happening)).collect())
}

#[test]
fn entry_stay_exit() {
    let (zones, events) = walk(ZoneRules::default(), &[-20.0, 20.0, 50.0, 80.0, 120.0, 150.0]);
    let Happening::Exit { dwell, .. } = events[1].1 else { panic!("{events:?}") };
    assert!((dwell - 0.3).abs() < 1e-9);
    assert_eq!(events[0], (0.1, Happening::Enter { zone: 0, repeat: false }));
    assert_eq!(events[1], (0.4, Happening::Exit { zone: 0, dwell, lost: false }));
    let t = zones.totals()[0];
    assert_eq!((t.entries, t.exits, t.lost, t.inside, t.most), (1, 1, 0, 0, 1));
    assert!((zones.span() - 0.5).abs() < 1e-9);
}

#[test]
fn debounce_is_in_video_time() {
    let rules = ZoneRules { enter_after: 0.2, leave_after: 0.3, ..ZoneRules::default() };
    // In for 0.1 s: not entered. In, out for 0.2 s, in: one stay. Then out for good.
    let x = [-20.0, 20.0, -20.0, 20.0, 20.0, 20.0, -20.0, -20.0, 20.0, 20.0, -20.0, -20.0, -20.0, -20.0, -20.0];
    let (zones, events) = walk(rules, &x);
    assert_eq!(events.iter().map(|e| e.0).collect::<Vec<_>>(), [0.3, 1.0]);
    let t = zones.totals()[0];
    assert_eq!((t.entries, t.exits), (1, 1));
    assert!((t.dwell - 0.7).abs() < 1e-9 && (t.longest - 0.7).abs() < 1e-9);
}

#[test]
fn entries_count_every_five_seconds_of_video() {
    let mut x = vec![-20.0; 200];
    // In at 1 s, 3 s, 7 s (6 s after the counted one).
    for (from, to) in [(10, 20), (30, 40), (70, 80)] {
        x[from..to].fill(50.0);
    }
    let (zones, events) = walk(ZoneRules::default(), &x);
    let entries: Vec<_> = events.iter().filter(|e| matches!(e.1, Happening::Enter { .. })).collect();
    assert_eq!(entries.len(), 3);
    assert_eq!(entries[1].1, Happening::Enter { zone: 0, repeat: true });
    assert_eq!((zones.totals()[0].entries, zones.totals()[0].repeats, zones.totals()[0].exits), (2, 1, 3));
}

#[test]
fn tracks_that_end_or_stay_inside_are_lost_there() {
    let mut zones = Zones::new(file(SQUARE), ZoneRules::default()).unwrap();
    zones.update(0.0, &frame(&[(1, 50.0, 50.0), (2, 60.0, 50.0), (3, 500.0, 50.0)]));
    zones.update(1.0, &frame(&[(1, 50.0, 50.0), (2, 60.0, 50.0)]));
    assert_eq!((zones.totals()[0].inside, zones.totals()[0].most), (2, 2));
    // Track 1 was seen at 1.0 for the last time.
    let events = zones.update(3.0, &Update { ended: vec![1, 3], ..frame(&[(2, 60.0, 50.0)]) });
    let lost = |dwell| Happening::Exit { zone: 0, dwell, lost: true };
    assert_eq!(events, [ZoneEvent { seconds: 1.0, track: 1, class: 3, happening: lost(1.0) }]);
    let events = zones.finish();
    assert_eq!(events, [ZoneEvent { seconds: 3.0, track: 2, class: 3, happening: lost(3.0) }]);
    assert_eq!((zones.totals()[0].lost, zones.totals()[0].inside), (2, 0));
    assert!((zones.totals()[0].dwell - 4.0).abs() < 1e-9);
}

#[test]
fn lines_count_by_direction_and_ignore_trembling() {
    let text = r#"{"lines": {"door": {"points": [50, 0, 50, 100]}}}"#;
    let run = |settle: f64, x: &[f32]| {
        let mut zones = Zones::new(file(text), ZoneRules { settle, ..ZoneRules::default() }).unwrap();
        for (f, x) in x.iter().enumerate() {
            zones.update(f as f64 / 10.0, &frame(&[(7, *x, 50.0)]));
        }
        zones.finish();
        let t = zones.crossings()[0];
        (t.left_to_right, t.right_to_left)
    };
    // Looking down, the left side of the picture is on the right hand.
    assert_eq!(run(0.0, &[20.0, 40.0, 60.0, 80.0]), (0, 1));
    assert_eq!(run(0.0, &[80.0, 60.0, 40.0, 20.0]), (1, 0));
    let trembling = [40.0, 52.0, 48.0, 51.0, 49.0, 53.0, 60.0, 70.0, 80.0, 90.0];
    assert_eq!(run(0.0, &trembling), (2, 3));
    assert_eq!(run(0.3, &trembling), (0, 1));
    assert_eq!(run(0.3, &[40.0, 52.0, 48.0, 40.0, 30.0, 20.0, 20.0, 20.0]), (0, 0));
}

#[test]
fn calibrated_zones_are_on_the_plan() {
    // The plan is the video at half size, moved by 100.
    let text = r#"{
        "id": 4, "name": "Camera",
        "stores": {
            "plan": {"polygon": [[100,100],[120,100],[120,120],[100,120]]},
            "video": {"video_polygon": [[0,0],[40,0],[40,40],[0,40]], "polygon": [[900,900],[910,900],[900,910]]},
            "pairs": {"polygon": [100,100,120,100,120,120,100,120]}
        },
        "calibration": {
            "matrix": {"video": [[0,0],[100,0],[100,100],[0,100]], "plan": [100,100,150,100,150,150,100,150]},
            "store_matrices": {"plan": [[0.5,0,100],[0,0.5,100],[0,0,1]]}
        }
    }"#;
    let file = file(text);
    assert_eq!(file.camera.as_deref(), Some("4"));
    assert_eq!(file.zones.iter().map(|z| z.id.as_str()).collect::<Vec<_>>(), ["plan", "video", "pairs"]);
    for (point, wanted) in [([20.0, 20.0], true), ([39.0, 1.0], true), ([41.0, 1.0], false), ([110.0, 110.0], false)] {
        for zone in &file.zones {
            assert_eq!(zone.holds(point), wanted, "{} {point:?}", zone.id);
        }
    }
    let zones = Zones::new(file, ZoneRules { point: BoxPoint::Foot, ..ZoneRules::default() }).unwrap();
    let standing = |y: f32| BoxF { x: 10.0, y, width: 10.0, height: 20.0 };
    assert_eq!((zones.zone_of(&standing(10.0)), zones.zone_of(&standing(21.0))), (Some(0), None));
}

#[test]
fn what_lies_above_the_horizon_is_in_no_zone_of_the_plan_and_crosses_no_line() {
    // The horizon at 100 pixels from above. What is above it comes out behind the camera, below 0 on the plan.
    let text = r#"{
        "zones": {
            "behind": {"polygon": [-900,-900,900,-900,900,0,-900,0]},
            "all": {"polygon": [-900,-900,900,-900,900,900,-900,900]}
        },
        "lines": {"door": {"points": [-50,50,50,50]}},
        "calibration": {"matrix": [[1,0,0],[0,1,0],[0,0.01,-1]]}
    }"#;
    let file = file(text);
    for zone in &file.zones {
        assert!(!zone.holds([10.0, 40.0]) && !zone.holds([10.0, 100.0]), "{}", zone.id);
    }
    assert_eq!(file.zones.iter().map(|z| z.holds([10.0, 200.0])).collect::<Vec<_>>(), [false, true]);
    // From the sky to the floor and back.
    let line = &file.lines[0];
    assert_eq!((line.crossed([10.0, 40.0], [10.0, 200.0]), line.crossed([10.0, 200.0], [10.0, 40.0])), (0, 0));
    let near = LineSpec { points: [[-500.0, 150.0], [500.0, 150.0]], ..line.clone() };
    // Over the floor: 200 goes to 200 of the plan, 400 to 133.
    assert_eq!(near.crossed([10.0, 200.0], [10.0, 400.0]), -1);
    assert_eq!(near.crossed([10.0, 400.0], [10.0, 200.0]), 1);
    // Lost in the sky: it crossed nothing on its way there, and nothing on its way back.
    let mut zones = Zones::new(ZonesFile { lines: vec![near], ..file }, ZoneRules::default()).unwrap();
    for (f, y) in [400.0, 90.0, 400.0].into_iter().enumerate() {
        zones.update(f as f64, &frame(&[(1, 10.0, y)]));
    }
    assert_eq!((zones.crossings()[0], zones.totals()[1].entries), (LineTotals::default(), 1));
}

#[test]
fn files_that_make_no_sense_are_refused_with_their_place() {
    for (text, place) in [
        (r#"{"zones": {"a": {}}}"#, "zones.a"),
        (r#"{"zones": {"a": {"polygon": [1,2,3]}}}"#, "zones.a.polygon"),
        (r#"{"zones": {"a": {"polygon": [0,0,9,0,9,9]}, "a": {"polygon": [0,0,9,0,9,9]}}}"#, "there twice"),
        (r#"{"zones": {"a": {"poligon": [0,0,9,0,9,9]}}}"#, "poligon"),
        (r#"{"lines": {"l": {"points": [0,0,9,0,9,9]}}}"#, "lines.l.points"),
        (r#"{"lines": {"l": {"points": [1,1,1,1]}}}"#, "must differ"),
        (r#"{"calibration": {"matrices": {"x": [[1,0,0],[0,1,0],[0,0,1]]}}}"#, "matrices.x"),
        (
            r#"{"zones": {"a": {"polygon": [0,0,9,0,9,9]}}, "calibration": {"matrix": [[0,0,0],[0,1,0],[0,0,1]]}}"#,
            "`a`",
        ),
        ("[]", "z.json"),
        ("hello", "must be the JSON of zones and lines (docs/formats.md): "),
    ] {
        let e = ZonesFile::parse(text, Path::new("z.json")).unwrap_err().to_string();
        assert!(e.contains(place), "{text}: {e}");
    }
    assert!(Zones::new(ZonesFile::default(), ZoneRules { settle: -1.0, ..ZoneRules::default() }).is_err());
}
