//! The chunks themselves, on request, in the tree of the scripts: all of them, and again those that were accepted.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::copy;
use std::path::Path;

use super::super::cut::{Cut, CutJob, CutOptions};
use super::super::plan::{Piece, chunk_name, wav_name};
use super::super::resume::{Resumed, cut_resumed};
use super::summary::{ChunkResult, VideoSummary};
use super::tell::Results;
use super::video::SyncVideo;
use crate::error::{Error, Result};
use crate::store::{Committed, StoreIo, commit};

/// Folders of videos and sounds, and those of what was accepted.
const ALL: [&str; 2] = ["chunks", "audio"];
const ACCEPTED: [&str; 2] = ["filtered_chunks", "filtered_audio"];

/// Folders in which an interrupted run may have left something.
pub(super) const FOLDERS: [&str; 4] = [ALL[0], ALL[1], ACCEPTED[0], ACCEPTED[1]];

/// Cuts the chunks of `results` below `folder`: `chunks/chunk_000.mp4`, `audio/chunk_000.wav`. Frames and samples are encoded anew, so that both begin
/// where the chunk does. Those that an interrupted run wrote are kept.
pub(super) fn save(
    io: &dyn StoreIo,
    video: &SyncVideo,
    (folder, journal): (&Path, &Path),
    results: &Results,
) -> Result<Resumed> {
    for name in ALL {
        create(io, &folder.join(name))?;
    }
    let [videos, sounds] = ALL.map(|name| folder.join(name));
    let jobs: Vec<CutJob> = results
        .chunks
        .iter()
        .map(|c| {
            let piece = Piece { index: c.index, start: c.from, end: c.to };
            let wav = video.has_sound().then(|| sounds.join(wav_name(&piece)));
            CutJob { start: c.from, end: c.to, video: videos.join(chunk_name(&piece)), wav }
        })
        .collect();
    let options = CutOptions {
        track: video.open.decode.track,
        audio_track: video.open.audio_track,
        threads: video.open.decode.threads,
        limits: video.open.decode.limits.clone(),
        cancel: video.open.decode.cancel.clone(),
        ..CutOptions::default()
    };
    cut_resumed(io, &video.path, (folder, journal), (&jobs, &options), &mut |_| {})
}

/// Says in `summary` where the files of the chunks are, relative to `folder`.
pub(super) fn name(summary: &mut VideoSummary, cuts: &[Cut], folder: &Path) {
    let inside = |p: &Option<std::path::PathBuf>| {
        let path = p.as_ref()?;
        Some(path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned())
    };
    for chunk in &mut summary.results {
        if let Some(cut) = cuts.iter().find(|c| c.chunk_index == chunk.chunk_index) {
            chunk.video_path = inside(&cut.video_path);
            chunk.audio_path = inside(&cut.audio_path);
        }
    }
}

/// Copies what was accepted to `filtered_chunks` and `filtered_audio`; what an earlier run had accepted and this one does not is removed.
pub(super) fn accept(io: &dyn StoreIo, folder: &Path, summary: &VideoSummary) -> Result<Vec<Committed>> {
    let mut written = Vec::new();
    let path: [fn(&ChunkResult) -> &Option<String>; 2] = [|c| &c.video_path, |c| &c.audio_path];
    for (place, of) in ACCEPTED.iter().zip(path) {
        let to = folder.join(place);
        create(io, &to)?;
        let mut names = BTreeSet::new();
        for source in summary.results.iter().filter(|c| c.quality_status == "accepted").filter_map(|c| of(c).as_ref()) {
            let source = folder.join(source);
            let name = source.file_name().unwrap_or_default().to_os_string();
            let mut from = File::open(&source).map_err(|e| Error::storage("read", &source, e))?;
            written.push(commit(io, to.join(&name), |w| copy(&mut from, w).map(|_| ()))?);
            names.insert(name);
        }
        let dir = io.open_dir(&to).map_err(|e| Error::storage("open", &to, e))?;
        for old in dir.list().map_err(|e| Error::storage("list", &to, e))? {
            let ours = old.to_string_lossy().starts_with("chunk_");
            if ours && !names.contains(&old) {
                dir.remove(&old).map_err(|e| Error::storage("remove", to.join(&old), e))?;
            }
        }
    }
    Ok(written)
}

fn create(io: &dyn StoreIo, path: &Path) -> Result<()> {
    io.create_dir_all(path).map_err(|e| Error::storage("create", path, e))
}
