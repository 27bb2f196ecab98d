//! Types of different shapes: what a mapping of the catalog lets a slot take, and what plugins of other systems ask for.

use super::super::settled;
use super::*;
use crate::domain::foreign::Foreign;
use crate::domain::names::AttributeName;
use crate::domain::plugin::{Plugin, Uses};

const VPC: &str = "retail/staging/net/main.vpc";
const BUNDLE: &str = "retail/staging/net/bundle.vpc";

/// `acme/vpc` has all that is secret in one attribute, and `vpc-conn` nothing.
fn mixed(plugins: &str) -> Case {
    let mut case = case(plugins);
    case.add_type(
        "acme/vpc",
        "1.0.0",
        "required: [data, specs], properties: {data: {type: object, x-sensitive: true}, specs: {type: object}, note: {type: string}}",
    );
    case.type_mappings = vec![
        yaml("{from: acme/vpc, to: vpc-conn, attributes: {id: data.infrastructure.arn, region: specs.aws.region}}"),
        yaml("{from: vpc-conn, to: acme/vpc, attributes: {data: {infrastructure: {arn: id}}, specs: {aws: {region: region}}}}"),
    ];
    case.add_plugin("native", "requires: {vpc: {type: vpc-conn}}");
    case.add_plugin("bundled", "requires: {vpc: {type: acme/vpc, sensitive: [data]}}");
    case.add_plugin("bundle", "generates: {vpc: {type: acme/vpc, from: {data: data, specs: specs}}}");
    case.publish_vpc(VPC);
    publish_bundle(&mut case, BUNDLE);
    case
}

fn publish_bundle(case: &mut Case, address: &str) {
    let attributes = json!({"specs": {"aws": {"region": "there"}}});
    case.publish(address, DeployableKind::SharedInfra, ("acme/vpc", "1.0.0"), &attributes);
    case.change(address, |record| record.face.sensitive = serde_json::from_value(json!({"data": {"from": "state"}})).unwrap());
}

fn native(address: &str) -> Case {
    mixed(&format!("  app: {{use: ./native, connections: {{vpc: {address}}}}}\n"))
}

fn bundled(address: &str) -> Case {
    mixed(&format!("  app: {{use: ./bundled, connections: {{vpc: {address}}}}}\n"))
}

/// What the slot of `app` is handed: public attributes, and the names of the sensitive ones.
fn handed(case: &Case) -> (Value, Vec<String>) {
    let resolved = case.resolved();
    let slot = slot(&resolved, "app", "vpc");
    let Choice::Connection(chosen) = &slot.choice else { panic!("{:?}", slot.choice) };
    let conversion = slot.conversion.as_ref().unwrap();
    let converted = conversion.of(chosen.face());
    let sensitive = conversion.handed(&slot.slot, &converted).iter().map(AttributeName::to_string).collect();
    (serde_json::to_value(converted.attributes).unwrap(), sensitive)
}

#[test]
fn r8_a_mapping_of_the_catalog_makes_a_connection_fit_in_both_directions() {
    assert_eq!(handed(&native(BUNDLE)), (json!({"region": "there"}), vec!["id".to_owned()]));
    assert_eq!(handed(&bundled(VPC)), (json!({"specs": {"aws": {"region": "here"}}}), vec!["data".to_owned()]));
}

#[test]
fn r8_a_mapping_is_found_by_other_names_of_both_types() {
    let mut case = native(BUNDLE);
    case.type_aliases = vec![("network", "vpc-conn"), ("acme/network", "acme/vpc")];
    case.type_mappings = vec![yaml("{from: acme/network, to: network, attributes: {id: data.arn}}")];
    case.add_plugin("native", "requires: {vpc: {type: network}}");
    let resolved = case.resolved();
    assert!(slot(&resolved, "app", "vpc").conversion.is_some());
    assert_eq!(slot(&resolved, "app", "vpc").slot.type_name.as_str(), "vpc-conn");
}

#[test]
fn r8_mappings_do_not_chain() {
    let mut case = native(BUNDLE);
    case.add_type("third", "1.0.0", "properties: {id: {type: string}}");
    case.type_mappings = vec![
        yaml("{from: acme/vpc, to: third, attributes: {id: data.arn}}"),
        yaml("{from: third, to: vpc-conn, attributes: {id: id}}"),
    ];
    assert_says(&case.refused(), &["it needs a `vpc-conn`, and that is a `acme/vpc` 1.0.0"]);
}

#[test]
fn r8_a_face_of_the_very_type_comes_before_a_mapped_one() {
    let mut case = native(BUNDLE);
    let face = case.context.connections[&VPC.parse::<Address>().unwrap()].face.clone();
    case.change(BUNDLE, |record| record.also.push(face));
    let resolved = case.resolved();
    let Choice::Connection(chosen) = &slot(&resolved, "app", "vpc").choice else { panic!() };
    assert_eq!((chosen.face, &slot(&resolved, "app", "vpc").conversion), (1, &None));
}

#[test]
fn r9_a_mapped_connection_counts_as_the_newest_version_in_the_slots_range() {
    let mut case = native(BUNDLE);
    case.add_type("vpc-conn", "1.4.0", "properties: {id: {type: string}, region: {type: string}}");
    case.add_type("vpc-conn", "2.0.0", "properties: {id: {type: string}, region: {type: string}}");
    case.add_plugin("native", "requires: {vpc: {type: vpc-conn, version: ^1}}");
    let resolved = case.resolved();
    assert_eq!(slot(&resolved, "app", "vpc").conversion.as_ref().unwrap().into.version.to_string(), "1.4.0");
}

#[test]
fn r9_what_a_mapping_does_not_give_is_refused_by_name() {
    let mut case = native(BUNDLE);
    case.type_mappings = vec![yaml("{from: acme/vpc, to: vpc-conn, attributes: {region: specs.aws.region, regoin: specs.aws}}")];
    let refused = case.refused();
    assert_says(
        &refused,
        &[
            "error[contract-mismatch]: slot `app.vpc` cannot take `retail/staging/net/bundle.vpc`",
            "the mapping of `acme/vpc` to `vpc-conn` gives no `id`, which `vpc-conn` 1.0.0 requires",
            "the mapping of `acme/vpc` to `vpc-conn` gives `regoin`, which is no attribute of `vpc-conn` 1.0.0",
            "`type-mappings` in the context's `catalog.yaml`",
        ],
    );
    case.type_mappings = vec![yaml("{from: acme/vpc, to: vpc-conn, attributes: {id: specs.gcp.name}}")];
    assert_says(&case.refused(), &["makes `id` of `specs.gcp.name`, and there is no such value"]);
    case.type_mappings = vec![yaml("{from: acme/vpc, to: vpc-conn, attributes: {id: specs.aws}}")];
    assert_says(
        &case.refused(),
        &["`id`, as the mapping of `acme/vpc` to `vpc-conn` makes it, is not what `vpc-conn` 1.0.0 says"],
    );
}

#[test]
fn r9_where_looks_at_what_a_mapping_makes() {
    let mut case = native(BUNDLE);
    case.add_plugin("native", "requires: {vpc: {type: vpc-conn, where: {properties: {region: {const: here}}}}}");
    assert_says(&case.refused(), &["its attribute `region` does not satisfy `where`"]);
}

#[test]
fn r43_what_is_sensitive_only_in_the_connection_needs_read_sensitive_all_the_same() {
    let address = "platform/staging/net/bundle.vpc";
    let mut case = native(address);
    publish_bundle(&mut case, address);
    let granting = |allow: &str, attributes: &str| {
        let grant = format!("{{connection: staging/net/bundle.vpc, to: [retail/staging/shop], allow: [{allow}]}}");
        let workspace = format!("{{apiVersion: tieline/v1, kind: Workspace, name: platform, grants: [{grant}]}}");
        (yaml(&workspace), yaml(&format!("{{from: acme/vpc, to: vpc-conn, attributes: {attributes}}}")))
    };
    for (allow, attributes, withheld) in
        [("use", "{id: data.arn}", 1), ("use, read-sensitive", "{id: data.arn}", 0), ("use", "{id: specs.aws.region}", 0)]
    {
        let (workspace, mapping) = granting(allow, attributes);
        case.context.workspaces.insert("platform".parse().unwrap(), workspace);
        case.type_mappings = vec![mapping];
        assert_eq!(case.resolved().deployment.withheld().0.len(), withheld, "{allow} {attributes}");
    }
}

#[test]
fn r8_a_link_of_a_type_that_maps_is_taken_as_far_as_its_contract_says() {
    let mut case = mixed("  net: {use: ./bundle}\n  app: {use: ./native, connections: {vpc: net.vpc}}\n");
    assert!(slot(&case.resolved(), "app", "vpc").conversion.is_some());
    assert_eq!(case.declared(), "");
    case.type_mappings = vec![yaml("{from: acme/vpc, to: vpc-conn, attributes: {id: note}}")];
    assert_says(
        &case.declared(),
        &[
            "slot `app.vpc` cannot take `net.vpc`: the mapping of `acme/vpc` to `vpc-conn` makes `id` of `note`, and there is no such value",
        ],
    );
    case.type_mappings.clear();
    assert_says(&case.declared(), &["it needs a `vpc-conn`, and that is a `acme/vpc` 1.0.0"]);
}

#[test]
fn r8_a_default_for_a_type_may_name_a_connection_that_maps_to_it() {
    let mut case = mixed("  app: {use: ./native}\n");
    case.environment += "defaults: {vpc-conn: net/bundle.vpc}\n";
    assert_eq!(chosen(&case.resolved(), "app", "vpc"), format!("environment default {BUNDLE}"));
}

#[test]
fn r48_the_text_of_a_variable_has_nothing_inside() {
    let mut case = native("imported/old");
    case.import(
        "retail/staging/imported/old",
        "type: acme/vpc, version: 1.0.0, attributes: {specs: {aws: {region: x}}}, sensitive: {data: {env: VPC_DATA}}",
    );
    assert_says(&case.refused(), &["takes `data.infrastructure.arn`, and `data` is the text of a variable"]);
    case.type_mappings = vec![yaml("{from: acme/vpc, to: vpc-conn, attributes: {id: data}}")];
    assert_eq!(handed(&case).1, ["id"]);
}

fn foreign(contract: &str, change: impl FnOnce(&mut Plugin)) -> Plugin {
    let mut plugin: Plugin = yaml(&format!("apiVersion: tieline/v1\nkind: Plugin\nname: p\nversion: 1.0.0\n{contract}"));
    change(&mut plugin);
    plugin
}

#[test]
fn the_types_say_which_of_the_attributes_that_a_foreign_plugin_uses_are_sensitive() {
    let types = mixed("  app: {use: ./native}\n").types();
    let asked = |type_name: &str, uses: Uses| {
        let plugin = foreign(&format!("requires: {{s: {{type: {type_name}}}}}"), |plugin| {
            plugin.requires.values_mut().for_each(|slot| slot.uses = uses.clone());
        });
        let sensitive = &settled(&plugin, &types).requires["s"].sensitive;
        sensitive.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    let named = |names: &[&str]| Uses::Named(names.iter().map(|name| name.parse().unwrap()).collect());
    assert_eq!(asked("postgres-conn", named(&["host", "password"])), "password");
    assert_eq!(asked("postgres-conn", named(&["host"])), "");
    assert_eq!(asked("postgres-conn", Uses::All), "password");
    assert_eq!(asked("postgres-conn", Uses::Declared), "");
    assert_eq!(asked("unknown", named(&["host"])), "host");
    assert_eq!(asked("unknown", Uses::All), "");
}

#[test]
fn r43_a_foreign_plugin_is_not_handed_what_it_does_not_use() {
    let mut case = native(BUNDLE);
    let loaded = case.plugins.get_mut("./native").unwrap();
    let mut plugin = (*loaded.plugin).clone();
    plugin.requires.values_mut().for_each(|slot| slot.uses = Uses::Named(["region".parse().unwrap()].into()));
    loaded.plugin = Arc::new(plugin);
    assert_eq!(handed(&case), (json!({"region": "there"}), Vec::new()));
}

#[test]
fn the_types_say_which_outputs_of_signadot_steps_are_secrets() {
    let contract = "generates: {db: {type: postgres-conn, from: {host: make.host, password: make.key, port: make.key2}}}\nsteps:\n  create:\n    - name: make\n      script: x\n      outputs:\n        - {name: host, valueFromPath: /h, sensitive: true}\n        - {name: key, valueFromPath: /k}\n        - {name: other, valueFromPath: /o, sensitive: true}\n";
    let types = mixed("  app: {use: ./native}\n").types();
    let secrets = |plugin: &Plugin| {
        let outputs = settled(plugin, &types).steps.unwrap().create[0].outputs.clone();
        outputs.iter().map(|output| output.sensitive).collect::<Vec<_>>()
    };
    assert_eq!(secrets(&foreign(contract, |plugin| plugin.foreign = Some(Foreign::Signadot))), [false, true, true]);
    assert_eq!(secrets(&foreign(contract, |_| ())), [true, false, true]);
}
