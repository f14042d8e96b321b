//! Progress on standard error: a bar on a terminal, a line every ten seconds elsewhere; events with `--json`.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::args::ProgressArg;
use crate::output::{Output, printable};

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Bar,
    Lines,
    Events,
    Nothing,
}

impl Mode {
    /// Decides from the flag, `--json` and whether standard error is a terminal.
    pub(crate) fn resolve(arg: ProgressArg, json: bool, terminal: bool) -> Self {
        match arg {
            ProgressArg::Bar => Self::Bar,
            ProgressArg::Lines => Self::Lines,
            ProgressArg::Jsonl => Self::Events,
            ProgressArg::None => Self::Nothing,
            ProgressArg::Auto if json => Self::Events,
            ProgressArg::Auto if terminal => Self::Bar,
            ProgressArg::Auto => Self::Lines,
        }
    }
}

/// Progress of one input.
#[derive(Debug)]
pub(crate) struct Progress {
    mode: Mode,
    label: String,
    unit: &'static str,
    total: Option<u64>,
    done: u64,
    started: Instant,
    said: Instant,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Progress towards `total` frames, if known.
    pub(crate) fn new(mode: Mode, label: &str, total: Option<u64>) -> Self {
        Self::of(mode, label, total, "frames")
    }

    /// Progress towards `total` of something else than frames.
    pub(crate) fn of(mode: Mode, label: &str, total: Option<u64>, unit: &'static str) -> Self {
        let bar = (mode == Mode::Bar).then(|| {
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let style = match total {
                Some(_) => format!("{{msg}} {{wide_bar}} {{pos}}/{{len}} {unit}, {{per_sec}}, {{eta}} left"),
                None => format!("{{msg}} {{spinner}} {{pos}} {unit}, {{per_sec}}"),
            };
            if let Ok(style) = ProgressStyle::with_template(&style) {
                bar.set_style(style);
            }
            bar.set_message(printable(label));
            bar
        });
        let now = Instant::now();
        Self { mode, label: label.to_owned(), unit, total, done: 0, started: now, said: now, bar }
    }

    /// Counts frames.
    pub(crate) fn add(&mut self, frames: u64, out: &mut Output) {
        self.done += frames;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
        let pause = if self.mode == Mode::Events { Duration::from_secs(1) } else { Duration::from_secs(10) };
        if self.said.elapsed() < pause {
            return;
        }
        self.said = Instant::now();
        let rate = self.done as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        match self.mode {
            Mode::Events => out.event(
                "progress",
                json!({
                    "input": self.label, (self.unit): self.done, "total": self.total,
                    (format!("{}_per_second", self.unit)): rate,
                }),
            ),
            Mode::Lines => {
                let of = self.total.map(|t| format!(" of {t}")).unwrap_or_default();
                out.note(&format!("{}: {}{of} {}, {rate:.0}/s", self.label, self.done, self.unit));
            }
            Mode::Bar | Mode::Nothing => {}
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_depends_on_json_and_terminal() {
        assert_eq!(Mode::resolve(ProgressArg::Auto, true, true), Mode::Events);
        assert_eq!(Mode::resolve(ProgressArg::Auto, false, true), Mode::Bar);
        assert_eq!(Mode::resolve(ProgressArg::Auto, false, false), Mode::Lines);
        assert_eq!(Mode::resolve(ProgressArg::None, true, true), Mode::Nothing);
    }
}
