//! The original's decision table: the first rule that fits.

use super::Decision;
use super::rules::fits;
use crate::workflows::curate::config::CurateConfig;
use crate::workflows::curate::metrics::FrameMetrics;
use crate::workflows::curate::{CREATE_OCCLUSION, ENHANCE_SEGMENT, KEEP_FULL, SEGMENT};

/// A strategy with the original's words.
pub(super) struct Ruled {
    pub(super) strategy: &'static str,
    pub(super) rule: &'static str,
    pub(super) confidence: f64,
    pub(super) reasoning: String,
}

/// Rule 1.
pub(super) fn simple(m: &FrameMetrics, config: &CurateConfig) -> Option<Ruled> {
    let t = &config.thresholds;
    let fits = m.complexity < t.simple_background && m.lighting > t.good_lighting && m.occlusion < t.low_occlusion;
    fits.then(|| Ruled {
        strategy: KEEP_FULL,
        rule: "1 simple background, good lighting, low occlusion",
        confidence: 0.4 * (1.0 - m.complexity) + 0.4 * m.lighting + 0.2 * (1.0 - m.occlusion),
        reasoning: keep_words(m),
    })
}

pub(super) fn keep_words(m: &FrameMetrics) -> String {
    format!(
        "Simple background (complexity={:.2}) | Good lighting (quality={:.2}) | Low occlusion (level={:.2})",
        m.complexity, m.lighting, m.occlusion
    )
}

/// Rule 2.
fn complex(m: &FrameMetrics, config: &CurateConfig) -> Option<Ruled> {
    let t = &config.thresholds;
    let mut reasons = Vec::new();
    if m.instances >= t.multi_character {
        reasons.push(format!("Multi-character ({} instances)", m.instances));
    }
    if m.complexity > t.simple_background {
        reasons.push(format!("Complex background (complexity={:.2})", m.complexity));
    }
    (!reasons.is_empty()).then(|| Ruled {
        strategy: SEGMENT,
        rule: "2 several characters or complex background",
        confidence: 0.8,
        reasoning: reasons.join(" | "),
    })
}

/// Rule 3.
pub(super) fn poor(m: &FrameMetrics, config: &CurateConfig) -> Option<Ruled> {
    let t = &config.thresholds;
    (m.quality < t.poor_quality || m.sharpness < t.low_sharpness).then(|| Ruled {
        strategy: ENHANCE_SEGMENT,
        rule: "3 poor quality or low sharpness",
        confidence: 1.0 - m.quality,
        reasoning: poor_words(m, config),
    })
}

pub(super) fn poor_words(m: &FrameMetrics, config: &CurateConfig) -> String {
    let mut words = format!("Poor quality (score={:.2})", m.quality);
    if m.sharpness < config.thresholds.low_sharpness {
        words.push_str(&format!(" | Low sharpness ({:.2})", m.sharpness));
    }
    words
}

/// Rule 4.
pub(super) fn needed(config: &CurateConfig) -> Option<Ruled> {
    let need = config.dataset_needs.occlusion;
    (need > 0.5).then(|| Ruled {
        strategy: CREATE_OCCLUSION,
        rule: "4 the data set needs occlusion",
        confidence: 0.7,
        reasoning: need_words(need),
    })
}

pub(super) fn need_words(need: f64) -> String {
    format!("Dataset needs occlusion examples | Current need level: {need:.2}")
}

/// Rule 5.
fn safe() -> Ruled {
    Ruled { strategy: SEGMENT, rule: "5 default", confidence: 0.6, reasoning: "Default strategy - safe choice".into() }
}

/// The first rule that fits and whose strategy is enabled. Without parity quality comes first, so that no blurred frame is kept whole; and
/// custom strategies before all others.
pub(super) fn decide(m: &FrameMetrics, config: &CurateConfig) -> Decision {
    let fits = fits(m, config);
    let alternatives = || fits.iter().map(super::rules::Fit::alternative).collect();
    let custom = fits.iter().find(|f| f.barred.is_none() && config.target_of_own(&f.strategy).is_some());
    if let Some(fit) = custom {
        return Decision {
            strategy: Some(fit.strategy.clone()),
            confidence: (0.5 + fit.margin).clamp(0.0, 1.0),
            reasoning: format!("All conditions of `{}` hold", fit.strategy),
            rule: format!("custom {}", fit.strategy),
            margins: Vec::new(),
            alternatives: alternatives(),
            duplicate_of: None,
        };
    }
    let s = &config.strategies;
    let enabled = |strategy: &str| match strategy {
        KEEP_FULL => s.keep_full.enabled,
        SEGMENT => s.segment.enabled,
        CREATE_OCCLUSION => s.create_occlusion.enabled,
        _ => s.enhance_segment.enabled,
    };
    let ordered = if config.parity {
        [simple(m, config), complex(m, config), poor(m, config), needed(config)]
    } else {
        [poor(m, config), simple(m, config), complex(m, config), needed(config)]
    };
    let found = ordered.into_iter().flatten().chain([safe()]).find(|r| enabled(r.strategy));
    let Some(found) = found else {
        let mut none = Decision::out("none", "No enabled strategy takes it");
        none.alternatives = alternatives();
        return none;
    };
    Decision {
        strategy: Some(found.strategy.into()),
        confidence: found.confidence,
        reasoning: found.reasoning,
        rule: found.rule.into(),
        margins: Vec::new(),
        alternatives: alternatives(),
        duplicate_of: None,
    }
}
