//! What a report page is made of.

use serde::Serialize;

use super::base64;
use super::table::{Cell, ColumnType, Table};

/// What a colour says. It is never the only sign: text says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Nothing in particular.
    #[default]
    Neutral,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong.
    Bad,
}

impl Tone {
    /// Class in the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "neutral",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// A key figure.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Tile {
    label: String,
    value: String,
    unit: String,
    note: String,
    tone: Tone,
    spark: String,
}

impl Tile {
    /// A figure with its name.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into(), ..Self::default() }
    }

    /// Its unit, written small behind it.
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// A line below.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Its colour.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// A small line of the values over time.
    pub fn spark(mut self, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        self.spark = super::svg::sparkline(values);
        self
    }
}

/// A picture in a grid, embedded.
#[derive(Debug, Clone, Serialize)]
pub struct ImageItem {
    uri: String,
    caption: String,
    note: String,
    tone: Tone,
    wide: bool,
}

impl ImageItem {
    /// A PNG file's bytes.
    pub fn png(bytes: &[u8], caption: impl Into<String>) -> Self {
        Self::new("image/png", bytes, caption.into())
    }

    /// A JPEG file's bytes.
    pub fn jpeg(bytes: &[u8], caption: impl Into<String>) -> Self {
        Self::new("image/jpeg", bytes, caption.into())
    }

    fn new(kind: &str, bytes: &[u8], caption: String) -> Self {
        let uri = format!("data:{kind};base64,{}", base64::encode(bytes));
        Self { uri, caption, note: String::new(), tone: Tone::Neutral, wide: false }
    }

    /// A second line, such as why a frame was kept.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// The colour of its frame.
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// Takes the whole width of the page instead of a cell of the grid.
    pub fn wide(mut self) -> Self {
        self.wide = true;
        self
    }
}

/// One entry of a list of notes.
#[derive(Debug, Clone, Serialize)]
pub struct Note {
    tone: Tone,
    text: String,
}

impl Note {
    /// A note.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

#[derive(Debug, Clone, Serialize)]
struct Head {
    name: String,
    unit: String,
    number: bool,
}

/// A table as text.
#[derive(Debug, Clone, Default, Serialize)]
pub struct HtmlTable {
    caption: String,
    head: Vec<Head>,
    rows: Vec<Vec<String>>,
    more: String,
}

impl HtmlTable {
    /// An empty table.
    pub fn new(caption: impl Into<String>) -> Self {
        Self { caption: caption.into(), ..Self::default() }
    }

    /// Adds a column of text.
    pub fn text(mut self, name: impl Into<String>) -> Self {
        self.head.push(Head { name: name.into(), unit: String::new(), number: false });
        self
    }

    /// Adds a column of numbers, with their unit (or "").
    pub fn number(mut self, name: impl Into<String>, unit: impl Into<String>) -> Self {
        self.head.push(Head { name: name.into(), unit: unit.into(), number: true });
        self
    }

    /// Adds a row of one cell per column; a shorter one is filled up with empty cells, a longer one is cut.
    pub fn row<T: Into<String>>(mut self, cells: impl IntoIterator<Item = T>) -> Self {
        let mut row: Vec<String> = cells.into_iter().map(Into::into).collect();
        row.resize(self.head.len(), String::new());
        self.rows.push(row);
        self
    }

    /// A line below: what is not shown, and where it is.
    pub fn more(mut self, text: impl Into<String>) -> Self {
        self.more = text.into();
        self
    }

    /// The first `most` rows of a table; `file` is where the rest is, named when there is a rest.
    pub fn of(table: &Table, caption: impl Into<String>, most: usize, file: &str) -> Self {
        let mut out = Self::new(caption);
        for column in &table.schema().columns {
            out = match column.kind {
                ColumnType::Bool | ColumnType::Str => out.text(&column.name),
                _ => out.number(&column.name, if column.unit == "1" { "" } else { &column.unit }),
            };
        }
        let columns = out.head.len();
        for row in 0..table.rows().min(most) {
            out = out.row((0..columns).map(|column| cell_text(table.cell(row, column))));
        }
        match table.rows().checked_sub(most) {
            None | Some(0) => out,
            Some(rest) => out.more(format!("{rest} more rows in {file}")),
        }
    }
}

/// Text for people: floats rounded to about four digits, a dash for null.
fn cell_text(cell: Cell) -> String {
    match cell {
        Cell::Null => "\u{2013}".into(),
        Cell::U64(x) => x.to_string(),
        Cell::I64(x) => x.to_string(),
        Cell::F64(0.0) => "0".into(),
        Cell::F64(x) if x.abs() >= 1e7 || x.abs() < 1e-4 => format!("{x:.3e}"),
        Cell::F64(x) => {
            let digits = (3.0 - x.abs().log10().floor()).clamp(0.0, 7.0) as usize;
            format!("{x:.digits$}")
        }
        Cell::Bool(x) => if x { "yes" } else { "no" }.into(),
        Cell::Str(x) => x,
    }
}
