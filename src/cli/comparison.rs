use super::Printer;
use super::format::shortened;
use crate::domain::text::UNKNOWN;
use crate::runs::Comparison;

/// Longest value of a setting in a table.
const VALUE_WIDTH: usize = 32;

/// Prints runs side by side, and those that differ in their seeds only together.
pub(super) fn print(compared: &Comparison, printer: &Printer) {
    let settings: Vec<&str> = compared.settings.iter().map(|one| one.path.as_str()).collect();
    let figures: Vec<&str> = compared.figures.iter().map(|one| one.name.as_str()).collect();
    let is_named = compared.runs.iter().any(|run| run.experiment != compared.runs[0].experiment);
    let lead: &[&str] = if is_named { &["run", "experiment"] } else { &["run"] };
    let header: Vec<&str> = lead.iter().chain(&settings).chain(&figures).copied().collect();
    let rows: Vec<Vec<String>> = (0..compared.runs.len())
        .map(|place| {
            let run = &compared.runs[place];
            let lead = [run.id.to_string(), run.experiment.clone()].into_iter().take(lead.len());
            let figures = compared.figures.iter().map(|one| one.shown(one.values[place]));
            lead.chain(values(compared, place)).chain(figures).collect()
        })
        .collect();
    printer.line("Out of sample, the mean over each run's series:");
    printer.table(&header, lead.len() + settings.len(), &rows);
    print_seeds(compared, printer);
}

/// What the settings are in a run.
fn values(compared: &Comparison, place: usize) -> impl Iterator<Item = String> + '_ {
    compared.settings.iter().map(move |setting| {
        let value = setting.values[place].as_deref();
        value.map_or_else(|| UNKNOWN.to_owned(), |value| shortened(value, VALUE_WIDTH))
    })
}

fn print_seeds(compared: &Comparison, printer: &Printer) {
    if compared.seed_groups.is_empty() {
        return;
    }
    let is_seed = |path: &str| path == "seed";
    let settings = || compared.settings.iter().map(|one| one.path.as_str());
    let figures = compared.figures.iter().map(|one| one.name.as_str());
    let kept = || settings().filter(|path| !is_seed(path));
    let header: Vec<&str> = kept().chain(["seeds"]).chain(figures).collect();
    let rows: Vec<Vec<String>> = compared
        .seed_groups
        .iter()
        .map(|group| {
            let values = values(compared, group.runs[0]).zip(settings());
            let values = values.filter(|(_, path)| !is_seed(path)).map(|(value, _)| value);
            let figures = compared.figures.iter().enumerate().map(|(index, figure)| {
                let mean = figure.shown(group.means[index]);
                match group.deviations[index] {
                    Some(deviation) => format!("{mean} ± {}", figure.shown(Some(deviation))),
                    None => mean,
                }
            });
            values.chain([group.runs.len().to_string()]).chain(figures).collect()
        })
        .collect();
    printer.line("");
    printer.line("Over the seeds, mean ± standard deviation:");
    printer.table(&header, kept().count(), &rows);
}

/// Prints a row for each run, everything in full.
pub(super) fn print_csv(compared: &Comparison, printer: &Printer) {
    let settings = compared.settings.iter().map(|one| one.path.as_str());
    let figures = compared.figures.iter().map(|one| one.name.as_str());
    let header = ["run", "experiment"].into_iter().chain(settings).chain(figures);
    printer.line(&header.map(csv_cell).collect::<Vec<_>>().join(","));
    for (place, run) in compared.runs.iter().enumerate() {
        let settings = compared.settings.iter();
        let settings = settings.map(|one| one.values[place].clone().unwrap_or_default());
        let figures = compared.figures.iter();
        let figures = figures
            .map(|one| one.values[place].map_or_else(String::new, |value| value.to_string()));
        let lead = [run.id.to_string(), run.experiment.clone()];
        let cells = lead.into_iter().chain(settings).chain(figures);
        printer.line(&cells.map(|cell| csv_cell(&cell)).collect::<Vec<_>>().join(","));
    }
}

/// Quoted where RFC 4180 asks for it.
fn csv_cell(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_that_hold_commas_or_quotes_are_quoted() {
        for (text, cell) in [
            ("a b", "a b"),
            ("[8,16]", "\"[8,16]\""),
            (r#"{"Huber":1}"#, r#""{""Huber"":1}""#),
            ("", ""),
        ] {
            assert_eq!(csv_cell(text), cell);
        }
    }
}
