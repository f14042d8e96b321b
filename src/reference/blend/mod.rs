//! Pictures blended with each other.

pub mod alpha_over;
pub mod feather_composite;
pub mod temporal_blend;

use crate::Result;
use crate::reference::plane::{Plane, unfit};

/// Both pictures have one size and as many channels as each other.
fn alike(op: &'static str, a: &Plane<'_>, b: &Plane<'_>) -> Result<()> {
    if a.size() == b.size() && a.channels() == b.channels() {
        return Ok(());
    }
    let text = |p: &Plane<'_>| format!("{} with {} channels", p.size(), p.channels());
    Err(unfit(op, "input", text(a), text(b)))
}
