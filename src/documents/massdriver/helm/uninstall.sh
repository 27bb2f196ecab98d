# The cluster: what the connection says, and over it what the settings say.
jq -n --slurpfile config "$work/config.json" --slurpfile connections "$work/connections.json" '
    (($connections[0].kubernetes_cluster // $connections[0]["kubernetes-cluster"] // {}) | .authentication // .data.authentication // {})
  * ($config[0].kubernetes_cluster.authentication // {})' > "$work/cluster.json"
wanted() { jq -er "$1" "$work/cluster.json" || { echo "the connection kubernetes_cluster has no $2" >&2; exit 1; }; }
server=$(wanted '.cluster.server' server)
wanted '.cluster."certificate-authority-data"' certificate-authority-data | base64 -d > "$work/ca.pem"
token=$(wanted '.user.token' token)
jq -n --arg server "$server" --arg ca "$work/ca.pem" --arg token "$token" '{apiVersion: "v1", kind: "Config", "current-context": "it",
    contexts: [{name: "it", context: {cluster: "it", user: "it"}}], users: [{name: "it", user: {token: $token}}],
    clusters: [{name: "it", cluster: {server: $server, "certificate-authority": $ca}}]}' > "$work/kubeconfig"
export KUBECONFIG=$work/kubeconfig

option() { jq -r "$1" "$work/config.json"; }
release=$(jq -r --arg name "$instance" '.release_name // $name' "$work/config.json")
namespace=$(option '.namespace // "default"')

helm uninstall "$release" --namespace "$namespace" --ignore-not-found --wait
