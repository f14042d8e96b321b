//! Plain data that every room understands: geometry, pixel formats and colour, time, frame layout, work counts.
//! No I/O and no GPU in here.

pub mod budget;
pub mod cancel;
pub mod color;
pub mod exactness;
pub mod frame;
pub mod geometry;
pub mod layout;
pub mod limits;
pub mod luma;
pub mod motion;
pub mod output;
pub mod pixel;
pub mod projection;
pub mod search;
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
pub use layout::{FrameLayout, PlaneLayout};
pub use limits::Limits;
pub use luma::{LumaStats, LumaSums};
pub use motion::{DifferenceSums, HeatMode};
pub use output::{OutputFile, OutputSink, Written};
pub use pixel::PixelFormat;
pub use projection::{MersenneTwister, PolarNormal, projection_matrix};
pub use search::{Metric, Neighbor};
pub use sink::RowSink;
pub use tensor::{Anchor, BoxRect, ChannelOrder, Fit, GridPooling, Outside, Sampling, TensorLayout, TensorSpec};
pub use time::Rational;
pub use work::Work;
