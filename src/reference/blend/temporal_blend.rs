//! `blend/temporal_blend`: a forward and a reversed pass over the same frame.

use super::alike;
use crate::Result;
use crate::core::blend::TemporalMode;
use crate::reference::plane::{Plane, unfit};

/// Two pictures of the same frame blended: `(f wf + r wr + n/2) / n` rounded down for every byte, alpha included, with the
/// weights and the sum of [`TemporalMode::weights`]; or the one that the mode chooses, whole pixels by their alpha.
///
/// # Errors
/// [`crate::Error::Parameter`] for pictures of different sizes or channels, channels other than 1 and 4, and an index that is not
/// below the count.
pub fn temporal_blend(forward: &Plane<'_>, reversed: &Plane<'_>, mode: TemporalMode) -> Result<Vec<u8>> {
    const OP: &str = "blend/temporal_blend";
    alike(OP, forward, reversed)?;
    let channels = forward.channels();
    if channels != 1 && channels != 4 {
        return Err(unfit(OP, "input", "1 or 4 channels", channels));
    }
    let weights = match (mode, mode.weights()) {
        (TemporalMode::Weighted { .. } | TemporalMode::Average, None) => {
            return Err(unfit(OP, "mode", "an index below the count", format!("{mode:?}")));
        }
        (_, weights) => weights,
    };
    let mut out = Vec::new();
    for (x, y) in forward.pixels() {
        let alpha = |p: &Plane<'_>| p.at(x, y, channels - 1);
        let chosen = match mode {
            TemporalMode::MaxAlpha => alpha(forward) >= alpha(reversed),
            _ => alpha(forward) <= alpha(reversed),
        };
        for c in 0..channels {
            let (f, r) = (u32::from(forward.at(x, y, c)), u32::from(reversed.at(x, y, c)));
            out.push(match weights {
                Some([wf, wr, n]) => (f * wf + r * wr + n / 2) / n,
                None if chosen => f,
                None => r,
            } as u8);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;

    #[test]
    fn weights_and_choices_by_hand() {
        let of = |mode, f: &[u8], r: &[u8], channels| {
            let plane = |data| Plane::interleaved(Size::new(1, 1), channels, channels as usize, data).unwrap();
            temporal_blend(&plane(f), &plane(r), mode)
        };
        let at = |index| of(TemporalMode::Weighted { index, count: 3 }, &[90], &[30], 1).unwrap()[0];
        assert_eq!([at(0), at(1), at(2)], [70, 60, 50]);
        assert_eq!(of(TemporalMode::Average, &[1], &[2], 1).unwrap(), [2]);
        assert_eq!(of(TemporalMode::MaxAlpha, &[1], &[2], 1).unwrap(), [2]);
        assert_eq!(of(TemporalMode::MinAlpha, &[1], &[2], 1).unwrap(), [1]);
        assert_eq!(of(TemporalMode::MaxAlpha, &[1, 2, 3, 9], &[4, 5, 6, 8], 4).unwrap(), [1, 2, 3, 9]);
        assert_eq!(of(TemporalMode::MinAlpha, &[1, 2, 3, 9], &[4, 5, 6, 8], 4).unwrap(), [4, 5, 6, 8]);
        for mode in [TemporalMode::MaxAlpha, TemporalMode::MinAlpha] {
            assert_eq!(of(mode, &[1, 2, 3, 9], &[4, 5, 6, 9], 4).unwrap(), [1, 2, 3, 9]);
        }
        assert!(of(TemporalMode::Weighted { index: 3, count: 3 }, &[1], &[2], 1).is_err());
        assert!(of(TemporalMode::Average, &[1; 3], &[2; 3], 3).is_err());
    }
}
