# The cluster: what the connection says, and over it what the settings say.
jq -n --slurpfile config "$work/config.json" --slurpfile connections "$work/connections.json" '
    (($connections[0].kubernetes_cluster // $connections[0]["kubernetes-cluster"] // {}) | .authentication // .data.authentication // {})
  * ($config[0].kubernetes_cluster.authentication // {})' > "$work/cluster.json"
for part in .cluster.server '.cluster."certificate-authority-data"' .user.token; do
  jq -e "$part" "$work/cluster.json" >/dev/null || { echo "the connection kubernetes_cluster has no $part" >&2; exit 1; }
done
jq -r '.cluster."certificate-authority-data"' "$work/cluster.json" | base64 -d > "$work/ca.pem"
# The token is in no command line.
jq --arg ca "$work/ca.pem" '{apiVersion: "v1", kind: "Config", "current-context": "it",
    contexts: [{name: "it", context: {cluster: "it", user: "it"}}], users: [{name: "it", user: {token: .user.token}}],
    clusters: [{name: "it", cluster: {server: .cluster.server, "certificate-authority": $ca}}]}' "$work/cluster.json" > "$work/kubeconfig"
export KUBECONFIG=$work/kubeconfig

option() { jq -r "$1" "$work/config.json"; }
release=$(jq -r --arg name "$instance" '.release_name // $name' "$work/config.json")
namespace=$(option '.namespace // "default"')

# The chart: of the bundle, of a repository, or of a registry.
oci=$(option '.chart.oci // empty') repo=$(option '.chart.repo // empty') name=$(option '.chart.name // empty')
version=$(option '.chart.version // empty')
arguments=(upgrade "$release")
if [ -n "$oci" ]; then
  arguments+=("oci://${oci#oci://}")
elif [ -n "$repo" ] && [ -n "$name" ]; then
  arguments+=("$name" --repo "$repo")
elif [ -n "$repo$name" ]; then
  echo "config.chart needs repo and name, or neither" >&2; exit 1
else
  arguments+=("$work/chart")
fi
if [ -n "$oci$repo" ]; then
  [ -z "$version" ] || arguments+=(--version "$version")
  [ ! -f "$work/chart/values.yaml" ] || arguments+=(-f "$work/chart/values.yaml")
fi

# Values, in the order of the vendor: each document as it is, or as its program makes it. JSON is YAML.
for name in connections params envs secrets; do
  program=$work/chart/$name.jq
  if [ -f "$program" ]; then
    jq -f "$program" "$work/$name.json" > "$work/$name.values.json"
  elif [ "$name" = envs ] || [ "$name" = secrets ]; then
    jq --arg name "$name" '{($name): .}' "$work/$name.json" > "$work/$name.values.json"
  else
    cp "$work/$name.json" "$work/$name.values.json"
  fi
  arguments+=(-f "$work/$name.values.json")
done

arguments+=(--install --namespace "$namespace" --create-namespace)
flag() { [ "$(option "if .$1 == null then $2 else .$1 end")" != true ] || arguments+=("$3"); }
flag wait true --wait
flag wait_for_jobs true --wait-for-jobs
flag atomic false --atomic
flag skip_crds false --skip-crds
flag debug false --debug
timeout=$(option '.timeout // empty')
case $timeout in '') ;; *[!0-9]*) arguments+=(--timeout "$timeout") ;; *) arguments+=(--timeout "${timeout}s") ;; esac
helm "${arguments[@]}"

# publish <field> <program>: what the bundle publishes, one file for each attribute.
mkdir -p "$root/published"
manifests() {
  helm get manifest "$release" --namespace "$namespace" > "$work/manifest.yaml"
  command -v yq >/dev/null || { echo "this step needs yq, which is not installed here" >&2; exit 1; }
  case $(yq --version 2>&1) in
    *mikefarah*) yq ea -o=json '[.]' "$work/manifest.yaml" ;;
    *) yq -s '[.[] | select(. != null)]' "$work/manifest.yaml" ;;
  esac
}
publish() {
  [ -f "$work/outputs.json" ] || manifests > "$work/outputs.json"
  given | jq --slurpfile outputs "$work/outputs.json" '. + {outputs: $outputs[0]}' | jq -f "$work/chart/$2" > "$work/payload.json"
  local key
  while IFS= read -r key; do
    jq -c --arg key "$key" '.[$key]' "$work/payload.json" > "$root/published/$1_$key"
  done < <(jq -r 'keys[]' "$work/payload.json")
}
