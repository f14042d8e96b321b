//! Outputs of rooms that do not know this one: [`Staged`] as an [`OutputFile`], every [`StoreIo`] as an [`OutputSink`].

use std::path::Path;

use super::commit::Staged;
use super::io::StoreIo;
use crate::core::{OutputFile, OutputSink, Written};
use crate::error::Result;

impl OutputFile for Staged {
    fn commit(self: Box<Self>) -> Result<Written> {
        let done = Self::commit(*self)?;
        Ok(Written { bytes: done.bytes, blake3: done.blake3.into() })
    }
}

impl<T: StoreIo> OutputSink for T {
    fn create_output(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        Ok(Box::new(Staged::create(self, path)?))
    }
}

impl OutputSink for dyn StoreIo + '_ {
    fn create_output(&self, path: &Path) -> Result<Box<dyn OutputFile>> {
        Ok(Box::new(Staged::create(self, path)?))
    }
}
