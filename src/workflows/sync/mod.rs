//! Sound and picture in step: cutting long videos without losing that, and the parts of measuring it.
//!
//! Sources: the long-video scripts around SyncNet (Chung & Zisserman 2016), whose plans, file names and formulas are kept where they are right;
//! FFmpeg's `silencedetect`. Offsets are positive where the sound is late.

mod cut;
mod fix;
mod levels;
mod lip_motion;
#[cfg(feature = "onnx")]
mod lips;
mod offset;
mod plan;
mod pump;
mod resume;
#[cfg(feature = "onnx")]
pub mod run;
mod silence;
mod smooth;
mod split;
mod timeline;
mod tracks;

pub use cut::{Cut, CutJob, CutOptions, CutReport, copy_on_key_frames, cut};
pub use fix::{LateSound, RepairOptions, SyncRepair, repair};
pub use levels::{LEVEL_RATE, LevelMeter, SoundLevels};
pub use lip_motion::{
    LipMotionOptions, MouthSample, SyncEstimate, SyncVerdict, lip_motion, lip_motion_levels, lip_preference,
};
#[cfg(feature = "onnx")]
pub use lips::{FacesOfFrames, faces_of_frames, mouths};
pub use offset::{OffsetCurve, OffsetOptions, offset_curve};
pub use plan::{Piece, Tails, by_silence, by_time, chunk_name, silence_chunk_name, wav_name};
pub use silence::{Silence, SilenceDetector, SilenceOptions, detect_silence};
pub use smooth::{Ends, median};
pub use split::{SplitBy, SplitConfig, SplitOutcome, split};
pub use timeline::{OffsetJump, OffsetPoint, OffsetSegment, OffsetTimeline, TimelineOptions, offset_timeline};
pub use tracks::{FaceTrack, TrackOptions, track_faces};
