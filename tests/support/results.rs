//! Results of operations that make frames: poisoned before, compared without padding after.

use frameloom::core::FrameLayout;
use frameloom::gpu::{GpuContext, Recorder};
use frameloom::ops::GpuFrames;
use frameloom::reference::Pattern;

/// Patterns for a batch of the `index`-th trial: 1, 2 or 5 frames, so that a row of trials sees every pattern.
pub fn batch_patterns(index: usize) -> Vec<Pattern> {
    let count = [1, 2, 5][index % 3];
    (0..count).map(|i| Pattern::COMMON[(index * 3 + i) % Pattern::COMMON.len()]).collect()
}

/// The slots of a batch.
pub fn paint(layout: &FrameLayout, patterns: &[Pattern]) -> Vec<Vec<u8>> {
    patterns.iter().map(|p| p.frame(layout)).collect()
}

/// Frames full of 0xFF.
pub fn poisoned(ctx: &GpuContext, layout: &FrameLayout, slots: u32) -> GpuFrames {
    let frames = GpuFrames::new(ctx, "test result", layout.format, layout.size, slots).unwrap();
    let bytes = vec![0xFF; layout.slot_bytes() as usize];
    for slot in 0..slots {
        frames.buffer().write(ctx, u64::from(slot * layout.slot_bytes()), &bytes).unwrap();
    }
    frames
}

/// Runs what `record` records.
pub fn run(ctx: &GpuContext, record: impl Fn(&mut Recorder<'_>)) {
    let mut rec = Recorder::new(ctx, "test");
    record(&mut rec);
    rec.run().unwrap();
}

/// Rows of a plane without padding.
pub fn tight(layout: &FrameLayout, plane: usize, slot: &[u8]) -> Vec<u8> {
    let p = layout.planes()[plane];
    let rows = slot[p.offset as usize..].chunks(p.stride as usize).take(p.shape.rows as usize);
    rows.flat_map(|row| &row[..p.shape.row_bytes() as usize]).copied().collect()
}

/// Whether the call was refused for a parameter called `name`, in plan or bind.
pub fn refused<T>(result: frameloom::Result<T>, name: &str) {
    match result {
        Err(frameloom::Error::Parameter { name: found, .. }) => assert_eq!(found, name),
        Err(other) => panic!("refused for another reason: {other}"),
        Ok(_) => panic!("accepted, though `{name}` does not fit"),
    }
}

/// The bytes as promised, or where they differ first.
pub fn differ(got: &[u8], want: &[u8]) -> Option<String> {
    if got.len() != want.len() {
        return Some(format!("{} bytes for {}", got.len(), want.len()));
    }
    let at = got.iter().zip(want).position(|(g, w)| g != w)?;
    let count = got.iter().zip(want).filter(|(g, w)| g != w).count();
    Some(format!("{count} of {} bytes differ, first {at}: {} for {}", want.len(), got[at], want[at]))
}

/// Compares a result with its promise.
#[track_caller]
pub fn same(got: &[u8], want: &[u8], what: impl std::fmt::Display) {
    if let Some(difference) = differ(got, want) {
        panic!("{what}: {difference}");
    }
}

/// Nothing was written to a slot of a [`poisoned`] batch.
#[track_caller]
pub fn untouched(ctx: &GpuContext, frames: &GpuFrames, slot: u32) {
    assert!(frames.read_slot(ctx, slot).unwrap().iter().all(|b| *b == 0xFF), "slot {slot} was written to");
}
