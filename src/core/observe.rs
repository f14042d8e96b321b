//! How a caller hears what a long call is doing, and ends it: one trait for all workflows.

use std::ops::ControlFlow;

use crate::error::Result;

/// What a call has done since it last said so.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What is being done, a word such as `measure` or `write`; each function names those that it goes through. Stages follow each other and do not come
    /// back, but for inputs that are worked on at the same time, each of which has its own.
    pub stage: &'static str,
    /// What `done` and `total` count: `frames`, `pictures`, `videos`.
    pub unit: &'static str,
    /// Units done since the last call for this stage and input. The first call of a stage counts what an earlier run left done where that is known, so that
    /// the sum over a stage is how far it is.
    pub done: u64,
    /// Units to expect in this stage, where it is known. Containers may declare more or fewer frames than they hold.
    pub total: Option<u64>,
    /// Position of the input among those that the call was given, from 0; 0 where it takes one.
    pub input: usize,
}

impl Progress {
    /// `done` more units in `stage`, of an unknown total, of the first input.
    pub const fn new(stage: &'static str, unit: &'static str, done: u64) -> Self {
        Self { stage, unit, done, total: None, input: 0 }
    }

    /// The same towards `total`.
    #[must_use]
    pub const fn towards(self, total: Option<u64>) -> Self {
        Self { total, ..self }
    }

    /// The same of another input.
    #[must_use]
    pub const fn of_input(self, input: usize) -> Self {
        Self { input, ..self }
    }
}

/// Hears what a call does, and may end it.
///
/// It is called between batches or frames, on the thread that made the call, so it should be quick. [`ControlFlow::Break`] ends the call as its
/// [`CancelToken`](super::CancelToken) does: with [`Error::Cancelled`](crate::Error::Cancelled), soon, and with what was saved by then kept for the next call. It
/// ends this call alone: the token itself stays as it was. Of what a call says after a break nothing is relied on.
///
/// Closures are observers, whether they give nothing or a [`ControlFlow`]; write the type of their argument. So is `()`, which hears nothing. Whoever
/// keeps something implements the trait:
///
/// ```
/// use std::ops::ControlFlow;
///
/// use frameloom::core::{Observer, Progress};
///
/// /// Stops after so many units of all stages together.
/// struct Quota {
///     left: u64,
/// }
///
/// impl Observer for Quota {
///     fn progress(&mut self, p: Progress) -> ControlFlow<()> {
///         self.left = self.left.saturating_sub(p.done);
///         if self.left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
///     }
/// }
///
/// // As the last argument of any function of a workflow.
/// fn work(observer: &mut dyn Observer) -> u64 {
///     (1..=10).find(|_| observer.progress(Progress::new("measure", "frames", 8).towards(Some(80))).is_break()).unwrap_or(10)
/// }
///
/// assert_eq!(work(&mut Quota { left: 20 }), 3);
/// assert_eq!(work(&mut ()), 10);
/// let mut done = 0;
/// assert_eq!(work(&mut |p: Progress| done += p.done), 10);
/// assert_eq!(done, 80);
/// assert_eq!(work(&mut |_: Progress| ControlFlow::Break(())), 1);
/// ```
pub trait Observer {
    /// Something was done. `Break` ends the call.
    fn progress(&mut self, progress: Progress) -> ControlFlow<()>;
}

/// Hears as well how each input of a call ends; `T` is what the call says of it.
///
/// A pair of an [`Observer`] and a closure `FnMut(usize, T) -> Result<()>` is one, for instance `((), |input, outcome| …)`.
pub trait OutcomeObserver<T>: Observer {
    /// The input at position `input` has ended. Inputs end in any order.
    ///
    /// # Errors
    /// Whatever should end the call, which then returns it.
    fn outcome(&mut self, input: usize, outcome: T) -> Result<()>;
}

/// What a closure that observes may give: nothing, or whether to go on.
pub trait Answer {
    /// Whether to go on.
    fn flow(self) -> ControlFlow<()>;
}

impl Answer for () {
    fn flow(self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl Answer for ControlFlow<()> {
    fn flow(self) -> ControlFlow<()> {
        self
    }
}

impl<A: Answer, F: FnMut(Progress) -> A> Observer for F {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        self(progress).flow()
    }
}

/// Hears nothing.
impl Observer for () {
    fn progress(&mut self, _: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// The first hears of progress, the second of ends.
impl<O: Observer, F> Observer for (O, F) {
    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        self.0.progress(progress)
    }
}

impl<T, O: Observer, F: FnMut(usize, T) -> Result<()>> OutcomeObserver<T> for (O, F) {
    fn outcome(&mut self, input: usize, outcome: T) -> Result<()> {
        self.1(input, outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_hears_of_progress_and_of_ends() {
        let (mut done, mut ends) = (0, Vec::new());
        {
            let mut pair = (
                |p: Progress| done += p.done,
                |input: usize, text: &str| {
                    ends.push((input, text.to_owned()));
                    Ok(())
                },
            );
            let observer: &mut dyn OutcomeObserver<&str> = &mut pair;
            assert!(observer.progress(Progress::new("measure", "frames", 3).of_input(1)).is_continue());
            observer.outcome(1, "complete").unwrap();
        }
        assert_eq!((done, ends), (3, vec![(1, "complete".to_owned())]));
    }

    #[test]
    fn closures_may_break() {
        let mut left = 2;
        let mut few = |_: Progress| {
            left -= 1;
            if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let observer: &mut dyn Observer = &mut few;
        let step = Progress::new("write", "frames", 1).towards(Some(9));
        assert_eq!((step.total, step.input), (Some(9), 0));
        assert!(observer.progress(step).is_continue() && observer.progress(step).is_break());
    }
}
