//! More of what can be typed after `track`: who knows people.

use clap::Args;
use frameloom::config::Layers;

/// The server that knows people by name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recogniser")]
pub(crate) struct RecogniseArgs {
    /// Ask the server at this address who is in a picture; objects keep the names that it says [default: nobody is asked]
    #[arg(long, value_name = "URL")]
    pub(crate) recognise: Option<String>,
    /// Ask about every Nth of the frames that are looked at [default: 60]
    #[arg(long, value_name = "N", alias = "aws-frame-skip", alias = "aws_frame_skip")]
    pub(crate) recognise_every: Option<u32>,
    /// Longest side of the picture that it gets [default: 1280]
    #[arg(long, value_name = "PX")]
    pub(crate) recognise_side: Option<u32>,
    /// How sure it must be, in percent [default: 50]
    #[arg(long, value_name = "PERCENT")]
    pub(crate) recognise_confidence: Option<f64>,
    /// Environment variable that holds the server's key
    #[arg(long, value_name = "NAME")]
    pub(crate) recognise_key: Option<String>,
    /// Questions that may wait; one that finds no room is dropped, and counted [default: 16]
    #[arg(long, value_name = "N")]
    pub(crate) recognise_queue: Option<u32>,
    /// Questions asked at the same time [default: 2]
    #[arg(long, value_name = "N")]
    pub(crate) recognise_workers: Option<u32>,
    /// Longest time for an answer, repeated attempts included [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) recognise_timeout: Option<f64>,
    /// Attempts when the server is busy or failing [default: 3]
    #[arg(long, value_name = "N")]
    pub(crate) recognise_attempts: Option<u32>,
}

impl RecogniseArgs {
    /// Lays the flags over what was read before.
    pub(crate) fn lay(&self, layers: Layers) -> Layers {
        layers
            .flag("--recognise", "recognise.url", self.recognise.clone())
            .flag("--recognise-every", "recognise.every", self.recognise_every)
            .flag("--recognise-side", "recognise.side", self.recognise_side)
            .flag("--recognise-confidence", "recognise.confidence", self.recognise_confidence)
            .flag("--recognise-key", "recognise.key_variable", self.recognise_key.clone())
            .flag("--recognise-queue", "recognise.queue", self.recognise_queue)
            .flag("--recognise-workers", "recognise.workers", self.recognise_workers)
            .flag("--recognise-timeout", "recognise.timeout", self.recognise_timeout)
            .flag("--recognise-attempts", "recognise.attempts", self.recognise_attempts)
    }
}
