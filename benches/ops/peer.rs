//! A peer in a process of its own, spoken to line by line with tabs between fields.
//!
//! It says `ready<TAB>DESCRIPTION` first. Then it is told, and answers with one line each:
//! - `knows<TAB>OP<TAB>FORMAT`: `yes` or `no`, so that no pictures are made for an operation it has no way for;
//! - `case<TAB>OP<TAB>VARIANT<TAB>CONTENT<TAB>FORMAT<TAB>WIDTH<TAB>HEIGHT<TAB>FILE`: `recipes`, and a tab and a name for each way it
//!   can do that work, none where it cannot. FILE holds the frames of slots 0 and 1: tight planes, one behind the other;
//! - `run<TAB>RECIPE`: nanoseconds of one run on the frame in slot 0.
//!
//! An answer that begins with `error` is one.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::inputs;
use frameloom::core::{FrameLayout, PixelFormat, Size};
use frameloom::ops::bench::{Case, Peer};
use frameloom::{Error, Result};

/// Longest time for an answer: denoising a 1080p frame takes a library many seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// The other side of the conversation.
#[derive(Debug)]
pub struct ProcessPeer {
    child: Child,
    to: ChildStdin,
    answers: Receiver<String>,
    description: String,
    file: PathBuf,
}

impl ProcessPeer {
    /// Starts `command` with the shell.
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place of the benchmarks that starts a process: the one its user named"
    )]
    pub fn start(command: &str) -> Result<Self> {
        let failed = |what: &str| Error::usage(format!("`--peer {command}`: {what}"));
        let mut child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| failed(&e.to_string()))?;
        let (Some(to), Some(out)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Bug("a child process without pipes".into()));
        };
        let (send, answers) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(std::result::Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let file = std::env::temp_dir().join(format!("frameloom-peer-{}.raw", std::process::id()));
        let mut this = Self { child, to, answers, description: String::new(), file };
        let ready = this.answer()?;
        this.description =
            ready.strip_prefix("ready\t").ok_or_else(|| failed("it did not say `ready` and a description"))?.to_owned();
        Ok(this)
    }

    fn answer(&self) -> Result<String> {
        let line = self
            .answers
            .recv_timeout(PATIENCE)
            .map_err(|_| Error::usage(format!("the peer ended, or did not answer in {} s", PATIENCE.as_secs())))?;
        match line.strip_prefix("error") {
            Some(message) => Err(Error::usage(format!("the peer: {}", message.trim()))),
            None => Ok(line),
        }
    }

    fn ask(&mut self, line: &str) -> Result<String> {
        let sent = self.to.write_all(format!("{line}\n").as_bytes()).and_then(|()| self.to.flush());
        sent.map_err(|e| Error::usage(format!("the peer does not listen: {e}")))?;
        self.answer()
    }
}

impl Drop for ProcessPeer {
    fn drop(&mut self) {
        // It may be gone already, and so may the file.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Format and size as [`inputs::Input::name`] writes them.
fn parse(input: &str) -> Option<(PixelFormat, Size)> {
    let (format, size) = input.split_once(' ')?;
    let (width, height) = size.split_once('x')?;
    let format = PixelFormat::ALL.into_iter().find(|f| f.to_string() == format)?;
    Some((format, Size::new(width.parse().ok()?, height.parse().ok()?)))
}

/// The planes of a slot without padding.
fn tight(layout: &FrameLayout, slot: &[u8]) -> Vec<u8> {
    let rows = layout.planes().iter().flat_map(|p| {
        (0..p.shape.rows).map(move |y| ((p.offset + y * p.stride) as usize, p.shape.row_bytes() as usize))
    });
    rows.flat_map(|(at, len)| slot.get(at..at + len).unwrap_or_default().to_vec()).collect()
}

impl Peer for ProcessPeer {
    fn describe(&self) -> String {
        self.description.clone()
    }

    #[allow(clippy::disallowed_methods, reason = "a scratch file for the peer, gone at the end")]
    fn recipes(&mut self, op: &str, case: &Case) -> Result<Vec<String>> {
        let Some((format, size)) = parse(&case.input).filter(|_| inputs::CONTENTS.contains(&case.content.as_str()))
        else {
            return Ok(Vec::new());
        };
        let Some(layout) = FrameLayout::of(format, size) else { return Ok(Vec::new()) };
        match self.ask(&format!("knows\t{op}\t{format}"))?.as_str() {
            "yes" => {}
            "no" => return Ok(Vec::new()),
            answer => return Err(Error::usage(format!("the peer answered `{answer}` instead of yes or no"))),
        }
        let bytes: Vec<u8> =
            (0..2).flat_map(|i| tight(&layout, &inputs::pattern(&case.content, i).frame(&layout))).collect();
        std::fs::write(&self.file, bytes)
            .map_err(|e| Error::usage(format!("{} cannot be written: {e}", self.file.display())))?;
        let line = format!(
            "case\t{op}\t{}\t{}\t{format}\t{}\t{}\t{}",
            case.variant,
            case.content,
            size.width,
            size.height,
            self.file.display()
        );
        let answer = self.ask(&line)?;
        let mut fields = answer.split('\t');
        match fields.next() {
            Some("recipes") => Ok(fields.map(str::to_owned).collect()),
            _ => Err(Error::usage(format!("the peer answered `{answer}` to a case"))),
        }
    }

    fn time(&mut self, recipe: &str) -> Result<u64> {
        let answer = self.ask(&format!("run\t{recipe}"))?;
        answer.parse().map_err(|_| Error::usage(format!("the peer answered `{answer}` instead of nanoseconds")))
    }
}
