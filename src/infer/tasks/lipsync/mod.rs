//! Lips and sound as vectors that lie near each other when they belong together (SyncNet, Chung & Zisserman 2016).
//!
//! Two graphs, one adapter each. Roles: input `lips` `[b, 3, 5, h, w]` (five frames in BGR, 0..=255) or `audio` `[b, 1, 13, 20]` (20 columns of
//! [`Mfcc`]); output `embedding` `[b, n]`. Window `i` of the lips is frames `i..i + 5` at 25 frames a second, that of the sound columns `4 i..4 i + 20`:
//! both begin at the same time and last 0.2 s. The offset that a workflow looks for is the shift at which [`Embeddings::distance`] is least.

mod mfcc;

pub use mfcc::Mfcc;

use super::fit::{check_task, fixed, list};
use super::io_roles::{input, may_be, output, tensor_of};
use crate::core::Size;
use crate::error::{Error, Result};
use crate::infer::io::{IoInfo, NamedTensor, TensorModel};
use crate::infer::manifest::{ModelEntry, Task};

/// Frames of a window of lips.
pub const FRAMES: usize = 5;
/// Columns of a window of sound.
pub const COLUMNS: usize = 20;
/// Columns from one frame of 25 a second to the next.
pub const COLUMNS_A_FRAME: usize = 4;

/// Vectors of consecutive windows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Embeddings {
    /// Numbers of a vector.
    pub dim: usize,
    /// Vector after vector.
    pub values: Vec<f32>,
}

impl Embeddings {
    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.values.len() / self.dim.max(1)
    }

    /// Whether there is no vector.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Vectors in order.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.dim.max(1))
    }

    /// Euclidean distance of two vectors, a millionth added to each difference, as SyncNet's evaluation has it.
    pub fn distance(a: &[f32], b: &[f32]) -> f64 {
        let square = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b) + 1e-6).powi(2);
        a.iter().zip(b).map(square).sum::<f64>().sqrt()
    }
}

/// What both towers share.
#[derive(Debug, Clone)]
struct Tower {
    input: IoInfo,
    output: String,
}

impl Tower {
    fn new(
        entry: &ModelEntry,
        inputs: &[IoInfo],
        outputs: &[IoInfo],
        role: &str,
        fits: impl Fn(&IoInfo) -> bool,
    ) -> Result<Self> {
        check_task(entry, Task::Lipsync)?;
        let found = input(entry, inputs, role, &fits)?;
        if !fits(found) {
            let has = list(std::slice::from_ref(found));
            return Err(Error::model("shape", format!("`{}`: {has} cannot be `{role}`", entry.name)));
        }
        let out = output(entry, outputs, "embedding", |o| o.shape.len() >= 2)?;
        Ok(Self { input: found.clone(), output: out.name.clone() })
    }

    /// Windows `0..count` through the model, `batch` at once (or as many as it fixes); `window` appends the numbers of one.
    fn embed(
        &self,
        model: &mut dyn TensorModel,
        count: usize,
        batch: usize,
        shape: &[usize],
        window: &dyn Fn(usize, &mut Vec<f32>),
    ) -> Result<Embeddings> {
        let declared = fixed(self.input.shape.first());
        let at_once = declared.unwrap_or(batch).max(1);
        let each: usize = shape.iter().product();
        let mut all = Embeddings::default();
        for first in (0..count).step_by(at_once) {
            let real = at_once.min(count - first);
            let rows = declared.unwrap_or(real);
            let mut values = Vec::with_capacity(rows * each);
            (first..first + real).for_each(|i| window(i, &mut values));
            if values.len() != real * each {
                let given = values.len();
                return Err(Error::model(
                    "input",
                    format!("{real} windows of {shape:?} have {} numbers, got {given}", real * each),
                ));
            }
            values.resize(rows * each, 0.0);
            let tensor = tensor_of(self.input.element, [&[rows], shape].concat(), values)?;
            let outputs = model.run(&[NamedTensor { name: &self.input.name, tensor: tensor.view() }])?;
            let made = outputs.get(&self.output)?;
            let (n, dim) = (made.shape.first().copied().unwrap_or(0), made.shape.iter().skip(1).product::<usize>());
            if n != rows || dim == 0 || (all.dim != 0 && all.dim != dim) {
                let given = &made.shape;
                return Err(Error::model(
                    "shape",
                    format!("`{}` should be {rows} vectors, it is {given:?}", self.output),
                ));
            }
            all.dim = dim;
            all.values.extend(made.to_f32().iter().take(real * dim));
        }
        Ok(all)
    }
}

/// Adapter of the tower for lips.
#[derive(Debug, Clone)]
pub struct LipsTower {
    tower: Tower,
    size: Size,
}

impl LipsTower {
    /// For a model as its entry and its graph describe it. Where it leaves the size open, `picture.size` or 224x224.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `input`, `output` or `shape`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        let fits = |i: &IoInfo| i.shape.len() == 5 && may_be(i, 1, 3) && may_be(i, 2, FRAMES);
        let tower = Tower::new(entry, inputs, outputs, "lips", fits)?;
        let [w, h] = entry.picture.as_ref().and_then(|p| p.size).unwrap_or([224, 224]);
        let side = |axis: usize, open: u32| fixed(tower.input.shape.get(axis)).map_or(open, |n| n as u32);
        let size = Size::new(side(4, w), side(3, h));
        Ok(Self { tower, size })
    }

    /// Width and height of the frames.
    pub fn size(&self) -> Size {
        self.size
    }

    /// A vector per window of five consecutive frames; none for fewer. Each frame is `[3, h, w]`, blue first, 0..=255.
    ///
    /// `batch` windows are run at once where the model leaves that open (at 224x224 a window has 3 MB); results do not depend on it.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `input` when a frame has another size, `shape`, and those of the model.
    pub fn embed(&self, model: &mut dyn TensorModel, frames: &[&[f32]], batch: usize) -> Result<Embeddings> {
        let pixels = self.size.area() as usize;
        if let Some(odd) = frames.iter().find(|f| f.len() != 3 * pixels) {
            let n = odd.len();
            return Err(Error::model(
                "input",
                format!("a frame of lips has 3 planes of {}, {n} numbers were given", self.size),
            ));
        }
        let window = |i: usize, to: &mut Vec<f32>| {
            for c in 0..3 {
                for frame in frames.iter().skip(i).take(FRAMES) {
                    to.extend_from_slice(frame.chunks_exact(pixels).nth(c).unwrap_or_default());
                }
            }
        };
        let count = (frames.len() + 1).saturating_sub(FRAMES);
        let shape = [3, FRAMES, self.size.height as usize, self.size.width as usize];
        self.tower.embed(model, count, batch, &shape, &window)
    }
}

/// Adapter of the tower for sound.
#[derive(Debug, Clone)]
pub struct SoundTower {
    tower: Tower,
}

impl SoundTower {
    /// For a model as its entry and its graph describe it.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `task`, `input`, `output` or `shape`.
    pub fn new(entry: &ModelEntry, inputs: &[IoInfo], outputs: &[IoInfo]) -> Result<Self> {
        let fits = |i: &IoInfo| {
            i.shape.len() == 4 && may_be(i, 1, 1) && may_be(i, 2, mfcc::COEFFICIENTS) && may_be(i, 3, COLUMNS)
        };
        Ok(Self { tower: Tower::new(entry, inputs, outputs, "audio", fits)? })
    }

    /// Windows that lie wholly in `mfcc`, one a frame of video.
    pub fn windows(mfcc: &Mfcc) -> usize {
        if mfcc.len() < COLUMNS { 0 } else { (mfcc.len() - COLUMNS) / COLUMNS_A_FRAME + 1 }
    }

    /// A vector per window; `batch` windows are run at once where the model leaves that open, results do not depend on it.
    ///
    /// # Errors
    /// [`crate::Error::Model`] with cause `shape`, and those of the model.
    pub fn embed(&self, model: &mut dyn TensorModel, mfcc: &Mfcc, batch: usize) -> Result<Embeddings> {
        let window = |i: usize, to: &mut Vec<f32>| {
            for c in 0..mfcc::COEFFICIENTS {
                let columns = mfcc.columns().iter().skip(i * COLUMNS_A_FRAME).take(COLUMNS);
                to.extend(columns.filter_map(|column| column.get(c).copied()));
            }
        };
        self.tower.embed(model, Self::windows(mfcc), batch, &[1, mfcc::COEFFICIENTS, COLUMNS], &window)
    }
}

#[cfg(test)]
mod tests {
    use super::super::io_roles::tests::{entry, info};
    use super::*;
    use crate::infer::io::{ElementType, Outputs};
    use crate::infer::tensor::{Tensor, TensorSlice};

    /// A host's runtime: the vector of a window is its first, its middle and its last number, and the size of the batch.
    struct Ends {
        inputs: Vec<IoInfo>,
        outputs: Vec<IoInfo>,
        batches: Vec<usize>,
    }

    impl TensorModel for Ends {
        fn inputs(&self) -> &[IoInfo] {
            &self.inputs
        }

        fn outputs(&self) -> &[IoInfo] {
            &self.outputs
        }

        fn run(&mut self, inputs: &[NamedTensor<'_>]) -> Result<Outputs> {
            let TensorSlice::F32(v) = inputs[0].tensor.data else { panic!("floats") };
            let n = inputs[0].tensor.shape[0];
            self.batches.push(n);
            let out = v.chunks_exact(v.len() / n).flat_map(|w| [w[0], w[w.len() / 2], w[w.len() - 1]]).collect();
            Ok(Outputs::new(vec![("e".into(), Tensor::f32([n, 3], out)?)]))
        }
    }

    fn model(name: &str, shape: &[i64]) -> Ends {
        let outputs = vec![info("e", ElementType::F32, &[-1, 3])];
        Ends { inputs: vec![info(name, ElementType::F32, shape)], outputs, batches: vec![] }
    }

    #[test]
    fn lips_are_five_frames_channel_by_channel() {
        // Frame f: plane c is filled with 10 f + c.
        let frames: Vec<Vec<f32>> =
            (0..9).map(|f| (0..3).flat_map(|c| vec![(10 * f + c) as f32; 6]).collect()).collect();
        let frames: Vec<&[f32]> = frames.iter().map(Vec::as_slice).collect();
        for (rows, batch, batches) in [(-1, 2, vec![2, 2, 1]), (-1, 64, vec![5]), (4, 1, vec![4, 4])] {
            let mut m = model("mund", &[rows, 3, 5, 2, 3]);
            let tower = LipsTower::new(&entry(Task::Lipsync), &m.inputs, &m.outputs).unwrap();
            assert_eq!(tower.size(), Size::new(3, 2));
            let got = tower.embed(&mut m, &frames, batch).unwrap();
            // First number: blue of the first frame; middle: green of the third; last: red of the fifth.
            let wanted: Vec<f32> =
                (0..5).flat_map(|i| [10 * i, 10 * (i + 2) + 1, 10 * (i + 4) + 2]).map(|v| v as f32).collect();
            assert_eq!((got.values, got.dim), (wanted, 3));
            assert_eq!(m.batches, batches);
        }
        let mut m = model("mund", &[-1, 3, 5, 2, 3]);
        let tower = LipsTower::new(&entry(Task::Lipsync), &m.inputs, &m.outputs).unwrap();
        assert!(tower.embed(&mut m, &frames[..4], 8).unwrap().is_empty());
        assert!(tower.embed(&mut m, &[&[0.0; 17]], 8).is_err());
    }

    #[test]
    fn sound_moves_four_columns_a_frame() {
        let mfcc = Mfcc::new(&(0..16_000).map(|i| ((i * i) % 977) as f32).collect::<Vec<_>>());
        let mut m = model("ton", &[-1, 1, 13, 20]);
        let tower = SoundTower::new(&entry(Task::Lipsync), &m.inputs, &m.outputs).unwrap();
        let got = tower.embed(&mut m, &mfcc, 7).unwrap();
        assert_eq!((got.len(), SoundTower::windows(&mfcc)), (20, 20), "99 columns: (99 - 20) / 4 + 1");
        for (i, row) in got.rows().enumerate() {
            let column = |k: usize| mfcc.columns()[4 * i + k];
            assert_eq!(row, [column(0)[0], column(10)[6], column(19)[12]]);
        }
        assert_eq!(SoundTower::windows(&Mfcc::new(&[1.0; 3000])), 0);
    }

    #[test]
    fn the_wrong_tower_is_refused() {
        let (lips, sound) = (model("x", &[-1, 3, 5, 224, 224]), model("x", &[-1, 1, 13, 20]));
        let mut e = entry(Task::Lipsync);
        assert!(LipsTower::new(&e, &sound.inputs, &sound.outputs).is_err());
        e.inputs.insert("audio".into(), "x".into());
        let wrong = SoundTower::new(&e, &lips.inputs, &lips.outputs).unwrap_err().to_string();
        assert!(wrong.contains("cannot be `audio`"), "{wrong}");
    }

    #[test]
    fn distances_by_hand() {
        assert!((Embeddings::distance(&[3.0, 0.0], &[0.0, 4.0]) - 5.0).abs() < 1e-5);
        assert!((Embeddings::distance(&[1.0; 4], &[1.0; 4]) - 2e-6).abs() < 1e-12);
    }
}
