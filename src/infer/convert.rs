//! Between our tensors and those of ONNX Runtime.

use half::f16;
use ort::session::SessionInputValue;
use ort::value::{DynValue, Outlet, TensorElementType, TensorRef, ValueType};

use super::io::{ElementType, Extent, IoInfo};
use super::tensor::{Tensor, TensorData, TensorSlice, TensorView};
use crate::error::{Error, Result};

/// What a session says of an input or output.
pub(super) fn io_info(outlet: &Outlet) -> IoInfo {
    let name = outlet.name().to_owned();
    let ValueType::Tensor { ty, shape, dimension_symbols } = outlet.dtype() else {
        return IoInfo { name, element: ElementType::Other, shape: Vec::new() };
    };
    let symbols = dimension_symbols.iter().map(String::as_str).chain(std::iter::repeat(""));
    let extent = |(size, symbol): (&i64, &str)| match usize::try_from(*size) {
        Ok(n) => Extent::Fixed(n),
        Err(_) => Extent::Dynamic(symbol.to_owned()),
    };
    IoInfo { name, element: element_type(*ty), shape: shape.iter().zip(symbols).map(extent).collect() }
}

fn element_type(ty: TensorElementType) -> ElementType {
    match ty {
        TensorElementType::Float32 => ElementType::F32,
        TensorElementType::Float16 => ElementType::F16,
        TensorElementType::Float64 => ElementType::F64,
        TensorElementType::Int64 => ElementType::I64,
        TensorElementType::Int32 => ElementType::I32,
        TensorElementType::Uint8 => ElementType::U8,
        TensorElementType::Bool => ElementType::Bool,
        _ => ElementType::Other,
    }
}

/// A tensor as an input, in place: nothing is copied, but for 64-bit floats, which are widened from 32 bits.
pub(super) fn input<'v>(view: TensorView<'v>, wanted: ElementType) -> ort::Result<SessionInputValue<'v>> {
    let shape = view.shape;
    Ok(match view.data {
        TensorSlice::F32(v) if wanted == ElementType::F64 => {
            let wide: Vec<f64> = v.iter().map(|x| f64::from(*x)).collect();
            ort::value::Tensor::from_array((shape.to_vec(), wide))?.into()
        }
        TensorSlice::F32(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::F16(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::I64(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::I32(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::U8(v) => TensorRef::from_array_view((shape, v))?.into(),
        TensorSlice::Bool(v) => TensorRef::from_array_view((shape, v))?.into(),
    })
}

/// An output, copied out of the runtime's memory. 64-bit floats are rounded to 32 bits.
pub(super) fn output(name: &str, value: &DynValue) -> Result<Tensor> {
    let wrong = |what: String| Error::Model {
        cause: "output",
        message: format!("output `{name}` is {what}; tensors of f32, f16, f64, i64, i32, u8 and bool can be read"),
    };
    let ValueType::Tensor { ty, .. } = value.dtype() else { return Err(wrong("no tensor".into())) };
    macro_rules! take {
        ($kind:ident, $rust:ty) => {{
            let (shape, data) = value.try_extract_tensor::<$rust>().map_err(|e| wrong(e.to_string()))?;
            (shape.to_vec(), TensorData::$kind(data.to_vec()))
        }};
    }
    let (shape, data) = match ty {
        TensorElementType::Float32 => take!(F32, f32),
        TensorElementType::Float16 => take!(F16, f16),
        TensorElementType::Int64 => take!(I64, i64),
        TensorElementType::Int32 => take!(I32, i32),
        TensorElementType::Uint8 => take!(U8, u8),
        TensorElementType::Bool => take!(Bool, bool),
        TensorElementType::Float64 => {
            let (shape, data) = value.try_extract_tensor::<f64>().map_err(|e| wrong(e.to_string()))?;
            (shape.to_vec(), TensorData::F32(data.iter().map(|x| *x as f32).collect()))
        }
        other => return Err(wrong(format!("a tensor of {other}"))),
    };
    let shape = shape.into_iter().map(|d| usize::try_from(d).unwrap_or(0)).collect();
    Ok(Tensor { shape, data })
}
