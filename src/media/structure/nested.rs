//! Containers made of sized chunks: ISO base media (MP4, MOV), RIFF (AVI).
//! Sources: ISO/IEC 14496-12 section 4.2; Microsoft RIFF and OpenDML.

use std::collections::BTreeMap;
use std::io;

use super::{Bytes, Ending, MAX_STEPS, Structure, cut, damaged};

/// Top-level boxes must tile the file.
pub(super) fn boxes(b: &mut Bytes<'_>) -> io::Result<Structure> {
    let (mut at, mut fragmented, mut fragment_index) = (0u64, false, false);
    let (mut movie, mut media) = (false, false);
    let mut steps = 0;
    let ending = loop {
        if at == b.size {
            break if fragmented && !fragment_index {
                Ending::Unstated("a fragmented file without an index of its fragments does not say where it ends")
            } else {
                Ending::Whole("all boxes fit into the file")
            };
        }
        steps += 1;
        if steps > MAX_STEPS {
            break Ending::Unstated("too many boxes to check");
        }
        // A cut leaves a box that is too long, never foreign bytes; those come from cameras and tools that pad or append.
        let appended = movie && media && !fragmented;
        let header = b.at::<8>(at)?;
        let is_type = |k: &u8| k.is_ascii_graphic() || *k == b' ' || *k == 0xa9;
        let Some([a, c, d, e, kind @ ..]) = header.filter(|[_, _, _, _, kind @ ..]| kind.iter().all(is_type)) else {
            break match header {
                _ if appended => Ending::Whole("all boxes fit into the file; other data follows"),
                Some(_) => damaged("no box type", at),
                None => cut("a box header", at, at.saturating_add(8), b.size),
            };
        };
        movie |= &kind == b"moov";
        media |= &kind == b"mdat";
        fragmented |= &kind == b"moof";
        fragment_index |= &kind == b"mfra";
        let length = match u32::from_be_bytes([a, c, d, e]) {
            0 => b.size - at, // up to the end of the file, whatever that is
            1 => match b.at::<8>(at.saturating_add(8))? {
                Some(long) => u64::from_be_bytes(long),
                None => break cut("a box header", at, at.saturating_add(16), b.size),
            },
            n => u64::from(n),
        };
        if length < 8 {
            break damaged("a box shorter than its header", at);
        }
        let end = at.saturating_add(length);
        if end > b.size {
            break cut(&format!("box `{}`", String::from_utf8_lossy(&kind)), at, end, b.size);
        }
        at = end;
    };
    Ok(Structure { ending, fragmented, empty_chunks: BTreeMap::new() })
}

/// The RIFF chunks (several in large files) must fit into the file. Counts the empty chunks of each stream on the way: they
/// stand for "the picture before once more", and demuxers skip them.
pub(super) fn riff(b: &mut Bytes<'_>) -> io::Result<Structure> {
    let mut empty = BTreeMap::new();
    let mut at = 0u64;
    let ending = loop {
        if at >= b.size {
            break Ending::Whole("all RIFF chunks fit into the file");
        }
        let Some((kind, length)) = chunk(b, at)? else {
            break cut("a chunk header", at, at.saturating_add(8), b.size);
        };
        if &kind != b"RIFF" {
            break if at == 0 {
                damaged("no RIFF chunk", at)
            } else {
                Ending::Whole("all RIFF chunks fit into the file; other data follows")
            };
        }
        if length == 0 || length == u64::from(u32::MAX) {
            break Ending::Broken("the file was never finished: its RIFF chunk has no size".into());
        }
        let end = at.saturating_add(8 + length);
        if end > b.size {
            break cut("a RIFF chunk", at, end, b.size);
        }
        count_empty(b, at + 12, end, &mut empty)?;
        at = end + (end & 1);
    };
    Ok(Structure { ending, fragmented: false, empty_chunks: empty })
}

fn chunk(b: &mut Bytes<'_>, at: u64) -> io::Result<Option<([u8; 4], u64)>> {
    Ok(b.at::<8>(at)?.map(|[a, c, d, e, size @ ..]| ([a, c, d, e], u64::from(u32::from_le_bytes(size)))))
}

/// Walks the chunks from `at` to `end`, into lists of samples. Stops where there is no chunk: sizes inside are the
/// demuxer's business.
fn count_empty(b: &mut Bytes<'_>, mut at: u64, end: u64, empty: &mut BTreeMap<usize, u64>) -> io::Result<()> {
    for _ in 0..MAX_STEPS {
        if at >= end {
            break;
        }
        let Some((kind, length)) = chunk(b, at)? else { break };
        let [tens, units, c, d] = kind;
        if &kind == b"LIST" && matches!(b.at::<4>(at + 8)?, Some(t) if &t == b"movi" || &t == b"rec ") {
            at += 12;
            continue;
        }
        if !kind.iter().all(|k| k.is_ascii_graphic() || *k == b' ') {
            break;
        }
        if length == 0 && tens.is_ascii_digit() && units.is_ascii_digit() && c == b'd' && matches!(d, b'c' | b'b') {
            *empty.entry(usize::from(tens - b'0') * 10 + usize::from(units - b'0')).or_default() += 1;
        }
        at = at.saturating_add(8 + length + (length & 1));
    }
    Ok(())
}
