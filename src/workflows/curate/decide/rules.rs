//! How well each strategy suits a frame: conditions with their margins.

use super::{Alternative, Margin};
use crate::workflows::curate::config::{CurateConfig, CustomStrategy, Relation};
use crate::workflows::curate::metrics::{FrameMetrics, Shot};
use crate::workflows::curate::strategy::Strategy;
use crate::workflows::curate::{CREATE_OCCLUSION, ENHANCE_SEGMENT, KEEP_FULL, SEGMENT};

/// Share of a frame that the subject must take for being cut out.
const LEAST_SUBJECT: f64 = 0.005;
/// Occlusion from which a frame is covered enough.
const COVERED: f64 = 0.5;
/// What a need of 1 adds to the score of what meets it.
const NEED: f64 = 0.2;

/// How one strategy suits one frame.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fit {
    pub(super) strategy: String,
    /// Higher suits better; meaningful only where `barred` is empty.
    pub(super) score: f64,
    /// How far its own rule is fulfilled; negative where the frame takes it only for the mix.
    pub(super) margin: f64,
    /// Why the frame may not have it.
    pub(super) barred: Option<String>,
}

impl Fit {
    pub(super) fn alternative(&self) -> Alternative {
        Alternative {
            strategy: self.strategy.clone(),
            score: self.barred.is_none().then_some(self.score),
            why_not: self.barred.clone().unwrap_or_default(),
        }
    }
}

/// The first of `conditions` (figure, relation, limit) that does not hold, in words.
fn first_miss(conditions: &[(&str, f64, Relation, f64)]) -> Option<String> {
    conditions.iter().find(|(_, v, is, t)| !is.holds(*v, *t)).map(|(name, v, is, t)| {
        let wanted = match is {
            Relation::Below | Relation::AtMost => "too high",
            Relation::Above | Relation::AtLeast => "too low",
        };
        format!("{name} is {wanted}: {v:.2}, must be {} {t:.2}", is.sign())
    })
}

/// Every enabled strategy for a frame, custom ones first.
pub(super) fn fits(m: &FrameMetrics, config: &CurateConfig) -> Vec<Fit> {
    let s = &config.strategies;
    let custom = config.custom_strategies.iter().filter(|(_, c)| c.enabled).map(|(name, c)| own(name, c, m));
    let mut all: Vec<Fit> = custom.chain(config.own_strategies.iter().map(|s| in_code(s, m))).collect();
    if s.keep_full.enabled {
        all.push(keep_full(m, config));
    }
    if s.segment.enabled {
        all.push(segment(m, config));
    }
    if s.create_occlusion.enabled {
        all.push(create_occlusion(m, config));
    }
    if s.enhance_segment.enabled {
        all.push(enhance_segment(m, config));
    }
    all
}

fn own(name: &str, custom: &CustomStrategy, m: &FrameMetrics) -> Fit {
    let margin = |c: &crate::workflows::curate::config::Condition| m.get(&c.metric).map(|v| c.is.margin(v, c.value));
    let missing = custom.when.iter().find(|c| m.get(&c.metric).is_none());
    let conditions: Vec<_> =
        custom.when.iter().filter_map(|c| m.get(&c.metric).map(|v| (c.metric.as_str(), v, c.is, c.value))).collect();
    let barred = missing.map(|c| format!("{} is not known", c.metric)).or_else(|| first_miss(&conditions));
    let least = custom.when.iter().filter_map(margin).fold(1.0, f64::min);
    Fit { strategy: name.into(), score: least, margin: least, barred }
}

fn in_code(strategy: &dyn Strategy, m: &FrameMetrics) -> Fit {
    let (score, barred) = match strategy.fit(m) {
        Ok(margin) if margin.is_finite() => (margin, None),
        Ok(_) => (-1.0, Some("its rule gives no number".to_owned())),
        Err(why) => (-1.0, Some(why)),
    };
    Fit { strategy: strategy.name().into(), score, margin: score, barred }
}

fn keep_full(m: &FrameMetrics, config: &CurateConfig) -> Fit {
    let (t, needs, slack) = (&config.thresholds, &config.dataset_needs, config.decision.slack);
    let margins = [t.simple_background - m.complexity, m.lighting - t.good_lighting, t.low_occlusion - m.occlusion];
    let margin = margins.iter().copied().fold(1.0, f64::min);
    // What is missed counts twice.
    let mean = margins.iter().map(|v| if *v < 0.0 { 2.0 * v } else { *v }).sum::<f64>() / 3.0;
    let mut score = mean;
    if m.instances >= t.multi_character {
        score += NEED * needs.multi_character;
    }
    if m.shot == Shot::FarShot {
        score += NEED * needs.far_shot;
    }
    let busier = slack + 0.3 * needs.complex_bg;
    let barred = first_miss(&[
        // Never blurred, never noisy: these two have no slack.
        ("quality", m.quality, Relation::AtLeast, t.poor_quality),
        ("sharpness", m.sharpness, Relation::AtLeast, t.low_sharpness),
        ("complexity", m.complexity, Relation::Below, t.simple_background + busier),
        ("lighting", m.lighting, Relation::Above, t.good_lighting - slack),
        ("occlusion", m.occlusion, Relation::Below, t.low_occlusion + slack),
    ]);
    Fit { strategy: KEEP_FULL.into(), score, margin, barred }
}

fn subject_missing(m: &FrameMetrics, config: &CurateConfig) -> Option<String> {
    // Only a detector says that there is none; and a segmentation model finds something in every picture.
    if m.instances == 0 {
        return Some("no character was found to cut out (0 instances)".into());
    }
    let subject = m.subject?;
    let side = f64::from(config.strategies.segment.min_instance_size);
    let least = LEAST_SUBJECT.max(side * side / (f64::from(m.width) * f64::from(m.height)).max(1.0));
    (subject < least)
        .then(|| format!("the character is too small to be cut out (share {subject:.3}, at least {least:.3})"))
}

fn segment(m: &FrameMetrics, config: &CurateConfig) -> Fit {
    let (t, needs, slack) = (&config.thresholds, &config.dataset_needs, config.decision.slack);
    let many = m.instances >= t.multi_character;
    let margin = (m.complexity - t.simple_background).max(if many { 0.5 } else { -1.0 });
    // The original cuts complex frames out before it looks at their quality. Here a poor frame is better repaired first: it is cut as it is only
    // for the mix.
    let poor = (t.poor_quality - m.quality).max(t.low_sharpness - m.sharpness).max(0.0);
    let mut score = margin - poor;
    if many {
        score += NEED * needs.multi_character;
    }
    let barred = subject_missing(m, config)
        .or_else(|| first_miss(&[("quality", m.quality, Relation::AtLeast, t.poor_quality - slack)]));
    Fit { strategy: SEGMENT.into(), score, margin, barred }
}

fn create_occlusion(m: &FrameMetrics, config: &CurateConfig) -> Fit {
    let (t, need, slack) = (&config.thresholds, config.dataset_needs.occlusion, config.decision.slack);
    let margin = need - 0.5;
    // A soft frame is covered only for the mix: what is short of the threshold counts in full.
    let soft = (t.low_sharpness - m.sharpness).max(0.0);
    let score = 0.5 * (need - 0.5) + 0.3 * (m.quality - t.poor_quality) - 0.5 * m.occlusion - soft;
    let barred = first_miss(&[
        ("dataset_needs.occlusion", need, Relation::Above, 0.5),
        ("quality", m.quality, Relation::AtLeast, t.poor_quality - slack),
        ("sharpness", m.sharpness, Relation::AtLeast, t.low_sharpness - slack),
        ("occlusion", m.occlusion, Relation::Below, COVERED),
    ]);
    Fit { strategy: CREATE_OCCLUSION.into(), score, margin, barred }
}

fn enhance_segment(m: &FrameMetrics, config: &CurateConfig) -> Fit {
    let (t, slack) = (&config.thresholds, config.decision.slack);
    let margin = (t.poor_quality - m.quality).max(t.low_sharpness - m.sharpness);
    let good = (margin < -slack).then(|| {
        let (q, s) = (m.quality, m.sharpness);
        format!("it is good enough: quality {q:.2}, sharpness {s:.2}")
    });
    Fit { strategy: ENHANCE_SEGMENT.into(), score: margin, margin, barred: good }
}

/// Distances to all thresholds, in words.
pub(super) fn margins(m: &FrameMetrics, config: &CurateConfig) -> Vec<Margin> {
    let t = &config.thresholds;
    let needs = config.dataset_needs.occlusion;
    let many = f64::from(t.multi_character);
    let built_in = [
        (KEEP_FULL, "complexity", m.complexity, Relation::Below, t.simple_background),
        (KEEP_FULL, "lighting", m.lighting, Relation::Above, t.good_lighting),
        (KEEP_FULL, "occlusion", m.occlusion, Relation::Below, t.low_occlusion),
        (SEGMENT, "complexity", m.complexity, Relation::Above, t.simple_background),
        (SEGMENT, "instances", f64::from(m.instances), Relation::AtLeast, many),
        (ENHANCE_SEGMENT, "quality", m.quality, Relation::Below, t.poor_quality),
        (ENHANCE_SEGMENT, "sharpness", m.sharpness, Relation::Below, t.low_sharpness),
        (CREATE_OCCLUSION, "dataset_needs.occlusion", needs, Relation::Above, 0.5),
    ];
    let custom = config.custom_strategies.iter().filter(|(_, c)| c.enabled).flat_map(|(name, c)| {
        let of = |c: &crate::workflows::curate::config::Condition| {
            m.get(&c.metric).map(|v| said(name, &c.metric, v, c.is, c.value))
        };
        c.when.iter().filter_map(of)
    });
    let code = config.own_strategies.iter().map(|s| {
        let (by, how) = match s.fit(m) {
            Ok(by) => (by, format!("inside by {by:.2}")),
            Err(why) => (-1.0, why),
        };
        Margin { text: format!("{} by its own rule; {how}", s.name()), by }
    });
    built_in.iter().map(|(s, n, v, is, t)| said(s, n, *v, *is, *t)).chain(custom).chain(code).collect()
}

fn said(strategy: &str, name: &str, value: f64, is: Relation, limit: f64) -> Margin {
    let by = is.margin(value, limit);
    let how = if is.holds(value, limit) { format!("inside by {by:.2}") } else { format!("short by {:.2}", -by) };
    Margin { text: format!("{strategy} if {name} {} {limit:.2}; is {value:.2}, {how}", is.sign()), by }
}
