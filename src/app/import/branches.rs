//! Whether a template asks for a value rather than printing it: what comes out of it then is not the same for every value.

/// Words of the language of templates that ask.
const ASKING: [&str; 8] = ["if", "elif", "for", "and", "or", "not", "in", "is"];

/// Filters that ask whether a value is there.
const ASKING_FILTERS: [&str; 2] = ["default", "d"];

/// The first place where a template asks for a value: its line, and what asks there.
pub(super) fn asking(template: &str) -> Option<(usize, String)> {
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let from = &rest[at..];
        let end = match from.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => {
                rest = from.split_once("#}").map_or("", |(_, after)| after);
                continue;
            }
            _ => {
                rest = &from[1..];
                continue;
            }
        };
        let (code, after) = from[2..].split_once(end).unwrap_or((&from[2..], ""));
        if let Some((offset, what)) = asked(code) {
            let before = template.len() - from.len() + 2 + offset;
            return Some((template[..before].matches('\n').count() + 1, what));
        }
        rest = after;
    }
    None
}

/// What asks in the code of a tag, and where in it.
fn asked(code: &str) -> Option<(usize, String)> {
    let mut before = None;
    let mut quote = None;
    let mut characters = code.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match quote {
            Some(open) => {
                if character == '\\' {
                    characters.next();
                } else if character == open {
                    quote = None;
                }
                continue;
            }
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None if matches!(character, '<' | '>') || matches!(code.get(at..at + 2), Some("==" | "!=")) => {
                return Some((at, code[at..].chars().take_while(|c| "<>=!".contains(*c)).collect()));
            }
            None if is_of_word(character) => {
                let word: String = code[at..].chars().take_while(|c| is_of_word(*c)).collect();
                for _ in 1..word.chars().count() {
                    characters.next();
                }
                let asks = before != Some('.') && ASKING.contains(&word.as_str());
                if asks || before == Some('|') && ASKING_FILTERS.contains(&word.as_str()) {
                    return Some((at, word));
                }
            }
            None => {}
        }
        if !character.is_whitespace() {
            before = Some(character);
        }
    }
    None
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_that_ask_are_told_from_those_that_print() {
        let prints = [
            "",
            "{",
            "a {b} {{ x }}",
            "{{ 'if' ~ x }}",
            "{# {% if x %} #}",
            "{{ inputs.is }}",
            "{% set y = x %}",
            "{{ x | tojson }}",
        ];
        for template in prints {
            assert_eq!(asking(template), None, "{template}");
        }
        let asks = [
            ("a\n{% if x %}", 2, "if"),
            ("{{ x\n == 'a' }}", 2, "=="),
            ("{{ x | default('a') }}", 1, "default"),
            ("{{ a if b }}", 1, "if"),
            ("{%- for x in y -%}", 1, "for"),
            ("{{ x is defined", 1, "is"),
            ("é {{ \"é\" < x }}", 1, "<"),
        ];
        for (template, line, what) in asks {
            assert_eq!(asking(template), Some((line, what.to_owned())), "{template}");
        }
    }
}
