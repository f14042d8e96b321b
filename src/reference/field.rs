//! Scalar fields as the reference sees them: integers or floats, row by row without padding.

use crate::Result;
use crate::core::{ActivitySums, Size};
use crate::reference::plane::unfit;

/// The numbers of a field.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    /// Integers, among them the samples of a picture.
    Integers(&'a [u32]),
    /// Floats.
    Floats(&'a [f32]),
}

/// Numbers, one a pixel.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    size: Size,
    numbers: Numbers<'a>,
}

impl<'a> Field<'a> {
    /// # Errors
    /// [`crate::Error::Parameter`] for another count than the area of `size`.
    pub fn new(size: Size, numbers: Numbers<'a>) -> Result<Self> {
        let len = match numbers {
            Numbers::Integers(v) => v.len(),
            Numbers::Floats(v) => v.len(),
        };
        if size.is_empty() || len as u64 != size.area() {
            return Err(unfit("reference/field", "numbers", format!("{} of them, at least 1", size.area()), len));
        }
        Ok(Self { size, numbers })
    }

    /// Size in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// Whether the numbers are floats.
    pub const fn is_float(&self) -> bool {
        matches!(self.numbers, Numbers::Floats(_))
    }

    /// Number `i`. Floats that are negative, below `2^-96` or not finite count as 0.
    pub fn value(&self, i: usize) -> f64 {
        match self.numbers {
            Numbers::Integers(v) => f64::from(v[i]),
            Numbers::Floats(v) => f64::from(clean(v[i])),
        }
    }

    /// Number `i` as an integer: floats times `2^fraction_bits`, cut off, at most `2^32 - 256`.
    pub fn fixed(&self, i: usize, fraction_bits: i32) -> u32 {
        match self.numbers {
            Numbers::Integers(v) => v[i],
            Numbers::Floats(v) => {
                (f64::from(clean(v[i])) * f64::from(fraction_bits).exp2()).min(4_294_967_040.0) as u32
            }
        }
    }
}

/// What a float counts as.
pub fn clean(v: f32) -> f32 {
    let smallest = (ActivitySums::MIN_EXPONENT as f32).exp2();
    if v.is_finite() && v >= smallest { v } else { 0.0 }
}
