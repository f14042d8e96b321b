//! COCO: frames with the mask and box of their character.

use std::path::Path;

use serde_json::{Value, json};

use super::{CurateConfig, Decisions, Executed, FrameEntry, inside};
use crate::core::{Limits, Size};
use crate::error::Result;
use crate::store::{StoreIo, commit_json, output_folder};
use crate::workflows::curate::picture::PictureFile;
use crate::workflows::curate::{ENHANCE_SEGMENT, SEGMENT};

/// Runs of outside and inside in turn, column by column, as COCO has it.
fn runs(alpha: &[u8], size: Size) -> Vec<u64> {
    let (w, h) = (size.width as usize, size.height as usize);
    let column = |x: usize| (0..h).map(move |y| y * w + x);
    let mut counts = vec![0u64];
    let mut inside = false;
    for i in (0..w).flat_map(column) {
        let now = alpha.get(i).is_some_and(|a| *a >= 128);
        if now != inside {
            counts.push(0);
            inside = now;
        }
        if let Some(last) = counts.last_mut() {
            *last += 1;
        }
    }
    counts
}

/// Left, top, width, height of what is inside, and its pixels.
fn extent(alpha: &[u8], size: Size) -> ([u32; 4], u64) {
    let (mut left, mut top, mut right, mut bottom, mut area) = (u32::MAX, u32::MAX, 0, 0, 0);
    for (i, a) in alpha.iter().enumerate().filter(|(_, a)| **a >= 128) {
        let (x, y) = (i as u32 % size.width.max(1), i as u32 / size.width.max(1));
        (left, top, right, bottom) = (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1));
        area += u64::from(*a >= 128);
    }
    if area == 0 { ([0; 4], 0) } else { ([left, top, right - left, bottom - top], area) }
}

pub(super) fn write(
    io: &dyn StoreIo,
    folder: &Path,
    entries: &[FrameEntry],
    decisions: &Decisions,
    executed: &Executed,
    config: &CurateConfig,
    limits: &Limits,
) -> Result<()> {
    let (mut images, mut annotations): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for ((entry, decision), outcome) in entries.iter().zip(&decisions.all).zip(&executed.frames) {
        let Some(outcome) = outcome else { continue };
        let strategy = decision.strategy.as_deref();
        if strategy != Some(SEGMENT) && strategy != Some(ENHANCE_SEGMENT) {
            continue;
        }
        let find = |tail: &str| outcome.outputs.iter().find(|o| o.contains("/images/") && o.contains(tail));
        let Some(character) = find("_character.") else { continue };
        // The frame itself where it was kept; else the cut-out, whose colours are the frame's.
        let shown = find("_composite.").unwrap_or(character);
        let cut = PictureFile::read(&inside(folder, character), limits)?.picture;
        let alpha: Vec<u8> = cut.pixels.iter().skip(3).step_by(4).copied().collect();
        let (bbox, area) = extent(&alpha, cut.size);
        let id = images.len() + 1;
        images.push(json!({
            "id": id, "file_name": format!("../{shown}"), "width": cut.size.width, "height": cut.size.height,
            "frame": entry.label(),
        }));
        if area > 0 {
            annotations.push(json!({
                "id": annotations.len() + 1, "image_id": id, "category_id": 1, "iscrowd": 0, "area": area, "bbox": bbox,
                "segmentation": { "size": [cut.size.height, cut.size.width], "counts": runs(&alpha, cut.size) },
            }));
        }
    }
    let at = folder.join("coco");
    output_folder(io, &at)?;
    let all = json!({
        "info": { "description": "characters cut out by frameloom curate", "version": env!("CARGO_PKG_VERSION") },
        "images": images, "annotations": annotations,
        "categories": [{ "id": 1, "name": config.analysis.instance_class }],
    });
    commit_json(io, at.join("annotations.json"), &all)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_go_down_columns() {
        // . x .
        // x x .
        let alpha = [0, 255, 0, 200, 255, 127];
        let size = Size::new(3, 2);
        assert_eq!(runs(&alpha, size), [1, 3, 2]);
        assert_eq!(extent(&alpha, size), ([0, 0, 2, 2], 3));
        assert_eq!(runs(&[255, 0], Size::new(1, 2)), [0, 1, 1]);
        assert_eq!(extent(&[0, 0], Size::new(1, 2)), ([0; 4], 0));
    }
}
