//! What modules may do on the runner, and where their parts may come from.

use crate::domain::diagnostic::{Diagnostic, Origin, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::module::{BUILTIN_PROVIDER, Module, ModuleCall};

use super::read::is_local;

/// What is allowed: the run's inputs and the context's ceilings taken together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gates {
    /// Provisioners, data sources and actions that run programs or ask the network, and providers that start a program.
    pub local_exec: bool,
    /// Prefixes of permitted module sources; `./` permits the modules that come with their caller. None: any.
    pub modules: Option<Vec<String>>,
    /// Patterns of permitted providers; `*` stands for any text inside a part. None: any.
    pub providers: Option<Vec<String>>,
}

/// Checks modules, each with the name people know it by.
pub fn gate(modules: &[(String, Module)], gates: &Gates) -> Problems {
    let mut problems = Problems::default();
    for (label, module) in modules {
        for finding in &module.backends {
            problems.push(
                at(&finding.origin, FailureReason::InvalidDocument, format!("{} in {}", finding.what, named(label)))
                    .note("a plugin's state is kept where its environment says")
                    .help("remove the block"),
            );
        }
        if !gates.local_exec {
            problems.extend(programs(label, module));
        }
        if let Some(allowed) = &gates.modules {
            let denied = module.calls.iter().filter(|call| !module_allowed(call.source.as_deref(), allowed));
            denied.for_each(|call| problems.push(module_denied(label, call, allowed)));
        }
        if let Some(allowed) = &gates.providers {
            problems.extend(providers(label, module, allowed));
        }
    }
    problems
}

fn at(origin: &Origin, reason: FailureReason, message: String) -> Diagnostic {
    Diagnostic { origin: Some(origin.clone()), ..Diagnostic::error(reason, message) }
}

fn named(label: &str) -> String {
    if label.is_empty() || label == "." { "the plugin's module".to_owned() } else { format!("module `{label}`") }
}

fn programs(label: &str, module: &Module) -> Problems {
    let denied = module.programs.iter().map(|finding| {
        let message = format!("{} in {} would run on the runner, which is not allowed", finding.what, named(label));
        at(&finding.origin, FailureReason::LocalExecDenied, message)
            .help("remove it, or allow it both with the input `allow-local-exec` and in the `ceilings` of `context.yaml`")
    });
    Problems(denied.collect())
}

fn module_denied(label: &str, call: &ModuleCall, allowed: &[String]) -> Diagnostic {
    let source = call.source.as_deref().map_or("is not a plain text".to_owned(), |source| format!("`{source}` is not allowed"));
    let message = format!("the source of module `{}` in {} {source}", call.name, named(label));
    at(&call.origin, FailureReason::ModuleDenied, message)
        .note(allowed_list(allowed))
        .help("use an allowed source, or ask for it in the `ceilings` of `context.yaml`")
}

fn allowed_list(allowed: &[String]) -> String {
    if allowed.is_empty() { "allowed: none".to_owned() } else { format!("allowed: `{}`", allowed.join("`, `")) }
}

/// A source passes by a prefix that ends where a part of its path does. Way back (`..`) in a remote source would leave the prefix
/// again, so it never passes.
fn module_allowed(source: Option<&str>, allowed: &[String]) -> bool {
    let Some(source) = source else { return false };
    if is_local(source) {
        return allowed.iter().any(|prefix| prefix == "./" || prefix == ".");
    }
    let decoded = percent_encoding::percent_decode_str(source).decode_utf8_lossy();
    if decoded.contains('\\') || decoded.split(['/', ':', '?']).any(|part| part == "..") {
        return false;
    }
    allowed.iter().filter(|prefix| !prefix.is_empty()).any(|prefix| {
        source
            .strip_prefix(prefix.as_str())
            .is_some_and(|rest| prefix.ends_with(['/', ':']) || rest.is_empty() || rest.starts_with(['/', '?']))
    })
}

/// Whether a prefix of sources lies within these prefixes.
pub fn allows_module(prefix: &str, allowed: &[String]) -> bool {
    module_allowed(Some(prefix), allowed)
}

fn providers(label: &str, module: &Module, allowed: &[String]) -> Problems {
    let denied = module.providers.iter().filter_map(|(local, provider)| {
        let source = module.provider_source(local);
        let passes = source == BUILTIN_PROVIDER || allowed.iter().any(|pattern| provider_matches(pattern, &source));
        (!passes).then(|| {
            let message = format!("the provider `{source}` of {} is not allowed", named(label));
            at(&provider.origin, FailureReason::ModuleDenied, message)
                .note(allowed_list(allowed))
                .help("use an allowed provider, or ask for it in the `ceilings` of `context.yaml`")
        })
    });
    Problems(denied.collect())
}

/// Whether a provider may be used, by its full address: that of a public registry is what stands behind the registry's name.
pub fn allows_provider(gates: &Gates, address: &str) -> bool {
    let Some(allowed) = &gates.providers else { return true };
    let public = ["registry.terraform.io/", "registry.opentofu.org/"];
    let source = public.iter().find_map(|registry| address.strip_prefix(registry)).unwrap_or(address);
    source == BUILTIN_PROVIDER || allowed.iter().any(|pattern| provider_matches(pattern, source))
}

/// Part by part, so that a pattern without a host never takes a source that has one.
fn provider_matches(pattern: &str, source: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let (pattern, source): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), source.split('/').collect());
    pattern == ["*"]
        || pattern.len() == source.len() && pattern.iter().zip(&source).all(|(pattern, part)| part_matches(pattern, part))
}

/// `*` stands for any text. The pieces between are looked for from the left, the last one at the end.
fn part_matches(pattern: &str, text: &str) -> bool {
    let Some((first, pieces)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}
