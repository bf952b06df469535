use egui::{Align, Label, Layout, RichText, ScrollArea, Ui};

use super::buttons;
use crate::domain::text::count;
use crate::ui::commands::{Command, Commands};
use crate::ui::icons;
use crate::ui::state::{State, TaskState};
use crate::ui::theme::{Themed, space};
use crate::ui::widgets;
use crate::workbench::Waiting;

/// Rows shown at a time; the others are scrolled to.
const ROWS: usize = 3;

/// What has been started and is no run yet, with a way to give it up, and how many runs share the machine.
pub(super) fn show(ui: &mut Ui, state: &State, open: &mut bool, commands: &mut Commands) {
    let waiting = &state.launches.waiting;
    if waiting.is_empty() {
        return;
    }
    ui.horizontal(|ui| {
        let icon = if *open { icons::CARET_DOWN } else { icons::CARET_RIGHT };
        let name = if *open { "Hide what waits" } else { "Show what waits" };
        if widgets::icon_button(ui, icon, name).on_hover_text(name).clicked() {
            *open = !*open;
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(ui.spacing().scroll.allocated_width());
            let all = widgets::icon_button(ui, icons::X, "Give up all that waits");
            if all.on_hover_text("Give up all that waits").clicked() {
                let numbers = waiting.iter().map(|waiting| waiting.number).collect();
                commands.send(Command::CancelWaiting(numbers));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(summary(state)).truncate());
            });
        });
    });
    if *open {
        list(ui, &entries(waiting), commands);
    }
}

/// What was started by one press of a button: an experiment, or the variants of a sweep that wait, which are given up together.
struct Entry<'a> {
    first: &'a Waiting,
    /// What they are given up by.
    numbers: Vec<u64>,
}

fn entries(waiting: &[Waiting]) -> Vec<Entry<'_>> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    let sweep = |waiting: &Waiting| waiting.sweep.as_ref().map(|member| member.sweep.clone());
    for waiting in waiting {
        let own = sweep(waiting);
        let is_same = |entry: &&mut Entry<'_>| own.is_some() && sweep(entry.first) == own;
        match entries.last_mut().filter(is_same) {
            Some(entry) => entry.numbers.push(waiting.number),
            None => entries.push(Entry { first: waiting, numbers: vec![waiting.number] }),
        }
    }
    entries
}

fn list(ui: &mut Ui, entries: &[Entry<'_>], commands: &mut Commands) {
    ui.scope(|ui| {
        // A list of priorities is higher than a row of text.
        let height = ui.spacing().interact_size.y;
        ui.spacing_mut().item_spacing.y = space::XS;
        let most = ROWS as f32 * (height + space::XS);
        let area = ScrollArea::vertical().id_salt("waiting").max_height(most);
        let area = area.auto_shrink([false, true]);
        area.show_rows(ui, height, entries.len(), |ui, rows| {
            for entry in &entries[rows] {
                row(ui, entry, commands);
            }
        });
    });
}

fn row(ui: &mut Ui, entry: &Entry<'_>, commands: &mut Commands) {
    let Entry { first, numbers } = entry;
    let title = match &first.sweep {
        Some(member) => {
            format!("{}, {} of {} variants", first.experiment, numbers.len(), member.variants)
        }
        None => first.experiment.clone(),
    };
    ui.horizontal(|ui| {
        ui.add_space(space::L);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add_space(ui.spacing().scroll.allocated_width());
            let name = format!("Give up {title}");
            let button = widgets::icon_button(ui, icons::X, &name);
            if button.on_hover_text(name).clicked() {
                commands.send(Command::CancelWaiting(numbers.clone()));
            }
            // What is being planned has had its turn.
            if !first.is_planning || numbers.len() > 1 {
                let name = format!("Priority of {title}");
                let help = "Priority: what comes first of all that waits; its runs keep it";
                let chosen = buttons::choose_priority(ui, first.priority, (&name, help));
                if let Some(priority) = chosen {
                    commands.send(Command::PrioritiseWaiting(numbers.clone(), priority));
                }
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let word = if first.is_planning { "planning" } else { "waiting" };
                let weak = ui.palette().text_weak;
                let text = format!("{}  {word}", icons::HOURGLASS_MEDIUM);
                ui.label(RichText::new(text).color(weak));
                // What is being planned is one variant; the others of its sweep wait behind it.
                ui.label(if first.is_planning { self::title(first) } else { title });
                if let Some(about) = about(entry) {
                    ui.add(Label::new(RichText::new(about).color(weak)).truncate());
                }
            });
        });
    });
}

/// What the first of the variants sets, and how many follow it.
fn about(entry: &Entry<'_>) -> Option<String> {
    let settings: Vec<String> =
        entry.first.sweep.as_ref()?.settings.iter().map(ToString::to_string).collect();
    let settings = settings.join("  ");
    Some(match (entry.first.is_planning, entry.numbers.len() - 1) {
        (true, 0) => settings,
        (true, others) => format!("{settings}; {others} more wait"),
        (false, _) => format!("next: {settings}"),
    })
}

fn title(waiting: &Waiting) -> String {
    let name = &waiting.experiment;
    match &waiting.sweep {
        Some(member) => format!("{name}, variant {} of {}", member.variant + 1, member.variants),
        None => name.clone(),
    }
}

/// How many wait, what is being planned, and how many runs there are.
fn summary(state: &State) -> String {
    let waiting = &state.launches.waiting;
    let planning = waiting.iter().find(|waiting| waiting.is_planning);
    let waits = waiting.iter().filter(|waiting| !waiting.is_planning).count();
    let open = state.runs.iter().filter(|run| !run.is_over());
    let at_work = open.clone().filter(|run| run.count(TaskState::Running) > 0).count();
    let runs = match (open.count(), at_work) {
        (0, _) => String::new(),
        (1, _) => "; 1 run is open".to_owned(),
        (open, at_work) => format!("; {open} runs are open, {at_work} of them at work"),
    };
    let waits = match waits {
        1 => "1 experiment waits".to_owned(),
        several => format!("{} experiments wait", count(several as u64)),
    };
    match (planning, waits.starts_with("0 ")) {
        (Some(planning), true) => format!("Planning {}{runs}", title(planning)),
        (Some(planning), false) => format!("Planning {}; {waits}{runs}", title(planning)),
        (None, _) => format!("{waits}{runs}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Setting, SweepId, SweepMember};

    #[test]
    fn variants_of_a_sweep_wait_as_one() {
        let waiting = |number: u64, variant: Option<u32>| Waiting {
            number,
            experiment: "e".to_owned(),
            sweep: variant.map(|variant| SweepMember {
                sweep: SweepId::new("s"),
                variant,
                variants: 12,
                settings: Vec::new(),
            }),
            priority: crate::domain::Priority::default(),
            is_planning: false,
        };
        let all = [waiting(3, Some(1)), waiting(4, Some(2)), waiting(5, None), waiting(6, None)];
        let found: Vec<Vec<u64>> = entries(&all).into_iter().map(|entry| entry.numbers).collect();
        assert_eq!(found, [vec![3, 4], vec![5], vec![6]]);
        assert_eq!(title(&all[0]), "e, variant 2 of 12");
        let about_of = |is_planning, others: usize| {
            let setting = Setting { path: "window".to_owned(), value: "4".to_owned() };
            let mut first = Waiting { is_planning, ..waiting(3, Some(1)) };
            first.sweep.as_mut().unwrap().settings.push(setting);
            about(&Entry { first: &first, numbers: vec![3_u64; others + 1] }).unwrap()
        };
        assert_eq!(about_of(true, 2), "window=4; 2 more wait");
        assert_eq!(about_of(true, 0), "window=4");
        assert_eq!(about_of(false, 2), "next: window=4");
    }
}
