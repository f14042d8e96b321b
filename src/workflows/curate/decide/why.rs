//! Why a share is not what it should be: the frames that there are, and the rules that bar the others.

use std::collections::BTreeMap;

use super::assign::Scores;
use super::balance;
use super::mix::MixLine;
use super::rules::Fit;

/// Reasons that are said of a strategy.
const SAID: usize = 3;

/// An assignment that was made.
pub(super) struct Shown<'a> {
    pub(super) scores: &'a [Scores],
    /// Names of the strategies, in the order of everything here.
    pub(super) names: &'a [String],
    pub(super) targets: &'a [f64],
    pub(super) fixed: &'a [usize],
    /// How each frame suits, and where it went.
    pub(super) pool: &'a [(&'a [Fit], Option<usize>)],
    /// Frames with a strategy that has a target.
    pub(super) total: usize,
    /// Whether frames could be left out for the mix.
    pub(super) dropping: bool,
}

/// The rule that a reason states, without the figures of the frame.
fn rule(reason: &str) -> &str {
    let short = reason.split(':').next().unwrap_or(reason).trim();
    short.split(" (").next().unwrap_or(short)
}

/// What bars frames of `pool` from `strategy`, and how many.
pub(super) fn barred(pool: &[(&[Fit], Option<usize>)], strategy: &str) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for (fits, _) in pool {
        if let Some(reason) = fits.iter().find(|f| f.strategy == strategy).and_then(|f| f.barred.as_deref()) {
            *reasons.entry(rule(reason).to_owned()).or_default() += 1;
        }
    }
    reasons
}

/// The commonest of `reasons`, most first: `120 because sharpness is too low`.
fn commonest(reasons: &BTreeMap<String, usize>) -> String {
    let mut reasons: Vec<(&String, &usize)> = reasons.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
    let said: Vec<String> = reasons.iter().take(SAID).map(|(why, n)| format!("{n} because {why}")).collect();
    said.join(", ")
}

impl Shown<'_> {
    /// Why strategy `s` has another share than it should; nothing to say where it has it.
    pub(super) fn why(&self, s: usize, line: &MixLine) -> String {
        let load = self.pool.iter().filter(|(_, at)| *at == Some(s)).count() + self.fixed.get(s).copied().unwrap_or(0);
        let aim = line.target * self.total as f64;
        if (load as f64) < aim { self.too_few(s, line, aim) } else { self.too_many(s, line, load) }
    }

    fn too_few(&self, s: usize, line: &MixLine, aim: f64) -> String {
        let (wanted, total, eligible) = (aim.round(), self.total, line.eligible);
        let barred = commonest(&line.barred);
        let barred = if barred.is_empty() { String::new() } else { format!("; barred: {barred}") };
        let alone = format!("{wanted} frames wanted, {eligible} of {total} may have it");
        if (eligible as f64) >= aim
            && let Some(contest) = balance::contested(self.scores, self.targets, self.fixed, self.total, s)
        {
            let all: Vec<&str> = contest.strategies.iter().filter_map(|s| self.name(*s)).collect();
            return format!(
                "{alone}, but {} together want {} and {} may have one of them{barred}",
                all.join(" and "),
                contest.wanted,
                contest.there
            );
        }
        format!("{alone}{barred}")
    }

    fn too_many(&self, s: usize, line: &MixLine, load: usize) -> String {
        let mine = || self.pool.iter().zip(self.scores).filter(|((_, at), _)| *at == Some(s));
        let captive: Vec<(&[Fit], Option<usize>)> =
            mine().filter(|(_, f)| f.iter().flatten().count() == 1).map(|(p, _)| *p).collect();
        if (captive.len() as f64) <= line.target * self.total as f64 {
            let what = "other strategies are short of frames; what they may not have is shared out by the targets";
            let more = if self.dropping { "" } else { "; with decision.surplus = drop it would be left out" };
            return format!("{load} frames: {what}{more}");
        }
        let mut parts = vec![format!("{} of its {load} frames may have no other strategy", captive.len())];
        let others = self.targets.iter().enumerate().filter(|(other, t)| *other != s && **t > 0.0);
        for name in others.filter_map(|(other, _)| self.name(other)) {
            let reasons = barred(&captive, name);
            if !reasons.is_empty() {
                parts.push(format!("not {name}: {}", commonest(&reasons)));
            }
        }
        if self.dropping {
            parts.push(format!("no number of frames gives {} its share", line.strategy));
        } else {
            parts.push("with decision.surplus = drop the worst would be left out".into());
        }
        parts.join("; ")
    }

    fn name(&self, s: usize) -> Option<&str> {
        self.names.get(s).map(String::as_str)
    }
}
