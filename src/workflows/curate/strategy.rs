//! Strategies in code: what conditions and steps in a file cannot say.

use std::sync::Arc;

use super::metrics::FrameMetrics;
use crate::core::Size;
use crate::error::Result;
use crate::gpu::GpuContext;

/// A strategy of the program's own. It takes part in everything that the four do: wanted shares, the ledger, reports, layouts, resume.
///
/// ```
/// use frameloom::workflows::curate::{CurateConfig, FrameMetrics, Strategy, StrategyFrame, StrategyPicture};
///
/// /// Dark frames, made lighter.
/// #[derive(Debug)]
/// struct Lift {
///     below: f64,
/// }
///
/// impl Strategy for Lift {
///     fn name(&self) -> &str {
///         "lifted"
///     }
///
///     fn version(&self) -> String {
///         format!("1, below {}", self.below)
///     }
///
///     fn target(&self) -> f64 {
///         0.2
///     }
///
///     fn fit(&self, m: &FrameMetrics) -> Result<f64, String> {
///         let margin = self.below - m.brightness;
///         if margin > 0.0 { Ok(margin) } else { Err(format!("brightness is too high: {:.2}", m.brightness)) }
///     }
///
///     fn make(&self, frame: &StrategyFrame<'_>) -> frameloom::Result<Vec<StrategyPicture>> {
///         let rgba = frame.rgba.iter().enumerate().map(|(i, v)| if i % 4 == 3 { *v } else { v.saturating_mul(2) });
///         Ok(vec![StrategyPicture::new("", frame.size, rgba.collect()).caption("a night, made light")])
///     }
/// }
///
/// let mut config = CurateConfig::default();
/// config.own_strategies.add(Lift { below: 0.3 });
/// assert_eq!(config.wanted()[0].0, "lifted");
/// ```
pub trait Strategy: std::fmt::Debug + Send + Sync {
    /// Name: letters, digits and `_`. Its pictures go into `<name>/images`.
    fn name(&self) -> &str;

    /// Everything that changes what [`Self::fit`] or [`Self::make`] give, in any words: its code's version, its parameters. Files of an earlier run
    /// are kept while this stays the same.
    fn version(&self) -> String;

    /// Wanted share of the frames, 0..=1, as in `strategy_targets`. 0: it takes every frame that suits it, and the others share out the rest.
    fn target(&self) -> f64 {
        0.0
    }

    /// How far a frame is inside of the strategy's rule, about 0..=1: frames that suit it better get it first. `Err` says why the frame may not have
    /// it: the rule, a colon, the figures (`too light: brightness 0.72`), because reports count frames by what stands before the colon.
    ///
    /// Called often and for all frames: figures in, figure out.
    ///
    /// # Errors
    /// Why the frame may not have the strategy.
    fn fit(&self, metrics: &FrameMetrics) -> std::result::Result<f64, String>;

    /// The pictures of a frame. The same frame must always give the same bytes.
    ///
    /// # Errors
    /// What keeps this frame from being made; [`crate::Error::Model`], [`crate::Error::Parameter`] and errors of input let the others go on.
    fn make(&self, frame: &StrategyFrame<'_>) -> Result<Vec<StrategyPicture>>;
}

/// A frame as a strategy gets it.
#[derive(Debug)]
#[non_exhaustive]
pub struct StrategyFrame<'a> {
    /// Device that kernels run on.
    pub ctx: &'a GpuContext,
    /// Name that the frame's outputs begin with.
    pub name: &'a str,
    /// Its figures.
    pub metrics: &'a FrameMetrics,
    /// Width and height in pixels.
    pub size: Size,
    /// Rows of red, green, blue, alpha without padding, `size.area() * 4` bytes.
    pub rgba: &'a [u8],
}

/// A picture that a strategy made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyPicture {
    pub(super) tail: String,
    pub(super) size: Size,
    pub(super) rgba: Vec<u8>,
    pub(super) caption: Option<String>,
}

impl StrategyPicture {
    /// A picture whose file name is the frame's name and `tail` (letters, digits, `_`, `-`; different for each picture of a frame). `rgba`: rows of
    /// red, green, blue, alpha without padding, `size.area() * 4` bytes.
    pub fn new(tail: impl Into<String>, size: Size, rgba: Vec<u8>) -> Self {
        Self { tail: tail.into(), size, rgba, caption: None }
    }

    /// With a caption that begins with `prefix`: facts of the frame, or the words of the server, follow. Without it the picture has none.
    #[must_use]
    pub fn caption(mut self, prefix: impl Into<String>) -> Self {
        self.caption = Some(prefix.into());
        self
    }
}

/// Strategies in code, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct OwnStrategies {
    all: Vec<Arc<dyn Strategy>>,
}

impl OwnStrategies {
    /// Adds one.
    pub fn add(&mut self, strategy: impl Strategy + 'static) {
        self.all.push(Arc::new(strategy));
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Strategy> {
        self.all.iter().map(AsRef::as_ref)
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&dyn Strategy> {
        self.iter().find(|s| s.name() == name)
    }
}

impl PartialEq for OwnStrategies {
    /// By names, versions and targets.
    fn eq(&self, other: &Self) -> bool {
        let of = |s: &dyn Strategy| (s.name().to_owned(), s.version(), s.target().to_bits());
        self.iter().map(of).eq(other.iter().map(of))
    }
}
