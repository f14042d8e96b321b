//! The report page.

use super::config::CollageConfig;
use super::outputs::{Chosen, FrameView};
use crate::gpu::Caps;
use crate::report::{Histogram, HtmlTable, ImageItem, LinePlot, Note, Page, Tile, Tone};
use crate::workflows::VideoFacts;

/// Everything the page is made of. Nothing in it depends on speed.
pub(super) struct Report<'a> {
    pub(super) facts: &'a VideoFacts,
    pub(super) config: &'a CollageConfig,
    pub(super) chosen: &'a Chosen<'a>,
    pub(super) search: String,
    pub(super) adapter: &'a Caps,
    pub(super) notes: &'a [String],
    pub(super) reasons: &'a [String],
    pub(super) output_pictures: u64,
    pub(super) seconds: f64,
    /// Frames over time, above their pictures.
    pub(super) sheet: Option<&'a [u8]>,
    /// The pictures that were used.
    pub(super) used: Option<&'a [u8]>,
    /// Worst matches: caption, note, JPEG of both.
    pub(super) worst: Vec<(String, String, Vec<u8>)>,
}

/// Builds the page.
pub(super) fn page(r: &Report<'_>) -> Page {
    let (tone, word) = if r.reasons.is_empty() { (Tone::Good, "complete") } else { (Tone::Warn, "partial") };
    let mut page = Page::new(&r.facts.name).subtitle(subtitle(r)).badge(tone, word).tiles(tiles(r));
    let notes: Vec<Note> = r
        .reasons
        .iter()
        .map(|t| Note::new(Tone::Warn, t))
        .chain(r.notes.iter().map(|t| Note::new(Tone::Neutral, t)))
        .collect();
    if !notes.is_empty() {
        page = page.notes(notes);
    }
    if let Some(sheet) = r.sheet {
        let item = ImageItem::jpeg(sheet, "frames over time, each above the picture that stands for it").wide();
        page = page.section("What a viewer sees").images([item]);
    }
    page = page.section("Likeness over time").plot(likeness(r));
    let scores = r.chosen.views().filter_map(|v| v.score());
    page = page.histogram(Histogram::of_values("Likeness of the chosen pictures", "similarity", scores, 40));
    if !r.worst.is_empty() {
        page = page
            .section("Worst matches")
            .text("Frames whose pictures are least like them: what the pool lacks. The frame is above its picture.");
        let images = r.worst.iter().map(|(caption, note, jpeg)| ImageItem::jpeg(jpeg, caption).note(note));
        page = page.images(images);
    }
    page = page.section("Pictures used");
    page = match most_used(r) {
        Some(table) => page.table(table),
        None => page.text("No picture is shown for more than one frame."),
    };
    if let Some(used) = r.used {
        page = page
            .images([ImageItem::jpeg(used, "the pictures shown for the most frames; all are in credits.csv").wide()]);
    }
    let d = &r.config.descriptor;
    let s = &r.config.select;
    let [w, h] = d.aspect;
    page.footer("frameloom", env!("CARGO_PKG_VERSION"))
        .footer("adapter", format!("{} [{}], {}", r.adapter.name, r.adapter.kind, r.adapter.driver))
        .footer(
            "descriptor",
            format!(
                "{}{}, {w}:{h} at {} px, weights {} / {} / {}",
                d.method,
                if d.parity { " (parity)" } else { "" },
                d.comparison_size,
                d.edge_weight,
                d.texture_weight,
                d.color_weight
            ),
        )
        .footer("search", r.search.clone())
        .footer(
            "selection",
            format!(
                "threshold {}, max uses {}, cooldown {} s, smoothness {}, seed {}",
                s.threshold,
                s.max_uses.map_or_else(|| "any".to_owned(), |n| n.to_string()),
                s.cooldown,
                s.smoothness,
                s.seed
            ),
        )
        .footer("files", "results.json, checkpoint.json, credits.csv, config.toml, contact_sheet.jpg, pictures.jpg")
        .footer("input", r.facts.fingerprint.clone())
}

fn subtitle(r: &Report<'_>) -> String {
    let (f, size) = (r.facts, r.facts.size);
    let mut parts = vec![format!("{}×{} {}", size.width, size.height, f.codec)];
    if let Some(fps) = f.fps {
        let text = format!("{fps:.3}");
        parts.push(format!("{} frames/s", text.trim_end_matches('0').trim_end_matches('.')));
    }
    if let Some([columns, rows]) = r.config.tiles {
        parts.push(format!("{columns}×{rows} tiles"));
    }
    parts.push(format!("a collage of {} of {} pictures", r.chosen.uses().len(), r.chosen.pictures.len()));
    parts.join(", ")
}

fn tiles(r: &Report<'_>) -> Vec<Tile> {
    let scores: Vec<f64> = r.chosen.views().filter_map(|v| v.score()).collect();
    let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    let least = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let uses = r.chosen.uses();
    let largest = uses.values().map(|u| u.0).max().unwrap_or(0);
    let pictures = |v: &FrameView<'_>| v.choices.iter().map(|c| c.picture).collect::<Vec<_>>();
    let pairs = r.chosen.views().zip(r.chosen.views().skip(1));
    let switches = pairs.filter(|(a, b)| pictures(a) != pictures(b)).count() as f64 / r.seconds.max(1e-9);
    let spark: Vec<Option<f64>> = r.chosen.views().map(|v| v.score()).collect();
    let thin = spark.len().div_ceil(200).max(1);
    vec![
        Tile::new("Frames matched", r.chosen.len().to_string()).note(format!("{} in the video", r.chosen.end.decoded)),
        Tile::new("Output", r.output_pictures.to_string()).unit("frames").note(format!("{:.2} s", r.seconds)),
        Tile::new("Similarity", format!("{mean:.3}"))
            .note(if scores.is_empty() { String::new() } else { format!("{least:.3} to {most:.3}") })
            .spark(spark.into_iter().step_by(thin)),
        Tile::new("Pictures used", uses.len().to_string()).note(format!("of {}", r.chosen.pictures.len())),
        Tile::new("Most uses", largest.to_string())
            .unit(if r.config.tiles.is_some() { "tiles" } else { "frames" })
            .note("of one picture"),
        Tile::new("Switches", format!("{switches:.1}")).unit("/ s"),
    ]
}

fn likeness(r: &Report<'_>) -> LinePlot {
    let chosen = r.chosen.views().map(|v| (v.used.seconds, v.score()));
    let best = r.chosen.views().map(|v| (v.used.seconds, v.best()));
    let mut plot = LinePlot::new("Similarity of frame and picture", "similarity")
        .series("best in the pool", best)
        .series("chosen", chosen);
    if r.config.select.threshold > 0.0 {
        plot = plot.threshold(f64::from(r.config.select.threshold), "threshold");
    }
    plot
}

/// The pictures of the most frames; nothing when none has more than one.
fn most_used(r: &Report<'_>) -> Option<HtmlTable> {
    const ROWS: usize = 12;
    let uses = r.chosen.uses();
    let mut order: Vec<_> = uses.iter().collect();
    order.sort_by(|(a, x), (b, y)| y.0.cmp(&x.0).then(a.cmp(b)));
    let mut table =
        HtmlTable::new("Most used").text("picture").number("frames", "").number("first shown", "s").number("best", "");
    for (id, (count, first, best)) in order.iter().take(ROWS) {
        let path = r.chosen.path(**id);
        let name = path.rsplit('/').next().unwrap_or(path).to_owned();
        table = table.row([name, count.to_string(), format!("{first:.2}"), format!("{best:.3}")]);
    }
    if order.len() > ROWS {
        table = table.more(format!("{} more in credits.csv", order.len() - ROWS));
    }
    order.first().is_some_and(|(_, use_of)| use_of.0 > 1).then_some(table)
}
