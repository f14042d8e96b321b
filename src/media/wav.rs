//! WAV files: a 44-byte header and interleaved samples, written atomically; and an audio track as one.

use std::io::{SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::audio::{AudioGap, AudioOptions, AudioReader};
use crate::core::{OutputFile, OutputSink, Written};
use crate::error::{Error, Result};

/// Bytes of the header.
const HEADER: u32 = 44;

/// Samples of a WAV file.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SampleFormat {
    /// 16-bit integers.
    #[default]
    I16,
    /// 32-bit floats.
    F32,
}

impl SampleFormat {
    const fn bytes(self) -> u16 {
        match self {
            Self::I16 => 2,
            Self::F32 => 4,
        }
    }

    /// Format code of the `fmt ` chunk: PCM or IEEE float.
    const fn tag(self) -> u16 {
        match self {
            Self::I16 => 1,
            Self::F32 => 3,
        }
    }
}

/// A sample in -1..=1 as a 16-bit integer: scaled by 32768, rounded to nearest (ties to even), kept in range; NaN is 0.
pub fn to_i16(sample: f32) -> i16 {
    (sample * 32768.0).round_ties_even() as i16
}

/// Writes one WAV file. It appears under its name only on [`WavWriter::finish`]; dropped before, nothing is left.
#[derive(Debug)]
pub struct WavWriter {
    file: Box<dyn OutputFile>,
    path: PathBuf,
    format: SampleFormat,
    rate: u32,
    channels: u16,
    data_bytes: u64,
}

impl WavWriter {
    /// Starts a file of `outputs` with `channels` interleaved channels at `rate` Hz, both at least 1.
    pub fn create_in(
        outputs: &(impl OutputSink + ?Sized),
        path: impl AsRef<Path>,
        rate: u32,
        channels: u16,
        format: SampleFormat,
    ) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        if rate == 0 || channels == 0 {
            return Err(Error::Parameter {
                op: "media/wav",
                name: "rate, channels",
                wanted: "at least 1".into(),
                given: format!("{rate} Hz, {channels} channels"),
            });
        }
        let file = outputs.create_output(&path)?;
        let mut writer = Self { file, path, format, rate, channels, data_bytes: 0 };
        let header = writer.header();
        writer.put(&header)?;
        Ok(writer)
    }

    fn header(&self) -> Vec<u8> {
        let data = u32::try_from(self.data_bytes).unwrap_or(u32::MAX);
        let block = self.channels.saturating_mul(self.format.bytes());
        let mut h = Vec::with_capacity(HEADER as usize);
        h.extend(b"RIFF");
        h.extend((HEADER - 8).saturating_add(data).to_le_bytes());
        h.extend(b"WAVEfmt ");
        h.extend(16u32.to_le_bytes());
        h.extend(self.format.tag().to_le_bytes());
        h.extend(self.channels.to_le_bytes());
        h.extend(self.rate.to_le_bytes());
        h.extend(self.rate.saturating_mul(u32::from(block)).to_le_bytes());
        h.extend(block.to_le_bytes());
        h.extend((8 * self.format.bytes()).to_le_bytes());
        h.extend(b"data");
        h.extend(data.to_le_bytes());
        h
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|e| Error::storage("write", &self.path, e))
    }

    /// Appends interleaved samples in -1..=1. The file format ends at 4 GiB: more is an error.
    pub fn write(&mut self, samples: &[f32]) -> Result<()> {
        let more = samples.len() as u64 * u64::from(self.format.bytes());
        let limit = u64::from(u32::MAX - HEADER);
        if self.data_bytes + more > limit {
            return Err(Error::Usage {
                message: format!("a WAV file holds at most {limit} bytes of samples, got more"),
                hint: Some("use a lower rate, fewer channels, 16-bit samples or a shorter piece".into()),
            });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(more).unwrap_or(0));
        match self.format {
            SampleFormat::I16 => bytes.extend(samples.iter().flat_map(|s| to_i16(*s).to_le_bytes())),
            SampleFormat::F32 => bytes.extend(samples.iter().flat_map(|s| s.to_le_bytes())),
        }
        self.put(&bytes)?;
        self.data_bytes += more;
        Ok(())
    }

    /// Completes the header, flushes to disk and gives the file its name. Returns its length in bytes.
    pub fn finish(self) -> Result<u64> {
        Ok(self.close()?.bytes)
    }

    /// Like [`Self::finish`], and gives the BLAKE3 of the file too.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn close(mut self) -> Result<Written> {
        let header = self.header();
        let failed = |e| Error::storage("write", &self.path, e);
        self.file.seek(SeekFrom::Start(0)).map_err(failed)?;
        self.file.write_all(&header).map_err(failed)?;
        self.file.commit()
    }
}

/// What [`extract_wav_in`] wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct WavSummary {
    /// Length of the file in bytes.
    pub bytes: u64,
    /// BLAKE3 of the file.
    pub blake3: [u8; 32],
    /// Samples per channel.
    pub samples: u64,
    /// Presentation time of the first sample on the clock of the container, in samples of the output rate.
    pub start: i64,
    /// Jumps of the timestamps (the first 1000).
    pub gaps: Vec<AudioGap>,
    /// Damaged packets and frames.
    pub damaged: u64,
}

/// Writes one audio track of `input` as a WAV file of `outputs`. A track without a single sample is an error, and no file is
/// written.
pub fn extract_wav_in(
    outputs: &(impl OutputSink + ?Sized),
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    options: &AudioOptions,
    format: SampleFormat,
) -> Result<WavSummary> {
    let input = input.as_ref();
    let mut reader = AudioReader::open(input, options)?;
    let mut wav = WavWriter::create_in(outputs, output, options.rate, options.channels, format)?;
    let mut start = None;
    let mut samples = 0;
    while let Some(block) = reader.next_block()? {
        start.get_or_insert(block.start);
        samples += block.len() as u64;
        wav.write(&block.samples)?;
    }
    let Some(start) = start else {
        let why = reader.damage().first().map_or("it holds no samples", String::as_str);
        let reason = format!("nothing could be decoded of audio track {} ({why})", options.track);
        return Err(Error::InputCorrupt { path: input.to_path_buf(), reason });
    };
    let Written { bytes, blake3 } = wav.close()?;
    Ok(WavSummary { bytes, blake3, samples, start, gaps: reader.gaps().to_vec(), damaged: reader.damaged() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_and_samples_are_as_the_format_says() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.wav");
        let mut w = WavWriter::create(&path, 16_000, 2, SampleFormat::I16).unwrap();
        w.write(&[0.5, -1.0, 1.0, f32::NAN]).unwrap();
        assert_eq!(w.finish().unwrap(), 52);
        let b = std::fs::read(&path).unwrap();
        assert_eq!(&b[..4], b"RIFF");
        assert_eq!(u32::from_le_bytes(b[4..8].try_into().unwrap()), 44);
        assert_eq!(u32::from_le_bytes(b[28..32].try_into().unwrap()), 64_000);
        assert_eq!(u32::from_le_bytes(b[40..44].try_into().unwrap()), 8);
        let s: Vec<i16> = b[44..].chunks(2).map(|c| i16::from_le_bytes([c[0], c[1]])).collect();
        assert_eq!(s, [16_384, -32_768, 32_767, 0]);
    }

    #[test]
    fn every_16_bit_value_survives_the_float_round_trip() {
        for v in i16::MIN..=i16::MAX {
            assert_eq!(to_i16(f32::from(v) / 32768.0), v);
        }
    }
}
