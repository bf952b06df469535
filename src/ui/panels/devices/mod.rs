//! What the machine is doing: each device's load, memory and tasks, with the last five minutes.

mod card;
mod gauge;
mod memory;
mod tasks;

use egui::{Label, RichText, ScrollArea, Ui};

use self::gauge::Gauge;
use self::memory::Memory;
use crate::devices::{HostReading, Inventory, MachineReading, MemoryBudget};
use crate::domain::{Bytes, Device};
use crate::ui::commands::Commands;
use crate::ui::icons;
use crate::ui::state::{Machine, State};
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets;

/// The devices of this machine, one after another.
#[derive(Debug)]
pub(in crate::ui) struct DevicesPanel;

impl DevicesPanel {
    pub(in crate::ui) fn show(ui: &mut Ui, state: &State, commands: &mut Commands) {
        let machine = &state.machine;
        if let Some(reason) = &machine.no_telemetry_because {
            let message = format!("the machine is not watched: {reason}; restart the program");
            widgets::problem(ui, &message);
            return;
        }
        let Some(inventory) = &machine.inventory else {
            let next = "The first look at CUDA may take a second.";
            widgets::empty_state(ui, icons::CPU, "Looking for devices…", next);
            return;
        };
        let at_work = tasks::at_work(state);
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::XS;
            advice(ui, state);
            for info in &inventory.cuda {
                card::show(ui, machine, inventory, info);
                tasks::show(ui, &at_work, info.device, commands);
                ui.add_space(space::M);
            }
            host(ui, machine, inventory);
            tasks::show(ui, &at_work, Device::Cpu, commands);
            if inventory.mps.available {
                ui.add_space(space::M);
                title(ui, icons::GRAPHICS_CARD, "Apple GPU", "It shares the host's memory.");
                tasks::show(ui, &at_work, Device::Mps, commands);
            }
            ui.add_space(space::S);
            missing(ui, inventory);
        });
    }
}

/// What would make the run at work, or else the next one, faster on these devices.
fn advice(ui: &mut Ui, state: &State) {
    let at_work = state.shown_run().filter(|run| !run.is_over()).map(|run| &*run.plan);
    let Some(plan) = at_work.or(state.preview.plan.as_deref()) else { return };
    if plan.recommendations.is_empty() {
        return;
    }
    for text in &plan.recommendations {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icons::LIGHTBULB).color(ui.palette().warning));
            ui.add(Label::new(text.as_str()).wrap().selectable(true));
        });
    }
    ui.add_space(space::S);
}

fn title(ui: &mut Ui, icon: &str, name: &str, detail: &str) {
    let label = ui.label(RichText::new(format!("{icon}  {name}")).family(strong_family()));
    widgets::name(&label, egui::Role::Label, name);
    if !detail.is_empty() {
        let detail = RichText::new(detail).small().color(ui.palette().text_weak);
        ui.add(Label::new(detail).truncate());
    }
}

fn host(ui: &mut Ui, machine: &Machine, inventory: &Inventory) {
    let cores = inventory.cpu.cores;
    let plural = if cores == 1 { "core" } else { "cores" };
    let detail = format!("{cores} {plural}, libtorch {}", inventory.libtorch);
    title(ui, icons::CPU, "CPU, memory and disk", &detail);
    let now = machine.now().map(|reading| &reading.host);
    let load = now.and_then(|host| host.utilization_percent);
    let history = machine.history(|reading: &MachineReading| reading.host.utilization_percent);
    Gauge {
        of: "CPU",
        name: "CPU load",
        value: load.map(|percent| format!("{percent:.0} %")),
        why_unknown: "How busy the processors are is known after two looks, a second from the start",
        values: &history,
        top: 100.0,
        color: ui.palette().series[0],
    }
    .show(ui);
    let history = machine.history(|reading| bytes(reading.host.memory_used));
    Memory {
        of: "Host",
        name: "Host memory",
        used: now.and_then(|host: &HostReading| host.memory_used),
        total: now.and_then(|host| host.memory_total).or(inventory.cpu.memory_total),
        own: now.and_then(|host| host.memory_own),
        budget: now.and_then(MemoryBudget::of_host),
        why_unknown: "The system does not tell how its memory is used",
        history: &history,
    }
    .show(ui);
    memory::disk(ui, now.and_then(|host| host.disk));
}

/// Why there is no GPU, where there is none.
fn missing(ui: &mut Ui, inventory: &Inventory) {
    if let Some(reason) = &inventory.no_cuda_because {
        absent(ui, "No NVIDIA GPU", reason);
    }
    if let Some(reason) = &inventory.mps.reason
        && cfg!(target_os = "macos")
    {
        absent(ui, "No Apple GPU", reason);
    }
}

fn absent(ui: &mut Ui, name: &str, reason: &str) {
    ui.horizontal_wrapped(|ui| {
        let weak = ui.palette().text_weak;
        ui.label(RichText::new(format!("{}  {name}:", icons::PROHIBIT)).color(weak));
        ui.add(Label::new(RichText::new(reason).color(weak)).wrap());
    });
}

fn bytes(value: Option<Bytes>) -> Option<f64> {
    value.map(|bytes| bytes.0 as f64)
}
