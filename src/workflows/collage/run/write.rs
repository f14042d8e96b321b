//! All outputs of a run, in order: results first, the report last.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::super::select::Reason;
use super::super::settings::CollageSettings;
use super::config::CollageConfig;
use super::inside;
use super::matching::Matches;
use super::mosaic::Mosaic;
use super::outputs::{Chosen, FrameView, Show};
use super::page::{Report, page};
use super::render::{Loader, Renderer};
use super::timeline::Timeline;
use super::{CollageOptions, CollageOutcome, sheet};
use crate::config::to_toml;
use crate::core::{Aspect, ColorSpec, Rational, Size};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::AudioCopy;
use crate::store::{Committed, OsIo, StoreIo, clean_temps, commit, commit_json};
use crate::workflows::VideoFacts;

/// Frames on the contact sheet.
const SHEET: usize = 30;
const SHEET_COLUMNS: u32 = 6;
/// Pictures on the sheet of pictures.
const USED: usize = 240;
const USED_COLUMNS: u32 = 12;
/// Worst matches in the report.
const WORST: usize = 8;

pub(super) struct Writing<'a> {
    pub(super) ctx: &'a GpuContext,
    pub(super) io: &'a OsIo,
    pub(super) folder: &'a Path,
    pub(super) facts: &'a VideoFacts,
    pub(super) config: &'a CollageConfig,
    pub(super) options: &'a CollageOptions,
    pub(super) chosen: &'a Chosen<'a>,
    pub(super) matches: &'a Matches,
    pub(super) timeline: &'a Timeline,
    pub(super) search: String,
}

impl Writing<'_> {
    /// Writes everything.
    ///
    /// # Errors
    /// Storage, encoding, the device, `Cancelled`.
    pub(super) fn run(
        self,
        mut reasons: Vec<String>,
        mut notes: Vec<String>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(Vec<Committed>, CollageOutcome)> {
        let (io, chosen, config) = (self.io, self.chosen, self.config);
        let depth = config.depth as usize;
        let settings = to_toml(&CollageSettings::of(config))?;
        let mut files = vec![
            chosen.write_results(io, &inside(self.folder, "checkpoint.json"), depth, false)?,
            chosen.write_results(io, &inside(self.folder, "results.json"), depth, true)?,
            chosen.write_credits(io, &inside(self.folder, "credits.csv"))?,
            commit(io, inside(self.folder, "config.toml"), |w| w.write_all(settings.as_bytes()))?,
        ];
        let name = format!("{}_matched.mp4", stem(&self.facts.path));
        let frames = config.frames.then(|| self.fresh_folder("matched_frames", "frame_")).transpose()?;
        let show = Show {
            chosen,
            size: self.facts.size,
            timeline: self.timeline,
            rate: config.rate.or_else(|| self.facts.fps.and_then(rate_of)),
            color: ColorSpec::assumed_for_height(self.facts.size.height),
            crf: config.crf,
            video: config.video.then(|| inside(self.folder, &name)),
            audio: (config.audio && self.facts.audio > 0).then(|| AudioCopy {
                until: config.seconds.map(|s| s + self.facts.start),
                ..AudioCopy::new(&self.facts.path, 0)
            }),
            frames,
        };
        let mut video = None;
        let mut pictures: u64 = chosen.views().map(|f| u64::from(f.used.count)).sum();
        pictures += u64::from(chosen.end.more);
        if config.video || config.frames {
            let cell = Mosaic::new(self.facts.size, config.tiles).cell();
            let mut renderer = Renderer::new(self.ctx, cell)?;
            let shown = show.run(&mut renderer, &self.loader(cell), progress)?;
            self.options.pipeline.cancel.check()?;
            let file = shown.files.last().filter(|_| config.video).and_then(|f| f.path.file_name());
            video = file.map(|n| n.to_string_lossy().into_owned());
            files.extend(shown.files);
            notes.extend(shown.notes);
            for (id, why) in shown.lost {
                reasons.push(format!("a picture could not be shown and is black: {} ({why})", chosen.path(id)));
            }
        }
        self.count_reasons(&mut notes);
        files.extend(self.samples()?);
        let seconds = self.seconds(pictures);
        files.extend(self.report(&reasons, &notes, pictures, seconds)?);
        let outcome = CollageOutcome {
            reasons,
            notes,
            frames: chosen.len() as u64,
            shown: pictures,
            used: chosen.uses().len() as u64,
            total_similarity: chosen.selection.total(),
            video,
            cached: false,
            resumed: 0,
        };
        let summary = json!({
            "schema": "collage.summary", "schema_version": 1, "frameloom": env!("CARGO_PKG_VERSION"),
            "input": { "name": self.facts.name, "fingerprint": self.facts.fingerprint, "track": self.facts.track },
            "pool": { "pictures": chosen.pictures.len(), "search": self.search },
            "outcome": outcome, "seconds": seconds,
            "settings": { "match": config.matching(), "show": config.showing() },
        });
        files.push(commit_json(io, inside(self.folder, "summary.json"), &summary)?);
        Ok((files, outcome))
    }

    fn aspect(&self) -> [u32; 2] {
        if self.config.descriptor.parity { [16, 9] } else { self.config.descriptor.aspect }
    }

    fn loader(&self, size: Size) -> Loader<'_> {
        let [width, height] = self.aspect();
        Loader {
            pictures: self.chosen.pictures,
            limits: &self.options.limits,
            aspect: Aspect { width, height },
            size,
            threads: self.options.threads,
            cancel: &self.options.pipeline.cancel,
        }
    }

    /// Says how many frames the rules could not serve as they are.
    fn count_reasons(&self, notes: &mut Vec<String>) {
        for (reason, what) in [
            (Reason::Recycled, "show a picture beyond its limit, because all were used up"),
            (Reason::BelowThreshold, "have no picture that reaches the threshold and show the best one"),
            (Reason::Held, "have no picture that reaches the threshold and keep the one before"),
            (Reason::Black, "have no picture and are black"),
        ] {
            let count = self.chosen.selection.choices.iter().filter(|c| c.reason == reason).count();
            if count > 0 {
                let kind = if self.config.tiles.is_some() { "tiles" } else { "frames" };
                notes.push(format!("{count} of {} {kind} {what}", self.chosen.frames.len()));
            }
        }
    }

    /// Seconds that `pictures` output pictures are shown.
    fn seconds(&self, pictures: u64) -> f64 {
        match self.config.rate {
            Some(rate) => pictures as f64 / rate.as_f64(),
            None => {
                let span = |a: f64, b: f64| b - a + self.facts.fps.map_or(0.0, |f| 1.0 / f);
                let (first, last) = (self.chosen.frames.first(), self.chosen.frames.last());
                first.zip(last).map_or(0.0, |(a, b)| span(a.used.seconds, b.used.seconds))
            }
        }
    }

    /// A folder of outputs without those of earlier runs.
    fn fresh_folder(&self, name: &str, prefix: &str) -> Result<PathBuf> {
        let folder = inside(self.folder, name);
        self.io.create_dir_all(&folder).map_err(|e| Error::storage("create the folder", &folder, e))?;
        let dir = self.io.open_dir(&folder).map_err(|e| Error::storage("open", &folder, e))?;
        // What a killed run left unfinished goes, too.
        clean_temps(dir.as_ref())?;
        for old in dir.list().map_err(|e| Error::storage("list", &folder, e))? {
            let ours = old.to_str().is_some_and(|n| n.starts_with(prefix));
            if ours {
                dir.remove(&old).map_err(|e| Error::storage("remove", folder.join(&old), e))?;
            }
        }
        Ok(folder)
    }

    /// Pictures at `size`, by id; those that cannot be decoded are left out.
    fn rendered(&self, ids: &[u32], size: Size) -> Result<HashMap<u32, Vec<u8>>> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let mut renderer = Renderer::new(self.ctx, size)?;
        let mut all = HashMap::new();
        self.loader(size).run(&ids, |at, picture| {
            // The video has said which ones are lost.
            if let (Some(id), Ok(picture)) = (ids.get(at), picture) {
                all.insert(*id, renderer.render(picture)?);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// `comparison_samples/`: frame and picture side by side, with the score of the picture that is shown.
    fn samples(&self) -> Result<Vec<Committed>> {
        if self.matches.samples.is_empty() {
            return Ok(Vec::new());
        }
        let folder = self.fresh_folder("comparison_samples", "sample_")?;
        let views: Vec<_> = self.chosen.views().collect();
        let size = self.matches.samples.first().map(|(_, jpeg)| sheet::pixels(jpeg)).transpose()?;
        let Some((size, _)) = size else { return Ok(Vec::new()) };
        let mosaic = Mosaic::new(size, self.config.tiles);
        let shown = self.matches.samples.iter().filter_map(|(at, _)| views.get(*at));
        let pictures = self.rendered(&ids_of(shown), mosaic.cell())?;
        let mut files = Vec::new();
        for (at, jpeg) in &self.matches.samples {
            let Some(view) = views.get(*at) else { continue };
            let picture = mosaic.compose(view.choices, &pictures);
            let score = view.score().map_or_else(|| "-".to_owned(), |s| format!("{s:.3}"));
            let text = format!("Frame {:06} | Similarity: {score}", view.used.frame);
            let bytes = sheet::comparison(&sheet::pixels(jpeg)?.1, &picture, size, &text)?;
            let path = folder.join(format!("sample_{:06}.jpg", view.used.frame));
            files.push(commit(self.io, path, |w| w.write_all(&bytes))?);
        }
        Ok(files)
    }

    /// Contact sheet, sheet of pictures, page.
    fn report(&self, reasons: &[String], notes: &[String], pictures: u64, seconds: f64) -> Result<Vec<Committed>> {
        let thumbs = &self.matches.thumbs;
        let size = thumbs.first().map(|(_, jpeg)| sheet::pixels(jpeg)).transpose()?;
        let size = size.map_or(self.facts.size.fit_within(256), |(size, _)| size);
        let mosaic = Mosaic::new(size, self.config.tiles);
        let views: Vec<FrameView<'_>> = self.chosen.views().collect();
        // Evenly over time, the middle of each stretch.
        let count = SHEET.min(thumbs.len());
        let shown: Vec<_> = (0..count)
            .filter_map(|i| thumbs.get((2 * i + 1) * thumbs.len() / (2 * count)))
            .filter_map(|(at, jpeg)| Some((jpeg, views.get(*at)?)))
            .collect();
        let worst = worst(thumbs, &views);
        let seen = shown.iter().map(|(_, view)| *view).chain(worst.iter().map(|(_, view, _)| *view));
        let rendered = self.rendered(&ids_of(seen), mosaic.cell())?;
        let mut cells = Vec::new();
        for (jpeg, view) in &shown {
            cells.extend([sheet::pixels(jpeg)?.1, mosaic.compose(view.choices, &rendered)]);
        }
        let mut files = Vec::new();
        let contact = sheet::sheet(&cells, size, SHEET_COLUMNS, true)?;
        files.push(commit(self.io, inside(self.folder, "contact_sheet.jpg"), |w| w.write_all(&contact))?);
        let used = self.used_sheet(size)?;
        files.push(commit(self.io, inside(self.folder, "pictures.jpg"), |w| w.write_all(&used))?);
        let mut panels = Vec::new();
        for (jpeg, view, score) in &worst {
            let both = [sheet::pixels(jpeg)?.1, mosaic.compose(view.choices, &rendered)];
            let path = view.choices.first().and_then(|c| c.picture).map_or("", |id| self.chosen.path(id));
            let name = if self.config.tiles.is_some() { "" } else { path.rsplit('/').next().unwrap_or(path) };
            panels.push((
                format!("frame {} at {:.2} s: similarity {score:.3}", view.used.frame, view.used.seconds),
                name.to_owned(),
                sheet::sheet(&both, size, 1, true)?,
            ));
        }
        let report = Report {
            facts: self.facts,
            config: self.config,
            chosen: self.chosen,
            search: self.search.clone(),
            adapter: self.ctx.caps(),
            notes,
            reasons,
            output_pictures: pictures,
            seconds,
            sheet: (!cells.is_empty()).then_some(contact.as_slice()),
            used: Some(used.as_slice()),
            worst: panels,
        };
        files.push(page(&report).write(self.io, inside(self.folder, "report.html"))?);
        Ok(files)
    }

    /// The pictures shown for the most frames.
    fn used_sheet(&self, size: Size) -> Result<Vec<u8>> {
        let uses = self.chosen.uses();
        let mut order: Vec<_> = uses.iter().collect();
        order.sort_by(|(a, x), (b, y)| y.0.cmp(&x.0).then(a.cmp(b)));
        let ids: Vec<u32> = order.iter().take(USED).map(|(id, _)| **id).collect();
        let small = size.fit_within(128);
        let rendered = self.rendered(&ids, small)?;
        let cells: Vec<_> = ids.iter().filter_map(|id| rendered.get(id).cloned()).collect();
        sheet::sheet(&cells, small, USED_COLUMNS, false)
    }
}

/// Pictures of frames.
fn ids_of<'a>(views: impl Iterator<Item = &'a FrameView<'a>>) -> Vec<u32> {
    views.flat_map(|v| v.choices).filter_map(|c| c.picture).collect()
}

/// The worst matches among the frames with thumbnails. Neighbours are alike: one of a second, and of a picture.
fn worst<'a>(thumbs: &'a [(usize, Vec<u8>)], views: &'a [FrameView<'a>]) -> Vec<(&'a Vec<u8>, &'a FrameView<'a>, f64)> {
    let scored = |(at, jpeg): &'a (usize, Vec<u8>)| {
        let view = views.get(*at)?;
        Some((jpeg, view, view.score()?))
    };
    let mut all: Vec<_> = thumbs.iter().filter_map(scored).collect();
    all.sort_by(|a, b| a.2.total_cmp(&b.2).then(a.1.used.frame.cmp(&b.1.used.frame)));
    let mut listed: Vec<&FrameView<'_>> = Vec::new();
    all.retain(|(_, view, _)| {
        let picture = |v: &FrameView<'_>| v.choices.first().filter(|_| v.choices.len() == 1).and_then(|c| c.picture);
        let near = |other: &&FrameView<'_>| {
            let same = picture(other).is_some() && picture(other) == picture(view);
            same || (other.used.seconds - view.used.seconds).abs() < 1.0
        };
        let new = listed.len() < WORST && !listed.iter().any(near);
        if new {
            listed.push(view);
        }
        new
    });
    all
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "video".into(), |s| s.to_string_lossy().into_owned())
}

/// A rate near enough for the encoder.
fn rate_of(fps: f64) -> Option<Rational> {
    let thousandths = (fps * 1000.0).round();
    (1.0..=1e6).contains(&thousandths).then_some(Rational { num: thousandths as i32, den: 1000 })
}
