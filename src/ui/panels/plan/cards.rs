use egui::text::LayoutJob;
use egui::{Label, Layout, RichText, TextStyle, Ui, vec2};

use super::digest::{Digest, plural};
use crate::domain::text::{UNKNOWN, count, duration};
use crate::domain::{Bytes, Device, Footprint, text};
use crate::ui::icons;
use crate::ui::state::Machine;
use crate::ui::theme::{Themed, space, strong_family};
use crate::workbench::{MOST_PLANNED, PlanTotals};

/// A card is never narrower; as many stand in a row as fit.
const LEAST_WIDTH: f32 = 132.0;
const HEIGHT: f32 = 80.0;

const TO_TRAIN: &str = "To train";
const REUSED: &str = "Trained before";
const TIME: &str = "Time";
const DISK: &str = "Disk";

/// One number with its name and what stands behind it.
struct Card {
    title: &'static str,
    value: String,
    /// Two lines at most.
    detail: String,
    help: String,
    /// Worth a look: marked with an icon.
    is_warning: bool,
}

/// What the plan adds up to, in rows of cards that wrap. `runs` says how many runs the sweep makes, 1 where there is none.
pub(super) fn show(ui: &mut Ui, digest: &Digest, machine: &Machine, runs: usize) {
    let totals = match &digest.sweep {
        Some(sweep) => sweep.totals.as_ref(),
        None => Some(&digest.totals).filter(|_| runs < 2),
    };
    let why_unknown = if digest.sweep.is_some() {
        format!("only {MOST_PLANNED} variants are planned beforehand")
    } else {
        "the variants are being planned".to_owned()
    };
    let unknown = |title| Card {
        title,
        value: UNKNOWN.to_owned(),
        detail: why_unknown.clone(),
        help: format!("Of all {} together: {why_unknown}", plural(runs, "variant", "variants")),
        is_warning: false,
    };
    let of_totals =
        |title, card: &dyn Fn(&PlanTotals) -> Card| totals.map_or_else(|| unknown(title), card);
    let cards = [
        of_totals(TO_TRAIN, &|totals| tasks(digest, totals, runs)),
        of_totals(REUSED, &reused),
        of_totals(TIME, &|totals| time(totals, runs)),
        of_totals(DISK, &disk),
        parameters(digest),
        memory(digest, machine),
        device(digest),
        at_a_time(digest, machine),
    ];
    let gap = space::S;
    let room = ui.available_width();
    let fit = (((room + gap) / (LEAST_WIDTH + gap)) as usize).clamp(1, cards.len());
    // As many in each row, so that none stands alone.
    let columns = cards.len().div_ceil(cards.len().div_ceil(fit));
    let width = (room - gap * (columns - 1) as f32) / columns as f32;
    for row in cards.chunks(columns) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = gap;
            for card in row {
                card.show(ui, width);
            }
        });
    }
}

impl Card {
    fn show(&self, ui: &mut Ui, width: f32) {
        let palette = ui.palette();
        let margin = egui::Margin::symmetric(space::S as i8, 6);
        let frame = egui::Frame::new().fill(palette.raised).corner_radius(4).inner_margin(margin);
        let size = vec2(width, HEIGHT);
        let layout = Layout::top_down(egui::Align::Min);
        let card = ui.allocate_ui_with_layout(size, layout, |ui| {
            frame.show(ui, |ui| {
                ui.set_min_size(size - margin.sum());
                ui.spacing_mut().item_spacing.y = 1.0;
                self.content(ui);
            });
        });
        card.response.on_hover_text(self.help.as_str());
    }

    fn content(&self, ui: &mut Ui) {
        let palette = ui.palette();
        ui.label(RichText::new(self.title).small().color(palette.text_weak));
        let (value, color) = if self.is_warning {
            (format!("{}  {}", icons::WARNING, self.value), palette.warning)
        } else {
            (self.value.clone(), palette.text)
        };
        let value = RichText::new(value).text_style(TextStyle::Heading).family(strong_family());
        ui.add(Label::new(value.color(color)).truncate().show_tooltip_when_elided(false));
        let font = TextStyle::Small.resolve(ui.style());
        let mut detail = LayoutJob::simple(self.detail.clone(), font, palette.text_weak, 0.0);
        detail.wrap.max_rows = 2;
        ui.add(Label::new(detail).wrap().show_tooltip_when_elided(false));
    }
}

fn tasks(digest: &Digest, totals: &PlanTotals, runs: usize) -> Card {
    let (all, trained) = (totals.tasks, totals.trained());
    let tasks = plural(all, "task", "tasks");
    let value =
        if trained == all { tasks } else { format!("{} of {tasks}", count(trained as u64)) };
    let (detail, help) = if runs > 1 {
        let variants = plural(runs, "variant", "variants");
        let help = format!(
            "The tasks of {variants}, each a run of its own; the first one has {}",
            digest.shape
        );
        (format!("in {variants}"), help)
    } else {
        let help = format!("{}: one model for each series and fold", digest.shape);
        (digest.shape.clone(), help)
    };
    Card { title: TO_TRAIN, value, detail, help, is_warning: false }
}

/// How long it takes, as far as earlier runs tell.
fn time(totals: &PlanTotals, runs: usize) -> Card {
    let seconds = duration(totals.millis as f64 / 1000.0);
    let (value, detail) = match (totals.trained(), totals.known) {
        (0, _) => (duration(0.0), "everything is there already".to_owned()),
        (_, 0) => (UNKNOWN.to_owned(), "known once such a task has run here".to_owned()),
        (trained, known) if known < trained => {
            (format!("over {seconds}"), format!("{known} of {trained} tasks are known"))
        }
        _ if runs > 1 => (format!("≤ {seconds}"), "one run after another".to_owned()),
        _ => (format!("≤ {seconds}"), "to the last epoch; may stop sooner".to_owned()),
    };
    Card {
        title: TIME,
        value,
        detail,
        help: "Learnt from what tasks of this kind took on this kind of device, shared by the workers; early stopping may end it sooner"
            .to_owned(),
        is_warning: false,
    }
}

fn disk(totals: &PlanTotals) -> Card {
    let all = totals.disk;
    Card {
        title: DISK,
        value: if all.0 > 0 { format!("about {all}") } else { UNKNOWN.to_owned() },
        detail: "weights, checkpoints, predictions".to_owned(),
        help: "What the files of the tasks that are trained take in the runs folder, roughly"
            .to_owned(),
        is_warning: false,
    }
}

/// What need not be trained again.
fn reused(totals: &PlanTotals) -> Card {
    let Some((most, _)) = totals.reused.iter().max_by_key(|(_, tasks)| **tasks) else {
        return Card {
            title: REUSED,
            value: "none".to_owned(),
            detail: "everything is trained".to_owned(),
            help: "No earlier run has the same data, settings and seed; its results would be taken over"
                .to_owned(),
            is_warning: false,
        };
    };
    // A run's name does not fit; its last letters tell it from others.
    let letters = most.as_str().rsplit('-').next().unwrap_or_default();
    let from = match totals.reused.len() {
        1 => format!("from run …{letters}"),
        several => format!("from {several} runs, as …{letters}"),
    };
    let list: Vec<String> = totals
        .reused
        .iter()
        .map(|(run, tasks)| format!("{} from {run}", plural(*tasks, "task", "tasks")))
        .collect();
    Card {
        title: REUSED,
        value: plural(totals.taken_over(), "task", "tasks"),
        detail: from,
        help: format!(
            "The same data, settings and seed have been trained already, so their results are taken over: {}",
            list.join(", ")
        ),
        is_warning: false,
    }
}

fn parameters(digest: &Digest) -> Card {
    let (fewest, most) = digest.parameters;
    let value =
        if fewest == most { count(most) } else { format!("{}–{}", count(fewest), count(most)) };
    let features = &digest.plan.features;
    Card {
        title: "Parameters per model",
        value,
        detail: format!("of {}", plural(features.len(), "feature", "features")),
        help: format!("Numbers that a model learns. Features: {}", features.join(", ")),
        is_warning: false,
    }
}

fn memory(digest: &Digest, machine: &Machine) -> Card {
    let device = digest.plan.device;
    let sweep = digest.sweep.as_ref().and_then(|sweep| sweep.totals.as_ref());
    let Footprint { total, resident } = sweep.unwrap_or(&digest.totals).memory;
    let free = free_memory(machine, device);
    let is_warning = free.is_some_and(|free| total > free);
    let place = if matches!(device, Device::Cuda(_)) { device.to_string() } else { "host".into() };
    let free = free.map_or_else(|| UNKNOWN.to_owned(), |free| free.to_string());
    let relation = if is_warning { "more than the" } else { "of" };
    let shared = if resident == Bytes::default() {
        String::new()
    } else {
        format!(" Of which {resident} resident, shared by folds.")
    };
    let detail = if sweep.is_some() {
        format!("at most, {relation} {free} free ({place})")
    } else if shared.is_empty() || is_warning {
        format!("{relation} {free} free ({place})")
    } else {
        format!("{relation} {free} free ({place}); {resident} shared by folds")
    };
    Card {
        title: "Memory at a time",
        value: format!("about {total}"),
        detail,
        help: format!(
            "Tensors at work at their peak, estimated, of the {} that train at a time; the largest task takes {}.{shared} Free on {place}: {free}.",
            plural(digest.plan.workers as usize, "task", "tasks"),
            digest.largest.one()
        ),
        is_warning,
    }
}

fn device(digest: &Digest) -> Card {
    let plan = &digest.plan;
    let names = text::devices(plan);
    let (title, value, detail) = if plan.devices.len() > 1 {
        let detail = format!("{names}; {}", plan.device_reason);
        ("Devices", plan.devices.len().to_string(), detail)
    } else {
        ("Device", names.clone(), plan.device_reason.clone())
    };
    let help = format!("{names}: {}", plan.device_reason);
    Card { title, value, detail, help, is_warning: false }
}

fn at_a_time(digest: &Digest, machine: &Machine) -> Card {
    let plan = &digest.plan;
    let threads = plan.threads_per_task as usize;
    let cores = machine.inventory.as_ref().map(|inventory| inventory.cpu.cores as usize);
    let cores = cores.map_or_else(|| format!("{UNKNOWN} cores"), |n| plural(n, "core", "cores"));
    Card {
        title: "Workers × threads",
        value: format!("{} × {threads}", plan.workers),
        detail: format!("{} each, on {cores}", plural(threads, "thread", "threads")),
        help: format!(
            "{} at a time with {} each, on {cores}",
            plural(plan.workers as usize, "task", "tasks"),
            plural(threads, "thread", "threads")
        ),
        is_warning: false,
    }
}

/// Memory that nobody has, where the device computes: the card's own, else the host's.
fn free_memory(machine: &Machine, device: Device) -> Option<Bytes> {
    let reading = machine.now();
    let inventory = machine.inventory.as_ref();
    let (total, used) = match device {
        Device::Cpu | Device::Mps => {
            let Some(reading) = reading else { return inventory?.cpu.memory_available };
            (reading.host.memory_total, reading.host.memory_used)
        }
        Device::Cuda(_) => {
            let now = reading.and_then(|now| now.cuda.iter().find(|(card, _)| *card == device));
            let at_first = || inventory?.cuda.iter().find(|card| card.device == device);
            let card =
                now.map(|(_, card)| card).or_else(|| at_first().map(|card| &card.reading))?;
            (card.memory_total, card.memory_used)
        }
    };
    Some(Bytes(total?.0.saturating_sub(used?.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::{HostReading, MachineReading, NvmlReading};
    use crate::domain::UtcMillis;

    #[test]
    fn free_memory_is_that_of_the_device_and_unknown_where_nobody_knows() {
        let mut machine = Machine::default();
        assert_eq!(free_memory(&machine, Device::Cpu), None);
        let host = HostReading {
            memory_total: Some(Bytes(100)),
            memory_used: Some(Bytes(30)),
            ..HostReading::default()
        };
        let card = NvmlReading {
            memory_total: Some(Bytes(80)),
            memory_used: Some(Bytes(10)),
            ..NvmlReading::default()
        };
        let cuda = vec![(Device::Cuda(0), NvmlReading::default()), (Device::Cuda(1), card)];
        machine.add(MachineReading { at: UtcMillis(0), host, cuda });
        for (device, free) in [
            (Device::Cpu, Some(70)),
            (Device::Mps, Some(70)),
            (Device::Cuda(0), None),
            (Device::Cuda(1), Some(70)),
            (Device::Cuda(2), None),
        ] {
            assert_eq!(free_memory(&machine, device), free.map(Bytes), "{device}");
        }
    }
}
