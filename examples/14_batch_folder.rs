//! A tree of videos and pictures, analysed by as many processes as you like: each takes its share, and what is done stays done.
//!
//! ```text
//! cargo run --example 14_batch_folder -- FOLDER OUTPUT          all of it
//! cargo run --example 14_batch_folder -- FOLDER OUTPUT 1/4      the first of four shares, 1/4 to 4/4, on this machine or another
//! ```
//! A file's share depends on its path in the tree alone, so shares never overlap and a new file does not move the others. A share that was
//! killed is simply run again: whole outputs are kept. Without arguments it makes a small tree and runs its two shares one after the other.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use frameloom::core::{Observer, OutcomeObserver, Progress, Shard};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::encode_jpeg;
use frameloom::store::{OsIo, commit};
use frameloom::workflows::analyze::{
    AnalyzeConfig, AnalyzeInput, AnalyzeOptions, OpenOptions, Outcome, OutcomeStatus, analyze, open_input,
};
use frameloom::{Error, Result};

/// Inputs that are open at a time: their frames share the device.
const AT_ONCE: usize = 4;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [] => made_here(),
        [folder, output] => share(Path::new(folder), Path::new(output), Shard::new(1, 1)?).map(drop),
        [folder, output, part] => share(Path::new(folder), Path::new(output), part.parse()?).map(drop),
        _ => Err(Error::usage("wanted: FOLDER OUTPUT [I/N]")),
    }
}

/// Analyses the inputs of one share; says how many outputs were new.
fn share(folder: &Path, output: &Path, shard: Shard) -> Result<usize> {
    let mut inputs = Vec::new();
    walk(folder, Path::new(""), &mut inputs)?;
    let mine: Vec<PathBuf> = inputs.into_iter().filter(|p| shard.has(place(p, shard))).collect();
    println!("share {shard}: {} inputs", mine.len());
    let ctx = GpuContext::new(&GpuOptions::default())?;
    let mut seen = Seen::default();
    for some in mine.chunks(AT_ONCE) {
        let mut open: Vec<AnalyzeInput> = Vec::new();
        for relative in some {
            let (path, to) = (folder.join(relative), output.join(relative));
            // One that cannot be opened does not stop the others.
            match open_input(&path, &to, &OpenOptions::default()) {
                Ok(input) => open.push(input),
                Err(e) => seen.outcome(open.len(), Outcome::failed(&path, &to, e))?,
            }
        }
        analyze(&ctx, open, &AnalyzeConfig::default(), &AnalyzeOptions::default(), &mut seen)?;
    }
    println!("  {} new, {} kept, {} failed, {} frames", seen.new, seen.kept, seen.failed, seen.frames);
    Ok(seen.new)
}

/// Files below `at`, in order, as paths within `root`.
fn walk(root: &Path, at: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let here = root.join(at);
    let read = |e| Error::storage("list", &here, e);
    let mut names = std::fs::read_dir(&here)
        .map_err(read)?
        .map(|e| e.map(|e| e.file_name()))
        .collect::<std::io::Result<Vec<_>>>()
        .map_err(read)?;
    names.sort();
    for name in names {
        let path = at.join(name);
        if root.join(&path).is_dir() {
            walk(root, &path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// FNV-1a of a path: the same on every machine and in every version.
fn stable_hash(path: &Path) -> u64 {
    path.to_string_lossy().bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
}

/// The number by which a path belongs to a share. Its own place in the list would move when a file comes before it.
fn place(path: &Path, shard: Shard) -> usize {
    (stable_hash(path) % u64::from(shard.count())) as usize
}

#[derive(Default)]
struct Seen {
    new: usize,
    kept: usize,
    failed: usize,
    frames: u64,
}

impl Observer for Seen {
    fn progress(&mut self, _: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl OutcomeObserver<Outcome> for Seen {
    fn outcome(&mut self, _: usize, outcome: Outcome) -> Result<()> {
        match (&outcome.error, outcome.cached) {
            (Some(e), _) => {
                println!("  {}: {e}", outcome.path.display());
                self.failed += 1;
            }
            (None, true) => self.kept += 1,
            (None, false) => self.new += 1,
        }
        if outcome.status == OutcomeStatus::Partial {
            println!("  {} is partial: {}", outcome.path.display(), outcome.reasons.join("; "));
        }
        self.frames += outcome.frames;
        Ok(())
    }
}

/// A tree of pictures, one of them no picture, in two shares; then all of it once more.
fn made_here() -> Result<()> {
    let made = tempfile::tempdir().map_err(|e| Error::storage("create", std::env::temp_dir(), e))?;
    let (tree, output) = (made.path().join("tree"), made.path().join("out"));
    let size = frameloom::core::Size::new(96, 64);
    for number in 0..12u8 {
        let folder = tree.join(format!("camera_{}", number % 3));
        std::fs::create_dir_all(&folder).map_err(|e| Error::storage("create", &folder, e))?;
        let pixel = |i: u32| [(i % 96) as u8 * 2, number * 20, (i / 96) as u8 * 3, 255];
        let jpeg = encode_jpeg(size, &(0..96 * 64).flat_map(pixel).collect::<Vec<u8>>(), 90)?;
        commit(&OsIo, folder.join(format!("{number:02}.jpg")), |w| std::io::Write::write_all(w, &jpeg))?;
    }
    commit(&OsIo, tree.join("notes.txt"), |w| std::io::Write::write_all(w, b"no picture"))?;
    let first: usize = (1..=2).map(|part| share(&tree, &output, Shard::new(part, 2)?)).sum::<Result<usize>>()?;
    let again = share(&tree, &output, Shard::new(1, 1)?)?;
    println!("{first} outputs by two shares, {again} more by running all of it again");
    assert_eq!((first, again), (12, 0));
    Ok(())
}
