//! Every path of the context repository, and the way back from a path of the ledger to what it names.

use std::str::FromStr;

use semver::Version;

use crate::domain::address::{Address, AliasMember, IMPORTED, Place, Target};
use crate::domain::fleet::PartName;
use crate::domain::names::{
    Alias, DeployableName, Digest, EnvironmentName, ImportedName, OutputName, RunId, SlotName, TypeName, WorkspaceName,
};

/// Where claims are unless `context.yaml` says otherwise.
pub const CLAIMS_PREFIX: &str = "refs/tieline/claims/";

/// The one file of a claim's commits.
pub const CLAIM: &str = "claim.json";

/// What holds for the whole organization.
pub const CONTEXT_DOCUMENT: &str = "context.yaml";

/// Plugin names and where they come from.
pub const CATALOG: &str = "catalog.yaml";

/// The folder of all connection interface types.
pub const TYPES: &str = "types";

/// The folder of all policies.
pub const POLICIES: &str = "policies";

/// Whether a path of the documents branch is a policy's. Tests of policies, which `opa test` runs, stand beside them.
pub fn is_policy(path: &str) -> bool {
    path.strip_prefix(POLICIES).is_some_and(|rest| rest.starts_with('/'))
        && path.strip_suffix(".rego").is_some_and(|stem| !stem.ends_with("_test"))
}

/// The folder of all workspaces' documents.
pub const WORKSPACES: &str = "workspaces";

/// The ledger's folder of plugin trees.
pub const PLUGINS: &str = "plugins";

/// A version of a connection interface type. A `/` in its name makes a folder.
pub fn connection_type(name: &TypeName, version: &Version) -> String {
    format!("{TYPES}/{name}/{version}.yaml")
}

/// The folder with the versions of a connection interface type. Below it may be folders of other types.
pub fn types_folder(name: &TypeName) -> String {
    format!("{TYPES}/{name}")
}

/// Which version of which type a path of the documents branch names.
pub fn parse_connection_type(path: &str) -> Option<(TypeName, Version)> {
    let (name, file) = path.strip_prefix(TYPES)?.strip_prefix('/')?.rsplit_once('/')?;
    Some((name.parse().ok()?, file.strip_suffix(".yaml")?.parse().ok()?))
}

/// A workspace's document.
pub fn workspace(workspace: &WorkspaceName) -> String {
    format!("{WORKSPACES}/{workspace}/workspace.yaml")
}

/// An environment's document.
pub fn environment(workspace: &WorkspaceName, environment: &EnvironmentName) -> String {
    format!("{WORKSPACES}/{workspace}/environments/{environment}.yaml")
}

/// The folder of a workspace's environment documents.
pub fn environments_folder(workspace: &WorkspaceName) -> String {
    format!("{WORKSPACES}/{workspace}/environments")
}

/// An imported connection's document.
pub fn imported(workspace: &WorkspaceName, environment: &EnvironmentName, name: &ImportedName) -> String {
    format!("{}/{name}.yaml", imported_folder(workspace, environment))
}

/// The folder of an environment's imported connections.
pub fn imported_folder(workspace: &WorkspaceName, environment: &EnvironmentName) -> String {
    format!("{WORKSPACES}/{workspace}/imported/{environment}")
}

/// What a preview was made from, on the ledger.
pub fn preview(workspace: &WorkspaceName, environment: &EnvironmentName) -> String {
    format!("{workspace}/{environment}/environment.json")
}

/// The folder with everything the ledger knows of an environment.
pub fn environment_folder(workspace: &WorkspaceName, environment: &EnvironmentName) -> String {
    format!("{workspace}/{environment}")
}

/// The folder with everything the ledger knows of a deployable in an environment.
pub fn place_folder(place: &Place) -> String {
    place.to_string()
}

/// An applied record.
pub fn applied(place: &Place, alias: &Alias) -> String {
    format!("{}/{alias}.json", applied_folder(place))
}

/// The folder of a place's applied records.
pub fn applied_folder(place: &Place) -> String {
    format!("{place}/applied")
}

/// A connection record; none for an imported connection, which is a document.
pub fn connection(address: &Address) -> Option<String> {
    match &address.target {
        Target::Output { alias, output, .. } => {
            Some(format!("{}/{alias}.{output}.json", connections_folder(&address.producer()?)))
        }
        Target::Imported(_) => None,
    }
}

/// The folder of a place's connection records.
pub fn connections_folder(place: &Place) -> String {
    format!("{place}/connections")
}

/// The folder with an entry for each consumer of a connection. Imported connections have consumers too.
pub fn consumers_folder(address: &Address) -> String {
    let Address { workspace, environment, target } = address;
    match target {
        Target::Output { deployable, alias, output } => {
            format!("{workspace}/{environment}/{deployable}/consumers/{alias}.{output}")
        }
        Target::Imported(name) => format!("{workspace}/{environment}/{IMPORTED}/consumers/{name}"),
    }
}

/// The entry of one consumer: the slot `slot` of `alias` at `consumer`.
pub fn consumer_entry(address: &Address, consumer: &Place, alias: &Alias, slot: &SlotName) -> String {
    let Place { workspace, environment, deployable } = consumer;
    format!("{}/{workspace}~{environment}~{deployable}~{alias}.{slot}.json", consumers_folder(address))
}

/// A release.
pub fn release(place: &Place, run: &RunId) -> String {
    format!("{}/{run}.json", releases_folder(place))
}

/// The folder of a place's releases.
pub fn releases_folder(place: &Place) -> String {
    format!("{place}/releases")
}

/// A run record.
pub fn run(place: &Place, run: &RunId) -> String {
    format!("{}/{run}.json", runs_folder(place))
}

/// The folder of a place's run records.
pub fn runs_folder(place: &Place) -> String {
    format!("{place}/runs")
}

/// Whose runs write a file of the ledger, and nobody else's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Writer {
    /// Those of a place.
    Place(Place),
    /// Those of the repository that a preview is of.
    Preview(WorkspaceName, EnvironmentName),
}

impl Writer {
    /// The workspace that its files are in.
    pub fn workspace(&self) -> &WorkspaceName {
        match self {
            Self::Place(place) => &place.workspace,
            Self::Preview(workspace, _) => workspace,
        }
    }

    /// The place, if it is one.
    pub fn place(self) -> Option<Place> {
        match self {
            Self::Place(place) => Some(place),
            Self::Preview(..) => None,
        }
    }
}

impl std::fmt::Display for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Place(place) => write!(f, "{place}"),
            Self::Preview(workspace, environment) => write!(f, "{workspace}/{environment}"),
        }
    }
}

/// The proof of who wrote files.
pub fn proof(writer: &Writer, id: &Digest) -> String {
    format!("{writer}/proofs/{id}.json")
}

/// Who writes a file of the ledger, and nobody else; none for what nobody has to himself: trees of plugins, which are named after their
/// content, and proofs, which prove themselves.
pub fn writer(path: &str) -> Option<Writer> {
    match LedgerFile::parse(path)? {
        LedgerFile::Applied(place, _)
        | LedgerFile::Consumer(_, place, _)
        | LedgerFile::Release(place, _)
        | LedgerFile::Run(place, _)
        | LedgerFile::Moved(place, _) => Some(Writer::Place(place)),
        LedgerFile::Connection(address) => address.producer().map(Writer::Place),
        LedgerFile::Preview(workspace, environment) => Some(Writer::Preview(workspace, environment)),
        LedgerFile::Proof(..) | LedgerFile::Plugin(_) => None,
    }
}

/// Where a deployable went.
pub fn moved(place: &Place) -> String {
    format!("{place}/moved.json")
}

/// Where an applied plugin went within its deployable.
pub fn moved_alias(place: &Place, alias: &Alias) -> String {
    format!("{place}/moved/{alias}.json")
}

/// The folder of an applied plugin's tree. A workspace named `plugins` does not get in its way: a digest is longer than the name
/// of an environment may be.
pub fn plugin_tree(digest: &Digest) -> String {
    format!("{PLUGINS}/{digest}")
}

/// The ref of the claim of a place, below `prefix`.
pub fn claim(prefix: &str, place: &Place) -> String {
    format!("{prefix}{place}")
}

/// What the refs of a fleet's journals start with, below `prefix`. A run's id is no name of an environment, so none of them is a claim's.
pub fn parts(prefix: &str, fleet: &RunId) -> String {
    format!("{prefix}fleet/{fleet}/")
}

/// The ref of the journal of one of a fleet's jobs, below `prefix`.
pub fn part(prefix: &str, part: &PartName) -> String {
    format!("{}{}", parts(prefix, &part.fleet), part.alias)
}

/// The alias that the journal of a fleet's job is named after, whose ref this is.
pub fn parse_part(prefix: &str, fleet: &RunId, reference: &str) -> Option<Alias> {
    reference.strip_prefix(&parts(prefix, fleet))?.parse().ok()
}

/// The place whose claim a ref below `prefix` is.
pub fn parse_claim(prefix: &str, reference: &str) -> Option<Place> {
    match *reference.strip_prefix(prefix)?.split('/').collect::<Vec<_>>() {
        [workspace, environment, deployable] => parse_place(workspace, environment, deployable),
        _ => None,
    }
}

/// What a file of the ledger is, read off its path. Ids and digests are left as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerFile<'a> {
    /// What a preview was made from.
    Preview(WorkspaceName, EnvironmentName),
    /// An applied record.
    Applied(Place, Alias),
    /// A connection record.
    Connection(Address),
    /// A consumer's entry: the connection, the consumer, its applied plugin and slot.
    Consumer(Address, Place, AliasMember<SlotName>),
    /// A release, by its run.
    Release(Place, &'a str),
    /// A run record.
    Run(Place, &'a str),
    /// A proof of who wrote files.
    Proof(Writer, &'a str),
    /// Where a deployable went; with an alias, where its applied plugin did.
    Moved(Place, Option<Alias>),
    /// A file of the plugin tree with this digest.
    Plugin(&'a str),
}

impl<'a> LedgerFile<'a> {
    /// Reads a path; none for what no run writes.
    pub fn parse(path: &'a str) -> Option<Self> {
        match *path.split('/').collect::<Vec<_>>() {
            [PLUGINS, digest, _, ..] if digest.len() == 64 => Some(Self::Plugin(digest)),
            [workspace, environment, "environment.json"] => {
                Some(Self::Preview(workspace.parse().ok()?, environment.parse().ok()?))
            }
            [workspace, environment, "proofs", file] if file != "moved.json" => {
                let writer = Writer::Preview(workspace.parse().ok()?, environment.parse().ok()?);
                Some(Self::Proof(writer, file.strip_suffix(".json")?))
            }
            [workspace, environment, deployable, "moved.json"] => {
                Some(Self::Moved(parse_place(workspace, environment, deployable)?, None))
            }
            [workspace, environment, deployable, folder, file] => {
                Self::parse_record(parse_place(workspace, environment, deployable)?, folder, file.strip_suffix(".json")?)
            }
            [workspace, environment, deployable, "consumers", connection, file] => {
                let address = format!("{workspace}/{environment}/{deployable}/{connection}").parse().ok()?;
                let (consumer, slot) = parse_consumer(file.strip_suffix(".json")?)?;
                Some(Self::Consumer(address, consumer, slot))
            }
            _ => None,
        }
    }

    fn parse_record(place: Place, folder: &str, name: &'a str) -> Option<Self> {
        match folder {
            "applied" => Some(Self::Applied(place, name.parse().ok()?)),
            "connections" => {
                let output = AliasMember::<OutputName>::from_str(name).ok()?;
                Some(Self::Connection(place.output(&output.alias, &output.member)))
            }
            "releases" => Some(Self::Release(place, name)),
            "runs" => Some(Self::Run(place, name)),
            "proofs" => Some(Self::Proof(Writer::Place(place), name)),
            "moved" => Some(Self::Moved(place, Some(name.parse().ok()?))),
            _ => None,
        }
    }
}

fn parse_consumer(name: &str) -> Option<(Place, AliasMember<SlotName>)> {
    match *name.split('~').collect::<Vec<_>>() {
        [workspace, environment, deployable, slot] => {
            Some((parse_place(workspace, environment, deployable)?, slot.parse().ok()?))
        }
        _ => None,
    }
}

fn parse_place(workspace: &str, environment: &str, deployable: &str) -> Option<Place> {
    let deployable = DeployableName::new(deployable).ok().filter(|name| name.as_str() != IMPORTED)?;
    Some(Place { workspace: workspace.parse().ok()?, environment: environment.parse().ok()?, deployable })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        parse_place("retail", "staging", "shop").unwrap()
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn a_path_of_the_ledger_leads_back_to_what_it_names() {
        let alias = Alias::new("db").unwrap();
        let slot: AliasMember<SlotName> = "api.cluster".parse().unwrap();
        let run_id = RunId::from_parts(1, 2);
        let connection_address = address("retail/staging/shop/db.main");
        for (path, file) in [
            (applied(&place(), &alias), LedgerFile::Applied(place(), alias)),
            (connection(&connection_address).unwrap(), LedgerFile::Connection(connection_address.clone())),
            (release(&place(), &run_id), LedgerFile::Release(place(), run_id.as_str())),
            (run(&place(), &run_id), LedgerFile::Run(place(), run_id.as_str())),
            (moved(&place()), LedgerFile::Moved(place(), None)),
            (moved_alias(&place(), &slot.alias), LedgerFile::Moved(place(), Some(slot.alias.clone()))),
            (preview(&place().workspace, &place().environment), LedgerFile::Preview(place().workspace, place().environment)),
            (
                consumer_entry(&connection_address, &place(), &slot.alias, &slot.member),
                LedgerFile::Consumer(connection_address.clone(), place(), slot.clone()),
            ),
            (
                consumer_entry(&address("retail/prod/imported/legacy"), &place(), &slot.alias, &slot.member),
                LedgerFile::Consumer(address("retail/prod/imported/legacy"), place(), slot),
            ),
        ] {
            assert_eq!(LedgerFile::parse(&path), Some(file), "{path}");
        }
        let digest = Digest::of(b"");
        for writer in [Writer::Place(place()), Writer::Preview(place().workspace, place().environment)] {
            assert_eq!(LedgerFile::parse(&proof(&writer, &digest)), Some(LedgerFile::Proof(writer, digest.as_str())));
        }
        let path = format!("{}/main.tf", plugin_tree(&digest));
        assert_eq!(LedgerFile::parse(&path), Some(LedgerFile::Plugin(digest.as_str())));
    }

    #[test]
    fn what_no_run_writes_has_no_meaning() {
        for path in
            ["README.md", "a/b/c/applied/Db.json", "a/b/c/applied/db.yaml", "a/b/imported/applied/db.json", "plugins/abc/x"]
        {
            assert_eq!(LedgerFile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn the_type_of_a_path_survives_a_nested_name() {
        for (name, path) in [("aws-vpc", "types/aws-vpc/1.2.0.yaml"), ("acme/vpc", "types/acme/vpc/1.2.0.yaml")] {
            let (name, version) = (TypeName::new(name).unwrap(), Version::new(1, 2, 0));
            assert_eq!(connection_type(&name, &version), path);
            assert_eq!(parse_connection_type(path), Some((name, version)));
        }
        assert_eq!(parse_connection_type("types/1.0.0.yaml"), None);
    }

    #[test]
    fn the_journals_of_a_fleet_are_no_claims() {
        let part_name = PartName { place: place(), fleet: RunId::from_parts(1, 2), alias: Alias::new("db").unwrap() };
        let reference = part(CLAIMS_PREFIX, &part_name);
        assert_eq!(reference, "refs/tieline/claims/fleet/00000000010000000000000002/db");
        assert_eq!(parse_claim(CLAIMS_PREFIX, &reference), None);
        assert_eq!(parse_part(CLAIMS_PREFIX, &part_name.fleet, &reference), Some(part_name.alias));
        assert_eq!(parse_part(CLAIMS_PREFIX, &RunId::from_parts(2, 2), &reference), None);
    }

    #[test]
    fn a_claim_ref_is_named_after_its_place_alone() {
        assert_eq!(claim(CLAIMS_PREFIX, &place()), "refs/tieline/claims/retail/staging/shop");
        assert_eq!(parse_claim(CLAIMS_PREFIX, "refs/tieline/claims/retail/staging/shop"), Some(place()));
        for other in ["refs/tieline/claims/retail/staging", "refs/heads/retail/staging/shop", "refs/tieline/claims/a/b/c/d"] {
            assert_eq!(parse_claim(CLAIMS_PREFIX, other), None);
        }
    }
}
