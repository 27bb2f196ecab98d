"""The arms: each deploys the same graph of the same module, in its own folder."""

import io
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent

# What one node costs a careful person: a plan that is kept, and no apply where nothing changes. It counts what it starts.
APPLY = """#!/bin/sh
set -eu
cd "$1"
started=1
if [ ! -d .terraform ]; then
  "$TERRAFORM" init -input=false -no-color
  started=2
fi
code=0
"$TERRAFORM" plan -input=false -no-color -detailed-exitcode -out=plan || code=$?
case $code in
  0) ;;
  2) "$TERRAFORM" apply -input=false -no-color plan; started=$((started + 1)) ;;
  *) exit "$code" ;;
esac
echo "$started" > started
"""


class Plain:
    """Terraform by hand: a root module and a state per node; upstream values by terraform_remote_state."""

    def __init__(self, name, folder, command, edges, settings):
        self.name, self.folder, self.command, self.edges = name, folder, command, edges
        self.environment = {**settings.environment, "TERRAFORM": settings.terraform}
        self.warm = settings.warm

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        shutil.copytree(HERE / "node", self.folder / "node")
        script = self.folder / "apply"
        script.write_text(APPLY)
        script.chmod(0o755)
        rules = "".join(f"{node}: {' '.join(before)}\n\t@./apply {node}\n" for node, before in self.edges.items())
        (self.folder / "Makefile").write_text(f".PHONY: all {' '.join(self.edges)}\nall: {' '.join(self.edges)}\n{rules}")
        (self.folder / "loop").write_text(f"set -eu\nfor node in {' '.join(self.edges)}; do ./apply \"$node\"; done\n")

    def write(self, salts):
        for node, before in self.edges.items():
            folder = self.folder / node
            folder.mkdir(exist_ok=True)
            if not self.warm:
                shutil.rmtree(folder / ".terraform", ignore_errors=True)  # as in a fresh checkout
            slots = list(zip(["left", "right"], before))
            data = {slot: {"backend": "local", "config": {"path": f"../{other}/terraform.tfstate"}} for slot, other in slots}
            module = {slot: f"${{data.terraform_remote_state.{slot}.outputs.node}}" for slot, _ in slots}
            root = {
                "module": {"plugin": {"source": "../node", "salt": salts[node], **module}},
                "output": {"node": {"value": {"value": "${module.plugin.value}"}}},
            }
            if data:
                root["data"] = {"terraform_remote_state": data}
            (folder / "main.tf.json").write_text(json.dumps(root))

    def outputs(self):
        states = {node: json.loads((self.folder / node / "terraform.tfstate").read_text()) for node in self.edges}
        return {node: state["outputs"]["node"]["value"]["value"] for node, state in states.items()}

    def started(self):
        return sum(int((self.folder / node / "started").read_text()) for node in self.edges)


class Tieline:
    """One manifest; every node is an applied plugin of its own."""

    name = "tieline"

    def __init__(self, folder, edges, settings):
        self.folder, self.edges, self.binary = folder, edges, settings.tieline
        self.environment = {**settings.environment, "TIELINE_TERRAFORM": settings.terraform}
        self.context = folder / ".tieline" / "context.git"
        self.command = [self.binary, "deploy", "--context", str(self.context), "--parallelism", str(settings.parallelism)]

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        shutil.copytree(HERE / "node", self.folder / "node")
        command = [self.binary, "context", "init", "--from", str(HERE / "context"), "--context", str(self.context)]
        subprocess.run(command, cwd=self.folder, env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def write(self, salts):
        plugins = {
            node: {
                "use": "./node",
                "inputs": {"salt": salts[node]},
                "connections": {slot: f"{other}.node" for slot, other in zip(["left", "right"], before)},
            }
            for node, before in self.edges.items()
        }
        manifest = {"apiVersion": "tieline/v1", "kind": "Application", "name": "graph"}
        manifest |= {"workspace": "bench", "environment": "bench", "plugins": plugins}
        (self.folder / "tieline.yaml").write_text(json.dumps(manifest, indent=2))

    def outputs(self):
        """The published connections, out of the ledger."""
        folder = "bench/bench/graph/connections"
        command = ["git", "--git-dir", str(self.context), "archive", "ledger", folder]
        archive = subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            records = [json.load(files.extractfile(file)) for file in files if file.isfile()]
        return {record["address"].rsplit("/", 1)[1].removesuffix(".node"): record["attributes"]["value"] for record in records}


class Counted(Tieline):
    """The same, never timed, with a terraform that counts how often it is started."""

    def __init__(self, folder, edges, settings):
        super().__init__(folder, edges, settings)
        self.count, wrapper = folder.parent / "started", folder.parent / "terraform"
        wrapper.write_text(f'#!/bin/sh\necho >> {self.count}\nexec {settings.terraform} "$@"\n')
        wrapper.chmod(0o755)
        self.environment["TIELINE_TERRAFORM"] = str(wrapper)

    def write(self, salts):
        super().write(salts)
        self.count.write_text("")

    def started(self):
        return len(self.count.read_text().splitlines())


def environment(folder):
    """What every arm gets alike: nothing of the caller's but the way to its programs."""
    home = folder / "home"
    home.mkdir(parents=True)
    (home / "terraformrc").touch()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TF_CLI_CONFIG_FILE": str(home / "terraformrc"),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
    }
