//! The report page.

use super::super::zones::{BoxPoint, Happening};
use super::TrackOutcome;
use super::config::TrackConfig;
use super::counts::Step;
use super::eye::UNNAMED;
use super::follow::Followed;
use super::occupancy::Occupancy;
use super::pictures::Gallery;
use super::seen::{Seen, SeenFacts};
use super::tables::{Life, direction_name};
use crate::config::to_toml;
use crate::error::Result;
use crate::gpu::Caps;
use crate::report::{HtmlTable, ImageItem, LinePlot, Note, Page, Tile, Tone};

/// Rows of tables.
const ROWS: usize = 60;
/// Zones or lines with a curve of their own.
const CURVES: usize = 6;

/// What the page is made of. Nothing in it depends on speed.
pub(super) struct Telling<'a> {
    pub(super) seen: &'a Seen,
    pub(super) followed: &'a Followed,
    pub(super) config: &'a TrackConfig,
    pub(super) outcome: &'a TrackOutcome,
    pub(super) steps: &'a [Step],
    pub(super) lives: &'a [Life],
    pub(super) maps: &'a [Occupancy],
    /// Tracks from above, as a PNG.
    pub(super) plan: Option<&'a [u8]>,
    pub(super) adapter: &'a Caps,
}

impl Telling<'_> {
    fn facts(&self) -> &SeenFacts {
        &self.seen.facts
    }

    /// Builds the page.
    pub(super) fn page(&self) -> Result<Page> {
        let facts = self.facts();
        let name = |p: &String| std::path::Path::new(p).file_name().map(|n| n.to_string_lossy().into_owned());
        let title = facts.inputs.first().and_then(name).unwrap_or_else(|| "video".into());
        let (tone, word) = if facts.reasons.is_empty() { (Tone::Good, "complete") } else { (Tone::Warn, "partial") };
        let mut page = Page::new(title).subtitle(self.subtitle()).badge(tone, word).tiles(self.tiles());
        let notes: Vec<Note> = self
            .outcome
            .reasons
            .iter()
            .map(|t| Note::new(Tone::Warn, t))
            .chain(self.outcome.notes.iter().map(|t| Note::new(Tone::Neutral, t)))
            .collect();
        if !notes.is_empty() {
            page = page.notes(notes);
        }
        let mut gallery = Gallery::new(self.seen, self.followed);
        page = page.section("Over time").plot(self.seen_plot());
        for plot in self.place_plots() {
            page = page.plot(plot);
        }
        if !self.lives.is_empty() {
            page = page
                .section("Timeline")
                .text("A line for each object, from its first frame to its last; gaps are frames in which it was not seen.")
                .plot(self.life_plot());
        }
        if let Some((jpeg, seconds)) = gallery.scene()? {
            let caption = format!("the busiest of the pictures kept, at {seconds:.1} s");
            let note =
                "whole outlines move, corners stand; the arrow of a line points from left to right, seen along it";
            page = page.section("The scene").images([ImageItem::jpeg(&jpeg, caption).note(note).wide()]);
        }
        if !self.lives.is_empty() {
            page = page.section("Where they were").text(
                "Brighter means more time spent there, a bell around the point of each box that zones are tested with; the root of it, so \
                 that rare places can be seen. The numbers are in heat.npy.",
            );
            let mut images = Vec::new();
            for map in self.maps {
                let jpeg = gallery.heat(map)?;
                let what = map.class.map_or_else(|| "all objects".into(), |c| facts.class_name(c));
                let item = ImageItem::jpeg(&jpeg, what);
                images.push(if map.class.is_none() { item.wide() } else { item });
            }
            page = page.images(images);
        }
        if let Some(png) = self.plan {
            let note = "a dot where an object was seen first, arrows along its way, its number where it was seen last";
            let point = match self.config.point {
                BoxPoint::Center => "the middle of its box",
                BoxPoint::Foot => "the middle of the lower edge of its box",
            };
            page = page
                .section("From above")
                .text(format!("Tracks on the plan: {point}, through the calibration, averaged over half a second."))
                .images([ImageItem::png(png, "the plan").note(note).wide()]);
        }
        let file = self.followed.end.zones.file();
        if !file.zones.is_empty() || !file.lines.is_empty() {
            page = page.section("Zones and lines");
            if !file.zones.is_empty() {
                page = page.table(self.zone_table());
            }
            if !file.lines.is_empty() {
                page = page.table(self.line_table());
            }
            page = page.table(self.event_table());
        }
        page = page.section("Objects");
        let thumbs = gallery.objects(self.lives)?;
        if !thumbs.is_empty() {
            page = page.images(thumbs.iter().filter_map(|(id, jpeg)| {
                let life = self.lives.iter().find(|l| l.id == *id)?;
                let caption = self.followed.label(*id, &facts.class_name(life.class));
                let note = format!("{:.1} to {:.1} s", life.first, life.last);
                Some(ImageItem::jpeg(jpeg, caption).note(note))
            }));
        }
        page = page.table(self.object_table());
        let caps = self.adapter;
        let settings = to_toml(self.config)?.lines().filter(|l| !l.is_empty()).collect::<Vec<_>>().join(", ");
        Ok(page
            .footer("frameloom", env!("CARGO_PKG_VERSION"))
            .footer("adapter", format!("{} [{}], {}", caps.name, caps.kind, caps.driver))
            .footer("detector", facts.detector_content.clone())
            .footer("settings", settings)
            .footer("files", "tracks, objects, events, counts (.parquet, .csv, .jsonl), tracks.mot.txt, tracks.coco.json, detections.parquet, heat.npy, result.json")
            .footer("input", facts.fingerprints.join(" ")))
    }

    fn subtitle(&self) -> String {
        let f = self.facts();
        let mut parts = vec![format!("{}\u{d7}{}", f.width, f.height)];
        if let Some(fps) = f.fps {
            parts.push(format!("{} frames/s", (fps * 100.0).round() / 100.0));
        }
        if f.tracks > 1 {
            parts.push(format!("video track {} of {}", f.track, f.tracks));
        }
        if f.inputs.len() > 1 {
            parts.push(format!("{} segments", f.inputs.len()));
        }
        let s = &f.sampling;
        match (s.fps, s.every) {
            (Some(fps), _) => parts.push(format!("{fps} frames/s of it used")),
            (None, n) if n > 1 => parts.push(format!("1 of {n} frames used")),
            _ => {}
        }
        if s.detect_every > 1 {
            parts.push(format!("1 of {} of these looked at, boxes between are interpolated", s.detect_every));
        }
        parts.push(format!("detector {}", f.detector));
        parts.extend(f.slices.as_ref().map(|s| format!("slices {s}")));
        parts.extend(f.appearance.as_ref().map(|name| format!("appearance {name}")));
        parts.join(", ")
    }

    fn tiles(&self) -> Vec<Tile> {
        let (o, f) = (self.outcome, self.facts());
        let seen = self.steps.iter().map(Step::mean);
        // One class without a name of its own says nothing.
        let named = o.by_class.keys().any(|c| c != UNNAMED);
        let by_class: Vec<String> = o.by_class.iter().filter(|_| named).map(|(c, n)| format!("{n} {c}")).collect();
        let by_class = by_class.join(", ");
        let all: u64 = self.lives.iter().map(|l| l.frames).sum();
        let moving: u64 = self.lives.iter().map(|l| l.moving).sum();
        let most = self.steps.iter().map(|s| s.most).max().unwrap_or(0);
        let mut tiles = vec![
            Tile::new("Objects", o.objects.to_string()).note(by_class),
            Tile::new("At a time", most.to_string()).note("at most").spark(seen),
            Tile::new("Moving", format!("{:.0}", 100.0 * moving as f64 / all.max(1) as f64)).unit("% of the time"),
            Tile::new("Frames", o.frames.to_string()).note(format!("{} decoded", f.decoded_frames)),
            Tile::new("Duration", format!("{:.1}", o.seconds)).unit("s"),
        ];
        let zones = &self.followed.end.zones;
        if let Some(r) = &f.recognised {
            let people: std::collections::BTreeSet<&str> =
                self.followed.names.values().map(|n| n.name.as_str()).collect();
            let note = format!("{} of {} questions answered", r.answered, r.questions);
            tiles.push(Tile::new("People known", people.len().to_string()).note(note));
        }
        for (z, t) in zones.file().zones.iter().zip(zones.totals()).take(4) {
            let note = format!("{} at most, {:.1} s on average", t.most, mean_dwell(t));
            tiles.push(Tile::new(&z.name, t.entries.to_string()).unit("entries").note(note));
        }
        for (l, t) in zones.file().lines.iter().zip(zones.crossings()).take(4) {
            let note = format!("{} to the right, {} to the left", t.left_to_right, t.right_to_left);
            let sum = t.left_to_right + t.right_to_left;
            tiles.push(Tile::new(&l.name, sum.to_string()).unit("crossings").note(note));
        }
        tiles
    }

    fn marked(&self, plot: LinePlot) -> LinePlot {
        self.facts().joints.iter().fold(plot, |p, t| p.marker(*t, "next segment", Tone::Neutral))
    }

    fn seen_plot(&self) -> LinePlot {
        let of = |value: fn(&Step) -> Option<f64>| self.steps.iter().map(move |s| (s.seconds, value(s)));
        let plot = LinePlot::new("Objects in the picture", "objects")
            .series("seen", of(Step::mean))
            .series("moving", of(Step::mean_moving));
        self.marked(plot)
    }

    fn place_plots(&self) -> Vec<LinePlot> {
        let file = self.followed.end.zones.file();
        let mut plots = Vec::new();
        if !file.zones.is_empty() {
            let mut plot = LinePlot::new("Inside zones", "objects, at most");
            for (i, z) in file.zones.iter().enumerate().take(CURVES) {
                let value = |s: &Step| s.zones.get(i).map(|z| z[0] as f64);
                plot = plot.series(z.name.clone(), self.steps.iter().map(|s| (s.seconds, value(s))));
            }
            plots.push(self.marked(plot));
        }
        let sums = |of: &dyn Fn(&Step) -> u64| {
            let mut sum = 0;
            self.steps
                .iter()
                .map(|s| {
                    sum += of(s);
                    (s.seconds, Some(sum as f64))
                })
                .collect::<Vec<_>>()
        };
        if !file.zones.is_empty() || !file.lines.is_empty() {
            let mut plot = LinePlot::new("Entries and crossings so far", "number");
            for (i, z) in file.zones.iter().enumerate().take(CURVES / 2) {
                plot = plot.series(z.name.clone(), sums(&|s| s.zones.get(i).map_or(0, |z| z[1])));
            }
            for (i, l) in file.lines.iter().enumerate().take(CURVES / 2) {
                for (side, arrow) in [(0, "\u{2192}"), (1, "\u{2190}")] {
                    let value = |s: &Step| s.lines.get(i).and_then(|l| l.get(side)).copied().unwrap_or(0);
                    plot = plot.series(format!("{} {arrow}", l.name), sums(&value));
                }
            }
            plots.push(self.marked(plot));
        }
        plots
    }

    /// Lines of objects, moving and idle apart.
    fn life_plot(&self) -> LinePlot {
        let mut runs: std::collections::BTreeMap<u64, Vec<(f64, f64, bool)>> = std::collections::BTreeMap::new();
        let mut before: Option<f64> = None;
        for (frame, sights) in self.seen.frames.iter().zip(&self.followed.sights) {
            let now = frame.time.seconds;
            for s in sights {
                let list = runs.entry(s.id).or_default();
                match list.last_mut() {
                    Some(run) if Some(run.1) == before && run.2 == s.moving => run.1 = now,
                    Some(run) if Some(run.1) == before => {
                        // The change of state lies between the two frames: no gap.
                        run.1 = now;
                        list.push((now, now, s.moving));
                    }
                    _ => list.push((now, now, s.moving)),
                }
            }
            before = Some(now);
        }
        let of = |moving: bool| {
            let mut points = Vec::new();
            for (id, list) in &runs {
                let y = *id as f64;
                for (from, to, _) in list.iter().filter(|r| r.2 == moving) {
                    points.extend([(*from, Some(y)), (*to, Some(y)), (*to, None)]);
                }
            }
            points
        };
        let top = runs.keys().max().copied().unwrap_or(1) as f64;
        let plot = LinePlot::new("Objects", "number")
            .series("moves", of(true))
            .series("stands", of(false))
            .y_range(0.0, top + 1.0);
        self.marked(plot)
    }

    fn zone_table(&self) -> HtmlTable {
        let mut table = HtmlTable::new("Zones")
            .text("zone")
            .number("entries", "")
            .number("repeats", "")
            .number("exits", "")
            .number("lost inside", "")
            .number("at most", "")
            .number("mean stay", "s")
            .number("longest", "s")
            .text("drawn on");
        let zones = &self.followed.end.zones;
        for (z, t) in zones.file().zones.iter().zip(zones.totals()) {
            table = table.row([
                z.name.clone(),
                t.entries.to_string(),
                t.repeats.to_string(),
                t.exits.to_string(),
                t.lost.to_string(),
                t.most.to_string(),
                format!("{:.1}", mean_dwell(t)),
                format!("{:.1}", t.longest),
                if z.calibration.is_some() { "the plan" } else { "the video" }.to_owned(),
            ]);
        }
        table
    }

    fn line_table(&self) -> HtmlTable {
        let mut table = HtmlTable::new("Lines").text("line").number("left to right", "").number("right to left", "");
        let zones = &self.followed.end.zones;
        for (l, t) in zones.file().lines.iter().zip(zones.crossings()) {
            table = table.row([l.name.clone(), t.left_to_right.to_string(), t.right_to_left.to_string()]);
        }
        table
    }

    fn event_table(&self) -> HtmlTable {
        let mut table = HtmlTable::new("Events").number("time", "s").number("object", "").text("class").text("what");
        let file = self.followed.end.zones.file();
        let zone = |z: usize| file.zones.get(z).map_or("", |z| z.name.as_str());
        let line = |l: usize| file.lines.get(l).map_or("", |l| l.name.as_str());
        for e in self.followed.events.iter().take(ROWS) {
            let what = match e.happening {
                Happening::Enter { zone: z, repeat: false } => format!("enters {}", zone(z)),
                Happening::Enter { zone: z, repeat: true } => format!("enters {} again, not counted", zone(z)),
                Happening::Exit { zone: z, dwell, lost: false } => format!("leaves {} after {dwell:.1} s", zone(z)),
                Happening::Exit { zone: z, dwell, lost: true } => format!("is lost in {} after {dwell:.1} s", zone(z)),
                Happening::Cross { line: l, direction } => {
                    format!("crosses {}, {}", line(l), direction_name(direction).replace('_', " "))
                }
            };
            let class = self.facts().class_name(e.class);
            table = table.row([format!("{:.2}", e.seconds), e.track.to_string(), class, what]);
        }
        match self.followed.events.len().checked_sub(ROWS) {
            None | Some(0) => table,
            Some(more) => table.more(format!("{more} more in events.csv")),
        }
    }

    fn object_table(&self) -> HtmlTable {
        let names = &self.followed.names;
        let mut table = HtmlTable::new("Objects").number("number", "");
        if !names.is_empty() {
            table = table.text("name");
        }
        table = table
            .text("class")
            .number("from", "s")
            .number("to", "s")
            .number("frames", "")
            .number("moving", "%")
            .number("way", "px")
            .number("score", "");
        for l in self.lives.iter().take(ROWS) {
            let name = names.get(&l.id).map_or_else(String::new, |n| format!("{}, {:.0} %", n.name, n.confidence));
            let name = (!names.is_empty()).then_some(name);
            table = table.row([l.id.to_string()].into_iter().chain(name).chain([
                self.facts().class_name(l.class),
                format!("{:.2}", l.first),
                format!("{:.2}", l.last),
                l.frames.to_string(),
                format!("{:.0}", 100.0 * l.moving as f64 / l.frames.max(1) as f64),
                format!("{:.0}", l.path),
                format!("{:.2}", l.score),
            ]));
        }
        match self.lives.len().checked_sub(ROWS) {
            None | Some(0) => table,
            Some(more) => table.more(format!("{more} more in objects.csv")),
        }
    }
}

/// Seconds of a stay on average; 0 without any.
fn mean_dwell(t: &super::super::zones::ZoneTotals) -> f64 {
    let stays = t.exits + t.lost;
    if stays > 0 { t.dwell / stays as f64 } else { 0.0 }
}
