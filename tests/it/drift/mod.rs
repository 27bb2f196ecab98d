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

    /// Has Terraform see that resources of an applied plugin changed: each with its address, the action, and what it was and is. A
    /// deploy would take it back, unless the action is `notice`.
    fn has_drifted(&mut self, alias: &str, changes: &[(&str, &str, Value)]) {
        let address = |resource: &str| format!("module.plugin.{resource}");
        let events = |kind: &str, word: &dyn Fn(&str) -> Option<String>| -> String {
            let event = |(resource, action, _): &(&str, &str, Value)| {
                let change = json!({"resource": {"addr": address(resource)}, "action": word(action)?});
                Some(json!({"@level": "info", "@message": "", "type": kind, "change": change}).to_string() + "\n")
            };
            changes.iter().filter_map(event).collect()
        };
        let seen = |action: &str| Some(if action == "delete" { "delete" } else { "update" }.to_owned());
        let planned =
            |action: &str| Some(if action == "delete" { "create" } else { "update" }.to_owned()).filter(|_| action != "notice");
        let shown = |(resource, _, change): &(&str, &str, Value)| json!({"address": address(resource), "change": change});
        let plan = json!({"resource_drift": changes.iter().map(shown).collect::<Vec<_>>()});
        self.write(".drift/drift", &events("resource_drift", &seen));
        self.write(".drift/changes", &events("planned_change", &planned));
        self.write(".drift/plan", &plan.to_string());
        let folder = self.path(".drift").display().to_string();
        self.wrap_terraform(&format!(
            "case \"$1 $PWD $*\" in\n\
             \"plan \"*/{alias}\" \"*-refresh-only*) terraform \"$@\" | sed '/change_summary/r {folder}/drift'; exit 2;;\n\
             \"plan \"*/{alias}\" \"*) terraform \"$@\" | sed '/change_summary/r {folder}/changes'; exit 2;;\n\
             \"show \"*/{alias}\" \"*) cat '{folder}/plan'; exit 0;;\n\
             esac\n"
        ));
    }

    /// Has Terraform see all as it was applied again.
    fn has_settled(&mut self) {
        self.wrap_terraform("");
    }
}
