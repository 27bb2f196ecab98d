use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Finding, Rules, Stage};
use crate::domain::diagnostic::{Problems, Spot};

fn parse(policies: &[(&str, &str)]) -> Result<Rules, Problems> {
    let files = policies.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    Rules::parse(&files.collect::<BTreeMap<_, _>>())
}

/// What the policy says of a plan, each as `<rule>:<line> <message>`.
fn said(text: &str, input: &Value) -> Vec<String> {
    let shown = |found: Finding| {
        let broken = if found.is_broken { " (broken)" } else { "" };
        format!("{}:{} {}{broken}", found.effect.name(), found.place.line, found.message)
    };
    parse(&[("policies/a.rego", text)]).unwrap().judge(Stage::Plan, input).into_iter().map(shown).collect()
}

/// A policy with one rule with this body.
fn deny(body: &str) -> String {
    format!("package tieline.plan\n\nf(x) := x + 1\n\ndeny contains \"x\" if {{ {body} }}\n")
}

/// What is wrong with policies, each as `<line>: <message>`.
fn wrong(policies: &[(&str, &str)]) -> Vec<String> {
    let shown = |at: &Spot| if let Spot::Line { line, .. } = at { line.to_string() } else { "-".to_owned() };
    let problems = parse(policies).map(drop).unwrap_err().0;
    problems
        .iter()
        .map(|one| format!("{}: {}", one.origin.as_ref().map_or("?".to_owned(), |at| shown(&at.at)), one.message))
        .collect()
}

#[test]
fn each_rule_speaks_for_itself_with_its_line() {
    let text = r#"package tieline.plan

import rego.v1

deny contains msg if {
	some change in input.plan.resource_changes
	change.type == "bucket"
	msg := sprintf("%s is a bucket", [change.address])
}

deny contains "never" if input.never

warn contains {"msg": "look", "alias": "api", "more": 1} if count(deny) > 0
"#;
    let input = json!({"plan": {"resource_changes": [{"type": "bucket", "address": "bucket.a"}, {"type": "x"}]}});
    assert_eq!(said(text, &input), ["deny:5 bucket.a is a bucket", "warn:13 look"]);
    assert_eq!(said(text, &json!({"never": true})), ["deny:11 never", "warn:13 look"]);
    assert!(said(text, &json!({})).is_empty());
    let rules = parse(&[("policies/a.rego", text)]).unwrap();
    let found = rules.judge(Stage::Plan, &input);
    assert_eq!(found[1].alias.as_ref().unwrap().as_str(), "api");
    assert!(rules.judge(Stage::Deployment, &input).is_empty() && !rules.has(Stage::Deployment));
}

#[test]
fn what_rego_offers_is_there() {
    let input = json!({"plan": {"a": 1}, "l": [1, 2]});
    for body in [
        "f(1) == 2",
        "walk(input, [path, value]); value == 1; path[0] == \"plan\"",
        "not input.plan.b == 1",
        "every x in [1, 2] { x > 0 }",
        "input.plan.a in {1, 2}",
        "object.get(input, [\"plan\", \"a\"], 0) == 1",
        "some k, v in input.plan; k == \"a\"; v == 1",
        "some i; input.l[i] == 2",
        "sprintf(\"%d %s\", [1, \"a\"]) == \"1 a\"",
        "json.unmarshal(`{\"Action\": \"*\"}`).Action == \"*\"",
        "regex.match(`^\\d+\\w$`, \"12a\")",
        "glob.match(\"*.example\", [], \"a.example\")",
        "semver.compare(\"1.2.3\", \"1.2.4\") < 0",
        "base64.decode(\"YQ==\") == \"a\"",
        "some inner in data.main.deny with input as input.plan",
    ] {
        let library = "package main\n\ndeny contains \"x\" if input.a == 1\n";
        let rules = parse(&[("policies/a.rego", &deny(body)), ("policies/main.rego", library)]).unwrap();
        let found = rules.judge(Stage::Plan, &input);
        assert!(found.len() == 1 && !found[0].is_broken, "{body}: {found:?}");
    }
}

#[test]
fn what_fails_denies_and_says_where() {
    assert_eq!(said(&deny("to_number(\"x\") == 1"), &json!({})), ["deny:5 could not parse string as number (broken)"]);
    // Also where a rule has it that nothing must come of it.
    let hidden = "package tieline.plan\n\ng(x) := to_number(x)\n\ndeny contains \"x\" if not g(input.y)\n";
    assert_eq!(said(hidden, &json!({"y": "z"})), ["deny:3 could not parse string as number (broken)"]);
    let not_messages = "its rule `deny` yields something else than messages (broken)";
    for rule in ["deny := true", "deny contains 1", "deny contains {\"message\": \"x\"}", "deny[\"x\"] if true"] {
        assert_eq!(said(&format!("package tieline.plan\n\n{rule}\n"), &json!({})), [format!("deny:3 {not_messages}")], "{rule}");
    }
    let circle = "package tieline.plan\n\ndeny contains \"x\" if a\n\na if b\n\nb if a\n";
    assert!(said(circle, &json!({}))[0].contains("recursion"), "{:?}", said(circle, &json!({})));
}

#[test]
fn a_rule_has_an_end() {
    const LOOP: &str = "some i in numbers.range(1, 20000); some j in numbers.range(1, 20000)";
    let slow = |within: &str| {
        format!("package tieline.plan\n\ng(x) := y if {{ {LOOP}; y := i * j; y < x }}\n\ndeny contains \"x\" if {{ {within} }}\n")
    };
    for within in [format!("{LOOP}; i * j == 1.5"), "not g(0)".to_owned()] {
        let found = said(&slow(&within), &json!({}));
        assert_eq!(found, ["deny:5 it takes too many steps to evaluate (broken)"], "{within}");
    }
}

#[test]
fn what_cannot_be_asked_is_wrong_before_anything_is() {
    let one = |text: &str| wrong(&[("policies/a.rego", text)]);
    assert_eq!(
        one("package tieline.plan\n\ndeny[msg] { msg := \"x\" }\n"),
        ["3: the policy cannot be read: `if` keyword is required before rule body"]
    );
    assert_eq!(one("package tieline\n\ndeny contains \"x\"\n"), ["1: nothing is asked in the package `tieline`"]);
    assert_eq!(
        one("package tieline.plan\n\ndenied contains \"x\"\n"),
        ["1: the policy in the package `tieline.plan` has no rule `deny` or `warn`"]
    );
    assert_eq!(one(&deny("x == 1")), ["5: the policy cannot be read: use of undefined variable `x` is unsafe"]);
    assert_eq!(one(&deny("[p, v] := walk(input)")), ["5: `walk` is called as a function with a result, which it cannot be here"]);
    for unknown in ["http.send", "time.now_ns", "rand.intn", "opa.runtime", "uuid.rfc4122", "net.lookup_ip_addr", "nowhere"] {
        assert_eq!(one(&deny(&format!("{unknown}(1)"))), [format!("5: there is no function `{unknown}`")]);
    }
    assert!(one("hello")[0].starts_with("1: the policy cannot be read"));
    // Nested without end.
    let nested = |open: &str, close: &str, times| format!("package a\n\nx := {}1{}\n", open.repeat(times), close.repeat(times));
    for (open, close) in [("[\n", "]\n"), ("(\n", ")\n"), ("f(", ")"), ("[x | x := ", "]"), ("{\"a\": ", "}")] {
        assert!(one(&nested(open, close, 9000))[0].contains("nested too deep"), "{open}");
        drop(parse(&[("policies/a.rego", &nested(open, close, 14))]));
    }
    // Brackets in texts and comments are none.
    assert!(
        parse(&[(
            "policies/a.rego",
            &deny(&format!("input.x == [{}]; true # {}\n", "\"\\\"[\", `[`, ".repeat(30), "[".repeat(30)))
        )])
        .is_ok()
    );
    assert_eq!(
        wrong(&[
            ("policies/a.rego", "package lib.a\n\nimport data.lib.b as other\n\nf(x) := other.g(x)\n"),
            ("policies/b.rego", "package lib.b\n\nimport data.lib.a\n\ng(x) := a.f(x)\n"),
        ]),
        ["5: the function `lib.b.g` calls itself, by itself or by others"]
    );
}

#[test]
fn hostile_messages_are_harmless_and_not_long() {
    let found = said(
        "package tieline.plan\n\ndeny contains x if some x in input.said\n",
        &json!({"said": ["a\nb\u{1b}[31m::error::", "##[x]", "l".repeat(2000)]}),
    );
    assert_eq!(found[..2], ["deny:3 #\\#[x]", "deny:3 a\\nb\\u{1b}[31m::error::"]);
    assert!(found[2].len() < 1100);
    let many: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    let found = said("package tieline.plan\n\ndeny contains x if some x in input.said\n", &json!({"said": many}));
    assert_eq!((found.len(), found[100].as_str()), (101, "deny:3 and 900 more of this rule"));
}
