//! Decoding: what can be typed of it, for every command that decodes video.

use clap::{Args, ValueEnum};
use frameloom::Result;
use frameloom::core::Limits;
use frameloom::media::{DecodeOptions, Isolation};

use crate::args::Global;
use crate::output::limits_from;
use crate::signals::Signals;

/// The decoder.
#[derive(Debug, Clone, Args)]
pub(crate) struct DecoderArgs {
    /// Decoder threads of each video [default: number of cores, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: Option<u32>,
    /// Decode on hardware: off, auto, or a device type FFmpeg knows (vaapi, cuda, ...)
    #[arg(long, default_value = "off", value_name = "HOW")]
    hwaccel: String,
}

impl DecoderArgs {
    /// How `track` of a video is decoded, here or as `isolation` says.
    pub(crate) fn options(
        &self,
        global: &Global,
        track: usize,
        limits: Limits,
        isolation: Option<Isolation>,
        signals: &Signals,
    ) -> DecodeOptions {
        let usual = DecodeOptions::default();
        DecodeOptions {
            track,
            threads: self.threads.unwrap_or(usual.threads),
            limits,
            hardware: self.hwaccel.as_str().into(),
            cancel: signals.cancel.clone(),
            isolation,
            sharing: global.sharing.clone(),
            ..usual
        }
    }
}

/// The decoder, and what it may be given.
#[derive(Debug, Clone, Args)]
pub(crate) struct DecodeArgs {
    #[command(flatten)]
    pub(crate) decoder: DecoderArgs,
    /// Override a limit for untrusted input
    #[arg(long = "limit", value_name = "NAME=N")]
    limits: Vec<String>,
}

impl DecodeArgs {
    /// Limits for the input.
    pub(crate) fn limits(&self) -> Result<Limits> {
        limits_from(&self.limits)
    }

    /// How `track` of a video is decoded, here or as `isolation` says.
    pub(crate) fn options(
        &self,
        global: &Global,
        track: usize,
        isolation: Option<Isolation>,
        signals: &Signals,
    ) -> Result<DecodeOptions> {
        Ok(self.decoder.options(global, track, self.limits()?, isolation, signals))
    }
}

/// Decoder processes.
#[derive(Debug, Clone, Args)]
pub(crate) struct IsolateArgs {
    /// Decode each video in a process of its own, which an input may crash without harm; never changes results
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "on", require_equals = true, value_name = "on|off")]
    isolate: Option<Switch>,
    /// CPU seconds that a decoder process may use
    #[arg(long, default_value_t = 172_800, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    decoder_cpu_seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl IsolateArgs {
    /// How videos are decoded, if apart. `usual` says what happens without the flag; `memory` is what one decoder may allocate, in bytes:
    /// the limit of the command. What the whole may hold is more than a decoder may, so this is for one that runs away.
    pub(crate) fn isolation(&self, usual: bool, memory: u64) -> Result<Option<Isolation>> {
        if !self.isolate.map_or(usual, |s| s == Switch::On) {
            return Ok(None);
        }
        let mut isolation = Isolation::this_program()?;
        isolation.cpu_seconds = self.decoder_cpu_seconds;
        isolation.memory_bytes = memory;
        Ok(Some(isolation))
    }
}
