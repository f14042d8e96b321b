//! Captions from what was measured.

use super::{CaptionRequest, Captioner, joined};
use crate::error::Result;

/// Puts measures into words: the prefix, `well-lit`, `sharp focus`, and `simple background` or `detailed environment`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TemplateCaptioner {
    /// Lighting above this is `well-lit`.
    pub lighting: f64,
    /// Sharpness above this is `sharp focus`.
    pub sharpness: f64,
    /// Complexity below this is a `simple background`.
    pub complexity: f64,
}

impl Default for TemplateCaptioner {
    fn default() -> Self {
        Self { lighting: 0.7, sharpness: 0.6, complexity: 0.3 }
    }
}

impl Captioner for TemplateCaptioner {
    /// Never fails. Without facts it is the prefix alone.
    fn caption(&mut self, request: &CaptionRequest<'_>) -> Result<String> {
        let Some(facts) = request.facts else {
            return Ok(joined([request.prefix]));
        };
        let light = if facts.lighting > self.lighting { "well-lit" } else { "" };
        let focus = if facts.sharpness > self.sharpness { "sharp focus" } else { "" };
        let place = if facts.complexity < self.complexity { "simple background" } else { "detailed environment" };
        Ok(joined([request.prefix, light, focus, place]))
    }
}

#[cfg(test)]
mod tests {
    use super::super::CaptionFacts;
    use super::*;

    #[test]
    fn measures_become_words() {
        let say = |prefix, facts| {
            TemplateCaptioner::default().caption(&CaptionRequest { prefix, facts, picture: None }).unwrap()
        };
        let facts = |complexity, lighting, sharpness| Some(CaptionFacts { complexity, lighting, sharpness });
        assert_eq!(
            say("a 3d animated character", facts(0.1, 0.8, 0.7)),
            "a 3d animated character, well-lit, sharp focus, simple background"
        );
        // The limits themselves are not beyond the limits.
        assert_eq!(say("a cat", facts(0.3, 0.7, 0.6)), "a cat, detailed environment");
        assert_eq!(say("", facts(0.2, 0.0, 0.9)), "sharp focus, simple background");
        assert_eq!(say(" a dog ", None), "a dog");
        let mut strict = TemplateCaptioner { lighting: 0.9, sharpness: 0.9, complexity: 0.05 };
        let request = CaptionRequest { prefix: "x", facts: facts(0.1, 0.8, 0.7), picture: None };
        assert_eq!(strict.caption(&request).unwrap(), "x, detailed environment");
    }
}
