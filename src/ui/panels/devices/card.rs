use egui::{Label, RichText, Ui};

use super::gauge::{Gauge, row, unknown};
use super::memory::Memory;
use super::{bytes, title};
use crate::devices::{CardFact, CudaInfo, Inventory, MemoryBudget, NvmlReading};
use crate::domain::text::UNKNOWN;
use crate::ui::icons;
use crate::ui::state::Machine;
use crate::ui::theme::Themed;
use crate::ui::widgets::{self, value_row};

/// Processes of a card that are listed.
const PROCESSES: usize = 5;
/// The top of the scale of a chip's temperature, in °C: cards slow down before.
const HOTTEST: f64 = 100.0;

/// One card: what it does, who uses it, and what it does not tell with the reason.
pub(super) fn show(ui: &mut Ui, machine: &Machine, inventory: &Inventory, info: &CudaInfo) {
    let known = info.reading.name.clone().unwrap_or_else(|| "CUDA card".to_owned());
    let driver = inventory.driver_version.as_deref().unwrap_or(UNKNOWN);
    let capability = info.reading.compute_capability.as_deref().unwrap_or(UNKNOWN);
    let detail = format!("{known}, compute capability {capability}, driver {driver}");
    let device = info.device.to_string();
    title(ui, icons::GRAPHICS_CARD, &device, &detail);
    let now = match machine.now() {
        Some(_) => machine.card(info.device),
        // Before the first reading there is what was found at the start.
        None => Some(&info.reading),
    };
    match now {
        Some(now) if !is_lost(info, now) => {
            readings(ui, machine, info, now);
            processes(ui, &device, now);
        }
        lost => {
            let why = lost.and_then(|now| why(now, CardFact::Memory));
            let why = why.unwrap_or("the driver does not list it any more; see `nvidia-smi`");
            widgets::problem(
                ui,
                &format!("{device} is lost: {why}. Its tasks go to another device."),
            );
        }
    }
}

/// Whether a card that was known once says nothing at all any more.
fn is_lost(info: &CudaInfo, now: &NvmlReading) -> bool {
    let is_silent = now.name.is_none() && now.memory_total.is_none();
    is_silent && info.reading.name.is_some()
}

/// Why a reading is missing, as the driver says it.
fn why(card: &NvmlReading, fact: CardFact) -> Option<&str> {
    card.unknown.get(&fact).map(String::as_str)
}

fn readings(ui: &mut Ui, machine: &Machine, info: &CudaInfo, now: &NvmlReading) {
    let of = info.device.to_string();
    let series = ui.palette().series;
    let gauge = |ui: &mut Ui, fact, name, value, top: Option<f64>, color, read: Read| {
        let values = machine.card_history(info.device, read);
        let top = top.unwrap_or_else(|| values.iter().flatten().copied().fold(1.0, f64::max));
        let why_unknown = why(now, fact).unwrap_or("This card or its driver does not tell");
        Gauge { of: &of, name, value, why_unknown, values: &values, top, color }.show(ui);
    };
    let percent = |value: Option<u32>| value.map(|percent| format!("{percent} %"));
    let mhz = |value: Option<u32>| value.map(|mhz| format!("{mhz} MHz"));
    let full = Some(100.0);

    let value = percent(now.utilization_percent);
    gauge(ui, CardFact::Utilization, "GPU load", value, full, series[0], |card| {
        card.utilization_percent.map(f64::from)
    });
    let history = machine.card_history(info.device, |card| bytes(card.memory_used));
    Memory {
        of: &of,
        name: "GPU memory",
        used: now.memory_used,
        total: now.memory_total,
        own: now.memory_own,
        budget: MemoryBudget::of_card(now),
        why_unknown: why(now, CardFact::Memory).unwrap_or("This card or its driver does not tell"),
        history: &history,
    }
    .show(ui);
    let value = percent(now.memory_utilization_percent);
    gauge(ui, CardFact::Utilization, "Memory traffic", value, full, series[5], |card| {
        card.memory_utilization_percent.map(f64::from)
    });
    let value = now.temperature_celsius.map(|celsius| format!("{celsius} °C"));
    gauge(ui, CardFact::Temperature, "Temperature", value, Some(HOTTEST), series[1], |card| {
        card.temperature_celsius.map(f64::from)
    });
    let value = power(now.power_watts, now.power_limit_watts);
    gauge(ui, CardFact::Power, "Power", value, now.power_limit_watts, series[3], |card| {
        card.power_watts
    });
    gauge(ui, CardFact::SmClock, "SM clock", mhz(now.sm_clock_mhz), None, series[4], |card| {
        card.sm_clock_mhz.map(f64::from)
    });
    let value = mhz(now.memory_clock_mhz);
    gauge(ui, CardFact::MemoryClock, "Memory clock", value, None, series[6], |card| {
        card.memory_clock_mhz.map(f64::from)
    });
}

/// One value of a reading.
type Read = fn(&NvmlReading) -> Option<f64>;

/// `420 of 700 W`, or what of it is known; `None` where what it draws is not.
fn power(drawn: Option<f64>, limit: Option<f64>) -> Option<String> {
    let drawn = drawn?;
    Some(match limit {
        Some(limit) => format!("{drawn:.0} of {limit:.0} W"),
        None => format!("{drawn:.0} W"),
    })
}

/// Who uses the card, the largest first.
fn processes(ui: &mut Ui, device: &str, card: &NvmlReading) {
    let Some(all) = card.processes.as_deref() else {
        row(ui, "Processes", |ui| {
            let why = why(card, CardFact::Processes).unwrap_or("The driver does not list them");
            unknown(ui, device, "Processes", why);
        });
        return;
    };
    for process in all.iter().take(PROCESSES) {
        let name = short(process.name.as_deref().unwrap_or("process"));
        let memory = process.memory.map_or_else(|| UNKNOWN.to_owned(), |bytes| bytes.to_string());
        value_row(ui, &format!("{name} ({})", process.pid), &memory);
    }
    if let Some(more) = all.len().checked_sub(PROCESSES).filter(|more| *more > 0) {
        let more = RichText::new(format!("and {more} more")).small();
        ui.add(Label::new(more.color(ui.palette().text_weak)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Device;

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

    #[test]
    fn a_card_is_lost_that_was_known_and_says_nothing_any_more() {
        let named = NvmlReading { name: Some("H100".to_owned()), ..NvmlReading::default() };
        let info =
            |reading: &NvmlReading| CudaInfo { device: Device::Cuda(0), reading: reading.clone() };
        let silent = NvmlReading::silent("gone");
        for (before, now, lost) in
            [(&named, &silent, true), (&named, &named, false), (&silent, &silent, false)]
        {
            assert_eq!(is_lost(&info(before), now), lost);
        }
    }

    #[test]
    fn power_stands_beside_its_limit_where_both_are_known() {
        assert_eq!(power(Some(419.6), Some(700.0)).as_deref(), Some("420 of 700 W"));
        assert_eq!(power(Some(419.6), None).as_deref(), Some("420 W"));
        assert_eq!(power(None, Some(700.0)), None);
    }
}
