//! The page about a plan.

use super::activity::ActivityGrid;
use super::plan::{Chunk, ChunkPlan, HeatMap, coverage_stats, overlay, segment_pictures, timeline};
use crate::error::Result;
use crate::report::{HtmlTable, ImageItem, LinePlot, Page, Tile, XAxis};

/// Most chunks in tables and curves of the page; all are in `chunks.json`.
const MOST: usize = 60;
/// Most pictures of segments.
const PICTURES: usize = 24;

fn percent(share: f64) -> String {
    format!("{:.1}", share * 100.0)
}

/// Coverage of the map by the first chunks, from none on.
fn curve(map: &HeatMap, chunks: &[Chunk]) -> Vec<(f64, Option<f64>)> {
    let shown = chunks.get(..chunks.len().min(MOST)).unwrap_or_default();
    let at = |n: usize| (n as f64, shown.get(..n).map(|c| coverage_stats(map, c).coverage * 100.0));
    (0..=shown.len()).map(at).collect()
}

/// Pixels a frame over time, at the edges of steps.
fn pixels(plan: &ChunkPlan, activity: &ActivityGrid) -> Vec<(f64, Option<f64>)> {
    let of = |step: &super::activity::ActivityStep| {
        let [from, to] = activity.time(*step);
        let share = |c: &Chunk| c.active.as_ref().map_or(1.0, |s| s.seconds_within([from, to]) / (to - from));
        let sum: f64 = plan.chunks.iter().map(|c| c.pixels() as f64 * share(c)).sum();
        [(from, Some(sum / 1e6)), (to, Some(sum / 1e6))]
    };
    activity.steps().iter().flat_map(of).collect()
}

/// The page about `plan` over `map`: key figures, the plan drawn, coverage against the number of chunks, cost, when each chunk is active.
///
/// # Errors
/// [`crate::Error::Bug`] when a picture cannot be encoded.
pub fn plan_page(name: &str, map: &HeatMap, plan: &ChunkPlan, activity: Option<&ActivityGrid>) -> Result<Page> {
    let cost = plan.cost;
    let moving = plan.chunks.iter().any(|c| !c.path.is_empty());
    let held = match plan.timed_coverage {
        Some(held) => Tile::new("Covered at its time", percent(held)).note("of the heat that counts, cell by cell"),
        None => Tile::new("All heat, covered", percent(plan.stats.coverage)),
    };
    let mut page = Page::new(name)
        .subtitle(format!("{} chunks over {}×{}", plan.chunks.len(), plan.frame[0], plan.frame[1]))
        .tiles([
            Tile::new("Heat that counts, covered", percent(plan.active_coverage)).unit("%"),
            held.unit("%"),
            Tile::new("Pixels a frame", percent(1.0 - cost.saving_against_frame)).unit("% of the frame"),
            Tile::new("Against a grid", percent(1.0 - cost.saving_against_grid)).unit("% of its pixels"),
        ]);
    // Chunks that move are drawn segment by segment.
    let (shown, note) = if moving {
        (&[][..], "the whole time; chunks are below, segment by segment")
    } else {
        (&plan.chunks[..], "chunks with numbers from 1 on, those that cover most first")
    };
    let drawn = ImageItem::png(&overlay(map, shown)?, "heat map").note(note).wide();
    page = page.section("The plan").images([drawn]);
    if !moving {
        let plot = LinePlot::new("Coverage by the first chunks", "heat covered (%)")
            .x_axis(XAxis::Number("chunks".into()))
            .series("coverage", curve(map, &plan.chunks))
            .threshold(plan.settings.coverage * 100.0, "wanted")
            .y_range(0.0, 100.0);
        page = page.section("How many chunks").plot(plot);
    }
    page = page.section("Cost").table(costs(plan));
    if let Some(activity) = activity {
        page = page.section("When").text(format!(
            "A chunk is processed while something is hot in it, from {} s before to {} s after, in steps of {} s.",
            plan.settings.lead_in,
            plan.settings.hold,
            activity.shape().step
        ));
        let shown = plan.chunks.get(..plan.chunks.len().min(MOST)).unwrap_or_default();
        if !shown.is_empty() {
            let png = timeline(shown, activity.span())?;
            page = page.images([ImageItem::png(&png, "active times").note("seconds across, a chunk a row").wide()]);
        }
        page = page.plot(
            LinePlot::new("Pixels processed a frame", "megapixels")
                .series("chunks", pixels(plan, activity))
                .threshold(cost.frame_pixels as f64 / 1e6, "whole frame"),
        );
        let pictures = segment_pictures(map, activity, plan, PICTURES)?;
        if !pictures.is_empty() {
            let item = |([from, to], png): &([f64; 2], Vec<u8>)| {
                ImageItem::png(png, format!("{from:.1} to {to:.1} s")).note("heat of the segment, chunks in its middle")
            };
            page = page.section("Segment by segment").images(pictures.iter().map(item));
        }
    }
    page = page.section("Chunks").table(chunks(plan));
    Ok(page
        .footer("frameloom", env!("CARGO_PKG_VERSION"))
        .footer("files", "chunks.json, plan.png, plan_NNN.png per segment, config.toml"))
}

fn costs(plan: &ChunkPlan) -> HtmlTable {
    let cost = plan.cost;
    let mega = |pixels: f64| format!("{:.3}", pixels / 1e6);
    let share = |pixels: f64| percent(pixels / cost.frame_pixels.max(1) as f64);
    let row = |name: &str, pixels: f64| [name.to_owned(), mega(pixels), share(pixels)];
    HtmlTable::new("Pixels a frame")
        .text("what")
        .number("pixels", "millions")
        .number("of the frame", "%")
        .row(row("chunks, mean over all frames", cost.mean_pixels))
        .row(row("chunks, most at a time", cost.peak_pixels as f64))
        .row(row("chunks, were all active", cost.pixels as f64))
        .row(row("whole frame", cost.frame_pixels as f64))
        .row(row("grid of chunks of the first size", cost.grid_pixels as f64))
        .more(format!("The largest chunk as a tensor, in and out: {:.1} MB.", cost.tensor_bytes as f64 / 1e6))
}

fn chunks(plan: &ChunkPlan) -> HtmlTable {
    let mut table = HtmlTable::new("Those that cover most first")
        .number("chunk", "")
        .text("x")
        .text("y")
        .text("size")
        .number("heat", "")
        .number("active", "s")
        .number("places", "");
    for c in plan.chunks.iter().take(MOST) {
        let range = |[from, to]: [u32; 2]| format!("{from} to {to}");
        let active = c.active.as_ref().map_or_else(|| "always".to_owned(), |s| format!("{:.1}", s.seconds()));
        table = table.row([
            (c.chunk_id + 1).to_string(),
            range(c.x_range),
            range(c.y_range),
            format!("{}×{}", c.width, c.height),
            format!("{:.1}", c.score),
            active,
            c.path.len().max(1).to_string(),
        ]);
    }
    match plan.chunks.len().checked_sub(MOST) {
        Some(rest) if rest > 0 => table.more(format!("{rest} more in chunks.json")),
        _ => table,
    }
}
