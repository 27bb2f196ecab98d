//! Owners and proofs, as a workflow's steps have them.

use super::job::Job;
use super::site::Site;
use super::{Engine, Event, machine};
use crate::github::GitHub;
use crate::harness::needs_terraform;

/// The double's number for the repository of the workflow, which comes first.
const ID: &str = "1000000";

/// A deployable whose repository must prove what it writes.
fn site() -> Option<Site> {
    let site = Site::bench_with_files(machine()?, Engine::Namespaces);
    let issuer = format!("{}/_oidc", site.github.url());
    let keys = format!("{{issuer: '{issuer}', audience: tieline/w, keys: [{}]}}", GitHub::key());
    site.machine.write(
        "context/context.yaml",
        &format!("apiVersion: tieline/v1\nkind: Context\nceilings: {{local-exec: true}}\nproofs: required\nproof-keys: {keys}\n"),
    );
    let owners = format!("owners: {{app: {{repository: acme/shop, id: {ID}}}}}");
    site.machine
        .write("context/workspaces/w/workspace.yaml", &format!("apiVersion: tieline/v1\nkind: Workspace\nname: w\n{owners}\n"));
    site.create_context();
    site.manifest("{a: {use: ../plugins/quick}}");
    Some(site)
}

/// A job of the repository with this number, which may have identity tokens.
fn job<'s>(site: &'s Site, id: &str) -> Job<'s> {
    let identity = site.github.identity("repo:acme/shop:ref:refs/heads/main");
    let mut job = site.job(Event::push("main"));
    job.server("GITHUB_REPOSITORY_ID", id)
        .server("ACTIONS_ID_TOKEN_REQUEST_URL", &identity.url)
        .server("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &identity.token);
    job
}

#[test]
fn tf_r41_a_step_proves_what_it_writes_and_shows_no_token() {
    needs_terraform!();
    let Some(site) = site() else { return };
    for _ in 0..2 {
        let mut job = job(&site, ID);
        let step = site.deploy(&mut job, "app", "e").run().succeeds();
        assert!(!step.shown().contains("eyJ") && !step.shown().contains("not believed"), "{step}");
        job.finish();
    }
    let proofs = site.ledger("w/e/app/proofs");
    let proof = site.recorded(&proofs[0]).unwrap();
    let claims = GitHub::claims(proof["token"].as_str().unwrap()).unwrap();
    assert_eq!((claims["repository"].as_str(), claims["repository_id"].as_str()), (Some("acme/shop"), Some(ID)));
    assert!(site.recorded("w/e/app/applied/a.json").unwrap()["proof"].is_string());
}

#[test]
fn r41_a_step_of_another_repository_is_refused() {
    let Some(site) = site() else { return };
    let mut job = job(&site, "42");
    let step = site.deploy(&mut job, "app", "e").run().fails(1, "not-owner");
    step.says("only workflows of `acme/shop` may write `w/e/app`").says("whose id is 42");
    job.finish();
    assert!(site.runs().is_empty() && site.claims().is_empty());
}

#[test]
fn r41_a_job_without_an_identity_is_told_what_it_lacks() {
    let Some(site) = site() else { return };
    let mut job = job(&site, ID);
    job.server("ACTIONS_ID_TOKEN_REQUEST_URL", "");
    let step = site.deploy(&mut job, "app", "e").run().fails(2, "permission-denied");
    step.says("it lacks `id-token: write`").says("`proofs: required`");
    job.finish();
    assert!(site.runs().is_empty() && site.claims().is_empty());
}
