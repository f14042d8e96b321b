//! The result of a run, as Markdown and as JSON from the same rows.

use std::fmt::Write as _;

use super::Case;
use super::ceilings::{Ceilings, median};
use super::peer::{self, PeerRow};
use crate::core::Work;
use crate::gpu::{AdapterClass, GpuContext};

/// How times were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Timestamps around each dispatch, on the device.
    DeviceTimestamps,
    /// From submission until the host knows that the work is done.
    WallClock,
}

impl Timing {
    /// As in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DeviceTimestamps => "device timestamps",
            Self::WallClock => "wall clock",
        }
    }
}

/// What keeps a case from being faster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// At least half of the bandwidth ceiling is used.
    Bandwidth,
    /// The fixed cost of its dispatches is more than a quarter of its time.
    Overhead,
    /// Neither: arithmetic, atomics, latency.
    Compute,
}

impl Bound {
    /// As in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bandwidth => "bandwidth",
            Self::Overhead => "overhead",
            Self::Compute => "compute",
        }
    }
}

/// One case, timed.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchRow {
    /// Operation.
    pub op: &'static str,
    /// Kernel variant and parameters, or empty.
    pub variant: String,
    /// What the pictures show.
    pub content: String,
    /// Pixel format and size.
    pub input: String,
    /// Frames per dispatch.
    pub batch: u32,
    /// Median time of a batch in nanoseconds.
    pub median_ns: u64,
    /// Shortest time of a batch in nanoseconds.
    pub min_ns: u64,
    /// Number of samples.
    pub samples: usize,
    /// Least bytes that had to be read and written, by the median time.
    pub gb_per_s: f64,
    /// Share of the ceiling that applies (reading, writing or copying), in percent, not clamped; `None` on software adapters, where
    /// bandwidth is never the limit.
    pub percent_of_ceiling: Option<f64>,
    /// How times were taken.
    pub timing: Timing,
    /// What keeps it from being faster.
    pub binds: Bound,
}

/// Why figures may not mean much.
#[derive(Debug, Clone, PartialEq)]
pub enum BenchWarning {
    /// Other work was waiting for the cores.
    BusyMachine {
        /// Load average, before or after.
        load: f64,
        /// Cores.
        cores: usize,
    },
    /// The median is far from the minimum.
    Noisy {
        /// Operation, variant and content.
        case: String,
        /// Median by minimum.
        ratio: f64,
    },
    /// Small mode: figures say that it runs, not how fast.
    Small,
    /// The program was built without optimisation of the host side.
    DebugBuild,
}

impl std::fmt::Display for BenchWarning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BusyMachine { load, cores } => write!(f, "the machine was busy: load {load:.2} on {cores} cores"),
            Self::Noisy { case, ratio } => write!(f, "noisy: {case}: the median is {ratio:.2} times the minimum"),
            Self::Small => f.write_str("small mode: tiny pictures, two samples; the times mean nothing"),
            Self::DebugBuild => f.write_str("debug build: host-side times are too long"),
        }
    }
}

/// Everything a run found, and on what.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchReport {
    /// Adapter name.
    pub adapter: String,
    /// "discrete", "integrated", "virtual", "software" or "other".
    pub kind: &'static str,
    /// Driver name and version.
    pub driver: String,
    /// Graphics API.
    pub backend: String,
    /// CPU or GPU.
    pub class: AdapterClass,
    /// Version of wgpu.
    pub wgpu_version: &'static str,
    /// Version of this crate.
    pub crate_version: &'static str,
    /// Commit, where the caller knows it.
    pub commit: Option<String>,
    /// Whether it was a small run.
    pub small: bool,
    /// Load average before and after.
    pub load_average: [Option<f64>; 2],
    /// What the adapter can do at best.
    pub ceilings: Ceilings,
    /// The cases.
    pub rows: Vec<BenchRow>,
    /// Library that took part, if any.
    pub peer: Option<String>,
    /// Cases timed in turns with it.
    pub peer_rows: Vec<PeerRow>,
    /// Why figures may not mean much.
    pub warnings: Vec<BenchWarning>,
}

/// The ceiling for a mix of reading and writing.
fn ceiling(c: &Ceilings, work: &Work) -> f64 {
    if work.bytes_written * 8 < work.bytes_read {
        c.read_gb_per_s
    } else if work.bytes_read * 8 < work.bytes_written {
        c.write_gb_per_s
    } else {
        c.copy_gb_per_s
    }
}

impl BenchRow {
    pub(super) fn new(
        ctx: &GpuContext,
        op: &'static str,
        case: &Case,
        times: Vec<(u64, u32)>,
        timing: Timing,
        ceilings: &Ceilings,
    ) -> Self {
        let dispatches = times.first().map_or(0, |t| t.1);
        let mut nanos: Vec<u64> = times.iter().map(|t| t.0).collect();
        let median_ns = median(&mut nanos).max(1);
        let gb_per_s = (case.work.bytes() * u64::from(case.batch)) as f64 / median_ns as f64;
        let best = ceiling(ceilings, &case.work);
        let percent_of_ceiling = (!ctx.caps().is_software() && best > 0.0).then(|| gb_per_s / best * 100.0);
        let fixed_us = match timing {
            Timing::DeviceTimestamps => ceilings.empty_dispatch_us * f64::from(dispatches),
            Timing::WallClock => ceilings.submit_and_wait_us,
        };
        let binds = if fixed_us * 1e3 > median_ns as f64 / 4.0 {
            Bound::Overhead
        } else if percent_of_ceiling.is_some_and(|p| p >= 50.0) {
            Bound::Bandwidth
        } else {
            Bound::Compute
        };
        Self {
            op,
            variant: case.variant.clone(),
            content: case.content.clone(),
            input: case.input.clone(),
            batch: case.batch,
            median_ns,
            min_ns: nanos.first().copied().unwrap_or(0).max(1),
            samples: nanos.len(),
            gb_per_s,
            percent_of_ceiling,
            timing,
            binds,
        }
    }

    /// Median microseconds of one frame of the batch.
    pub fn frame_us(&self) -> f64 {
        self.median_ns as f64 / 1e3 / f64::from(self.batch.max(1))
    }
}

impl BenchReport {
    pub(super) fn find_warnings(&self) -> Vec<BenchWarning> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let busy = self.load_average.iter().flatten().copied().fold(0.0, f64::max);
        let mut out = Vec::new();
        // The run itself keeps all cores busy on a software adapter, so only the load before it tells; on a GPU both do.
        let before = self.load_average.first().copied().flatten().unwrap_or(0.0);
        let load = if self.class == AdapterClass::Cpu { before } else { busy };
        if load > cores as f64 * 0.5 {
            out.push(BenchWarning::BusyMachine { load, cores });
        }
        if self.small {
            out.push(BenchWarning::Small);
        } else {
            for row in &self.rows {
                let ratio = row.median_ns as f64 / row.min_ns as f64;
                if ratio > 1.3 {
                    let case = format!("{} {} {} x{}", row.op, row.variant, row.content, row.batch);
                    out.push(BenchWarning::Noisy { case, ratio });
                }
            }
        }
        if cfg!(debug_assertions) {
            out.push(BenchWarning::DebugBuild);
        }
        out
    }

    /// A page of Markdown: machine, ceilings, table, warnings.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = self.markdown(&mut out);
        out
    }

    fn markdown(&self, out: &mut String) -> std::fmt::Result {
        let c = &self.ceilings;
        let load = |l: Option<f64>| l.map_or("unknown".to_owned(), |v| format!("{v:.2}"));
        let [before, after] = self.load_average.map(load);
        writeln!(out, "Adapter: {} ({}), {}, driver {}", self.adapter, self.kind, self.backend, self.driver)?;
        let commit = self.commit.as_deref().unwrap_or("unknown");
        writeln!(out, "frameloom {}, commit {commit}, wgpu {}", self.crate_version, self.wgpu_version)?;
        writeln!(out, "Load average: {before} before, {after} after")?;
        writeln!(
            out,
            "Ceilings ({} MiB): copy {:.1} GB/s, read {:.1} GB/s, write {:.1} GB/s; empty dispatch {:.1} us, submit and wait {:.1} us",
            c.bytes >> 20,
            c.copy_gb_per_s,
            c.read_gb_per_s,
            c.write_gb_per_s,
            c.empty_dispatch_us,
            c.submit_and_wait_us
        )?;
        let timing = self.rows.first().map_or("none", |r| r.timing.name());
        writeln!(out, "Timing: {timing}; median of {} samples\n", self.rows.first().map_or(0, |r| r.samples))?;
        writeln!(
            out,
            "| operation | variant | content | input | batch | us/frame | min | GB/s | % of ceiling | bound by |"
        )?;
        writeln!(out, "|---|---|---|---|---:|---:|---:|---:|---:|---|")?;
        for r in &self.rows {
            let min = r.min_ns as f64 / 1e3 / f64::from(r.batch.max(1));
            let percent = r.percent_of_ceiling.map_or("n/a".to_owned(), |p| format!("{p:.0}"));
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {:.1} | {min:.1} | {:.2} | {percent} | {} |",
                r.op,
                r.variant,
                r.content,
                r.input,
                r.batch,
                r.frame_us(),
                r.gb_per_s,
                r.binds.name()
            )?;
        }
        if self.class == AdapterClass::Cpu {
            writeln!(out, "\nSoftware adapter: bandwidth is never its limit, so no share of the ceiling is given.")?;
        }
        if let Some(peer) = &self.peer {
            peer::markdown(out, peer, &self.peer_rows)?;
        }
        for w in &self.warnings {
            writeln!(out, "\nWARNING: {w}")?;
        }
        Ok(())
    }

    /// The same as one JSON object.
    pub fn to_json(&self) -> String {
        let c = &self.ceilings;
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|r| {
                object(&[
                    ("op", text(r.op)),
                    ("variant", text(&r.variant)),
                    ("content", text(&r.content)),
                    ("input", text(&r.input)),
                    ("batch", r.batch.to_string()),
                    ("median_ns", r.median_ns.to_string()),
                    ("min_ns", r.min_ns.to_string()),
                    ("samples", r.samples.to_string()),
                    ("gb_per_s", number(Some(r.gb_per_s))),
                    ("percent_of_ceiling", number(r.percent_of_ceiling)),
                    ("timing", text(r.timing.name())),
                    ("bound_by", text(r.binds.name())),
                ])
            })
            .collect();
        let warnings: Vec<String> = self.warnings.iter().map(|w| text(&w.to_string())).collect();
        object(&[
            ("adapter", text(&self.adapter)),
            ("kind", text(self.kind)),
            ("driver", text(&self.driver)),
            ("backend", text(&self.backend)),
            ("wgpu", text(self.wgpu_version)),
            ("frameloom", text(self.crate_version)),
            ("commit", self.commit.as_deref().map_or("null".to_owned(), text)),
            ("small", self.small.to_string()),
            ("load_average", format!("[{}]", self.load_average.map(number).join(","))),
            (
                "ceilings",
                object(&[
                    ("bytes", c.bytes.to_string()),
                    ("copy_gb_per_s", number(Some(c.copy_gb_per_s))),
                    ("read_gb_per_s", number(Some(c.read_gb_per_s))),
                    ("write_gb_per_s", number(Some(c.write_gb_per_s))),
                    ("empty_dispatch_us", number(Some(c.empty_dispatch_us))),
                    ("submit_and_wait_us", number(Some(c.submit_and_wait_us))),
                ]),
            ),
            ("rows", format!("[{}]", rows.join(","))),
            ("peer", self.peer.as_deref().map_or("null".to_owned(), text)),
            ("peer_rows", peer::json(&self.peer_rows)),
            ("warnings", format!("[{}]", warnings.join(","))),
        ])
    }
}

pub(super) fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

/// JSON has no infinities.
pub(super) fn number(value: Option<f64>) -> String {
    value.filter(|v| v.is_finite()).map_or("null".to_owned(), |v| format!("{v:.4}"))
}

pub(super) fn text(s: &str) -> String {
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c)); // into a String: cannot fail
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> BenchReport {
        let row = BenchRow {
            op: "stats/luma",
            variant: "a \"b\"\n".into(),
            content: "flat".into(),
            input: "nv12 1920x1080".into(),
            batch: 8,
            median_ns: 16_000,
            min_ns: 8_000,
            samples: 3,
            gb_per_s: 1036.8,
            percent_of_ceiling: None,
            timing: Timing::WallClock,
            binds: Bound::Compute,
        };
        BenchReport {
            adapter: "x".into(),
            kind: "software",
            driver: "y".into(),
            backend: "vulkan".into(),
            class: AdapterClass::Cpu,
            wgpu_version: "1",
            crate_version: "2",
            commit: None,
            small: false,
            load_average: [Some(0.0), None],
            ceilings: Ceilings::default(),
            rows: vec![row],
            peer: Some("other 1.0".into()),
            peer_rows: vec![PeerRow {
                op: "stats/luma",
                variant: String::new(),
                content: "flat".into(),
                input: "nv12 1920x1080".into(),
                batch: 8,
                ours_ns: 2_000,
                recipe: "its own".into(),
                peer_ns: 7_000,
            }],
            warnings: Vec::new(),
        }
    }

    #[test]
    fn json_can_be_parsed_and_says_the_same() {
        let value: serde_json::Value = serde_json::from_str(&report().to_json()).expect("valid JSON");
        assert_eq!(value["rows"][0]["variant"], "a \"b\"\n");
        assert_eq!(value["rows"][0]["median_ns"], 16_000);
        assert!(value["commit"].is_null() && value["rows"][0]["percent_of_ceiling"].is_null());
        assert!(value["load_average"][1].is_null());
        assert_eq!((&value["peer_rows"][0]["ratio"], &value["peer"]), (&3.5.into(), &"other 1.0".into()));
    }

    #[test]
    fn markdown_names_what_is_needed() {
        let page = report().to_markdown();
        assert!(page.contains("| stats/luma |") && page.contains("| 2.0 | 1.0 | 1036.80 | n/a | compute |"), "{page}");
        assert!(page.contains("| 2.0 | its own | 7.0 | 3.50 |"), "{page}");
    }

    #[test]
    fn noise_is_named() {
        assert!(
            report().find_warnings().iter().any(|w| matches!(w, BenchWarning::Noisy { ratio, .. } if *ratio == 2.0))
        );
    }

    #[test]
    fn the_ceiling_follows_the_mix() {
        let c = Ceilings { copy_gb_per_s: 1.0, read_gb_per_s: 2.0, write_gb_per_s: 3.0, ..Ceilings::default() };
        let of = |r, w| ceiling(&c, &Work { bytes_read: r, bytes_written: w, ops: 0 });
        assert_eq!((of(100, 0), of(0, 100), of(100, 100)), (2.0, 3.0, 1.0));
    }
}
