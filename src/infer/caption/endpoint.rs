//! Captions from a vision model behind an endpoint with OpenAI's chat interface (vLLM, llama.cpp, Ollama …).
//!
//! One address is contacted, the one that the user gives, see [`Endpoint`].

use std::time::Duration;

use base64::Engine;
use serde_json::json;

use super::answer::text;
use super::{CaptionPicture, CaptionRequest, Captioner, joined};
use crate::core::{CancelToken, Size};
use crate::error::{Error, Result};
use crate::infer::endpoint::{ConnectOptions, Endpoint, EndpointNames};
use crate::infer::tasks::PlanarPicture;

/// How messages call it.
const NAMES: EndpointNames = EndpointNames { settings: "caption", name: "caption endpoint" };

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

impl EndpointOptions {
    fn check(&self) -> Result<()> {
        let least = |field, ok: bool, wanted: &str, given: String| {
            if ok { Ok(()) } else { Err(NAMES.refused(field, format!("must be {wanted}, got {given}"))) }
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
        least("longest", (16..=8192).contains(&self.longest), "within 16..=8192", self.longest.to_string())
    }

    fn connect(&self) -> ConnectOptions {
        ConnectOptions {
            url: self.url.clone(),
            key_variable: self.key_variable.clone(),
            max_answer_bytes: self.max_answer_bytes,
            connect_timeout: self.connect_timeout,
            read_timeout: self.read_timeout,
            overall_timeout: self.overall_timeout,
            attempts: self.attempts,
            pause: self.pause,
        }
    }
}

/// The whole path of what was given.
fn path(given: &str) -> String {
    match given {
        "" => "/v1/chat/completions".to_owned(),
        whole if whole.ends_with("/chat/completions") => whole.to_owned(),
        base => format!("{base}/chat/completions"),
    }
}

/// Asks an endpoint for each caption.
#[derive(Debug)]
pub struct EndpointCaptioner {
    options: EndpointOptions,
    endpoint: Endpoint,
}

impl EndpointCaptioner {
    /// Checks the options; nothing is contacted yet. `cancel` ends pauses between attempts at once, and a request that runs with its time-out.
    ///
    /// # Errors
    /// [`Error::Config`] naming the option: an address that is none or holds a key, a variable that is not set, numbers out of range.
    pub fn new(options: EndpointOptions, cancel: CancelToken) -> Result<Self> {
        options.check()?;
        let endpoint = Endpoint::new(NAMES, options.connect(), path, cancel)?;
        Ok(Self { options, endpoint })
    }

    /// The address that is contacted.
    pub fn address(&self) -> String {
        self.endpoint.address()
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
        serde_json::to_vec(&body).map_err(|e| self.endpoint.failed(e))
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
        written.map_err(|e| self.endpoint.failed(format!("the picture cannot be written as PNG: {e}")))?;
        Ok(out)
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
        let text = self.endpoint.ask(&self.body(picture)?, text)?;
        Ok(joined([request.prefix, &text]))
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
