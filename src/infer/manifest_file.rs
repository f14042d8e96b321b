//! Reading and writing `models.toml`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::files::{HardLinks, escapes, read_plain};
use super::manifest::{ExternalFile, ModelEntry};
use crate::error::{Error, Result};

/// Name of a manifest.
pub const MANIFEST: &str = "models.toml";

/// Most bytes of a manifest.
const LIMIT: u64 = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parsed {
    #[serde(default)]
    model: Vec<Spanned<ModelEntry>>,
}

#[derive(Serialize)]
struct Written<'a> {
    model: &'a [ModelEntry],
}

/// Reads the text of a manifest; `path` is for messages.
///
/// # Errors
/// [`Error::Model`] with cause `manifest`: not TOML, an unknown key, a name that comes twice, a file outside of the folder, a hash that is none.
/// The message names the line.
pub fn parse_manifest(text: &str, path: &Path) -> Result<Vec<ModelEntry>> {
    let wrong = |at: usize, message: &str| Error::Model {
        cause: "manifest",
        message: format!("line {} of the manifest: {}: {}", line_of(text, at), message.trim_end(), path.display()),
    };
    let parsed: Parsed =
        toml::from_str(text).map_err(|e| wrong(e.span().map_or(0, |s| s.start), &e.message().replace('\n', " ")))?;
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut entries = Vec::with_capacity(parsed.model.len());
    for spanned in parsed.model {
        let span = spanned.span();
        let entry = spanned.into_inner();
        if let Err((key, message)) = check(&entry) {
            return Err(wrong(key_in(text, &span, key), &format!("model `{}`: {message}", entry.name)));
        }
        if let Some(first) = names.insert(entry.name.clone(), span.start) {
            let message = format!("there is a model `{}` already, on line {}", entry.name, line_of(text, first));
            return Err(wrong(key_in(text, &span, "name"), &message));
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// The manifest of a folder; `None` when there is none.
///
/// # Errors
/// As [`parse_manifest`], and causes of reading: `unreadable`, `symlink`, `no-file`, `too-large`.
pub fn read_manifest(folder: &Path) -> Result<Option<Vec<ModelEntry>>> {
    let path = folder.join(MANIFEST);
    let bytes = match read_plain(&path, LIMIT, HardLinks::Allowed) {
        Err(Error::Model { cause: "missing", .. }) => return Ok(None),
        other => other?,
    };
    let text = String::from_utf8(bytes).map_err(|_| Error::Model {
        cause: "manifest",
        message: format!("the manifest is not UTF-8: {}", path.display()),
    })?;
    parse_manifest(&text, &path).map(Some)
}

/// The text of a manifest.
///
/// # Errors
/// [`Error::Bug`] when an entry cannot be written as TOML.
pub fn write_manifest(entries: &[ModelEntry]) -> Result<String> {
    toml::to_string(&Written { model: entries }).map_err(|e| Error::Bug(format!("a manifest cannot be written: {e}")))
}

/// Counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|b| *b == b'\n').count() + 1
}

/// Where `key` stands in the entry that begins at `span`; the entry itself when it is not found.
fn key_in(text: &str, span: &Range<usize>, key: &str) -> usize {
    let mut at = span.start;
    for (i, line) in text.get(span.start..).unwrap_or_default().split_inclusive('\n').enumerate() {
        if i > 0 && line.trim_start().starts_with("[[model]]") {
            break;
        }
        let value = line.trim_start().strip_prefix(key);
        if value.is_some_and(|rest| rest.trim_start().starts_with('=')) {
            return at;
        }
        at += line.len();
    }
    span.start
}

/// What is wrong with an entry: the key and a message.
fn check(entry: &ModelEntry) -> std::result::Result<(), (&'static str, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if entry.name.is_empty() || !entry.name.chars().all(plain) {
        return Err(("name", "a name is made of letters, digits, dots, dashes and underscores".into()));
    }
    check_file("file", &entry.file, &entry.sha256)?;
    for ExternalFile { file, sha256 } in &entry.external {
        check_file("external", file, sha256)?;
    }
    if let Some(picture) = &entry.picture {
        let finite = |v: &f32| v.is_finite();
        if !(picture.scale.is_finite() && picture.scale > 0.0) {
            return Err(("scale", format!("must be above 0, got {}", picture.scale)));
        }
        if !picture.std.iter().all(|v| v.is_finite() && *v > 0.0) {
            return Err(("std", format!("must be above 0, got {:?}", picture.std)));
        }
        if !picture.mean.iter().all(finite) || !picture.pad.is_finite() {
            return Err(("mean", "must be finite, and `pad` too".into()));
        }
        if picture.size.is_some_and(|s| s.contains(&0)) || picture.multiple == Some(0) {
            return Err(("size", "must not be 0, and `multiple` neither".into()));
        }
    }
    if let Some((key, value)) = entry.numbers.iter().find(|(_, v)| !v.is_finite()) {
        return Err(("numbers", format!("`{key}` must be finite, got {value}")));
    }
    Ok(())
}

fn check_file(key: &'static str, file: &str, sha256: &str) -> std::result::Result<(), (&'static str, String)> {
    if let Some(why) = escapes(file) {
        return Err((key, format!("a file must lie in the folder of the manifest, but `{file}` {why}")));
    }
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if sha256.len() != 64 || !sha256.chars().all(hex) {
        let key = if key == "file" { "sha256" } else { key };
        return Err((key, format!("a SHA-256 has 64 hexadecimal digits in lower case, got `{sha256}`")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::manifest::{PictureInput, Task};
    use super::*;

    const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn entry(more: &str) -> String {
        format!(
            "[[model]]\nname = \"a\"\ntask = \"detect\"\nfile = \"a.onnx\"\nsha256 = \"{HASH}\"\nlicence = \"MIT\"\nsource = \"x\"\n{more}"
        )
    }

    fn error(text: &str) -> String {
        match parse_manifest(text, Path::new("m/models.toml")) {
            Err(Error::Model { cause: "manifest", message }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut full = ModelEntry::new("net", Task::RestoreFace, "sub/net.onnx", HASH);
        full.picture = Some(PictureInput { mean: [1.0, 2.0, 3.0], size: Some([320, 240]), ..PictureInput::default() });
        full.inputs.insert("state".into(), "h 0".into());
        full.outputs.insert("boxes".into(), "out.\"1\"".into());
        full.numbers.insert("nms".into(), 0.6);
        full.external.push(ExternalFile { file: "net.data".into(), sha256: HASH.into() });
        full.note = Some("two\nlines".into());
        full.stand_in = true;
        let entries = [full, ModelEntry::new("b", Task::Vad, "b.onnx", HASH)];
        let text = write_manifest(&entries).unwrap();
        assert_eq!(parse_manifest(&text, Path::new("x")).unwrap(), entries);
        assert_eq!(parse_manifest("", Path::new("x")).unwrap(), []);
    }

    #[test]
    fn errors_point_at_the_line() {
        let unknown = error(&entry("lisense = \"MIT\"\n"));
        assert!(unknown.starts_with("line 8 of the manifest: unknown field `lisense`"), "{unknown}");
        assert!(unknown.ends_with("m/models.toml"), "{unknown}");
        assert!(error(&entry("[model.picture]\nlayuot = \"nhwc\"\n")).starts_with("line 9 "));
        assert!(error("[[model]]\nname = ").starts_with("line 2 "));
        assert!(error("[modle]\n").contains("unknown field `modle`"));
        assert!(error(&entry("").replace("detect", "detction")).starts_with("line 3 "));
        let twice = error(&format!("{}\n{}", entry(""), entry("")));
        assert!(twice.starts_with("line 10 of the manifest: there is a model `a` already, on line 1"), "{twice}");
    }

    #[test]
    fn values_are_checked() {
        let upper = error(&entry("").replace(HASH, &HASH.to_uppercase()));
        assert!(upper.starts_with("line 5 ") && upper.contains("64 hexadecimal digits in lower case"), "{upper}");
        assert!(error(&entry("").replace(HASH, "abc")).starts_with("line 5 "));
        for file in ["../a.onnx", "/a.onnx", "b/../../a.onnx", "a\\\\b", ""] {
            let e = error(&entry("").replace("a.onnx", file));
            assert!(e.starts_with("line 4 ") && e.contains("must lie in the folder"), "{file}: {e}");
        }
        assert!(error(&entry("").replace("\"a\"", "\"a b\"")).starts_with("line 2 "));
        assert!(error(&entry("[model.picture]\nstd = [1.0, 0.0, 1.0]\n")).contains("above 0"));
        assert!(error(&entry("[model.picture]\nscale = 0.0\n")).starts_with("line 9 "));
        assert!(error(&entry("numbers = { nms = nan }\n")).contains("must be finite"));
        assert!(error(&entry("external = [{ file = \"../w\", sha256 = \"x\" }]\n")).starts_with("line 8 "));
    }
}
