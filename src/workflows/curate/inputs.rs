//! What the user names: folders, patterns, lists, pictures, videos.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::core::Limits;
use crate::error::{Error, Result};
use crate::media::folder::natural_paths;
use crate::media::{ListOptions, Skipped, image_info, list_images};

/// Endings by which a file is meant to be a picture, whatever is in it.
const PICTURES: [&str; 9] = ["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff", "gif", "tga"];
/// Longest list of files, in bytes.
const MAX_LIST: u64 = 64 << 20;

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// One picture.
    Picture(PathBuf),
    /// A video, of which some frames are taken.
    Video(PathBuf),
}

impl Input {
    /// Its file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Picture(p) | Self::Video(p) => p,
        }
    }
}

/// All inputs in order: pictures of a folder in natural order of names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inputs {
    /// What is looked at, no file twice.
    pub all: Vec<Input>,
    /// What was passed over.
    pub skipped: Vec<Skipped>,
}

fn extension(path: &Path) -> String {
    path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn is_picture_name(path: &Path) -> bool {
    PICTURES.contains(&extension(path).as_str())
}

impl Inputs {
    /// Of what `given` names: a folder stands for its pictures (not of its sub-folders), a name with `*` or `?` for the files that fit, a
    /// `.txt` file for the paths in its lines, any other file for itself. At most `limit` pictures, the first ones.
    ///
    /// # Errors
    /// `InputNotFound` for what is not there; `Usage` when nothing is left.
    pub fn of(given: &[PathBuf], limit: Option<usize>, limits: &Limits) -> Result<Self> {
        let mut inputs = Self::default();
        for path in given {
            inputs.add(path, limits, true)?;
        }
        let mut seen = BTreeSet::new();
        inputs.all.retain(|i| seen.insert(i.path().to_path_buf()));
        if let Some(limit) = limit {
            let mut left = limit;
            inputs.all.retain(|i| match i {
                Input::Picture(_) if left == 0 => false,
                Input::Picture(_) => {
                    left -= 1;
                    true
                }
                Input::Video(_) => true,
            });
        }
        if inputs.all.is_empty() {
            return Err(Error::Usage {
                message: "there are no pictures and no videos in the input".into(),
                hint: Some("name a folder of pictures, a pattern like 'frames/*.png', a list (.txt) or a video".into()),
            });
        }
        Ok(inputs)
    }

    fn add(&mut self, path: &Path, limits: &Limits, lists: bool) -> Result<()> {
        if path.is_dir() {
            return self.folder(path, limits);
        }
        if !path.exists() && path.to_string_lossy().contains(['*', '?']) {
            return self.pattern(path);
        }
        if !path.exists() {
            return Err(Error::InputNotFound { path: path.to_path_buf(), reason: "no such file or folder".into() });
        }
        if lists && extension(path) == "txt" {
            return self.list(path, limits);
        }
        // A picture by name stays one when it cannot be read: it becomes a failed frame, not a failed video.
        let picture = is_picture_name(path) || image_info(path, limits).is_ok();
        self.all.push(if picture { Input::Picture(path.into()) } else { Input::Video(path.into()) });
        Ok(())
    }

    fn folder(&mut self, path: &Path, limits: &Limits) -> Result<()> {
        let list = list_images(path, ListOptions::default(), limits)?;
        let mut files = list.files;
        for skipped in list.skipped {
            if skipped.reason == "not a picture" && is_picture_name(&skipped.path) {
                files.push(skipped.path);
            } else {
                self.skipped.push(skipped);
            }
        }
        files.sort_by(|a, b| natural_paths(a, b));
        self.all.extend(files.into_iter().map(Input::Picture));
        Ok(())
    }

    fn pattern(&mut self, path: &Path) -> Result<()> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let wanted = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let unreadable = |e: std::io::Error| Error::unreadable(folder, &e);
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if fits(wanted.as_bytes(), name.as_bytes()) && entry.path().is_file() {
                files.push(folder.join(entry.file_name()));
            }
        }
        if files.is_empty() {
            return Err(Error::InputNotFound { path: path.to_path_buf(), reason: "no file fits the pattern".into() });
        }
        files.sort_by(|a, b| natural_paths(a, b));
        self.all.extend(files.into_iter().map(
            |f| {
                if is_picture_name(&f) { Input::Picture(f) } else { Input::Video(f) }
            },
        ));
        Ok(())
    }

    fn list(&mut self, path: &Path, limits: &Limits) -> Result<()> {
        let failed = |e: std::io::Error| Error::unreadable(path, &e);
        let mut text = String::new();
        std::fs::File::open(path).map_err(failed)?.take(MAX_LIST).read_to_string(&mut text).map_err(failed)?;
        let base = path.parent().unwrap_or(Path::new(""));
        for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let file = base.join(line);
            if is_picture_name(&file) {
                // One that is gone is a failed frame: the others of the list go on.
                self.all.push(Input::Picture(file));
            } else {
                self.add(&file, limits, false)?;
            }
        }
        Ok(())
    }
}

/// Whether `name` fits `pattern`: `*` any characters, `?` one.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => {
            fits(rest, name) || name.split_first().is_some_and(|(_, shorter)| fits(pattern, shorter))
        }
        (Some((b'?', rest)), Some((_, shorter))) => fits(rest, shorter),
        (Some((p, rest)), Some((n, shorter))) if p == n => fits(rest, shorter),
        _ => false,
    }
}

/// Names for outputs: the stems of files, with a number where two would be the same.
#[derive(Debug, Default)]
pub(super) struct Names {
    used: BTreeMap<String, u32>,
}

impl Names {
    /// A name for `path`, or for frame `frame` of it.
    pub(super) fn take(&mut self, path: &Path, frame: Option<u64>) -> String {
        let stem = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
        // Names become parts of paths: nothing that leads elsewhere.
        let mut name: String =
            stem.chars().map(|c| if c.is_control() || c == '/' || c == '\\' { '_' } else { c }).collect();
        if let Some(n) = frame {
            name.push_str(&format!("_f{n:06}"));
        }
        loop {
            let count = self.used.entry(name.to_lowercase()).or_insert(0);
            *count += 1;
            if *count == 1 {
                return name;
            }
            name = format!("{name}_{count}");
        }
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that they read")]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_names() {
        assert!(fits(b"*.png", b"a.png") && fits(b"f?_*.p*", b"f1_x.png") && fits(b"*", b""));
        assert!(!fits(b"*.png", b"a.jpg") && !fits(b"?", b"") && !fits(b"a", b"ab"));
        let mut names = Names::default();
        let take = |n: &mut Names, p: &str, f| n.take(Path::new(p), f);
        assert_eq!(take(&mut names, "x/a.png", None), "a");
        assert_eq!(take(&mut names, "y/a.jpg", None), "a_2");
        assert_eq!(take(&mut names, "y/A.webp", None), "A_3");
        assert_eq!(take(&mut names, "clip.mp4", Some(7)), "clip_f000007");
    }

    #[test]
    fn folders_lists_and_patterns_name_pictures_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let at = |n: &str| dir.path().join(n);
        let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
        for name in ["f10.gif", "f9.gif", "notes.md"] {
            std::fs::write(at(name), if name == "notes.md" { b"no".as_slice() } else { gif }).unwrap();
        }
        std::fs::write(at("f1.png"), "broken").unwrap();
        std::fs::write(at("list.txt"), "# two\nf9.gif\ngone.png\n").unwrap();
        let limits = Limits::default();
        let names = |given: &[PathBuf], limit| -> Vec<String> {
            let all = Inputs::of(given, limit, &limits).unwrap().all;
            all.iter().map(|i| i.path().file_name().unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(names(&[dir.path().into()], None), ["f1.png", "f9.gif", "f10.gif"]);
        assert_eq!(names(&[at("f*.gif")], Some(1)), ["f9.gif"]);
        assert_eq!(names(&[at("list.txt"), at("f9.gif")], None), ["f9.gif", "gone.png"]);
        assert!(Inputs::of(&[at("x*")], None, &limits).is_err());
        assert!(Inputs::of(&[at("gone")], None, &limits).is_err());
        assert!(matches!(Inputs::of(&[at("notes.md")], Some(0), &limits).unwrap().all[..], [Input::Video(_)]));
    }
}
