//! `edges/hysteresis`: weak pixels joined to strong ones.

use crate::Result;
use crate::core::Size;
use crate::reference::plane::unfit;

/// `weak` and `strong`: one byte a pixel, zero or not. Gives 1 for every strong pixel and every weak one that an 8-connected way of
/// weak pixels joins to it, else 0: a flood from the strong pixels.
///
/// # Errors
/// [`crate::Error::Parameter`] if a plane does not have `size` pixels.
pub fn hysteresis(size: Size, weak: &[u8], strong: &[u8]) -> Result<Vec<u8>> {
    let n = size.area() as usize;
    if weak.len() != n || strong.len() != n {
        return Err(unfit("edges/hysteresis", "planes", format!("{n} pixels"), weak.len().min(strong.len())));
    }
    let (width, height) = (size.width as usize, size.height as usize);
    let mut edge: Vec<u8> = strong.iter().map(|v| u8::from(*v != 0)).collect();
    let mut open: Vec<usize> = (0..n).filter(|i| edge[*i] == 1).collect();
    while let Some(i) = open.pop() {
        let (x, y) = (i % width, i / width);
        for v in y.saturating_sub(1)..=(y + 1).min(height - 1) {
            for u in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                let j = v * width + u;
                if weak[j] != 0 && edge[j] == 0 {
                    edge[j] = 1;
                    open.push(j);
                }
            }
        }
    }
    Ok(edge)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_lead_over_corners_but_not_over_gaps() {
        let weak = [
            1, 0, 0, 0, 0, //
            0, 1, 0, 1, 1, //
            0, 0, 1, 0, 0, //
            1, 0, 0, 0, 0,
        ];
        let mut strong = [0; 20];
        strong[0] = 1;
        let mut want = weak;
        want[15] = 0;
        assert_eq!(hysteresis(Size::new(5, 4), &weak, &strong).unwrap(), want);
        strong[0] = 0;
        strong[10] = 1; // not weak itself: next to nothing weak but pixels 6 and 15
        want = weak;
        want[10] = 1;
        assert_eq!(hysteresis(Size::new(5, 4), &weak, &strong).unwrap(), want);
        assert!(hysteresis(Size::new(5, 4), &weak, &strong[1..]).is_err());
    }
}
