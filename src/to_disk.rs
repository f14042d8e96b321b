//! The writers of `media` onto the operating system's files, for callers who only have a path.
//!
//! This stands above both rooms: `media` writes to any [`crate::core::OutputSink`] and does not know `store`, which implements it.

use std::path::Path;

use crate::error::Result;
use crate::media::{
    AudioCopy, AudioOptions, SampleFormat, VideoWriter, WavSummary, WavWriter, WriterOptions, extract_wav_in,
};
use crate::store::OsIo;

impl VideoWriter {
    /// [`VideoWriter::create_in`] the file system: a temporary file in the folder of `path`, which [`VideoWriter::finish`] flushes
    /// to disk and renames.
    pub fn create(path: impl AsRef<Path>, options: &WriterOptions, audio: Option<&AudioCopy>) -> Result<Self> {
        Self::create_in(&OsIo, path, options, audio)
    }
}

impl WavWriter {
    /// [`WavWriter::create_in`] the file system: a temporary file in the folder of `path`, which [`WavWriter::finish`] flushes to
    /// disk and renames.
    pub fn create(path: impl AsRef<Path>, rate: u32, channels: u16, format: SampleFormat) -> Result<Self> {
        Self::create_in(&OsIo, path, rate, channels, format)
    }
}

/// [`extract_wav_in`] the file system.
pub fn extract_wav(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    options: &AudioOptions,
    format: SampleFormat,
) -> Result<WavSummary> {
    extract_wav_in(&OsIo, input, output, options, format)
}
