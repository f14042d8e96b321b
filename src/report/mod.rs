//! Tables, arrays, pictures, plots and the single-file HTML report.
//!
//! Everything is written into an [`std::io::Write`], so that [`crate::store::commit`] drives it, and the same input gives the
//! same bytes. A float that is not finite is never written: it becomes null and is counted.
//!
//! | use | types |
//! |---|---|
//! | rows, one at a time, into JSONL + CSV + Parquet | [`TableSink`], [`Schema`], [`Cell`] |
//! | a table in memory, read back from Parquet | [`Table`], [`read_parquet`] |
//! | arrays | [`write_npy`], [`read_npy`] |
//! | pictures | [`encode_png`], [`heat_rgb`], [`Colormap`] |
//! | plots | [`LinePlot`], [`Histogram`], [`sparkline`] |
//! | the page that people open | [`Page`] |

mod axis;
mod base64;
mod card;
mod colormap;
mod csv;
mod decimate;
mod frame;
mod histogram;
mod html;
mod html_blocks;
mod jsonl;
mod npy;
mod parquet;
mod parquet_read;
mod png;
mod sink;
mod svg;
mod table;

pub use card::Card;
pub use colormap::{Colormap, heat_rgb};
pub use csv::CsvTable;
pub use histogram::Histogram;
pub use html::Page;
pub use html_blocks::{HtmlTable, ImageItem, Note, Tile, Tone};
pub use jsonl::JsonlTable;
pub use npy::{NpyArray, NpyElement, read_npy, write_npy};
pub use parquet::ParquetTable;
pub use parquet_read::read_parquet;
pub use png::{PngFormat, encode_png};
pub use sink::{SinkDone, TableFormats, TableSink};
pub use svg::{Band, LinePlot, Marker, Series, XAxis, sparkline};
pub use table::{Cell, ColumnSpec, ColumnType, Schema, Table};
