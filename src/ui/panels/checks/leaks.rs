use std::collections::BTreeSet;

use egui::{Align, Color32, Label, Layout, RichText, ScrollArea, Stroke, Ui};

use super::{contrast, note};
use crate::domain::text::{count, minute};
use crate::ui::actions::Action;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{Checked, Running, State, Trouble};
use crate::ui::theme::{ROW_HEIGHT, Themed, space, strong_family};
use crate::ui::widgets;
use crate::workbench::{LeakCheck, LeakReport, Subject};

/// Rows of a list of what is clean, shown at once.
const MOST_ROWS: usize = 10;
/// Width of a check's name in that list, in points.
const NAME_WIDTH: f32 = 200.0;
/// Width of a group's title, in points: what came of the groups stands in line.
const TITLE_WIDTH: f32 = 170.0;
/// Width of what came of a group, in points.
const SIGN_WIDTH: f32 = 130.0;

/// The leak check's button and report.
#[derive(Debug, Default)]
pub(super) struct LeaksView {
    /// Groups whose clean checks are listed.
    open: BTreeSet<Subject>,
}

impl LeaksView {
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        state: &State,
        contrast: &mut bool,
        commands: &mut Commands,
    ) {
        head(ui, state, contrast, commands);
        ui.add_space(space::S);
        let checks = &state.checks;
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            match &checks.trouble {
                Some(Trouble::Failed(message)) => widgets::problem(ui, message),
                Some(Trouble::Stopped) => {
                    note(ui, "The last check was stopped before it could conclude anything.");
                }
                None => {}
            }
            match &checks.report {
                Some(checked) => {
                    if checks.running.is_some() {
                        ui.multiply_opacity(0.5);
                    }
                    self.report(ui, checked);
                }
                None if checks.running.is_none() && checks.trouble.is_none() => {
                    let next = "A leak makes a model look better than it will ever be. The check computes every feature and the label \
                        again on bars that were cut off, cuts the folds again, and fits scalers and weights again after every other row was \
                        changed. What differs has seen what it could not have seen.";
                    let title = "This experiment has not been checked";
                    widgets::empty_state(ui, icons::SHIELD_CHECK, title, next);
                }
                None => {}
            }
        });
    }

    fn report(&mut self, ui: &mut Ui, checked: &Checked) {
        banner(ui, checked);
        for subject in Subject::ALL {
            let of_subject = |check: &&LeakCheck| check.subject == subject;
            let checks: Vec<&LeakCheck> = checked.report.checks.iter().filter(of_subject).collect();
            if !checks.is_empty() {
                self.group(ui, subject, &checks);
            }
        }
        if let Some(found) = &checked.report.contrast {
            contrast::show(ui, found);
        }
    }

    /// What leaks in full, and what is clean on demand.
    fn group(&mut self, ui: &mut Ui, subject: Subject, checks: &[&LeakCheck]) {
        let (leaks, clean): (Vec<&LeakCheck>, Vec<&LeakCheck>) =
            checks.iter().partition(|check| check.culprit.is_some());
        let is_open = self.open.contains(&subject);
        ui.add_space(space::XS);
        ui.horizontal(|ui| {
            let palette = ui.palette();
            let icon = if is_open { icons::CARET_DOWN } else { icons::CARET_RIGHT };
            let title = RichText::new(format!("{icon}  {}", subject.title()));
            let button = egui::Button::new(title.family(strong_family()));
            let button = button.frame_when_inactive(false);
            let button = fixed(ui, TITLE_WIDTH, |ui| ui.add_enabled(!clean.is_empty(), button));
            let name = format!("{}: {} of {} clean", subject.title(), clean.len(), checks.len());
            widgets::name(&button, egui::Role::DisclosureTriangle, &name);
            let help = if is_open { "Hide what is clean" } else { "List what is clean" };
            if button.on_hover_text(help).clicked() && !self.open.remove(&subject) {
                self.open.insert(subject);
            }
            let sign = |ui: &mut Ui, icon: &str, found: usize, word: &str, color: Color32| {
                let (found, all) = (count(found as u64), count(checks.len() as u64));
                let text = format!("{icon}  {found} of {all} {word}");
                fixed(ui, SIGN_WIDTH, |ui| ui.label(RichText::new(text).color(color)));
            };
            if leaks.is_empty() {
                sign(ui, icons::CHECK_CIRCLE, clean.len(), "clean", palette.success);
            } else {
                sign(ui, icons::X_CIRCLE, leaks.len(), "failed", palette.error);
            }
            let question = RichText::new(subject.question()).small().color(palette.text_weak);
            ui.add(Label::new(question).truncate());
        });
        for check in leaks {
            leak(ui, check);
        }
        if is_open {
            ui.indent(("clean of", subject), |ui| list(ui, subject, &clean));
        }
    }
}

/// The button, or how far the check is and how to stop it.
fn head(ui: &mut Ui, state: &State, contrast: &mut bool, commands: &mut Commands) {
    let action = Action::CheckLeaks;
    ui.horizontal(|ui| {
        if let Some(running) = &state.checks.running {
            running_head(ui, running, commands);
            return;
        }
        let waits = state.start_waits_for();
        let button =
            widgets::primary_button(ui, action.icon(), action.name(), waits.is_none());
        let button = button.on_hover_text(action.tooltip(ui.ctx()));
        let why = waits.as_deref().unwrap_or_default();
        if button.on_disabled_hover_text(format!("The check waits: {why}")).clicked() {
            commands.send(Command::Do(action));
        }
        let help = "Trains the experiment on its own folds and again on folds whose rows were shuffled. Shuffled folds leak by design: how much higher \
            they score is what leakage would have been worth. Takes about as long as two runs.";
        ui.checkbox(contrast, "Also compare with shuffled folds").on_hover_text(help);
        if let Some(waits) = waits {
            let text = RichText::new(format!("{}  {waits}", icons::WARNING));
            let label = Label::new(text.color(ui.palette().warning)).truncate();
            ui.add(label).on_hover_text(waits);
        }
    });
    if *contrast && state.checks.running.is_none() {
        let tasks = state.preview.plan.as_ref().map(|plan| plan.tasks.len() as u64);
        let tasks = tasks
            .map_or_else(|| "every task".to_owned(), |tasks| format!("{} tasks", count(tasks)));
        note(
            ui,
            &format!(
                "With the comparison {tasks} are trained twice, on honest and on shuffled folds. Without it nothing is trained."
            ),
        );
    }
}

fn running_head(ui: &mut Ui, running: &Running, commands: &mut Commands) {
    let stop = widgets::button(ui, icons::STOP, "Stop the check", !running.stopping);
    if stop.on_hover_text("Stop within a moment; nothing is concluded").clicked() {
        commands.send(Command::StopCheck);
    }
    let what = if running.stopping { "Stopping" } else { "Checking" };
    let with = if running.contrast { ", with the comparison" } else { "" };
    ui.label(RichText::new(icons::HOURGLASS_MEDIUM).color(ui.palette().text_weak));
    let text = format!("{what}{with}: {}", running.stage);
    ui.add(Label::new(RichText::new(text).color(ui.palette().text_weak)).truncate());
}

/// What the report comes to: loud where something leaks.
fn banner(ui: &mut Ui, checked: &Checked) {
    let palette = ui.palette();
    let report = &checked.report;
    let (title, detail) = verdict(report);
    let (icon, color, width) = match () {
        () if report.checks.is_empty() => (icons::INFO, palette.text_weak, 1.0),
        () if report.is_clean() => (icons::SHIELD_CHECK, palette.success, 1.0),
        () => (icons::SHIELD_WARNING, palette.error, 2.0),
    };
    frame(ui, color, width, |ui| {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icon).color(color).size(28.0));
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                let title = RichText::new(title).heading().color(color);
                ui.add(Label::new(title).wrap());
                ui.add(Label::new(detail).wrap());
                let when = format!("{}, checked {} UTC", report.experiment, minute(checked.at));
                note(ui, &when);
            });
        });
    });
    if checked.is_outdated {
        let text =
            "The experiment has changed since: check it again before you rely on this report.";
        ui.horizontal(|ui| {
            ui.label(RichText::new(icons::WARNING).color(palette.warning));
            ui.add(Label::new(RichText::new(text).color(palette.warning)).wrap());
        });
    }
}

/// The report in a heading and a sentence.
fn verdict(report: &LeakReport) -> (String, String) {
    let all = report.checks.len();
    let leaks = report.leaks().count();
    match (all, leaks) {
        (0, _) => (
            "Nothing was checked".to_owned(),
            "The check found nothing in this experiment that it could put to a test, so it says nothing about leaks.".to_owned(),
        ),
        (_, 0) => (
            "Nothing leaks".to_owned(),
            format!("{} checks, each of which a leak would have failed.", count(all as u64)),
        ),
        _ => (
            format!("{} of {} checks failed", count(leaks as u64), count(all as u64)),
            "Do not believe results of this experiment until what is named below is mended or removed.".to_owned(),
        ),
    }
}

/// One check that leaks: which, why, and what was done.
fn leak(ui: &mut Ui, check: &LeakCheck) {
    let palette = ui.palette();
    frame(ui, palette.error, 1.0, |ui| {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icons::X_CIRCLE).color(palette.error).size(16.0));
            ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                let name = format!("{} leaks", check.name);
                let name = RichText::new(name).family(strong_family()).color(palette.error);
                ui.add(Label::new(name).wrap());
                let culprit = check.culprit.as_deref().unwrap_or_default();
                ui.add(Label::new(culprit).wrap().selectable(true));
                note(ui, &check.evidence);
            });
        });
    });
}

/// What is clean: each in a line with what that rests on.
fn list(ui: &mut Ui, subject: Subject, clean: &[&LeakCheck]) {
    ui.spacing_mut().item_spacing.y = 0.0;
    let height = clean.len().min(MOST_ROWS) as f32 * ROW_HEIGHT;
    let area = ScrollArea::vertical().id_salt(("clean", subject)).max_height(height);
    let area = area.min_scrolled_height(height).auto_shrink([false, true]);
    area.show_rows(ui, ROW_HEIGHT, clean.len(), |ui, rows| {
        for check in clean.get(rows).unwrap_or_default() {
            ui.horizontal(|ui| {
                ui.set_min_height(ROW_HEIGHT);
                let palette = ui.palette();
                ui.label(RichText::new(icons::CHECK_CIRCLE).color(palette.success));
                fixed(ui, NAME_WIDTH, |ui| ui.add(Label::new(check.name.as_str()).truncate()));
                let evidence = RichText::new(check.evidence.as_str()).small();
                ui.add(Label::new(evidence.color(palette.text_weak)).truncate());
            });
        }
    });
}

/// Draws something in a width of its own, however narrow it is.
fn fixed<R>(ui: &mut Ui, width: f32, add: impl FnOnce(&mut Ui) -> R) -> R {
    let size = egui::vec2(width, ROW_HEIGHT);
    let layout = Layout::left_to_right(Align::Center);
    let drawn = ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.set_min_width(width);
        add(ui)
    });
    drawn.inner
}

fn frame(ui: &mut Ui, color: Color32, width: f32, add: impl FnOnce(&mut Ui)) {
    let frame = egui::Frame::new()
        .fill(ui.palette().raised)
        .stroke(Stroke::new(width, color))
        .corner_radius(4)
        .inner_margin(space::S);
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        add(ui);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(culprit: Option<&str>) -> LeakCheck {
        LeakCheck {
            subject: Subject::Feature,
            name: "rsi_14".to_owned(),
            evidence: String::new(),
            culprit: culprit.map(str::to_owned),
        }
    }

    #[test]
    fn the_verdict_never_calls_clean_what_was_not_checked() {
        for (checks, expected) in [
            (vec![], "Nothing was checked"),
            (vec![check(None)], "Nothing leaks"),
            (vec![check(None), check(Some("row 7"))], "1 of 2 checks failed"),
            (vec![check(Some("a")), check(Some("b"))], "2 of 2 checks failed"),
        ] {
            let report = LeakReport { experiment: "x".to_owned(), checks, contrast: None };
            assert_eq!(verdict(&report).0, expected);
        }
    }
}
