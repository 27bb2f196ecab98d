//! The page is one page, whatever the texts in it are.

use proptest::prelude::*;
use scraper::{Html, Selector};

use super::page;
use crate::report::fixtures::status::{now, status};

/// Texts that would be something else if they were not escaped.
const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "</style><script>x</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "https://evil.test/\"onclick=\"x",
    "<!-- --><svg onload=x>",
    "&lt;\u{202e}\u{0}\r\n::error::x",
];

/// The elements of a page by name, in order, and the attributes that they have.
fn structure(text: &str) -> Vec<String> {
    let page = Html::parse_document(text);
    assert_eq!(page.errors, Vec::<String>::new());
    let all = Selector::parse("*").unwrap();
    // Texts that are no addresses are shown as such: the one difference that a text may make.
    let name = |element: scraper::ElementRef<'_>| {
        let value = element.value();
        let attributes: Vec<&str> = value.attrs().map(|(name, _)| name).collect();
        format!("{} {attributes:?}", value.name())
    };
    page.select(&all).map(name).filter(|element| !element.starts_with("code ") && !element.contains("rel")).collect()
}

#[test]
fn r67_no_text_is_anything_but_text() {
    let plain = structure(&page(&status(None), now()));
    for hostile in HOSTILE {
        let text = page(&status(Some(hostile)), now());
        assert_eq!(structure(&text), plain, "{hostile}");
        assert!(!text.contains("<script") && !text.contains("href=\"javascript:"), "{hostile}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn r67_any_text_stays_text(text in any::<String>()) {
        prop_assume!(!text.starts_with("http://") && !text.starts_with("https://"));
        prop_assert_eq!(structure(&page(&status(Some(&text)), now())), structure(&page(&status(Some("x")), now())));
    }
}

#[test]
fn the_page_forbids_all_but_its_one_style() {
    let text = page(&status(None), now());
    let policy = text.split_once("Content-Security-Policy\" content=\"").unwrap().1.split_once('"').unwrap().0;
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let html = Html::parse_document(&text);
    for forbidden in ["script", "link", "img", "iframe", "object", "form", "base", "[style]"] {
        assert_eq!(html.select(&Selector::parse(forbidden).unwrap()).count(), 0, "{forbidden}");
    }
    let all = Selector::parse("*").unwrap();
    let events = html.select(&all).flat_map(|element| element.value().attrs());
    assert_eq!(events.filter(|(name, _)| name.starts_with("on")).count(), 0);
}

#[test]
fn a_screen_reader_finds_its_way() {
    let html = Html::parse_document(&page(&status(None), now()));
    let count = |selector: &str| html.select(&Selector::parse(selector).unwrap()).count();
    assert_eq!(
        (count("html[lang]"), count("main"), count("nav[aria-label]"), count("h1"), count("head > title")),
        (1, 1, 1, 1, 1)
    );
    assert_eq!(count("main > section"), count("main > section[aria-labelledby]"));
    assert_eq!(count("table"), count("table > caption"));
    assert_eq!(count("thead th"), count("thead th[scope=col]"));
    assert_eq!(count("tbody tr"), count("tbody tr > th[scope=row]"));
    assert_eq!(count("svg"), count("svg[role=img][aria-label]"));
    assert_eq!(count("main h2"), 10, "something of everything is there");
    let ids: Vec<&str> = html.select(&Selector::parse("[id]").unwrap()).filter_map(|element| element.attr("id")).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
}
