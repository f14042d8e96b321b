//! Observers that count and stop, and what they are tried on.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use frameloom::core::random::pcg4d;
use frameloom::core::{Observer, OutcomeObserver, Progress, Size};
use frameloom::report::{PngFormat, encode_png};
use frameloom::{Error, Result};

/// Counts by input and stage, and breaks after so many units.
#[derive(Debug, Default)]
pub struct Count {
    pub stop: Option<u64>,
    pub done: BTreeMap<(usize, &'static str), u64>,
    pub totals: BTreeMap<(usize, &'static str), Option<u64>>,
    pub ended: Vec<usize>,
    /// Breaks at what is said after an input has ended.
    pub stop_at_end: bool,
}

impl Count {
    pub fn of(&self, stage: &str) -> u64 {
        self.done.iter().filter(|((_, s), _)| *s == stage).map(|(_, n)| n).sum()
    }

    fn all(&self) -> u64 {
        self.done.values().sum()
    }
}

impl Observer for Count {
    fn progress(&mut self, p: Progress) -> ControlFlow<()> {
        assert!(p.done > 0 || p.total.is_some(), "{p:?}");
        *self.done.entry((p.input, p.stage)).or_default() += p.done;
        self.totals.insert((p.input, p.stage), p.total);
        let over = self.stop.is_some_and(|n| self.all() >= n) || (self.stop_at_end && !self.ended.is_empty());
        if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl<T> OutcomeObserver<T> for Count {
    fn outcome(&mut self, input: usize, _: T) -> Result<()> {
        self.ended.push(input);
        Ok(())
    }
}

/// Makes `call` stop after each of `points` units, and then lets it come to its end.
pub fn stopped_then_whole<T: Debug>(points: &[u64], mut call: impl FnMut(&mut Count) -> Result<T>) -> T {
    for units in points {
        let mut count = Count { stop: Some(*units), ..Count::default() };
        let ended = call(&mut count);
        assert!(matches!(ended, Err(Error::Cancelled)), "after {units}: {ended:?} {count:?}");
    }
    call(&mut Count::default()).unwrap()
}

/// A clip of a moving pattern with a tone, made by the `ffmpeg` command.
pub fn clip(folder: &Path, name: &str, size: &str, rate: u32, frames: u32) -> PathBuf {
    let path = folder.join(name);
    let (picture, tone) = (format!("testsrc2=size={size}:rate={rate}"), "sine=frequency=440");
    let o = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", &picture, "-f", "lavfi", "-i", tone])
        .args(["-frames:v", &frames.to_string(), "-t", &(f64::from(frames) / f64::from(rate)).to_string()])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac"])
        .arg(&path)
        .output()
        .expect("the ffmpeg command (scripts/setup.sh installs it)");
    assert!(o.status.success(), "ffmpeg: {}", String::from_utf8_lossy(&o.stderr));
    path
}

/// `count` pictures of coloured blocks, each different.
pub fn blocks(folder: &Path, count: u32, size: Size) {
    std::fs::create_dir_all(folder).unwrap();
    for n in 0..count {
        let side = [16, 12, 6, 9][n as usize % 4];
        let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        let color = |(x, y): (u32, u32)| pcg4d([n, x / side, y / side, 5])[0].to_le_bytes();
        let rgb: Vec<u8> = places.flat_map(|at| color(at).into_iter().take(3)).collect();
        let png = encode_png(size, PngFormat::Rgb8, &rgb).unwrap();
        std::fs::write(folder.join(format!("frame_{n:04}.png")), png).unwrap();
    }
}

/// Everything but the state and `but`, by path.
pub fn contents(folder: &Path, but: &[&str]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_path_buf();
            if path.is_dir() && !path.ends_with(".state") {
                open.push(path);
            } else if path.is_file() && !but.iter().any(|b| name == Path::new(b)) {
                all.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

/// Both folders hold the same, and something.
pub fn same(a: &Path, b: &Path, but: &[&str]) {
    let (a, b) = (contents(a, but), contents(b, but));
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    let differing: Vec<_> = a.iter().filter(|(name, bytes)| b[*name] != **bytes).map(|(name, _)| name).collect();
    assert!(!a.is_empty() && differing.is_empty(), "{differing:?}");
}
