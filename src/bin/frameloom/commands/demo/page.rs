//! The page that leads to everything.

use std::path::{Path, PathBuf};

use frameloom::Result;
use frameloom::report::{Card, Note, Page, Tone};
use frameloom::store::OsIo;
use serde_json::Value;

use super::film::TruthFile;
use super::steps::{Outcome, Shown, Step};
use super::stills::{lit, still};
use crate::commands::cards::{facts, line, picture, text};

pub(super) fn write(
    folder: &Path,
    video: &Path,
    truth: Option<&TruthFile>,
    steps: &[(Step, Outcome)],
    seconds: f64,
) -> Result<PathBuf> {
    let failed = steps.iter().filter(|(_, o)| o.failed()).count();
    let badge = match failed {
        0 => (Tone::Good, "all done".to_owned()),
        n => (Tone::Bad, format!("{n} failed")),
    };
    let name = video.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut page = Page::new("Frameloom: one clip, every workflow")
        .subtitle(format!("{name}, {seconds:.0} s in all. Each card shows the command that made it."))
        .badge(badge.0, badge.1)
        .cards(steps.iter().map(|(step, outcome)| card(folder, step, outcome)));
    if let Some(truth) = truth {
        let [right, left] = truth.crossings;
        let cuts: Vec<String> = truth.cuts.iter().map(|c| format!("{c:.1}")).collect();
        page = page.section("What is true of this clip").notes([
            Note::new(
                Tone::Neutral,
                format!("{right} people cross the middle of the street to the right, {left} to the left."),
            ),
            Note::new(Tone::Neutral, format!("It has {} cuts, at {} s.", cuts.len(), cuts.join(", "))),
            Note::new(Tone::Neutral, "The mouth of the speaker opens with the voice: the sound is 0 ms late."),
            Note::new(Tone::Neutral, "The shot from 19.5 to 21.5 s is out of focus, the one after it is dark."),
        ]);
    }
    let path = folder.join("index.html");
    page.footer("frameloom", env!("CARGO_PKG_VERSION"))
        .footer("what each command said", "logs/")
        .write(&OsIo, &path)?;
    Ok(path)
}

/// The picture of a card, as a file; `None` where what it is made of is not there.
fn shown(folder: &Path, step: &Step) -> Result<Option<Vec<u8>>> {
    let there = |path: &Path| Some(folder.join(path)).filter(|p| p.is_file());
    match &step.picture {
        Shown::File(paths) => Ok(paths.iter().find_map(|p| picture(&folder.join(p)))),
        Shown::Frame(video, share) => there(video).map_or(Ok(None), |video| still(&video, *share)),
        Shown::Chunks(plan) => match (step.page.as_deref().and_then(there), there(plan)) {
            (Some(video), Some(plan)) => lit(&video, &plan),
            _ => Ok(None),
        },
    }
}

fn card(folder: &Path, step: &Step, outcome: &Outcome) -> Card {
    let tone = match outcome.code {
        0 => Tone::Good,
        3 => Tone::Warn,
        9 => Tone::Neutral,
        _ => Tone::Bad,
    };
    let words: Vec<String> = outcome.line.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    let mut card = Card::new(step.title, step.text).tone(tone).code(format!("frameloom {}", line(&words)));
    if let Some(page) = step.page.as_ref().filter(|p| folder.join(p).is_file()) {
        card = card.link(page.iter().map(|part| part.to_string_lossy().into_owned()));
    }
    card = match shown(folder, step) {
        Ok(Some(bytes)) if !outcome.failed() => card.image(&bytes, format!("What {} shows", step.name)),
        Ok(_) => card,
        Err(e) => card.line(format!("No picture of it: {e}")),
    };
    if outcome.lacks_model() {
        card = card.line(format!("Left out: {}", text(outcome.result(), "message")));
        return card.line("Networks are yours to bring: give a folder of them with --models.");
    }
    if outcome.code != 0 {
        card = card.line(outcome.says());
    }
    let command = match step.name {
        "plan" => "chunk plan",
        "chunk" => "chunk run",
        "curate" => "curate run",
        name => name,
    };
    let item = outcome.events.iter().find(|e| text(e, "event") == "item").unwrap_or(&Value::Null);
    card = facts(command, item, outcome.result()).into_iter().fold(card, Card::line);
    card.line(format!("{:.1} s", outcome.seconds))
}
