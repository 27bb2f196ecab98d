use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::{Gates, check_contract, fetched_modules, gate, read, read_tree};
use crate::domain::connection_type::ConnectionType;
use crate::domain::deployment::PublishedFace;
use crate::domain::diagnostic::{Problems, Spot};
use crate::domain::failure::FailureReason;
use crate::domain::module::Module;
use crate::domain::names::{AttributeName, OutputName};
use crate::domain::plugin::Plugin;

fn files(entries: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    entries.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect()
}

fn hcl(text: &str) -> Module {
    read(&files(&[("main.tf", text)]), ".").unwrap()
}

fn json_module(value: &serde_json::Value) -> Module {
    read(&files(&[("main.tf.json", &value.to_string())]), ".").unwrap()
}

fn closed() -> Gates {
    Gates { local_exec: false, modules: Some(vec![]), providers: Some(vec![]) }
}

fn gated(module: Module, gates: &Gates) -> Vec<String> {
    let label = ".".to_owned();
    gate(&[(label, module)], gates).0.iter().map(|p| format!("{}: {}", p.reason, p.message)).collect()
}

fn lines(problems: &Problems) -> Vec<String> {
    let place = |spot: &Spot| match spot {
        Spot::Line { line, column } => format!("{line}:{column}"),
        Spot::Pointer(pointer) => pointer.to_string(),
        Spot::File => String::new(),
    };
    let at = |p: &crate::domain::diagnostic::Diagnostic| {
        p.origin.as_ref().map_or_else(String::new, |origin| format!("{}:{}", origin.file, place(&origin.at)))
    };
    problems.0.iter().map(|p| format!("{} {} [{}]", at(p), p.message, p.help.join("; "))).collect()
}

#[test]
fn both_syntaxes_are_read_alike() {
    let from_hcl = hcl(r#"
        terraform {
          required_version = ">= 1.6"
          required_providers {
            aws = {
              source                = "hashicorp/aws"
              configuration_aliases = [aws.west]
            }
          }
        }
        provider "google" {
          project = var.project
        }
        provider "azurerm" { alias = "x" }
        variable "a" {}
        variable "b" {
          default   = null
          sensitive = true
        }
        output "o" {
          value     = var.a
          sensitive = true
        }
        module "net" { source = "./net" }
        resource "aws_instance" "web" {
          provider = aws.west
          provisioner "local-exec" { command = "id" }
        }
        data "external" "x" {}
        check "c" {
          data "http" "y" { url = "https://example.test" }
        }
        "#);
    let from_json = json_module(&json!({
        "terraform": [{
            "required_version": ">= 1.6",
            "required_providers": {"aws": {"source": "hashicorp/aws", "configuration_aliases": ["aws.west"]}}
        }],
        "provider": {"google": {"project": "${var.project}"}, "azurerm": [{"alias": "x"}]},
        "variable": {"a": {}, "b": {"default": null, "sensitive": true}},
        "output": [{"o": {"value": "${var.a}", "sensitive": true}}],
        "module": {"net": {"source": "./net"}},
        "resource": {"aws_instance": {"web": {"provider": "aws.west", "provisioner": [{"local-exec": {"command": "id"}}]}}},
        "data": {"external": [{"x": {}}]},
        "check": {"c": {"data": {"http": {"y": {}}}}}
    }));
    for module in [&from_hcl, &from_json] {
        assert_eq!(module.required_versions, [">= 1.6"]);
        assert_eq!(module.providers.keys().collect::<Vec<_>>(), ["aws", "azurerm", "external", "google", "http"]);
        assert_eq!(module.configured.iter().collect::<Vec<_>>(), ["google"]);
        assert!(module.variables["a"].required && !module.variables["b"].required && module.variables["b"].sensitive);
        assert!(module.outputs["o"].sensitive);
        assert_eq!(module.calls[0].source.as_deref(), Some("./net"));
        let mut programs: Vec<&str> = module.programs.iter().map(|finding| finding.what.as_str()).collect();
        programs.sort_unstable();
        assert_eq!(
            programs,
            ["data source `external.x`", "data source `http.y`", "provisioner `local-exec` of `aws_instance.web`"]
        );
    }
    assert_eq!(from_hcl.variables["a"].origin.at, Spot::Line { line: 15, column: 9 });
}

#[test]
fn only_the_files_that_terraform_reads_in_that_folder_count() {
    let tree = files(&[
        ("infra/main.tf", "variable \"a\" {}"),
        ("infra/a_override.tf", "variable \"a\" { default = 1 }"),
        ("infra/more.tofu", "data \"external\" \"x\" {}"),
        ("infra/.hidden.tf", "variable \"hidden\" {}"),
        ("infra/old.tf~", "not terraform"),
        ("infra/terraform.tfvars", "a = 1"),
        ("infra/sub/main.tf", "variable \"sub\" {}"),
        ("main.tf", "variable \"root\" {}"),
    ]);
    for folder in ["infra", "./infra/", "x/../infra"] {
        let module = read(&tree, folder).unwrap();
        assert_eq!(module.variables.keys().collect::<Vec<_>>(), ["a"]);
        assert!(!module.variables["a"].required, "an override may bring a default");
        assert_eq!(module.programs.len(), 1);
    }
    assert_eq!(
        lines(&read(&tree, "nothing").unwrap_err())[0].split(" [").next(),
        Some(" the folder `nothing` holds no Terraform files")
    );
}

#[test]
fn every_broken_file_is_reported_where_it_is_broken() {
    let mut tree = files(&[("a.tf", "variable \"a\" {\n  default = \n}\n"), ("b.tf.json", "{\n  \"x\": ,\n}")]);
    tree.insert("c.tf".to_owned(), b"ok = 1\n\xff\xfe".to_vec());
    tree.insert("d.tf.json".to_owned(), br#"{"resource": {"x": {}}, "resource": {}}"#.to_vec());
    tree.insert("e.tf".to_owned(), vec![b'#'; 2 * 1024 * 1024]);
    insta::assert_snapshot!(lines(&read(&tree, ".").unwrap_err()).join("\n"), @r#"
    a.tf:2:13 `a.tf` is not valid Terraform: invalid expression; expected `"`, `[`, `{`, `-`, `!`, `(`, `_`, `<`, letter or digit []
    b.tf.json:2:8 `b.tf.json` is not valid Terraform JSON: expected value at line 2 column 8 []
    c.tf:2:1 `c.tf` is not UTF-8 text []
    d.tf.json:1:39 `d.tf.json` is not valid Terraform JSON: the key `resource` stands twice in one object at line 1 column 39 []
    e.tf: `e.tf` is larger than 1 MiB []
    "#);
}

#[test]
fn r10_provisioners_and_programs_are_found_however_they_are_written() {
    for module in [
        hcl("resource \"null_resource\" \"a\" {\n  provisioner \"local-exec\" {\n    command = \"id\"\n  }\n}"),
        hcl("resource null_resource a {\n  provisioner remote-exec {\n  }\n}"),
        hcl("resource \"terraform_data\" \"a\" {\n  provisioner \"file\" { source = \"x\" }\n}"),
        hcl("data \"ext\\u0065rnal\" \"x\" {}"),
        hcl("/* c */ data \"external\" \"x\" { # }\n}"),
        hcl("data \"external\" \"x\" {\n  provider = mine.x\n}"),
        hcl("check \"a\" {\n  data \"http\" \"x\" {}\n}"),
        hcl("action \"local_command\" \"a\" {}"),
        json_module(&json!({"resource": [{"null_resource": [{"a": [{"provisioner": {"local-exec": {"command": "id"}}}]}]}]})),
        json_module(&json!({"resource": {"null_resource": {"a": {"provisioner": [{"local-exec": [{"command": "id"}]}]}}}})),
        json_module(&json!([{"data": {"external": {"x": {}}}}])),
        json_module(&json!({"check": [{"a": [{"data": [{"http": {"x": {}}}]}]}]})),
    ] {
        let found = gated(module.clone(), &Gates::default());
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("local-exec-denied: "), "{found:?}");
        assert!(gated(module, &Gates { local_exec: true, ..Gates::default() }).is_empty());
    }
}

#[test]
fn a_provider_that_starts_a_program_is_local_exec() {
    let exec = "exec {\n  command = \"id\"\n}";
    for module in [
        hcl(&format!("provider \"kubernetes\" {{\n  {exec}\n}}")),
        hcl(&format!("provider \"helm\" {{\n  kubernetes {{\n    {exec}\n  }}\n}}")),
        hcl("provider \"kubernetes\" {\n  dynamic \"exec\" {\n    for_each = [1]\n    content { command = \"id\" }\n  }\n}"),
        hcl("provider \"helm\" {\n  kubernetes = { exec = { command = \"id\" } }\n}"),
        hcl("provider \"helm\" {\n  kubernetes = merge({ host = var.h }, var.y ? { \"exec\" = local.x } : {})\n}"),
        hcl("provider \"helm\" {\n  kubernetes = var.cluster\n}"),
        json_module(&json!({"provider": {"kubernetes": {"exec": {"command": "id"}}}})),
        json_module(&json!({"provider": [{"helm": [{"kubernetes": [{"exec": [{"command": "id"}]}]}]}]})),
        json_module(&json!({"provider": {"helm": {"kubernetes": "${var.cluster}"}}})),
        json_module(&json!({"provider": {"kubernetes": {"dynamic": {"exec": {"for_each": [1], "content": {}}}}}})),
    ] {
        let found = gated(module.clone(), &Gates::default());
        assert!(found.len() == 1 && found[0].starts_with("local-exec-denied: `"), "{found:?}");
        assert!(gated(module, &Gates { local_exec: true, ..Gates::default() }).is_empty());
    }
    let harmless =
        "provider \"helm\" {\n  kubernetes = { host = var.host, token = var.token }\n}\nlocals {\n  exec = { exec = 1 }\n}";
    assert!(gated(hcl(harmless), &Gates::default()).is_empty());
}

#[test]
fn a_plugins_own_backend_is_refused() {
    for text in ["terraform {\n  backend \"s3\" {}\n}", "terraform {\n  cloud {}\n}"] {
        assert!(gated(hcl(text), &Gates::default())[0].starts_with("invalid-document: "), "{text}");
    }
}

#[test]
fn r71_module_sources_pass_by_prefix_at_a_path_boundary() {
    let allowed = |prefix: &str, source: &str| {
        let module = hcl(&format!("module \"a\" {{\n  source = \"{source}\"\n}}"));
        gated(module, &Gates { modules: Some(vec![prefix.to_owned()]), ..Gates::default() }).is_empty()
    };
    for (prefix, source) in [
        ("./", "./net"),
        ("./", "../net"),
        ("github.com/acme/", "github.com/acme/vpc?ref=v1"),
        ("github.com/acme/vpc", "github.com/acme/vpc"),
        ("github.com/acme/vpc", "github.com/acme/vpc//sub"),
        ("github.com/acme/vpc", "github.com/acme/vpc?ref=v1"),
        ("git@github.com:acme/", "git@github.com:acme/vpc.git"),
    ] {
        assert!(allowed(prefix, source), "{prefix} {source}");
    }
    for (prefix, source) in [
        ("github.com/acme/", "./net"),
        ("github.com/acme/", "github.com/acme-evil/vpc"),
        ("github.com/acme", "github.com/acme-evil/vpc"),
        ("github.com/acme/", "github.com/acme/../evil/vpc"),
        ("github.com/acme/", "github.com/acme/%2e%2e/evil/vpc"),
        ("github.com/acme/", "git::https://github.com/acme/vpc"),
        ("github.com/acme/", "github.com/acme/${var.x}"),
        ("", "github.com/evil/x"),
        ("./", "/etc"),
    ] {
        assert!(!allowed(prefix, source), "{prefix} {source}");
    }
    let computed = hcl("module \"a\" {\n  source = var.where\n}");
    assert_eq!(
        gated(computed, &closed()),
        ["module-denied: the source of module `a` in the plugin's module is not a plain text"]
    );
}

#[test]
fn r71_providers_pass_by_pattern_and_terraforms_own_always() {
    let allowed = |pattern: &str, text: &str| {
        gated(hcl(text), &Gates { providers: Some(vec![pattern.to_owned()]), ..Gates::default() }).is_empty()
    };
    let from = |source: &str| format!("terraform {{\n  required_providers {{\n    x = {{ source = \"{source}\" }}\n  }}\n}}");
    for (pattern, text) in [
        ("hashicorp/*", "resource \"aws_vpc\" \"a\" {}".to_owned()),
        ("hashicorp/aws", from("HashiCorp/AWS")),
        ("hashicorp/google*", from("hashicorp/google-beta")),
        ("*", from("registry.example.test/acme/cloud")),
        ("registry.example.test/*/*", from("registry.example.test/acme/cloud")),
        ("nothing/*", "resource \"terraform_data\" \"a\" {}".to_owned()),
        ("nothing/*", from("terraform.io/builtin/terraform")),
    ] {
        assert!(allowed(pattern, &text), "{pattern} {text}");
    }
    for (pattern, text) in [
        ("acme/*", "resource \"aws_vpc\" \"a\" {}".to_owned()),
        ("hashicorp/*", from("hashicorp/evil/x")),
        ("hashicorp/*", from("evil.test/hashicorp/aws")),
        ("hashicorp/a*s", from("hashicorp/azure")),
        (
            "hashicorp/*",
            "terraform {\n  required_providers {\n    terraform = { source = \"evil/terraform\" }\n  }\n}".to_owned(),
        ),
    ] {
        assert!(!allowed(pattern, &text), "{pattern} {text}");
    }
}

#[test]
fn local_modules_are_followed_inside_the_tree_and_never_out_of_it() {
    let tree = files(&[
        ("main.tf", "module \"a\" {\n  source = \"./modules/a\"\n}"),
        ("modules/a/main.tf", "module \"b\" {\n  source = \"../b\"\n}"),
        ("modules/b/main.tf", "data \"external\" \"x\" {}\nmodule \"again\" {\n  source = \"../a\"\n}"),
    ]);
    let modules = read_tree(&tree, ".").unwrap();
    assert_eq!(modules.iter().map(|(folder, _)| folder.as_str()).collect::<Vec<_>>(), ["", "modules/a", "modules/b"]);
    assert_eq!(gate(&modules, &Gates::default()).0.len(), 1);

    let escaping = files(&[("main.tf", "module \"a\" {\n  source = \"./x/../../y\"\n}")]);
    let problems = read_tree(&escaping, ".").unwrap_err();
    assert_eq!(problems.0[0].reason, FailureReason::ModuleDenied);
    assert!(read(&tree, "../elsewhere").is_err());
}

fn postgres() -> (Plugin, BTreeMap<OutputName, Vec<PublishedFace>>) {
    let plugin = json!({
        "apiVersion": "tieline/v1", "kind": "Plugin", "name": "postgres", "version": "1.0.0",
        "generates": {"db": {"type": "postgres-conn", "from": {"host": "endpoint", "password": "password"}}},
        "terraform": {"variables": {"siz": {"input": "size"}}}
    });
    let plugin: Plugin = serde_json::from_value(plugin).unwrap();
    let contract = json!({
        "apiVersion": "tieline/v1", "kind": "ConnectionInterfaceType", "name": "postgres-conn", "version": "1.0.0",
        "attributes": {"properties": {"host": {}, "password": {"x-sensitive": true}}}
    });
    let contract: Arc<ConnectionType> = Arc::new(serde_json::from_value(contract).unwrap());
    let from: BTreeMap<AttributeName, String> = plugin.generates["db"].from.clone();
    let outputs = BTreeMap::from([(OutputName::new("db").unwrap(), vec![PublishedFace { connection_type: contract, from }])]);
    (plugin, outputs)
}

#[test]
fn r10_outputs_and_variables_that_the_document_names_must_exist() {
    let (plugin, outputs) = postgres();
    let problems =
        check_contract(&plugin, &outputs, &hcl("output \"end_point\" {}\noutput \"password\" {}\nvariable \"size\" {}"));
    insta::assert_snapshot!(lines(&problems).join("\n"), @r#"
    plugin.yaml:generates.db.from.host attribute `host` of output `db` comes from `endpoint`, which the module does not output [did you mean `end_point`?]
    plugin.yaml:terraform.variables.siz the module has no variable `siz` [did you mean `size`?]
    "#);
}

#[test]
fn r13_a_sensitive_output_never_stands_for_a_public_attribute() {
    let (mut plugin, outputs) = postgres();
    plugin.terraform.as_mut().unwrap().variables.clear();
    let problems =
        check_contract(&plugin, &outputs, &hcl("output \"endpoint\" {\n  sensitive = true\n}\noutput \"password\" {}"));
    assert_eq!(problems.0.len(), 1, "the other way round is the type's to say");
    insta::assert_snapshot!(lines(&problems)[0], @r#"plugin.yaml:generates.db.from.host `host` is a public attribute of `postgres-conn`, and the module marks its output `endpoint` as sensitive [mark `host` with `x-sensitive: true` in the type, or publish an output that is no secret]"#);
}

#[test]
fn r13_what_a_step_leaves_is_held_against_the_contract_as_well() {
    let (mut plugin, mut outputs) = postgres();
    plugin.terraform = None;
    plugin.steps = Some(
        serde_json::from_value(json!({"create": [{"name": "make", "script": "#!/bin/sh", "outputs": [
            {"name": "host", "valueFromPath": "/out/host", "sensitive": true}
        ]}]}))
        .unwrap(),
    );
    let face = &mut outputs.get_mut("db").unwrap()[0];
    for (attribute, from) in [("host", "make.host"), ("password", "make.pasword")] {
        face.from.insert(AttributeName::new(attribute).unwrap(), from.to_owned());
    }
    let problems = check_contract(&plugin, &outputs, &Module::default());
    let exposed = "`host` is a public attribute of `postgres-conn`, and the step's output `make.host` is sensitive";
    let missing = "attribute `password` of output `db` comes from `make.pasword`, which no create step leaves";
    let messages: Vec<&str> = problems.0.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, [exposed, missing]);
}

#[test]
fn terraforms_list_of_modules_is_read() {
    let list = br#"{"Modules":[{"Key":"","Source":"","Dir":"."},{"Key":"plugin.vpc","Source":"acme/vpc","Version":"1.0.0","Dir":".terraform/modules/plugin.vpc"}]}"#;
    let modules = fetched_modules(list).unwrap();
    assert_eq!((modules[1].key.as_str(), modules[1].dir.as_str()), ("plugin.vpc", ".terraform/modules/plugin.vpc"));
    assert!(fetched_modules(b"{}").is_err());
}

#[test]
fn deep_nesting_is_an_error_and_ends_quickly() {
    let deep = |open: &str, close: &str| format!("x = {}1{}\n", open.repeat(20_000), close.repeat(20_000));
    let texts = [
        deep("(", ")"),
        deep("[", "]"),
        deep("{a=", "}"),
        deep("!", ""),
        deep("-", ""),
        deep("f(", ")"),
        deep("\"${", "}\""),
        deep("a ? b : ", ""),
        deep("1+", ""),
        deep("a[", "]"),
        deep("[for a in ", ": a]"),
        "a {\n".repeat(20_000),
        "(".repeat(60),
        format!("x = {}", "{a=".repeat(60)),
        format!("x = {}", "\"${".repeat(60)),
        format!("x = {}", "[for a in ".repeat(60)),
    ];
    for text in texts {
        let start: String = text.chars().take(30).collect();
        assert!(read(&files(&[("main.tf", &text)]), ".").is_err(), "{start}");
    }
    for (open, close) in [("(", ")"), ("[", "]"), ("{a=", "}"), ("f(", ")"), ("\"${", "}\""), ("[for a in b: ", "]")] {
        let text = format!("x = {}1{}\n", open.repeat(30), close.repeat(30));
        assert!(read(&files(&[("main.tf", &text)]), ".").is_ok(), "{open}");
    }
    let json = format!("{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    assert!(read(&files(&[("main.tf.json", &json)]), ".").is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for name in ["a.tf", "a.tf.json"] {
            let _ = read_tree(&BTreeMap::from([(name.to_owned(), bytes.clone())]), ".");
        }
        let _ = fetched_modules(&bytes);
    }

    #[test]
    fn anything_like_terraform_is_read_or_refused(
        words in proptest::collection::vec(
            prop_oneof![
                Just("module"), Just("data"), Just("\"x\""), Just("{"), Just("}"), Just("\n"), Just("="), Just("source"), Just("["),
                Just("]"), Just("<<EOF\n"), Just("EOF\n"), Just("\"${"), Just("}\""), Just("terraform"), Just("for"), Just("?"),
                Just(":"), Just("1"), Just("\"./é\""), Just("/*"), Just("*/"), Just("("), Just(")"), Just("provider"), Just("a.b")
            ],
            0..60
        )
    ) {
        let _ = read_tree(&files(&[("main.tf", &words.join(" "))]), ".");
    }

    #[test]
    fn any_json_is_read_or_refused(text in "[\\[\\]{}:,\"a-c]{0,40}", kind in "terraform|resource|data|module|check|variable") {
        let _ = read_tree(&files(&[("main.tf.json", &format!("{{\"{kind}\": {text}}}"))]), ".");
    }
}
