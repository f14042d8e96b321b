//! `quality/border_occlusion`: sums over the border of a picture.

use crate::Result;
use crate::core::{BorderSums, Size};
use crate::reference::plane::{Plane, unfit};

/// `src`: 8-bit luma; `edges`: its edge map, one byte a pixel, zero or not. Goes through the strips of `border` pixels at the top,
/// bottom, left and right, cut off at the picture, one after the other, so that corners count twice.
///
/// # Errors
/// [`crate::Error::Parameter`] for another size of the edge map or more than one channel.
pub fn border_occlusion(src: &Plane<'_>, edges: &Plane<'_>, border: u32) -> Result<BorderSums> {
    const OP: &str = "quality/border_occlusion";
    src.expect_channels(OP, 1)?;
    edges.expect_channels(OP, 1)?;
    let Size { width, height } = src.size();
    if edges.size() != src.size() {
        return Err(unfit(OP, "edges", format!("an edge map of {}", src.size()), edges.size()));
    }
    let (across, down) = (border.min(width), border.min(height));
    let strips = [
        (0..width, 0..down),
        (0..width, height - down..height),
        (0..across, 0..height),
        (width - across..width, 0..height),
    ];
    let mut sums = BorderSums::new(src.size(), border);
    for (columns, rows) in strips {
        for y in rows {
            for x in columns.clone() {
                let value = u64::from(src.at(x, y, 0));
                sums.sum += value;
                sums.sum_sq += value * value;
                sums.edges += u64::from(edges.at(x, y, 0) != 0);
            }
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_count_twice() {
        let data = [1, 10, 1, 10, 100, 10, 1, 10, 1];
        let edges = [255, 0, 0, 0, 255, 0, 0, 1, 0];
        let size = Size::new(3, 3);
        let sums = |border| {
            border_occlusion(&Plane::tight(size, &data).unwrap(), &Plane::tight(size, &edges).unwrap(), border).unwrap()
        };
        // Four corners twice, four sides once; the centre not at all.
        let one = sums(1);
        assert_eq!((one.sum, one.sum_sq, one.edges, one.samples()), (48, 408, 3, 12));
        // Strips of 2 hold the centre four times, corners twice, sides three times; of 3 and more everything four times.
        let two = sums(2);
        assert_eq!((two.sum, two.edges, two.samples()), (2 * 4 + 3 * 40 + 400, 2 + 4 + 3, 24));
        assert_eq!((sums(9).sum, sums(9).samples()), (4 * 144, 36));
    }
}
