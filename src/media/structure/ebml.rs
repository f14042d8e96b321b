//! Matroska and WebM: nested elements down to the blocks, because a block whose header is damaged is skipped by demuxers
//! without a word. Sources: RFC 8794 (EBML), RFC 9559 (Matroska).

use std::collections::BTreeSet;
use std::io;

use super::{Bytes, Ending, MAX_STEPS, cut, damaged};

const SEGMENT: u64 = 0x1853_8067;
const TRACKS: u64 = 0x1654_ae6b;
const TRACK_ENTRY: u64 = 0xae;
const TRACK_NUMBER: u64 = 0xd7;
const CLUSTER: u64 = 0x1f43_b675;
const BLOCK_GROUP: u64 = 0xa0;
const BLOCK: u64 = 0xa1;
const SIMPLE_BLOCK: u64 = 0xa3;
/// Void and CRC-32 may stand anywhere.
const ANYWHERE: [u64; 2] = [0xec, 0xbf];
/// Seek head, info, cues, attachments, chapters, tags.
const IN_SEGMENT: [u64; 6] = [0x114d_9b74, 0x1549_a966, 0x1c53_bb6b, 0x1941_a469, 0x1043_a770, 0x1254_c367];
/// Timestamp, position, previous size: small integers.
const NUMBERS_IN_CLUSTER: [u64; 3] = [0xe7, 0xa7, 0xab];
/// Silent tracks, encrypted block.
const IN_CLUSTER: [u64; 2] = [0x5854, 0xaf];

/// EBML number: `(value, bytes)`. The value is `None` for the reserved "unknown" size; zero bytes means no valid number; the
/// whole is `None` at the end of the file.
fn number(b: &mut Bytes<'_>, at: u64, keep_marker: bool) -> io::Result<Option<(Option<u64>, u64)>> {
    let Some([first]) = b.at::<1>(at)? else { return Ok(None) };
    let length = u64::from(first.leading_zeros()) + 1;
    if length > 8 {
        return Ok(Some((None, 0)));
    }
    let mut value = u64::from(if keep_marker { first } else { first & (0xff_u32 >> length) as u8 });
    for i in 1..length {
        let Some([next]) = b.at::<1>(at.saturating_add(i))? else { return Ok(None) };
        value = value << 8 | u64::from(next);
    }
    let unknown = !keep_marker && value == (1u64 << (7 * length)) - 1;
    Ok(Some(((!unknown).then_some(value), length)))
}

/// An unsigned integer of `length` bytes, at most 8.
fn integer(b: &mut Bytes<'_>, at: u64, length: u64) -> io::Result<Option<u64>> {
    let mut value = 0u64;
    for i in 0..length.min(8) {
        let Some([next]) = b.at::<1>(at.saturating_add(i))? else { return Ok(None) };
        value = value << 8 | u64::from(next);
    }
    Ok(Some(value))
}

/// Whether an element `id` of `length` bytes may stand in `parent`.
fn belongs(parent: Option<u64>, id: u64, length: u64) -> bool {
    ANYWHERE.contains(&id)
        || match parent {
            Some(SEGMENT) => matches!(id, TRACKS | CLUSTER) || IN_SEGMENT.contains(&id),
            Some(CLUSTER) => {
                matches!(id, BLOCK_GROUP | SIMPLE_BLOCK)
                    || IN_CLUSTER.contains(&id)
                    || (NUMBERS_IN_CLUSTER.contains(&id) && length <= 8)
            }
            _ => true,
        }
}

/// The segment must fit into the file, its elements must tile it, and blocks must belong to a track.
pub(super) fn check(b: &mut Bytes<'_>) -> io::Result<Ending> {
    let mut open: Vec<(u64, u64)> = Vec::new();
    let (mut at, mut in_segment) = (0u64, false);
    let mut tracks = BTreeSet::new();
    for _ in 0..MAX_STEPS {
        while open.last().is_some_and(|(_, end)| *end == at) {
            open.pop();
        }
        if in_segment && open.is_empty() {
            return Ok(Ending::Whole("the segment and its elements fit into the file"));
        }
        let Some((id, id_bytes)) = number(b, at, true)? else {
            return Ok(cut("an element", at, at.saturating_add(1), b.size));
        };
        let Some(id) = id.filter(|_| (1..=4).contains(&id_bytes)) else { return Ok(damaged("no element", at)) };
        let Some((length, length_bytes)) = number(b, at.saturating_add(id_bytes), false)? else {
            return Ok(cut("an element", at, at.saturating_add(id_bytes + 1), b.size));
        };
        if length_bytes == 0 {
            return Ok(damaged("an element without size", at));
        }
        let Some(length) = length else {
            return Ok(Ending::Unstated("written as a live stream: its elements have no sizes"));
        };
        let body = at.saturating_add(id_bytes + length_bytes);
        let end = body.saturating_add(length);
        if end > b.size {
            let what = if id == SEGMENT { "the segment" } else { "an element" };
            return Ok(cut(what, at, end, b.size));
        }
        let parent = open.last().copied();
        if parent.is_some_and(|(_, parent_end)| end > parent_end) {
            return Ok(damaged("an element leaves the one around it", at));
        }
        if !belongs(parent.map(|(id, _)| id), id, length) {
            return Ok(damaged("an element that does not belong there", at));
        }
        at = match id {
            SEGMENT | TRACKS | TRACK_ENTRY | CLUSTER | BLOCK_GROUP => {
                in_segment |= id == SEGMENT;
                open.push((id, end));
                body
            }
            TRACK_NUMBER if parent.is_some_and(|(id, _)| id == TRACK_ENTRY) => {
                tracks.extend(integer(b, body, length)?);
                end
            }
            SIMPLE_BLOCK | BLOCK => {
                let track = number(b, body, false)?.and_then(|(n, _)| n);
                if track.is_none_or(|t| !tracks.is_empty() && !tracks.contains(&t)) {
                    return Ok(damaged("a block that belongs to no track", at));
                }
                end
            }
            _ => end,
        };
    }
    Ok(Ending::Unstated("too many elements to check"))
}
