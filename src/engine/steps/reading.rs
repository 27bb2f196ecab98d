//! A producer's secret, read out of its Terraform state for a step. The root module says where the state is and nothing else; what
//! Terraform prints of it stays in memory.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::account::Account;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::organization::BackendKind;
use crate::engine::Engine;
use crate::engine::identity::state_role;
use crate::engine::out_of_reach::supply;
use crate::engine::root::unwritable;
use crate::render::{self, SensitiveSource, backend, names};
use crate::terraform::{self, ProviderNeeds, Root};

/// The folder, in the run's own, of the root modules that states are read with. No alias begins with a dot.
const FOLDER: &str = ".states";

/// Reads states for the steps of an applied plugin, each once.
pub(super) struct Reader<'a> {
    engine: &'a Engine,
    alias: &'a Alias,
    account: Option<&'a Account>,
    read: BTreeMap<String, BTreeMap<String, Value>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(engine: &'a Engine, alias: &'a Alias, account: Option<&'a Account>) -> Self {
        Self { engine, alias, account, read: BTreeMap::new() }
    }

    /// The value of an attribute that is in a state; null where the state has none. `named` is what people call it.
    pub(super) async fn read(&mut self, source: &SensitiveSource, attribute: &str, named: &str) -> Result<Value, Problems> {
        let Some(state) = render::state_name(source, self.engine.local_base.as_deref())? else { return Ok(Value::Null) };
        if !self.read.contains_key(&state) {
            let outputs = self.outputs(source, &state).await.map_err(|problems| self.unread(problems, named))?;
            self.read.insert(state.clone(), outputs);
        }
        let outputs = &self.read[&state];
        let value = match source {
            SensitiveSource::State { output, face, .. } => {
                outputs.get(&names::sensitive_output(output, *face)).and_then(|object| object.get(attribute))
            }
            SensitiveSource::ForeignState { output, .. } => outputs.get(output),
            _ => None,
        };
        value.filter(|value| !value.is_null()).cloned().ok_or_else(|| {
            let message = format!("the state that `{named}` is in does not have it");
            let missing = Diagnostic::error(FailureReason::StateMissing, message).help("deploy its producer again");
            self.unread(missing.into(), named)
        })
    }

    async fn outputs(&self, source: &SensitiveSource, state: &str) -> Result<BTreeMap<String, Value>, Problems> {
        let Self { engine, alias, account, .. } = self;
        let roles = engine.roles(alias, *account).await?;
        let (role, base) = (state_role(roles.as_ref()), engine.local_base.as_deref());
        let (kind, main) = match source {
            SensitiveSource::State { location, .. } => (location.backend.kind, backend::root(location, base, role)?),
            SensitiveSource::ForeignState { backend, .. } => (backend.kind, backend::foreign_root(backend, base, role)?),
            _ => return Ok(BTreeMap::new()),
        };
        let directory = engine.folder.join(FOLDER).join(format!("{alias}-{state}"));
        let file = directory.join("main.tf.json");
        engine.world.files.write_private(&file, &main).map_err(|problem| unwritable(&file, &problem))?;
        let environment = engine.hand_over_roles(roles.as_ref(), &directory)?;
        let root = Root { directory, environment, variable_file: None, providers: ProviderNeeds::new() };
        // As for every other init: in a fresh database side by side all but one fail.
        let _alone = if kind == BackendKind::Pg { Some(engine.alone.lock().await) } else { None };
        let quiet = |_: terraform::Event| {};
        engine.terraform.init(&root, &quiet, &engine.cancel).await.map_err(|failure| engine.explain(alias, failure))?;
        engine.terraform.outputs(&root, &engine.cancel).await.map_err(|failure| engine.explain(alias, failure))
    }

    fn unread(&self, mut problems: Problems, named: &str) -> Problems {
        if let Some(first) = problems.0.first_mut() {
            first.notes.push(format!("a step of `{}` takes `{named}`", self.alias));
            if self.engine.removed.contains_key(self.alias) {
                let supply = supply([&named.to_owned()]);
                first.help.push(format!("if that state is out of reach for good, give what it held as `secrets`: {supply}"));
            }
        }
        self.engine.at_alias(self.alias, problems)
    }
}
