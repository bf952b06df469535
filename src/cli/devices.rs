use std::fmt::Write as _;

use super::{Exit, Printer};
use crate::devices::{CardProcess, CudaInfo, Inventory, choose};
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
        for process in card.reading.processes.iter().flatten() {
            printer.line(&describe_process(process));
        }
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
    // Not every card tells these; what is not known is left out.
    let mut more = String::new();
    for (name, value, unit) in [
        ("memory", reading.memory_utilization_percent, "% busy"),
        ("SM clock", reading.sm_clock_mhz, "MHz"),
        ("memory clock", reading.memory_clock_mhz, "MHz"),
    ] {
        if let Some(value) = value {
            let _ = write!(more, ", {name} {value} {unit}");
        }
    }
    format!(
        "{} {}, {} of {} in use, {} % busy, {} °C, {} of {} W{more}",
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

fn describe_process(process: &CardProcess) -> String {
    let name = process.name.as_deref().unwrap_or("process");
    let memory = process.memory.map_or_else(|| UNKNOWN.to_owned(), |memory| memory.to_string());
    format!("       {memory} {name} ({})", process.pid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::NvmlReading;
    use crate::domain::Device;

    #[test]
    fn a_card_tells_what_it_knows_and_nothing_else() {
        let silent = CudaInfo { device: Device::Cuda(0), reading: NvmlReading::default() };
        assert_eq!(describe(&silent), "cuda:0 —, — of — in use, — % busy, — °C, — of — W");
        let reading = NvmlReading {
            name: Some("H100".to_owned()),
            utilization_percent: Some(14),
            memory_utilization_percent: Some(3),
            sm_clock_mhz: Some(1980),
            memory_clock_mhz: Some(2619),
            ..NvmlReading::default()
        };
        let told = describe(&CudaInfo { device: Device::Cuda(1), reading });
        assert!(told.starts_with("cuda:1 H100, "), "{told}");
        assert!(
            told.ends_with(", memory 3 % busy, SM clock 1980 MHz, memory clock 2619 MHz"),
            "{told}"
        );
    }

    #[test]
    fn a_process_is_told_by_its_number_where_its_name_is_not_known() {
        let process = |name: Option<&str>, memory| CardProcess {
            pid: 7,
            name: name.map(str::to_owned),
            memory,
        };
        let told = describe_process(&process(Some("python3"), Some(Bytes(3 << 30))));
        assert_eq!(told.trim_start(), "3.0 GiB python3 (7)");
        assert_eq!(describe_process(&process(None, None)).trim_start(), "— process (7)");
    }
}
