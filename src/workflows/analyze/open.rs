//! Opens what a user names: a video file, or a folder of pictures.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::run::AnalyzeInput;
use crate::core::{CancelToken, Limits, Rational};
use crate::error::{Error, Result};
use crate::media::{
    DecodeHint, DecodeOptions, FolderFrames, HardwareDecode, Isolation, ListOptions, Sharing, Skipped, VideoDecoder,
    VideoStream, image_info, list_images,
};
use crate::pipeline::{FolderSource, VideoEnd, VideoSource};
use crate::store::Fingerprint;

/// How to open inputs.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Position of the video track.
    pub track: usize,
    /// Decoder threads.
    pub threads: u32,
    /// Hardware decoding.
    pub hardware: HardwareDecode,
    /// Limits for untrusted input.
    pub limits: Limits,
    /// Frame rate of picture folders.
    pub fps: u32,
    /// Decode videos in processes of their own.
    pub isolation: Option<Isolation>,
    /// Decode once for several readers, see [`crate::media::share`].
    pub sharing: Option<Sharing>,
    /// Stops opening and decoding.
    pub cancel: CancelToken,
}

impl Default for OpenOptions {
    /// The first track, one thread, software, the default limits, picture folders at 25 frames a second, this process.
    fn default() -> Self {
        Self {
            track: 0,
            threads: 1,
            hardware: HardwareDecode::Off,
            limits: Limits::default(),
            fps: 25,
            cancel: CancelToken::new(),
            isolation: None,
            sharing: None,
        }
    }
}

/// Opens a video file.
///
/// # Errors
/// Those of [`VideoDecoder::open`].
pub fn open_video(path: &Path, folder: &Path, options: &OpenOptions) -> Result<AnalyzeInput> {
    let decoder = VideoDecoder::open(
        path,
        &DecodeOptions {
            track: options.track,
            threads: options.threads,
            limits: options.limits.clone(),
            hardware: options.hardware.clone(),
            cancel: options.cancel.clone(),
            isolation: options.isolation.clone(),
            sharing: options.sharing.clone(),
            ..DecodeOptions::default()
        },
    )?;
    let (info, rotation) = (decoder.media_info(), decoder.rotation());
    let fingerprint = Fingerprint::of_file(path, &options.cancel)?.to_string();
    let stream = info.video_streams.get(options.track);
    let layout = stream.and_then(VideoStream::layout);
    let shared = options.isolation.as_ref().zip(layout).map_or(0, |(i, layout)| i.shared_bytes(&layout));
    let source_bytes = stream.map_or(0, |s| s.decoder_bytes(options.threads)) + shared;
    let (source, end) = VideoSource::new(decoder);
    Ok(AnalyzeInput {
        path: path.to_path_buf(),
        folder: folder.to_path_buf(),
        source: Box::new(source),
        info: Some(info),
        track: options.track,
        rotation,
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
            match image_info(path, &options.limits) {
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
    let list = list_images(path, ListOptions::default(), &options.limits)?;
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
        let one = Fingerprint::of_file(file, &options.cancel)?;
        hash.update(file.file_name().unwrap_or_default().as_encoded_bytes()).update(one.to_string().as_bytes());
    }
    let end = Arc::new(Mutex::new(VideoEnd::default()));
    let rate = Rational { num: i32::try_from(options.fps).unwrap_or(25), den: 1 };
    let frames = FolderFrames::new(files, rate, 0, options.limits.clone(), DecodeHint::default())?;
    Ok(AnalyzeInput {
        path: path.to_path_buf(),
        folder: folder.to_path_buf(),
        source: Box::new(FolderSource::new(frames, skipped, Arc::clone(&end))),
        info: None,
        track: 0,
        rotation: 0,
        end,
        fingerprint: format!("pictures {} fps {}", hash.finalize().to_hex(), options.fps),
        // One picture at a time, at most as large as the limits allow; its real size is not known before it is decoded.
        source_bytes: 0,
        layout: None,
    })
}
