//! The review page: the mix against its target, pictures of every strategy with reasons, near-duplicates, what was left out.

use std::collections::BTreeMap;
use std::path::Path;

use super::config::CurateConfig;
use super::decide::Decisions;
use super::execute::{Executed, inside};
use super::metrics::FrameEntry;
use super::picture::{PictureFile, Rgba};
use super::run::CurateOutcome;
use crate::core::Limits;
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::media::encode_jpeg;
use crate::report::{HtmlTable, ImageItem, Note, Page, Tile, Tone};
use crate::store::OsIo;

/// Pictures of a strategy.
const SHOWN: usize = 24;
/// Groups of near-duplicates, and frames of one.
const GROUPS: usize = 12;
const OF_A_GROUP: usize = 5;
/// Rows of tables.
const ROWS: usize = 60;
/// Pixels of a thumbnail, about.
const THUMB: u32 = 220 * 165;

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A small JPEG; transparency over a light grey, so that cut-outs are seen as such.
fn thumbnail(ctx: &GpuContext, path: &Path, limits: &Limits) -> Result<Vec<u8>> {
    let mut picture = PictureFile::read(path, limits)?.picture;
    for pixel in picture.pixels.as_chunks_mut::<4>().0 {
        let [r, g, b, a] = *pixel;
        let over = |v: u8| ((u32::from(v) * u32::from(a) + 214 * (255 - u32::from(a)) + 127) / 255) as u8;
        *pixel = [over(r), over(g), over(b), 255];
    }
    let frames = super::analyze::at_measured_size(ctx, Rgba::upload(ctx, &[&picture])?, THUMB)?;
    let small = Rgba::download(ctx, &frames, 0)?;
    encode_jpeg(small.size, &small.pixels, 82)
}

/// The mix and what keeps it from its target.
fn mix(page: Page, outcome: &CurateOutcome) -> Page {
    let mut table = HtmlTable::new("Frames by strategy")
        .text("strategy")
        .number("wanted", "%")
        .number("reached", "%")
        .number("frames", "")
        .number("may have it", "");
    let mut notes = Vec::new();
    for line in &outcome.mix.lines {
        let one = |v: f64| format!("{:.1}", v * 100.0);
        if !line.reached {
            notes.push(Note::new(Tone::Warn, format!("{} misses its target: {}", line.strategy, line.why)));
        }
        let eligible = if line.eligible == 0 && line.frames > 0 { "-".into() } else { line.eligible.to_string() };
        table = table.row([
            line.strategy.replace('_', " "),
            one(line.target),
            one(line.share),
            line.frames.to_string(),
            eligible,
        ]);
    }
    let mut shots = HtmlTable::new("Kinds of shots")
        .text("shot")
        .number("wanted", "%")
        .number("there are", "%")
        .number("frames", "");
    for line in &outcome.shots {
        let one = |v: f64| format!("{:.1}", v * 100.0);
        shots = shots.row([line.shot.clone(), one(line.target), one(line.share), line.frames.to_string()]);
    }
    page.section("Mix").table(table).notes(notes).table(shots)
}

/// Writes the page.
pub(super) fn write(
    ctx: &GpuContext,
    path: &Path,
    folder: &Path,
    (entries, decisions, executed): (&[FrameEntry], &Decisions, &Executed),
    outcome: &CurateOutcome,
    config: &CurateConfig,
    limits: &Limits,
) -> Result<()> {
    let reached = outcome.mix.lines.iter().all(|l| l.reached);
    let tone = if reached && outcome.failed.is_empty() { Tone::Good } else { Tone::Warn };
    let badge = if reached { "mix reached" } else { "mix not reached" };
    let mut page = Page::new("Curation").subtitle(format!("{} frames", outcome.frames)).badge(tone, badge).tiles([
        Tile::new("Frames", outcome.frames.to_string()),
        Tile::new("With pictures", outcome.successful.to_string()),
        Tile::new("Left out", outcome.left_out.to_string()).note("repeated, empty, or not wanted"),
        Tile::new("Failed", outcome.failed.len().to_string()),
    ]);
    page =
        page.notes(outcome.models.iter().filter_map(|m| m.notice.as_ref()).map(|n| Note::new(Tone::Warn, n.clone())));
    page = mix(page, outcome);
    for (name, _) in &outcome.strategies {
        page = strategy(ctx, page, folder, name, (entries, decisions, executed), limits)?;
    }
    page = duplicates(ctx, page, entries, decisions, limits)?;
    page = rejected(page, entries, decisions, outcome);
    page = page.section("Decide by hand").text(
        "Write a file with one line a frame, its name and the strategy (or drop), such as `overrides.yaml` with the line \
         `frame_0007: segment`, and run the same command with --overrides overrides.yaml. Only frames that change are made again.",
    );
    for m in &outcome.models {
        let what = m.name.clone().unwrap_or_else(|| "no model".into());
        page = page.footer(format!("Model for {}", m.task), what);
    }
    let caps = ctx.caps();
    page = page
        .footer("Frameloom", env!("CARGO_PKG_VERSION"))
        .footer("Adapter", format!("{} ({})", caps.name, caps.driver));
    page = page.footer("Engine", format!("{:?}", config.decision.engine).to_lowercase());
    page.write(&OsIo, path)?;
    Ok(())
}

/// Pictures of a strategy, spread over all its frames.
fn strategy(
    ctx: &GpuContext,
    page: Page,
    folder: &Path,
    name: &str,
    (entries, decisions, executed): (&[FrameEntry], &Decisions, &Executed),
    limits: &Limits,
) -> Result<Page> {
    let all: Vec<_> = entries
        .iter()
        .zip(&decisions.all)
        .zip(&executed.frames)
        .filter_map(|((_, d), f)| f.as_ref().map(|f| (d, f)))
        .filter(|(d, f)| d.strategy.as_deref() == Some(name) && f.error.is_none())
        .collect();
    if all.is_empty() {
        return Ok(page);
    }
    let step = all.len().div_ceil(SHOWN).max(1);
    let mut items = Vec::new();
    for (decision, outcome) in all.iter().step_by(step) {
        let pictures = outcome.outputs.iter().filter(|o| o.contains("/images/"));
        for output in pictures.take(if name == super::CREATE_OCCLUSION || name == super::SEGMENT { 2 } else { 1 }) {
            let bytes = thumbnail(ctx, &inside(folder, output), limits)?;
            let title = output.rsplit('/').next().unwrap_or(output).to_owned();
            let why = format!("{} ({:.2})", decision.reasoning, decision.confidence);
            items.push(ImageItem::jpeg(&bytes, title).note(why));
        }
        if items.len() >= SHOWN {
            break;
        }
    }
    let text = format!("{} frames; {} pictures shown.", all.len(), items.len());
    Ok(page.section(name.replace('_', " ")).text(text).images(items))
}

fn duplicates(
    ctx: &GpuContext,
    page: Page,
    entries: &[FrameEntry],
    decisions: &Decisions,
    limits: &Limits,
) -> Result<Page> {
    let mut groups: BTreeMap<&str, Vec<&FrameEntry>> = BTreeMap::new();
    for (entry, decision) in entries.iter().zip(&decisions.all) {
        if let Some(of) = &decision.duplicate_of {
            groups.entry(of).or_default().push(entry);
        }
    }
    if groups.is_empty() {
        return Ok(page);
    }
    let count: usize = groups.values().map(Vec::len).sum();
    let mut items = Vec::new();
    for (name, others) in groups.iter().take(GROUPS) {
        let Some(best) = entries.iter().find(|e| e.name == *name) else { continue };
        for (i, entry) in [best].into_iter().chain(others.iter().copied()).take(OF_A_GROUP).enumerate() {
            // Frames of videos are not decoded again for the page.
            if entry.place.frame.is_some() {
                continue;
            }
            let (tone, note) = if i == 0 {
                (Tone::Good, format!("stays; {} like it", others.len()))
            } else {
                (Tone::Neutral, format!("repeats {name}"))
            };
            let bytes = thumbnail(ctx, &entry.place.path, limits)?;
            items.push(ImageItem::jpeg(&bytes, entry.name.clone()).note(note).tone(tone));
        }
    }
    let text = format!("{count} frames repeat {} others and are left out; the best of each group stays.", groups.len());
    Ok(page.section("Near-duplicates").text(text).images(items))
}

fn rejected(page: Page, entries: &[FrameEntry], decisions: &Decisions, outcome: &CurateOutcome) -> Page {
    let mut page = page;
    if !outcome.failed.is_empty() {
        let mut table = HtmlTable::new("Failed frames").text("frame").text("why");
        for (frame, why) in outcome.failed.iter().take(ROWS) {
            table = table.row([frame.clone(), why.clone()]);
        }
        page = page.section("Failed").table(table);
    }
    let out: Vec<_> = entries
        .iter()
        .zip(&decisions.all)
        .filter(|(e, d)| d.strategy.is_none() && d.duplicate_of.is_none() && e.error.is_none())
        .collect();
    if !out.is_empty() {
        let mut table = HtmlTable::new("Frames left out").text("frame").text("rule").text("why");
        for (entry, decision) in out.iter().take(ROWS) {
            table = table.row([entry.name.clone(), decision.rule.clone(), decision.reasoning.clone()]);
        }
        let share = percent(out.len() as f64 / entries.len().max(1) as f64);
        page = page.section("Left out").text(format!("{} frames, {share}.", out.len())).table(table);
    }
    page
}
