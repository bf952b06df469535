use std::fs;

use super::Finding;
use crate::devices::{Inventory, LibtorchFacts, Nvml};

/// What is known of CUDA, from all who know something.
#[derive(Debug)]
struct CudaFacts {
    /// The CUDA libtorch was built with.
    built_with: Option<String>,
    /// The driver's version, the newest CUDA it runs and the cards it sees; or why there is no driver.
    driver: Result<Driver, String>,
    /// Compute capabilities of the cards that libtorch can use, where they tell.
    usable: Vec<Option<String>>,
    /// Whether an NVIDIA card is plugged in; `None` where the system does not tell.
    is_card_there: Option<bool>,
    /// The variable that hides cards, where it is set.
    visible_devices: Option<String>,
}

#[derive(Debug, Default)]
struct Driver {
    version: Option<String>,
    cuda: Option<String>,
    cards: Option<u32>,
}

pub(super) fn examine() -> Vec<Finding> {
    let facts = LibtorchFacts::detect();
    let nvml = Nvml::open();
    let inventory = Inventory::detect();
    let cuda = CudaFacts {
        built_with: facts.as_ref().ok().and_then(|facts| facts.cuda_version.clone()),
        driver: nvml.as_ref().map_err(Clone::clone).map(|nvml| Driver {
            version: nvml.driver_version(),
            cuda: nvml.cuda_version(),
            cards: nvml.device_count(),
        }),
        usable: inventory.cuda.iter().map(|card| card.reading.compute_capability.clone()).collect(),
        is_card_there: is_card_there(),
        visible_devices: std::env::var("CUDA_VISIBLE_DEVICES").ok(),
    };
    let known = facts.as_ref().cloned().unwrap_or_default();
    vec![libtorch(&facts), driver(&cuda), self::cuda(&cuda, &known)]
}

fn libtorch(facts: &Result<LibtorchFacts, String>) -> Finding {
    const TOPIC: &str = "libtorch";
    let needed = crate::torch::libtorch_version();
    let facts = match facts {
        Ok(facts) => facts,
        Err(error) => {
            return Finding::problem(TOPIC, format!("does not answer: {error}"), "make setup");
        }
    };
    let place = facts.folder.as_ref().map(|at| format!(" in {}", at.display())).unwrap_or_default();
    let version = facts.version.as_deref().unwrap_or(needed);
    if version != needed {
        return Finding::problem(
            TOPIC,
            format!("{version}{place}, but this program was built for {needed}"),
            "make setup, with LIBTORCH unset or naming a libtorch of that version; then make run",
        );
    }
    match facts.cpu_capability.as_deref() {
        Some("DEFAULT" | "NO AVX") => Finding::warning(
            TOPIC,
            format!(
                "{version}{place}; it uses no vector instructions of this processor, so training is slow"
            ),
            "unset ATEN_CPU_CAPABILITY, or choose a machine with AVX2",
        ),
        Some(capability) => Finding::ok(TOPIC, format!("{version}{place}; uses {capability}")),
        None => Finding::ok(TOPIC, format!("{version}{place}")),
    }
}

fn driver(facts: &CudaFacts) -> Finding {
    const TOPIC: &str = "NVIDIA driver";
    match &facts.driver {
        Ok(driver) => {
            let version = driver.version.as_deref().unwrap_or("of unknown version");
            let cuda = driver.cuda.as_ref().map(|cuda| format!(", runs CUDA up to {cuda}"));
            let cards = match driver.cards {
                Some(1) => ", sees 1 card".to_owned(),
                Some(cards) => format!(", sees {cards} cards"),
                None => String::new(),
            };
            Finding::ok(
                TOPIC,
                format!("{version}{}{cards}; NVML answers", cuda.unwrap_or_default()),
            )
        }
        Err(why) if facts.is_card_there == Some(true) => Finding::problem(
            TOPIC,
            format!("an NVIDIA card is plugged in, but {why}"),
            "sudo apt-get install nvidia-driver, restart, and look at nvidia-smi",
        ),
        Err(why) => Finding::ok(TOPIC, format!("{why}; without a card none is needed")),
    }
}

fn cuda(facts: &CudaFacts, libtorch: &LibtorchFacts) -> Finding {
    const TOPIC: &str = "CUDA";
    let built = match &facts.built_with {
        Some(version) => format!("libtorch is built with CUDA {version}"),
        None => "libtorch is built without CUDA".to_owned(),
    };
    let unused = |why: &str| {
        Finding::ok(TOPIC, format!("not used: {why}, training takes the processor; {built}"))
    };
    let Ok(driver) = &facts.driver else { return unused("there is no driver") };
    if driver.cards == Some(0) {
        return unused("the driver sees no card");
    }
    let Some(built_with) = &facts.built_with else {
        return Finding::problem(
            TOPIC,
            "the driver sees a card, but this libtorch was built without CUDA",
            "unset LIBTORCH and make distclean setup run, which installs one with CUDA",
        );
    };
    if facts.usable.is_empty() {
        if let Some(visible) = &facts.visible_devices {
            return Finding::problem(
                TOPIC,
                format!("CUDA_VISIBLE_DEVICES={visible} hides every card"),
                "unset CUDA_VISIBLE_DEVICES",
            );
        }
        let newest = driver.cuda.as_deref().unwrap_or("an older one");
        return Finding::problem(
            TOPIC,
            format!(
                "libtorch was built with CUDA {built_with} and finds no card; the driver runs CUDA up to {newest}"
            ),
            "update the NVIDIA driver: sudo apt-get install --only-upgrade nvidia-driver, and restart",
        );
    }
    let unfit = facts.usable.iter().enumerate().find_map(|(index, capability)| {
        let capability = capability.as_deref()?;
        (libtorch.runs_on(capability) == Some(false)).then_some((index, capability))
    });
    if let Some((index, capability)) = unfit {
        let known = libtorch.architectures.join(", ");
        return Finding::problem(
            TOPIC,
            format!(
                "cuda:{index} has compute capability {capability}; this libtorch is compiled for {known}"
            ),
            "walkforge train --device cpu, or build against a libtorch for that card (LIBTORCH=DIR make run)",
        );
    }
    let count = facts.usable.len();
    let cards = if count == 1 { "1 card".to_owned() } else { format!("{count} cards") };
    Finding::ok(TOPIC, format!("{built_with}, {cards} to train on"))
}

/// Whether the PCI bus has a display or 3D controller of NVIDIA's; Linux tells.
fn is_card_there() -> Option<bool> {
    let devices = fs::read_dir("/sys/bus/pci/devices").ok()?;
    let is_card = |device: fs::DirEntry| {
        let read = |name: &str| fs::read_to_string(device.path().join(name)).unwrap_or_default();
        read("vendor").trim() == "0x10de" && read("class").starts_with("0x03")
    };
    Some(devices.flatten().any(is_card))
}

#[cfg(test)]
mod tests {
    use super::super::Health;
    use super::*;

    fn machine(cards: u32, usable: &[&str]) -> CudaFacts {
        let driver = Driver {
            version: Some("580.65".to_owned()),
            cuda: Some("13.0".to_owned()),
            cards: Some(cards),
        };
        CudaFacts {
            built_with: Some("13.0".to_owned()),
            driver: Ok(driver),
            usable: usable.iter().map(|&capability| Some(capability.to_owned())).collect(),
            is_card_there: Some(true),
            visible_devices: None,
        }
    }

    #[test]
    fn every_way_in_which_cuda_fails_has_its_own_cure() {
        let built = LibtorchFacts {
            architectures: vec!["8.0".to_owned(), "9.0".to_owned()],
            ..LibtorchFacts::default()
        };
        let no_driver = || CudaFacts { driver: Err("no driver".to_owned()), ..machine(0, &[]) };
        let no_card = || CudaFacts { is_card_there: Some(false), ..no_driver() };
        let hidden = || CudaFacts { visible_devices: Some(String::new()), ..machine(1, &[]) };
        let without = || CudaFacts { built_with: None, ..machine(1, &[]) };
        for (found, health, text, mend) in [
            (cuda(&machine(2, &["8.6", "9.0"]), &built), Health::Ok, "2 cards to train on", ""),
            (
                cuda(&machine(1, &["7.0"]), &built),
                Health::Problem,
                "compiled for 8.0, 9.0",
                "--device cpu",
            ),
            (
                cuda(&machine(1, &[]), &built),
                Health::Problem,
                "finds no card",
                "update the NVIDIA driver",
            ),
            (
                cuda(&hidden(), &built),
                Health::Problem,
                "hides every card",
                "unset CUDA_VISIBLE_DEVICES",
            ),
            (cuda(&without(), &built), Health::Problem, "built without CUDA", "unset LIBTORCH"),
            (cuda(&machine(0, &[]), &built), Health::Ok, "sees no card", ""),
            (cuda(&no_driver(), &built), Health::Ok, "the processor", ""),
            (
                driver(&no_driver()),
                Health::Problem,
                "is plugged in, but no driver",
                "nvidia-driver",
            ),
            (driver(&no_card()), Health::Ok, "none is needed", ""),
            (driver(&machine(1, &[])), Health::Ok, "580.65, runs CUDA up to 13.0, sees 1 card", ""),
        ] {
            assert_eq!(found.health, health, "{found:?}");
            assert!(found.found.contains(text), "{text}: {found:?}");
            assert_eq!(found.mend.is_none(), mend.is_empty(), "{found:?}");
            assert!(found.mend.unwrap_or_default().contains(mend), "{mend}");
        }
    }

    #[test]
    fn another_libtorch_and_a_slow_one_are_told() {
        let facts = |version: &str, capability: &str| {
            Ok(LibtorchFacts {
                version: Some(version.to_owned()),
                cpu_capability: Some(capability.to_owned()),
                ..LibtorchFacts::default()
            })
        };
        let own = crate::torch::libtorch_version();
        assert_eq!(libtorch(&facts(own, "AVX2")).health, Health::Ok);
        assert_eq!(libtorch(&facts(own, "DEFAULT")).health, Health::Warning);
        assert_eq!(libtorch(&facts("1.0.0", "AVX2")).health, Health::Problem);
        assert_eq!(libtorch(&Err("no".to_owned())).health, Health::Problem);
    }
}
