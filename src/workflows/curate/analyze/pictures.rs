//! Picture files to entries: decoded in parallel, measured in batches of one size.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::Recorded;
use super::meter::Meter;
use crate::core::{ColorSpec, Limits};
use crate::error::{Error, Result};
use crate::gpu::GpuContext;
use crate::media::read_image;
use crate::workflows::curate::metrics::{FrameEntry, FramePlace};
use crate::workflows::curate::picture::{PictureFile, Rgba, content_of};

/// Pictures of a unit: one record of the journal. Fixed, so that a run which was stopped finds its units again.
pub(super) const UNIT: usize = 16;

/// A picture read: its content id, and the picture or why there is none.
type Read = (String, Result<Rgba>);

/// Reads pictures on `workers` threads; a picture that is not wanted any more is not decoded.
fn read_all(
    files: &[(String, PathBuf)],
    workers: usize,
    limits: &Limits,
    known: &(dyn Fn(usize, &str) -> bool + Sync),
) -> Vec<Option<Read>> {
    let share = files.len().div_ceil(workers.max(1)).max(1);
    let one = |at: usize, path: &Path| -> Option<Read> {
        let bytes = match read_image(path, limits) {
            Ok(bytes) => bytes,
            Err(e) => return Some((String::new(), Err(e))),
        };
        let content = content_of(&bytes);
        if known(at, &content) {
            return None;
        }
        Some((content, PictureFile::decode(bytes, path, limits).map(|f| f.picture)))
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = files
            .chunks(share)
            .enumerate()
            .map(|(part, chunk)| {
                scope.spawn(move || -> Vec<Option<Read>> {
                    chunk.iter().enumerate().map(|(i, (_, path))| one(part * share + i, path)).collect()
                })
            })
            .collect();
        parts.into_iter().flat_map(|p| p.join().unwrap_or_default()).collect()
    })
}

/// Name of a unit in the journal.
fn name_of(unit: usize) -> String {
    format!("pictures/{unit}")
}

/// Entries of pictures, `(name, path)` each, in order. What the journal has is not decoded again.
pub(super) fn measure_pictures(
    ctx: &GpuContext,
    files: &[(String, PathBuf)],
    meter: &mut Meter<'_>,
    recorded: &mut Recorded<'_>,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<FrameEntry>> {
    let shard = recorded.shard;
    let units: Vec<(usize, &[(String, PathBuf)])> =
        files.chunks(UNIT).enumerate().filter(|(at, _)| shard.is_none_or(|s| s.has(*at))).collect();
    let before: Vec<Option<Vec<FrameEntry>>> = units.iter().map(|(at, _)| recorded.entries(&name_of(*at))).collect();
    let (workers, limits, cancel) = (recorded.workers, &recorded.decode.limits, recorded.decode.cancel.clone());
    let mut entries = Vec::with_capacity(files.len());
    std::thread::scope(|scope| -> Result<()> {
        // Units are decoded while the one before is measured; one waits.
        let (send, receive) = crossbeam_channel::bounded(1);
        let (units_read, before_read) = (&units, &before);
        scope.spawn(move || {
            for ((_, files), before) in units_read.iter().zip(before_read) {
                let known = |i: usize, content: &str| {
                    before.as_ref().and_then(|b| b.get(i)).zip(files.get(i)).is_some_and(|(b, (name, path))| {
                        b.content == content && b.place.path == *path && b.name == *name && b.error.is_none()
                    })
                };
                let started = Instant::now();
                let read = read_all(files, workers, limits, &known);
                if send.send((read, started.elapsed())).is_err() {
                    break;
                }
            }
        });
        for ((at, files), before) in units.iter().zip(&before) {
            cancel.check()?;
            let (read, took) =
                receive.recv().map_err(|_| Error::Bug("the thread that reads pictures is gone".into()))?;
            recorded.times.pictures += took.as_secs_f64();
            let again = read.iter().all(Option::is_none) && before.as_ref().is_some_and(|b| b.len() == files.len());
            let found = measure_unit(ctx, files, read, before.as_deref(), meter, recorded.batch)?;
            if !again {
                recorded.put(&name_of(*at), &found)?;
            }
            progress(found.len() as u64);
            entries.extend(found);
        }
        Ok(())
    })?;
    Ok(entries)
}

/// Entries of one unit; pictures of one size that follow each other are measured together.
fn measure_unit(
    ctx: &GpuContext,
    files: &[(String, PathBuf)],
    read: Vec<Option<Read>>,
    before: Option<&[FrameEntry]>,
    meter: &mut Meter<'_>,
    batch: usize,
) -> Result<Vec<FrameEntry>> {
    let mut entries = Vec::with_capacity(files.len());
    let mut waiting: Vec<(usize, Rgba)> = Vec::new();
    for (i, ((name, path), read)) in files.iter().zip(read).enumerate() {
        let place = FramePlace { path: path.clone(), frame: None, seconds: None };
        let entry = |content, error| FrameEntry { name: name.clone(), place, content, metrics: None, error };
        match read {
            None => {
                let known = before.and_then(|b| b.get(i)).cloned();
                entries.push(known.ok_or_else(|| Error::Bug("a record of a picture is gone".into()))?);
            }
            Some((content, Err(e))) => entries.push(entry(content, Some(e.to_string()))),
            Some((content, Ok(picture))) => {
                entries.push(entry(content, None));
                let fits = waiting.first().is_none_or(|(_, w)| w.size == picture.size) && waiting.len() < batch;
                if !fits {
                    measure(ctx, &mut waiting, meter, &mut entries)?;
                }
                waiting.push((i, picture));
            }
        }
    }
    measure(ctx, &mut waiting, meter, &mut entries)?;
    Ok(entries)
}

fn measure(
    ctx: &GpuContext,
    waiting: &mut Vec<(usize, Rgba)>,
    meter: &mut Meter<'_>,
    entries: &mut [FrameEntry],
) -> Result<()> {
    let pictures: Vec<&Rgba> = waiting.iter().map(|(_, p)| p).collect();
    let Some(first) = pictures.first() else { return Ok(()) };
    let color = ColorSpec::assumed_for_height(first.size.height);
    let frames = Rgba::upload(ctx, &pictures)?;
    let found = meter.measure(&frames, color, pictures.len() as u32)?;
    for ((i, _), metrics) in waiting.drain(..).zip(found) {
        if let Some(entry) = entries.get_mut(i) {
            entry.metrics = Some(metrics);
        }
    }
    Ok(())
}
