//! The fields of a line and the numbers in them.

/// Where the fields of a line lie, as byte positions; quotes are left out.
#[derive(Debug, Default)]
pub struct Fields {
    ends: Vec<(u32, u32)>,
}

/// A quoted field that does not end in its line.
#[derive(Debug)]
pub struct OpenQuote;

impl Fields {
    /// Finds the fields of a line of at most 4 GiB.
    pub fn split(&mut self, line: &[u8], separator: u8) -> Result<(), OpenQuote> {
        self.ends.clear();
        if line.contains(&b'"') {
            return self.split_quoted(line, separator);
        }
        let mut start = 0;
        for (at, byte) in (0_u32..).zip(line) {
            if *byte == separator {
                self.ends.push((start, at));
                start = at + 1;
            }
        }
        self.ends.push((start, line.len() as u32));
        Ok(())
    }

    fn split_quoted(&mut self, line: &[u8], separator: u8) -> Result<(), OpenQuote> {
        let mut at = 0;
        loop {
            let blanks = line[at..].iter().take_while(|byte| **byte == b' ').count();
            let (start, end, next) = if line.get(at + blanks) == Some(&b'"') {
                let start = at + blanks + 1;
                let end = start + closing_quote(&line[start..]).ok_or(OpenQuote)?;
                let rest = line[end..].iter().position(|byte| *byte == separator);
                (start, end, rest.map(|rest| end + rest + 1))
            } else {
                let length = line[at..].iter().position(|byte| *byte == separator);
                let end = length.map_or(line.len(), |length| at + length);
                (at, end, length.map(|length| at + length + 1))
            };
            self.ends.push((start as u32, end as u32));
            match next {
                Some(next) => at = next,
                None => return Ok(()),
            }
        }
    }

    /// How many fields there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field of the line that was split, without blanks around; empty where there is none.
    pub fn get<'a>(&self, line: &'a [u8], field: usize) -> &'a [u8] {
        let (start, end) = self.ends.get(field).copied().unwrap_or_default();
        line.get(start as usize..end as usize).unwrap_or_default().trim_ascii()
    }
}

/// The quote that ends a field; two of them stand for one inside.
fn closing_quote(field: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += field[at..].iter().position(|byte| *byte == b'"')?;
        if field.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// Reads a number with a decimal point, or with a decimal comma.
///
/// Up to 15 digits and a few decimals, which nearly all numbers have, are exact as a quotient of two exact numbers (Clinger 1990); the standard
/// library reads the rest.
pub fn number(text: &[u8], decimal: u8) -> Option<f64> {
    const MOST_DECIMALS: usize = 22;
    const EXACT: u64 = 1 << 53;
    const POWERS: [f64; MOST_DECIMALS + 1] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
        1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ];
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut mantissa = 0_u64;
    let mut point = None;
    let mut is_plain = !digits.is_empty() && digits.len() <= 18;
    for (at, byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if *byte == decimal && point.is_none() {
            point = Some(at);
        } else {
            is_plain = false;
            break;
        }
    }
    let decimals = point.map_or(0, |point| digits.len() - point - 1);
    let has_digits = digits.len() > usize::from(point.is_some());
    if is_plain && has_digits && mantissa < EXACT && decimals <= MOST_DECIMALS {
        let value = mantissa as f64 / POWERS[decimals];
        return Some(if is_negative { -value } else { value });
    }
    let text = std::str::from_utf8(text).ok()?;
    match decimal {
        b'.' => text.parse().ok(),
        _ if text.contains('.') => None,
        _ => text.replace(char::from(decimal), ".").parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(line: &str, separator: u8) -> Option<Vec<&str>> {
        let mut fields = Fields::default();
        fields.split(line.as_bytes(), separator).ok()?;
        let texts = (0..fields.len()).map(|field| fields.get(line.as_bytes(), field));
        Some(texts.map(|text| std::str::from_utf8(text).unwrap()).collect())
    }

    #[test]
    fn lines_are_split_at_separators_outside_of_quotes() {
        for (line, expected) in [
            ("a,b,c", Some(vec!["a", "b", "c"])),
            ("", Some(vec![""])),
            (",", Some(vec!["", ""])),
            (" a , b", Some(vec!["a", "b"])),
            ("\"a,b\",c", Some(vec!["a,b", "c"])),
            ("a, \"b\" ,c", Some(vec!["a", "b", "c"])),
            ("\"a\"\"b\",c", Some(vec!["a\"\"b", "c"])),
            ("\"\",\"\"", Some(vec!["", ""])),
            ("a,\"b", None),
            ("a,\"b\"\"", None),
        ] {
            assert_eq!(split(line, b','), expected, "{line}");
        }
        assert_eq!(split("1,5;2", b';'), Some(vec!["1,5", "2"]));
    }

    #[test]
    fn numbers_are_read_to_the_last_bit() {
        for text in [
            "0",
            "-0",
            "1.5",
            "103428.00000000001",
            "1e-7",
            "9007199254740993",
            "0.1",
            "12345.678901234567",
            "-3.25",
            ".5",
            "5.",
            "1E5",
            "NaN",
            "inf",
            "0.000000000000000000001",
            "179769313486231570000000000000000000000",
        ] {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(
                number(text.as_bytes(), b'.').map(f64::to_bits),
                Some(expected.to_bits()),
                "{text}"
            );
            let with_comma = text.replace('.', ",");
            assert_eq!(
                number(with_comma.as_bytes(), b',').map(f64::to_bits),
                Some(expected.to_bits()),
                "{text}"
            );
        }
        for text in ["", "-", ".", "1.2.3", "1,5", "abc", "--1", "0x10", "1_000", "é", "+-1"] {
            assert_eq!(number(text.as_bytes(), b'.'), None, "{text}");
        }
        assert_eq!(number(b"1.5", b','), None);
    }

    proptest! {
        #[test]
        fn every_number_is_the_one_the_library_reads(value in prop::num::f64::NORMAL, decimals in 0_usize..18) {
            for text in [format!("{value}"), format!("{:.decimals$}", value % 1e6), format!("{value:e}")] {
                prop_assert_eq!(number(text.as_bytes(), b'.'), text.parse().ok());
            }
        }
    }
}
