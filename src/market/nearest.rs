/// The names that are most likely meant, at most three of equal merit: the same letters, else a longer name that starts so, else at most
/// two letters apart. Case and punctuation do not count.
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    const MOST: usize = 3;
    let wanted = letters(wanted);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|name| Some((distance(&wanted, &letters(name))?, name)))
        .collect();
    near.sort_unstable();
    let best = near.first().map_or(0, |(distance, _)| *distance);
    let equals = near.into_iter().take_while(|(distance, _)| *distance == best);
    equals.map(|(_, name)| name).take(MOST).collect()
}

fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

fn distance(wanted: &str, name: &str) -> Option<usize> {
    match edit_distance(wanted, name) {
        0 => Some(0),
        _ if !wanted.is_empty() && name.starts_with(wanted) => Some(1),
        edits if edits <= 2 && edits < wanted.chars().count().div_ceil(2) => Some(1 + edits),
        _ => None,
    }
}

/// How many letters must be put in, taken out or changed (Levenshtein 1966).
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_brings_the_nearest_ones() {
        let known = ["BTC_USDT", "BCH_USDT", "ETH_USDT", "ETC_USDT", "XAUUSD"];
        for (wanted, expected) in [
            ("BTCUSDT", &["BTC_USDT"][..]),
            ("btc-usdt", &["BTC_USDT"]),
            ("BTC", &["BTC_USDT"]),
            ("XAUSUD", &["XAUUSD"]),
            ("ET", &["ETC_USDT", "ETH_USDT"]),
            ("EXH_USDT", &["ETH_USDT"]),
            ("GOLD", &[]),
            ("_", &[]),
        ] {
            assert_eq!(nearest(wanted, known), expected, "{wanted}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (a, b, edits) in [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)]
        {
            assert_eq!((edit_distance(a, b), edit_distance(b, a)), (edits, edits), "{a} {b}");
        }
    }
}
