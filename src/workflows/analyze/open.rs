//! Opens what a user names: a video file, or a folder of pictures.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::run::AnalyzeInput;
use crate::core::Rational;
use crate::error::{Error, Result};
use crate::media::{
    DecodeHint, DecodeOptions, FolderFrames, ListOptions, Skipped, VideoDecoder, image_info, list_images,
};
use crate::pipeline::{FolderSource, VideoEnd, VideoSource};
use crate::store::Fingerprint;
use crate::workflows::video::content_id;

/// How to open inputs.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// How videos are decoded; its limits hold for pictures too.
    pub decode: DecodeOptions,
    /// Frame rate of picture folders.
    pub fps: u32,
}

impl Default for OpenOptions {
    /// Videos as [`DecodeOptions`] says, picture folders at 25 frames a second.
    fn default() -> Self {
        Self { decode: DecodeOptions::default(), fps: 25 }
    }
}

/// Opens a video file.
///
/// # Errors
/// Those of [`VideoDecoder::open`].
pub fn open_video(path: &Path, folder: &Path, options: &OpenOptions) -> Result<AnalyzeInput> {
    let DecodeOptions { track, threads, isolation, .. } = &options.decode;
    let decoder = VideoDecoder::open(path, &options.decode)?;
    let info = decoder.media_info();
    let stream = info.video_streams.get(*track);
    let fingerprint = content_id(path, &options.decode, stream)?;
    let layout = stream.and_then(|s| options.decode.layout_of(s));
    let shared = isolation.as_ref().zip(layout).map_or(0, |(i, layout)| i.shared_bytes(&layout));
    let source_bytes = stream.map_or(0, |s| s.decoder_bytes(*threads)) + shared;
    let (source, end) = VideoSource::new(decoder);
    Ok(AnalyzeInput {
        path: path.to_path_buf(),
        folder: folder.to_path_buf(),
        source: Box::new(source),
        info: Some(info),
        track: *track,
        end,
        fingerprint,
        source_bytes,
        layout,
    })
}

/// Opens whatever `path` names: a folder of pictures, a video file, or a single picture.
///
/// # Errors
/// Those of [`open_folder`] and [`open_video`]; for a picture those of its header.
pub fn open_input(path: &Path, folder: &Path, options: &OpenOptions) -> Result<AnalyzeInput> {
    if path.is_dir() {
        return open_folder(path, folder, options);
    }
    match open_video(path, folder, options) {
        Err(e @ (Error::InputUnsupported { .. } | Error::InputCorrupt { .. })) => {
            match image_info(path, &options.decode.limits) {
                Ok(_) => pictures(path, folder, vec![path.to_path_buf()], Vec::new(), options),
                // Not a picture either: what the video side said stands.
                Err(Error::InputUnsupported { .. } | Error::InputNotFound { .. }) => Err(e),
                Err(picture) => Err(picture),
            }
        }
        other => other,
    }
}

/// Opens a folder of pictures as a video, in natural order of names. Pictures of another size begin a new heat map.
///
/// # Errors
/// [`Error::InputUnsupported`] when there is no picture in the folder.
pub fn open_folder(path: &Path, folder: &Path, options: &OpenOptions) -> Result<AnalyzeInput> {
    let list = list_images(path, ListOptions::default(), &options.decode.limits)?;
    if list.files.is_empty() {
        return Err(Error::InputUnsupported {
            path: path.to_path_buf(),
            what: "a folder without pictures".into(),
            hint: Some("give a video file, or a folder with JPEG, PNG, WebP, BMP, TIFF or GIF files in it".into()),
        });
    }
    pictures(path, folder, list.files, list.skipped, options)
}

fn pictures(
    path: &Path,
    folder: &Path,
    files: Vec<PathBuf>,
    skipped: Vec<Skipped>,
    options: &OpenOptions,
) -> Result<AnalyzeInput> {
    let mut hash = blake3::Hasher::new();
    for file in &files {
        let one = Fingerprint::of_file(file, &options.decode.cancel)?;
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes()).update(one.to_string().as_bytes());
    }
    let end = Arc::new(Mutex::new(VideoEnd::default()));
    let rate = Rational { num: i32::try_from(options.fps).unwrap_or(25), den: 1 };
    let frames = FolderFrames::new(files, rate, 0, options.decode.limits.clone(), DecodeHint::default())?;
    Ok(AnalyzeInput {
        path: path.to_path_buf(),
        folder: folder.to_path_buf(),
        source: Box::new(FolderSource::new(frames, skipped, Arc::clone(&end))),
        info: None,
        track: 0,
        end,
        fingerprint: format!("pictures {} fps {}", hash.finalize().to_hex(), options.fps),
        // One picture at a time, at most as large as the limits allow; its real size is not known before it is decoded.
        source_bytes: 0,
        layout: None,
    })
}
