//! The estimator of SyncNet: two networks whose vectors lie near each other where lips and sound belong together.
//!
//! Time is that of the container: the networks' 25 frames a second are ticks `n / 25` s, whatever the video has. A tick shows the frame that is
//! shown in its middle, its sound begins with it. Window `n` of the lips is ticks `n..n + 5`, that of the sound the 20 columns from `4 n` on. A window's
//! distances to the sound within reach are all that is kept; vectors live for a few seconds. Crops, networks and distances as in `SyncNetInstance`
//! (Chung & Zisserman 2016), but with pairs that exist instead of zeros at the ends.

use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::super::levels::SoundLevels;
use super::super::lip_motion::{LipMotionOptions, SyncEstimate, SyncVerdict, unknown};
use super::super::offset::OffsetCurve;
use super::super::pump::Pump;
use super::estimator::{Estimator, SeenFace};
use super::log::Look;
use super::video::SyncVideo;
use super::videos::crop;
use crate::core::{CancelToken, ColorSpec, Outside};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::infer::manifest::Order;
use crate::infer::tasks::lipsync::{COLUMNS, Embeddings, FRAMES, LipsTower, Mfcc, SoundTower};
use crate::infer::{
    ElementType, Extent, IoInfo, OnnxSession, PictureInput, SessionOptions, TensorModel as _, VerifiedModel,
};
use crate::ops::FrameBatch;
use crate::ops::resize::crop_resize::CropBox;
use crate::pipeline::vision::{TensorStage, TensorStageOptions};

/// Ticks a second.
const TICKS: f64 = 25.0;
/// Samples of a tick.
const TICK_SAMPLES: i64 = 640;
/// Samples of a column of the sound and from one to the next.
const COLUMN: i64 = 400;
const HOP: i64 = 160;
/// Samples of a window.
const WINDOW: i64 = (COLUMNS as i64 - 1) * HOP + COLUMN;
/// Grey around the picture.
const GREY: f32 = 110.0 / 255.0;
/// Windows of lips and of sound that go through the networks at once: one, because the last bits of a product of matrices depend on how many rows it
/// has, and neither batches nor an interruption may change a result.
const AT_ONCE: usize = 1;
/// Ticks of sound that are heard ahead.
const AHEAD: i64 = 64;
/// Confidence at which the probability is one half, and what makes it e times as likely. A guess from the values that SyncNet's authors call good.
const LOGISTIC: (f64, f64) = (2.5, 0.6);
/// Ticks around the best shift that do not count as another.
const NEAR: f64 = 3.0;

/// A crop as the network takes it.
type Picture = Arc<[f32]>;

/// A window of lips that is complete.
struct Window {
    track: u32,
    /// Tick it begins with.
    tick: i64,
    /// A crop a tick.
    crops: Vec<Picture>,
}

/// The two networks, and what they saw lately.
#[derive(Debug)]
pub(super) struct SyncNet {
    lips: (OnnxSession, LipsTower),
    audio: (OnnxSession, SoundTower),
    stage: TensorStage,
    networks: Vec<(String, String)>,
    stand_in: bool,
    reach: i64,
    sound: Option<Sound>,
    /// Last crops of each track: tick and picture.
    crops: BTreeMap<u32, VecDeque<(i64, Picture)>>,
}

/// Vectors of the sound around the present.
struct Sound {
    pump: Pump,
    heard: Heard,
    vectors: BTreeMap<i64, Vec<f32>>,
    /// Reading on to the next face may take a while.
    cancel: CancelToken,
}

impl std::fmt::Debug for Sound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sound").field("at", &self.heard.at).field("next", &self.heard.next).finish_non_exhaustive()
    }
}

/// Samples that are read and still needed.
struct Heard {
    /// In the range of 16-bit integers, without a gap.
    samples: Vec<f32>,
    /// Position of the first of them.
    at: Option<i64>,
    ended: bool,
    /// First tick without a vector that may still get one.
    next: i64,
}

impl SyncNet {
    pub(super) fn open(
        ctx: &GpuContext,
        lips: &VerifiedModel,
        audio: &VerifiedModel,
        options: &SessionOptions,
    ) -> Result<Self> {
        let session = OnnxSession::open(lips, options)?;
        let tower = LipsTower::new(&lips.entry, session.inputs(), session.outputs())?;
        let size = tower.size();
        let sides = [size.height, size.width].map(|s| Extent::Fixed(s as usize));
        let [height, width] = sides;
        let shape = vec![Extent::Dynamic("face".into()), Extent::Fixed(3), height, width];
        let io = IoInfo { name: "faces".into(), element: ElementType::F32, shape };
        let picture = PictureInput { order: Order::Bgr, scale: 255.0, ..PictureInput::default() };
        let outside = TensorStageOptions { outside: Outside::Pad(GREY), ..TensorStageOptions::default() };
        let stage = TensorStage::new(ctx, &io, &picture, outside)?;
        let heard = OnnxSession::open(audio, options)?;
        let sound = SoundTower::new(&audio.entry, heard.inputs(), heard.outputs())?;
        let networks = [lips, audio].map(|m| (m.entry.name.clone(), m.sha256.clone())).to_vec();
        Ok(Self {
            lips: (session, tower),
            audio: (heard, sound),
            stage,
            networks,
            stand_in: lips.entry.stand_in || audio.entry.stand_in,
            reach: 0,
            sound: None,
            crops: BTreeMap::new(),
        })
    }

    /// Distances of the vector of window `tick` to the sound within reach; `NaN` where there is none.
    fn distances(&self, tick: i64, lips: &[f32]) -> Vec<f32> {
        let vectors = self.sound.as_ref().map(|s| &s.vectors);
        let heard = |t: i64| vectors.and_then(|v| v.get(&t));
        (tick - self.reach..=tick + self.reach)
            .map(|t| heard(t).map_or(f32::NAN, |v| Embeddings::distance(lips, v) as f32))
            .collect()
    }
}

/// Ticks whose middle lies in a stretch of time.
fn ticks((from, to): (f64, f64)) -> std::ops::Range<i64> {
    let first = |t: f64| (t * TICKS - 0.5).ceil() as i64;
    first(from)..first(to)
}

impl Estimator for SyncNet {
    fn name(&self) -> &'static str {
        "syncnet"
    }

    fn calibration(&self) -> &'static str {
        "not calibrated: weights are the user's. A logistic over the confidence, 0.5 at 2.5 and 0.9 at 3.8, on the scale of the published network"
    }

    fn confidence_scale(&self) -> f64 {
        1.0
    }

    fn networks(&self) -> Vec<(String, String)> {
        self.networks.clone()
    }

    fn stands_in(&self) -> bool {
        self.stand_in
    }

    fn warm_up(&self) -> f64 {
        // A window, and a tick: the first frame may be shown in a part of one only.
        (FRAMES as f64 + 1.0) / TICKS
    }

    fn bytes(&self, faces: u64) -> u64 {
        4 * self.stage.element_bytes() * faces
    }

    fn begin(&mut self, video: &SyncVideo, seconds: f64, options: &LipMotionOptions) -> Result<()> {
        self.crops.clear();
        self.reach = (options.reach * TICKS).round().max(1.0) as i64;
        self.sound = None;
        if video.has_sound() {
            let pump = Pump::open(&video.path, &video.audio())?;
            let heard = Heard::new((seconds * TICKS).floor() as i64 - self.reach);
            let cancel = video.open.decode.cancel.clone();
            self.sound = Some(Sound { pump, heard, vectors: BTreeMap::new(), cancel });
        }
        Ok(())
    }

    fn look(&mut self, src: &dyn FrameBatch, color: ColorSpec, faces: &[SeenFace]) -> Result<Vec<Look>> {
        let boxes: Vec<CropBox> =
            faces.iter().map(|f| CropBox { slot: f.slot, rect: crop(&f.face).to_pixels() }).collect();
        let element = 3 * self.lips.1.size().area() as usize;
        let tensors = self.stage.tensors(src, color, &boxes)?;
        // Windows that end here.
        let mut windows: Vec<Window> = Vec::new();
        for (face, picture) in faces.iter().zip(tensors.chunks_exact(element)) {
            let picture: Picture = Arc::from(picture);
            let crops = self.crops.entry(face.track).or_default();
            for tick in ticks(face.shown) {
                if crops.back().is_some_and(|(last, _)| *last + 1 != tick) {
                    // Frames are missing: a window would not be five in a row.
                    crops.clear();
                }
                crops.push_back((tick, Arc::clone(&picture)));
                if crops.len() > FRAMES {
                    crops.pop_front();
                }
                if crops.len() == FRAMES && face.keep {
                    let tick = tick + 1 - FRAMES as i64;
                    let crops = crops.iter().map(|(_, p)| Arc::clone(p)).collect();
                    windows.push(Window { track: face.track, tick, crops });
                }
            }
        }
        let (first, last) = (windows.iter().map(|w| w.tick).min(), windows.iter().map(|w| w.tick).max());
        if let (Some(first), Some(last), Some(sound)) = (first, last, &mut self.sound) {
            // Windows come in order of time: what lies before the reach of the first one is never asked for.
            sound.hear((first - self.reach, last + self.reach), &mut self.audio)?;
        }
        windows.sort_by_key(|w| (w.track, w.tick));
        let mut looks = Vec::new();
        // Windows in a row share their crops.
        for run in windows.chunk_by(|a, b| a.track == b.track && a.tick + 1 == b.tick) {
            let Some(Window { track, tick: first, crops: begin }) = run.first() else { continue };
            let more = run.iter().skip(1).filter_map(|w| w.crops.last());
            let frames: Vec<&[f32]> = begin.iter().chain(more).map(AsRef::as_ref).collect();
            let (session, tower) = &mut self.lips;
            let found = tower.embed(session, &frames, AT_ONCE)?;
            for (tick, vector) in (*first..).zip(found.rows()) {
                let micros = ((tick as f64 + FRAMES as f64 / 2.0) / TICKS * 1e6).round() as i64;
                looks.push(Look { track: *track, micros, values: self.distances(tick, vector) });
            }
        }
        let oldest = faces.iter().map(|f| ticks(f.shown).start).min();
        if let (Some(oldest), Some(sound)) = (oldest, &mut self.sound) {
            let keep = oldest - self.reach - 2 * FRAMES as i64;
            sound.vectors = sound.vectors.split_off(&keep);
        }
        // A track that is not here any more does not come back.
        let here = oldest.unwrap_or(i64::MIN);
        self.crops.retain(|_, crops| crops.back().is_some_and(|(tick, _)| *tick + 2 * TICKS as i64 > here));
        Ok(looks)
    }

    fn running(&self) -> Duration {
        self.lips.0.stats().total + self.audio.0.stats().total
    }

    fn preference(&self, looks: &[Look], _: &SoundLevels, before: f64, after: f64) -> Vec<(f64, f64)> {
        let better = |l: &Look| {
            let reach = (l.values.len() / 2) as f64;
            let at = |late: f64| l.values.get((late * TICKS + reach).round().max(0.0) as usize).copied();
            let better = at(before).zip(at(after)).map_or(0.0, |(b, a)| f64::from(b - a));
            (l.seconds(), if better.is_finite() { better } else { 0.0 })
        };
        looks.iter().map(better).collect()
    }

    fn estimate(&self, looks: &[Look], sound: &SoundLevels, o: &LipMotionOptions) -> Result<SyncEstimate> {
        o.check()?;
        let (from, to) = (looks.first().map_or(0.0, Look::seconds), looks.last().map_or(0.0, Look::seconds));
        if looks.len() < 10 {
            return Ok(unknown(vec![format!("lips are seen for {:.1} s; half a second is the least", to - from)]));
        }
        let level = sound.loudest(from - o.reach, to + o.reach);
        if level < o.quiet_db {
            return Ok(unknown(vec![format!("the sound is silent: at most {level:.0} dB")]));
        }
        let width = looks.first().map_or(0, |l| l.values.len());
        let mut means = vec![(0.0f64, 0u32); width];
        for look in looks {
            for (mean, v) in means.iter_mut().zip(&look.values).filter(|(_, v)| v.is_finite()) {
                *mean = (mean.0 + f64::from(*v), mean.1 + 1);
            }
        }
        // A shift of which only a few pairs exist says little: it must have half of what the best one has.
        let most = means.iter().map(|m| m.1).max().unwrap_or(0);
        let mean = |(sum, n): &(f64, u32)| if *n > 0 && *n >= most / 2 { sum / f64::from(*n) } else { f64::NAN };
        match OffsetCurve::of(means.iter().map(mean).collect()) {
            Some(curve) => Ok(judge(&curve, o)),
            None => Ok(unknown(vec!["sound and lips do not overlap".into()])),
        }
    }
}

/// What the mean distances at all shifts say.
fn judge(c: &OffsetCurve, o: &LipMotionOptions) -> SyncEstimate {
    let reach = (c.distances.len() / 2) as f64;
    let late = |k: usize| (k as f64 - reach) / TICKS;
    let offset = -c.fine_offset / TICKS;
    let real = c.distances.iter().enumerate().filter(|(_, d)| d.is_finite());
    let least = real.clone().map(|(_, d)| *d).fold(f64::INFINITY, f64::min);
    let best = -c.offset as f64 + reach;
    let other = real.filter(|(k, _)| (*k as f64 - best).abs() > NEAR).map(|(_, d)| *d).fold(f64::INFINITY, f64::min);
    let probability =
        if c.confidence > 0.0 { 1.0 / (1.0 + (-(c.confidence - LOGISTIC.0) / LOGISTIC.1).exp()) } else { 0.0 };
    let mut reasons = Vec::new();
    if c.at_bound {
        reasons.push(format!("the best shift, {offset:+.2} s, is at the end of the range: the truth may be beyond it"));
    }
    if probability < o.min_probability {
        reasons.push(format!(
            "lips and sound are as near to each other at other shifts (confidence {:.2}): another voice, or too little speech",
            c.confidence
        ));
    }
    let verdict = match () {
        () if !reasons.is_empty() => SyncVerdict::CannotTell,
        () if offset.abs() <= o.tolerance => SyncVerdict::InSync,
        () if offset > 0.0 => SyncVerdict::AudioLate,
        () => SyncVerdict::AudioEarly,
    };
    let margin = if other.is_finite() { other - least } else { 0.0 };
    let curve = c.distances.iter().enumerate().map(|(k, d)| (late(k), *d)).collect();
    SyncEstimate { verdict, reasons, offset, peak: least, margin, confidence: c.confidence, probability, curve }
}

impl Sound {
    /// Makes the vectors of all windows from `from` to `until` that the sound has. Later calls ask for nothing before `from`.
    fn hear(&mut self, (from, until): (i64, i64), (session, tower): &mut (OnnxSession, SoundTower)) -> Result<()> {
        let Self { pump, heard, vectors, cancel } = self;
        if heard.ended || heard.next > until {
            return Ok(());
        }
        // Somewhat ahead, so that the network has a good deal to do at once.
        let until = until + AHEAD;
        let wanted = until * TICK_SAMPLES + WINDOW;
        heard.skip_to(from);
        pump.run_to(wanted, |start, new| {
            cancel.check()?;
            heard.take(start, new);
            Ok(())
        })?;
        heard.ended = heard.end().is_some_and(|end| end < wanted);
        let Some((ticks, samples)) = heard.due(until) else { return Ok(()) };
        let last = *ticks.end();
        let found = tower.embed(session, &Mfcc::new(samples), AT_ONCE)?;
        // The first vector is that of the tick before, whose first column does not know the sample before it.
        vectors.extend(ticks.zip(found.rows().skip(1).map(<[f32]>::to_vec)));
        heard.skip_to(last + 1);
        Ok(())
    }
}

impl Heard {
    /// Nothing yet; no tick before `next` will be asked for.
    fn new(next: i64) -> Self {
        Self { samples: Vec::new(), at: None, ended: false, next }
    }

    /// The first sample that is needed: a tick more than the first window has, because its first column depends on the sample before it.
    fn first_sample(&self) -> i64 {
        (self.next - 1) * TICK_SAMPLES
    }

    /// The sample after the last one.
    fn end(&self) -> Option<i64> {
        self.at.map(|at| at + self.samples.len() as i64)
    }

    /// Ticks before `from` get no vector any more: forgets the samples that only they need.
    fn skip_to(&mut self, from: i64) {
        self.next = self.next.max(from);
        let Some(at) = self.at else { return };
        let old = usize::try_from(self.first_sample() - at).unwrap_or(0).min(self.samples.len());
        self.samples.drain(..old);
        self.at = (!self.samples.is_empty()).then_some(at + old as i64);
    }

    /// Takes the samples at `start`, which follow those taken before, without those that nobody needs.
    fn take(&mut self, start: i64, new: &[f32]) {
        let early = usize::try_from(self.first_sample() - start).unwrap_or(0).min(new.len());
        let new = new.get(early..).unwrap_or_default();
        if !new.is_empty() {
            self.at.get_or_insert(start + early as i64);
            self.samples.extend(new.iter().map(|v| v * 32_768.0));
        }
    }

    /// The ticks up to `until` that can get their vectors now, and the samples for them, which begin a tick before the first; `None` without one.
    fn due(&mut self, until: i64) -> Option<(RangeInclusive<i64>, &[f32])> {
        let (at, end) = (self.at?, self.end()?);
        let first = at.div_euclid(TICK_SAMPLES) + i64::from(at.rem_euclid(TICK_SAMPLES) > 0);
        // Where sound begins, the very first tick has no tick before it.
        self.next = self.next.max(first + 1);
        let last = until.min((end - WINDOW).div_euclid(TICK_SAMPLES));
        if last < self.next {
            return None;
        }
        let index = |tick: i64| usize::try_from(tick * TICK_SAMPLES - at).unwrap_or(0);
        let samples = self.samples.get(index(self.next - 1)..index(last) + WINDOW as usize)?;
        Some((self.next..=last, samples))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_belongs_to_the_frame_that_is_shown_in_its_middle() {
        // 25, 12.5 and 50 frames a second.
        assert_eq!(ticks((0.0, 0.04)), 0..1);
        assert_eq!(ticks((0.08, 0.16)), 2..4);
        assert!(ticks((0.0, 0.02)).is_empty() && ticks((0.02, 0.04)) == (0..1), "the frame that begins there");
        let whole: Vec<i64> = (0..30).flat_map(|i| ticks((f64::from(i) / 30.0, f64::from(i + 1) / 30.0))).collect();
        assert_eq!(whole, (0..25).collect::<Vec<_>>(), "each tick once");
    }

    /// Sound that is read in blocks, as a pump does it.
    struct Reading {
        heard: Heard,
        at: i64,
        /// Columns of the windows that were asked for, by their ticks.
        columns: BTreeMap<i64, Vec<[f32; 13]>>,
        /// Most samples that were held.
        most: usize,
    }

    impl Reading {
        const BLOCK: i64 = 4096;

        /// Sound that begins at the sample `at`.
        fn new(next: i64, at: i64) -> Self {
            Self { heard: Heard::new(next), at, columns: BTreeMap::new(), most: 0 }
        }

        fn sample(at: i64) -> f32 {
            ((at * at % 1013) as f32 / 1013.0 - 0.5) * (1.0 + (at as f32 / 3000.0).sin())
        }

        /// As [`Sound::hear`], up to the sample `end`, where the sound ends.
        fn hear(&mut self, from: i64, until: i64, end: i64) {
            self.heard.skip_to(from);
            let wanted = (until * TICK_SAMPLES + WINDOW).min(end);
            while self.at < wanted {
                let to = (self.at + Self::BLOCK).min(wanted);
                self.heard.take(self.at, &(self.at..to).map(Self::sample).collect::<Vec<_>>());
                self.at = to;
                self.most = self.most.max(self.heard.samples.len());
            }
            let Some((ticks, samples)) = self.heard.due(until) else { return };
            let (last, mfcc) = (*ticks.end(), Mfcc::new(samples));
            for (i, tick) in ticks.enumerate() {
                self.columns.insert(tick, mfcc.columns()[4 * (i + 1)..][..COLUMNS].to_vec());
            }
            self.heard.skip_to(last + 1);
        }
    }

    #[test]
    fn sound_without_a_face_is_passed_over_and_the_rest_stays_the_same() {
        let end = 16_000 * 12;
        for begins in [0, 100, 640, -300] {
            let mut whole = Reading::new(-30, begins);
            whole.hear(-25, 400, end);
            let first = if begins > 0 { 2 } else { 1 };
            let (found, last) = (whole.columns.keys().next().copied(), (end - WINDOW) / TICK_SAMPLES);
            assert_eq!((found, whole.columns.keys().last().copied()), (Some(first), Some(last)), "{begins}");
            // Faces at the beginning, where the sound has not begun, in the middle and at the end.
            let mut some = Reading::new(-30, begins);
            let asked = [(-25, 40), (-20, 41), (200, 205), (203, 230), (260, 400), (290, 400)];
            for (from, until) in asked {
                some.hear(from, until, end);
            }
            for (from, until) in asked {
                for tick in from..=until {
                    assert_eq!(some.columns.get(&tick), whole.columns.get(&tick), "tick {tick}, begins at {begins}");
                }
            }
            assert!(!some.columns.contains_key(&120), "nobody asked for it");
            assert!(some.most < 100 * TICK_SAMPLES as usize, "{} samples were held", some.most);
            // A run that goes on in the middle.
            let mut late = Reading::new(100, begins);
            late.hear(104, 130, end);
            assert!(late.columns.keys().eq(&(104..=130).collect::<Vec<_>>()));
            assert!(late.columns.iter().all(|(tick, columns)| whole.columns[tick] == *columns));
        }
        // A gap that is longer than the sound that is left.
        let mut over = Reading::new(0, 0);
        over.hear(0, 50, 60_000);
        over.hear(300, 350, 60_000);
        assert_eq!((over.columns.len(), over.heard.at, over.heard.end()), (50, None, None));
    }

    #[test]
    fn distances_say_how_late_the_sound_is() {
        let o = LipMotionOptions::default();
        let curve = |best: i64| {
            OffsetCurve::of((-25..=25).map(|k: i64| 10.0 - 5.0 / (1.0 + ((k - best) as f64).powi(2))).collect())
                .unwrap()
        };
        for (best, verdict) in [(0, SyncVerdict::InSync), (5, SyncVerdict::AudioLate), (-4, SyncVerdict::AudioEarly)] {
            let e = judge(&curve(best), &o);
            assert_eq!(e.verdict, verdict, "{:?}", e.reasons);
            assert!((e.offset - best as f64 / 25.0).abs() < 1e-9 && e.probability > 0.9, "{}", e.offset);
        }
        assert!(judge(&curve(25), &o).reasons.join(" ").contains("end of the range"));
        let flat = judge(&OffsetCurve::of(vec![3.0; 51]).unwrap(), &o);
        assert_eq!((flat.verdict, flat.probability, flat.confidence), (SyncVerdict::CannotTell, 0.0, 0.0));
    }
}
