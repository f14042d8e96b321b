//! Recorded steps: what an operation of several kernels, or a chain of operations, submits in order.

use crate::core::Size;
use crate::error::Result;
use crate::gpu::{BindGroup, GpuBuffer, GpuContext, Kernel, Recorder};
use std::sync::Arc;

/// Something bound to buffers that can be recorded for the first frames of a batch, as often as wanted. Recording allocates nothing,
/// submits nothing, waits for nothing.
pub trait Record: std::fmt::Debug + Send + Sync {
    /// Records the work for the first `count` bound frames; frames beyond [`Self::capacity`] are not touched.
    fn record(&self, rec: &mut Recorder<'_>, count: u32);

    /// Frames there are slots for.
    fn capacity(&self) -> u32;

    /// This and then `next`, in one submission: the results of this stay in GPU memory, where `next` was bound to them.
    fn chain(self, next: impl Record + 'static) -> Chain
    where
        Self: Sized + 'static,
    {
        Chain { steps: vec![Arc::new(self), Arc::new(next)] }
    }
}

/// Bound operations that follow each other without a hop to the host.
#[derive(Debug, Clone)]
pub struct Chain {
    steps: Vec<Arc<dyn Record>>,
}

impl Record for Chain {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        for step in &self.steps {
            step.record(rec, count);
        }
    }

    fn capacity(&self) -> u32 {
        self.steps.iter().map(|s| s.capacity()).min().unwrap_or(0)
    }

    fn chain(mut self, next: impl Record + 'static) -> Chain {
        self.steps.push(Arc::new(next));
        self
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// `per_frame` bytes a frame set to zero.
    Clear { buffer: GpuBuffer, per_frame: u64 },
    /// `groups` workgroups a frame.
    Frames(Box<Dispatch>),
    /// Other steps for the frames from `first` on, each of which is `per_frame` frames to them.
    Then { first: u32, per_frame: u32, passes: Passes },
}

#[derive(Debug, Clone)]
struct Dispatch {
    kernel: Kernel,
    bind: BindGroup,
    groups: [u32; 2],
}

/// Steps of one operation, in order.
#[derive(Debug, Clone)]
pub struct Passes {
    steps: Vec<Step>,
    capacity: u32,
}

impl Passes {
    /// No steps yet, for up to `capacity` frames.
    pub(crate) fn new(capacity: u32) -> Self {
        Self { steps: Vec::new(), capacity }
    }

    /// Sets the first `per_frame` bytes of each recorded frame in `buffer`, which holds one frame behind the other, to zero.
    #[must_use]
    pub(crate) fn clear(mut self, buffer: &GpuBuffer, per_frame: u64) -> Self {
        self.steps.push(Step::Clear { buffer: buffer.clone(), per_frame });
        self
    }

    /// Runs `groups` workgroups a frame, frame `i` being `workgroup_id.z`.
    #[must_use]
    pub(crate) fn run(mut self, kernel: &Kernel, bind: BindGroup, groups: [u32; 2]) -> Self {
        self.steps.push(Step::Frames(Box::new(Dispatch { kernel: kernel.clone(), bind, groups })));
        self
    }

    /// The steps of `other`, which sees `per_frame` pictures for each frame of this: 1, or the cells of a frame.
    #[must_use]
    pub(crate) fn then(mut self, other: &Self, per_frame: u32) -> Self {
        self.steps.push(Step::Then { first: 0, per_frame, passes: other.clone() });
        self
    }

    /// Runs `passes` for as many of the frames from `first` on as they have room for: their frame 0 is frame `first` of these. For
    /// operations that use the same scratch memory again and again.
    #[must_use]
    pub(crate) fn then_from(mut self, first: u32, passes: Self) -> Self {
        self.steps.push(Step::Then { first, per_frame: 1, passes });
        self
    }
}

impl Passes {
    /// For at most `capacity` frames: there is no room for more results.
    #[must_use]
    pub(crate) fn limit(mut self, capacity: u32) -> Self {
        self.capacity = self.capacity.min(capacity);
        self
    }
}

impl Record for Passes {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        let count = count.min(self.capacity);
        for step in &self.steps {
            match step {
                Step::Clear { buffer, per_frame } => rec.clear(buffer, 0, u64::from(count) * per_frame),
                Step::Frames(one) => {
                    let [x, y] = one.groups;
                    rec.dispatch(&one.kernel, &one.bind, [x, y, count]);
                }
                Step::Then { first, per_frame, passes } => {
                    passes.record(rec, count.saturating_sub(*first).saturating_mul(*per_frame));
                }
            }
        }
    }

    fn capacity(&self) -> u32 {
        self.capacity
    }
}

/// Turns the bytes of one frame's result into a value.
type Decode<R> = Arc<dyn Fn(&[u8], Size) -> R + Send + Sync>;

/// A measuring operation bound to its frames: small results per frame, `R` on the host.
pub struct Measure<R> {
    passes: Passes,
    results: GpuBuffer,
    frame_bytes: u64,
    sizes: Arc<[Size]>,
    decode: Decode<R>,
}

impl<R> std::fmt::Debug for Measure<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Measure").field("passes", &self.passes).field("frame_bytes", &self.frame_bytes).finish()
    }
}

impl<R> Clone for Measure<R> {
    fn clone(&self) -> Self {
        Self {
            passes: self.passes.clone(),
            results: self.results.clone(),
            frame_bytes: self.frame_bytes,
            sizes: Arc::clone(&self.sizes),
            decode: Arc::clone(&self.decode),
        }
    }
}

impl<R> Measure<R> {
    /// `passes` leave `frame_bytes` bytes a frame in `results`, one frame behind the other; `decode` reads those of a frame of the
    /// given size.
    pub(crate) fn new(
        passes: Passes,
        (results, frame_bytes): (&GpuBuffer, u64),
        sizes: &Arc<[Size]>,
        decode: impl Fn(&[u8], Size) -> R + Send + Sync + 'static,
    ) -> Self {
        Self { passes, results: results.clone(), frame_bytes, sizes: Arc::clone(sizes), decode: Arc::new(decode) }
    }

    /// Records the measurement of the first `count` bound frames, as [`Record::record`].
    pub fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.passes.record(rec, count);
    }

    /// Frames there are slots for.
    pub fn capacity(&self) -> u32 {
        self.passes.capacity()
    }

    /// The results on the device: [`Self::frame_bytes`] a frame, see [`Self::decode`].
    pub fn results(&self) -> &GpuBuffer {
        &self.results
    }

    /// Bytes of results per frame.
    pub fn frame_bytes(&self) -> u64 {
        self.frame_bytes
    }

    /// Values of the first frames, from the bytes of [`Self::results`].
    pub fn decode(&self, bytes: &[u8]) -> Vec<R> {
        let frames = bytes.chunks_exact(usize::try_from(self.frame_bytes).unwrap_or(usize::MAX));
        frames.zip(self.sizes.iter()).map(|(frame, size)| (self.decode)(frame, *size)).collect()
    }

    /// Records all bound frames, waits, and reads their values. For scripts and tests; streams record, and read through a ring.
    pub fn run(&self, ctx: &GpuContext) -> Result<Vec<R>> {
        let mut rec = Recorder::new(ctx, "measure");
        self.record(&mut rec, self.capacity());
        rec.run()?;
        Ok(self.decode(&self.results.read(ctx, self.frame_bytes * u64::from(self.capacity()))?))
    }
}

impl<R> Record for Measure<R> {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        Self::record(self, rec, count);
    }

    fn capacity(&self) -> u32 {
        Self::capacity(self)
    }
}

/// Little-endian words of a result.
pub(crate) fn words(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(4).map(|c| c.iter().rev().fold(0u32, |v, b| v << 8 | u32::from(*b)))
}

/// Little-endian 64-bit numbers of a result: two words each, low first.
pub(crate) fn words64(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks_exact(8).map(|c| c.iter().rev().fold(0u64, |v, b| v << 8 | u64::from(*b)))
}
