//! "Did you mean".

/// The nearest of `names` to `wrong`; none when nothing is near enough to be what was meant.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing is quadratic in length, and nobody misspells a name this long.
    const LONGEST: usize = 128;
    if wrong.len() > LONGEST {
        return None;
    }
    let wrong = wrong.to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= wrong.len().max(name.len()).div_ceil(3))
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_a_stranger_is_not() {
        assert_eq!(nearest("conections", ["inputs", "connections", "use"]), Some("connections"));
        assert_eq!(nearest("Plugin", ["plugin", "plugins"]), Some("plugin"));
        assert_eq!(nearest("bananas", ["inputs", "connections", "use"]), None);
        assert_eq!(nearest(&"x".repeat(5000), ["x"]), None);
        assert_eq!(nearest("", ["use"]), None);
    }
}
