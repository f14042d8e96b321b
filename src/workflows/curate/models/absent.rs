//! A build without networks has none of these.

use super::{ByteMask, Opener};
use crate::core::{ColorSpec, Face, Size};
use crate::error::Result;
use crate::gpu::GpuContext;
use crate::ops::FrameBatch;
use crate::workflows::curate::detail::Embedding;

/// Never there.
#[derive(Debug)]
pub(in super::super) enum Detect {}

impl Detect {
    pub(super) fn open(opener: &mut Opener<'_>, _: &GpuContext) -> Result<Option<Self>> {
        opener.open("detect", &opener.config.analysis.detect_model);
        Ok(None)
    }

    pub(in super::super) fn count(
        &mut self,
        _: &dyn FrameBatch,
        _: ColorSpec,
        _: u32,
        _: f32,
    ) -> Result<Vec<(u32, f64)>> {
        match *self {}
    }
}

/// Never there.
#[derive(Debug)]
pub(in super::super) enum Faces {}

impl Faces {
    pub(super) fn open(opener: &mut Opener<'_>, _: &GpuContext) -> Result<Option<Self>> {
        opener.open("face", &opener.config.analysis.face_model);
        Ok(None)
    }

    pub(in super::super) fn find(&mut self, _: &dyn FrameBatch, _: ColorSpec, _: u32) -> Result<Vec<Vec<Face>>> {
        match *self {}
    }
}

/// Never there.
#[derive(Debug)]
pub(in super::super) enum Describe {}

impl Describe {
    pub(super) fn open(opener: &mut Opener<'_>, _: &GpuContext) -> Result<Option<Self>> {
        opener.open("embed", &opener.config.analysis.embed_model);
        Ok(None)
    }

    pub(in super::super) fn describe(
        &mut self,
        _: &dyn FrameBatch,
        _: ColorSpec,
        _: u32,
    ) -> Result<Vec<Option<Embedding>>> {
        match *self {}
    }
}

/// Never there.
#[derive(Debug)]
pub(in super::super) enum Subject {}

impl Subject {
    pub(super) fn open(opener: &mut Opener<'_>, _: &GpuContext) -> Result<Option<Self>> {
        opener.open("segment", &opener.config.strategies.segment.segmentation_model);
        Ok(None)
    }

    pub(in super::super) fn is_quick(&self) -> bool {
        match *self {}
    }

    pub(in super::super) fn masks(&mut self, _: &dyn FrameBatch, _: ColorSpec, _: u32) -> Result<Vec<ByteMask>> {
        match *self {}
    }
}

/// Never there.
#[derive(Debug)]
pub(in super::super) enum Fill {}

impl Fill {
    pub(super) fn open(opener: &mut Opener<'_>) -> Result<Option<Self>> {
        let wanted = &opener.config.strategies.segment.inpainting_model;
        if !Opener::is_rule(wanted) {
            opener.open("inpaint", wanted);
        }
        Ok(None)
    }

    pub(in super::super) fn fill(&mut self, _: Size, _: &[u8], _: &ByteMask) -> Result<Vec<u8>> {
        match *self {}
    }
}

/// Never there.
#[derive(Debug)]
pub(in super::super) enum Upscale {}

impl Upscale {
    pub(super) fn open(opener: &mut Opener<'_>) -> Result<Option<Self>> {
        opener.open("upscale", &opener.config.strategies.enhance_segment.upscale_model);
        Ok(None)
    }

    pub(in super::super) fn upscale(&mut self, _: Size, _: &[u8]) -> Result<(Size, Vec<u8>)> {
        match *self {}
    }
}

/// Never there.
#[derive(Debug)]
pub(in super::super) enum Restore {}

impl Restore {
    pub(super) fn open(opener: &mut Opener<'_>) -> Result<Option<Self>> {
        opener.open("restore-face", &opener.config.strategies.enhance_segment.face_enhance_model);
        Ok(None)
    }

    pub(in super::super) fn restore(&mut self, _: Size, _: &[u8], _: &[Face]) -> Result<Vec<u8>> {
        match *self {}
    }
}
