//! Plugins of steps, run by the real program as processes of this machine.

mod around;
mod broken_off;
mod plain;
mod secrets;

use std::os::unix::fs::PermissionsExt as _;

use age::secrecy::ExposeSecret as _;

use crate::endure::bench::{Bench, Ended, wait_until};

/// Makes something of a size, and seeds it; both are told on a line. The seed waits at a gate, where one is given.
const MAKER: &str = r#"
apiVersion: tieline/v1
kind: Plugin
name: maker
version: 1.0.0
inputs:
  type: object
  additionalProperties: false
  properties: {size: {type: integer, default: 1}, gate: {type: string, default: ""}}
generates: {out: {type: value-conn, from: {value: make.host}}}
steps:
  create:
    - name: make
      inputs: [{name: size, valueFromInput: true, as: {env: SIZE}}]
      outputs: [{name: host, valueFromPath: /out/host, trim: true}]
      script: |
        #!/bin/sh -e
        echo "making $SIGNADOT_RESOURCE_NAME"
        echo "db-$SIZE" > "$TIELINE_STEP_ROOT/out/host"
    - name: seed
      inputs:
        - {name: host, valueFromStep: {name: make, output: host}, as: {env: HOST}}
        - {name: gate, valueFromInput: true, as: {env: GATE}}
      outputs: [{name: rows, valueFromPath: /out/rows, type: integer}]
      script: |
        #!/bin/sh -e
        if [ -n "$GATE" ]; then touch "$GATE.at"; while [ ! -e "$GATE.go" ]; do sleep 0.05; done; fi
        echo "seeding $HOST"
        echo 7 > "$TIELINE_STEP_ROOT/out/rows"
  delete:
    - name: unseed
      inputs: [{name: rows, valueFromStep: {name: seed, output: rows}, as: {env: ROWS}}]
      script: |
        #!/bin/sh -e
        echo unseeding $ROWS
    - name: remove
      after: [unseed]
      inputs: [{name: host, valueFromStep: {name: make, output: host}, as: {env: HOST}}]
      script: |
        #!/bin/sh -e
        echo "removing $HOST"
"#;

/// A context in which steps may run on this machine, and a key that secrets are sealed for.
struct Steps {
    bench: Bench,
    /// Where scripts, which may be another user's, can write to.
    gates: tempfile::TempDir,
    identity: String,
}

impl std::ops::Deref for Steps {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.bench
    }
}

impl Steps {
    fn new() -> Self {
        let bench = Bench::new();
        let gates = tempfile::tempdir().unwrap();
        std::fs::set_permissions(gates.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let (recipient, identity) = key();
        let ceilings = "ceilings: {local-exec: true, step-runners: [host]}\n";
        bench.edit_context(
            "context.yaml",
            "ceilings: {local-exec: true}\n",
            &format!("{ceilings}sealing: {{recipients: [{recipient}]}}\n"),
        );
        bench.write("plugins/maker/plugin.yaml", MAKER);
        Self { bench, gates, identity }
    }

    fn gate(&self) -> String {
        self.gates.path().join("gate").display().to_string()
    }

    /// Waits until a step stands at the gate.
    fn wait_at_the_gate(&self) {
        let path = self.gates.path().join("gate.at");
        wait_until("a step is at the gate", || path.exists());
    }

    fn open_the_gate(&self) {
        std::fs::write(self.gates.path().join("gate.go"), "").unwrap();
    }

    fn destroy(&self, deployable: &str) -> Ended {
        self.start(self.command(&["destroy", "-w", "w", "-e", "e", "--deployable", deployable])).finish()
    }

    fn destroys(&self, deployable: &str) -> Ended {
        let ended = self.destroy(deployable);
        assert_eq!(ended.code, Some(0), "{}\n{}", ended.err, ended.out);
        assert_eq!(self.recorded(&format!("{deployable}/applied/a.json")), None);
        self.verify();
        ended
    }

    fn plan(&self, deployable: &str, more: &[&str]) -> Ended {
        let plan = ["plan", "-C", deployable, "-e", "e", "--allow-local-exec"];
        self.start(self.command(&[&plan, more].concat())).finish()
    }
}

/// A recipient of age, with its identity.
fn key() -> (String, String) {
    let identity = age::x25519::Identity::generate();
    (identity.to_public().to_string(), identity.to_string().expose_secret().to_owned())
}

/// The lines of the log that scripts wrote, with their step.
fn lines<'a>(err: &'a str, alias: &str) -> Vec<&'a str> {
    let head = format!("[{alias}] ");
    let of_alias = err.lines().filter_map(|line| line.strip_prefix(&head));
    of_alias.filter(|line| line.contains(": ") && !line.starts_with("step ")).collect()
}
