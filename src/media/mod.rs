//! Media: probe, decode, encode, audio, image pools. `ffmpeg_next::` appears in this folder only.
//!
//! Reading: [`probe`] tells what a file declares, [`VideoDecoder`] gives the frames of one video track as the decoder
//! made them (YUV stays YUV) and, at the end, a [`Verdict`] that compares what was declared with what came out.
//! FFmpeg never gets a path or a URL: files are opened here and handed over as bytes, see `avio`.

mod allow;
mod avframe;
mod avio;
mod codec;
mod color;
mod convert;
mod decode;
mod demux;
mod feed;
mod ffmpeg;
mod hardware;
pub mod isolate;
mod local;
mod packet;
mod picture;
mod pixels;
mod present;
mod probe;
pub mod share;
mod streams;
mod structure;
mod timeline;
mod track;
mod turn;
mod verdict;

pub use decode::{DecodeOptions, VideoDecoder};
pub use ffmpeg::{codec_support, ffmpeg_versions};
pub use hardware::HardwareDecode;
pub use isolate::Isolation;
pub use picture::DecodedFrame;
pub use probe::{AudioStream, ColorInfo, MediaInfo, VideoStream, probe};
pub use share::{Sharing, SharingCounts, SharingOptions};
pub use verdict::{Status, TimeRange, Verdict};

pub mod audio;
mod blocks;
pub mod encode;
mod encoder;
mod ffmpeg_out;
mod files;
pub mod filter;
pub mod folder;
pub mod images;
mod join;
mod jpeg;
mod mux;
mod planes;
pub mod remux;
mod resample;
pub mod retime;
mod sound;
pub mod wav;

pub use audio::{AudioBlock, AudioGap, AudioOptions, AudioReader, GapPolicy};
pub use encode::{AudioCopy, Codec, OddSize, Plane, RateControl, VideoWriter, WriteSummary, WriterOptions};
pub use filter::FilterGraph;
pub use folder::{FolderFrame, FolderFrames, ImageList, ListOptions, Skipped, list_images};
pub use images::{
    DecodeHint, DecodedImage, ImageFormat, ImageInfo, JpegPlanes, decode_image, decode_image_bytes, decode_jpeg_planes,
    encode_jpeg, image_info, read_image,
};
pub use join::{JoinOptions, JoinPiece, Joined, join_videos};
pub use remux::{CopiedPiece, CopyOptions, CopyPiece, KeyFrames, copy_pieces, key_frames};
pub use retime::{NextSamples, RetimeOptions, Retimed, SoundChange, retime};
pub use sound::SoundOptions;
pub use wav::{SampleFormat, WavSummary, WavWriter, extract_wav_in};
// The names of this room that only have a path to work with; defined above it, because that needs `store`.
pub use crate::to_disk::extract_wav;
