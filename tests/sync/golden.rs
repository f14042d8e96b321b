//! Face tracks and medians against the values of SyncNet's pipeline.

use frameloom::core::BoxF;
use frameloom::workflows::sync::{Ends, FaceTrack, TrackOptions, median, track_faces};
use serde_json::Value;

use crate::support::data;

const OPTIONS: TrackOptions = TrackOptions { iou: 0.5, max_gap: 25, min_track: 5, min_face_size: 10.0 };

fn golden(test: &str) -> Option<Value> {
    let path = data(test, "../golden/sync_tracks.json")?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn corners(f: u64, name: &str) -> Vec<[f32; 4]> {
    let f32 = f as f32;
    let (a, b, s) = (
        [100.0 + 2.0 * f32, 50.0, 180.0 + 2.0 * f32, 130.0],
        [400.0 - f32, 60.0, 470.0 - f32, 130.0],
        [10.0, 10.0, 60.0, 60.0],
    );
    let shown = |yes: bool, face: [f32; 4]| yes.then_some(face).into_iter();
    match name {
        "two_faces_gap5" => shown(!(20..25).contains(&f), a).chain(shown((10..50).contains(&f), b)).collect(),
        "gap25_kept" => shown(!(10..34).contains(&f), s).collect(),
        "gap26_broken" => shown(!(10..35).contains(&f), s).collect(),
        "five_detections_dropped" | "six_detections_kept" => vec![s],
        "iou_half_not_linked" => vec![[20.0 * f32, 0.0, 20.0 * f32 + 60.0, 50.0]],
        "crossing" => {
            vec![[6.0 * f32, 0.0, 6.0 * f32 + 80.0, 80.0], [400.0 - 6.0 * f32, 10.0, 480.0 - 6.0 * f32, 90.0]]
        }
        other => panic!("{other}"),
    }
}

fn frames(name: &str) -> u64 {
    match name {
        "gap25_kept" => 44,
        "gap26_broken" => 45,
        "five_detections_dropped" => 5,
        "six_detections_kept" => 6,
        "iou_half_not_linked" => 8,
        _ => 60,
    }
}

fn tracks(name: &str, options: &TrackOptions) -> Vec<FaceTrack> {
    let boxes = |f| corners(f, name).iter().map(|c| BoxF::from_corners(c[0], c[1], c[2], c[3])).collect();
    let faces: Vec<Vec<BoxF>> = (0..frames(name)).map(boxes).collect();
    track_faces(0, &faces, options).unwrap()
}

#[test]
fn tracks_are_those_of_the_original() {
    let Some(golden) = golden("face tracks") else { return };
    let shots = golden["shots"].as_object().unwrap();
    assert_eq!(shots.len(), 7);
    for (name, wanted) in shots {
        let got = tracks(name, &OPTIONS);
        let wanted = wanted.as_array().unwrap();
        assert_eq!(got.len(), wanted.len(), "{name}");
        for (track, wanted) in got.iter().zip(wanted) {
            let number = |key: &str| wanted[key].as_u64().unwrap();
            assert_eq!(
                (track.first, track.last(), track.boxes.len() as u64),
                (number("first"), number("last"), number("n")),
                "{name}"
            );
            for (key, at) in
                [("bbox_first", 0), ("bbox_mid", track.boxes.len() / 2), ("bbox_last", track.boxes.len() - 1)]
            {
                let b = track.boxes[at];
                let got = [b.x, b.y, b.right(), b.bottom()].map(f64::from);
                for (got, wanted) in got.iter().zip(wanted[key].as_array().unwrap()) {
                    assert!((got - wanted.as_f64().unwrap()).abs() < 1e-3, "{name} {key}: {got} {wanted}");
                }
            }
        }
    }
    // Every option changes something.
    assert!(tracks("gap25_kept", &TrackOptions { max_gap: 24, ..OPTIONS }).len() == 2);
    assert!(tracks("five_detections_dropped", &TrackOptions { min_track: 4, ..OPTIONS }).len() == 1);
    assert!(tracks("iou_half_not_linked", &TrackOptions { iou: 0.49, ..OPTIONS }).len() == 1);
    assert!(tracks("six_detections_kept", &TrackOptions { min_face_size: 50.0, ..OPTIONS }).is_empty());
}

#[test]
fn medians_are_those_of_the_original_where_asked_for() {
    let Some(golden) = golden("medians") else { return };
    let list = |key: &str| -> Vec<f64> {
        golden["median"][key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
    };
    let input = list("input");
    assert_eq!(median(&input, 13, Ends::Zero), list("medfilt13"));
    assert_eq!(median(&input, 9, Ends::Zero), list("medfilt9"));
    assert_eq!(median(&[40.0; 6], 13, Ends::Zero), list("six_equal_40"));
    assert_eq!(median(&[40.0; 6], 13, Ends::Shrink), [40.0; 6], "a short track keeps its size");
}
