//! `frameloom man`: manual pages made from the same text as `--help`.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use frameloom::{Error, Result};

use crate::args::Cli;
use crate::output::Output;

pub(crate) fn run(folder: Option<&Path>, out: &mut Output) -> Result<u8> {
    let command = Cli::command();
    let Some(folder) = folder else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut page)
            .map_err(|e| Error::Bug(format!("the manual page cannot be made: {e}")))?;
        std::io::stdout().write_all(&page).map_err(|e| Error::storage("write", "standard output", e))?;
        return Ok(0);
    };
    std::fs::create_dir_all(folder).map_err(|e| Error::storage("create", folder, e))?;
    clap_mangen::generate_to(command, folder).map_err(|e| Error::storage("write", folder, e))?;
    out.note(&format!("manual pages written to {}", folder.display()));
    Ok(0)
}
