//! Rust source without its comments and literals, or without its tests.

use std::ops::Range;

/// The source with comments, strings and characters replaced by spaces; lines and columns stay where they are.
pub fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
        } else {
            out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// End of the comment or literal that starts at `at`; `at` itself if none does.
fn skipped(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied().unwrap_or(' ');
    let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match chars[at] {
        '/' if next(1) == '/' => find(chars, at, |i| chars[i] == '\n'),
        '/' if next(1) == '*' => block_comment(chars, at),
        '"' => quoted(chars, at + 1, '"'),
        'r' if !after_word && (next(1) == '"' || next(1) == '#') => raw_string(chars, at),
        // A character, not a lifetime: 'x' or an escape.
        '\'' if next(1) == '\\' || (next(1) != '\'' && next(2) == '\'') => quoted(chars, at + 1, '\''),
        _ => at,
    }
}

fn find(chars: &[char], from: usize, stop: impl Fn(usize) -> bool) -> usize {
    (from..chars.len()).find(|&i| stop(i)).unwrap_or(chars.len())
}

fn block_comment(chars: &[char], at: usize) -> usize {
    let (mut depth, mut i) = (0, at);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => {
                (depth, i) = (depth - 1, i + 2);
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    chars.len()
}

fn quoted(chars: &[char], from: usize, quote: char) -> usize {
    let mut i = from;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

fn raw_string(chars: &[char], at: usize) -> usize {
    let open = find(chars, at + 1, |i| chars[i] != '#');
    if chars.get(open) != Some(&'"') {
        return at; // a raw identifier
    }
    let hashes = open - at - 1;
    let closes = |i: usize| chars[i] == '"' && (1..=hashes).all(|k| chars.get(i + k) == Some(&'#'));
    (find(chars, open + 1, closes) + 1 + hashes).min(chars.len())
}

/// Code without the items that are compiled for tests only; lines and columns stay where they are.
pub(super) fn without_tests(code: &str) -> String {
    let mut code = code.to_owned();
    blank_all(&mut code, tests);
    code
}

/// Replaces parts of the code by spaces; lines and columns stay where they are.
pub(super) fn blank_all(code: &mut String, find: impl Fn(&str) -> Vec<Range<usize>>) {
    for range in find(code) {
        let blank: String = code[range.clone()]
            .chars()
            .flat_map(|c| std::iter::repeat_n(if c == '\n' { '\n' } else { ' ' }, c.len_utf8()))
            .collect();
        code.replace_range(range, &blank);
    }
}

/// Items that are compiled for tests only, up to the end of their block or statement.
fn tests(code: &str) -> Vec<Range<usize>> {
    let marks = code.match_indices("#[cfg(test)]").chain(code.match_indices("#[cfg(all(test"));
    let end = |at: usize| {
        let mut depth = 0_usize;
        for (offset, c) in code[at..].char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 && (c == '}' || c == ';') {
                return at + offset + 1;
            }
        }
        code.len()
    };
    marks.map(|(at, _)| at..end(at)).collect()
}

#[cfg(test)]
mod tests {
    use super::code_only;

    #[test]
    fn comments_and_literals_vanish_and_lines_stay() {
        let source =
            "a(\"X // \\\" Y\"); // B\nlet c = '\"'; /* D /* E */ \n F */ let g: &'static str = r#\"H\"I\"#; j";
        let masked = code_only(source);
        assert_eq!(masked.lines().count(), source.lines().count());
        assert!(!masked.contains(|c: char| c.is_uppercase() || c == '"'), "{masked}");
        for kept in ["a(", "let c =", "let g: &'static str =", "; j"] {
            assert!(masked.contains(kept), "{kept} not in {masked}");
        }
    }
}
