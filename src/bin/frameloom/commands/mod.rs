//! One file per command.

pub(crate) mod analyze;
pub(crate) mod audio;
pub(crate) mod bench;
pub(crate) mod cards;
pub(crate) mod check;
pub(crate) mod chunk_run;
pub(crate) mod collage;
pub(crate) mod config;
pub(crate) mod curate;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod heatmap;
pub(crate) mod index;
pub(crate) mod man;
pub(crate) mod merge;
#[cfg(feature = "onnx")]
pub(crate) mod models;
pub(crate) mod ops;
pub(crate) mod pipeline;
pub(crate) mod probe;
pub(crate) mod split;
#[cfg(feature = "onnx")]
pub(crate) mod sync;
pub(crate) mod track;
pub(crate) mod typed;
pub(crate) mod worker;
