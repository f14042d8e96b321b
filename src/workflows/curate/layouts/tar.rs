//! WebDataset: tar files in which `key.png`, `key.txt` and `key.json` follow each other.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::{CurateConfig, Sample, inside};
use crate::core::Limits;
use crate::error::{Error, Result};
use crate::media::read_image;
use crate::store::{StoreIo, commit, output_folder};

const BLOCK: usize = 512;

/// A header of POSIX.1-1988 (ustar). Times are 0, so that the same files give the same bytes.
fn header(name: &str, length: usize) -> io::Result<[u8; BLOCK]> {
    let mut block = [0u8; BLOCK];
    if name.len() > 100 {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a name of {} bytes in a tar file", name.len()),
        ));
    }
    let mut put = |at: usize, text: &[u8]| {
        block.iter_mut().skip(at).zip(text).for_each(|(to, from)| *to = *from);
    };
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{length:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    // The sum is made with spaces in its place.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    let text = format!("{sum:06o}\0 ");
    block.iter_mut().skip(148).zip(text.as_bytes()).for_each(|(to, from)| *to = *from);
    Ok(block)
}

fn member(to: &mut impl Write, name: &str, bytes: &[u8]) -> io::Result<()> {
    to.write_all(&header(name, bytes.len())?)?;
    to.write_all(bytes)?;
    let rest = bytes.len().next_multiple_of(BLOCK) - bytes.len();
    to.write_all(&[0u8; BLOCK].into_iter().take(rest).collect::<Vec<_>>())
}

/// Key of a sample: no dots, which would end it, and at most 90 bytes.
fn key(number: usize, sample: &Sample) -> String {
    let file = sample.file();
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(s, _)| s);
    let plain: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' }).collect();
    // The number keeps keys apart that became equal.
    format!("{number:06}_{}", plain.get(..plain.len().min(80)).unwrap_or_default())
}

pub(super) fn webdataset(
    io: &dyn StoreIo,
    folder: &Path,
    all: &[Sample],
    config: &CurateConfig,
    limits: &Limits,
) -> Result<()> {
    let at = folder.join("webdataset");
    output_folder(io, &at)?;
    let mut written = BTreeSet::new();
    let shards = all.chunks(config.layouts.shard_samples as usize);
    let mut number = 0;
    for (shard, samples) in shards.enumerate() {
        let name = format!("curate-{shard:06}.tar");
        commit(io, at.join(&name), |w| {
            for sample in samples {
                let bytes = read_image(inside(folder, &sample.image), limits).map_err(io::Error::other)?;
                let key = key(number, sample);
                let ending = sample.image.rsplit_once('.').map_or("png", |(_, e)| e);
                let facts = json!({ "strategy": sample.strategy, "frame": sample.frame, "image": sample.image });
                member(w, &format!("{key}.{ending}"), &bytes)?;
                member(w, &format!("{key}.txt"), sample.caption.as_bytes())?;
                member(w, &format!("{key}.json"), facts.to_string().as_bytes())?;
                number += 1;
            }
            w.write_all(&[0u8; 2 * BLOCK])
        })?;
        written.insert(name);
    }
    for path in super::files_of(&at)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("curate-") && name.ends_with(".tar") && !written.contains(&name) {
            std::fs::remove_file(&path).map_err(|e| Error::storage("remove", &path, e))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_header_content_and_padding() {
        let mut out = Vec::new();
        member(&mut out, "a.txt", b"hello").unwrap();
        assert_eq!(out.len(), 1024);
        assert!(out.starts_with(b"a.txt\0") && out[512..517] == *b"hello" && out[517..].iter().all(|b| *b == 0));
        assert_eq!(&out[124..136], b"00000000005\0");
        let sum: u32 =
            out[..512].iter().enumerate().map(|(i, b)| if (148..156).contains(&i) { 32 } else { u32::from(*b) }).sum();
        assert_eq!(out[148..154], *format!("{sum:06o}").as_bytes());
        assert!(member(&mut out, &"x".repeat(101), b"").is_err());
    }
}
