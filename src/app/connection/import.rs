//! `tieline connection import`: a connection to something that Tieline does not manage, as a document (R48).

use std::collections::BTreeSet;

use semver::Version;
use serde_json::{Map, Value};

use crate::app::proposal::{Documents, Proposal};
use crate::app::session::Session;
use crate::context::{Change, layout};
use crate::documents;
use crate::domain::connection_type::TypeRef;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{EnvironmentName, ImportedName, InvalidName, TypeName, WorkspaceName};
use crate::request::cli::Import;
use crate::resolve::{self, Types};
use crate::secrets::Secret;

/// Runs the command.
pub(super) async fn run(session: &Session, import: &Import) -> Result<(), Problems> {
    let attributes = mapping("attributes", &import.attributes)?;
    let sensitive = mapping("sensitive", &import.sensitive)?;
    learn_literals(session, &sensitive)?;
    let (workspace, environment, name) = place(import)?;
    let target = &import.target;
    let folder = session.folder(target.working_directory.as_deref());
    let opened = session.open_context(&target.context, &folder, &folder).await?;
    let documents = Documents::newest(session, &opened, &target.context).await?;
    let types = documents.types().await?;
    let (type_name, version) = version_of(&types, &import.type_ref)?;
    let own = types.versions(&type_name).iter().find(|one| one.version == version);
    let secret: BTreeSet<_> = own.map(|one| one.sensitive()).unwrap_or_default();
    secret.iter().filter_map(|name| attributes.get(name.as_str())).for_each(|value| learn_leaves(session, value));
    let fields = Map::from_iter([
        ("apiVersion".to_owned(), "tieline/v1".into()),
        ("kind".to_owned(), "ImportedConnection".into()),
        ("name".to_owned(), name.as_str().into()),
        ("type".to_owned(), type_name.as_str().into()),
        ("version".to_owned(), version.to_string().into()),
        ("attributes".to_owned(), attributes.into()),
        ("sensitive".to_owned(), sensitive.into()),
    ]);
    let path = layout::imported(&workspace, &environment, &name);
    let text = documents::write_imported(&fields);
    session.remember(&path, text.as_bytes());
    let connection = documents::imported(&path, text.as_bytes())?;
    let shortcomings = resolve::imported_shortcomings(&connection, &types);
    if !shortcomings.is_empty() {
        let misfit = |why| invalid(format!("`{name}` does not fit `{type_name}` {version}: {why}"));
        return Err(Problems(shortcomings.into_iter().map(misfit).collect()));
    }
    let title = format!("import the connection `{workspace}/{environment}/imported/{name}` of type `{type_name}` {version}");
    let before = opened.store.read(&documents.head, std::slice::from_ref(&path)).await?.remove(&path);
    match before.map(|before| documents::imported(&crate::app::context_file(&path), &before)) {
        None => {}
        Some(Ok(before)) if before == connection => {
            documents.nothing_to_do(title);
            return Ok(());
        }
        Some(_) => {
            let message = format!(
                "there is an imported connection `{name}` in `{workspace}/{environment}` already, and it says something else"
            );
            let help = format!("change `{path}` in the context repository; `tieline context review` shows whom that concerns");
            return Err(invalid(message).help(help).into());
        }
    }
    let changes = [(path, Change::write(text.clone()))].into();
    let slug = format!("import-{workspace}-{environment}-{name}");
    documents.put(Proposal { slug, identity: format!("{title}\n{text}"), title, affected: Vec::new(), changes }).await
}

impl Documents<'_> {
    /// The types of the context, and their other names.
    async fn types(&self) -> Result<Types, Problems> {
        let (session, store) = (self.session, &*self.opened.store);
        let mut listed = store.list(&self.head, &[layout::TYPES.to_owned()]).await?;
        let files = listed.remove(layout::TYPES).unwrap_or_default().into_iter().map(|file| file.path);
        let paths: Vec<String> = files.filter(|path| path.ends_with(".yaml")).collect();
        let types = session.context_documents(store, &self.head, &paths, documents::connection_type).await?;
        let catalog = session.context_document(store, &self.head, layout::CATALOG, documents::catalog).await?;
        Ok(Types::new(types.into_values(), catalog.map(|catalog| catalog.type_aliases).unwrap_or_default()))
    }
}

/// The version that is meant: the newest that fits what is written.
fn version_of(types: &Types, written: &str) -> Result<(TypeName, Version), Problems> {
    let wanted: TypeRef = written.parse().map_err(|problem| invalid(format!("`{written}` is not a type: {problem}")))?;
    let found = types.newest(&wanted).ok_or_else(|| {
        let problem = invalid(format!("there is no connection interface type `{written}` in the context"));
        let versions: Vec<String> = types.versions(&wanted.name).iter().map(|one| one.version.to_string()).collect();
        if versions.is_empty() {
            problem.note(format!("there are {}", types.names().collect::<Vec<_>>().join(", ")))
        } else {
            problem.note(format!("its versions are {}", versions.join(", ")))
        }
    })?;
    Ok((found.name.clone(), found.version.clone()))
}

/// Takes note of what stands where only references belong, before anything can show it, and refuses it.
fn learn_literals(session: &Session, sensitive: &Map<String, Value>) -> Result<(), Problems> {
    let mut problems = Problems::default();
    for (name, value) in sensitive {
        if !is_reference(value) {
            learn_leaves(session, value);
            let message = format!("the sensitive attribute `{name}` is not a reference to where its value is");
            problems.push(
                invalid(message)
                    .note("a document holds no secrets, and a command line can be read by others on the machine: if this was one, revoke it")
                    .help(format!("write one of `{{{name}: {{env: <variable of the run>}}}}`, `state` or `sealed`")),
            );
        }
    }
    if problems.any_error() { Err(problems) } else { Ok(()) }
}

/// Whether it is of the form of a reference, and cannot be the secret itself.
fn is_reference(value: &Value) -> bool {
    let is_variable = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let mut ways = value.as_object().into_iter().flatten();
    match (ways.next(), ways.next()) {
        (Some((way, at)), None) => match way.as_str() {
            "state" => at.is_object(),
            "sealed" => at.as_str().is_some_and(|text| text.contains("age")),
            "env" => at.as_str().is_some_and(is_variable),
            _ => false,
        },
        _ => false,
    }
}

fn learn_leaves(session: &Session, value: &Value) {
    match value {
        Value::Array(parts) => parts.iter().for_each(|part| learn_leaves(session, part)),
        Value::Object(parts) => parts.values().for_each(|part| learn_leaves(session, part)),
        Value::String(text) => session.learn(&Secret::new(text.clone())),
        Value::Number(number) => session.learn(&Secret::new(number.to_string())),
        Value::Null | Value::Bool(_) => {}
    }
}

fn place(import: &Import) -> Result<(WorkspaceName, EnvironmentName, ImportedName), Problems> {
    let wrong = |problem: InvalidName| invalid(problem.to_string());
    let workspace = WorkspaceName::new(&import.workspace).map_err(wrong)?;
    let environment = EnvironmentName::new(&import.environment).map_err(wrong)?;
    Ok((workspace, environment, ImportedName::new(&import.name).map_err(wrong)?))
}

/// An argument that is a YAML mapping. What is wrong with it is said without its text, in which secrets may be.
fn mapping(name: &str, text: &str) -> Result<Map<String, Value>, Problems> {
    serde_yaml::from_str(text).map_err(|_| invalid(format!("`{name}` must be a YAML mapping")).into())
}

fn invalid(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(FailureReason::InvalidInput, message)
}
