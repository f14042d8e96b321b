//! Outputs that come once per level of a feature pyramid: which one is what, by number of cells and width.

use super::fit::{Dense, Settings, declared, last, list, list_given, stride, tensor_size};
use crate::core::{Size, TensorPlace};
use crate::error::{Error, Result};
use crate::infer::{IoInfo, Outputs};

/// What a head gives for each cell of a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Role in the manifest, before the stride.
    pub(super) role: &'static str,
    /// Numbers of a row.
    pub(super) width: usize,
}

/// Parts on levels. Outputs are found anew in every run, because models of dynamic size declare no number of cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pyramid {
    parts: Vec<Part>,
    strides: Vec<u32>,
    /// Rows of a cell.
    per_cell: usize,
    /// Names by stride, then part, when the manifest gives them.
    named: Option<Vec<Vec<String>>>,
}

/// One level in one run.
#[derive(Debug)]
pub(super) struct Level<'a> {
    /// Pixels of the tensor from cell to cell.
    pub(super) stride: f32,
    /// Rows of numbers in a line of cells.
    line: usize,
    per_cell: usize,
    /// Number of this level's first row among those of all levels.
    pub(super) first: usize,
    /// Rows of numbers, one for each part.
    pub(super) parts: Vec<Dense<'a>>,
}

/// Cells across and down: networks halve a side with half of a pixel rounded up.
pub(super) fn grid(size: Size, stride: u32) -> (usize, usize) {
    let stride = stride.max(1);
    (size.width.div_ceil(stride) as usize, size.height.div_ceil(stride) as usize)
}

/// Cells of all levels.
pub(super) fn cells(size: Size, strides: &[u32]) -> usize {
    strides.iter().map(|s| grid(size, *s)).map(|(columns, rows)| columns * rows).sum()
}

impl Pyramid {
    /// Finds the levels: by roles with a stride behind them (`boxes8`), else by how many outputs have which width, the finest level at
    /// stride 8 and each next one twice as coarse.
    ///
    /// # Errors
    /// Cause `output` when outputs are missing, or are too many to be told apart.
    pub(super) fn new(settings: &Settings<'_>, outputs: &[IoInfo], parts: &[Part], per_cell: usize) -> Result<Self> {
        let mut strides: Vec<u32> = settings
            .roles()
            .filter_map(|(role, _)| parts.iter().find_map(|p| role.strip_prefix(p.role).and_then(stride)))
            .collect();
        strides.sort_unstable();
        strides.dedup();
        let parts = parts.to_vec();
        if !strides.is_empty() {
            let names =
                |s: &u32| parts.iter().map(|p| named(settings, outputs, *p, *s)).collect::<Result<Vec<String>>>();
            let named = Some(strides.iter().map(names).collect::<Result<Vec<_>>>()?);
            return Ok(Self { parts, strides, per_cell, named });
        }
        let mut levels = Vec::new();
        for part in &parts {
            let found = outputs.iter().filter(|o| last(o) == Some(part.width)).count();
            let sharing = parts.iter().filter(|p| p.width == part.width).count();
            if found == 0 || found % sharing != 0 {
                return Err(missing(settings, outputs, &parts));
            }
            levels.push(found / sharing);
        }
        let count = *levels.first().ok_or_else(|| missing(settings, outputs, &parts))?;
        if levels.iter().any(|l| *l != count) || count > 6 {
            return Err(missing(settings, outputs, &parts));
        }
        strides = (0..count as u32).map(|i| 8 << i).collect();
        Ok(Self { parts, strides, per_cell, named: None })
    }

    /// The levels in what a run gave for `places`, all of which have tensors of one size.
    ///
    /// # Errors
    /// Cause `shape` when an output has not as many rows as its level has cells, or `output` when it is not there.
    pub(super) fn levels<'a>(&self, outputs: &'a Outputs, places: &[TensorPlace]) -> Result<Vec<Level<'a>>> {
        let Some(size) = tensor_size(places)? else { return Ok(Vec::new()) };
        let mut levels = Vec::with_capacity(self.strides.len());
        let mut first = 0;
        for (index, stride) in self.strides.iter().enumerate() {
            let (columns, lines) = grid(size, *stride);
            let rows = columns * lines * self.per_cell;
            let parts = match self.named.as_ref().and_then(|n| n.get(index)) {
                Some(names) => self.by_name(outputs, names, places.len(), rows)?,
                None => self.by_shape(outputs, places.len(), rows, (size, *stride))?,
            };
            let line = columns * self.per_cell;
            levels.push(Level { stride: *stride as f32, line, per_cell: self.per_cell, first, parts });
            first += rows;
        }
        Ok(levels)
    }

    fn by_name<'a>(&self, outputs: &'a Outputs, names: &[String], batch: usize, rows: usize) -> Result<Vec<Dense<'a>>> {
        let one = |(name, part): (&String, &Part)| {
            let tensor = outputs.get(name)?;
            let dense = Dense::rows(name, tensor, batch)?;
            if dense.rows == rows && dense.width == part.width {
                return Ok(dense);
            }
            let width = part.width;
            Err(Error::model(
                "shape",
                format!("`{name}` must be [{batch}, {rows}, {width}], the model gave {:?}", tensor.shape),
            ))
        };
        names.iter().zip(&self.parts).map(one).collect()
    }

    fn by_shape<'a>(
        &self,
        outputs: &'a Outputs,
        batch: usize,
        rows: usize,
        (size, stride): (Size, u32),
    ) -> Result<Vec<Dense<'a>>> {
        let fitting = |width: usize| {
            outputs.iter().filter_map(move |(name, tensor)| {
                if tensor.shape.last() != Some(&width) {
                    return None;
                }
                Dense::rows(name, tensor, batch).ok().filter(|d| d.rows == rows)
            })
        };
        let mut found = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.iter().enumerate() {
            // Parts of one width are interchangeable to their heads, else the manifest must name them.
            let earlier = self.parts.iter().take(index).filter(|p| p.width == part.width).count();
            let sharing = self.parts.iter().filter(|p| p.width == part.width).count();
            let dense = fitting(part.width).nth(earlier).filter(|_| fitting(part.width).count() == sharing);
            found.push(dense.ok_or_else(|| {
                Error::model(
                    "shape",
                    format!(
                        "a tensor of {size} has {rows} rows at stride {stride}, so {sharing} output(s) must be \
                         [{batch}, {rows}, {}]; the model gave {}",
                        part.width,
                        list_given(outputs)
                    ),
                )
            })?);
        }
        Ok(found)
    }
}

impl Level<'_> {
    /// Column and line of the cell of a row.
    pub(super) fn cell(&self, row: usize) -> (f32, f32) {
        let line = self.line.max(1);
        ((row % line / self.per_cell.max(1)) as f32, (row / line) as f32)
    }

    /// Rows of the level.
    fn rows(&self) -> usize {
        self.parts.first().map_or(0, |p| p.rows)
    }
}

/// The level of a row that is counted over all levels, and its number there.
pub(super) fn level_of<'l, 'a>(levels: &'l [Level<'a>], row: usize) -> Option<(&'l Level<'a>, usize)> {
    levels.iter().find_map(|l| row.checked_sub(l.first).filter(|r| *r < l.rows()).map(|r| (l, r)))
}

fn named(settings: &Settings<'_>, outputs: &[IoInfo], part: Part, stride: u32) -> Result<String> {
    let role = format!("{}{stride}", part.role);
    let name = settings.role(&role).ok_or_else(|| {
        Error::model("output", format!("`{}`: the manifest names no output `{role}`", settings.name()))
    })?;
    let info = declared(outputs, name, settings.name())?;
    match last(info) {
        Some(width) if width != part.width => Err(Error::model(
            "shape",
            format!("`{}`: `{role}` must have {} numbers a row, `{name}` has {width}", settings.name(), part.width),
        )),
        _ => Ok(name.to_owned()),
    }
}

fn missing(settings: &Settings<'_>, outputs: &[IoInfo], parts: &[Part]) -> crate::error::Error {
    let wanted: Vec<String> = parts.iter().map(|p| format!("{} [N, cells, {}]", p.role, p.width)).collect();
    let example: Vec<String> = parts.iter().map(|p| format!("`outputs.{}8`", p.role)).collect();
    Error::model(
        "output",
        format!(
            "`{}`: each level must have {}; it has {}. Name them as {} and so on",
            settings.name(),
            wanted.join(", "),
            list(outputs),
            example.join(", ")
        ),
    )
}
