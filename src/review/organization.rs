//! What holds for everybody: ceilings, proofs, where claims are, the catalog, policies.

use super::{Document, Documents, Effect, Finding, Ledger, Needs, changed};
use crate::domain::diagnostic::Pointer;
use crate::domain::failure::FailureReason;
use crate::domain::organization::{Ceilings, ContextDocument, Proofs};

pub(super) fn needs(before: &Documents, after: &Documents, needs: &mut Needs) {
    needs.claims = claims_prefix(before) != claims_prefix(after);
}

pub(super) fn review(before: &Documents, after: &Documents, ledger: &Ledger, findings: &mut Vec<Finding>) {
    claims(before, after, ledger, findings);
    let none = ContextDocument::default();
    let (was, is) = (before.context.as_ref().unwrap_or(&none), after.context.as_ref().unwrap_or(&none));
    ceilings(&was.ceilings, &is.ceilings, findings);
    let in_context = |effect, key, message: &str| Finding::new(effect, Document::Context, Pointer::keys([key]), message);
    match (was.proofs, is.proofs) {
        (Proofs::Required, Proofs::Off) => findings.push(in_context(
            Effect::Allows,
            "proofs",
            "records of the ledger are believed without a proof of who wrote them",
        )),
        (Proofs::Off, Proofs::Required) => findings.push(in_context(
            Effect::Breaks,
            "proofs",
            "records of the ledger without a proof of who wrote them are no longer believed",
        )),
        _ => {}
    }
    if was.proof_keys != is.proof_keys {
        findings.push(in_context(Effect::Allows, "proof-keys", "proofs are believed by other keys"));
    }
    for (key, differs) in [
        ("sealing", was.sealing != is.sealing),
        ("retention", was.retention != is.retention),
        ("limits", was.limits != is.limits),
    ] {
        if differs {
            findings.push(in_context(Effect::Changes, key, &format!("`{key}` is another one for the whole organization")));
        }
    }
    catalog(before, after, findings);
    for (path, was, is) in changed(&before.policies, &after.policies) {
        let message = match (was, is) {
            (None, _) => format!("the policy `{path}` is new: what it forbids is refused from now on"),
            (_, None) => format!("the policy `{path}` goes: what it forbade is allowed"),
            _ => format!("the policy `{path}` says something else"),
        };
        let effect = if is.is_none() { Effect::Allows } else { Effect::Changes };
        findings.push(Finding::new(effect, Document::Policy(path.clone()), Pointer::default(), message));
    }
}

fn claims_prefix(documents: &Documents) -> Option<&str> {
    documents.context.as_ref()?.claims_prefix.as_deref()
}

/// Runs in progress hold their claims where they were told to: another run would not see them.
fn claims(before: &Documents, after: &Documents, ledger: &Ledger, findings: &mut Vec<Finding>) {
    if claims_prefix(before) == claims_prefix(after) {
        return;
    }
    let at = Pointer::keys(["claims-prefix"]);
    let finding = if ledger.claims.is_empty() {
        Finding::new(Effect::Changes, Document::Context, at, "claims are kept under other refs from now on")
            .help("merge it while nothing is deployed: a run that is in progress then is not seen by others")
    } else {
        Finding::new(
            Effect::Refused,
            Document::Context,
            at,
            "claims would move while runs hold some: two runs could change one place",
        )
        .affecting(ledger.claims.iter().map(|place| format!("`{place}` is claimed")))
        .help("wait until they have ended, and keep others from starting until it is merged")
    };
    findings.push(finding.because(FailureReason::Claimed));
}

fn ceilings(was: &Ceilings, is: &Ceilings, findings: &mut Vec<Finding>) {
    let mut found = |effect, key, message: String| {
        let finding = Finding::new(effect, Document::Context, Pointer::keys(["ceilings", key]), message);
        findings.push(finding.because(FailureReason::Ceiling));
    };
    match (was.local_exec, is.local_exec) {
        (false, true) => found(Effect::Allows, "local-exec", "workflows may let plugins run programs on the runner".to_owned()),
        (true, false) => found(Effect::Breaks, "local-exec", "plugins may no longer run programs on the runner".to_owned()),
        _ => {}
    }
    let runners = |ceilings: &Ceilings| {
        ceilings.step_runners.as_ref().map(|runners| runners.iter().map(|runner| format!("{runner:?}").to_lowercase()).collect())
    };
    let lists: [(&'static str, Option<Vec<String>>, Option<Vec<String>>); 3] = [
        ("modules", was.modules.clone(), is.modules.clone()),
        ("providers", was.providers.clone(), is.providers.clone()),
        ("step-runners", runners(was), runners(is)),
    ];
    for (key, was, is) in lists {
        let (was, is) = match (was, is) {
            (Some(_), None) => {
                found(Effect::Allows, key, format!("`{key}` are no longer restricted"));
                continue;
            }
            (None, Some(is)) => {
                found(Effect::Breaks, key, format!("`{key}` are restricted to {}", ticked(&is)));
                continue;
            }
            (was, is) => (was.unwrap_or_default(), is.unwrap_or_default()),
        };
        let missing = |from: &[String], other: &[String]| -> Vec<String> {
            from.iter().filter(|one| !other.contains(one)).cloned().collect()
        };
        let (more, fewer) = (missing(&is, &was), missing(&was, &is));
        if !more.is_empty() {
            found(Effect::Allows, key, format!("`{key}` may also be {}", ticked(&more)));
        }
        if !fewer.is_empty() {
            found(Effect::Breaks, key, format!("`{key}` may no longer be {}", ticked(&fewer)));
        }
    }
}

fn catalog(before: &Documents, after: &Documents, findings: &mut Vec<Finding>) {
    if before.catalog == after.catalog {
        return;
    }
    let [was, is] = [before, after].map(|documents| documents.catalog.clone());
    let plugins = |catalog: &Option<crate::domain::catalog::Catalog>| {
        catalog.as_ref().map(|catalog| catalog.plugins.clone()).unwrap_or_default()
    };
    let (was_plugins, is_plugins) = (plugins(&was), plugins(&is));
    let lost = changed(&was_plugins, &is_plugins).into_iter().filter_map(|(name, was, is)| {
        let usable = |plugin: &&crate::domain::catalog::CatalogPlugin| -> Vec<String> {
            plugin.versions.iter().filter(|(_, one)| one.yanked.is_none()).map(|(version, _)| version.clone()).collect()
        };
        let now = is.as_ref().map(usable).unwrap_or_default();
        let gone: Vec<String> = was.as_ref().map(usable)?.into_iter().filter(|version| !now.contains(version)).collect();
        (!gone.is_empty()).then(|| format!("`{name}`: {}", ticked(&gone)))
    });
    let lost: Vec<String> = lost.collect();
    findings.push(if lost.is_empty() {
        Finding::new(Effect::Changes, Document::Catalog, Pointer::default(), "the catalog is another one")
    } else {
        Finding::new(Effect::Breaks, Document::Catalog, Pointer::keys(["plugins"]), "versions of plugins can no longer be chosen")
            .because(FailureReason::PluginUnavailable)
            .affecting(lost)
            .help("what is applied keeps its own copy; manifests that lock these versions need another one")
    });
}

fn ticked(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}
