//! What a card says of a command: its words as a shell takes them, a picture, and what its events say.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Larger pictures are not embedded.
const LARGEST: u64 = 2 << 20;

/// The bytes of a picture that is small enough to be embedded; of a folder the first one.
pub(crate) fn picture(path: &Path) -> Option<Vec<u8>> {
    let path = if path.is_dir() { first(path)? } else { path.to_path_buf() };
    let small = path.metadata().is_ok_and(|m| m.is_file() && m.len() <= LARGEST);
    small.then(|| std::fs::read(path).ok()).flatten()
}

/// The first picture of a folder.
fn first(folder: &Path) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).ok()?.filter_map(|e| Some(e.ok()?.path()));
    files.filter(|p| p.extension().is_some_and(|e| e == "png" || e == "jpg")).min()
}

pub(crate) fn text<'a>(result: &'a Value, name: &str) -> &'a str {
    result.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What the first item and the result of a command say, in words.
pub(crate) fn facts(command: &str, item: &Value, result: &Value) -> Vec<String> {
    let number = |at: &Value, path: &str| at.pointer(path).and_then(Value::as_f64);
    let share = |part: Option<f64>, of: Option<f64>| part.zip(of).filter(|(_, of)| *of > 0.0).map(|(p, of)| p / of);
    let facts = match command {
        "analyze" => vec![number(item, "/frames").map(|n| format!("{n} frames, the file is {}", text(item, "status")))],
        "heatmap" => vec![number(result, "/frames").map(|n| format!("{n} frames"))],
        "chunk plan" => vec![
            number(result, "/chunks").map(|n| format!("{n} chunks")),
            share(number(result, "/cost/mean_pixels"), number(result, "/cost/frame_pixels"))
                .map(|s| format!("{:.0} % of the pixels of the frames", s * 100.0)),
        ],
        "chunk run" => vec![
            share(number(result, "/pixels"), number(result, "/frame_pixels"))
                .map(|s| format!("{:.0} % of the pixels went through the filter", s * 100.0)),
        ],
        "curate run" => result
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
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// A command line as a shell takes it.
pub(crate) fn line<T: AsRef<str>>(words: &[T]) -> String {
    words.iter().map(|w| quoted(w.as_ref())).collect::<Vec<_>>().join(" ")
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
