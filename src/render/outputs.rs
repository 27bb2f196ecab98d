//! What the root module publishes of the plugin's module.

use serde_json::{Map, Value, json};

use super::{Request, names};
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{AttributeName, OutputName};

/// The outputs, and the `terraform_data` resources behind the sensitive revisions.
#[derive(Default)]
pub(super) struct Published {
    pub(super) outputs: Map<String, Value>,
    pub(super) revisions: Map<String, Value>,
}

impl Published {
    /// Everything that the plugin's outputs ask for.
    pub(super) fn of(request: &Request<'_>, problems: &mut Problems) -> Self {
        let mut published = Self::default();
        for (output, faces) in request.outputs {
            let mut triggers = Vec::new();
            for (position, face) in faces.iter().enumerate() {
                published.face(request, (output, position), face, &mut triggers, problems);
            }
            if !triggers.is_empty() {
                published.revision(output, &triggers);
            }
        }
        published
    }

    fn face(
        &mut self,
        request: &Request<'_>,
        (output, position): (&OutputName, usize),
        face: &PublishedFace,
        triggers: &mut Vec<Value>,
        problems: &mut Problems,
    ) {
        let secret = face.connection_type.sensitive();
        let (mut public, mut sensitive, mut present) = (Map::new(), Map::new(), Map::new());
        // What a step left is published by the run: Terraform has not made it.
        for (attribute, name) in face.from.iter().filter(|(_, name)| request.plugin.step_output(name).is_none()) {
            let Some(expression) = names::module_output(name) else {
                problems.push(not_an_output(output, attribute, name));
                continue;
            };
            if secret.contains(attribute) {
                let value = format!("sensitive({expression})");
                present.insert(attribute.to_string(), json!(format!("${{nonsensitive({value} != null)}}")));
                triggers.push(json!(format!("${{{value}}}")));
                sensitive.insert(attribute.to_string(), json!(format!("${{{value}}}")));
            } else {
                public.insert(attribute.to_string(), json!(format!("${{{expression}}}")));
            }
        }
        self.outputs.insert(names::public_output(output, position), json!({"value": public}));
        if !sensitive.is_empty() {
            self.outputs.insert(names::sensitive_output(output, position), json!({"value": sensitive, "sensitive": true}));
            self.outputs.insert(names::presence_output(output, position), json!({"value": present}));
        }
    }

    fn revision(&mut self, output: &OutputName, triggers: &[Value]) {
        let resource = names::revision_resource(output);
        self.outputs.insert(names::revision_output(output), json!({"value": format!("${{terraform_data.{resource}.id}}")}));
        self.revisions.insert(resource, json!({"triggers_replace": triggers}));
    }
}

fn not_an_output(output: &OutputName, attribute: &AttributeName, name: &str) -> Diagnostic {
    Diagnostic::error(
        FailureReason::InvalidDocument,
        format!("attribute `{attribute}` of output `{output}` comes from `{name}`, which is not the name of a Terraform output"),
    )
    .help("write the name of one of the module's outputs")
}
