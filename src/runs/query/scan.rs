use std::ops::Range;

use super::QueryError;

/// How a column is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `:`, which of a number is the same as [`Self::Is`].
    Has,
    Is,
    IsNot,
    Below,
    AtMost,
    Above,
    AtLeast,
}

impl Operator {
    /// The longer ones first.
    const ALL: [(&str, Self); 8] = [
        ("!=", Self::IsNot),
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("==", Self::Is),
        (":", Self::Has),
        ("=", Self::Is),
        ("<", Self::Below),
        (">", Self::Above),
    ];
}

/// A term as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scanned {
    /// Where it stands, in characters from 0.
    pub(super) at: Range<usize>,
    pub(super) negated: bool,
    /// The name of what is compared, and how.
    pub(super) test: Option<(String, Operator)>,
    /// The value that it is compared with; without a test the words to be found.
    pub(super) words: String,
}

/// Takes a query's text apart.
pub(super) fn scan(text: &str) -> Result<Vec<Scanned>, QueryError> {
    let mut scanner = Scanner { letters: text.chars().collect(), next: 0 };
    let mut terms = Vec::new();
    while let Some(term) = scanner.term()? {
        terms.push(term);
    }
    Ok(terms)
}

struct Scanner {
    letters: Vec<char>,
    next: usize,
}

impl Scanner {
    fn term(&mut self) -> Result<Option<Scanned>, QueryError> {
        self.skip_spaces();
        let start = self.next;
        let negated = self.peek() == Some('-');
        if negated {
            self.next += 1;
        }
        match self.peek() {
            None if !negated => return Ok(None),
            None => {
                return Err(self.error(start, "`-` needs a term after it, as in -status:failed"));
            }
            Some(letter) if negated && letter.is_whitespace() => {
                return Err(self.error(start, "`-` needs a term right after it: -status:failed"));
            }
            Some(_) => {}
        }
        let (test, words) = match self.test(start)? {
            Some((name, operator)) => {
                self.skip_spaces();
                let value = self.value(start)?;
                if value.is_empty() {
                    let found: String = self.letters[start..self.next].iter().collect();
                    let message = format!("`{}` needs a value after it", found.trim_end());
                    return Err(self.error(start, &message));
                }
                (Some((name, operator)), value)
            }
            None => (None, self.value(start)?),
        };
        Ok(Some(Scanned { at: start..self.next, negated, test, words }))
    }

    /// A name with an operator after it; where there is none, nothing is taken.
    fn test(&mut self, start: usize) -> Result<Option<(String, Operator)>, QueryError> {
        let begin = self.next;
        let mut end = begin;
        while self.letters.get(end).is_some_and(|&letter| is_of_name(letter)) {
            end += 1;
        }
        let name: String = self.letters[begin..end].iter().collect();
        if !name.starts_with(char::is_alphabetic) {
            return Ok(None);
        }
        self.next = end;
        let beside = self.operator();
        self.skip_spaces();
        // A colon belongs to the word before it.
        let operator =
            beside.or_else(|| if self.peek() == Some(':') { None } else { self.operator() });
        let Some(operator) = operator else {
            self.next = begin;
            return Ok(None);
        };
        if self.operator().is_some() {
            let message = format!("`{name}` has two operators; write one, as in {name}>=1");
            return Err(self.error(start, &message));
        }
        Ok(Some((name, operator)))
    }

    fn operator(&mut self) -> Option<Operator> {
        let starts = |text: &str| {
            let letters = self.letters.get(self.next..).unwrap_or_default();
            text.chars().enumerate().all(|(place, letter)| letters.get(place) == Some(&letter))
        };
        let (text, operator) = Operator::ALL.into_iter().find(|(text, _)| starts(text))?;
        self.next += text.len();
        Some(operator)
    }

    /// Up to the next space, or what stands in quotes.
    fn value(&mut self, start: usize) -> Result<String, QueryError> {
        let is_quoted = self.peek() == Some('"');
        if is_quoted {
            self.next += 1;
        }
        let begin = self.next;
        let is_end = |letter: char| if is_quoted { letter == '"' } else { letter.is_whitespace() };
        while self.peek().is_some_and(|letter| !is_end(letter)) {
            self.next += 1;
        }
        let value = self.letters[begin..self.next].iter().collect();
        if is_quoted {
            if self.peek().is_none() {
                return Err(self.error(start, "the quotes are not closed: add a \" at the end"));
            }
            self.next += 1;
        }
        Ok(value)
    }

    fn peek(&self) -> Option<char> {
        self.letters.get(self.next).copied()
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next += 1;
        }
    }

    fn error(&self, start: usize, message: &str) -> QueryError {
        QueryError { at: start..self.next.max(start + 1), message: message.to_owned() }
    }
}

/// As in `rank_ic` and `features[0].Return.bars`.
fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '[' | ']')
}
