//! The dialect's filters that change how names are written.

/// What a filter does to a text.
type Change = fn(&str) -> String;

/// The filters: every name they are known under, and what they do.
pub(super) const FILTERS: &[(&str, Change)] = &[
    ("camelcase", camel),
    ("to_lower_camel", camel),
    ("pascalcase", pascal),
    ("to_camel", pascal),
    ("capitalcase", capital),
    ("snakecase", snake),
    ("to_snake", snake),
    ("constcase", constant),
    ("to_screaming_snake", constant),
    ("screamingsnakecase", constant),
    ("kebabcase", kebab),
    ("spinalcase", kebab),
    ("to_kebab", kebab),
    ("to_screaming_kebab", screaming_kebab),
    ("dotcase", dots),
    ("pathcase", path),
    ("titlecase", titled),
    ("sentencecase", sentence),
    ("lowercase", lower),
    ("uppercase", upper),
    ("trimcase", trimmed),
    ("alphanumcase", alphanumeric),
    ("group_id_folder", folder),
];

/// The words of a name: parted by what is no letter or digit, and where a capital begins a new one.
fn words(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut inside = false;
    for (at, character) in characters.iter().copied().enumerate() {
        if !character.is_alphanumeric() {
            inside = false;
            continue;
        }
        let before = at.checked_sub(1).and_then(|before| characters.get(before)).copied();
        let after = characters.get(at + 1).copied();
        let begins = character.is_uppercase()
            && (before.is_some_and(|before| before.is_lowercase() || before.is_numeric())
                || before.is_some_and(char::is_uppercase) && after.is_some_and(char::is_lowercase));
        match words.last_mut() {
            Some(word) if inside && !begins => word.push(character),
            _ => words.push(character.to_string()),
        }
        inside = true;
    }
    words
}

fn joined(text: &str, between: &str, change: impl Fn(&str) -> String) -> String {
    words(text).iter().map(|word| change(word)).collect::<Vec<_>>().join(between)
}

fn first(text: &str, change: impl Fn(char) -> String) -> String {
    let mut characters = text.chars();
    characters.next().map(change).unwrap_or_default() + characters.as_str()
}

fn capital(text: &str) -> String {
    first(text, |first| first.to_uppercase().collect())
}

fn pascal(text: &str) -> String {
    joined(text, "", capital)
}

fn camel(text: &str) -> String {
    first(&pascal(text), |first| first.to_lowercase().collect())
}

fn snake(text: &str) -> String {
    joined(text, "_", str::to_lowercase)
}

fn constant(text: &str) -> String {
    joined(text, "_", str::to_uppercase)
}

fn kebab(text: &str) -> String {
    joined(text, "-", str::to_lowercase)
}

fn screaming_kebab(text: &str) -> String {
    joined(text, "-", str::to_uppercase)
}

fn dots(text: &str) -> String {
    joined(text, ".", str::to_lowercase)
}

fn path(text: &str) -> String {
    joined(text, "/", str::to_lowercase)
}

fn titled(text: &str) -> String {
    joined(text, " ", |word| capital(&word.to_lowercase()))
}

fn sentence(text: &str) -> String {
    capital(&joined(text, " ", str::to_lowercase))
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

fn upper(text: &str) -> String {
    text.to_uppercase()
}

fn trimmed(text: &str) -> String {
    text.trim().to_owned()
}

fn alphanumeric(text: &str) -> String {
    text.chars().filter(|each| each.is_alphanumeric()).collect()
}

fn folder(text: &str) -> String {
    text.replace('.', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_change_their_case() {
        let cases = [
            ("to_kebab", "Any kind of string", "any-kind-of-string"),
            ("kebabcase", "myQueue_name", "my-queue-name"),
            ("to_camel", "any_kind-of string", "AnyKindOfString"),
            ("camelcase", "foo_bar", "fooBar"),
            ("pascalcase", "foo-bar", "FooBar"),
            ("snakecase", "HTTPServerName", "http_server_name"),
            ("constcase", "fooBar", "FOO_BAR"),
            ("group_id_folder", "com.acme.shop", "com/acme/shop"),
            ("snakecase", "", ""),
        ];
        for (filter, text, expected) in cases {
            let (_, change) = FILTERS.iter().find(|(name, _)| *name == filter).unwrap();
            assert_eq!(change(text), expected, "{filter} of {text}");
        }
    }
}
