//! Reading model files: once, whole, within a folder, and nothing but plain files.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Most bytes of a model, its files of weights included: 4 GiB.
pub const MODEL_LIMIT: u64 = 4 << 30;

/// Whether a file may have more than one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HardLinks {
    /// It may: package caches link files, and the content is what is pinned.
    Allowed,
    /// It may not: the model names the file, and could name one of somebody else.
    Refused,
}

fn refuse(cause: &'static str, message: impl Into<String>, path: &Path) -> Error {
    Error::Model { cause, message: format!("{}: {}", message.into(), path.display()) }
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Why a file name from a manifest or a model cannot be one in its folder; `None` when it can.
pub(super) fn escapes(file: &str) -> Option<&'static str> {
    // A backslash or a colon is a plain character here and a separator or a drive elsewhere: refused everywhere alike. ONNX Runtime marks
    // addresses in its own memory by names with asterisks.
    if file.is_empty() {
        return Some("is empty");
    }
    if file.contains(['\\', ':', '*', '\0']) {
        return Some("has a backslash, a colon, an asterisk or a NUL");
    }
    if file.starts_with('/') || Path::new(file).is_absolute() {
        return Some("is an absolute path");
    }
    let mut parts = Path::new(file).components();
    parts.any(|c| !matches!(c, Component::Normal(_))).then_some("leaves its folder or has `.` parts")
}

/// Reads `file` in `folder`, at most `limit` bytes. No part of `file` may be a symbolic link; `folder` itself may be one.
///
/// # Errors
/// [`Error::Model`] with cause `path`, `missing`, `unreadable`, `symlink`, `hard-link`, `no-file` or `too-large`.
pub(super) fn read_inside(folder: &Path, file: &str, limit: u64, links: HardLinks) -> Result<Vec<u8>> {
    if let Some(why) = escapes(file) {
        return Err(Error::Model {
            cause: "path",
            message: format!("a file of a model must lie in its folder, but the name {why}: `{file}`"),
        });
    }
    let parents = || {
        let mut path = folder.to_path_buf();
        for part in Path::new(file).parent().into_iter().flat_map(Path::components) {
            path.push(part);
            if link_metadata(&path)?.is_symlink() {
                return Err(refuse(
                    "symlink",
                    "a folder of a model file is a symbolic link, which is not followed",
                    &path,
                ));
            }
        }
        Ok(())
    };
    parents()?;
    let bytes = read_plain(&folder.join(file), limit, links)?;
    // Looked at again, so that a folder which became a link in between is seen.
    parents()?;
    Ok(bytes)
}

/// Reads a plain file whose last part is no symbolic link.
///
/// # Errors
/// As [`read_inside`].
pub(super) fn read_plain(path: &Path, limit: u64, links: HardLinks) -> Result<Vec<u8>> {
    let before = link_metadata(path)?;
    check_kind(&before, path, links)?;
    let failed = |e: &std::io::Error| refuse("unreadable", format!("the file cannot be read ({e})"), path);
    let mut file = File::open(path).map_err(|e| failed(&e))?;
    let opened = file.metadata().map_err(|e| failed(&e))?;
    check_kind(&opened, path, links)?;
    if !same_file(&before, &opened) {
        return Err(refuse("symlink", "the file was replaced while it was opened", path));
    }
    if opened.len() > limit {
        return Err(too_large(opened.len(), limit, path));
    }
    let mut bytes = Vec::new();
    let expected = usize::try_from(opened.len()).unwrap_or(usize::MAX);
    if bytes.try_reserve_exact(expected.saturating_add(1)).is_err() {
        return Err(Error::Memory { kind: "host", needed_bytes: opened.len(), limit_bytes: 0 });
    }
    // One more than allowed, to see a file that grows.
    file.by_ref().take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(bytes.len() as u64, limit, path));
    }
    Ok(bytes)
}

fn too_large(found: u64, limit: u64, path: &Path) -> Error {
    refuse("too-large", format!("the model has {found} bytes or more, at most {limit} are read"), path)
}

fn link_metadata(path: &Path) -> Result<Metadata> {
    path.symlink_metadata().map_err(|e| match e.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => refuse("missing", "there is no such model file", path),
        _ => refuse("unreadable", format!("the file cannot be read ({e})"), path),
    })
}

fn check_kind(found: &Metadata, path: &Path, links: HardLinks) -> Result<()> {
    if found.is_symlink() {
        return Err(refuse("symlink", "the model file is a symbolic link, which is not followed", path));
    }
    if !found.is_file() {
        return Err(refuse("no-file", "a model must be a plain file, this is something else", path));
    }
    if links == HardLinks::Refused && names(found) > 1 {
        return Err(refuse("hard-link", "a file that a model names must have one name only, this has several", path));
    }
    Ok(())
}

#[cfg(unix)]
fn names(found: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(found)
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Other systems do not tell without system calls of their own; pinned content protects there.
#[cfg(not(unix))]
fn names(_: &Metadata) -> u64 {
    1
}

#[cfg(not(unix))]
fn same_file(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// The folder of a file; the working folder for a name alone.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_their_folder_are_seen() {
        for bad in ["", "/etc/passwd", "../x", "a/../x", "a\\b", "C:x", "./x", "a\0b", "..", "*/x"] {
            assert!(escapes(bad).is_some(), "{bad:?}");
        }
        for good in ["x.onnx", "a/b.bin", "..x", "x..", "weights-1.data", "a//b"] {
            assert_eq!(escapes(good), None, "{good:?}");
        }
    }

    #[test]
    fn a_known_hash() {
        assert_eq!(sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
