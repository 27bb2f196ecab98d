//! Changes of documents that no deployment is needed for.

use super::*;
use crate::documents;

fn context(rest: &str) -> Documents {
    let text = format!("apiVersion: tieline/v1\nkind: Context\n{rest}");
    Documents { context: Some(documents::context("context.yaml", text.as_bytes()).unwrap()), ..Documents::default() }
}

fn told(before: &Documents, after: &Documents, ledger: &Ledger) -> Vec<String> {
    let findings = review(before, after, ledger);
    findings.iter().map(|finding| format!("{}: {}", finding.effect.as_str(), finding.message)).collect()
}

#[test]
fn r71_a_ceiling_that_rises_allows_and_one_that_sinks_breaks() {
    let ledger = Ledger::default();
    let of = |before: &str, after: &str| told(&context(before), &context(after), &ledger);
    assert_eq!(of("ceilings: {modules: ['./']}", ""), ["allows: `modules` are no longer restricted"]);
    assert_eq!(of("", "ceilings: {providers: [a/*]}"), ["breaks: `providers` are restricted to `a/*`"]);
    assert_eq!(
        of("ceilings: {modules: [a, b], local-exec: true}", "ceilings: {modules: [b, c]}"),
        [
            "breaks: plugins may no longer run programs on the runner",
            "breaks: `modules` may no longer be `a`",
            "allows: `modules` may also be `c`"
        ]
    );
    assert_eq!(of("ceilings: {local-exec: true}", "ceilings: {local-exec: true}"), [""; 0]);
}

#[test]
fn r21_claims_do_not_move_while_runs_hold_some() {
    let (before, after) = (context(""), context("claims-prefix: refs/heads/claims/"));
    assert!(needs(&before, &after).claims);
    let mut ledger = Ledger::default();
    assert_eq!(told(&before, &after, &ledger), ["changes: claims are kept under other refs from now on"]);
    ledger.claims.insert(Place {
        workspace: "retail".parse().unwrap(),
        environment: "staging".parse().unwrap(),
        deployable: "shop".parse().unwrap(),
    });
    assert!(told(&before, &after, &ledger)[0].starts_with("refused: claims would move while runs hold some"));
}

#[test]
fn nothing_is_asked_of_the_ledger_for_what_concerns_nobody() {
    let after = context("retention: {runs: 10}\nceilings: {local-exec: true}");
    assert_eq!(needs(&context(""), &after), Needs::default());
}

#[test]
fn r41_an_owner_is_told_by_its_number() {
    let workspace = |owners: &str| {
        let text = format!("apiVersion: tieline/v1\nkind: Workspace\nname: w\nowners: {owners}\n");
        let found = documents::workspace("workspace.yaml", text.as_bytes()).unwrap();
        Documents { workspaces: BTreeMap::from([(found.name.clone(), found)]), ..Documents::default() }
    };
    let of = |before: &str, after: &str| told(&workspace(before), &workspace(after), &Ledger::default()).join("");
    let old = "{net: {repository: acme/net, id: 1}}";
    assert_eq!(of(old, "{net: {repository: acme/new, id: 1}}"), "changes: the owner of `w/net` is called `acme/new` (id 1) now");
    assert_eq!(
        of(old, "{net: {repository: acme/net, id: 2}}"),
        "allows: workflows of `acme/net` (id 2) may write `w/net`, and those of `acme/net` (id 1) no longer"
    );
    assert_eq!(of(old, "{}"), "allows: `w/net` has no owner any more: not only workflows of `acme/net` (id 1) may write it");
}
