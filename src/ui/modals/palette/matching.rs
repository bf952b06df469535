/// For every letter found.
const LETTER: i32 = 1;
/// More for one that begins a word,
const WORD: i32 = 8;
/// and for one that follows the letter found before it.
const NEXT: i32 = 5;
/// Less for each letter left out between two, up to so many.
const MOST_LEFT_OUT: usize = 3;

/// How well a text answers what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    /// The larger the better; 0 where nothing was typed.
    pub(super) score: i32,
    /// Which characters of the text were typed, from 0, ascending.
    pub(super) places: Vec<usize>,
}

/// The best way to find all that was typed in a text, in that order, whatever stands between and in any case. Blanks count for nothing.
/// `None` where it cannot be found.
pub(super) fn find(typed: &str, text: &str) -> Option<Match> {
    let text: Vec<char> = text.chars().collect();
    let folded: Vec<char> = text.iter().copied().map(fold).collect();
    // For each typed letter: at each place of the text where it stands, the best score up to there and the place of the letter before.
    let mut ways: Vec<Vec<Option<(i32, usize)>>> = Vec::new();
    for letter in typed.chars().filter(|letter| !letter.is_whitespace()).map(fold) {
        let before = ways.last();
        let way = |place: usize| {
            let gain = LETTER + if begins_word(&text, place) { WORD } else { 0 };
            let Some(before) = before else { return Some((gain, place)) };
            let so_far = before[..place].iter().enumerate();
            let so_far = so_far.filter_map(|(last, found)| Some((last, found.as_ref()?.0)));
            let best = so_far.map(|(last, score)| (score + joined(place - last - 1), last));
            // Of equal ways the first: its letters stand closer to the beginning.
            let (score, last) =
                best.max_by_key(|(score, last)| (*score, std::cmp::Reverse(*last)))?;
            Some((score + gain, last))
        };
        let found: Vec<_> = (0..text.len())
            .map(|place| if folded[place] == letter { way(place) } else { None })
            .collect();
        if found.iter().all(Option::is_none) {
            return None;
        }
        ways.push(found);
    }
    Some(trace(&ways))
}

/// What it is worth that a letter stands so many places after the one before.
fn joined(left_out: usize) -> i32 {
    if left_out == 0 { NEXT } else { -(left_out.min(MOST_LEFT_OUT) as i32) }
}

/// Goes back from the best place of the last letter.
fn trace(ways: &[Vec<Option<(i32, usize)>>]) -> Match {
    let ends = ways.last().into_iter().flatten().enumerate();
    let ends = ends.filter_map(|(place, way)| Some((place, way.as_ref()?.0)));
    let best = ends.max_by_key(|(place, score)| (*score, std::cmp::Reverse(*place)));
    let Some((mut place, score)) = best else { return Match { score: 0, places: Vec::new() } };
    let mut places = Vec::with_capacity(ways.len());
    for way in ways.iter().rev() {
        places.push(place);
        if let Some((_, before)) = way[place] {
            place = before;
        }
    }
    places.reverse();
    Match { score, places }
}

/// One letter for one: what has no single small letter stays as it is.
fn fold(letter: char) -> char {
    let mut small = letter.to_lowercase();
    match (small.next(), small.next()) {
        (Some(only), None) => only,
        _ => letter,
    }
}

fn begins_word(text: &[char], place: usize) -> bool {
    let Some(before) = place.checked_sub(1).map(|before| text[before]) else { return true };
    let here = text[place];
    here.is_alphanumeric()
        && (!before.is_alphanumeric() || (before.is_lowercase() && here.is_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(typed: &str, text: &str) -> Option<Vec<usize>> {
        find(typed, text).map(|found| found.places)
    }

    #[test]
    fn letters_are_found_in_order_whatever_stands_between() {
        for (typed, text, expected) in [
            ("", "Start", Some(vec![])),
            ("st", "Start", Some(vec![0, 1])),
            ("ST", "start", Some(vec![0, 1])),
            ("sh d", "Show Devices", Some(vec![0, 1, 5])),
            ("srt", "Start", Some(vec![0, 3, 4])),
            ("ts", "Start", None),
            ("starts", "Start", None),
            ("äö", "Die Äther-Öfen", Some(vec![4, 10])),
        ] {
            assert_eq!(places(typed, text), expected, "{typed} in {text}");
        }
    }

    #[test]
    fn beginnings_of_words_and_letters_side_by_side_come_first() {
        assert_eq!(places("sd", "Show the side of Devices"), Some(vec![0, 17]));
        assert_eq!(places("rl", "Reset the layout"), Some(vec![0, 10]));
        assert_eq!(places("lay", "Load away, layout"), Some(vec![11, 12, 13]));
        assert_eq!(places("bf", "testBarFold"), Some(vec![4, 7]));
        let ordered = |typed: &str, better: &str, worse: &str| {
            let [better, worse] = [better, worse].map(|text| find(typed, text).unwrap().score);
            assert!(better > worse, "{typed}: {better} and {worse}");
        };
        ordered("run", "Show Runs", "Turn it around");
        ordered("save", "Save as…", "Strategy and variance");
        ordered("pd", "Preset: default", "Stopped");
    }
}
