#!/usr/bin/env bash
# Made from a Massdriver bundle: applies the chart of one of its steps with the helm of this machine.
set -euo pipefail
umask 077

for tool in helm jq base64 sha256sum; do
  command -v "$tool" >/dev/null || { echo "this step needs $tool, which is not installed here" >&2; exit 1; }
done

# On a machine that others use too, a step's files are below a folder of its own.
root=${TIELINE_STEP_ROOT:-}/massdriver
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for name in params connections envs secrets config; do echo '{}' > "$work/$name.json"; done

# put <document> <way> <file with JSON>: sets one value of a document.
put() {
  jq --argjson way "$2" --slurpfile value "$3" 'setpath($way; $value[0])' "$work/$1.json" > "$work/next.json"
  mv "$work/next.json" "$work/$1.json"
}

# take <document> <name> text|value <file>: takes up a value, if there is one.
take() {
  local file=$root/$4 way
  [ -f "$file" ] || return 0
  way=$(jq -nc --arg name "$2" '[$name]')
  if [ "$3" = text ] || ! jq -c . "$file" > "$work/value.json" 2>/dev/null; then
    jq -Rs . "$file" > "$work/value.json"
  fi
  put "$1" "$way" "$work/value.json"
}

# given: all that programs of the bundle speak about.
given() {
  jq -n --slurpfile params "$work/params.json" --slurpfile connections "$work/connections.json" \
    --slurpfile envs "$work/envs.json" --slurpfile secrets "$work/secrets.json" --arg name "$instance" \
    '{params: $params[0], connections: $connections[0], envs: $envs[0], secrets: $secrets[0], md: {package: {name: $name}, instance: {name: $name}}}'
}

# app_env <name> <program>: a variable of the application; it has to be a text in the end.
app_env() {
  given | jq -c "$2" | jq -s 'first | if type == "array" or type == "object" then error("a variable must be a text") else tostring end' > "$work/value.json"
  put envs "$(jq -nc --arg name "$1" '[$name]')" "$work/value.json"
}

# setting <way> <program>: a setting of the step.
setting() {
  given | jq -c "$2" | jq -s 'first' > "$work/value.json"
  put config "$1" "$work/value.json"
}

# about <step>: what bundles are told of where they are, the same as modules are told.
about() {
  local alias=${TIELINE_ALIAS:-} place digits readable
  alias=${alias%"--$1"}
  place=${TIELINE_WORKSPACE:-}/${TIELINE_ENVIRONMENT:-}/${TIELINE_DEPLOYABLE:-}
  digits=$(printf %s "$place/$alias" | sha256sum | cut -c1-6)
  readable=${TIELINE_ENVIRONMENT:-}-${TIELINE_DEPLOYABLE:-}
  readable=${readable:0:13}
  instance=${readable%"${readable##*[!-]}"}-$digits
  jq -n --arg name "$instance" --arg project "${TIELINE_DEPLOYABLE:-}" --arg target "${TIELINE_ENVIRONMENT:-}" --arg alias "$alias" '
    {name_prefix: $name, default_tags: {"managed-by": "tieline", "md-project": $project, "md-target": $target, "md-manifest": $alias,
      "md-package": $name}, target: {contact_email: ""}, observability: {alarm_webhook_url: ""}}' > "$work/value.json"
  put params '["md_metadata"]' "$work/value.json"
}

# The files of the step.
chart_file() {
  mkdir -p "$work/chart/$(dirname "$1")"
  base64 -d > "$work/chart/$1"
}
