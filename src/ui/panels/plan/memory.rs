use egui::{Align, Label, Layout, Pos2, Rect, RichText, Role, Sense, Shape, Stroke, Ui, vec2};

use super::digest::{Digest, plural};
use crate::devices::{Inventory, MachineReading, MemoryBudget, NvmlReading};
use crate::domain::text::{UNKNOWN, count};
use crate::domain::{Bytes, Device, Task};
use crate::ui::icons;
use crate::ui::state::Machine;
use crate::ui::theme::{ROW_HEIGHT, Themed, space, strong_family};
use crate::ui::widgets;

const BAR_HEIGHT: f32 = 12.0;
/// Of one device: name, bar and numbers.
const DEVICE_HEIGHT: f32 = ROW_HEIGHT + BAR_HEIGHT + 28.0;

/// What one task takes of a device: the largest of the plan, estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Demand {
    /// The task's alone.
    own: Bytes,
    /// The matrix that tasks of the same series share.
    resident: Bytes,
}

impl Demand {
    pub(super) fn of(tasks: &[Task]) -> Self {
        let largest = tasks.iter().max_by_key(|task| task.memory);
        largest.map_or_else(Self::default, |task| Self {
            own: Bytes(task.memory.0.saturating_sub(task.resident.0)),
            resident: task.resident,
        })
    }

    pub(super) const fn one(self) -> Bytes {
        Bytes(self.own.0.saturating_add(self.resident.0))
    }

    /// How many such tasks of one series fit into a budget together; `None` where they take nothing that is known.
    fn fit(self, budget: Bytes) -> Option<u64> {
        budget.0.saturating_sub(self.resident.0).checked_div(self.own.0)
    }
}

/// A device and its memory.
#[derive(Debug, Clone, PartialEq)]
struct DeviceMemory {
    device: Device,
    name: String,
    /// What there is and what others have; or why nobody knows.
    budget: Result<MemoryBudget, String>,
    /// Taken off the budget: what computing there takes before the first tensor.
    overhead: Bytes,
}

impl DeviceMemory {
    /// What tasks may take together.
    fn limit(&self) -> Option<Bytes> {
        let limit = self.budget.as_ref().ok()?.limit();
        Some(Bytes(limit.0.saturating_sub(self.overhead.0)))
    }
}

/// Every device of the machine, and what a task of the plan takes of it. `fraction`: the share of what others leave that tasks may take.
pub(super) fn show(ui: &mut Ui, digest: &Digest, machine: &Machine, fraction: f64) {
    widgets::section(ui, "Memory of a task on each device");
    let Some(inventory) = &machine.inventory else {
        let why = machine.no_telemetry_because.as_deref();
        let why = why.unwrap_or("the machine is being looked at");
        ui.weak(UNKNOWN).on_hover_text(why);
        return;
    };
    let plan = &digest.plan;
    // Each task goes to the least loaded device.
    let each = plan.workers.div_ceil(plan.devices.len().max(1) as u32);
    for memory in devices(inventory, machine.now(), fraction) {
        let is_used = plan.device == memory.device || plan.devices.contains(&memory.device);
        device(ui, &memory, digest.largest, is_used.then_some(each));
    }
}

/// How much room [`show`] takes.
pub(super) fn height(machine: &Machine) -> f32 {
    let cards = machine.inventory.as_ref().map_or(0, |inventory| inventory.cuda.len());
    ROW_HEIGHT + space::XS + (1 + cards) as f32 * DEVICE_HEIGHT
}

fn devices(
    inventory: &Inventory,
    now: Option<&MachineReading>,
    fraction: f64,
) -> Vec<DeviceMemory> {
    let with_fraction = |budget: MemoryBudget| budget.with_fraction(fraction);
    let at_first = || {
        let total = inventory.cpu.memory_total?;
        let others = Bytes(total.0.saturating_sub(inventory.cpu.memory_available?.0));
        Some(MemoryBudget { total, others, fraction })
    };
    let host = now.and_then(|now| MemoryBudget::of_host(&now.host)).or_else(at_first);
    let mut all = vec![DeviceMemory {
        device: Device::Cpu,
        name: plural(inventory.cpu.cores as usize, "core", "cores"),
        budget: host
            .map(with_fraction)
            .ok_or_else(|| "the system does not tell how much memory there is".to_owned()),
        overhead: Bytes(0),
    }];
    all.extend(inventory.cuda.iter().map(|card| {
        let read = now.and_then(|now| now.cuda.iter().find(|(device, _)| *device == card.device));
        let reading: &NvmlReading = read.map_or(&card.reading, |(_, reading)| reading);
        DeviceMemory {
            device: card.device,
            name: card.reading.name.clone().unwrap_or_else(|| "CUDA card".to_owned()),
            budget: MemoryBudget::of_card(reading)
                .map(with_fraction)
                .ok_or_else(|| "the driver does not tell how much of the card is used".to_owned()),
            overhead: MemoryBudget::CONTEXT,
        }
    }));
    if inventory.mps.available {
        all.push(DeviceMemory {
            device: Device::Mps,
            name: "Apple GPU".to_owned(),
            budget: Err(
                "it shares the host's memory, and macOS does not tell how much it may take"
                    .to_owned(),
            ),
            overhead: Bytes(0),
        });
    }
    all
}

/// `workers`: tasks that the plan trains on it at a time, where it uses the device.
fn device(ui: &mut Ui, memory: &DeviceMemory, demand: Demand, workers: Option<u32>) {
    let palette = ui.palette();
    let weak = palette.text_weak;
    let fit = memory.limit().and_then(|limit| demand.fit(limit));
    let is_short = workers.is_some() && fit == Some(0);
    ui.horizontal(|ui| {
        let icon = if memory.device == Device::Cpu { icons::CPU } else { icons::GRAPHICS_CARD };
        ui.label(RichText::new(format!("{icon}  {}", memory.device)).family(strong_family()));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let (text, color) = match fit {
                None => (UNKNOWN.to_owned(), weak),
                Some(0) => (format!("{}  not even one fits", icons::WARNING), palette.warning),
                Some(fit) => (format!("{} at a time", fits(fit)), palette.text),
            };
            let text = ui.label(RichText::new(text).color(color));
            match &memory.budget {
                Ok(_) => {
                    text.on_hover_text("Tasks of one series that fit into the budget together")
                }
                Err(why) => text.on_hover_text(why),
            };
            let used = if workers.is_some() { "" } else { ", not used by this experiment" };
            let name = RichText::new(format!("{}{used}", memory.name)).color(weak);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                ui.add(Label::new(name).truncate());
            });
        });
    });
    let (numbers, why) = numbers(memory, demand);
    let size = vec2(ui.available_width(), BAR_HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let at_work = fit.unwrap_or(0).min(workers.unwrap_or(0).into());
    let text = fit.map_or_else(String::new, |fit| format!(", {} at a time", fits(fit)));
    let name = format!("Memory of {}: {numbers}{text}", memory.device);
    widgets::name(&response, Role::Image, &name);
    bar(ui, rect, memory, demand, at_work);
    response.on_hover_text(
        "Grey: what others have. Filled: tasks that train at a time, the first one with the matrix that they share. Dashed: the budget's end.",
    );
    let color = if is_short { palette.warning } else { weak };
    let numbers = ui.add(Label::new(RichText::new(numbers).small().color(color)).truncate());
    if let Some(why) = why {
        numbers.on_hover_text(why);
    }
}

fn fits(fit: u64) -> String {
    match fit {
        1 => "1 fits".to_owned(),
        fit => format!("{} fit", count(fit)),
    }
}

/// What there is, in words; and why something is not known, where it is not.
fn numbers(memory: &DeviceMemory, demand: Demand) -> (String, Option<&str>) {
    let task = format!("a task takes about {}", demand.one());
    match &memory.budget {
        Ok(budget) => {
            let limit = memory.limit().unwrap_or_default();
            let (total, others) = (budget.total, budget.others);
            (format!("{task} of a budget of {limit}; {total} in all, others have {others}"), None)
        }
        Err(why) => (format!("{task}; budget {UNKNOWN}"), Some(why)),
    }
}

fn bar(ui: &Ui, rect: Rect, memory: &DeviceMemory, demand: Demand, at_work: u64) {
    let palette = ui.palette();
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 2.0, palette.well);
    painter.rect_stroke(rect, 2.0, Stroke::new(1.0, palette.line), egui::StrokeKind::Inside);
    let Ok(budget) = &memory.budget else { return };
    let x = |bytes: u64| {
        let share = bytes as f64 / budget.total.0.max(1) as f64;
        rect.left() + share.min(1.0) as f32 * rect.width()
    };
    let inner = rect.shrink2(vec2(0.0, 2.0));
    let block = |from: u64, until: u64| {
        Rect::from_x_y_ranges(x(from)..=x(until).max(x(from) + 1.0), inner.y_range())
    };
    let begin = budget.others.0.saturating_add(memory.overhead.0);
    painter.rect_filled(block(0, begin), 0.0, palette.embargo.gamma_multiply(0.6));
    let mut from = begin;
    // More than there are points cannot be told apart.
    for task in 0..at_work.min(rect.width() as u64) {
        let until = from.saturating_add(if task == 0 { demand.one().0 } else { demand.own.0 });
        let color = if task % 2 == 0 { palette.model } else { palette.model.gamma_multiply(0.7) };
        painter.rect_filled(block(from, until), 0.0, color);
        from = until;
    }
    let end = x(begin.saturating_add(memory.limit().unwrap_or_default().0));
    let line = [Pos2::new(end, rect.top()), Pos2::new(end, rect.bottom())];
    painter.extend(Shape::dashed_line(&line, Stroke::new(1.5, palette.warning), 3.0, 2.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::{CpuInfo, CudaInfo, MpsInfo};

    #[test]
    fn tasks_of_one_series_share_its_matrix() {
        let demand = Demand { own: Bytes(10), resident: Bytes(50) };
        for (budget, fit) in [(49, 0), (59, 0), (60, 1), (70, 2), (150, 10)] {
            assert_eq!(demand.fit(Bytes(budget)), Some(fit), "{budget}");
        }
        assert_eq!(demand.one(), Bytes(60));
        assert_eq!(Demand::default().fit(Bytes(100)), None);
    }

    #[test]
    fn what_nobody_knows_has_a_reason() {
        let card = |total: Option<u64>| NvmlReading {
            memory_total: total.map(Bytes),
            memory_used: Some(Bytes(10)),
            ..NvmlReading::default()
        };
        let cards = [card(Some(1 << 40)), card(None)];
        let cuda = cards
            .into_iter()
            .enumerate()
            .map(|(index, reading)| CudaInfo { device: Device::Cuda(index as u32), reading });
        let inventory = Inventory {
            cpu: CpuInfo {
                cores: 2,
                memory_total: Some(Bytes(100)),
                memory_available: Some(Bytes(80)),
            },
            cuda: cuda.collect(),
            no_cuda_because: None,
            driver_version: None,
            mps: MpsInfo { available: true, reason: None },
            libtorch: String::new(),
        };
        let all = devices(&inventory, None, 0.5);
        let limits: Vec<Option<u64>> =
            all.iter().map(|memory| memory.limit().map(|limit| limit.0)).collect();
        let first = ((1 << 40) - 10) / 2 - MemoryBudget::CONTEXT.0;
        assert_eq!(limits, [Some(40), Some(first), None, None]);
        let demand = Demand { own: Bytes(1), resident: Bytes(0) };
        let why: Vec<Option<&str>> = all.iter().map(|memory| numbers(memory, demand).1).collect();
        assert!(why[0].is_none() && why[1].is_none());
        assert!(why[2].unwrap().contains("driver") && why[3].unwrap().contains("macOS"));
        assert_eq!(numbers(&all[2], demand).0, "a task takes about 1 B; budget —");
    }
}
