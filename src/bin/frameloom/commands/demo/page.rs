//! The page that leads to everything.

use std::path::{Path, PathBuf};

use frameloom::Result;
use frameloom::report::{Card, Note, Page, Tone};
use frameloom::store::OsIo;
use serde_json::Value;

use super::film::TruthFile;
use super::steps::{Outcome, Step};

/// Larger pictures are not embedded.
const LARGEST: u64 = 2 << 20;

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

fn card(folder: &Path, step: &Step, outcome: &Outcome) -> Card {
    let tone = match outcome.code {
        0 => Tone::Good,
        3 => Tone::Warn,
        9 => Tone::Neutral,
        _ => Tone::Bad,
    };
    let words: Vec<String> = outcome.line.iter().map(|a| quoted(&a.to_string_lossy())).collect();
    let mut card = Card::new(step.title, step.text).tone(tone).code(format!("frameloom {}", words.join(" ")));
    if let Some(page) = step.page.as_ref().filter(|p| folder.join(p).is_file()) {
        card = card.link(page.iter().map(|part| part.to_string_lossy().into_owned()));
    }
    let small = |path: &PathBuf| path.metadata().is_ok_and(|m| m.is_file() && m.len() <= LARGEST);
    let picture =
        step.picture.as_ref().map(|p| folder.join(p)).and_then(|p| if p.is_dir() { first(&p) } else { Some(p) });
    let picture = picture.filter(small);
    if let Some(bytes) = picture.and_then(|path| std::fs::read(path).ok()) {
        card = card.image(&bytes, format!("What {} shows", step.name));
    }
    if outcome.lacks_model() {
        card = card.line(format!("Left out: {}", text(outcome.result(), "message")));
        return card.line("Networks are yours to bring: give a folder of them with --models.");
    }
    if outcome.code != 0 {
        card = card.line(outcome.says());
    }
    card = facts(step.name, outcome).into_iter().fold(card, Card::line);
    card.line(format!("{:.1} s", outcome.seconds))
}

/// The first picture of a folder.
fn first(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(|e| Some(e.ok()?.path()));
    files.filter(|p| p.extension().is_some_and(|e| e == "png" || e == "jpg")).min()
}

fn text<'a>(result: &'a Value, name: &str) -> &'a str {
    result.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What the events of a command say, in words.
fn facts(step: &str, outcome: &Outcome) -> Vec<String> {
    let result = outcome.result();
    let item = outcome.events.iter().find(|e| text(e, "event") == "item").unwrap_or(&Value::Null);
    let number = |at: &Value, path: &str| at.pointer(path).and_then(Value::as_f64);
    let share = |part: Option<f64>, of: Option<f64>| part.zip(of).filter(|(_, of)| *of > 0.0).map(|(p, of)| p / of);
    let facts = match step {
        "analyze" => vec![number(item, "/frames").map(|n| format!("{n} frames, the file is {}", text(item, "status")))],
        "plan" => vec![
            number(result, "/chunks").map(|n| format!("{n} chunks")),
            share(number(result, "/cost/mean_pixels"), number(result, "/cost/frame_pixels"))
                .map(|s| format!("{:.0} % of the pixels of the frames", s * 100.0)),
        ],
        "chunk" => vec![
            share(number(result, "/pixels"), number(result, "/frame_pixels"))
                .map(|s| format!("{:.0} % of the pixels went through the filter", s * 100.0)),
        ],
        "curate" => result
            .pointer("/outcome/strategies")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|pair| {
                let count = number(pair, "/1").unwrap_or_default();
                let name = pair.get(0).and_then(Value::as_str).unwrap_or_default().replace('_', " ");
                (count > 0.0).then(|| format!("{name}: {count}"))
            })
            .collect(),
        "sync" => {
            let verdict = item.get("outcome").map(|o| text(o, "verdict").replace('_', " "));
            let share = number(item, "/outcome/probability").unwrap_or_default();
            vec![
                verdict.filter(|v| !v.is_empty()).map(|v| format!("{v}, probability {share:.2}")),
                number(item, "/outcome/audio_late_ms").map(|ms| format!("sound {ms:+.0} ms late")),
            ]
        }
        "collage" => vec![
            number(result, "/frames")
                .zip(number(result, "/pictures_used"))
                .map(|(f, p)| format!("{f} frames from {p} pictures")),
        ],
        "track" => {
            let outcome = item.get("outcome").or_else(|| result.get("outcome")).unwrap_or(&Value::Null);
            let lines = outcome.get("crossings").and_then(Value::as_object).into_iter().flatten();
            let crossed = lines.map(|(line, pair)| {
                let [one, other] = ["/0", "/1"].map(|at| number(pair, at).unwrap_or_default());
                Some(format!("{line}: {one} crossed to its right, {other} to its left"))
            });
            std::iter::once(number(outcome, "/objects").map(|n| format!("{n} objects"))).chain(crossed).collect()
        }
        _ => Vec::new(),
    };
    facts.into_iter().flatten().collect()
}

/// As a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(quoted("filter:unsharp=5:5:1.5"), "filter:unsharp=5:5:1.5");
        assert_eq!(quoted("my clip's.mp4"), "'my clip'\\''s.mp4'");
    }
}
