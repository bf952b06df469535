use std::collections::VecDeque;

use super::Level;
use crate::ui::commands::Command;

/// Messages kept. Of more, the oldest go, those that offer nothing first: the log has them.
const CAPACITY: usize = 9;

/// Something that the user should see now.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ui) struct Notice {
    pub(in crate::ui) level: Level,
    pub(in crate::ui) text: String,
    /// Ways on: what each button says and does.
    pub(in crate::ui) actions: Vec<(&'static str, Command)>,
}

/// What stands under the top bar until it is dismissed: the newest is in view, the others wait behind it.
#[derive(Debug, Default)]
pub(in crate::ui) struct Notices {
    /// The newest first.
    all: VecDeque<Notice>,
}

impl Notices {
    /// Puts one in front. What is said again is not there twice.
    pub(in crate::ui) fn add(&mut self, notice: Notice) {
        self.all.retain(|earlier| earlier.text != notice.text);
        self.all.push_front(notice);
        if self.all.len() > CAPACITY {
            // Not the one that has just come: nobody has seen it.
            let idle = self.all.iter().skip(1).rposition(|notice| notice.actions.is_empty());
            self.all.remove(idle.map_or(CAPACITY, |before| before + 1));
        }
    }

    /// The one in view.
    pub(in crate::ui) fn front(&self) -> Option<&Notice> {
        self.all.front()
    }

    pub(in crate::ui) fn len(&self) -> usize {
        self.all.len()
    }

    /// The one in view was read or answered.
    pub(in crate::ui) fn dismiss(&mut self) {
        self.all.pop_front();
    }

    /// What only said something is old news; offers stay.
    pub(in crate::ui) fn keep_offers(&mut self) {
        self.all.retain(|notice| !notice.actions.is_empty());
    }

    /// Takes back those with such an offer: it has been taken elsewhere, or leads nowhere any more.
    pub(in crate::ui) fn withdraw(&mut self, is_taken: impl Fn(&Command) -> bool) {
        self.all.retain(|notice| !notice.actions.iter().any(|(_, offer)| is_taken(offer)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(text: &str, actions: &[(&'static str, Command)]) -> Notice {
        Notice { level: Level::Warning, text: text.to_owned(), actions: actions.to_vec() }
    }

    fn offer(text: &str) -> Notice {
        notice(text, &[("Show the runs", Command::ShowInterrupted)])
    }

    fn texts(notices: &Notices) -> Vec<&str> {
        notices.all.iter().map(|notice| notice.text.as_str()).collect()
    }

    #[test]
    fn a_new_notice_stands_before_the_others_and_takes_nobodys_place() {
        let mut notices = Notices::default();
        for text in ["first", "second", "first"] {
            notices.add(offer(text));
        }
        assert_eq!(texts(&notices), ["first", "second"]);
        notices.dismiss();
        assert_eq!(notices.front().map(|notice| notice.text.as_str()), Some("second"));
    }

    #[test]
    fn what_offers_nothing_goes_before_an_offer_does() {
        let mut notices = Notices::default();
        notices.add(offer("offer"));
        for number in 0..CAPACITY {
            notices.add(notice(&number.to_string(), &[]));
        }
        assert_eq!(notices.len(), CAPACITY);
        assert!(texts(&notices).contains(&"offer") && !texts(&notices).contains(&"0"));
        notices.keep_offers();
        assert_eq!(texts(&notices), ["offer"]);
        for number in 0..=CAPACITY {
            notices.add(offer(&number.to_string()));
        }
        notices.add(notice("new", &[]));
        assert_eq!(notices.len(), CAPACITY);
        assert_eq!(notices.front().map(|notice| notice.text.as_str()), Some("new"));
        notices.dismiss();
        notices.withdraw(|command| *command == Command::ShowInterrupted);
        assert_eq!(notices.len(), 0);
    }
}
