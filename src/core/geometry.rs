//! Sizes and rectangles in pixels. The origin is the top-left corner, x to the right, y down; ranges are half-open.

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size of `width` x `height` pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    pub const fn area(self) -> u64 {
        self.width as u64 * self.height as u64
    }

    /// Width and height exchanged, as after a quarter turn.
    pub const fn transposed(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// Whether either side is zero.
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// The largest size of the same aspect ratio whose longer side is at most `longest`, at least 1x1; never larger than `self`.
    pub fn fit_within(self, longest: u32) -> Self {
        let side = self.width.max(self.height);
        if side <= longest || side == 0 {
            return self;
        }
        let scale =
            |v: u32| ((u64::from(v) * u64::from(longest) + u64::from(side) / 2) / u64::from(side)).max(1) as u32;
        Self { width: scale(self.width), height: scale(self.height) }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A rectangle in pixels, half-open: it covers `x..x+width`, `y..y+height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Rect {
    /// The rectangle that covers all of `size`.
    pub const fn full(size: Size) -> Self {
        Self { x: 0, y: 0, width: size.width, height: size.height }
    }

    /// Whether the rectangle is non-empty and lies inside `size`.
    pub fn fits(self, size: Size) -> bool {
        self.width > 0
            && self.height > 0
            && self.x.checked_add(self.width).is_some_and(|r| r <= size.width)
            && self.y.checked_add(self.height).is_some_and(|b| b <= size.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fit_within_keeps_aspect_and_never_enlarges() {
        assert_eq!(Size::new(1920, 1080).fit_within(480), Size::new(480, 270));
        assert_eq!(Size::new(100, 50).fit_within(480), Size::new(100, 50));
        assert_eq!(Size::new(10_000, 1).fit_within(10), Size::new(10, 1));
    }

    #[test]
    fn rect_must_lie_inside() {
        let s = Size::new(10, 10);
        assert!(Rect::full(s).fits(s));
        assert!(!Rect { x: 5, y: 0, width: 6, height: 1 }.fits(s));
        assert!(!Rect { x: u32::MAX, y: 0, width: 2, height: 1 }.fits(s));
    }
}
