use egui::Ui;

use crate::domain::Device;
use crate::spec::{DeviceChoice, ResourceSpec};
use crate::ui::state::State;
use crate::ui::widgets::{self, Form};

/// What the run may use of the machine.
pub(super) fn show(ui: &mut Ui, form: Form<'_>, resources: &mut ResourceSpec, state: &State) {
    widgets::section(ui, "Resources");
    let mut options = vec![
        (DeviceChoice::Auto, "auto: what trains fastest".to_owned()),
        (DeviceChoice::Only(Device::Cpu), "cpu".to_owned()),
    ];
    if let Some(inventory) = &state.machine.inventory {
        let name = |card: &crate::devices::CudaInfo| card.reading.name.clone().unwrap_or_default();
        let cards = inventory.cuda.iter().map(|card| {
            (DeviceChoice::Only(card.device), format!("{} {}", card.device, name(card)))
        });
        options.extend(cards);
        if inventory.mps.available {
            options.push((DeviceChoice::Only(Device::Mps), "mps (Apple GPU)".to_owned()));
        }
    }
    if !options.iter().any(|(choice, _)| *choice == resources.device) {
        options.push((resources.device, resources.device.to_string()));
    }
    form.of("resources.device").choice(ui, &options, &mut resources.device);
    let value = &mut resources.workers;
    form.of("resources.workers").optional_integer(ui, ("what the cores allow", 2), value);
    form.of("resources.threads_per_task").integer(ui, &mut resources.threads_per_task);
    memory(ui, form, &mut resources.memory_fraction);
    checkpoints(ui, form, &mut resources.checkpoint_secs);
    form.of("resources.reuse").toggle(ui, None, &mut resources.reuse);
}

fn memory(ui: &mut Ui, form: Form<'_>, fraction: &mut f64) {
    form.of("resources.memory_fraction").labelled(ui, |ui, label| {
        let mut percent = to_percent(*fraction);
        let before = percent;
        widgets::number(ui, widgets::real_field(&mut percent, "%")).labelled_by(label);
        if percent != before {
            *fraction = percent / 100.0;
        }
        ui.weak("of what is free");
    });
}

/// Without what the multiplication adds in the last digits: 0.29 is 29 and not 28.999999999999996.
fn to_percent(fraction: f64) -> f64 {
    (fraction * 1e6).round() / 1e4
}

fn checkpoints(ui: &mut Ui, form: Form<'_>, seconds: &mut u32) {
    let mut between = (*seconds > 0).then_some(*seconds);
    let row = form.of("resources.checkpoint_secs");
    row.optional_integer(ui, ("only when paused", 60), &mut between);
    *seconds = between.unwrap_or(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_shown_as_whole_percents_and_come_back_as_they_were() {
        for percent in 1..=100 {
            let fraction = f64::from(percent) / 100.0;
            assert_eq!(to_percent(fraction), f64::from(percent));
            assert_eq!(to_percent(fraction) / 100.0, fraction);
        }
        assert_eq!(to_percent(0.925), 92.5);
    }
}
