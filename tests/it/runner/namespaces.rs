//! Containers out of namespaces: a root of its own around this machine's programs, in which the action is process 1.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Pid;

use super::container::Launch;
use super::machine::OWNER;

/// The variables of the image: this one, as in most images.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What Docker lets root keep.
const CAPABILITIES: &str = "-all,+chown,+dac_override,+fsetid,+fowner,+mknod,+net_raw,+setgid,+setuid,+setfcap,+setpcap,\
                            +net_bind_service,+sys_chroot,+kill,+audit_write";

/// Whether this machine can; else what is lacking.
pub(crate) fn possible() -> Result<(), String> {
    for program in ["unshare", "setpriv", "chroot"] {
        which::which(program).map_err(|_| format!("`{program}` is not on the PATH"))?;
    }
    if !Path::new("/usr/bin/git").exists() {
        return Err("there is no /usr/bin/git, which stands for that of the image".to_owned());
    }
    let folder = tempfile::tempdir().unwrap();
    if chown(folder.path(), Some(OWNER), Some(OWNER)).is_err() {
        return Err("containers need root, or `unshare --map-root-user --map-auto` around the tests".to_owned());
    }
    Ok(())
}

/// Starts a container; gives what stands for the client, and the container's first process.
pub(crate) fn start(launch: &Launch<'_>) -> (Child, Pid) {
    fs::create_dir_all(&launch.scratch).unwrap();
    let variables = launch.variables.iter().map(|(name, value)| format!("{name}={value}"));
    let mut image = vec![format!("HOSTNAME={}", launch.name)];
    if !launch.variables.contains_key("PATH") {
        image.push(format!("PATH={PATH}"));
    }
    // Shells drop variables with hyphens in their names, so `env` sets them, after the shell.
    let mut client = Command::new("unshare")
        .args(["--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private"])
        .args(["sh", "-euc", &script(launch), "sh"])
        .args(image)
        .args(variables)
        .arg(launch.entrypoint)
        .env_clear()
        .env("PATH", PATH)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let first = first_child(&mut client);
    (client, first)
}

fn first_child(client: &mut Child) -> Pid {
    let id = client.id();
    let start = Instant::now();
    loop {
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        if let Some(child) = children.split_whitespace().next().and_then(|child| child.parse().ok()).and_then(Pid::from_raw) {
            return child;
        }
        // It may have come and gone.
        if client.try_wait().unwrap().is_some() {
            return Pid::from_child(client);
        }
        assert!(start.elapsed() < Duration::from_secs(20), "no container was started");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Builds the root of the container and turns into the action. Of this machine it shows what an image would hold, which cannot be
/// written; no folder of the machine's own, so that no path of it works by accident.
fn script(launch: &Launch<'_>) -> String {
    let root = quoted(&launch.scratch.display().to_string());
    let mut script = format!(
        "mount -t tmpfs -o mode=755 tmpfs {root}; cd {root}
         mkdir -m 1777 tmp; mkdir proc dev sys root run var home action github usr etc; ln -s ../run var/run
         for name in bin sbin lib lib32 lib64; do if [ -L /$name ]; then cp -P /$name .; elif [ -d /$name ]; then mkdir $name; mount -o bind,ro /$name $name; fi; done
         for name in usr etc; do mount -o bind,ro /$name $name; done
         mount -t tmpfs tmpfs usr/local/bin
         mount --rbind /dev dev; mount -t proc proc proc; mount --rbind /sys sys
         hostname {}
         ",
        quoted(&launch.name)
    );
    let program = (launch.program.to_owned(), launch.entrypoint);
    for (host, inside) in launch.mounts.iter().chain([&program]) {
        let (host, inside) = (quoted(&host.display().to_string()), quoted(inside.trim_start_matches('/')));
        let _ = writeln!(
            script,
            "if [ -d {host} ]; then mkdir -p {inside}; else mkdir -p $(dirname {inside}); : >{inside}; fi; mount --bind {host} {inside}"
        );
    }
    script + &format!("exec setpriv --bounding-set={CAPABILITIES} --inh-caps=-all chroot . env -i -C /github/workspace \"$@\"")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
