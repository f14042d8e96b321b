//! Captions: templates as the original has them, or a vision model behind the endpoint that the user names.

use super::super::config::CurateConfig;
use super::super::metrics::FrameMetrics;
#[cfg(feature = "caption")]
use super::super::models::rgb_of;
use super::super::picture::Rgba;
use crate::core::CancelToken;
#[cfg(feature = "caption")]
use crate::error::Error;
use crate::error::Result;
#[cfg(feature = "caption")]
use crate::infer::caption::{CaptionPicture, CaptionRequest, Captioner as _, EndpointCaptioner, EndpointOptions};
#[cfg(feature = "caption")]
use crate::store::{Cache, Lookup, RunKey, StoreIo};

/// Longest caption that is kept, in bytes.
#[cfg(feature = "caption")]
const LONGEST: u64 = 1 << 16;

/// Writes captions.
pub(super) struct Captions<'a> {
    config: &'a CurateConfig,
    #[cfg(feature = "caption")]
    server: Option<Server<'a>>,
}

impl std::fmt::Debug for Captions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Captions").field("captions", &self.config.captions).finish_non_exhaustive()
    }
}

/// A server with its manners: a pause between questions, and answers kept.
#[cfg(feature = "caption")]
struct Server<'a> {
    endpoint: EndpointCaptioner,
    cache: Cache<'a>,
    key: RunKey,
    last: Option<std::time::Instant>,
    cancel: CancelToken,
}

/// The words for a frame, as the original has them.
fn words(m: &FrameMetrics) -> Vec<&'static str> {
    let mut words = Vec::new();
    if m.lighting > 0.7 {
        words.push("well-lit");
    }
    if m.sharpness > 0.6 {
        words.push("sharp focus");
    }
    words.push(if m.complexity < 0.3 { "simple background" } else { "detailed environment" });
    words
}

fn joined<'b>(parts: impl IntoIterator<Item = &'b str>) -> String {
    parts.into_iter().map(str::trim).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
}

impl<'a> Captions<'a> {
    /// `folder` keeps the answers of a server.
    ///
    /// # Errors
    /// [`crate::Error::Config`] for an address or key that is none; [`crate::Error::Usage`] for an address in a build without captions.
    pub(super) fn new(
        config: &'a CurateConfig,
        #[cfg(feature = "caption")] io: &'a dyn StoreIo,
        #[cfg(feature = "caption")] folder: &std::path::Path,
        cancel: &CancelToken,
    ) -> Result<Self> {
        #[cfg(not(feature = "caption"))]
        {
            let _ = cancel;
            if !config.captions.endpoint.is_empty() {
                return Err(crate::Error::usage("this build asks no servers for captions (feature `caption`)"));
            }
            Ok(Self { config })
        }
        #[cfg(feature = "caption")]
        {
            let c = &config.captions;
            if c.endpoint.is_empty() || config.parity {
                return Ok(Self { config, server: None });
            }
            let options = EndpointOptions {
                url: c.endpoint.clone(),
                model: config.strategies.keep_full.caption_model.clone(),
                prompt: c.prompt.clone(),
                key_variable: (!c.key_variable.is_empty()).then(|| c.key_variable.clone()),
                ..EndpointOptions::default()
            };
            let key =
                RunKey::builder().field("url", &options.url).field("model", &options.model).field("prompt", &c.prompt);
            let server = Server {
                endpoint: EndpointCaptioner::new(options, cancel.clone())?,
                cache: Cache::open(io, folder)?,
                key: key.finish()?,
                last: None,
                cancel: cancel.clone(),
            };
            Ok(Self { config, server: Some(server) })
        }
    }

    /// A caption that begins with `prefix`.
    ///
    /// # Errors
    /// Those of the server; none without one.
    pub(super) fn text(&mut self, prefix: &str, metrics: &FrameMetrics, picture: &Rgba) -> Result<String> {
        let c = &self.config.captions;
        #[cfg(feature = "caption")]
        if let Some(server) = &mut self.server {
            let said = server.ask(picture, c.per_second)?;
            return Ok(joined([&c.prefix, prefix, &said, &c.suffix]));
        }
        let _ = picture;
        let facts = words(metrics);
        Ok(joined([c.prefix.as_str(), prefix].into_iter().chain(facts).chain([c.suffix.as_str()])))
    }
}

#[cfg(feature = "caption")]
impl Server<'_> {
    fn ask(&mut self, picture: &Rgba, per_second: f64) -> Result<String> {
        let rgb = rgb_of(&picture.pixels);
        let name = format!("{} {}", picture.size, blake3::hash(&rgb).to_hex());
        if let Lookup::Hit(text) = self.cache.get(&name, &self.key, LONGEST)?
            && let Ok(text) = String::from_utf8(text)
        {
            return Ok(text);
        }
        if let (Some(last), true) = (self.last, per_second > 0.0) {
            let pause = std::time::Duration::from_secs_f64(1.0 / per_second);
            while last.elapsed() < pause {
                self.cancel.check()?;
                std::thread::sleep((pause - last.elapsed().min(pause)).min(std::time::Duration::from_millis(50)));
            }
        }
        self.last = Some(std::time::Instant::now());
        let picture = CaptionPicture { size: picture.size, rgb: &rgb };
        let request = CaptionRequest { prefix: "", facts: None, picture: Some(picture) };
        // A server that is late for one frame is that frame's failure: the others go on.
        let late = |e| match e {
            Error::Deadline { what, after } => Error::model("endpoint", format!("{what}: nothing in {after:?}")),
            other => other,
        };
        let text = self.endpoint.caption(&request).map_err(late)?;
        self.cache.put(&name, &self.key, text.as_bytes())?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Size;
    use crate::workflows::curate::metrics::tests::metrics;

    #[test]
    fn templates_say_what_was_measured_and_frame_it() {
        let mut config = CurateConfig { parity: true, ..CurateConfig::default() };
        let picture = Rgba { size: Size::new(1, 1), pixels: vec![0; 4] };
        let say = |config: &CurateConfig, m: &FrameMetrics| {
            #[cfg(feature = "caption")]
            let mut captions = Captions { config, server: None };
            #[cfg(not(feature = "caption"))]
            let mut captions = Captions { config };
            captions.text("a cat, sitting", m, &picture).unwrap()
        };
        assert_eq!(say(&config, &metrics(0.2, 0.8, 0.7)), "a cat, sitting, well-lit, sharp focus, simple background");
        assert_eq!(say(&config, &metrics(0.3, 0.7, 0.6)), "a cat, sitting, detailed environment");
        config.captions.prefix = "ohwx".into();
        config.captions.suffix = "4k".into();
        assert_eq!(say(&config, &metrics(0.3, 0.7, 0.6)), "ohwx, a cat, sitting, detailed environment, 4k");
    }
}
