//! Trackers on scenes with known truth.

use proptest::prelude::*;

use super::*;

fn seen(x: f32, y: f32, width: f32, height: f32, score: f32) -> Detection {
    Detection { rect: BoxF { x, y, width, height }, score, class: 0 }
}

fn boxed(b: [f32; 4]) -> Detection {
    seen(b[0], b[1], b[2], b[3], 0.9)
}

fn observe(list: &[Detection]) -> Vec<Observation<'static>> {
    list.iter().map(|d| Observation::from(*d)).collect()
}

fn trackers(patience: Patience) -> Vec<Box<dyn Tracker>> {
    stepping(patience, 0.0)
}

/// For frames that lie `step` seconds apart as a rule.
fn stepping(patience: Patience, step: f64) -> Vec<Box<dyn Tracker>> {
    vec![
        Box::new(ByteTracker::new(ByteParams { patience, ..ByteParams::default() }).unwrap().with_step(step)),
        Box::new(OcTracker::new(OcParams { patience, ..OcParams::default() }).unwrap().with_step(step)),
        Box::new(SeedTracker::new(SeedParams { patience, ..SeedParams::default() }).unwrap().with_step(step)),
    ]
}

/// Person, box, moving, as the original stored them after each frame.
type Stored = Vec<(u64, [f32; 4], bool)>;

fn seed_run(parity: bool, frames: &[Vec<[f32; 4]>]) -> Vec<Stored> {
    let mut tracker = SeedTracker::new(SeedParams { parity, ..SeedParams::default() }).unwrap();
    let mut out = Vec::new();
    for (f, boxes) in frames.iter().enumerate() {
        let list: Vec<Detection> = boxes.iter().map(|b| boxed(*b)).collect();
        tracker.update(f as f64 / 30.0, &observe(&list)).unwrap();
        let rect = |r: BoxF| [r.x, r.y, r.width, r.height];
        out.push(tracker.persons().map(|p| (p.id, rect(p.rect), p.moving)).collect());
    }
    out
}

#[test]
fn seed_walk_and_vanish() {
    let still = [330.0, 10.0, 30.0, 60.0];
    let frames: Vec<Vec<[f32; 4]>> = (0..80)
        .map(|f| if f < 20 { vec![[20.0 + 6.0 * f as f32, 50.0, 40.0, 90.0], still] } else { vec![still] })
        .collect();
    let (parity, fixed) = (seed_run(true, &frames), seed_run(false, &frames));
    for (f, (stored, right)) in parity.iter().zip(&fixed).enumerate() {
        let x = 20.0 + 6.0 * f.min(19) as f32;
        // The original's ghost stays, moving, to the end.
        assert_eq!(*stored, [(1, [x, 50.0, 40.0, 90.0], f >= 2), (2, still, false)], "frame {f}");
        // Put right it is gone with the 11th frame that misses it.
        assert_eq!(*right, if f < 30 { stored.clone() } else { vec![(2, still, false)] }, "frame {f}");
    }
}

#[test]
fn seed_times_are_refreshed_by_the_defect_only() {
    for (parity, wanted) in [(true, 25.0 / 30.0), (false, 19.0 / 30.0)] {
        let mut tracker = SeedTracker::new(SeedParams { parity, ..SeedParams::default() }).unwrap();
        for f in 0..26 {
            let list = if f < 20 { vec![boxed([20.0, 50.0, 40.0, 90.0])] } else { vec![] };
            tracker.update(f as f64 / 30.0, &observe(&list)).unwrap();
        }
        assert_eq!(tracker.persons().map(|p| p.last_seen).collect::<Vec<_>>(), [wanted]);
    }
}

#[test]
fn seed_order_and_gate() {
    let frames = [vec![[0.0, 0.0, 100.0, 200.0]], vec![[70.0, 0.0, 100.0, 200.0], [2.0, 0.0, 100.0, 200.0]]];
    let at = |x: f32| [x, 0.0, 100.0, 200.0];
    // The original lets the first detection choose; the optimum keeps the person where it stands.
    assert_eq!(seed_run(true, &frames)[1], [(1, at(70.0), false), (2, at(2.0), false)]);
    assert_eq!(seed_run(false, &frames)[1], [(1, at(2.0), false), (2, at(70.0), false)]);
    // IoU 0.159 links, 0.143 does not.
    let frames = [0.0, 29.0, 59.0].map(|x| vec![[x, 0.0, 40.0, 90.0]]);
    for parity in [true, false] {
        let stored = seed_run(parity, &frames);
        assert_eq!(stored[1], [(1, [29.0, 0.0, 40.0, 90.0], false)]);
        assert_eq!(stored[2], [(1, [29.0, 0.0, 40.0, 90.0], false), (2, [59.0, 0.0, 40.0, 90.0], false)]);
    }
}

#[test]
fn seed_motion_timing() {
    let x = [0, 6, 12, 18, 24, 24, 24, 24, 24, 27, 29, 31, 34, 37];
    let frames: Vec<Vec<[f32; 4]>> = x.iter().map(|x| vec![[*x as f32, 40.0, 50.0, 120.0]]).collect();
    let moving: Vec<bool> = seed_run(true, &frames).iter().map(|s| s[0].2).collect();
    let wanted: Vec<bool> = (0..14).map(|f| (2..=6).contains(&f) || f == 13).collect();
    assert_eq!(moving, wanted);
}

#[test]
fn ten_missing_frames_keep_a_track_and_eleven_end_it() {
    for rate in [5.0, 10.0, 24.0, 25.0, 30.0, 60.0, 120.0] {
        for patience in [Patience::Frames(10), Patience::Seconds(10.0 / rate)] {
            for (missing, wanted) in [(10usize, 1), (11, 2)] {
                for mut tracker in trackers(patience) {
                    let name = format!("{tracker:?}").chars().take(11).collect::<String>();
                    let mut last = 0;
                    let mut ended = Vec::new();
                    for f in 0..20 + missing + 5 {
                        let shown = f < 20 || f >= 20 + missing;
                        let list = if shown { vec![seen(100.0, 50.0, 40.0, 90.0, 0.9)] } else { vec![] };
                        let update = tracker.update(f as f64 / rate, &observe(&list)).unwrap();
                        last = update.tracks.last().map_or(last, |t| t.id);
                        ended.extend(update.ended);
                    }
                    assert_eq!(last, wanted, "{name} {rate} {patience:?} {missing}");
                    assert_eq!(ended, if wanted == 1 { vec![] } else { vec![1] }, "{name} {rate} {patience:?}");
                }
            }
        }
    }
}

/// Two people who walk through each other at 4 pixels a frame, one slightly lower; hidden ones are not detected.
fn crossing(f: u32, hidden: bool) -> Vec<Detection> {
    let t = f as f32;
    let mut list = vec![seen(40.0 + 4.0 * t, 60.0, 40.0, 100.0, 0.9), seen(360.0 - 4.0 * t, 72.0, 40.0, 100.0, 0.85)];
    if hidden && (list[0].rect.x - list[1].rect.x).abs() < 26.0 {
        list.truncate(1);
    }
    list
}

#[test]
fn people_who_cross_keep_their_numbers() {
    for hidden in [false, true] {
        for mut tracker in trackers(Patience::Seconds(1.0)).into_iter().take(2) {
            for f in 0..80 {
                let update = tracker.update(f64::from(f) / 30.0, &observe(&crossing(f, hidden))).unwrap();
                for t in &update.tracks {
                    assert_eq!(t.id, t.detection as u64 + 1, "frame {f} {tracker:?}");
                }
                assert!(f < 3 || update.tracks.len() == crossing(f, hidden).len(), "frame {f}");
            }
        }
    }
    // Negative control: overlap alone, first come first served, confuses them.
    let mut seed = SeedTracker::new(SeedParams { parity: true, ..SeedParams::default() }).unwrap();
    let confused = (0..80).any(|f| {
        let update = seed.update(f64::from(f) / 30.0, &observe(&crossing(f, true))).unwrap();
        update.tracks.iter().any(|t| t.id != t.detection as u64 + 1)
    });
    assert!(confused);
}

#[test]
fn numbers_do_not_depend_on_the_frame_rate_or_its_regularity() {
    // The same walk, sampled at several rates and at uneven times.
    for rate in [10.0, 15.0, 25.0, 60.0] {
        for uneven in [0.0, 0.4] {
            for mut tracker in trackers(Patience::Seconds(1.0)).into_iter().take(2) {
                for f in 0..(3.0 * rate) as u32 {
                    let t = (f64::from(f) + uneven * f64::from(f % 2)) / rate;
                    let x = 40.0 + 90.0 * t as f32;
                    let list = [seen(x, 60.0, 40.0, 100.0, 0.9), seen(600.0 - x, 70.0, 40.0, 100.0, 0.9)];
                    for t in tracker.update(t, &observe(&list)).unwrap().tracks {
                        assert_eq!(t.id, t.detection as u64 + 1, "{rate} {uneven} frame {f} {tracker:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_hole_in_time_ends_all_tracks() {
    for mut tracker in trackers(Patience::Seconds(0.5)) {
        let list = [seen(100.0, 50.0, 40.0, 90.0, 0.9)];
        for f in 0..10 {
            tracker.update(f64::from(f) / 30.0, &observe(&list)).unwrap();
        }
        let update = tracker.update(60.0, &observe(&list)).unwrap();
        assert_eq!(update.ended, [1], "{tracker:?}");
        assert!(update.tracks.iter().all(|t| t.id == 2));
    }
}

#[test]
fn a_slow_look_is_no_hole() {
    // Somebody who hardly moves, looked at every 2.5 s, a fifth of a step early or late: one track, with any patience.
    for patience in [0.0, 1.0] {
        for mut tracker in stepping(Patience::Seconds(patience), 2.5) {
            for f in 0..12 {
                let t = 2.5 * f64::from(f) + if f % 2 == 0 { 0.0 } else { 0.5 };
                let list = [seen(100.0 + f as f32, 50.0, 40.0, 90.0, 0.9)];
                let update = tracker.update(t, &observe(&list)).unwrap();
                assert_eq!(update.tracks.iter().map(|t| t.id).collect::<Vec<_>>(), [1], "{f} {tracker:?}");
                assert!(update.ended.is_empty(), "{f} {tracker:?}");
            }
            // Who is not seen for longer than the patience is gone, and a hole is one still.
            let other = [seen(400.0, 50.0, 40.0, 90.0, 0.9)];
            let ended = [30.5, 33.0, 35.5, 60.0].map(|t| tracker.update(t, &observe(&other)).unwrap().ended);
            assert_eq!(ended, [vec![1], vec![], vec![], vec![2]], "{tracker:?}");
        }
    }
}

#[test]
fn weak_detections_continue_tracks_and_begin_none() {
    let mut tracker = ByteTracker::new(ByteParams::default()).unwrap();
    for f in 0..30 {
        let t = f as f32;
        // One person fades while hidden; a ghost is weak all the time.
        let score = if (10..20).contains(&f) { 0.2 } else { 0.9 };
        let list = [seen(40.0 + 3.0 * t, 60.0, 40.0, 100.0, score), seen(300.0, 60.0, 40.0, 100.0, 0.3)];
        let update = tracker.update(f64::from(f) / 30.0, &observe(&list)).unwrap();
        assert_eq!(update.tracks.iter().map(|t| (t.id, t.detection)).collect::<Vec<_>>(), [(1, 0)], "frame {f}");
    }
    // What is below `low` is not used.
    let update = tracker.update(1.0, &observe(&[seen(130.0, 60.0, 40.0, 100.0, 0.05)])).unwrap();
    assert!(update.tracks.is_empty());
}

#[test]
fn who_comes_out_of_hiding_is_weak_at_first_and_the_same() {
    let mut tracker = ByteTracker::new(ByteParams::default()).unwrap();
    let mut ids = Vec::new();
    for f in 0..60 {
        let x = 40.0 + 3.0 * f as f32;
        let list = match f {
            20..35 => vec![],
            35..40 => vec![seen(x, 60.0, 40.0, 100.0, 0.3)],
            _ => vec![seen(x, 60.0, 40.0, 100.0, 0.9)],
        };
        let update = tracker.update(f64::from(f) / 30.0, &observe(&list)).unwrap();
        assert_eq!(update.tracks.len(), list.len(), "frame {f}");
        ids.extend(update.tracks.iter().map(|t| t.id));
    }
    ids.dedup();
    assert_eq!(ids, [1]);
}

#[test]
fn a_lost_track_behind_another_is_kept() {
    // Two people stand on the same place, one hides the other for half a second: both are there afterwards.
    let mut tracker = ByteTracker::new(ByteParams::default()).unwrap();
    for f in 0..60 {
        let mut list = vec![seen(100.0, 60.0, 40.0, 100.0, 0.9), seen(103.0, 60.0, 40.0, 100.0, 0.9)];
        if (20..35).contains(&f) {
            list.truncate(1);
        }
        let update = tracker.update(f64::from(f) / 30.0, &observe(&list)).unwrap();
        let ids: Vec<(u64, usize)> = update.tracks.iter().map(|t| (t.id, t.detection)).collect();
        assert_eq!(ids, [(1, 0), (2, 1)][..list.len()], "frame {f}");
    }
}

#[test]
fn classes_are_never_mixed() {
    for mut tracker in trackers(Patience::Seconds(1.0)).into_iter().take(2) {
        let mut ids = Vec::new();
        for f in 0..20 {
            let class = u32::from(f >= 10);
            let list = [Detection { class, ..seen(100.0, 50.0, 40.0, 90.0, 0.9) }];
            let update = tracker.update(f64::from(f) / 30.0, &observe(&list)).unwrap();
            ids.extend(update.tracks.iter().map(|t| (t.id, t.class)));
        }
        ids.dedup();
        assert_eq!(ids, [(1, 0), (2, 1)]);
    }
}

#[test]
fn appearance_decides_where_place_cannot() {
    // Two people stand in each other's way, vanish, and come back with places exchanged, both over both last boxes.
    let looks = [[1.0f32, 0.0], [0.0, 1.0]];
    let at = |a: f32, b: f32| [seen(a, 50.0, 60.0, 90.0, 0.9), seen(b, 50.0, 60.0, 90.0, 0.9)];
    let run = |tracker: &mut dyn Tracker, looks: Option<[[f32; 2]; 2]>| {
        let mut last = Vec::new();
        for f in 0..30 {
            let list = match f {
                0..10 => at(100.0, 118.0),
                10..15 => continue,
                _ => at(118.0, 100.0),
            };
            let list: Vec<Observation<'_>> = list
                .iter()
                .enumerate()
                .map(|(i, d)| Observation { detection: *d, appearance: looks.as_ref().map(|l| l[i].as_slice()) })
                .collect();
            let update = tracker.update(f64::from(f) / 30.0, &list).unwrap();
            last = update.tracks.iter().map(|t| (t.id, t.detection)).collect();
        }
        last
    };
    for (mut with, mut without) in
        trackers(Patience::Seconds(1.0)).into_iter().zip(trackers(Patience::Seconds(1.0))).take(2)
    {
        assert_eq!(run(with.as_mut(), Some(looks)), [(1, 0), (2, 1)], "{with:?}");
        assert_eq!(run(without.as_mut(), None), [(1, 1), (2, 0)], "{without:?}");
    }
}

#[test]
fn oc_sort_finds_what_stopped_where_it_was_last_seen() {
    // Fast, then hidden and stopped: the prediction runs away, the last observation does not.
    let mut tracker = OcTracker::new(OcParams::default()).unwrap();
    let mut ids = Vec::new();
    for f in 0..40 {
        let x = 20.0 + 12.0 * f.min(15) as f32;
        let list = if (16..24).contains(&f) { vec![] } else { vec![seen(x, 50.0, 40.0, 90.0, 0.9)] };
        let update = tracker.update(f64::from(f) / 30.0, &observe(&list)).unwrap();
        ids.extend(update.tracks.iter().map(|t| t.id));
        if f == 30 {
            // The filter was run over the gap again: it does not believe in 12 pixels a frame any more.
            let off = update.tracks[0].smooth.center().x - update.tracks[0].rect.center().x;
            assert!(off.abs() < 2.0, "{off}");
        }
    }
    ids.dedup();
    assert_eq!(ids, [1]);
}

#[test]
fn refusals() {
    for mut tracker in trackers(Patience::Seconds(1.0)) {
        tracker.update(1.0, &[]).unwrap();
        assert!(tracker.update(0.5, &[]).is_err());
        assert!(tracker.update(f64::NAN, &[]).is_err());
        for bad in [[f32::NAN, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, -1.0]] {
            assert!(tracker.update(2.0, &observe(&[boxed(bad)])).is_err(), "{bad:?}");
        }
        // A refused frame changes nothing.
        assert!(tracker.update(1.0, &[]).unwrap().tracks.is_empty() && tracker.is_idle());
    }
    assert!(ByteTracker::new(ByteParams { low: 0.9, ..ByteParams::default() }).is_err());
    assert!(OcTracker::new(OcParams { confirm: 0, ..OcParams::default() }).is_err());
    assert!(SeedTracker::new(SeedParams { overlap: 2.0, ..SeedParams::default() }).is_err());
    assert!(OcTracker::new(OcParams { patience: Patience::Seconds(-1.0), ..OcParams::default() }).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    /// Whatever comes, numbers are unique within a frame, never given twice, and no detection is used twice; runs agree.
    #[test]
    fn numbers_are_sound(frames in proptest::collection::vec(
        proptest::collection::vec((0u8..40, 0u8..20, 1u8..12, 0u8..100), 0..8), 1..30)
    ) {
        for which in 0..3 {
            let mut runs = Vec::new();
            for _ in 0..2 {
                let mut tracker = trackers(Patience::Seconds(0.2)).swap_remove(which);
                let mut over: Vec<u64> = Vec::new();
                let mut all = Vec::new();
                for (f, list) in frames.iter().enumerate() {
                    let list: Vec<Detection> = list
                        .iter()
                        .map(|(x, y, s, p)| {
                            let side = f32::from(*s) * 4.0;
                            seen(f32::from(*x) * 4.0, f32::from(*y) * 4.0, side, side * 1.5, f32::from(*p) / 99.0)
                        })
                        .collect();
                    let update = tracker.update(f as f64 / 30.0, &observe(&list)).unwrap();
                    let mut ids: Vec<u64> = update.tracks.iter().map(|t| t.id).collect();
                    let mut used: Vec<usize> = update.tracks.iter().map(|t| t.detection).collect();
                    used.sort_unstable();
                    let count = ids.len();
                    ids.dedup();
                    used.dedup();
                    prop_assert_eq!((ids.len(), used.len()), (count, count));
                    prop_assert!(ids.iter().all(|id| !over.contains(id)));
                    over.extend(&update.ended);
                    all.push(update);
                }
                runs.push(all);
            }
            prop_assert_eq!(&runs[0], &runs[1]);
        }
    }
}
