//! Where the time of a run went.

use std::time::{Duration, Instant};

use serde::Serialize;

/// Seconds of a run by what they were spent on. Only what this run did: of one that went on, the rest.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct SyncSpeed {
    /// All of it.
    pub total: f64,
    /// The pass that finds faces and cuts.
    pub faces_pass: f64,
    /// Inside its network: what that would take alone on the same inputs.
    pub faces_networks: f64,
    /// The pass that looks at the tracks.
    pub lips_pass: f64,
    /// Inside its networks.
    pub lips_networks: f64,
    /// Hearing the sound, judging, writing the outputs.
    pub judging: f64,
}

impl SyncSpeed {
    /// Seconds inside the networks.
    pub fn networks(&self) -> f64 {
        self.faces_networks + self.lips_networks
    }

    /// The part of the time in which the networks ran, 0..=1: how near the run is to their own bare speed. 0 for a run that did nothing.
    pub fn networks_share(&self) -> f64 {
        if self.total > 0.0 { (self.networks() / self.total).min(1.0) } else { 0.0 }
    }
}

/// Takes the times of the parts.
pub(super) struct Clock {
    began: Instant,
    last: Instant,
    networks: Duration,
}

impl Clock {
    /// Begins; `networks` is what they had run before.
    pub(super) fn new(networks: Duration) -> Self {
        let began = Instant::now();
        Self { began, last: began, networks }
    }

    /// Seconds since the last lap, and those of them inside the networks, which have run for `networks` by now.
    pub(super) fn lap(&mut self, networks: Duration) -> (f64, f64) {
        let now = Instant::now();
        let took = now.duration_since(self.last).as_secs_f64();
        let inside = networks.saturating_sub(self.networks).as_secs_f64();
        (self.last, self.networks) = (now, networks);
        (took, inside)
    }

    /// Ends with the laps of both passes.
    pub(super) fn end(self, faces: (f64, f64), lips: (f64, f64)) -> SyncSpeed {
        SyncSpeed {
            total: self.began.elapsed().as_secs_f64(),
            faces_pass: faces.0,
            faces_networks: faces.1,
            lips_pass: lips.0,
            lips_networks: lips.1,
            judging: self.last.elapsed().as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_run_did_counts() {
        let mut clock = Clock::new(Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(10));
        let (faces, lips) = (clock.lap(Duration::from_millis(5003)), clock.lap(Duration::from_millis(5004)));
        let speed = clock.end(faces, lips);
        assert!((speed.networks() - 0.004).abs() < 1e-9 && speed.faces_pass >= 0.01, "{speed:?}");
        assert!((speed.faces_networks - 0.003).abs() < 1e-9, "{speed:?}");
        assert!(speed.total >= speed.faces_pass + speed.lips_pass + speed.judging - 1e-6);
        assert!(speed.networks_share() > 0.0 && speed.networks_share() <= 0.4);
        assert!(SyncSpeed::default().networks_share() == 0.0);
    }
}
