//! A window without a screen, driven by accessible labels. The engine underneath is the real one.

use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, Node};
use walkforge::domain::UtcMillis;
use walkforge::spec::ExperimentSpec;
use walkforge::ui::{App, Options, Settings};

/// Longer than any story takes; only a defect waits for it.
const PATIENCE: Duration = Duration::from_mins(3);

pub struct Window {
    pub harness: Harness<'static, App>,
    woken: Receiver<()>,
}

impl Window {
    /// The first start, with runs in the folder given.
    pub fn open(runs: &Path) -> Self {
        Self::built(runs, None, Settings::default(), None)
    }

    /// On an experiment.
    pub fn on(runs: &Path, spec: ExperimentSpec) -> Self {
        Self::built(runs, Some(spec), Settings::default(), None)
    }

    /// A later start.
    pub fn again(runs: &Path, settings: Settings) -> Self {
        Self::built(runs, None, settings, None)
    }

    /// With everything given; a moment makes time stand still.
    pub fn built(
        runs: &Path,
        spec: Option<ExperimentSpec>,
        settings: Settings,
        moment: Option<UtcMillis>,
    ) -> Self {
        Self::on_screen(runs, spec, settings, moment, ([1440.0, 900.0], 1.0))
    }

    /// The same on a screen of so many points with so many pixels a point.
    pub fn on_screen(
        runs: &Path,
        spec: Option<ExperimentSpec>,
        settings: Settings,
        moment: Option<UtcMillis>,
        (size, pixels_per_point): ([f32; 2], f32),
    ) -> Self {
        let runs = runs.to_owned();
        let (wake, woken) = bounded(1);
        let builder = Harness::builder().with_size(size).with_pixels_per_point(pixels_per_point);
        let harness = builder.build_eframe(move |context| {
            // The engine asks for a frame when it has something to say: what a real window waits for.
            context.egui_ctx.set_request_repaint_callback(move |_| {
                let _already_awake = wake.try_send(());
            });
            let options = Options {
                runs,
                spec,
                settings: Ok(settings),
                telemetry: false,
                software_rendered: false,
            };
            let app = App::new(&context.egui_ctx, options).unwrap();
            moment.into_iter().fold(app, App::at)
        });
        let mut window = Self { harness, woken };
        // Panels learn their sizes in the first frames.
        window.harness.run_steps(4);
        window
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
            let in_time = began.elapsed() < PATIENCE;
            assert!(in_time, "waited in vain for {what}; the window shows:\n{}", self.text());
            // Not for ever: what is animated needs frames without the engine saying a word.
            let _woken = self.woken.recv_timeout(Duration::from_millis(50));
        }
    }

    /// Waits for a label that contains the text.
    #[track_caller]
    pub fn until_says(&mut self, text: &str) {
        self.until(text, |window| window.says(text));
    }

    pub fn says(&self, text: &str) -> bool {
        self.harness.query_all_by_label_contains(text).next().is_some()
    }

    /// Waits until a button can be pressed.
    #[track_caller]
    pub fn until_enabled(&mut self, button: &str) {
        self.until(button, |window| {
            let mut buttons = window.harness.query_all_by_role_and_label(Role::Button, button);
            buttons.next().is_some_and(|node| !node.accesskit_node().is_disabled())
        });
    }

    pub fn is_enabled(&self, button: &str) -> bool {
        !self.node(Role::Button, button).accesskit_node().is_disabled()
    }

    #[track_caller]
    pub fn node<'a>(&'a self, role: Role, label: &'a str) -> Node<'a> {
        let mut found = self.harness.query_all_by_role_and_label(role, label);
        found.next().unwrap_or_else(|| panic!("no {role:?} `{label}` in:\n{}", self.text()))
    }

    #[track_caller]
    pub fn press(&mut self, button: &str) {
        self.click(Role::Button, button);
    }

    /// Clicks a control, scrolling to it first.
    #[track_caller]
    pub fn click(&mut self, role: Role, label: &str) {
        // What has just come, as a dialog or a toast, is measured before it is drawn.
        for _ in 0..4 {
            if self.harness.query_all_by_role_and_label(role, label).next().is_some() {
                break;
            }
            self.harness.step();
        }
        self.node(role, label).scroll_to_me();
        self.harness.run_steps(4);
        self.node(role, label).click();
        self.harness.run_steps(2);
    }

    /// What a button puts on the clipboard.
    #[track_caller]
    pub fn copied_by(&mut self, button: &str) -> String {
        self.node(Role::Button, button).scroll_to_me();
        // A dialog finds its place in its first frames, too.
        self.harness.run_steps(4);
        self.node(Role::Button, button).click();
        let mut copied = String::new();
        for _ in 0..3 {
            self.harness.step();
            for command in &self.harness.output().platform_output.commands {
                if let egui::OutputCommand::CopyText(text) = command {
                    copied.clone_from(text);
                }
            }
        }
        copied
    }

    /// Chooses an item of the list named so.
    #[track_caller]
    pub fn choose(&mut self, list: &str, item: &str) {
        self.click(Role::ComboBox, list);
        self.harness.run_steps(2);
        self.click(Role::Button, item);
    }

    /// Types a number into the field named so.
    #[track_caller]
    pub fn set_number(&mut self, field: &str, number: &str) {
        self.click(Role::SpinButton, field);
        self.type_over(number);
    }

    /// Types a number into the field named so and stays in it.
    #[track_caller]
    pub fn type_number(&mut self, field: &str, number: &str) {
        self.click(Role::SpinButton, field);
        self.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
        self.harness.step();
        self.harness.event(egui::Event::Text(number.to_owned()));
        self.harness.step();
    }

    /// Types a text into the field named so, and presses Enter.
    #[track_caller]
    pub fn set_text(&mut self, field: &str, text: &str) {
        self.click(Role::TextInput, field);
        self.type_over(text);
    }

    /// Types into a search field.
    #[track_caller]
    pub fn set_search(&mut self, field: &str, text: &str) {
        self.click(Role::SearchInput, field);
        self.type_over(text);
    }

    /// Replaces what the focused field holds.
    fn type_over(&mut self, text: &str) {
        self.harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::A);
        self.harness.step();
        self.harness.event(egui::Event::Text(text.to_owned()));
        self.harness.step();
        self.harness.key_press(egui::Key::Enter);
        self.harness.run_steps(3);
    }

    pub fn shortcut(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.harness.run_steps(2);
    }

    /// What the window manager does when the close button is pressed.
    pub fn ask_to_close(&mut self) {
        let viewports = &mut self.harness.input_mut().viewports;
        let root = viewports.get_mut(&egui::ViewportId::ROOT).unwrap();
        root.events.push(egui::ViewportEvent::Close);
        self.harness.step();
    }

    /// Whether the last frame told the window manager to close the window.
    pub fn closes(&self) -> bool {
        let output = &self.harness.output().viewport_output;
        let commands = output.values().flat_map(|viewport| &viewport.commands);
        commands.into_iter().any(|command| *command == egui::ViewportCommand::Close)
    }

    /// Every label there is, for messages.
    pub fn text(&self) -> String {
        let nodes = self.harness.root().children_recursive();
        let text = nodes.filter_map(|node| {
            let node = node.accesskit_node();
            node.label().or_else(|| node.value())
        });
        text.collect::<Vec<_>>().join("\n")
    }
}
