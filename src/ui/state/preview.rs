use std::sync::Arc;

use crate::domain::Plan;
use crate::workbench::PlannedVariant;

/// What the draft would do. The last plan stays in view while the next one is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Preview {
    /// Names the latest request.
    pub(crate) ticket: u64,
    /// The latest request has not been answered.
    pub(crate) pending: bool,
    /// The latest plan that could be made.
    pub(crate) plan: Option<Arc<Plan>>,
    /// The runs that the draft's sweep makes, as the latest plan's request found them.
    pub(crate) variants: Option<Arc<[PlannedVariant]>>,
    /// Why the draft cannot be planned.
    pub(crate) error: Option<String>,
}

impl Preview {
    /// A new request: its ticket.
    pub(crate) fn ask(&mut self) -> u64 {
        self.ticket += 1;
        self.pending = true;
        self.error = None;
        self.ticket
    }

    /// Nothing can be asked now; answers under way are stale.
    pub(crate) fn withdraw(&mut self) {
        self.ticket += 1;
        self.pending = false;
        (self.plan, self.variants) = (None, None);
        self.error = None;
    }

    /// Takes an answer, unless a newer question has been asked. Of a sweep its variants follow.
    pub(crate) fn answer(&mut self, ticket: u64, plan: Result<Box<Plan>, String>, is_sweep: bool) {
        if ticket != self.ticket {
            return;
        }
        self.pending = is_sweep && plan.is_ok();
        if !self.pending {
            self.variants = None;
        }
        match plan {
            Ok(plan) => (self.plan, self.error) = (Some(Arc::from(plan)), None),
            Err(message) => (self.plan, self.error) = (None, Some(message)),
        }
    }

    /// Takes the variants of a plan that was taken before.
    pub(crate) fn answer_variants(
        &mut self,
        ticket: u64,
        variants: Result<Vec<PlannedVariant>, String>,
    ) {
        if ticket != self.ticket {
            return;
        }
        self.pending = false;
        match variants {
            Ok(variants) => self.variants = Some(Arc::from(variants)),
            Err(message) => {
                (self.plan, self.variants, self.error) = (None, None, Some(message));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_to_an_old_question_is_dropped() {
        let mut preview = Preview::default();
        let old = preview.ask();
        let new = preview.ask();
        preview.answer(old, Err("old".to_owned()), false);
        assert!(preview.pending && preview.error.is_none());
        preview.answer(new, Err("new".to_owned()), false);
        assert_eq!((preview.pending, preview.error.as_deref()), (false, Some("new")));
        preview.withdraw();
        preview.answer(new, Err("late".to_owned()), false);
        assert_eq!(preview.error, None);
    }

    #[test]
    fn a_sweep_is_answered_when_its_variants_are_known_and_fails_with_any_of_them() {
        let spec = crate::spec::load("linear-return").unwrap();
        let plan = crate::workbench::plan(&spec, &crate::domain::Cancel::new()).unwrap().plan;
        let plan = || Ok(Box::new(plan.clone()));
        let mut preview = Preview::default();
        let ticket = preview.ask();
        preview.answer(ticket, plan(), true);
        assert!(preview.pending && preview.plan.is_some() && preview.variants.is_none());
        let variant = PlannedVariant { settings: Vec::new(), totals: None };
        preview.answer_variants(ticket, Ok(vec![variant]));
        assert!(!preview.pending && preview.variants.is_some());
        // The variants of before stay in view until those of now are known.
        let ticket = preview.ask();
        preview.answer_variants(ticket - 1, Err("late".to_owned()));
        preview.answer(ticket, plan(), true);
        assert!(preview.pending && preview.variants.is_some());
        preview.answer_variants(ticket, Err("variant window=9".to_owned()));
        assert!(!preview.pending && preview.plan.is_none() && preview.variants.is_none());
        assert_eq!(preview.error.as_deref(), Some("variant window=9"));
        // Without a sweep there are none.
        let ticket = preview.ask();
        preview.answer(ticket, plan(), false);
        assert!(!preview.pending && preview.error.is_none());
    }
}
