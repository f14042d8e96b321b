//! What detections look like: a vector for each, from a network of task `reid` or `embed`, in steps of a 127th of its largest number.
//! Cosines of such vectors are within about 0.001 of those of the vectors themselves, at a quarter of the bytes.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use super::seen::SeenFrame;
use crate::error::{Error, Result, StateError};
use crate::report::{read_npy, write_npy};
use crate::store::{Committed, StoreIo, commit};
#[cfg(any(test, feature = "onnx"))]
use crate::workflows::short::in_steps;

/// Where a run keeps them: a row for each box of `detections.parquet`, in its order; zeros for a box without.
pub(super) const FILE: &str = "appearance.npy";

/// Boxes of a frame that get a vector, those of the largest scores. More people than that are not told apart by their looks.
#[cfg(any(test, feature = "onnx"))]
pub(super) const MOST: usize = 128;

/// Most numbers of a vector.
pub(super) const LONGEST: usize = 2048;

/// A vector; its direction counts.
pub(super) type Look = Arc<[i8]>;

/// A look of a vector; `None` for one without direction.
#[cfg(any(test, feature = "onnx"))]
pub(super) fn look(vector: &[f32]) -> Option<Look> {
    in_steps(vector).map(Look::from)
}

/// The vector that a tracker takes.
pub(super) fn vector(look: &Look) -> Vec<f32> {
    look.iter().map(|v| f32::from(*v)).collect()
}

/// Writes the looks of all detections.
pub(super) fn write(io: &dyn StoreIo, folder: &Path, frames: &[SeenFrame]) -> Result<Committed> {
    let dim = frames.iter().flat_map(|f| &f.looks).flatten().map(|l| l.len()).next().unwrap_or(0);
    let boxes: usize = frames.iter().map(|f| f.detections.len()).sum();
    let mut rows = vec![0i8; boxes * dim];
    let mut places = rows.chunks_exact_mut(dim.max(1));
    for frame in frames {
        for at in 0..frame.detections.len() {
            let (Some(place), look) = (places.next(), frame.looks.get(at)) else { break };
            if let Some(look) = look.and_then(Option::as_ref).filter(|l| l.len() == dim) {
                place.copy_from_slice(look);
            }
        }
    }
    commit(io, folder.join(FILE), |mut w| write_npy(&mut w, &[boxes, dim], &rows))
}

/// Gives the frames of a run that is read back their looks.
pub(super) fn read(folder: &Path, frames: &mut [SeenFrame]) -> Result<()> {
    let path = folder.join(FILE);
    let boxes: usize = frames.iter().map(|f| f.detections.len()).sum();
    let file = File::open(&path).map_err(|e| Error::storage("open", &path, e))?;
    let corrupt = |reason: String| Error::State(StateError::Corrupt { path: path.clone(), reason });
    let array =
        read_npy::<i8>(&mut BufReader::new(file), boxes.saturating_mul(LONGEST)).map_err(|e| corrupt(e.to_string()))?;
    let dim = match array.shape.as_slice() {
        [rows, dim] if *rows == boxes => *dim,
        other => return Err(corrupt(format!("its shape is {other:?}, and there are {boxes} boxes"))),
    };
    let mut rows = array.data.chunks_exact(dim.max(1));
    for frame in frames {
        let own = rows.by_ref().take(frame.detections.len());
        frame.looks = own.map(|row| row.iter().any(|v| *v != 0).then(|| row.into())).collect();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::source::FrameTime;
    use super::*;
    use crate::core::{BoxF, Detection};
    use crate::store::OsIo;

    #[test]
    fn directions_stay_and_nothing_stays_nothing() {
        let a: Vec<f32> = (0..300u32).map(|i| ((i * 37) % 101) as f32 / 50.0 - 1.0).collect();
        let back = vector(&look(&a).unwrap());
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        assert!(dot(&a, &back) / (dot(&a, &a) * dot(&back, &back)).sqrt() > 0.9999);
        assert!(look(&[0.0; 3]).is_none() && look(&[f32::NAN, 1.0]).is_none() && look(&[]).is_none());
    }

    #[test]
    fn looks_come_back_to_their_boxes() {
        let folder = tempfile::tempdir().unwrap();
        let rect = BoxF { x: 1.0, y: 2.0, width: 3.0, height: 4.0 };
        let detection = Detection { rect, score: 0.9, class: 0 };
        let frame = |index, looks: Vec<Option<Look>>| SeenFrame {
            time: FrameTime { index, seconds: index as f64, looked: true },
            detections: vec![detection; looks.len()],
            looks,
        };
        let frames = vec![
            frame(0, vec![look(&[1.0, -0.5]), None]),
            frame(1, vec![]),
            frame(2, vec![None, look(&[0.0, 2.0]), look(&[3.0, 3.0])]),
        ];
        write(&OsIo, folder.path(), &frames).unwrap();
        let mut bare: Vec<SeenFrame> = frames.iter().map(|f| SeenFrame { looks: Vec::new(), ..f.clone() }).collect();
        read(folder.path(), &mut bare).unwrap();
        assert_eq!(bare, frames);
        bare.pop();
        assert!(read(folder.path(), &mut bare).unwrap_err().to_string().contains("2 boxes"));
        // No box at all, and boxes without looks.
        for frames in [vec![frame(0, vec![])], vec![frame(0, vec![None, None])]] {
            write(&OsIo, folder.path(), &frames).unwrap();
            let mut back: Vec<SeenFrame> =
                frames.iter().map(|f| SeenFrame { looks: Vec::new(), ..f.clone() }).collect();
            read(folder.path(), &mut back).unwrap();
            assert!(back.iter().flat_map(|f| &f.looks).all(Option::is_none));
        }
    }
}
