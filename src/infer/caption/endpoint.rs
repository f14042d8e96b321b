//! Captions from a vision model behind an endpoint with OpenAI's chat interface (vLLM, llama.cpp, Ollama …).
//!
//! One address is contacted, the one that the user gives: no redirects, no proxy from the environment. The key, if one is needed, comes from
//! an environment variable whose name is given; it is in no message and no debug output.

use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::json;
use ureq::http::{StatusCode, Uri};

use super::answer::{excerpt, text};
use super::{CaptionPicture, CaptionRequest, Captioner, joined};
use crate::core::{CancelToken, Size};
use crate::error::{Error, Result};
use crate::infer::tasks::PlanarPicture;

/// Longest pause between two attempts, whatever the server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where captions come from and how they are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointOptions {
    /// Address: `http://host:port`, with `/v1` or with the whole path `/v1/chat/completions`.
    pub url: String,
    /// Name of the model, as the server lists it.
    pub model: String,
    /// What the model is asked.
    pub prompt: String,
    /// Most tokens of an answer, at least 1. An answer cut off by it is an error.
    pub max_tokens: u32,
    /// 0 (always the likeliest word) to 2.
    pub temperature: f64,
    /// Seed of the server's sampling; not every server has one.
    pub seed: u64,
    /// Name of the environment variable that holds the key; no key is sent without it.
    pub key_variable: Option<String>,
    /// Pictures are made smaller until their longer side is at most this, 16 to 8192 pixels.
    pub longest: u32,
    /// Most bytes of an answer, at least 1.
    pub max_answer_bytes: u64,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the head of an answer, and then for its body. A model must have thought by then.
    pub read_timeout: Duration,
    /// Longest time for a caption, repeated attempts and pauses included.
    pub overall_timeout: Duration,
    /// Attempts when the server is busy or failing (status 429 and 5xx), at least 1.
    pub attempts: u32,
    /// Pause after the first attempt, doubled after each further one; a longer one that the server asks for is kept, up to 30 s.
    pub pause: Duration,
}

impl Default for EndpointOptions {
    fn default() -> Self {
        Self {
            url: String::new(),
            model: String::new(),
            prompt: "Describe this image in one sentence.".into(),
            max_tokens: 128,
            temperature: 0.0,
            seed: 0,
            key_variable: None,
            longest: 1024,
            max_answer_bytes: 1 << 20,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(120),
            overall_timeout: Duration::from_secs(300),
            attempts: 4,
            pause: Duration::from_secs(1),
        }
    }
}

fn config(field: &str, message: impl Into<String>) -> Error {
    Error::Config { field: format!("caption.{field}"), message: message.into() }
}

impl EndpointOptions {
    fn check(&self) -> Result<()> {
        let least = |field, ok: bool, wanted: &str, given: String| {
            if ok { Ok(()) } else { Err(config(field, format!("must be {wanted}, got {given}"))) }
        };
        least(
            "model",
            !self.model.trim().is_empty(),
            "the name of a model of the server",
            format!("`{}`", self.model),
        )?;
        least("prompt", !self.prompt.trim().is_empty(), "a question", format!("`{}`", self.prompt))?;
        least("max_tokens", self.max_tokens > 0, "at least 1", self.max_tokens.to_string())?;
        least("temperature", (0.0..=2.0).contains(&self.temperature), "within 0..=2", self.temperature.to_string())?;
        least("longest", (16..=8192).contains(&self.longest), "within 16..=8192", self.longest.to_string())?;
        least("max_answer_bytes", self.max_answer_bytes > 0, "at least 1", self.max_answer_bytes.to_string())?;
        least("attempts", self.attempts > 0, "at least 1", self.attempts.to_string())?;
        let times = [("connect_timeout", self.connect_timeout), ("read_timeout", self.read_timeout)];
        for (field, time) in times.into_iter().chain([("overall_timeout", self.overall_timeout)]) {
            least(field, !time.is_zero(), "over 0", format!("{time:?}"))?;
        }
        Ok(())
    }

    /// The address with its whole path.
    fn address(&self) -> Result<Uri> {
        let wanted = "must be an address like `http://localhost:8000/v1`";
        let given: Uri = self.url.parse().map_err(|e| config("url", format!("{wanted}: {e}")))?;
        let scheme = given.scheme_str().filter(|s| matches!(*s, "http" | "https"));
        let (Some(scheme), Some(host)) = (scheme, given.authority()) else {
            return Err(config("url", wanted));
        };
        if host.as_str().contains('@') || given.query().is_some() {
            return Err(config(
                "url",
                "must hold no key and no query; name the key's environment variable in `key_variable`",
            ));
        }
        let path = given.path().trim_end_matches('/');
        let path = match path {
            "" => "/v1/chat/completions".to_owned(),
            whole if whole.ends_with("/chat/completions") => whole.to_owned(),
            base => format!("{base}/chat/completions"),
        };
        format!("{scheme}://{host}{path}").parse().map_err(|e| config("url", format!("{wanted}: {e}")))
    }

    fn key(&self) -> Result<Option<String>> {
        let Some(name) = &self.key_variable else { return Ok(None) };
        let wrong = |why: &str| config("key_variable", format!("the environment variable `{name}` {why}"));
        let key = std::env::var(name).map_err(|_| wrong("is not set (or is no text)"))?;
        if key.is_empty() || key.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err(wrong("does not hold a key: it is empty or has characters that a header cannot have"));
        }
        Ok(Some(key))
    }
}

/// Asks an endpoint for each caption.
pub struct EndpointCaptioner {
    options: EndpointOptions,
    address: Uri,
    key: Option<String>,
    agent: ureq::Agent,
    cancel: CancelToken,
}

impl std::fmt::Debug for EndpointCaptioner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EndpointCaptioner")
            .field("options", &self.options)
            .field("address", &self.address)
            .field("has_key", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

/// What one attempt came to.
enum Attempt {
    Done(String),
    /// Busy or failing: why, and how long the server asks to wait.
    Again(String, Option<Duration>),
}

impl EndpointCaptioner {
    /// Checks the options; nothing is contacted yet. `cancel` ends pauses between attempts at once, and a request that runs with its time-out.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option: an address that is none or holds a key, a variable that is not set, numbers out of range.
    pub fn new(options: EndpointOptions, cancel: CancelToken) -> Result<Self> {
        options.check()?;
        let (address, key) = (options.address()?, options.key()?);
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
        Ok(Self { options, address, key, agent, cancel })
    }

    /// The address that is contacted.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    fn failed(&self, message: impl std::fmt::Display) -> Error {
        Error::Model { cause: "endpoint", message: format!("caption endpoint {}: {message}", self.address) }
    }

    fn body(&self, picture: CaptionPicture<'_>) -> Result<Vec<u8>> {
        let o = &self.options;
        let url =
            format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(self.png(picture)?));
        let content =
            json!([{ "type": "text", "text": o.prompt }, { "type": "image_url", "image_url": { "url": url } }]);
        let body = json!({
            "model": o.model,
            "messages": [{ "role": "user", "content": content }],
            "max_tokens": o.max_tokens,
            "temperature": o.temperature,
            "seed": o.seed,
            "stream": false,
        });
        serde_json::to_vec(&body).map_err(|e| self.failed(e))
    }

    /// The picture as PNG, made smaller where it is too large.
    fn png(&self, picture: CaptionPicture<'_>) -> Result<Vec<u8>> {
        let size = picture.size.fit_within(self.options.longest);
        if size == picture.size && picture.rgb.len() as u64 == size.area() * 3 {
            return self.encoded(size, picture.rgb);
        }
        let small = PlanarPicture::from_rgb8(picture.size, picture.rgb)?.resized(size)?;
        self.encoded(size, &small.to_rgb8())
    }

    fn encoded(&self, size: Size, rgb: &[u8]) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, size.width, size.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let written = encoder.write_header().and_then(|mut w| {
            w.write_image_data(rgb)?;
            w.finish()
        });
        written.map_err(|e| self.failed(format!("the picture cannot be written as PNG: {e}")))?;
        Ok(out)
    }

    fn attempt(&self, body: &[u8], left: Duration) -> Result<Attempt> {
        let mut request = self.agent.post(&self.address).header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let sent = request.config().timeout_global(Some(left)).build().send(body);
        let mut response = sent.map_err(|e| self.transport(&e))?;
        let status = response.status();
        let wait = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
        let limited = response.body_mut().with_config().limit(self.options.max_answer_bytes).read_to_vec();
        let answer = limited.map_err(|e| self.transport(&e))?;
        if status == StatusCode::OK {
            return text(&answer).map(Attempt::Done).map_err(|e| self.failed(e));
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
        let late =
            |what: &str, after| Error::Deadline { what: format!("{what} of caption endpoint {}", self.address), after };
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

impl Captioner for EndpointCaptioner {
    /// The model's answer as one line behind the prefix. Facts are not sent.
    ///
    /// # Errors
    /// [`Error::Usage`] without a picture; [`Error::Deadline`] when a time-out ends the wait; [`Error::Cancelled`]; [`Error::Model`] with cause
    /// `endpoint` for everything else: no connection, a status that is not 200 (after all attempts for 429 and 5xx), an answer that is too
    /// large, no JSON, without text or cut off.
    fn caption(&mut self, request: &CaptionRequest<'_>) -> Result<String> {
        let Some(picture) = request.picture else {
            return Err(Error::usage("a caption endpoint needs the picture, none was given"));
        };
        let body = self.body(picture)?;
        let (o, began) = (&self.options, Instant::now());
        let mut pause = o.pause;
        let mut last = String::new();
        for attempt in 1..=o.attempts {
            self.cancel.check()?;
            let left = o.overall_timeout.saturating_sub(began.elapsed());
            if left.is_zero() {
                break;
            }
            match self.attempt(&body, left)? {
                Attempt::Done(text) => return Ok(joined([request.prefix, &text])),
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(url: &str) -> EndpointOptions {
        EndpointOptions { url: url.into(), model: "m".into(), ..EndpointOptions::default() }
    }

    fn address(url: &str) -> Result<String> {
        EndpointCaptioner::new(options(url), CancelToken::new()).map(|c| c.address())
    }

    #[test]
    fn addresses_are_completed() {
        let whole = "http://localhost:8000/v1/chat/completions";
        for url in [
            "http://localhost:8000",
            "http://localhost:8000/",
            "http://localhost:8000/v1",
            "http://localhost:8000/v1/",
            whole,
        ] {
            assert_eq!(address(url).unwrap(), whole);
        }
        assert_eq!(address("https://h/openai/v2").unwrap(), "https://h/openai/v2/chat/completions");
        for url in ["", "localhost:8000", "ftp://h/v1", "/v1", "http://key@h/v1", "http://h/v1?key=1"] {
            let e = address(url).unwrap_err();
            assert!(matches!(&e, Error::Config { field, .. } if field == "caption.url"), "{url}: {e}");
        }
    }

    #[test]
    fn every_option_out_of_range_is_named() {
        let good = options("http://h");
        let cases: [(&str, EndpointOptions); 10] = [
            ("model", EndpointOptions { model: " ".into(), ..good.clone() }),
            ("prompt", EndpointOptions { prompt: String::new(), ..good.clone() }),
            ("max_tokens", EndpointOptions { max_tokens: 0, ..good.clone() }),
            ("temperature", EndpointOptions { temperature: f64::NAN, ..good.clone() }),
            ("longest", EndpointOptions { longest: 8, ..good.clone() }),
            ("max_answer_bytes", EndpointOptions { max_answer_bytes: 0, ..good.clone() }),
            ("attempts", EndpointOptions { attempts: 0, ..good.clone() }),
            ("connect_timeout", EndpointOptions { connect_timeout: Duration::ZERO, ..good.clone() }),
            ("overall_timeout", EndpointOptions { overall_timeout: Duration::ZERO, ..good.clone() }),
            ("key_variable", EndpointOptions { key_variable: Some("FRAMELOOM_NO_SUCH_KEY".into()), ..good.clone() }),
        ];
        for (name, o) in cases {
            let e = EndpointCaptioner::new(o, CancelToken::new()).unwrap_err();
            assert!(matches!(&e, Error::Config { field, .. } if field == &format!("caption.{name}")), "{name}: {e}");
        }
    }
}
