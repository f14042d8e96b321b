//! Plain data that every room understands: geometry, pixel formats and colour, time, frame layout, work counts.
//! No I/O and no GPU in here.

pub mod activity;
pub mod analysis;
pub mod assignment;
pub mod blend;
pub mod budget;
pub mod cancel;
pub mod color;
pub mod cut;
pub mod descriptor;
pub mod edges;
pub mod exactness;
pub mod frame;
pub mod geometry;
pub mod hash;
pub mod hog;
pub mod layout;
pub mod limits;
pub mod luma;
pub mod motion;
pub mod observe;
pub mod occlusion;
pub mod output;
pub mod palette;
pub mod pixel;
pub mod placement;
pub mod projection;
pub mod quality;
pub mod random;
pub mod search;
pub mod shard;
pub mod sharpness;
pub mod sink;
pub mod slices;
pub mod tensor;
pub mod time;
pub mod transform;
pub mod vision;
pub mod work;

pub use activity::ActivitySums;
pub use analysis::{FigureForm, FrameAnalysis, FrameFigures};
pub use budget::{BudgetPermit, ByteBudget};
pub use cancel::CancelToken;
pub use color::{
    ChromaSiting, ChromaUpsampling, ColorRange, ColorSpec, HsvRange, RgbCoefficients, YuvCoefficients, YuvMatrix,
};
pub use cut::{CutWeights, HsvDifferenceSums, HueDistance};
pub use descriptor::{
    Aspect, DescriptorLayout, DescriptorMethod, DescriptorSizes, DescriptorSpec, DescriptorStyle, DescriptorWeights,
};
pub use edges::{BorderSums, EdgeCells, EdgeCount, EdgeWeight};
pub use exactness::Exactness;
pub use frame::{FrameDesc, FrameInfo};
pub use geometry::{Rect, Size};
pub use hash::{Thumbnail, hamming};
pub use hog::HogParams;
pub use layout::{FrameLayout, PlaneLayout};
pub use limits::Limits;
pub use luma::{LumaStats, LumaSums};
pub use motion::{BlockSearch, BlockVector, DifferenceSums, FlowScale, FlowSums, HeatMode};
pub use observe::{Observer, OutcomeObserver, Progress};
pub use occlusion::Covered;
pub use output::{OutputFile, OutputSink, Written};
pub use palette::Palette;
pub use pixel::PixelFormat;
pub use placement::{CellGrid, Places, WindowParams, WindowScore, Windows};
pub use projection::{MersenneTwister, PolarNormal, projection_matrix};
pub use quality::{ComplexitySums, GraySums, Lighting, LightingSums, PatchGrid, PatchSums, complexity};
pub use search::{Metric, Neighbor};
pub use shard::Shard;
pub use sharpness::{BlurMap, GradientTexture, LaplacianSums, ResidualSums, TenengradSums};
pub use sink::RowSink;
pub use slices::{MergeRule, Slices, merge_detections};
pub use tensor::{
    Anchor, BoxRect, ChannelOrder, Fit, GridPooling, Outside, Sampling, TensorLayout, TensorPlace, TensorSpec,
};
pub use time::Rational;
pub use transform::{Affine, Similarity};
pub use vision::{BoxF, Detection, Face, Point, suppress};
pub use work::Work;
