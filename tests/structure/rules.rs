//! Who may know whom.

use super::tree::Source;

/// A line that breaks a rule.
#[derive(Debug)]
pub struct Violation {
    path: String,
    line: usize,
    message: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// What each room may use of `crate::`. The root (`error`, `Error`, `Result`, ...) is open to all.
fn allowed(room: &str) -> &'static [&'static str] {
    match room {
        "core" => &["core"],
        "config" => &["core", "config"],
        "reference" => &["core", "reference"],
        "gpu" => &["core", "gpu"],
        "ops" => &["core", "gpu", "ops"],
        "media" => &["core", "media"],
        "infer" => &["core", "infer"],
        "store" => &["core", "store"],
        "index" => &["core", "gpu", "ops", "store", "index"],
        "pipeline" => &["core", "gpu", "ops", "media", "infer", "index", "pipeline"],
        "report" => &["core", "store", "report"],
        "workflows" => &[
            "core",
            "gpu",
            "ops",
            "media",
            "infer",
            "index",
            "pipeline",
            "store",
            "report",
            "config",
            "workflows",
            "reference",
        ],
        _ => ROOMS,
    }
}

const ROOMS: &[&str] = &[
    "core",
    "reference",
    "gpu",
    "ops",
    "media",
    "infer",
    "store",
    "index",
    "pipeline",
    "report",
    "config",
    "workflows",
];

/// `src/<room>/...`; a file in `src/` itself belongs to no room.
fn room(path: &str) -> &str {
    let rest = path.strip_prefix("src/").unwrap();
    rest.split_once('/').map_or("", |(room, _)| room)
}

/// The text with comments blanked, so that words in them are free; line breaks stay.
fn code(text: &str) -> String {
    let line = |l: &str| l.split_once("//").map_or(l, |(before, _)| before).to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Starts of `word` in `text` as a word of its own.
fn places<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    text.match_indices(word).map(|(at, _)| at).filter(|at| !text[..*at].chars().next_back().is_some_and(is_word))
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// First path segments behind `crate::`, through braces one level deep.
fn used_rooms(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    for at in places(text, "crate::") {
        let rest = &text[at + 7..];
        let first = |s: &str| s.trim_start().chars().take_while(|c| is_word(*c)).collect::<String>();
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut start) = (1, 0);
            for (i, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                if (c == ',' && depth == 1) || depth == 0 {
                    out.push((line_of(text, at + 8 + start), first(&group[start..i])));
                    start = i + 1;
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            out.push((line_of(text, at), first(rest)));
        }
    }
    out.retain(|(_, room)| ROOMS.contains(&room.as_str()));
    out
}

/// Uses of rooms that this file's room may not know.
pub fn check_arrows(source: &Source) -> Vec<Violation> {
    let here = room(&source.path);
    let text = code(&source.text);
    // Unit tests, which stand at the end, may compare with the oracle.
    let tests = text.find("#[cfg(test)]").map_or(usize::MAX, |at| line_of(&text, at));
    let mut found: Vec<Violation> = used_rooms(&text)
        .into_iter()
        .filter(|(line, used)| !allowed(here).contains(&used.as_str()) && (used != "reference" || *line < tests))
        .map(|(line, used)| Violation {
            path: source.path.clone(),
            line,
            message: format!("`{here}` must not know `{used}`"),
        })
        .collect();
    // Workflows never know each other.
    if let Some(own) = source.path.strip_prefix("src/workflows/").and_then(|rest| rest.split_once('/')) {
        for at in places(&text, "crate::workflows::") {
            let used: String = text[at + 18..].chars().take_while(|c| is_word(*c)).collect();
            let a_workflow = ["analyze", "chunk", "curate", "sync", "collage", "track"].contains(&used.as_str());
            if a_workflow && used != own.0 {
                let message = format!("workflow `{}` must not know `{used}`", own.0);
                found.push(Violation { path: source.path.clone(), line: line_of(&text, at), message });
            }
        }
    }
    found
}

/// Uses of an outside crate outside the one room that wraps it.
pub fn check_crates(source: &Source) -> Vec<Violation> {
    let text = code(&source.text);
    let homes = [
        ("wgpu::", "src/gpu/"),
        ("ort::", "src/infer/"),
        ("faiss::", "src/index/"),
        ("faiss_sys::", "src/index/"),
        ("ffmpeg_next::", "src/media/"),
    ];
    homes
        .into_iter()
        .filter(|(_, home)| !source.path.starts_with(home))
        .flat_map(|(name, home)| {
            places(&text, name)
                .map(|at| Violation {
                    path: source.path.clone(),
                    line: line_of(&text, at),
                    message: format!("`{name}` belongs to {home}"),
                })
                .collect::<Vec<_>>()
        })
        .collect()
}
