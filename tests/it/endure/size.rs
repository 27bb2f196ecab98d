//! Many plugins, many resources, little memory.

use std::sync::atomic::{AtomicBool, Ordering};

use super::bench::{Bench, Ended, Running};
use crate::harness::needs_terraform;

/// In KiB, for a debug build; what is shipped has a budget of 40 MiB.
const MOST_MEMORY: u64 = 40 << 10;

/// What each of twenty waits for: a chain, a fan-out behind its end, a diamond over the fan, and some that wait for nobody.
const GRAPH: [(&str, &str); 20] = [
    ("a1", ""),
    ("a2", "a1"),
    ("a3", "a2"),
    ("b1", "a3"),
    ("b2", "a3"),
    ("b3", "a3"),
    ("b4", "a3"),
    ("b5", "a3"),
    ("c1", "b1, b2"),
    ("c2", "b2, b3"),
    ("c3", "b4, b5"),
    ("d", "c1, c2"),
    ("e", "c3, d"),
    ("l1", ""),
    ("l2", ""),
    ("l3", "l1"),
    ("l4", "l1, l2"),
    ("z1", "e, l4"),
    ("z2", "z1"),
    ("z3", "z1"),
];

/// Half of what is waited for is waited for by a link, half by order alone.
fn manifest() -> String {
    let plugins = GRAPH.iter().map(|(alias, needs)| match needs.split_once(", ") {
        Some((one, other)) => format!("{alias}: {{use: ../plugins/quick, connections: {{from: {one}.out}}, after: [{other}]}}"),
        None => format!("{alias}: {{use: ../plugins/quick, after: [{needs}]}}"),
    });
    format!("{{{}}}", plugins.collect::<Vec<_>>().join(", "))
}

/// Waits for its end, and for the most memory that it had, in KiB.
fn finish_measured(run: Running) -> (Ended, u64) {
    let (id, is_over) = (run.id(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut most = 0;
            while !is_over.load(Ordering::Relaxed) {
                most = most.max(memory(id).unwrap_or_default());
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            most
        });
        let ended = run.finish();
        is_over.store(true, Ordering::Relaxed);
        (ended, watcher.join().unwrap())
    })
}

/// What a process has for itself, in KiB: without the pages of its program, which are large in a debug build.
fn memory(id: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

fn assert_frugal(what: &str, memory: u64) {
    eprintln!("{what}: {} MiB at most", memory >> 10);
    assert!((1..MOST_MEMORY).contains(&memory), "{what}: {memory} KiB");
}

/// The tasks in the order in which the log has their applies.
fn applied(err: &str) -> Vec<&str> {
    err.lines().filter_map(|line| line.strip_suffix("] applying")?.strip_prefix('[')).collect()
}

#[test]
fn tf_r22_twenty_plugins_four_at_a_time() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &manifest());
    let (ended, memory) = finish_measured(bench.start_deploy("app", &["--parallelism", "4"]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let order = applied(&ended.err);
    let place = |alias: &str| order.iter().position(|applied| *applied == alias).unwrap();
    assert_eq!(order.len(), 20);
    for (alias, needs) in GRAPH {
        for need in needs.split(", ").filter(|need| !need.is_empty()) {
            assert!(place(need) < place(alias), "{need} before {alias}: {order:?}");
        }
        assert_eq!(bench.value("app", alias).as_deref(), Some("plain"));
    }
    assert_frugal("20 plugins", memory);
    let (again, memory) = finish_measured(bench.start_deploy("app", &[]));
    assert!(again.out.contains("20 unchanged"), "{}", again.out);
    assert_frugal("20 unchanged plugins", memory);
    bench.assert_left_free("app");
}

#[test]
fn tf_r22_one_at_a_time_is_always_the_same_order() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &manifest());
    let ended = bench.deploys("app", &["--parallelism", "1"]);
    // The first by name of those that are ready, each time.
    let expected = "a1 a2 a3 b1 b2 b3 b4 b5 c1 c2 c3 d e l1 l2 l3 l4 z1 z2 z3";
    assert_eq!(applied(&ended.err).join(" "), expected);
}

const MANY: &str = "
apiVersion: tieline/v1
kind: Plugin
name: many
version: 1.0.0
inputs: {type: object, additionalProperties: false, properties: {text: {type: string, default: ''}}}
generates: {out: {type: value-conn, from: {value: value}}}
terraform: {}
";

const MANY_MODULE: &str = r#"
variable "text" { type = string }
resource "terraform_data" "many" {
  count = 300
  input = "${count.index}${var.text}"
}
output "value" { value = tostring(length(terraform_data.many)) }
"#;

#[test]
fn tf_a_large_stream_loses_no_line() {
    needs_terraform!();
    let bench = Bench::new();
    bench.plugin("plugins/many", MANY, MANY_MODULE);
    bench.deployable("app", "{a: {use: ../plugins/many}}");
    let (ended, memory) = finish_measured(bench.start_deploy("app", &["--terraform-parallelism", "64"]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let created = ended.err.lines().filter(|line| line.starts_with("[a] created terraform_data.many[")).count();
    assert_eq!((created, bench.value("app", "a").as_deref()), (300, Some("300")));
    assert!(ended.out.contains("+300 ~0 -0"), "{}", ended.out);
    assert_frugal("300 resources", memory);

    let text = format!("{{text: '{}'}}", "x".repeat(2000));
    bench.deployable("app", &format!("{{a: {{use: ../plugins/many, inputs: {text}}}}}"));
    let (ended, memory) = finish_measured(bench.start_deploy("app", &[]));
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let updated = ended.err.lines().filter(|line| line.starts_with("[a] updated terraform_data.many[")).count();
    assert_eq!(updated, 300);
    assert_frugal("300 large resources", memory);
}
