//! The window without a screen: what a frame costs while very much trains, whether it rests when nothing happens, whether its memory stands
//! still, and how soon it shows something among many runs. A frame is the app's own work, layout and tessellation, on one core.

mod peers;
mod stored;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use crossbeam_channel::bounded;
use eframe::App as _;
use egui::{Event as Input, Key, Modifiers, Pos2, RawInput, Rect, ViewportId, vec2};
use walkforge::domain::{
    Device, EpochRecord, Event, EventKind, FoldIndex, Plan, Progress, RunId, RunOutcome,
    RunSummary, StepTimes, TaskId, UtcMillis,
};
use walkforge::runs::{RunFilter, RunIndex, RunStore};
use walkforge::spec::{DEFAULT_PRESET, ExperimentSpec, apply, load};
use walkforge::ui::{App, Options, Settings};
use walkforge::workbench::{Command, Update, Workbench};

use peers::is_measuring;
use stored::{Size, fill, plan};

/// What half of all frames may take at most.
const MEDIAN: Duration = Duration::from_millis(4);
/// The same of 99 in a hundred.
const P99: Duration = Duration::from_millis(8);
/// From opening the store to the first frame.
const FIRST_FRAME: Duration = Duration::from_secs(2);
/// Time between two frames at least.
const FRAME: Duration = Duration::from_millis(33);
/// What memory may grow by while curves are as long as they get.
const GROWTH: u64 = 8 << 20;

/// How much trains.
struct Load {
    tasks: usize,
    running: usize,
    epochs: u32,
    frames: usize,
}

/// A window without a screen.
struct Window {
    ctx: egui::Context,
    app: App,
    frame: eframe::Frame,
    began: Instant,
    size: egui::Vec2,
    pixels_per_point: f32,
}

impl Window {
    fn open(runs: &Path) -> Result<Self> {
        Self::on(runs, None)
    }

    fn on(runs: &Path, spec: Option<ExperimentSpec>) -> Result<Self> {
        let ctx = egui::Context::default();
        let options = Options {
            runs: runs.to_owned(),
            spec,
            settings: Ok(Settings::default()),
            telemetry: false,
            software_rendered: false,
        };
        // As the program's own window has it.
        ctx.options_mut(|options| options.warn_on_id_clash = false);
        let app = App::new(&ctx, options).map_err(anyhow::Error::msg)?;
        let frame = eframe::Frame::_new_kittest();
        let (began, size) = (Instant::now(), vec2(1440.0, 900.0));
        Ok(Self { ctx, app, frame, began, size, pixels_per_point: 1.0 })
    }

    /// Draws a frame; how long it took, how many points its shapes have, and when it wants the next.
    fn draw(&mut self, events: Vec<Input>) -> (Duration, usize, Duration) {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.began.elapsed().as_secs_f64()),
            focused: true,
            events,
            ..RawInput::default()
        };
        let began = Instant::now();
        let mut output = self.ctx.run_ui(input, |ui| {
            self.app.logic(ui.ctx(), &mut self.frame);
            self.app.ui(ui, &mut self.frame);
        });
        // Nobody has a texture of it.
        output.textures_delta.clear();
        let meshes = self.ctx.tessellate(output.shapes, self.pixels_per_point);
        let took = began.elapsed();
        let vertices = meshes.iter().map(|mesh| match &mesh.primitive {
            egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
            egui::epaint::Primitive::Callback(_) => 0,
        });
        let next = output.viewport_output[&ViewportId::ROOT].repaint_delay;
        (took, vertices.sum(), next)
    }

    fn press(&mut self, modifiers: Modifiers, key: Key) {
        for pressed in [true, false] {
            let event = Input::Key { key, physical_key: None, pressed, repeat: false, modifiers };
            self.draw(vec![event]);
        }
    }

    fn tell(&mut self, run: &RunId, task: Option<&TaskId>, kind: EventKind) {
        let event =
            Event { run: run.clone(), task: task.cloned(), seq: 0, at: UtcMillis::now(), kind };
        self.app.apply(Update::Event(Box::new(event)));
    }
}

/// A plan of very many tasks: symbols × folds.
fn large_plan(tasks: usize) -> Result<Plan> {
    let mut plan = plan()?;
    let first = plan.tasks.first().context("the recorded plan has tasks")?.clone();
    plan.tasks = (0..tasks)
        .map(|number| {
            let (symbol, fold) = (number / 100, number % 100);
            let mut task = first.clone();
            task.id = TaskId::new(format!("SYM{symbol:03}-1h-fold{fold:02}"));
            task.fold.index = FoldIndex(fold as u32);
            task
        })
        .collect();
    Ok(plan)
}

/// An epoch of a noisy curve.
fn epoch(task: usize, number: u32) -> EpochRecord {
    let noise = f64::from((number.wrapping_mul(2_654_435_761) ^ task as u32) % 1000) / 5000.0;
    let loss = 0.6 + 1.0 / f64::from(number).sqrt() + noise;
    EpochRecord {
        epoch: number,
        train_loss: loss,
        validation_loss: Some(loss * 1.05),
        monitor: Some(0.03 + noise / 10.0),
        learning_rate: 1e-3 / f64::from(number),
        gradient_norm: 0.5 + noise,
        seconds: 0.1,
        is_best: number.is_multiple_of(97),
    }
}

fn progress(number: u32, most: u32) -> EventKind {
    let times = StepTimes { data: 1.0, forward: 2.0, backward: 3.0, optimizer: 1.0, total: 8.0 };
    EventKind::Progress(Progress {
        epoch: number,
        max_epochs: most,
        batch: number % 40,
        batches: 40,
        samples_per_second: 20_000.0,
        times: Some(times),
    })
}

/// A window in which very much trains, with curves as long as asked for.
fn busy(runs: &Path, load: &Load) -> Result<(Window, RunId, Vec<TaskId>)> {
    let mut window = Window::open(runs)?;
    let run = RunId::new("bench");
    let plan = large_plan(load.tasks)?;
    let tasks: Vec<TaskId> =
        plan.tasks.iter().take(load.running).map(|task| task.id.clone()).collect();
    window.tell(&run, None, EventKind::Planned { plan: Box::new(plan) });
    let (began, mut told) = (Instant::now(), 0_u32);
    for (index, task) in tasks.iter().enumerate() {
        window.tell(&run, Some(task), EventKind::Started { device: Device::Cpu });
        for number in 1..=load.epochs {
            window.tell(&run, Some(task), EventKind::Epoch(epoch(index, number)));
            told += 1;
        }
        window.tell(&run, Some(task), progress(load.epochs, 2 * load.epochs));
    }
    let each = began.elapsed() / told.max(1);
    say(&format!("{told} epochs taken in {:.1?}, {each:.1?} each", began.elapsed()));
    // Training, which stands behind Plan at first.
    window.press(Modifiers::COMMAND, Key::Num5);
    for _ in 0..10 {
        window.draw(Vec::new());
    }
    Ok((window, run, tasks))
}

/// Frames while 30 times a second some of the tasks tell something, each of them a few times in each second.
fn frames(runs: &Path, load: &Load) -> Result<()> {
    let (mut window, run, tasks) = busy(runs, load)?;
    let mut number = load.epochs;
    let (mut took, mut vertices) = (Vec::new(), 0);
    for frame in 0..load.frames {
        let mut taking = Duration::ZERO;
        for (index, task) in tasks.iter().enumerate().skip(frame % 5).step_by(5) {
            let began = Instant::now();
            window.tell(&run, Some(task), progress(number, 2 * load.epochs));
            if index % 10 == frame % 10 {
                window.tell(&run, Some(task), EventKind::Epoch(epoch(index, number + 1)));
            }
            taking += began.elapsed();
        }
        number += u32::from(frame % 10 == 9);
        let (drawing, drawn, _) = window.draw(Vec::new());
        took.push(taking + drawing);
        vertices = vertices.max(drawn);
        // As far apart as in a window: what follows the clock is to follow it.
        std::thread::sleep(FRAME.saturating_sub(drawing));
    }
    took.sort();
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    say(&format!(
        "{} running tasks × {} epochs, {} rows in the queue: {} frames of at most {vertices} vertices",
        load.running,
        load.epochs,
        load.tasks,
        took.len()
    ));
    verdict("median of a frame", at(0.5), MEDIAN);
    verdict("99th percentile of a frame", at(0.99), P99);
    Ok(())
}

/// Nothing trains and nobody moves the mouse.
fn idle(runs: &Path) -> Result<()> {
    let mut window = Window::open(runs)?;
    let began = Instant::now();
    // Until all that was asked of the engine has come.
    let mut next = Duration::ZERO;
    while began.elapsed() < Duration::from_secs(10) {
        next = window.draw(Vec::new()).2;
        if next == Duration::MAX && began.elapsed() > Duration::from_secs(3) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    ensure!(next == Duration::MAX, "an idle window wants a frame after {next:.1?}");
    say("goal met: an idle window asks for no frame");
    Ok(())
}

/// Curves are as long as they get; events go on.
fn memory(runs: &Path, events: u32, epochs: u32) -> Result<()> {
    let load = Load { tasks: 200, running: 20, epochs, frames: 0 };
    let (mut window, run, tasks) = busy(runs, &load)?;
    let before = resident().context("no /proc/self/statm: this part needs Linux")?;
    let each = events / tasks.len() as u32;
    for number in 1..=each {
        for (index, task) in tasks.iter().enumerate() {
            window.tell(&run, Some(task), EventKind::Epoch(epoch(index, epochs + number)));
        }
        if number % 50 == 0 {
            window.draw(Vec::new());
        }
    }
    let grown = resident().context("as before")?.saturating_sub(before);
    let goal = if grown <= GROWTH { "met" } else { "NOT met" };
    say(&format!(
        "goal {goal}: {events} events later the process has {} KiB more, at most {} KiB",
        grown >> 10,
        GROWTH >> 10
    ));
    Ok(())
}

/// Bytes of this process that are in memory.
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// From nothing to the first frame, among many runs in the store.
fn first_frame(folder: &Path, runs: i64) -> Result<()> {
    let root = folder.join("many");
    fill(&root, &Size { runs, tasks_per_run: 10, epochs_per_task: 50 })?;
    // The first time the pages come from the disk and the index is checked.
    for what in ["the first time", "warm"] {
        let began = Instant::now();
        let mut window = Window::open(&root)?;
        window.draw(Vec::new());
        let took = began.elapsed();
        verdict(&format!("first frame among {runs} runs, {what}"), took, FIRST_FRAME);
        drop(window);
    }
    Ok(())
}

/// Seconds that the tasks of a run took, all together.
fn task_seconds(runs: &Path) -> Result<f64> {
    let stored = RunIndex::open(runs)?.runs(&RunFilter::default())?;
    let run = stored.first().context("there is a run")?;
    let results = RunStore::find(runs, run.id.as_str())?.results()?;
    let reports = results.tasks.iter().filter_map(|task| task.report.as_ref());
    Ok(reports.map(|report| report.seconds).sum())
}

/// The engine alone.
fn train_alone(runs: &Path, spec: &ExperimentSpec) -> Result<f64> {
    let (wake, woken) = bounded(1);
    let engine = Workbench::open(runs, move || {
        let _awake_already = wake.try_send(());
    })?;
    engine.send(Command::Start(Box::new(spec.clone())));
    loop {
        woken.recv()?;
        if engine.drain().iter().any(|update| matches!(update, Update::RunDone { .. })) {
            drop(engine);
            return task_seconds(runs);
        }
    }
}

/// The same started in a window that is drawn whenever it asks, at most thirty times a second.
fn train_in_window(runs: &Path, spec: &ExperimentSpec) -> Result<f64> {
    let mut window = Window::on(runs, Some(spec.clone()))?;
    let (wake, woken) = bounded(1);
    window.ctx.set_request_repaint_callback(move |_| {
        let _awake_already = wake.try_send(());
    });
    // Until the experiment is planned and can be started.
    for _ in 0..60 {
        window.draw(Vec::new());
        std::thread::sleep(FRAME);
    }
    window.press(Modifiers::COMMAND, Key::Enter);
    let mut frames = 0;
    loop {
        let (took, _, _) = window.draw(Vec::new());
        frames += 1;
        std::thread::sleep(FRAME.saturating_sub(took));
        // Not for ever: a clock goes on.
        let _woken = woken.recv_timeout(Duration::from_millis(500));
        if frames % 10 == 0 && has_ended(runs)? {
            drop(window);
            return task_seconds(runs);
        }
    }
}

/// Asked without the index, which would be work that no window does.
fn has_ended(runs: &Path) -> Result<bool> {
    for entry in runs.read_dir()? {
        if entry?.path().join("outcome.json").is_file() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Training with one worker, with a window and without, in turn.
fn beside(folder: &Path, rounds: usize, epochs: u32) -> Result<()> {
    let set = [
        format!("training.max_epochs={epochs}"),
        "training.patience=null".to_owned(),
        "validation.max_folds=2".to_owned(),
        "resources.workers=1".to_owned(),
        "resources.device=cpu".to_owned(),
    ];
    let set = set.iter().map(|text| text.parse()).collect::<Result<Vec<_>, String>>();
    let set = set.map_err(anyhow::Error::msg)?;
    let spec = apply(&load(DEFAULT_PRESET)?, &set)?;
    let mut ratios = Vec::new();
    for round in 0..rounds {
        let place = |kind: &str| folder.join(format!("{kind}-{round}"));
        // Now this one first, now the other: the machine's mood is to favour neither.
        let (alone, in_window) = if round % 2 == 0 {
            let alone = train_alone(&place("alone"), &spec)?;
            (alone, train_in_window(&place("window"), &spec)?)
        } else {
            let in_window = train_in_window(&place("window"), &spec)?;
            (train_alone(&place("alone"), &spec)?, in_window)
        };
        ratios.push(in_window / alone);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    let goal = if median <= 1.05 { "met" } else { "NOT met" };
    say(&format!(
        "goal {goal}: tasks take {median:.3} times as long with a window that is drawn without a screen (median of {rounds} pairs, {:.3} to {:.3}), at most 1.05",
        ratios[0],
        ratios[ratios.len() - 1]
    ));
    Ok(())
}

/// A run of a real size, for the part of the bench that only looks whether it works.
fn ends(runs: &Path) -> Result<()> {
    let load = Load { tasks: 20, running: 2, epochs: 3, frames: 0 };
    let (mut window, run, tasks) = busy(runs, &load)?;
    for task in &tasks {
        window.tell(&run, Some(task), EventKind::Cancelled);
    }
    let (outcome, summary) = (RunOutcome::Cancelled, Box::new(RunSummary::default()));
    window.tell(&run, None, EventKind::RunEnded { outcome, summary });
    let (_, vertices, _) = window.draw(Vec::new());
    ensure!(vertices > 1000, "nothing is drawn");
    Ok(())
}

/// One line for each goal, so that nobody has to compare numbers.
fn verdict(what: &str, took: Duration, goal: Duration) {
    let verdict = if took <= goal { "met" } else { "NOT met" };
    say(&format!("goal {verdict}: {what} {took:.2?}, at most {goal:.0?}"));
}

#[expect(clippy::print_stdout, reason = "the numbers are what the bench is for")]
fn say(line: &str) {
    println!("{line}");
}

fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = |name: &str| folder.path().join(name);
    ends(&place("ends"))?;
    if is_measuring() {
        idle(&place("idle"))?;
        first_frame(folder.path(), 1000)?;
        memory(&place("memory"), 100_000, 17_000)?;
        let load = Load { tasks: 10_000, running: 200, epochs: 5000, frames: 600 };
        frames(&place("frames"), &load)?;
        beside(folder.path(), 9, 150)?;
    } else {
        first_frame(folder.path(), 5)?;
        memory(&place("memory"), 200, 20)?;
        frames(&place("frames"), &Load { tasks: 50, running: 5, epochs: 20, frames: 3 })?;
        beside(folder.path(), 1, 2)?;
    }
    Ok(())
}
