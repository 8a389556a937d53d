//! Names and lines as people describe them: globs for names, plain text for contents. Both are bounded in time.

use crate::files::{LINE_MOST, Match};

/// Whether `name` is one that `pattern` describes: `*` is anything, `?` any one character, `[a-z]` and `[!a-z]` one of
/// these and none of these, a backslash takes the next character as it is.
#[must_use]
pub fn describes(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on when a match fails: one character further under the last star.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p + 1, n));
            p += 1;
            continue;
        }
        if let Some(after) = one(&pattern, p, name[n]) {
            (p, n) = (after, n + 1);
        } else if let Some((after, from)) = star {
            star = Some((after, from + 1));
            (p, n) = (after, from + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|char| *char == '*')
}

/// Where the pattern goes on after it has taken `char`, if it does.
fn one(pattern: &[char], at: usize, char: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => Some(at + 1),
        '\\' => (*pattern.get(at + 1)? == char).then_some(at + 2),
        '[' => match class(pattern, at + 1, char) {
            Some((within, after)) => within.then_some(after),
            // A bracket that is never closed is only a bracket.
            None => (char == '[').then_some(at + 1),
        },
        plain => (plain == char).then_some(at + 1),
    }
}

/// Whether `char` is in the class whose first character is at `at`, and where the class ends.
fn class(pattern: &[char], at: usize, char: char) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(at)?, '!' | '^');
    let first = at + usize::from(negated);
    let mut here = first;
    let mut within = false;
    loop {
        let low = *pattern.get(here)?;
        if low == ']' && here > first {
            return Some((within != negated, here + 1));
        }
        let ranged = pattern.get(here + 1) == Some(&'-') && pattern.get(here + 2).is_some_and(|c| *c != ']');
        let high = if ranged { pattern[here + 2] } else { low };
        within |= (low..=high).contains(&char);
        here += if ranged { 3 } else { 1 };
    }
}

/// The line `number` of `file` as a match, if it holds `text`.
#[must_use]
pub fn matching(file: &str, number: u64, line: &[u8], text: &[u8]) -> Option<Match> {
    if !holds(line, text) {
        return None;
    }
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let shown = String::from_utf8_lossy(&line[..line.len().min(LINE_MOST)]).into_owned();
    Some(Match { file: file.to_owned(), line: number, content: shown })
}

/// Whether `text` stands in `bytes`.
#[must_use]
pub fn holds(bytes: &[u8], text: &[u8]) -> bool {
    text.is_empty() || bytes.windows(text.len()).any(|window| window == text)
}

/// `bytes` with `new` wherever `text` stood. An empty text stands nowhere.
#[must_use]
pub fn replaced(bytes: &[u8], text: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        if !text.is_empty() && rest.starts_with(text) {
            out.extend_from_slice(new);
            rest = &rest[text.len()..];
        } else {
            out.push(rest[0]);
            rest = &rest[1..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_describe_names() {
        for (pattern, name) in [
            ("*.py", "main.py"),
            ("*", ""),
            ("a?c", "abc"),
            ("[a-c]x", "bx"),
            ("[!a-c]x", "dx"),
            ("[]]", "]"),
            ("\\*", "*"),
            ("[x", "[x"),
            ("*a*b", "xxaxxaxb"),
            ("ü?", "üö"),
        ] {
            assert!(describes(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.py", "main.pyc"), ("a?c", "ac"), ("[a-c]x", "dx"), ("", "x"), ("\\*", "x"), ("[!a]", "a")]
        {
            assert!(!describes(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn text_is_replaced_wherever_it_stands() {
        assert_eq!(replaced(b"abcabc", b"bc", b"x"), b"axax");
        assert_eq!(replaced(b"aaa", b"aa", b"b"), b"ba");
        assert_eq!(replaced(b"abc", b"", b"x"), b"abc");
    }

    proptest! {
        #[test]
        fn every_name_describes_itself_and_stars_describe_all(name in "[^*?\\[\\]\\\\]{0,20}", any: String) {
            prop_assert!(describes(&name, &name));
            prop_assert!(describes("*", &any));
            let _ = describes(&any, &name);
        }
    }
}
