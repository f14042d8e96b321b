//! Questions to a server over HTTP: one address, the one that the user gives, with time-outs and repeated attempts.
//!
//! No redirects, no proxy from the environment. The key, if one is needed, comes from an environment variable whose name is given; it is in
//! no message and no debug output.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ureq::http::{StatusCode, Uri};

use crate::core::CancelToken;
use crate::error::{Error, Result};

/// Longest pause between two attempts, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What an endpoint is called in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointNames {
    /// Where its settings lie: stands before the names of settings.
    pub settings: &'static str,
    /// What it is.
    pub name: &'static str,
}

impl EndpointNames {
    /// A setting that cannot be used.
    pub fn refused(&self, field: &str, message: impl Into<String>) -> Error {
        Error::Config { field: format!("{}.{field}", self.settings), message: message.into() }
    }
}

/// Which server, and how long it may take.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectOptions {
    /// Address, `http` or `https`, without key and query.
    pub url: String,
    /// Name of the environment variable that holds the key; no key is sent without it.
    pub key_variable: Option<String>,
    /// Most bytes of an answer, at least 1.
    pub max_answer_bytes: u64,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the head of an answer, and then for its body.
    pub read_timeout: Duration,
    /// Longest time for an answer, repeated attempts and pauses included.
    pub overall_timeout: Duration,
    /// Attempts when the server is busy or failing (status 429 and 5xx), at least 1.
    pub attempts: u32,
    /// Pause after the first attempt, doubled after each further one; a longer one that the server asks for is kept, up to 30 s.
    pub pause: Duration,
}

impl ConnectOptions {
    fn check(&self, names: EndpointNames) -> Result<()> {
        let least = |field, ok: bool, wanted: &str, given: String| {
            if ok { Ok(()) } else { Err(names.refused(field, format!("must be {wanted}, got {given}"))) }
        };
        least("max_answer_bytes", self.max_answer_bytes > 0, "at least 1", self.max_answer_bytes.to_string())?;
        least("attempts", self.attempts > 0, "at least 1", self.attempts.to_string())?;
        let times = [("connect_timeout", self.connect_timeout), ("read_timeout", self.read_timeout)];
        for (field, time) in times.into_iter().chain([("overall_timeout", self.overall_timeout)]) {
            least(field, !time.is_zero(), "over 0", format!("{time:?}"))?;
        }
        Ok(())
    }

    /// The address, its path completed.
    fn address(&self, names: EndpointNames, path: impl FnOnce(&str) -> String) -> Result<Uri> {
        let wanted = "must be an address like `http://localhost:8000/v1`";
        let given: Uri = self.url.parse().map_err(|e| names.refused("url", format!("{wanted}: {e}")))?;
        let scheme = given.scheme_str().filter(|s| matches!(*s, "http" | "https"));
        let (Some(scheme), Some(host)) = (scheme, given.authority()) else {
            return Err(names.refused("url", wanted));
        };
        if host.as_str().contains('@') || given.query().is_some() {
            return Err(names.refused(
                "url",
                "must hold no key and no query; name the key's environment variable in `key_variable`",
            ));
        }
        let path = path(given.path().trim_end_matches('/'));
        format!("{scheme}://{host}{path}").parse().map_err(|e| names.refused("url", format!("{wanted}: {e}")))
    }

    fn key(&self, names: EndpointNames) -> Result<Option<String>> {
        let Some(name) = &self.key_variable else { return Ok(None) };
        let wrong = |why: &str| names.refused("key_variable", format!("the environment variable `{name}` {why}"));
        let key = std::env::var(name).map_err(|_| wrong("is not set (or is no text)"))?;
        if key.is_empty() || key.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err(wrong("does not hold a key: it is empty or has characters that a header cannot have"));
        }
        Ok(Some(key))
    }
}

/// A server that answers a JSON body with a body.
pub struct Endpoint {
    names: EndpointNames,
    options: ConnectOptions,
    address: Uri,
    key: Option<String>,
    agent: ureq::Agent,
    cancel: CancelToken,
    calls: AtomicU64,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Endpoint")
            .field("options", &self.options)
            .field("address", &self.address)
            .field("has_key", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

/// What one attempt came to.
enum Attempt<T> {
    Done(T),
    /// Busy or failing: why, and how long the server asks to wait.
    Again(String, Option<Duration>),
}

impl Endpoint {
    /// Checks the options; nothing is contacted yet. `path` makes the whole path of what is given, which has no slash at its end. `cancel` ends
    /// pauses between attempts at once, and a request that runs with its time-out.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option: an address that is none or holds a key, a variable that is not set, numbers out of range.
    pub fn new(
        names: EndpointNames,
        options: ConnectOptions,
        path: impl FnOnce(&str) -> String,
        cancel: CancelToken,
    ) -> Result<Self> {
        options.check(names)?;
        let (address, key) = (options.address(names, path)?, options.key(names)?);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .user_agent(concat!("frameloom/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.read_timeout))
            .timeout_recv_body(Some(options.read_timeout))
            .build()
            .new_agent();
        Ok(Self { names, options, address, key, agent, cancel, calls: AtomicU64::new(0) })
    }

    /// The address that is contacted.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Requests that were sent so far, repeated ones included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// An error of it.
    pub fn failed(&self, message: impl std::fmt::Display) -> Error {
        Error::Model { cause: "endpoint", message: format!("{} {}: {message}", self.names.name, self.address) }
    }

    /// Sends `body`, which is JSON, and gives what `read` makes of the answer; busy and failing servers are asked again.
    ///
    /// # Errors
    /// [`Error::Deadline`] when a time-out ends the wait; [`Error::Cancelled`]; [`Error::Model`] with cause `endpoint` for everything else: no
    /// connection, a status that is not 200 (after all attempts for 429 and 5xx), an answer that is too large or that `read` refuses.
    pub fn ask<T>(&self, body: &[u8], read: impl Fn(&[u8]) -> std::result::Result<T, String>) -> Result<T> {
        let (o, began) = (&self.options, Instant::now());
        let mut pause = o.pause;
        let mut last = String::new();
        for attempt in 1..=o.attempts {
            self.cancel.check()?;
            let left = o.overall_timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                break;
            }
            match self.attempt(body, left, &read)? {
                Attempt::Done(answer) => return Ok(answer),
                Attempt::Again(why, asked) => {
                    last = format!("{why} (attempt {attempt} of {})", o.attempts);
                    let wait = asked.unwrap_or_default().max(pause).min(LONGEST_PAUSE);
                    if attempt == o.attempts || began.elapsed() + wait >= o.overall_timeout {
                        break;
                    }
                    self.pause(wait)?;
                    pause = pause.saturating_mul(2);
                }
            }
        }
        Err(self.failed(last))
    }

    fn attempt<T>(
        &self,
        body: &[u8],
        left: Duration,
        read: &impl Fn(&[u8]) -> std::result::Result<T, String>,
    ) -> Result<Attempt<T>> {
        let mut request = self.agent.post(&self.address).header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.calls.fetch_add(1, Ordering::Relaxed);
        let sent = request.config().timeout_global(Some(left)).build().send(body);
        let mut response = sent.map_err(|e| self.transport(&e))?;
        let status = response.status();
        let wait = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        let limited = response.body_mut().with_config().limit(self.options.max_answer_bytes).read_to_vec();
        let answer = limited.map_err(|e| self.transport(&e))?;
        if status == StatusCode::OK {
            return read(&answer).map(Attempt::Done).map_err(|e| self.failed(e));
        }
        let why = format!("status {status}: {}", excerpt(&answer));
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            return Ok(Attempt::Again(why, wait.map(Duration::from_secs)));
        }
        let hint = match status.as_u16() {
            300..=399 => " (redirects are not followed; give the address itself)",
            401 | 403 => " (is `key_variable` set?)",
            404 => " (is the path right, and does the server have this model?)",
            _ => "",
        };
        Err(self.failed(format!("{why}{hint}")))
    }

    /// Errors below the status: time-outs by the option that ended the wait.
    fn transport(&self, e: &ureq::Error) -> Error {
        let o = &self.options;
        let late = |what: &str, after| Error::Deadline {
            what: format!("{what} of {} {}", self.names.name, self.address),
            after,
        };
        match e {
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                late("the connection", o.connect_timeout)
            }
            ureq::Error::Timeout(ureq::Timeout::RecvResponse | ureq::Timeout::RecvBody) => {
                late("the answer", o.read_timeout)
            }
            ureq::Error::Timeout(_) => late("the answer", o.overall_timeout),
            ureq::Error::BodyExceedsLimit(_) => self
                .failed(format!("the answer is over the limit of {} bytes (`max_answer_bytes`)", o.max_answer_bytes)),
            other => self.failed(other),
        }
    }

    /// Sleeps in short pieces, so that a cancelled run ends.
    fn pause(&self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        loop {
            self.cancel.check()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

/// One line: white space and control characters become single blanks.
pub(crate) fn clean(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The beginning of an answer, for messages.
pub(crate) fn excerpt(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = clean(&String::from_utf8_lossy(body.get(..4 * LONGEST).unwrap_or(body)));
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
