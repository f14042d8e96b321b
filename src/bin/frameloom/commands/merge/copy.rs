//! The files of parts, copied into one folder.

use std::io::Read;
use std::path::{Path, PathBuf};

use frameloom::store::{OsIo, commit};
use frameloom::{Error, Result};

use super::part::NAME;
use crate::signals::Signals;

/// Copies all files of a part, state included; their number. What is there already must be the same.
pub(super) fn copy(from: &Path, to: &Path, signals: &Signals) -> Result<usize> {
    let (mut count, mut open) = (0, vec![PathBuf::new()]);
    while let Some(dir) = open.pop() {
        let at = from.join(&dir);
        let entries = std::fs::read_dir(&at).map_err(|e| Error::storage("read", &at, e))?;
        for entry in entries {
            signals.cancel.check()?;
            let entry = entry.map_err(|e| Error::storage("read", &at, e))?;
            let name = dir.join(entry.file_name());
            let kind = entry.file_type().map_err(|e| Error::storage("read", from.join(&name), e))?;
            if kind.is_dir() {
                std::fs::create_dir_all(to.join(&name)).map_err(|e| Error::storage("create", to.join(&name), e))?;
                open.push(name);
            } else if kind.is_file() && name != Path::new(NAME) && entry.file_name() != ".lock" {
                one(&from.join(&name), &to.join(&name))?;
                count += 1;
            }
        }
    }
    Ok(count)
}

fn one(from: &Path, to: &Path) -> Result<()> {
    let open = |path: &Path| std::fs::File::open(path).map_err(|e| Error::storage("read", path, e));
    if to.exists() {
        let (a, b) = (content(&mut open(from)?), content(&mut open(to)?));
        return match (a, b) {
            (Ok(a), Ok(b)) if a == b => Ok(()),
            (Err(e), _) | (_, Err(e)) => Err(Error::storage("read", from, e)),
            _ => Err(Error::Usage {
                message: format!("there is another file already: {}", to.display()),
                hint: Some("merge into a folder of its own".into()),
            }),
        };
    }
    let mut file = open(from)?;
    commit(&OsIo, to, |w| std::io::copy(&mut file, w).map(drop)).map(drop)
}

fn content(file: &mut impl Read) -> std::io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(file, &mut hasher)?;
    Ok(hasher.finalize())
}
