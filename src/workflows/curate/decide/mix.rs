//! The wanted shares: how near they can be come, and why no nearer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::assign::{Scores, assign};
use super::rules::{Fit, fits};
use super::table::{keep_words, need_words, poor_words};
use super::{Alternative, Decision};
use crate::workflows::curate::config::{CurateConfig, Surplus};
use crate::workflows::curate::metrics::{FrameEntry, FrameMetrics};
use crate::workflows::curate::{CREATE_OCCLUSION, ENHANCE_SEGMENT, KEEP_FULL, SEGMENT};

/// Points of a hundred by which a share may miss its target.
pub(super) const TOLERANCE: f64 = 0.03;
/// Scores as integers.
const SCALE: f64 = 1e6;

/// A strategy's share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixLine {
    /// Its name.
    pub strategy: String,
    /// Wanted share of the frames, 0..=1.
    pub target: f64,
    /// Frames that got it.
    pub frames: usize,
    /// Their share, 0..=1.
    pub share: f64,
    /// Frames that may have it at all.
    pub eligible: usize,
    /// Whether the share is within 3 points of the target.
    pub reached: bool,
    /// Why not, where it is not.
    pub why: String,
}

/// All shares.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Mix {
    /// One line a strategy.
    pub lines: Vec<MixLine>,
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
            reached: false,
            why: String::new(),
        };
        Self { lines: config.wanted().into_iter().map(line).collect() }
    }

    /// Counts what became of it.
    pub(super) fn count<'a>(&mut self, strategies: impl Iterator<Item = &'a str>) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for s in strategies {
            *counts.entry(s).or_default() += 1;
        }
        let all = counts.values().sum::<usize>().max(1);
        for line in &mut self.lines {
            line.frames = counts.get(line.strategy.as_str()).copied().unwrap_or(0);
            line.share = line.frames as f64 / all as f64;
            line.reached = (line.share - line.target).abs() <= TOLERANCE + 0.5 / all as f64;
            if line.reached {
                line.why.clear();
            } else if line.why.is_empty() {
                line.why = "each frame was decided on alone, whatever the wanted shares".into();
            }
        }
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

/// `total` shared out by weights, none getting more than its limit: `(weight, limit)` each.
fn shared_out(total: usize, of: &[(f64, usize)]) -> Vec<usize> {
    let mut got = vec![0usize; of.len()];
    loop {
        let left = total.saturating_sub(got.iter().sum());
        let open: Vec<f64> = of.iter().zip(&got).map(|((w, most), g)| if g < most { *w } else { 0.0 }).collect();
        let more = apportion(&open, left);
        let before = got.clone();
        for ((g, more), (_, most)) in got.iter_mut().zip(more).zip(of) {
            *g = (*g + more).min(*most);
        }
        if got == before {
            return got;
        }
    }
}

/// Quotas that the frames allow: what may have no other strategy is fixed, then what cannot get enough; the rest is shared anew.
fn settle(scores: &[Scores], targets: &[f64], fixed: &[usize]) -> Vec<Option<usize>> {
    let may = |f: &Scores, s: usize| f.get(s).is_some_and(Option::is_some);
    let placeable = scores.iter().filter(|f| f.iter().any(Option::is_some)).count();
    let total = placeable + fixed.iter().sum::<usize>();
    let eligible: Vec<usize> = (0..targets.len()).map(|s| scores.iter().filter(|f| may(f, s)).count()).collect();
    let captive = |s: usize| scores.iter().filter(|f| may(f, s) && f.iter().flatten().count() == 1).count();
    let captive: Vec<usize> = (0..targets.len()).map(captive).collect();
    let mut bound: Vec<Option<usize>> = vec![None; targets.len()];
    loop {
        let open: Vec<f64> = targets.iter().zip(&bound).map(|(t, b)| if b.is_some() { 0.0 } else { *t }).collect();
        let taken: usize = bound.iter().flatten().sum();
        let shares = apportion(&open, total.saturating_sub(taken));
        let counts = shares.iter().zip(&bound).map(|(s, b)| b.unwrap_or(*s));
        // Frames decided by hand count for their strategy.
        let quotas: Vec<usize> = counts.zip(fixed).map(|(c, f)| c.saturating_sub(*f)).collect();
        let rows = || quotas.iter().zip(&bound).enumerate().filter(|(_, (_, b))| b.is_none());
        let held = |s: usize| fixed.get(s).copied().unwrap_or(0);
        let mut next: Vec<(usize, usize)> =
            rows().filter_map(|(s, (q, _))| captive.get(s).filter(|c| *c > q).map(|c| (s, c + held(s)))).collect();
        let mut at = Vec::new();
        if next.is_empty() {
            at = assign(scores, &quotas);
            // Several strategies may be short of the same frames: what there is they share by their targets.
            let load = |s: usize| at.iter().filter(|a| **a == Some(s)).count();
            let short: Vec<usize> = rows().filter(|(s, (q, _))| load(*s) < **q).map(|(s, _)| s).collect();
            let of = |s: &usize| (targets.get(*s).copied().unwrap_or(0.0), eligible.get(*s).copied().unwrap_or(0));
            let there = short.iter().map(|s| load(*s)).sum();
            let counts = shared_out(there, &short.iter().map(of).collect::<Vec<_>>());
            next = short.iter().zip(counts).map(|(s, n)| (*s, n + held(*s))).collect();
        }
        if next.is_empty() || bound.iter().all(Option::is_some) {
            return if at.is_empty() { assign(scores, &quotas) } else { at };
        }
        for (s, count) in next {
            if let Some(b) = bound.get_mut(s) {
                *b = Some(count);
            }
        }
    }
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
        let first = fits
            .iter()
            .find(|f| f.barred.is_none() && config.custom_strategies.get(&f.strategy).is_some_and(|c| c.target == 0.0));
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
    let mut at = settle(&scores, &targets, &fixed);
    if config.decision.surplus == Surplus::Drop {
        drop_surplus(&scores, &targets, &fixed, &mut at);
    }
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
    let total = decisions.iter().filter(|(_, d)| d.strategy.is_some()).count() + fixed.iter().sum::<usize>();
    for (s, line) in mix.lines.iter_mut().enumerate() {
        let may = scores.iter().filter(|f| f.get(s).is_some_and(Option::is_some));
        let only = scores.iter().zip(&at).filter(|(f, a)| **a == Some(s) && f.iter().flatten().count() == 1).count();
        line.eligible = may.count() + fixed.get(s).copied().unwrap_or(0);
        let load = at.iter().filter(|a| **a == Some(s)).count() + fixed.get(s).copied().unwrap_or(0);
        line.why = why(line, load, total, only, &pool);
    }
    (decisions, mix)
}

/// Why a strategy has another share than it should.
fn why(line: &MixLine, load: usize, total: usize, only: usize, pool: &[(usize, &FrameMetrics, Vec<Fit>)]) -> String {
    let aim = line.target * total as f64;
    if (load as f64) < aim {
        // The reasons that bar most frames, most first.
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for (_, _, fits) in pool {
            let barred = fits.iter().find(|f| f.strategy == line.strategy).and_then(|f| f.barred.as_deref());
            if let Some(text) = barred {
                let short = text.split(':').next().unwrap_or(text).trim();
                let short = short.split(" (").next().unwrap_or(short);
                *reasons.entry(short.to_owned()).or_default() += 1;
            }
        }
        let mut reasons: Vec<(String, usize)> = reasons.into_iter().collect();
        reasons.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let said: Vec<String> = reasons.iter().take(3).map(|(why, n)| format!("{n} because {why}")).collect();
        let wanted = aim.round();
        let rest = if said.is_empty() { String::new() } else { format!("; barred: {}", said.join(", ")) };
        return format!("{wanted} frames wanted, {} of {total} may have it{rest}", line.eligible);
    }
    format!(
        "{only} of its {load} frames may have no other strategy; with decision.surplus = drop the worst would be left out"
    )
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

/// Leaves out the frames that suit worst, until no strategy has more than its share.
fn drop_surplus(scores: &[Scores], targets: &[f64], fixed: &[usize], at: &mut [Option<usize>]) {
    let load = |at: &[Option<usize>], s: usize| at.iter().filter(|a| **a == Some(s)).count();
    let totals = targets.iter().zip(fixed).enumerate().filter(|(_, (t, _))| **t > 0.0);
    let total = totals.map(|(s, (t, f))| (load(at, s) + f) as f64 / t).fold(f64::INFINITY, f64::min);
    if !total.is_finite() {
        return;
    }
    for (s, (target, fixed)) in targets.iter().zip(fixed).enumerate() {
        let most = ((target * total).round() as usize).saturating_sub(*fixed);
        let own = |i: &usize| at.get(*i).is_some_and(|a| *a == Some(s));
        let mut mine: Vec<usize> = (0..scores.len()).filter(own).collect();
        let score = |i: &usize| scores.get(*i).and_then(|f| f.get(s).copied().flatten()).unwrap_or(i64::MIN);
        mine.sort_by(|a, b| score(b).cmp(&score(a)).then(a.cmp(b)));
        for i in mine.into_iter().skip(most) {
            if let Some(slot) = at.get_mut(i) {
                *slot = None;
            }
        }
    }
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

    #[test]
    fn what_one_cannot_get_goes_to_the_others_by_their_targets() {
        // 100 frames; ten may go to 2; all may go to 0 and 1.
        let scores: Vec<Scores> = (0..100).map(|i| vec![Some(i), Some(0), (i < 10).then_some(0)]).collect();
        let at = settle(&scores, &[0.4, 0.2, 0.4], &[0, 0, 0]);
        let count = |s| at.iter().filter(|a| **a == Some(s)).count();
        assert_eq!(count(2), 10);
        assert_eq!((count(0), count(1)), (60, 30));
        // 0 and 2 both want the same twenty frames.
        let scores: Vec<Scores> =
            (0..100).map(|i| vec![(i < 20).then_some(5), Some(3), (i < 20).then_some(1), Some(2)]).collect();
        let at = settle(&scores, &[0.3, 0.4, 0.15, 0.15], &[0; 4]);
        let count = |s| at.iter().filter(|a| **a == Some(s)).count();
        assert_eq!([count(0), count(1), count(2), count(3)], [13, 58, 7, 22]);
    }
}
