use super::args::DoctorArguments;
use super::{Exit, Printer};
use crate::workbench::{Finding, Health, examine};

/// `walkforge doctor`.
pub(super) fn doctor(arguments: &DoctorArguments, printer: &Printer) -> Exit {
    let findings = examine(&arguments.runs);
    let worst = findings.iter().map(|finding| finding.health).max().unwrap_or(Health::Ok);
    let exit = if worst == Health::Problem { Exit::TaskFailed } else { Exit::Done };
    if printer.is_json() {
        printer.json_line(&serde_json::json!({ "health": worst, "findings": findings }));
        return exit;
    }
    for finding in &findings {
        for line in lines(finding) {
            printer.line(&line);
        }
    }
    printer.line("");
    printer.line(&summary(&findings));
    exit
}

fn lines(finding: &Finding) -> Vec<String> {
    let Finding { topic, health, found, mend } = finding;
    let mut lines = vec![format!("{:<8} {topic:<16} {found}", health.word())];
    lines.extend(mend.iter().map(|mend| format!("{:<25} mend: {mend}", "")));
    lines
}

fn summary(findings: &[Finding]) -> String {
    let of = |health| findings.iter().filter(|finding| finding.health == health).count();
    let noun = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    };
    match (of(Health::Problem), of(Health::Warning)) {
        (0, 0) => "Nothing is wrong.".to_owned(),
        (0, warnings) => format!("No problem, {}.", noun(warnings, "warning")),
        (problems, warnings) => {
            format!("{}, {}.", noun(problems, "problem"), noun(warnings, "warning"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_is_a_line_and_what_mends_it_another() {
        let finding = |health, mend: Option<&str>| Finding {
            topic: "cache",
            health,
            found: "/c: 3 B free".to_owned(),
            mend: mend.map(str::to_owned),
        };
        let (ok, warning) = (finding(Health::Ok, None), finding(Health::Warning, Some("x y")));
        assert_eq!(lines(&ok), ["ok       cache            /c: 3 B free"]);
        assert_eq!(lines(&warning)[1], "                          mend: x y");
        let problem = finding(Health::Problem, Some("z"));
        for (findings, expected) in [
            (vec![ok.clone()], "Nothing is wrong."),
            (vec![ok.clone(), warning.clone(), warning], "No problem, 2 warnings."),
            (vec![problem, ok], "1 problem, 0 warnings."),
        ] {
            assert_eq!(summary(&findings), expected);
        }
    }
}
