//! Reduce: figures to decisions. No pixel is touched, so other thresholds take no time.
//!
//! Two engines: the original's table, frame by frame, and an assignment of all frames at once that reaches the wanted shares as far as the
//! frames allow, and says where they do not.

mod assign;
mod balance;
mod duplicates;
mod ledger;
mod mix;
mod rules;
mod shots;
mod table;
mod tune;
mod why;

pub(super) use balance::MOST;
pub use ledger::{explain, ledger_schema, read_ledger, write_ledger};
pub use mix::{Mix, MixLine};
pub use shots::ShotLine;
pub use tune::{Tuned, tune};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::{CurateConfig, Engine};
use super::metrics::FrameEntry;
use crate::error::{Error, Result};

/// Word for a frame that is left out, in overrides.
pub const DROP: &str = "drop";

/// How far a figure lies from a threshold.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Margin {
    /// In words: `keep_full if complexity < 0.30; is 0.28, inside by 0.02`.
    pub text: String,
    /// Positive inside, negative outside.
    pub by: f64,
}

/// Another strategy that the frame could have had.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Its name.
    pub strategy: String,
    /// How well it suits the frame, about -1..=1; nothing where it is out of the question.
    pub score: Option<f64>,
    /// Why it is out of the question.
    pub why_not: String,
}

/// What is done with a frame, and why.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The strategy; nothing for a frame that is left out.
    pub strategy: Option<String>,
    /// 0..=1.
    pub confidence: f64,
    /// Why, as the original says it: parts joined by ` | `.
    pub reasoning: String,
    /// The rule that decided.
    pub rule: String,
    /// Distances to all thresholds.
    pub margins: Vec<Margin>,
    /// The other strategies.
    pub alternatives: Vec<Alternative>,
    /// The frame that this one nearly repeats.
    pub duplicate_of: Option<String>,
}

/// All decisions, one for each entry, and what came of the wanted shares.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq)]
pub struct Decisions {
    /// In order of the entries.
    pub all: Vec<Decision>,
    /// Wanted and reached shares.
    pub mix: Mix,
    /// Wanted and reached kinds of shots.
    pub shots: Vec<ShotLine>,
}

impl Decision {
    /// A frame that is left out.
    pub(super) fn out(rule: &str, why: impl Into<String>) -> Self {
        Self {
            strategy: None,
            confidence: 1.0,
            reasoning: why.into(),
            rule: rule.into(),
            margins: Vec::new(),
            alternatives: Vec::new(),
            duplicate_of: None,
        }
    }
}

/// Decides on all `entries`. `overrides` names frames (by output name or file name) and the strategy they get, or [`DROP`].
///
/// # Errors
/// [`Error::Usage`] for an override of an unknown frame or strategy.
pub fn decide(
    entries: &[FrameEntry],
    config: &CurateConfig,
    overrides: &BTreeMap<String, String>,
) -> Result<Decisions> {
    let forced = forced(entries, config, overrides)?;
    let mut all: Vec<Option<Decision>> = entries.iter().map(|e| unusable(e, config)).collect();
    let free = |all: &[Option<Decision>]| -> Vec<usize> {
        let open = |i: &usize| matches!(all.get(*i), Some(None)) && !forced.contains_key(i);
        (0..entries.len()).filter(open).collect()
    };
    if !config.parity {
        for repeat in duplicates::find(entries, &free(&all), &config.decision) {
            let name = entries.get(repeat.of).map(|e| e.name.clone()).unwrap_or_default();
            let why = format!("Nearly the same as `{name}`, which is the better one ({})", repeat.how);
            set(&mut all, repeat.frame, Decision { duplicate_of: Some(name), ..Decision::out("near-duplicate", why) });
        }
        for i in shots::surplus(entries, &free(&all), &config.decision) {
            let why = format!("Not among the best {} frames with balanced shots", config.decision.keep);
            set(&mut all, i, Decision::out("keep", why));
        }
    }
    let open = free(&all);
    let engine = if config.parity { Engine::Table } else { config.decision.engine };
    let mut fixed: BTreeMap<String, usize> = BTreeMap::new();
    for name in forced.values().flatten() {
        *fixed.entry(name.clone()).or_default() += 1;
    }
    let (found, mut mix) = match engine {
        Engine::Table => {
            let found: Vec<(usize, Decision)> = open
                .iter()
                .filter_map(|i| entries.get(*i)?.metrics.as_ref().map(|m| (*i, table::decide(m, config))))
                .collect();
            let mix = Mix::plain(config);
            (found, mix)
        }
        Engine::Assignment => mix::reach(entries, &open, config, &fixed),
    };
    for (i, decision) in found {
        set(&mut all, i, decision);
    }
    for (i, strategy) in &forced {
        let why = "Decided by hand".to_owned();
        let decision = match strategy {
            Some(name) => Decision { strategy: Some(name.clone()), ..Decision::out("override", why) },
            None => Decision::out("override", why),
        };
        set(&mut all, *i, decision);
    }
    let all: Vec<Decision> =
        all.into_iter().map(|d| d.unwrap_or_else(|| Decision::out("none", "No strategy is enabled for it"))).collect();
    mix.count(all.iter().filter_map(|d| d.strategy.as_deref()));
    let taken = entries.iter().zip(&all).filter(|(_, d)| d.strategy.is_some()).filter_map(|(e, _)| e.metrics.as_ref());
    let shots = shots::coverage(taken, &config.decision);
    let mut all = all;
    for (entry, decision) in entries.iter().zip(&mut all) {
        if let Some(metrics) = &entry.metrics {
            decision.margins = rules::margins(metrics, config);
        }
    }
    Ok(Decisions { all, mix, shots })
}

fn set(all: &mut [Option<Decision>], i: usize, decision: Decision) {
    if let Some(slot) = all.get_mut(i) {
        *slot = Some(decision);
    }
}

/// Frames that cannot be used at all.
fn unusable(entry: &FrameEntry, config: &CurateConfig) -> Option<Decision> {
    let Some(metrics) = &entry.metrics else {
        let why = entry.error.clone().unwrap_or_else(|| "it could not be read".into());
        return Some(Decision::out("unreadable", why));
    };
    let least = config.decision.min_contrast;
    (!config.parity && metrics.contrast < least).then(|| {
        Decision::out("empty", format!("Nothing to see (contrast={:.3}, at least {least:.3})", metrics.contrast))
    })
}

/// Frames decided by hand, and on what: a strategy, or nothing.
fn forced(
    entries: &[FrameEntry],
    config: &CurateConfig,
    overrides: &BTreeMap<String, String>,
) -> Result<BTreeMap<usize, Option<String>>> {
    let folders = config.folders();
    let mut found = BTreeMap::new();
    for (frame, strategy) in overrides {
        let at =
            entries.iter().position(|e| e.name == *frame).or_else(|| entries.iter().position(|e| e.label() == *frame));
        let usable = at.filter(|i| entries.get(*i).is_some_and(|e| e.metrics.is_some()));
        let at = usable.ok_or_else(|| Error::Usage {
            message: format!("an override names `{frame}`, which is no readable frame of this run"),
            hint: Some("frames are named as in the ledger: `name`, or the name of the file".into()),
        })?;
        if strategy != DROP && !folders.contains(strategy) {
            return Err(Error::usage(format!(
                "an override gives `{frame}` the strategy `{strategy}`; there are {} and {DROP}",
                folders.join(", ")
            )));
        }
        found.insert(at, (strategy != DROP).then(|| strategy.clone()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
