use std::path::PathBuf;

/// What the libtorch that runs says of itself. What it does not say is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LibtorchFacts {
    /// Its version, as in `2.11.0`.
    pub version: Option<String>,
    /// The folder its libraries were loaded from.
    pub folder: Option<PathBuf>,
    /// The vector instructions of the processor that it uses, as in `AVX2`.
    pub cpu_capability: Option<String>,
    /// The CUDA it was built with, as in `13.0`; `None` for one without CUDA.
    pub cuda_version: Option<String>,
    /// Compute capabilities its kernels are compiled for, as in `9.0`, in order. Known only where it has found a card.
    pub architectures: Vec<String>,
}

impl LibtorchFacts {
    /// Asks libtorch.
    ///
    /// # Errors
    /// Why it cannot say, in words.
    pub fn detect() -> Result<Self, String> {
        let config = crate::torch::build_config().map_err(|error| error.to_string())?;
        Ok(Self { folder: loaded_from(), ..Self::parse(&config) })
    }

    fn parse(config: &str) -> Self {
        // `Build settings: BLAS_INFO=mkl, …, CUDA_VERSION=13.0, …`
        let setting = |name: &str| {
            let rest = config.split([' ', ',']).find_map(|word| {
                word.trim().strip_prefix(name).and_then(|rest| rest.strip_prefix('='))
            });
            rest.map(str::to_owned)
        };
        let after = |name: &str| {
            let rest = config.lines().find_map(|line| line.split_once(name).map(|(_, rest)| rest));
            rest.map(|rest| rest.trim().to_owned()).filter(|rest| !rest.is_empty())
        };
        let has_cuda = setting("USE_CUDA").is_none_or(|value| value == "ON" || value == "1");
        Self {
            version: setting("TORCH_VERSION"),
            folder: None,
            cpu_capability: after("CPU capability usage:"),
            cuda_version: setting("CUDA_VERSION").filter(|_| has_cuda),
            architectures: architectures(&after("NVCC architecture flags:").unwrap_or_default()),
        }
    }

    /// Whether kernels for a card of this compute capability (`8.6`) are there: those of the same generation that ask for no more. `None` where
    /// that is not known.
    #[must_use]
    pub fn runs_on(&self, capability: &str) -> Option<bool> {
        let card = numbers(capability)?;
        if self.architectures.is_empty() {
            return None;
        }
        let fits = |(major, minor)| major == card.0 && minor <= card.1;
        Some(self.architectures.iter().filter_map(|known| numbers(known)).any(fits))
    }
}

/// `…;arch=compute_80,code=sm_80;…` as `8.0`.
fn architectures(flags: &str) -> Vec<String> {
    let mut found: Vec<(u32, u32)> = flags
        .split("code=")
        .filter_map(|part| part.strip_prefix("sm_"))
        .filter_map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).collect();
            let (major, minor) = digits.split_at_checked(digits.len().checked_sub(1)?)?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|(major, minor)| format!("{major}.{minor}")).collect()
}

fn numbers(capability: &str) -> Option<(u32, u32)> {
    let (major, minor) = capability.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// Where the system says that the library lies; Linux only.
fn loaded_from() -> Option<PathBuf> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().find_map(|line| {
        let path = &line[line.find('/')?..];
        path.ends_with("/libtorch_cpu.so").then(|| PathBuf::from(path))
    })?;
    path.parent().map(std::path::Path::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH_A_CARD: &str = "PyTorch built with:
  - GCC 13.3
  - C++ Version: 201703
  - CPU capability usage: AVX512
  - CUDA Runtime 13.0
  - NVCC architecture flags: -gencode;arch=compute_75,code=sm_75;-gencode;arch=compute_120,code=sm_120;-gencode;arch=compute_80,code=sm_80
  - Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release, CUDA_VERSION=13.0, CXX_FLAGS= -D_GLIBCXX_USE_CXX11_ABI=1, TORCH_VERSION=2.11.0, USE_CUDA=ON, USE_MPI=OFF, \n";

    #[test]
    fn what_libtorch_says_is_read() {
        let facts = LibtorchFacts::parse(WITH_A_CARD);
        assert_eq!(facts.version.as_deref(), Some("2.11.0"));
        assert_eq!(facts.cpu_capability.as_deref(), Some("AVX512"));
        assert_eq!(facts.cuda_version.as_deref(), Some("13.0"));
        assert_eq!(facts.architectures, ["7.5", "8.0", "12.0"]);
        for (card, runs) in [
            ("8.6", Some(true)),
            ("7.5", Some(true)),
            ("7.0", Some(false)),
            ("9.0", Some(false)),
            ("12.1", Some(true)),
            ("?", None),
        ] {
            assert_eq!(facts.runs_on(card), runs, "{card}");
        }
        let without = LibtorchFacts::parse("  - Build settings: USE_CUDA=OFF, CUDA_VERSION=13.0, ");
        assert_eq!(without, LibtorchFacts::default());
        assert_eq!(without.runs_on("8.0"), None);
    }

    #[test]
    fn the_libtorch_of_this_program_says_who_it_is() {
        let facts = LibtorchFacts::detect().unwrap();
        assert_eq!(facts.version.as_deref(), Some(crate::torch::libtorch_version()));
        assert!(facts.cpu_capability.is_some(), "{facts:?}");
        if cfg!(target_os = "linux") {
            let library = facts.folder.unwrap().join("libtorch_cpu.so");
            assert!(library.is_file(), "{}", library.display());
        }
    }
}
