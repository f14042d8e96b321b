//! The same work done by another library, timed in turns with ours.

use std::fmt::Write as _;
use std::time::Instant;

use super::ceilings::median;
use super::report::{number, object, text};
use super::{Case, Record};
use crate::error::Result;
use crate::gpu::{GpuContext, Recorder};

/// Another library that does the work of some cases.
pub trait Peer {
    /// Library, version, threads.
    fn describe(&self) -> String;

    /// Names of the ways it does what `case` of operation `op` does, made ready to be timed; none where it cannot.
    ///
    /// # Errors
    /// What the peer says; a peer that does not answer in time.
    fn recipes(&mut self, op: &str, case: &Case) -> Result<Vec<String>>;

    /// Nanoseconds of one run of a recipe of the newest case, for one frame.
    ///
    /// # Errors
    /// As [`Peer::recipes`].
    fn time(&mut self, recipe: &str) -> Result<u64>;
}

/// A case timed in turns with a recipe of the peer.
#[derive(Debug, Clone, PartialEq)]
pub struct PeerRow {
    /// Operation.
    pub op: &'static str,
    /// Kernel variant and parameters, or empty.
    pub variant: String,
    /// What the pictures show.
    pub content: String,
    /// Pixel format and size.
    pub input: String,
    /// Frames per dispatch of ours.
    pub batch: u32,
    /// Median nanoseconds of a frame of ours, by the clock: recorded, submitted, waited for.
    pub ours_ns: u64,
    /// What the peer does.
    pub recipe: String,
    /// Median nanoseconds of a frame of the peer.
    pub peer_ns: u64,
}

impl PeerRow {
    /// Time of the peer by ours: above 1 we are faster.
    pub fn ratio(&self) -> f64 {
        self.peer_ns as f64 / self.ours_ns.max(1) as f64
    }
}

fn ours(ctx: &GpuContext, record: &mut Record, turn: usize, batch: u32) -> Result<u64> {
    let start = Instant::now();
    let mut rec = Recorder::new(ctx, "bench");
    record(&mut rec, turn)?;
    rec.run()?;
    let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    Ok(nanos / u64::from(batch.max(1)))
}

/// Rows of one case: ours and every recipe of the peer in turns, `samples` times, after one turn that is not counted.
pub(super) fn compare(
    ctx: &GpuContext,
    peer: &mut dyn Peer,
    op: &'static str,
    case: &mut Case,
    samples: usize,
) -> Result<Vec<PeerRow>> {
    let recipes = peer.recipes(op, case)?;
    if recipes.is_empty() {
        return Ok(Vec::new());
    }
    let mut mine = Vec::with_capacity(samples);
    let mut theirs = vec![Vec::with_capacity(samples); recipes.len()];
    for turn in 0..=samples {
        let nanos = ours(ctx, &mut case.record, turn, case.batch)?;
        if turn > 0 {
            mine.push(nanos);
        }
        for (recipe, times) in recipes.iter().zip(&mut theirs) {
            let nanos = peer.time(recipe)?;
            if turn > 0 {
                times.push(nanos);
            }
        }
    }
    let ours_ns = median(&mut mine);
    let row = |(recipe, mut times): (String, Vec<u64>)| PeerRow {
        op,
        variant: case.variant.clone(),
        content: case.content.clone(),
        input: case.input.clone(),
        batch: case.batch,
        ours_ns,
        recipe,
        peer_ns: median(&mut times),
    };
    Ok(recipes.into_iter().zip(theirs).map(row).collect())
}

/// The comparison as a table.
pub(super) fn markdown(out: &mut String, peer: &str, rows: &[PeerRow]) -> std::fmt::Result {
    writeln!(out, "\nIn turns with {peer}; both by the clock; above 1 we are faster.\n")?;
    writeln!(
        out,
        "| operation | variant | content | input | batch | ours, us/frame | peer's recipe | us/frame | ratio |"
    )?;
    writeln!(out, "|---|---|---|---|---:|---:|---|---:|---:|")?;
    for r in rows {
        let us = |ns: u64| ns as f64 / 1e3;
        let head = format!("| {} | {} | {} | {} | {} |", r.op, r.variant, r.content, r.input, r.batch);
        writeln!(out, "{head} {:.1} | {} | {:.1} | {:.2} |", us(r.ours_ns), r.recipe, us(r.peer_ns), r.ratio())?;
    }
    Ok(())
}

/// The comparison as JSON.
pub(super) fn json(rows: &[PeerRow]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .map(|r| {
            object(&[
                ("op", text(r.op)),
                ("variant", text(&r.variant)),
                ("content", text(&r.content)),
                ("input", text(&r.input)),
                ("batch", r.batch.to_string()),
                ("ours_ns", r.ours_ns.to_string()),
                ("recipe", text(&r.recipe)),
                ("peer_ns", r.peer_ns.to_string()),
                ("ratio", number(Some(r.ratio()))),
            ])
        })
        .collect();
    format!("[{}]", rows.join(","))
}
