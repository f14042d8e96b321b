//! The wanted shares: how near they can be come, and why no nearer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::assign::{Scores, assign};
use super::balance;
use super::rules::{Fit, fits};
use super::table::{keep_words, need_words, poor_words};
use super::why::{self, Shown};
use super::{Alternative, Decision};
use crate::workflows::curate::config::{CurateConfig, Surplus};
use crate::workflows::curate::metrics::{FrameEntry, FrameMetrics};
use crate::workflows::curate::{CREATE_OCCLUSION, ENHANCE_SEGMENT, KEEP_FULL, SEGMENT, STRATEGIES};

/// Scores as integers.
const SCALE: f64 = 1e6;

/// A strategy's share.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixLine {
    /// Its name.
    pub strategy: String,
    /// Wanted share of the frames, 0..=1.
    pub target: f64,
    /// Frames that got it.
    pub frames: usize,
    /// Their share of the frames of all strategies with a target, 0..=1; 0 for one without: its frames are not shared out.
    pub share: f64,
    /// Frames that may have it at all.
    pub eligible: usize,
    /// What keeps the others from it: the first rule that each breaks, and how many break it.
    #[serde(default)]
    pub barred: BTreeMap<String, usize>,
    /// Whether the share is within `decision.tolerance` of the target. Without a target: always for a strategy of one's own, which takes what suits
    /// it; for one of the four, which is not wanted then, where it has no more than that of all frames.
    pub reached: bool,
    /// Why not, where it is not.
    pub why: String,
}

/// All shares.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Mix {
    /// One line a strategy.
    pub lines: Vec<MixLine>,
    /// How far a share may be from its target, 0..=1.
    #[serde(default)]
    pub tolerance: f64,
}

impl Mix {
    /// Targets without an attempt to reach them.
    pub(super) fn plain(config: &CurateConfig) -> Self {
        let line = |(strategy, target)| MixLine {
            strategy,
            target,
            frames: 0,
            share: 0.0,
            eligible: 0,
            barred: BTreeMap::new(),
            reached: false,
            why: String::new(),
        };
        Self { lines: config.wanted().into_iter().map(line).collect(), tolerance: config.decision.tolerance }
    }

    /// Counts what became of it.
    pub(super) fn count<'a>(&mut self, strategies: impl Iterator<Item = &'a str>) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for s in strategies {
            *counts.entry(s).or_default() += 1;
        }
        self.settle(&counts);
    }

    /// Frames by strategy to shares.
    fn settle(&mut self, counts: &BTreeMap<&str, usize>) {
        for line in &mut self.lines {
            line.frames = counts.get(line.strategy.as_str()).copied().unwrap_or(0);
        }
        let all = self.lines.iter().map(|l| l.frames).sum::<usize>().max(1);
        // What strategies without a target take is not shared out: it must not spoil the shares of the others.
        let sharing = self.lines.iter().filter(|l| l.target > 0.0);
        let shared = sharing.map(|l| l.frames).sum::<usize>().max(1);
        for line in &mut self.lines {
            let wanted = line.target > 0.0;
            let of = if wanted { shared } else { all };
            let share = line.frames as f64 / of as f64;
            let taker = !wanted && !STRATEGIES.contains(&line.strategy.as_str());
            line.reached = taker || (share - line.target).abs() <= self.tolerance + 0.5 / of as f64;
            line.share = if wanted { share } else { 0.0 };
            if line.reached {
                line.why.clear();
            } else if line.why.is_empty() {
                line.why = "each frame was decided on alone, whatever the wanted shares".into();
            }
        }
    }

    /// The same counted again without frames that could not be made; `failed` has their number by strategy.
    pub(in super::super) fn without(&self, failed: &BTreeMap<&str, usize>) -> Self {
        let mut made = self.clone();
        let all: usize = failed.values().sum();
        if all == 0 {
            return made;
        }
        let lost = |name: &str| failed.get(name).copied().unwrap_or(0);
        for line in &mut made.lines {
            let whose = match lost(&line.strategy) {
                0 => ", none of them its own".to_owned(),
                own if own == all => String::new(),
                own => format!(", {own} of them its own"),
            };
            let why = format!("{all} frame{} failed{whose}", if all == 1 { "" } else { "s" });
            line.why = if line.why.is_empty() { why } else { format!("{}; {why}", line.why) };
        }
        let left = |l: &MixLine| l.frames.saturating_sub(lost(&l.strategy));
        made.settle(&self.lines.iter().map(|l| (l.strategy.as_str(), left(l))).collect());
        made
    }
}

/// Whole numbers with the ratio of `targets` that sum to `n`: the largest remainders are rounded up.
pub(super) fn apportion(targets: &[f64], n: usize) -> Vec<usize> {
    let sum: f64 = targets.iter().sum();
    if sum <= 0.0 {
        return vec![0; targets.len()];
    }
    let exact: Vec<f64> = targets.iter().map(|t| t / sum * n as f64).collect();
    let mut counts: Vec<usize> = exact.iter().map(|e| e.floor() as usize).collect();
    let mut order: Vec<usize> = (0..targets.len()).collect();
    let rest = |i: &usize| exact.get(*i).map_or(0.0, |e| e - e.floor());
    order.sort_by(|a, b| rest(b).total_cmp(&rest(a)).then(a.cmp(b)));
    let missing = n - counts.iter().sum::<usize>().min(n);
    for i in order.into_iter().take(missing) {
        if let Some(c) = counts.get_mut(i) {
            *c += 1;
        }
    }
    counts
}

/// Decides on the frames `open` of `entries` so that the wanted shares are come as near as possible. `fixed`: frames that have a strategy
/// already.
pub(super) fn reach(
    entries: &[FrameEntry],
    open: &[usize],
    config: &CurateConfig,
    fixed: &BTreeMap<String, usize>,
) -> (Vec<(usize, Decision)>, Mix) {
    let wanted = config.wanted();
    let mut mix = Mix::plain(config);
    let frames: Vec<(usize, &FrameMetrics, Vec<Fit>)> =
        open.iter().filter_map(|i| entries.get(*i)?.metrics.as_ref().map(|m| (*i, m, fits(m, config)))).collect();
    let mut decisions = Vec::new();
    let mut before: BTreeMap<String, usize> = fixed.clone();
    let mut pool = Vec::new();
    for (i, m, fits) in frames {
        // A custom strategy without a share of its own takes what it is for, and the rest is shared out.
        let first = fits.iter().find(|f| f.barred.is_none() && config.target_of_own(&f.strategy) == Some(0.0));
        if let Some(fit) = first {
            *before.entry(fit.strategy.clone()).or_default() += 1;
            decisions.push((i, decision(m, config, fit, &fits)));
        } else {
            pool.push((i, m, fits));
        }
    }
    let score = |f: &Fit| f.barred.is_none().then_some((f.score * SCALE).round() as i64);
    let of = |fits: &[Fit], name: &str| fits.iter().find(|f| f.strategy == name).and_then(score);
    let scores: Vec<Scores> =
        pool.iter().map(|(_, _, fits)| wanted.iter().map(|(name, _)| of(fits, name)).collect()).collect();
    let targets: Vec<f64> = wanted.iter().map(|(_, t)| *t).collect();
    let fixed: Vec<usize> = wanted.iter().map(|(name, _)| before.get(name).copied().unwrap_or(0)).collect();
    let (dropping, tolerance) = (config.decision.surplus == Surplus::Drop, config.decision.tolerance);
    let fewer = if dropping { balance::counts(&scores, &targets, &fixed, tolerance) } else { None };
    let at = match fewer {
        Some(counts) => leaving_out(&scores, &counts),
        None => assign(&scores, &balance::spread(&scores, &targets, &fixed, tolerance)),
    };
    let placed =
        |f: &Fit, at: Option<usize>| at.and_then(|s| wanted.get(s)).is_some_and(|(name, _)| *name == f.strategy);
    for ((i, m, fits), at) in pool.iter().zip(&at) {
        let chosen = fits.iter().find(|f| placed(f, *at));
        decisions.push((
            *i,
            match chosen {
                Some(fit) => decision(m, config, fit, fits),
                None => left_out(fits),
            },
        ));
    }
    // Frames of strategies without a target are not shared out.
    let sharing = |s: &usize| targets.get(*s).is_some_and(|t| *t > 0.0);
    let held = fixed.iter().enumerate().filter(|(s, _)| sharing(s)).map(|(_, n)| n).sum::<usize>();
    let total = at.iter().flatten().filter(|s| sharing(s)).count() + held;
    let pool: Vec<(&[Fit], Option<usize>)> = pool.iter().zip(&at).map(|((_, _, f), at)| (f.as_slice(), *at)).collect();
    let names: Vec<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
    let shown =
        Shown { scores: &scores, names: &names, targets: &targets, fixed: &fixed, pool: &pool, total, dropping };
    for (s, line) in mix.lines.iter_mut().enumerate() {
        let may = scores.iter().filter(|f| f.get(s).is_some_and(Option::is_some));
        line.eligible = may.count() + fixed.get(s).copied().unwrap_or(0);
        line.barred = why::barred(&pool, &line.strategy);
        line.why = shown.why(s, line);
    }
    (decisions, mix)
}

/// A frame that no strategy takes.
fn left_out(fits: &[Fit]) -> Decision {
    let barred: Vec<String> =
        fits.iter().map(|f| format!("{}: {}", f.strategy, f.barred.as_deref().unwrap_or("it has enough"))).collect();
    let eligible = fits.iter().any(|f| f.barred.is_none());
    let mut out = if eligible {
        Decision::out("surplus", "Left out for the mix: its strategy has enough better ones")
    } else {
        Decision::out("none", format!("No strategy takes it ({})", barred.join("; ")))
    };
    out.alternatives = fits.iter().map(Fit::alternative).collect();
    out
}

/// Each frame's strategy when every strategy gets exactly its count, and the frames that suit worst are left out.
fn leaving_out(scores: &[Scores], counts: &[usize]) -> Vec<Option<usize>> {
    let placeable = scores.iter().filter(|f| f.iter().any(Option::is_some)).count();
    let out = placeable.saturating_sub(counts.iter().sum());
    let worth_nothing = |f: &Scores| f.iter().any(Option::is_some).then_some(0);
    let scores: Vec<Scores> = scores.iter().map(|f| f.iter().copied().chain([worth_nothing(f)]).collect()).collect();
    let quotas: Vec<usize> = counts.iter().copied().chain([out]).collect();
    assign(&scores, &quotas).into_iter().map(|at| at.filter(|s| *s < counts.len())).collect()
}

fn decision(m: &FrameMetrics, config: &CurateConfig, fit: &Fit, fits: &[Fit]) -> Decision {
    let (words, rule) = match fit.strategy.as_str() {
        KEEP_FULL => (keep_text(m, config), "simple background, good lighting, low occlusion"),
        SEGMENT => (segment_text(m, config), "several characters or complex background, else the safe choice"),
        ENHANCE_SEGMENT => (enhance_text(m, config), "poor quality or low sharpness"),
        CREATE_OCCLUSION => (need_words(config.dataset_needs.occlusion), "the data set needs occlusion"),
        _ => (format!("All conditions of `{}` hold", fit.strategy), "custom conditions"),
    };
    let better = fits
        .iter()
        .filter(|f| f.barred.is_none() && f.strategy != fit.strategy && f.score > fit.score)
        .max_by(|a, b| a.score.total_cmp(&b.score));
    let (reasoning, rule) = match better {
        Some(b) => {
            let text = format!("{words} | For the mix: `{}` suits it better by {:.2}", b.strategy, b.score - fit.score);
            (text, format!("mix: {rule}"))
        }
        None => (words, rule.to_owned()),
    };
    let others = fits.iter().filter(|f| f.strategy != fit.strategy).map(Fit::alternative);
    Decision {
        strategy: Some(fit.strategy.clone()),
        confidence: (0.5 + fit.margin).clamp(0.0, 1.0),
        reasoning,
        rule,
        margins: Vec::new(),
        alternatives: others.collect::<Vec<Alternative>>(),
        duplicate_of: None,
    }
}

/// The original's words where they are true, and what is not where they are not.
fn keep_text(m: &FrameMetrics, config: &CurateConfig) -> String {
    let t = &config.thresholds;
    if m.complexity < t.simple_background && m.lighting > t.good_lighting && m.occlusion < t.low_occlusion {
        return keep_words(m);
    }
    let word = |holds: bool, yes: &'static str, no: &'static str| if holds { yes } else { no };
    format!(
        "{} background (complexity={:.2}) | {} lighting (quality={:.2}) | {} occlusion (level={:.2})",
        word(m.complexity < t.simple_background, "Simple", "Rather complex"),
        m.complexity,
        word(m.lighting > t.good_lighting, "Good", "Fair"),
        m.lighting,
        word(m.occlusion < t.low_occlusion, "Low", "Some"),
        m.occlusion
    )
}

fn segment_text(m: &FrameMetrics, config: &CurateConfig) -> String {
    let t = &config.thresholds;
    let mut reasons = Vec::new();
    if m.instances >= t.multi_character {
        reasons.push(format!("Multi-character ({} instances)", m.instances));
    }
    if m.complexity > t.simple_background {
        reasons.push(format!("Complex background (complexity={:.2})", m.complexity));
    }
    if reasons.is_empty() {
        reasons.push(format!("Default strategy - safe choice (complexity={:.2})", m.complexity));
    }
    reasons.join(" | ")
}

fn enhance_text(m: &FrameMetrics, config: &CurateConfig) -> String {
    let t = &config.thresholds;
    if m.quality < t.poor_quality || m.sharpness < t.low_sharpness {
        return poor_words(m, config);
    }
    format!("Nearly poor quality (score={:.2}) | Nearly low sharpness ({:.2})", m.quality, m.sharpness)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_become_whole_numbers() {
        assert_eq!(apportion(&[0.3, 0.4, 0.15, 0.15], 10), [3, 4, 2, 1]);
        assert_eq!(apportion(&[0.0, 0.0], 3), [0, 0]);
        assert_eq!(apportion(&[1.0, 1.0, 1.0], 200).iter().sum::<usize>(), 200);
    }
}
