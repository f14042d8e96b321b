//! Where to cut: every so many seconds with an overlap, or in the middle of silences. Pure functions.

use serde::Serialize;

use crate::error::{Error, Result};

/// Seconds below which a last piece is not worth its own file.
const MIN_TAIL: f64 = 5.0;
/// Most pieces of a plan.
const MAX_PIECES: f64 = 100_000.0;

/// A stretch of a video, half open, in seconds from its first frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Piece {
    /// Number for the file name; with [`Tails::Drop`] numbers of dropped pieces are missing.
    pub index: usize,
    /// Start.
    pub start: f64,
    /// End.
    pub end: f64,
}

/// What happens to pieces that are too short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tails {
    /// They join a neighbour: nothing is lost.
    #[default]
    Keep,
    /// They are dropped, as the scripts around SyncNet do.
    Drop,
}

fn wrong(message: String, hint: &str) -> Error {
    Error::Usage { message, hint: Some(hint.into()) }
}

fn check_total(total: f64) -> Result<()> {
    if total.is_finite() && total > 0.0 {
        return Ok(());
    }
    Err(wrong(
        format!("the duration of the video must be above 0 seconds, got {total}"),
        "check the file with `frameloom probe`",
    ))
}

/// Pieces of `duration` seconds that begin every `duration - overlap` seconds, the last one ending at `total`.
///
/// A last piece under 5 seconds (or under `duration` where that is less) makes the one before it longer, and a piece that lies wholly in the
/// one before is left out. With [`Tails::Drop`] the plan stops at the first piece under 5 seconds.
///
/// # Errors
/// [`Error::Usage`] for an overlap that is not below the duration (the plan would never end), times out of range and more than 100,000 pieces.
pub fn by_time(total: f64, duration: f64, overlap: f64, tails: Tails) -> Result<Vec<Piece>> {
    check_total(total)?;
    if !(duration.is_finite() && duration > 0.0) {
        return Err(wrong(format!("the duration of a piece must be above 0 seconds, got {duration}"), "30 is usual"));
    }
    if !(overlap >= 0.0 && overlap < duration) {
        let message =
            format!("the overlap must be at least 0 and less than the duration of {duration} s, got {overlap}");
        return Err(wrong(message, "5 is usual for pieces of 30 seconds"));
    }
    let step = duration - overlap;
    if total / step > MAX_PIECES {
        let message = format!("a piece every {step} s of {total:.0} s is more than {MAX_PIECES} pieces");
        return Err(wrong(message, "use longer pieces or less overlap"));
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for index in 0.. {
        let start = index as f64 * step;
        if start >= total {
            break;
        }
        let end = (start + duration).min(total);
        match (tails, pieces.last_mut()) {
            (Tails::Drop, _) if end - start < MIN_TAIL => break,
            (Tails::Keep, Some(last)) if last.end >= total => break,
            (Tails::Keep, Some(last)) if end - start < MIN_TAIL.min(duration) => {
                last.end = total;
                break;
            }
            _ => pieces.push(Piece { index, start, end }),
        }
    }
    Ok(pieces)
}

/// Pieces between the middles of `silences`, which are `(start, end)` in seconds from the first frame, in order.
///
/// A segment under `min_chunk` seconds joins the one after it, the last one the one before. With [`Tails::Drop`] it is dropped, and its number
/// with it.
///
/// # Errors
/// [`Error::Usage`] for times out of range.
pub fn by_silence(total: f64, silences: &[(f64, f64)], min_chunk: f64, tails: Tails) -> Result<Vec<Piece>> {
    check_total(total)?;
    if !(min_chunk.is_finite() && min_chunk >= 0.0) {
        return Err(wrong(
            format!("the least length of a piece must be at least 0 seconds, got {min_chunk}"),
            "5 is usual",
        ));
    }
    let middles = silences.iter().map(|(a, b)| (a + b) / 2.0).filter(|m| *m > 0.0 && *m < total);
    let ends: Vec<f64> = middles.chain([total]).collect();
    let (mut pieces, mut start): (Vec<Piece>, f64) = (Vec::new(), 0.0);
    for (index, end) in ends.into_iter().enumerate() {
        let long = end - start >= min_chunk;
        match tails {
            Tails::Drop if long => pieces.push(Piece { index, start, end }),
            Tails::Keep if long => pieces.push(Piece { index: pieces.len(), start, end }),
            Tails::Keep if end >= total => match pieces.last_mut() {
                Some(last) => last.end = total,
                None => pieces.push(Piece { index: 0, start, end }),
            },
            // The next segment begins where this one does.
            Tails::Keep => continue,
            Tails::Drop => {}
        }
        start = end;
    }
    Ok(pieces)
}

/// `chunk_000.mp4` of a piece of [`by_time`].
pub fn chunk_name(piece: &Piece) -> String {
    format!("chunk_{:03}.mp4", piece.index)
}

/// `chunk_000.wav` beside it.
pub fn wav_name(piece: &Piece) -> String {
    format!("chunk_{:03}.wav", piece.index)
}

/// `silence_chunk_000_0000.0s.mp4` of a piece of [`by_silence`]: its number and its start.
pub fn silence_chunk_name(piece: &Piece) -> String {
    format!("silence_chunk_{:03}_{:06.1}s.mp4", piece.index, piece.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(pieces: &[Piece]) -> Vec<(f64, f64)> {
        pieces.iter().map(|p| (p.start, p.end)).collect()
    }

    fn time(total: f64, duration: f64, overlap: f64, tails: Tails) -> Vec<(f64, f64)> {
        times(&by_time(total, duration, overlap, tails).unwrap())
    }

    #[test]
    fn the_plans_of_the_seed() {
        let drop = Tails::Drop;
        assert_eq!(time(60.0, 30.0, 5.0, drop), [(0.0, 30.0), (25.0, 55.0), (50.0, 60.0)]);
        assert_eq!(time(53.0, 30.0, 5.0, drop), [(0.0, 30.0), (25.0, 53.0)]);
        assert_eq!(time(40.0, 12.0, 3.0, drop), [(0.0, 12.0), (9.0, 21.0), (18.0, 30.0), (27.0, 39.0)]);
        assert_eq!(time(340.61, 30.0, 5.0, drop).len(), 14);
        assert_eq!(time(3.0, 30.0, 5.0, drop), []);
    }

    #[test]
    fn by_default_nothing_is_lost_and_nothing_is_there_twice_for_nothing() {
        let keep = Tails::Keep;
        assert_eq!(time(40.0, 12.0, 3.0, keep), [(0.0, 12.0), (9.0, 21.0), (18.0, 30.0), (27.0, 40.0)]);
        assert_eq!(time(55.0, 30.0, 5.0, keep), [(0.0, 30.0), (25.0, 55.0)], "[50, 55] lies in the piece before");
        assert_eq!(time(3.0, 30.0, 5.0, keep), [(0.0, 3.0)]);
        assert_eq!(time(5.0, 2.0, 0.0, keep), [(0.0, 2.0), (2.0, 5.0)]);
        for total in [5.0, 17.3, 59.99, 60.0, 61.0, 64.9, 65.0, 340.61] {
            for (duration, overlap) in [(30.0, 5.0), (30.0, 0.0), (12.0, 3.0), (2.0, 0.5), (7.0, 6.0)] {
                let pieces = time(total, duration, overlap, keep);
                assert_eq!((pieces[0].0, pieces[pieces.len() - 1].1), (0.0, total));
                assert!(pieces.windows(2).all(|w| w[1].0 <= w[0].1 && w[1].1 > w[0].1), "{total} {duration} {overlap}");
            }
        }
    }

    #[test]
    fn a_plan_that_would_never_end_is_refused() {
        for (total, duration, overlap) in [
            (60.0, 30.0, 30.0),
            (60.0, 30.0, 31.0),
            (60.0, 0.0, 0.0),
            (60.0, 30.0, -1.0),
            (60.0, f64::NAN, 0.0),
            (0.0, 30.0, 5.0),
        ] {
            let e = by_time(total, duration, overlap, Tails::Keep).unwrap_err();
            assert_eq!(e.exit_code(), 2, "{e}");
        }
        assert!(by_time(1e6, 5.001, 5.0, Tails::Drop).is_err());
    }

    #[test]
    fn silences_split_in_their_middle_and_short_rests_join_a_neighbour() {
        let silences = [(7.0, 10.0), (17.0, 20.0), (27.0, 30.0), (37.0, 40.0)];
        let middles = [8.5, 18.5, 28.5];
        let all = by_silence(40.0, &silences, 0.0, Tails::Keep).unwrap();
        assert_eq!(all.iter().map(|p| p.end).collect::<Vec<_>>(), [&middles[..], &[38.5, 40.0]].concat());
        let merged = times(&by_silence(40.0, &silences, 5.0, Tails::Keep).unwrap());
        assert_eq!(merged, [(0.0, 8.5), (8.5, 18.5), (18.5, 28.5), (28.5, 40.0)]);
        let dropped = times(&by_silence(40.0, &silences, 5.0, Tails::Drop).unwrap());
        assert_eq!(dropped, [(0.0, 8.5), (8.5, 18.5), (18.5, 28.5), (28.5, 38.5)]);
        // A short first segment joins the next one; under the seed's rule its number is missing.
        let early = [(1.0, 3.0), (9.0, 11.0)];
        assert_eq!(times(&by_silence(20.0, &early, 5.0, Tails::Keep).unwrap()), [(0.0, 10.0), (10.0, 20.0)]);
        let seed = by_silence(20.0, &early, 5.0, Tails::Drop).unwrap();
        assert_eq!((seed[0].index, seed[0].start, seed.len()), (1, 2.0, 2));
        assert_eq!(times(&by_silence(3.0, &[], 5.0, Tails::Keep).unwrap()), [(0.0, 3.0)]);
    }

    #[test]
    fn names_are_those_of_the_seed() {
        let p = Piece { index: 3, start: 28.5, end: 40.0 };
        assert_eq!(chunk_name(&p), "chunk_003.mp4");
        assert_eq!(wav_name(&p), "chunk_003.wav");
        assert_eq!(silence_chunk_name(&p), "silence_chunk_003_0028.5s.mp4");
    }
}
