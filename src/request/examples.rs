//! The examples that each command's help ends with. They are in `docs/commands.md` too, and a test parses every one.

pub(super) const TIELINE: &str = "\
Examples:
  tieline context init --from context     Make a context repository out of a folder of documents
  tieline validate                        Check tieline.yaml and the plugins that it uses
  tieline plan -e staging                 Show what a deploy to staging would change
  tieline deploy -e staging               Make it so

Most options are variables too: `TIELINE_ENVIRONMENT=staging` is the same as `-e staging`.

Exit codes:
  0   done
  1   a person has to change something: a document, an input, an approval
  2   something outside failed: Terraform, a cloud, git, the network
  3   cancelled, or out of time
  70  a bug of Tieline";

pub(super) const VALIDATE: &str = "\
Examples:
  tieline validate
  tieline validate -f shop/tieline.yaml
  tieline validate --context https://git.example.org/acme/context.git";

pub(super) const PLAN: &str = "\
Examples:
  tieline plan -e staging
  tieline plan -e staging --explain                      Where each value and connection comes from
  tieline plan -e staging --inputs '{web.replicas: 3}'   With another input, for this run only
  tieline plan -e staging --for rollback --to 1.8.2      What going back would change
  tieline plan -e staging --for destroy                  What a destroy would take away, and who needs it
  tieline plan -e staging -o json                        For programs";

pub(super) const DEPLOY: &str = "\
Examples:
  tieline deploy -e staging
  tieline deploy -e production --version-tag 1.9.0 --approved-plan \"$fingerprint\"
  TIELINE_SECRETS='{database.admin-password: ...}' tieline deploy -e staging";

pub(super) const ROLLBACK: &str = "\
Examples:
  tieline rollback -e staging --to 1.8.2                        The newest release with this version tag
  tieline rollback -w retail -e staging --deployable shop --to 1.8.2    Without the manifest
  tieline rollback -e staging --to 1.8.2 --rebind '{api.network: platform/staging/network/vpc.vpc}'";

pub(super) const DESTROY: &str = "\
Examples:
  tieline destroy -e staging
  tieline destroy -w retail -e staging --deployable shop        Without the manifest
  tieline destroy -e staging --break-consumers retail/staging/shop/api.network --reason 'the shop moves tomorrow'";

pub(super) const MOVE: &str = "\
Examples:
  tieline move database db -e staging                                     Then write `db` in the manifest
  tieline move retail/staging/shop/database db                            Without the manifest
  tieline move retail/staging/shop retail/staging/store                   The deployable is called otherwise
  tieline move retail/staging/shop store/staging/shop                     It is another workspace's";

pub(super) const ADOPT: &str = "\
Examples:
  terraform state pull > vpc.tfstate                                      In the folder of the old configuration
  tieline adopt vpc -e staging --state vpc.tfstate
  tieline adopt vpc -e staging --state-backend '{type: s3, config: {bucket: acme-old, key: vpc, region: sa-east-1}}'";

pub(super) const DRIFT: &str = "\
Examples:
  tieline drift -w retail -e staging                        Everything that is deployed there
  tieline drift -w retail -e staging --deployable shop
  tieline drift -e staging -o json                          For programs; the workspace is that of tieline.yaml";

pub(super) const FLEET: &str = "\
Examples:
  tieline fleet -e staging                                    The waves, and the fleet's id
  tieline fleet -e staging --jobs 20 -o json                  At most 20 jobs in a wave
  tieline deploy -e staging --only database,cache --fleet 01JD7M6Q3ZK0V9T8E5R4W2Y1XA";

pub(super) const FLEET_FINISH: &str = "\
Examples:
  tieline fleet finish -e staging --fleet 01JD7M6Q3ZK0V9T8E5R4W2Y1XA";

pub(super) const STATUS: &str = "\
Examples:
  tieline status                                      The environment that tieline.yaml names, or all of its workspace
  tieline status -w retail -e staging                 Any other one; no manifest is needed
  tieline status -w retail --outcome failed --since 24h
  tieline status -w retail -e staging --locks         With the state locks, each of which is tried
  tieline status -w retail --run 01JD7XQ3Z4N6R8T0V2W4Y6A8C0
  tieline status -w retail --html activities.html";

pub(super) const UNLOCK: &str = "\
Examples:
  tieline unlock --claim 01JD7XQ3Z4N6R8T0V2W4Y6A8C0 --reason 'its runner was taken away'
  tieline unlock -w retail -e staging --deployable shop --alias database --lock 6a25001d-dcec-447d-59c9-21475b550241 --reason 'killed by hand'";

pub(super) const CONNECTION_LIST: &str = "\
Examples:
  tieline connection list -w platform -e staging
  tieline connection list -e staging -o json";

pub(super) const CONNECTION_SHOW: &str = "\
Examples:
  tieline connection show platform/staging/network/vpc.vpc
  tieline connection show database.db -e staging       An output of the deployable in tieline.yaml";

pub(super) const CONNECTION_GRANT: &str = "\
Examples:
  tieline connection grant 'platform/*/network/vpc.vpc' --to 'retail/*/*' --allow use
  tieline connection grant platform/staging/bus/queue.bus --to retail/staging/shop --allow use,read-sensitive";

pub(super) const CONNECTION_REVOKE: &str = "\
Examples:
  tieline connection revoke 'platform/*/network/vpc.vpc'                         From everybody it was granted to
  tieline connection revoke 'platform/*/network/vpc.vpc' --to 'retail/*/*'
  tieline connection revoke 'platform/*/bus/queue.bus' --allow read-sensitive    They may still use it";

pub(super) const CONNECTION_IMPORT: &str = "\
Examples:
  tieline connection import legacy-orders -w retail -e production --type postgres-conn@1 --attributes '{host: db.example.org, port: 5432}' --sensitive '{password: {env: LEGACY_PASSWORD}}'";

pub(super) const TRANSFER: &str = "\
Examples:
  tieline transfer network -w platform --to acme/new-network
  tieline transfer network -w platform --to acme/new-network --id 123456";

pub(super) const CONNECTION_DEPRECATE: &str = "\
Examples:
  tieline connection deprecate platform/staging/db/main.db --until 2027-03-31 --message 'take platform/staging/db2/main.db'
  tieline connection deprecate platform/staging/db/main.db --lift";

pub(super) const CONNECTION_RETIRE: &str = "\
Examples:
  tieline connection retire platform/staging/db/main.db
  tieline connection retire retail/production/imported/legacy-orders";

pub(super) const PREVIEW: &str = "\
Examples:
  tieline preview up --pull-request 12 --repository acme/shop --repository-id 123456
  tieline preview                                  In a workflow: what its event asks for";

pub(super) const PREVIEW_UP: &str = "\
Examples:
  tieline preview up                               In a workflow of a pull request
  tieline preview up --pull-request 12 --repository acme/shop --repository-id 123456";

pub(super) const PREVIEW_REFRESH: &str = "\
Examples:
  tieline preview refresh --pull-request 12 --repository acme/shop --repository-id 123456";

pub(super) const PREVIEW_DOWN: &str = "\
Examples:
  tieline preview down --pull-request 12 --repository-id 123456 -w retail
  tieline preview down -w retail -e pr-12";

pub(super) const PREVIEW_SWEEP: &str = "\
Examples:
  tieline preview sweep --context github:acme/context
  tieline preview sweep -w retail --limit 5";

pub(super) const PREVIEW_LIST: &str = "\
Examples:
  tieline preview list
  tieline preview list -w retail -o json";

pub(super) const CONTEXT_INIT: &str = "\
Examples:
  tieline context init                                   An empty one, at .tieline/context.git
  tieline context init --from context                    With the documents in the folder context
  tieline context init --from context --context https://git.example.org/acme/context.git";

pub(super) const CONTEXT_REVIEW: &str = "\
Examples:
  tieline context review --context github:acme/context    In a checkout of a pull request's branch
  tieline context review --from context                   A folder against the nearest .tieline/context.git";

pub(super) const CONTEXT_VERIFY: &str = "\
Examples:
  tieline context verify
  tieline context verify --repair
  tieline context verify --context https://git.example.org/acme/context.git";

pub(super) const CONTEXT_PRUNE: &str = "\
Examples:
  tieline context prune --dry-run
  tieline context prune --context github:acme/context";

pub(super) const CONTEXT_RESEAL: &str = "\
Examples:
  TIELINE_AGE_IDENTITY=\"$(cat key.txt)\" tieline context reseal
  tieline context reseal --context github:acme/context";

pub(super) const PLUGINS_LIST: &str = "\
Examples:
  tieline plugins list
  tieline plugins list -f shop/tieline.yaml -o json";

pub(super) const PLUGINS_UPDATE: &str = "\
Examples:
  tieline plugins update                  Every plugin of tieline.yaml
  tieline plugins update database web     Only those that these aliases use";

pub(super) const PLUGINS_USAGE: &str = "\
Examples:
  tieline plugins usage                       All of them
  tieline plugins usage postgres@1            Who still has a version 1 of a plugin
  tieline plugins usage postgres-conn@1 -o json";

pub(super) const PLUGINS_TEST: &str = "\
Examples:
  tieline plugins test
  tieline plugins test plugins/queue -o json";

pub(super) const IMPORT: &str = "\
Examples:
  tieline import plugins/queue                      The plugin's document in its native form
  tieline import plugins/queue --to native/queue    With its module, into a folder of its own
  tieline import .stk/stk.yaml > tieline.yaml";

pub(super) const SCHEMA: &str = "\
Examples:
  tieline schema manifest > tieline.schema.json
  tieline schema connection-interface-type";

pub(super) const COMPLETIONS: &str = "\
Examples:
  tieline completions bash > ~/.local/share/bash-completion/completions/tieline
  tieline completions fish > ~/.config/fish/completions/tieline.fish";
