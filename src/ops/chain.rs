//! Plans that follow each other: the pictures that one makes are what the next one reads, and never leave GPU memory.

use super::batch::{BatchShape, FrameBatch, GpuPictures};
use super::bound::FramesBound;
use super::params::plan_error;
use super::passes::Record;
use crate::core::Size;
use crate::error::Result;
use crate::gpu::{GpuContext, Recorder};

/// A plan that reads pictures.
pub trait Plan {
    /// The plan bound to pictures.
    type Bound: Record;

    /// What it reads.
    fn input(&self) -> BatchShape;

    /// Binds the pictures of `src` from slot `first` on.
    ///
    /// # Errors
    /// `Parameter` for pictures that are not as planned; the budget.
    fn bind_to(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<Self::Bound>;
}

/// A plan that makes pictures from pictures.
pub trait PicturesPlan {
    /// What it reads.
    fn input(&self) -> BatchShape;

    /// What it makes.
    fn output(&self) -> BatchShape;

    /// Size of the result for a source of a size.
    fn result_size(&self, source: Size) -> Size {
        source
    }

    /// Binds the pictures of `src` from slot `first` on to results in `dst` from its first slot on.
    ///
    /// # Errors
    /// `Parameter` for pictures that are not as planned, and for a result in the buffer of the source.
    fn bind_between(
        &self,
        ctx: &GpuContext,
        src: &dyn FrameBatch,
        first: u32,
        dst: &dyn FrameBatch,
    ) -> Result<FramesBound>;

    /// This plan and then `next`, which reads what this one makes.
    ///
    /// # Errors
    /// `Parameter` when `next` was planned for other pictures.
    fn chain<N: Plan>(self, next: N) -> Result<Chained<Self, N>>
    where
        Self: Sized,
    {
        if self.output() != next.input() {
            let text = |s: BatchShape| {
                let up_to = if s.is_mixed() { "up to " } else { "" };
                format!("{} {up_to}{}", s.largest().format, s.largest().size)
            };
            return Err(plan_error("chain", "next", text(self.output()), text(next.input())));
        }
        Ok(Chained { first: self, next })
    }
}

/// Two plans, see [`PicturesPlan::chain`]. It is a plan itself, so that `a.chain(b.chain(c)?)?` works.
#[derive(Debug, Clone)]
pub struct Chained<A, N> {
    first: A,
    next: N,
}

/// A chain bound to pictures: owns the pictures in between.
#[derive(Debug, Clone)]
pub struct ChainedBound<B> {
    first: FramesBound,
    next: B,
    between: GpuPictures,
}

impl<A: PicturesPlan, N: Plan> Plan for Chained<A, N> {
    type Bound = ChainedBound<N::Bound>;

    fn input(&self) -> BatchShape {
        self.first.input()
    }

    fn bind_to(&self, ctx: &GpuContext, src: &dyn FrameBatch, first: u32) -> Result<Self::Bound> {
        let sizes: Vec<Size> = (first..src.slots())
            .filter_map(|i| src.slot(i))
            .map(|(_, layout)| self.first.result_size(layout.size))
            .collect();
        let between = GpuPictures::new(ctx, "chain", self.first.output().largest().format, &sizes)?;
        Ok(ChainedBound {
            first: self.first.bind_between(ctx, src, first, &between)?,
            next: self.next.bind_to(ctx, &between, 0)?,
            between,
        })
    }
}

impl<B> ChainedBound<B> {
    /// The last link: its results are the results of the chain.
    pub fn last(&self) -> &B {
        &self.next
    }

    /// The pictures in between, valid once the chain ran.
    pub fn between(&self) -> &GpuPictures {
        &self.between
    }
}

impl<B: Record> Record for ChainedBound<B> {
    fn record(&self, rec: &mut Recorder<'_>, count: u32) {
        self.first.record(rec, count);
        self.next.record(rec, count);
    }

    fn capacity(&self) -> u32 {
        self.first.capacity().min(self.next.capacity())
    }
}

/// A plan with `bind(ctx, src, first)` as a [`Plan`]: its type, what it is bound to, and its shape as an expression of `plan`.
macro_rules! reads_pictures {
    ($type:ty, $bound:ty, |$plan:ident| $shape:expr) => {
        impl $crate::ops::Plan for $type {
            type Bound = $bound;

            fn input(&self) -> $crate::ops::BatchShape {
                let $plan = self;
                $shape
            }

            fn bind_to(
                &self,
                ctx: &$crate::gpu::GpuContext,
                src: &dyn $crate::ops::FrameBatch,
                first: u32,
            ) -> $crate::error::Result<$bound> {
                self.bind(ctx, src, first)
            }
        }
    };
}
pub(crate) use reads_pictures;

/// A plan with `bind(ctx, src, first, dst, dst_first)` that keeps sizes as a [`PicturesPlan`]: its type, and the shapes of source and
/// result as an expression of `plan`.
macro_rules! makes_pictures {
    ($type:ty, |$plan:ident| ($input:expr, $output:expr)) => {
        impl $crate::ops::PicturesPlan for $type {
            fn input(&self) -> $crate::ops::BatchShape {
                let $plan = self;
                $input
            }

            fn output(&self) -> $crate::ops::BatchShape {
                let $plan = self;
                $output
            }

            fn bind_between(
                &self,
                ctx: &$crate::gpu::GpuContext,
                src: &dyn $crate::ops::FrameBatch,
                first: u32,
                dst: &dyn $crate::ops::FrameBatch,
            ) -> $crate::error::Result<$crate::ops::FramesBound> {
                self.bind(ctx, src, first, dst, 0)
            }
        }
    };
}
pub(crate) use makes_pictures;
