# Which plugins there may be, and how they are named in production.
package tieline.deployment

import rego.v1

# The organization's own repositories, its catalog, and folders beside the manifest.
ours := ["github:acme/", "./", "../"]

is_ours(source) if strings.any_prefix_match(source, ours)

# A name in the catalog has neither a scheme nor a path.
is_ours(source) if not regex.match(`[:/]`, source)

deny contains {"msg": msg, "alias": alias} if {
	some alias, plugin in input.deployment.plugins
	not is_ours(plugin.source)
	msg := sprintf("the plugin `%s` is not one of ours: move it to a repository of acme", [plugin.source])
}

# Folders have no version that somebody released.
deny contains {"msg": msg, "alias": alias} if {
	input.deployment.protected
	some alias, plugin in input.deployment.plugins
	startswith(plugin.source, ".")
	msg := sprintf("`%s` is a folder: protected environments take released plugins only", [plugin.source])
}
