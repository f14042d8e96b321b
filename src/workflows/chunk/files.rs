//! Heat maps and plans on disk.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::heat::{HeatConfig, HeatFound};
use super::plan::{ChunkPlan, HeatMap, overlay};
use crate::config::to_toml;
use crate::core::Size;
use crate::error::{Error, Result};
use crate::report::{Colormap, PngFormat, encode_png, heat_rgb, read_npy, write_npy};
use crate::store::{Committed, StoreIo, commit, commit_json};

/// What `heat.json` beside `heat.npy` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeatSidecar {
    /// `chunk.heat`.
    pub schema: String,
    /// 1.
    pub schema_version: u32,
    /// Width and height of the frames; the map may be smaller.
    pub frame: [u32; 2],
    /// Number of frames.
    pub frames: u64,
    /// The settings used.
    pub settings: HeatConfig,
    /// Figures of the map, under the keys of the original system.
    pub stats: serde_json::Value,
}

fn picture(map: &HeatMap) -> Result<Vec<u8>> {
    // The original shows int(255 * heat) of a map whose largest value is 1.
    let rgb = heat_rgb(map.values(), map.size(), Colormap::Jet, Some((0.0, map.most().max(f32::MIN_POSITIVE))))?;
    encode_png(map.size(), PngFormat::Rgb8, &rgb).map_err(|e| Error::Bug(format!("heat map: {e}")))
}

/// Writes `heat.npy` (f32, rows by columns), `heat.png`, `heat.json` and `config.toml` into `folder`, which exists.
///
/// # Errors
/// Those of writing.
pub fn write_heat(io: &dyn StoreIo, folder: &Path, found: &HeatFound, config: &HeatConfig) -> Result<Vec<Committed>> {
    let size = found.map.size();
    let png = picture(&found.map)?;
    let sidecar = HeatSidecar {
        schema: "chunk.heat".into(),
        schema_version: 1,
        frame: [found.frame.width, found.frame.height],
        frames: found.frames,
        settings: config.clone(),
        stats: serde_json::to_value(found.map.stats()).map_err(|e| Error::Bug(format!("statistics: {e}")))?,
    };
    let settings = to_toml(config)?;
    let shape = [size.height as usize, size.width as usize];
    Ok(vec![
        commit(io, folder.join("heat.npy"), |w| write_npy(w, &shape, found.map.values()))?,
        commit(io, folder.join("heat.png"), |w| w.write_all(&png))?,
        commit_json(io, folder.join("heat.json"), &sidecar)?,
        commit(io, folder.join("config.toml"), |w| w.write_all(settings.as_bytes()))?,
    ])
}

/// Reads a map of f32, rows by columns, and brings it to the size of the frames: that of `frame`, or that in the `.json` of the same
/// name beside it, or its own.
///
/// # Errors
/// [`Error::InputNotFound`], [`Error::InputCorrupt`], and those of [`HeatMap::new`].
pub fn read_heat(path: &Path, frame: Option<Size>) -> Result<HeatMap> {
    let missing = |e: std::io::Error| Error::InputNotFound { path: path.to_path_buf(), reason: e.to_string() };
    let corrupt = |reason: String| Error::InputCorrupt { path: path.to_path_buf(), reason };
    let file = std::fs::File::open(path).map_err(missing)?;
    let array = read_npy::<f32>(&mut std::io::BufReader::new(file), 1 << 28).map_err(|e| corrupt(e.to_string()))?;
    let [height, width] = array.shape[..] else {
        return Err(corrupt(format!("a map has rows and columns, this has the shape {:?}", array.shape)));
    };
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let map = HeatMap::new(Size::new(side(width), side(height)), array.data)?;
    let sidecar = path.with_extension("json");
    let frame = match frame {
        Some(size) => Some(size),
        None if sidecar.is_file() => {
            let text = std::fs::read(&sidecar).map_err(missing)?;
            let said: HeatSidecar = serde_json::from_slice(&text)
                .map_err(|e| Error::InputCorrupt { path: sidecar, reason: e.to_string() })?;
            Some(Size::new(said.frame[0], said.frame[1]))
        }
        None => None,
    };
    match frame {
        Some(size) => map.resized(size),
        None => Ok(map),
    }
}

/// Writes `chunks.json`, `plan.png` and `config.toml` into `folder`, which exists.
///
/// # Errors
/// Those of writing.
pub fn write_plan(io: &dyn StoreIo, folder: &Path, map: &HeatMap, plan: &ChunkPlan) -> Result<Vec<Committed>> {
    let png = overlay(map, &plan.chunks)?;
    let settings = to_toml(&plan.settings)?;
    Ok(vec![
        commit_json(io, folder.join("chunks.json"), plan)?,
        commit(io, folder.join("plan.png"), |w| w.write_all(&png))?,
        commit(io, folder.join("config.toml"), |w| w.write_all(settings.as_bytes()))?,
    ])
}
