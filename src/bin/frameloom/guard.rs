//! What surrounds a long run: decoder processes, the memory plan, and who may watch. Options and their meaning, for every command that has them.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use frameloom::Result;
use frameloom::core::{BudgetPermit, ByteBudget};
use frameloom::gpu::{GpuContext, GpuOptions};
use frameloom::media::Isolation;
use frameloom::pipeline::{MemoryWatch, resident};
use serde_json::{Value, json};

use crate::decode_args::IsolateArgs;
use crate::metrics::{Metrics, MetricsServer};
use crate::output::Output;

/// Options of a guarded run.
#[derive(Debug, Args)]
pub(crate) struct GuardArgs {
    #[command(flatten)]
    isolate: IsolateArgs,
    /// Memory of a GPU with memory of its own in MB; other adapters use the host's
    #[arg(long, default_value_t = 4096, value_name = "MB", value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    gpu_memory_limit: u64,
    /// Serve progress and memory as Prometheus text under http://ADDR/metrics while it runs, for instance 127.0.0.1:9500
    #[arg(long, value_name = "ADDR")]
    metrics_listen: Option<SocketAddr>,
}

/// The memory of a command that plans with nothing but the buffers of its device.
#[derive(Debug, Clone, Args)]
pub(crate) struct MemoryArgs {
    /// Memory in MB for pictures and frames on their way through the device, and for what is searched on it; what does not fit is refused;
    /// never changes results
    #[arg(long, default_value_t = 4096, value_name = "MB", value_parser = clap::value_parser!(u64).range(64..=1_000_000))]
    memory_limit: u64,
}

impl MemoryArgs {
    /// The limit in bytes.
    pub(crate) const fn bytes(&self) -> u64 {
        self.memory_limit << 20
    }

    /// One budget for all buffers, to open a device with. It is called the host's as the flag is not that of a GPU alone.
    pub(crate) fn budget(&self, options: GpuOptions) -> GpuOptions {
        GpuOptions { budget: ByteBudget::new("host", self.bytes()), ..options }
    }
}

/// A guarded run.
#[derive(Debug)]
pub(crate) struct Guard {
    /// How videos are decoded apart, if they are.
    pub(crate) isolation: Option<Isolation>,
    /// Memory of the process tree.
    pub(crate) memory: Arc<MemoryWatch>,
    /// Figures of the run; served when that was asked for.
    pub(crate) metrics: Arc<Metrics>,
    _server: Option<MetricsServer>,
    limit: u64,
    gpu_limit: u64,
    /// Whether the memory of the process is that of this run alone.
    alone: bool,
}

impl Guard {
    /// Begins to watch. `isolate` says what happens without the flag; `memory_limit` is in MB.
    pub(crate) fn new(
        args: &GuardArgs,
        command: &'static str,
        isolate: bool,
        memory_limit: u64,
        out: &Output,
    ) -> Result<Self> {
        let isolation = args.isolate.isolation(isolate, memory_limit << 20)?;
        let processes = isolation.clone();
        let workers = move || processes.as_ref().map(Isolation::workers).unwrap_or_default();
        let memory = Arc::new(MemoryWatch::start(MemoryWatch::EVERY, workers));
        let metrics = Arc::new(Metrics::new(command, Arc::clone(&memory), isolation.clone(), memory_limit << 20));
        let server = args.metrics_listen.map(|at| MetricsServer::start(at, Arc::clone(&metrics))).transpose()?;
        if let Some(server) = &server {
            out.note(&format!("metrics at http://{}/metrics", server.address()));
        }
        Ok(Self {
            isolation,
            memory,
            metrics,
            _server: server,
            limit: memory_limit << 20,
            gpu_limit: args.gpu_memory_limit << 20,
            alone: !out.is_beside_others(),
        })
    }

    /// Budgets of host and GPU, to open a device with.
    pub(crate) fn budgets(&self, options: GpuOptions) -> GpuOptions {
        GpuOptions {
            budget: ByteBudget::new("GPU", self.gpu_limit),
            host_budget: Some(ByteBudget::new("host", self.limit)),
            ..options
        }
    }

    /// Takes what the process holds already, and `reserve` bytes for what it will hold beside frames, from the host's budget.
    pub(crate) fn admit(&self, ctx: &GpuContext, reserve: u64) -> Result<BudgetPermit> {
        self.metrics.device(ctx);
        ctx.pool().host_budget().try_acquire(resident().map_or(0, |r| r.anonymous) + reserve)
    }

    /// The memory of the run for its result. A peak over the limit is said aloud: the plan was wrong.
    pub(crate) fn report(&self, ctx: &GpuContext, out: &mut Output) -> Value {
        let peak = self.memory.peak();
        if self.alone && peak.total() > self.limit {
            out.warn(&format!(
                "the process tree held {} MB, more than the limit of {} MB: the plan was wrong, please report it",
                peak.total() >> 20,
                self.limit >> 20
            ));
        }
        let pool = ctx.pool();
        let buffers = pool.stats().peak_bytes;
        let gpu = match pool.counts_host_apart() {
            true => json!({ "memory": "own", "limit_bytes": self.gpu_limit, "peak_bytes": pool.budget().peak() }),
            // Counted in the host's figures above as well.
            false => json!({ "memory": "host", "peak_bytes": buffers }),
        };
        json!({
            "limit_bytes": self.limit, "peak_anonymous_bytes": peak.total(), "peak_own_bytes": peak.own,
            "peak_decoder_bytes": peak.workers, "planned_peak_bytes": pool.host_budget().peak(), "samples": self.memory.samples(),
            "gpu": gpu,
            "decoder_process_deaths": self.isolation.as_ref().map(Isolation::deaths),
        })
    }
}
