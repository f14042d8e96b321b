//! Heat maps and plans on disk.

use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::activity::{ActivityCell, ActivityGrid, ActivityShape};
use super::heat::{HeatConfig, HeatFound};
use super::plan::{ChunkPlan, HeatMap, overlay, segment_pictures};
use super::report::plan_page;
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
    /// Width and height in pixels of the frame that 95 of 100 boxes do not exceed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<[u32; 2]>,
    /// Shape of the activity in `activity.npy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<ActivityShape>,
}

/// Name of the file with the cells of the activity.
const ACTIVITY: &str = "activity.npy";

fn picture(map: &HeatMap) -> Result<Vec<u8>> {
    // The original shows int(255 * heat) of a map whose largest value is 1.
    let rgb = heat_rgb(map.values(), map.size(), Colormap::Jet, Some((0.0, map.most().max(f32::MIN_POSITIVE))))?;
    encode_png(map.size(), PngFormat::Rgb8, &rgb).map_err(|e| Error::Bug(format!("heat map: {e}")))
}

/// Writes `heat.npy` (f32, rows by columns), `heat.png`, `activity.npy`, `heat.json` and `config.toml` into `folder`, which exists.
///
/// `activity.npy` has a row of four u32 for each cell that was hot in a step: index of the step in the `activity.steps` of `heat.json`, row and
/// column of the cell, sum of its pixels over the frames of the step.
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
        subject: found.subject,
        activity: Some(found.activity.shape().clone()),
    };
    let cells: Vec<u32> = found.activity.cells().iter().flat_map(|c| [c.step, c.row, c.column, c.heat]).collect();
    let settings = to_toml(config)?;
    let shape = [size.height as usize, size.width as usize];
    Ok(vec![
        commit(io, folder.join("heat.npy"), |w| write_npy(w, &shape, found.map.values()))?,
        commit(io, folder.join("heat.png"), |w| w.write_all(&png))?,
        commit(io, folder.join(ACTIVITY), |w| write_npy(w, &[cells.len() / 4, 4], &cells))?,
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
    let missing = |e: std::io::Error| Error::unreadable(path, &e);
    let corrupt = |reason: String| Error::InputCorrupt { path: path.to_path_buf(), reason };
    let file = std::fs::File::open(path).map_err(missing)?;
    let array = read_npy::<f32>(&mut std::io::BufReader::new(file), 1 << 28)
        .map_err(|e| corrupt(format!("{e}, as `frameloom heatmap` writes one")))?;
    let [height, width] = array.shape[..] else {
        return Err(corrupt(format!("a map has rows and columns, this has the shape {:?}", array.shape)));
    };
    let side = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let map = HeatMap::new(Size::new(side(width), side(height)), array.data)?;
    let frame = match frame {
        Some(size) => Some(size),
        None => read_sidecar(path)?.map(|said| Size::new(said.frame[0], said.frame[1])),
    };
    match frame {
        Some(size) => map.resized(size),
        None => Ok(map),
    }
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let missing = |e: std::io::Error| Error::unreadable(path, &e);
    let text = std::fs::read(path).map_err(missing)?;
    serde_json::from_slice(&text).map_err(|e| Error::InputCorrupt { path: path.to_path_buf(), reason: e.to_string() })
}

/// The `.json` beside the heat map at `heat`, if there is one.
///
/// # Errors
/// [`Error::InputNotFound`], [`Error::InputCorrupt`].
pub fn read_sidecar(heat: &Path) -> Result<Option<HeatSidecar>> {
    let path = heat.with_extension("json");
    if path.is_file() { json(&path).map(Some) } else { Ok(None) }
}

/// Reads the activity that lies beside the heat map at `heat`; `None` where the map has none.
///
/// # Errors
/// [`Error::InputNotFound`], [`Error::InputCorrupt`].
pub fn read_activity(heat: &Path) -> Result<Option<ActivityGrid>> {
    let Some(shape) = read_sidecar(heat)?.and_then(|said| said.activity) else { return Ok(None) };
    let path = heat.with_file_name(ACTIVITY);
    let corrupt = |reason: String| Error::InputCorrupt { path: path.clone(), reason };
    let file = std::fs::File::open(&path).map_err(|e| Error::unreadable(&path, &e))?;
    let array = read_npy::<u32>(&mut std::io::BufReader::new(file), 8 * ActivityGrid::MAX_CELLS)
        .map_err(|e| corrupt(e.to_string()))?;
    if !matches!(array.shape[..], [_, 4]) {
        return Err(corrupt(format!("a row has step, row, column and heat, this has the shape {:?}", array.shape)));
    }
    let (rows, _) = array.data.as_chunks::<4>();
    let cell =
        |[step, row, column, heat]: &[u32; 4]| ActivityCell { step: *step, row: *row, column: *column, heat: *heat };
    ActivityGrid::new(shape, rows.iter().map(cell).collect()).map(Some).map_err(|e| corrupt(e.to_string()))
}

/// Reads a plan back, as [`write_plan`] wrote it.
///
/// # Errors
/// [`Error::InputNotFound`]; [`Error::InputCorrupt`] for what is no plan of this version, and for chunks that lie outside the frame.
pub fn read_plan(path: &Path) -> Result<ChunkPlan> {
    let plan: ChunkPlan = json(path).map_err(|e| match e {
        Error::InputCorrupt { path, reason } => Error::InputCorrupt {
            path,
            reason: format!("not a plan of `frameloom chunk plan` (chunks.json): {reason}"),
        },
        other => other,
    })?;
    let corrupt = |reason: String| Err(Error::InputCorrupt { path: path.to_path_buf(), reason });
    if plan.schema != ChunkPlan::SCHEMA || plan.schema_version != 1 {
        let (name, version) = (&plan.schema, plan.schema_version);
        return corrupt(format!("version 1 of {} is wanted, this is version {version} of {name}", ChunkPlan::SCHEMA));
    }
    if let Err(e) = plan.check() {
        return corrupt(e.to_string());
    }
    Ok(plan)
}

/// Writes `chunks.json`, `plan.png`, `report.html` and `config.toml` into `folder`, which exists; with segments also `plan_NNN.png`, one each,
/// at most 1000. `name` is the title of the page.
///
/// # Errors
/// Those of writing.
pub fn write_plan(
    io: &dyn StoreIo,
    folder: &Path,
    name: &str,
    map: &HeatMap,
    activity: Option<&ActivityGrid>,
    plan: &ChunkPlan,
) -> Result<Vec<Committed>> {
    let png = overlay(map, &plan.chunks)?;
    let settings = to_toml(&plan.settings)?;
    let page = plan_page(name, map, plan, activity)?;
    let mut written = vec![
        commit_json(io, folder.join("chunks.json"), plan)?,
        commit(io, folder.join("plan.png"), |w| w.write_all(&png))?,
        page.write(io, folder.join("report.html"))?,
        commit(io, folder.join("config.toml"), |w| w.write_all(settings.as_bytes()))?,
    ];
    let pictures = activity.map_or_else(|| Ok(Vec::new()), |a| segment_pictures(map, a, plan, 1000))?;
    for (number, (_, png)) in (0u32..).zip(&pictures) {
        written.push(commit(io, folder.join(format!("plan_{number:03}.png")), |w| w.write_all(png))?);
    }
    Ok(written)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "tests make the files that they read")]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plan_is_told_what_one_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("text.mp4");
        for text in ["hello", "{}"] {
            std::fs::write(&path, text).unwrap();
            let e = read_plan(&path).unwrap_err();
            assert_eq!(e.exit_code(), 5);
            assert!(e.to_string().contains("not a plan of `frameloom chunk plan` (chunks.json): "), "{e}");
        }
    }
}
