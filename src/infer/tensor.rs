//! Tensors on the host: dense, row-major, of the few element types that picture and audio models use.

use half::f16;

use crate::error::{Error, Result};

/// Elements of a tensor, owned.
#[derive(Debug, Clone, PartialEq)]
pub enum TensorData {
    /// 32-bit float.
    F32(Vec<f32>),
    /// 16-bit float.
    F16(Vec<f16>),
    /// 64-bit signed integer.
    I64(Vec<i64>),
    /// 32-bit signed integer.
    I32(Vec<i32>),
    /// 8-bit unsigned integer.
    U8(Vec<u8>),
    /// Truth value.
    Bool(Vec<bool>),
}

/// A dense row-major tensor that owns its elements.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    /// Extent of each axis, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// Elements, the last axis fastest.
    pub data: TensorData,
}

/// Elements of a tensor, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TensorSlice<'a> {
    /// 32-bit float.
    F32(&'a [f32]),
    /// 16-bit float.
    F16(&'a [f16]),
    /// 64-bit signed integer.
    I64(&'a [i64]),
    /// 32-bit signed integer.
    I32(&'a [i32]),
    /// 8-bit unsigned integer.
    U8(&'a [u8]),
    /// Truth value.
    Bool(&'a [bool]),
}

/// A dense row-major tensor that borrows its elements, as a mapped GPU buffer gives them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorView<'a> {
    /// Extent of each axis, outermost first; empty for a scalar.
    pub shape: &'a [usize],
    /// Elements, the last axis fastest.
    pub data: TensorSlice<'a>,
}

impl TensorSlice<'_> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(v) => v.len(),
            Self::F16(v) => v.len(),
            Self::I64(v) => v.len(),
            Self::I32(v) => v.len(),
            Self::U8(v) => v.len(),
            Self::Bool(v) => v.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl TensorData {
    /// The elements, borrowed.
    pub fn slice(&self) -> TensorSlice<'_> {
        match self {
            Self::F32(v) => TensorSlice::F32(v),
            Self::F16(v) => TensorSlice::F16(v),
            Self::I64(v) => TensorSlice::I64(v),
            Self::I32(v) => TensorSlice::I32(v),
            Self::U8(v) => TensorSlice::U8(v),
            Self::Bool(v) => TensorSlice::Bool(v),
        }
    }
}

impl Tensor {
    /// A tensor of floats.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `shape` when `data` has another length than `shape` says.
    pub fn f32(shape: impl Into<Vec<usize>>, data: Vec<f32>) -> Result<Self> {
        let shape = shape.into();
        check(&shape, data.len())?;
        Ok(Self { shape, data: TensorData::F32(data) })
    }

    /// The same, borrowed.
    pub fn view(&self) -> TensorView<'_> {
        TensorView { shape: &self.shape, data: self.data.slice() }
    }

    /// The elements as 32-bit floats: borrowed where they are, converted otherwise (halves exactly, integers to the nearest).
    pub fn to_f32(&self) -> std::borrow::Cow<'_, [f32]> {
        use std::borrow::Cow;
        match &self.data {
            TensorData::F32(v) => Cow::Borrowed(v),
            TensorData::F16(v) => Cow::Owned(v.iter().map(|x| x.to_f32()).collect()),
            TensorData::I64(v) => Cow::Owned(v.iter().map(|x| *x as f32).collect()),
            TensorData::I32(v) => Cow::Owned(v.iter().map(|x| *x as f32).collect()),
            TensorData::U8(v) => Cow::Owned(v.iter().map(|x| f32::from(*x)).collect()),
            TensorData::Bool(v) => Cow::Owned(v.iter().map(|x| f32::from(u8::from(*x))).collect()),
        }
    }
}

impl<'a> TensorView<'a> {
    /// A view of floats.
    ///
    /// # Errors
    /// [`Error::Model`] with cause `shape` when `data` has another length than `shape` says.
    pub fn f32(shape: &'a [usize], data: &'a [f32]) -> Result<Self> {
        check(shape, data.len())?;
        Ok(Self { shape, data: TensorSlice::F32(data) })
    }
}

/// Whether `count` elements fill `shape`.
pub(crate) fn check(shape: &[usize], count: usize) -> Result<()> {
    let wanted = shape.iter().try_fold(1usize, |n, d| n.checked_mul(*d));
    if wanted == Some(count) {
        return Ok(());
    }
    Err(Error::Model {
        cause: "shape",
        message: format!(
            "a tensor of shape {shape:?} has {} elements, {count} were given",
            wanted.unwrap_or(usize::MAX)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_has_as_many_elements_as_its_shape_says() {
        assert!(Tensor::f32([2, 3], vec![0.0; 6]).is_ok());
        assert!(Tensor::f32([], vec![1.0]).is_ok(), "a scalar");
        assert!(Tensor::f32([2, 3], vec![0.0; 5]).is_err());
        assert!(Tensor::f32([usize::MAX, 3], vec![]).is_err(), "the product overflows");
    }

    #[test]
    fn every_type_reads_as_floats() {
        let half = Tensor { shape: vec![2], data: TensorData::F16(vec![f16::from_f32(0.5), f16::from_f32(-2.0)]) };
        assert_eq!(half.to_f32().as_ref(), [0.5, -2.0]);
        let truth = Tensor { shape: vec![2], data: TensorData::Bool(vec![true, false]) };
        assert_eq!(truth.to_f32().as_ref(), [1.0, 0.0]);
    }
}
