//! As a runner's container starts us: the first process, as root, with a workspace of the runner's user.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use super::bench::Bench;
use crate::harness::needs_terraform;

/// The user that a runner runs as.
const RUNNER: u32 = 1001;

/// Where the test's stand-in for Docker's socket is.
const SOCKET: &str = "docker.sock";

/// Leaves a test that needs to be root where it is not.
macro_rules! needs_root {
    () => {
        let is_root = rustix::process::geteuid().is_root() && which::which("unshare").is_ok();
        if crate::acceptance::need("root", is_root.then_some(()).ok_or_else(|| "not root, or no `unshare`".to_owned())).is_none()
        {
            return;
        }
    };
}
pub(super) use needs_root;

/// A terraform that notes what it can reach, and leaves a process behind whenever it is started.
fn prying_terraform(bench: &Bench) {
    let (real, seen, socket) = (which::which("terraform").unwrap(), bench.path("seen"), bench.path(SOCKET));
    bench.shim(
        "terraform",
        &format!(
            r#"exec 3>>'{seen}'
            if [ "$1" = version ]; then
                echo "user $(id -u) group $(id -g) groups $(id -G) home $HOME" >&3
                cat /proc/1/environ >/dev/null 2>&1 && echo "read the environment" >&3
                (: </proc/1/mem) 2>/dev/null && echo "opened the memory" >&3
                ls -l /proc/1/fd/ 2>/dev/null | grep -q . && echo "listed the files" >&3
                curl --silent --max-time 5 --unix-socket '{socket}' http://docker/; [ $? -eq 7 ] || echo "reached the socket" >&3
                kill -KILL 1; kill -STOP 1; kill -USR1 1
            fi
            if [ "$1" = apply ]; then
                n=0; while awk '$3 == "Z" && $4 == 1' /proc/[0-9]*/stat 2>/dev/null | grep -q .; do
                    n=$((n+1)); [ $n -gt 250 ] && echo "unreaped processes" >&3 && break; sleep 0.02
                done
            fi
            exec 3>&-
            (sleep 0.05 </dev/null >/dev/null 2>&1 &)
            exec '{real}' "$@""#,
            seen = seen.display(),
            socket = socket.display(),
            real = real.display(),
        ),
    );
}

/// Gives everything of a bench to the runner's user.
fn give_to_runner(bench: &Bench) {
    let everything = bench.root().parent().unwrap().to_path_buf();
    assert!(Command::new("chown").arg("-R").arg(format!("{RUNNER}:{RUNNER}")).arg(everything).status().unwrap().success());
}

/// What of a bench does not belong to the runner's user.
fn foreign(bench: &Bench) -> Vec<String> {
    let output = Command::new("find").arg(bench.root().parent().unwrap()).args(["!", "-uid", "1001"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A deploy of `app` with the prying terraform, in a container.
fn contained_deploy(bench: &Bench) -> Command {
    contained(bench, &bench.deploy_command("app", &["--terraform", bench.path("bin/terraform").to_str().unwrap()]))
}

/// The same command, as the first process of a container of a runner; what it starts is killed with it.
pub(super) fn contained(bench: &Bench, command: &Command) -> Command {
    let mut contained = Command::new("unshare");
    contained.args(["--pid", "--fork", "--mount-proc", "--kill-child"]).arg(command.get_program()).args(command.get_args());
    contained.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    contained.env("GITHUB_ACTIONS", "true").env("GITHUB_WORKSPACE", bench.root());
    contained.current_dir(command.get_current_dir().unwrap()).stdin(Stdio::null());
    contained
}

/// A socket as Docker's is: root's, and its group's.
fn docker_socket(bench: &Bench) {
    let path = bench.path(SOCKET);
    let listener = UnixListener::bind(&path).unwrap();
    std::os::unix::fs::chown(&path, Some(0), Some(0)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o660)).unwrap();
    std::thread::spawn(move || {
        for mut caller in listener.incoming().flatten() {
            let _ = caller.read(&mut [0; 1024]);
        }
    });
}

#[test]
fn tf_r69_children_run_as_the_workspaces_owner_and_reach_nothing_of_ours() {
    needs_terraform!();
    needs_root!();
    let bench = Bench::new();
    // Several at a time, so that children end while others start, and each leaves an orphan.
    let plugins: Vec<String> = (0..8).map(|number| format!("p{number}: {{use: ../plugins/quick}}")).collect();
    bench.deployable("app", &format!("{{{}}}", plugins.join(", ")));
    prying_terraform(&bench);
    give_to_runner(&bench);
    docker_socket(&bench);

    let ended = bench.start(contained_deploy(&bench)).finish();
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.err, ended.out);
    let home = bench.root().parent().unwrap().join("home");
    assert_eq!(bench.read("seen"), format!("user {RUNNER} group {RUNNER} groups {RUNNER} home {}\n", home.display()));
    assert!(ended.out.contains("w/e/app succeeded: 8 tasks, 0 unchanged, +8"), "{}", ended.out);
    let logs_and_socket = |path: &String| path.contains("/logs/") || path.ends_with(SOCKET);
    assert_eq!(foreign(&bench).into_iter().filter(|path| !logs_and_socket(path)).collect::<Vec<_>>(), Vec::<String>::new());
    assert!(bench.is_tidy());
}

#[test]
fn tf_r69_a_home_that_the_owner_may_not_write_to_is_replaced_for_the_run() {
    needs_terraform!();
    needs_root!();
    let bench = Bench::new();
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    prying_terraform(&bench);
    give_to_runner(&bench);
    let home = bench.path("roots-home");
    fs::create_dir(&home).unwrap();
    let mut command = contained_deploy(&bench);
    command.env("HOME", &home);
    let ended = bench.start(command).finish();
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.err, ended.out);
    let seen = bench.read("seen");
    let used = seen.trim().rsplit_once("home ").unwrap().1;
    assert!(Path::new(used).starts_with(bench.temporary()), "{seen}");
    assert!(!Path::new(used).exists() && fs::read_dir(&home).unwrap().next().is_none());
}

#[test]
fn tf_r69_a_workspace_of_roots_own_is_left_to_root() {
    needs_terraform!();
    needs_root!();
    let bench = Bench::new();
    bench.deployable("app", "{a: {use: ../plugins/quick}}");
    prying_terraform(&bench);
    docker_socket(&bench);
    let ended = bench.start(contained_deploy(&bench)).finish();
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.err, ended.out);
    // Here root has every capability, and sees it all: what the test above proves is not that the looks fail by themselves.
    let seen = bench.read("seen");
    assert!(seen.starts_with("user 0 group 0 "), "{seen}");
    for reached in ["read the environment", "opened the memory", "listed the files", "reached the socket"] {
        assert!(seen.contains(reached), "{seen}");
    }
    assert_eq!(fs::metadata(bench.path(".tieline/context.git")).unwrap().uid(), 0);
}

#[test]
fn r69_where_root_may_not_become_the_owner_nothing_is_started() {
    needs_root!();
    let bench = Bench::new();
    bench.deployable("app", "{}");
    give_to_runner(&bench);
    let command = contained_deploy(&bench);
    let mut bounded = Command::new("setpriv");
    bounded.args(["--bounding-set", "-setuid"]).arg(command.get_program()).args(command.get_args());
    bounded.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(bench.root());
    let ended = bench.start(bounded).finish();
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    insta::assert_snapshot!(ended.err, @"error: cannot become the workspace's owner, user 1001 of group 1001: Operation not permitted (os error 1); start the container as that user, or as root with the capabilities SETUID and SETGID");
}

/// The Docker client is killed after ten seconds of a cancel: nobody reads what we say from then on.
#[test]
fn tf_a_run_goes_on_when_nobody_reads_what_it_says() {
    needs_terraform!();
    let bench = Bench::new();
    bench.deployable("app", &format!("{{a: {}, b: {{use: ../plugins/quick, after: [a]}}}}", bench.slow("gate", "")));
    let mut command = bench.deploy_command("app", &["--log-level", "debug"]);
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    run.stderr.as_mut().unwrap().read_exact(&mut [0; 1]).unwrap();
    bench.wait_at("gate");
    drop((run.stdout.take(), run.stderr.take()));
    bench.open("gate");
    assert_eq!(run.wait().unwrap().code(), Some(0));
    assert_eq!(bench.value("app", "b").as_deref(), Some("plain"));
    bench.assert_left_free("app");
}
