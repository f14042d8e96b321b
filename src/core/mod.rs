//! Plain data that every room understands: geometry, pixel formats and colour, time, frame layout, work counts.
//! No I/O and no GPU in here.

pub mod budget;
pub mod cancel;
pub mod color;
pub mod exactness;
pub mod frame;
pub mod geometry;
pub mod hog;
pub mod layout;
pub mod limits;
pub mod luma;
pub mod motion;
pub mod output;
pub mod pixel;
pub mod sink;
pub mod tensor;
pub mod time;
pub mod work;

pub use budget::{BudgetPermit, ByteBudget};
pub use cancel::CancelToken;
pub use color::{ChromaSiting, ChromaUpsampling, ColorRange, ColorSpec, RgbCoefficients, YuvMatrix};
pub use exactness::Exactness;
pub use frame::{FrameDesc, FrameInfo};
pub use geometry::{Rect, Size};
pub use hog::HogParams;
pub use layout::{FrameLayout, PlaneLayout};
pub use limits::Limits;
pub use luma::{LumaStats, LumaSums};
pub use motion::{BlockSearch, BlockVector, DifferenceSums, FlowScale, FlowSums, HeatMode};
pub use output::{OutputFile, OutputSink, Written};
pub use pixel::PixelFormat;
pub use sink::RowSink;
pub use tensor::{Anchor, ChannelOrder, Fit, TensorSpec};
pub use time::Rational;
pub use work::Work;
