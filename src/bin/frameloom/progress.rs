//! Progress on standard error: a bar on a terminal, a line every ten seconds elsewhere; events with `--json`.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frameloom::core::{self, Observer};
use frameloom::pipeline::{MemoryWatch, resident};
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
    memory: Option<Arc<MemoryWatch>>,
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
        Self { mode, label: label.to_owned(), unit, total, done: 0, started: now, said: now, bar, memory: None }
    }

    /// Shows the memory of the process tree instead of that of this process.
    pub(crate) fn watching(mut self, memory: &Arc<MemoryWatch>) -> Self {
        self.memory = Some(Arc::clone(memory));
        self
    }

    fn memory(&self) -> u64 {
        self.memory.as_ref().map_or_else(|| resident().map_or(0, |r| r.anonymous), |m| m.now().total())
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
                    (format!("{}_per_second", self.unit)): rate, "memory_bytes": self.memory(),
                }),
            ),
            Mode::Lines => {
                out.note(&format!("{}: {}", self.label, line(self.done, self.total, self.unit, rate, self.memory())));
            }
            Mode::Bar | Mode::Nothing => {}
        }
    }

    /// An observer that counts what it hears of.
    pub(crate) fn counting<'a>(&'a mut self, out: &'a mut Output) -> Counting<'a> {
        Counting { bar: self, out }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Counts all that a call does.
pub(crate) struct Counting<'a> {
    bar: &'a mut Progress,
    out: &'a mut Output,
}

impl Observer for Counting<'_> {
    fn progress(&mut self, p: core::Progress) -> ControlFlow<()> {
        self.bar.add(p.done, self.out);
        ControlFlow::Continue(())
    }
}

/// Progress of a call by its stages, shown from when they are first heard of.
pub(crate) struct Stages<'a, L> {
    mode: Mode,
    label: L,
    out: &'a mut Output,
    shown: Option<(&'static str, Progress)>,
}

impl<'a, L: Fn(&str) -> String> Stages<'a, L> {
    /// Each stage is called what `label` makes of its name.
    pub(crate) fn new(mode: Mode, out: &'a mut Output, label: L) -> Self {
        Self { mode, label, out, shown: None }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        if let Some((_, bar)) = self.shown {
            bar.finish();
        }
    }
}

impl<L: Fn(&str) -> String> Observer for Stages<'_, L> {
    fn progress(&mut self, p: core::Progress) -> ControlFlow<()> {
        if let Some((_, bar)) = self.shown.take_if(|(stage, _)| *stage != p.stage) {
            bar.finish();
        }
        let new = || (p.stage, Progress::of(self.mode, &(self.label)(p.stage), p.total, p.unit));
        self.shown.get_or_insert_with(new).1.add(p.done, self.out);
        ControlFlow::Continue(())
    }
}

/// `Progress: 25.0% (50/200) - Speed: 12.1 fps - ETA: 00:12 - Memory: 165.3 MB`, without what needs a total where there is none.
fn line(done: u64, total: Option<u64>, unit: &str, rate: f64, memory: u64) -> String {
    let per_second = if unit == "frames" { "fps".to_owned() } else { format!("{unit}/s") };
    let memory = memory as f64 / f64::from(1 << 20);
    let Some(total) = total.filter(|t| *t > 0) else {
        return format!("Progress: {done} {unit} - Speed: {rate:.1} {per_second} - Memory: {memory:.1} MB");
    };
    let share = (done as f64 / total as f64 * 100.0).min(100.0);
    let left = (total.saturating_sub(done) as f64 / rate.max(1e-9)).round().min(359_999.0) as u64;
    let (hours, minutes, seconds) = (left / 3600, left / 60 % 60, left % 60);
    let eta =
        if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes:02}:{seconds:02}") };
    format!(
        "Progress: {share:.1}% ({done}/{total}) - Speed: {rate:.1} {per_second} - ETA: {eta} - Memory: {memory:.1} MB"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_what_those_of_the_video_service_said() {
        let mb = |v: f64| (v * f64::from(1 << 20)) as u64;
        assert_eq!(
            line(182, Some(728), "frames", 12.1, mb(165.3)),
            "Progress: 25.0% (182/728) - Speed: 12.1 fps - ETA: 00:45 - Memory: 165.3 MB"
        );
        assert_eq!(line(5, None, "frames", 2.0, mb(1.0)), "Progress: 5 frames - Speed: 2.0 fps - Memory: 1.0 MB");
        assert!(line(1, Some(100_000), "pictures", 10.0, 0).contains("Speed: 10.0 pictures/s - ETA: 2:46:40"));
        assert!(line(120, Some(100), "frames", 10.0, 0).starts_with("Progress: 100.0% (120/100)"));
        assert!(line(0, Some(100), "frames", 0.0, 0).contains("ETA: 99:59:59"));
    }

    #[test]
    fn auto_depends_on_json_and_terminal() {
        assert_eq!(Mode::resolve(ProgressArg::Auto, true, true), Mode::Events);
        assert_eq!(Mode::resolve(ProgressArg::Auto, false, true), Mode::Bar);
        assert_eq!(Mode::resolve(ProgressArg::Auto, false, false), Mode::Lines);
        assert_eq!(Mode::resolve(ProgressArg::None, true, true), Mode::Nothing);
    }
}
