//! Kalman filters of boxes with constant velocity.
//!
//! Both filters of the literature have diagonal noise and couple a coordinate with nothing but its own speed, so each coordinate is a filter
//! of two numbers: no matrices, and the same result to rounding. Time is measured in frames of 30 Hz ([`super::UNIT_SECONDS`]); a step of
//! `n` such frames equals `n` steps of one.

use crate::core::BoxF;

/// One coordinate and its speed, with covariance.
#[derive(Debug, Clone, Copy)]
struct Axis {
    at: f64,
    speed: f64,
    p_at: f64,
    p_cross: f64,
    p_speed: f64,
}

impl Axis {
    fn new(at: f64, p_at: f64, p_speed: f64) -> Self {
        Self { at, speed: 0.0, p_at, p_cross: 0.0, p_speed }
    }

    /// `q_at` and `q_speed` are variances per unit of time.
    fn predict(&mut self, steps: f64, q_at: f64, q_speed: f64) {
        self.at += steps * self.speed;
        // Sums of the noise of speed over `steps` steps: sum of k and of k^2 for k below steps.
        let (first, second) = (steps * (steps - 1.0) / 2.0, steps * (steps - 1.0) * (2.0 * steps - 1.0) / 6.0);
        self.p_at += 2.0 * steps * self.p_cross + steps * steps * self.p_speed + q_at * steps + q_speed * second;
        self.p_cross += steps * self.p_speed + q_speed * first;
        self.p_speed += q_speed * steps;
    }

    /// `r` is the variance of the measurement.
    fn update(&mut self, measured: f64, r: f64) {
        let total = self.p_at + r;
        let (gain, gain_speed) = (self.p_at / total, self.p_cross / total);
        let residual = measured - self.at;
        self.at += gain * residual;
        self.speed += gain_speed * residual;
        self.p_speed -= gain_speed * self.p_cross;
        self.p_cross *= 1.0 - gain;
        self.p_at *= 1.0 - gain;
    }
}

fn square(v: f64) -> f64 {
    v * v
}

fn center(rect: &BoxF) -> (f64, f64) {
    let (x, y, w, h) = (f64::from(rect.x), f64::from(rect.y), f64::from(rect.width), f64::from(rect.height));
    (x + w / 2.0, y + h / 2.0)
}

fn rect(x: f64, y: f64, width: f64, height: f64) -> BoxF {
    BoxF::from_center(x as f32, y as f32, width as f32, height as f32)
}

/// Centre, aspect ratio and height, noise in proportion to the height. Wojke, Bewley and Paulus, "Simple Online and Realtime Tracking with
/// a Deep Association Metric", ICIP 2017; used by ByteTrack with these constants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Xyah {
    x: Axis,
    y: Axis,
    aspect: Axis,
    height: Axis,
}

const WEIGHT_POSITION: f64 = 1.0 / 20.0;
const WEIGHT_SPEED: f64 = 1.0 / 160.0;

impl Xyah {
    pub(super) fn new(first: &BoxF) -> Self {
        let (x, y) = center(first);
        let h = f64::from(first.height);
        let (p, v) = (square(2.0 * WEIGHT_POSITION * h), square(10.0 * WEIGHT_SPEED * h));
        Self {
            x: Axis::new(x, p, v),
            y: Axis::new(y, p, v),
            aspect: Axis::new(f64::from(first.width) / h, square(1e-2), square(1e-5)),
            height: Axis::new(h, p, v),
        }
    }

    /// Moves `steps` units of time on.
    pub(super) fn predict(&mut self, steps: f64) {
        let h = self.height.at;
        let (p, v) = (square(WEIGHT_POSITION * h), square(WEIGHT_SPEED * h));
        for axis in [&mut self.x, &mut self.y, &mut self.height] {
            axis.predict(steps, p, v);
        }
        self.aspect.predict(steps, square(1e-2), square(1e-5));
    }

    pub(super) fn update(&mut self, seen: &BoxF) {
        let (x, y) = center(seen);
        let r = square(WEIGHT_POSITION * self.height.at);
        self.x.update(x, r);
        self.y.update(y, r);
        self.aspect.update(f64::from(seen.width) / f64::from(seen.height), square(1e-1));
        self.height.update(f64::from(seen.height), r);
    }

    /// A track that is not seen keeps its size.
    pub(super) fn hold_size(&mut self) {
        self.height.speed = 0.0;
    }

    pub(super) fn rect(&self) -> BoxF {
        let h = self.height.at.max(f64::MIN_POSITIVE);
        rect(self.x.at, self.y.at, self.aspect.at.max(0.0) * h, h)
    }

    /// Speed of the centre in pixels per unit of time.
    pub(super) fn speed(&self) -> f64 {
        self.x.speed.hypot(self.y.speed)
    }
}

/// Centre, area and aspect ratio, the last without speed. Bewley et al., "Simple Online and Realtime Tracking", ICIP 2016; used by OC-SORT
/// with these constants.
#[derive(Debug, Clone, Copy)]
pub(super) struct Xysr {
    x: Axis,
    y: Axis,
    area: Axis,
    ratio: Axis,
}

impl Xysr {
    pub(super) fn new(first: &BoxF) -> Self {
        let (x, y) = center(first);
        let (w, h) = (f64::from(first.width), f64::from(first.height));
        Self {
            x: Axis::new(x, 10.0, 1e4),
            y: Axis::new(y, 10.0, 1e4),
            area: Axis::new(w * h, 10.0, 1e4),
            ratio: Axis::new(w / h, 10.0, 0.0),
        }
    }

    /// Moves `steps` units of time on.
    pub(super) fn predict(&mut self, steps: f64) {
        // An area that shrinks to nothing stays instead.
        if self.area.at + steps * self.area.speed <= 0.0 {
            self.area.speed = 0.0;
        }
        self.x.predict(steps, 1.0, 1e-2);
        self.y.predict(steps, 1.0, 1e-2);
        self.area.predict(steps, 1.0, 1e-4);
        self.ratio.predict(steps, 1.0, 0.0);
    }

    pub(super) fn update(&mut self, seen: &BoxF) {
        let (x, y) = center(seen);
        let (w, h) = (f64::from(seen.width), f64::from(seen.height));
        self.x.update(x, 1.0);
        self.y.update(y, 1.0);
        self.area.update(w * h, 10.0);
        self.ratio.update(w / h, 10.0);
    }

    pub(super) fn rect(&self) -> BoxF {
        let (area, ratio) = (self.area.at.max(f64::MIN_POSITIVE), self.ratio.at.max(1e-6));
        let width = (area * ratio).sqrt();
        rect(self.x.at, self.y.at, width, area / width)
    }

    /// Speed of the centre in pixels per unit of time.
    pub(super) fn speed(&self) -> f64 {
        self.x.speed.hypot(self.y.speed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The textbook filter, matrices written out.
    fn textbook(p: [[f64; 2]; 2], q: [f64; 2]) -> [[f64; 2]; 2] {
        let [[a, b], [c, d]] = p;
        [[a + b + c + d + q[0], b + d], [c + d, d + q[1]]]
    }

    #[test]
    fn a_long_step_equals_short_ones_and_the_textbook() {
        let start = Axis { at: 3.0, speed: 2.0, p_at: 4.0, p_cross: 0.5, p_speed: 1.5 };
        let (mut long, mut short) = (start, start);
        let mut p = [[4.0, 0.5], [0.5, 1.5]];
        long.predict(5.0, 0.7, 0.3);
        for _ in 0..5 {
            short.predict(1.0, 0.7, 0.3);
            p = textbook(p, [0.7, 0.3]);
        }
        for (a, b) in [
            (long.at, short.at),
            (long.p_at, short.p_at),
            (long.p_cross, short.p_cross),
            (long.p_speed, short.p_speed),
            (long.p_at, p[0][0]),
            (long.p_cross, p[0][1]),
            (long.p_speed, p[1][1]),
            (long.at, 13.0),
        ] {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }

    #[test]
    fn the_update_is_that_of_the_textbook() {
        let mut axis = Axis { at: 10.0, speed: 1.0, p_at: 4.0, p_cross: 2.0, p_speed: 3.0 };
        axis.update(13.0, 2.0);
        // K = [4, 2] / 6, P = (I - K H) P.
        for (a, b) in [
            (axis.at, 12.0),
            (axis.speed, 2.0),
            (axis.p_at, 4.0 / 3.0),
            (axis.p_cross, 2.0 / 3.0),
            (axis.p_speed, 3.0 - 2.0 / 3.0),
        ] {
            assert!((a - b).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn both_filters_follow_a_box_at_constant_speed() {
        let at = |t: f32| BoxF { x: 10.0 + 4.0 * t, y: 50.0 - 2.0 * t, width: 20.0, height: 60.0 };
        let (mut a, mut b) = (Xyah::new(&at(0.0)), Xysr::new(&at(0.0)));
        for t in 1..40 {
            a.predict(1.0);
            b.predict(1.0);
            a.update(&at(t as f32));
            b.update(&at(t as f32));
        }
        a.predict(2.5);
        b.predict(2.5);
        let wanted = at(41.5);
        assert!(a.rect().iou(&wanted) > 0.93 && b.rect().iou(&wanted) > 0.93, "{:?} {:?}", a.rect(), b.rect());
        for speed in [a.speed(), b.speed()] {
            assert!((speed - 4.0f64.hypot(2.0)).abs() < 0.1, "{speed}");
        }
    }
}
