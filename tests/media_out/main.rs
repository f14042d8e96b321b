//! The writing half of `media`: encoded files, audio, pictures, folders, looked at from outside with `ffprobe`.
#![cfg(feature = "ffmpeg")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod audio;
mod damage;
mod encode;
mod folder;
mod images;
mod retime;
mod support;
