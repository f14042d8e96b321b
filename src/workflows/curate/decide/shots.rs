//! Kinds of shots: how many of each there are, and which frames stay when only so many are wanted.

use serde::{Deserialize, Serialize};

use super::mix::apportion;
use crate::workflows::curate::config::DecisionConfig;
use crate::workflows::curate::metrics::{FrameEntry, FrameMetrics, Shot};

/// A kind of shot among the frames that are used.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShotLine {
    /// The kind.
    pub shot: String,
    /// Wanted share, 0..=1.
    pub target: f64,
    /// Frames.
    pub frames: usize,
    /// Their share, 0..=1.
    pub share: f64,
}

/// How the frames are spread over kinds of shots.
pub(super) fn coverage<'a>(frames: impl Iterator<Item = &'a FrameMetrics>, config: &DecisionConfig) -> Vec<ShotLine> {
    let shots: Vec<Shot> = frames.map(|m| m.shot).collect();
    let sum: f64 = config.shot_targets.iter().sum();
    let line = |(shot, target): (Shot, &f64)| {
        let n = shots.iter().filter(|s| **s == shot).count();
        let share = n as f64 / shots.len().max(1) as f64;
        ShotLine { shot: shot.name().into(), target: target / sum, frames: n, share }
    };
    Shot::ALL.into_iter().zip(&config.shot_targets).map(line).collect()
}

/// Frames among `open` that are too many: all but the best `keep`, each kind of shot with its share as far as there are frames.
pub(super) fn surplus(entries: &[FrameEntry], open: &[usize], config: &DecisionConfig) -> Vec<usize> {
    let keep = config.keep as usize;
    if keep == 0 || open.len() <= keep {
        return Vec::new();
    }
    let metrics = |i: &usize| entries.get(*i).and_then(|e| e.metrics.as_ref());
    let mut groups: Vec<Vec<usize>> = Shot::ALL
        .iter()
        .map(|shot| open.iter().copied().filter(|i| metrics(i).is_some_and(|m| m.shot == *shot)).collect())
        .collect();
    for group in &mut groups {
        let worth = |i: &usize| metrics(i).map_or(0.0, FrameMetrics::worth);
        group.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.cmp(b)));
    }
    // What one kind has too few of, the others share out.
    let mut taken = vec![0usize; groups.len()];
    loop {
        let left = keep - taken.iter().sum::<usize>();
        let open: Vec<f64> = groups
            .iter()
            .zip(&taken)
            .zip(&config.shot_targets)
            .map(|((g, t), target)| if *t < g.len() { target.max(1e-6) } else { 0.0 })
            .collect();
        let more = apportion(&open, left);
        let before = taken.clone();
        for ((taken, group), more) in taken.iter_mut().zip(&groups).zip(more) {
            *taken = (*taken + more).min(group.len());
        }
        if before == taken || taken.iter().sum::<usize>() == keep {
            break;
        }
    }
    let mut out: Vec<usize> = groups.iter().zip(taken).flat_map(|(g, t)| g.iter().skip(t).copied()).collect();
    out.sort_unstable();
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflows::curate::metrics::FramePlace;
    use crate::workflows::curate::metrics::tests::metrics;

    #[test]
    fn kinds_get_their_shares_and_rare_ones_stay_whole() {
        let entries: Vec<FrameEntry> = (0..40)
            .map(|i| {
                let shot = if i < 2 {
                    Shot::CloseUp
                } else if i < 20 {
                    Shot::Medium
                } else {
                    Shot::FarShot
                };
                let m = FrameMetrics { shot, ..metrics(0.2, 0.8, f64::from(i) / 100.0) };
                let place = FramePlace { path: format!("{i}.png").into(), frame: None, seconds: None };
                FrameEntry { name: i.to_string(), place, content: String::new(), metrics: Some(m), error: None }
            })
            .collect();
        let config = DecisionConfig { keep: 20, ..DecisionConfig::default() };
        let open: Vec<usize> = (0..40).collect();
        let out = surplus(&entries, &open, &config);
        assert_eq!(out.len(), 20);
        let kept: Vec<usize> = open.iter().copied().filter(|i| !out.contains(i)).collect();
        assert!(kept.contains(&0) && kept.contains(&1), "all two close-ups: {kept:?}");
        assert_eq!(kept.iter().filter(|i| **i >= 20).count(), 8, "{kept:?}");
        // The best of a kind.
        assert!(kept.contains(&39) && !kept.contains(&20));
        let lines = coverage(kept.iter().filter_map(|i| entries[*i].metrics.as_ref()), &config);
        assert_eq!((lines[0].frames, lines[2].frames), (2, 0));
    }
}
