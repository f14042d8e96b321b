//! Captions for pictures: from templates, or from a vision model behind an endpoint that the user names.
//!
//! Templates are the default and open no connection. [`EndpointCaptioner`] speaks the chat interface of OpenAI, as vLLM, llama.cpp, Ollama
//! and others do, and contacts that one address only.

mod answer;
mod endpoint;
mod template;

pub use endpoint::{EndpointCaptioner, EndpointOptions};
pub use template::TemplateCaptioner;

use crate::core::Size;
use crate::error::Result;

/// What is known of a picture, each 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptionFacts {
    /// Complexity of the background.
    pub complexity: f64,
    /// Quality of the lighting.
    pub lighting: f64,
    /// Sharpness.
    pub sharpness: f64,
}

/// A picture as bytes red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaptionPicture<'a> {
    /// Width and height.
    pub size: Size,
    /// Row after row, three bytes a pixel.
    pub rgb: &'a [u8],
}

/// What a caption is wanted for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CaptionRequest<'a> {
    /// Words that the caption begins with; may be empty.
    pub prefix: &'a str,
    /// What is known already; templates put it into words.
    pub facts: Option<CaptionFacts>,
    /// The picture; endpoints need it.
    pub picture: Option<CaptionPicture<'a>>,
}

/// Something that writes captions.
pub trait Captioner: Send {
    /// One line of text for a picture, without a line break at its end.
    ///
    /// # Errors
    /// What the captioner documents.
    fn caption(&mut self, request: &CaptionRequest<'_>) -> Result<String>;
}

/// Parts that are not empty, joined by commas.
fn joined<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    parts.into_iter().map(str::trim).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(", ")
}
