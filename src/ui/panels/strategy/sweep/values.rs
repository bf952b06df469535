/// The values in a text: parted at commas that stand in no bracket and no quotation marks.
pub(super) fn split(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for letter in text.chars() {
        match letter {
            ',' if depth == 0 && !quoted => {
                values.push(String::new());
                continue;
            }
            '[' | '{' | '(' if !quoted => depth += 1,
            ']' | '}' | ')' if !quoted => depth = depth.saturating_sub(1),
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        if let Some(last) = values.last_mut() {
            last.push(letter);
        }
    }
    let trimmed = values.into_iter().map(|value| value.trim().to_owned());
    trimmed.filter(|value| !value.is_empty()).collect()
}

/// The text that [`split`] parts into these values again; one with a comma of its own is quoted.
pub(super) fn join(values: &[String]) -> String {
    let whole = |value: &String| {
        if split(value).as_slice() == std::slice::from_ref(value) {
            value.clone()
        } else {
            serde_json::Value::from(value.as_str()).to_string()
        }
    };
    values.iter().map(whole).collect::<Vec<_>>().join(", ")
}

/// The whole numbers in a text; `1-5` stands for all from 1 to 5.
pub(super) fn numbers(text: &str) -> Result<Vec<u64>, String> {
    /// More than this are a mistake in typing.
    const MOST: u64 = 1000;
    let wrong =
        |part: &str| format!("`{part}` is no seed; expected whole numbers as in 1, 2, 3 or 1-3");
    let mut numbers = Vec::new();
    for part in split(text) {
        match part.split_once('-') {
            Some((first, last)) => {
                let parse = |text: &str| text.trim().parse::<u64>().map_err(|_none| wrong(&part));
                let (first, last) = (parse(first)?, parse(last)?);
                if first > last || last - first >= MOST {
                    return Err(wrong(&part));
                }
                numbers.extend(first..=last);
            }
            None => numbers.push(part.parse().map_err(|_none| wrong(&part))?),
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_parted_at_commas_outside_of_brackets_and_quotation_marks() {
        for (text, expected) in [
            ("0.001, 0.01 ,0.1", vec!["0.001", "0.01", "0.1"]),
            ("[64,64], [32]", vec!["[64,64]", "[32]"]),
            (r#"{"Huber":{"delta":1.5}}, Mse"#, vec![r#"{"Huber":{"delta":1.5}}"#, "Mse"]),
            (r#""a,b", c"#, vec![r#""a,b""#, "c"]),
            ("1,", vec!["1"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text), expected, "{text}");
            assert_eq!(split(&join(&split(text))), expected, "{text}");
        }
        assert_eq!(join(&["a, b".to_owned()]), r#""a, b""#);
    }

    #[test]
    fn seeds_are_numbers_and_ranges() {
        assert_eq!(numbers("1, 2,7-9"), Ok(vec![1, 2, 7, 8, 9]));
        assert_eq!(numbers(""), Ok(Vec::new()));
        for wrong in ["x", "3-1", "1.5", "-2", "1-1000000"] {
            assert!(numbers(wrong).unwrap_err().contains("is no seed"), "{wrong}");
        }
    }
}
