//! Messages between the two processes: a length, a kind, a body. Frames and slots are fixed bytes, the rest is JSON.
//!
//! Nothing that comes from the decoder process is believed: lengths are bounded before memory is taken for them, bodies must have exactly
//! the length of their kind, numbers are checked where they are used.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::core::{
    ChromaSiting, ColorRange, ColorSpec, FrameDesc, FrameInfo, Limits, PixelFormat, Rational, Size, YuvMatrix,
};
use crate::media::{MediaInfo, Verdict};

/// Longest message in bytes. What a container declares of 64 streams, and a verdict with its 1000 reasons, stay well below.
const LONGEST: usize = 4 << 20;
/// Bytes before the body: length of the body, kind.
const HEAD: usize = 5;

/// What the decoder process is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Job {
    /// For messages and descriptions only.
    pub(super) name: String,
    pub(super) track: usize,
    pub(super) threads: u32,
    /// In the order of [`Limits::NAMES`].
    pub(super) limits: [u64; 8],
    /// `off`, `auto`, or a name.
    pub(super) hardware: String,
    /// Frames to decode and drop first: a process before this one has delivered them.
    pub(super) skip: u64,
    pub(super) slots: u32,
    pub(super) memory_bytes: u64,
    pub(super) cpu_seconds: u64,
}

/// First answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Opened {
    pub(super) info: MediaInfo,
    pub(super) rotation: i32,
}

/// Last answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) verdict: Option<Verdict>,
    pub(super) fault: Option<Fault>,
    pub(super) bytes_read: u64,
}

/// A frame in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Filled {
    pub(super) slot: u32,
    pub(super) info: FrameInfo,
    pub(super) bytes_read: u64,
}

/// What the decoder process says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Opened(Box<Opened>),
    /// Frames have this shape from now on; slots for it are wanted.
    Shape(FrameDesc),
    /// More notes.
    Notes(Vec<String>),
    Frame(Filled),
    /// Something was read or decoded, though no frame came out.
    Progress,
    Ended(Box<Ended>),
}

/// What it is told.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Order {
    Job(Box<Job>),
    /// Slots of this size; their memory comes along.
    Slots {
        slots: u32,
        slot_bytes: u32,
    },
    /// A slot may be filled again.
    Free(u32),
}

const FORMATS: [PixelFormat; 10] = PixelFormat::ALL;
const MATRICES: [YuvMatrix; 3] = [YuvMatrix::Bt601, YuvMatrix::Bt709, YuvMatrix::Bt2020];
const RANGES: [ColorRange; 2] = [ColorRange::Limited, ColorRange::Full];
const SITINGS: [ChromaSiting; 3] = [ChromaSiting::Left, ChromaSiting::Center, ChromaSiting::TopLeft];

fn number<T: PartialEq>(all: &[T], one: &T) -> u8 {
    all.iter().position(|x| x == one).and_then(|i| u8::try_from(i).ok()).unwrap_or(u8::MAX)
}

/// Fixed bytes, read one after the other.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (first, rest) = self.0.split_first_chunk::<N>().ok_or("a message is too short")?;
        self.0 = rest;
        Ok(*first)
    }

    fn u8(&mut self) -> Result<u8, String> {
        self.take().map(u8::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, String> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, String> {
        self.take().map(u64::from_le_bytes)
    }

    fn i64(&mut self) -> Result<i64, String> {
        self.take().map(i64::from_le_bytes)
    }

    fn one_of<T: Copy>(&mut self, all: &[T], what: &str) -> Result<T, String> {
        let n = self.u8()?;
        all.get(usize::from(n)).copied().ok_or_else(|| format!("{what} number {n}"))
    }

    fn flag(&mut self) -> Result<bool, String> {
        self.one_of(&[false, true], "a flag")
    }

    fn end(&self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err("a message is too long".into()) }
    }
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|e| format!("a body that is not as agreed: {e}"))
}

fn message(kind: u8, body: &[u8]) -> Result<Vec<u8>, String> {
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= LONGEST);
    let length = length.ok_or_else(|| format!("a message of {} bytes", body.len()))?;
    let mut all = Vec::with_capacity(HEAD + body.len());
    all.extend(length.to_le_bytes());
    all.push(kind);
    all.extend(body);
    Ok(all)
}

fn json_message<T: Serialize>(kind: u8, value: &T) -> Result<Vec<u8>, String> {
    message(kind, &serde_json::to_vec(value).map_err(|e| e.to_string())?)
}

impl Answer {
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Opened(o) => json_message(1, o),
            Self::Shape(d) => {
                let mut body = vec![number(&FORMATS, &d.format)];
                body.extend(d.size.width.to_le_bytes());
                body.extend(d.size.height.to_le_bytes());
                body.push(number(&MATRICES, &d.color.matrix));
                body.push(number(&RANGES, &d.color.range));
                body.push(number(&SITINGS, &d.color.siting));
                message(2, &body)
            }
            Self::Notes(notes) => json_message(3, notes),
            Self::Frame(f) => {
                let i = &f.info;
                let mut body = Vec::with_capacity(56);
                body.extend(f.slot.to_le_bytes());
                body.extend(i.index.to_le_bytes());
                body.push(u8::from(i.pts.is_some()));
                body.extend(i.pts.unwrap_or(0).to_le_bytes());
                body.extend(i.time_base.num.to_le_bytes());
                body.extend(i.time_base.den.to_le_bytes());
                body.extend(i.duration.to_le_bytes());
                body.push(u8::from(i.key));
                body.push(u8::from(i.damaged));
                body.extend(f.bytes_read.to_le_bytes());
                message(4, &body)
            }
            Self::Progress => message(5, &[]),
            Self::Ended(e) => json_message(6, e),
        }
    }

    /// Reads a message; `stream` is the number that frames get.
    pub(super) fn decode(kind: u8, body: &[u8], stream: u32) -> Result<Self, String> {
        let mut f = Fields(body);
        match kind {
            1 => return json(body).map(|o| Self::Opened(Box::new(o))),
            3 => return json(body).map(Self::Notes),
            6 => return json(body).map(|e| Self::Ended(Box::new(e))),
            2 | 4 | 5 => {}
            other => return Err(format!("a message of kind {other}")),
        }
        let answer = match kind {
            2 => {
                let format = f.one_of(&FORMATS, "a pixel format")?;
                let size = Size::new(f.u32()?, f.u32()?);
                let matrix = f.one_of(&MATRICES, "a matrix")?;
                let range = f.one_of(&RANGES, "a range")?;
                let siting = f.one_of(&SITINGS, "a siting")?;
                Self::Shape(FrameDesc { format, size, color: ColorSpec { matrix, range, siting } })
            }
            4 => {
                let (slot, index) = (f.u32()?, f.u64()?);
                let (stamped, pts) = (f.flag()?, f.i64()?);
                let (num, den) = (f.take().map(i32::from_le_bytes)?, f.take().map(i32::from_le_bytes)?);
                let time_base = Rational::new(num, den).ok_or_else(|| format!("a time base of {num}/{den}"))?;
                let (duration, key, damaged) = (f.i64()?, f.flag()?, f.flag()?);
                let info = FrameInfo { stream, index, pts: stamped.then_some(pts), time_base, duration, key, damaged };
                Self::Frame(Filled { slot, info, bytes_read: f.u64()? })
            }
            _ => Self::Progress,
        };
        f.end()?;
        Ok(answer)
    }
}

impl Order {
    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        match self {
            Self::Job(job) => json_message(1, job),
            Self::Slots { slots, slot_bytes } => message(2, &[slots.to_le_bytes(), slot_bytes.to_le_bytes()].concat()),
            Self::Free(slot) => message(3, &slot.to_le_bytes()),
        }
    }

    pub(super) fn decode(kind: u8, body: &[u8]) -> Result<Self, String> {
        let mut f = Fields(body);
        let order = match kind {
            1 => return json(body).map(|j| Self::Job(Box::new(j))),
            2 => Self::Slots { slots: f.u32()?, slot_bytes: f.u32()? },
            3 => Self::Free(f.u32()?),
            other => return Err(format!("an order of kind {other}")),
        };
        f.end()?;
        Ok(order)
    }
}

/// Values of all limits, in the order of [`Limits::NAMES`].
pub(super) fn limit_values(l: &Limits) -> [u64; 8] {
    [l.side, l.pixels, l.frame_bytes, l.packet_bytes, l.streams, l.frames, l.duration_seconds, l.stall_seconds]
}

/// Bytes as they arrive, and the messages in them.
#[derive(Debug, Default)]
pub(super) struct Inbox(Vec<u8>);

impl Inbox {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message: kind and body.
    pub(super) fn next(&mut self) -> Result<Option<(u8, Vec<u8>)>, String> {
        let Some((head, rest)) = self.0.split_first_chunk::<HEAD>() else { return Ok(None) };
        let [a, b, c, d, kind] = *head;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > LONGEST {
            return Err(format!("a message of {length} bytes"));
        }
        let Some(body) = rest.get(..length) else { return Ok(None) };
        let body = body.to_vec();
        self.0.drain(..HEAD + length);
        Ok(Some((kind, body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Filled {
        let time_base = Rational { num: 1, den: 12800 };
        let info =
            FrameInfo { stream: 7, index: 41, pts: Some(-5), time_base, duration: 512, key: true, damaged: false };
        Filled { slot: 2, info, bytes_read: 1 << 40 }
    }

    fn shape() -> FrameDesc {
        let color = ColorSpec { matrix: YuvMatrix::Bt2020, range: ColorRange::Full, siting: ChromaSiting::TopLeft };
        FrameDesc { format: PixelFormat::P010, size: Size::new(1921, 1081), color }
    }

    fn ended() -> Ended {
        Ended { verdict: None, fault: Some(Fault::Cancelled), bytes_read: 3 }
    }

    #[test]
    fn messages_come_back_whole_whatever_the_pieces_they_arrive_in() {
        let answers = [
            Answer::Shape(shape()),
            Answer::Notes(vec!["a \u{1b} note".into()]),
            Answer::Frame(frame()),
            Answer::Progress,
            Answer::Ended(Box::new(ended())),
        ];
        let bytes: Vec<u8> = answers.iter().flat_map(|a| a.encode().unwrap()).collect();
        for piece in [1, 2, 7, 1000] {
            let (mut inbox, mut got) = (Inbox::default(), Vec::new());
            for part in bytes.chunks(piece) {
                inbox.push(part);
                while let Some((kind, body)) = inbox.next().unwrap() {
                    got.push(Answer::decode(kind, &body, 7).unwrap());
                }
            }
            assert_eq!(got, answers);
        }
        for order in [Order::Slots { slots: 3, slot_bytes: 4096 }, Order::Free(2)] {
            let mut inbox = Inbox::default();
            inbox.push(&order.encode().unwrap());
            let (kind, body) = inbox.next().unwrap().unwrap();
            assert_eq!(Order::decode(kind, &body).unwrap(), order);
        }
    }

    #[test]
    fn every_changed_length_and_every_impossible_number_is_refused() {
        let mut inbox = Inbox::default();
        inbox.push(&u32::MAX.to_le_bytes());
        inbox.push(&[4]);
        assert!(inbox.next().is_err());
        for (kind, whole) in [(2, Answer::Shape(shape())), (4, Answer::Frame(frame()))] {
            let body = whole.encode().unwrap().split_off(HEAD);
            for n in 0..body.len() {
                assert!(Answer::decode(kind, &body[..n], 0).is_err(), "{kind} {n}");
            }
            assert!(Answer::decode(kind, &[&body[..], &[0]].concat(), 0).is_err());
        }
        let mut body = Answer::Shape(shape()).encode().unwrap().split_off(HEAD);
        body[0] = 200;
        assert!(Answer::decode(2, &body, 0).is_err());
        let mut body = Answer::Frame(frame()).encode().unwrap().split_off(HEAD);
        body[25..29].fill(0); // the denominator of the time base
        assert!(Answer::decode(4, &body, 0).is_err());
        assert!(Answer::decode(0, &[], 0).is_err() && Answer::decode(99, &[], 0).is_err());
        assert!(Answer::decode(6, b"{\"verdict\":", 0).is_err() && Answer::decode(3, &[b'['; 100_000], 0).is_err());
    }

    proptest::proptest! {
        #[test]
        fn bytes_at_random_never_panic(kind: u8, body: Vec<u8>) {
            let _ = Answer::decode(kind, &body, 0);
            let mut inbox = Inbox::default();
            inbox.push(&body);
            while let Ok(Some(_)) = inbox.next() {}
        }
    }
}
