//! A Terraform that says more than anybody reads.

use super::site::Site;
use super::{Engine, Event, machine};
use crate::endure::bench::wait_until;
use crate::harness::needs_terraform;

/// Events, as fast as they can be printed.
const EVENTS: usize = 20_000;
/// In KiB, for a debug build; see `endure::size`.
const MOST_MEMORY: u64 = 40 << 10;

/// Floods before it applies, then waits so that the memory can be looked at.
const FLOODING: &str = r#"#!/bin/sh
if [ "$1" = apply ]; then
  awk -v events=EVENTS 'BEGIN {
    for (n = 0; n < events; n++)
      printf "{\"@level\":\"info\",\"@message\":\"m\",\"@module\":\"terraform.ui\",\"@timestamp\":\"2026-01-01T00:00:00Z\",\"hook\":{\"resource\":{\"addr\":\"module.plugin.terraform_data.it\",\"module\":\"module.plugin\",\"resource\":\"terraform_data.it\",\"implied_provider\":\"terraform\",\"resource_type\":\"terraform_data\",\"resource_name\":\"it\",\"resource_key\":null},\"provisioner\":\"local-exec\",\"output\":\"event %d of many\"},\"type\":\"provision_progress\"}\n", n
  }'
  touch /github/workspace/flooded
  while [ ! -e /github/workspace/go ]; do sleep 0.05; done
fi
exec /github/runner_temp/terraform/terraform "$@"
"#;

#[test]
fn tf_no_line_of_a_flood_is_lost_and_none_is_kept() {
    use std::os::unix::fs::PermissionsExt as _;
    needs_terraform!();
    let Some(machine) = machine() else { return };
    let site = Site::bench_with_files(machine, Engine::Namespaces);
    site.manifest("{a: {use: ../plugins/quick}}");
    site.machine.write("flooding", &FLOODING.replace("EVENTS", &EVENTS.to_string()));
    let script = site.machine.workspace().join("flooding");
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o755)).unwrap();

    let mut job = site.job(Event::push("main"));
    let running = site.deploy(&mut job, "app", "e").with("terraform", "/github/workspace/flooding").start();
    let flooded = site.machine.workspace().join("flooded");
    wait_until("the flood is over", || flooded.exists());
    running.wait_for(&format!("event {} of many", EVENTS - 1));
    let memory = running.most_memory();
    site.machine.write("go", "");
    let step = running.finish().succeeds();
    job.finish();

    let seen = step.log.shown.iter().filter_map(|line| line.split_once("event ")?.1.split(' ').next()?.parse::<usize>().ok());
    assert_eq!(seen.collect::<Vec<_>>(), (0..EVENTS).collect::<Vec<_>>(), "each once, in their order");
    eprintln!("{EVENTS} events, all of it {:?}, {} MiB at most", step.took, memory >> 10);
    assert!((1..MOST_MEMORY).contains(&memory), "{memory} KiB");
}
