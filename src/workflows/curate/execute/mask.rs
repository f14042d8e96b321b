//! Masks of characters: the disk that stands in for a network, islands, dilation.

use super::super::models::ByteMask;
use crate::core::Size;

/// The disk in the middle that stands for the character where no network tells: `(x - w/2)^2 + (y - h/2)^2 < (min(h, w) / 3)^2`, divisions
/// rounded down, as the original has it.
pub(super) fn disk(size: Size) -> ByteMask {
    let (w, h) = (i64::from(size.width), i64::from(size.height));
    let limit = (w.min(h) / 3).pow(2);
    let inside = |x: i64, y: i64| (x - w / 2).pow(2) + (y - h / 2).pow(2) < limit;
    let values = (0..h).flat_map(|y| (0..w).map(move |x| if inside(x, y) { 255 } else { 0 })).collect();
    ByteMask { size, values }
}

/// Without what is too small beside a character of at least `least` pixels: islands of a sixteenth of that.
pub(in super::super) fn without_noise(mask: &ByteMask, least: usize) -> ByteMask {
    without_islands(mask, (least / 16).max(1))
}

/// Without islands of fewer than `least` pixels (at least half inside, neighbours by an edge).
fn without_islands(mask: &ByteMask, least: usize) -> ByteMask {
    let (w, n) = (mask.size.width as usize, mask.values.len());
    let inside = |i: usize| mask.values.get(i).is_some_and(|v| *v >= 128);
    let mut seen = vec![false; n];
    let mut keep = vec![false; n];
    let mut part = Vec::new();
    let mut open = Vec::new();
    for start in 0..n {
        if !inside(start) || seen.get(start).copied().unwrap_or(true) {
            continue;
        }
        part.clear();
        open.push(start);
        seen.iter_mut().skip(start).take(1).for_each(|s| *s = true);
        while let Some(i) = open.pop() {
            part.push(i);
            let x = i % w.max(1);
            let left = (x > 0).then(|| i - 1);
            let right = (x + 1 < w).then(|| i + 1);
            for next in [left, right, i.checked_sub(w), Some(i + w)].into_iter().flatten() {
                if inside(next) && seen.get(next) == Some(&false) {
                    if let Some(s) = seen.get_mut(next) {
                        *s = true;
                    }
                    open.push(next);
                }
            }
        }
        if part.len() >= least {
            for i in &part {
                if let Some(k) = keep.get_mut(*i) {
                    *k = true;
                }
            }
        }
    }
    // Soft edges stay where they belong to something that stays.
    let near = grow(&keep, mask.size, 3);
    let values = mask.values.iter().zip(&near).map(|(v, k)| if *k { *v } else { 0 }).collect();
    ByteMask { size: mask.size, values }
}

/// With narrower edges: what a network gives between a quarter and three quarters is spread over the whole range, the rest is in or out. Networks of
/// low resolution blur their edges over many pixels of a frame, which leaves a veil of background around a character.
pub(super) fn firm(mask: &ByteMask) -> ByteMask {
    let value = |v: u8| ((i32::from(v) - 64) * 255 / 127).clamp(0, 255) as u8;
    ByteMask { size: mask.size, values: mask.values.iter().map(|v| value(*v)).collect() }
}

/// Pixels within `radius` of one that is set, by a square window.
fn grow(set: &[bool], size: Size, radius: u32) -> Vec<bool> {
    let (w, r) = ((size.width as usize).max(1), radius as usize);
    let pass = |line: &mut dyn Iterator<Item = bool>, n: usize| -> Vec<bool> {
        let line: Vec<bool> = line.collect();
        let mut last = None;
        let mut out = vec![false; n];
        // What is set reaches `r` to the right, then, backwards, `r` to the left.
        for (i, (v, o)) in line.iter().zip(&mut out).enumerate() {
            if *v {
                last = Some(i);
            }
            *o = last.is_some_and(|l| i - l <= r);
        }
        let mut next = None;
        for (i, (v, o)) in line.iter().zip(&mut out).enumerate().rev() {
            if *v {
                next = Some(i);
            }
            *o |= next.is_some_and(|l| l - i <= r);
        }
        out
    };
    let rows: Vec<bool> = set.chunks(w).flat_map(|row| pass(&mut row.iter().copied(), row.len())).collect();
    let h = size.height as usize;
    let columns: Vec<Vec<bool>> = (0..w).map(|x| pass(&mut rows.iter().skip(x).step_by(w).copied(), h)).collect();
    (0..h).flat_map(|y| columns.iter().map(move |c| c.get(y).copied().unwrap_or(false))).collect()
}

/// 255 within `radius` of what is at least half inside, 0 elsewhere. The window is square, as that of the original's tools.
pub(super) fn dilated(mask: &ByteMask, radius: u32) -> ByteMask {
    let set: Vec<bool> = mask.values.iter().map(|v| *v >= 128).collect();
    let values = grow(&set, mask.size, radius).into_iter().map(|v| if v { 255 } else { 0 }).collect();
    ByteMask { size: mask.size, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disk_by_hand() {
        let d = disk(Size::new(9, 7));
        // Radius 7/3 = 2: squares below 4.
        let row = |y: usize| d.values[y * 9..y * 9 + 9].iter().filter(|v| **v == 255).count();
        assert_eq!([row(0), row(1), row(2), row(3), row(4), row(5)], [0, 0, 3, 3, 3, 0]);
    }

    #[test]
    fn edges_are_made_narrower_and_what_is_in_or_out_stays_so() {
        let mask = ByteMask { size: Size::new(6, 1), values: vec![0, 64, 100, 128, 191, 255] };
        assert_eq!(firm(&mask).values, [0, 0, 72, 128, 255, 255]);
        assert_eq!(firm(&mask).inside(), mask.inside());
    }

    #[test]
    fn islands_go_and_what_stays_grows() {
        let mut values = vec![0u8; 20 * 10];
        for i in [0, 1] {
            values[i] = 255;
        }
        for y in 4..8 {
            values[y * 20 + 10..y * 20 + 14].fill(255);
        }
        let mask = ByteMask { size: Size::new(20, 10), values };
        let clean = without_islands(&mask, 3);
        assert_eq!((mask.inside(), clean.inside()), (18, 16));
        assert_eq!(dilated(&clean, 1).inside(), 6 * 6);
        assert_eq!(dilated(&clean, 0), clean);
        assert_eq!(without_islands(&mask, 17).inside(), 0);
    }
}
