use super::{Exit, Printer};
use crate::devices::{CudaInfo, Inventory, choose};
use crate::domain::Bytes;
use crate::domain::text::UNKNOWN;
use crate::spec::DeviceChoice;

/// `walkforge devices`.
pub(super) fn devices(printer: &Printer) -> anyhow::Result<Exit> {
    let inventory = Inventory::detect();
    if printer.is_json() {
        printer.json_line(&inventory);
        return Ok(Exit::Done);
    }
    let show =
        |bytes: Option<Bytes>| bytes.map_or_else(|| UNKNOWN.to_owned(), |bytes| bytes.to_string());
    for card in &inventory.cuda {
        printer.line(&describe(card));
    }
    if let Some(reason) = &inventory.no_cuda_because {
        printer.line(&format!("cuda   none: {reason}"));
    }
    let mps = inventory
        .mps
        .reason
        .as_ref()
        .map_or_else(|| "available".to_owned(), |why| format!("none: {why}"));
    printer.line(&format!("mps    {mps}"));
    printer.line(&format!(
        "cpu    {} cores, {} of {} memory available",
        inventory.cpu.cores,
        show(inventory.cpu.memory_available),
        show(inventory.cpu.memory_total)
    ));
    let chosen = choose(DeviceChoice::Auto, &inventory)?;
    printer.line(&format!(
        "libtorch {}; `--device auto` takes {} ({})",
        inventory.libtorch, chosen.device, chosen.reason
    ));
    Ok(Exit::Done)
}

fn describe(card: &CudaInfo) -> String {
    let reading = &card.reading;
    let bytes =
        |bytes: Option<Bytes>| bytes.map_or_else(|| UNKNOWN.to_owned(), |bytes| bytes.to_string());
    let number = |value: Option<f64>| {
        value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.0}"))
    };
    format!(
        "{} {}, {} of {} in use, {} % busy, {} °C, {} of {} W",
        card.device,
        reading.name.as_deref().unwrap_or(UNKNOWN),
        bytes(reading.memory_used),
        bytes(reading.memory_total),
        number(reading.utilization_percent.map(f64::from)),
        number(reading.temperature_celsius.map(f64::from)),
        number(reading.power_watts),
        number(reading.power_limit_watts),
    )
}
