//! The rules of a manifest.

use std::collections::BTreeSet;

use serde_json::Value;

use super::view::{View, overlay_at};
use super::{Document, check_environment_name, check_lifetime, unknown};
use crate::documents::Kind;
use crate::documents::finding::{Finding, listed};
use crate::domain::address::IMPORTED;
use crate::domain::diagnostic::Pointer;
use crate::domain::manifest::{Manifest, PreviewPart};
use crate::domain::names::{AttributeName, OutputName};

impl Document for Manifest {
    const KIND: Kind = Kind::Manifest;

    fn findings(&self, _file: &str, value: &Value) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.name.as_str() == IMPORTED {
            let message =
                format!("`{IMPORTED}` cannot be the name of a deployable: addresses of imported connections have it there");
            findings.push(Finding::new(Pointer::keys(["name"]), message).help("choose another name"));
        }
        let environment = self.environment.iter().map(|name| (name, Pointer::keys(["environment"])));
        let overlays = self.environments.keys().map(|name| (name, overlay_at(name.as_str()).at_key()));
        findings.extend(environment.chain(overlays).filter_map(|(name, at)| check_environment_name(name, at)));

        let base = View::base(self, value);
        base.check_wiring(&mut findings);
        let cycles = base.cycles();
        findings.extend(cycles.iter().map(|cycle| base.cycle_finding(cycle)));
        for view in View::overlays(self, &base) {
            view.check_overlay(&mut findings);
            findings.extend(view.cycles().iter().filter(|cycle| !cycles.contains(cycle)).map(|cycle| view.cycle_finding(cycle)));
        }
        findings.extend(self.preview.iter().flat_map(|preview| check_preview(preview, &base.aliases)));
        findings
    }
}

fn check_preview(preview: &PreviewPart, aliases: &BTreeSet<&str>) -> Vec<Finding> {
    let at = |field: &str| Pointer::keys(["preview", field]);
    let mut findings: Vec<Finding> = check_environment_name(&preview.base, at("base")).into_iter().collect();
    findings.extend(check_lifetime(preview.ttl.as_deref(), at("ttl")));
    if let Some(url) = &preview.url {
        let parts: Vec<&str> = url.split('.').collect();
        match parts.as_slice() {
            [alias, output, attribute] if OutputName::new(*output).is_ok() && AttributeName::new(*attribute).is_ok() => {
                if !aliases.contains(alias) && !preview.plugins.contains_key(*alias) {
                    findings.push(unknown(at("url"), "applied plugin", alias, aliases));
                }
            }
            _ => findings.push(
                Finding::new(at("url"), format!("`{url}` is not an attribute of an output"))
                    .help(format!("write `alias.output.attribute`; the aliases are {}", listed(aliases.iter().copied()))),
            ),
        }
    }
    findings
}
