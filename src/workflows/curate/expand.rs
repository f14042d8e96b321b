//! Temporal context: the frames before and after each curated one, with captions, as the original's `temporal_context_expansion.py`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::layouts::files_of;
use crate::core::Limits;
use crate::error::{Error, Result};
use crate::media::read_image;
use crate::store::{OsIo, commit, commit_json, output_folder};

/// Endings of frames.
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// How to expand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpandOptions {
    /// Frames before and after each curated one, at least 1.
    pub window: u32,
    /// Write captions for neighbours, and copy those of curated frames.
    pub captions: bool,
    /// Limits for untrusted input.
    pub limits: Limits,
}

impl Default for ExpandOptions {
    fn default() -> Self {
        Self { window: 3, captions: true, limits: Limits::default() }
    }
}

/// What was added: the keys of `expansion_stats.json`.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Expanded {
    /// Curated frames.
    pub curated_count: usize,
    /// Neighbours written.
    pub neighbors_added: usize,
    /// Both.
    pub final_count: usize,
    /// `final_count / curated_count`.
    pub expansion_ratio: f64,
    /// Neighbours that are not among the frames.
    pub missing_count: usize,
    /// Frames before and after each.
    pub window_size: u32,
    /// `neighbors_added / curated_count`.
    pub average_neighbors_per_frame: f64,
}

/// What stands before the number of a frame, and the number: behind `frame`, else the last digits before the ending that follow a `_`, else
/// the first run of four digits or more.
fn numbered(name: &str) -> Option<(String, u64)> {
    let stem = name.rsplit_once('.').map_or(name, |(s, _)| s);
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let lower = stem.to_ascii_lowercase();
    for (at, _) in lower.match_indices("frame") {
        let behind = lower.get(at + 5..).unwrap_or_default();
        let behind = behind.strip_prefix(['_', '-']).unwrap_or(behind);
        let number = digits(behind);
        if let Ok(n) = number.parse() {
            let before = lower.len() - behind.len();
            return Some((stem.get(..before).unwrap_or_default().to_owned(), n));
        }
    }
    if let Some((before, tail)) = stem.rsplit_once('_')
        && !tail.is_empty()
        && tail.chars().all(|c| c.is_ascii_digit())
        && let Ok(n) = tail.parse()
    {
        return Some((format!("{before}_"), n));
    }
    let mut rest = stem;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let run = digits(rest.get(start..).unwrap_or_default());
        if run.len() >= 4 {
            let at = stem.len() - rest.len() + start;
            return run.parse().ok().map(|n| (stem.get(..at).unwrap_or_default().to_owned(), n));
        }
        rest = rest.get(start + run.len()..).unwrap_or_default();
    }
    None
}

fn is_frame(path: &Path) -> bool {
    path.extension().is_some_and(|e| ENDINGS.contains(&e.to_string_lossy().to_lowercase().as_str()))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Frames by number; by what stands before the number too, where several clips are in one folder.
struct Known {
    exact: BTreeMap<(String, u64), PathBuf>,
    by_number: BTreeMap<u64, Vec<PathBuf>>,
}

impl Known {
    fn of(folder: &Path) -> Result<Self> {
        let mut known = Self { exact: BTreeMap::new(), by_number: BTreeMap::new() };
        for path in files_of(folder)?.into_iter().filter(|p| is_frame(p)) {
            if let Some((before, n)) = numbered(&name_of(&path)) {
                known.exact.entry((before, n)).or_insert_with(|| path.clone());
                known.by_number.entry(n).or_default().push(path);
            }
        }
        Ok(known)
    }

    /// The frame `n` of the clip of `before`; of another name only where there is no doubt.
    fn get(&self, before: &str, n: u64) -> Option<&PathBuf> {
        let own = self.exact.keys().any(|(b, _)| b == before);
        if own {
            return self.exact.get(&(before.to_owned(), n));
        }
        match self.by_number.get(&n).map(Vec::as_slice) {
            Some([only]) => Some(only),
            _ => None,
        }
    }
}

/// Copies the curated frames and their neighbours among `frames` into `output`, with captions, `temporal_neighbor_map.json` and
/// `expansion_stats.json`.
///
/// # Errors
/// [`Error::Usage`] when there are no curated frames or none of them has a number; storage.
pub fn expand(curated: &Path, frames: &Path, output: &Path, options: &ExpandOptions) -> Result<Expanded> {
    if options.window == 0 {
        return Err(Error::usage("the window must be at least 1 frame"));
    }
    let known = Known::of(frames)?;
    let own: Vec<PathBuf> = files_of(curated)?.into_iter().filter(|p| is_frame(p)).collect();
    if own.is_empty() {
        return Err(Error::usage(format!("there are no frames in {}", curated.display())));
    }
    if own.iter().all(|p| numbered(&name_of(p)).is_none()) {
        return Err(Error::Usage {
            message: format!("no frame in {} has a number in its name", curated.display()),
            hint: Some("wanted: names like frame_0012.png, clip_0012.png or 000012.png".into()),
        });
    }
    output_folder(&OsIo, output)?;
    let put = |name: &str, bytes: &[u8]| commit(&OsIo, output.join(name), |w| w.write_all(bytes));
    let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut added, mut missing) = (0, 0);
    for path in &own {
        let name = name_of(path);
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        put(&name, &read_image(path, &options.limits)?)?;
        let text = path.with_extension("txt");
        let caption = std::fs::read_to_string(&text).ok();
        if let Some(caption) = caption.as_ref().filter(|_| options.captions) {
            put(&format!("{stem}.txt"), caption.as_bytes())?;
        }
        let Some((before, n)) = numbered(&name) else { continue };
        let neighbours = map.entry(name).or_default();
        for step in (1..=u64::from(options.window)).flat_map(|k| [n.checked_sub(k), n.checked_add(k)]) {
            let Some(found) = step.and_then(|m| known.get(&before, m).map(|p| (m, p))) else {
                missing += 1;
                continue;
            };
            let (m, from) = found;
            let ending = from.extension().unwrap_or_default().to_string_lossy();
            let to = format!("{stem}_ctx{m:06}");
            put(&format!("{to}.{ending}"), &read_image(from, &options.limits)?)?;
            if let Some(caption) = caption.as_ref().filter(|_| options.captions) {
                put(&format!("{to}.txt"), format!("{caption}, temporal neighbor of {stem}").as_bytes())?;
            }
            neighbours.push(format!("{to}.{ending}"));
            added += 1;
        }
    }
    let count = own.len() as f64;
    let stats = Expanded {
        curated_count: own.len(),
        neighbors_added: added,
        final_count: own.len() + added,
        expansion_ratio: (own.len() + added) as f64 / count,
        missing_count: missing,
        window_size: options.window,
        average_neighbors_per_frame: added as f64 / count,
    };
    commit_json(&OsIo, output.join("temporal_neighbor_map.json"), &map)?;
    commit_json(&OsIo, output.join("expansion_stats.json"), &stats)?;
    Ok(stats)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that they read")]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_as_the_original_finds_them() {
        let number = |n: &str| numbered(n).map(|(_, n)| n);
        assert_eq!(number("frame_0012.png"), Some(12));
        assert_eq!(number("scene3_frame-7_x.png"), Some(7));
        assert_eq!(number("luca_00031.jpg"), Some(31));
        assert_eq!(number("x12y00345z.png"), Some(345));
        assert_eq!((number("a12.png"), number("abc.png")), (None, None));
    }

    #[test]
    fn neighbours_match_the_number_and_the_clip() {
        let dir = tempfile::tempdir().unwrap();
        let at = |n: &str| dir.path().join(n);
        for folder in ["all", "best"] {
            std::fs::create_dir(at(folder)).unwrap();
        }
        for i in 0..30 {
            std::fs::write(at(&format!("all/a_frame_{i:04}.png")), format!("a{i}")).unwrap();
            std::fs::write(at(&format!("all/b_frame_{i:04}.png")), format!("b{i}")).unwrap();
        }
        std::fs::write(at("best/b_frame_0001.png"), "b1").unwrap();
        std::fs::write(at("best/b_frame_0001.txt"), "a boy").unwrap();
        std::fs::write(at("best/a_frame_0010.png"), "a10").unwrap();
        let options = ExpandOptions { window: 2, ..ExpandOptions::default() };
        let stats = expand(&at("best"), &at("all"), &at("out"), &options).unwrap();
        assert_eq!((stats.curated_count, stats.neighbors_added, stats.missing_count), (2, 7, 1));
        assert_eq!((stats.final_count, stats.expansion_ratio), (9, 4.5));
        let read = |n: &str| std::fs::read_to_string(at("out").join(n)).unwrap();
        assert_eq!(
            (read("b_frame_0001_ctx000003.png").as_str(), read("a_frame_0010_ctx000009.png").as_str()),
            ("b3", "a9")
        );
        assert_eq!(read("b_frame_0001_ctx000000.txt"), "a boy, temporal neighbor of b_frame_0001");
        assert!(!at("out").join("a_frame_0010_ctx000009.txt").exists());
        assert!(read("temporal_neighbor_map.json").contains("b_frame_0001_ctx000003.png"));
        let bare = ExpandOptions { captions: false, ..options };
        expand(&at("best"), &at("all"), &at("bare"), &bare).unwrap();
        assert!(!at("bare").join("b_frame_0001.txt").exists());
    }
}
