//! Names for tracks, from a server that knows people: the face service of the original system, without its waiting.
//!
//! Every Nth frame that is looked at is sent with the boxes in it, by HTTP POST as JSON:
//!
//! ```json
//! {"frame": 120, "seconds": 4.8, "width": 1280, "height": 720, "image": "<JPEG as base64>",
//!  "objects": [{"box": [411.0, 96.5, 88.0, 240.0], "score": 0.91, "class": "person"}]}
//! ```
//! Boxes are left, top, width and height in pixels of that picture. The answer names people by a box of their face or body, or by the position
//! of their object in the question, and says how sure it is, in percent. Who has no name is passed over.
//!
//! ```json
//! {"people": [{"name": "anna", "confidence": 97.2, "object": 0}, {"name": "ben", "confidence": 81, "box": [20, 31, 60, 66]}]}
//! ```
//! Nobody waits for it: questions lie in a queue of bounded length, and one that finds no room is dropped and counted. An answer belongs to the
//! frame that it was asked about, whenever it comes, and tracks get their names when all is over. So tracks do not depend on how fast it is.

mod asking;
mod names;
mod server;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::CancelToken;
use crate::error::Result;

pub(super) use asking::{Asking, Question};
pub(super) use names::{Named, hand_over};

/// Refuses settings with which nobody can be asked: to be called before anything is done.
///
/// # Errors
/// [`crate::Error::Config`] for an address or a key that is none; [`crate::Error::Usage`] in a build that asks nobody.
pub(super) fn check(params: &RecogniseParams) -> Result<()> {
    server::server(params, &CancelToken::new()).map(|_| ())
}

/// Settings of the recogniser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecogniseParams {
    /// Address of a server that says who is in a picture; without it nobody is asked.
    #[schemars(length(min = 1))]
    pub url: Option<String>,
    /// Asks about every Nth of the frames that are looked at.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-unit" = "frames"))]
    pub every: u32,
    /// Longest side of the picture that it gets; pictures are never made larger.
    #[schemars(range(min = 64, max = 8192), extend("x-unit" = "pixels"))]
    pub side: u32,
    /// How sure it must be.
    #[schemars(range(min = 0.0, max = 100.0), extend("x-unit" = "percent"))]
    pub confidence: f64,
    /// Name of the environment variable that holds the server's key, if it wants one.
    #[schemars(length(min = 1))]
    pub key_variable: Option<String>,
    /// Questions that may wait; one that finds no room is dropped, and counted.
    #[schemars(range(min = 1, max = 1024), extend("x-unit" = "questions"))]
    pub queue: u32,
    /// Questions asked at the same time.
    #[schemars(range(min = 1, max = 64), extend("x-unit" = "questions"))]
    pub workers: u32,
    /// Longest time for an answer, repeated attempts included.
    #[schemars(range(min = 0.01, max = 3600.0), extend("x-unit" = "seconds"))]
    pub timeout: f64,
    /// Attempts when the server is busy or failing (status 429 and 5xx).
    #[schemars(range(min = 1, max = 100), extend("x-unit" = "attempts"))]
    pub attempts: u32,
}

impl Default for RecogniseParams {
    fn default() -> Self {
        Self {
            url: None,
            every: 60,
            side: 1280,
            confidence: 50.0,
            key_variable: None,
            queue: 16,
            workers: 2,
            timeout: 10.0,
            attempts: 3,
        }
    }
}

/// Who an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Place {
    /// The detection at this position in its frame.
    Object(usize),
    /// Left, top, width and height of a face or a body, in pixels of the picture as it is shown.
    Box([f32; 4]),
}

/// Someone in a frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) name: String,
    /// In percent.
    pub(super) confidence: f64,
    pub(super) place: Place,
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(super) enum Outcome {
    Answered { people: Vec<Known> },
    Failed { reason: String },
    Dropped,
}

/// What became of the question about a frame: a line of `answers.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) frame: u64,
    pub(super) seconds: f64,
    #[serde(flatten)]
    pub(super) outcome: Outcome,
}

/// Which server was asked how often, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Recognised {
    pub(super) url: String,
    pub(super) every: u32,
    pub(super) side: u32,
    /// Frames that were due; each was answered, failed or was dropped.
    pub(super) questions: u64,
    pub(super) answered: u64,
    pub(super) failed: u64,
    pub(super) dropped: u64,
}

impl Recognised {
    pub(super) fn new(params: &RecogniseParams, answers: &[Answer]) -> Option<Self> {
        let count = |of: fn(&Outcome) -> bool| answers.iter().filter(|a| of(&a.outcome)).count() as u64;
        Some(Self {
            url: params.url.clone()?,
            every: params.every,
            side: params.side,
            questions: answers.len() as u64,
            answered: count(|o| matches!(o, Outcome::Answered { .. })),
            failed: count(|o| matches!(o, Outcome::Failed { .. })),
            dropped: count(|o| matches!(o, Outcome::Dropped)),
        })
    }

    /// What people should know of questions without an answer.
    pub(super) fn note(&self, answers: &[Answer]) -> Option<String> {
        let Self { url, questions, answered, failed, dropped, .. } = self;
        if failed + dropped == 0 {
            return None;
        }
        let first = answers.iter().find_map(|a| match &a.outcome {
            Outcome::Failed { reason } => Some(format!(" (the first at {:.2} s: {reason})", a.seconds)),
            _ => None,
        });
        let mut parts = Vec::new();
        if *failed > 0 {
            parts.push(format!("{failed} failed{}", first.unwrap_or_default()));
        }
        if *dropped > 0 {
            parts.push(format!("{dropped} found no room in the queue and were dropped"));
        }
        Some(format!("the recogniser at {url} answered {answered} of {questions} questions: {}", parts.join(", ")))
    }
}
