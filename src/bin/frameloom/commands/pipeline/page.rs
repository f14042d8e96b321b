//! The page that leads to the reports of the steps. It says nothing of time or of what was kept: the same files give the same page.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use frameloom::Result;
use frameloom::report::{Card, Page, Tone};
use frameloom::store::OsIo;

use super::End;
use super::file::Step;
use super::plan::Plan;
use super::state::Progress;
use crate::commands::cards::{facts, line, picture};
use crate::commands::typed::At;

pub(super) fn write(
    plan: &Plan,
    ends: &BTreeMap<usize, End>,
    told: &dyn Fn(usize, &str) -> Option<String>,
) -> Result<PathBuf> {
    let count = |wanted: fn(&End) -> bool| ends.values().filter(|e| wanted(e)).count();
    let failed = count(|e| e.record().is_none());
    let partial = count(|e| e.record().is_some_and(|r| r.progress == Progress::Partial));
    let (tone, badge) = match (failed, partial) {
        (0, 0) => (Tone::Good, "all done".to_owned()),
        (0, n) => (Tone::Warn, format!("{n} not whole")),
        (n, _) => (Tone::Bad, format!("{n} not done")),
    };
    let title = if plan.source.title.is_empty() { "Pipeline" } else { &plan.source.title };
    let cards = plan.source.steps.iter().enumerate().map(|(at, step)| {
        let words = plan.ready(at, &|from, output| told(from, output)).map(|r| r.words.shown());
        card(plan, step, ends.get(&at), &words.unwrap_or_default())
    });
    let page = Page::new(title)
        .subtitle(format!("{} steps. Each card shows the command that made it.", plan.order.len()))
        .badge(tone, badge)
        .cards(cards.collect::<Vec<_>>())
        .footer("frameloom", env!("CARGO_PKG_VERSION"))
        .footer("what was run", "pipeline.json");
    let path = plan.output.join("index.html");
    page.write(&OsIo, &path)?;
    Ok(path)
}

fn card(plan: &Plan, step: &Step, end: Option<&End>, words: &[String]) -> Card {
    let (tone, failure) = match end {
        Some(End::Kept(r) | End::Ran(r)) if r.progress == Progress::Partial => (Tone::Warn, None),
        Some(End::Kept(_) | End::Ran(_)) => (Tone::Good, None),
        Some(End::Failed(e)) => (Tone::Bad, Some(format!("Failed ({}): {e}", e.code()))),
        Some(End::Waits(missing)) => (Tone::Neutral, Some(format!("Not run: it uses {missing}, which is not there."))),
        None => (Tone::Neutral, Some("Not run.".to_owned())),
    };
    let mut card = Card::new(&step.name, says(step.kind.name)).tone(tone).code(format!("frameloom {}", line(words)));
    let folder = plan.folder(step);
    let record = end.and_then(End::record);
    if let Some(record) = record {
        let found = |name: &&str| {
            let file = match step.kind.left(name).ok()?.at {
                At::Inside(file) => PathBuf::from(file),
                At::Told(pointer) => PathBuf::from(record.told(pointer)?),
                At::Folder => return None,
            };
            folder.join(&file).is_file().then_some(file)
        };
        // A page to read, else a film to see, else what there is.
        if let Some(file) = ["report", "video", "picture", "manifest", "frames"].iter().find_map(found) {
            card = card.link(parts(&step.folder, &file));
        }
        let shown = ["plan.png", "heat.png", "contact_sheet.jpg", "segment/images", "keep_full/images"];
        if let Some(bytes) = shown.iter().find_map(|p| picture(&folder.join(p))) {
            card = card.image(&bytes, format!("What {} shows", step.name));
        }
        card = facts(step.kind.name, &record.item, &record.result).into_iter().fold(card, Card::line);
        if record.progress == Progress::Partial {
            card = card.line("Not everything could be used.");
        }
    }
    failure.into_iter().fold(card, Card::line)
}

fn parts(folder: &str, file: &Path) -> Vec<String> {
    let within = file.iter().map(|part| part.to_string_lossy().into_owned());
    std::iter::once(folder.to_owned()).chain(within).collect()
}

/// What a command is for.
fn says(command: &str) -> &'static str {
    match command {
        "analyze" => "Sharpness, light, noise and motion of every frame, and whether the file is whole.",
        "heatmap" => "Where it is hot, and when.",
        "chunk plan" => "The fewest pixels that hold the wanted share of the heat.",
        "chunk run" => "The chunks of a video processed, everything else as it was.",
        "curate run" => "Frames as a training set, with the reason for each decision.",
        "curate analyze" => "Figures of frames, for decisions.",
        "curate merge" => "Pictures of all strategies in one folder for a trainer.",
        "sync" => "How late the sound is against the lips.",
        "sync fix" => "Sound and picture brought into step.",
        "index build" => "Descriptors of pictures, to be searched.",
        "collage" => "Every frame replaced by the picture that looks most like it.",
        "track" => "What moves, followed and counted.",
        "proxy" => "A small copy of a video.",
        _ => "",
    }
}
