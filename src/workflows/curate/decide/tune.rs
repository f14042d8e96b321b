//! Thresholds for a wanted mix: what the table would need to say so that it gives the wanted shares.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table;
use crate::workflows::curate::config::{CurateConfig, Thresholds};
use crate::workflows::curate::metrics::FrameMetrics;

/// Places between figures that a threshold is tried at.
const STEPS: usize = 24;
/// Rounds over all thresholds; each can only improve.
const ROUNDS: usize = 6;
/// What moving a threshold by 1 costs, in shares: of equally good ones the nearer is taken.
const INERTIA: f64 = 0.01;

/// Proposed thresholds.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tuned {
    /// The thresholds.
    pub thresholds: Thresholds,
    /// Sum of the distances between shares and targets before, 0..=2.
    pub before: f64,
    /// The same with the proposed thresholds.
    pub after: f64,
    /// Shares with the proposed thresholds, of the frames that are shared out.
    pub shares: BTreeMap<String, f64>,
}

fn shares(frames: &[&FrameMetrics], config: &CurateConfig) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, f64> = config.wanted().into_iter().map(|(n, _)| (n, 0.0)).collect();
    for m in frames {
        if let Some(strategy) = table::decide(m, config).strategy {
            *counts.entry(strategy).or_default() += 1.0 / frames.len().max(1) as f64;
        }
    }
    counts
}

fn distance(frames: &[&FrameMetrics], config: &CurateConfig) -> f64 {
    let have = shares(frames, config);
    config.wanted().iter().map(|(n, t)| (have.get(n).copied().unwrap_or(0.0) - t).abs()).sum()
}

type Setter = fn(&mut Thresholds) -> &mut f64;

/// Thresholds with which the table comes nearest to the targets of `config`: each in turn is tried at places between the frames' figures,
/// until nothing gets better. Deterministic; a local optimum.
pub fn tune(frames: &[&FrameMetrics], config: &CurateConfig) -> Tuned {
    let parts: [(&str, Setter); 5] = [
        ("complexity", |t| &mut t.simple_background),
        ("lighting", |t| &mut t.good_lighting),
        ("occlusion", |t| &mut t.low_occlusion),
        ("quality", |t| &mut t.poor_quality),
        ("sharpness", |t| &mut t.low_sharpness),
    ];
    // What a strategy of one's own without a target takes is not shared out, whatever the thresholds.
    let taken =
        |m: &FrameMetrics| table::decide(m, config).strategy.and_then(|s| config.target_of_own(&s)) == Some(0.0);
    let shared: Vec<&FrameMetrics> = frames.iter().copied().filter(|m| !taken(m)).collect();
    let frames = shared.as_slice();
    let before = distance(frames, config);
    let mut best = config.clone();
    let mut best_cost = before;
    for _ in 0..ROUNDS {
        let at_start = best_cost;
        for (name, part) in parts {
            let mut values: Vec<f64> = frames.iter().filter_map(|m| m.get(name)).collect();
            values.sort_by(f64::total_cmp);
            let places = (0..=STEPS).filter_map(|i| {
                let last = values.len().checked_sub(1)?;
                let at = i * last / STEPS;
                let (a, b) = (values.get(at)?, values.get((at + 1).min(last))?);
                Some(((a + b) / 2.0 * 1e4).round() / 1e4)
            });
            for place in places.collect::<Vec<_>>() {
                let mut tried = best.clone();
                *part(&mut tried.thresholds) = place.clamp(0.0, 1.0);
                let moved = (*part(&mut tried.thresholds) - *part(&mut config.thresholds.clone())).abs();
                let cost = distance(frames, &tried) + INERTIA * moved;
                if cost + 1e-12 < best_cost {
                    (best, best_cost) = (tried, cost);
                }
            }
        }
        if best_cost + 1e-12 >= at_start {
            break;
        }
    }
    Tuned { thresholds: best.thresholds, before, after: distance(frames, &best), shares: shares(frames, &best) }
}
