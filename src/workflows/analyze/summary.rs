//! What is written beside the table: heat map, summary and report.

use std::path::Path;

use serde_json::{Value, json};

use super::config::AnalyzeConfig;
use super::heat;
use super::metrics::FrameMetrics;
use super::page::page;
use super::picks::{Pick, PickKind};
use super::series::Series;
use super::thumbs;
use super::work::HeatMap;
use crate::error::Result;
use crate::gpu::Caps;
use crate::media::{MediaInfo, Verdict, VideoStream};
use crate::report::write_npy;
use crate::store::{Committed, StoreIo, commit};

/// What is known of an input before its first frame.
#[derive(Debug)]
pub(super) struct InputFacts {
    pub(super) name: String,
    pub(super) info: Option<MediaInfo>,
    pub(super) track: usize,
    pub(super) fingerprint: String,
}

impl InputFacts {
    pub(super) fn new(path: &Path, info: Option<MediaInfo>, track: usize, fingerprint: String) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Self { name, info, track, fingerprint }
    }

    /// The video track as declared.
    pub(super) fn stream(&self) -> Option<&VideoStream> {
        self.info.as_ref()?.video_streams.get(self.track)
    }
}

/// Curves of all figures over time.
#[derive(Debug)]
pub(super) struct Curves {
    pub(super) all: Vec<(&'static str, &'static str, Series)>,
    first: Option<f64>,
    last: f64,
}

impl Curves {
    pub(super) fn new() -> Self {
        let names = [
            ("luma_mean", "code"),
            ("luma_p05", "code"),
            ("luma_p95", "code"),
            ("luma_std", "code"),
            ("dark_share", "1"),
            ("bright_share", "1"),
            ("sharpness", "code^2"),
            ("tenengrad", "code^2"),
            ("noise_sigma", "code"),
            ("motion_mean", "code"),
            ("motion_share", "1"),
        ];
        Self { all: names.into_iter().map(|(n, u)| (n, u, Series::new())).collect(), first: None, last: 0.0 }
    }

    pub(super) fn push(&mut self, m: &FrameMetrics) {
        let at = m.info.seconds().unwrap_or(m.info.index as f64);
        let first = *self.first.get_or_insert(at);
        let x = at - first;
        self.last = self.last.max(x);
        let [p05, _, p95] = m.percentiles;
        let values = [
            Some(m.luma.mean),
            Some(f64::from(p05)),
            Some(f64::from(p95)),
            Some(m.luma.variance.sqrt()),
            Some(m.luma.dark_share),
            Some(m.luma.bright_share),
            Some(m.luma.laplacian_variance),
            Some(m.luma.tenengrad),
            Some(m.luma.noise_sigma),
            m.motion.map(|d| d.mean()),
            m.motion.map(|d| d.share()),
        ];
        for ((_, _, series), v) in self.all.iter_mut().zip(values) {
            series.push(x, v);
        }
    }

    /// The curve called `name`.
    pub(super) fn get(&self, name: &str) -> Option<&Series> {
        self.all.iter().find(|(n, _, _)| *n == name).map(|(_, _, s)| s)
    }

    /// Presentation time of the first frame in seconds; the curves count from it.
    pub(super) fn start(&self) -> f64 {
        self.first.unwrap_or(0.0)
    }

    /// Seconds from the first to the last frame.
    pub(super) fn span(&self) -> f64 {
        self.last
    }
}

/// Everything the report is made of. Nothing in it depends on speed: no times, thread counts or budgets.
pub(super) struct Report<'a> {
    pub(super) facts: &'a InputFacts,
    pub(super) config: &'a AnalyzeConfig,
    pub(super) verdict: &'a Verdict,
    pub(super) notes: &'a [String],
    pub(super) curves: &'a Curves,
    pub(super) picks: Vec<(PickKind, Vec<Pick>)>,
    pub(super) heat: &'a [HeatMap],
    pub(super) frames: u64,
    pub(super) adapter: &'a Caps,
}

/// Writes `heat*.npy`, `heat*.png`, `summary.json`, `config.toml` and `report.html`.
pub(super) fn write_outputs(io: &dyn StoreIo, folder: &Path, report: &Report<'_>) -> Result<Vec<Committed>> {
    let mut files = Vec::new();
    let mut heat_pngs = Vec::new();
    for (i, map) in report.heat.iter().enumerate() {
        let suffix = if i == 0 { String::new() } else { format!("_{}", i + 1) };
        let shape = [map.size.height as usize, map.size.width as usize];
        files.push(commit(io, folder.join(format!("heat{suffix}.npy")), |w| write_npy(w, &shape, &map.counts))?);
        let png = heat::picture(map)?;
        files.push(commit(io, folder.join(format!("heat{suffix}.png")), |w| std::io::Write::write_all(w, &png))?);
        // In the report the map lies over a frame of its size.
        let size = thumbs::size_for(map.size, report.config.thumbnail_side);
        let frame = report.picks.iter().flat_map(|(_, picks)| picks).find(|p| p.thumbnail.size == size);
        heat_pngs.push(match frame {
            Some(frame) => heat::over_frame(map, &frame.thumbnail)?,
            None => png,
        });
    }
    let summary = summary(report);
    files.push(commit(io, folder.join("summary.json"), |w| {
        serde_json::to_writer_pretty(&mut *w, &summary)?;
        std::io::Write::write_all(w, b"\n")
    })?);
    let settings = crate::config::to_toml(report.config)?;
    files.push(commit(io, folder.join("config.toml"), |w| std::io::Write::write_all(w, settings.as_bytes()))?);
    files.push(page(report, &heat_pngs)?.write(io, folder.join("report.html"))?);
    Ok(files)
}

/// `NaN` and infinities never reach JSON.
fn finite(v: f64) -> Value {
    if v.is_finite() { json!(v) } else { Value::Null }
}

fn summary(r: &Report<'_>) -> Value {
    let metrics: serde_json::Map<String, Value> = r
        .curves
        .all
        .iter()
        .map(|(name, unit, series)| {
            let value = series.summary().map_or(Value::Null, |(mean, least, most)| {
                json!({
                    "mean": finite(mean), "min": finite(least), "max": finite(most), "count": series.count(),
                    "unit": unit,
                })
            });
            ((*name).to_owned(), value)
        })
        .collect();
    let picks: serde_json::Map<String, Value> = r
        .picks
        .iter()
        .map(|(kind, picks)| {
            let list: Vec<Value> = picks
                .iter()
                .map(|p| json!({ "frame": p.metrics.info.index, "time": p.metrics.info.seconds(), "score": finite(p.score.abs()) }))
                .collect();
            (kind.name().to_owned(), json!(list))
        })
        .collect();
    let heat: Vec<Value> = r
        .heat
        .iter()
        .map(|m| {
            let moved = m.counts.iter().filter(|c| **c > 0).count();
            let most = m.counts.iter().copied().max().unwrap_or(0);
            json!({
                "width": m.size.width, "height": m.size.height, "differences": m.differences, "max_count": most,
                "moved_share": moved as f64 / m.counts.len().max(1) as f64,
            })
        })
        .collect();
    json!({
        "schema": "analyze.summary", "schema_version": 1, "frameloom": env!("CARGO_PKG_VERSION"),
        "input": {
            "name": r.facts.name, "fingerprint": r.facts.fingerprint, "track": r.facts.track,
            "rotation": r.facts.stream().map_or(0, |s| s.rotation), "declared": r.facts.info,
        },
        "frames": r.frames, "start_seconds": finite(r.curves.start()), "span_seconds": finite(r.curves.span()),
        "verdict": r.verdict, "notes": r.notes, "metrics": metrics, "picks": picks, "heat": heat,
        "settings": r.config,
        "adapter": { "name": r.adapter.name, "driver": r.adapter.driver, "kind": r.adapter.kind },
    })
}
