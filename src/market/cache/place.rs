use std::ffi::OsString;
use std::path::PathBuf;

/// Where the cache is by these variables of the environment.
pub(super) fn folder(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let path = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    match variable("WALKFORGE_CACHE") {
        Some(off) if off == "off" => None,
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ if cfg!(windows) => Some(path("LOCALAPPDATA")?.join("Walkforge").join("cache")),
        _ if cfg!(target_os = "macos") => Some(path("HOME")?.join("Library/Caches/walkforge")),
        // The XDG specification wants relative paths ignored.
        _ => path("XDG_CACHE_HOME")
            .filter(|folder| folder.is_absolute())
            .or_else(|| Some(path("HOME")?.join(".cache")))
            .map(|caches| caches.join("walkforge")),
    }
}

#[cfg(all(test, not(windows), not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_environment_says() {
        for (variables, expected) in [
            (&[("WALKFORGE_CACHE", "/c"), ("HOME", "/h")][..], Some("/c")),
            (&[("WALKFORGE_CACHE", "off"), ("HOME", "/h")], None),
            (&[("WALKFORGE_CACHE", ""), ("HOME", "/h")], Some("/h/.cache/walkforge")),
            (&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")], Some("/x/walkforge")),
            (&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")], Some("/h/.cache/walkforge")),
            (&[], None),
        ] {
            let find = |name: &str| variables.iter().find(|(known, _)| *known == name);
            let found = folder(|name| find(name).map(|(_, value)| OsString::from(value)));
            assert_eq!(found, expected.map(PathBuf::from), "{variables:?}");
        }
    }
}
