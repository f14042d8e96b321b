//! What a call tells its observer through: a break cancels the call, and nothing within it knows more than a closure that counts.

use crate::core::{CancelToken, Observer, Progress};
use crate::pipeline::PipelineOptions;

/// The observer of a call.
pub(super) struct Reporter<'a> {
    observer: &'a mut dyn Observer,
    cancel: CancelToken,
}

impl<'a> Reporter<'a> {
    /// For a call that `cancel` stops: a token of the call alone, see [`stoppable`].
    pub(super) fn new(observer: &'a mut dyn Observer, cancel: &CancelToken) -> Self {
        Self { observer, cancel: cancel.clone() }
    }

    pub(super) fn tell(&mut self, progress: Progress) {
        if self.observer.progress(progress).is_break() {
            self.cancel.cancel();
        }
    }

    /// A closure that counts what is done in a stage; `before` was done by an earlier run.
    pub(super) fn stage(
        &mut self,
        (stage, unit): (&'static str, &'static str),
        total: Option<u64>,
        mut before: u64,
    ) -> impl FnMut(u64) {
        move |done| self.tell(Progress::new(stage, unit, done + std::mem::take(&mut before)).towards(total))
    }
}

/// The options with a token that the call may cancel without its caller's.
pub(super) fn stoppable(options: &PipelineOptions) -> PipelineOptions {
    PipelineOptions { cancel: options.cancel.child(), ..options.clone() }
}
