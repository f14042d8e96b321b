//! `frameloom worker --stdio`: work from another program, one JSON object a line in each direction.
//!
//! One thread reads lines, one per job does units, this one decides and is the only one that writes.

mod lines;
mod unit;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, never, select};
use frameloom::core::CancelToken;
use frameloom::{Error, Result};
use serde_json::{Value, json};
use signal_hook::consts::SIGTERM;

use crate::args::Global;
use crate::output::{Output, error_json};
use crate::pipeline_args::WorkerArgs;
use crate::signals::Signals;
use lines::Line;
use unit::{Done, Request, Unit};

/// How often signals are looked for.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn run(global: &Global, args: &WorkerArgs, _: &mut Output, signals: &Signals) -> Result<u8> {
    // Standard output carries nothing but messages, whatever `--json` says.
    let mut out = Output::new(true, global.quiet);
    let lines = lines::read()?;
    let (done_in, done) = bounded(args.jobs as usize);
    let mut slots = Vec::new();
    for slot in 0..args.jobs as usize {
        slots.push(unit::job(slot, global, done_in.clone())?);
    }
    out.event(
        "ready",
        json!({ "frameloom": env!("CARGO_PKG_VERSION"), "jobs": args.jobs, "queue": args.queue, "protocol": 1 }),
    );
    let mut shop = Shop {
        free: (0..slots.len()).collect(),
        slots,
        queue: args.queue as usize,
        waiting: VecDeque::new(),
        running: BTreeMap::new(),
        signals: signals.clone(),
        out,
    };
    shop.work(&lines, &done)?;
    if shop.out.is_closed() { Ok(141) } else { Ok(0) }
}

/// Everything that is under way.
struct Shop {
    free: Vec<usize>,
    slots: Vec<Sender<(Unit, Signals)>>,
    queue: usize,
    waiting: VecDeque<Unit>,
    /// Tokens of the units that run, by id.
    running: BTreeMap<String, CancelToken>,
    signals: Signals,
    out: Output,
}

impl Shop {
    /// Until the input has ended and all is done, or a signal came.
    fn work(&mut self, lines: &Receiver<Line>, done: &Receiver<Done>) -> Result<()> {
        let (mut open, nothing) = (true, never());
        loop {
            if self.signals.cancel.is_cancelled() || self.out.is_closed() {
                return self.stop(done);
            }
            self.start()?;
            if !open && self.waiting.is_empty() && self.running.is_empty() {
                return Ok(());
            }
            // A full queue reads no more: whoever sends waits, as with any pipe.
            let incoming = if open && self.waiting.len() < self.queue { lines } else { &nothing };
            select! {
                recv(incoming) -> line => match line {
                    Ok(line) => self.take(line),
                    Err(_) => open = false,
                },
                recv(done) -> end => self.end(end.map_err(|_| Error::Bug("all jobs have ended".into()))?),
                default(LOOK) => {}
            }
        }
    }

    /// Gives what waits to jobs that are free.
    fn start(&mut self) -> Result<()> {
        while let Some(slot) = self.free.pop() {
            let Some(unit) = self.waiting.pop_front() else {
                self.free.push(slot);
                return Ok(());
            };
            let token = CancelToken::new();
            self.running.insert(unit.id.clone(), token.clone());
            let job = self.slots.get(slot).ok_or_else(|| Error::Bug("no such job".into()))?;
            let given = job.send((unit, self.signals.apart(token)));
            given.map_err(|_| Error::Bug("a job has ended".into()))?;
        }
        Ok(())
    }

    fn take(&mut self, line: Line) {
        let number = line.number;
        let request = line.text.and_then(|text| unit::request(&text));
        let wrong = match request {
            Ok(Request::Unit(unit)) => {
                let known = self.running.contains_key(&unit.id) || self.waiting.iter().any(|u| u.id == unit.id);
                if !known {
                    self.waiting.push_back(*unit);
                    return;
                }
                (Some(unit.id), "a unit of this id is under way".to_owned())
            }
            Ok(Request::Cancel(id)) => {
                if let Some(token) = self.running.get(&id) {
                    token.cancel();
                    return;
                }
                if let Some(at) = self.waiting.iter().position(|u| u.id == id) {
                    if let Some(unit) = self.waiting.remove(at) {
                        self.say(&unit.given_back());
                    }
                    return;
                }
                (Some(id), "no unit of this id is under way".to_owned())
            }
            Err((id, message)) => (id, message),
        };
        let (id, message) = wrong;
        let e = Error::usage(message);
        let mut fields = error_json(&e);
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("id".into(), id.map_or(Value::Null, Value::String));
            fields.insert("line".into(), number.into());
        }
        self.out.event("error", fields);
    }

    fn end(&mut self, done: Done) {
        self.running.remove(&done.id);
        self.free.push(done.slot);
        self.say(&done.message);
    }

    fn say(&mut self, message: &Value) {
        self.out.event("result", message.clone());
    }

    /// After a signal: what waits is given back, what runs is finished, or stopped where the signal is not TERM.
    fn stop(&mut self, done: &Receiver<Done>) -> Result<()> {
        for unit in std::mem::take(&mut self.waiting) {
            self.say(&unit.given_back());
        }
        if self.signals.received() != u8::try_from(SIGTERM).ok() {
            self.running.values().for_each(CancelToken::cancel);
        }
        while !self.running.is_empty() {
            let end = done.recv().map_err(|_| Error::Bug("all jobs have ended".into()))?;
            self.end(end);
        }
        Ok(())
    }
}
