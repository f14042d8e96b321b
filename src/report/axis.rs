//! Axes: ranges, ticks at numbers that people like, labels.

/// Steps for time below a day, in seconds, from one second on.
const TIME_STEPS: [f64; 17] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0, 21600.0,
    43200.0,
];

/// A range and its ticks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Numbers from `low` to `high`, with about `wanted` ticks.
    pub(super) fn numbers(low: f64, high: f64, wanted: usize) -> Self {
        let (low, high) = sane(low, high);
        Self::stepped(low, high, nice_step((high - low) / wanted.max(1) as f64))
    }

    /// As [`Axis::numbers`], with the range widened to whole ticks.
    pub(super) fn rounded_numbers(low: f64, high: f64, wanted: usize) -> Self {
        let (low, high) = sane(low, high);
        let step = nice_step((high - low) / wanted.max(1) as f64);
        // The tolerance keeps a range that ends on a tick from growing by one.
        let (low, high) = ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step);
        Self::stepped(low, high, step)
    }

    fn stepped(low: f64, high: f64, step: f64) -> Self {
        let label = |v| number_label(v, step, low.abs().max(high.abs()));
        Self { low, high, ticks: ticks(low, high, step).into_iter().map(|v| (v, label(v))).collect() }
    }

    /// Seconds, as `0.25 s`, `1:30` or `2:05:00`.
    pub(super) fn time(low: f64, high: f64, wanted: usize) -> Self {
        let (low, high) = sane(low, high);
        let raw = (high - low) / wanted.max(1) as f64;
        let step = if raw <= 0.5 {
            nice_step(raw)
        } else {
            let days = || nice_step(raw / 86_400.0) * 86_400.0;
            TIME_STEPS.into_iter().find(|s| *s >= raw).unwrap_or_else(days)
        };
        let label = |v| time_label(v, step, high);
        Self { low, high, ticks: ticks(low, high, step).into_iter().map(|v| (v, label(v))).collect() }
    }

    /// 0 at `low`, 1 at `high`; clamped.
    pub(super) fn unit(&self, v: f64) -> f64 {
        ((v - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// A range that can be divided by.
fn sane(low: f64, high: f64) -> (f64, f64) {
    if !low.is_finite() || !high.is_finite() || low > high {
        return (0.0, 1.0);
    }
    let least = low.abs().max(high.abs()) * 1e-9;
    if high - low > least {
        return (low, high);
    }
    let pad = if low == 0.0 { 0.5 } else { low.abs() * 0.1 };
    (low - pad, high + pad)
}

/// The least of 1, 2, 5 times a power of ten that is not below `raw`.
fn nice_step(raw: f64) -> f64 {
    let power = 10f64.powf(raw.max(f64::MIN_POSITIVE).log10().floor());
    let found = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw * (1.0 - 1e-9));
    found.unwrap_or(10.0 * power)
}

fn ticks(low: f64, high: f64, step: f64) -> Vec<f64> {
    let (first, last) = ((low / step - 1e-6).ceil(), (high / step + 1e-6).floor());
    let count = (last - first + 1.0).clamp(0.0, 50.0) as usize;
    // Adding zero turns -0 into 0.
    (0..count).map(|i| (first + i as f64) * step + 0.0).collect()
}

fn decimals(step: f64) -> usize {
    (-step.log10() - 1e-9).ceil().max(0.0) as usize
}

fn number_label(v: f64, step: f64, largest: f64) -> String {
    if largest >= 1e7 || step < 1e-5 {
        return if v == 0.0 { "0".into() } else { format!("{v:.1e}") };
    }
    let (v, step, suffix) = if largest >= 1e4 { (v / 1e3, step / 1e3, "k") } else { (v, step, "") };
    if v == 0.0 { "0".into() } else { minus(format!("{v:.*}{suffix}", decimals(step))) }
}

fn minus(text: String) -> String {
    text.replacen('-', "\u{2212}", 1)
}

/// Seconds as text, as fine as `step` asks for.
pub(super) fn time_label(seconds: f64, step: f64, largest: f64) -> String {
    if step < 1.0 {
        return minus(format!("{seconds:.*} s", decimals(step)));
    }
    let total = seconds.abs().round() as u64;
    let (h, m, s) = (total / 3600, total / 60 % 60, total % 60);
    let sign = if seconds < 0.0 { "\u{2212}" } else { "" };
    if largest < 3600.0 { format!("{sign}{m}:{s:02}") } else { format!("{sign}{h}:{m:02}:{s:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, l)| l.as_str()).collect()
    }

    #[test]
    fn ticks_are_nice() {
        assert_eq!(labels(&Axis::numbers(0.0, 1.0, 5)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&Axis::numbers(-3.0, 3.0, 4)), ["\u{2212}2", "0", "2"]);
        assert_eq!(labels(&Axis::numbers(0.0, 25_000.0, 5)), ["0", "5k", "10k", "15k", "20k", "25k"]);
        let wide = Axis::rounded_numbers(0.13, 0.91, 4);
        assert!((wide.low, wide.high) == (0.0, 1.0), "{wide:?}");
    }

    #[test]
    fn time_is_written_as_time() {
        assert_eq!(labels(&Axis::time(0.0, 95.0, 7)), ["0:00", "0:15", "0:30", "0:45", "1:00", "1:15", "1:30"]);
        assert_eq!(labels(&Axis::time(0.0, 10_800.0, 4)), ["0:00:00", "1:00:00", "2:00:00", "3:00:00"]);
        assert_eq!(labels(&Axis::time(0.0, 1.0, 4)), ["0.0 s", "0.5 s", "1.0 s"]);
    }

    #[test]
    fn impossible_ranges_become_possible() {
        for (low, high) in
            [(1.0, 1.0), (0.0, 0.0), (f64::NAN, 1.0), (2.0, 1.0), (1e300, 1e300), (-5.0, -5.0), (0.0, 1e-300)]
        {
            for axis in [Axis::numbers(low, high, 5), Axis::time(low, high, 5), Axis::rounded_numbers(low, high, 5)] {
                assert!(axis.low < axis.high && axis.ticks.len() <= 51, "{low} {high}: {axis:?}");
                assert!(axis.unit(low).is_nan() == low.is_nan());
            }
        }
    }
}
