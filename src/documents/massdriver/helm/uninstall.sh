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

helm uninstall "$release" --namespace "$namespace" --ignore-not-found --wait
