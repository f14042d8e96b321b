//! Scenes with known truth: figures that walk over a still background, rendered and encoded by the `ffmpeg` command.
#![allow(dead_code, reason = "each test crate uses its part")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Width and height of a figure.
pub const FIGURE: [f64; 2] = [30.0, 70.0];

/// A figure: places of its upper left corner at some times, straight ways between; it is there from the first to the last.
#[derive(Debug, Clone)]
pub struct Figure {
    pub color: [u8; 3],
    pub way: Vec<(f64, f64, f64)>,
}

impl Figure {
    /// From `x` to `to` along a lane, beginning at `start` seconds.
    pub fn walk(color: [u8; 3], y: f64, (x, to): (f64, f64), start: f64, speed: f64) -> Self {
        Self { color, way: vec![(start, x, y), (start + (to - x).abs() / speed, to, y)] }
    }

    /// Its corner at a time.
    pub fn at(&self, t: f64) -> Option<[f64; 2]> {
        let pair = self.way.windows(2).find(|w| (w[0].0..=w[1].0).contains(&t))?;
        let (a, b) = (pair[0], pair[1]);
        let share = if b.0 > a.0 { (t - a.0) / (b.0 - a.0) } else { 0.0 };
        Some([a.1 + (b.1 - a.1) * share, a.2 + (b.2 - a.2) * share])
    }
}

/// A scene.
#[derive(Debug, Clone)]
pub struct Scene {
    pub size: [usize; 2],
    pub rate: u32,
    pub frames: usize,
    pub figures: Vec<Figure>,
}

impl Scene {
    /// Nobody enters where another one left less than a second ago, nor meets another one in a lane.
    ///
    /// Five figures cross the middle from left to right, three from right to left, one turns back before it. 12 s at 25 Hz, 640x360.
    pub fn door() -> Self {
        // Far from the background in luma, which is all that the motion detector looks at.
        let colors: [[u8; 3]; 9] = [
            [20, 20, 60],
            [240, 240, 240],
            [20, 20, 20],
            [250, 240, 120],
            [10, 40, 90],
            [60, 10, 60],
            [250, 250, 200],
            [10, 60, 20],
            [255, 235, 200],
        ];
        let walk = |i: usize, lane: f64, ends: (f64, f64), start: f64, speed: f64| {
            Figure::walk(colors[i], 8.0 + 88.0 * lane, ends, start, speed)
        };
        let (left, right) = (-30.0, 640.0);
        let mut figures = vec![
            walk(0, 0.0, (left, right), 1.5, 150.0),
            walk(1, 1.0, (left, right), 2.0, 120.0),
            walk(2, 2.0, (left, right), 1.2, 140.0),
            walk(3, 0.0, (left, right), 5.5, 130.0),
            walk(4, 3.0, (left, right), 6.6, 130.0),
            walk(5, 1.0, (right, left), 8.9, 150.0),
            walk(6, 2.0, (right, left), 7.2, 140.0),
            walk(7, 3.0, (right, left), 1.0, 150.0),
        ];
        // To 200, where it turns.
        figures.push(Figure {
            color: colors[8],
            way: vec![(10.0 - 2.3, left, 272.0), (10.0, 200.0, 272.0), (11.9, left + 5.0, 272.0)],
        });
        Self { size: [640, 360], rate: 25, frames: 300, figures }
    }

    /// Figures in a frame: number, and box as left, top, width, height, cut off at the sides of the picture.
    pub fn boxes(&self, frame: usize) -> Vec<(usize, [f64; 4])> {
        let t = frame as f64 / f64::from(self.rate);
        let [w, h] = self.size.map(|v| v as f64);
        let cut = |(i, f): (usize, &Figure)| {
            let [x, y] = f.at(t)?.map(f64::round);
            let (x1, y1) = ((x + FIGURE[0]).min(w), (y + FIGURE[1]).min(h));
            let (x, y) = (x.max(0.0), y.max(0.0));
            (x1 > x && y1 > y).then_some((i, [x, y, x1 - x, y1 - y]))
        };
        self.figures.iter().enumerate().filter_map(cut).collect()
    }

    /// A frame as rows of R, G, B: a gradient with a pattern, the figures over it.
    pub fn render(&self, frame: usize) -> Vec<u8> {
        self.over(self.ground(), frame)
    }

    /// What is still, as rows of R, G, B.
    fn ground(&self) -> Vec<u8> {
        let [w, h] = self.size;
        let mut rgb = Vec::with_capacity(w * h * 3);
        for y in 0..h {
            for x in 0..w {
                let v = 90 + (x * 40 / w) + (y * 30 / h) + if (x / 20 + y / 20) % 2 == 0 { 8 } else { 0 };
                rgb.extend([v as u8, v as u8, (v + 10) as u8]);
            }
        }
        rgb
    }

    /// The figures of a frame over the ground.
    fn over(&self, mut rgb: Vec<u8>, frame: usize) -> Vec<u8> {
        let w = self.size[0];
        for (i, [x, y, bw, bh]) in self.boxes(frame) {
            for row in y as usize..(y + bh) as usize {
                for column in x as usize..(x + bw) as usize {
                    rgb[(row * w + column) * 3..][..3].copy_from_slice(&self.figures[i].color);
                }
            }
        }
        rgb
    }

    /// Encodes `frames` of the scene into a file; `inputs` and `options` are further words for `ffmpeg`.
    pub fn write(&self, path: &Path, frames: std::ops::Range<usize>, inputs: &[&str], options: &[&str]) {
        let [w, h] = self.size;
        let mut child = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &format!("{w}x{h}")])
            .args(["-r", &self.rate.to_string(), "-i", "-"])
            .args(inputs)
            .args(["-c:v", "libx264", "-preset", "ultrafast", "-crf", "14", "-pix_fmt", "yuv420p"])
            .args(options)
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("the ffmpeg command (scripts/setup.sh installs it)");
        {
            let (mut stdin, ground) = (child.stdin.take().unwrap(), self.ground());
            for frame in frames {
                stdin.write_all(&self.over(ground.clone(), frame)).unwrap();
            }
        }
        assert!(child.wait().unwrap().success(), "ffmpeg");
    }

    /// Encodes the scene lying on its side, to be shown turned clockwise by a quarter.
    pub fn write_turned(&self, path: &Path) {
        use frameloom::core::{PixelFormat, Rational, Size};
        use frameloom::media::{Plane, VideoWriter, WriterOptions};
        let [w, h] = self.size;
        let size = Size::new(h as u32, w as u32);
        let base = Rational::new(1, self.rate as i32).unwrap();
        let options = WriterOptions { rotation: -90, ..WriterOptions::new(size, PixelFormat::Rgba8, base) };
        let mut writer = VideoWriter::create_in(&frameloom::store::OsIo, path, &options, None).unwrap();
        let ground = self.ground();
        for frame in 0..self.frames {
            let shown = self.over(ground.clone(), frame);
            let mut rgba = vec![255u8; w * h * 4];
            for y in 0..h {
                for x in 0..w {
                    let to = ((w - 1 - x) * h + y) * 4;
                    rgba[to..to + 3].copy_from_slice(&shown[(y * w + x) * 3..][..3]);
                }
            }
            writer.write_frame(&[Plane { data: &rgba, stride: h * 4 }], frame as i64).unwrap();
        }
        writer.finish().unwrap();
    }

    /// The truth as MOT text.
    pub fn mot(&self) -> String {
        let mut text = String::new();
        for frame in 0..self.frames {
            for (i, [x, y, w, h]) in self.boxes(frame) {
                text += &format!("{},{},{x},{y},{w},{h},1,-1,-1,-1\n", frame + 1, i + 1);
            }
        }
        text
    }
}

/// A line across the middle, from below to above: who walks to the right crosses from left to right. And a zone behind it.
pub const DOOR: &str = r#"{
    "id": "cam7",
    "zones": {"shop": {"name": "Shop", "polygon": [[400,0],[560,0],[560,360],[400,360]]}},
    "lines": {"door": {"name": "Door", "points": [320,360,320,0]}}
}"#;
