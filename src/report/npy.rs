//! NumPy's `.npy`, format version 1.0: little-endian, C order.

use std::io::{self, Read, Write};

use bytemuck::Pod;

const MAGIC: [u8; 8] = *b"\x93NUMPY\x01\x00";
/// Numbers start at a multiple of this.
const ALIGN: usize = 64;

mod sealed {
    pub trait Sealed {}
}

/// A type that an array can hold: `i8`, `u8`, `u16`, `u32`, `f32`, `f64`.
pub trait NpyElement: Pod + sealed::Sealed {
    /// NumPy's name of the type, such as `<f4`.
    const DESCR: &'static str;
}

macro_rules! npy_element {
    ($($ty:ty => $descr:literal),*) => {$(
        impl sealed::Sealed for $ty {}
        impl NpyElement for $ty {
            const DESCR: &'static str = $descr;
        }
    )*};
}
npy_element!(i8 => "|i1", u8 => "|u1", u16 => "<u2", u32 => "<u4", f32 => "<f4", f64 => "<f8");

#[cfg(target_endian = "big")]
compile_error!("numbers are written as they lie in memory, which must be little-endian");

/// An array that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray<T> {
    /// Lengths of the dimensions, slowest first.
    pub shape: Vec<usize>,
    /// Elements in C order.
    pub data: Vec<T>,
}

/// Writes `data` with `shape` (slowest dimension first).
///
/// # Errors
/// `InvalidInput` unless the shape's product is the number of elements; those of the writer.
pub fn write_npy<T: NpyElement>(to: &mut impl Write, shape: &[usize], data: &[T]) -> io::Result<()> {
    if elements(shape) != Some(data.len()) {
        return Err(invalid(format!("shape {shape:?} does not hold {} elements", data.len())));
    }
    let mut list: String = shape.iter().map(|n| format!("{n}, ")).collect();
    // A tuple of one keeps its comma.
    let keep = if shape.len() == 1 { 1 } else { 2 };
    list.truncate(list.len().saturating_sub(keep));
    let mut header = format!("{{'descr': '{}', 'fortran_order': False, 'shape': ({list}), }}", T::DESCR);
    let used = MAGIC.len() + 2 + header.len() + 1;
    header.extend(std::iter::repeat_n(' ', used.next_multiple_of(ALIGN) - used));
    header.push('\n');
    let length = u16::try_from(header.len()).map_err(|_| invalid("too many dimensions".into()))?;
    to.write_all(&MAGIC)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(header.as_bytes())?;
    to.write_all(bytemuck::cast_slice(data))
}

/// Reads an array of exactly this element type, with at most `limit` elements.
///
/// # Errors
/// `InvalidData` for anything else than what [`write_npy`] and NumPy write for the type; those of the reader.
pub fn read_npy<T: NpyElement>(from: &mut impl Read, limit: usize) -> io::Result<NpyArray<T>> {
    let mut head = [0u8; 10];
    from.read_exact(&mut head)?;
    let (magic, length) = head.split_at(8);
    if magic != MAGIC {
        return Err(corrupt("not a version 1.0 .npy file"));
    }
    let length = length.try_into().map_or(0, u16::from_le_bytes);
    let mut header = vec![0; usize::from(length)];
    from.read_exact(&mut header)?;
    let header = String::from_utf8(header).map_err(|_| corrupt("the header is not text"))?;
    if !header.contains(&format!("'descr': '{}'", T::DESCR)) {
        return Err(corrupt(&format!("an array of {} is wanted, the header says {}", T::DESCR, header.trim())));
    }
    if !header.contains("'fortran_order': False") {
        return Err(corrupt("column-major arrays are not supported"));
    }
    let shape = header.split_once("'shape': (").and_then(|(_, rest)| rest.split_once(')')).map(|(list, _)| list);
    let shape: Option<Vec<usize>> = shape
        .and_then(|list| list.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| n.parse().ok()).collect());
    let shape = shape.ok_or_else(|| corrupt("the shape cannot be read"))?;
    let count = elements(&shape).filter(|n| *n <= limit);
    let count = count.ok_or_else(|| corrupt(&format!("shape {shape:?} is over the limit of {limit} elements")))?;
    let mut data = vec![T::zeroed(); count];
    from.read_exact(bytemuck::cast_slice_mut(&mut data))?;
    if from.read(&mut [0])? != 0 {
        return Err(corrupt("more bytes than the shape says"));
    }
    Ok(NpyArray { shape, data })
}

fn elements(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1usize, |product, n| product.checked_mul(*n))
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

fn corrupt(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
