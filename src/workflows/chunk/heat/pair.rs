//! Which original frame belongs to which mask.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The digits behind the last underscore of a name, or at its end.
fn number(path: &Path) -> Option<u64> {
    let stem = path.file_stem()?.to_str()?;
    let tail = stem.rsplit_once('_').map_or(stem, |(_, tail)| tail);
    let digits = tail.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.parse().ok()
}

/// Frames for masks: position of the mask, and the frame. A mask whose name ends in a number belongs to the frame of the same number, as the
/// original system names them (`mask_000012.png`, `frame_000012.jpg`); where not one number is found on both sides, they are paired
/// by their order. Masks and frames without a partner are left out. Both lists are in the order of their names.
pub fn pair_frames(masks: &[PathBuf], frames: &[PathBuf]) -> Vec<(u64, PathBuf)> {
    let by_number: HashMap<u64, &PathBuf> = frames.iter().rev().filter_map(|f| Some((number(f)?, f))).collect();
    let numbered: Vec<(u64, PathBuf)> =
        (0u64..).zip(masks).filter_map(|(i, mask)| Some((i, (*by_number.get(&number(mask)?)?).clone()))).collect();
    if numbered.is_empty() {
        (0u64..).zip(masks).zip(frames).map(|((i, _), f)| (i, f.clone())).collect()
    } else {
        numbered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(masks: &[&str], frames: &[&str]) -> Vec<(u64, String)> {
        let paths = |names: &[&str]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
        let found = pair_frames(&paths(masks), &paths(frames));
        found.into_iter().map(|(i, p)| (i, p.to_string_lossy().into_owned())).collect()
    }

    #[test]
    fn by_number_or_by_order() {
        let own = |list: &[(u64, &str)]| list.iter().map(|(i, s)| (*i, (*s).to_owned())).collect::<Vec<_>>();
        let masks = ["mask_000003.png", "mask_000007.png", "mask_x.png"];
        assert_eq!(
            pairs(&masks, &["frame_000007.jpg", "frame_000003.png", "frame_000004.png"]),
            own(&[(0, "frame_000003.png"), (1, "frame_000007.jpg")])
        );
        // The seed writes masks as %08d.png.
        assert_eq!(
            pairs(&["00000002.png"], &["frame_000001.png", "frame_000002.png"]),
            own(&[(0, "frame_000002.png")])
        );
        assert_eq!(pairs(&["a.png", "b.png"], &["x.png", "y.png", "z.png"]), own(&[(0, "x.png"), (1, "y.png")]));
        assert_eq!(pairs(&[], &["x.png"]), []);
    }
}
