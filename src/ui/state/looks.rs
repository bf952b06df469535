use std::sync::Arc;

use crate::domain::Plan;
use crate::workbench::{Look, LookAt};

/// The column that is looked at. The last look stays in view while the next one is made.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    /// Names the latest request.
    ticket: u64,
    /// What was asked for last, and the plan then: another plan may rest on other data.
    asked: Option<(Arc<Plan>, LookAt)>,
    /// The latest request has not been answered.
    pub(crate) pending: bool,
    /// What there is to see.
    pub(crate) look: Option<Arc<Look>>,
    /// Why there is nothing to see.
    pub(crate) error: Option<String>,
}

impl Looks {
    /// Whether this has been asked for, and nothing else since.
    pub(crate) fn has_asked(&self, plan: &Arc<Plan>, at: &LookAt) -> bool {
        self.asked.as_ref().is_some_and(|(then, asked)| Arc::ptr_eq(then, plan) && asked == at)
    }

    /// A new request: its ticket.
    pub(crate) fn ask(&mut self, plan: &Arc<Plan>, at: LookAt) -> u64 {
        self.ticket += 1;
        self.pending = true;
        self.error = None;
        self.asked = Some((Arc::clone(plan), at));
        self.ticket
    }

    /// Takes an answer, unless something else has been asked for since.
    pub(crate) fn answer(&mut self, ticket: u64, look: Result<Box<Look>, String>) {
        if ticket != self.ticket {
            return;
        }
        self.pending = false;
        match look {
            Ok(look) => (self.look, self.error) = (Some(Arc::from(look)), None),
            Err(message) => (self.look, self.error) = (None, Some(message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ContentHash, Device};

    fn plan() -> Arc<Plan> {
        Arc::new(Plan {
            devices: Vec::new(),
            decisions: Vec::new(),
            recommendations: Vec::new(),
            experiment: "x".to_owned(),
            spec: ContentHash::of(b""),
            device: Device::Cpu,
            device_reason: String::new(),
            workers: 1,
            threads_per_task: 1,
            features: Vec::new(),
            series: Vec::new(),
            tasks: Vec::new(),
            warnings: Vec::new(),
        })
    }

    fn at(column: &str) -> LookAt {
        LookAt {
            symbol: "BTC".parse().unwrap(),
            timeframe: "1h".parse().unwrap(),
            pooled: false,
            column: column.to_owned(),
            fold: None,
        }
    }

    #[test]
    fn another_column_or_another_plan_is_another_look() {
        let (first, second) = (plan(), plan());
        let mut looks = Looks::default();
        assert!(!looks.has_asked(&first, &at("a")));
        let old = looks.ask(&first, at("a"));
        assert!(looks.has_asked(&first, &at("a")) && !looks.has_asked(&first, &at("b")));
        assert!(!looks.has_asked(&second, &at("a")), "the same in words, of other data perhaps");
        let new = looks.ask(&second, at("b"));
        looks.answer(old, Err("old".to_owned()));
        assert!(looks.pending && looks.error.is_none());
        looks.answer(new, Err("new".to_owned()));
        assert_eq!((looks.pending, looks.error.as_deref()), (false, Some("new")));
        looks.ask(&second, at("b"));
        assert!(looks.pending && looks.error.is_none(), "asked for again");
    }
}
