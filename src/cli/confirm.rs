use std::io::IsTerminal;

use super::Printer;

/// Whether somebody agrees: at once with `--yes`, asked on a terminal, refused elsewhere.
pub(super) fn confirm(question: &str, yes: bool, printer: &Printer) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    anyhow::ensure!(
        std::io::stdin().is_terminal(),
        "{question} Nobody can be asked here; say --yes to go ahead"
    );
    printer.ask(&format!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
