//! How a graph fits an adapter: settings of the manifest, which output is what, tensors as rows of numbers.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use crate::core::{Size, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::manifest::{Layout, ModelEntry, Task};
use crate::infer::tensor::Tensor;
use crate::infer::{Extent, IoInfo, Outputs};

/// The settings of a manifest entry that an adapter may read. A key that no one reads is an error, so that none is ignored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'e> {
    entry: &'e ModelEntry,
}

impl<'e> Settings<'e> {
    /// Checks the task and the keys of `numbers`, `outputs` and `inputs`. A role that ends in `#` stands for one with a stride behind it.
    ///
    /// # Errors
    /// Causes `task`, `number`, `output`, `input`.
    pub(super) fn read(entry: &'e ModelEntry, task: Task, numbers: &[&[&str]], roles: &[&str]) -> Result<Self> {
        check_task(entry, task)?;
        let known: Vec<&str> = numbers.iter().flat_map(|n| n.iter().copied()).collect();
        if let Some(key) = entry.numbers.keys().find(|k| !known.contains(&k.as_str())) {
            return Err(Error::model(
                "number",
                format!("`{}`: no number `{key}` is known here; known: {}", entry.name, known.join(", ")),
            ));
        }
        let fits = |role: &str| {
            roles.iter().any(|r| {
                r.strip_suffix('#')
                    .map_or(*r == role, |base| role.strip_prefix(base).is_some_and(|s| stride(s).is_some()))
            })
        };
        if let Some(role) = entry.outputs.keys().find(|r| !fits(r)) {
            return Err(Error::model(
                "output",
                format!(
                    "`{}`: no output has the role `{role}` here; roles: {} (# stands for a stride)",
                    entry.name,
                    roles.join(", ")
                ),
            ));
        }
        if let Some(role) = entry.inputs.keys().next() {
            return Err(Error::model("input", format!("`{}`: it takes a picture only, no input `{role}`", entry.name)));
        }
        Ok(Self { entry })
    }

    /// Name of the model.
    pub(super) fn name(&self) -> &'e str {
        &self.entry.name
    }

    /// The output that the manifest gives this role.
    pub(super) fn role(&self, role: &str) -> Option<&'e str> {
        self.entry.outputs.get(role).map(String::as_str)
    }

    /// Roles and outputs that the manifest gives.
    pub(super) fn roles(&self) -> impl Iterator<Item = (&'e str, &'e str)> {
        self.entry.outputs.iter().map(|(r, n)| (r.as_str(), n.as_str()))
    }

    /// A number, or `default`.
    ///
    /// # Errors
    /// Cause `number` outside of `range`.
    pub(super) fn number(&self, key: &str, default: f32, range: RangeInclusive<f32>) -> Result<f32> {
        let Some(given) = self.entry.numbers.get(key) else { return Ok(default) };
        let value = *given as f32;
        if range.contains(&value) {
            return Ok(value);
        }
        let (from, to) = (range.start(), range.end());
        Err(Error::model("number", format!("`{}`: `{key}` must be {from} to {to}, not {given}", self.entry.name)))
    }

    /// A whole number, or `default`.
    ///
    /// # Errors
    /// Cause `number` outside of `range` or with a fraction.
    pub(super) fn whole(&self, key: &str, default: u32, range: RangeInclusive<u32>) -> Result<u32> {
        let wide = *range.start() as f32..=*range.end() as f32;
        let value = self.number(key, default as f32, wide)?;
        if value.fract() == 0.0 {
            return Ok(value as u32);
        }
        Err(Error::model("number", format!("`{}`: `{key}` must be a whole number, not {value}", self.entry.name)))
    }

    /// A truth value written as 0 or 1, or `default`.
    ///
    /// # Errors
    /// Cause `number` for anything else.
    pub(super) fn flag(&self, key: &str, default: bool) -> Result<bool> {
        Ok(self.whole(key, u32::from(default), 0..=1)? == 1)
    }

    /// The output of `role`: the one that the manifest names, else the only one that fits.
    ///
    /// # Errors
    /// Cause `output` when there is none, several, or not the named one; `shape` when the named one does not fit.
    pub(super) fn output(
        &self,
        outputs: &[IoInfo],
        role: &str,
        wanted: &str,
        fits: impl Fn(&IoInfo) -> bool,
    ) -> Result<String> {
        if let Some(name) = self.role(role) {
            let info = declared(outputs, name, self.name())?;
            if !fits(info) {
                let found = shape_text(info);
                return Err(Error::model(
                    "shape",
                    format!("`{}`: {role} must be {wanted}, `{name}` is {found}", self.name()),
                ));
            }
            return Ok(name.to_owned());
        }
        let mut fitting = outputs.iter().filter(|o| fits(o));
        match (fitting.next(), fitting.next()) {
            (Some(only), None) => Ok(only.name.clone()),
            (None, _) => Err(Error::model(
                "output",
                format!("`{}`: no output is {wanted} ({role}); it has {}", self.name(), list(outputs)),
            )),
            (Some(_), Some(_)) => Err(Error::model(
                "output",
                format!(
                    "`{}`: several outputs are {wanted}: name one as `outputs.{role}`; it has {}",
                    self.name(),
                    list(outputs)
                ),
            )),
        }
    }
}

/// # Errors
/// Cause `task` when the manifest says that the model is for something else.
pub(super) fn check_task(entry: &ModelEntry, task: Task) -> Result<()> {
    if entry.task == task {
        return Ok(());
    }
    Err(Error::model("task", format!("`{}` is for the task {:?}, {task:?} was wanted", entry.name, entry.task)))
}

/// The number behind a role: `8` of `scores8`.
pub(super) fn stride(text: &str) -> Option<u32> {
    text.parse().ok().filter(|s| (1..=1024).contains(s))
}

/// The output that the model declares by this name.
///
/// # Errors
/// Cause `output`, naming those that there are.
pub(super) fn declared<'a>(outputs: &'a [IoInfo], name: &str, model: &str) -> Result<&'a IoInfo> {
    outputs
        .iter()
        .find(|o| o.name == name)
        .ok_or_else(|| Error::model("output", format!("`{model}` has no output `{name}`; it has {}", list(outputs))))
}

/// Extent of the last axis, when it is fixed.
pub(super) fn last(info: &IoInfo) -> Option<usize> {
    fixed(info.shape.last())
}

/// The extent, when it is fixed.
pub(super) fn fixed(extent: Option<&Extent>) -> Option<usize> {
    match extent {
        Some(Extent::Fixed(n)) => Some(*n),
        _ => None,
    }
}

fn shape_text(info: &IoInfo) -> String {
    let axes: Vec<String> = info.shape.iter().map(Extent::to_string).collect();
    format!("[{}]", axes.join(", "))
}

/// Inputs or outputs with their declared shapes, for messages.
pub(super) fn list(outputs: &[IoInfo]) -> String {
    let each: Vec<String> = outputs.iter().map(|o| format!("`{}` {}", o.name, shape_text(o))).collect();
    each.join(", ")
}

/// Outputs with the shapes that a run gave, for messages.
pub(super) fn list_given(outputs: &Outputs) -> String {
    let each: Vec<String> = outputs.iter().map(|(n, t)| format!("`{n}` {:?}", t.shape)).collect();
    each.join(", ")
}

/// Width and height of the tensor that takes pictures, where model or manifest fix them.
///
/// # Errors
/// Cause `input` when the manifest names an input that the model does not have.
pub(super) fn picture_size(entry: &ModelEntry, inputs: &[IoInfo]) -> Result<Option<Size>> {
    let picture = entry.picture.as_ref();
    let info = match picture.and_then(|p| p.input.as_deref()) {
        Some(name) => Some(inputs.iter().find(|i| i.name == name).ok_or_else(|| {
            Error::model("input", format!("`{}` has no input `{name}`; it has {}", entry.name, list(inputs)))
        })?),
        None => inputs.iter().find(|i| i.shape.len() == 4),
    };
    let given = picture.and_then(|p| p.size).map(|[w, h]| Size::new(w, h));
    let Some(info) = info else { return Ok(given) };
    let first = if picture.is_some_and(|p| p.layout == Layout::Nhwc) { 1 } else { 2 };
    let side = |axis: usize| fixed(info.shape.get(axis)).and_then(|n| u32::try_from(n).ok());
    Ok(match (side(first), side(first + 1)) {
        (Some(height), Some(width)) => Some(Size::new(width, height)),
        _ => given,
    })
}

/// Width and height of the tensor that all pictures of a batch lie in; `None` for an empty batch.
///
/// # Errors
/// Cause `shape` when they differ.
pub(super) fn tensor_size(places: &[TensorPlace]) -> Result<Option<Size>> {
    let Some(first) = places.first() else { return Ok(None) };
    match places.iter().find(|p| p.tensor != first.tensor) {
        None => Ok(Some(first.tensor)),
        Some(other) => Err(Error::model(
            "shape",
            format!("the pictures of a batch lie in tensors of {} and {}", first.tensor, other.tensor),
        )),
    }
}

/// An output as `rows` rows of `width` numbers for each element of the batch.
#[derive(Debug)]
pub(super) struct Dense<'a> {
    data: Cow<'a, [f32]>,
    /// Rows of one element.
    pub(super) rows: usize,
    /// Numbers of a row: the last axis.
    pub(super) width: usize,
}

impl<'a> Dense<'a> {
    /// Reads `[batch, …, width]`; `[rows, width]` too when the batch is one picture.
    ///
    /// # Errors
    /// Cause `shape`.
    pub(super) fn rows(name: &str, tensor: &'a Tensor, batch: usize) -> Result<Self> {
        let wrong = || {
            Error::model(
                "shape",
                format!("`{name}` must be [{batch}, rows, numbers], the model gave {:?}", tensor.shape),
            )
        };
        let (width, rest) = tensor.shape.split_last().ok_or_else(wrong)?;
        let rows = match rest {
            [n, middle @ ..] if *n == batch && !middle.is_empty() => middle.iter().product(),
            [rows] if batch == 1 => *rows,
            _ => return Err(wrong()),
        };
        Self::checked(tensor, batch, rows, *width).ok_or_else(wrong)
    }

    /// Reads one vector an element: `[batch, …]`, all axes behind the first together; `[numbers]` too when the batch is one picture.
    ///
    /// # Errors
    /// Cause `shape`.
    pub(super) fn vectors(name: &str, tensor: &'a Tensor, batch: usize) -> Result<Self> {
        let wrong =
            || Error::model("shape", format!("`{name}` must be [{batch}, numbers], the model gave {:?}", tensor.shape));
        let width = match tensor.shape.as_slice() {
            [n, rest @ ..] if *n == batch && !rest.is_empty() => rest.iter().product(),
            [width] if batch == 1 => *width,
            // One number an element and no axis for it.
            [n] if *n == batch => 1,
            [] if batch == 1 => 1,
            _ => return Err(wrong()),
        };
        Self::checked(tensor, batch, 1, width).ok_or_else(wrong)
    }

    fn checked(tensor: &'a Tensor, batch: usize, rows: usize, width: usize) -> Option<Self> {
        let data = tensor.to_f32();
        let wanted = batch.checked_mul(rows)?.checked_mul(width)?;
        (width > 0 && data.len() == wanted).then_some(Self { data, rows, width })
    }

    /// The numbers of element `index` of the batch; none behind the last.
    pub(super) fn element(&self, index: usize) -> &[f32] {
        let len = self.rows * self.width;
        self.data.get(index * len..(index + 1) * len).unwrap_or_default()
    }

    /// Row `row` of element `index` of the batch; empty behind the last.
    pub(super) fn row(&self, index: usize, row: usize) -> &[f32] {
        self.element(index).get(row * self.width..(row + 1) * self.width).unwrap_or_default()
    }
}
