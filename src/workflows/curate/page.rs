//! The review page: the mix against its target, pictures of every strategy with reasons, near-duplicates, what was left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::analyze::Working;
use super::config::CurateConfig;
use super::decide::{Decisions, Mix, MixLine};
use super::execute::{Executed, Sources, inside};
use super::metrics::FrameEntry;
use super::picture::{PictureFile, Rgba};
use super::run::CurateOutcome;
use crate::core::Limits;
use crate::error::{Error, Result};
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
fn thumbnail(ctx: &GpuContext, mut picture: Rgba) -> Result<Vec<u8>> {
    for pixel in picture.pixels.as_chunks_mut::<4>().0 {
        let [r, g, b, a] = *pixel;
        let over = |v: u8| ((u32::from(v) * u32::from(a) + 214 * (255 - u32::from(a)) + 127) / 255) as u8;
        *pixel = [over(r), over(g), over(b), 255];
    }
    let frames = super::analyze::at_measured_size(ctx, Rgba::upload(ctx, &[&picture])?, THUMB)?;
    let small = Rgba::download(ctx, &frames, 0)?;
    encode_jpeg(small.size, &small.pixels, 82)
}

/// What shares are of, where some frames are not shared out.
fn beside(mix: &Mix) -> Option<String> {
    let (sharing, others): (Vec<&MixLine>, Vec<&MixLine>) = mix.lines.iter().partition(|l| l.target > 0.0);
    let frames = |lines: &[&MixLine]| lines.iter().map(|l| l.frames).sum::<usize>();
    let named: Vec<String> = others
        .iter()
        .filter(|l| l.frames > 0)
        .map(|l| format!("{} {}", l.frames, l.strategy.replace('_', " ")))
        .collect();
    let text =
        format!("Shares are of {} frames; beside them, without a wanted share: {}", frames(&sharing), named.join(", "));
    (!named.is_empty()).then_some(text)
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
        let share = |v: f64| if line.target > 0.0 { one(v) } else { "-".into() };
        let eligible = if line.eligible == 0 && line.frames > 0 { "-".into() } else { line.eligible.to_string() };
        table = table.row([
            line.strategy.replace('_', " "),
            share(line.target),
            share(line.share),
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
    let mut barred =
        HtmlTable::new("What keeps frames from a strategy").text("strategy").text("rule").number("frames", "");
    for line in &outcome.mix.lines {
        let mut rules: Vec<(&String, &usize)> = line.barred.iter().collect();
        rules.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        for (rule, frames) in rules {
            barred = barred.row([line.strategy.replace('_', " "), rule.clone(), frames.to_string()]);
        }
    }
    notes.extend(beside(&outcome.mix).map(|text| Note::new(Tone::Neutral, text)));
    let page = page.section("Mix").table(table).notes(notes);
    let any = outcome.mix.lines.iter().any(|l| !l.barred.is_empty());
    let page = if any { page.table(barred) } else { page };
    page.table(shots)
}

/// Writes the page.
pub(super) fn write(
    ctx: &GpuContext,
    path: &Path,
    folder: &Path,
    (entries, decisions, executed): (&[FrameEntry], &Decisions, &Executed),
    outcome: &CurateOutcome,
    config: &CurateConfig,
    working: Working<'_>,
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
        page = strategy(ctx, page, folder, name, (entries, decisions, executed), &working.decode.limits)?;
    }
    page = duplicates(ctx, page, entries, decisions, working)?;
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
            let bytes = thumbnail(ctx, PictureFile::read(&inside(folder, output), limits)?.picture)?;
            let title = output.rsplit('/').next().unwrap_or(output).to_owned();
            let why = format!("confidence {:.2}: {}", decision.confidence, decision.reasoning.replace(" | ", "; "));
            items.push(ImageItem::jpeg(&bytes, title).note(why));
        }
        if items.len() >= SHOWN {
            break;
        }
    }
    let some = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let text = format!("{}; {} shown.", some(all.len(), "frame"), some(items.len(), "picture"));
    Ok(page.section(name.replace('_', " ")).text(text).images(items))
}

fn duplicates(
    ctx: &GpuContext,
    page: Page,
    entries: &[FrameEntry],
    decisions: &Decisions,
    working: Working<'_>,
) -> Result<Page> {
    let by_name: BTreeMap<&str, usize> = entries.iter().enumerate().map(|(i, e)| (e.name.as_str(), i)).collect();
    // Each frame that stays, with those that repeat it.
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (i, decision) in decisions.all.iter().enumerate() {
        if let Some(best) = decision.duplicate_of.as_ref().and_then(|of| by_name.get(of.as_str())) {
            groups.entry(*best).or_default().push(i);
        }
    }
    if groups.is_empty() {
        return Ok(page);
    }
    let count: usize = groups.values().map(Vec::len).sum();
    // Large groups first: they say most about a set.
    let mut shown: Vec<(usize, Vec<usize>)> = groups.iter().map(|(best, others)| (*best, others.clone())).collect();
    shown.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then(a.0.cmp(&b.0)));
    shown.truncate(GROUPS);
    let of_a_group = |(best, others): &(usize, Vec<usize>)| -> Vec<usize> {
        std::iter::once(*best).chain(others.iter().copied()).take(OF_A_GROUP).collect()
    };
    let mut thumbs: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    let wanted: BTreeSet<usize> = shown.iter().flat_map(of_a_group).collect();
    let mut sources = Sources::new(ctx, entries, (0..entries.len()).map(|i| wanted.contains(&i)).collect(), working);
    for i in &wanted {
        // A frame that is not there any more has no picture on the page: the report is written all the same.
        match sources.pixels(*i) {
            Ok(pixels) => thumbs.insert(*i, thumbnail(ctx, pixels.picture().clone())?),
            Err(Error::InputNotFound { .. } | Error::InputCorrupt { .. } | Error::InputUnsupported { .. }) => None,
            Err(e) => return Err(e),
        };
    }
    let mut page = page.section("Near-duplicates").text(format!(
        "{count} frames repeat {} others and are left out; the best of each group stays. {} groups shown, the largest first.",
        groups.len(),
        shown.len()
    ));
    for group in &shown {
        let mut items = Vec::new();
        for i in of_a_group(group) {
            let (Some(entry), Some(decision), Some(bytes)) = (entries.get(i), decisions.all.get(i), thumbs.get(&i))
            else {
                continue;
            };
            let (tone, note) = if i == group.0 {
                (Tone::Good, format!("stays; {} like it", group.1.len()))
            } else {
                // What stands in brackets is how it was seen.
                let how = decision.reasoning.rsplit_once('(').map_or("", |(_, how)| how.trim_end_matches(')'));
                (Tone::Neutral, format!("repeats it: {how}"))
            };
            items.push(ImageItem::jpeg(bytes, entry.name.clone()).note(note).tone(tone));
        }
        page = page.images(items);
    }
    Ok(page)
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
