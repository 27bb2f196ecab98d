//! Names in a module's text, found as words and given other names.

/// `text` with `from` replaced where it stands as a word of its own, and not as a part of another name. What comes after a `.` behind it
/// is a field of it.
pub(super) fn renamed(text: &str, from: &str, to: &str) -> String {
    let mut renamed = String::with_capacity(text.len());
    let mut start = 0;
    for (at, _) in text.match_indices(from) {
        let end = at + from.len();
        if !ends_inside(&text[..at]) && !text[end..].starts_with(is_of_name) {
            renamed.push_str(&text[start..at]);
            renamed.push_str(to);
            start = end;
        }
    }
    renamed.push_str(&text[start..]);
    renamed
}

/// Whether `name` stands in the text as a word of its own.
pub(super) fn is_named(text: &str, name: &str) -> bool {
    renamed(text, name, "") != text
}

/// Whether what comes next would go on with a name. A `-` after a number, or after nothing, is a minus.
fn ends_inside(before: &str) -> bool {
    let name = &before[before.trim_end_matches(is_of_name).len()..];
    before.ends_with('.') || !name.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-').is_empty()
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_replaced() {
        let text = "a = \"${var.md}\" b = var.md.x c = var.md_x d = data.var.md e = [var.md,-var.md,3-var.md,a-var.md]";
        let expected = "a = \"${local.m}\" b = local.m.x c = var.md_x d = data.var.md e = [local.m,-local.m,3-local.m,a-var.md]";
        assert_eq!(renamed(text, "var.md", "local.m"), expected);
    }
}
