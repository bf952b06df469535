//! Reading market files beside pandas (`peers/reading.py`): the twelve five-minute crypto files of the shared data, and ten million bars as CSV.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};
use walkforge::domain::{Symbol, Timeframe};
use walkforge::market::{Bars, Catalog, read_bars, synthetic_bars};
use walkforge::spec::{SyntheticMarket, SyntheticSpec};

use crate::peers::{Peer, medians, report};

const LARGE: u32 = 10_000_000;
/// What a bar takes in memory: a time, four prices and a volume.
const BYTES_A_BAR: u64 = 48;
/// Reading may take this many times what the bars take.
const MOST_MEMORY: f64 = 3.0;

#[derive(Serialize)]
struct Request<'a> {
    paths: &'a [PathBuf],
}

#[derive(Deserialize)]
struct Answer {
    seconds: f64,
    rows: usize,
    /// The sum of all closes, so that both have read the same.
    closes: f64,
}

/// Files to read, and how.
struct Files<'a> {
    what: &'a str,
    paths: Vec<PathBuf>,
    symbol: Symbol,
    timeframe: Timeframe,
}

impl Files<'_> {
    fn read(&self) -> Result<Vec<Bars>> {
        let read = |path: &PathBuf| Ok(read_bars(path, self.symbol.clone(), self.timeframe)?);
        self.paths.iter().map(read).collect()
    }

    fn compare(&self, peer: &mut Peer) -> Result<()> {
        let bars = self.read()?;
        let rows: usize = bars.iter().map(Bars::len).sum();
        let closes: f64 = bars.iter().flat_map(Bars::close).sum();
        drop(bars);
        let request = Request { paths: &self.paths };
        let answer: Answer = peer.ask(&request)?;
        ensure!(rows == answer.rows, "{rows} rows, the peer has {}", answer.rows);
        let is_same = (closes - answer.closes).abs() <= 1e-9 * closes.abs();
        ensure!(is_same, "closes add up to {closes}, the peer's to {}", answer.closes);
        let [(ours, theirs)] = medians(
            || {
                let began = Instant::now();
                black_box(self.read()?);
                Ok([began.elapsed().as_secs_f64()])
            },
            || Ok([peer.ask::<Answer>(&request)?.seconds]),
        )?;
        let rate = |seconds: f64| format!("{:.2} million bars/s", rows as f64 / seconds / 1e6);
        report(self.what, "pandas", (rate(ours), rate(theirs)), theirs / ours);
        Ok(())
    }
}

/// Compares both ways of reading, and holds the memory that reading takes to its bound.
pub fn compare() -> Result<()> {
    let mut peer = Peer::start("reading.py")?;
    match std::env::var_os("WALKFORGE_DATA") {
        Some(data) => crypto(&Path::new(&data).join("crypto"))?.compare(&mut peer)?,
        None => {
            note("reading 12 five-minute files: skipped, WALKFORGE_DATA does not name the data");
        }
    }
    let folder = tempfile::tempdir()?;
    let large = large(folder.path())?;
    let peak = peak_memory(|| large.read().map(drop))?;
    if let Some(peak) = peak {
        let times = peak as f64 / (BYTES_A_BAR * u64::from(LARGE)) as f64;
        note(&format!("reading {LARGE} bars: the peak is {times:.2} times what the bars take"));
        ensure!(times <= MOST_MEMORY, "reading takes more than {MOST_MEMORY} times the bars");
    }
    large.compare(&mut peer)
}

fn crypto(folder: &Path) -> Result<Files<'static>> {
    let timeframe: Timeframe = "5m".parse()?;
    let catalog = Catalog::scan(folder)?;
    let paths = catalog.entries().iter().filter(|entry| entry.timeframe == timeframe);
    let paths = paths.map(|entry| entry.path.clone()).collect();
    Ok(Files { what: "reading 12 five-minute files", paths, symbol: "ANY".parse()?, timeframe })
}

fn large(folder: &Path) -> Result<Files<'static>> {
    let (symbol, timeframe): (Symbol, Timeframe) = ("SYN_A".parse()?, "1m".parse()?);
    let spec = SyntheticSpec { market: SyntheticMarket::Planted { ic: 0.3 }, bars: LARGE, seed: 1 };
    let bars = synthetic_bars(&spec, &symbol, timeframe)?.bars;
    let path = folder.join("SYN_A-1m.csv");
    let mut file = BufWriter::new(File::create(&path)?);
    writeln!(file, "date,open,high,low,close,volume")?;
    for t in 0..bars.len() {
        let [open, high, low, close, volume] =
            [bars.open(), bars.high(), bars.low(), bars.close(), bars.volume()]
                .map(|column| column[t]);
        let date = bars.open_time()[t].to_string().replace('T', " ").replace('Z', "");
        writeln!(file, "{date},{open:.6},{high:.6},{low:.6},{close:.6},{volume:.3}")?;
    }
    file.flush()?;
    Ok(Files { what: "reading 10 million bars of CSV", paths: vec![path], symbol, timeframe })
}

/// By how many bytes the resident memory grew at most during the work, where the system tells.
fn peak_memory(work: impl FnOnce() -> Result<()>) -> Result<Option<u64>> {
    let resident = |name: &str| -> Option<u64> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    // Sets the peak back to what is in use now.
    let is_reset = fs::write("/proc/self/clear_refs", "5").is_ok();
    let before = resident("VmRSS:");
    work()?;
    let after = resident("VmHWM:").filter(|_| is_reset);
    Ok(after.zip(before).map(|(after, before)| after.saturating_sub(before)))
}

#[expect(clippy::print_stdout, reason = "the numbers are what the bench is for")]
fn note(text: &str) {
    println!("{text}");
}
