//! What is written: results, credits, pictures, video.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::pool::PoolPicture;
use super::super::select::{Choice, Selection};
use super::matching::{FrameMatch, MatchEnd};
use super::mosaic::Mosaic;
use super::render::{Loader, Recent, Renderer};
use super::timeline::{Timeline, UsedFrame};
use crate::core::{ColorSpec, PixelFormat, Rational, Size};
use crate::error::{Error, Result};
use crate::media::{AudioCopy, OddSize, Plane, RateControl, VideoWriter, WriterOptions, encode_jpeg};
use crate::store::{Committed, Hash, OsIo, StoreIo, commit};

/// Rendered pictures kept, in bytes.
const RECENT: u64 = 96 << 20;

/// Frames with what was found and chosen.
pub(super) struct Chosen<'a> {
    pub(super) frames: &'a [FrameMatch],
    pub(super) selection: &'a Selection,
    pub(super) pictures: &'a [PoolPicture],
    pub(super) end: &'a MatchEnd,
    /// Columns and rows of the tiles of a frame; each has a match and a choice of its own.
    pub(super) tiles: Option<[u32; 2]>,
}

/// A frame with the matches and choices of its tiles: one of each without tiles.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameView<'a> {
    pub(super) used: UsedFrame,
    pub(super) matches: &'a [FrameMatch],
    pub(super) choices: &'a [Choice],
}

impl FrameView<'_> {
    /// Mean likeness of its tiles and their pictures.
    pub(super) fn score(&self) -> Option<f64> {
        mean(self.choices.iter().filter_map(|c| c.score))
    }

    /// The same, had all pictures been free.
    pub(super) fn best(&self) -> Option<f64> {
        mean(self.matches.iter().filter_map(|m| Some(m.nearest.first()?.1)))
    }
}

fn mean(scores: impl Iterator<Item = f32>) -> Option<f64> {
    let (sum, count) = scores.fold((0.0, 0u32), |(sum, n), s| (sum + f64::from(s), n + 1));
    (count > 0).then(|| sum / f64::from(count))
}

impl Chosen<'_> {
    /// Frames with their choices.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&FrameMatch, &Choice)> + Clone {
        self.frames.iter().zip(&self.selection.choices)
    }

    /// Frames with the matches and choices of their tiles.
    pub(super) fn views(&self) -> impl Iterator<Item = FrameView<'_>> + Clone {
        let parts = self.per_frame();
        let frames = self.frames.chunks(parts).zip(self.selection.choices.chunks(parts));
        frames.filter_map(|(matches, choices)| Some(FrameView { used: matches.first()?.used, matches, choices }))
    }

    fn per_frame(&self) -> usize {
        self.tiles.map_or(1, |[columns, rows]| (columns as usize * rows as usize).max(1))
    }

    /// Frames.
    pub(super) fn len(&self) -> usize {
        self.frames.len() / self.per_frame()
    }

    /// Path of a picture.
    pub(super) fn path(&self, id: u32) -> &str {
        self.pictures.get(id as usize).map_or("", |p| p.path.as_str())
    }

    /// What is known of a frame, by the names that the system before this one uses, and more.
    fn entry(&self, view: FrameView<'_>, depth: usize) -> Value {
        if let Some([columns, rows]) = self.tiles {
            let selected: Vec<_> = view.choices.iter().map(|c| c.picture.map(|id| self.path(id))).collect();
            let scores: Vec<_> = view.choices.iter().map(|c| c.score.map(round)).collect();
            return json!({
                "tiles": [columns, rows], "selected": selected, "scores": scores, "score": view.score().map(|s| round(s as f32)),
            });
        }
        let (Some(frame), Some(choice)) = (view.matches.first(), view.choices.first()) else { return json!({}) };
        let top: Vec<Value> =
            frame.nearest.iter().take(depth).map(|(id, score)| json!([self.path(*id), round(*score)])).collect();
        json!({
            "top_matches": top, "selected": choice.picture.map(|id| self.path(id)),
            "score": choice.score.map(round), "reason": choice.reason.name(),
        })
    }

    /// Writes `results.json`, where frames that are not shown are empty, or `checkpoint.json`, which has the others only. Frame by
    /// frame: a long video's results are never in memory at once.
    pub(super) fn write_results(&self, io: &dyn StoreIo, path: &Path, depth: usize, all: bool) -> Result<Committed> {
        commit(io, path, |w| {
            let mut views = self.views().peekable();
            let mut first = true;
            w.write_all(b"{")?;
            let last = self.frames.last().map_or(0, |f| f.used.frame + 1);
            for number in 0..if all { self.end.decoded.max(last) } else { last } {
                let here = views.next_if(|v| v.used.frame == number);
                if here.is_none() && !all {
                    continue;
                }
                let entry = here.map_or_else(|| json!({}), |view| self.entry(view, depth));
                w.write_all(if first { b"\n" } else { b",\n" })?;
                write!(w, "  \"frame_{number:06}\": ")?;
                serde_json::to_writer(&mut *w, &entry)?;
                first = false;
            }
            w.write_all(b"\n}\n")
        })
    }

    /// Uses of every picture that is shown: matched frames, seconds of its first frame, best score.
    pub(super) fn uses(&self) -> BTreeMap<u32, (u32, f64, f32)> {
        let mut uses = BTreeMap::new();
        for (frame, choice) in self.pairs() {
            let Some(id) = choice.picture else { continue };
            let entry = uses.entry(id).or_insert((0, frame.used.seconds, f32::NEG_INFINITY));
            entry.0 += 1;
            entry.2 = choice.score.map_or(entry.2, |s| s.max(entry.2));
        }
        uses
    }

    /// Writes `credits.csv`: every picture that is shown, in order of its first frame.
    pub(super) fn write_credits(&self, io: &dyn StoreIo, path: &Path) -> Result<Committed> {
        let uses = self.uses();
        let mut order: Vec<_> = uses.iter().collect();
        order.sort_by(|(a, (_, x, _)), (b, (_, y, _))| x.total_cmp(y).then(a.cmp(b)));
        commit(io, path, |w| {
            w.write_all(b"path,frames,first_seconds,best_similarity,blake3\n")?;
            for (id, (count, first, best)) in order {
                let hash = self.pictures.get(*id as usize).map_or("", |p| p.blake3.as_str());
                let best = if best.is_finite() { format!("{best:.6}") } else { String::new() };
                writeln!(w, "{},{count},{first:.3},{best},{hash}", quoted(self.path(*id)))?;
            }
            Ok(())
        })
    }
}

/// Scores keep six digits: what lies behind is noise of adding.
fn round(score: f32) -> f64 {
    (f64::from(score) * 1e6).round() / 1e6
}

/// A field of a CSV file.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// How output pictures become files.
pub(super) struct Show<'a> {
    pub(super) chosen: &'a Chosen<'a>,
    /// Of the output.
    pub(super) size: Size,
    pub(super) timeline: &'a Timeline,
    pub(super) rate: Option<Rational>,
    pub(super) color: ColorSpec,
    pub(super) crf: f32,
    /// The video file.
    pub(super) video: Option<PathBuf>,
    pub(super) audio: Option<AudioCopy>,
    /// Folder of single pictures.
    pub(super) frames: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) files: Vec<Committed>,
    /// Output pictures in the video.
    pub(super) pictures: u64,
    pub(super) notes: Vec<String>,
    /// Pictures that could not be shown, and why: they are black.
    pub(super) lost: Vec<(u32, String)>,
}

impl Show<'_> {
    /// Renders every picture once for as long as it is remembered, and writes the video and the single pictures.
    pub(super) fn run(
        &self,
        renderer: &mut Renderer,
        loader: &Loader<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Shown> {
        let size = self.size;
        let mut shown = Shown::default();
        let mut writer = self.writer(size, &mut shown)?;
        if self.chosen.tiles.is_some() {
            self.mosaics(renderer, loader, &mut writer, &mut shown, progress)?;
            return self.finish(writer, shown);
        }
        let room = (RECENT / (size.area() * 4).max(1)).max(2) as usize;
        let ids = || self.chosen.selection.choices.iter().filter_map(|c| c.picture);
        let wanted = Recent::misses(room, ids());
        let mut recent = Recent::new(room);
        let black = Arc::new([0, 0, 0, 255].repeat(size.area() as usize));
        let last = self.chosen.frames.len().saturating_sub(1);
        let mut pairs = self.chosen.pairs().enumerate();
        // Frames are shown until one needs a picture that is not there; that is the next one loaded.
        let mut advance = |loaded: Option<(u32, Arc<Vec<u8>>)>, shown: &mut Shown| -> Result<()> {
            let mut loaded = loaded;
            loop {
                let Some((at, (frame, choice))) = pairs.clone().next() else { return Ok(()) };
                let picture = match choice.picture {
                    None => Arc::clone(&black),
                    Some(id) => match (recent.get(id), loaded.take()) {
                        (Some(found), still) => {
                            loaded = still;
                            found
                        }
                        (None, Some((_, picture))) => {
                            recent.put(id, Arc::clone(&picture));
                            picture
                        }
                        (None, None) => return Ok(()),
                    },
                };
                pairs.next();
                self.put(frame.used, at == last, &picture, &mut writer, shown)?;
                progress(1);
            }
        };
        advance(None, &mut shown)?;
        let mut failed = Vec::new();
        loader.run(&wanted, |at, picture| {
            let id = wanted.get(at).copied().unwrap_or(0);
            let rendered = match picture.and_then(|p| renderer.render(p)) {
                Ok(rendered) => Arc::new(rendered),
                Err(e @ (Error::Gpu(_) | Error::Memory { .. } | Error::Cancelled)) => return Err(e),
                Err(e) => {
                    failed.push((id, e.to_string()));
                    Arc::clone(&black)
                }
            };
            advance(Some((id, rendered)), &mut shown)
        })?;
        shown.lost = failed;
        shown.lost.dedup_by(|a, b| a.0 == b.0);
        self.finish(writer, shown)
    }

    /// Writes one frame as often as it is shown.
    fn put(
        &self,
        used: UsedFrame,
        last: bool,
        picture: &[u8],
        writer: &mut Option<VideoWriter>,
        shown: &mut Shown,
    ) -> Result<()> {
        let count = used.count + if last { self.chosen.end.more } else { 0 };
        if let Some(writer) = writer {
            let plane = Plane { data: picture, stride: self.size.width as usize * 4 };
            for i in 0..i64::from(count) {
                writer.write_frame(&[plane], used.pts + i * self.timeline.step())?;
            }
        }
        shown.pictures += u64::from(count);
        if let Some(folder) = &self.frames {
            let jpeg = encode_jpeg(self.size, picture, 92)?;
            let path = folder.join(format!("frame_{:06}.jpg", used.frame));
            shown.files.push(commit(&OsIo, path, |w| w.write_all(&jpeg))?);
        }
        Ok(())
    }

    /// Frames of tiles: all pictures are made small once, and put together frame by frame.
    fn mosaics(
        &self,
        renderer: &mut Renderer,
        loader: &Loader<'_>,
        writer: &mut Option<VideoWriter>,
        shown: &mut Shown,
        progress: &mut dyn FnMut(u64),
    ) -> Result<()> {
        let mosaic = Mosaic::new(self.size, self.chosen.tiles);
        let mut ids: Vec<u32> = self.chosen.selection.choices.iter().filter_map(|c| c.picture).collect();
        ids.sort_unstable();
        ids.dedup();
        // All of them are there at once: refused before the first one when that is too much.
        let _held = renderer.hold(ids.len() as u64 * renderer.size().area() * 4)?;
        let mut pictures = HashMap::new();
        loader.run(&ids, |at, picture| {
            let id = ids.get(at).copied().unwrap_or(0);
            match picture.and_then(|p| renderer.render(p)) {
                Ok(rendered) => drop(pictures.insert(id, rendered)),
                Err(e @ (Error::Gpu(_) | Error::Memory { .. } | Error::Cancelled)) => return Err(e),
                Err(e) => shown.lost.push((id, e.to_string())),
            }
            Ok(())
        })?;
        let last = self.chosen.len().saturating_sub(1);
        for (at, view) in self.chosen.views().enumerate() {
            loader.cancel.check()?;
            let picture = mosaic.compose(view.choices, &pictures);
            self.put(view.used, at == last, &picture, writer, shown)?;
            progress(1);
        }
        Ok(())
    }

    fn finish(&self, writer: Option<VideoWriter>, mut shown: Shown) -> Result<Shown> {
        if let (Some(writer), Some(path)) = (writer, &self.video) {
            let done = writer.finish()?;
            let path = self.place(path, &shown);
            shown.files.push(Committed { path, bytes: done.bytes, blake3: Hash::from_bytes(done.blake3) });
            if !done.audio_damage.is_empty() {
                shown.notes.push(format!("the audio is damaged: {}", done.audio_damage.join("; ")));
            }
        }
        Ok(shown)
    }

    /// Where the video goes: into Matroska when MP4 does not take the audio.
    fn place(&self, path: &Path, shown: &Shown) -> PathBuf {
        if shown.notes.iter().any(|n| n == MATROSKA) { path.with_extension("mkv") } else { path.to_path_buf() }
    }

    fn writer(&self, size: Size, shown: &mut Shown) -> Result<Option<VideoWriter>> {
        let Some(path) = &self.video else { return Ok(None) };
        let options = WriterOptions {
            frame_rate: self.rate,
            color: self.color,
            rate: RateControl::Crf(self.crf),
            odd: OddSize::PadReplicate,
            ..WriterOptions::new(size, PixelFormat::Rgba8, self.timeline.time_base())
        };
        match VideoWriter::create_in(&OsIo, path, &options, self.audio.as_ref()) {
            Err(Error::InputUnsupported { .. }) if self.audio.is_some() => {
                shown.notes.push(MATROSKA.into());
                let path = path.with_extension("mkv");
                VideoWriter::create_in(&OsIo, path, &options, self.audio.as_ref()).map(Some)
            }
            other => other.map(Some),
        }
    }
}

const MATROSKA: &str = "the audio cannot be copied into an MP4 file: a Matroska file is written";
