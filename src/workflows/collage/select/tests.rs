use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::core::random::{pcg4d, unit};

/// Every frame with every picture, scored by a hash of both.
struct All {
    frames: usize,
    pool: u32,
    seed: u32,
}

impl All {
    fn ranked(&self, frame: usize, excluded: impl Fn(u32) -> bool) -> Vec<Neighbor> {
        // Coarse, so that equal scores are common.
        let score = |id| (unit(pcg4d([self.seed, frame as u32, id, 0])[0]) * 50.0).floor() as f32 / 50.0;
        let mut all: Vec<Neighbor> =
            (0..self.pool).filter(|id| !excluded(*id)).map(|id| Neighbor { id, score: score(id) }).collect();
        all.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        all
    }

    fn frames(&self, k: usize) -> Vec<FrameCandidates> {
        let frame = |i: usize| {
            let mut nearest = self.ranked(i, |_| false);
            nearest.truncate(k);
            FrameCandidates { seconds: i as f64 / 10.0, scene: i as u32 / 7, nearest }
        };
        (0..self.frames).map(frame).collect()
    }

    fn score(&self, frame: usize, id: u32) -> f32 {
        self.ranked(frame, |other| other != id)[0].score
    }
}

impl CandidateSource for All {
    fn more(&mut self, frame: usize, k: usize, excluded: &IdSet) -> Result<Vec<Neighbor>> {
        let mut all = self.ranked(frame, |id| excluded.contains(id));
        all.truncate(k);
        Ok(all)
    }
}

fn run(frames: usize, pool: u32, seed: u32, k: usize, params: &SelectParams) -> Result<Selection> {
    let mut all = All { frames, pool, seed };
    select(&all.frames(k), pool, params, &mut all)
}

fn uses(choices: &[Choice]) -> BTreeMap<u32, u32> {
    let mut uses = BTreeMap::new();
    for id in choices.iter().filter(|c| c.reason != Reason::Held).filter_map(|c| c.picture) {
        *uses.entry(id).or_insert(0) += 1;
    }
    uses
}

fn once() -> SelectParams {
    SelectParams { max_uses: Some(1), ..SelectParams::default() }
}

fn near(list: &[(u32, f32)]) -> FrameCandidates {
    let nearest = list.iter().map(|(id, score)| Neighbor { id: *id, score: *score }).collect();
    FrameCandidates { seconds: 0.0, scene: 0, nearest }
}

fn shown(frames: &[FrameCandidates], params: &SelectParams) -> Vec<(Option<u32>, Option<f32>, Reason)> {
    let found = select(frames, 9, params, &mut NoMore).unwrap();
    found.choices.iter().map(|c| (c.picture, c.score, c.reason)).collect()
}

#[test]
fn the_threshold_is_hard_and_the_fallback_says_what_then() {
    let frames = [near(&[(1, 0.4)]), near(&[(2, 0.5), (3, 0.4)]), near(&[(3, 0.3), (2, 0.2)]), near(&[(4, 0.1)])];
    let of = |fallback| shown(&frames, &SelectParams { threshold: 0.5, fallback, ..SelectParams::default() });
    let (black, chosen) = ((None, None, Reason::Black), (Some(2), Some(0.5), Reason::Chosen));
    assert_eq!(of(Fallback::Black), [black, chosen, black, black]);
    let held = |score| (Some(2), score, Reason::Held);
    assert_eq!(of(Fallback::Hold), [black, chosen, held(Some(0.2)), held(None)]);
    let best = |id, score| (Some(id), Some(score), Reason::BelowThreshold);
    assert_eq!(of(Fallback::Best), [best(1, 0.4), chosen, best(3, 0.3), best(4, 0.1)]);
    for params in [once(), SelectParams { assignment: Assignment::Global, ..once() }] {
        let of = |fallback| shown(&frames, &SelectParams { threshold: 0.5, fallback, ..params.clone() });
        assert_eq!(of(Fallback::Hold), [black, chosen, held(Some(0.2)), held(None)]);
        assert_eq!(of(Fallback::Best), [best(1, 0.4), chosen, best(3, 0.3), best(4, 0.1)]);
    }
    let smooth = SelectParams { smoothness: 0.1, threshold: 0.5, ..SelectParams::default() };
    assert_eq!(shown(&frames, &smooth), [black, chosen, held(Some(0.2)), held(None)]);
    assert_eq!(shown(&[near(&[])], &SelectParams { fallback: Fallback::Best, ..SelectParams::default() }), [black]);
}

#[test]
fn a_pool_that_is_too_small_is_an_error_or_is_recycled() {
    let error = run(60, 20, 1, 5, &once()).unwrap_err();
    assert_eq!(error.to_string(), "60 frames under no-repeat need 60 pictures, the pool has 20");
    assert!(error.hint().unwrap().contains("--recycle"));
    let error = run(60, 20, 1, 5, &SelectParams { max_uses: Some(2), ..once() }).unwrap_err();
    assert_eq!(error.to_string(), "60 frames under max-uses 2 need 30 pictures, the pool has 20");
    let rest = SelectParams { cooldown: 3.0, ..SelectParams::default() };
    let error = run(60, 20, 1, 5, &rest).unwrap_err();
    assert_eq!(error.to_string(), "60 frames under a cooldown of 3 s need 30 pictures, the pool has 20");
    assert!(run(60, 0, 1, 5, &SelectParams::default()).is_err());

    for assignment in [Assignment::Greedy, Assignment::Global] {
        let params = SelectParams { recycle: true, assignment, ..once() };
        let found = run(60, 20, 1, 5, &params).unwrap();
        assert_eq!(uses(&found.choices), (0..20).map(|id| (id, 3)).collect());
        let recycled = found.choices.iter().filter(|c| c.reason == Reason::Recycled).count();
        assert_eq!(recycled, 40, "{assignment:?}");
    }
    let found = run(60, 20, 1, 5, &SelectParams { recycle: true, ..rest }).unwrap();
    assert_eq!(found.choices.iter().filter(|c| c.reason == Reason::Recycled).count(), 40);
    // Who rested longest is next: the order of the first 20 repeats.
    assert!((20..60).all(|i| found.choices[i].picture == found.choices[i - 20].picture));
}

#[test]
fn settings_that_exclude_each_other_are_refused_by_name() {
    let bad = |params: SelectParams| match run(3, 9, 1, 3, &params).unwrap_err() {
        Error::Config { field, .. } => field,
        e => panic!("{e}"),
    };
    let d = SelectParams::default;
    assert_eq!(bad(SelectParams { threshold: f32::NAN, ..d() }), "threshold");
    assert_eq!(bad(SelectParams { max_uses: Some(0), ..d() }), "max_uses");
    assert_eq!(bad(SelectParams { cooldown: f64::INFINITY, ..d() }), "cooldown");
    assert_eq!(bad(SelectParams { depth: 0, ..d() }), "depth");
    assert_eq!(bad(SelectParams { smoothness: -1.0, ..d() }), "smoothness");
    assert_eq!(bad(SelectParams { smoothness: 0.1, ..once() }), "smoothness");
    assert_eq!(bad(SelectParams { smoothness: 0.1, cooldown: 1.0, ..d() }), "smoothness");
    assert_eq!(bad(SelectParams { smoothness: 0.1, pick: PickRule::Random, ..d() }), "pick");
    assert_eq!(bad(SelectParams { assignment: Assignment::Global, cooldown: 1.0, ..d() }), "assignment");
    assert_eq!(bad(SelectParams { assignment: Assignment::Global, pick: PickRule::Random, ..d() }), "pick");
    assert_eq!(bad(SelectParams { pick: PickRule::Seed, max_uses: Some(2), ..d() }), "pick");
}

#[test]
fn candidates_that_break_the_rules_are_refused() {
    let name = |frames: &[FrameCandidates]| match select(frames, 9, &once(), &mut NoMore) {
        Err(Error::Parameter { name, .. }) => name,
        other => panic!("{other:?}"),
    };
    for bad in [&[(9, 0.5)][..], &[(1, f32::NAN)], &[(1, 1e9)], &[(1, 0.1), (2, 0.2)], &[(1, 0.2), (1, 0.1)]] {
        assert_eq!(name(&[near(bad)]), "nearest");
    }
    let at = |seconds| FrameCandidates { seconds, ..near(&[]) };
    assert_eq!(name(&[at(1.0), at(0.5)]), "seconds");
    assert_eq!(name(&[at(f64::NAN)]), "seconds");

    struct Stubborn;
    impl CandidateSource for Stubborn {
        fn more(&mut self, _: usize, _: usize, _: &IdSet) -> Result<Vec<Neighbor>> {
            Ok(vec![Neighbor { id: 1, score: 0.5 }])
        }
    }
    let frames = [near(&[(1, 0.9)]), near(&[(1, 0.9)])];
    assert!(matches!(select(&frames, 9, &once(), &mut Stubborn), Err(Error::Parameter { name: "more", .. })));
}

#[test]
fn the_seeds_rule() {
    let seed = SelectParams { pick: PickRule::Seed, threshold: 0.5, depth: 3, ..SelectParams::default() };
    // Uniform among those that reach the threshold, or among all of the first `depth`.
    let list = near(&[(1, 0.9), (2, 0.5), (3, 0.4), (4, 0.3)]);
    let low = near(&[(5, 0.4), (6, 0.3), (7, 0.2), (8, 0.1)]);
    let found = shown(&[vec![list; 400], vec![low; 600]].concat(), &seed);
    let count = |range: std::ops::Range<usize>, id| found[range].iter().filter(|f| f.0 == Some(id)).count();
    assert!([1, 2].iter().all(|id| (160..240).contains(&count(0..400, *id))), "{found:?}");
    assert!([5, 6, 7].iter().all(|id| (150..250).contains(&count(400..1000, *id))), "{found:?}");
    assert!(found[..400].iter().all(|f| f.2 == Reason::Chosen));
    assert!(found[400..].iter().all(|f| f.2 == Reason::BelowThreshold));
    // Without repeats the nearest unused one, whatever its score; then anything.
    let params = SelectParams { max_uses: Some(1), ..seed };
    let found = run(30, 20, 3, 5, &params).unwrap();
    assert_eq!(uses(&found.choices[..20]).len(), 20);
    assert!(found.choices[..20].iter().all(|c| c.score.is_some()));
    assert!(found.choices[20..].iter().all(|c| c.picture.is_some() && c.score.is_none()));
}

#[test]
fn a_draw_depends_on_seed_and_frame_alone() {
    let params = SelectParams { pick: PickRule::Random, depth: 5, ..SelectParams::default() };
    let all = run(50, 40, 2, 10, &params).unwrap();
    assert_eq!(run(50, 40, 2, 10, &params).unwrap(), all);
    assert_eq!(run(20, 40, 2, 10, &params).unwrap().choices, all.choices[..20]);
    assert_ne!(run(50, 40, 2, 10, &SelectParams { seed: 1, ..params.clone() }).unwrap(), all);
    assert_ne!(run(50, 40, 2, 10, &SelectParams { depth: 1, ..params }).unwrap(), all);
}

/// Sum of scores less the costs of switches, of the best sequence of candidates.
fn smoothest(frames: &[FrameCandidates], cost: i64, before: Option<(u32, u32)>) -> i64 {
    let Some((first, rest)) = frames.split_first() else { return 0 };
    let way = |n: &Neighbor| {
        let switch = before.is_some_and(|(scene, id)| scene == first.scene && id != n.id);
        fixed(n.score) - if switch { cost } else { 0 } + smoothest(rest, cost, Some((first.scene, n.id)))
    };
    first.nearest.iter().map(way).max().unwrap()
}

fn worth(choices: &[Choice], frames: &[FrameCandidates], cost: i64) -> i64 {
    let pairs = choices.iter().zip(&choices[1..]).zip(frames.iter().zip(&frames[1..]));
    let switches = pairs.filter(|((a, b), (f, g))| f.scene == g.scene && a.picture != b.picture).count();
    choices.iter().map(|c| fixed(c.score.unwrap())).sum::<i64>() - switches as i64 * cost
}

#[test]
fn a_held_picture_goes_on_after_the_hold() {
    // 1 would be worse than 2 at the end, but a switch costs more.
    let frames = [near(&[(1, 0.9)]), near(&[(3, 0.1)]), near(&[(2, 0.8), (1, 0.7)])];
    let params = SelectParams { smoothness: 0.2, threshold: 0.5, ..SelectParams::default() };
    let ids = |params| shown(&frames, params).iter().map(|s| s.0).collect::<Vec<_>>();
    assert_eq!(ids(&params), [Some(1), Some(1), Some(1)]);
    // Behind black there is nothing to switch from.
    assert_eq!(ids(&SelectParams { fallback: Fallback::Black, ..params.clone() }), [Some(1), None, Some(2)]);
    let mut cut = frames.clone();
    cut[2].scene = 1;
    assert_eq!(shown(&cut, &params)[2].0, Some(2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_limit_is_ever_broken(
        frames in 1usize..40, pool in 1u32..40, seed: u32, k in 1usize..12, most in 1u32..4, global: bool, threshold in 0u8..50,
        cooldown in 0u8..20, recycle: bool, random: bool,
    ) {
        let params = SelectParams {
            max_uses: Some(most),
            cooldown: if global { 0.0 } else { f64::from(cooldown) / 10.0 },
            threshold: f32::from(threshold) / 50.0,
            assignment: if global { Assignment::Global } else { Assignment::Greedy },
            pick: if random && !global { PickRule::Random } else { PickRule::Best },
            fallback: Fallback::Black,
            recycle,
            ..SelectParams::default()
        };
        let all = All { frames, pool, seed };
        match run(frames, pool, seed, k, &params) {
            Err(e) => prop_assert!(!recycle && matches!(e, Error::Usage { .. }), "{}", e),
            Ok(found) => {
                prop_assert_eq!(found.choices.len(), frames);
                for (i, c) in found.choices.iter().enumerate() {
                    match c.picture {
                        Some(id) => {
                            prop_assert!(c.score.unwrap() >= params.threshold);
                            prop_assert_eq!(c.score.unwrap(), all.score(i, id));
                        }
                        // Black only where nothing free reaches the threshold.
                        None if global => {
                            let counts = uses(&found.choices);
                            let free = |id: &u32| counts.get(id).is_none_or(|n| *n < most);
                            let best = (0..pool).filter(free).map(|id| all.score(i, id)).fold(0.0, f32::max);
                            prop_assert!(best < params.threshold || best == 0.0, "{} {}", i, best);
                        }
                        None => {}
                    }
                }
                let counts = uses(&found.choices);
                let (low, high) = (
                    if counts.len() < pool as usize { 0 } else { *counts.values().min().unwrap() },
                    counts.values().max().copied().unwrap_or(0),
                );
                if recycle {
                    // A new round only begins when all are spent.
                    let bound = if global { most * (frames as u32).div_ceil(pool * most) } else { (low / most + 1) * most };
                    prop_assert!(high <= bound, "{counts:?}");
                } else {
                    prop_assert!(high <= most, "{counts:?}");
                    let rest = (params.cooldown * 10.0).round() as usize;
                    for (i, c) in found.choices.iter().enumerate().filter(|(_, c)| c.picture.is_some()) {
                        let next = &found.choices[i + 1..(i + rest.max(1)).min(frames)];
                        prop_assert!(next.iter().all(|n| n.picture != c.picture), "{i}");
                    }
                }
            }
        }
    }

    #[test]
    fn global_is_never_below_greedy(
        frames in 1usize..40, extra in 0u32..20, seed: u32, k in 1usize..8, most in 1u32..3, threshold in 0u8..50
    ) {
        let pool = (frames as u32).div_ceil(most) + extra;
        let greedy = SelectParams { max_uses: Some(most), threshold: f32::from(threshold) / 50.0, ..SelectParams::default() };
        let global = SelectParams { assignment: Assignment::Global, ..greedy.clone() };
        let (a, b) = (run(frames, pool, seed, k, &greedy).unwrap(), run(frames, pool, seed, k, &global).unwrap());
        prop_assert!(b.total() >= a.total(), "{} {}", a.total(), b.total());
        // Once all pairs are known, what is found is the optimum, and more candidates cannot improve it.
        let whole = run(frames, pool, seed, pool as usize, &global).unwrap();
        prop_assert!(whole.total() >= b.total());
    }

    #[test]
    fn the_smoothest_sequence_is_found(frames in 2usize..7, pool in 1u32..6, seed: u32, k in 1usize..4, cost in 1u8..40) {
        let params = SelectParams { smoothness: f32::from(cost) / 50.0, ..SelectParams::default() };
        let mut all = All { frames, pool, seed };
        let list: Vec<FrameCandidates> =
            all.frames(k).into_iter().enumerate().map(|(i, f)| FrameCandidates { scene: i as u32 / 4, ..f }).collect();
        let found = select(&list, pool, &params, &mut all).unwrap();
        let cost = fixed(params.smoothness);
        prop_assert_eq!(worth(&found.choices, &list, cost), smoothest(&list, cost, None));
    }
}

/// Prints how long the assignment takes: `cargo test --lib select::tests::speed -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn speed() {
    for (frames, pool, hot) in
        [(720, 10_000, 0), (10_000, 100_000, 0), (10_000, 10_500, 0), (720, 10_000, 100), (10_000, 20_000, 100)]
    {
        // `hot`: frames of a scene share their 50 pictures, all frames of the video 500 at most.
        let list: Vec<FrameCandidates> = (0..frames)
            .map(|i| {
                let scene = i as u32 / 100;
                let mut ids: BTreeMap<u32, f32> = BTreeMap::new();
                let mut draw = 0;
                while ids.len() < 50 {
                    let [a, b, ..] = pcg4d([if hot > 0 { scene } else { i as u32 }, draw, 9, hot]);
                    let id = if hot > 0 { (scene % 10) * 50 + a % 50 } else { a % pool };
                    ids.insert(id, unit(b) as f32 * 0.2 + unit(pcg4d([i as u32, id, 1, 1])[0]) as f32 * 0.1 + 0.5);
                    draw += 1;
                }
                let mut nearest: Vec<Neighbor> = ids.into_iter().map(|(id, score)| Neighbor { id, score }).collect();
                nearest.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
                FrameCandidates { seconds: i as f64 / 30.0, scene, nearest }
            })
            .collect();
        struct Rest;
        impl CandidateSource for Rest {
            fn more(&mut self, frame: usize, k: usize, excluded: &IdSet) -> Result<Vec<Neighbor>> {
                let free = (0..u32::MAX).filter(|id| !excluded.contains(*id)).skip(frame % 7).take(k);
                Ok(free.map(|id| Neighbor { id, score: 0.4 }).filter(|n| n.id < 20_000).collect())
            }
        }
        for (name, params) in [
            ("greedy", once()),
            ("global", SelectParams { assignment: Assignment::Global, ..once() }),
            ("smooth", SelectParams { smoothness: 0.1, ..SelectParams::default() }),
        ] {
            let start = std::time::Instant::now();
            let found = select(&list, pool, &params, &mut Rest).unwrap();
            let (total, searches) = (found.total(), found.searches);
            println!(
                "{frames} frames, pool {pool}, hot {hot}, {name}: {:?}, total {total:.3}, {searches} searches",
                start.elapsed()
            );
        }
    }
}
