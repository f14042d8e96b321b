//! Batches that a model does not take as they are.
//!
//! A model with an open first axis takes any batch. One with a fixed first axis of `B` is run on parts of `B` elements; the last part is
//! filled up with its last element, whose results are dropped. Results do not depend on it: each element is computed with the same shapes.

use super::super::io::{Extent, IoInfo, NamedTensor, Outputs};
use super::super::tensor::{Tensor, TensorData, TensorSlice, TensorView};
use super::{OnnxSession, input_error, wrong_shape};
use crate::error::{Error, Result};

/// How given inputs meet a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Batch {
    /// They fit.
    Whole {
        /// Elements of the batch.
        elements: usize,
    },
    /// They are `given` elements for a model that takes `size`.
    Parts { size: usize, given: usize },
}

/// Whether an input goes in parts: its first extent is not the one that the model declares.
fn is_split(io: &IoInfo, tensor: &NamedTensor<'_>) -> bool {
    matches!((io.shape.first(), tensor.tensor.shape.first()), (Some(Extent::Fixed(wanted)), Some(given)) if wanted != given)
}

/// Compares shapes. Inputs are in the order of the model, ranks are right.
pub(super) fn plan(declared: &[IoInfo], given: &[NamedTensor<'_>]) -> Result<Batch> {
    let mut parts: Option<(usize, usize)> = None;
    for (io, tensor) in declared.iter().zip(given) {
        let shape = tensor.tensor.shape;
        let fits = |(extent, size): (&Extent, &usize)| !matches!(extent, Extent::Fixed(n) if n != size);
        if !io.shape.iter().zip(shape).skip(1).all(fits) {
            return Err(wrong_shape(io, shape));
        }
        if !is_split(io, tensor) {
            continue;
        }
        let (Some(Extent::Fixed(size)), Some(count)) = (io.shape.first(), shape.first()) else { continue };
        // Zero elements have no result to have a shape of, and an axis of no extent cannot be filled.
        if *size == 0 || *count == 0 || shape.len() == 1 {
            return Err(wrong_shape(io, shape));
        }
        if parts.is_some_and(|known| known != (*size, *count)) {
            return Err(input_error(&io.name, format!("has {count} elements, another input has a different number")));
        }
        parts = Some((*size, *count));
    }
    if let Some((size, count)) = parts {
        // What is not split must be the same for all elements: an input with the batch in an open axis would not be.
        let open = |(io, tensor): (&IoInfo, &NamedTensor<'_>)| {
            matches!(io.shape.first(), Some(Extent::Dynamic(_))) && tensor.tensor.shape.first() == Some(&count)
        };
        if let Some((io, _)) = declared.iter().zip(given).find(|(io, t)| open((io, t))) {
            return Err(input_error(
                &io.name,
                format!("takes any batch, another input takes {size} only: give {size}"),
            ));
        }
        return Ok(Batch::Parts { size, given: count });
    }
    let elements = given.iter().find_map(|t| t.tensor.shape.first()).copied().unwrap_or(1);
    Ok(Batch::Whole { elements })
}

/// Elements `from..to` of the first axis; `each` numbers an element.
fn rows<'a>(data: TensorSlice<'a>, from: usize, to: usize, each: usize) -> Option<TensorSlice<'a>> {
    let range = from.checked_mul(each)?..to.checked_mul(each)?;
    Some(match data {
        TensorSlice::F32(v) => TensorSlice::F32(v.get(range)?),
        TensorSlice::F16(v) => TensorSlice::F16(v.get(range)?),
        TensorSlice::I64(v) => TensorSlice::I64(v.get(range)?),
        TensorSlice::I32(v) => TensorSlice::I32(v.get(range)?),
        TensorSlice::U8(v) => TensorSlice::U8(v.get(range)?),
        TensorSlice::Bool(v) => TensorSlice::Bool(v.get(range)?),
    })
}

fn owned(data: TensorSlice<'_>) -> TensorData {
    match data {
        TensorSlice::F32(v) => TensorData::F32(v.to_vec()),
        TensorSlice::F16(v) => TensorData::F16(v.to_vec()),
        TensorSlice::I64(v) => TensorData::I64(v.to_vec()),
        TensorSlice::I32(v) => TensorData::I32(v.to_vec()),
        TensorSlice::U8(v) => TensorData::U8(v.to_vec()),
        TensorSlice::Bool(v) => TensorData::Bool(v.to_vec()),
    }
}

/// Adds `more` behind `data`; false when they are of different types.
fn append(data: &mut TensorData, more: TensorSlice<'_>) -> bool {
    match (data, more) {
        (TensorData::F32(a), TensorSlice::F32(b)) => a.extend_from_slice(b),
        (TensorData::F16(a), TensorSlice::F16(b)) => a.extend_from_slice(b),
        (TensorData::I64(a), TensorSlice::I64(b)) => a.extend_from_slice(b),
        (TensorData::I32(a), TensorSlice::I32(b)) => a.extend_from_slice(b),
        (TensorData::U8(a), TensorSlice::U8(b)) => a.extend_from_slice(b),
        (TensorData::Bool(a), TensorSlice::Bool(b)) => a.extend_from_slice(b),
        _ => return false,
    }
    true
}

/// The part of an input: a view of the given elements, or a copy that is filled up.
enum Part<'a> {
    View(Vec<usize>, TensorSlice<'a>),
    Filled(Tensor),
}

fn part<'a>(view: TensorView<'a>, from: usize, to: usize, size: usize) -> Option<Part<'a>> {
    let each: usize = view.shape.get(1..)?.iter().product();
    let mut shape = view.shape.to_vec();
    *shape.first_mut()? = size;
    let data = rows(view.data, from, to, each)?;
    if to - from == size {
        return Some(Part::View(shape, data));
    }
    let last = rows(view.data, to.checked_sub(1)?, to, each)?;
    let mut data = owned(data);
    for _ in to - from..size {
        append(&mut data, last);
    }
    Some(Part::Filled(Tensor { shape, data }))
}

/// Runs a model on parts of its fixed batch and puts the results together.
pub(super) fn run_parts(
    session: &mut OnnxSession,
    inputs: &[NamedTensor<'_>],
    size: usize,
    given: usize,
) -> Result<Outputs> {
    let mut joined: Vec<(String, Tensor)> = Vec::new();
    for from in (0..given).step_by(size.max(1)) {
        let to = (from + size).min(given);
        let parts: Vec<Option<Part<'_>>> = session
            .inputs
            .iter()
            .zip(inputs)
            .map(|(io, input)| is_split(io, input).then(|| part(input.tensor, from, to, size)).flatten())
            .collect();
        let named: Vec<NamedTensor<'_>> = inputs
            .iter()
            .zip(&parts)
            .map(|(input, part)| match part {
                None => *input,
                Some(Part::View(shape, data)) => {
                    NamedTensor { name: input.name, tensor: TensorView { shape, data: *data } }
                }
                Some(Part::Filled(tensor)) => NamedTensor { name: input.name, tensor: tensor.view() },
            })
            .collect();
        let outputs = session.run_once(&named, to - from)?;
        join(&mut joined, &outputs, to - from, size)?;
    }
    Ok(Outputs::new(joined))
}

/// Adds the first `count` of the `size` elements of each output.
fn join(joined: &mut Vec<(String, Tensor)>, outputs: &Outputs, count: usize, size: usize) -> Result<()> {
    for (i, (name, tensor)) in outputs.iter().enumerate() {
        let wrong = |why: String| Error::Model {
            cause: "batch",
            message: format!("output `{name}` of shape {:?} {why}: give the model batches of {size}", tensor.shape),
        };
        if tensor.shape.first() != Some(&size) {
            return Err(wrong("has no batch in its first axis, so that results cannot be put together".into()));
        }
        let each: usize = tensor.shape.iter().skip(1).product();
        let Some(kept) = rows(tensor.data.slice(), 0, count, each) else {
            return Err(Error::Bug(format!("output `{name}` is shorter than its shape says")));
        };
        match joined.get_mut(i) {
            None => {
                let mut shape = tensor.shape.clone();
                if let Some(first) = shape.first_mut() {
                    *first = count;
                }
                joined.push((name.to_owned(), Tensor { shape, data: owned(kept) }));
            }
            Some((_, all)) => {
                if all.shape.get(1..) != tensor.shape.get(1..) || !append(&mut all.data, kept) {
                    return Err(wrong("changes its shape from run to run".into()));
                }
                if let Some(first) = all.shape.first_mut() {
                    *first += count;
                }
            }
        }
    }
    Ok(())
}
