use std::sync::Arc;

use crate::domain::Plan;

/// What the draft would do. The last plan stays in view while the next one is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Preview {
    /// Names the latest request.
    pub(crate) ticket: u64,
    /// The latest request has not been answered.
    pub(crate) pending: bool,
    /// The latest plan that could be made.
    pub(crate) plan: Option<Arc<Plan>>,
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
        self.plan = None;
        self.error = None;
    }

    /// Takes an answer, unless a newer question has been asked.
    pub(crate) fn answer(&mut self, ticket: u64, plan: Result<Box<Plan>, String>) {
        if ticket != self.ticket {
            return;
        }
        self.pending = false;
        match plan {
            Ok(plan) => (self.plan, self.error) = (Some(Arc::from(plan)), None),
            Err(message) => (self.plan, self.error) = (None, Some(message)),
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
        preview.answer(old, Err("old".to_owned()));
        assert!(preview.pending && preview.error.is_none());
        preview.answer(new, Err("new".to_owned()));
        assert_eq!((preview.pending, preview.error.as_deref()), (false, Some("new")));
        preview.withdraw();
        preview.answer(new, Err("late".to_owned()));
        assert_eq!(preview.error, None);
    }
}
