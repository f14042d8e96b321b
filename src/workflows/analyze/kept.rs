//! What an interrupted input leaves for the next run: the figures of its frames, the pictures that may be shown, its heat.
//!
//! Figures are appended, the rest is small and replaced: a file of its own, written whole or not at all. What counts is how many frames that file
//! speaks of; figures behind those were written just before a kill and are cut off.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::metrics::FrameMetrics;
use super::picks::{Held, Picks, Thumbnail};
use super::work::HeatMap;
use crate::core::{CancelToken, DifferenceSums, FrameInfo, LumaStats, Rational, Size};
use crate::error::{Error, Result, StateError};
use crate::pipeline::{FrameSource, SourceFrame};
use crate::store::{Journal, Record, RunKey, StateDir, StoreIo, forget};

/// The journals in the state folder.
const MEASURED: &str = "measured";
const REACHED: &str = "reached";
/// Kinds of records.
const FIGURES: u32 = 1;
const HEAD: u32 = 2;
const COUNTS: u32 = 3;
const PICTURES: u32 = 4;
/// Bytes of a record, at most; a journal takes a mebibyte.
const RECORD: usize = 700 << 10;
/// Numbers that a frame's figures take.
const WORDS: usize = 17;

/// Where an earlier run of an input was.
#[derive(Debug)]
pub(super) struct Reached {
    /// Figures of its frames, in their order.
    pub(super) frames: Vec<FrameMetrics>,
    /// Heat of these frames, by picture size; the last one goes on.
    pub(super) heat: Vec<HeatMap>,
    pub(super) picks: Picks,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    frames: u64,
    /// Size and number of compared pairs.
    maps: Vec<([u32; 2], u32)>,
    picks: Vec<HeldHead>,
}

#[derive(Debug, Serialize, Deserialize)]
struct HeldHead {
    board: Option<usize>,
    second: i64,
    score: f64,
    size: [u32; 2],
}

/// Saves where an input is.
#[derive(Debug)]
pub(super) struct Keeper {
    measured: Journal,
    /// `None` after a rewrite that failed.
    reached: Option<Journal>,
    key: RunKey,
    /// Figures that are not saved yet.
    fresh: Vec<u8>,
    /// Frames that are saved.
    pub(super) saved: u64,
}

impl Keeper {
    /// Opens the journals of the run with `key`, with what they hold.
    ///
    /// # Errors
    /// As [`Journal::open`]; [`StateError::Corrupt`] for journals that cannot be understood.
    pub(super) fn open(
        io: &dyn StoreIo,
        state: &StateDir,
        key: &RunKey,
        thumbnails: u32,
    ) -> Result<(Self, Option<Reached>)> {
        let (mut measured, figures) = Journal::open(io, state.join(MEASURED), key)?;
        let (reached, head) = Journal::open(io, state.join(REACHED), key)?;
        let mut found = None;
        if !head.records.is_empty() {
            let reason = || "where the input was cannot be understood; --restart begins anew".to_owned();
            let corrupt = || StateError::Corrupt { path: state.join(REACHED), reason: reason() };
            found = Some(read(&figures.records, &head.records, thumbnails).ok_or_else(corrupt)?);
        }
        let frames = found.as_ref().map_or(&[][..], |f: &Reached| &f.frames);
        let kept = usize::try_from(figures.records.iter().map(|r| r.payload.len() as u64).sum::<u64>()).unwrap_or(0);
        if kept != frames.len() * WORDS * 8 {
            measured = measured.rewrite(io, key, &figures_of(frames))?;
        }
        let saved = frames.len() as u64;
        Ok((Self { measured, reached: Some(reached), key: key.clone(), fresh: Vec::new(), saved }, found))
    }

    /// Takes the figures of the next frame.
    pub(super) fn push(&mut self, metrics: &FrameMetrics) {
        self.fresh.extend(words(metrics).iter().flat_map(|w| w.to_le_bytes()));
    }

    /// Saves all frames that were pushed, with the heat and the pictures of all of them.
    pub(super) fn save(&mut self, io: &dyn StoreIo, heat: &[HeatMap], picks: &Picks) -> Result<()> {
        let frames = self.saved + (self.fresh.len() / (WORDS * 8)) as u64;
        self.measured.append_all(&pieces(FIGURES, &self.fresh))?;
        let lost = || Error::Bug("the journal of what was reached is gone".into());
        let records = records(frames, heat, picks)?;
        self.reached = Some(self.reached.take().ok_or_else(lost)?.rewrite(io, &self.key, &records)?);
        self.fresh.clear();
        self.saved = frames;
        Ok(())
    }
}

/// Removes the journals: the outputs are there.
pub(super) fn remove(state: &StateDir) -> Result<()> {
    [MEASURED, REACHED].into_iter().try_for_each(|name| forget(state.join(name)))
}

/// Says when it is time to save.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    every: Duration,
    last: Instant,
}

impl Clock {
    pub(super) fn new(every: Duration) -> Self {
        Self { every, last: Instant::now() }
    }

    /// Whether it is time; if so, it begins anew.
    pub(super) fn strikes(&mut self) -> bool {
        let due = self.last.elapsed() >= self.every;
        if due {
            self.last = Instant::now();
        }
        due
    }
}

/// A source without its first frames: they are decoded and passed over.
pub(super) struct Behind {
    pub(super) inner: Box<dyn FrameSource>,
    /// Frames to pass over.
    pub(super) left: u64,
    pub(super) cancel: CancelToken,
}

impl FrameSource for Behind {
    fn next(&mut self, deliver: &mut dyn FnMut(&dyn SourceFrame) -> Result<()>) -> Result<bool> {
        while self.left > 0 {
            self.cancel.check()?;
            if !self.inner.next(&mut |_| Ok(()))? {
                return Ok(false);
            }
            self.left -= 1;
        }
        self.inner.next(deliver)
    }
}

fn pieces(kind: u32, bytes: &[u8]) -> Vec<Record> {
    // Whole frames, so that a cut journal still ends behind one.
    let most = RECORD / (WORDS * 8) * (WORDS * 8);
    bytes.chunks(most).map(|part| Record { kind, payload: part.to_vec() }).collect()
}

fn figures_of(frames: &[FrameMetrics]) -> Vec<Record> {
    let bytes: Vec<u8> = frames.iter().flat_map(words).flat_map(u64::to_le_bytes).collect();
    pieces(FIGURES, &bytes)
}

fn records(frames: u64, heat: &[HeatMap], picks: &Picks) -> Result<Vec<Record>> {
    let (mut heads, mut figures, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
    for Held { board, second, score, metrics, thumbnail } in picks.held() {
        let size = [thumbnail.size.width, thumbnail.size.height];
        heads.push(HeldHead { board, second, score, size });
        figures.extend(words(metrics).iter().flat_map(|w| w.to_le_bytes()));
        pictures.extend_from_slice(&thumbnail.rgba);
    }
    let maps = heat.iter().map(|m| ([m.size.width, m.size.height], m.differences)).collect();
    let mut all = vec![Record::json(HEAD, &Head { frames, maps, picks: heads })?];
    all.extend(pieces(FIGURES, &figures));
    let counts: Vec<u8> = heat.iter().flat_map(|m| &m.counts).flat_map(|c| c.to_le_bytes()).collect();
    all.extend(pieces(COUNTS, &counts));
    all.extend(pieces(PICTURES, &pictures));
    Ok(all)
}

/// `None` for records that do not fit together.
fn read(figures: &[Record], reached: &[Record], thumbnails: u32) -> Option<Reached> {
    let bytes = |records: &[Record], kind| -> Vec<u8> {
        records.iter().filter(|r| r.kind == kind).flat_map(|r| r.payload.iter().copied()).collect()
    };
    let head: Head = reached.iter().find(|r| r.kind == HEAD)?.parse()?;
    let mut frames = metrics_of(&bytes(figures, FIGURES))?;
    let wanted = usize::try_from(head.frames).ok()?;
    if frames.len() < wanted || wanted == 0 {
        return None;
    }
    frames.truncate(wanted);
    let counts = bytes(reached, COUNTS);
    let mut counts = counts.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b));
    let mut heat = Vec::new();
    for ([width, height], differences) in head.maps {
        let size = Size::new(width, height);
        let map: Vec<u32> = counts.by_ref().take(usize::try_from(size.area()).ok()?).collect();
        if map.len() as u64 != size.area() {
            return None;
        }
        heat.push(HeatMap { size, differences, counts: map });
    }
    let (shown, pictures) = (metrics_of(&bytes(reached, FIGURES))?, bytes(reached, PICTURES));
    let (mut picks, mut rest) = (Picks::new(thumbnails), &pictures[..]);
    if shown.len() != head.picks.len() {
        return None;
    }
    for (held, metrics) in head.picks.iter().zip(&shown) {
        let [width, height] = held.size;
        let size = Size::new(width, height);
        let (rgba, more) = rest.split_at_checked(usize::try_from(size.area()).ok()?.checked_mul(4)?)?;
        rest = more;
        let thumbnail = &Thumbnail { size, rgba: rgba.to_vec() };
        picks.hold(&Held { board: held.board, second: held.second, score: held.score, metrics, thumbnail })?;
    }
    Some(Reached { frames, heat, picks })
}

/// The figures of a frame as numbers; those of floating point as their bits.
fn words(m: &FrameMetrics) -> [u64; WORDS] {
    let FrameInfo { stream, index, pts, time_base, duration, key, damaged } = m.info;
    let (pair, bits) = (|a: u32, b: u32| u64::from(a) << 32 | u64::from(b), f64::to_bits);
    let [p05, p50, p95] = m.percentiles;
    let flags =
        u32::from(key) | u32::from(damaged) << 1 | u32::from(pts.is_some()) << 2 | u32::from(m.motion.is_some()) << 3;
    let moved = m.motion.unwrap_or_default();
    [
        index,
        pts.unwrap_or(0) as u64,
        pair(time_base.num as u32, time_base.den as u32),
        duration as u64,
        pair(stream, flags),
        u64::from(u32::from_le_bytes([p05, p50, p95, 0])),
        bits(m.luma.mean),
        bits(m.luma.variance),
        bits(m.luma.laplacian_variance),
        bits(m.luma.tenengrad),
        bits(m.luma.noise_sigma),
        bits(m.luma.dark_share),
        bits(m.luma.bright_share),
        moved.sum_abs,
        moved.over,
        moved.n,
        moved.sum_both,
    ]
}

fn metrics_of(bytes: &[u8]) -> Option<Vec<FrameMetrics>> {
    let (words, rest) = bytes.as_chunks::<8>();
    let words: Vec<u64> = words.iter().map(|b| u64::from_le_bytes(*b)).collect();
    let (frames, more) = words.as_chunks::<WORDS>();
    (rest.is_empty() && more.is_empty()).then(|| frames.iter().map(metrics).collect())
}

fn metrics(w: &[u64; WORDS]) -> FrameMetrics {
    let [index, pts, base, duration, stream, shares, ..] = *w;
    let [.., mean, variance, laplacian, tenengrad, noise, dark, bright, sum_abs, over, n, sum_both] = *w;
    let (high, low, float) = (|v: u64| (v >> 32) as u32, |v: u64| v as u32, f64::from_bits);
    let flag = |bit: u32| low(stream) >> bit & 1 == 1;
    let [p05, p50, p95, _] = low(shares).to_le_bytes();
    FrameMetrics {
        info: FrameInfo {
            stream: high(stream),
            index,
            pts: flag(2).then_some(pts as i64),
            time_base: Rational { num: high(base) as i32, den: low(base) as i32 },
            duration: duration as i64,
            key: flag(0),
            damaged: flag(1),
        },
        luma: LumaStats {
            mean: float(mean),
            variance: float(variance),
            laplacian_variance: float(laplacian),
            tenengrad: float(tenengrad),
            noise_sigma: float(noise),
            dark_share: float(dark),
            bright_share: float(bright),
        },
        percentiles: [p05, p50, p95],
        motion: flag(3).then_some(DifferenceSums { sum_abs, over, n, sum_both }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::OsIo;

    fn frame(index: u64) -> FrameMetrics {
        let info = FrameInfo {
            stream: 3,
            index,
            pts: (index != 1).then_some(-7 - index as i64),
            time_base: Rational { num: 1, den: 90_000 },
            duration: -1,
            key: index == 0,
            damaged: index == 2,
        };
        let f = |k: u32| f64::from(k) / 3.0 + index as f64 / 7.0;
        let luma = LumaStats {
            mean: f(1),
            variance: f(2),
            laplacian_variance: f(3),
            tenengrad: f(4),
            noise_sigma: f(5),
            dark_share: f(6),
            bright_share: -0.0,
        };
        let motion = (index > 0).then_some(DifferenceSums { sum_abs: 9 * index, over: 2, n: 12, sum_both: u64::MAX });
        FrameMetrics { info, luma, percentiles: [1, 128, 255], motion }
    }

    /// Sizes may change on the way.
    fn thumbnail(index: u64) -> Thumbnail {
        let size = Size::new(1 + index as u32, 2);
        Thumbnail { size, rgba: vec![index as u8; size.area() as usize * 4] }
    }

    fn key(seed: &str) -> RunKey {
        RunKey::builder().field("input", seed).finish().unwrap()
    }

    #[test]
    fn what_was_saved_comes_back_and_what_was_not_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::acquire_for(&OsIo, dir.path().join(".state"), "analyze").unwrap();
        let open = || Keeper::open(&OsIo, &state, &key("a"), 2).unwrap();
        let heat = |counts: Vec<u32>| HeatMap { size: Size::new(counts.len() as u32, 1), differences: 4, counts };
        let (mut keeper, none) = open();
        assert!(none.is_none() && keeper.saved == 0);
        let mut picks = Picks::new(2);
        for index in 0..5 {
            keeper.push(&frame(index));
            picks.offer(frame(index), thumbnail(index));
            if index == 1 || index == 3 {
                keeper.save(&OsIo, &[heat(vec![1, 2]), heat(vec![u32::MAX, index as u32, 0])], &picks).unwrap();
            }
        }
        // The last frame was measured, its figures may be there, but it was not reached.
        keeper.measured.append_all(&pieces(FIGURES, &keeper.fresh)).unwrap();
        drop(keeper);
        for _ in 0..2 {
            let (keeper, found) = open();
            let found = found.unwrap();
            assert_eq!((keeper.saved, found.frames.len()), (4, 4));
            for (index, m) in (0..).zip(&found.frames) {
                assert_eq!(words(m), words(&frame(index)), "{index}");
            }
            let maps: Vec<_> = found.heat.iter().map(|m| (m.size.width, m.differences, m.counts.clone())).collect();
            assert_eq!(maps, [(2, 4, vec![1, 2]), (3, 4, vec![u32::MAX, 3, 0])]);
            let shown = |picks: Picks| {
                let all = picks.finish();
                let one =
                    |p: &super::super::picks::Pick| (p.metrics.info.index, p.score.to_bits(), p.thumbnail.clone());
                all.iter().map(|(kind, picks)| (*kind, picks.iter().map(one).collect::<Vec<_>>())).collect::<Vec<_>>()
            };
            let mut direct = Picks::new(2);
            (0..4).for_each(|index| direct.offer(frame(index), thumbnail(index)));
            assert_eq!(shown(found.picks), shown(direct));
        }
        assert!(matches!(Keeper::open(&OsIo, &state, &key("b"), 2), Err(Error::State(StateError::KeyMismatch { .. }))));
        // A picture of a kind that there is not, and figures that are missing.
        assert!(read(&[], &records(4, &[], &Picks::new(1)).unwrap(), 1).is_none());
        let few = figures_of(&[frame(0)]);
        assert!(read(&few, &records(1, &[], &Picks::new(1)).unwrap(), 1).is_some());
        assert!(read(&few, &records(2, &[], &Picks::new(1)).unwrap(), 1).is_none());
        remove(&state).unwrap();
        assert!(open().1.is_none());
    }
}
