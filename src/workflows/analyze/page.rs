//! The report page of one input.

use super::picks::{Pick, PickKind, Thumbnail};
use super::summary::Report;
use crate::error::{Error, Result};
use crate::media::{Status, Verdict};
use crate::report::{HtmlTable, ImageItem, LinePlot, Note, Page, PngFormat, Tile, Tone, encode_png};

/// Builds the page; `heat` are the encoded heat maps.
pub(super) fn page(r: &Report<'_>, heat: &[Vec<u8>]) -> Result<Page> {
    let (tone, word) = match r.verdict.status {
        Status::Complete => (Tone::Good, "complete"),
        Status::Partial => (Tone::Warn, "partial"),
        Status::Unverifiable => (Tone::Neutral, "unverifiable"),
        Status::Rejected => (Tone::Bad, "rejected"),
    };
    let mut page = Page::new(&r.facts.name).subtitle(subtitle(r)).badge(tone, word).tiles(tiles(r));
    let notes = notes(r.verdict, r.notes);
    if !notes.is_empty() {
        page = page.notes(notes);
    }
    if !r.verdict.missing.is_empty() {
        page = page.table(missing(r.verdict));
    }
    page = page.section("Timeline");
    for plot in plots(r) {
        page = page.plot(plot);
    }
    if !heat.is_empty() {
        page = page.section("Where it moves").text(format!(
            "Brighter means that the pixel changed more often: by more than {} luma codes from one frame to the next, on the picture \
             reduced to {} pixels. Behind it is the sharpest frame, where there is one. The counts are in heat.npy.",
            r.config.motion_threshold, r.config.motion_side
        ));
        let images = r.heat.iter().zip(heat).map(|(map, png)| {
            let most = map.counts.iter().copied().max().unwrap_or(0);
            let share = 100.0 * f64::from(most) / f64::from(map.differences.max(1));
            ImageItem::png(png, format!("motion over {} frame pairs", map.differences))
                .note(format!("{}; the brightest pixel moved in {share:.0} % of them", map.size))
                .wide()
        });
        page = page.images(images);
    }
    if r.picks.iter().any(|(_, p)| !p.is_empty()) {
        page = page.section("Frames worth a look");
        for (kind, picks) in &r.picks {
            if !picks.is_empty() {
                page = page.text(heading(*kind)).images(pictures(*kind, picks)?);
            }
        }
    }
    let caps = r.adapter;
    Ok(page
        .footer("frameloom", env!("CARGO_PKG_VERSION"))
        .footer("adapter", format!("{} [{}], {}", caps.name, caps.kind, caps.driver))
        .footer(
            "settings",
            format!(
                "dark {}, bright {}, motion threshold {}, motion side {} px",
                r.config.dark, r.config.bright, r.config.motion_threshold, r.config.motion_side
            ),
        )
        .footer("files", "frames.parquet, frames.csv, frames.jsonl, summary.json, config.toml, heat.npy, heat.png")
        .footer("input", r.facts.fingerprint.clone()))
}

fn subtitle(r: &Report<'_>) -> String {
    let mut parts = Vec::new();
    if let Some(s) = r.facts.stream() {
        parts.push(format!("{}×{} {}", s.width, s.height, s.codec));
        if let Some(fps) = s.fps {
            let text = format!("{fps:.3}");
            let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
            parts.push(format!("{text} frames/s"));
        }
        if s.rotation != 0 {
            parts.push(format!("shown turned by {}°", s.rotation));
        }
    }
    if let Some(info) = &r.facts.info {
        parts.push(info.format_long_name.clone().unwrap_or_else(|| info.format_name.clone()));
        if info.video_tracks_count > 1 {
            parts.push(format!("video track {} of {}", r.facts.track, info.video_tracks_count));
        }
    }
    parts.join(", ")
}

fn tiles(r: &Report<'_>) -> Vec<Tile> {
    let mean = |name: &str| r.curves.get(name).and_then(|s| s.summary()).map(|(m, _, _)| m);
    let text = |v: Option<f64>, digits: usize| v.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"));
    let percent = |v: Option<f64>| text(v.map(|v| v * 100.0), 1);
    let span = |name: &str, digits: usize| {
        r.curves
            .get(name)
            .and_then(|s| s.summary())
            .map(|(_, a, b)| format!("{a:.digits$} to {b:.digits$}"))
            .unwrap_or_default()
    };
    let spark = |name: &str| {
        r.curves.get(name).map(|s| s.points().into_iter().map(|(_, y)| y).collect::<Vec<_>>()).unwrap_or_default()
    };
    let declared = r.verdict.declared_frames.map(|n| format!("{n} declared")).unwrap_or_default();
    vec![
        Tile::new("Frames", r.frames.to_string()).note(declared),
        Tile::new("Duration", format!("{:.2}", r.verdict.decoded_duration.unwrap_or_else(|| r.curves.span())))
            .unit("s"),
        Tile::new("Sharpness", text(mean("sharpness"), 0)).note(span("sharpness", 0)).spark(spark("sharpness")),
        Tile::new("Luma", text(mean("luma_mean"), 1)).note(span("luma_mean", 1)).spark(spark("luma_mean")),
        Tile::new("Motion", percent(mean("motion_share"))).unit("% of pixels").spark(spark("motion_share")),
        Tile::new("Noise", text(mean("noise_sigma"), 2)).note(span("noise_sigma", 2)).spark(spark("noise_sigma")),
        Tile::new("Dark", percent(mean("dark_share"))).unit("% of pixels").spark(spark("dark_share")),
        Tile::new("Bright", percent(mean("bright_share"))).unit("% of pixels").spark(spark("bright_share")),
    ]
}

fn notes(verdict: &Verdict, notes: &[String]) -> Vec<Note> {
    let tone = if verdict.status == Status::Rejected { Tone::Bad } else { Tone::Warn };
    let mut list: Vec<Note> = verdict.reasons.iter().map(|t| Note::new(tone, t)).collect();
    let mut seen: Vec<&String> = Vec::new();
    for text in verdict.notes.iter().chain(notes) {
        if !seen.contains(&text) {
            seen.push(text);
            list.push(Note::new(Tone::Neutral, text));
        }
    }
    list
}

fn missing(verdict: &Verdict) -> HtmlTable {
    let mut table =
        HtmlTable::new("Time without frames").text("why").number("from", "s").number("to", "s").number("length", "s");
    for m in verdict.missing.iter().take(50) {
        table = table.row([
            m.why.clone(),
            format!("{:.3}", m.start_seconds),
            format!("{:.3}", m.end_seconds),
            format!("{:.3}", m.end_seconds - m.start_seconds),
        ]);
    }
    if verdict.missing.len() > 50 {
        table = table.more(format!("{} more in summary.json", verdict.missing.len() - 50));
    }
    table
}

fn plots(r: &Report<'_>) -> Vec<LinePlot> {
    let start = r.curves.start();
    let with = |plot: LinePlot, curves: &[(&str, &str)]| {
        let mut plot = plot;
        for (name, label) in curves {
            if let Some(series) = r.curves.get(name) {
                plot = plot.series(*label, series.points().into_iter().map(|(x, y)| (x + start, y)));
            }
        }
        for m in &r.verdict.missing {
            plot = plot.band(m.start_seconds, m.end_seconds, format!("no frames: {}", m.why), Tone::Warn);
        }
        plot
    };
    vec![
        with(LinePlot::new("Sharpness", "variance of the Laplacian"), &[("sharpness", "sharpness")]),
        with(
            LinePlot::new("Luma", "code").y_range(0.0, 255.0),
            &[("luma_p95", "95th percentile"), ("luma_mean", "mean"), ("luma_p05", "5th percentile")],
        ),
        with(LinePlot::new("Motion", "share of pixels"), &[("motion_share", "moved")]),
        with(
            LinePlot::new("Dark and bright pixels", "share of pixels"),
            &[("dark_share", "dark"), ("bright_share", "bright")],
        ),
        with(LinePlot::new("Noise", "sigma (code)"), &[("noise_sigma", "noise")]),
    ]
}

fn heading(kind: PickKind) -> &'static str {
    match kind {
        PickKind::Sharpest => "Sharpest: largest variance of the Laplacian, one frame a second at most",
        PickKind::Blurriest => "Blurriest: smallest variance of the Laplacian among frames that are not plain",
        PickKind::Busiest => "Busiest: most motion that lasts for more than one frame, so that a cut does not count",
    }
}

fn pictures(kind: PickKind, picks: &[Pick]) -> Result<Vec<ImageItem>> {
    picks
        .iter()
        .map(|p| {
            let Thumbnail { rgba, size, .. } = &p.thumbnail;
            let png = encode_png(*size, PngFormat::Rgba8, rgba).map_err(|e| Error::Bug(format!("thumbnail: {e}")))?;
            let time = p.metrics.info.seconds().map(|s| format!("{s:.2} s")).unwrap_or_default();
            let figure = match kind {
                PickKind::Sharpest | PickKind::Blurriest => {
                    format!("sharpness {:.0}", p.metrics.luma.laplacian_variance)
                }
                PickKind::Busiest => format!("changes by {:.1} codes", p.score),
            };
            Ok(ImageItem::png(&png, format!("frame {}", p.metrics.info.index)).note(format!("{time}, {figure}")))
        })
        .collect()
}
