//! Containers made of packets one after another, with an end mark at best: MPEG program, transport and elementary streams,
//! GIF, Ogg, FLV. Sources: ISO/IEC 13818-1 sections 2.4 and 2.5; ISO/IEC 11172-1; GIF89a; RFC 3533; Adobe FLV 10.1.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use super::{Bytes, Ending, MAX_STEPS, cut, damaged};

/// Packs and packets must follow each other; the program end code, where present, is the end.
pub(super) fn program_stream(b: &mut Bytes<'_>) -> io::Result<Ending> {
    let mut at = 0u64;
    if b.at::<4>(0)? != Some([0, 0, 1, 0xba]) {
        return Ok(Ending::Unstated("the stream does not begin with a pack"));
    }
    for _ in 0..MAX_STEPS {
        if at == b.size {
            return Ok(Ending::Unstated("an MPEG program stream without an end code states neither length nor end"));
        }
        let Some([z0, z1, one, code]) = b.at::<4>(at)? else {
            return Ok(cut("a start code", at, at.saturating_add(4), b.size));
        };
        if [z0, z1, one] != [0, 0, 1] || code < 0xb9 {
            return Ok(damaged("no start code where a packet should begin", at));
        }
        let length = match code {
            0xb9 => return Ok(Ending::Whole("the program end code is there")),
            0xba => match b.at::<14>(at)? {
                Some([_, _, _, _, first, .., stuffing]) if first >> 6 == 1 => 14 + u64::from(stuffing & 7),
                Some(_) => 12,
                None => return Ok(cut("a pack header", at, at.saturating_add(14), b.size)),
            },
            _ => match b.at::<6>(at)? {
                Some([.., 0, 0]) => return Ok(Ending::Unstated("packets without a length cannot be checked")),
                Some([.., high, low]) => 6 + u64::from(u16::from_be_bytes([high, low])),
                None => return Ok(cut("a packet header", at, at.saturating_add(6), b.size)),
            },
        };
        let end = at.saturating_add(length);
        if end > b.size {
            return Ok(cut("a packet", at, end, b.size));
        }
        at = end;
    }
    Ok(Ending::Unstated("too many packets to check"))
}

/// Whole packets only: a transport stream has no end, but a cut one often ends inside a packet.
pub(super) fn transport_stream(b: &mut Bytes<'_>) -> io::Result<Ending> {
    for (packet, sync) in [(188u64, 0u64), (192, 4), (204, 0)] {
        let mut fits = true;
        for i in 0..4 {
            let at = sync + i * packet;
            fits &= at >= b.size || b.at::<1>(at)? == Some([0x47]);
        }
        if fits {
            let rest = b.size % packet;
            return Ok(if rest == 0 {
                Ending::Unstated("an MPEG transport stream states neither length nor end")
            } else {
                cut("a transport packet", b.size - rest, b.size - rest + packet, b.size)
            });
        }
    }
    Ok(Ending::Unstated("no regular packets at the beginning of the transport stream"))
}

/// A sequence end code closes an MPEG-1/2 video stream.
pub(super) fn elementary_stream(b: &mut Bytes<'_>) -> io::Result<Ending> {
    for back in 4..=16.min(b.size) {
        if b.at::<4>(b.size - back)? == Some([0, 0, 1, 0xb7]) {
            return Ok(Ending::Whole("the sequence end code is there"));
        }
    }
    Ok(Ending::Unstated("an MPEG video stream without an end code states neither length nor end"))
}

/// Blocks up to the trailer.
pub(super) fn gif(b: &mut Bytes<'_>) -> io::Result<Ending> {
    let Some([_, _, _, _, _, _, _, _, _, _, flags, _, _]) = b.at::<13>(0)? else {
        return Ok(cut("the header", 0, 13, b.size));
    };
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3u64 << ((flags & 7) + 1) };
    let mut at = 13 + table(flags);
    for _ in 0..MAX_STEPS {
        at = match b.at::<1>(at)? {
            Some([0x3b]) => return Ok(Ending::Whole("the trailer is there")),
            Some([0x21]) => at + 2,
            Some([0x2c]) => match b.at::<10>(at)? {
                Some([.., flags]) => at + 10 + table(flags) + 1,
                None => return Ok(cut("a picture", at, at.saturating_add(10), b.size)),
            },
            Some(_) => return Ok(damaged("no GIF block", at)),
            None => return Ok(Ending::Broken(format!("the trailer is missing: the file ends at byte {}", b.size))),
        };
        loop {
            match b.at::<1>(at)? {
                Some([0]) => break,
                Some([n]) => at += 1 + u64::from(n),
                None => return Ok(cut("a data block", at, at.saturating_add(1), b.size)),
            }
        }
        at += 1;
    }
    Ok(Ending::Unstated("too many blocks to check"))
}

/// Pages must follow each other, numbered without holes in each logical stream, and the last one of each is marked.
pub(super) fn ogg(b: &mut Bytes<'_>, streams: usize) -> io::Result<Ending> {
    let mut at = 0u64;
    let mut numbers: BTreeMap<[u8; 4], u32> = BTreeMap::new();
    let mut ended = BTreeSet::new();
    for _ in 0..MAX_STEPS {
        if at == b.size {
            return Ok(if ended.len() >= streams {
                Ending::Whole("all pages of all logical streams are there")
            } else {
                Ending::Broken(format!("{} of {streams} logical streams have no last page", streams - ended.len()))
            });
        }
        let Some(head) = b.at::<27>(at)? else { return Ok(cut("a page header", at, at.saturating_add(27), b.size)) };
        let [b'O', b'g', b'g', b'S', 0, flags, _, _, _, _, _, _, _, _, s0, s1, s2, s3, n0, n1, n2, n3, .., segments] =
            head
        else {
            return Ok(damaged("no page where one should begin", at));
        };
        let (serial, number) = ([s0, s1, s2, s3], u32::from_le_bytes([n0, n1, n2, n3]));
        if numbers.insert(serial, number).is_some_and(|last| number != last.wrapping_add(1)) {
            return Ok(damaged("pages are missing before it", at));
        }
        if flags & 4 != 0 {
            ended.insert(serial);
        }
        let mut body = 0u64;
        for i in 0..u64::from(segments) {
            let [lacing] = b.at::<1>(at + 27 + i)?.unwrap_or_default();
            body += u64::from(lacing);
        }
        let end = at + 27 + u64::from(segments) + body;
        if end > b.size {
            return Ok(cut("a page", at, end, b.size));
        }
        at = end;
    }
    Ok(Ending::Unstated("too many pages to check"))
}

/// Every tag is followed by its size.
pub(super) fn flv(b: &mut Bytes<'_>) -> io::Result<Ending> {
    let Some([b'F', b'L', b'V', _, _, header @ ..]) = b.at::<9>(0)? else {
        return Ok(damaged("no FLV header", 0));
    };
    // The header is followed by the size of a tag before the first: zero.
    let mut at = u64::from(u32::from_be_bytes(header)) + 4;
    for _ in 0..MAX_STEPS {
        if at == b.size {
            return Ok(Ending::Unstated("the file ends with a whole tag, but FLV has no end mark"));
        }
        let Some([kind, n0, n1, n2, ..]) = b.at::<11>(at)? else {
            return Ok(cut("a tag", at, at.saturating_add(11), b.size));
        };
        if !matches!(kind & 0x1f, 8 | 9 | 18) {
            return Ok(damaged("no tag where one should begin", at));
        }
        let whole = 11 + u64::from(u32::from_be_bytes([0, n0, n1, n2]));
        let end = at + whole + 4;
        let Some(back) = b.at::<4>(at + whole)? else { return Ok(cut("a tag", at, end, b.size)) };
        // Some writers count without the header, some leave the field empty.
        let stated = u64::from(u32::from_be_bytes(back));
        if ![whole, whole - 11, 0].contains(&stated) {
            return Ok(damaged("a tag is followed by another size than its own", at));
        }
        at = end;
    }
    Ok(Ending::Unstated("too many tags to check"))
}
