use egui::{Color32, RichText, ScrollArea, Ui};

use crate::devices::{CudaInfo, HostReading, Inventory, MachineReading, MemoryBudget, NvmlReading};
use crate::domain::Bytes;
use crate::domain::text::UNKNOWN;
use crate::ui::icons;
use crate::ui::state::{Machine, State};
use crate::ui::theme::{Themed, space, strong_family};
use crate::ui::widgets::{self, Sparkline, value_row};

const HEIGHT: f32 = 36.0;
/// Processes of a card that are listed.
const PROCESSES: usize = 5;

/// What the machine is doing: each device's load and memory over the last five minutes.
#[derive(Debug)]
pub(in crate::ui) struct DevicesPanel;

impl DevicesPanel {
    pub(in crate::ui) fn show(ui: &mut Ui, state: &State) {
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
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            for (index, card) in inventory.cuda.iter().enumerate() {
                cuda(ui, machine, inventory, index, card);
                ui.add_space(space::M);
            }
            host(ui, machine, inventory);
            ui.add_space(space::M);
            missing(ui, inventory);
        });
    }
}

fn title(ui: &mut Ui, icon: &str, name: &str, detail: &str) {
    ui.label(RichText::new(format!("{icon}  {name}")).family(strong_family()));
    if !detail.is_empty() {
        let detail = RichText::new(detail).small().color(ui.palette().text_weak);
        ui.add(egui::Label::new(detail).truncate());
    }
}

fn host(ui: &mut Ui, machine: &Machine, inventory: &Inventory) {
    let cores = inventory.cpu.cores;
    let plural = if cores == 1 { "core" } else { "cores" };
    let detail = format!("{cores} {plural}, libtorch {}", inventory.libtorch);
    title(ui, icons::CPU, "CPU and host memory", &detail);
    let now = machine.now().map(|reading| &reading.host);
    let load = |reading: &MachineReading| reading.host.utilization_percent;
    let text = now.and_then(|host| host.utilization_percent);
    let text = text.map_or_else(|| UNKNOWN.to_owned(), |percent| format!("{percent:.0} %"));
    let color = ui.palette().series[0];
    gauge(ui, "CPU load", &text, &machine.history(load), 100.0, None, color);

    let total = now.and_then(|host| host.memory_total).or(inventory.cpu.memory_total);
    let used = now.and_then(|host| host.memory_used);
    let budget = now.and_then(MemoryBudget::of_host);
    let history = machine.history(|reading| bytes(reading.host.memory_used));
    let own = now.and_then(|host: &HostReading| host.memory_own);
    memory(ui, "Host memory", &history, (used, total, own), budget);
}

fn cuda(ui: &mut Ui, machine: &Machine, inventory: &Inventory, index: usize, card: &CudaInfo) {
    let known = card.reading.name.clone().unwrap_or_else(|| "CUDA card".to_owned());
    let driver = inventory.driver_version.as_deref().unwrap_or(UNKNOWN);
    let capability = card.reading.compute_capability.as_deref().unwrap_or(UNKNOWN);
    let detail = format!("{known}, compute capability {capability}, driver {driver}");
    title(ui, icons::GRAPHICS_CARD, &card.device.to_string(), &detail);
    let history = |value: fn(&NvmlReading) -> Option<f64>| {
        machine.history(|reading| reading.cuda.get(index).and_then(|(_, card)| value(card)))
    };
    let now = machine.now().and_then(|reading| reading.cuda.get(index));
    let now = now.map_or(&card.reading, |(_, card)| card);
    let series = ui.palette().series;

    let load = now.utilization_percent;
    let text = load.map_or_else(|| UNKNOWN.to_owned(), |percent| format!("{percent} %"));
    let values = history(|card| card.utilization_percent.map(f64::from));
    gauge(ui, "GPU load", &text, &values, 100.0, None, series[0]);

    let values = history(|card| bytes(card.memory_used));
    let budget = MemoryBudget::of_card(now);
    let known = (now.memory_used, now.memory_total, now.memory_own);
    memory(ui, "GPU memory", &values, known, budget);

    let text = now.temperature_celsius;
    let text = text.map_or_else(|| UNKNOWN.to_owned(), |celsius| format!("{celsius} °C"));
    let values = history(|card| card.temperature_celsius.map(f64::from));
    gauge(ui, "Temperature", &text, &values, 100.0, None, series[1]);

    let watts = |value: Option<f64>| {
        value.map_or_else(|| UNKNOWN.to_owned(), |watts| format!("{watts:.0} W"))
    };
    let text = format!("{} of {}", watts(now.power_watts), watts(now.power_limit_watts));
    let values = history(|card| card.power_watts);
    let top = now.power_limit_watts.unwrap_or(400.0);
    gauge(ui, "Power", &text, &values, top, None, series[3]);
    clocks(ui, now);
    processes(ui, now);
}

/// What not every card tells: no line where it does not.
fn clocks(ui: &mut Ui, card: &NvmlReading) {
    if let Some(percent) = card.memory_utilization_percent {
        value_row(ui, "Memory traffic", &format!("{percent} % of the time"));
    }
    if card.sm_clock_mhz.is_some() || card.memory_clock_mhz.is_some() {
        let mhz = |clock: Option<u32>| {
            clock.map_or_else(|| UNKNOWN.to_owned(), |mhz| format!("{mhz} MHz"))
        };
        let both = format!("{}, {}", mhz(card.sm_clock_mhz), mhz(card.memory_clock_mhz));
        value_row(ui, "Clocks (SM, memory)", &both);
    }
}

/// Who uses the card, the largest first.
fn processes(ui: &mut Ui, card: &NvmlReading) {
    let all = card.processes.as_deref().unwrap_or_default();
    for process in all.iter().take(PROCESSES) {
        let name = short(process.name.as_deref().unwrap_or("process"));
        value_row(ui, &format!("{name} ({})", process.pid), &shown(process.memory));
    }
    if let Some(more) = all.len().checked_sub(PROCESSES).filter(|more| *more > 0) {
        let more = RichText::new(format!("and {more} more")).small();
        ui.label(more.color(ui.palette().text_weak));
    }
}

/// A program's name, cut where it would push its memory out of the panel.
fn short(name: &str) -> String {
    const MOST: usize = 18;
    match name.char_indices().nth(MOST) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_owned(),
    }
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
        ui.add(egui::Label::new(RichText::new(reason).color(weak)).wrap());
    });
}

fn memory(
    ui: &mut Ui,
    name: &str,
    history: &[Option<f64>],
    (used, total, own): (Option<Bytes>, Option<Bytes>, Option<Bytes>),
    budget: Option<MemoryBudget>,
) {
    let text = format!("{} of {}", shown(used), shown(total));
    let top = bytes(total).unwrap_or(1.0);
    // The line stands where others' memory ends and our budget is used up.
    let limit = budget.map(|budget| (budget.others.0 + budget.limit().0) as f64);
    let color = ui.palette().series[2];
    gauge(ui, name, &text, history, top, limit, color);
    value_row(ui, "of it Walkforge", &shown(own));
    let text = budget.map_or_else(|| UNKNOWN.to_owned(), |budget| budget.limit().to_string());
    ui.scope(|ui| {
        let response = ui.horizontal(|ui| value_row(ui, "Budget (dashed line)", &text)).response;
        response.on_hover_text(
            "90 % of what other programs leave free, unless the experiment sets another share. A task waits until it fits beside the others.",
        );
    });
}

fn gauge(
    ui: &mut Ui,
    name: &str,
    text: &str,
    values: &[Option<f64>],
    top: f64,
    limit: Option<f64>,
    color: Color32,
) {
    value_row(ui, name, text);
    let line =
        Sparkline { values, capacity: Machine::capacity(), top, limit, color, height: HEIGHT };
    let response = line.show(ui).on_hover_text("The last five minutes, one reading a second");
    widgets::name(&response, egui::Role::Image, &format!("{name}: {text}"));
}

fn bytes(value: Option<Bytes>) -> Option<f64> {
    value.map(|bytes| bytes.0 as f64)
}

fn shown(value: Option<Bytes>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |bytes| bytes.to_string())
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn long_names_are_cut_between_characters() {
        for (name, expected) in [
            ("python3", "python3"),
            ("eighteen-character", "eighteen-character"),
            ("nineteen-characters", "nineteen-character…"),
            ("äöüäöüäöüäöüäöüäöüäöü", "äöüäöüäöüäöüäöüäöü…"),
        ] {
            assert_eq!(short(name), expected);
        }
    }
}
