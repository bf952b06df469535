//! Talks to the same work done in Python, and compares the two.
//!
//! A peer is a script that reads one JSON request a line and answers each with one JSON line. It is started once and asked in turn with our own
//! measurement, so that both meet the same state of the machine.

#![allow(dead_code, reason = "no bench uses every helper, so `expect` would fail in some")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Times each side is measured; an odd number, so that the median is one of them.
const ROUNDS: usize = 5;

/// Whether cargo asks for numbers, not only whether the bench runs: criterion decides the same way.
pub fn is_measuring() -> bool {
    has("--bench") && !has("--test") && !has("--list")
}

/// Whether the peer is to be measured too: not where only our own side is profiled.
pub fn is_comparing() -> bool {
    is_measuring() && !has("--profile-time")
}

fn has(wanted: &str) -> bool {
    std::env::args().any(|argument| argument == wanted)
}

/// A running script under `benches/peers/`.
pub struct Peer {
    script: &'static str,
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts it with the Python of `.bench-venv`, or of `.venv` where that is enough, limited to one thread.
    pub fn start(script: &'static str) -> Result<Self> {
        Self::start_with(script, &[("OMP_NUM_THREADS", "1"), ("MKL_NUM_THREADS", "1")])
    }

    /// The same without that limit: with as many threads as its libraries take by themselves.
    pub fn start_unlimited(script: &'static str) -> Result<Self> {
        Self::start_with(script, &[])
    }

    /// Starts it with the Python of this venv, unlimited.
    pub fn start_in(venv: &'static str, script: &'static str) -> Result<Self> {
        Self::start_python(&[venv], script, &[])
    }

    fn start_with(script: &'static str, environment: &[(&str, &str)]) -> Result<Self> {
        Self::start_python(&[".bench-venv", ".venv"], script, environment)
    }

    fn start_python(
        venvs: &[&str],
        script: &'static str,
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let python = venvs
            .iter()
            .map(|venv| root.join(venv).join("bin/python"))
            .find(|python| python.exists())
            .with_context(|| {
                format!("{} is not there; run `scripts/setup bench`", venvs.join(" or "))
            })?;
        let mut process = Command::new(&python)
            .arg(root.join("benches/peers").join(script))
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} could not be started", python.display()))?;
        let requests = process.stdin.take().context("its input is piped")?;
        let answers = BufReader::new(process.stdout.take().context("its output is piped")?);
        Ok(Self { script, process, requests, answers })
    }

    /// Sends a request and waits for its answer.
    pub fn ask<A: DeserializeOwned>(&mut self, request: &impl Serialize) -> Result<A> {
        writeln!(self.requests, "{}", serde_json::to_string(request)?)
            .with_context(|| format!("{} has ended", self.script))?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        ensure!(
            !answer.is_empty(),
            "{} ended without an answer (its message is above); run `scripts/setup bench`",
            self.script
        );
        serde_json::from_str(&answer).with_context(|| format!("{} answered {answer}", self.script))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Both may fail only because it has already ended.
        let _killed = self.process.kill();
        let _reaped = self.process.wait();
    }
}

/// Measures both sides in turn, after one round that only warms up, and gives the medians of each.
///
/// # Errors
/// Those of the measurements.
pub fn medians<const N: usize>(
    mut ours: impl FnMut() -> Result<[f64; N]>,
    mut theirs: impl FnMut() -> Result<[f64; N]>,
) -> Result<[(f64, f64); N]> {
    ours()?;
    theirs()?;
    let rounds: Vec<([f64; N], [f64; N])> =
        (0..ROUNDS).map(|_| Ok((ours()?, theirs()?))).collect::<Result<_>>()?;
    let median = |values: &mut dyn Iterator<Item = f64>| {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        values[ROUNDS / 2]
    };
    Ok(std::array::from_fn(|part| {
        let our_median = median(&mut rounds.iter().map(|(ours, _)| ours[part]));
        (our_median, median(&mut rounds.iter().map(|(_, theirs)| theirs[part])))
    }))
}

/// Prints one comparison. Values are printed with their unit; the ratio is the peer's time over ours, so above 1 we are faster.
#[expect(clippy::print_stdout, reason = "the ratio is what the bench is for")]
pub fn report(what: &str, peer: &str, (ours, theirs): (String, String), ratio: f64) {
    println!(
        "{what}: walkforge {ours}, {peer} {theirs}, ratio {ratio:.2} (medians of {ROUNDS} rounds in turn)"
    );
}
