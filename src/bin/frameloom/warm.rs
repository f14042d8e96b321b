//! What a process that runs several commands opens once: devices with their compiled kernels, and networks.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frameloom::Result;
use frameloom::gpu::{GpuContext, GpuOptions};

use crate::args::Global;

/// Networks that are kept at most; the one that was used longest ago goes first.
const MOST_NETWORKS: usize = 4;
/// The same for devices: commands with other memory limits open others.
const MOST_DEVICES: usize = 4;

#[derive(Default)]
struct Kept {
    /// By their options.
    devices: Vec<(String, GpuContext)>,
    /// By what they are made of.
    networks: Vec<(String, Arc<dyn Any + Send + Sync>)>,
}

/// Keeps what commands open, or nothing: a command that runs alone has no use for it.
#[derive(Clone, Default)]
pub(crate) struct Warm(Option<Arc<Mutex<Kept>>>);

impl fmt::Debug for Warm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Warm").field("keeps", &self.0.is_some()).finish()
    }
}

impl Warm {
    /// One that keeps.
    pub(crate) fn keeping() -> Self {
        Self(Some(Arc::default()))
    }

    fn lock(&self) -> Option<MutexGuard<'_, Kept>> {
        self.0.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The network called `key`, by all that it is made of: kept, or made now.
    #[cfg_attr(not(feature = "onnx"), allow(dead_code, reason = "without networks there are none to keep"))]
    pub(crate) fn network<T: Send + Sync + 'static>(
        &self,
        key: &str,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let Some(mut kept) = self.lock() else { return make().map(Arc::new) };
        let found = kept.networks.iter().position(|(k, _)| k == key).map(|at| kept.networks.remove(at).1);
        let network = match found.and_then(|n| n.downcast::<T>().ok()) {
            Some(network) => network,
            None => Arc::new(make()?),
        };
        kept.networks.push((key.to_owned(), network.clone()));
        if kept.networks.len() > MOST_NETWORKS {
            kept.networks.remove(0);
        }
        Ok(network)
    }
}

impl Global {
    /// The device for `options`: the one that an earlier command of this process opened with equal ones, unless it was lost.
    pub(crate) fn open(&self, options: &GpuOptions) -> Result<GpuContext> {
        let Some(mut kept) = self.warm.lock() else { return GpuContext::new(options) };
        let limit = options.host_budget.as_ref().map(frameloom::core::ByteBudget::limit);
        let key = format!("{} {} {limit:?} {}", options.device, options.budget.limit(), options.timeout_millis);
        kept.devices.retain(|(_, ctx)| ctx.check().is_ok());
        let found = kept.devices.iter().position(|(k, _)| *k == key).map(|at| kept.devices.remove(at).1);
        let ctx = match found {
            Some(ctx) => {
                // Buffers of the command before are of no use to this one, whose memory is counted from nothing.
                ctx.pool().trim();
                ctx
            }
            None => GpuContext::new(options)?,
        };
        kept.devices.push((key, ctx.clone()));
        if kept.devices.len() > MOST_DEVICES {
            kept.devices.remove(0);
        }
        Ok(ctx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_kept_by_what_they_are_made_of() {
        let (warm, cold) = (Warm::keeping(), Warm::default());
        let mut made = 0;
        let mut of = |warm: &Warm, key: &str| {
            *warm
                .network(key, || {
                    made += 1;
                    Ok(made)
                })
                .unwrap()
        };
        assert_eq!((of(&warm, "a"), of(&warm, "b"), of(&warm, "a")), (1, 2, 1));
        assert_eq!((of(&cold, "a"), of(&cold, "a")), (3, 4));
        // `b` is the one that was used longest ago.
        assert_eq!((of(&warm, "c"), of(&warm, "d"), of(&warm, "e"), of(&warm, "a"), of(&warm, "b")), (5, 6, 7, 1, 8));
        let failed: Result<Arc<i32>> = warm.network("f", || Err(frameloom::Error::usage("no")));
        assert!(failed.is_err());
    }
}
