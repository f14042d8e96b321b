//! What the store promises, under power cuts, kill -9, full disks, hostile links and a second owner.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![cfg(feature = "store")]

mod hostile;
mod kill;
mod os;
mod power;

use std::io::Write;
use std::path::Path;

use frameloom::store::{RunKey, StateDir, StoreIo, UnitLog, commit};

/// Bytes of a unit's output: several sectors, all different.
fn content(unit: u32, bytes: usize) -> Vec<u8> {
    let mut x = u64::from(unit) * 0x9E37_79B9 + 1;
    let mut next = || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (x >> 33) as u8
    };
    (0..bytes).map(|_| next()).collect()
}

fn key() -> RunKey {
    RunKey::builder().field("input", "clip").field("seed", 7).finish().unwrap()
}

fn unit_name(unit: u32) -> String {
    format!("unit-{unit:03}.bin")
}

/// One run: goes on where the last one stopped. `acknowledged` is told of each unit that is promised to stay.
fn run(
    io: &dyn StoreIo,
    root: &Path,
    units: u32,
    bytes: usize,
    mut acknowledged: impl FnMut(u32),
) -> frameloom::Result<()> {
    let state = StateDir::acquire(io, root.join("state"))?;
    let out = root.join("out");
    io.create_dir_all(&out).map_err(|e| frameloom::Error::storage("create", &out, e))?;
    let dir = io.open_dir(&out).map_err(|e| frameloom::Error::storage("open", &out, e))?;
    frameloom::store::clean_temps(dir.as_ref())?;
    let mut log = UnitLog::open(io, state.join("journal"), &out, &key())?;
    for unit in 0..units {
        let name = unit_name(unit);
        if log.done(&name).is_none() {
            let done = commit(io, out.join(&name), |w| {
                content(unit, bytes).chunks(700).try_for_each(|piece| w.write_all(piece))
            })?;
            log.finish(&name, &[done], &unit)?;
            acknowledged(unit);
        }
    }
    Ok(())
}
