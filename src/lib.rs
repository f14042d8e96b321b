//! **Frameloom** is a GPU-first compute library for video and frames.
//!
//! WGSL compute kernels do the pixel work; a host-side scheduler feeds decoded frames to them, and to models and indexes.
//! The rooms, from the bottom up:
//!
//! | module | what is in it |
//! |---|---|
//! | [`core`] | geometry, pixel formats and colour, frame layout and time, limits, byte budgets: no I/O, no GPU |
//! | [`reference`](mod@reference) | plain-loop oracles of all operations |
//! | [`gpu`] | device, kernels, buffers, upload and readback rings |
//! | [`ops`] | the catalogue: one operation a file, `plan` then `record` |
//! | `media` | probe, decode, encode, audio, image pools (feature `ffmpeg`) |
//! | `store` | atomic commit, journal, run key, cache (feature `store`) |
//! | [`index`] | nearest vectors: exact on the host or the GPU, or through FAISS (feature `faiss`) |
//! | `infer` | networks through ONNX Runtime (feature `onnx`) |
//! | `config` | settings from files, environment and flags over typed defaults (feature `config`) |
//! | [`pipeline`] | the scheduler: bounded, ordered, cancellable |
//! | `report` | tables, plots, single-file HTML (feature `report`) |
//! | `workflows` | what users run (feature `workflows`) |
//!
//! Nothing here is global: a [`gpu::GpuContext`] is made once and passed along.

#[cfg(feature = "config")]
pub mod config;
pub mod core;
pub mod error;
pub mod gpu;
pub mod index;
pub mod ops;
pub mod pipeline;
pub mod reference;

#[cfg(feature = "onnx")]
pub mod infer;
#[cfg(feature = "ffmpeg")]
pub mod media;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "ffmpeg")]
mod to_disk;
#[cfg(feature = "workflows")]
pub mod workflows;

pub use error::{Error, GpuError, Result, StateError, WorkerCause};

/// The examples of the README compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct ReadmeDocTests;
