//! `track`: what moves through a video: detections, tracks with stable numbers, zones and lines.
//!
//! [`Session`] takes the detections of one stream frame by frame, from wherever they come: [`detections`] reads files, [`motion`] finds
//! what moves without a model. It gives tracks ([`associate`]) and events ([`zones`]); [`recognise`] gives tracks the names of people. Time is seconds of the video everywhere: patience,
//! debounce and dwell mean the same at any frame rate, and at a varying one.
//!
//! [`run`] makes a whole workflow of it: videos in; tables, events, pictures and a report out.

pub mod associate;
pub mod detections;
pub mod motion;
pub mod recognise;
pub mod run;
mod session;
pub mod zones;

pub use session::{FrameTracks, Session, SessionEnd, SessionParams, Sighting, TrackSummary, Watch};
