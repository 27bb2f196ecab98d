//! "Did you mean": the known name that a mistyped one is closest to.

/// The one of `known` that `written` was most likely meant to be; none where nothing is close.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = 1 + written.chars().count() / 3;
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&written.to_ascii_lowercase(), &name.to_ascii_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_close_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("endpiont", ["port", "endpoint"]), Some("endpoint"));
        assert_eq!(nearest("size", ["network", "admin_password"]), None);
    }
}
