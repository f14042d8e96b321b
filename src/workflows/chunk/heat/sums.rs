//! What a heat map is made of: integers that add up, whoever counted them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bells::{BellSums, CELL_UNIT};
use super::boxes::subject_of;
use super::steps::{StepClock, Steps};
use super::{HeatConfig, HeatFound, Heated};
use crate::core::{FrameInfo, Size};
use crate::error::{Error, Result};
use crate::store::Record;

/// Kinds of records.
const HEAD: u32 = 1;
const COUNTS: u32 = 2;
const STEPS: u32 = 3;
const BELLS: u32 = 4;
const BELL_STEPS: u32 = 5;
/// Bytes of a record, at most; the journal takes a mebibyte.
const RECORD: usize = 700 << 10;

/// Sums over some frames: of heat, of activity, of faces.
#[derive(Debug)]
pub struct HeatSums {
    pub(super) frame: Size,
    pub(super) map: Size,
    /// Of each pixel of the map, row by row.
    pub(super) counts: Vec<u64>,
    /// Frames.
    pub(super) frames: u64,
    /// Those that could add something: that had one before, where frames are compared; that were looked at, where somebody looks.
    pub(super) added: u64,
    pub(super) steps: Steps,
    /// How many boxes have which width and height, in whole pixels of the frame.
    pub(super) sides: [BTreeMap<u32, u64>; 2],
    pub(super) bells: Option<BellSums>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    frame: [u32; 2],
    map: [u32; 2],
    frames: u64,
    added: u64,
    doubled: [u32; 2],
    sides: [BTreeMap<u32, u64>; 2],
    faces: bool,
    /// Stretches of the video that these are sums of.
    stretches: u64,
}

impl HeatSums {
    /// The map of what was added up, without faces.
    pub(super) fn heated(self, config: &HeatConfig) -> (Heated, Option<BellSums>) {
        // Zero-safe: without a frame that adds something nothing is hot.
        let full = (self.added * u64::from(config.full())).max(1) as f64;
        let values = self.counts.iter().map(|c| (*c as f64 / full) as f32).collect();
        let Self { frame, map, frames, added, steps, .. } = self;
        (Heated { frame, map, values, frames, added, steps, subject: subject_of(&self.sides) }, self.bells)
    }

    /// The map of what was added up.
    pub(super) fn found(self, config: &HeatConfig) -> Result<HeatFound> {
        let (mut heat, bells) = self.heated(config);
        if let Some(bells) = bells {
            let added = heat.added;
            bells.onto(&mut heat, config, added);
        }
        heat.found()
    }

    /// Adds sums over other frames of the same size.
    ///
    /// # Errors
    /// [`Error::Bug`] for those of another shape.
    pub(super) fn join(&mut self, other: Self) -> Result<()> {
        if (self.frame, self.map, self.bells.is_some()) != (other.frame, other.map, other.bells.is_some()) {
            return Err(Error::Bug(format!("sums for {} of {} and for {}", self.map, self.frame, other.map)));
        }
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
        self.frames += other.frames;
        self.added += other.added;
        self.steps.join(other.steps);
        for (mine, more) in self.sides.iter_mut().zip(other.sides) {
            more.into_iter().for_each(|(side, count)| *mine.entry(side).or_default() += count);
        }
        if let (Some(mine), Some(more)) = (&mut self.bells, other.bells) {
            mine.join(more);
        }
        Ok(())
    }

    /// Takes back that the frame before a stretch was counted.
    pub(super) fn without(&mut self, lead: &FrameInfo, config: &HeatConfig) {
        self.frames = self.frames.saturating_sub(1);
        self.steps.uncount(StepClock::new(config.step).step_of(lead));
    }

    /// As records of a journal, of so many stretches of the video.
    pub(super) fn records(&mut self, stretches: u64) -> Result<Vec<Record>> {
        if let Some(bells) = &mut self.bells {
            bells.cells.flush(&mut bells.steps);
        }
        let pair = |s: Size| [s.width, s.height];
        let head = Head {
            frame: pair(self.frame),
            map: pair(self.map),
            frames: self.frames,
            added: self.added,
            doubled: [self.steps.doubled(), self.bells.as_ref().map_or(0, |b| b.steps.doubled())],
            sides: self.sides.clone(),
            faces: self.bells.is_some(),
            stretches,
        };
        let mut records = vec![Record::json(HEAD, &head)?];
        let mut bytes = |kind, payload: Vec<u8>| {
            records.extend(payload.chunks(RECORD).map(|part| Record { kind, payload: part.to_vec() }));
        };
        bytes(COUNTS, self.counts.iter().flat_map(|c| c.to_le_bytes()).collect());
        bytes(STEPS, self.steps.bytes());
        if let Some(bells) = &self.bells {
            bytes(BELLS, bells.sums().iter().flat_map(|c| c.to_le_bytes()).collect());
            bytes(BELL_STEPS, bells.steps.bytes());
        }
        Ok(records)
    }

    /// Reads [`Self::records`] back, with the number of stretches; `None` for others.
    pub(super) fn read(records: &[Record], config: &HeatConfig) -> Option<(Self, u64)> {
        let head: Head = records.iter().find(|r| r.kind == HEAD)?.parse()?;
        let bytes = |kind| -> Vec<u8> {
            records.iter().filter(|r| r.kind == kind).flat_map(|r| r.payload.iter().copied()).collect()
        };
        let numbers =
            |kind| -> Vec<u64> { bytes(kind).as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect() };
        let [frame, map] = [head.frame, head.map].map(|[w, h]| Size::new(w, h));
        let clock = StepClock::new(config.step);
        let steps = |kind, full, doubled| Steps::new(frame, map, full, &clock).with(&bytes(kind), doubled);
        let counts = numbers(COUNTS);
        if counts.len() as u64 != map.area() {
            return None;
        }
        let bells = if head.faces {
            Some(BellSums::with(frame, map, steps(BELL_STEPS, CELL_UNIT, head.doubled[1])?, numbers(BELLS))?)
        } else {
            None
        };
        let (frames, added, sides) = (head.frames, head.added, head.sides);
        let steps = steps(STEPS, config.full(), head.doubled[0])?;
        Some((Self { frame, map, counts, frames, added, steps, sides, bells }, head.stretches))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::BoxF;

    fn sums(seed: u64, faces: bool) -> HeatSums {
        let (frame, map, clock) = (Size::new(80, 40), Size::new(40, 20), StepClock::new(1.0));
        let mut steps = Steps::new(frame, map, 1, &clock);
        for step in 0..3 {
            steps.count(step);
            steps.add(step, vec![seed, 0, 2, 0, 0, 1]);
        }
        let bells = faces.then(|| {
            let mut bells = BellSums::new(frame, map, Steps::new(frame, map, CELL_UNIT, &clock));
            bells.add(seed as i64, &[BoxF { x: 10.0 + seed as f32, y: 8.0, width: 12.0, height: 14.0 }]);
            bells
        });
        let counts = (0..map.area()).map(|i| (i * seed) % 5).collect();
        let sides = [BTreeMap::from([(12, seed)]), BTreeMap::from([(14, seed)])];
        HeatSums { frame, map, counts, frames: 3, added: 3, steps, sides, bells }
    }

    #[test]
    fn sums_come_back_and_add_up_in_any_order() {
        for faces in [false, true] {
            let config = HeatConfig { face_weight: if faces { 2.0 } else { 0.0 }, ..HeatConfig::default() };
            let again = |seed| {
                let records = sums(seed, faces).records(seed).unwrap();
                let (read, stretches) = HeatSums::read(&records, &config).unwrap();
                assert_eq!(stretches, seed);
                read
            };
            let all = |order: [u64; 3]| {
                let [first, second, third] = order.map(again);
                let mut all = first;
                all.join(second).unwrap();
                all.join(third).unwrap();
                let found = all.found(&config).unwrap();
                let bits: Vec<u32> = found.map.values().iter().map(|v| v.to_bits()).collect();
                (bits, found.frames, found.activity, found.subject)
            };
            let mut direct = sums(1, faces);
            direct.join(sums(2, faces)).unwrap();
            direct.join(sums(4, faces)).unwrap();
            let direct = direct.found(&config).unwrap();
            let (bits, frames, activity, subject) = all([1, 2, 4]);
            assert!(direct.map.values().iter().map(|v| v.to_bits()).eq(bits.iter().copied()));
            assert_eq!((frames, subject, &activity), (9, Some([12, 14]), &direct.activity));
            assert_eq!(all([4, 1, 2]), (bits, frames, activity, subject));
            assert!(HeatSums::read(&sums(1, faces).records(1).unwrap()[..1], &config).is_none());
        }
        assert!(matches!(sums(1, true).join(sums(1, false)), Err(Error::Bug(_))));
    }
}
