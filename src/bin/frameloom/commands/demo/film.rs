//! The rendered clip as a file, with its truth beside it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use frameloom::Result;
use frameloom::core::{PixelFormat, Rational};
use frameloom::media::{Plane, SoundOptions, VideoWriter, WriterOptions};
use frameloom::store::{OsIo, commit, commit_json};
use serde_json::json;

use super::scene::{RATE, SHOTS, SIZE, Scene};
use super::sound::{SOUND_RATE, samples};
use crate::output::Output;
use crate::signals::Signals;

/// What is known of the clip.
pub(super) struct TruthFile {
    /// People who cross the middle of the street to the right and to the left.
    pub(super) crossings: [usize; 2],
    /// Cuts between shots, in seconds.
    pub(super) cuts: Vec<f32>,
}

/// Renders the clip into `folder`, unless it is there, and says where it is.
pub(super) fn make(folder: &Path, signals: &Signals, out: &mut Output) -> Result<(PathBuf, TruthFile)> {
    let path = folder.join("clip.mp4");
    let mut scene = Scene::new();
    let truth = TruthFile { crossings: scene.crossings(), cuts: SHOTS.iter().copied().skip(1).take(4).collect() };
    // Another clip of this name has no truth beside it.
    if path.exists() && folder.join("truth.json").exists() {
        return Ok((path, truth));
    }
    out.note("rendering a clip whose truth is known");
    let mut options = WriterOptions::new(SIZE, PixelFormat::Rgba8, Rational { num: 1, den: RATE as i32 });
    options.frame_rate = Some(Rational { num: RATE as i32, den: 1 });
    options.gop = 50;
    let sound = SoundOptions { rate: SOUND_RATE, channels: 1, start: 0 };
    let mut writer = VideoWriter::create_with_sound_in(&OsIo, &path, &options, &sound)?;
    let heard = samples(scene.speech());
    for (number, part) in (0..Scene::frames()).zip(heard.chunks((SOUND_RATE / RATE) as usize)) {
        signals.cancel.check()?;
        let picture = scene.draw(number);
        writer.write_frame(&[Plane { data: &picture.rgba, stride: SIZE.width as usize * 4 }], i64::from(number))?;
        writer.write_sound(part)?;
    }
    // The truth comes first: a clip that is there has one.
    commit(&OsIo, folder.join("truth_mot.txt"), |w| {
        scene.truth.iter().try_for_each(|t| {
            let b = t.bounds;
            let (wide, tall) = (b.right - b.left, b.bottom - b.top);
            writeln!(w, "{},{},{:.1},{:.1},{wide:.1},{tall:.1},1,1,1", t.frame + 1, t.person, b.left, b.top)
        })
    })?;
    zones(folder)?;
    let [right, left] = truth.crossings;
    let known = json!({
        "schema": "demo.truth", "schema_version": 1, "frames": Scene::frames(), "frames_per_second": RATE,
        "cuts_seconds": truth.cuts, "audio_late_ms": 0, "cross_the_middle": { "to_the_right": right, "to_the_left": left },
        "boxes": "truth_mot.txt",
    });
    commit_json(&OsIo, folder.join("truth.json"), &known)?;
    writer.finish()?;
    Ok((path, truth))
}

/// The line in the middle of the street, as `track --zones` takes it. It goes up, so that its right is the right of the picture.
fn zones(folder: &Path) -> Result<()> {
    let (x, low, high) = (SIZE.width / 2, 300, SIZE.height - 5);
    let line = json!({ "name": "middle of the street", "points": [[x, high], [x, low]] });
    commit_json(&OsIo, folder.join("zones.json"), &json!({ "lines": { "middle": line } })).map(drop)
}
