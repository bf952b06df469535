//! A window without a screen, driven by accessible labels.

use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use walkforge::ui::{App, Options, Settings};

/// Longer than any story takes; only a defect waits for it.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Window {
    pub harness: Harness<'static, App>,
    woken: Receiver<()>,
}

impl Window {
    /// The first start, with runs in the folder given.
    pub fn open(runs: &Path) -> Self {
        Self::with(runs, Settings::default())
    }

    pub fn with(runs: &Path, settings: Settings) -> Self {
        let runs = runs.to_owned();
        let (wake, woken) = bounded(1);
        let harness = Harness::builder().with_size([1440.0, 900.0]).with_max_steps(64).build_eframe(
            move |context| {
                // The engine asks for a frame when it has something to say: what a window would wait for.
                context.egui_ctx.set_request_repaint_callback(move |_| {
                    let _already_awake = wake.try_send(());
                });
                let settings = Ok(settings);
                let options = Options { runs, spec: None, settings, telemetry: false };
                App::new(&context.egui_ctx, options).unwrap()
            },
        );
        Self { harness, woken }
    }

    /// Draws frames as the engine wakes the window, until the condition holds.
    #[track_caller]
    pub fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        loop {
            self.harness.step();
            if holds(self) {
                return;
            }
            if began.elapsed() > PATIENCE {
                panic!("waited in vain for {what}; the window shows:\n{}", self.text());
            }
            // Something may be animated without the engine saying a word.
            let _woken = self.woken.recv_timeout(Duration::from_millis(100));
        }
    }

    #[track_caller]
    pub fn until_label(&mut self, label: &str) {
        self.until(label, |window| window.harness.query_all_by_label_contains(label).next().is_some());
    }

    /// Every label there is, for messages.
    pub fn text(&self) -> String {
        let nodes = self.harness.root().children_recursive();
        let labels = nodes.filter_map(|node| node.accesskit_node().label());
        labels.collect::<Vec<_>>().join("\n")
    }
}
