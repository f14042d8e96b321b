//! Figures of a run as Prometheus text, over a small HTTP server of our own: one connection at a time, bounded in bytes and time.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use frameloom::gpu::GpuContext;
use frameloom::media::Isolation;
use frameloom::pipeline::MemoryWatch;
use frameloom::{Error, Result};

/// Bytes of a request that are read; what Prometheus sends is about 300.
const LONGEST_REQUEST: usize = 8 << 10;
/// Longest time for a connection.
const PATIENCE: Duration = Duration::from_secs(2);
/// Inputs with figures of their own; of more only the sums are shown.
const MAX_INPUTS: usize = 200;

#[derive(Debug)]
struct Input {
    name: String,
    frames: u64,
    expected: Option<u64>,
    started: Instant,
    /// How it ended and after how many seconds.
    ended: Option<(&'static str, f64)>,
}

impl Input {
    fn seconds(&self) -> f64 {
        self.ended.map_or_else(|| self.started.elapsed().as_secs_f64(), |(_, seconds)| seconds)
    }

    fn rate(&self) -> f64 {
        self.frames as f64 / self.seconds().max(1e-3)
    }
}

#[derive(Debug, Default)]
struct State {
    inputs: Vec<Input>,
    frames: u64,
    device: Option<GpuContext>,
}

/// Figures of a run.
#[derive(Debug)]
pub(crate) struct Metrics {
    command: &'static str,
    started: Instant,
    state: Mutex<State>,
    memory: Arc<MemoryWatch>,
    isolation: Option<Isolation>,
    limit: u64,
}

impl Metrics {
    pub(crate) fn new(
        command: &'static str,
        memory: Arc<MemoryWatch>,
        isolation: Option<Isolation>,
        limit: u64,
    ) -> Self {
        Self { command, started: Instant::now(), state: Mutex::default(), memory, isolation, limit }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device whose buffers are counted.
    pub(crate) fn device(&self, ctx: &GpuContext) {
        self.lock().device = Some(ctx.clone());
    }

    /// Work on an input begins.
    pub(crate) fn begin(&self, name: &str, expected: Option<u64>) {
        let name = name.to_owned();
        self.lock().inputs.push(Input { name, frames: 0, expected, started: Instant::now(), ended: None });
    }

    /// `frames` more of it are done.
    pub(crate) fn add(&self, name: &str, frames: u64) {
        let mut state = self.lock();
        state.frames += frames;
        if let Some(input) = state.inputs.iter_mut().rev().find(|i| i.name == name) {
            input.frames += frames;
        }
    }

    /// It has ended: `complete`, `partial`, `unverifiable` or `failed`.
    pub(crate) fn end(&self, name: &str, how: &'static str) {
        if let Some(input) = self.lock().inputs.iter_mut().rev().find(|i| i.name == name) {
            input.ended = Some((how, input.started.elapsed().as_secs_f64()));
        }
    }

    /// All figures in Prometheus' text format, version 0.0.4.
    pub(crate) fn text(&self) -> String {
        let mut page = Page(String::new());
        let state = self.lock();
        let command = format!("{{command=\"{}\",version=\"{}\"}}", self.command, env!("CARGO_PKG_VERSION"));
        page.family("frameloom_info", "gauge", "What is running.", &[(command, 1.0)]);
        let plain = |v: f64| [(String::new(), v)];
        page.family(
            "frameloom_uptime_seconds",
            "gauge",
            "Seconds since the start.",
            &plain(self.started.elapsed().as_secs_f64()),
        );
        page.family("frameloom_frames_total", "counter", "Frames done, over all inputs.", &plain(state.frames as f64));
        let count = |how| state.inputs.iter().filter(|i| i.ended.map(|(h, _)| h) == how).count() as f64;
        let states =
            ["complete", "partial", "unverifiable", "failed"].map(|how| (label("state", how), count(Some(how))));
        let running = (label("state", "running"), count(None));
        page.family("frameloom_inputs", "gauge", "Inputs by state.", &[&[running], &states[..]].concat());
        let each = |f: &dyn Fn(&Input) -> Option<f64>| -> Vec<(String, f64)> {
            let newest = state.inputs.iter().rev().take(MAX_INPUTS);
            newest.filter_map(|i| Some((label("input", &i.name), f(i)?))).collect()
        };
        let frames = each(&|i| Some(i.frames as f64));
        page.family("frameloom_input_frames_total", "counter", "Frames done of an input.", &frames);
        let expected = each(&|i| i.expected.map(|n| n as f64));
        page.family("frameloom_input_frames_expected", "gauge", "Frames that an input declares.", &expected);
        page.family(
            "frameloom_input_frames_per_second",
            "gauge",
            "Mean speed on an input.",
            &each(&|i| Some(i.rate())),
        );
        let left = each(&|i| {
            let left = i.expected?.saturating_sub(i.frames) as f64;
            (i.ended.is_none() && i.frames > 0).then(|| left / i.rate().max(1e-9))
        });
        page.family("frameloom_input_eta_seconds", "gauge", "Seconds that an input will still take.", &left);
        let (now, peak) = (self.memory.now(), self.memory.peak());
        let memory = [
            (label("part", "own"), now.own as f64),
            (label("part", "decoders"), now.workers as f64),
            (label("part", "peak"), peak.total() as f64),
            (label("part", "limit"), self.limit as f64),
        ];
        page.family("frameloom_memory_bytes", "gauge", "Memory that the process tree allocated.", &memory);
        if let Some(ctx) = &state.device {
            let (pool, host) = (ctx.pool(), ctx.caps().shares_host_memory());
            let stats = pool.stats();
            let kind = if host { "host" } else { "own" };
            let buffers = [
                (format!("{{memory=\"{kind}\",part=\"used\"}}"), stats.in_use_bytes as f64),
                (format!("{{memory=\"{kind}\",part=\"idle\"}}"), stats.idle_bytes as f64),
                (format!("{{memory=\"{kind}\",part=\"peak\"}}"), stats.peak_bytes as f64),
            ];
            page.family("frameloom_gpu_buffer_bytes", "gauge", "Buffers of the device.", &buffers);
        }
        if let Some(isolation) = &self.isolation {
            let running = isolation.workers().len() as f64;
            page.family("frameloom_decoder_processes", "gauge", "Decoder processes that run.", &plain(running));
            let help = "Decoder processes that ended before their work did.";
            page.family("frameloom_decoder_process_deaths_total", "counter", help, &plain(isolation.deaths() as f64));
        }
        page.0
    }
}

fn label(name: &str, value: &str) -> String {
    let mut escaped = String::new();
    for c in value.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            c => escaped.push(c),
        }
    }
    format!("{{{name}=\"{escaped}\"}}")
}

struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str, samples: &[(String, f64)]) {
        if samples.is_empty() {
            return;
        }
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}"); // writing to a string does not fail
        for (labels, value) in samples {
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

/// Answers requests until it is dropped.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Listens at `at`; port 0 takes a free one.
    pub(crate) fn start(at: SocketAddr, metrics: Arc<Metrics>) -> Result<Self> {
        let failed = |e: std::io::Error| Error::Usage {
            message: format!("cannot listen at `{at}`: {e}"),
            hint: Some("give `--metrics-listen` an address of this machine and a free port, or port 0".into()),
        };
        let listener = TcpListener::bind(at).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let serve = move || {
            while !stopped.load(Ordering::Relaxed) {
                match listener.accept() {
                    // A client that goes away or talks nonsense is its own problem.
                    Ok((stream, _)) => drop(answer(stream, &metrics)),
                    Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::sleep(Duration::from_millis(25)),
                    Err(_) => std::thread::sleep(Duration::from_millis(250)),
                }
            }
        };
        let thread = std::thread::Builder::new().name("metrics".into()).spawn(serve).map_err(failed)?;
        Ok(Self { address, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // it ends within the patience for one client
        }
    }
}

fn answer(mut stream: TcpStream, metrics: &Metrics) -> std::io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = Vec::new();
    let mut buffer = [0u8; 1024];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || request.len() > LONGEST_REQUEST {
            return Err(ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        match stream.read(&mut buffer)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n => request.extend_from_slice(buffer.get(..n).unwrap_or_default()),
        }
    }
    let line = request.split(|b| *b == b'\r').next().unwrap_or_default();
    let mut words = line.split(|b| *b == b' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split(|b| *b == b'?').next().unwrap_or_default();
    let (status, body) = match (method, path) {
        (b"GET" | b"HEAD", b"/metrics") => ("200 OK", metrics.text()),
        (b"GET" | b"HEAD", b"/") => ("200 OK", "frameloom: the figures are at /metrics\n".to_owned()),
        (b"GET" | b"HEAD", _) => ("404 Not Found", "nothing here; the figures are at /metrics\n".to_owned()),
        _ => ("405 Method Not Allowed", "only GET\n".to_owned()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if method != b"HEAD" {
        stream.write_all(body.as_bytes())?;
    }
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Arc<Metrics> {
        let memory = Arc::new(MemoryWatch::start(Duration::from_millis(5), Vec::new));
        Arc::new(Metrics::new("test", memory, Some(Isolation::new("/nowhere")), 1 << 30))
    }

    fn ask(at: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(at).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn figures_are_served_and_names_escaped() {
        let m = metrics();
        m.begin("a\"b\\\n.mp4", Some(100));
        m.add("a\"b\\\n.mp4", 40);
        m.begin("done.mp4", None);
        m.end("done.mp4", "partial");
        let server = MetricsServer::start("127.0.0.1:0".parse().unwrap(), Arc::clone(&m)).unwrap();
        let text = ask(server.address(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
        for line in [
            "frameloom_frames_total 40",
            "frameloom_input_frames_total{input=\"a\\\"b\\\\\\n.mp4\"} 40",
            "frameloom_input_frames_expected{input=\"a\\\"b\\\\\\n.mp4\"} 100",
            "frameloom_inputs{state=\"running\"} 1",
            "frameloom_inputs{state=\"partial\"} 1",
            "frameloom_memory_bytes{part=\"limit\"} 1073741824",
            "frameloom_decoder_process_deaths_total 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
        let body = text.split_once("\r\n\r\n").unwrap().1;
        for line in body.lines().filter(|l| !l.starts_with('#')) {
            assert!(line.rsplit_once(' ').is_some_and(|(_, v)| v.parse::<f64>().is_ok()), "{line}");
        }
        assert!(ask(server.address(), "GET /x HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask(server.address(), "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
    }

    #[test]
    fn a_silent_client_is_sent_away_and_the_server_goes_on_and_ends() {
        let server = MetricsServer::start("127.0.0.1:0".parse().unwrap(), metrics()).unwrap();
        let silent = TcpStream::connect(server.address()).unwrap();
        let started = Instant::now();
        assert!(ask(server.address(), "GET / HTTP/1.1\r\n\r\n").contains("200 OK"));
        assert!(started.elapsed() < PATIENCE + Duration::from_secs(3), "{:?}", started.elapsed());
        drop(silent);
        let started = Instant::now();
        drop(server);
        assert!(started.elapsed() < PATIENCE + Duration::from_secs(1));
    }

    #[test]
    fn an_address_that_cannot_be_had_is_a_usage_error() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let e = MetricsServer::start(taken.local_addr().unwrap(), metrics()).unwrap_err();
        assert_eq!((e.code(), e.exit_code()), ("usage", 2));
    }
}
