//! A rendered video whose truth is known: people who cross a street, somebody who speaks, and shots that are bright, out of focus and dark.

use frameloom::core::Size;

use super::canvas::{Bounds, Canvas, Color, Dice, mix};
use super::sound::Speech;

/// Size of the pictures.
pub(super) const SIZE: Size = Size::new(960, 540);
/// Pictures a second.
pub(super) const RATE: u32 = 25;
/// When the shots begin, in seconds, and when the last one ends.
pub(super) const SHOTS: [f32; 6] = [0.0, 10.0, 17.0, 19.5, 21.5, 24.0];

const SKIN: [Color; 4] = [[0.87, 0.68, 0.56], [0.62, 0.43, 0.33], [0.94, 0.78, 0.68], [0.45, 0.31, 0.24]];

fn skin(number: usize) -> Color {
    SKIN.get(number % SKIN.len()).copied().unwrap_or([0.8, 0.6, 0.5])
}

/// One person on the street.
struct Walker {
    /// Where the feet are when the scene begins, in pixels, and how fast they go to the right, in pixels a second.
    start: [f32; 2],
    speed: f32,
    coat: Color,
    trousers: Color,
    skin: usize,
    /// Stands still from and to these seconds.
    rest: Option<[f32; 2]>,
}

impl Walker {
    /// Seconds walked until `t`.
    fn walked(&self, t: f32) -> f32 {
        let rested = self.rest.map_or(0.0, |[from, to]| (t.min(to) - from).max(0.0));
        t - rested
    }

    fn x(&self, t: f32) -> f32 {
        self.start[0] + self.speed * self.walked(t)
    }

    fn draw(&self, canvas: &mut Canvas, t: f32) -> Bounds {
        let (x, y) = (self.x(t), self.start[1]);
        let tall = 70.0 + (y - 320.0) * 0.55;
        let at = |dx: f32, up: f32| [x + dx * tall, y - up * tall];
        let stands = self.rest.is_some_and(|[from, to]| (from..to).contains(&t));
        let swing = if stands { 0.03 } else { 0.17 * (self.walked(t) * 7.0).sin() };
        let shadow = mix([0.25, 0.24, 0.27], [0.4, 0.39, 0.4], 0.3);
        canvas.ellipse([x, y + 0.01 * tall], [0.2 * tall, 0.03 * tall], shadow, 0.5);
        let dark = |c: Color| mix(c, [0.0; 3], 0.25);
        let parts = [
            canvas.capsule(at(0.0, 0.48), at(-swing, 0.04), 0.055 * tall, dark(self.trousers)),
            canvas.capsule(at(0.0, 0.76), at(swing, 0.48), 0.04 * tall, dark(self.coat)),
            canvas.capsule(at(0.0, 0.48), at(swing, 0.04), 0.055 * tall, self.trousers),
            canvas.capsule(at(0.0, 0.52), at(0.0, 0.76), 0.11 * tall, self.coat),
            canvas.capsule(at(0.0, 0.76), at(-swing, 0.48), 0.04 * tall, mix(self.coat, [1.0; 3], 0.12)),
            canvas.disc(at(0.0, 0.945), 0.08 * tall, [0.16, 0.12, 0.1]),
            canvas.disc(at(0.012 * self.speed.signum(), 0.925), 0.068 * tall, skin(self.skin)),
        ];
        parts.into_iter().reduce(Bounds::around).unwrap_or(Bounds { left: x, top: y, right: x, bottom: y })
    }
}

/// Where a person is in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Truth {
    /// Number of the picture, from 0.
    pub(super) frame: u32,
    /// Number of the person, from 1.
    pub(super) person: usize,
    /// The visible part of what was drawn, not counting who stands in front.
    pub(super) bounds: Bounds,
}

/// The video, picture by picture.
pub(super) struct Scene {
    street: Canvas,
    walkers: Vec<Walker>,
    speech: Speech,
    /// Where everybody was in what was drawn so far.
    pub(super) truth: Vec<Truth>,
}

impl Scene {
    pub(super) fn new() -> Self {
        let walker = |x: f32, y: f32, speed: f32, coat: Color, trousers: Color, skin: usize| Walker {
            start: [x, y],
            speed,
            coat,
            trousers,
            skin,
            rest: None,
        };
        let mut walkers = vec![
            walker(-60.0, 352.0, 118.0, [0.78, 0.2, 0.18], [0.16, 0.18, 0.3], 0),
            walker(1010.0, 374.0, -126.0, [0.13, 0.33, 0.62], [0.22, 0.2, 0.19], 1),
            walker(-330.0, 400.0, 150.0, [0.92, 0.71, 0.16], [0.24, 0.26, 0.25], 2),
            walker(1150.0, 430.0, -132.0, [0.2, 0.5, 0.3], [0.15, 0.15, 0.2], 3),
            walker(-190.0, 462.0, 138.0, [0.85, 0.85, 0.82], [0.3, 0.24, 0.4], 0),
            walker(-520.0, 500.0, 205.0, [0.55, 0.25, 0.55], [0.12, 0.13, 0.16], 2),
        ];
        // One waits before going on.
        if let Some(w) = walkers.get_mut(4) {
            w.rest = Some([3.5, 6.0]);
        }
        Self { street: street(), walkers, speech: Speech::new(SHOTS[2] - SHOTS[1]), truth: Vec::new() }
    }

    /// Number of pictures.
    pub(super) fn frames() -> u32 {
        (SHOTS[5] * RATE as f32) as u32
    }

    /// Who crosses the upright line in the middle of the street to the right, and to the left.
    pub(super) fn crossings(&self) -> [usize; 2] {
        let middle = SIZE.width as f32 / 2.0;
        let crosses = |w: &&Walker, right: bool| {
            let (first, last) = (w.x(0.0), w.x(SHOTS[1]));
            if right { first < middle && last > middle } else { first > middle && last < middle }
        };
        [true, false].map(|right| self.walkers.iter().filter(|w| crosses(w, right)).count())
    }

    pub(super) fn speech(&self) -> &Speech {
        &self.speech
    }

    /// Draws picture `frame`.
    pub(super) fn draw(&mut self, frame: u32) -> Canvas {
        let t = frame as f32 / RATE as f32;
        match SHOTS.iter().rposition(|s| t + 1e-4 >= *s) {
            Some(0) | None => {
                let mut canvas = self.street.clone();
                // Who is nearer is drawn later.
                for (i, walker) in self.walkers.iter().enumerate() {
                    let drawn = walker.draw(&mut canvas, t).within(SIZE);
                    self.truth.extend(drawn.map(|bounds| Truth { frame, person: i + 1, bounds }));
                }
                canvas
            }
            Some(1) => speaker(self.speech.open(t - SHOTS[1]), t - SHOTS[1], &mut Dice::new(5), SIZE),
            Some(2) => coast(t - SHOTS[2], &mut Dice::new(11), SIZE),
            Some(3) => coast(t - SHOTS[2], &mut Dice::new(11), SIZE).blurred(9),
            Some(_) => night(t - SHOTS[4], &mut Dice::new(23), SIZE),
        }
    }
}

/// Houses, pavement, road: what does not move.
fn street() -> Canvas {
    let (w, h) = (SIZE.width as f32, SIZE.height as f32);
    let mut dice = Dice::new(3);
    let mut canvas = Canvas::new(SIZE);
    canvas.shade(|_, y| mix([0.53, 0.7, 0.88], [0.93, 0.87, 0.78], y / 260.0));
    let mut left = -20.0;
    while left < w {
        let (wide, top) = (dice.between(90.0, 170.0), dice.between(50.0, 170.0));
        houses(&mut canvas, &mut dice, Bounds { left, top, right: left + wide, bottom: 310.0 });
        left += wide + 2.0;
    }
    canvas.rect(Bounds { left: 0.0, top: 308.0, right: w, bottom: h }, [0.62, 0.6, 0.57]);
    // Slabs of the pavement, and grain that compression has to keep.
    for i in 0..9 {
        let y = 308.0 + (i * i) as f32 * 3.4;
        canvas.rect(Bounds { left: 0.0, top: y, right: w, bottom: y + 1.3 }, [0.52, 0.5, 0.48]);
    }
    for i in -8..9 {
        let x = w / 2.0 + i as f32 * 74.0;
        canvas.capsule([x, 308.0], [w / 2.0 + i as f32 * 150.0, h], 0.7, [0.54, 0.52, 0.5]);
    }
    for pixel in canvas.rgba.chunks_exact_mut(4) {
        let grain = (dice.unit() * 7.0) as i16 - 3;
        for channel in pixel.iter_mut().take(3) {
            *channel = (i16::from(*channel) + grain).clamp(0, 255) as u8;
        }
    }
    canvas
}

fn houses(canvas: &mut Canvas, dice: &mut Dice, at: Bounds) {
    let wall = mix([0.72, 0.5, 0.4], dice.color(0.35, 0.85), 0.6);
    canvas.rect(at, wall);
    let (across, down) = (((at.right - at.left) / 30.0) as usize, ((at.bottom - at.top) / 38.0) as usize);
    for row in 0..down {
        for column in 0..across {
            let left = at.left + 9.0 + column as f32 * 30.0;
            let top = at.top + 10.0 + row as f32 * 38.0;
            let pane = if dice.unit() < 0.25 { [0.98, 0.88, 0.6] } else { mix([0.2, 0.26, 0.34], wall, 0.2) };
            canvas.rect(Bounds { left, top, right: left + 15.0, bottom: top + 22.0 }, pane);
        }
    }
}

/// A head that speaks: the mouth is `open` between 0 and 1.
pub(super) fn speaker(open: f32, t: f32, dice: &mut Dice, size: Size) -> Canvas {
    let (w, h) = (size.width as f32, size.height as f32);
    let (wall, shirt) = (dice.color(0.2, 0.7), dice.color(0.15, 0.8));
    let skin = skin(dice.below(SKIN.len()));
    let mut canvas = Canvas::new(size);
    canvas.shade(|x, y| mix(wall, [0.06, 0.07, 0.1], 0.5 * (x / w - 0.35).hypot(y / h - 0.4)));
    let (cx, cy, r) = (w * 0.5 + (t * 0.9).sin() * w * 0.006, h * 0.44 + (t * 1.3).sin() * h * 0.006, h * 0.27);
    let at = |dx: f32, dy: f32| [cx + dx * r, cy + dy * r];
    let (dark, light) = (mix(skin, [0.25, 0.1, 0.08], 0.35), mix(skin, [1.0, 0.95, 0.9], 0.3));
    canvas.ellipse(at(0.0, 2.2), [1.9 * r, 0.95 * r], shirt, 1.0);
    canvas.capsule(at(0.0, 0.7), at(0.0, 1.35), 0.42 * r, dark);
    canvas.ellipse(at(0.0, -0.25), [0.93 * r, 1.02 * r], [0.13, 0.09, 0.07], 1.0);
    canvas.ellipse(at(0.0, 0.05), [0.78 * r, 1.02 * r], skin, 1.0);
    for side in [-1.0, 1.0] {
        canvas.ellipse(at(0.8 * side, 0.02), [0.1 * r, 0.2 * r], dark, 1.0);
        // Cheeks, eyes with lids, brows.
        canvas.ellipse(at(0.42 * side, 0.3), [0.22 * r, 0.17 * r], mix(skin, [0.9, 0.4, 0.35], 0.35), 0.5);
        canvas.ellipse(at(0.33 * side, -0.06), [0.2 * r, 0.15 * r], dark, 0.5);
        let lids = if (t * 0.37).fract() < 0.04 { 0.01 } else { 0.075 };
        canvas.ellipse(at(0.33 * side, -0.05), [0.15 * r, lids * r], [0.96, 0.95, 0.93], 1.0);
        canvas.ellipse(at(0.33 * side, -0.05), [0.065 * r, lids.min(0.065) * r], [0.2, 0.14, 0.1], 1.0);
        canvas.capsule(at(0.18 * side, -0.27), at(0.48 * side, -0.29), 0.035 * r, [0.15, 0.1, 0.08]);
    }
    canvas.capsule(at(0.02, -0.05), at(0.06, 0.26), 0.045 * r, mix(skin, dark, 0.5));
    canvas.ellipse(at(0.0, 0.3), [0.13 * r, 0.055 * r], mix(skin, dark, 0.6), 1.0);
    canvas.ellipse(at(-0.05, -0.55), [0.35 * r, 0.18 * r], light, 0.25);
    let tall = 0.045 + 0.17 * open.clamp(0.0, 1.0);
    canvas.ellipse(at(0.0, 0.58 + 0.4 * tall), [(0.3 - 0.05 * open) * r, (tall + 0.05) * r], [0.68, 0.27, 0.27], 1.0);
    canvas.ellipse(at(0.0, 0.58 + 0.4 * tall), [(0.24 - 0.05 * open) * r, (tall - 0.03) * r], [0.2, 0.05, 0.06], 1.0);
    canvas
}

/// Sky, sun, hills and water; everything glides to the left.
pub(super) fn coast(t: f32, dice: &mut Dice, size: Size) -> Canvas {
    let (w, h) = (size.width as f32, size.height as f32);
    let high = mix(dice.color(0.2, 0.8), [0.36, 0.58, 0.86], 0.6);
    let low = mix(dice.color(0.65, 1.0), [0.98, 0.86, 0.74], 0.5);
    let sun = [dice.between(0.2, 0.8), dice.between(0.12, 0.34)];
    let water = mix(dice.color(0.1, 0.5), [0.1, 0.34, 0.46], 0.65);
    let mut canvas = Canvas::new(size);
    canvas.shade(|_, y| mix(high, low, y / h * 1.7));
    canvas.disc([sun[0] * w - t * 6.0, sun[1] * h], 0.06 * h, [1.0, 0.96, 0.82]);
    for ridge in 0..3 {
        let (lift, wave, phase) = (dice.between(0.05, 0.16), dice.between(2.0, 6.0), dice.between(0.0, 6.0));
        let color = mix(dice.color(0.2, 0.6), low, 0.55 - 0.22 * ridge as f32);
        let base = 0.5 + 0.06 * ridge as f32;
        let speed = 10.0 + 25.0 * ridge as f32;
        for x in 0..size.width {
            let along = (x as f32 + t * speed) / w;
            let top = base - lift * (0.6 + 0.4 * (along * wave * 2.0 + phase).sin() * (along * wave * 5.3).cos());
            let (left, right) = (x as f32, x as f32 + 1.0);
            canvas.rect(Bounds { left, top: top * h, right, bottom: 0.68 * h }, color);
        }
    }
    canvas.rect(Bounds { left: 0.0, top: 0.66 * h, right: w, bottom: h }, water);
    for _ in 0..90 {
        let (x, y) = (dice.between(-0.1, 1.2), dice.between(0.67, 1.0));
        let long = dice.between(0.01, 0.05) * (y - 0.5) * 2.5;
        let left = x * w - t * 70.0 * (y - 0.5);
        canvas.capsule(
            [left, y * h],
            [left + long * w, y * h],
            0.002 * h,
            mix(water, [1.0; 3], dice.between(0.1, 0.5)),
        );
    }
    canvas
}

/// Windows and lamps in the dark.
pub(super) fn night(t: f32, dice: &mut Dice, size: Size) -> Canvas {
    let (w, h) = (size.width as f32, size.height as f32);
    let tint = dice.color(0.0, 0.06);
    let mut canvas = Canvas::new(size);
    canvas.shade(|_, y| mix(tint, [0.05, 0.06, 0.1], y / h));
    for _ in 0..9 {
        let (left, wide, top) =
            (dice.between(-0.05, 1.0) * w, dice.between(0.06, 0.13) * w, dice.between(0.2, 0.6) * h);
        let wall = mix([0.02, 0.02, 0.035], tint, dice.unit());
        canvas.rect(Bounds { left, top, right: left + wide, bottom: h }, wall);
        for _ in 0..7 {
            let (x, y) = (left + dice.between(0.1, 0.8) * wide, top + dice.between(0.05, 0.8) * (h - top));
            let lit = mix([0.5, 0.4, 0.18], [0.25, 0.3, 0.4], dice.unit());
            canvas.rect(Bounds { left: x, top: y, right: x + 0.008 * w, bottom: y + 0.02 * h }, lit);
        }
    }
    let x = (0.1 + 0.25 * t) * w;
    canvas.ellipse([x, 0.93 * h], [0.05 * w, 0.02 * h], [0.75, 0.7, 0.5], 0.35);
    canvas.disc([x, 0.93 * h], 0.008 * h, [0.95, 0.92, 0.75]);
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_crosses_once_and_is_where_the_truth_says() {
        let mut scene = Scene::new();
        assert_eq!(scene.crossings(), [4, 2]);
        let empty = scene.street.clone();
        let drawn = scene.draw(120);
        // Outside all boxes and shadows nothing changed.
        let boxes: Vec<_> = scene.truth.iter().filter(|t| t.frame == 120).map(|t| t.bounds).collect();
        assert!(boxes.len() >= 3, "{boxes:?}");
        let width = SIZE.width as usize;
        for (i, (a, b)) in empty.rgba.chunks_exact(4).zip(drawn.rgba.chunks_exact(4)).enumerate() {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            let near = |b: &Bounds| {
                let wide = (b.bottom - b.top) * 0.25;
                x > b.left - wide && x < b.right + wide && y > b.top - 2.0 && y < b.bottom + 8.0
            };
            assert!(a == b || boxes.iter().any(near), "{x} {y}");
        }
    }

    #[test]
    fn shots_differ_as_they_should() {
        let mut scene = Scene::new();
        let edges = |c: &Canvas| {
            let luma = |i: usize| f64::from(c.rgba[i * 4 + 1]);
            (1..c.rgba.len() / 4).map(|i| (luma(i) - luma(i - 1)).powi(2)).sum::<f64>()
        };
        let mean =
            |c: &Canvas| c.rgba.chunks_exact(4).map(|p| f64::from(p[1])).sum::<f64>() * 4.0 / c.rgba.len() as f64;
        let [sharp, soft, dark] = [450, 510, 560].map(|frame| scene.draw(frame));
        assert!(edges(&soft) * 3.0 < edges(&sharp), "{} {}", edges(&soft), edges(&sharp));
        assert!(mean(&dark) < 25.0 && mean(&sharp) > 70.0, "{} {}", mean(&dark), mean(&sharp));
        assert_eq!((Scene::frames(), scene.draw(599).size), (600, SIZE));
    }
}
