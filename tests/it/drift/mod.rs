//! What changed outside of Terraform, seen without changing anything, and the issues about it.
//!
//! The only provider that is always there knows nothing outside of its state. So what Terraform sees is said by a script in front of the
//! real binary; the acceptance test with AWS changes real things.

mod issues;
mod seen;

use serde_json::{Value, json};

use crate::harness::{Project, Ran};

impl Project {
    /// `drift` of `retail/staging`; it must change neither ledger nor claims.
    fn drift(&self, arguments: &[&str]) -> Ran {
        let before = self.context_refs();
        let ran = self.run(&[&["drift", "-w", "retail", "-e", "staging"], arguments].concat());
        assert_eq!(before, self.context_refs(), "a look changes nothing");
        ran
    }

    /// Has Terraform see that resources of an applied plugin changed: each with its address, the action, and what it was and is.
    fn has_drifted(&mut self, alias: &str, changes: &[(&str, &str, Value)]) {
        let address = |resource: &str| format!("module.plugin.{resource}");
        let event = |(resource, action, _): &(&str, &str, Value)| {
            let change = json!({"resource": {"addr": address(resource)}, "action": action});
            json!({"@level": "info", "@message": "", "type": "resource_drift", "change": change}).to_string()
        };
        let shown = |(resource, _, change): &(&str, &str, Value)| json!({"address": address(resource), "change": change});
        let events: Vec<String> = changes.iter().map(event).collect();
        let plan = json!({"resource_drift": changes.iter().map(shown).collect::<Vec<_>>()});
        self.write(".drift/events", &(events.join("\n") + "\n"));
        self.write(".drift/plan", &plan.to_string());
        let folder = self.path(".drift").display().to_string();
        self.wrap_terraform(&format!(
            "case \"$1 $PWD\" in\n\
             \"plan \"*/{alias}) terraform \"$@\" | sed '/change_summary/r {folder}/events'; exit 2;;\n\
             \"show \"*/{alias}) cat '{folder}/plan'; exit 0;;\n\
             esac\n"
        ));
    }

    /// Has Terraform see all as it was applied again.
    fn has_settled(&mut self) {
        self.wrap_terraform("");
    }
}
