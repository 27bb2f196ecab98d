//! The double, held to what the runner does, with small scripts for actions.

use std::time::Duration;

use super::{Action, Conclusion, Engine, Event, Job, Machine, machine};

fn job(machine: &Machine) -> Job<'_> {
    Job::new(machine, Engine::Namespaces, Event::push("main"))
}

#[test]
fn the_environment_is_what_the_runner_lists_and_nothing_else() {
    let Some(machine) = machine() else { return };
    let action = Action::script("tr '\\0' '\\n' </proc/1/environ; echo \"I am $$ in $(pwd), $(id -u)\"");
    let mut job = job(&machine);
    job.env("TF_VAR_x", "1").env("WHERE", machine.workspace().join("a").to_str().unwrap());
    let step = job.uses(&action).with("plugin-name", "a b").env("LATER", "wins").run().succeeds();

    for line in [
        "INPUT_PLUGIN-NAME=a b",
        "INPUT_SIZE_OF_IT=small",
        "TF_VAR_x=1",
        "LATER=wins",
        "WHERE=/github/workspace/a",
        "HOME=/github/home",
        "GITHUB_WORKSPACE=/github/workspace",
        "GITHUB_EVENT_PATH=/github/workflow/event.json",
        "RUNNER_TEMP=/github/runner_temp",
        "GITHUB_ACTIONS=true",
        "CI=true",
        "GITHUB_HEAD_REF=",
        "GITHUB_REF=refs/heads/main",
        "I am 1 in /github/workspace, 0",
    ] {
        assert!(step.log.shown.iter().any(|shown| shown == line), "no `{line}` in\n{step}");
    }
    for name in ["TERM=", "USER=", "LANG=", "LOGNAME=", "SHELL=", "PWD=", "STATE_", "CARGO", "RUST"] {
        assert!(!step.log.shown.iter().any(|shown| shown.starts_with(name)), "`{name}` in\n{step}");
    }
    assert!(step.shown().contains("GITHUB_OUTPUT=/github/file_commands/set_output_"));
    job.finish();
}

#[test]
fn what_a_step_writes_is_there_for_later_steps() {
    let Some(machine) = machine() else { return };
    let writes = Action::script(
        r#"echo "a=1" >>"$GITHUB_OUTPUT"; printf 'Json<<E\n{"x":\n2}\nE\n' >>"$GITHUB_OUTPUT"
           echo "SEEN=by-later" >>"$GITHUB_ENV"; echo "Done, token-of-the-job" >>"$GITHUB_STEP_SUMMARY"; echo /opt/x >>"$GITHUB_PATH"
           echo "to warn"; echo "::warning file=/github/workspace/a.tf,line=2::careful"; exit 0"#,
    );
    let reads = Action::script("echo \"seen $SEEN\"");
    let mut job = job(&machine);
    let step = job.uses(&writes).run().succeeds();
    assert_eq!((step.output("a"), step.json("json")["x"].as_i64()), ("1", Some(2)));
    assert_eq!((step.summary.as_str(), step.path.as_slice()), ("Done, ***\n", ["/opt/x".to_owned()].as_slice()));
    assert_eq!(step.log.annotations[0].place().as_deref(), Some("a.tf:2"));
    job.uses(&reads).run().succeeds().says("seen by-later");
    let outputs = job.outputs(&[("a", "1"), ("token", "is token-of-the-job"), ("empty", "")]);
    assert_eq!(outputs.outputs.into_keys().collect::<Vec<_>>(), ["a"]);
    assert_eq!(outputs.warnings.len(), 1);
    job.finish();
}

#[test]
fn a_failure_is_no_annotation_and_what_was_written_before_it_counts() {
    let Some(machine) = machine() else { return };
    let action = Action::script("echo a=1 >>$GITHUB_OUTPUT; echo broken >>$GITHUB_ENV; exit 3");
    let mut job = job(&machine);
    let step = job.uses(&action).run();
    assert_eq!((step.conclusion, step.exit, step.output("a")), (Conclusion::Failure, Some(3), "1"));
    assert!(step.log.annotations.is_empty());
    assert_eq!(step.log.errors.len(), 1);
    job.finish();
}

#[test]
fn the_post_stage_knows_what_the_main_stage_saved() {
    let Some(machine) = machine() else { return };
    let action = Action::script(
        "case $0 in */main) echo Id=7 >>$GITHUB_STATE; exit 1;; */post) echo \"post of $STATE_Id with $(id -u)\";; esac",
    );
    let mut job = job(&machine);
    assert_eq!(job.uses(&action).run().conclusion, Conclusion::Failure);
    let [post] = job.finish().try_into().unwrap();
    post.succeeds().says("post of 7 with 0");
}

#[test]
fn a_cancel_is_an_interrupt_first() {
    let Some(machine) = machine() else { return };
    let action = Action::script(
        "trap 'echo interrupted; echo done=yes >>$GITHUB_OUTPUT; exit 130' INT; echo ready; while :; do sleep 0.05; done",
    );
    let mut job = job(&machine);
    let running = job.uses(&action).start();
    running.wait_for("ready");
    let step = running.cancel();
    assert_eq!((step.conclusion, step.exit, step.output("done")), (Conclusion::Cancelled, Some(130), "yes"));
    assert!(step.took < Duration::from_secs(7), "{step}");
    assert_eq!(job.orphans(), 0);
}

#[test]
fn a_cancel_ends_the_client_and_the_container_goes_on() {
    let Some(machine) = machine() else { return };
    let action = Action::script(
        "case $0 in */post) echo 'post runs'; touch /github/workspace/go; chown 1001 /github/workspace/go; exit;; esac
         trap 'echo int' INT; trap 'echo term' TERM; echo ready
         while [ ! -e /github/workspace/go ]; do sleep 0.05; done
         echo 'nobody hears this'; touch /github/workspace/went-on; chown 1001 /github/workspace/went-on",
    );
    let mut job = job(&machine);
    let running = job.uses(&action).start();
    running.wait_for("ready");
    let step = running.cancel();
    assert_eq!((step.conclusion, step.exit), (Conclusion::Cancelled, None));
    assert_eq!(step.log.shown, ["ready", "int", "term"]);
    assert!(step.took > Duration::from_secs(10) && step.took < Duration::from_secs(14), "{step}");
    assert_eq!(job.orphans(), 1);
    let [post] = job.finish().try_into().unwrap();
    post.succeeds().says("post runs");
    assert!(machine.workspace().join("went-on").exists());
}

#[test]
fn process_1_without_a_handler_hears_no_signal() {
    let Some(machine) = machine() else { return };
    // Shells do handle an interrupt; `tail` handles none.
    let action = Action::script("echo ready >/tmp/x; exec tail -f /tmp/x");
    let mut job = job(&machine);
    let running = job.uses(&action).start();
    running.wait_for("ready");
    assert_eq!(running.cancel().exit, None);
    assert_eq!(job.orphans(), 1);
}

#[test]
#[should_panic(expected = "left-behind belongs to user 0")]
fn a_file_that_is_not_the_runners_is_found() {
    let Some(machine) = machine() else { panic!("left-behind belongs to user 0, if it could be tried") };
    let action = Action::script("touch /github/workspace/left-behind");
    let mut job = job(&machine);
    job.uses(&action).run().succeeds();
    job.finish();
}

#[test]
fn commands_that_are_not_ours_and_secrets_that_are_seen_are_found() {
    let Some(machine) = machine() else { return };
    let action = Action::script(
        "echo 'x ##[add-mask]a'; echo '::set-output name=a::1'; echo 'it is hunter2'; echo 'ok\r::debug::x' | cat",
    );
    let mut job = job(&machine);
    job.canary("hunter2");
    let step = job.uses(&action).run_unchecked();
    assert_eq!(step.log.violations.len(), 3, "{:?}", step.log.violations);
    assert_eq!(step.output("a"), "1", "it works all the same");
    assert_eq!(step.log.commands.last().unwrap().name, "debug", "a carriage return ends a line");
}

#[test]
fn the_files_of_the_machine_are_not_the_containers() {
    let Some(machine) = machine() else { return };
    let secret = machine.aside("secret");
    std::fs::write(&secret, "").unwrap();
    let action = Action::script(&format!(
        "ls {} {} 2>&1; touch /usr/x /etc/x 2>&1; which terraform; echo \"tmp: $(ls /tmp)\"; ps ax 2>/dev/null | wc -l; exit 0",
        secret.display(),
        env!("CARGO_MANIFEST_DIR")
    ));
    let mut job = job(&machine);
    let step = job.uses(&action).run().says("tmp: \n");
    assert_eq!(step.shown().matches("No such file").count(), 2, "{step}");
    assert_eq!(step.shown().matches("Read-only").count(), 2, "{step}");
    assert!(!step.shown().contains("/terraform"), "{step}");
}
