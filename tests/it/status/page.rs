//! The activities page.

use scraper::{Html, Selector};

use crate::harness::{Project, needs_terraform};

fn texts(page: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).map(|element| element.text().collect::<String>().trim().to_owned()).collect()
}

#[test]
fn tf_the_activities_page_stands_alone() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit("network/tieline.yaml", "network}", "network, inputs: {region: sa-east-3}}");
    project.deploy("network").succeeds();
    let wrote = project.run(&["status", "-w", "retail", "--locks", "--html", "page.html"]).succeeds();
    assert!(wrote.stdout.is_empty() && wrote.stderr.contains("wrote the activities page to page.html"), "{wrote}");
    let text = project.read("page.html");
    assert!(text.len() < 100_000, "{} bytes", text.len());
    for outside in ["<script", "<link", "<img", "<iframe", "@import", "url(", "javascript:"] {
        assert!(!text.contains(outside), "`{outside}` is in the page");
    }
    let page = Html::parse_document(&text);
    assert_eq!(page.errors, Vec::<String>::new());
    assert_eq!(texts(&page, "h1"), ["Activities of retail"]);
    assert_eq!(
        texts(&page, "main h2"),
        ["Runs", "Releases", "Applied plugins", "Who feeds whom", "Connections", "Stale", "State locks"]
    );
    assert_eq!(texts(&page, "article h3 code"), ["retail/staging/shop/api.web", "retail/staging/shop/database.db"]);
    let map = texts(&page, "section[aria-labelledby=map] > ul > li > code");
    assert_eq!(map, ["platform/staging/network/vpc.vpc", "retail/staging/shop/database.db"]);
    assert_eq!(texts(&page, "article details summary"), ["History: 1 run", "History: 1 run"]);
    // Each table has a caption and each picture a name; what `nav` leads to is there.
    assert_eq!(texts(&page, "table").len(), texts(&page, "table > caption").len());
    assert_eq!(texts(&page, "svg").len(), texts(&page, "svg[role=img][aria-label]").len());
    for link in page.select(&Selector::parse("nav a").unwrap()) {
        let id = link.attr("href").unwrap();
        assert_eq!(texts(&page, id).len(), 1, "{id}");
    }
    project.write("file", "");
    project
        .run(&["status", "-w", "retail", "--html", "file/page.html"])
        .refused("invalid-input")
        .says("cannot write the activities page");
}
