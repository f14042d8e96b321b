//! Which frames of the video are matched, and when their pictures are shown.

use serde::{Deserialize, Serialize};

use crate::core::{FrameInfo, Rational};
use crate::error::{Error, Result};

/// A frame that is matched.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct UsedFrame {
    /// Its number in the video, from 0.
    pub frame: u64,
    /// When it is shown, in seconds of the video's own time.
    pub seconds: f64,
    /// Time of the first output picture in units of [`Timeline::time_base`].
    pub pts: i64,
    /// Output pictures that it is shown in, [`Timeline::step`] apart.
    pub count: u32,
}

/// Maps the frames of a video to output pictures, frame by frame.
///
/// Without a rate every frame is shown at its own time. With one, output picture `n` is at `n / rate` after the first frame, and shows the
/// frame whose time is nearest, the earlier of two that are as near; there are as many as fill the video's duration, to the nearest.
#[derive(Debug, Clone)]
pub struct Timeline {
    source: Rational,
    rate: Option<Rational>,
    /// Seconds after which nothing is shown.
    limit: Option<f64>,
    time_base: Rational,
    step: i64,
    start: Option<i64>,
    /// End of the last frame, in units of `source`.
    end: i64,
    /// Time of the last frame.
    last: i64,
    /// With a rate, number and time of the last frame that is not over: which pictures show it depends on the time of the next one. Durations do
    /// not say it, for containers often have no other than the usual one.
    held: Option<(u64, i64)>,
    /// Frames seen.
    seen: u64,
    /// Output pictures so far.
    next: u64,
    over: bool,
}

impl Timeline {
    /// For frames whose times are in `source`.
    ///
    /// # Errors
    /// [`Error::Config`] for a rate of 0 or above 1000 per second.
    pub fn new(source: Rational, rate: Option<Rational>, limit: Option<f64>) -> Result<Self> {
        let (mut time_base, mut step) = (source, 0);
        if let Some(rate) = rate {
            if rate.num <= 0 || rate.den <= 0 || rate.as_f64() > 1000.0 {
                let message = format!("must be above 0 and at most 1000 frames per second, got {rate}");
                return Err(Error::Config { field: "fps_override".into(), message });
            }
            // Fine enough for the first frame to keep its place beside the sound.
            let fine = (90_000 / rate.num).max(1);
            time_base = Rational { num: 1, den: rate.num.saturating_mul(fine) };
            step = i64::from(rate.den) * i64::from(fine);
        }
        if limit.is_some_and(|l| l.is_nan() || l <= 0.0) {
            return Err(Error::Config { field: "demo_seconds".into(), message: "must be above 0".into() });
        }
        Ok(Self {
            source,
            rate,
            limit,
            time_base,
            step,
            start: None,
            end: 0,
            last: 0,
            held: None,
            seen: 0,
            next: 0,
            over: false,
        })
    }

    /// Unit of output times.
    pub fn time_base(&self) -> Rational {
        self.time_base
    }

    /// From one output picture to the next, with a rate; 0 without.
    pub fn step(&self) -> i64 {
        self.step
    }

    /// Whether the limit was reached: later frames are of no use.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether [`Self::take`] gives the frame before the one it takes.
    pub fn looks_back(&self) -> bool {
        self.rate.is_some()
    }

    /// Takes the next frame. Gives it, or with a rate the frame before it, whose pictures are known only now; `None` when that is not shown.
    pub fn take(&mut self, info: &FrameInfo) -> Option<UsedFrame> {
        let frame = self.seen;
        self.seen += 1;
        let start = *self.start.get_or_insert(info.pts.unwrap_or(0));
        // Frames without a time follow the one before; times that stand still or go back move on by one.
        let pts = match info.pts {
            Some(pts) if frame == 0 => pts,
            Some(pts) => pts.max(self.last + 1),
            None if frame == 0 => start,
            None => self.end,
        };
        self.last = pts;
        if self.limit.is_some_and(|limit| self.source.seconds(pts - start) >= limit) {
            self.over = true;
            // The frame before stays until then, as far as the limit allows.
            let until = i64::try_from(i128::from(pts - start).min(self.most())).unwrap_or(i64::MAX);
            self.end = self.end.max(start.saturating_add(until));
            return None;
        }
        self.end = pts + info.duration.max(1);
        if self.rate.is_none() {
            self.next += 1;
            return Some(UsedFrame { frame, seconds: self.source.seconds(pts), pts, count: 1 });
        }
        let (before, at) = self.held.replace((frame, pts))?;
        self.show((before, at), i128::from(at - start) + i128::from(pts - start))
    }

    /// With a rate, the last frame, once there are no more; `None` when it is not shown. It lasts as long as it says, or to the limit.
    pub fn last(&mut self) -> Option<UsedFrame> {
        let (frame, at) = self.held.take()?;
        let start = self.start.unwrap_or(at);
        self.show((frame, at), i128::from(at - start) + i128::from(self.end - start))
    }

    /// A frame at time `at`, in all pictures that no frame before is shown in and that are at most half of `twice` ticks behind the first frame.
    fn show(&mut self, (frame, at): (u64, i64), twice: i128) -> Option<UsedFrame> {
        let count = self.pictures_until(twice, 2, false).saturating_sub(self.next);
        if count == 0 {
            return None;
        }
        let (pts, seconds) = (self.place(self.next), self.source.seconds(at));
        self.next += count;
        Some(UsedFrame { frame, seconds, pts, count: u32::try_from(count).unwrap_or(u32::MAX) })
    }

    /// Output pictures that the last used frame has to be shown in beyond those it was given, so that the duration comes out. To be asked behind
    /// [`Self::last`].
    pub fn finish(&mut self) -> u32 {
        let (Some(start), Some(_)) = (self.start, self.rate) else { return 0 };
        let length = i128::from(self.end - start).min(self.most());
        let wanted = self.pictures_until(length, 1, true).max(1);
        let more = wanted.saturating_sub(self.next);
        self.next += more;
        u32::try_from(more).unwrap_or(u32::MAX)
    }

    /// Ticks of the source that the limit allows.
    fn most(&self) -> i128 {
        self.limit.map_or(i128::MAX, |limit| (limit / self.source.as_f64().max(1e-12)).round() as i128)
    }

    /// Output pictures so far.
    pub fn shown(&self) -> u64 {
        self.next
    }

    /// Time of output picture `n`.
    fn place(&self, n: u64) -> i64 {
        let start = self.source.rescale(self.start.unwrap_or(0), self.time_base);
        start + n as i64 * self.step
    }

    /// With `t = ticks / den` ticks of the source: how many pictures are at or before `t`, or, `rounded`, how many fill `t`.
    fn pictures_until(&self, ticks: i128, den: i128, rounded: bool) -> u64 {
        let Some(rate) = self.rate else { return 0 };
        let over = ticks * i128::from(self.source.num) * i128::from(rate.num);
        let under = den * i128::from(self.source.den) * i128::from(rate.den);
        let count = if rounded { (2 * over + under).div_euclid(2 * under) } else { over.div_euclid(under) + 1 };
        u64::try_from(count).unwrap_or(0)
    }
}

/// Frames per second as users write them: `25`, `23.976`, `30000/1001`. The usual rates of NTSC are recognised.
///
/// # Errors
/// [`Error::Config`].
pub fn parse_rate(text: &str) -> Result<Rational> {
    let wrong = || Error::Config {
        field: "fps_override".into(),
        message: format!("must be frames per second like 25, 23.976 or 30000/1001, got `{text}`"),
    };
    if let Some((num, den)) = text.split_once('/') {
        let part = |t: &str| t.trim().parse::<i32>().ok().filter(|n| *n > 0).ok_or_else(wrong);
        return Ok(Rational { num: part(num)?, den: part(den)? });
    }
    let value: f64 = text.trim().parse().map_err(|_| wrong())?;
    if !(0.001..=1000.0).contains(&value) {
        return Err(wrong());
    }
    for whole in [24, 30, 48, 60, 120] {
        let ntsc = Rational { num: whole * 1000, den: 1001 };
        if (value - ntsc.as_f64()).abs() < 0.001 * f64::from(whole) / 30.0 && value.fract() != 0.0 {
            return Ok(ntsc);
        }
    }
    let thousandths = (value * 1000.0).round() as i32;
    Ok(if thousandths % 1000 == 0 {
        Rational { num: thousandths / 1000, den: 1 }
    } else {
        Rational { num: thousandths, den: 1000 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: u64, step: i64, first: i64) -> impl Iterator<Item = FrameInfo> {
        (0..count).map(move |i| FrameInfo {
            stream: 0,
            index: i,
            pts: Some(first + i as i64 * step),
            time_base: Rational { num: 1, den: 1 },
            duration: step,
            key: false,
            damaged: false,
        })
    }

    /// Output times of a video of `count` frames, in seconds.
    fn shown(source: Rational, step: i64, count: u64, first: i64, rate: &str) -> (Vec<f64>, Vec<u64>) {
        let mut t = Timeline::new(source, Some(parse_rate(rate).unwrap()), None).unwrap();
        let mut used: Vec<UsedFrame> = frames(count, step, first).filter_map(|f| t.take(&f)).collect();
        used.extend(t.last());
        used.last_mut().unwrap().count += t.finish();
        let (tb, step) = (t.time_base(), t.step());
        let times = used.iter().flat_map(|u| (0..i64::from(u.count)).map(move |i| tb.seconds(u.pts + i * step)));
        let times: Vec<f64> = times.collect();
        assert_eq!(times.len() as u64, t.shown());
        (times, used.iter().map(|u| u.frame).collect())
    }

    #[test]
    fn durations_are_kept_at_any_rate() {
        for (source, step, fps, rate) in [
            (Rational { num: 1, den: 30 }, 1, 30.0, "20"),
            (Rational { num: 1, den: 25 }, 1, 25.0, "10"),
            (Rational { num: 1, den: 24_000 }, 1001, 24_000.0 / 1001.0, "15"),
            (Rational { num: 1, den: 90_000 }, 3003, 30_000.0 / 1001.0, "23.976"),
            (Rational { num: 1, den: 24 }, 1, 24.0, "60"),
            (Rational { num: 1, den: 12_800 }, 512, 25.0, "7.5"),
        ] {
            for count in [1, 2, 7, 60, 301] {
                let (times, _) = shown(source, step, count, 512, rate);
                let out = parse_rate(rate).unwrap().as_f64();
                let (wanted, given) = (count as f64 / fps, times.len() as f64 / out);
                assert!((wanted - given).abs() <= 1.0 / out, "{count} frames at {fps} as {rate}: {given} for {wanted}");
                assert!((times[0] - source.seconds(512)).abs() < 1e-4);
                for (n, t) in times.iter().enumerate() {
                    assert!((t - times[0] - n as f64 / out).abs() < 1e-6, "{rate}: picture {n} at {t}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_frame_is_shown() {
        let (_, used) = shown(Rational { num: 1, den: 30 }, 1, 9, 0, "20");
        assert_eq!(used, [0, 1, 3, 4, 6, 7]);
        // Twice the rate: every frame is shown twice, and matched once.
        let (times, used) = shown(Rational { num: 1, den: 10 }, 1, 4, 0, "20");
        assert_eq!((times.len(), used), (8, vec![0, 1, 2, 3]));
    }

    /// As Matroska files have it: uneven times, and the same duration for every frame.
    #[test]
    fn the_nearest_frame_is_shown_where_times_are_uneven() {
        let times = [0i64, 40, 80, 1000, 1040, 1100, 3000];
        for (rate, step) in [("25", 40), ("10", 100), ("50", 20), ("4", 250)] {
            let base = Rational { num: 1, den: 1000 };
            let mut t = Timeline::new(base, Some(parse_rate(rate).unwrap()), None).unwrap();
            let info = |(i, time): (usize, &i64)| FrameInfo {
                stream: 0,
                index: i as u64,
                pts: Some(512 + time),
                time_base: base,
                duration: 40,
                key: false,
                damaged: false,
            };
            let mut used: Vec<UsedFrame> = times.iter().enumerate().filter_map(|f| t.take(&info(f))).collect();
            used.extend(t.last());
            assert!(t.last().is_none());
            used.last_mut().unwrap().count += t.finish();
            let shown: Vec<u64> = used.iter().flat_map(|u| (0..u.count).map(|_| u.frame)).collect();
            let nearest = |at: i64| (0u64..).zip(times).min_by_key(|(i, time)| ((at - time).abs(), *i)).unwrap().0;
            let wanted: Vec<u64> = (0..shown.len() as i64).map(|n| nearest(n * step)).collect();
            assert_eq!(shown, wanted, "{rate}");
            // 3.04 seconds, and every frame at its own time.
            assert!((shown.len() as i64 * step - 3040).abs() <= step, "{rate}: {}", shown.len());
            assert!(used.iter().all(|u| u.seconds == base.seconds(512 + times[u.frame as usize])));
        }
    }

    #[test]
    fn own_times_are_kept_and_repaired() {
        let mut t = Timeline::new(Rational { num: 1, den: 100 }, None, Some(0.25)).unwrap();
        let info = |pts, duration| FrameInfo {
            stream: 0,
            index: 0,
            pts,
            time_base: Rational { num: 1, den: 100 },
            duration,
            key: false,
            damaged: false,
        };
        let pts: Vec<Option<i64>> = [(Some(50), 4), (Some(54), 4), (None, 4), (Some(60), 4), (Some(75), 4)]
            .into_iter()
            .map(|(pts, duration)| t.take(&info(pts, duration)).map(|u| u.pts))
            .collect();
        assert_eq!(pts, [Some(50), Some(54), Some(58), Some(60), None]);
        assert!(t.is_over());
    }

    #[test]
    fn rates_as_users_write_them() {
        let rate = |t: &str| parse_rate(t).map(|r| (r.num, r.den)).ok();
        assert_eq!(rate("25"), Some((25, 1)));
        assert_eq!(
            [rate("23.976"), rate("29.97"), rate("59.94")],
            [Some((24_000, 1001)), Some((30_000, 1001)), Some((60_000, 1001))]
        );
        assert_eq!([rate("12.5"), rate("30000/1001")], [Some((12_500, 1000)), Some((30_000, 1001))]);
        for bad in ["0", "-3", "x", "1001", "5/0", ""] {
            assert_eq!(rate(bad), None, "{bad}");
        }
        let tb = Rational { num: 1, den: 25 };
        assert!(
            Timeline::new(tb, Some(Rational { num: 0, den: 1 }), None).is_err()
                && Timeline::new(tb, None, Some(0.0)).is_err()
        );
    }
}
