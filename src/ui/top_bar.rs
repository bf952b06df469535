use egui::accesskit::Live;
use egui::{Align, Layout, RichText, ThemePreference};

use super::actions::Action;
use super::commands::{Command, Commands};
use super::icons;
use super::layout::PanelKind;
use super::state::{Notices, RunView, State};
use super::theme::{ICON, Themed, space, strong_family};
use super::widgets::{self, level_icon};
use crate::domain::Device;

/// Room for what stands on the right, in points: a long name of an experiment is cut before it takes that.
const CONTROLS: f32 = 480.0;

/// Name, files, the machine at a glance, Start and Cancel.
pub(super) fn bar(
    ui: &mut egui::Ui,
    state: &State,
    theme: ThemePreference,
    commands: &mut Commands,
) {
    ui.horizontal(|ui| {
        let palette = ui.palette();
        let name = RichText::new("Walkforge").family(strong_family()).size(ICON);
        ui.label(name);
        ui.add_space(space::S);
        for action in [Action::Open, Action::Save] {
            action_button(ui, action, true, commands);
        }
        ui.add_space(space::S);
        let experiment = format!("Experiment: {}", state.draft.spec().name);
        ui.scope(|ui| {
            ui.set_max_width((ui.available_width() - CONTROLS).max(space::L));
            let name = RichText::new(&experiment).color(palette.text_weak);
            ui.add(egui::Label::new(name).truncate()).on_hover_text(&experiment);
        });

        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            view_menu(ui, theme, commands);
            ui.add_space(space::S);
            let idle = Action::Cancel.waits_for(state);
            let (icon, name) = (Action::Cancel.icon(), Action::Cancel.name());
            let cancel = widgets::button(ui, icon, name, idle.is_none());
            let cancel = cancel.on_hover_text(Action::Cancel.tooltip(ui.ctx()));
            if cancel.on_disabled_hover_text(idle.unwrap_or_default()).clicked() {
                commands.send(Command::Do(Action::Cancel));
            }
            pause(ui, state, commands);
            let waits = state.start_waits_for();
            let start = widgets::primary_button(
                ui,
                Action::Start.icon(),
                Action::Start.name(),
                waits.is_none(),
            );
            let start = start.on_hover_text(Action::Start.tooltip(ui.ctx()));
            let why = waits.as_deref().unwrap_or_default();
            if start.on_disabled_hover_text(format!("Start waits: {why}")).clicked() {
                commands.send(Command::Do(Action::Start));
            }
            ui.add_space(space::S);
            if let Some(waits) = &waits {
                let text = RichText::new(format!("{}  {waits}", icons::WARNING));
                let label = egui::Label::new(text.color(palette.warning)).truncate();
                let response = ui.add(label).on_hover_text(waits);
                let name = format!("Start waits: {waits}");
                response.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::Label, true, name.clone())
                });
            } else {
                machine(ui, state);
            }
        });
    });
}

/// A button for an action, with its shortcut in the tooltip.
fn action_button(ui: &mut egui::Ui, action: Action, enabled: bool, commands: &mut Commands) {
    let button = widgets::button(ui, action.icon(), action.name(), enabled);
    if button.on_hover_text(action.tooltip(ui.ctx())).clicked() {
        commands.send(Command::Do(action));
    }
}

/// Pauses what trains, or lets it go on; there only while something can be paused.
fn pause(ui: &mut egui::Ui, state: &State, commands: &mut Commands) {
    let Some(_) = state.pausable_runs().next() else { return };
    let is_paused = state.pausable_runs().all(RunView::is_paused);
    let action = Action::Pause;
    let shortcut = action.keys(ui.ctx());
    let (icon, name, help) = match (is_paused, state.is_held()) {
        (true, _) => (icons::PLAY, "Resume", "Go on from the checkpoints"),
        (false, true) => {
            (icons::PLAY, "Resume", "Pausing: tasks stop at their next step. Go on after all")
        }
        (false, false) => (action.icon(), action.name(), action.help()),
    };
    let button = widgets::button(ui, icon, name, true);
    if button.on_hover_text(format!("{help} ({shortcut})")).clicked() {
        commands.send(Command::Do(action));
    }
}

fn view_menu(ui: &mut egui::Ui, theme: ThemePreference, commands: &mut Commands) {
    let help = widgets::icon_button(ui, icons::QUESTION, "Help");
    if help.on_hover_text(Action::Help.tooltip(ui.ctx())).clicked() {
        commands.send(Command::Do(Action::Help));
    }
    let light = ui.palette().surface.r() > 128;
    let (icon, name, other) = if light {
        (icons::MOON, "Dark theme", ThemePreference::Dark)
    } else {
        (icons::SUN, "Light theme", ThemePreference::Light)
    };
    if widgets::icon_button(ui, icon, name).on_hover_text(name).clicked() {
        commands.send(Command::SetTheme(other));
    }
    let menu = ui.menu_button(icons::LAYOUT, |ui| {
        for kind in PanelKind::ALL {
            let keys = kind.shortcut().map(|keys| ui.ctx().format_shortcut(&keys));
            let shown = widgets::button(ui, kind.icon(), kind.title(), true);
            let shown = match keys {
                Some(keys) => shown.on_hover_text(keys),
                None => shown,
            };
            if shown.clicked() {
                commands.send(Command::ShowPanel(kind));
                ui.close();
            }
        }
        ui.separator();
        for (preference, name) in [
            (ThemePreference::System, "Follow the system's theme"),
            (ThemePreference::Dark, "Dark theme"),
            (ThemePreference::Light, "Light theme"),
        ] {
            if ui.radio(theme == preference, name).clicked() {
                commands.send(Command::SetTheme(preference));
                ui.close();
            }
        }
        ui.separator();
        let reset = widgets::button(ui, icons::ARROW_COUNTER_CLOCKWISE, "Reset the layout", true);
        if reset.clicked() {
            commands.send(Command::ResetLayout);
            ui.close();
        }
    });
    let response = menu.response.on_hover_text("Panels and theme");
    widgets::name(&response, egui::Role::Button, "View");
    let palette = Action::Palette;
    let button = widgets::icon_button(ui, palette.icon(), palette.name());
    if button.on_hover_text(palette.tooltip(ui.ctx())).clicked() {
        commands.send(Command::Do(palette));
    }
}

/// The device that will be used, and its memory.
fn machine(ui: &mut egui::Ui, state: &State) {
    let palette = ui.palette();
    let device = state.preview.plan.as_ref().map(|plan| plan.device);
    let reading = state.machine.now();
    let (device_name, used, total) = match (device, reading) {
        (Some(Device::Cpu), Some(reading)) => {
            ("cpu".to_owned(), reading.host.memory_used, reading.host.memory_total)
        }
        (Some(device), Some(reading)) => {
            let card = reading.cuda.iter().find(|(card, _)| *card == device);
            let name = card.and_then(|(_, card)| card.name.clone()).unwrap_or_default();
            let memory = card.map(|(_, card)| (card.memory_used, card.memory_total));
            let (used, total) = memory.unwrap_or_default();
            (format!("{device} {name}"), used, total)
        }
        (Some(device), None) => (device.to_string(), None, None),
        (None, _) => return,
    };
    let memory = match (used, total) {
        (Some(used), Some(total)) => format!(" · {used} of {total}"),
        _ => String::new(),
    };
    let icon = if device == Some(Device::Cpu) { icons::CPU } else { icons::GRAPHICS_CARD };
    let text = RichText::new(format!("{icon}  {device_name}{memory}")).color(palette.text_weak);
    let why = state.preview.plan.as_ref().map(|plan| plan.device_reason.clone());
    let response = ui.add(egui::Label::new(text).truncate());
    response.on_hover_text(format!("Device of the next run: {}", why.unwrap_or_default()));
}

/// What the user should see now, with ways on, and how much waits behind it.
pub(super) fn notice(ui: &mut egui::Ui, notices: &Notices, commands: &mut Commands) {
    let Some(notice) = notices.front() else { return };
    ui.horizontal(|ui| {
        let (icon, color) = level_icon(ui, notice.level);
        ui.label(RichText::new(icon).color(color).size(ICON));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if widgets::icon_button(ui, icons::X, "Dismiss").on_hover_text("Dismiss").clicked() {
                commands.send(Command::DismissNotice);
            }
            if notices.len() > 1 {
                let text = format!("1 of {}", notices.len());
                let waiting = ui.label(RichText::new(text).color(ui.palette().text_weak));
                waiting.on_hover_text("The others come when this one is dismissed or answered");
            }
            for (name, command) in notice.actions.iter().rev() {
                if ui.button(*name).clicked() {
                    // First: what is asked for may have something to say of its own.
                    commands.send(Command::DismissNotice);
                    commands.send(command.clone());
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center).with_main_wrap(true), |ui| {
                let text = ui.add(egui::Label::new(notice.text.as_str()).wrap());
                ui.ctx().accesskit_node_builder(text.id, |node| node.set_live(Live::Polite));
            });
        });
    });
}
